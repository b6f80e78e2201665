"""Gradients that no optimizer step ever uses."""

from collections import Counter

from treino_doctor.record.log import Backward, OptimizerEnded, OptimizerMade, Stepped
from treino_doctor.rules.rule import STEP, Evidence, Faults, Log, Rule, Site, by_line, script
from treino_doctor.rules.turns import BY_EPOCH, turns

LEAST = 3  # minimum number of backwards; one or two may only inspect gradients


def decide(log: Log) -> Faults:
    """No step used the gradients that backward wrote, or there was only one step for many backwards."""
    made: dict[int, OptimizerMade] = {o.optimizer: o for o in log.of(OptimizerMade)}
    ends = {e.optimizer: e for e in log.of(OptimizerEnded)}
    stepped = {p for o, e in ends.items() if e.steps and o in made for p in made[o].parameters}
    fills = Counter[Site | None]()  # summed over a line's optimizers, as for folds
    for optimizer, end in ends.items():
        if optimizer in made and not end.steps and not end.moved:
            fills[made[optimizer].site] += end.filled
    stepping = by_line(log.of(Stepped), lambda s: s.optimizer)
    uses = turns(log)
    newest = {optimizer: backward for backward in log.of(Backward) for optimizer in backward.filled}
    for optimizer, end in ends.items():
        kind = made.get(optimizer)
        if kind is None:
            continue
        last = newest.get(optimizer)
        idle = not end.steps and not end.moved and not stepped & kind.parameters
        if idle and last is not None and fills[kind.site] >= LEAST:
            numbers = {"optimizer": kind.kind, "backwards": fills[kind.site], "steps": 0}
            yield Evidence(last.site, numbers, at=last.site, stack=last.stack)
            continue
        use, steps = uses[optimizer], stepping.get(optimizer, [])
        if use.thrown_away and use.between > BY_EPOCH and not steps[-1].assigned:
            numbers = {"optimizer": kind.kind, "backwards": use.used + use.wasted, "steps": len(steps)}
            yield Evidence(newest[optimizer].site, numbers, at=steps[-1].site)


RULE = Rule(
    group="gradients",
    message="""{backwards} backward {backwards:pass|passes} wrote gradients for {optimizer}, which took
    {steps} {steps:step|steps}.""",
    why="""Gradients alone change nothing: the optimizer's step does. These were computed and thrown away, so
    that the parameters stayed (nearly) where they were.""",
    fix="Call this optimizer's step() (with its parentheses) after each backward.",
    safety="Safe: before, nothing was learned by these weights.",
    limits="A program that moves weights itself, in place, has stepped.",
    wrong=script().replace(STEP, "    optimizer.step\n"),
    mend={"optimizer.step\n": "optimizer.step()\n"},
)
