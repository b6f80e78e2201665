"""Softmax twice: once by hand, once inside cross_entropy."""

from collections.abc import Iterable

from treino.diagnosis.finding import Evidence
from treino.diagnosis.reading.picked import mended_at
from treino.diagnosis.reading.source import loss_line
from treino.diagnosis.rule import Rule
from treino.diagnosis.watch.seen import Seen
from treino.words import N_

NAMES = ("softmax", "Softmax2d")
SIGMOIDS = ("sigmoid", "expit")


def decide(seen: Seen) -> Iterable[Evidence]:
    """The input of cross_entropy comes straight from a softmax (its own log-softmax would be harmless), or
    from a sigmoid.
    """
    for loss in seen.losses.values():
        calls = loss.softmax if loss.name in ("cross_entropy", "nll_loss") else 0
        kind = "softmax" if calls else "sigmoid"
        calls = calls or (loss.sigmoid if loss.name == "cross_entropy" else 0)
        if calls:
            at = (loss.softmax_at if loss.softmax else loss.sigmoid_at) or loss.site
            own = mended_at(at, loss.callers, *(NAMES if kind == "softmax" else SIGMOIDS))
            yield Evidence(own, loss.site, {"calls": calls, "classes": loss.classes, "kind": kind})

    for b in seen.backwards.values():
        if b.softmax:
            callers = (b.site,) if b.site is not None else ()
            place = mended_at(b.softmax_at or loss_line(b.site), callers, *NAMES)
            yield Evidence(place, b.site, {"calls": b.softmax, "classes": 0, "kind": "softmax"})


RULE = Rule(
    id="softmax_before_cross_entropy",
    group="losses",
    severity="wrong",
    certain=True,
    watches=("losses",),
    decide=decide,
    early=True,
    message=N_("The input of cross_entropy is already a {kind} ({calls} of {looked} calls looked at)."),
    why=N_(
        "cross_entropy applies log-softmax itself, so the probabilities are squashed a second time: the loss "
        "can't fall below ln(1 + (C − 1)/e), 1.4612 for ten classes, and gradients are small. The "
        "network learns "
        "slowly and looks stuck."
    ),
    fix=N_(
        "Give cross_entropy the last layer's raw output; apply softmax only where you show probabilities."
    ),
    wrong="""\
net = nn.Linear(8, 3)
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
for step in range(10):
    optimizer.zero_grad()
    loss = F.cross_entropy(net(x).softmax(1), y)
    loss.backward()
    optimizer.step()
""",
    right="""\
net = nn.Linear(8, 3)
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
for step in range(10):
    optimizer.zero_grad()
    loss = F.cross_entropy(net(x), y)
    loss.backward()
    optimizer.step()
""",
    cost=N_("walks a few nodes back from each loss's input"),
)
