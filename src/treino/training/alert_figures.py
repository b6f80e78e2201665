"""Compute the figures of a training that alerts ask for, and look at them while it trains."""

import math
from collections.abc import Iterator, Sequence

import numpy as np
import torch
from torch import Tensor

from treino.data.rows_in_memory import in_memory
from treino.engine.tick import Epoch
from treino.folders.documents import read_run_spec
from treino.folders.segments import epoch_count, evaluations, losses_of, newest, training_losses
from treino.folders.store.database import Event
from treino.training.alert_conditions import AlertCourse, Course, TrainingPlace
from treino.training.alerts import FINDING, STOP, TRAINING, VALIDATION, Alert
from treino.training.findings import OwnFindings
from treino.training.train import RunJob
from treino.training.user_data import FIRED


class Looks:
    """The looks at one training, for all of its alerts. courses: of each alert, in order."""

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
        """The place of a step; its seconds are the present ones."""
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
        """Whether one of those that fire stops the training."""
        return any(self.courses[number].alert.action.kind == STOP for number in self._crossed)

    def fired(self) -> Iterator[tuple[int, AlertCourse, list[Course]]]:
        """Each alert that fires at this step: its number, and the courses that make it. They count anew from
        here on."""
        here, crossed = self.place(self.job.training.step), self._crossed
        self._crossed = {}
        for number in sorted(crossed):
            yield number, self.courses[number], crossed[number]
            self.courses[number].fired(here)

    def _note(self) -> None:
        for number, alert in enumerate(self.courses):
            if alert.crossed():
                self._crossed.setdefault(number, alert.true_courses())

    def see_findings(self) -> None:
        """Look for findings, if that is asked for and due; the losses must be recorded."""
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
        name = course.clause.figure
        if name == "gradient norm":
            return self.gradient_norm()
        if name == "lr":
            return self._rate()
        if name == "epoch":
            return self.job.training.epoch
        return self.job.clock.spent

    def gradient_norm(self) -> float:
        """The norm of the last update's gradient, as the kernel left it: clipped, without weight decay. Of an
        ensemble: the largest."""
        population = self.job.training.state.population
        return float(torch.linalg.vector_norm(population.grads, dim=1).max())

    def _rate(self) -> float:
        training = self.job.training
        factors = training.plan.factors(training.step, training.step + 1)
        population = training.state.population
        return float(population.hp["lr"][0]) * factors[int(population.schedule_P[0])][0]

    # ---- after a resume

    def _catch_up(self, first: int) -> None:
        """Look again at what is recorded of this segment, after ``first`` updates; nothing fires but what
        did."""
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
                alert.crossed()  # one that ceases to hold may fire again
        here = self.place(len(loss_S))
        self._repeat(fired, here._replace(step=here.step + 1))
        for course in self._by_step:
            course.see_steps(first, here, loss_S[first:].astype(np.float32))

    def _repeat(self, fired: list[Event], before: TrainingPlace) -> None:
        """Repeat the firings recorded before a place."""
        while fired and fired[0].step < before.step:
            event = fired.pop(0)
            for alert in self.courses:
                if str(alert.alert) == event.facts.get("alert"):
                    alert.fired(self.place(event.step))
