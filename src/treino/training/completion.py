"""Facts of a run before its first step, and its completion: weights, test metrics, the sealed folder."""

import math
from collections.abc import Mapping
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from torch import Tensor, nn

from treino.base.resampling import weights_or_ones
from treino.base.words import _
from treino.data.dataset import Data
from treino.data.splits import split_name
from treino.data.torch_datasets.dataset_source import in_memory
from treino.engine import TrainingLoop
from treino.engine.losses import Loss
from treino.engine.metrics import measure, probabilities
from treino.engine.target_net import one_target
from treino.folders.access import Access
from treino.folders.documents import read_document, read_run_spec
from treino.folders.documents.listing import test_looks
from treino.folders.documents.run_spec import RunSpec, initial_document
from treino.folders.segments import histories, said_of
from treino.folders.store import RunFolder
from treino.folders.stored_folder import try_or_note
from treino.folders.stored_run import StoredRun
from treino.folders.weights import notes_on_answers, write_weights
from treino.inspection.baselines import baselines, means
from treino.inspection.calibration import calibration, cost_of, threshold_of
from treino.inspection.conformal import LEVEL, compared_with, coverage_of, held_out_quantiles, row_scores
from treino.inspection.intervals import intervals
from treino.training.findings import findings, initial_faults
from treino.training.resolution import Resolution
from treino.training.time_limit import gain_notes
from treino.training.user_data import (
    answers,
    fewer_notes,
    past_limit,
    reproducibility,
    resumed_notes,
    unanswered_notes,
    waited_notes,
)

# ---- facts of a run before its first step

LAYER = ("name", "kind", "in", "out", "parameters")


def run_facts(data: Data, resolution: Resolution) -> dict[str, Any]:
    """The ``facts`` entry of ``spec.json``."""
    engine = resolution.training
    return {
        "currency": data.currency,
        "rows": {split: len(rows) for split, rows in data.splits.items()},
        "features": list(data.features),
        "parameters": engine.parameters,
        "layers": [dict(zip(LAYER, row, strict=True)) for row in engine.layers],
        "reasons": list(resolution.reasons),
        "notes": list(data.notes),
        "findings": initial_faults(resolution),
    } | reproducibility(data)


# ---- uncertainty of a finished run's predictions

TINY = 1e-6  # a target of 0, standardised in float32 and back

ItemShape = tuple[int, ...] | None


class Uncertainty(NamedTuple):
    """Uncertainty of predictions. figures: entries of ``result.json``. notes: one sentence each."""

    figures: dict[str, Any]
    notes: list[str]


def uncertainty(net: nn.Module, data: Data, item_shape: ItemShape, level: float | None) -> Uncertainty:
    """Intervals of a regression, or sets and the calibration of a classification. level: the coverage that
    the settings ask for."""
    figures: dict[str, Any] = {}
    notes: list[str] = []
    if (
        data.classes
        and len(data.test)
        and (result := calibration(net, data, item_shape=item_shape)) is not None
    ):
        names = ("split", "rows", "error", "chance")
        figures["calibration"] = {name: getattr(result, name) for name in names}
        sentence = _(
            "Probabilities are off by {error:.1%} on average on {n:,} {split} rows (expected calibration "
            "error; those of a perfect network: up to {chance:.1%})."
        )
        split = split_name(result.split)
        notes.append(sentence.format(error=result.error, n=result.rows, split=split, chance=result.chance))
    if len(data.validation) and (data.classes or data.train.y.shape[1] == 1):
        covered = coverage_figures(net, data, item_shape, level or LEVEL)
        figures |= covered.figures
        notes += covered.notes if level is not None or not data.classes else []
    return Uncertainty(figures, notes)


def uncertainties(
    net: nn.Module, data: Data, resolution: Resolution, failures: list[str]
) -> list[Uncertainty]:
    """The uncertainty of the predictions of each target. failures: collects a sentence for each that can't be
    measured."""
    what, rest = _("Measuring how sure its answers are"), _("Everything else is there.")
    shape = resolution.training.shared.item_shape
    level = resolution.settings.get("coverage")
    made = list[Uncertainty]()
    targets = in_memory(data).by_target
    for number, one in enumerate(targets):
        alone = net if len(targets) == 1 else one_target(net, data.preparation.output_parts[number], number)
        known = try_or_note(failures, what, rest, partial(uncertainty, alone, one, shape, level))
        made.append(known or Uncertainty({}, []))
    return made


def coverage_figures(net: nn.Module, data: Data, item_shape: ItemShape, level: float) -> Uncertainty:
    """The scores of the validation rows, as stored, and what this coverage is worth on test rows."""
    seen = row_scores(net, data.validation, data, item_shape)
    known = held_out_quantiles(seen)
    assert known is not None
    name, quantile = "prediction_sets" if data.classes else "prediction_intervals", known.quantile(level)
    made = {"level": level, "quantile": None, "coverage": None} | known.to_json()
    learnt = () if data.classes else (data.train.y, data.validation.y)
    if learnt and min(float(y.min()) for y in learnt) * data.target_scale + data.target_mean > -TINY:
        made["floor"] = 0.0
    if not math.isfinite(quantile):
        few = _("Predictions carry no intervals: there are too few validation rows.")
        return Uncertainty({name: made}, [] if data.classes else [few])
    test = row_scores(net, data.test, data, item_shape) if len(data.test) else None
    size = (test or seen).size(quantile)
    worth = coverage_of(known, level, size=size, classes=len(data.classes))
    if test is not None:
        worth = compared_with(worth, test.scores(known.offset) <= quantile, test.weight_N)
    made |= {"quantile": quantile, "spread": worth.spread, "coverage": worth.share}
    made |= {"coverage_interval": worth.interval} | ({"size": worth.size} if data.classes else {})
    return Uncertainty({name: made}, worth.sentences(test=True))


Answered = Mapping[str, tuple[Tensor, Tensor]]
"""Outputs and targets of each split that is measured."""


def _positive(answered: Answered, split: str) -> tuple[np.ndarray, np.ndarray]:
    """``[N]`` each: the probability of the second of two classes, and whether a row is of it."""
    output_NC, y_N = answered[split]
    return probabilities(output_NC)[:, 1].double().numpy(), y_N.numpy() == 1


def threshold_found(answered: Answered, data: Data, rule: str | None) -> float | None:
    """The probability from which on the second of two classes is answered, found on the validation rows by
    the rule. None: none is asked for, or these rows hold one class only."""
    if rule is None or "validation" not in answered:
        return None
    weight_N = weights_or_ones(data.validation.weight, len(data.validation))
    return threshold_of(*_positive(answered, "validation"), rule, weight_N)


def threshold_effect(answered: Answered, data: Data, rule: str, value: float | None) -> Uncertainty:
    """The threshold ``value``, and its effect on test rows."""
    if value is None:
        return Uncertainty({}, [_("There is no threshold: the validation rows hold one class only.")])
    name = data.classes[1]
    made: dict[str, Any] = {"rule": rule, "positive": name, "value": value}
    made |= dict.fromkeys(("accuracy", "precision", "recall"))
    notes = [_("{name} is predicted from a probability of {value:.3g} on.").format(name=name, value=value)]
    if "test" in answered:
        share_N, true_N = _positive(answered, "test")
        predicted_N, weight_N = share_N >= value, weights_or_ones(data.test.weight, len(data.test))

        def weighed(of_N: np.ndarray) -> float:
            total = float(weight_N[of_N].sum())
            return int(total) if total.is_integer() else total

        hits, wrong = weighed(predicted_N & true_N), weighed(predicted_N & ~true_N)
        made["accuracy"] = weighed(predicted_N == true_N) / weighed(np.full(len(true_N), True))
        made["precision"] = hits / (hits + wrong) if predicted_N.any() else None
        made["recall"] = hits / weighed(true_N) if true_N.any() else None
        sentence = _(
            "On the test rows {right:.1%} are right then: {found:,} of {of:,} {name} are found; {wrong:,} "
            "others are taken for it."
        )
        counts = {"found": hits, "of": weighed(true_N), "wrong": wrong}
        rounded = {what: round(count, 1) for what, count in counts.items()}  # only of weights in part
        notes.append(sentence.format(right=made["accuracy"], name=name, **rounded))
        if (costs := cost_of(rule)) is not None:
            sentence = _("Mistakes on them cost {cost:,.6g}; from 0.5 on they would cost {usual:,.6g}.")
            cost, usual = (
                costs[0] * weighed(one_N & ~true_N) + costs[1] * weighed(~one_N & true_N)
                for one_N in (predicted_N, share_N > 0.5)
            )
            notes.append(sentence.format(cost=cost, usual=usual))
    return Uncertainty({"threshold": made}, notes)


# ---- the end of a training


def finish(
    folder: RunFolder,
    data: Data,
    resolution: Resolution,
    status: str,
    seconds: float,
    evaluation_seconds: float,
    waited_seconds: float,
    segment: int = 0,
) -> StoredRun:
    """Write the kept weights, measure them, write the result, seal the folder, and open the run.

    A measurement that fails becomes a note, so that the weights are kept in any case. The test rows are used
    here and nowhere else, once at each end, which is counted, and not at all by a run that will be resumed.
    """
    engine = resolution.training
    net = engine.answer("kept")
    write_weights(folder, net, data.item_shape if engine.shared.net is None else None)
    over = status in ("finished", "diverged")
    held = in_memory(data)
    failures: list[str] = []
    ask = _("For predictions: treino predict {run} DATA").format(run=folder.path.name)
    rest = _("Everything else is there.")
    answered = answered_rows(net, data, engine.shared.item_shape, over=over, failures=failures, ask=ask)
    without = [note for split, made in answered.items() for note in unanswered_notes(split, made[0])]
    waited = waited_seconds / max(seconds - evaluation_seconds, waited_seconds, 1e-9)
    loss, full = engine.loss_function, resolution.settings.get("baselines") == "full"
    rule = resolution.settings.get("threshold") if over else None
    threshold = threshold_found(answered, data, rule)
    figures, each = figures_of(answered, data, loss, threshold, failures=failures, ask=ask)
    notes: list[str] = []
    for own, one in zip(each, held.by_target, strict=True):
        fitted = partial(baselines, one, loss.single, full)
        measured = over and len(data.test)
        baseline = try_or_note(failures, _("Fitting the baselines"), rest, fitted) if measured else None
        own["baseline"] = baseline.metrics if baseline else {}
        notes += baseline.notes if baseline else ()
    spec, kept_step = read_run_spec(folder), max(engine.answering_steps)
    kept_epoch = int(engine.kept_epoch_P[engine.answering].max())
    document = initial_document(read_document(folder, "spec.json")) | {
        "status": status,
        "stopped_early": stopped_early(engine) and not past_limit(folder),
        "steps": int(engine.last_step_P.max()),
        "seconds": seconds,
        "evaluation_seconds": evaluation_seconds,
        "waited": waited,
        **figures,
        "test_looks": _looks_before(folder, spec, (segment, engine.step)) + bool(figures["metrics"]["test"]),
        "baseline": means([own["baseline"] for own in each]),
        "kept_epoch": kept_epoch,
        "kept_step": kept_step,
        "notes": [
            *said_of(spec),
            *data.notes,
            *resumed_notes(folder),
            *waited_notes(waited),
            *dict.fromkeys(notes),
            *fewer_notes(data, held),
            *without,
        ],
    }
    if over:
        made = uncertainties(net, data, resolution, failures)
        for own, one, known in zip(each, held.by_target, made, strict=True):
            (document if len(each) == 1 else own).update(known.figures)
            for note in known.notes:
                document["notes"].append(note if len(each) == 1 else f"{one.target}: {note}")
        if rule is not None:
            tuned = threshold_effect(answered, data, rule, threshold)
            document |= tuned.figures
            document["notes"] += tuned.notes
    if len(each) > 1:
        document["targets"] = {one.target: own for one, own in zip(data.by_target, each, strict=True)}
    if engine.config.shared.ensemble > 1:
        document |= ensemble_results(engine)
        document["notes"] += members_notes(engine)
    if resolution.settings.get("time_limit") is not None:
        document["notes"] += gain_notes(engine)
    document |= histories(folder, spec, over=over)
    if over:
        what = _("Looking for faults in the training")
        wrong = try_or_note(failures, what, rest, partial(findings, folder, held, resolution))
        document["findings"], defects = wrong if wrong is not None else (document["findings"], [])
        document["notes"] += defects
    what = _("Checking the network's answers")
    answer_notes = try_or_note(failures, what, rest, partial(notes_on_answers, engine, net, held.train.x))
    document["notes"] += [*(answer_notes or []), *failures]
    folder.write_json("result.json", document)
    folder.database.add_event(segment, engine.step, status)
    folder.seal(status)
    return StoredRun(folder, Access(net=engine.net(engine.answering[0], "kept")), held)


def _looks_before(folder: RunFolder, spec: RunSpec, end: tuple[int, int]) -> int:
    """The looks at the test rows before this end, a (segment, step); none where nothing was stopped, rewound
    or branched. What a process that was killed here began is this look."""
    events = folder.database.events()
    alone = not spec.segments and spec.like is None and spec.weights is None
    if alone and all(event.kind != "resumed" for event in events):
        return 0
    ends = {(event.segment, event.step) for event in events if event.kind in ("finished", "diverged")} - {end}
    return test_looks(folder, len(ends))


def stopped_early(engine: TrainingLoop) -> bool:
    """Whether patience stopped every member that didn't diverge."""
    return set(engine.status_P) - {"diverged"} == {"stopped"}


def ensemble_results(engine: TrainingLoop) -> dict[str, Any]:
    """The networks of an ensemble, and which of them answer."""
    return {
        "members": member_results(engine),
        "answering": engine.answering,
        "answering_steps": engine.answering_steps,
    }


def member_results(engine: TrainingLoop) -> list[dict[str, Any]]:
    """The result of each network of an ensemble, in order."""
    figure_P = engine.best_P
    columns = (
        engine.config.seeds,
        engine.status_P,
        engine.last_step_P.tolist(),
        engine.kept_epoch_P.tolist(),
        engine.kept_step_P.tolist(),
        [value if math.isfinite(value) else None for value in figure_P.tolist()],
    )
    names = ("seed", "status", "steps", "kept_epoch", "kept_step", "validation")
    return [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]


def members_notes(engine: TrainingLoop) -> list[str]:
    """Notes on how many networks predict, and how many diverged."""
    answering, members = engine.answering, len(engine.status_P)
    lost, s = engine.status_P.count("diverged"), engine.config.shared
    if engine.setup.validation is not None:
        sentence = _("The mean of {n} of {members} networks answers: the best by the validation {metric}.")
    else:
        sentence = _("The mean of {n} networks answers.")
    note = sentence.format(
        n=len(answering),
        members=members,
        metric=s.metric,
    )
    return [note, *([_("{n} of {members} diverged.").format(n=lost, members=members)] if lost else [])]


def answered_rows(
    net: nn.Module, data: Data, item_shape: ItemShape, *, over: bool, failures: list[str], ask: str
) -> dict[str, tuple[Tensor, Tensor]]:
    """Outputs and targets of each split that is measured. over: whether the training has come to its end.
    failures: collects a sentence for each split whose rows can't be answered. ask: what to do then."""
    answered = dict[str, tuple[Tensor, Tensor]]()
    for split, rows in data.splits.items():
        # a run that will be resumed doesn't wait for rows to be read from disk
        if len(rows) and (over or (split != "test" and isinstance(rows.x, Tensor))):
            what = _("Measuring the {split} rows").format(split=split_name(split))
            made = try_or_note(failures, what, ask, partial(answers, net, rows, item_shape))
            if made is not None:
                answered[split] = made
    return answered


def figures_of(
    answered: Answered,
    data: Data,
    loss: Loss,
    threshold: float | None,
    *,
    failures: list[str],
    ask: str,
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """``metrics`` of each split and ``intervals`` of the test rows: of all targets, and of each alone.
    threshold: of a run that decides by one, ``threshold_found``."""
    figures = _figures(answered, data, loss, failures, ask, threshold)
    if len(data.by_target) == 1:
        return figures, [figures]
    parts = zip(data.by_target, _answers_by_target(answered, loss, data), strict=True)
    return figures, [_figures(own, one, loss.single, failures, ask) for one, own in parts]


def _figures(
    answered: Answered,
    data: Data,
    loss: Loss,
    failures: list[str],
    ask: str,
    threshold: float | None = None,
) -> dict[str, Any]:
    """``metrics`` of each split, and ``intervals`` of the test rows. answered: outputs and targets."""
    metrics: dict[str, dict[str, float] | None] = {"train": None, "validation": None, "test": None}
    interval = None
    for split, (output_NC, y) in answered.items():
        what, weight = (
            _("Measuring the {split} rows").format(split=split_name(split)),
            data.splits[split].weight,
        )
        measuring = partial(measure, output_NC[None], y, loss, data.scale, weight, threshold=threshold)
        measured = try_or_note(failures, what, ask, measuring)
        metrics[split] = (
            None if measured is None else {name: float(value[0]) for name, value in measured.items()}
        )
    if "test" in answered:
        what, rest = _("Computing the intervals"), _("Everything else is there.")
        weight = data.test.weight
        drawn = partial(intervals, *answered["test"], loss, data.scale, weight=weight, threshold=threshold)
        interval = try_or_note(failures, what, rest, drawn)
    return {"metrics": metrics, "intervals": {"test": interval}}


def _answers_by_target(answered: Answered, loss: Loss, data: Data) -> list[dict[str, tuple[Tensor, Tensor]]]:
    """Outputs and targets of each split, of each target alone."""
    parts = {split: loss.by_target(*both) for split, both in answered.items()}
    return [{split: part[k] for split, part in parts.items()} for k in range(len(data.by_target))]
