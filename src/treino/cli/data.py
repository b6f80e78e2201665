"""``treino data``: describe a data set and its problems, without training."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter
from rich.table import Table

from treino.base.console import line
from treino.base.errors import Refusal
from treino.base.words import N_, _, numeral
from treino.cli.flags import ScreenFlag, with_flags
from treino.cli.screen import Replace, output_file, say_replaced
from treino.folders.store.output_files import PAGE, PNG

if TYPE_CHECKING:
    from treino.data.builtins import Builtin
    from treino.data.summaries.description import TableDescription
    from treino.data.summaries.image_description import ImagesDescription

TO_WITHOUT_DATA = Refusal(
    "to_without_data", N_("--to needs DATA to write about."), N_("treino data wine --to wine.html")
)
SHEET_OF_TABLE = Refusal(
    "sheet_of_table",
    N_("A contact sheet is of images, and {name} is a table."),
    N_("Let the name end in {ending}: {path}"),
)

SHOWN_CLASSES = 20
SHOWN_NAMES = 20  # files that are named at a place; of those that can't be read, all
RUNS = Path("runs")


@dataclass(frozen=True)
class FileFormat:
    """How the file is written and what its columns hold, if detection fails."""

    kinds: Annotated[
        str | None, Parameter(help="what columns are: month=category,size=small<large,note=out")
    ] = None
    delimiter: Annotated[str | None, Parameter(help="what separates the cells of the file")] = None
    decimal: Annotated[str | None, Parameter(help="decimal sign of the file, point or comma")] = None
    encoding: Annotated[str | None, Parameter(help="encoding of the file")] = None
    header: Annotated[str | None, Parameter(help="whether the first line names the columns: yes, no")] = None
    skip: Annotated[int | None, Parameter(help="number of lines above the header")] = None
    quote: Annotated[str | None, Parameter(help="what encloses cells of the file")] = None
    dates: Annotated[
        str | None, Parameter(help="order of dates: day/month, month/day, year/month/day, year/day/month")
    ] = None
    missing: Annotated[str | None, Parameter(help="words for no value: suppressed,-999")] = None
    sheet: Annotated[str | None, Parameter(help="sheet of a workbook: its name, or its number from 1")] = None


@dataclass(frozen=True)
class SplitColumns:
    """The column that decides the split, if any; it is then not a feature."""

    split_group: Annotated[
        str | None,
        Parameter(help="column, or a pattern in photographs' names, whose groups are never parted"),
    ] = None
    split_time: Annotated[
        str | None, Parameter(help="column of times: the earliest rows, or groups, train, the latest test")
    ] = None
    split_column: Annotated[
        str | None, Parameter(help="column that says of each row: train, validation or test")
    ] = None


@dataclass(frozen=True)
class Photographs:
    """What photographs are labelled by, and how they are brought to one size, as for training."""

    image_size: Annotated[
        str | None, Parameter(help="pixels that photographs are brought to: 64, or width x height, 96x64")
    ] = None
    fit: Annotated[str | None, Parameter(help="how, if their proportions differ: crop, pad or stretch")] = (
        None
    )
    labels: Annotated[
        str | None, Parameter(help="table of photographs' names and labels, if it isn't the only one there")
    ] = None
    class_pattern: Annotated[
        str | None, Parameter(help=r"regular expression whose group is the class in a name: '(\w+)-\d+'")
    ] = None


@with_flags
def data(
    source: Annotated[
        str | None,
        Parameter(
            name="DATA",
            help="a built-in, a file (CSV, Parquet, Arrow, JSON lines, workbook), or a folder or archive of"
            " photographs; alone: the built-ins",
        ),
    ] = None,
    /,
    *,
    target: Annotated[str | None, Parameter(help="column to predict")] = None,
    row_weights: Annotated[
        str | None, Parameter(help="column that says how much each row counts, as for training")
    ] = None,
    format: FileFormat,
    split: SplitColumns,
    photographs: Photographs,
    to: Annotated[
        str | None,
        Parameter(
            help="write a page with small pictures to this HTML file, of images also a contact sheet (PNG)"
        ),
    ] = None,
    replace: Replace = False,
    screen: ScreenFlag,
) -> int:
    """Say what is in DATA and what is wrong with it; alone: list the built-in data sets.

    Example: treino data wine | treino data houses.csv --target price | treino data mnist --to mnist.png
    """
    from treino.data import BUILTINS, describe
    from treino.folders.data_source import kinds_of, prepared_beside, read_from, reading_of
    from treino.plots.data_page import contact_sheet, data_page
    from treino.settings.spec import read_settings

    options = asdict(format) | asdict(split) | asdict(photographs) | {"row_weights": row_weights}
    settings = read_settings({k: v for k, v in options.items() if v is not None})
    of_photographs = settings.model_dump(include=set(asdict(photographs)), exclude_unset=True)
    if to is not None and source is None:
        raise TO_WITHOUT_DATA()
    output = output_file(to, (*PAGE, *PNG), replace=replace, reads=read_from(source))
    if source is None:
        screen.document({"builtins": [_builtin(name, b) for name, b in BUILTINS.items()]})
        screen.out.print(_builtins(BUILTINS))
        return 0
    table = describe(
        source,
        target,
        kinds=kinds_of(settings),
        reading=reading_of(settings),
        **asdict(split),
        row_weights=settings.row_weights,
        cache=prepared_beside(RUNS) if RUNS.is_dir() else None,
        **of_photographs,
    )
    document = table.to_json()
    if output is not None:
        if output.path.suffix.lower() not in PNG:
            content = data_page(table).encode()
        elif table.images is not None:
            content = contact_sheet(table.name, table.images)
        else:
            raise SHEET_OF_TABLE(name=table.name, ending=PAGE[0], path=output.path.with_suffix(PAGE[0]))
        document["path"] = str(output.write(content))
        document["replaced"] = say_replaced(screen.err, output)
    screen.document(document)
    if table.images is None:
        screen.out.print(_columns(table))
    else:
        screen.out.print(_lines(("", ""), table.images.facts(), headed=False))
        screen.out.print()
        head, lines = table.images.count_table()
        screen.out.print(_lines(head, [cells for cells, _first in lines]))
        _named(table.images, screen)
    _rest(table, screen)
    if to is not None:
        screen.out.print(_("written to {path}").format(path=to))
    return 0


def _builtin(name: str, b: "Builtin") -> dict[str, str | int]:
    return {"name": name, "rows": b.rows, "features": b.features, "task": b.task, "about": _(b.about)}


def _builtins(builtins: "Mapping[str, Builtin]") -> Table:
    lines = Table(box=None, pad_edge=False)
    for heading in (_("name"), _("rows"), _("features"), _("task"), _("about")):
        lines.add_column(heading)
    for name, b in builtins.items():
        lines.add_row(name, numeral(b.rows, ","), str(b.features), _(b.task), _(b.about))
    return lines


def _lines(head: Sequence[str], rows: Sequence[Sequence[str]], headed: bool = True) -> Table:
    lines = Table(box=None, pad_edge=False, show_header=headed)
    for number, heading in enumerate(head):
        lines.add_column(heading, justify="right" if number and headed else "left")
    for row in rows:
        lines.add_row(*row)
    return lines


def _columns(table: "TableDescription") -> Table:
    lines = Table(box=None, pad_edge=False)
    headings = [_("column"), _("kind"), _("missing"), _("distinct"), _("from"), _("to"), _("outliers")]
    related = any(c.correlation is not None for c in table.columns)
    for heading in [*headings, *([_("with the target")] if related else [])]:
        lines.add_column(heading)
    for c in table.columns:
        kind = c.kind + (_(" (left out)") if c.way == "out" else "")
        low, high = _cell(c.minimum), _cell(c.maximum)
        cells = [c.name, kind, str(c.missing), str(c.unique), low, high, str(c.outliers or "")]
        if related:
            cells.append("" if c.correlation is None else numeral(c.correlation, ".2f"))
        lines.add_row(*cells)
    return lines


def _cell(value: float | str | None) -> str:
    return "" if value is None else value if isinstance(value, str) else numeral(value, ".6g")


def _named(images: "ImagesDescription", screen: ScreenFlag) -> None:
    """Name the files that are to be looked at; all of those that can't be read."""
    for heading, lines in images.named():
        screen.out.print()
        screen.out.print(line((heading, "bold")))
        for text in lines[:SHOWN_NAMES]:
            screen.out.print(line(f"  {text}"), soft_wrap=True)
        if (more := len(lines) - SHOWN_NAMES) > 0:
            screen.out.print(_("  and {n:,} more; all of them: --json").format(n=more))


def _rest(table: "TableDescription", screen: ScreenFlag) -> None:
    target = table.target
    screen.out.print()
    screen.out.print(_("{n} rows").format(n=table.rows))
    if target.name is not None:
        text = _("target {target}: {task}").format(target=target.name, task=_(str(target.task)))
        counted = () if table.images is not None else target.class_rows  # in count_table() already
        counts = [f"{c} {n}" for c, n in zip(target.classes, counted, strict=False)]
        listed = ", ".join(counts[:SHOWN_CLASSES]) + (", …" if len(counts) > SHOWN_CLASSES else "")
        screen.out.print(text + (f" ({listed})" if counts else ""))
    elif table.likely_targets:
        names = ", ".join(table.likely_targets)
        screen.out.print(_("no target yet: --target with one of {names}?").format(names=names))
    for note in table.notes:
        screen.out.print(note)
    for warning in table.warnings:
        screen.out.print(line(("! ", "yellow"), f"{warning.message} {warning.hint}".rstrip()))
