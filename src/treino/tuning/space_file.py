"""A space from the words of a command line: ``name=values``, or a TOML file of them."""

import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from treino.errors import TreinoError
from treino.words import _


def space_of(words: Sequence[str]) -> Sequence[str] | dict[str, Any]:
    """Texts as they are; of a single file ``NAME.toml`` its names and values.

    Raises:
        TreinoError: a file that is missing, can't be read, or isn't TOML, with its line.
    """
    files = [w for w in words if w.endswith(".toml") and "=" not in w]
    if not files:
        return list(words)
    if len(words) > 1:
        raise TreinoError(
            "space_file",
            _("The space is in {file}, and {other} stands beside it.").format(
                file=files[0], other=next(w for w in words if w != files[0])
            ),
            _("Put all of it into the file, or all on the command line."),
        )
    path = Path(files[0])
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise TreinoError(
            "space_file",
            _("{path} can't be read: {why}.").format(path=path, why=error.strerror),
            _("Write the path from the working directory."),
        ) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise TreinoError(
            "space_file",
            _("{path} is not TOML: {why}.").format(path=path, why=error),
            _('Write e.g.: lr = "1e-4..1e-1:log"'),
        ) from None
