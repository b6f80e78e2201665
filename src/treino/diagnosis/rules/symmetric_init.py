"""Units that begin alike and stay alike."""

import ast
from collections.abc import Iterable

from treino.diagnosis.finding import Evidence, Site
from treino.diagnosis.rule import Rule
from treino.diagnosis.watch.seen import LayerSeen, Seen
from treino.diagnosis.where.bindings import bindings
from treino.diagnosis.where.edit import first_call, sole_call
from treino.diagnosis.where.flow import origins
from treino.diagnosis.where.source import calls, module, name_of, names, written_on
from treino.diagnosis.where.source import place as line_of
from treino.words import N_, _

FILLS = ("fill_", "zero_", "constant_", "ones_", "zeros_", "full_like")
DRAWS = ("uniform_", "normal_", "trunc_normal_", "uniform", "normal")
FLAT = ("zeros", "ones", "full", "zeros_like", "ones_like", "full_like", "new_zeros", "new_ones")

CONSTANT = ("constant_", "zeros_", "ones_")
COPIES = ("repeat", "expand", "tile", "repeat_interleave", "expand_as", "broadcast_to")


def decide(seen: Seen) -> Iterable[Evidence]:
    """After several steps all rows of a weight are still equal; or several layers began as one number each,
    of which dropout alone makes more.
    """
    for layer in sorted(seen.layers, key=lambda layer: layer.even is not None):
        even = layer.even is not None and layer.even.steps >= 12
        if (layer.alike and layer.checks >= 1) or even:
            when = _("as the training begins") if even else _("also after several steps")
            yield Evidence(
                place(layer, seen), layer.site, {"units": layer.units, "layer": layer.name, "when": when}
            )
            return


def place(layer: LayerSeen, seen: Seen) -> Site | None:
    """The line that fills weights with one value: as it was seen, or where the parameter is made, or the
    first of the file.
    """
    filled = [(name, site) for name, site, _ in seen.inits if name in CONSTANT]
    flat = [sole_call(site, name) for name, site in filled if not _of_bias(site)]
    if layer.site is None or (flat and flat[0] is not None):
        return flat[0] if flat else None
    path, site = layer.site.file, layer.site
    own = bindings(path).classes.get(layer.name)
    made = [
        d
        for d in bindings(path).attributes.get(layer.parameter, ())
        if own is not None and calls(d.value, *FLAT)
    ]
    if made:
        return line_of(path, made[0].statement)
    every = [c for c in calls(module(path), *FILLS, *DRAWS) if "grad" not in names(c)]
    every = [c for c in every if name_of(c) in FILLS or _without_spread(c)]
    found = [c for c in every if "bias" not in names(c)] or every
    learned = [c for c in calls(module(path), *FLAT) if _matrix(c)]
    found = found or [c for c in learned if not names(c.func) & {"np", "numpy"}] or learned
    if found:
        return line_of(path, found[0])
    return first_call(path, *COPIES) or _leaf_made(site)


def _of_bias(site: Site | None) -> bool:
    """Whether a line fills what is named a bias, as a table of one column is."""
    return any("bias" in n for said in written_on(site) for n in names(said))


def _leaf_made(site: Site) -> Site:
    """Where the weights that an optimizer is given on this line begin to be learned: ``requires_grad_()``."""
    asked = [a for c in calls(written_on(site)) for a in c.args]
    steps = (s for given in asked for s in origins(site, given))
    learns = (s for s in steps if isinstance(s.node, ast.Call) and _learns(s.node))
    return next((s.site for s in learns), site)


def _learns(call: ast.Call) -> bool:
    return name_of(call) == "requires_grad_" or any(k.arg == "requires_grad" for k in call.keywords)


def _without_spread(call: ast.Call) -> bool:
    """Whether a draw gives one value: ``w.uniform_(a, a)``, ``nn.init.normal_(w, 0, 0)``."""
    of = call.func.value if isinstance(call.func, ast.Attribute) else None
    fills = name_of(call).endswith("_") and (of is None or "init" in names(of))
    given = [ast.unparse(v) for v in call.args[fills:]][:2]
    told = (*("a", "b", "from", "to", "low", "high"), *("mean", "std", "loc", "scale"))
    given += [ast.unparse(k.value) for k in call.keywords if k.arg in told]
    if name_of(call).startswith("uniform"):
        return len(given) == 2 and given[0] == given[1]
    return len(given) == 2 and given[1] in ("0", "0.0")


def _matrix(call: ast.Call) -> bool:
    """Whether a call names two sizes and its values are to be learned."""
    sizes = call.args[0].elts if call.args and isinstance(call.args[0], ast.Tuple) else call.args
    wanted = any(k.arg == "requires_grad" for k in call.keywords)
    return len(sizes) >= 2 and (wanted or not any(k.arg == "dtype" for k in call.keywords))


RULE = Rule(
    id="symmetric_init",
    group="settings",
    severity="wrong",
    certain=True,
    watches=("layers", "inits"),
    decide=decide,
    message=N_("All {units} units of a {layer} layer have the same weights, {when}."),
    why=N_(
        "Units with equal weights get equal gradients, so that they stay equal for ever: the layer is as "
        "good as a single unit."
    ),
    fix=N_(
        "Leave PyTorch's random initialisation as it is, or use nn.init.kaiming_normal_ or "
        "xavier_uniform_; only biases may be constant."
    ),
    wrong="""\
net = nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 3))
for p in net.parameters():
    nn.init.constant_(p, 0.1)
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
for step in range(12):
    optimizer.zero_grad()
    loss = F.cross_entropy(net(x), y)
    loss.backward()
    optimizer.step()
""",
    right="""\
net = nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 3))
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
for step in range(12):
    optimizer.zero_grad()
    loss = F.cross_entropy(net(x), y)
    loss.backward()
    optimizer.step()
""",
    cost=N_("compares the rows of weights in the watched steps"),
)
