"""An activation or a dropout between the last layer and cross entropy, or a dropout before another loss."""

from treino_doctor.places.settings import word
from treino_doctor.record.log import LossCall, Operation
from treino_doctor.rules.graphs import PASSED, drops, ends, is_given
from treino_doctor.rules.rule import Evidence, Faults, Log, Rule, by_line, script
from treino_doctor.words import N_, _

LOSSES = {  # what may precede the loss
    "cross_entropy": "",
    "binary_cross_entropy_with_logits": "",
    "nll_loss": "log_softmax",
    "binary_cross_entropy": "sigmoid",
}
PAIRED = ("mse_loss", "l1_loss", "smooth_l1_loss", "huber_loss")  # of these, only a dropout is judged
LIMITED = {  # the range to which an activation limits the outputs
    "relu": N_("no output can be below 0"),
    "relu6": N_("every output lies between 0 and 6"),
    "tanh": N_("every output lies between −1 and 1"),
    "hardtanh": N_("every output lies in a fixed interval"),
}
DROPPED = N_("outputs are set to 0 at random")


def decide(log: Log) -> Faults:
    """The input of a loss that trains comes straight from a dropout that drops, or a cross entropy's from a
    ReLU or a tanh.
    """
    named = (c for c in log.of(LossCall) if c.name in LOSSES or (c.name in PAIRED and is_given(c)))
    calls = [c for c in named if c.trained and c.graph.root is not None]
    for own in by_line(calls, lambda c: c.site).values():
        made = [m for c in own if (m := last_activation(c)) is not None]
        if made:
            what = LIMITED.get(made[-1].name, DROPPED)
            numbers = {"calls": len(made), "looked": len(own), "kind": made[-1].name, "what": _(what)}
            numbers["loss"] = own[-1].name
            yield Evidence(own[-1].site, numbers, at=made[-1].written, stack=own[-1].stack)


def last_activation(call: LossCall) -> Operation | None:
    """The activation or dropout that yields a loss's input, apart from views and the loss's own softmax."""
    through = PASSED | {LOSSES.get(call.name, "")}
    made = list(ends(call.graph, call.graph.root, through)) if call.graph.root is not None else []
    limited = () if call.name in PAIRED else LIMITED
    return made[0] if made and all(e.name in limited or drops(e) for e in made) else None


RULE = Rule(
    group="losses",
    early=True,
    unless=("nll_without_log_softmax",),
    # the line of the activation, or where it was chosen
    place=lambda e: word(e.at or e.seen, e.numbers["kind"], "dropout"),
    message="The input of {loss} comes straight from {kind} ({calls} of {looked} calls): {what}.",
    why=(
        "Cross entropy expects a score of any size for each class, a regression a number. With an activation "
        "or a dropout after the last layer the network can't answer as it should, and where an activation "
        "is flat, nothing is learned."
    ),
    fix="Give the loss the last layer's raw output: no activation and no dropout after it.",
    safety="Outputs and gradients get larger, so the best rate may be lower.",
    limits="A bounded output that is multiplied afterwards, as in a cosine classifier, is left alone.",
    wrong=script(loss="F.cross_entropy(net(x).relu(), y)"),
    mend={".relu()": ""},
)
