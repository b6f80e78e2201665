"""Segments of a run: consecutive trainings, each continued from a step of an earlier one with other settings.

Nothing is overwritten: rewinding opens the next segment in the same folder, branching the next one in a new
folder that holds the past which it shares. The newest segment and those that it set out from are the run's
path; its losses and figures are those of the path.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from treino.documents.run_spec import RunSpec
from treino.store import EpochValue, RunFolder
from treino.store.files import damaged
from treino.words import _


@dataclass(frozen=True)
class Segment:
    """origin: segment and step that it set out from, None of the first. asked: settings as asked.
    changes: hyper-parameters that are others from its first step on, by the engine's names."""

    number: int = 0
    origin: tuple[int, int] | None = None
    asked: Mapping[str, Any] = field(default_factory=dict)
    changes: Mapping[str, Any] = field(default_factory=dict)

    @property
    def start(self) -> int:
        """Updates that were done before its first one."""
        return self.origin[1] if self.origin else 0

    def to_json(self) -> dict[str, Any]:
        return {
            "number": self.number,
            "origin": list(self.origin) if self.origin else None,
            "asked": dict(self.asked),
            "changes": dict(self.changes),
        }

    def settings(self, resolved: Mapping[str, Any]) -> dict[str, Any]:
        """The resolved settings with its changes, by the names of the table of settings."""
        shown = {name: value for name, value in self.changes.items() if name in resolved}
        if (betas := resolved.get("betas")) is not None:
            shown["betas"] = [self.changes.get(f"beta{i + 1}", b) for i, b in enumerate(betas)]
        return {**resolved, **shown}


@dataclass(frozen=True)
class Link:
    """A part of a path: the segment's steps after ``first`` updates, up to ``stop`` of them (None: all)."""

    segment: Segment
    first: int
    stop: int | None


def segments_of(spec: RunSpec) -> list[Segment]:
    """All of them, by their numbers."""
    if not spec.segments:
        return [Segment(asked=spec.asked)]
    return [Segment(s.number, s.origin, s.asked, dict(s.changes.items())) for s in spec.segments]


def newest(spec: RunSpec) -> Segment:
    return segments_of(spec)[-1]


def said_of(spec: RunSpec) -> list[str]:
    """A sentence about the newest segment: its first step, its changed settings; none for the first one."""
    if not spec.segments:
        return []
    segments = segments_of(spec)
    segment, before = segments[-1], next(s for s in segments if s.number == (segments[-1].origin or (0,))[0])
    changed = {k: v for k, v in segment.asked.items() if before.asked.get(k) != v} | dict(segment.changes)
    if changed.keys() & {"epochs", "steps"}:  # the patience that it had is only said out loud then
        changed.pop("patience", None)
    changed = {k: v for k, v in changed.items() if v is not None or k == "clip"}
    parent = spec.parent
    place = _("{run}, step {step:,}") if parent and parent.segment == before.number else _("step {step:,}")
    where = place.format(run=parent.run if parent else "", step=segment.start)
    if not changed:
        return [_("It goes on from {where}, with the same settings.").format(where=where)]
    listed = ", ".join(f"{name} {value}" for name, value in changed.items())
    return [_("It goes on from {where}, with {changes}.").format(where=where, changes=listed)]


def path_of(spec: RunSpec, number: int | None = None) -> list[Link]:
    """From the first step to the end of this segment (default: the newest)."""
    segments = {s.number: s for s in segments_of(spec)}
    segment, stop = segments[max(segments) if number is None else number], None
    path = [Link(segment, segment.start, stop)]
    while segment.origin is not None:
        before, stop = segment.origin
        segment = segments[before]
        path.append(Link(segment, segment.start, stop))
    return path[::-1]


def shown_settings(spec: RunSpec, resolved: Mapping[str, Any], number: int | None = None) -> dict[str, Any]:
    """The resolved settings as they are in this segment (default: the newest), with the path's changes."""
    settings = dict(resolved)
    for link in path_of(spec, number):
        settings = link.segment.settings(settings)
    return settings


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
    """What was measured at the ends of the path's epochs."""
    found: list[EpochValue] = []
    for link in path_of(spec):
        rows = folder.database.epochs(link.segment.number)
        found += [row for row in rows if link.stop is None or row.epoch * spec.steps_per_epoch <= link.stop]
    return found
