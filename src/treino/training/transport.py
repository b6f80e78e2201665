"""Play, pause and speed of a training that somebody steers: up to which step it may go now."""

import time
from dataclasses import dataclass, field
from typing import Any

from treino.engine.epoch_count import EpochStretch
from treino.engine.value_checks import whole
from treino.errors import TreinoError
from treino.words import _

MOST = 1000  # steps or epochs per command
BURST = 0.25  # seconds of missed steps that are made up for


@dataclass
class Transport:
    """The state of the controls. stop_step: where it pauses; None: it plays. speed: steps per second; None:
    no limit."""

    stop_step: int | None = None
    speed: float | None = None
    _owed: float = 0.0  # steps that the speed allows
    _at: float = field(default_factory=time.perf_counter)

    def command(self, name: str, value: Any, step: int, epochs: EpochStretch) -> None:
        """Obey one of ``play pause step epoch speed``. step: updates so far. epochs: the training's count of
        epochs.

        Raises:
            TreinoError: a count or a speed out of range.
        """
        if name == "play":
            self.stop_step = None
        elif name == "pause":
            self.stop_step = step
        elif name == "speed":
            self.speed, self._owed, self._at = _speed(value), 0.0, time.perf_counter()
        else:
            count = whole(name, value, 1, MOST, text="count")
            begin = max(step, self.stop_step or 0)  # earlier commands are completed first
            border = epochs.end_of(epochs.ended(begin) + count)
            self.stop_step = begin + count if name == "step" else border

    def playing(self, step: int) -> bool:
        """Whether it plays at this step; a slow speed may still make it wait a moment."""
        return self.stop_step is None or self.stop_step > step

    def limit(self, step: int) -> int | None:
        """The step up to which it may train now; None: no limit; ``step`` itself: it waits."""
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


def _speed(value: Any) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0.01 <= value <= 1e9:
        raise TreinoError(
            "speed_range",
            _("A speed of {value!r} is no number of steps per second from 0.01 on.").format(value=value),
            _("The usual ones are 1, 10 and 60; null is as fast as it goes."),
        )
    return float(value)
