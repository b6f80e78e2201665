"""When everything is watched: at first, then a little now and then, and whenever a net is called anew.

A turn is a backward. Counts alone decide, so that what is found does not hang on the machine's speed.
"""

from collections.abc import Callable
from types import CodeType
from typing import Any

FIRST = 48  # turns that are watched from the start
WIDE = 2  # turns of a later window
APART = 4  # a later window opens after a further quarter of all turns
LEAST = 32  # ... and these
LOOKS = 3  # evaluations of one line that are watched; later ones as windows open
NEW, TRAININGS = 12, 4  # turns of a training that begins later, and so many of these
CROWDED = 20_000  # operations, after which the first window ends early
PATIENCE = 64  # backwards without a step, after which no step is waited for


class Windows:
    """Whether this is a moment that is watched.

    open: so it is. turn: backwards so far; stepped: how many there were at the newest step; due: at which of
    them the window opens, or closes. That is after an optimizer's step, so that it holds whole steps; where
    there are none, after a backward.

    Between windows a call of a net is one more of a training if it is like the newest one. calls: since the
    newest backward; usual: so many there are in a turn; net, code, at: of the newest one, which net is called
    (a weak reference), and where.
    """

    __slots__ = (
        *("open", "turn", "stepped", "due", "calls", "usual", "net", "code", "at", "watched", "operations"),
        *("_wide", "_trainings", "_evaluating", "_looks"),
    )

    def __init__(self) -> None:
        self.open = True
        self.turn = self.calls = 0
        self.watched = 0
        self.operations = 0
        self.stepped, self.due, self.usual = -PATIENCE, FIRST, 1
        self.forget()
        self._wide, self._trainings = WIDE, 0
        self._evaluating = False
        self._looks: dict[object, tuple[int, int]] = {}

    def tick(self) -> bool:
        """A backward is over; whether it is as good as a step."""
        self.turn += 1
        self.calls = 0
        self.watched += self.open
        return self.turn - self.stepped > PATIENCE

    def forget(self) -> None:
        """Look at the next call of a net, whatever it is like."""
        self.net: Callable[[], Any] = lambda: None
        self.code: CodeType | None = None
        self.at = -1

    def shift(self) -> bool:
        """A step is over; whether the window is open from here on."""
        if not self.open:
            if self.turn >= self.due:
                self.open, self.due, self._wide = True, self.turn + self._wide, WIDE
            return self.open
        first = self.turn < FIRST and self.operations < CROWDED
        if not first and (self._evaluating or self.turn >= self.due):
            self.due = max(self.turn + LEAST, self.turn + self.turn // APART)
            self.open = self._evaluating = False
        return self.open

    def anew(self) -> None:
        """Another optimizer is made: how its training begins is watched, too."""
        self._trainings += 1
        if self.turn and self._trainings <= TRAININGS:
            if self.open:
                self.due = max(self.due, self.turn + NEW)
            else:
                self.due, self._wide = self.turn, NEW

    def look(self, place: object) -> bool:
        """Between windows, a net is called where no training call came from: open until the next step? The
        first times, and later as often as windows open.
        """
        seen, turn = self._looks.get(place, (0, 0))
        if seen < LOOKS or (APART - 1) * self.turn >= APART * turn:
            self._looks[place] = seen + 1, self.turn
            self.open = self._evaluating = True
        return self.open
