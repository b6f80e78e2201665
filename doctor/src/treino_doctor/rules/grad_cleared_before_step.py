"""Gradients that are cleared between backward and step."""

from collections import Counter
from collections.abc import Iterable

from treino_doctor.finding import Site
from treino_doctor.record.log import Cleared, Log, OptimizerMade, Stepped
from treino_doctor.rules.rule import Evidence, Rule
from treino_doctor.rules.turns import BY_EPOCH, turns
from treino_doctor.words import N_

LEAST = 2  # steps without gradients; one may only initialise the optimizer's state


def decide(log: Log) -> Iterable[Evidence]:
    """At most steps of an optimizer, every gradient that backward had written was None or zero; or, if
    gradients were to be accumulated, most backwards' gradients were cleared between two steps.
    """
    uses = turns(log)
    kinds = {o.optimizer: o.kind for o in log.of(OptimizerMade)}
    steps: dict[int, list[Stepped]] = {optimizer: [] for optimizer in kinds}
    empty: dict[int, Counter[tuple[Site, ...]]] = {optimizer: Counter() for optimizer in kinds}
    cleared: dict[int, Cleared] = {}
    for event in log.events:
        if isinstance(event, Cleared):
            cleared |= dict.fromkeys(event.optimizers, event)
        elif isinstance(event, Stepped) and event.optimizer in kinds:
            steps[event.optimizer].append(event)
            before = cleared.pop(event.optimizer, None)
            if before is not None and event.gradients == event.zeros:
                empty[event.optimizer][before.stack] += 1
    for optimizer, own in steps.items():
        lost, use, site = empty[optimizer].total(), uses[optimizer], own[-1].site if own else None
        if lost >= LEAST and 2 * lost > len(own):
            numbers = {"optimizer": kinds[optimizer], "cleared": lost, "steps": len(own)}
            where = empty[optimizer].most_common(1)[0][0]
            yield Evidence(site, numbers, at=next(iter(where), None), stack=where)
        elif use.thrown_away and use.between <= BY_EPOCH:
            numbers = {"optimizer": kinds[optimizer], "cleared": use.wasted, "steps": use.used + use.wasted}
            yield Evidence(site, numbers, at=use.cleared_at)


RULE = Rule(
    group="gradients",
    severity="wrong",
    certain=True,
    early=True,
    message=N_("{optimizer}: gradients were cleared between backward and step, {cleared} times of {steps}."),
    why=N_(
        "backward wrote gradients, they were cleared, and only then the optimizer stepped: it had nothing to "
        "follow. The network keeps its first weights."
    ),
    fix=N_("Clear the gradients before backward (or after step), never between the two."),
    safety="Safe: the order of three calls. Before, nothing was learned.",
    limits="Between windows gradients are not followed; a fault that begins late is found in a later window.",
    wrong="""\
net = nn.Linear(8, 3)
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
for step in range(10):
    loss = F.cross_entropy(net(x), y)
    loss.backward()
    optimizer.zero_grad()
    optimizer.step()
""",
    mend={"loss.backward()\n    optimizer.zero_grad()": "optimizer.zero_grad()\n    loss.backward()"},
)
