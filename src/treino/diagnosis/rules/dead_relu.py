"""ReLU units that are zero for every row."""

import ast
from collections.abc import Iterable

from treino.diagnosis.finding import Evidence, Site
from treino.diagnosis.rule import Rule
from treino.diagnosis.watch.seen import ReluSeen, Seen
from treino.diagnosis.where.fills import filled_below
from treino.diagnosis.where.source import calls, loop, module, targets, written_on
from treino.words import N_, _, numeral

OFTEN = 16  # calls of a loss whose input is looked at, before a few


def decide(seen: Seen) -> Iterable[Evidence]:
    """Nine in ten units of a layer were zero for all rows of the newest graphs, and the loss is no
    better than a constant, or the last layer is given the same for every row; or a ReLU gives the answers
    for targets of which many are below zero.
    """
    values = seen.loss_values()
    for loss in seen.losses.values():
        below = (
            loss.targets.below if loss.rectified >= 3 and 2 * loss.rectified > min(loss.calls, OFTEN) else 0.0
        )
        if below >= 0.2 and loss.trained and values:
            what = _("a ReLU gives the answers, which can't be below zero as {share} of the targets are")
            numbers = {"what": what.format(share=numeral(below, ".0%")), "share": below, "loss": values[-1]}
            yield Evidence(loss.rectified_at or loss.site, loss.site, numbers)
            return
    for r in sorted(seen.relus, key=lambda r: -r.dead / r.units):
        if r.batches < 3 or r.dead < 0.9 * r.units or not values:
            continue
        layer = _layer(r, seen)
        begun = filled_below(layer.file) if layer is not None else None
        if seen.stuck(0.9) or r.constant or (begun is not None and seen.stuck(0.5)):
            what = _("{dead} of {units} units of a ReLU layer are zero for every row")
            yield Evidence(
                begun or layer,
                r.site,
                {"what": what.format(dead=r.dead, units=r.units), "dead": r.dead, "loss": values[-1]},
            )
            return


def _layer(r: ReluSeen, seen: Seen) -> Site | None:
    """The line of the ReLU as it was seen; or the place-th from the end of the file that makes the net."""
    if r.made_at is not None and not _any_layer(r.made_at):
        return r.made_at
    net = max(seen.nets, key=lambda n: n.trained, default=None)
    site = net.made_at if net is not None and net.made_at is not None else r.site
    found = calls(module(site.file), "ReLU", "relu", "relu_") if site is not None else []
    return (
        Site(site.file, found[max(0, len(found) - 1 - r.place)].lineno)
        if site is not None and found
        else site
    )


def _any_layer(site: Site) -> bool:
    """Whether a line calls one layer after the other: ``for layer in self.layers: x = layer(x)``."""
    head = loop(site)
    return isinstance(head, ast.For) and bool(calls(written_on(site), *targets(head)))


RULE = Rule(
    id="dead_relu",
    group="settings",
    severity="wrong",
    certain=False,
    watches=("relus", "losses", "nets"),
    decide=decide,
    unless=(
        "symmetric_init",
        "unscaled_inputs",
        "unshuffled_sorted",
        "lr_too_high",
        "label_misaligned",
        "weight_decay_too_high",
        "exploding_sum_loss",
        "nan_inputs",
        "non_finite_loss",
        "missing_zero_grad",
        "no_step",
        "grad_cleared_before_step",
        "detached_loss",
    ),
    message=N_("Zero where it should not be: {what}; the loss ends at {loss}."),
    why=N_(
        "Where its input is below zero for all rows a ReLU passes neither values nor gradients, so that "
        "the unit can't recover. At the end of a net it also makes negative answers impossible."
    ),
    fix=N_("Lower lr, start biases at zero, use LeakyReLU or GELU, and put no ReLU after the last layer."),
    wrong="""\
net = nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 3))
nn.init.constant_(net[0].bias, -50.0)
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
for step in range(40):
    optimizer.zero_grad()
    loss = F.cross_entropy(net(x), y)
    loss.backward()
    optimizer.step()
""",
    right="""\
net = nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 3))
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
for step in range(40):
    optimizer.zero_grad()
    loss = F.cross_entropy(net(x), y)
    loss.backward()
    optimizer.step()
""",
    cost=N_("reads saved ReLU outputs in the graphs that are walked"),
)
