"""The doctor's findings in a run that is still training, for someone who watches it.

Each look reads the recorded figures and the present weights; the training isn't affected.
"""

import time
from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from treino.diagnosis.rules import decide
from treino.engine.divergence import FACTOR, divergence_threshold
from treino.errors import TreinoError
from treino.records.histories import training_losses
from treino.records.segments import epoch_count
from treino.records.stored_run import StoredRun
from treino.training.advice import lower_rate
from treino.training.findings import finding_documents
from treino.training.playback import Playback
from treino.training.replay import Snapshot
from treino.training.run_log import UNMEASURED, WATCHED, TrainingCourse, course_of, rows_trained, run_log
from treino.training.run_measures import FirstSteps, measured
from treino.words import _, numeral, setting, speaking

SECONDS = 1.0  # between two looks, at least
SHARE = 0.05  # of the watching process's time, at most, spent on looks
STEPS_SETTLED = 500  # after which rules may judge the loss of a course with long epochs
DIVERGED = "diverged"


class LiveFindings:
    """The findings of one run. playback: the run's playback, whose remembered states are used."""

    def __init__(self, playback: Playback) -> None:
        self.first_seen: dict[str, int] = {}  # by rule: the step at which it appeared
        self.by_language: dict[str, list[dict[str, Any]]] = {}  # the findings of the newest look
        self._rows = rows_trained(playback.data)
        self._playback = Playback(playback.run, playback.data, states=playback.states)
        self._begin: tuple[tuple[int, int], FirstSteps | None] | None = None  # keyed by the course
        self._looked, self._due = (-1, -1), 0.0

    def due(self, state: tuple[int, int], languages: Iterable[str]) -> bool:
        """Whether a look at this segment and step is due."""
        new = state != self._looked or not set(languages) <= self.by_language.keys()
        return new and state[1] > 0 and time.monotonic() >= self._due

    def look(
        self, run: StoredRun, snapshot: Snapshot, loss_S: NDArray[np.float32], languages: Iterable[str]
    ) -> None:
        """Update the findings for this step of the run's newest segment. loss_S: the losses of its path."""
        began, step = time.thread_time(), snapshot.step  # not the clock: a busy machine is no reason to wait
        if self._looked[0] != snapshot.segment:
            self._begin = None
            self._playback.resolutions.clear()
        self._looked, self._playback.run = (snapshot.segment, step), run
        course = self._course(run, snapshot, loss_S[:step])
        per_epoch = course.resolution.training.steps_per_epoch
        settled = course.steps >= max(WATCHED, min(per_epoch, STEPS_SETTLED))
        log = run_log(course, measured(course, self._first_steps) if settled else UNMEASURED)
        self.by_language = {}
        for language in languages:
            with speaking(language):
                results = decide(log, early=not settled)[0]
                documents = finding_documents(results, course.resolution, course.first, course.data.classes)
                self.by_language[language] = documents + (divergence(run, course) if settled else [])
        documents = next(iter(self.by_language.values()), [])
        known = {rule: at for rule, at in self.first_seen.items() if at <= step}
        begun = {each["rule"]: each.get("step", step) for each in documents}
        self.first_seen = {rule: min(at, known.get(rule, at)) for rule, at in begun.items()}
        self._due = time.monotonic() + max(SECONDS, (time.thread_time() - began) / SHARE)

    def _course(self, run: StoredRun, snapshot: Snapshot, loss_S: NDArray[np.float32]) -> TrainingCourse:
        resolution, nets = self._playback.resolution(snapshot.segment), (snapshot.member_net, snapshot.net)
        diverged, data = False, self._playback.data
        rows, member = self._rows, snapshot.member
        return course_of(run.folder, run.spec, data, resolution, rows, loss_S, nets, diverged, member)

    def _first_steps(self, course: TrainingCourse) -> FirstSteps | None:
        """The first steps of the course, computed once."""
        key = (course.segment, course.first)
        if self._begin is None or self._begin[0] != key:
            try:
                self._playback.at(course.first, course.loss_S)
            except TreinoError:  # the state isn't stored any more
                self._begin = key, None
            else:
                self._begin = (
                    key,
                    FirstSteps(self._playback.resolutions.pop(course.segment).training, course.member),
                )
        return self._begin[1]


def divergence(run: StoredRun, course: TrainingCourse) -> list[dict[str, Any]]:
    """A finding if the training would count as diverged if it ended now, with the epoch since which it
    would."""
    loss = course.resolution.training.loss_function
    threshold = divergence_threshold(loss, course.data.train.y)
    count = epoch_count(run.spec)
    mean_E = training_losses(course.loss_S, count)[0][: count.ended(len(course.loss_S))]
    over = len(mean_E)
    while over and not mean_E[over - 1] <= threshold:
        over -= 1
    if over == len(mean_E):
        return []
    lr = course.resolution.settings["lr"]
    message = _("The last epoch's mean loss is {loss}, more than {factor} times what the best constant gets.")
    return [
        {
            "rule": DIVERGED,
            "severity": "wrong",
            "certain": True,
            "message": message.format(loss=numeral(float(mean_E[-1]), ".4g"), factor=FACTOR),
            "why": _("A training that ends so counts as diverged."),
            "fix": _("Train with a lower rate: {lr}.").format(lr=setting("lr", lower_rate(lr))),
            "step": count.end_of(over + 1),
        }
    ]
