"""What is known of a run before its first step, and the measurements with which it ends."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import Any, NamedTuple, TypeVar

import numpy as np
import torch
from torch import Tensor, nn

from treino.base.resampling import weights_or_ones
from treino.base.words import _
from treino.data.dataset import Data, in_memory, why_not_reproducible
from treino.data.splits import split_name
from treino.engine import TrainingLoop
from treino.engine.losses import Loss
from treino.engine.metrics import METRICS, measure, probabilities
from treino.engine.rng import fork_rng
from treino.engine.target_net import one_target
from treino.folders.access import Access
from treino.folders.documents.listing import test_looks
from treino.folders.documents.reading import read_document, read_run_spec
from treino.folders.documents.run_result import RunResult
from treino.folders.documents.run_spec import RunFacts, RunSpec, initial_document
from treino.folders.row_hashes import write_row_hashes
from treino.folders.run_records import histories
from treino.folders.store import RunFolder
from treino.folders.stored_folder import try_or_note
from treino.folders.stored_run import StoredRun
from treino.folders.timeline import Timeline, segment_notes
from treino.folders.weights import notes_on_answers, write_weights
from treino.inspection.baselines import baselines, means
from treino.inspection.calibration import calibration, cost_of, threshold_of
from treino.inspection.conformal import LEVEL, Coverage, compared_with, held_out_quantiles, row_scores
from treino.inspection.input_planes import winners
from treino.inspection.intervals import intervals
from treino.inspection.outputs import has_answer
from treino.training.findings import LEARNING, findings, initial_faults
from treino.training.resolution import Resolution
from treino.training.single_class import AnsweredRows, single_class
from treino.training.stored_training import answers, past_limit, resumed_notes

# ---- facts of a run before its first step

LAYER = ("name", "kind", "in", "out", "parameters")


def run_facts(data: Data, resolution: Resolution) -> RunFacts:
    """What is known of a run before its first step."""
    engine, why = resolution.training, why_not_reproducible(data)
    facts = {
        "currency": data.currency,
        "rows": {split: len(rows) for split, rows in data.splits.items()},
        "features": list(data.features),
        "parameters": engine.parameters,
        "layers": [dict(zip(LAYER, row, strict=True)) for row in engine.layers],
        "reasons": list(resolution.reasons),
        "notes": list(data.notes),
        "findings": initial_faults(resolution),
        "steerable": list(engine.steerable),
        "reproducible": not why,
        "reproducible_why": why or None,
    }
    return RunFacts.model_validate(facts)


def shape_entries(data: Data, training: TrainingLoop) -> dict[str, Any]:
    """The entries of ``spec.json`` on the network's inputs and outputs."""
    names = ("classes", "inputs", "item_shape", "target_mean", "target_scale")
    known = {"outputs": training.outputs, "steps_per_epoch": training.steps_per_epoch}
    return {name: getattr(data, name) for name in names} | known


# ---- uncertainty of a finished run's predictions

ItemShape = tuple[int, ...] | None
T = TypeVar("T")


class Uncertainty(NamedTuple):
    """Uncertainty of predictions. figures: entries of ``result.json``. notes: one sentence each."""

    figures: dict[str, Any]
    notes: list[str]


def uncertainty(net: nn.Module, data: Data, item_shape: ItemShape, level: float | None) -> Uncertainty:
    """Intervals of a regression, or sets and the calibration of a classification. level: the coverage that
    the settings request."""
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


def coverage_figures(net: nn.Module, data: Data, item_shape: ItemShape, level: float) -> Uncertainty:
    """The scores of the validation rows, as stored, and the coverage that they reach on test rows."""
    seen = row_scores(net, data.validation, data, item_shape)
    known = held_out_quantiles(seen)
    assert known is not None
    name, quantile = "prediction_sets" if data.classes else "prediction_intervals", known.quantile(level)
    made = {"level": level, "quantile": None, "coverage": None} | known.to_json()
    if not math.isfinite(quantile):
        few = _("Predictions carry no intervals: there are too few validation rows.")
        return Uncertainty({name: made}, [] if data.classes else [few])
    test = row_scores(net, data.test, data, item_shape) if len(data.test) else None
    size = (test or seen).size(quantile)
    worth = Coverage(level, known.rows, known.spread(level), size, len(data.classes))
    if test is not None:
        worth = compared_with(worth, test.scores(known.offset) <= quantile, test.weight_N, data.test.group)
    made |= {"quantile": quantile, "spread": worth.spread, "coverage": worth.share}
    made |= {"coverage_interval": worth.interval} | ({"size": worth.size} if data.classes else {})
    return Uncertainty({name: made}, worth.sentences(test=True))


Answered = Mapping[str, tuple[Tensor, Tensor]]
"""Outputs and targets of each split that is measured."""


def _positive(answered: Answered, split: str) -> tuple[np.ndarray, np.ndarray]:
    """``[N]`` each: the probability of the second of two classes, and whether a row is of this class."""
    output_NC, y_N = answered[split]
    return probabilities(output_NC)[:, 1].double().numpy(), y_N.numpy() == 1


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
        rounded = {what: round(count, 1) for what, count in counts.items()}  # fractions only with weights
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

WAITED_MUCH = 0.1  # minimum share of the training time for a note


class Times(NamedTuple):
    """Seconds of a training: all of them, those of evaluations, and those of waiting for rows."""

    all: float
    evaluation: float
    waited: float

    @property
    def share_waited(self) -> float:
        """The share of the training time, evaluations excluded, that it waited for rows."""
        return self.waited / max(self.all - self.evaluation, self.waited, 1e-9)


@dataclass(eq=False)
class Ending:
    """A training at its end, and what has been measured of its kept weights so far.

    status: how it ended. otherwise: what to do if its rows can't be measured. figures: entries of
    ``result.json``. of_targets: the entries of each target; for a single target these are ``figures``. notes:
    sentences for the run's reader. failures: a sentence for each measurement that failed.
    """

    folder: RunFolder
    spec: RunSpec
    data: Data
    resolution: Resolution
    status: str
    otherwise: str = ""
    figures: dict[str, Any] = field(default_factory=dict)
    of_targets: list[dict[str, Any]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)

    @property
    def training(self) -> TrainingLoop:
        return self.resolution.training

    @property
    def over(self) -> bool:
        """Whether it has ended for good. A run that will be resumed leaves the test rows alone."""
        return self.status in ("finished", "diverged")

    @cached_property
    def net(self) -> nn.Module:
        """The network that predicts, with its kept weights."""
        return self.training.answer("kept")

    @cached_property
    def held(self) -> Data:
        """The rows in memory, or a sample of them."""
        return in_memory(self.data)

    @property
    def rule(self) -> str | None:
        """The rule of the decision threshold that the settings request."""
        return self.resolution.settings.threshold if self.over else None

    @cached_property
    def answered(self) -> Answered:
        """Outputs and targets of each split that is measured."""
        answered = dict[str, tuple[Tensor, Tensor]]()
        for split, rows in self.data.splits.items():
            # a run that will be resumed doesn't wait for rows to be read from disk
            if len(rows) and (self.over or (split != "test" and isinstance(rows.x, Tensor))):
                answering = partial(answers, self.net, rows, self.training.model.item_shape)
                if (made := self.attempt(_measuring(split), answering, self.otherwise)) is not None:
                    answered[split] = made
        return answered

    @cached_property
    def threshold(self) -> float | None:
        """The probability from which on the second of two classes is predicted, found on the validation rows.
        None: none is requested, or these rows have only one class."""
        if self.rule is None or "validation" not in self.answered:
            return None
        weight_N = weights_or_ones(self.data.validation.weight, len(self.data.validation))
        return threshold_of(*_positive(self.answered, "validation"), self.rule, weight_N)

    def attempt(self, what: str, work: Callable[[], T], otherwise: str | None = None) -> T | None:
        """The result of the work; if it fails, None, and a sentence among the failures. what: how this
        sentence begins. otherwise: how it ends; default: that everything else is there."""
        rest = _("Everything else is there.") if otherwise is None else otherwise
        return try_or_note(self.failures, what, rest, work)


def _measuring(split: str) -> str:
    return _("Measuring the {split} rows").format(split=split_name(split))


def measure_rows(end: Ending) -> None:
    """``metrics`` of each split and ``intervals`` of the test rows: for all targets, and for each alone."""
    data, loss = end.data, end.training.loss_function
    end.figures |= _figures(end, end.answered, data, loss, end.threshold)
    if len(data.by_target) == 1:
        end.of_targets = [end.figures]
        return
    parts = {split: loss.by_target(*both) for split, both in end.answered.items()}
    end.of_targets = [
        _figures(end, {split: part[k] for split, part in parts.items()}, one, loss.single)
        for k, one in enumerate(data.by_target)
    ]


def _figures(
    end: Ending, answered: Answered, data: Data, loss: Loss, threshold: float | None = None
) -> dict[str, Any]:
    metrics: dict[str, dict[str, float] | None] = {"train": None, "validation": None, "test": None}
    interval = None
    for split, (output_NC, y) in answered.items():
        weight = data.splits[split].weight
        measuring = partial(measure, output_NC[None], y, loss, data.scale, weight, threshold=threshold)
        if (measured := end.attempt(_measuring(split), measuring, end.otherwise)) is not None:
            metrics[split] = {name: float(value[0]) for name, value in measured.items()}
    if "test" in answered:
        weight = data.test.weight
        how: dict[str, Any] = {"weight": weight, "threshold": threshold, "group": data.test.group}
        drawn = partial(intervals, *answered["test"], loss, data.scale, **how)
        interval = end.attempt(_("Computing the intervals"), drawn)
    return {"metrics": metrics, "intervals": {"test": interval}}


def fit_baselines(end: Ending) -> None:
    """``baseline``: the test metrics of simple models, if test rows are looked at; and notes on rows that are
    not counted in any figure."""
    loss, full = end.training.loss_function, end.resolution.settings.baselines == "full"
    loss = loss if len(end.of_targets) == 1 else loss.single
    notes: list[str] = []
    for own, one in zip(end.of_targets, end.held.by_target, strict=True):
        own["baseline"] = {}
        fitted = partial(baselines, one, loss, full)
        if end.over and len(end.data.test) and (made := end.attempt(_("Fitting the baselines"), fitted)):
            own["baseline"] = made.metrics
            notes += made.notes
        notes += _metric_doubts(end, own)
    end.figures["baseline"] = means([own["baseline"] for own in end.of_targets])
    end.notes += dict.fromkeys(notes)
    if len(end.held.test) < len(end.data.test):
        sentence = _(
            "The figures to compare with were fitted on {n:,} training rows, and are of {m:,} test rows."
        )
        end.notes.append(sentence.format(n=len(end.held.train), m=len(end.held.test)))
    sentence = _("The network's output is NaN or ∞ in {n:,} of {of:,} {split} rows: they have no figure.")
    for split, (output_NC, _y) in end.answered.items():
        if without := int((~has_answer(output_NC, end.data)).sum()):
            end.notes.append(sentence.format(n=without, of=len(output_NC), split=split_name(split)))


def _metric_doubts(end: Ending, own: Mapping[str, Any]) -> list[str]:
    """A sentence if the network beats the best constant by its loss, but loses by a metric of the user's."""
    name, ours = end.resolution.settings.metric, own["metrics"]["test"]
    constant = own["baseline"].get("majority") or own["baseline"].get("mean")
    if not end.training.setup.metric_reason or not constant or name not in (ours or {}):
        return []
    worse = (ours[name] - constant[name]) * METRICS[name].better < 0
    sentence = _(
        "By {name} the network ({ours:.4g}) is worse than one answer for all rows ({theirs:.4g}), though its "
        "loss is lower: look again at whether its largest or its smallest value is the best."
    )
    told = sentence.format(name=name, ours=ours[name], theirs=constant[name])
    return [told] if worse and ours["loss"] < constant["loss"] else []


def measure_confidence(end: Ending) -> None:
    """How far to trust each target's predictions: calibration, intervals of numbers, sets of classes. There
    are none of targets with axes."""
    if not end.over or end.data.preparation.target_shape:
        return
    shape, level = end.training.model.item_shape, end.resolution.settings.coverage
    targets, what = end.held.by_target, _("Measuring how sure its answers are")
    for number, (own, one) in enumerate(zip(end.of_targets, targets, strict=True)):
        parts = end.data.preparation.output_parts
        alone = end.net if len(targets) == 1 else one_target(end.net, parts[number], number)
        known = end.attempt(what, partial(uncertainty, alone, one, shape, level))
        if known is not None:
            own |= known.figures
            end.notes += known.notes if len(targets) == 1 else [f"{one.target}: {n}" for n in known.notes]


def measure_precision(end: Ending) -> None:
    """A note on the loss of a network trained in bf16: as it was computed in training, and in float32."""
    split = "validation" if "validation" in end.answered else "train"
    if end.resolution.settings.precision != "bf16" or split not in end.answered:
        return
    loss, rows = end.training.loss_function, end.data.splits[split]
    with torch.autocast("cpu", torch.bfloat16):
        low = answers(end.net, rows, end.training.model.item_shape)
    losses = [
        float(measure(output_NC[None].float(), y, loss, end.data.scale, rows.weight)["loss"])
        for output_NC, y in (low, end.answered[split])
    ]
    sentence = _(
        "The same weights have the loss {low:.6g} in bf16, in which they were trained, and {full:.6g} in"
        " float32, in which they are measured and predict ({n:,} {split} rows)."
    )
    facts = {"n": len(rows), "split": split_name(split)}
    end.notes.append(sentence.format(low=losses[0], full=losses[1], **facts))


def measure_prediction(end: Ending) -> None:
    """What predictions need besides the weights, how far to trust them, and the steps and losses."""
    training = end.training
    measure_confidence(end)
    if end.rule is not None:
        tuned = threshold_effect(end.answered, end.data, end.rule, end.threshold)
        end.figures |= tuned.figures
        end.notes += tuned.notes
    if len(end.of_targets) > 1:
        names = (one.target for one in end.data.by_target)
        end.figures["targets"] = dict(zip(names, end.of_targets, strict=True))
    if training.config.shared.ensemble > 1:
        end.figures |= {
            "members": member_results(training),
            "answering": training.answering,
            "answering_steps": training.answering_steps,
        }
        members, lost = len(training.status_P), training.status_P.count("diverged")
        best = _("The mean of {n} of {members} networks answers: the best by the validation {metric}.")
        sentence = _("The mean of {n} networks answers.") if training.setup.validation is None else best
        facts = {"n": len(training.answering), "members": members, "metric": training.config.shared.metric}
        end.notes.append(sentence.format(**facts))
        end.notes += [_("{n} of {members} diverged.").format(n=lost, members=members)] if lost else []
    stopped = set(training.status_P) - {"diverged"} == {"stopped"}  # by patience
    end.figures |= {
        "stopped_early": stopped and not past_limit(end.folder),
        "steps": int(training.last_step_P.max()),
        "kept_epoch": int(training.kept_epoch_P[training.answering].max()),
        "kept_step": max(training.answering_steps),
    } | histories(end.folder, end.spec, over=end.over)


def find_single_class(end: Ending) -> None:
    """Add a finding for each target that gets one class for all test rows; none where another finding says
    why nothing is learnt."""
    said = {finding["rule"] for finding in end.figures["findings"]}
    test, prep = end.answered.get("test"), end.data.preparation
    if said & set(LEARNING) or test is None or not prep.classes or prep.target_shape:
        return
    loss, several = end.training.loss_function, len(end.of_targets) > 1
    parts = loss.by_target(*test) if several else [test]
    unfinished = int(end.figures["kept_epoch"]) >= int(end.figures["epochs"])
    for own, one, (output_NC, y_N) in zip(end.of_targets, end.data.by_target, parts, strict=True):
        if not (figures := own["metrics"]["test"]) or not own["baseline"]:
            continue
        share_NC, true_N = probabilities(output_NC).double().numpy(), y_N.flatten().numpy()
        predicted_N = winners(share_NC, end.threshold)
        answered = AnsweredRows(one.classes, share_NC, predicted_N, true_N, figures, own["baseline"])
        end.figures["findings"] += single_class(answered, end.resolution.settings, unfinished)


@fork_rng(0)  # a network or a loss of the user's may draw random numbers
def finish(
    folder: RunFolder, data: Data, resolution: Resolution, status: str, times: Times, segment: int = 0
) -> StoredRun:
    """Write the kept weights, measure them, write the result, seal the folder, and open the run.

    A measurement that fails becomes a note, so that the weights are kept in any case. The test rows are used
    here and nowhere else, once at each end, which is counted, and not at all by a run that will be resumed.
    """
    spec, training = read_run_spec(folder), resolution.training
    ask = _("For predictions: treino predict {run} DATA").format(run=folder.path.name)
    end = Ending(folder, spec, data, resolution, status, ask)
    write_weights(folder, end.net, data.item_shape if training.model.net is None else None)
    timeline = Timeline(folder, spec)
    end.notes += [*segment_notes(timeline), *data.notes, *resumed_notes(folder)]
    if times.share_waited > WAITED_MUCH:
        sentence = _(
            "Training waited for its data {share:.0%} of the time. More num_workers read ahead; items"
            " that are always the same and fit in memory are not waited for."
        )
        end.notes.append(sentence.format(share=times.share_waited))
    measure_rows(end)
    fit_baselines(end)
    measure_prediction(end)
    end.attempt(_("Comparing bf16 with float32"), partial(measure_precision, end))
    if end.over:
        what = _("Looking for faults in the training")
        if (wrong := end.attempt(what, partial(findings, folder, end.held, resolution))) is not None:
            end.figures["findings"], defects = wrong
            end.notes += defects
            end.attempt(what, partial(find_single_class, end))
    checked = partial(notes_on_answers, training, end.net, end.held.train.x)
    end.notes += end.attempt(_("Checking the network's answers"), checked) or []
    if end.over or data is end.held:  # rows outside memory are not read for a run that will be resumed
        end.attempt(_("Keeping hashes of the rows"), partial(write_row_hashes, folder, data))
    looked, before, events = bool(end.figures["metrics"]["test"]), 0, folder.database.events()
    alone = not spec.segments and spec.like is None and spec.weights is None
    if not alone or any(event.kind == "resumed" for event in events):  # stopped, rewound or branched
        ends = {(event.segment, event.step) for event in events if event.kind in ("finished", "diverged")}
        before = test_looks(folder, len(ends - {(segment, training.step)}))  # this end may have begun before
    settings = timeline.settings_at()
    document = initial_document(read_document(folder, "spec.json"), settings) | {
        "status": status,
        "seconds": times.all,
        "evaluation_seconds": times.evaluation,
        "waited": times.share_waited,
        "test_looks": before + looked,
        **end.figures,
        "notes": [*end.notes, *end.failures],
    }
    folder.write_json("result.json", RunResult.model_validate(document).to_json())
    folder.database.add_event(segment, training.step, status)
    folder.seal(status)
    return StoredRun(folder, Access(net=training.net(training.answering[0], "kept")), end.held)


def member_results(engine: TrainingLoop) -> list[dict[str, Any]]:
    """The result of each network of an ensemble, in order."""
    columns = (
        engine.config.seeds,
        engine.status_P,
        engine.last_step_P.tolist(),
        engine.kept_epoch_P.tolist(),
        engine.kept_step_P.tolist(),
        [value if math.isfinite(value) else None for value in engine.best_P.tolist()],
    )
    names = ("seed", "status", "steps", "kept_epoch", "kept_step", "validation")
    return [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]
