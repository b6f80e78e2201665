"""The same random numbers in every epoch."""

from collections.abc import Iterable

from treino.diagnosis.finding import Evidence
from treino.diagnosis.rule import Rule
from treino.diagnosis.watch.seen import Seen
from treino.words import _


def decide(seen: Seen) -> Iterable[Evidence]:
    """The same line set the same seed again and again while one optimizer went on stepping."""
    for s in seen.seeds.values():
        if s.same >= 2:
            yield Evidence(s.site, s.site, {"seed": s.seed, "times": s.calls})
            return


RULE = Rule(
    id="seed_reset_each_epoch",
    group="settings",
    severity="wrong",
    certain=True,
    watches=("seeds",),
    decide=decide,
    message=_("Seed {seed} was set {times} times within one training."),
    why=_(
        "Every epoch draws the same order, the same dropout masks and the same augmentation. The net "
        "never sees anything new, which is what they are there for."
    ),
    fix=_("Set the seed once, before training."),
    wrong="""\
net = nn.Linear(8, 3)
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
for step in range(10):
    torch.manual_seed(0)
    optimizer.zero_grad()
    loss = F.cross_entropy(net(x), y)
    loss.backward()
    optimizer.step()
""",
    right="""\
torch.manual_seed(0)
net = nn.Linear(8, 3)
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
for step in range(10):
    optimizer.zero_grad()
    loss = F.cross_entropy(net(x), y)
    loss.backward()
    optimizer.step()
""",
    cost=_("counts calls of the seeding functions"),
)
