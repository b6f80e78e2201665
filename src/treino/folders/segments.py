"""Segments of a run: consecutive trainings, each continued from a step of an earlier one with other settings.

Nothing is overwritten: rewinding opens the next segment in the same folder; branching opens it in a new
folder with a copy of the shared past. The newest segment and its ancestors are the run's path; the run's
losses and metrics are the path's.
"""

import math
from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from torch import Tensor

from treino.base.files import damaged
from treino.base.words import _, numeral
from treino.engine.carry_over import unread
from treino.engine.step_plan import EpochStretch, Past
from treino.folders.documents.run_spec import RunSpec
from treino.folders.documents.run_spec import Segment as Segment
from treino.folders.store import EpochValue, RunFolder
from treino.folders.store.database import SENDERS, Command
from treino.inspection.curves import Floats, epoch_losses

# ---- segments of a run

LAYERS = ("hidden", "activation", "dropout")
"""Settings that change a network's layers."""


@dataclass(frozen=True)
class Link:
    """A part of a path: the segment's steps after ``first`` updates, up to ``stop`` of them (None: all)."""

    segment: Segment
    first: int
    stop: int | None

    def holds(self, command: Command) -> bool:
        """Whether what this command set is in force on the link, or from its last step on.

        A segment that begins at the step of a change takes the change over.
        """
        step = command.step or 0
        if (command.segment or 0) != self.segment.number:
            return False
        return self.first <= step and (self.stop is None or step <= self.stop)


def segments_of(spec: RunSpec) -> list[Segment]:
    """All segments, by number."""
    first = Segment.model_construct(asked=spec.asked, steps_per_epoch=spec.steps_per_epoch)
    return list(spec.segments) or [first]


def newest(spec: RunSpec) -> Segment:
    return segments_of(spec)[-1]


def said_of(spec: RunSpec) -> list[str]:
    """Sentences about the newest segment: its first step, its changed settings, what was reset; none for the
    first one."""
    if not spec.segments:
        return []
    segments = segments_of(spec)
    segment, before = segments[-1], next(s for s in segments if s.number == (segments[-1].origin or (0,))[0])
    changed = _told(segment.changed_from(before), spec)
    parent = spec.parent
    place = _("{run}, step {step:,}") if parent and parent.segment == before.number else _("step {step:,}")
    where = place.format(run=parent.run if parent else "", step=segment.start)
    if not changed:
        return [_("It goes on from {where}, with the same settings.").format(where=where)]
    sentences = [_("It goes on from {where}, with {changes}.").format(where=where, changes=listed(changed))]
    if segment.optimizer_from != before.optimizer_from:
        sentences.append(_("The optimizer's state began at zero there."))
    if segment.output_change is not None:
        change = numeral(segment.output_change, ".2g")
        sentences.append(
            _("No output on training rows changed by more than {change} there.").format(change=change)
        )
    return sentences


def _told(changed: Mapping[str, Any], spec: RunSpec) -> dict[str, Any]:
    """The changed settings, without those that only became explicit or that nothing reads."""
    unsaid = {*unread(spec.resolved.optimizer)}
    unsaid |= {"patience"} if changed.keys() & {"epochs", "steps"} else set()
    return {k: v for k, v in changed.items() if (v is not None or k == "clip") and k not in unsaid}


def listed(settings: Mapping[str, Any]) -> str:
    """Settings with their values as one text, such as ``lr 0.001, dropout 0.3``."""
    return ", ".join(f"{name} {_typed(value)}" for name, value in settings.items())


def path_of(spec: RunSpec, number: int | None = None) -> list[Link]:
    """The links from step 0 to the end of this segment (default: the newest)."""
    segments = {s.number: s for s in segments_of(spec)}
    segment, stop = segments[max(segments) if number is None else number], None
    path = [Link(segment, segment.start, stop)]
    while segment.origin is not None:
        before, stop = segment.origin
        segment = segments[before]
        path.append(Link(segment, segment.start, stop))
    return path[::-1]


def epoch_count(spec: RunSpec, number: int | None = None) -> EpochStretch:
    """The epoch of each step on the path to the end of this segment (default: the newest)."""
    return path_counts(spec, number)[-1][1]


def path_counts(spec: RunSpec, number: int | None = None) -> list[tuple[Link, EpochStretch]]:
    """Each link of a path, with the epoch of each step up to its end."""
    path = path_of(spec, number)
    counts, count = [], EpochStretch(path[0].segment.steps_per_epoch)
    for link in path:
        if (link.segment.passes_from, link.segment.steps_per_epoch) != (
            count.start_step,
            count.steps_per_epoch,
        ):
            count = count.restarted(link.segment.passes_from, link.segment.steps_per_epoch)
        counts.append((link, count))
    return counts


def past_of(spec: RunSpec, segment: Segment) -> Past:
    """What the segment's training takes over from earlier segments."""
    count = epoch_count(spec, segment.number)
    return Past(count.start_step, count.previous, segment.optimizer_from, segment.order_seed)


def layers_from(spec: RunSpec) -> int:
    """The first step at which the network has its present layers."""
    path = path_of(spec)
    layers = [[link.segment.asked.get(name) for name in LAYERS] for link in path]
    others = [place for place, of in enumerate(layers) if of != layers[-1]]
    return path[others[-1] + 1].first if others else 0


def shown_settings(spec: RunSpec, resolved: Mapping[str, Any], number: int | None = None) -> dict[str, Any]:
    """The resolved settings in this segment (default: the newest), with the path's changes."""
    settings = dict(resolved)
    for link in path_of(spec, number):
        settings = link.segment.settings(settings)
    return settings


TRANSPORT = ("stop", "play", "pause", "step", "epoch", "speed")
"""Commands that set when steps are taken, and don't change the steps."""


def setting_commands(folder: RunFolder) -> list[Command]:
    """The commands that changed a hyper-parameter, in order."""
    commands = folder.database.commands()
    return [each for each in commands if each.state == "applied" and each.name not in TRANSPORT]


@dataclass(frozen=True)
class SettingChange:
    """Settings changed on a run's path. step: the first step that they hold for. sender: who changed them, as
    in a ``Command``."""

    segment: int
    step: int
    settings: Mapping[str, Any]
    sender: str

    def to_json(self) -> dict[str, Any]:
        """The change as an item of ``changes`` in the ``train`` document."""
        return vars(self) | {"settings": dict(self.settings)}

    def __str__(self) -> str:
        sender = _(SENDERS.get(self.sender, self.sender))
        if not self.settings:
            return _("From step {step:,} on: the same settings again ({sender}).").format(
                step=self.step, sender=sender
            )
        return _("From step {step:,} on: {changes} ({sender}).").format(
            step=self.step, changes=listed(self.settings), sender=sender
        )


def changes_of(folder: RunFolder, spec: RunSpec) -> list[SettingChange]:
    """All changes of settings on the run's path, in the order of their steps: by commands to the process that
    trained it, and at the beginnings of segments. A command for a step that a run never reached changed
    nothing; while it trains, it may still."""
    path = path_of(spec)
    if folder.status != "running":
        last, taken = path[-1], folder.database.losses(path[-1].segment.number)
        path[-1] = replace(last, stop=last.first + len(taken))
    told = [replace(each, settings=_told(each.settings, spec)) for each in _changes(folder, path)]
    return sorted(told, key=lambda change: change.step)


def changed_step(folder: RunFolder, spec: RunSpec, segment: Segment) -> int:
    """The last step before the segment's commands at which settings changed; 0 if none did."""
    *path, last = path_of(spec, segment.number)
    path.append(replace(last, stop=last.first))
    return max((each.step for each in _changes(folder, path) if each.settings), default=0)


def changed_since(folder: RunFolder, spec: RunSpec, step: int, names: Set[str]) -> int:
    """The step since when these settings are as they are at ``step`` of the run's path."""
    changes = (each for each in _changes(folder, path_of(spec)) if names & each.settings.keys())
    return max((each.step for each in changes if each.step <= step), default=0)


def _changes(folder: RunFolder, path: list[Link]) -> Iterator[SettingChange]:
    """Yield what each segment of a path changes at its first step, and the commands to it."""
    before, commands = None, setting_commands(folder)
    for link in path:
        segment = link.segment
        if before is not None:
            yield SettingChange(segment.number, link.first, segment.changed_from(before), segment.sender)
        for command in filter(link.holds, commands):
            change = {command.name: command.value}
            yield SettingChange(segment.number, command.step or 0, change, command.sender)
        before = segment


def losses_of(folder: RunFolder, spec: RunSpec) -> np.ndarray:
    """``[S]`` float32: the training loss of every step of the run's path."""
    parts = []
    for link in path_of(spec):
        losses_S = np.asarray(folder.database.losses(link.segment.number))
        if losses_S.ndim != 1:
            raise damaged(folder.path / "run.sqlite", _("its losses are of several networks"))
        parts.append(losses_S if link.stop is None else losses_S[: link.stop - link.first])
    return np.concatenate(parts) if len(parts) > 1 else parts[0]


def epochs_of(folder: RunFolder, spec: RunSpec) -> list[EpochValue]:
    """The values recorded at the ends of the path's epochs."""
    path = path_counts(spec)
    rows = folder.database.epochs_of(link.segment.number for link, _count in path)
    return [
        row
        for link, count in path
        for row in rows[link.segment.number]
        if link.stop is None or count.end_of(row.epoch) <= link.stop
    ]


# ---- histories of a run

UNKNOWN: dict[str, Any] = {
    "stopped_early": False,
    "seconds": None,
    "evaluation_seconds": None,
    "metrics": {"train": None, "validation": None, "test": None},
    "intervals": {"test": None},
    "baseline": {},
    "kept_epoch": None,
    "kept_step": None,
}
"""Entries of the ``train`` document that are unknown until a run ends."""


def histories(folder: RunFolder, spec: RunSpec, *, over: bool = False) -> dict[str, Any]:
    """The per-epoch lists of the ``train`` document. over: include a last epoch that was cut short."""
    mean_E, deviation_E = training_losses(losses_of(folder, spec), epoch_count(spec), over=over)
    measured = evaluations(folder, spec, len(mean_E))
    validation, nothing = measured.get("validation", {}), [None] * len(mean_E)
    return {
        "epochs": len(mean_E),
        "epoch_seconds": measured.get("train", {}).get("seconds", []),
        "loss": {"train": mean_E.tolist(), "validation": validation.get("loss", nothing)},
        "loss_std": {"train": deviation_E.tolist(), "validation": validation.get("loss_std", nothing)},
    }


def training_losses(
    losses_S: np.ndarray, count: EpochStretch, *, over: bool = False
) -> tuple[Floats, Floats]:
    """Mean and deviation ``[E]`` of the losses of each epoch; over: include a last one cut short."""
    losses, stop = list[tuple[Floats, Floats]](), len(losses_S)
    for part in count.parts:
        losses.append(
            epoch_losses(
                losses_S[part.start_step : stop], part.steps_per_epoch, cut=over or part is not count
            )
        )
        stop = part.start_step
    mean_E, deviation_E = (np.concatenate(values[::-1]) for values in zip(*losses, strict=True))
    return mean_E, deviation_E


MEMBER = "/"  # between a split and the number of a member


def member_rows(
    evaluation: Mapping[str, Mapping[str, Tensor]], settings: Mapping[str, Any]
) -> Iterator[tuple[str, str, float]]:
    """(split, metric, value) to record for each ensemble member: metrics for its curves and for the choice of
    members. NaN of stopped members is left out."""
    shown = {"loss", "accuracy", "rmse", settings["metric"]} if settings["ensemble"] > 1 else set()
    for split, metrics in evaluation.items():
        for metric in sorted(shown & metrics.keys()):
            for member, value in enumerate(metrics[metric].tolist()):
                if not math.isnan(value):
                    yield f"{split}{MEMBER}{member}", metric, value


def member_evaluations(
    folder: RunFolder, spec: RunSpec, epochs: int
) -> dict[str, dict[str, list[list[float | None]]]]:
    """``{split: {metric: [for each member [value of epoch 1, 2, ...]]}}`` of an ensemble."""
    values: dict[str, dict[str, list[list[float | None]]]] = {}
    for row in epochs_of(folder, spec):
        split, apart, member = row.split.partition(MEMBER)
        if apart and row.epoch <= epochs:
            empty: list[list[float | None]] = [[None] * epochs for _member in range(spec.resolved.ensemble)]
            values.setdefault(split, {}).setdefault(row.metric, empty)[int(member)][row.epoch - 1] = row.value
    return values


def evaluations(folder: RunFolder, spec: RunSpec, epochs: int) -> dict[str, dict[str, list[float | None]]]:
    """``{split: {metric: [value of epoch 1, 2, ...]}}``; None for an epoch that was not evaluated."""
    values: dict[str, dict[str, list[float | None]]] = {}
    for row in epochs_of(folder, spec):
        if row.epoch <= epochs and MEMBER not in row.split:
            of = values.setdefault(row.split, {}).setdefault(row.metric, [None] * epochs)
            of[row.epoch - 1] = row.value
    return values


def segment_text(changes: Any) -> str:
    """Changes as a short text: ``lr 0.01 · batch_size 64 · hidden 8,6``."""
    return " · ".join(f"{name} {_typed(value)}" for name, value in dict(changes).items())


def _typed(value: Any) -> str:
    """A value as a user would type it on a command line."""
    if isinstance(value, list | tuple):
        return ",".join(map(str, value)) or _("none")
    return _("none") if value is None else str(value)
