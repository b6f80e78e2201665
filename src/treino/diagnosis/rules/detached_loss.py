"""A loss that has lost its history before backward."""

import ast
from collections.abc import Iterable

from treino.diagnosis.finding import Evidence, Site
from treino.diagnosis.reading.source import called, loss_line, tree
from treino.diagnosis.rule import Rule
from treino.diagnosis.watch.seen import Seen
from treino.words import N_


def decide(seen: Seen) -> Iterable[Evidence]:
    """backward ran from a fresh leaf, or through a graph without any parameter, while an optimizer waits."""
    for b in seen.backwards.values():
        if seen.optimizers and not any(o.steps or not o.filled for o in seen.optimizers):
            continue
        if b.leaf_roots >= 1 and b.leaf_roots * 2 > b.calls:
            yield Evidence(b.made_at or loss_line(b.site), b.site, {"backwards": b.leaf_roots})
        elif b.cut_roots >= 2 and any(o.idle_steps >= 2 and o.filled == 0 for o in seen.optimizers):
            place = b.made_at or (_made_anew(b.site.file) if b.site is not None else None)
            yield Evidence(place or loss_line(b.site), b.site, {"backwards": b.calls})


def _made_anew(path: str) -> Site | None:
    """The only line that makes a tensor of numbers and asks for its gradient: ``torch.tensor(v,
    requires_grad=True)``.
    """
    made: set[int] = set()
    for call in called(tree(path) or ast.Module([], []), "tensor", "as_tensor", "FloatTensor", "from_numpy"):
        asked = any(k.arg == "requires_grad" and getattr(k.value, "value", 0) is True for k in call.keywords)
        numbers = [
            *called(call, "tolist", "item", "numpy"),
            *(a for a in call.args if isinstance(a, ast.Name)),
        ]
        if asked and numbers:
            made.add(call.lineno)
    return Site(path, made.pop()) if len(made) == 1 else None


RULE = Rule(
    id="detached_loss",
    group="gradients",
    severity="wrong",
    certain=True,
    watches=("backwards", "optimizers"),
    decide=decide,
    early=True,
    message=N_("{backwards} backwards started from a tensor that knows nothing of the network."),
    why=N_(
        "A tensor made anew from a number (torch.tensor, .item(), .data, requires_grad=True) has no "
        "history, so "
        "that backward ends there and the parameters get no gradient. requires_grad only silences the error."
    ),
    fix=N_("Compute the loss from the network's output with torch functions, and leave its history alone."),
    wrong="""\
net = nn.Linear(8, 3)
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
for step in range(10):
    loss = F.cross_entropy(net(x), y)
    loss = torch.tensor(loss.item(), requires_grad=True)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
""",
    right="""\
net = nn.Linear(8, 3)
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
for step in range(10):
    loss = F.cross_entropy(net(x), y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
""",
    cost=N_("looks at the root of each backward"),
)
