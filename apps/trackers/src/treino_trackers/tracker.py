"""The interface of a tracker: a run begins, logs metrics, and ends."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

Value = str | float | int | bool | None


@dataclass(frozen=True)
class TrackedRun:
    """A run at its start. name: the folder's. project: the data's name. settings: all resolved, by name."""

    name: str
    project: str
    path: Path
    settings: Mapping[str, Any]


@dataclass(frozen=True)
class SweepTable:
    """A table of a sweep's members, one row each."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Value, ...], ...]


@dataclass(frozen=True)
class TrackedEnd:
    """A run at its end. figures: metrics by ``split/metric``. pictures: files. folder: the sealed folder to
    store as an artifact; None: store none. tags: the findings' rules, and the status."""

    status: str
    figures: Mapping[str, float]
    pictures: tuple[Path, ...] = ()
    folder: Path | None = None
    tags: tuple[str, ...] = ()
    table: SweepTable | None = None


class Tracker(Protocol):
    """A tracker, which gets one run after another. Its errors are reported and don't end the training."""

    def begin(self, run: TrackedRun) -> None:
        """Begin a run, or continue it if the tracker knows it."""

    def log(self, step: int, figures: Mapping[str, float]) -> None:
        """Log metrics after ``step`` updates."""

    def finish(self, end: TrackedEnd) -> None:
        """End the run."""


def plain_settings(settings: Mapping[str, Any]) -> dict[str, Value]:
    """Return the settings as numbers, bools and texts, without those that are None."""
    return {
        name: value if isinstance(value, str | float | int | bool) else str(value)
        for name, value in settings.items()
        if value is not None
    }
