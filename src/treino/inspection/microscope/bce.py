"""Topic: binary cross-entropy of two classes with one logit."""

import numpy as np

from treino.base.words import N_, _
from treino.engine.losses import Loss
from treino.inspection.microscope.explanation import Explanation, ExplanationPart, Step, StepTable, Topic
from treino.inspection.microscope.losses import bce_steps, loss_checks
from treino.inspection.microscope.reference import torch_page, worked
from treino.inspection.microscope.run_explanation import own_loss, to_the_gradient
from treino.inspection.microscope.update import Update

LOGITS = np.array([[2.0], [-1.0], [0.5], [3.0]])
WANTED = np.array([[1.0], [0.0], [0.0], [0.0]])
SOURCES = (torch_page("torch.nn.BCEWithLogitsLoss"),)


def example() -> Explanation:
    loss = Loss("bce")
    mine = worked(loss, LOGITS, WANTED)
    rows = tuple(
        (float(a), float(b), float(t), float(d))
        for a, b, t, d in zip(LOGITS[:, 0], WANTED[:, 0], mine.terms, mine.slope[:, 0], strict=True)
    )
    table = StepTable((_("logit z"), "y", _("loss of the row"), _("slope at z")), rows)
    text = _("Sure and wrong costs most, and pulls hardest; sure and right costs next to nothing.")
    return Explanation(
        "bce",
        _("bce: binary cross-entropy from one logit"),
        _("The logit z says how sure the network is of class 1; the loss is −ln of what the true class got."),
        (
            ExplanationPart(_("A row that is right"), bce_steps(LOGITS, WANTED, 0)[:3]),
            ExplanationPart(_("A row that is sure, and wrong"), bce_steps(LOGITS, WANTED, 3)),
            ExplanationPart(_("All rows"), (Step(_("What each costs"), text=text, table=table),)),
        ),
        loss_checks(loss, LOGITS, WANTED, (3, 0), "δ₄"),
        SOURCES,
    )


def of(update: Update) -> Explanation:
    return to_the_gradient(update, "bce", SOURCES)


TOPIC = Topic("bce", N_("binary cross-entropy: two classes, one logit"), example, of, own_loss)
