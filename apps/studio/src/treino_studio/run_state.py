"""The ``state`` message of a run's page (all but curves and frames), and the points of its curves."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from treino.base.errors import TreinoError
from treino.base.words import _
from treino.engine import ACTIVATIONS, LOSSES, OPTIMIZERS, SCHEDULES, TrainingLoop, unread
from treino.folders import (
    MEMBER,
    Command,
    Link,
    RunSpec,
    Segment,
    StoredRun,
    changed_since,
    epoch_count,
    epochs_of,
    path_of,
    segment_text,
    segments_of,
    setting_commands,
    shown_settings,
    training_losses,
)
from treino.inspection import columns_with_an_axis
from treino.reports import called_again
from treino.settings import FAULTS, LAYERS
from treino.training import Snapshot, faulty_from, with_remedy
from treino_studio.run_result import run_result

# ---- state

FINDING = ("rule", "severity", "certain", "message", "why", "fix")  # keys of a finding on the page
BEFORE_LOST = 10  # steps before weights were lost from which a remedy is tried, or an epoch if that is more
MOST_FEATURES = 200  # maximum number of names in a selection list


def run_state(run: StoredRun) -> dict[str, Any]:
    """The part of the state that depends only on the run's documents."""
    spec = run.spec
    facts, data = spec.facts, run.data
    settings = shown_settings(spec, spec.resolved.model_dump(mode="json"))
    segments = {segment.number: segment for segment in segments_of(spec)}
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
                "text": changed_text(s, segments[s.origin[0]]) if s.origin else segment_text(s.changes),
            }
            for s in segments.values()
        ],
        "marks": marks(run),
        "findings": findings(run),
        "metrics": run.metrics if run.result is not None else None,
        "result": run_result(run),
        "command": commands(run),
        "unseen": [],
    }


def commands(run: StoredRun) -> str:
    """Return the command that trains the run again, with the changes during the run as comments."""
    call = called_again(run.spec, run)
    lines = ["import treino", call] if call else [run.command]
    comment = _("# on its way: {changes} from step {step}")
    lines += [comment.format(changes=mark["text"], step=mark["step"]) for mark in marks(run)]
    return "\n".join(lines)


def choices(run: StoredRun, settings: dict[str, Any]) -> dict[str, Any]:
    """List the values that can replace the settings in force at a step."""
    return {
        "optimizer": list(OPTIMIZERS),
        "activation": list(ACTIVATIONS) if run.spec.net == "mlp" else [],
        "schedule": list(SCHEDULES),
        "batch_size": batch_sizes(len(run.data.train)),
        "loss": losses(settings["loss"]),
        "live": live_settings(settings, run.spec.net in LAYERS),
    }


def fixed_by(spec: RunSpec) -> str | None:
    """Say what keeps the layers from growing: ``own`` (a network of the user), ``cnn`` or ``batch_norm``."""
    if spec.net == "mlp":
        return "batch_norm" if spec.resolved.batch_norm else None
    return "cnn" if spec.net == "cnn" else "own"


def planned_steps(run: StoredRun) -> int:
    """The step at which the newest segment ends as planned."""
    resolved = run.spec.resolved
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


def live_settings(settings: dict[str, Any], own_layers: bool) -> list[str]:
    """The settings of this run that can change between two steps. own_layers: the network has treino's
    layers."""
    reads = OPTIMIZERS[settings["optimizer"]].reads
    names = ["lr", "weight_decay", "clip"]
    if "momentum" in reads:
        names.append("momentum")
    if "betas" in reads:
        names += ["beta1", "beta2"]
    if own_layers and settings.get("dropout"):
        names.append("dropout")
    if settings.get("ema"):
        names.append("ema")
    return names


def changed_text(segment: Segment, before: Segment) -> str:
    """The changes of a segment as a short text, without settings that its optimizer doesn't read, and without
    the patience that only became explicit with another length."""
    changed = segment.changed_from(before)
    meaningless = {*unread(segment.optimizer)} | (
        {"patience"} if changed.keys() & {"epochs", "steps"} else set()
    )
    return segment_text({k: v for k, v in changed.items() if k not in meaningless})


APART = ("name", "out", "threads", "device", "engine")  # settings in which runs may differ that say nothing
MOST_APART = 3  # maximum number of settings in a text


def difference_text(run: StoredRun, other: StoredRun) -> str:
    """Return a short text of the data or settings in which the other run differs: ``lr 0.0118``."""
    if run.spec.data.name != other.spec.data.name:
        return other.spec.data.name
    own, its = settings_now(run), settings_now(other)
    apart = {name: value for name, value in its.items() if name not in APART and own.get(name) != value}
    chosen = _chosen(run) | _chosen(other)  # defaults may follow from them
    names = [name for name in apart if name in chosen] or list(apart)
    text = segment_text({name: apart[name] for name in names[:MOST_APART]})
    return text + (" …" if len(names) > MOST_APART else "")


def _chosen(run: StoredRun) -> set[str]:
    """The settings that somebody chose."""
    segments, commands = segments_of(run.spec), setting_commands(run.folder)
    changed = {name for s in segments for name in (*s.asked, *s.changes)}
    return set(run.spec.asked) | changed | {command.name for command in commands}


def settings_now(run: StoredRun) -> dict[str, Any]:
    """The run's settings after its last change."""
    settings, commands = run.spec.resolved.model_dump(mode="json"), setting_commands(run.folder)
    for link in path_of(run.spec):
        settings = link.segment.settings(settings)
        settings |= {command.name: command.value for command in filter(link.holds, commands)}
    return settings


def marks(run: StoredRun) -> list[dict[str, Any]]:
    """All changes of settings on the run's path, each with its step."""
    every: list[dict[str, Any]] = []
    path, commands = path_of(run.spec), setting_commands(run.folder)
    for before, link in zip([None, *(each.segment for each in path)], path, strict=False):
        every += link_marks(link, before, commands)
    return joined_marks(every)


def link_marks(link: Link, before: Segment | None, commands: Sequence[Command]) -> list[dict[str, Any]]:
    """The changes with which a link begins, and those of commands to it. before: the segment that it goes on
    from; None: it is the first one."""
    segment = link.segment
    changes = [(segment.start, changed_text(segment, before))] if before is not None else []
    changes += [
        (command.step or 0, segment_text({command.name: command.value}))
        for command in filter(link.holds, commands)
    ]
    return [{"segment": segment.number, "step": step, "text": text} for step, text in changes]


def joined_marks(every: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Join changes at the same step into one mark; the last of several changes of a setting is kept."""
    by_step: dict[tuple[int, int], dict[str, str]] = {}
    for mark in every:
        texts = by_step.setdefault((mark["segment"], mark["step"]), {})
        for text in mark["text"].split(" · "):
            texts[text.split(" ")[0]] = text
    return [
        {"segment": segment, "step": step, "text": " · ".join(texts.values())}
        for (segment, step), texts in by_step.items()
    ]


def findings(
    run: StoredRun, seen: Sequence[dict[str, Any]] = (), first_seen: Mapping[str, int] | None = None
) -> list[dict[str, Any]]:
    """The doctor's findings: the run's stored findings, and the findings ``seen`` during training.
    first_seen: by rule, the step at which the finding appeared."""
    known = [{name: getattr(each, name) for name in FINDING} for each in run.facts.findings]
    steps = dict(first_seen or {}) | {rule: faulty_from(run.spec) for rule in FAULTS}
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
    step = changed_since(run.folder, run.spec, snapshot.step, names)
    if finding["rule"] in BROKEN or run.status == "diverged":
        begun = finding["step"] if finding["step"] is not None else last
        step = max(step, begun - max(BEFORE_LOST, run.spec.steps_per_epoch))
    return {"text": segment_text(change), "step": step}


def settings_at(run: StoredRun, snapshot: Snapshot) -> dict[str, Any]:
    """The settings in force at the snapshot's step, by name."""
    settings = {**run.spec.resolved.model_dump(mode="json"), **snapshot.settings}
    hp = {name: value for name, value in snapshot.hp.items() if name != "eps"}
    clip = hp.pop("clip")
    return {**settings, **hp, "clip": None if clip == float("inf") else clip}


# ---- curves

POINTS = 4000  # maximum number of points of the training loss
EPOCHS = 1500  # maximum number of epochs shown
VITALS = 400  # maximum number of steps whose gradient norm, update size and learning rate are kept
PAST_VITALS = 60  # steps of the past that are measured although nobody has watched them


def finite(value: float) -> float | None:
    """The number; None for NaN and infinities."""
    return float(value) if math.isfinite(value) else None


@dataclass
class ThinnedLosses:
    """The number of points of a loss curve that a page has; each point is the mean of ``width`` steps."""

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
        with np.errstate(over="ignore", invalid="ignore"):
            mean_P = part_PW.reshape(-1, self.width).mean(axis=1)
        self.points = stop
        step_P = (np.arange(first, stop) + 1) * self.width
        return {"from": first, "step": step_P.tolist(), "loss": [finite(v) for v in mean_P.tolist()]}


@dataclass
class Vitals:
    """Gradient norm, update size, learning rate and metrics on training rows, at steps that were drawn."""

    by_step: dict[int, dict[str, Any]] = field(default_factory=dict)
    measured: set[int] = field(default_factory=set)  # steps of ``by_step``, and those thinned out of it

    def add(
        self,
        step: int,
        gradient_norm: float | None,
        update_ratio: float | None,
        lr: float,
        train: Mapping[str, float | None],
    ) -> None:
        self.measured.add(step)
        self.by_step[step] = {
            "step": step,
            "gradient_norm": gradient_norm,
            "update_ratio": update_ratio,
            "lr": lr,
            "train": dict(train),
        }
        if len(self.by_step) > VITALS:
            for gone in sorted(self.by_step)[1:-1:2]:
                del self.by_step[gone]

    def leave(self, step: int) -> None:
        """Forget the steps after ``step``, which a rewind has left."""
        self.by_step = {each: vital for each, vital in self.by_step.items() if each <= step}
        self.measured = {each for each in self.measured if each <= step}

    def unmeasured(self, last: int) -> int | None:
        """A step up to the last one that shall be measured, although nobody has watched it; None: none is
        left."""
        steps = np.unique(np.linspace(0, last, PAST_VITALS).astype(int)).tolist()
        finer = (step for apart in (16, 4, 1) for step in steps[::apart])  # first a whole curve
        return next((step for step in finer if step not in self.measured), None)

    def listed(self) -> list[dict[str, Any]]:
        return [self.by_step[step] for step in sorted(self.by_step)]


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


def epochs(run: StoredRun, loss_S: NDArray[np.float32]) -> list[dict[str, Any]]:
    """The metrics of each epoch: ``{epoch, step, train: {metric: value}, validation: {…}}``; for ensembles
    also ``members: {metric: [for each network]}`` on validation rows."""
    count = epoch_count(run.spec)
    entries: dict[int, dict[str, Any]] = {}

    def entry(number: int) -> dict[str, Any]:
        new = {"epoch": number, "step": min(count.end_of(number), len(loss_S)), "train": {}, "validation": {}}
        return entries.setdefault(number, new)

    mean_E, _deviation_E = training_losses(loss_S, count)
    for k, mean in enumerate(mean_E.tolist()):
        entry(k + 1)["train"]["loss"] = finite(mean)
    for row in epochs_of(run.folder, run.spec):
        if row.split in ("train", "validation") and row.metric not in ("seconds", "loss_std"):
            entry(row.epoch)[row.split][row.metric] = finite(row.value)
        split, apart, member = row.split.partition(MEMBER)
        if apart and split == "validation":
            none = [None] * run.spec.resolved.ensemble
            of = entry(row.epoch).setdefault("members", {}).setdefault(row.metric, none)
            of[int(member)] = finite(row.value)
    listed = [entries[number] for number in sorted(entries)]
    if len(listed) > EPOCHS:
        places = np.unique(np.linspace(0, len(listed) - 1, EPOCHS).astype(int))
        listed = [listed[k] for k in places]
    return listed
