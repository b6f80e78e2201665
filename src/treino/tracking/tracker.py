"""The interface of a tracker: a run begins, logs figures, and ends."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

Value = str | float | int | bool | None


@dataclass(frozen=True)
class TrackedRun:
    """A run as it begins. name: of its folder; project: of its data; settings: all resolved, by name."""

    name: str
    project: str
    path: Path
    settings: Mapping[str, Any]


@dataclass(frozen=True)
class SweepTable:
    """The members of a sweep, a row each."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Value, ...], ...]


@dataclass(frozen=True)
class TrackedEnd:
    """A run as it ended. figures: by ``split/metric``; pictures: files; folder: the sealed folder, None where
    it is no artifact; tags: rules of findings and the status."""

    status: str
    figures: Mapping[str, float]
    pictures: tuple[Path, ...] = ()
    folder: Path | None = None
    tags: tuple[str, ...] = ()
    table: SweepTable | None = None


class Tracker(Protocol):
    """One tracker, for one run after another; its errors are reported and don't end the training."""

    def begin(self, run: TrackedRun) -> None:
        """A run begins, or goes on if the tracker knows it."""

    def log(self, step: int, figures: Mapping[str, float]) -> None:
        """Figures after so many updates."""

    def finish(self, end: TrackedEnd) -> None:
        """The run has ended."""


def plain_settings(settings: Mapping[str, Any]) -> dict[str, Value]:
    """The settings as numbers, truth values and texts; those without a value are left out."""
    return {
        name: value if isinstance(value, str | float | int | bool) else str(value)
        for name, value in settings.items()
        if value is not None
    }
