"""The finding that the validation loss has risen far while the training loss went on falling."""

from typing import Any

import numpy as np

from treino.base.words import _, numeral
from treino.folders.documents.run_spec import RunSpec
from treino.folders.run_records import evaluations, training_losses
from treino.folders.store import RunFolder
from treino.folders.timeline import LENGTH, Timeline, epoch_count
from treino.training.run_log import TrainingCourse
from treino_doctor.finding import Finding

RULE = "overfitting"
RISEN = 0.25  # times the best constant's loss: at most 0.19 in ordinary runs, 0.7 or more where it shows
FALLEN = 0.5  # times the training loss at the lowest validation loss
NEWEST = 3  # validations whose median is the loss now
LEAST = 6  # validations that can be judged
DROPOUT = 0.3  # with as much, no more is advised


def overfitting(folder: RunFolder, spec: RunSpec, course: TrainingCourse) -> list[dict[str, Any]]:
    """The finding as JSON; [] if the course's validation loss is not far above its lowest, or the training
    loss has not halved since then."""
    count = epoch_count(spec)
    ended = count.ended(len(course.loss_S))
    loss_E = np.array(evaluations(folder, spec, ended).get("validation", {}).get("loss", []), np.float64)
    held = [c for c in Timeline(folder, spec).held() if c.settings.keys() - set(LENGTH)]
    first = max((c.step for c in held if c.step <= course.first), default=0)  # to go on is no new training
    at_M = np.flatnonzero(np.isfinite(loss_E))
    at_M = at_M[at_M >= count.ended(first)]
    if len(at_M) < LEAST:
        return []
    best, end = int(at_M[loss_E[at_M].argmin()]), int(at_M[-1])
    last = min(loss_E[end], float(np.median(loss_E[at_M[-NEWEST:]])))
    mean_E = training_losses(course.loss_S, count)[0][:ended]
    facts = {"best": loss_E[best], "last": last, "before": mean_E[best], "now": mean_E[-1]}
    risen = course.constant > 0 and last - facts["best"] > RISEN * course.constant
    if not risen or not facts["now"] < FALLEN * facts["before"]:
        return []
    facts["last"] = loss_E[end]
    message = _(
        "The validation loss was lowest at epoch {epoch:,}: {best}. At epoch {end:,} it is {last}, while the "
        "training loss fell from {before} to {now}."
    )
    texts = {name: numeral(float(value), ".4g") for name, value in facts.items()}
    s = course.resolution.settings
    kept = s.keep == "best"
    advice = {
        _("Keep the best epoch: [[keep=best]]."): not kept,
        _("Stop earlier, with [[patience=20]]."): not s.patience,
        _("More rows or fewer units leave less to learn by heart."): True,
        _("So does [[dropout=0.3]]."): (s.dropout or 0.0) < DROPOUT,
    }
    why = _("The network learns its training rows by heart, and answers other rows worse and worse.")
    if kept:
        why = _(
            "The later epochs learnt the training rows by heart. The run keeps the weights of its best "
            "epoch, and these answer."
        )
    told = message.format(epoch=best + 1, end=end + 1, **texts)
    evidence = {"epoch": best + 1} | {name: float(value) for name, value in facts.items()}
    fix = " ".join(text for text, fits in advice.items() if fits)
    return [Finding(RULE, "risk", False, told, why, None, None, None, evidence, fix).as_json()]
