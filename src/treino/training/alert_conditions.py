"""Decide whether an alert's condition holds: each clause follows one figure of a training, check by check.

A training is checked at the end of an epoch that has an evaluation (at least 20 steps apart), and at the end
of each piece that is trained at once, a tenth of a second or less. A clause holds for N epochs if it has held
at every check for N epochs or more.
"""

import math
import operator
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from treino.data.dataset import in_memory
from treino.engine.tick import Epoch
from treino.folders.documents.reading import read_run_spec
from treino.folders.run_records import evaluations, losses_of, training_losses
from treino.folders.store.database import Event
from treino.folders.timeline import epoch_count, newest
from treino.training.alerts import (
    BEST,
    FINDING,
    NAN,
    NOT_BEST,
    SPANS,
    STOP,
    TRAINING,
    VALIDATION,
    Alert,
    Clause,
    Span,
    kind_of,
)
from treino.training.findings import OwnFindings
from treino.training.stored_training import FIRED
from treino.training.train import RunJob

COMPARED: dict[str, Callable[[Any, Any], Any]] = {
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
}

BACK = "back"  # of a record: the step that an alert sends back to; the next segment begins there
STILL = 0.01  # share of the largest value: epochs' figures that differ by less count as constant


class TrainingPlace(NamedTuple):
    """A place in a training: updates, passes over the rows, seconds of training; in the order of SPANS."""

    step: int
    epochs: float
    seconds: float

    def past(self, before: "TrainingPlace", span: Span | None) -> bool:
        """Whether at least the span lies between ``before`` and this place."""
        if span is None:
            return True
        number = SPANS.index(span.unit)
        passed: float = self[number] - before[number]
        return passed >= span.count - 1e-9


@dataclass(eq=False)
class Course:
    """The course of one clause. since: the last place at which it did not hold. value: the last figure."""

    clause: Clause
    since: TrainingPlace
    value: float = math.nan
    holds: bool = False
    _best: float = math.nan
    _seen: list[tuple[TrainingPlace, float]] = field(default_factory=list)  # for a trend: within its span
    _counted: int = 0  # the step from which steps are counted
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
        """Restart the counts here."""
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
        """Note whether the clause's condition holds here, apart from its span."""
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
        return (value - than) * kind_of(self.clause.figure).better > 0

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
    """The course of one alert. armed: whether it may fire: its condition has ceased to hold since it last
    fired. rewound: how often it has gone back. over: whether it will never fire again."""

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
        """Note that the alert fired here: its spans restart, and it may fire again once it ceased to hold."""
        for course in self.courses:
            if course.clause.span is not None:
                course.restart(at)
        self.armed = not self.true_courses()  # a span that restarts doesn't hold at first

    def true_courses(self) -> list[Course]:
        """The courses of a part of the condition that holds; [] if none holds."""
        rest = iter(self.courses)
        for part in self.alert.condition.parts:
            courses = [next(rest) for _clause in part]
            if all(course.holds for course in courses):
                return courses
        return []


# ---- the figures of a training


class Looks:
    """The checks of one training, for all of its alerts. courses: the course of each alert, in order."""

    def __init__(self, job: RunJob, alerts: Sequence[Alert], rewound: Sequence[int]) -> None:
        self.job = job
        begin = self.place(newest(read_run_spec(job.folder)).start if job.segment else 0)
        self.courses = [AlertCourse.begin(alert, begin, n) for alert, n in zip(alerts, rewound, strict=True)]
        each = [course for alert in self.courses for course in alert.courses]
        finding = [course for course in each if course.clause.way == FINDING]
        self._by_epoch = [
            course
            for course in each
            if course.clause.figure.startswith((TRAINING, VALIDATION)) and not course.by_steps
        ]
        self._means = any(course.clause.figure == TRAINING for course in self._by_epoch)
        self._by_step = [course for course in each if course.by_steps]
        self._finding = finding
        self._now = [c for c in each if c not in (*finding, *self._by_epoch, *self._by_step)]
        self._crossed: dict[int, list[Course]] = {}
        self._findings = OwnFindings(job.folder, in_memory(job.data), job.resolution) if finding else None
        if job.training.step > begin.step:
            self._catch_up(begin.step)

    def place(self, step: int) -> TrainingPlace:
        """The place of a step, with the present seconds."""
        return TrainingPlace(step, self.job.training.plan.count.passes(step), self.job.clock.spent)

    def see(self, loss_SP: Tensor, epochs: Sequence[Epoch]) -> bool:
        """Look at some steps that were trained. Return whether an alert fires, so that it acts here."""
        step = self.job.training.step
        here = self.place(step)
        for epoch in epochs if self._by_epoch else ():
            loss_P = epoch.loss_P
            training = float(loss_P[0] if len(loss_P) == 1 else loss_P.nanmean()) if self._means else math.nan
            at = here if epoch.step == step else self.place(epoch.step)
            self._see_epoch(at, training, (epoch.answer or {}).get(VALIDATION, {}))
            if epoch.step < step:
                self._note()
        if self._by_step:
            loss_S = loss_SP[:, 0] if loss_SP.shape[1] == 1 else loss_SP.nanmean(1)
            for course in self._by_step:
                course.see_steps(step - len(loss_SP), here, loss_S.numpy())
        for course in self._now:
            course.see(here, self._figure(course))
        self._note()
        return bool(self._crossed)

    @property
    def stops(self) -> bool:
        """Whether one of the alerts that fire stops the training."""
        return any(self.courses[number].alert.action.kind == STOP for number in self._crossed)

    def fired(self) -> Iterator[tuple[AlertCourse, list[Course]]]:
        """Each alert that fires at this step, and what makes it fire. Their counts restart here."""
        here, crossed = self.place(self.job.training.step), self._crossed
        self._crossed = {}
        for number in sorted(crossed):
            yield self.courses[number], crossed[number]
            self.courses[number].fired(here)

    def _note(self) -> None:
        for number, alert in enumerate(self.courses):
            if alert.crossed():
                self._crossed.setdefault(number, alert.true_courses())

    def see_findings(self) -> None:
        """Look for findings, if an alert needs them and they are due; the losses must be recorded."""
        if self._findings is not None and self._findings.look():
            here = self.place(self.job.training.step)
            for course in self._finding:
                course.see_truth(here, course.clause.figure in self._findings.rules)
            self._note()

    def _see_epoch(self, at: TrainingPlace, training: float, validation: dict[str, float]) -> None:
        for course in self._by_epoch:
            if course.clause.figure == TRAINING:
                course.see(at, training)
            elif (name := course.clause.figure.removeprefix(f"{VALIDATION} ")) in validation:
                course.see(at, validation[name])

    # ---- figures of the present moment

    def _figure(self, course: Course) -> float:
        name, training = course.clause.figure, self.job.training
        population = training.state.population
        if name == "gradient norm":  # as the kernel left it: clipped, without weight decay; the largest
            return float(torch.linalg.vector_norm(population.grads, dim=1).max())
        if name == "lr":
            factors = training.plan.factors(training.step, training.step + 1)
            return float(population.hp["lr"][0]) * factors[int(population.schedule_P[0])][0]
        return training.epoch if name == "epoch" else self.job.clock.spent

    # ---- after a resume

    def _catch_up(self, first: int) -> None:
        """Check again what is recorded of this segment, after ``first`` updates; only alerts that fired then
        fire."""
        folder, spec = self.job.folder, read_run_spec(self.job.folder)
        folder.database.flush()
        loss_S, count = np.asarray(losses_of(folder, spec)), epoch_count(spec)
        mean_E = training_losses(loss_S, count)[0]
        metrics = evaluations(folder, spec, len(mean_E)).get(VALIDATION, {})
        segment = newest(spec).number
        fired = [e for e in folder.database.events() if e.kind == FIRED and e.segment == segment]
        for k, mean in enumerate(mean_E.tolist()):
            at = self.place(count.end_of(k + 1))
            if at.step <= first:
                continue
            self._repeat(fired, at)
            values = {name: value_E[k] for name, value_E in metrics.items()}
            self._see_epoch(at, mean, {name: v for name, v in values.items() if v is not None})
            for alert in self.courses:
                alert.crossed()  # an alert that ceases to hold may fire again
        here = self.place(len(loss_S))
        self._repeat(fired, here._replace(step=here.step + 1))
        for course in self._by_step:
            course.see_steps(first, here, loss_S[first:].astype(np.float32))

    def _repeat(self, fired: list[Event], before: TrainingPlace) -> None:
        """Repeat the firings recorded before a place; but not one that was to go back when Ctrl-C came, which
        fires again."""
        while fired and fired[0].step < before.step:
            event = fired.pop(0)
            for alert in self.courses:
                if str(alert.alert) == event.facts.get("alert") and BACK not in event.facts:
                    alert.fired(self.place(event.step))
