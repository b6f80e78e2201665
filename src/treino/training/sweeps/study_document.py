"""The ``study`` document: a row for each setting and mode, computed from its networks."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import partial
from operator import attrgetter
from statistics import median
from typing import Any

from treino.base.words import _, capitalised, joined, numeral
from treino.engine.metrics import METRICS, metric_name
from treino.folders.documents.sweep import (
    NetworkEpochs,
    NetworkRecord,
    StudyFacts,
    StudyResult,
    StudyRow,
    StudyRowFacts,
)
from treino.folders.store import RunFolder
from treino.folders.stored_folder import try_or_note
from treino.inspection.curves import (
    deviation_of,
    epochs_to_goal,
    half,
    mean_of,
    median_of,
    ratio_of,
)
from treino.inspection.intervals import wilson
from treino.training.sweeps.study_options import CORRECTED, TAUGHT, value_text

HEADLINE = {"classification": "accuracy", "regression": "r2"}


def row(
    known: StudyRowFacts,
    records: Sequence[NetworkRecord],
    processors: Sequence[Sequence[str]],
    facts: StudyFacts,
) -> StudyRow:
    """A row of the document. known: the row's facts before its first step. processors: the kinds that trained
    each of its networks on a cluster. facts: facts of the whole study."""
    losses, deviations = [r.loss for r in records], [r.loss_std for r in records]
    loss = mean_of(losses)
    metrics = {
        name: mean_of([r.metrics[name] for r in records])
        for name in records[0].metrics
        if all(name in r.metrics for r in records)
    }
    values = known.to_json() | _seconds(records, known.processor_timed)
    order = ("running", "diverged", "stopped", "finished")
    values |= {"epochs": len(loss), "status": min((r.status for r in records), key=order.index)}
    goals = [{f"epochs_to_{name}": _epochs_to_goal(r, name, facts) for name in facts.until} for r in records]
    values |= {"epochs_to_loss": None} | {name: half([of[name] for of in goals]) for name in goals[0]}
    seconds = values["seconds_per_epoch"]
    for name in facts.until:
        epoch = values[f"epochs_to_{name}"]
        values[f"seconds_to_{name}"] = None if epoch is None or seconds is None else epoch * seconds
    values |= {"loss": loss, "loss_std": deviation_of(losses, deviations)}
    values |= {("measured_loss" if name == "loss" else name): of for name, of in metrics.items()}
    if facts.metric == "accuracy":
        last = [None, *metrics.get("accuracy", [])][-1]
        n, by_weight = facts.measured_rows, facts.effective_rows
        if last is None or not n:
            values["accuracy_interval"] = None
        else:
            whole = (round(last * n), n) if by_weight is None else (last * by_weight, by_weight)
            values["accuracy_interval"] = list(wilson(*whole))
    values["seeds"] = [
        {"seed": seed, facts.metric: [*r.metrics.get(facts.metric, ())]}
        | r.model_dump(include=set(NetworkEpochs.model_fields))
        | of
        | ({"processors": kinds} if kinds else {})
        for seed, r, of, kinds in zip(facts.seed_list, records, goals, processors, strict=True)
    ]
    return StudyRow.model_validate(values)


def varied_settings(rows: Sequence[StudyRowFacts]) -> list[str]:
    """The settings that differ between rows, among the settings that at least one row sets itself."""
    return [name for name in rows[0].settings if len({str(row.settings[name]) for row in rows}) > 1]


def _seconds(records: Sequence[NetworkRecord], alone: bool) -> dict[str, Any]:
    """Times of a row. alone: the training didn't evaluate, so that processor time is of training only."""
    warm = [*warm_times(records, "epoch_seconds").values()]
    pace = median_of(warm or [s for r in records for s in r.epoch_seconds])
    worked = [*warm_times(records, "epoch_processor_seconds").values()]
    worked = worked or [s for r in records for s in r.epoch_processor_seconds]
    return {
        "seconds_per_epoch": None if pace is None else pace.value,
        "seconds_interval": None if pace is None or pace.low is None else [pace.low, pace.high],
        "seconds_coverage": None if pace is None else pace.coverage,
        "processor_seconds_per_epoch": median(worked) if worked and alone else None,
        "timed_epochs": len(warm),
    }


def _epochs_to_goal(record: NetworkRecord, metric: str, facts: StudyFacts) -> int | None:
    values = record.loss if metric == "loss" else record.metrics.get(metric, ())
    return epochs_to_goal(values, facts.until[metric], METRICS[metric].better)


def study_result(
    folder: RunFolder,
    facts: StudyFacts,
    records: Sequence[NetworkRecord],
    processors: Mapping[str, Collection[int]],
    status: str,
) -> StudyResult:
    """The rows and conclusions of the records so far.

    records: the records of every network, ordered by row, then seed. processors: ``{kind of processor:
    networks trained on it}``, for clusters only.
    """
    many, rows = len(facts.seed_list), list[StudyRow]()
    kinds = [[kind for kind, those in processors.items() if n in those] for n in range(len(records))]
    for number, of in enumerate(facts.rows):
        its = slice(number * many, (number + 1) * many)
        rows.append(row(of, records[its], kinds[its], facts))
    rows = [r.model_copy(update={"status": status}) if r.status == "running" else r for r in rows]
    head = {"study": folder.path.name, "path": str(folder.path), "status": status, "kind": "study"}
    values = {
        "seconds": sum(sum(r.epoch_seconds) for r in records),
        "steps": sum(r.steps for r in records),
        "rows": rows,
        "answers": (),
        "notes": (),
    }
    study = StudyResult.model_validate(facts.to_json() | head | values)
    failures = list(dict.fromkeys(note for record in records for note in record.notes))
    what, instead = _("Comparing the settings"), _("Their figures are there.")
    said, warned = (try_or_note(failures, what, instead, partial(of, study)) or () for of in (answers, notes))
    return study.model_copy(update={"answers": tuple(said), "notes": (*warned, *failures)})


# ---- the conclusions: one sentence for each question

REVERSALS = 2  # maximum number of sentences of each kind
MILLISECONDS_BELOW = 0.1  # seconds; shorter times are given in ms
LISTED = 4  # maximum number of rows in a sentence


def mode_name(mode: str) -> str:
    """The display name of a mode."""
    return {
        CORRECTED: _("corrected"),
        TAUGHT: _("as taught"),
        "missing_zero_grad": _("no zero_grad"),
        "softmax_before_cross_entropy": _("softmax twice"),
    }[mode]


def setting_name(row: StudyRowFacts, varied: Iterable[str]) -> str:
    """A row's own settings as text, such as ``batch 5 (lr 1e-6)``."""
    texts = setting_texts(row, varied)
    if not texts:
        return _value_text("batch_size", row.batch_size)
    return joined([texts[0], " (", joined(texts[1:], ", "), ")"]) if len(texts) > 1 else texts[0]


def setting_texts(row: StudyRowFacts, varied: Iterable[str]) -> list[str]:
    """The row's own settings, each as text."""
    return [_value_text(name, row.own[name]) for name in varied if name in row.own]


def row_name(row: StudyRowFacts, facts: StudyFacts) -> str:
    """A row's settings as text; with its mode if the study has several."""
    name = setting_name(row, facts.varied)
    return joined([name, mode_name(row.mode)], ", ") if len(facts.modes) > 1 else name


def answers(study: StudyResult) -> list[str]:
    """The conclusions as sentences; none until every row has an epoch."""
    if not all(row.epochs for row in study.rows):
        return []
    sentences = [_pace(study)]
    sentences += [_goal_sentence(study, mode, metric) for mode in study.modes for metric in study.until]
    sentences += [
        _floor(study),
        _faults(study),
        *_fault_sentences(study),
        *_axes(study),
    ]
    return [sentence for sentence in sentences if sentence]


def notes(study: StudyResult) -> list[str]:
    """Warnings that a reader needs to compare the rows correctly."""
    sentences = []
    floors = {row.mode: row.loss_floor for row in study.rows if row.loss_floor}
    if floors and "loss" in study.until and len(study.modes) > 1:
        sentences.append(
            _(
                "A loss of {value:g} means different things in different modes: where softmax is applied"
                " twice {floor:.4f} is the least that there can be, else 0. Compare modes by their {metric}."
            ).format(value=study.until["loss"], floor=max(floors.values()), metric=metric_name(study.metric))
        )
    if floors and study.until.get("loss", 1e9) <= max(floors.values()):
        sentences.append(
            _("Where softmax is applied twice no training can bring the loss below {value:g}.").format(
                value=study.until["loss"]
            )
        )
    if "optimizer" in study.varied and not {"lr"} & set(study.varied):
        sentences.append(
            _(
                "The optimizers share one learning rate, and each has a good one of its own: "
                "[[cell=optimizer=sgd,lr=0.1]] [[cell=optimizer=adam,lr=1e-3]]"
            )
        )
    if study.rows and study.rows[0].epochs and any(not row.timed_epochs for row in study.rows):
        sentences.append(_("Seconds include the warm-up: with 2 epochs or more the first is left out."))
    kinds = {kind for row in study.rows for seed in row.seeds for kind in seed.processors}
    if kinds:
        sentences.append(
            _("Timed in a cluster: seconds compare as far as its machines are alike and do nothing else.")
        )
    if len(kinds) > 1:
        sentences.append(
            _("Several kinds of processors trained: {kinds}.").format(kinds="; ".join(sorted(kinds)))
        )
    if study.measured_on == "train":
        sentences.append(
            _("There are no validation rows: {metric} is of the training rows.").format(
                metric=metric_name(study.metric)
            )
        )
    return sentences


def warm_times(networks: Sequence[NetworkEpochs], name: str) -> dict[int, float]:
    """A row's seconds of this name per epoch, by round and seed, without warm-up epochs; used for ratios."""
    return {
        (epoch - 1) * len(networks) + place: seconds
        for place, each in enumerate(networks)
        for epoch, seconds in enumerate(getattr(each, name), 1)
        if epoch not in each.warm_up_epochs
    }


def _pace(study: StudyResult) -> str:
    """Sentences on the time of an epoch, and the loss after the last, with each batch size."""
    group = max(_groups(study, "batch_size"), key=len, default=[])
    if len(group) < 2:
        return ""
    first, *others = sorted(group, key=lambda r: r.updates_per_epoch)
    paces = []
    for row in others:
        times = ratio_of(*(warm_times(r.seeds, "epoch_seconds") for r in (row, first)))
        if times is None:
            return ""
        pace = _("{times:.3g} × that with {name}")
        if times.low is not None and times.high is not None:
            pace = _("{times:.3g} × that ({low:.3g} to {high:.3g}) with {name}")
            if times.low <= 1 <= times.high:
                pace = _("not clearly more or less with {name} (more epochs would tell)")
        name = _value_text("batch_size", row.batch_size)
        paces.append(pace.format(times=times.value, low=times.low, high=times.high, name=name))
    sentence = _("An epoch takes {seconds} with {first}, {others}: {updates} updates.").format(
        seconds=seconds_text(first.seconds_per_epoch),
        first=_value_text("batch_size", first.batch_size),
        others=_enumeration(paces),
        updates=_enumeration([numeral(row.updates_per_epoch, ",") for row in (first, *others)]),
    )
    losses = [row.last("loss") for row in (first, *others)]
    if None not in losses:
        ended = _("Their last epoch's mean training loss: {losses}.")
        said = _enumeration([numeral(loss, ".3g") for loss in losses])
        sentence = joined([sentence, ended.format(losses=said)], " ")
    timed = [warm_times(r.seeds, "epoch_processor_seconds") for r in (first, *others) if r.processor_timed]
    worked = [ratio_of(times, timed[0]) for times in timed[1:]]
    if len(worked) == len(others) and first.processor_timed and None not in worked:
        ratios = [joined([numeral(ratio.value, ".3g"), " ×"]) for ratio in worked if ratio is not None]
        worked_said = _("In processor time, which other programs hardly change: {r}.")
        return joined([sentence, worked_said.format(r=_enumeration(ratios))], " ")
    return sentence


def _goal_sentence(study: StudyResult, mode: str, metric: str) -> str:
    """A sentence on the epochs and seconds that each setting needs to reach the goal in this mode."""
    of = [row for row in study.rows if row.mode == mode]
    there = [(row, epochs) for row in of if (epochs := row.epochs_to(metric)) is not None]
    there.sort(key=lambda pair: pair[0].seconds_to(metric) or 0.0)
    never = [r for r in of if r.epochs_to(metric) is None]
    clauses = []
    for row, epochs in there[:LISTED]:
        after = _("{name} after {epochs} ({seconds})").format(
            name=setting_name(row, study.varied),
            epochs=_epochs(epochs),
            seconds=seconds_text(row.seconds_to(metric)),
        )
        clauses.append(after)
    if len(there) > LISTED:
        clauses.append(_("{n} more later").format(n=len(there) - LISTED))
    n = max(row.epochs for row in of)
    if len(never) > LISTED and not there:
        clauses.append(_("none of {rows} rows in {epochs}").format(rows=len(never), epochs=_epochs(n)))
    elif never:
        names = _enumeration([setting_name(row, study.varied) for row in never])
        names = names if len(never) <= LISTED else _("{n} others").format(n=len(never))
        clauses.append(_("{names} never in {epochs}").format(names=names, epochs=_epochs(n)))
    goal = _("{metric} below {figure:g}") if METRICS[metric].better < 0 else _("{metric} of {figure:g}")
    what = goal.format(metric=metric_name(metric), figure=study.until[metric])
    head = joined([what, mode_name(mode)], ", ") if len(study.modes) > 1 else what
    if len(there) > 1:
        clauses.append(_("the quickest is {name}").format(name=setting_name(there[0][0], study.varied)))
    return capitalised(joined([head, ": ", joined(clauses, "; "), "."]))


def _floor(study: StudyResult) -> str:
    """A sentence on the losses compared with the least loss possible with softmax applied twice."""
    losses = [(loss, row) for row in study.rows if row.loss_floor for loss in row.loss if loss is not None]
    if not losses:
        return ""
    least, row = min(losses, key=lambda pair: pair[0])
    return _(
        "With softmax twice the loss can't go below {floor:.4f} ({classes} classes); the lowest mean of an"
        " epoch is {least:.4f} ({name})."
    ).format(
        floor=row.loss_floor,
        classes=len(study.classes),
        least=least,
        name=setting_name(row, study.varied),
    )


def _faults(study: StudyResult) -> str:
    """A sentence on the final metrics of each mode."""
    if len(study.modes) < 2:
        return ""
    clauses = []
    for mode in study.modes:
        ends = [e for row in study.rows if row.mode == mode if (e := row.last(study.metric)) is not None]
        if not ends:
            return ""
        low, high = (numeral(end, ".3f") for end in (min(ends), max(ends)))
        span = low if low == high else _("{low} to {high}").format(low=low, high=high)
        clauses.append(joined([span, mode_name(mode)], " "))
    return _("The same settings end at {metric} {ends}.").format(
        metric=metric_name(study.metric), ends=_enumeration(clauses)
    )


def _fault_sentences(study: StudyResult) -> list[str]:
    """Sentences on what holds only with a fault: that a smaller batch is worse, or that a setting helps."""
    groups, updates = _groups(study, "batch_size"), attrgetter("updates_per_epoch")
    sizes = [(min(group, key=updates), max(group, key=updates)) for group in groups]
    of = [row for row in study.rows if row.mode == CORRECTED]
    changes = [(b, a) for a in of for b in of if a.batch_size == b.batch_size and _distinct(a, b)]
    smaller = _(
        "{mode}, the smaller batch ends at the worse {metric}: {low:.3f} with {b}, {high:.3f} with {a}."
        " Corrected it doesn't: {right:.3f} with {b}, {other:.3f} with {a}. More updates in an epoch are"
        " more of the fault."
    )
    helps = _(
        "{mode}, {a} seems to fix {b}: {metric} ends at {high:.3f} instead of {low:.3f}. Corrected it"
        " does harm: {other:.3f} instead of {right:.3f}."
    )
    return [
        sentence.format(**reversal)
        for sentence, pairs in ((smaller, sizes), (helps, changes))
        for reversal in _reversals(study, pairs)
    ]


def _reversals(study: StudyResult, pairs: Sequence[tuple[StudyRow, StudyRow]]) -> list[dict[str, Any]]:
    """Pairs (a, b) where a ends clearly better in a faulty mode, but no better in the corrected one.

    Return for each pair its names; high, low: final metrics of a and b in the faulty mode; other, right: in
    the corrected one.
    """
    metric, reversals = study.metric, list[dict[str, Any]]()
    for mode in (m for m in study.modes if m != CORRECTED):
        faulty = {str(row.own): row for row in study.rows if row.mode == mode}
        for pair in pairs:
            better, worse = (faulty[str(row.own)] for row in pair)
            high, low = better.last(metric), worse.last(metric)
            other, right = (row.last(metric) for row in pair)
            if high is None or low is None or other is None or right is None:
                continue
            a, b = better.accuracy_interval, worse.accuracy_interval  # None of a regression
            if a and b and a[0] > b[1] and other <= right:
                names = {name: setting_name(row, study.varied) for name, row in zip("ab", pair, strict=True)}
                words = {"mode": capitalised(mode_name(mode)), "metric": metric_name(metric)}
                reversals.append(words | names | {"high": high, "low": low, "other": other, "right": right})
    return sorted(reversals, key=lambda f: f["low"] - f["high"])[:REVERSALS]


def _distinct(a: StudyRow, b: StudyRow) -> bool:
    """Whether a and b differ in exactly one setting, or don't set the same settings."""
    one, other = a.own, b.own
    return one.keys() != other.keys() or sum(one[name] != other[name] for name in one) == 1


def _axes(study: StudyResult) -> list[str]:
    """Sentences on the effect of each setting but the batch size, in the corrected mode, all else equal."""
    sentences = []
    for name in study.varied:
        groups = [] if name == "batch_size" else _groups(study, name)
        ends = [{str(r.own[name]): r.last(study.metric) for r in group} for group in groups]
        whole = [(g, e) for g, e in zip(groups, ends, strict=True) if all(f is not None for f in e.values())]
        clauses = []
        if len(whole) > LISTED and len({tuple(e) for _g, e in whole}) == 1:
            middle = {v: median(float(e[v] or 0) for _g, e in whole) for v in whole[0][1]}
            ends_said = _ends(name, whole[0][0], middle)
            clauses = [_("in the median of {n} groups {ends}").format(n=len(whole), ends=ends_said)]
        elif len(whole) <= LISTED:
            rest = [n for n in study.varied if n != name]
            for group, figures in whole:
                where = [setting_name(group[0], rest), ": "] if setting_texts(group[0], rest) else []
                clauses.append(joined([*where, _ends(name, group, figures)]))
        if clauses:
            at_the_end = _("{metric} at the end: {ends}.").format(
                metric=metric_name(study.metric), ends=joined(clauses, "; ")
            )
            sentences.append(capitalised(at_the_end))
    return sentences


def _ends(name: str, group: Sequence[StudyRow], figures: Mapping[str, float | None]) -> str:
    """Values and metrics as text: ``0.963 normalised and 0.704 not normalised``."""
    parts = [(figures[str(row.own[name])], _value_text(name, row.own[name])) for row in group]
    return _enumeration(
        [_("{figure:.3f} {value}").format(figure=figure, value=value) for figure, value in parts]
    )


def _groups(study: StudyResult, name: str) -> list[list[StudyRow]]:
    """Groups of rows of the corrected mode that differ only in this setting."""
    groups: dict[str, list[StudyRow]] = {}
    for row in study.rows:
        if row.mode == CORRECTED and name in row.own:
            rest = {n: v for n, v in row.own.items() if n != name}
            groups.setdefault(str(sorted(rest.items())), []).append(row)
    return [group for group in groups.values() if len(group) > 1]


def seconds_text(seconds: float | None) -> str:
    """A time with three digits and a unit: 2.31 s, 41.2 ms."""
    if seconds is None:
        return "–"
    if seconds >= MILLISECONDS_BELOW:
        return joined([numeral(seconds, ".3g"), " s"])
    return joined([numeral(seconds * 1000, ".3g"), " ms"])


def seconds_span(interval: tuple[float, float] | None) -> str:
    """An interval with both times in the unit of the larger: 2.31 – 4.5 s."""
    if interval is None:
        return "–"
    low, high = interval
    unit = 1.0 if high >= MILLISECONDS_BELOW else 1000.0
    return f"{numeral(low * unit, '.3g')} – {seconds_text(high)}"


def _value_text(name: str, value: Any) -> str:
    texts: dict[str, Callable[[Any], str]] = {
        "batch_size": lambda v: _("batch {n}").format(n=_("of all rows") if v == "full" else v),
        "shuffle": lambda v: {
            "each": _("a new order each epoch"),
            "once": _("shuffled once"),
            "off": _("not shuffled"),
            "blocks": _("shuffled in blocks"),
        }[v],
        "normalise": lambda v: _("normalised") if v else _("not normalised"),
        "optimizer": str,
    }
    if name in texts:
        return texts[name](value)
    shown = numeral(value) if isinstance(value, float) else value_text(value)
    return joined([name.replace("_", " "), shown], " ")


def _enumeration(parts: Sequence[str]) -> str:
    if len(parts) == 1:
        return parts[0]
    return _("{all} and {last}").format(all=joined(parts[:-1], ", "), last=parts[-1])


def _epochs(n: int) -> str:
    return _("{n} {n:epoch|epochs}").format(n=n)
