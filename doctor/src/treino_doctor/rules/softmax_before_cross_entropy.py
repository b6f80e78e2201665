"""Softmax twice: once by hand, once inside cross_entropy."""

import math

from treino_doctor.places.settings import word
from treino_doctor.record.log import Backward, LossCall, Operation
from treino_doctor.rules.graphs import made_by
from treino_doctor.rules.rule import Evidence, Faults, Log, Rule, script, shown

NAMES = {"softmax": ("softmax", "Softmax2d"), "sigmoid": ("sigmoid", "expit")}


def decide(log: Log) -> Faults:
    """The input of cross_entropy comes straight from a softmax (its own log-softmax would be harmless), or
    from a sigmoid; or a hand-written loss takes the log-softmax of a softmax."""
    looked_at = [c for c in log.of(LossCall) if c.name == "cross_entropy" and c.graph.root is not None]
    for call, made, counts in shown(looked_at, _probabilities):
        floor = floor_of(call.input_shape[min(1, len(call.input_shape) - 1)])
        numbers = counts | {"kind": made.name} | floor
        yield Evidence(call.site, numbers, at=made.written, stack=call.stack)
    for b in log.of(Backward):
        for log_softmax in (o for o in b.graph.operations if o.name == "log_softmax" and not b.losses):
            soft = [m for o in b.graph.parents(log_softmax) if (m := made_by(b.graph, "softmax", start=o))]
            if soft:
                numbers = {"calls": 1, "looked": 1, "kind": "softmax", **floor_of(soft[0].shape[-1])}
                yield Evidence(b.site, numbers, at=soft[0].written, stack=b.stack)
                return


def floor_of(classes: int) -> dict[str, float]:
    """The least loss with probabilities as logits: that of 1 for the right class and 0 for the others."""
    return {"classes": classes, "floor": math.log(1 + (classes - 1) / math.e)}


def _probabilities(call: LossCall) -> Operation | None:
    """The softmax or sigmoid that the input is, or the mean of several nets' softmaxes."""
    root = call.graph.root
    votes = root is not None and root.name == "mean" and root.shape == call.input_shape
    start = call.graph.parents(root)[:1] if votes and root is not None else []
    if start and len(start[0].shape) > len(call.input_shape):
        return made_by(call.graph, "softmax", start=start[0])
    return made_by(call.graph, "softmax", "sigmoid")


RULE = Rule(
    group="losses",
    early=True,
    unless=("loss_arguments_swapped",),
    place=lambda e: word(e.at or e.seen, *NAMES[e.numbers["kind"]]),  # its line, or where it was chosen
    message="""The input of cross_entropy is already a {kind} ({calls} of {looked} {looked:call|calls} looked
    at).""",
    why="""cross_entropy applies log-softmax itself, so the probabilities are squashed a second time: with
    {classes} classes the loss can't fall below {floor}, and gradients are small. The network learns slowly
    and looks stuck.""",
    fix="Give cross_entropy the last layer's raw output; apply softmax only where you show probabilities.",
    safety="""Safe for training. Where the output is read as a probability elsewhere, apply the softmax there.
    Gradients grow, so the best rate may be lower.""",
    limits="A softmax inside a compiled part is not seen.",
    wrong=script(loss="F.cross_entropy(net(x).softmax(1), y)"),
    mend={".softmax(1)": ""},
)
