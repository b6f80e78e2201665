"""The doctor's findings in a run of treino.

The training is not watched: its log is built from the settings, rows and recorded losses, and judged by the
same rules as a script, at the end of the run and whenever somebody looks at it. Only if the loss is bad, a
few steps are trained once more beside the run, to measure what a rule needs.
"""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from treino.data.dataset import Data
from treino.diagnosis.finding import Finding
from treino.diagnosis.rules import decide
from treino.documents import read_run_spec, read_tensors
from treino.engine import TrainingLoop
from treino.engine.user_module import module_copy
from treino.errors import TreinoError
from treino.records.access import Access
from treino.records.segments import losses_of, segments_of, setting_commands
from treino.records.stored_run import StoredRun
from treino.spec import read_settings
from treino.store import RunFolder
from treino.training.advice import lower_rate
from treino.training.playback import Playback
from treino.training.resolution import Resolution, resolve
from treino.training.run_log import (
    TrainingCourse,
    course_of,
    initial_log,
    rows_evaluated,
    rows_trained,
    run_log,
)
from treino.training.run_measures import FirstSteps, measured
from treino.training.stored_training import START, begin_with, source_of
from treino.words import _, setting


def initial_faults(resolution: Resolution) -> list[dict[str, Any]]:
    """Findings known before the first step: the faults that the settings ask for."""
    return finding_documents(decide(initial_log(resolution))[0], resolution)


def findings(folder: RunFolder, data: Data, resolution: Resolution) -> tuple[list[dict[str, Any]], list[str]]:
    """``findings[]`` of an ended run's document, and a note for each rule that raised an exception."""
    engine, spec = resolution.training, read_run_spec(folder)
    loss_S = np.asarray(losses_of(folder, spec))
    nets = engine.net(engine.answering[0], "last"), engine.answer("kept")
    diverged = set(engine.status_P) == {"diverged"}
    course = course_of(
        folder, spec, data, resolution, rows_trained(data), loss_S, nets, diverged, engine.answering[0]
    )
    log = run_log(course, measured(course, partial(_first_steps, folder)))
    log.events += rows_evaluated(data)
    results, defects = decide(log)
    notes = [_("A defect of the doctor itself: {what}").format(what=d) for d in defects]
    return finding_documents(results, course.resolution, course.first, data.classes), notes


def _first_steps(folder: RunFolder, course: TrainingCourse) -> FirstSteps | None:
    """The first steps of the course; None if the state at its beginning isn't stored any more."""
    if not course.segment and not course.first:
        return FirstSteps(_untrained_copy(folder, course), course.member)
    own = (
        None
        if (shared := course.resolution.training.shared).net is not None
        else module_copy(shared.template)
    )
    playback = Playback(StoredRun(folder, Access(net=own), course.data), course.data)
    try:
        playback.at(course.first, course.loss_S)
    except TreinoError:
        return None
    return FirstSteps(playback.resolution(course.segment).training, course.member)


def _untrained_copy(folder: RunFolder, course: TrainingCourse) -> TrainingLoop:
    """The same training before its first step, with its initial weights and its recorded commands."""
    resolution, data = course.resolution, course.data
    shared = resolution.training.shared
    kernel = {name: resolution.settings[name] for name in ("engine", "threads", "device")}
    settings = read_settings({**segments_of(read_run_spec(folder))[0].asked} | kernel)
    own = None if shared.net is not None else module_copy(shared.template)
    training = resolve(settings, data, source_of(own, settings)).training
    if folder.has(START):
        begin_with(training, read_tensors(folder, START)[0])
    for command in setting_commands(folder):
        from_start = not command.segment
        if from_start and command.step is not None:
            training.set(command.name, command.value, command.step)
    return training


# --- in the words of a run ----------------------------------------------------------------------------
def finding_documents(
    results: list[Finding], resolution: Resolution, first: int = 0, classes: Sequence[str] = ()
) -> list[dict[str, Any]]:
    """Findings as JSON, with names of classes, and advice as command-line flags.

    first: the updates before those examined. classes: the classes' names in the order of their numbers.
    """
    return [_flagged(f, resolution.settings, first, classes).as_json() for f in results]


def _flagged(finding: Finding, s: dict[str, Any], first: int, classes: Sequence[str]) -> Finding:
    lr, lower = s["lr"], setting("lr", lower_rate(s["lr"]))
    fixes = {
        "missing_zero_grad": _("Train without [[fault=missing_zero_grad]] or [[as_taught=True]]."),
        "softmax_before_cross_entropy": _(
            "Train without [[fault=softmax_before_cross_entropy]] or [[as_taught=True]]."
        ),
        "lr_too_high": _("Train with a lower rate: {lr}.").format(lr=lower),
        "lr_too_low": _("Train with ten times the rate, until the loss falls: {lr}.").format(
            lr=setting("lr", float(f"{lr * 10:.3g}"))
        ),
        "weight_decay_too_high": _("Train with {decay} or less.").format(
            decay=setting("weight_decay", float(f"{s['weight_decay'] / 100:.3g}"))
        ),
        "clip_too_small": _("Leave [[clip]] out, or raise it to the gradients' usual norm."),
        "class_imbalance": _("Weight the classes: [[class_weights=balanced]]; and look at f1_macro."),
        "unscaled_inputs": _("Bring the columns to one scale: leave [[normalise=False]] out."),
        "unshuffled_sorted": _("Mix the training rows: leave [[shuffle=off]] out."),
        "symmetric_init": _("Start from random weights: leave [[init=zeros]] out."),
        "dead_relu": _("Lower the rate ({lr}), or use {activation} or gelu.").format(
            lr=lower, activation=setting("activation", "leaky_relu")
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
