"""A loss that is NaN or infinite."""

import math

from treino_doctor.base.words import _
from treino_doctor.record.log import Course, OptimizerEnded
from treino_doctor.record.outcomes import NonFinite
from treino_doctor.rules.course import studied
from treino_doctor.rules.rule import Evidence, Faults, Log, Rule, script


def decide(log: Log) -> Faults:
    """A loss was not finite, steps followed, and no later loss was finite (after skipped steps, one may
    be)."""
    courses = {c.site: c.values for c in log.of(Course)}
    steps = sum(e.steps for e in log.of(OptimizerEnded))
    for event in log.of(NonFinite):
        values = courses.get(event.site, ())
        first = next((i for i, v in enumerate(values) if not math.isfinite(v)), None)
        # While the program runs, its losses aren't logged yet, and the value may become finite again.
        if first is None or any(math.isfinite(v) for v in values[first:]):
            continue
        if not event.operation and studied(log, "lr"):
            continue  # a study of learning rates may include one that diverges
        used = min(len(values) - first, steps - event.step)
        if used > 0:
            numbers = {"first": first + 1, "steps": used, "operation": event.operation or _("not known")}
            yield Evidence(event.site, numbers, at=event.at, stack=event.stack)
            return  # other findings may follow from this one


RULE = Rule(
    group="gradients",
    early=True,
    unless=(
        "uninitialised_tensor",
        "missing_zero_grad",
        "nan_inputs",
        "nll_without_log_softmax",
        "loss_arguments_swapped",
        "attention_mask_wrong",
    ),
    message="""The loss is NaN or infinite from backward pass {first} on, and {steps} {steps:step|steps} used
    it.""",
    why="""One such step makes every weight NaN, and nothing can be learned after it. It came from:
    {operation}.""",
    fix="Keep arguments inside the function's domain (log and sqrt of zero, division by zero), or lower lr.",
    safety="A lower rate or a floor under a logarithm changes the figures, as it should.",
    limits="""The operation is found in the graph of the loss. If it lies in a compiled part, only the line of
    the backward is named.""",
    wrong=script("nn.Linear(8, 1)", "-torch.log(torch.relu(net(x))).mean()"),
    mend={"-torch.log(torch.relu(net(x)))": "-F.logsigmoid(net(x))"},
)
