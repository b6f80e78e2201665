"""A loss that gets the labels as its input and the network's outputs as its target."""

from treino_doctor.record.log import LossCall
from treino_doctor.rules.rule import Evidence, Faults, Log, Rule, by_line, script


def decide(log: Log) -> Faults:
    """Fixed labels are the input of a loss that tells its arguments apart, and its target learns."""
    for calls in by_line(log.of(LossCall), lambda c: (c.name, c.site)).values():
        wrong = [c for c in calls if c.swapped]
        if wrong:
            numbers = {"loss": wrong[-1].name, "calls": len(wrong), "looked": len(calls)}
            yield Evidence(wrong[-1].site, numbers, stack=wrong[-1].stack)


RULE = Rule(
    group="losses",
    early=True,
    message=(
        "{loss} got the labels as its predictions, and the predictions as its labels ({calls} of {looked} "
        "calls looked at)."
    ),
    why=(
        "{loss}(input, target) treats its two arguments by different formulas. With labels in the place of "
        "the predictions, the net learns something else than the loss of that name."
    ),
    fix="Pass what the net says first, and the labels second.",
    safety="Safe: the loss becomes what its name says.",
    limits=(
        "Looks at cross_entropy of one-hot or soft labels, both binary ones, kl_div and poisson_nll_loss, in "
        "training. Squares and absolute differences are the same either way; labels that another net "
        "computes are left alone."
    ),
    wrong=script("nn.Linear(8, 1)", "F.binary_cross_entropy_with_logits((y > 0).float(), net(x).squeeze(1))"),
    mend={"(y > 0).float(), net(x).squeeze(1)": "net(x).squeeze(1), (y > 0).float()"},
)
