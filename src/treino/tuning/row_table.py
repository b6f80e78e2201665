"""The table of a study's rows: headings and cells, for the terminal and the notebook."""

from collections.abc import Callable
from typing import Any

from treino.documents.study_result import StudyResult, StudyRow
from treino.engine.metrics import METRICS
from treino.plots.style import metric_name
from treino.tuning.conclusions import MILLISECONDS_BELOW, mode_name, seconds_text
from treino.words import _, numeral


def table_of(result: StudyResult, narrow: bool = False) -> tuple[list[str], list[list[str]]]:
    """The headings, and a list of cells for each row. narrow: without intervals and updates."""
    names = result.varied or ["batch_size"]
    columns = {("batch" if name == "batch_size" else name): _own(name) for name in names}
    if len(result.modes) > 1:
        columns[_("mode")] = lambda row: mode_name(row.mode)
    columns[_("s/epoch")] = lambda row: seconds_text(row.seconds_per_epoch)
    if not narrow:
        columns[_("interval")] = lambda row: _span(row.seconds_interval)
        columns[_("updates")] = lambda row: numeral(row.updates_per_epoch, ",")
    for metric, figure in result.until.items():
        goal = f"{metric_name(metric)} {'<' if METRICS[metric].better < 0 else '≥'} {numeral(figure, 'g')}"
        columns[_("epochs to {goal}").format(goal=goal)] = _epochs(metric)
    columns[_("loss first → last")] = _losses
    columns[metric_name(result.metric)] = lambda row: _end(row, result.metric, narrow)
    if any(row.status != "finished" for row in result.rows):
        columns[_("status")] = lambda row: _(row.status)
    return list(columns), [[cell(row) for cell in columns.values()] for row in result.rows]


def _own(name: str) -> Callable[[StudyRow], str]:
    return lambda row: _cell(row.settings.get(name, getattr(row, name, None)))


def _epochs(metric: str) -> Callable[[StudyRow], str]:
    return lambda row: _("never") if (e := row.epochs_to(metric)) is None else str(e)


def _losses(row: StudyRow) -> str:
    ends = [row.loss[0], row.loss[-1]] if row.loss else [None]
    return " → ".join("–" if v is None else numeral(v) for v in ends)


def _end(row: StudyRow, metric: str, narrow: bool) -> str:
    figure, bounds = row.last(metric), row.accuracy_interval
    span = " [{}, {}]".format(*(numeral(b, ".3f") for b in bounds)) if bounds and not narrow else ""
    return "–" if figure is None else numeral(figure, ".3f") + span


def _span(interval: tuple[float, float] | None) -> str:
    """Both in the unit of the larger: 2.31 – 4.5 s."""
    if interval is None:
        return "–"
    low, high = interval
    unit = 1.0 if high >= MILLISECONDS_BELOW else 1000.0
    return f"{numeral(low * unit, '.3g')} – {seconds_text(high)}"


def _cell(value: Any) -> str:
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, (list, tuple)):
        return ",".join(map(str, value)) or _("none")
    return "–" if value is None else f"{value:g}" if isinstance(value, float) else str(value)
