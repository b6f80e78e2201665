"""Labels outside of the range that the loss expects."""

import math

from treino_doctor.base.words import N_, _
from treino_doctor.record.log import Backward, LossCall
from treino_doctor.record.loss_figures import CLASSES, SIGNED
from treino_doctor.rules.graphs import REGRESSIONS
from treino_doctor.rules.rule import Evidence, Faults, Log, Rule, script, shown

NEAR = 1e-4  # from 0 and 1: rounding of smoothed labels


def decide(log: Log) -> Faults:
    """Labels outside of the loss's range (classes, [0, 1] or ±1), or no labels at all."""
    ran = {n for b in log.of(Backward) for n in b.losses}
    wrong = shown(log.of(LossCall), lambda c: _wrong(c, c.loss in ran), lambda c: (c.name, c.site))
    for call, what, counts in wrong:
        yield Evidence(call.site, counts | {"loss": call.name, "values": _(what)}, stack=call.stack)


def _wrong(c: LossCall, ran: bool) -> str:
    """Return what is wrong with the labels of one call, in words; "" if nothing is. ran: a backward ran from
    its loss, which a program may leave out where no label is known."""
    values = f"{c.low:g} … {c.high:g}"
    if c.name in CLASSES and c.target_kind == "int":
        classes = c.input_shape[1] if len(c.input_shape) > 1 else 0
        if c.error and len(c.input_shape) > 1 and (c.high >= classes or c.low < 0):
            return f"{values}, {classes} classes"
        if not c.error and len(c.input_shape) == 2 and classes == 1 and c.input_shape[0] > 1:
            return N_("one column of logits")
        if ran and not c.error and not c.labels and math.isnan(c.value) and 0 not in c.target_shape:
            return N_("every label is ignored")
    elif c.name.startswith("binary_cross_entropy"):
        return values if c.low < -NEAR or c.high > 1 + NEAR else ""
    elif c.name in SIGNED:
        return values if c.low not in (-1.0, 1.0) or c.high not in (-1.0, 1.0) else ""
    elif c.name == "kl_div" and not c.of_logs:
        return N_("logarithms, where shares belong (log_target=False)") if c.low < -NEAR else ""
    elif c.name == "kl_div":
        return N_("shares, where their logarithms belong (log_target=True)") if c.high > NEAR else ""
    elif c.name in REGRESSIONS and ran and c.reduction != "none":  # losses of entries may be masked
        return "NaN" if math.isnan(c.low) and not c.spoiled else ""
    return ""


RULE = Rule(
    group="losses",
    early=True,
    unless=("loss_arguments_swapped",),
    message="""{loss} got labels that it has no place for: {values} ({calls} of {looked} {looked:call|calls}
    looked at).""",
    why="""Classes count from 0 to C − 1, binary cross-entropy wants labels between 0 and 1, margin losses
    want −1 and 1, kl_div shares, or their logarithms with log_target=True. Outside their range the losses
    raise, or silently reward the wrong answer without bound.""",
    fix="Map the labels to the range that this loss expects before training.",
    safety="Depends on what the labels mean: look at them first.",
    limits="Only calls of torch's own losses, in the steps that are recorded, are looked at.",
    wrong=script("nn.Linear(8, 1)", "F.binary_cross_entropy_with_logits(net(x).squeeze(1), y.float())"),
    mend={"y.float()": "(y > 0).float()"},
)
