"""Gradients that die out on their way to the first layer."""

import ast
from collections.abc import Iterable, Iterator

from treino.diagnosis.finding import Evidence, Site
from treino.diagnosis.reading.configured import keyed, one_place
from treino.diagnosis.reading.handed import handed_line, handed_word
from treino.diagnosis.reading.source import call_name, called, tree
from treino.diagnosis.rule import Rule
from treino.diagnosis.rules.curves import Curve, curve
from treino.diagnosis.watch.seen import Seen
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
        yield Evidence(_where(seen), None if main is None else main.site, numbers)


def _level(loss: Curve) -> bool:
    """Whether a loss has stayed where it was since the first quarter of its course."""
    n = len(loss.values) // 4
    return n >= 8 and loss.last() > 0.97 * sum(loss.values[n : 2 * n]) / n


def _where(seen: Seen) -> Site | None:
    """The line that draws tiny weights, or the first saturating activation, or the net."""
    tiny = [(name, site, value) for name, site, value in seen.inits if abs(value) < TINY.get(name, 0.0)]
    if len(tiny) > 2:  # one alone may be meant: a last layer that says nothing at first
        return _told(*tiny[0])
    if seen.depth.site is not None and seen.depth.saturating >= 3:
        return handed_word(seen.depth.site, *SQUASHES)
    main = seen.main_loss()
    repeated = _repeated(seen) if not seen.depth.saturating else None
    if repeated is not None:
        return repeated
    place = next((n.made_at for n in seen.nets if n.made_at is not None), None)
    if place is not None:
        module = tree(place.file)
        lines = [n.lineno for n in called(module, *SQUASHES)] if module is not None else []
        named = {line: tabled for name, line, tabled in _named(module) if name in SQUASHES}
        lines = lines or sorted(named, key=lambda line: named[line])  # what a table holds isn't chosen yet
        if lines and seen.depth.saturating >= 3:
            return Site(place.file, lines[0])
    return place or (main.site if main is not None else None)


def _told(name: str, site: Site | None, value: float) -> Site | None:
    """Where the spread is written by which weights are drawn on a line: in a setting that is handed on."""
    for keyword in SPREADS.get(name, ("gain",)):
        line = handed_line(site, keyword, None, value)
        if line != site or site is None:
            return line
        kept = one_place(keyed(site.file, keyword, lambda n: n == value))
        if kept is not None:
            return kept
    return site


def _repeated(seen: Seen) -> Site | None:
    """Where a file's blocks, made in a loop, give what they computed without adding what they were given; or
    where layers are made in a loop.
    """
    path = next((n.made_at.file for n in seen.nets if n.made_at is not None and n.trained), None)
    module = tree(path) if path is not None else None
    if path is None or module is None:
        return None
    loops = [n for n in ast.walk(module) if isinstance(n, (ast.For, ast.ListComp, ast.GeneratorExp))]
    made = [c for n in loops for c in ast.walk(n) if isinstance(c, ast.Call)]
    blocks = {c.func.id for c in made if isinstance(c.func, ast.Name)}
    for kind in (n for n in ast.walk(module) if isinstance(n, ast.ClassDef) and n.name in blocks):
        for forward in (n for n in kind.body if isinstance(n, ast.FunctionDef) and n.name == "forward"):
            returned = [n for n in ast.walk(forward) if isinstance(n, ast.Return)]
            sums = [n for n in ast.walk(forward) if isinstance(n, (ast.BinOp, ast.AugAssign))]
            if returned and not sums and not called(forward, "cat", "add"):
                return Site(path, returned[-1].lineno)
    layers = [c for c in made if call_name(c) in ("Linear", "Conv1d", "Conv2d", "LazyLinear")]
    return Site(path, layers[0].lineno) if layers else None


def _named(module: ast.Module | None) -> Iterator[tuple[str, int, bool]]:
    """Names and plain words of a file with their lines, and whether a table of several holds them: an
    activation may be handed on uncalled.
    """
    nodes = list(ast.walk(module)) if module is not None else []
    tables = [n for n in nodes if isinstance(n, ast.Dict) and len(n.keys) > 1]
    tabled = {id(inner) for table in tables for inner in ast.walk(table)}
    for node in nodes:
        if isinstance(node, (ast.Name, ast.Attribute)):
            yield (node.id if isinstance(node, ast.Name) else node.attr), node.lineno, id(node) in tabled
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value, node.lineno, id(node) in tabled


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
