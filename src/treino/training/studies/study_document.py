"""The ``study`` document: a row for each setting and mode, computed from its networks; and its table."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from statistics import median
from typing import Any

from treino.base.words import _, numeral
from treino.engine.metrics import METRICS, metric_name
from treino.folders.documents.sweep import (
    StudyCell,
    StudyFacts,
    StudyPlan,
    StudyResult,
    StudyRow,
    StudyRowFacts,
)
from treino.folders.store import RunFolder
from treino.folders.stored_folder import as_typed, try_or_note
from treino.inspection.curves import deviation_of, epochs_to_goal, floor_twice, half, mean_of, median_of
from treino.inspection.intervals import wilson
from treino.training.resolution import resolved_settings, with_net
from treino.training.studies.conclusions import MILLISECONDS_BELOW, answers, mode_name, notes, seconds_text
from treino.training.studies.study_options import NET, read, value_text
from treino.training.studies.track import Record, Track

SOFTMAX = "softmax_before_cross_entropy"
ROW_SETTINGS = (
    "batch_size",
    "lr",
    "weight_decay",
    "optimizer",
    "shuffle",
    "normalise",
    "fault",
    "engine",
    "threads",
)
"""Settings that every row lists."""
HEADLINE = {"classification": "accuracy", "regression": "r2"}


def row_facts(options: StudyPlan, cell: StudyCell, track: Track, source: str, device: str) -> StudyRowFacts:
    """The facts of a row that are known before its first step. device: the device of its training."""
    training, data = track.training, track.data
    settings = with_net(read(cell, options.base, options.seeds[0]), data, NET)
    names = dict.fromkeys(name for each in options.cells for name in each.own)
    s = resolved_settings(settings, data, track.group.net, training)
    typed = settings.model_dump(mode="json", include=settings.model_fields_set - {"name", "out"})
    facts = {name: s[name] for name in ROW_SETTINGS} | {
        "mode": cell.mode,
        "own": {name: s[name] for name in cell.own},
        "settings": {name: s[name] for name in names},
        "processor_timed": device == "cpu" and not training.plan.evaluates,
        "parameters": training.parameters,
        "updates_per_epoch": training.steps_per_epoch,
        "loss_floor": floor_twice(len(data.classes)) if _floored(s) else None,
        "command": as_typed(source, typed),
    }
    return StudyRowFacts.model_validate(facts)


def row(known: StudyRowFacts, records: Sequence[Record], options: StudyPlan, facts: StudyFacts) -> StudyRow:
    """A row of the document. known: the row's facts before its first step. facts: facts of the whole
    study."""
    losses, deviations = [r.loss for r in records], [r.loss_std for r in records]
    loss = mean_of(losses)
    metrics = {name: mean_of([r.metrics[name] for r in records]) for name in _names(records)}
    values = known.to_json() | _seconds(records, known.processor_timed)
    values |= {"epochs": len(loss), "status": _status(records)}
    epochs_to = {"loss": None} | {
        name: [_epochs_to_goal(r, name, options) for r in records] for name in options.until
    }
    for name, of in epochs_to.items():
        values[f"epochs_to_{name}"] = None if of is None else half(of)
    seconds = values["seconds_per_epoch"]
    for name in options.until:
        epoch = values[f"epochs_to_{name}"]
        values[f"seconds_to_{name}"] = None if epoch is None or seconds is None else epoch * seconds
    values |= {"loss": loss, "loss_std": deviation_of(losses, deviations)}
    values |= {("measured_loss" if name == "loss" else name): of for name, of in metrics.items()}
    if facts.metric == "accuracy":
        values["accuracy_interval"] = _interval(metrics.get("accuracy", []), facts)
    values["seeds"] = [
        {
            "seed": seed,
            "status": r.status,
            "steps": r.steps,
            **{f"epochs_to_{name}": _epochs_to_goal(r, name, options) for name in options.until},
            "loss": r.loss,
            "loss_std": r.loss_std,
            "epoch_seconds": r.seconds,
            "epoch_processor_seconds": r.processor,
            "warm_up_epochs": r.cold,
            **({"processors": r.processors} if r.processors else {}),
            facts.metric: r.metrics.get(facts.metric, []),
        }
        for seed, r in zip(options.seeds, records, strict=True)
    ]
    return StudyRow.model_validate(values)


def varied_settings(rows: Sequence[StudyRowFacts]) -> list[str]:
    """The settings that differ between rows, among the settings that at least one row sets itself."""
    return [name for name in rows[0].settings if len({str(row.settings[name]) for row in rows}) > 1]


def _seconds(records: Sequence[Record], alone: bool) -> dict[str, Any]:
    """Times of a row. alone: the training didn't evaluate, so that processor time is of training only."""
    warm = [s for r in records for s in r.warm(r.seconds)]
    pace = median_of(warm or [s for r in records for s in r.seconds])
    worked = [s for r in records for s in (r.warm(r.processor) or r.processor)] if alone else []
    return {
        "seconds_per_epoch": None if pace is None else pace.value,
        "seconds_interval": None if pace is None or pace.low is None else [pace.low, pace.high],
        "seconds_coverage": None if pace is None else pace.coverage,
        "processor_seconds_per_epoch": median(worked) if worked else None,
        "timed_epochs": len(warm),
    }


def _names(records: Sequence[Record]) -> list[str]:
    return [n for n in records[0].metrics if all(n in r.metrics for r in records)]


def _epochs_to_goal(record: Record, metric: str, options: StudyPlan) -> int | None:
    values = record.loss if metric == "loss" else record.metrics.get(metric, [])
    return epochs_to_goal(values, options.until[metric], METRICS[metric].better)


def _status(records: Sequence[Record]) -> str:
    statuses = {r.status for r in records}
    order = ("running", "diverged", "stopped", "finished")
    return next(status for status in order if status in statuses)


def _interval(accuracy: Sequence[float | None], facts: StudyFacts) -> list[float] | None:
    last, rows, effective = accuracy[-1] if accuracy else None, facts.measured_rows, facts.effective_rows
    if last is None or not rows:
        return None
    return list(
        wilson(round(last * rows), rows) if effective is None else wilson(last * effective, effective)
    )


def _floored(s: Mapping[str, Any]) -> bool:
    plain = not s["label_smoothing"] and s["class_weights"] is None
    return SOFTMAX in s["fault"] and s["loss"] == "cross_entropy" and plain


def study_result(
    folder: RunFolder, options: StudyPlan, facts: StudyFacts, records: Sequence[Record], status: str
) -> StudyResult:
    """The rows and conclusions of the records so far.

    records: the records of every network, ordered by row, then seed.
    """
    many = len(options.seeds)
    rows = [
        row(of, records[number * many : (number + 1) * many], options, facts)
        for number, of in enumerate(facts.rows)
    ]
    rows = [r.model_copy(update={"status": status}) if r.status == "running" else r for r in rows]
    failures = list(dict.fromkeys(note for record in records for note in record.notes))
    what, instead = _("Comparing the settings"), _("Their figures are there.")
    sentences, warned = (
        try_or_note(failures, what, instead, partial(of, rows, facts, options.until))
        for of in (answers, notes)
    )
    head = {"study": folder.path.name, "path": str(folder.path), "status": status, "kind": "study"}
    values = {
        "seconds": sum(sum(r.seconds) for r in records),
        "steps": sum(r.steps for r in records),
        "rows": rows,
        "answers": sentences or [],
        "notes": [*(warned or []), *failures],
    }
    return StudyResult.model_validate(facts.to_json() | head | values)


def table_of(result: StudyResult, narrow: bool = False) -> tuple[list[str], list[list[str]]]:
    """The table's headings, and a list of cells for each row. narrow: omit intervals and updates."""
    names = result.varied or ["batch_size"]
    columns = {("batch" if name == "batch_size" else name): _setting_cell(name) for name in names}
    if len(result.modes) > 1:
        columns[_("mode")] = lambda row: mode_name(row.mode)
    columns[_("s/epoch")] = lambda row: seconds_text(row.seconds_per_epoch)
    if not narrow:
        columns[_("interval")] = lambda row: _seconds_span(row.seconds_interval)
        columns[_("updates")] = lambda row: numeral(row.updates_per_epoch, ",")
    for metric, figure in result.until.items():
        goal = f"{metric_name(metric)} {'<' if METRICS[metric].better < 0 else '≥'} {numeral(figure, 'g')}"
        columns[_("epochs to {goal}").format(goal=goal)] = _epochs_cell(metric)
    columns[_("loss first → last")] = _first_and_last_loss
    columns[metric_name(result.metric)] = lambda row: _last_figure(row, result.metric, narrow)
    if any(row.status != "finished" for row in result.rows):
        columns[_("status")] = lambda row: _(row.status)
    return list(columns), [[cell(row) for cell in columns.values()] for row in result.rows]


def _setting_cell(name: str) -> Callable[[StudyRow], str]:
    return lambda row: value_text(row.settings.get(name, getattr(row, name, None)))


def _epochs_cell(metric: str) -> Callable[[StudyRow], str]:
    return lambda row: _("never") if (e := row.epochs_to(metric)) is None else str(e)


def _first_and_last_loss(row: StudyRow) -> str:
    ends = [row.loss[0], row.loss[-1]] if row.loss else [None]
    return " → ".join("–" if v is None else numeral(v) for v in ends)


def _last_figure(row: StudyRow, metric: str, narrow: bool) -> str:
    figure, bounds = row.last(metric), row.accuracy_interval
    span = " [{}, {}]".format(*(numeral(b, ".3f") for b in bounds)) if bounds and not narrow else ""
    return "–" if figure is None else numeral(figure, ".3f") + span


def _seconds_span(interval: tuple[float, float] | None) -> str:
    """An interval with both times in the unit of the larger: 2.31 – 4.5 s."""
    if interval is None:
        return "–"
    low, high = interval
    unit = 1.0 if high >= MILLISECONDS_BELOW else 1000.0
    return f"{numeral(low * unit, '.3g')} – {seconds_text(high)}"
