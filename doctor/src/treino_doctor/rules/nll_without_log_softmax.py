"""nll_loss or kl_div on something other than log-probabilities."""

from treino_doctor.places.settings import word
from treino_doctor.record.log import LossCall
from treino_doctor.rules.graphs import PASSED
from treino_doctor.rules.rule import Evidence, Faults, Log, Rule, Site, script, shown

LOSSES = "nll_loss", "kl_div"
# Logarithms written by hand; below, operations that may scale scores on purpose, as a temperature does.
LOGS = frozenset(("log_softmax", "log", "logsigmoid", "logsumexp", "log1p", "log2", "logaddexp"))
ROUNDING = 1e-2  # error of half-precision log-probabilities; probabilities are off by ln C or more
SCALED = PASSED | {"mul", "div", "sub", "add", "where", "masked_fill", "clamp", "mean", "sum"}


def decide(log: Log) -> Faults:
    """Decide by value (the exponentials don't sum to one) and by graph (no logarithm before the loss)."""
    looked_at = [c for c in log.of(LossCall) if c.name in LOSSES and c.graph.root is not None]
    for call, _bare, counts in shown(looked_at, is_bare, lambda c: (c.name, c.site)):
        made = next(o for o in call.graph.walk() if o.name not in PASSED)
        numbers = counts | {"loss": call.name, "source": made.name, "logsumexp": call.logsumexp}
        squashed = made.written if made.name == "softmax" else None
        yield Evidence(call.site, numbers, at=squashed, stack=call.stack)


def is_bare(call: LossCall) -> bool:
    """Whether no logarithm made the input, perhaps with later scaling or selection, nor looks it like one."""
    return abs(call.logsumexp) > ROUNDING and not any(o.name in LOGS for o in call.graph.walk(through=SCALED))


def place(evidence: Evidence) -> Site | None:
    """The line that chose the loss; else the line of its softmax."""
    names = {"nll_loss": ("nll_loss", "nllloss", "nll"), "kl_div": ("kl_div", "kldivloss")}
    chosen = word(evidence.seen, *names[evidence.numbers["loss"]], texts=True)
    soft = chosen == evidence.seen and evidence.numbers["source"] == "softmax"
    return word(evidence.at or evidence.seen, "softmax") if soft else chosen


RULE = Rule(
    group="losses",
    early=True,
    unless=("loss_arguments_swapped",),
    message="""{loss} got values that are no log-probabilities ({calls} of {looked} {looked:call|calls} looked
    at; they come from {source}).""",
    why="""{loss} only multiplies values by the target's shares and turns their sign; without log-softmax
    before it nothing keeps them normalised (log-sum-exp up to {logsumexp}, should be 0). The loss falls below
    what it can be while the predictions need not become better.""",
    fix="Apply log_softmax over the class axis first, or use cross_entropy on the raw output.",
    safety="Safe: the loss becomes what its name says.",
    limits="""Looks at `nll_loss` and `kl_div` alone. Where no softmax was seen and the values could be scores
    or probabilities, nothing is told.""",
    wrong=script(loss="F.nll_loss(net(x), y)"),
    mend={"net(x)": "F.log_softmax(net(x), dim=1)"},
)
