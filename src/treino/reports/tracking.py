"""Report a training's events to experiment trackers, which an app of their own knows."""

from collections.abc import Iterator, Sequence
from typing import Any, Protocol, cast

from treino.base.apps import brought
from treino.training.loop import JobEvent


class Tracking(Protocol):
    """The trackers of a training. failures: at the end, a sentence for each tracker that missed a call."""

    failures: list[str]

    def events(self, stream: Iterator[JobEvent]) -> Iterator[JobEvent]:
        """Yield the events, and report them to each tracker."""

    def warn(self) -> None:
        """Issue a Python warning for each failure."""


def tracking_of(track: str | Sequence[str] | None) -> Tracking | None:
    """The trackers of these names, separated by commas or in a sequence; None without a name.

    Raises:
        TreinoError: an unknown tracker, one that is not installed, or the app is missing.
    """
    if not track:
        return None
    made: Any = brought("treino.functions", "tracking")(track)
    return cast(Tracking, made)
