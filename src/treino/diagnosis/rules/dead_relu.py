"""ReLU units that are zero for every row."""

import ast
from collections.abc import Iterable

from treino.diagnosis.finding import Evidence, Site
from treino.diagnosis.reading.ancestry import makers
from treino.diagnosis.reading.configured import places
from treino.diagnosis.reading.places import any_layer, killing_init
from treino.diagnosis.reading.signs import one_sided
from treino.diagnosis.reading.source import called, names_in, tree
from treino.diagnosis.rule import Rule
from treino.diagnosis.watch.seen import ReluSeen, Seen
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
        begun = _init(layer.file) if layer is not None else None
        if seen.stuck(0.9) or r.constant or (begun is not None and seen.stuck(0.5)):
            what = _("{dead} of {units} units of a ReLU layer are zero for every row")
            yield Evidence(
                begun or layer,
                r.site,
                {"what": what.format(dead=r.dead, units=r.units), "dead": r.dead, "loss": values[-1]},
            )
            return


def _init(path: str) -> Site | None:
    """The line that begins weights or biases such that no unit passes anything."""
    return killing_init(path) or _filled_below(path) or one_sided(path)


def _filled_below(path: str) -> Site | None:
    """The line that fills weights or biases with what was made below zero elsewhere, or biases with what the
    program works out.
    """
    module = tree(path)
    for call in called(module, "constant_", "fill_") if module is not None else ():
        values = [*call.args, *(k.value for k in call.keywords)][-1:]
        place = Site(path, call.lineno)
        worked_out = "bias" in names_in(call) and not any(places(place, v, _is_number) for v in values)
        if worked_out or any(_is_below(v, place) for v in values):
            return place
    return None


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float))


def _is_below(value: ast.AST, place: Site, deep: int = 4) -> bool:
    """Whether an expression, or what its name stands for, is a negated one."""
    if isinstance(value, ast.UnaryOp) or deep == 0:
        return isinstance(value, ast.UnaryOp) and isinstance(value.op, ast.USub)
    if isinstance(value, ast.IfExp):
        return _is_below(value.body, place, deep - 1) or _is_below(value.orelse, place, deep - 1)
    made = makers(value.id, place) if isinstance(value, ast.Name) else []
    return any(_is_below(step.value, step.site, deep - 1) for step in made)


def _layer(r: ReluSeen, seen: Seen) -> Site | None:
    """The line of the ReLU as it was seen; or the place-th from the end of the file that makes the net."""
    if r.made_at is not None and not any_layer(r.made_at):
        return r.made_at
    net = max(seen.nets, key=lambda n: n.trained, default=None)
    site = net.made_at if net is not None and net.made_at is not None else r.site
    module = tree(site.file) if site is not None else None
    calls = called(module, "ReLU", "relu", "relu_") if module is not None else []
    if site is None or not calls:
        return site
    return Site(site.file, calls[max(0, len(calls) - 1 - r.place)].lineno)


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
