"""The squared error of a softmax's probabilities and one-hot labels."""

from treino_doctor.places.settings import word
from treino_doctor.record.log import LossCall, Operation
from treino_doctor.rules.graphs import ends, regressions
from treino_doctor.rules.rule import Evidence, Faults, Log, Rule, script, shown

ROUNDING = 1e-5
MOST = 16  # columns whose means the record keeps


def decide(log: Log) -> Faults:
    """The input of a regression's loss comes straight from a softmax, and each target is one-hot."""
    for call, made, counts in shown(regressions(log), softmax_ends):
        numbers = counts | {"loss": call.name, "classes": call.target_shape[1]}
        yield Evidence(call.site, numbers, at=made[0].written, stack=call.stack)


def softmax_ends(call: LossCall) -> list[Operation]:
    """The softmaxes that all of a loss's input comes from, if its targets are one-hot."""
    made = list(ends(call.graph, call.graph.root)) if is_one_hot(call) else []
    return made if all(o.name == "softmax" for o in made) else []


def is_one_hot(call: LossCall) -> bool:
    """Whether a target [N, C] holds a 1 in each row and else 0: its columns vary as those of 0 and 1 do, and
    their means add up to 1."""
    if len(call.target_shape) != 2 or call.target_shape[1] < 2 or (call.low, call.high) != (0.0, 1.0):
        return False
    spread = sum(p * (1 - p) for p in call.means) / max(1, len(call.means))
    whole = call.target_shape[1] > MOST or abs(sum(call.means) - 1) < ROUNDING
    return bool(call.means) and abs(call.spread - spread) < ROUNDING and whole


RULE = Rule(
    group="losses",
    severity="risk",
    early=True,
    place=lambda e: word(e.at or e.seen, "softmax"),  # the line of the softmax, or where it was chosen
    message="""{loss} gets a softmax's probabilities and one-hot labels of {classes} classes ({calls} of
    {looked} {looked:call|calls} looked at).""",
    why="""Where the network is sure and wrong, the softmax is flat, so that a squared error has next to no
    gradient for just the rows that are worst; cross entropy has its largest there. Training is slower, and
    may not get away from a bad start.""",
    fix="Use cross_entropy on the last layer's raw output, with the class numbers as labels.",
    safety="Gradients grow, so the best rate may be lower; the loss is on another scale.",
    limits="A squared error that is written by hand is not seen; targets that a net makes are left alone.",
    wrong=script(loss="F.mse_loss(net(x).softmax(1), F.one_hot(y, 3).float())"),
    mend={"F.mse_loss(net(x).softmax(1), F.one_hot(y, 3).float())": "F.cross_entropy(net(x), y)"},
)
