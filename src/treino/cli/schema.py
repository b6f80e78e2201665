"""``treino schema``: the JSON Schemas of files and of outputs."""

import json
from typing import Annotated

from cyclopts import Parameter

from treino.base.console import table
from treino.base.words import _
from treino.cli.flags import ScreenFlag, Words


def schema(
    name: Annotated[
        Words, Parameter(help="a file, such as run/result.json, or a command; alone: the list of names")
    ] = None,
    /,
    *,
    screen: ScreenFlag,
) -> int:
    """Print the JSON Schema of a file in a run's folder, or of what a command prints with --json.

    Examples: treino schema | treino schema run/result.json > result.schema.json | treino schema train
    """
    from treino.folders.documents.schemas import names, schema_of

    if name is not None:
        found = schema_of(name)
        screen.document(found)
        screen.show(json.dumps(found, indent=2, ensure_ascii=False))
        return 0
    abouts = names()
    screen.document({"schemas": [{"name": each, "about": about} for each, about in abouts.items()]})
    screen.out.print(table((_("name"), _("what it describes")), abouts.items(), left=(1,)))
    return 0
