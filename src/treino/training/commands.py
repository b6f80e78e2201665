"""Control of a running training: commands to its process, play and pause, the live state."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from treino.base.errors import Refusal, TreinoError
from treino.engine import TrainingLoop
from treino.engine.hyperparameters import single_values, whole
from treino.engine.step_plan import EpochCount
from treino.folders.store import RunFolder
from treino.folders.store.checkpoint import LiveFolder
from treino.folders.store.database import NOT_RUNNING, not_running
from treino.folders.stored_run import StoredRun
from treino.settings.setting_types import FASTEST, MOST_STEPS, SLOWEST

SPEED_RANGE = Refusal(
    "A speed must be from {low:g} to {high:,.0f} steps per second; it is {value!r}.",
    "The usual ones are 1, 10 and 60; null is as fast as it goes.",
)

# ---- commands to the process that trains a run


def send_settings(
    run: StoredRun, changes: Mapping[str, Any], step: int | None = None, *, sender: str = ""
) -> None:
    """Ask to change hyper-parameters from ``step`` on (default: at once); all of them or none. changes: names
    and values as for ``TrainingLoop.set``. sender: as for ``Database.add_command``.

    Raises:
        TreinoError: an unknown name, a value out of range or without meaning for this network, or no
            training process.
    """
    _check_running(run.folder)
    commands: dict[str, Any] = {}
    for name, value in changes.items():
        commands |= single_values(name, value, run.resolved.optimizer, run.spec.facts.steerable)
    for each, value in commands.items():
        run.folder.database.add_command(each, value, step, sender=sender)


def send_stop(folder: RunFolder) -> None:
    """Ask a training run, sweep or study to write a checkpoint and stop.

    Raises:
        TreinoError: no process trains the folder.
    """
    send_command(folder, "stop")


def send_command(folder: RunFolder, name: str, value: Any = None) -> None:
    """Send any command to the process that trains a run, a sweep or a study.

    Raises:
        TreinoError: no process trains the folder, or its training is ending.
    """
    _check_running(folder)
    folder.database.add_command(name, value)


def deliver(send: Callable[[], None]) -> bool:
    """Send a command. Return False if no process trains, or if its training is ending."""
    try:
        send()
    except TreinoError as error:
        if error.rule != NOT_RUNNING.rule:
            raise
        return False
    return True


def _check_running(folder: RunFolder) -> None:
    if (status := folder.status) != "running":
        raise not_running(folder.path, status)


# ---- play, pause and speed

PLAYBACK = ("play", "pause", "step", "epoch", "speed")
"""Commands that set when steps are taken, and don't change the steps."""
BURST = 0.25  # maximum seconds of missed steps to catch up


@dataclass
class PlayControl:
    """Playback control of a training. stop_step: the step at which to pause; None: play. speed: steps per
    second; None: no limit."""

    stop_step: int | None = None
    speed: float | None = None
    _owed: float = 0.0  # steps that the speed allows
    _at: float = field(default_factory=time.perf_counter)

    def command(self, name: str, value: Any, step: int, epochs: EpochCount) -> None:
        """Obey one of ``play pause step epoch speed``. step: updates so far. epochs: the training's count of
        epochs.

        Raises:
            TreinoError: a count or a speed out of range; then nothing changes.
        """
        value = checked_playback(name, value)
        if name == "play":
            self.stop_step = None
        elif name == "pause":
            self.stop_step = step
        elif name == "speed":
            self.speed, self._owed, self._at = value, 0.0, time.perf_counter()
        else:
            begin = max(step, self.stop_step or 0)  # earlier commands are completed first
            border = epochs.end_of(epochs.ended(begin) + value)
            self.stop_step = begin + value if name == "step" else border

    def playing(self, step: int) -> bool:
        """Whether the training plays at this step; with a low speed it may still wait."""
        return self.stop_step is None or self.stop_step > step

    def limit(self, step: int) -> int | None:
        """The step up to which to train now; None: no limit; ``step`` itself: wait."""
        if self.stop_step is not None and (self.speed is None or self.stop_step <= step):
            return max(self.stop_step, step)
        if self.speed is None:
            return None
        now = time.perf_counter()
        self._owed = min(self._owed + (now - self._at) * self.speed, max(1.0, BURST * self.speed))
        self._at = now
        reached = step + int(self._owed)
        return reached if self.stop_step is None else min(reached, self.stop_step)

    def done(self, steps: int) -> None:
        """Count ``steps`` steps as taken."""
        if self.speed is not None:
            self._owed = max(0.0, self._owed - steps)


def checked_playback(name: str, value: Any) -> Any:
    """The value of a playback command, if the command can be obeyed.

    Raises:
        TreinoError: a count or a speed out of range.
    """
    if name in ("step", "epoch"):
        return whole(name, value, 1, MOST_STEPS, text="count")
    if name != "speed" or value is None:
        return value
    if isinstance(value, bool) or not isinstance(value, int | float) or not SLOWEST <= value <= FASTEST:
        raise SPEED_RANGE(low=SLOWEST, high=FASTEST, value=value)
    return float(value)


# ---- the live view of a training

SPACING = 0.095  # minimum seconds between two states
SHORTEST = 0.02  # seconds of training between two checks for a due state
LOOK = 0.05  # seconds between two checks for a watcher
TAIL = 4096  # maximum number of losses shown with a state: the newest


class LiveView:
    """Shows one training. Without a watcher it costs one ``stat`` of a file."""

    def __init__(self, run: Path) -> None:
        self.folder = LiveFolder(run)
        self._looked = self._update_time = -1.0
        self._watched = False
        self._state: tuple[int, bool, float | None] | None = None  # the step, playing, speed last shown
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

    def update(self, training: TrainingLoop, segment: int, play_control: PlayControl) -> None:
        """Show the training's state if somebody watches and the state has changed."""
        playing = play_control.playing(training.step)
        state = training.step, playing, play_control.speed
        now = time.monotonic()
        if now - self._looked >= LOOK:
            self._looked, self._watched = now, self.folder.watched
        if not self._watched or self._state == state:
            return
        if playing and not training.done and now - self._update_time < SPACING:
            return
        tensors, meta = training.save()
        tail = {"first": self._first, "losses": self._loss_S.tolist()}
        self.folder.show(
            tensors,
            {
                "engine": meta,
                "segment": segment,
                "time": time.time(),
                "playing": playing,
                "speed": play_control.speed,
                "tail": tail,
            },
        )
        self._update_time, self._state = now, state

    def changed(self) -> None:
        """Mark the newest state as outdated, after a setting changed without a step."""
        self._state = None

    def close(self) -> None:
        """Stop showing states."""
        self.folder.close()
