"""Steps that use the gradients of past steps again."""

from treino_doctor.places.updates import uncalled_clearing
from treino_doctor.record.log import BY_HAND, Backward, OptimizerMade, Stepped
from treino_doctor.rules.rule import CLEAR, Evidence, Faults, Log, Rule, Site, by_line, script

LEAST = 2  # steps; a single one may be intended after a resume


def decide(log: Log) -> Faults:
    """An optimizer stepped at least twice on gradients that were added to the gradients of past steps; or on
    gradients that its step before had used, with no backward in between."""
    kinds = {o.optimizer: o.kind for o in log.of(OptimizerMade)}
    newest = {optimizer: b for b in log.of(Backward) for optimizer in b.summed}
    stepped = by_line(log.of(Stepped), lambda s: s.optimizer)
    for optimizer, kind in kinds.items():
        steps, added = stepped.get(optimizer, []), newest.get(optimizer)
        summed, again = [s for s in steps if s.summed], [s for s in steps if s.twice]
        if len(summed) >= LEAST and added is not None:
            numbers = {"optimizer": kind, "summed": len(summed), "steps": len(steps), "twice": 0}
            yield Evidence(summed[-1].site, numbers, at=added.site, stack=added.stack)
        if len(again) >= LEAST:
            numbers = {"optimizer": kind, "summed": len(again), "steps": len(steps), "twice": 1}
            yield Evidence(again[-1].site, numbers)


def place(evidence: Evidence) -> Site | None:
    """A clearing that is named but not called; else the backward, or the update if it is by hand; of two
    steps on one gradient, the second."""
    if evidence.numbers["twice"]:
        return evidence.seen
    by_hand = evidence.numbers["optimizer"] == BY_HAND
    return uncalled_clearing(evidence.at) or (evidence.seen if by_hand else evidence.at)


RULE = Rule(
    group="gradients",
    early=True,
    message="{summed} of {steps} steps looked at ({optimizer}) used the gradients of earlier steps again.",
    why="""backward adds to .grad, and nothing cleared it after the step, so that each step follows the sum of
    all past gradients. The step size grows with the number of steps, and old batches never stop pulling. A
    second step with no backward in between follows the same gradients once more.""",
    fix="""Call optimizer.zero_grad() once per step, before this backward, and step() once per backward:
    scaler.step(optimizer) calls it.""",
    safety="""The steps become smaller: before, gradients added up. A rate that was tuned with the fault is
    then too low; `--prove` tries ten and a hundred times it.""",
    limits="""Gradients that are summed over several batches on purpose are left alone, as long as they are
    cleared after each step.""",
    wrong=script(settings="lr=0.01").replace(CLEAR, ""),
    mend={"    loss.backward()": f"{CLEAR}    loss.backward()"},
)
