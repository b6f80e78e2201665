"""The ``state`` message of a run's page (all but curves and frames), and the points of its curves."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from treino.base.errors import TreinoError
from treino.base.words import _
from treino.data import Data
from treino.engine import ACTIVATIONS, HP, LOSSES, OPTIMIZERS, SCHEDULES, TrainingLoop
from treino.folders import (
    MEMBER,
    Change,
    RunSpec,
    StoredRun,
    epoch_count,
    epochs_of,
    path,
    read_validation_losses,
    segments_of,
    settings_text,
    training_losses,
)
from treino.inspection import columns_with_an_axis
from treino.plots import blocks_of, drawn_places, plain_blocks, run_blocks
from treino.reports import called_again
from treino.settings import FAULTS, OF_PLACE
from treino.training import Snapshot, with_remedy
from treino_studio.page_messages import Choices, FixedBy, Mark

# ---- state

FINDING = ("rule", "severity", "certain", "message", "why", "fix")  # keys of a finding on the page
BEFORE_LOST = 10  # steps before weights were lost from which a remedy is tried, or an epoch if that is more
MOST_FEATURES = 200  # maximum number of names in a selection list


def as_pictures(data: Data) -> Data:
    """The data as pages show it: a table whose columns are the pixels of pictures is pictures."""
    return replace(data, kind="image") if data.kind == "table" and len(data.item_shape) > 1 else data


def run_state(run: StoredRun) -> dict[str, Any]:
    """The part of the state that depends only on the run's documents."""
    spec = run.spec
    facts, data = spec.facts, as_pictures(run.data)
    settings, texts, result = run.settings, change_texts(run.timeline.asked), run.result
    axes = [data.features[j] for j in columns_with_an_axis(data)] if data.kind != "image" else []
    return {
        "kind": "run",
        "name": run.name,
        "path": str(run.path),
        "status": run.status,
        "planned_steps": planned_steps(run),
        "steps_per_epoch": spec.steps_per_epoch,
        "data": {
            "name": spec.data.name,
            "kind": data.kind,
            "task": data.task,
            "features": list(data.features[:MOST_FEATURES]),
            "axes": axes[:MOST_FEATURES],
            "classes": list(data.by_target[0].classes),
            "target": data.by_target[0].target,
            "rows": {split: len(rows) for split, rows in data.splits.items()},
            "decisions": [*facts.notes, *facts.reasons],
        },
        "settings": settings,
        "choices": choices(run, settings),
        "network": {
            "parameters": facts.parameters,
            "hidden": settings.get("hidden"),
            "fixed": fixed_by(spec),
        },
        "segments": [
            {
                "number": s.number,
                "origin": list(s.origin) if s.origin else None,
                "text": texts.get((s.number, s.start), ""),
            }
            for s in segments_of(spec)
        ],
        "marks": marks(run),
        "findings": findings(run),
        "metrics": None if result is None else result.metrics.to_json(),
        "result": result and plain_blocks(blocks_of(run_blocks(run), without=("findings", "changes"))),
        "command": commands(run),
        "unseen": [],
    }


def commands(run: StoredRun) -> str:
    """Return the command that trains the run again, with the changes during the run as comments."""
    call = called_again(run.spec, run)
    lines = ["import treino", call] if call else [run.command]
    comment = _("# on its way: {changes} from step {step}")
    lines += [comment.format(changes=mark["text"], step=mark["step"]) for mark in marks(run) if mark["text"]]
    return "\n".join(lines)


def choices(run: StoredRun, settings: dict[str, Any]) -> Choices:
    """List the values that can replace the settings in force at a step."""
    return {
        "optimizer": list(OPTIMIZERS),
        "activation": list(ACTIVATIONS) if run.spec.net == "mlp" else [],
        "schedule": list(SCHEDULES),
        "batch_size": batch_sizes(len(run.data.train)),
        "loss": losses(settings["loss"]),
        "live": live_settings(run, settings["optimizer"]),
    }


def fixed_by(spec: RunSpec) -> FixedBy | None:
    """Say what keeps the layers from growing: ``own`` (a network of the user), ``cnn`` or ``batch_norm``."""
    if spec.net == "mlp":
        return "batch_norm" if spec.resolved.batch_norm else None
    return "cnn" if spec.net == "cnn" else "own"


def planned_steps(run: StoredRun) -> int:
    """The step at which the newest segment ends as planned."""
    resolved = run.resolved
    if resolved.steps is not None:
        return resolved.steps
    return epoch_count(run.spec).end_of(resolved.epochs or 1)


def batch_sizes(rows: int) -> list[int | str]:
    """The selectable batch sizes for this number of training rows."""
    usual = [1, 4, 8, 16, 32, 64, 100, 128, 256, 512, 1024]
    return [*(size for size in usual if size < rows), "full"]


def losses(now: str) -> list[str]:
    """The losses that can replace the present one: same task, same number of outputs."""
    kind = LOSSES[now]
    return [n for n, other in LOSSES.items() if (other.task, other.outputs) == (kind.task, kind.outputs)]


def live_settings(run: StoredRun, optimizer: str) -> list[str]:
    """The settings of this run that can change between two steps. optimizer: that in force."""
    reads = OPTIMIZERS[optimizer].reads
    names = ["lr", "weight_decay", "clip"]
    if "momentum" in reads:
        names.append("momentum")
    if "betas" in reads:
        names += ["beta1", "beta2"]
    return names + [name for name in run.spec.facts.steerable if name not in HP or name in ("dropout", "ema")]


APART = (*OF_PLACE, "threads", "device", "engine")  # settings in which runs may differ that say nothing
MOST_APART = 3  # maximum number of settings in a text


def difference_text(run: StoredRun, other: StoredRun) -> str:
    """Return a short text of the data or settings in which the other run differs: ``lr 0.0118``."""
    if run.spec.data.name != other.spec.data.name:
        return other.spec.data.name
    own, its = run.timeline.settings_at(), other.timeline.settings_at()
    apart = {name: value for name, value in its.items() if name not in APART and own.get(name) != value}
    chosen = _chosen(run) | _chosen(other)  # defaults may follow from them
    names = [name for name in apart if name in chosen] or list(apart)
    text = settings_text({name: apart[name] for name in names[:MOST_APART]}, " · ")
    return text + (" …" if len(names) > MOST_APART else "")


def _chosen(run: StoredRun) -> set[str]:
    """The settings that somebody chose."""
    return {*run.spec.asked, *(name for change in run.changes for name in change.settings)}


def marks(run: StoredRun) -> list[Mark]:
    """All changes of settings on the run's path, each with its step."""
    return [
        {"segment": segment, "step": step, "text": text}
        for (segment, step), text in change_texts(run.changes).items()
    ]


def change_texts(changes: Sequence[Change]) -> dict[tuple[int, int], str]:
    """By segment and step, what was changed there as a short text."""
    settings: dict[tuple[int, int], dict[str, Any]] = {}
    for change in changes:
        settings.setdefault((change.segment, change.step), {}).update(change.settings)
    return {place: settings_text(of, " · ") for place, of in settings.items()}


def findings(
    run: StoredRun, seen: Sequence[dict[str, Any]] = (), first_seen: Mapping[str, int] | None = None
) -> list[dict[str, Any]]:
    """The doctor's findings: the run's stored findings, and the findings ``seen`` during training.
    first_seen: by rule, the step at which the finding appeared."""
    known = [{name: getattr(each, name) for name in FINDING} for each in run.facts.findings]
    steps = dict(first_seen or {}) | dict.fromkeys(FAULTS, run.timeline.changed_at(None, {"fault"}))
    rules = {each["rule"] for each in seen}
    return [
        {name: each[name] for name in FINDING} | {"step": steps.get(each["rule"])}
        for each in [*seen, *(each for each in known if each["rule"] not in rules)]
    ]


BROKEN = ("diverged", "non_finite_loss")  # rules for weights that no setting can repair any more


def remedy_of(
    run: StoredRun, snapshot: Snapshot, finding: Mapping[str, Any], last: int
) -> dict[str, Any] | None:
    """Return the change that a finding asks for, as a text, and the step from which to try it.

    That is the step since which the setting is in force, as later the fault has done harm; if weights are
    lost, it is shortly before. None: no setting that can change during a run repairs it."""
    try:
        plain, changed = with_remedy(snapshot, finding["rule"])
    except TreinoError:
        return None
    change = {name: value for name, value in changed.items() if name not in plain}
    names = change.keys() | ({"as_taught"} if "fault" in change else set())
    step = run.timeline.changed_at(snapshot.step, names)
    if finding["rule"] in BROKEN or run.status == "diverged":
        begun = finding["step"] if finding["step"] is not None else last
        step = max(step, begun - max(BEFORE_LOST, run.spec.steps_per_epoch))
    return {"text": settings_text(change, " · "), "step": step}


def settings_at(run: StoredRun, snapshot: Snapshot) -> dict[str, Any]:
    """The settings in force at the snapshot's step, by name."""
    settings = {**run.settings, **snapshot.settings}
    hp = {name: value for name, value in snapshot.hp.items() if name != "eps"}
    clip = hp.pop("clip")
    return {**settings, **hp, "clip": None if clip == float("inf") else clip}


# ---- curves

POINTS = 4000  # maximum number of points of the training loss
EPOCHS = 1500  # maximum number of epochs shown
VITALS = 400  # steps whose gradient norm, update size and learning rate stay where twice as many were kept
PAST_VITALS = 60  # steps of the past that are measured although nobody has watched them


def finite(value: float) -> float | None:
    """The number; None for NaN and infinities."""
    return float(value) if math.isfinite(value) else None


@dataclass
class ThinnedLosses:
    """The number of points of a loss curve that a page has. Each point is the mean of ``width`` steps, beside
    the least and the largest loss of these steps if they are more than one."""

    width: int = 1
    points: int = 0

    def more(self, loss_S: NDArray[np.float32]) -> dict[str, Any] | None:
        """The new points, from index ``from`` on (0 replaces all points); None if there are none."""
        steps = len(loss_S)
        while steps // self.width > POINTS or steps < self.points * self.width:
            self.width = 1 if steps < self.points * self.width else 2 * self.width
            self.points = 0
        first, stop = self.points, steps // self.width
        if stop == first:
            return None
        part_PW = np.asarray(loss_S[first * self.width : stop * self.width], np.float64)
        part_PW = part_PW.reshape(-1, self.width)
        with np.errstate(over="ignore", invalid="ignore"):
            curves = {"loss": part_PW.mean(axis=1)}
            if self.width > 1:
                curves |= {"low": part_PW.min(axis=1), "high": part_PW.max(axis=1)}
        self.points = stop
        step_P = (np.arange(first, stop) + 1) * self.width
        values = {name: [finite(v) for v in value_P.tolist()] for name, value_P in curves.items()}
        return {"from": first, "step": step_P.tolist(), **values}


@dataclass
class Vitals:
    """Gradient norm, update size, learning rate and metrics on training rows, at steps that were drawn: by
    segment and step, so that a way that was left keeps its own."""

    by_place: dict[tuple[int, int], dict[str, Any]] = field(default_factory=dict)
    measured: set[tuple[int, int]] = field(default_factory=set)  # of ``by_place``, and thinned out of it

    def add(self, place: tuple[int, int], vital: Mapping[str, Any]) -> None:
        segment, step = place
        self.measured.add(place)
        self.by_place[place] = {"step": step, **vital}
        steps = sorted(at for number, at in self.by_place if number == segment)
        if len(steps) > 2 * VITALS:
            norm_N = [self.by_place[segment, at]["gradient_norm"] for at in steps]
            drawn = drawn_places(steps, np.array(norm_N, np.float64), VITALS)
            for at in {*steps} - {steps[k] for k in drawn}:
                del self.by_place[segment, at]

    def unmeasured(self, last: int, spec: RunSpec) -> int | None:
        """A step up to the last one that shall be measured, although nobody has watched it; None: none is
        left."""
        steps = np.unique(np.linspace(0, last, PAST_VITALS).astype(int)).tolist()
        finer = (step for apart in (16, 4, 1) for step in steps[::apart])  # first a whole curve
        known = {step for _number, step in on_path(self.measured, spec)}
        return next((step for step in finer if step not in known), None)

    def listed(self, spec: RunSpec) -> list[dict[str, Any]]:
        return [self.by_place[place] for place in on_path(self.by_place, spec)]


def on_path(places: Iterable[tuple[int, int]], spec: RunSpec) -> list[tuple[int, int]]:
    """Those of these segments and steps that lie on a run's path, in its order."""
    by_segment = {each.segment.number: each for each in path(spec)}
    return sorted(
        (
            (number, step)
            for number, step in places
            if (of := by_segment.get(number)) is not None
            and step >= of.first
            and (of.stop is None or step < of.stop)
        ),
        key=lambda place: place[1],
    )


def next_update(training: TrainingLoop, step: int, member: int) -> tuple[float | None, float | None]:
    """The gradient's norm at a step, and the norm of the next update divided by that of the weights.

    training: a copy, which takes this update. Both are None if it is at another step or has ended."""
    if training.done or training.step != step:
        return None, None
    before = training.state.population.params[member].clone()
    training.advance(None, step + 1)
    population = training.state.population
    after, gradient = population.params[member], population.grads[member]
    size = float(torch.linalg.vector_norm(before))
    update = float(torch.linalg.vector_norm(after - before))
    return finite(float(torch.linalg.vector_norm(gradient))), finite(update / size) if size else None


def epochs(
    run: StoredRun, loss_S: NDArray[np.float32], known: dict[int, dict[int, float]] | None = None
) -> list[dict[str, Any]]:
    """The metrics of each epoch: ``{epoch, step, train: {metric: value}, validation: {…}}``; for ensembles
    also ``members: {metric: [for each network]}`` on validation rows. Of many epochs, those that are drawn by
    their validation loss, with the first and the last; of others only this loss is read, and once where
    ``known`` is kept: by segment, what was read."""
    count = epoch_count(run.spec)
    mean_E, _deviation_E = training_losses(loss_S, count)
    last = len(mean_E) + bool(epochs_of(run.folder, run.spec, [len(mean_E) + 1]))  # it may be cut short
    numbers = list(range(1, last + 1))
    if last > EPOCHS:
        measured = {} if known is None else known
        read_validation_losses(run.folder, run.spec, measured)
        loss_by_epoch = {epoch: loss for of in measured.values() for epoch, loss in of.items()}
        places = [epoch for epoch in sorted({1, last, *loss_by_epoch}) if epoch <= last]
        value_N = [loss_by_epoch.get(epoch, math.nan) for epoch in places]
        numbers = [places[k] for k in drawn_places(places, value_N, EPOCHS)]
    entries: dict[int, dict[str, Any]] = {
        number: {
            "epoch": number,
            "step": min(count.end_of(number), len(loss_S)),
            "train": {"loss": finite(float(mean_E[number - 1]))} if number <= len(mean_E) else {},
            "validation": {},
        }
        for number in numbers
    }
    for row in epochs_of(run.folder, run.spec, numbers):
        entry = entries[row.epoch]
        if row.split in ("train", "validation") and row.metric not in ("seconds", "loss_std"):
            entry[row.split][row.metric] = finite(row.value)
        split, apart, member = row.split.partition(MEMBER)
        if apart and split == "validation":
            none = [None] * run.resolved.ensemble
            of = entry.setdefault("members", {}).setdefault(row.metric, none)
            of[int(member)] = finite(row.value)
    return list(entries.values())
