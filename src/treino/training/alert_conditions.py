"""Decide whether an alert's condition holds: each clause follows one figure of a training, look by look.

A training is looked at where an epoch ends that has an evaluation (at least 20 steps apart), and at the end
of each piece that is trained at once, a tenth of a second or less. A clause holds for N epochs if it has held
at every look since N epochs or more.
"""

import math
import operator
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from treino.training.alerts import BEST, FIGURES, NAN, NOT_BEST, SPANS, TRAINING, Alert, Clause, Span

COMPARED: dict[str, Callable[[Any, Any], Any]] = {
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
}

STILL = 0.01  # of the largest value: figures of epochs that differ by less stand still


class TrainingPlace(NamedTuple):
    """A place in a training: updates, passes over the rows, seconds of training; in the order of SPANS."""

    step: int
    epochs: float
    seconds: float

    def past(self, before: "TrainingPlace", span: Span | None) -> bool:
        """Whether the span lies between ``before`` and this place."""
        if span is None:
            return True
        number = SPANS.index(span.unit)
        passed: float = self[number] - before[number]
        return passed >= span.count - 1e-9


@dataclass(eq=False)
class Course:
    """What one clause has seen. since: the last place at which it did not hold. value: the last figure."""

    clause: Clause
    since: TrainingPlace
    value: float = math.nan
    holds: bool = False
    _best: float = math.nan
    _seen: list[tuple[TrainingPlace, float]] = field(default_factory=list)  # of a trend: within its span
    _counted: int = 0  # the step from which on steps count
    _false: int = 0  # updates after the last step at which the clause did not hold

    def __post_init__(self) -> None:
        self._counted = self._false = self.since.step

    @property
    def by_steps(self) -> bool:
        """Whether the clause follows the training loss of every step, not the mean of each epoch."""
        clause = self.clause
        counted = clause.span is not None and clause.span.unit == "steps" and clause.number is not None
        return clause.figure == TRAINING and (counted or clause.way == NAN)

    def restart(self, at: TrainingPlace) -> None:
        """Count anew from here on."""
        self.since, self.holds = at, False
        self._counted = self._false = at.step
        self._seen = self._seen[-1:]

    def see(self, at: TrainingPlace, value: float) -> None:
        """Look at the figure's value."""
        before, self.value = self.value, value
        way = self.clause.way
        if way in ("stands still", BEST):
            self._see_window(at, value)
            return
        if way == NOT_BEST:
            now = not math.isnan(self._best) and not self._better(value, self._best)
            self._best = self._best if now else value
        elif way == "rises":
            now = value > before
        elif way == "falls":
            now = value < before
        elif way == NAN:
            now = not math.isfinite(value)
        else:
            now = bool(self._compared(value))
        self.see_truth(at, now)

    def see_truth(self, at: TrainingPlace, now: bool) -> None:
        """Note whether what is asked is so here, its span apart."""
        if not now:
            self.since = at
        self.holds = now and at.past(self.since, self.clause.span)

    def see_steps(self, first: int, at: TrainingPlace, loss_S: NDArray[np.float32]) -> None:
        """Look at the losses of the steps after ``first`` updates, up to this place."""
        loss_S, first = loss_S[max(0, self._counted - first) :], max(first, self._counted)
        if not len(loss_S):
            return
        self.value = float(loss_S[-1])
        if self.clause.way == NAN:
            finite_S = np.isfinite(loss_S)
            self.holds = not finite_S.all()
            self.since = at._replace(step=first + int(finite_S.argmin())) if self.holds else at
            return
        span = self.clause.span
        assert span is not None
        count = int(span.count)
        held_S = self._compared(loss_S)
        if not held_S.any():
            self._false, self.since, self.holds = at.step, at, False
            return
        false_S = first + np.flatnonzero(~held_S)  # updates before each such step
        begin_R, end_R = (
            np.append(self._false, false_S + 1),
            np.append(false_S, at.step),
        )  # runs of true steps
        held_R = (end_R - begin_R >= count) & (end_R > first)
        self.holds = bool(held_R.any())
        self._false = int(begin_R[-1])
        self.since = at._replace(step=int(begin_R[held_R.argmax() if self.holds else -1]))

    def _compared(self, value: Any) -> Any:
        return COMPARED[self.clause.way](value, self.clause.number)

    def _better(self, value: float, than: float) -> bool:
        return (value - than) * FIGURES[self.clause.figure].better > 0

    def _see_window(self, at: TrainingPlace, value: float) -> None:
        """Compare the value with those of the span before it."""
        span = self.clause.span
        self._seen.append((at, value))
        while len(self._seen) > 1 and at.past(self._seen[1][0], span):
            self._seen.pop(0)
        first = self._seen[0][0]
        earlier = [each for _place, each in self._seen[:-1]]
        self.since = first
        if not earlier or not at.past(first, span) or not all(map(math.isfinite, (*earlier, value))):
            self.holds = False
        elif self.clause.way == BEST:
            self.holds = all(self._better(value, each) for each in earlier)
        else:
            low, high = min(*earlier, value), max(*earlier, value)
            self.holds = high - low <= STILL * max(abs(low), abs(high))


@dataclass(eq=False)
class AlertCourse:
    """One alert on its way. armed: whether it may fire: its condition has ceased to hold since it last did.
    rewound: how often it has gone back. over: whether it fires no more."""

    alert: Alert
    courses: tuple[Course, ...]
    armed: bool = True
    rewound: int = 0
    over: bool = False

    @classmethod
    def begin(cls, alert: Alert, at: TrainingPlace, rewound: int = 0) -> "AlertCourse":
        return cls(alert, tuple(Course(clause, at) for clause in alert.condition.clauses), True, rewound)

    def crossed(self) -> bool:
        """Whether the condition holds now and may fire."""
        holds = bool(self.true_courses())
        self.armed |= not holds
        return holds and self.armed and not self.over

    def fired(self, at: TrainingPlace) -> None:
        """The alert fired here: it counts its spans anew, and may fire again once it has ceased to hold."""
        for course in self.courses:
            if course.clause.span is not None:
                course.restart(at)
        self.armed = not self.true_courses()  # a span that begins anew doesn't hold at first

    def true_courses(self) -> list[Course]:
        """The courses of a part of the condition that holds; []: none does."""
        rest = iter(self.courses)
        for part in self.alert.condition.parts:
            courses = [next(rest) for _clause in part]
            if all(course.holds for course in courses):
                return courses
        return []
