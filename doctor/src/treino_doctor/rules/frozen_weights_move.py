"""Frozen weights that an optimizer still moves."""

from treino_doctor.record.log import OptimizerMade, Stepped
from treino_doctor.rules.rule import Evidence, Faults, Log, Rule, by_line, script

LEAST = 2  # minimum number of steps


def decide(log: Log) -> Faults:
    """Steps changed parameters that need no gradient."""
    kinds = {o.optimizer: o.kind for o in log.of(OptimizerMade)}
    for optimizer, steps in by_line(log.of(Stepped), lambda s: s.optimizer).items():
        moving = [s for s in steps if s.frozen]
        if len(moving) >= LEAST and optimizer in kinds:
            numbers = {"optimizer": kinds[optimizer], "steps": len(moving)}
            numbers |= {"parameters": len({p for s in moving for p in s.frozen})}
            yield Evidence(moving[-1].site, numbers)


FREEZE = "    if step == 5:\n        net[0].requires_grad_(False)\n"
CLEAR_TO_ZERO = "optimizer.zero_grad(set_to_none=False)"

RULE = Rule(
    group="gradients",
    message="""{steps} {steps:step|steps} looked at ({optimizer}) moved {parameters} frozen
    {parameters:weight tensor|weight tensors}.""",
    why="""requires_grad=False stops new gradients. As long as the optimizer holds the weights and .grad is a
    tensor, also of zeros, momentum, Adam's averages or weight decay go on moving them.""",
    fix="""Give the optimizer only the weights that are to learn, or clear the gradients with
    zero_grad(set_to_none=True), so that it passes the others over.""",
    safety="The frozen weights then stay as they are.",
    limits="Seen are steps that are watched; weights that another line writes to are not meant.",
    wrong=script(
        "nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 3))",
        settings="lr=0.1, momentum=0.9",
        steps=20,
    )
    .replace("optimizer.zero_grad()", CLEAR_TO_ZERO)
    .replace(f"    {CLEAR_TO_ZERO}\n", f"{FREEZE}    {CLEAR_TO_ZERO}\n"),
    mend={CLEAR_TO_ZERO: "optimizer.zero_grad(set_to_none=True)"},
)
