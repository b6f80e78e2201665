"""``treino predict``: a run's predictions for new rows or pictures."""

from collections.abc import Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter
from rich.table import Table

from treino.base.console import table
from treino.base.option_marks import PLAIN
from treino.base.words import _, numeral
from treino.cli.flags import DATA, WHOLE, Net, RunName, ScreenFlag, Switch, ToFile, Trust, Whole, Words
from treino.cli.screen import Replace, Screen, output_file, say_replaced
from treino.folders.access import Access
from treino.folders.store.output_files import CSV
from treino.settings.setting_types import as_item
from treino.settings.spec import read_settings

if TYPE_CHECKING:
    from treino.folders.prediction import Prediction, Predictions
    from treino.inspection.conformal import Coverage

NewRows = Annotated[
    str,
    Parameter(name="DATA", help="a file with the same columns, pictures (a folder, a file), or a built-in"),
    DATA,
]
SHOWN = 10
NOTHING = "–"


def predict(
    run: RunName,
    source: NewRows,
    /,
    *,
    to: Annotated[
        ToFile,
        Parameter(
            help="write the rows with their predictions to this .csv or .xlsx file; of pictures, a contact "
            "sheet to this .png or .html file"
        ),
    ] = None,
    copy_to: Annotated[
        ToFile, Parameter(help="copy each picture into the folder of its class in this folder")
    ] = None,
    coverage: Annotated[
        Words,
        Parameter(help="the share of new rows whose truth lies in its interval, or its set of classes: 0.8"),
    ] = None,
    tta: Annotated[
        Switch, Parameter(help="average over views of each picture that are shifted a little")
    ] = False,
    skip_bad: Annotated[
        int, WHOLE, Parameter(help="go on without so many pictures that can't be read, at most"), PLAIN
    ] = 0,
    replace: Replace = False,
    judged: Annotated[
        Switch, Parameter(help="with the network that the run's figures are of, not with its refit")
    ] = False,
    top: Annotated[
        Whole,
        Parameter(
            help="of a sweep: so many of the best answer together; default: the winner, or those chosen"
        ),
    ] = None,
    net: Net = None,
    trust: Trust = False,
    screen: ScreenFlag,
) -> int:
    """Predict the rows of DATA with the network of RUN, with probabilities.

    Where DATA has the target's column, the figures on it are shown too; of pictures, where folders bear the
    names of the classes.

    Examples: treino predict last new.csv --to predictions.csv |
    treino predict last photos --to sheet.html --copy-to sorted
    """
    from treino.folders import prediction
    from treino.folders.data_source import files_of, files_trained_on
    from treino.folders.prediction_copies import copies_folder, copy_pictures, refuse_inside
    from treino.folders.prediction_files import WORKBOOK, predictions_file
    from treino.reports.prediction_sheet import SHEETS, check_sheet, prediction_sheet
    from treino.training.stored_results import predicting

    level = read_settings({"coverage": coverage}).coverage
    opened = predicting(run, Access(net, trust), top)
    opened = opened.as_judged() if judged else opened
    reads = [*files_of(source), *files_trained_on(opened.folder)]
    output = output_file(to, (*CSV, WORKBOOK, *SHEETS), replace=replace, reads=reads)
    ending = Path(to or "").suffix.lower()
    if ending in SHEETS:
        check_sheet(opened)
    if to is not None:
        refuse_inside(to, Path(source))
    copies = None if copy_to is None else copies_folder(opened, copy_to, source)
    result = prediction.predict(opened, source, coverage=level, tta=tta, skip_bad=skip_bad)
    document = result.to_json() | {"path": to}
    copied = ""
    if copies is not None:
        document["copies"] = n = copy_pictures(result.each, opened.spec.classes, source, copies)
        copied = _("{n:,} pictures copied to {path}, into a folder for each class").format(n=n, path=copy_to)
    if output is not None and ending in SHEETS:
        output.write(prediction_sheet(opened, source, result, ending))
    elif output is not None:
        output.write(predictions_file(source, prediction.reading_of(opened), result.each, ending))
        del document["predictions"]
    document["replaced"] = say_replaced(screen.err, output)
    screen.document(document)
    _show(screen, result, to, copied, as_sheet=ending in SHEETS)
    return 0


def _show(screen: Screen, result: "Predictions", to: str | None, copied: str, *, as_sheet: bool) -> None:
    """Print the notes; the first predictions, or where all were written; how far intervals and sets can be
    trusted; and the figures on known targets."""
    for sentence in filter(None, (*result.notes, copied)):
        screen.out.print(sentence)
    pictures = any(p.file for p in result.each)
    if to is None:
        screen.out.print(_table(result.each[:SHOWN], pictures, result.coverage))
        if len(result.each) > SHOWN:
            more = _("… and {n} more; write them with --to FILE.csv")
            screen.out.print(more.format(n=len(result.each) - SHOWN))
    elif as_sheet:
        screen.out.print(_("contact sheet written to {path}").format(path=to))
    else:
        screen.out.print(_("{n} predictions written to {path}").format(n=len(result.each), path=to))
    for name, worth in result.coverage.items():
        for sentence in worth.sentences():
            screen.out.print((f"{name}: " if name else "") + sentence)
    if (comparison := result.comparison) is not None:
        known = _("against the labels: {figures}") if pictures else _("against the target column: {figures}")
        for name, figures in (comparison.targets or {"": comparison.metrics}).items():
            screen.out.print((f"{name}: " if name else "") + known.format(figures=_in_words(figures)))
        if seen := comparison.sentence(_in_words(comparison.other_metrics or {})):
            screen.out.print(seen)


def _table(each: "Sequence[Prediction]", pictures: bool, coverage: "Mapping[str, Coverage]") -> Table:
    sets = {name for name, worth in coverage.items() if worth.classes}
    headings = [_("file") if pictures else _("row")]
    for name in each[0].by_target if each else ():
        own, worth = [p.by_target[name] for p in each], coverage.get(name)
        headings.append(name or _("prediction"))
        if not any(p.interval for p in own):
            headings.append(_("probability"))
        if worth is not None:
            heading = _("{level:.6g} % set") if worth.classes else _("{level:.6g} % interval")
            headings.append(heading.format(level=100 * worth.level))
        headings += own[0].further
    rows = []
    for p in each:
        cells = (_cells(own, sets=name in sets) for name, own in p.by_target.items())
        rows.append([p.file or str(p.row), *chain(*cells)])
    return table(headings, rows, left=range(0 if pictures else 1, len(headings)))


def _cells(p: "Prediction", *, sets: bool) -> list[str]:
    """The predicted value, and its probability or interval; its prediction set, if there are sets."""
    value, share = p.value, ""
    if isinstance(value, str) and p.probabilities is not None:
        share = numeral(p.probabilities[value], ".3f")
    if p.interval is not None:
        share = " – ".join(numeral(end, ".6g") for end in p.interval)
    cell = value if isinstance(value, str) else NOTHING if value is None else numeral(value, ".6g")
    further = [NOTHING if v is None else numeral(v, ".6g") for v in p.further.values()]
    return [cell, share, *([", ".join(map(as_item, p.class_set or ()))] if sets else []), *further]


def _in_words(metrics: dict[str, float | None]) -> str:
    return ", ".join(f"{k} {NOTHING if v is None else numeral(v)}" for k, v in metrics.items())
