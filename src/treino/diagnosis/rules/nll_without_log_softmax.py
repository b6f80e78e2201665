"""nll_loss on something else than log-probabilities."""

from collections.abc import Iterable

from treino.diagnosis.finding import Evidence
from treino.diagnosis.reading.picked import mended_at
from treino.diagnosis.rule import Rule
from treino.diagnosis.watch.seen import Seen
from treino.words import N_


def decide(seen: Seen) -> Iterable[Evidence]:
    """By value (the exponentials don't sum to one) and by graph (no log, no scaling on purpose before it)."""
    for loss in seen.losses.values():
        if loss.name == "nll_loss" and loss.unnormalised:
            numbers = {"calls": loss.unnormalised, "source": loss.source, "logsumexp": loss.largest}
            place = loss.source_at or loss.site
            if loss.source == "softmax":
                place = mended_at(place, loss.callers, "softmax")
            yield Evidence(place, loss.site, numbers)


RULE = Rule(
    id="nll_without_log_softmax",
    group="losses",
    severity="wrong",
    certain=True,
    watches=("losses",),
    decide=decide,
    early=True,
    message=N_("nll_loss got values that are no log-probabilities ({calls} calls; they come from {source})."),
    why=N_(
        "nll_loss only picks the value at the label and turns its sign; without log-softmax before it "
        "nothing "
        "keeps the values normalised (log-sum-exp up to {logsumexp}, should be 0). The loss falls "
        "without bound "
        "while the predictions need not become better."
    ),
    fix=N_("Apply log_softmax over the class axis first, or use cross_entropy on the raw output."),
    wrong="""\
net = nn.Linear(8, 3)
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
for step in range(10):
    optimizer.zero_grad()
    loss = F.nll_loss(net(x), y)
    loss.backward()
    optimizer.step()
""",
    right="""\
net = nn.Linear(8, 3)
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
for step in range(10):
    optimizer.zero_grad()
    loss = F.nll_loss(F.log_softmax(net(x), dim=1), y)
    loss.backward()
    optimizer.step()
""",
    cost=N_("one logsumexp for the first calls whose graph has no log before the loss"),
)
