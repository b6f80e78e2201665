"""Gradients that are cleared between backward and step."""

from collections import Counter
from collections.abc import Iterable

from treino_doctor.finding import Site
from treino_doctor.record.log import Cleared, Log, OptimizerMade, Stepped
from treino_doctor.rules.rule import Evidence, Rule
from treino_doctor.rules.turns import BY_EPOCH, used_and_wasted
from treino_doctor.words import N_

LEAST = 2  # steps without gradients; one may only initialise the optimizer's state


def decide(log: Log) -> Iterable[Evidence]:
    """At most steps of an optimizer, every gradient that backward had written was None or zero; or, if
    gradients were to be accumulated, most backwards' gradients were cleared between two steps.
    """
    for optimizer, kind in {o.optimizer: o.kind for o in log.of(OptimizerMade)}.items():
        steps, empty, cleared = 0, Counter[tuple[Site, ...]](), None
        last: Stepped | None = None
        for event in log.events:
            if isinstance(event, Cleared) and optimizer in event.optimizers:
                cleared = event
            elif isinstance(event, Stepped) and event.optimizer == optimizer:
                steps, last = steps + 1, event
                if cleared is not None and event.gradients == event.zeros:
                    empty[cleared.stack] += 1
                cleared = None
        lost = sum(empty.values())
        if last is not None and lost >= LEAST and 2 * lost > steps:
            numbers = {"optimizer": kind, "cleared": lost, "steps": steps}
            where = empty.most_common(1)[0][0]
            yield Evidence(last.site, numbers, at=next(iter(where), None), stack=where)
            continue
        turns = used_and_wasted(log, optimizer)
        if last is not None and turns.thrown_away and turns.between <= BY_EPOCH:
            numbers = {"optimizer": kind, "cleared": turns.wasted, "steps": turns.used + turns.wasted}
            yield Evidence(last.site, numbers, at=turns.cleared_at)


RULE = Rule(
    id="grad_cleared_before_step",
    group="gradients",
    severity="wrong",
    certain=True,
    early=True,
    decide=decide,
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
