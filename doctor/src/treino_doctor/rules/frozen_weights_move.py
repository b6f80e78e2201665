"""Weights without a gradient that an optimizer still moves."""

from treino_doctor.record.log import OptimizerMade, Stepped
from treino_doctor.rules.rule import DEEP, NEVER_LEARNS, Evidence, Faults, Log, Rule, by_line, script

LEAST = 2  # minimum number of steps
ZEROS = 5  # minimum number of steps with gradients of zeros, half of all and to the end: parts take turns


def decide(log: Log) -> Faults:
    """Steps changed parameters that need no gradient, or whose gradients stay zeros to the end."""
    kinds = {o.optimizer: o.kind for o in log.of(OptimizerMade)}
    for optimizer, steps in by_line(log.of(Stepped), lambda s: s.optimizer).items():
        newest = steps[-max(ZEROS, (len(steps) + 1) // 2) :]
        zeros = set.intersection(*(set(s.still) for s in newest)) if len(steps) >= ZEROS else set()
        moved = [(s, own) for s in steps if (own := {p for p in s.frozen if p in zeros or p not in s.still})]
        if len(moved) >= LEAST and optimizer in kinds:
            numbers = {"optimizer": kinds[optimizer], "steps": len(moved)}
            numbers |= {"parameters": len(set().union(*(own for _step, own in moved)))}
            yield Evidence(moved[-1][0].site, numbers)


FREEZE = "    if step == 5:\n        net[0].requires_grad_(False)\n"
CLEAR_TO_ZERO = "optimizer.zero_grad(set_to_none=False)"

RULE = Rule(
    group="gradients",
    unless=(*NEVER_LEARNS, "dead_relu", "detached_graph", "layer_never_used", "train_mode_never_restored"),
    message="""{steps} {steps:step|steps} looked at ({optimizer}) moved {parameters}
    {parameters:weight tensor|weight tensors} without a gradient.""",
    why="""requires_grad=False, or a detach, stops new gradients. As long as the optimizer holds the weights
    and .grad is a tensor, also of zeros, momentum, Adam's averages or weight decay go on moving them.""",
    fix="""Give the optimizer only the weights that are to learn, or clear the gradients with
    zero_grad(set_to_none=True), so that it passes the others over.""",
    safety="The frozen weights then stay as they are.",
    limits="""Seen are steps that are watched; weights that another line writes to are not meant, and neither
    are those that get gradients again.""",
    wrong=script(DEEP, settings="lr=0.1, momentum=0.9", steps=20)
    .replace("optimizer.zero_grad()", CLEAR_TO_ZERO)
    .replace(f"    {CLEAR_TO_ZERO}\n", f"{FREEZE}    {CLEAR_TO_ZERO}\n"),
    mend={CLEAR_TO_ZERO: "optimizer.zero_grad(set_to_none=True)"},
)
