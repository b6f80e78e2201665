"""Batch norm that learns from a batch of one row."""

import math

from treino_doctor.places.placement import batches
from treino_doctor.places.settings import setting
from treino_doctor.record.log import Ended
from treino_doctor.record.outcomes import Normed
from treino_doctor.rules.rule import Evidence, Faults, Log, Rule, Site, script

WIDE = 64  # values of a row in each channel that suffice for statistics
SELDOM = 8  # at most one batch in this many
LEAST = 3  # batches of one row, if there are no larger ones


def decide(log: Log) -> Faults:
    """Torch refused a batch of one row; or some such came between larger batches; or all had one row, and the
    running averages were used in eval mode."""
    steps = max((e.step for e in log.of(Ended)), default=0)
    for norm in log.of(Normed):
        drop = norm.larger and math.prod(norm.shape[2:]) >= WIDE and norm.ones * SELDOM <= steps
        used = norm.larger or (norm.evaluated and norm.ones >= LEAST)
        if norm.crashed or (used and not drop):
            numbers = {"ones": norm.ones, "larger": norm.larger, "shape": str(list(norm.shape))}
            sites = {"loader": norm.loader}
            yield Evidence(norm.made_at, numbers, at=norm.loader, stack=norm.stack, sites=sites)
            return  # the other layers of the net got the same batch


def place(evidence: Evidence) -> Site | None:
    """The line that sets the batch size, in the loader or in the loop over batches."""
    loader = evidence.sites.get("loader")
    if loader is not None:
        return setting(loader, "batch_size", 1, 1.0)
    head = batches(evidence.stack) or evidence.seen
    return setting(head, "batch_size", None, 1.0)


RULE = Rule(
    group="modes",
    severity="risk",
    message=(
        "A batch-norm layer in training mode got {ones} batches of one row (shape {shape}), and {larger} "
        "larger ones."
    ),
    why=(
        "The mean and deviation of one row say nothing of the data: the row is normalised by itself, and the "
        "running averages are pulled towards it. With one value per channel PyTorch refuses."
    ),
    fix="Use drop_last=True or another batch size so that no batch has one row; or group norm.",
    safety="`drop_last=True` leaves up to a batch of rows out of each epoch, others each time when shuffled.",
    limits="Calls between windows are counted only where a single row enters a net in training mode.",
    wrong=script(
        "nn.Sequential(nn.Unflatten(1, (2, 4)), nn.BatchNorm1d(2), nn.Flatten(), nn.Linear(8, 3))",
        "F.cross_entropy(net(x[rows]), y[rows])",
    ).replace("step in range(10)", "rows in torch.arange(61).split(20)"),
    mend={"torch.arange(61)": "torch.arange(60)"},
)
