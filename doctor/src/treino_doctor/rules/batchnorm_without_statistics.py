"""Batch norm in eval mode that never saw a batch."""

from treino_doctor.record.outcomes import Normed
from treino_doctor.rules.rule import Evidence, Faults, Log, Rule, script


def decide(log: Log) -> Faults:
    """Weights changed, and an evaluation used the averages that a batch norm begins with."""
    for norm in log.of(Normed):
        if norm.unfed and not (norm.ones or norm.larger):
            yield Evidence(norm.unfed_at or norm.made_at, {"calls": norm.unfed})
            return  # the other layers are of the same net


LERP = "kept.lerp_(new, 0.1)\n"
COPIED = "        for kept, new in zip(average.buffers(), net.buffers()):\n            kept.copy_(new)\n"

RULE = Rule(
    group="modes",
    message="""A batch norm was used in eval mode ({calls} {calls:call|calls} looked at) with the averages 0
    and 1 that it begins with, although its weights have changed.""",
    why="""In eval mode a batch norm uses the running mean and variance of the batches that it saw in training
    mode, and this one saw none. An average of weights that goes over parameters() leaves them out, for they
    are buffers. The figures are those of another network.""",
    fix="""Copy the buffers, too, or run torch.optim.swa_utils.update_bn over the training rows before
    evaluating.""",
    safety="Safe: only the evaluation changes.",
    limits="""A copy that was made in the middle of a training has old averages, and is not told. A layer
    without weights of its own (affine=False) is not looked at.""",
    wrong="import copy\n"
    + script(
        "nn.Sequential(nn.Linear(8, 16), nn.BatchNorm1d(16), nn.ReLU(), nn.Linear(16, 3))", steps=20
    ).replace("optimizer = ", "average = copy.deepcopy(net).eval()\noptimizer = ", 1)
    + """\
    with torch.no_grad():
        for kept, new in zip(average.parameters(), net.parameters()):
            kept.lerp_(new, 0.1)
        accuracy = (average(x).argmax(1) == y).float().mean()
""",
    mend={LERP: LERP + COPIED},
    unless=("train_mode_never_restored",),
)
