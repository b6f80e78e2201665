"""The finding that the validation loss has risen far while the training loss went on falling."""

from typing import Any

import numpy as np

from treino.base.words import _, numeral
from treino.folders.documents.run_spec import RunSpec
from treino.folders.run_records import evaluations, training_losses
from treino.folders.store import RunFolder
from treino.folders.timeline import epoch_count
from treino.training.run_log import TrainingCourse
from treino_doctor.finding import Finding

RULE = "overfitting"
RISEN = 0.25  # times the best constant's loss: at most 0.19 in ordinary runs, 0.7 or more where it shows
FALLEN = 0.5  # times the training loss at the lowest validation loss
NEWEST = 3  # validations whose median is the loss now
LEAST = 6  # validations that can be judged


def overfitting(folder: RunFolder, spec: RunSpec, course: TrainingCourse) -> list[dict[str, Any]]:
    """The finding as JSON; [] if the course's validation loss is not far above its lowest, or the training
    loss has not halved since then."""
    count = epoch_count(spec)
    ended = count.ended(len(course.loss_S))
    loss_E = np.array(evaluations(folder, spec, ended).get("validation", {}).get("loss", []), np.float64)
    at_M = np.flatnonzero(np.isfinite(loss_E))
    at_M = at_M[at_M >= count.ended(course.first)]
    if len(at_M) < LEAST:
        return []
    best = int(at_M[loss_E[at_M].argmin()])
    last = float(np.median(loss_E[at_M[-NEWEST:]]))
    mean_E = training_losses(course.loss_S, count)[0][:ended]
    facts = {"best": loss_E[best], "last": last, "before": mean_E[best], "now": mean_E[-1]}
    risen = course.constant > 0 and last - facts["best"] > RISEN * course.constant
    if not risen or not facts["now"] < FALLEN * facts["before"]:
        return []
    message = _(
        "The validation loss was lowest at epoch {epoch:,}: {best}. It has risen to {last} since, while the "
        "training loss fell from {before} to {now}."
    )
    texts = {name: numeral(float(value), ".4g") for name, value in facts.items()}
    return [
        Finding(
            RULE,
            "risk",
            False,
            message.format(epoch=best + 1, **texts),
            _("The network learns its training rows by heart, and answers other rows worse and worse."),
            None,
            None,
            None,
            {"epoch": best + 1} | {name: float(value) for name, value in facts.items()},
            _("Stop earlier, with [[patience=20]]; or use more rows, fewer units, or [[dropout=0.3]]."),
        ).as_json()
    ]
