"""Gradients that vanish on their way to the first layer."""

from dataclasses import replace

from treino_doctor.places.settings import word
from treino_doctor.record.log import Backward, Course
from treino_doctor.record.outcomes import Depth
from treino_doctor.rules.course import Training, trainings
from treino_doctor.rules.rule import STAYS_AT_CHANCE, Evidence, Faults, Log, Rule, by_line, script

SATURATING = ("Sigmoid", "Tanh", "sigmoid", "tanh")
LEAST = 8  # minimum number of backwards
SLIVER = 1e-4  # ratio of first to last gradient, in seven of ten backwards and at the start
SQUASHED = 3e-3, 4  # the same ratio with this many saturating activations
PATIENCE = 100  # minimum number of steps: in these, a net that learns would have left chance. Chosen
SEVEN = 0.7  # quantile of the ratios over backwards; not measured
STUCK = 0.8  # times the loss of a constant prediction
TINY = 0.3  # times the default spread: below this, weights were drawn too small


def decide(log: Log) -> Faults:
    """A net's first gradient is tiny next to its last one throughout, and its loss stays at chance."""
    depths = by_line((d for d in log.of(Depth) if d.ratio > 0), lambda d: d.optimizer)  # 0: parts take turns
    for loss in trainings(log):
        for optimizer in sorted(loss.optimizers):
            seen = depths.get(optimizer, [])
            own = part_of(log, loss, optimizer) if len(seen) >= LEAST else None
            if own is None or len(own.values) < PATIENCE:
                continue
            ratios = sorted(d.ratio for d in seen)
            most = max(ratios[int(SEVEN * len(ratios))], sorted(d.ratio for d in seen[:3])[1])
            last = seen[-1]
            squashed = last.saturating >= SQUASHED[1] and most < SQUASHED[0]
            if ratios[-1] > 0 and (most < SLIVER or squashed) and own.stuck(STUCK):
                tiny = seen[0].spread < TINY
                middle = ratios[len(ratios) // 2]
                numbers = {"ratio": middle, "layers": last.layers, "saturating": last.saturating}
                at = seen[0].written_at if tiny else last.made_at or seen[0].written_at
                yield Evidence(loss.site, numbers, at=at)
                return


def part_of(log: Log, loss: Training, optimizer: int) -> Training | None:
    """The losses of one optimizer's net, where a line trained several nets in turn or one after the other;
    None if they can't be told apart, or if the loss may fall below zero and so has no scale."""
    if not loss.known and any(v < 0 for v in loss.values):
        return None
    ran = [b for b in log.of(Backward) if b.site == loss.site]
    turns = [b.turn for b in ran if b.filled == (optimizer,)]
    others = [b.turn for b in ran if optimizer not in b.filled]
    if not others or loss.optimizers == {optimizer}:
        return loss
    if not turns or len(loss.values) <= max(turns) or len(log.of(Course)) > 1:
        return None
    count = len({b.filled for b in ran})
    if all(t % count == turns[0] % count for t in turns):
        return replace(loss, values=loss.values[turns[0] % count :: count])
    after = min((t for t in others if t > turns[0]), default=len(loss.values))
    return replace(loss, values=loss.values[turns[0] : after]) if max(turns) < after else None


RULE = Rule(
    group="gradients",
    certain=False,
    unless=(*STAYS_AT_CHANCE, "dead_relu", "clip_too_small", "target_broadcast"),
    place=lambda e: word(e.at, *SATURATING),  # where the activation is chosen, or where the weights are drawn
    message="""The gradient of the first of {layers} weights is {ratio} of the last one's, and the loss stays
    at chance.""",
    why="""Each saturating activation or tiny weight shrinks the gradient on its way back. The first layers
    get nearly none and keep their random values, so that the rest learns from noise.""",
    fix="""Use ReLU or a normalisation layer, the default initialisation (or one fitted to the activation), or
    skip connections.""",
    safety="Another activation or another start changes all figures; it is a new training.",
    limits="""Only the first and the last weights of a net are compared, and only while the loss stays at
    chance in a run of 100 steps or more.""",
    wrong="""\
layers = [nn.Linear(8, 16), nn.Sigmoid()]
for _ in range(9):
    layers += [nn.Linear(16, 16), nn.Sigmoid()]
"""
    + script("nn.Sequential(*layers, nn.Linear(16, 3))", steps=PATIENCE),
    mend={"8, 16), nn.Sigmoid": "8, 16), nn.ReLU", "16, 16), nn.Sigmoid": "16, 16), nn.ReLU", "(9)": "(2)"},
)
