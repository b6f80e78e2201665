"""An activation at the net's end that can't give the values of the targets."""

from treino_doctor.base.words import N_, _, numeral
from treino_doctor.places.settings import word
from treino_doctor.record.log import LossCall, Operation
from treino_doctor.rules.graphs import argument, ends, regressions
from treino_doctor.rules.rule import Evidence, Faults, Log, Rule, by_line, script

LEAST = 3  # minimum number of calls
SHARE = 0.1  # mean share of the targets outside of the range; fewer may be outliers. Both are chosen
UNIT, SIGNED, POSITIVE = N_("between 0 and 1"), N_("between −1 and 1"), N_("at 0 or above")
RANGES = {  # where the answers of each lie
    **dict.fromkeys(("sigmoid", "softmax", "hardsigmoid"), UNIT),
    **dict.fromkeys(("tanh", "softsign"), SIGNED),
    **dict.fromkeys(("relu", "relu6", "softplus", "exp"), POSITIVE),
}


LIMITS = {(0, 1): UNIT, (-1, 1): SIGNED, (0, None): POSITIVE}  # of clamp and hardtanh


def decide(log: Log) -> Faults:
    """The input of a regression's loss comes straight from an activation, and many given targets lie outside
    of its range."""
    for own in by_line(regressions(log), lambda c: c.site).values():
        made = [(c, m) for c in own if c.reduction != "none" and (m := limited(c)) is not None]
        share = sum(_outside(c, m) for c, m in made) / max(1, len(made))
        if len(made) < LEAST or share < SHARE:
            continue
        call, last = made[-1]
        low, high = min(c.low for c, _made in made), max(c.high for c, _made in made)
        words = {"loss": call.name, "kind": last.name, "range": _(range_of(last))}
        numbers = words | {"low": low, "high": high, "share": numeral(share, ".0%")}
        yield Evidence(call.site, numbers, at=last.written, stack=call.stack)


def limited(call: LossCall) -> Operation | None:
    """The activation that all of a loss's input comes from; None if some of it comes from elsewhere."""
    made = list(ends(call.graph, call.graph.root))
    return made[0] if made and all(range_of(m) and m.name == made[0].name for m in made) else None


def range_of(last: Operation) -> str:
    """Where the answers of an operation lie; "" if they may be any numbers, or the range is another one."""
    given = [argument(last, name, at) for name, at in (("min", 1), ("max", 2))]
    if last.name == "hardtanh":
        given = [argument(last, name, at) for name, at in (("min_val", 1), ("max_val", 2))]
    bounded = last.name in ("clamp", "clip", "clamp_min", "hardtanh")
    return LIMITS.get((given[0], given[1]), "") if bounded else RANGES.get(last.name, "")


def _outside(call: LossCall, last: Operation) -> float:
    """The share of the targets outside of the activation's range."""
    low, negative, high = call.outside
    kind = range_of(last)
    return low + high if kind == SIGNED else negative + (high if kind == UNIT else 0.0)


RULE = Rule(
    group="losses",
    early=True,
    place=lambda e: word(e.at or e.seen, e.numbers["kind"]),  # its line, or where it was chosen
    message="""The answers come straight from {kind} and lie {range}; {share} of the targets of {loss} lie
    outside (they go from {low} to {high}).""",
    why="""No weights can give such an answer. The outputs are pushed to the edge of the range, where the
    activation is flat and hardly anything is learned, also of the other rows.""",
    fix="""Put no activation after the last layer of a regression; or scale the targets into its range by
    figures of the training rows, and the answers back.""",
    safety="Outputs and gradients get larger, so the best rate may be lower.",
    limits="""Looks at torch's squared, absolute and Huber losses whose targets come from no net. A loss
    written by hand is not looked at, and neither is one of each entry (`reduction="none"`), as entries may be
    masked later.""",
    wrong=script("nn.Linear(8, 1)", "F.mse_loss(torch.sigmoid(net(x)), 20 + 5 * x[:, :1])"),
    mend={"torch.sigmoid(net(x))": "net(x)"},
)
