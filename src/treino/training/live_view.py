"""The live view of a training: its whole state, at most ten times a second, while somebody watches."""

import time
from pathlib import Path

import numpy as np

from treino.engine import TrainingLoop
from treino.store.live import LiveFolder

SPACING = 0.095  # seconds between two states, at least
SHORTEST = 0.02  # seconds of training between two looks at whether one is due
LOOK = 0.05  # seconds between two checks for a watcher
TAIL = 4096  # newest losses shown with a state, at most


class LiveView:
    """Shows one training. Without a watcher it costs one ``stat`` of a file."""

    def __init__(self, run: Path) -> None:
        self.folder = LiveFolder(run)
        self._looked = self._update_time = -1.0
        self._watched = False
        self._state: tuple[int, bool] | None = None  # (step, playing) of the newest state shown
        self._first, self._loss_S = 0, np.zeros(0, np.float32)

    def add(self, first: int, loss_S: np.ndarray) -> None:
        """Add the losses of the steps that follow ``first`` updates."""
        if not self._watched or first != self._first + len(self._loss_S):
            self._first, self._loss_S = first, loss_S
            return
        joined = np.concatenate([self._loss_S, loss_S])
        self._loss_S = joined[-TAIL:]
        self._first += len(joined) - len(self._loss_S)

    def due_in(self, most: float) -> float:
        """Seconds until the next state may be shown, at most ``most``; ``most`` without a watcher."""
        left = self._update_time + SPACING - time.monotonic()
        return min(most, max(left, SHORTEST)) if self._watched else most

    def update(self, training: TrainingLoop, segment: int, *, playing: bool) -> None:
        """Show the training's state if somebody watches and the state has changed."""
        now = time.monotonic()
        if now - self._looked >= LOOK:
            self._looked, self._watched = now, self.folder.watched
        if not self._watched or self._state == (training.step, playing):
            return
        if playing and not training.done and now - self._update_time < SPACING:
            return
        tensors, meta = training.save()
        tail = {"first": self._first, "losses": self._loss_S.tolist()}
        self.folder.show(
            tensors,
            {"engine": meta, "segment": segment, "time": time.time(), "playing": playing, "tail": tail},
        )
        self._update_time, self._state = now, (training.step, playing)

    def changed(self) -> None:
        """Mark the newest state as outdated, after a setting changed without a step."""
        self._state = None

    def close(self) -> None:
        """Stop showing states."""
        self.folder.close()
