"""Gradients that are cleared between backward and step."""

from collections import Counter

from treino_doctor.record.log import Backward, Cleared, OptimizerMade, Stepped
from treino_doctor.rules.rule import CLEAR, STEP, Evidence, Faults, Log, Rule, Site, script
from treino_doctor.rules.turns import BY_EPOCH, turns

LEAST = 2  # minimum number of steps without gradients; one may only initialise the optimizer's state


def decide(log: Log) -> Faults:
    """At most steps that are recorded from a backward on, every gradient that it wrote was None or zero;
    or, if gradients were to be accumulated, most backwards' gradients were cleared between two steps."""
    uses = turns(log)
    kinds = {o.optimizer: o.kind for o in log.of(OptimizerMade)}
    steps: dict[int, list[Stepped]] = {optimizer: [] for optimizer in kinds}
    empty: dict[int, Counter[tuple[Site, ...]]] = {optimizer: Counter() for optimizer in kinds}
    cleared: dict[int, Cleared] = {}
    written: dict[int, int] = {}
    for event in log.events:
        if isinstance(event, Backward):
            written |= {optimizer: event.turn for optimizer in event.filled if optimizer in kinds}
        elif isinstance(event, Cleared):
            cleared |= dict.fromkeys(event.optimizers, event)
        elif isinstance(event, Stepped) and written.pop(event.optimizer, -1) >= event.since:
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
    early=True,
    message="""{optimizer}: gradients were cleared between backward and step in {cleared} of {steps}
    {steps:step|steps}.""",
    why="""backward wrote gradients, they were cleared, and only then the optimizer stepped: it had nothing to
    follow. The network keeps its first weights.""",
    fix="Clear the gradients before backward (or after step), never between the two.",
    safety="Safe: the order of three calls. Before, nothing was learned.",
    limits="""Gradients are followed only in the steps that are recorded, so that a fault that begins late is
    found late.""",
    wrong=script().replace(CLEAR, "").replace(STEP, CLEAR + STEP),
    mend={f"    loss.backward()\n{CLEAR}": f"{CLEAR}    loss.backward()\n"},
)
