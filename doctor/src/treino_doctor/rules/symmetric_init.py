"""Units that start with equal weights and stay equal."""

from treino_doctor.base.words import _
from treino_doctor.record.log import ParameterSeen
from treino_doctor.record.outcomes import AlikeRows
from treino_doctor.rules.rule import DEEP, Evidence, Faults, Log, Rule, script

LEAST = 3  # backwards after the second step, as the rows of a zero last layer differ after the first


def decide(log: Log) -> Faults:
    """All rows, or all columns, of a weight are equal after several steps."""
    alike = [a for a in log.of(AlikeRows) if a.looks >= LEAST]
    # Later layers may keep a matrix of zeros at zero: then all matrices must be equal along an axis.
    for a in sorted(alike, key=lambda a: a.zero):
        every = [p for p in log.of(ParameterSeen) if len(p.shape) > 1 and p.shape[0] > 1]
        if a.zero and len(alike) < len(every):
            continue
        numbers = {"units": a.shape[a.axis], "layer": a.layer, "when": _("also after several steps")}
        yield Evidence(a.filled_at, numbers)
        return


RULE = Rule(
    group="settings",
    message="All {units} units of a {layer} layer have the same weights, {when}.",
    why="""Units with equal weights get equal gradients, so that they stay equal for ever: the layer is as
    good as a single unit.""",
    fix="""Leave PyTorch's random initialisation as it is, or use nn.init.kaiming_normal_ or xavier_uniform_;
    only biases may be constant.""",
    safety="Safe: before, all units of a layer were one.",
    limits="""Only matrices whose rows, or whose columns, stay equal over several steps are told. A last layer
    that starts at zero is right, and left alone.""",
    wrong=script(f"{DEEP}\nfor p in net.parameters():\n    nn.init.constant_(p, 0.1)", steps=12),
    mend={"for p in net.parameters():\n    nn.init.constant_(p, 0.1)\n": ""},
)
