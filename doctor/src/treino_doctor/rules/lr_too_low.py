"""Steps that hardly move the weights."""

import math

from treino_doctor.record.log import Backward, Graph
from treino_doctor.rules import lr_too_high
from treino_doctor.rules.course import optimizers
from treino_doctor.rules.graphs import plain_factor
from treino_doctor.rules.rule import LEARNS_LITTLE, Evidence, Faults, Log, Rule, Site, script

LEAST = 20  # minimum number of steps
STILL = 0.05  # whole movement, times the weights' norm: 0.036 if faulty, 0.12 or more in correct scripts
TYPICAL = 1e-4  # typical step, times the weights' norm: 4e-6 if faulty, 0.003 or more in correct scripts
STUCK = 0.7  # times the loss of a constant prediction
SAME = 0.8  # times the first loss: at least 0.86 in faulty scripts, at most 0.55 in correct ones
LONG = 500  # steps of a run that is long enough to show the fault
MANY = 10_000  # steps to fall below SAME, extrapolated from a shorter run's pace. Both are chosen
SMALL, SCALED = 0.02, 5e-4  # a factor of the loss that explains small steps; such steps. Both are chosen


def decide(log: Log) -> Faults:
    """After all steps the weights are where they began, and the loss is nearly unchanged; the run is long,
    or would go on like this for long at its pace: a few steps look the same with a suitable rate."""
    for loss, o in optimizers(log, "lr", LEAST):
        graphs = [b.graph for b in log.of(Backward) if b.site == loss.site and b.graph.root is not None]
        factor, scaled_at = scaled(graphs[-1]) if graphs else (1.0, None)
        small = factor * len(loss.values) / o.end.steps < SMALL  # and not of as many batches for one step
        typical = SCALED if small else TYPICAL
        still = 0 < o.end.movement < STILL and 0 < o.typical < typical
        ahead = (1 - SAME) * loss.first() / o.pace if o.pace > 0 else math.inf
        slow = o.end.steps >= LONG or ahead > MANY or small
        if still and slow and loss.stuck(STUCK) and loss.last() > SAME * loss.first():
            numbers = {"lr": o.lr, "movement": o.end.movement, "steps": o.end.steps, "loss": loss.last()}
            sites = {"scaled": scaled_at} if small else lr_too_high.by_hand(o)
            yield Evidence(loss.site, numbers, at=o.made.site, sites=sites)
            return


def scaled(graph: Graph) -> tuple[float, Site | None]:
    """The number by which a mean loss was multiplied before backward, and the line; 1 for a sum."""
    factor, at, value = 1.0, None, graph.root
    while value is not None and value.name in ("mul", "div") and (by := plain_factor(value)) is not None:
        learned = [p for p in graph.parents(value) if p.grad]
        factor, at = factor * abs(by), value.site if abs(by) < SMALL or at is None else at
        value = learned[0] if len(learned) == 1 else None
    summed = value is not None and (value.name == "sum" or value.detail.get("reduction") == "sum")
    return (1.0, None) if value is None or summed else (factor, at)


RULE = Rule(
    group="settings",
    certain=False,
    unless=(*LEARNS_LITTLE, "detached_graph"),
    # the line that makes the loss small, or the line that sets the learning rate
    place=lambda e: e.sites.get("scaled") or lr_too_high.RULE.place(e),
    message="""With lr {lr} the weights moved by {movement} times their size in {steps} {steps:step|steps},
    and the loss is still {loss}.""",
    why="""The gradients are there, but the steps are so small that the net stays at its random start. More
    epochs would be needed by the hundred.""",
    fix="""Multiply lr by 10 until the loss falls within the first epoch. If the line shown makes the loss
    smaller, run it backward as it is instead.""",
    safety="A higher rate may be too high: multiply by ten at most at a time.",
    limits="""A factor of the loss is known if it is a plain number. Told after 500 steps or
    more; after fewer only if such a factor is there, or if ten thousand steps of this size would hardly lower
    the loss. A run that was merely cut short is not told.""",
    wrong=script(settings="lr=1e-6", steps=40),
    mend={"lr=1e-6": "lr=0.1"},
)
