"""``treino data``: what is in a data set, before anything is trained."""

from typing import Annotated, Any

from cyclopts import Parameter
from rich.table import Table
from rich.text import Text

from treino.cli.flags import ScreenFlag
from treino.words import _


def data(
    source: Annotated[
        str | None, Parameter(name="DATA", help="a built-in or a CSV file; without it: the built-ins")
    ] = None,
    /,
    *,
    target: Annotated[str | None, Parameter(help="column to predict")] = None,
    screen: ScreenFlag,
) -> int:
    """Say what is in DATA and what is wrong with it; alone: list the built-in data sets.

    Example: treino data wine | treino data houses.csv --target price
    """
    from treino.data import describe

    document = describe(source, target)
    screen.document(document)
    screen.out.print(_builtins(document) if source is None else _columns(document))
    if source is not None:
        _rest(document, screen)
    return 0


def _builtins(document: dict[str, Any]) -> Table:
    table = Table(box=None, pad_edge=False)
    for heading in (_("name"), _("rows"), _("features"), _("task"), _("about")):
        table.add_column(heading)
    for b in document["builtins"]:
        table.add_row(b["name"], f"{b['rows']:,}", str(b["features"]), b["task"], b["about"])
    return table


def _columns(document: dict[str, Any]) -> Table:
    table = Table(box=None, pad_edge=False)
    for heading in (_("column"), _("kind"), _("missing"), _("distinct"), _("from"), _("to")):
        table.add_column(heading)
    for c in document["columns"]:
        low, high = (("" if c.get(k) is None else f"{c[k]:.6g}") for k in ("minimum", "maximum"))
        table.add_row(c["name"], c["kind"], str(c["missing"]), str(c["unique"]), low, high)
    return table


def _rest(document: dict[str, Any], screen: ScreenFlag) -> None:
    screen.out.print()
    screen.out.print(_("{n} rows").format(n=document["rows"]))
    if document["target"] is not None:
        said = _("target {target}: {task}").format(target=document["target"], task=document["task"])
        screen.out.print(
            said + (" (" + ", ".join(map(str, document["classes"])) + ")" if document["classes"] else "")
        )
    elif document["likely_targets"]:
        names = ", ".join(document["likely_targets"])
        screen.out.print(_("no target yet: --target with one of {names}?").format(names=names))
    for warning in document["warnings"]:
        screen.out.print(
            Text.assemble(("! ", "yellow"), f"{warning['message']} {warning.get('hint', '')}".rstrip())
        )
