"""The base class of observers, and what the observers of one examination share."""

from collections.abc import Callable
from typing import Any

from treino_doctor.record.hooks import Hooks
from treino_doctor.record.lines import where
from treino_doctor.record.log import Backward, Log
from treino_doctor.record.tape import Tape
from treino_doctor.record.values import Values
from treino_doctor.record.windows import Windows


class Recording:
    """The log of one examination, and callbacks through which its observers see the program.

    reached: numbers of calls of nets whose answers a gradient came back to since the newest recorded backward
    began. ran: called with each recorded backward and the value that it ran from. called: called with each
    recorded call of a net, as (its event, the module, arguments, result). moment: returns the current step
    and turn.
    """

    def __init__(self, moment: Callable[[], dict[str, Any]]) -> None:
        self.log, self.hooks = Log(moment=moment, place=where), Hooks()
        self.values, self.windows = Values(), Windows()
        self.tape = Tape(self.hooks, self.values, self.windows)
        self.reached: set[int] = set()
        self.ran: list[Callable[[Backward, Any], None]] = []
        self.called: list[Callable[..., None]] = []


class Observer:
    """A part of the recorder: observes one kind of event from ``install`` on, and logs it."""

    def __init__(self, of: Recording) -> None:
        self._log, self._hooks, self._values, self._tape = of.log, of.hooks, of.values, of.tape
        self.windows = of.windows

    def install(self) -> None:
        """Begin to observe."""

    def finish(self) -> None:
        """Log what was counted up to the program's end."""


class FirstOnes:
    """Counts events of a kind, and chooses those kept whole: the first three, and later every sixteenth."""

    def __init__(self) -> None:
        self._seen: dict[Any, int] = {}

    def has(self, *kind: Any) -> bool:
        """Count one more of this kind; return whether it is kept whole."""
        times = self._seen[kind] = self._seen.get(kind, 0) + 1
        return times <= 3 or times % 16 == 0
