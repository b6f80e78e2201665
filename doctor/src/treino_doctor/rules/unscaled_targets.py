"""Targets so large that training never gets near them."""

from treino_doctor.rules.course import training
from treino_doctor.rules.graphs import REGRESSIONS
from treino_doctor.rules.rule import NEVER_LEARNS, Evidence, Faults, Log, Rule, script

LEAST = 12  # minimum number of calls
LARGE = 50.0  # the largest target
FAR = 1.2  # times a constant prediction's loss. Both are chosen


def decide(log: Log) -> Faults:
    """Numeric targets of hundreds or more, and a loss that did not rise and ends above a constant's."""
    course = training(log)
    own = [c for c in course.calls if c.name in REGRESSIONS and c.trained] if course is not None else []
    if course is None or len(own) < LEAST or course.moving or not course.known:
        return
    largest = max(max(abs(c.low), abs(c.high)) for c in own)
    began = sum(course.values[: course.tail]) / course.tail  # of as many batches as the last ones
    if largest > LARGE and course.stuck(FAR) and course.last() < FAR * began:
        numbers = {"largest": largest, "loss": course.last(), "constant": course.constant}
        yield Evidence(course.site, numbers, at=own[-1].site, stack=own[-1].stack)


FAR_AWAY = "targets = 180_000 + 60_000 * x[:, :1]\n"

RULE = Rule(
    group="data",
    certain=False,
    unless=(*NEVER_LEARNS, "lr_too_high", "target_broadcast", "unscaled_inputs", "weight_decay_too_high"),
    message="""The targets reach {largest}, and the loss ends at {loss}; one answer for all rows would get
    {constant}.""",
    why="""A network begins with answers near 0, and each step changes them by little: nearly all of the
    training goes into the way to the targets' mean, and nothing is left for what tells the rows apart.""",
    fix="""Standardise the targets with the training rows' mean and deviation, and scale the answers back
    where they are used.""",
    safety="The loss is then on another scale; figures in the targets' unit need answers scaled back.",
    limits="""Told where the loss ends above 1.2 times that of one constant answer, which few large targets
    among many small ones may prevent; of torch's losses of numbers.""",
    wrong=FAR_AWAY
    + script(
        "nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 1))",
        "F.mse_loss(net(x), targets)",
        steps=30,
    ).replace("torch.optim.SGD(net.parameters(), lr=0.1)", "torch.optim.Adam(net.parameters(), lr=0.01)"),
    mend={FAR_AWAY: FAR_AWAY + "targets = (targets - targets.mean()) / targets.std()\n"},
)
