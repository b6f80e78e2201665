"""Softmax twice: once by hand, once inside cross_entropy."""

from collections.abc import Iterable

from treino.diagnosis.faults.graphs import made_by
from treino.diagnosis.faults.rule import Evidence, Rule
from treino.diagnosis.finding import Site
from treino.diagnosis.record.log import Log, LossCall, Operation
from treino.words import N_


def decide(log: Log) -> Iterable[Evidence]:
    """The input of cross_entropy comes straight from a softmax (its own log-softmax would be harmless), or
    from a sigmoid.
    """
    lines: dict[Site | None, list[tuple[LossCall, Operation]]] = {}
    for call in log.of(LossCall):
        made = made_by(call.graph, "softmax", "sigmoid") if call.name == "cross_entropy" else None
        if made is not None:
            lines.setdefault(call.site, []).append((call, made))
    for calls in lines.values():
        call, made = calls[-1]
        numbers = {"calls": len(calls), "classes": call.input_shape[-1], "kind": made.name}
        yield Evidence(call.site, numbers, at=made.site, stack=call.stack)


RULE = Rule(
    id="softmax_before_cross_entropy",
    group="losses",
    severity="wrong",
    certain=True,
    decide=decide,
    early=True,
    message=N_("The input of cross_entropy is already a {kind} ({calls} calls)."),
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
)
