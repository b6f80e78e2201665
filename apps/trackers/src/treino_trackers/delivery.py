"""Deliver a training's events to trackers, in order, on a thread per tracker."""

import importlib
import importlib.util
import logging
import warnings
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

from treino.base.delivery import Delivery
from treino.base.errors import Refusal, TreinoError, nearest
from treino.base.words import _
from treino.training import JobEnd, JobEvent, JobProgress, JobStart

TRACKER_UNKNOWN = Refusal("There is no tracker {name!r}.", "{hint}")

PATIENCE_SECONDS = 60.0  # longest wait for a tracker after the training
TRACKERS = {  # name: (its package, the path of its class)
    "tensorboard": ("tensorboard", "treino_trackers.tensorboard:TensorBoard"),
    "mlflow": ("mlflow", "treino_trackers.mlflow:MLflow"),
    "wandb": ("wandb", "treino_trackers.wandb:Wandb"),
    "trackio": ("trackio", "treino_trackers.trackio:Trackio"),
}


def tracker_names(track: str | Sequence[str] | None) -> tuple[str, ...]:
    """Return the names of the trackers in a text with commas or in a sequence.

    Raises:
        TreinoError: an unknown tracker, or one whose package is not installed.
    """
    parts = track.split(",") if isinstance(track, str) else list(track or ())
    names = tuple(dict.fromkeys(part.strip() for part in parts if part.strip()))
    for name in names:
        if name not in TRACKERS:
            raise TRACKER_UNKNOWN(name=name, hint=nearest(name, TRACKERS))
        spec = importlib.util.find_spec(TRACKERS[name][0])
        if spec is None or spec.origin is None:  # spec.origin None: only a folder of that name
            raise TreinoError(
                "tracker_missing",
                _("{name} is not installed.").format(name=TRACKERS[name][0]),
                _("Install it: pip install 'treino[{name}]'.").format(name=name),
            )
    return names


def _tracker(name: str) -> Any:
    module, _colon, kind = TRACKERS[name][1].partition(":")
    return getattr(importlib.import_module(module), kind)()


class Tracking:
    """The trackers of a training. failures: at the end, a sentence for each tracker that missed a call.

    Raises:
        TreinoError: an unknown tracker, or one that is not installed.
    """

    def __init__(self, track: str | Sequence[str] | None) -> None:
        self.names = tracker_names(track)
        self.failures: list[str] = []

    def warn(self) -> None:
        """Issue a Python warning for each failure."""
        for failure in self.failures:
            warnings.warn(failure, stacklevel=3)

    def events(self, stream: Iterator[JobEvent]) -> Iterator[JobEvent]:
        """Yield the events, and report them to each tracker."""
        if not self.names:
            yield from stream
            return
        from treino_trackers import messages  # imported only for a tracked training

        deliveries = [Delivery(name, partial(_tracker, name)) for name in self.names]

        def tell(what: str, *values: Any) -> None:
            for delivery in deliveries:
                delivery.tell(what, *values, may_be_lost=what == "log")

        begun = False
        try:
            for event in stream:
                if isinstance(event, JobStart) and not begun:  # an alert may send a training back
                    begun = True
                    tell("begin", messages.begun(event))
                elif isinstance(event, JobProgress):
                    for step, figures in messages.figures(event):
                        tell("log", step, figures)
                elif isinstance(event, JobEnd):
                    tell("finish", messages.ended(event))
                    for run, end in messages.best_members(event):
                        tell("begin", run)
                        tell("finish", end)
                yield event
        finally:
            for delivery in deliveries:
                delivery.end(PATIENCE_SECONDS)
            sentence = _("{tracker} was not told all of it: {why}")
            self.failures = [sentence.format(tracker=d.name, why=d.failure) for d in deliveries if d.failure]
            for failure in self.failures:
                logging.getLogger("treino").warning("%s", failure)
