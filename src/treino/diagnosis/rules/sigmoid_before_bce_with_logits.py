"""Sigmoid twice: once by hand, once inside binary_cross_entropy_with_logits."""

from collections.abc import Iterable

from treino.diagnosis.finding import Evidence
from treino.diagnosis.reading.picked import mended_at
from treino.diagnosis.reading.source import loss_line
from treino.diagnosis.rule import Rule
from treino.diagnosis.watch.seen import Seen
from treino.words import N_

NAMES = ("sigmoid", "softmax")


def decide(seen: Seen) -> Iterable[Evidence]:
    """The input of binary_cross_entropy_with_logits comes straight from a sigmoid (or a softmax)."""
    for loss in seen.losses.values():
        if loss.sigmoid and loss.name != "cross_entropy":
            own = mended_at(loss.sigmoid_at or loss.site, loss.callers, *NAMES)
            yield Evidence(
                own,
                loss.site,
                {"calls": loss.sigmoid},
            )

    for b in seen.backwards.values():
        if b.sigmoid:
            callers = (b.site,) if b.site is not None else ()
            place = mended_at(b.sigmoid_at or loss_line(b.site), callers, *NAMES)
            yield Evidence(place, b.site, {"calls": b.sigmoid})


RULE = Rule(
    id="sigmoid_before_bce_with_logits",
    group="losses",
    severity="wrong",
    certain=True,
    watches=("losses",),
    decide=decide,
    early=True,
    message=N_(
        "The input of binary_cross_entropy_with_logits is already a probability ({calls} of {looked} calls "
        "looked at)."
    ),
    why=N_(
        "The loss applies the sigmoid itself: applied twice, an output between 0 and 1 becomes 0.50 to "
        "0.73, so "
        "that the network can never say no, and its loss stays above 0.31."
    ),
    fix=N_("Give it the raw output, or use binary_cross_entropy (BCELoss) with the sigmoid."),
    wrong="""\
net = nn.Linear(8, 1)
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
for step in range(10):
    optimizer.zero_grad()
    loss = F.binary_cross_entropy_with_logits(torch.sigmoid(net(x)).squeeze(1), (y > 0).float())
    loss.backward()
    optimizer.step()
""",
    right="""\
net = nn.Linear(8, 1)
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
for step in range(10):
    optimizer.zero_grad()
    loss = F.binary_cross_entropy_with_logits(net(x).squeeze(1), (y > 0).float())
    loss.backward()
    optimizer.step()
""",
    cost=N_("walks a few nodes back from each loss's input"),
)
