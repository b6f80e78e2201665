"""Units that begin alike and stay alike."""

import ast
from collections.abc import Iterable

from treino.diagnosis.finding import Evidence, Site
from treino.diagnosis.reading.source import call_name, called, names_in, statement_at, tree
from treino.diagnosis.reading.traced import Value, traced
from treino.diagnosis.rule import Rule
from treino.diagnosis.watch.seen import LayerSeen, Seen
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
            filled = [(name, site) for name, site, _ in seen.inits if name in CONSTANT]
            flat = [_named_at(site, name) for name, site in filled if not _of_bias(site)]
            place = (flat[0] if flat else None) or _filled(layer)
            when = _("as the training begins") if even else _("also after several steps")
            yield Evidence(place, layer.site, {"units": layer.units, "layer": layer.name, "when": when})
            return


def _named_at(site: Site | None, name: str) -> Site | None:
    """The line itself, or the only one of the file that names the function which a library calls there."""
    statement, module = (statement_at(site), tree(site.file)) if site is not None else (None, None)
    if site is None or module is None or name in names_in(statement):
        return site
    lines = {n.lineno for n in ast.walk(module) if isinstance(n, (ast.Name, ast.Attribute)) and _is(n, name)}
    return Site(site.file, lines.pop()) if len(lines) == 1 else site


def _is(node: ast.Name | ast.Attribute, name: str) -> bool:
    return (node.id if isinstance(node, ast.Name) else node.attr) == name


def _of_bias(site: Site | None) -> bool:
    """Whether a line fills what is named a bias, as a table of one column is."""
    statement = statement_at(site) if site is not None else None
    return statement is not None and any("bias" in n for n in names_in(statement))


def _filled(layer: LayerSeen) -> Site | None:
    """The line that fills weights with one value: where the parameter is made, or the first in the file."""
    site = layer.site
    module = tree(site.file) if site is not None else None
    if site is None or module is None:
        return site
    for kind in ast.walk(module):
        if isinstance(kind, ast.ClassDef) and kind.name == layer.name and layer.parameter:
            made = [
                n for n in ast.walk(kind) if isinstance(n, ast.Assign) and _attribute(n) == layer.parameter
            ]
            if made and called(made[0], *FLAT):
                return Site(site.file, made[0].lineno)
    filled = [c for c in called(module, *FILLS, *DRAWS) if call_name(c) in FILLS or _without_spread(c)]
    filled = [c for c in filled if "grad" not in names_in(c)]
    calls = [c for c in filled if "bias" not in names_in(c)] or filled
    flat = [c for c in called(module, *FLAT) if _matrix(c)]
    calls = calls or [c for c in flat if not names_in(c.func) & {"np", "numpy"}] or flat
    calls = calls or called(module, *COPIES)
    return Site(site.file, calls[0].lineno) if calls else _leaf_made(site)


def _leaf_made(site: Site) -> Site:
    """Where the weights that an optimizer is given on this line begin to be learned: ``requires_grad_()``."""
    statement = statement_at(site)
    asked = [a for n in ast.walk(statement) if isinstance(n, ast.Call) for a in n.args] if statement else []
    for given in asked:
        for v in traced(Value(site, given)):
            if not isinstance(v.node, ast.Call):
                continue
            if call_name(v.node) == "requires_grad_" or any(
                k.arg == "requires_grad" for k in v.node.keywords
            ):
                return Site(v.site.file, v.node.lineno)
    return site


def _without_spread(call: ast.Call) -> bool:
    """Whether a draw gives one value: ``w.uniform_(a, a)``, ``nn.init.normal_(w, 0, 0)``."""
    of = call.func.value if isinstance(call.func, ast.Attribute) else None
    fills = call_name(call).endswith("_") and (of is None or "init" in names_in(of))
    given = [ast.unparse(v) for v in call.args[fills:]][:2]
    names = (*("a", "b", "from", "to", "low", "high"), *("mean", "std", "loc", "scale"))
    given += [ast.unparse(k.value) for k in call.keywords if k.arg in names]
    if call_name(call).startswith("uniform"):
        return len(given) == 2 and given[0] == given[1]
    return len(given) == 2 and given[1] in ("0", "0.0")


def _attribute(node: ast.Assign) -> str:
    """``weight`` in ``self.weight = ...``."""
    return next((t.attr for t in node.targets if isinstance(t, ast.Attribute)), "")


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
