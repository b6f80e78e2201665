"""A summed loss whose steps grow with the batch."""

import math

from treino_doctor.places.settings import setting
from treino_doctor.record.log import Backward
from treino_doctor.rules.course import Training, optimizers, trainings
from treino_doctor.rules.rule import NEVER_LEARNS, Evidence, Faults, Log, Rule, Site, script

LEAST = 8  # rows of a batch, and values of a loss
STUCK = 0.8  # times the loss of a constant prediction
ROSE = 1.5  # the highest loss, times the first loss and that of a constant prediction
GREW = 3  # the last loss, times the first loss
WILD = 0.02  # the median step, times the weights
LARGE = 0.1  # the largest step, times the weights
ALONE = 0.5  # allowed relative difference of the loss from the sum. All are chosen, not measured


def decide(log: Log) -> Faults:
    """A sum over many rows, steps as large as the gradient, and a loss that rose and ends no better than a
    constant's."""
    for loss in trainings(log):
        rows, made = summed_rows(log, loss)
        if rows < LEAST or len(loss.values) < LEAST or not math.isfinite(loss.values[0]) or loss.moving:
            continue  # targets that grow with the nets' answers let a loss grow, too
        own = [o for o in optimizers(log) if o.made.optimizer in loss.optimizers]
        wild = any(not o.made.adaptive and (o.typical > WILD or o.largest > LARGE) for o in own)
        first, last = loss.values[0], loss.last()
        grew = not math.isfinite(last) or (first > 0 and last > GREW * first)
        stuck = wild and loss.known and loss.stuck(STUCK) and loss.rose(ROSE)
        if wild and (grew or stuck):
            yield Evidence(loss.site, {"rows": rows, "first": first, "last": last}, at=made)
            return


def summed_rows(log: Log, loss: Training) -> tuple[int, Site | None]:
    """(rows that the loss sums over, line of the sum), by the loss's reduction or by hand."""
    sums = [c for c in loss.calls if c.reduction == "sum" and c.trained]
    if sums and abs(loss.adds - 1) < ALONE:
        one = sums[-1]
        return max(c.input_shape[0] for c in sums if c.input_shape), one.made_at or one.site
    for b in log.of(Backward):
        root = b.graph.root if b.site == loss.site else None
        if root is not None and root.name == "neg":
            root = next(iter(b.graph.parents(root)), None)
        if root is not None and root.name == "sum" and not loss.calls:
            summed = b.graph.parents(root)
            if summed and summed[0].shape:
                return summed[0].shape[0], root.site
    return 0, None


RULE = Rule(
    group="losses",
    certain=False,
    unless=NEVER_LEARNS,
    place=lambda e: setting(e.at, "reduction"),  # the line that sets the reduction
    message="""The loss is a sum over {rows} rows and training does not converge: {first} at first, {last} at
    the end.""",
    why="""Summed over the batch, the gradient is as many times larger as there are rows, and so is every
    step: lr that suits a mean is far too large. It also changes with the batch size.""",
    fix="Use reduction='mean' (the default), or divide lr by the batch size.",
    safety="The gradients become smaller by the number of rows: multiply the rate accordingly.",
    limits="Told only where the loss rises; a sum with a small rate is right, also where it learns slowly.",
    wrong=script("nn.Linear(8, 1)", 'F.mse_loss(net(x), x[:, :1], reduction="sum")', steps=20),
    mend={', reduction="sum"': ""},
)
