"""Batch norm that learns from a batch of one row."""

import math
from collections.abc import Iterable

from treino_doctor.finding import Site
from treino_doctor.places.placement import batches
from treino_doctor.places.settings import setting
from treino_doctor.record.log import Ended, Log
from treino_doctor.record.outcomes import Normed
from treino_doctor.rules.rule import Evidence, Rule
from treino_doctor.words import N_

WIDE = 64  # values of a row in each channel that suffice for statistics
SELDOM = 8  # at most one batch in this many
LEAST = 3  # batches of one row, if there are no larger ones


def decide(log: Log) -> Iterable[Evidence]:
    """Torch refused a batch of one row; or some came between larger batches; or all did have one row, and the
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
    certain=True,
    message=N_(
        "A batch-norm layer in training mode got {ones} batches of one row (shape {shape}), and {larger} "
        "larger ones."
    ),
    why=N_(
        "The mean and deviation of one row say nothing of the data: the row is normalised by itself, and the "
        "running averages are pulled towards it. With one value per channel PyTorch refuses."
    ),
    fix=N_("Use drop_last=True or another batch size so that no batch has one row; or group norm."),
    safety="`drop_last=True` leaves up to a batch of rows out of each epoch, others each time when shuffled.",
    limits="Calls between windows are counted only where a single row enters a net in training mode.",
    wrong="""\
net = nn.Sequential(nn.Unflatten(1, (2, 4)), nn.BatchNorm1d(2), nn.Flatten(), nn.Linear(8, 3))
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
for rows in torch.arange(61).split(20):
    optimizer.zero_grad()
    loss = F.cross_entropy(net(x[rows]), y[rows])
    loss.backward()
    optimizer.step()
""",
    mend={"torch.arange(61)": "torch.arange(60)"},
)
