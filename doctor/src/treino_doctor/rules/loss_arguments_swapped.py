"""A loss that gets the labels as its input and the network's outputs as its target."""

from treino_doctor.record.log import LossCall
from treino_doctor.rules.rule import Evidence, Faults, Log, Rule, script, shown


def decide(log: Log) -> Faults:
    """Fixed labels are the input of a loss that tells its arguments apart, and its target learns."""
    for call, _swapped, counts in shown(log.of(LossCall), lambda c: c.swapped, lambda c: (c.name, c.site)):
        yield Evidence(call.site, counts | {"loss": call.name}, stack=call.stack)


RULE = Rule(
    group="losses",
    early=True,
    message="""{loss} got the labels as its predictions, and the predictions as its labels ({calls} of
    {looked} {looked:call|calls} looked at).""",
    why="""{loss}(input, target) treats its two arguments by different formulas. With labels in the place of
    the predictions, the net learns something else than the loss of that name.""",
    fix="Pass what the net says first, and the labels second.",
    safety="Safe: the loss becomes what its name says.",
    limits="""Looked at are, in training, cross_entropy with one-hot or soft labels, both binary
    cross-entropies, kl_div and poisson_nll_loss. Squared and absolute errors are the same either way. Labels
    that another net computes are left alone.""",
    wrong=script("nn.Linear(8, 1)", "F.binary_cross_entropy_with_logits((y > 0).float(), net(x).squeeze(1))"),
    mend={"(y > 0).float(), net(x).squeeze(1)": "net(x).squeeze(1), (y > 0).float()"},
)
