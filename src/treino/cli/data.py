"""``treino data``: describe a data set and its problems, without training."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter
from rich.console import Group

from treino.base.apps import names_of_packages
from treino.base.console import line, table
from treino.base.errors import Refusal
from treino.base.words import N_, _, flag, numeral
from treino.cli.flags import DATA, FromFile, ScreenFlag, ToFile, Words, given, with_settings
from treino.cli.screen import Replace, output_file, say_replaced
from treino.folders.access import Access
from treino.folders.store.output_files import PAGE, PNG
from treino.settings.data_settings import ALBUM, OF_FORMAT, READERS
from treino.settings.spec import read_settings

if TYPE_CHECKING:
    from treino.inspection.drift import ColumnDrift

LEAST_CHANCE = 0.001  # smaller ones are said to be below it: tests of many rows round them to 0

TO_WITHOUT_DATA = Refusal("--to needs DATA to write about.", "treino data wine --to wine.html")
LIKE_WITHOUT_DATA = Refusal("--like needs DATA to compare.", "treino data new.csv --like last")
LIKE_AND_MORE = Refusal(
    "--like compares by the settings of the run, and {name} stands beside it.", "Leave it out."
)
SHEET_OF_TABLE = Refusal(
    "A contact sheet is of images, and {name} is a table.", "Let the name end in {ending}: {path}"
)

DRIFT_STATES = {"missing": N_("missing here"), "not used": N_("not used"), "other kind": N_("other kind")}
RUNS = Path("runs")
SPLIT = "split_group", "split_time", "split_column"
OF_PICTURES = (name for name, readers in READERS.items() if readers == ALBUM and name != "skip_bad")
SETTINGS = ("row_weights", "kinds", *OF_FORMAT, *SPLIT, *OF_PICTURES)


@with_settings(SETTINGS)
def data(
    source: Annotated[
        str | None,
        Parameter(
            name="DATA",
            help="a built-in, a file (CSV, Parquet, Arrow, JSON lines, workbook), or a folder or archive of"
            " photographs; alone: the built-ins",
        ),
        DATA,
    ] = None,
    /,
    *,
    target: Annotated[Words, Parameter(help="column to predict")] = None,
    to: Annotated[
        ToFile,
        Parameter(
            help="write a page with small pictures to this HTML file, of images also a contact sheet (PNG)"
        ),
    ] = None,
    replace: Replace = False,
    like: Annotated[
        FromFile,
        Parameter(help="compare the columns with those that this run was trained on, e.g. last month's"),
    ] = None,
    screen: ScreenFlag,
    **flags: Any,
) -> int:
    """Say what is in DATA and what is wrong with it; alone: list the built-in data sets.

    Example: treino data wine | treino data houses.csv --target price | treino data mnist --to mnist.png |
    treino data march.csv --like houses-1
    """
    if like is not None:
        return _like(like, source, {"target": target, "to": to} | given(flags), screen)
    from treino.cli.block_view import shown
    from treino.data import BUILTINS, describe
    from treino.folders.data_source import prepared_beside, read_from
    from treino.plots.data_page import contact_sheet, data_page, data_sections, said_of

    settings = read_settings(given(flags))
    if to is not None and source is None:
        raise TO_WITHOUT_DATA()
    output = output_file(to, (*PAGE, *PNG), replace=replace, reads=read_from(source))
    if source is None:
        facts = [(name, b.rows, b.features, b.task, _(b.about)) for name, b in BUILTINS.items()]
        keys, brought = ("name", "rows", "features", "task", "about"), names_of_packages("data")
        each = [dict(zip(keys, fact, strict=True)) for fact in facts]
        screen.document({"builtins": each, "packages": brought})
        headings = _("name"), _("rows"), _("features"), _("task"), _("about")
        cells = ((n, numeral(rows, ","), str(d), _(task), about) for n, rows, d, task, about in facts)
        screen.out.print(table(headings, cells))
        for name, package in brought.items():
            screen.out.print(_("{name}: of the package {package}").format(name=name, package=package))
        return 0
    described = describe(
        source,
        target,
        cache=prepared_beside(RUNS) if RUNS.is_dir() else None,
        **settings.explicit,
    )
    document = described.to_json()
    if output is not None:
        if output.path.suffix.lower() not in PNG:
            content = data_page(described).encode()
        elif described.images is not None:
            content = contact_sheet(described.name, described.images)
        else:
            raise SHEET_OF_TABLE(name=described.name, ending=PAGE[0], path=output.path.with_suffix(PAGE[0]))
        document["path"] = str(output.write(content))
        document["replaced"] = say_replaced(screen.err, output)
    screen.document(document)
    first, *others = data_sections(described, drawn=False)
    for section in others:
        screen.out.print(Group(*shown(section.blocks), ""))
    screen.out.print(Group(said_of(described), *shown(first.blocks)))
    if to is not None:
        screen.out.print(_("written to {path}").format(path=to))
    return 0


def _like(like: str, source: str | None, others: Mapping[str, Any], screen: ScreenFlag) -> int:
    """Say how the rows differ from those that a run was trained on."""
    from treino.folders.prediction import drift_of
    from treino.training.stored_results import predicting

    if source is None:
        raise LIKE_WITHOUT_DATA()
    for name, value in others.items():
        if value is not None:
            raise LIKE_AND_MORE(name=flag(name))
    found = drift_of(predicting(like, Access()), source)
    screen.document(found.to_json())
    headings = _("column"), _("there"), _("here"), _("shift"), _("chance"), _("missing"), _("outside")
    rows = [_drift_cells(column) for column in found.columns]
    screen.out.print(table(headings, rows))
    screen.out.print()
    counts = {"rows": found.rows, "there": found.rows_there, "run": found.like}
    screen.out.print(_("{rows:,} rows, beside {there:,} training rows of {run}").format(**counts))
    screen.out.print(found.sentence())
    return 0


def _drift_cells(one: "ColumnDrift") -> list[Any]:
    """The cells of a column's line; bold where it moved, or where predicting would be refused."""
    name = _("{name} (target)").format(name=one.column) if one.target else one.column
    if one.state != "compared":
        return [line((name, "bold")), _(DRIFT_STATES[one.state]), "", "", "", "", one.outside]
    there, here = (_drift_value(value, one.of) for value in (one.there, one.here))
    shift = "" if one.shift is None else numeral(one.shift, ".0%")
    chance = "" if one.chance is None else numeral(max(one.chance, LEAST_CHANCE), ".3f")
    if one.chance is not None and one.chance < LEAST_CHANCE:
        chance = f"< {chance}"
    gaps = ""
    if one.missing or one.missing_there:
        gaps = f"{numeral(one.missing_there or 0.0, '.1%')} → {numeral(one.missing or 0.0, '.1%')}"
    name_cell = line((name, "bold")) if one.moved else name
    return [name_cell, there, here, shift, chance, gaps, one.outside]


def _drift_value(value: "float | str | None", of: str | None) -> str:
    """The median of numbers or dates; of classes the share of one."""
    if of is not None and isinstance(value, float):
        return f"{of} {numeral(value, '.1%')}"
    return numeral(value, ".6g") if isinstance(value, float) else value or ""
