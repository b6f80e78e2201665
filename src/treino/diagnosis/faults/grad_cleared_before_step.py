"""Gradients that are cleared between backward and step."""

from collections import Counter
from collections.abc import Iterable

from treino.diagnosis.faults.rule import Evidence, Rule
from treino.diagnosis.faults.turns import BY_EPOCH, used_and_wasted
from treino.diagnosis.finding import Site
from treino.diagnosis.record.log import Cleared, Log, OptimizerMade, Stepped
from treino.diagnosis.rules.grad_cleared_before_step import RULE as WORDS

LEAST = 2  # steps on nothing; one may be a first step that only makes an optimizer's state


def decide(log: Log) -> Iterable[Evidence]:
    """Most steps of an optimizer found every gradient that backward had written gone or zero; or, where
    gradients were to be accumulated, those of most backwards between two steps.
    """
    for optimizer, kind in {o.optimizer: o.kind for o in log.of(OptimizerMade)}.items():
        steps, empty, cleared = 0, Counter[Site | None](), None
        last: Stepped | None = None
        for event in log.events:
            if isinstance(event, Cleared) and optimizer in event.optimizers:
                cleared = event
            elif isinstance(event, Stepped) and event.optimizer == optimizer:
                steps, last = steps + 1, event
                if cleared is not None and event.gradients == event.zeros:
                    empty[cleared.site] += 1
                cleared = None
        lost = sum(empty.values())
        if last is not None and lost >= LEAST and 2 * lost > steps:
            numbers = {"optimizer": kind, "cleared": lost, "steps": steps}
            yield Evidence(last.site, numbers, at=empty.most_common(1)[0][0])
            continue
        turns = used_and_wasted(log, optimizer)
        if last is not None and turns.thrown_away and turns.between <= BY_EPOCH:
            numbers = {"optimizer": kind, "cleared": turns.wasted, "steps": turns.used + turns.wasted}
            yield Evidence(last.site, numbers, at=turns.cleared_at)


RULE = Rule(WORDS, decide)
