"""Units that begin alike and stay alike."""

from collections.abc import Iterable

from treino.diagnosis.finding import Evidence, Site
from treino.diagnosis.rule import Rule
from treino.diagnosis.source import called, names_in, tree
from treino.diagnosis.watch.seen import Seen
from treino.words import _


def decide(seen: Seen) -> Iterable[Evidence]:
    """After several steps all rows of a weight are still equal."""
    for layer in seen.layers:
        if layer.alike and layer.checks >= 1:
            flat = [site for name, site, _ in seen.inits if name in ("constant_", "zeros_", "ones_")]
            place = (flat[0] if flat else None) or _filled(layer.site)
            yield Evidence(place, layer.site, {"units": layer.units, "layer": layer.name})
            return


def _filled(site: Site | None) -> Site | None:
    """The first line of the file that fills weights with one value."""
    module = tree(site.file) if site is not None else None
    calls = (
        called(module, "fill_", "zero_", "constant_", "ones_", "zeros_", "full_like")
        if module is not None
        else []
    )
    calls = [c for c in calls if "bias" not in names_in(c)] or calls
    return Site(site.file, calls[0].lineno) if site is not None and calls else site


RULE = Rule(
    id="symmetric_init",
    group="settings",
    severity="wrong",
    certain=True,
    watches=("layers", "inits"),
    decide=decide,
    message=_("All {units} units of a {layer} layer have the same weights, also after several steps."),
    why=_(
        "Units with equal weights get equal gradients, so that they stay equal for ever: the layer is as "
        "good as a single unit."
    ),
    fix=_(
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
    cost=_("compares the rows of weights in the watched steps"),
)
