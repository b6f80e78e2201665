"""Gradients that die out on their way to the first layer."""

from collections.abc import Iterable

from treino.diagnosis.finding import Evidence, Site
from treino.diagnosis.rule import Rule
from treino.diagnosis.rules.curves import Curve, curve
from treino.diagnosis.watch.seen import Seen
from treino.diagnosis.where.edit import first_call
from treino.diagnosis.where.kinds import WEIGHTED
from treino.diagnosis.where.settings import setting, told_number, word
from treino.diagnosis.where.source import same
from treino.words import N_

TINY = {  # a spread, or a gain over that which keeps the rows' spread
    **dict.fromkeys(("normal_", "uniform_", "trunc_normal_"), 0.05),
    **dict.fromkeys(("xavier_uniform_", "xavier_normal_", "orthogonal_"), 0.3),
}
SPREADS = {"normal_": ("std",), "trunc_normal_": ("std",), "uniform_": ("b", "a")}
SQUASHES = ("Sigmoid", "Tanh", "sigmoid", "tanh")


def decide(seen: Seen) -> Iterable[Evidence]:
    """The first weight's gradient is a sliver of the last one's from the start and all along, and the loss
    stays at chance.
    """
    depth, main = seen.depth, seen.main_loss()
    if len(depth.ratio) < 8 or depth.layers < 5:
        return
    ratios = sorted(depth.ratio)
    most = max(ratios[int(0.7 * len(ratios))], sorted(depth.ratio[:3])[1])
    # A loss by hand begins above what the best constant gets, which the last layer finds alone.
    loss = curve(seen)
    stuck = seen.stuck(0.97) or (loss is not None and loss.by_hand and seen.stuck(0.85) and _level(loss))
    squashed = depth.saturating >= 4 and most < 3e-3 and stuck
    squashed = squashed or (depth.saturating >= 4 and most < 1e-5 and seen.stuck(0.75))
    squashed = squashed or (depth.saturating >= 4 and most < 1e-6 and seen.stuck(0.6))
    least = 0.5 if loss is not None and loss.by_hand and depth.saturating >= 4 else 0.9
    # With layers so many, some luck at last may let a little through, long after the others have learned.
    deep = depth.layers >= 12 and max(ratios[len(ratios) // 2], *depth.ratio[:3]) < 1e-5 and seen.stuck(0.7)
    if ratios[-1] > 0 and ((most < 1e-4 and seen.stuck(least)) or squashed or deep):
        numbers = {"ratio": ratios[len(ratios) // 2], "layers": depth.layers, "saturating": depth.saturating}
        yield Evidence(place(seen), None if main is None else main.site, numbers)


def _level(loss: Curve) -> bool:
    """Whether a loss has stayed where it was since the first quarter of its course."""
    n = len(loss.values) // 4
    return n >= 8 and loss.last() > 0.97 * sum(loss.values[n : 2 * n]) / n


def place(seen: Seen) -> Site | None:
    """The line that draws tiny weights, or the first saturating activation, or the net."""
    tiny = [(name, site, value) for name, site, value in seen.inits if abs(value) < TINY.get(name, 0.0)]
    if len(tiny) > 2:  # one alone may be meant: a last layer that says nothing at first
        return _spread(*tiny[0])
    saturating = seen.depth.saturating >= 3
    if seen.depth.site is not None and saturating:
        return word(seen.depth.site, *SQUASHES)
    main, net = seen.main_loss(), next((n for n in seen.nets if n.made_at is not None and n.trained), None)
    made = net.made_at if net is not None else None
    if made is not None and saturating:
        return first_call(made.file, *SQUASHES) or made
    if made is not None and not seen.depth.saturating:
        return first_call(made.file, *WEIGHTED, looped=True) or made
    return made or (main.site if main is not None else None)


def _spread(name: str, site: Site | None, value: float) -> Site | None:
    """Where the spread is written by which weights are drawn on a line."""
    for keyword in SPREADS.get(name, ("gain",)):
        line = setting(site, keyword, None, value)
        if not same(line, site):
            return line
    return told_number(site, value) or site


RULE = Rule(
    id="vanishing_gradient",
    group="gradients",
    severity="wrong",
    certain=False,
    watches=("depth", "losses", "inits"),
    decide=decide,
    unless=(
        "symmetric_init",
        "dead_relu",
        "label_misaligned",
        "missing_zero_grad",
        "no_step",
        "grad_cleared_before_step",
        "detached_loss",
        "nan_inputs",
        "unscaled_inputs",
        "exploding_sum_loss",
        "lr_too_high",
        "clip_too_small",
        "weight_decay_too_high",
    ),
    message=N_(
        "The gradient of the first of {layers} weights is {ratio} of the last one's, and the loss stays "
        "at chance."
    ),
    why=N_(
        "Each saturating activation or tiny weight shrinks the gradient on its way back. The first layers "
        "get nearly none and keep their random values, so that the rest learns from noise."
    ),
    fix=N_(
        "Use ReLU or a normalisation layer, the default initialisation (or one fitted to the activation), "
        "or skip connections."
    ),
    wrong="""\
layers = [nn.Linear(8, 16), nn.Sigmoid()]
for _ in range(9):
    layers += [nn.Linear(16, 16), nn.Sigmoid()]
net = nn.Sequential(*layers, nn.Linear(16, 3))
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
for step in range(40):
    optimizer.zero_grad()
    loss = F.cross_entropy(net(x), y)
    loss.backward()
    optimizer.step()
""",
    right="""\
layers = [nn.Linear(8, 16), nn.ReLU()]
for _ in range(2):
    layers += [nn.Linear(16, 16), nn.ReLU()]
net = nn.Sequential(*layers, nn.Linear(16, 3))
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
for step in range(40):
    optimizer.zero_grad()
    loss = F.cross_entropy(net(x), y)
    loss.backward()
    optimizer.step()
""",
    cost=N_("two gradient norms in the watched steps"),
)
