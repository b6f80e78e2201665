"""``treino data``: describe a data set and its problems, without training."""

from dataclasses import asdict, dataclass
from typing import Annotated, Any

from cyclopts import Parameter
from rich.table import Table

from treino.cli.flags import ScreenFlag, with_flags
from treino.cli.output_paths import Replace, output_file, say_replaced
from treino.console import line
from treino.errors import TreinoError
from treino.store.output_files import PAGE
from treino.words import _, numeral

SHOWN_CLASSES = 20


@dataclass(frozen=True)
class FileFormat:
    """How the file is written, and what its columns are, where that can't be found out."""

    kinds: Annotated[
        str | None, Parameter(help="what columns are: month=category,size=small<large,note=out")
    ] = None
    delimiter: Annotated[str | None, Parameter(help="what separates the cells of the file")] = None
    decimal: Annotated[str | None, Parameter(help="decimal sign of the file, point or comma")] = None
    encoding: Annotated[str | None, Parameter(help="encoding of the file")] = None
    header: Annotated[str | None, Parameter(help="whether the first line names the columns: yes, no")] = None
    quote: Annotated[str | None, Parameter(help="what encloses cells of the file")] = None
    dates: Annotated[str | None, Parameter(help="which comes first: day/month or month/day")] = None


@with_flags
def data(
    source: Annotated[
        str | None,
        Parameter(
            name="DATA",
            help="a built-in, or a file: CSV, Parquet, Arrow, JSON lines; without it: the built-ins",
        ),
    ] = None,
    /,
    *,
    target: Annotated[str | None, Parameter(help="column to predict")] = None,
    format: FileFormat,
    to: Annotated[str | None, Parameter(help="write a page with small pictures to this HTML file")] = None,
    replace: Replace = False,
    screen: ScreenFlag,
) -> int:
    """Say what is in DATA and what is wrong with it; alone: list the built-in data sets.

    Example: treino data wine | treino data houses.csv --target price
    """
    from treino.data import describe
    from treino.plots.data_page import data_page
    from treino.records.data_source import files_of, kinds_of, reading_of
    from treino.spec import read_settings

    settings = read_settings({k: v for k, v in asdict(format).items() if v is not None})
    if to is not None and source is None:
        raise TreinoError(
            "to_without_data", _("--to needs DATA to write about."), _("treino data wine --to wine.html")
        )
    output = output_file(to, PAGE, replace=replace, reads=files_of(source))
    document = describe(source, target, kinds=kinds_of(settings), reading=reading_of(settings))
    if output is not None:
        document["path"] = str(output.write(data_page(document).encode()))
        document["replaced"] = say_replaced(screen.err, output)
    screen.document(document)
    screen.out.print(_builtins(document) if source is None else _columns(document))
    if source is not None:
        _rest(document, screen)
    if to is not None:
        screen.out.print(_("page written to {path}").format(path=to))
    return 0


def _builtins(document: dict[str, Any]) -> Table:
    table = Table(box=None, pad_edge=False)
    for heading in (_("name"), _("rows"), _("features"), _("task"), _("about")):
        table.add_column(heading)
    for b in document["builtins"]:
        table.add_row(b["name"], numeral(b["rows"], ","), str(b["features"]), _(b["task"]), b["about"])
    return table


def _columns(document: dict[str, Any]) -> Table:
    table = Table(box=None, pad_edge=False)
    headings = [_("column"), _("kind"), _("missing"), _("distinct"), _("from"), _("to"), _("outliers")]
    related = any(c["correlation"] is not None for c in document["columns"])
    for heading in [*headings, *([_("with the target")] if related else [])]:
        table.add_column(heading)
    for c in document["columns"]:
        kind = c["kind"] + (_(" (left out)") if c["way"] == "out" else "")
        low, high = (_said(c[k]) for k in ("minimum", "maximum"))
        cells = [c["name"], kind, str(c["missing"]), str(c["unique"]), low, high, str(c["outliers"] or "")]
        if related:
            cells.append("" if c["correlation"] is None else numeral(c["correlation"], ".2f"))
        table.add_row(*cells)
    return table


def _said(value: float | str | None) -> str:
    return "" if value is None else value if isinstance(value, str) else numeral(value, ".6g")


def _rest(document: dict[str, Any], screen: ScreenFlag) -> None:
    screen.out.print()
    screen.out.print(_("{n} rows").format(n=document["rows"]))
    if document["target"] is not None:
        said = _("target {target}: {task}").format(target=document["target"], task=_(document["task"]))
        counts = [f"{c} {n}" for c, n in zip(document["classes"], document["class_rows"], strict=True)]
        listed = ", ".join(counts[:SHOWN_CLASSES]) + (", …" if len(counts) > SHOWN_CLASSES else "")
        screen.out.print(said + (f" ({listed})" if counts else ""))
    elif document["likely_targets"]:
        names = ", ".join(document["likely_targets"])
        screen.out.print(_("no target yet: --target with one of {names}?").format(names=names))
    for note in document["notes"]:
        screen.out.print(note)
    for warning in document["warnings"]:
        screen.out.print(line(("! ", "yellow"), f"{warning['message']} {warning.get('hint', '')}".rstrip()))
