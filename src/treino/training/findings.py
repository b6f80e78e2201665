"""The doctor's findings in a run trained by treino, at its end or during training.

The training is not watched: its log is built from the settings, rows and recorded losses, and judged by the
same rules as a script, at the end of the run and whenever it is displayed. Only if the loss is bad, a few
steps are trained again apart from the run, to measure what a rule needs.

Each look reads the recorded figures and the present weights; the training isn't affected.
"""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from treino.base.errors import TreinoError
from treino.base.words import _, numeral, setting, speaking
from treino.data.dataset import Data
from treino.engine import TrainingLoop
from treino.engine.defaults import DEFAULTS
from treino.engine.early_stopping import FACTOR
from treino.engine.user_module import module_copy
from treino.folders.access import Access
from treino.folders.documents.reading import read_run_spec
from treino.folders.documents.run_spec import RunSpec
from treino.folders.run_records import losses_of, training_losses
from treino.folders.store import RunFolder
from treino.folders.stored_run import StoredRun
from treino.folders.timeline import epoch_count
from treino.settings.spec import FAULTS
from treino.training.overfitting import overfitting
from treino.training.replay import Playback, Snapshot
from treino.training.resolution import Resolution
from treino.training.run_log import (
    UNMEASURED,
    WATCHED,
    FirstSteps,
    TrainingCourse,
    course_of,
    initial_log,
    measured,
    rows_evaluated,
    rows_trained,
    run_log,
)
from treino_doctor.finding import Finding
from treino_doctor.record.log import Log
from treino_doctor.record.row_log import RowsTrained
from treino_doctor.rules import decide

RULES = (
    *("missing_zero_grad", "softmax_before_cross_entropy", "symmetric_init", "non_finite_loss", "dead_relu"),
    *("lr_too_high", "lr_too_low", "weight_decay_too_high", "clip_too_small", "vanishing_gradient"),
    *("class_imbalance", "unscaled_inputs", "unshuffled_sorted", "duplicate_leakage", "test_in_train"),
)
"""The doctor's rules that a run of treino can break; the other rules judge calls that only a script makes."""
LEARNING = RULES[: RULES.index("unscaled_inputs")]
"""Those that say why a network learns nothing, or misses a class; the others are about the rows."""

# ---- advice after a training that diverged


def lower_rate(lr: float) -> float:
    """A learning rate to try if ``lr`` was too high: a tenth of it, or the default if that is far lower."""
    usual = DEFAULTS["table"].lr
    return float(f"{lr / 10:.3g}") if lr <= 100 * usual else usual


# ---- the remedy for a fault

Changes = dict[str, Any]


def _without(fault: str, s: Mapping[str, Any]) -> Changes:
    return {"fault": [each for each in s["fault"] if each != fault]}


REMEDIES: Mapping[str, Callable[[Mapping[str, Any]], Changes]] = {
    **{fault: partial(_without, fault) for fault in FAULTS},
    **dict.fromkeys(("lr_too_high", "non_finite_loss", "diverged"), lambda s: {"lr": lower_rate(s["lr"])}),
    "lr_too_low": lambda s: {"lr": float(f"{s['lr'] * 10:.3g}")},
    "weight_decay_too_high": lambda s: {"weight_decay": float(f"{s['weight_decay'] / 100:.3g}")},
    "clip_too_small": lambda _s: {"clip": None},
    "unshuffled_sorted": lambda _s: {"shuffle": "each"},
    "dead_relu": lambda _s: {"activation": "leaky_relu"},
    "vanishing_gradient": lambda _s: {"activation": "relu"},
}
"""The change of the settings in force that corrects a fault, by rule. Other faults lie in the rows, or in the
initial weights: no change during the training corrects them."""


def remedy(rule: str, settings: Mapping[str, Any]) -> Changes | None:
    """The change that corrects a finding, as for ``futures``; None: none that is possible during a
    training."""
    change = REMEDIES[rule](settings) if rule in REMEDIES else {}
    return {name: value for name, value in change.items() if settings.get(name) != value} or None


# ---- the doctor's findings in a run of treino


def initial_faults(resolution: Resolution) -> list[dict[str, Any]]:
    """Findings known before the first step: the faults that the settings request."""
    return finding_documents(decide(initial_log(resolution), RULES)[0], resolution)


def findings(folder: RunFolder, data: Data, resolution: Resolution) -> tuple[list[dict[str, Any]], list[str]]:
    """``findings[]`` of an ended run's document, and a note for each rule that raised an exception."""
    rows = rows_trained(data, resolution.training.model.template)
    course = _course_here(folder, data, resolution, rows)
    log = run_log(course, measured(course, partial(_first_steps, folder)))
    log.events += rows_evaluated(data)
    results, defects = decide(log, RULES)
    notes = [_("A defect of the doctor itself: {what}").format(what=d) for d in defects]
    documents = finding_documents(results, course.resolution, course.first, data.classes)
    return documents + overfitting(folder, read_run_spec(folder), course), notes


def _course_here(folder: RunFolder, data: Data, resolution: Resolution, rows: RowsTrained) -> TrainingCourse:
    """The newest course of a run that this process trains."""
    engine, spec = resolution.training, read_run_spec(folder)
    member, loss_S = engine.answering[0], np.asarray(losses_of(folder, spec))
    nets, diverged = (engine.net(member, "last"), engine.answer("kept")), set(engine.status_P) == {DIVERGED}
    return course_of(folder, spec, data, resolution, rows, loss_S, nets, diverged, member)


def _first_steps(folder: RunFolder, course: TrainingCourse) -> FirstSteps | None:
    """The first steps of the course; None if the state at its beginning isn't stored any more."""
    model = course.resolution.training.model
    own = None if model.net is not None else module_copy(model.template)
    return _replayed(Playback(StoredRun(folder, Access(net=own), course.data), course.data), course)


def _replayed(playback: Playback, course: TrainingCourse) -> FirstSteps | None:
    """The first steps of the course, from the run's playback; None if the state there isn't stored any
    more."""
    try:
        playback.at(course.first, course.loss_S)
    except TreinoError:
        return None
    return FirstSteps(playback.resolutions.pop(course.segment).training, course.member)


class OncePerCourse:
    """Makes the first steps of a course when they are first needed, and keeps them until the next course."""

    def __init__(self, make: Callable[[TrainingCourse], FirstSteps | None]) -> None:
        self._make = make
        self._kept: tuple[tuple[int, int], FirstSteps | None] | None = None

    def __call__(self, course: TrainingCourse) -> FirstSteps | None:
        key = (course.segment, course.first)
        if self._kept is None or self._kept[0] != key:
            self._kept = key, self._make(course)
        return self._kept[1]


# --- findings as JSON ---------------------------------------------------------------------------------
def finding_documents(
    results: list[Finding], resolution: Resolution, first: int = 0, classes: Sequence[str] = ()
) -> list[dict[str, Any]]:
    """Findings as JSON, with names of classes, and advice as command-line flags.

    first: the number of updates before the examined ones. classes: the classes' names in the order of their
    numbers.
    """
    settings = resolution.settings.model_dump(mode="json")
    return [_flagged(f, settings, first, classes).as_json() for f in results]


def _flagged(finding: Finding, s: dict[str, Any], first: int, classes: Sequence[str]) -> Finding:
    lower = setting("lr", lower_rate(s["lr"]))
    fixes = {
        "missing_zero_grad": _("Train without [[fault=missing_zero_grad]] or [[as_taught=True]]."),
        "softmax_before_cross_entropy": _(
            "Train without [[fault=softmax_before_cross_entropy]] or [[as_taught=True]]."
        ),
        "lr_too_high": _("Train with a lower rate: {lr}.").format(lr=lower),
        "lr_too_low": _("Train with ten times the rate, until the loss falls: {lr}.").format(
            lr=setting("lr", REMEDIES["lr_too_low"](s)["lr"])
        ),
        "weight_decay_too_high": _("Train with {decay} or less.").format(
            decay=setting("weight_decay", REMEDIES["weight_decay_too_high"](s)["weight_decay"])
        ),
        "clip_too_small": _("Leave [[clip]] out, or raise it to the gradients' usual norm."),
        "class_imbalance": _("Weight the classes: [[class_weights=balanced]]; and look at f1_macro."),
        "unscaled_inputs": _("Bring the columns to one scale: leave [[normalise=False]] out."),
        "unshuffled_sorted": _("Mix the training rows: leave [[shuffle=off]] out."),
        "symmetric_init": _("Start from random weights: leave [[init=zeros]] out."),
        "dead_relu": _("Lower the rate ({lr}), or use {activation} or gelu.").format(
            lr=lower, activation=setting("activation", REMEDIES["dead_relu"](s)["activation"])
        ),
        "vanishing_gradient": _("Use [[activation=relu]], [[init=kaiming]], or fewer layers."),
        "non_finite_loss": _("Train with a lower rate ({lr}), or bound its steps: {clip}.").format(
            lr=lower, clip=setting("clip", 1)
        ),
    }
    finding = replace(finding, fix=fixes.get(finding.rule, finding.fix))
    if finding.rule == "class_imbalance":
        evidence = finding.evidence
        message = _(
            "Class '{name}' is {share:.1%} of the rows, and the net finds {found} of {there} of them in its "
            "newest batches."
        ).format(name=classes[evidence["label"]], **evidence)
        finding = replace(finding, message=message)
    if finding.rule == "non_finite_loss":
        evidence = finding.evidence | {"first": first + finding.evidence["first"]}
        message = _("The loss was NaN or infinite at step {first}, and the training ended there.")
        finding = replace(finding, message=message.format(**evidence), evidence=evidence)
    return finding


# ---- the doctor's findings in a run that is still training

SECONDS = 1.0  # shortest time between two looks
SHARE = 0.05  # largest share of the watching process's time spent on looks
STEPS_SETTLED = 500  # steps after which rules may judge the loss of a course with long epochs
DIVERGED = "diverged"


def settled(training: TrainingLoop, steps: int) -> bool:
    """Whether a course of this many steps is long enough for all rules."""
    return steps >= max(WATCHED, min(training.steps_per_epoch, STEPS_SETTLED))


def log_so_far(course: TrainingCourse, begun: Callable[[TrainingCourse], FirstSteps | None]) -> Log:
    """The log of a course that is not over. begun: as for ``measured``."""
    over = settled(course.resolution.training, course.steps)
    return run_log(course, measured(course, begun) if over else UNMEASURED)


def findings_so_far(
    folder: RunFolder, spec: RunSpec, course: TrainingCourse, log: Log
) -> list[dict[str, Any]]:
    """The findings of a course that is not over, as JSON. log: from ``log_so_far``."""
    over = settled(course.resolution.training, course.steps)
    results = decide(log, RULES, early=not over)[0]
    documents = finding_documents(results, course.resolution, course.first, course.data.classes)
    diverging = divergence(spec, course) if over else []
    return [*documents, *overfitting(folder, spec, course), *diverging]


class OwnFindings:
    """The findings of a run, looked for by the process that trains it. rules: those of the newest look."""

    def __init__(self, folder: RunFolder, data: Data, resolution: Resolution) -> None:
        self.rules: frozenset[str] = frozenset()
        self._folder, self._data, self._resolution = folder, data, resolution
        self._rows = rows_trained(data, resolution.training.model.template)
        self._first_steps = OncePerCourse(partial(_first_steps, folder))
        self._due, self._first = 0.0, resolution.training.step
        self._judged = False  # whether a look had enough steps for all rules

    def look(self) -> bool:
        """Look for findings if due, if steps first suffice for all rules, or if the training is over. Return
        whether it looked."""
        engine, began = self._resolution.training, time.thread_time()
        judged = settled(engine, engine.step - self._first)
        if time.monotonic() < self._due and not engine.done and judged == self._judged:
            return False
        self._judged = judged
        self._folder.database.flush()
        course = _course_here(self._folder, self._data, self._resolution, self._rows)
        log = log_so_far(course, self._first_steps)
        documents = findings_so_far(self._folder, read_run_spec(self._folder), course, log)
        self.rules = frozenset(each["rule"] for each in documents)
        self._due = time.monotonic() + (time.thread_time() - began) / SHARE
        return True


class LiveFindings:
    """The findings of one run. playback: the run's playback, whose remembered states are used."""

    def __init__(self, playback: Playback) -> None:
        self.first_seen: dict[str, int] = {}  # by rule: the step at which it appeared
        self.by_language: dict[str, list[dict[str, Any]]] = {}  # the findings of the newest look
        self._rows = rows_trained(playback.data)
        self._playback = Playback(playback.run, playback.data, states=playback.states)
        self._first_steps = OncePerCourse(partial(_replayed, self._playback))
        self._looked, self._due = (-1, -1), 0.0

    def due(self, state: tuple[int, int], languages: Iterable[str]) -> bool:
        """Whether a look at this segment and step is due."""
        new = state != self._looked or not set(languages) <= self.by_language.keys()
        return new and state[1] > 0 and time.monotonic() >= self._due

    def look(
        self, run: StoredRun, snapshot: Snapshot, loss_S: NDArray[np.float32], languages: Iterable[str]
    ) -> None:
        """Update the findings for this step of the run's newest segment. loss_S: the losses of its path."""
        began, step = time.thread_time(), snapshot.step  # CPU time: a busy machine must not delay looks
        if self._looked[0] != snapshot.segment:
            self._playback.resolutions.clear()
        self._looked, self._playback.run = (snapshot.segment, step), run
        resolution, nets = self._playback.resolution(snapshot.segment), (snapshot.member_net, snapshot.net)
        facts = run.folder, run.spec, self._playback.data, resolution, self._rows
        course = course_of(*facts, loss_S[:step], nets, diverged=False, member=snapshot.member)
        log = log_so_far(course, self._first_steps)
        self.by_language = {}
        for language in languages:
            with speaking(language):
                self.by_language[language] = findings_so_far(run.folder, run.spec, course, log)
        documents = next(iter(self.by_language.values()), [])
        known = {rule: at for rule, at in self.first_seen.items() if at <= step}
        begun = {each["rule"]: each.get("step", step) for each in documents}
        self.first_seen = {rule: min(at, known.get(rule, at)) for rule, at in begun.items()}
        self._due = time.monotonic() + max(SECONDS, (time.thread_time() - began) / SHARE)


def divergence(spec: RunSpec, course: TrainingCourse) -> list[dict[str, Any]]:
    """If the training, ended now, would count as diverged: a finding with the epoch of its start; else []."""
    threshold = float(course.resolution.training.threshold_P[course.member])
    count = epoch_count(spec)
    mean_E = training_losses(course.loss_S, count)[0][: count.ended(len(course.loss_S))]
    over = len(mean_E)
    while over and not mean_E[over - 1] <= threshold:
        over -= 1
    if over == len(mean_E):
        return []
    lr = course.resolution.settings.lr
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
