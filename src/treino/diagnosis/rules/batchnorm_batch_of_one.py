"""Batch norm that learns from a batch of one row."""

import math
from collections.abc import Iterable

from treino.diagnosis.finding import Evidence
from treino.diagnosis.reading.configured import set_number
from treino.diagnosis.reading.places import batches_made, told_line
from treino.diagnosis.rule import Rule
from treino.diagnosis.watch.seen import BatchNormSeen, Seen
from treino.words import N_

WIDE = 64  # values of a row in each channel, which say something of it
SELDOM = 8  # one batch in so many


def decide(seen: Seen) -> Iterable[Evidence]:
    """It crashed on one; or single rows come between larger batches; or its averages are used later."""
    for norm in seen.batch_norms:
        if not norm.crashed and _is_drop(norm, seen.steps):
            continue
        if norm.crashed or (
            norm.ones >= 1 and (norm.larger >= 1 or (norm.evaluated >= 1 and norm.ones >= 3))
        ):
            numbers = {"ones": norm.ones, "larger": norm.larger, "shape": str(list(norm.shape))}
            place = told_line(norm.loader or batches_made(norm.called) or norm.site, "batch_size")
            yield Evidence(set_number(place, "batch_size", lambda n: n == 1) or place, norm.site, numbers)
            return  # the other layers of the net got the same batch


def _is_drop(norm: BatchNormSeen, steps: int) -> bool:
    """Whether a row now and then, of a large map, is lost among the other batches."""
    return norm.larger >= 1 and math.prod(norm.shape[2:]) >= WIDE and norm.ones * SELDOM <= steps


RULE = Rule(
    id="batchnorm_batch_of_one",
    group="modes",
    severity="risk",
    certain=True,
    watches=("batch_norms",),
    decide=decide,
    message=N_(
        "A batch-norm layer in training mode got {ones} batches of one row (shape {shape}), and "
        "{larger} larger "
        "ones."
    ),
    why=N_(
        "The mean and deviation of one row say nothing of the data: the row is normalised by itself, and the "
        "running averages are pulled towards it. With one value per channel PyTorch refuses."
    ),
    fix=N_("Use drop_last=True or another batch size so that no batch has one row; or group norm."),
    wrong="""\
net = nn.Sequential(nn.Unflatten(1, (2, 4)), nn.BatchNorm1d(2), nn.Flatten(), nn.Linear(8, 3))
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
for rows in torch.arange(61).split(20):
    optimizer.zero_grad()
    loss = F.cross_entropy(net(x[rows]), y[rows])
    loss.backward()
    optimizer.step()
""",
    right="""\
net = nn.Sequential(nn.Unflatten(1, (2, 4)), nn.BatchNorm1d(2), nn.Flatten(), nn.Linear(8, 3))
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
for rows in torch.arange(60).split(20):
    optimizer.zero_grad()
    loss = F.cross_entropy(net(x[rows]), y[rows])
    loss.backward()
    optimizer.step()
""",
    cost=N_("one comparison per call of batch_norm"),
)
