"""Evaluation with dropout or batch norm in training mode."""

from treino_doctor.rules.judged import groups
from treino_doctor.rules.rule import JUDGED, ON_PART, WITH_DROPOUT, Evidence, Faults, Log, Rule, script


def decide(log: Log) -> Faults:
    """Metrics used a trained net's outputs without a backward, with dropout or batch norm in training
    mode.

    Targets (teachers, pseudo-labels) and repeated calls with the same rows (Monte Carlo) don't count.
    """
    for group in groups(log):
        awake = [f for f in group.judged if f.active or f.dropping or f.norming]
        repeated = [f for f in awake if f.forward in group.again]
        if group.evaluates and 2 * len(repeated) < len(awake):
            always = all(not f.training and f.dropping and not f.active for f in awake)
            layers = "F.dropout" if always else ", ".join(group.net.modal) or "F.dropout"
            at = awake[0].dropping[0] if always else None  # eval() doesn't affect this dropout
            trained = group.trained + (group.site != awake[0].site)  # a helper calls the net
            numbers = {"calls": len(awake), "layers": layers, "trained": trained}
            yield Evidence(group.site, numbers, at=at, stack=awake[0].stack)


RULE = Rule(
    group="modes",
    message="{calls} of the evaluations looked at ran in training mode ({layers}).",
    why="""In training mode dropout switches units off at random, and batch norm uses (and learns from) the
    evaluation's own batch. The figures are not those of the network that you would use.""",
    fix="""Call model.eval() before evaluating and model.train() before training on; give F.dropout
    training=self.training.""",
    safety="""Safe, if `train()` follows before the next step. The figures change: they then are those of the
    whole net.""",
    limits="""An evaluation is a call whose answers become a figure and that no backward follows. Left alone
    are several calls on the same rows (Monte-Carlo dropout), the actions of an agent, and calls with new rows
    that are trained on afterwards.""",
    wrong=script(WITH_DROPOUT, ON_PART) + JUDGED,
    mend={
        "    optimizer.zero_grad()": "    net.train()\n    optimizer.zero_grad()",
        "    with torch.no_grad()": "    net.eval()\n    with torch.no_grad()",
    },
)
