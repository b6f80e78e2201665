"""Gradients that die out on their way to the first layer."""

from collections.abc import Iterable

from treino.diagnosis.finding import Evidence, Site
from treino.diagnosis.rule import Rule
from treino.diagnosis.source import called, tree
from treino.diagnosis.watch.seen import Seen
from treino.words import N_


def decide(seen: Seen) -> Iterable[Evidence]:
    """The first weight's gradient is a millionth of the last one's all along, and the loss stays at
    chance.
    """
    depth, main = seen.depth, seen.main_loss()
    if len(depth.ratio) < 8 or depth.layers < 5:
        return
    ratios = sorted(depth.ratio)
    most = ratios[int(0.7 * len(ratios))]
    if most < 1e-4 and ratios[-1] > 0 and seen.stuck(0.9):
        numbers = {"ratio": ratios[len(ratios) // 2], "layers": depth.layers, "saturating": depth.saturating}
        yield Evidence(_where(seen), None if main is None else main.site, numbers)


def _where(seen: Seen) -> Site | None:
    """The line that draws tiny weights, or the first saturating activation, or the net."""
    tiny = [site for name, site, value in seen.inits if name in ("normal_", "uniform_") and abs(value) < 0.05]
    if tiny:
        return tiny[0]
    main = seen.main_loss()
    place = next((n.made_at for n in seen.nets if n.made_at is not None), None)
    if place is not None:
        module = tree(place.file)
        calls = called(module, "Sigmoid", "Tanh", "sigmoid", "tanh") if module is not None else []
        if calls and seen.depth.saturating >= 3:
            return Site(place.file, calls[0].lineno)
    return place or (main.site if main is not None else None)


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
