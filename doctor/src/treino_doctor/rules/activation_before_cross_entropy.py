"""An activation or a dropout between the last layer and cross entropy, or a dropout before another loss."""

from typing import Any

from treino_doctor.base.words import N_, _
from treino_doctor.places.settings import word
from treino_doctor.record.log import Backward, Graph, LossCall, Operation
from treino_doctor.rules.graphs import ALL_INPUTS, PASSED, REGRESSIONS, drops, ends, is_given
from treino_doctor.rules.rule import Evidence, Faults, Log, Rule, script, shown

LOSSES = ("cross_entropy", "nll_loss", "binary_cross_entropy", "binary_cross_entropy_with_logits")
SHARES = ("softmax", "log_softmax", "sigmoid", "logsigmoid")  # may hide the activation from the loss
TO_SHARES = (PASSED | {"log", "add", "clamp", "clip"}) - {*ALL_INPUTS}
LIMITED = {  # the range to which an activation limits the outputs
    "relu": N_("no output can be below 0"),
    "relu6": N_("every output lies between 0 and 6"),
    "tanh": N_("every output lies between −1 and 1"),
    "hardtanh": N_("every output lies in a fixed interval"),
}
DROPPED = N_("outputs are set to 0 at random")


def decide(log: Log) -> Faults:
    """The scores of a cross entropy that trains come straight from a ReLU, a tanh or a dropout that drops; so
    do those of a hand-written one, under its logarithm, or a regression's input from a dropout."""
    named = (c for c in log.of(LossCall) if c.name in LOSSES or (c.name in REGRESSIONS and is_given(c)))
    calls = [c for c in named if c.trained and c.graph.root is not None]
    for call, last, counts in shown(calls, lambda c: last_activation(c.graph, c.graph.root, c.name)):
        yield _evidence(call, call.name, last, counts)
    for b in log.of(Backward):
        for o in b.graph.operations if not b.losses else ():
            shares = _shares(b.graph, o) if o.name in ("log", "log_softmax") else None
            end = last_activation(b.graph, shares)
            if end is not None and shares is not None and len(shares.shape) == 2:
                yield _evidence(b, shares.name, end, {"calls": 1, "looked": 1})
                return


def _evidence(event: LossCall | Backward, loss: str, last: Operation, counts: dict[str, Any]) -> Evidence:
    numbers = counts | {"kind": last.name, "what": _(LIMITED.get(last.name, DROPPED)), "loss": loss}
    return Evidence(event.site, numbers, at=last.written, stack=event.stack)


def last_activation(graph: Graph, root: Operation | None, loss: str = "") -> Operation | None:
    """The activation or dropout that yields a value, or the scores behind its shares, apart from views."""
    shares = _shares(graph, root) if root is not None else None
    start = graph.parents(shares)[0] if shares is not None else root
    made = list(ends(graph, start))
    limited = () if loss in REGRESSIONS and shares is None else LIMITED
    return made[0] if made and all(e.name in limited or drops(e) for e in made) else None


def _shares(graph: Graph, operation: Operation) -> Operation | None:
    """The softmax or sigmoid that a value is, or its logarithm; None if it is no such value."""
    while operation.name in TO_SHARES and not drops(operation):
        parents = graph.parents(operation)
        if not parents or (operation.name == "add" and len(parents) > 1):
            return None
        operation = parents[0]
    return operation if operation.name in SHARES and graph.parents(operation) else None


RULE = Rule(
    group="losses",
    early=True,
    unless=("nll_without_log_softmax",),
    # the line of the activation, or where it was chosen
    place=lambda e: word(e.at or e.seen, e.numbers["kind"], "dropout"),
    message="""The input of {loss} comes straight from {kind} ({calls} of {looked} {looked:call|calls}):
    {what}.""",
    why="""Cross entropy expects a score of any size for each class, a regression a number. With an activation
    or a dropout after the last layer the network can't answer as it should, and where an activation is flat,
    nothing is learned.""",
    fix="Give the loss the last layer's raw output: no activation and no dropout after it.",
    safety="Outputs and gradients get larger, so the best rate may be lower.",
    limits="""A bounded output that is multiplied afterwards, as in a cosine classifier, is left alone. A loss
    that is written by hand is judged where it takes the logarithm of a softmax or of a sigmoid.""",
    wrong=script(loss="F.cross_entropy(net(x).relu(), y)"),
    mend={".relu()": ""},
)
