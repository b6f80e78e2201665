"""A decay that outweighs the loss."""

from collections.abc import Iterable

from treino.diagnosis.finding import Evidence, Site
from treino.diagnosis.reading.handed import handed_line
from treino.diagnosis.reading.names import keyword_line, norm_line, sums_norms
from treino.diagnosis.reading.places import loss_made, told_line
from treino.diagnosis.reading.rates import another_setting, shrinking_line
from treino.diagnosis.rule import Rule
from treino.diagnosis.rules.curves import Curve, curve
from treino.diagnosis.rules.studies import DECAY, studied
from treino.diagnosis.watch.seen import OptimizerSeen, Seen
from treino.words import N_, _


def decide(seen: Seen) -> Iterable[Evidence]:
    """The decay's pull is as large as the gradient, the weights shrink, and the loss ends no better
    than a constant; or a penalty that is added to the loss does the same.
    """
    loss = curve(seen)
    if studied(seen, DECAY):
        return
    if loss is None:
        yield from _by_the_weights(seen)
        return
    for o in seen.optimizers:
        if o.steps < 12 or len(o.norm) < 4 or o.site is None:
            continue
        shrunk = o.norm[-1] / o.norm[0] if o.norm[0] > 0 else 1.0
        shares = sorted(o.decay_share)
        pulls = o.weight_decay >= 0.05 and bool(shares) and shares[len(shares) // 2] > 5
        # A loss by hand may begin high above the best constant, and a short training shrinks by little.
        gone = shrunk < 0.6 and loss.stuck(0.5 if loss.by_hand and pulls else 0.85)
        # As strong as the gradient from the first step on; or the number of another setting, by mistake.
        begins = sorted(o.decay_share[:8])
        strong = bool(begins) and begins[len(begins) // 2] > 0.5 and o.weight_decay >= 0.02
        gone = gone or (strong and o.steps >= 60 and shrunk < 0.4 and loss.stuck(0.5))
        # Stronger than the gradient all along: nearly half of the weights' size is gone, not of the loss.
        outweighs = strong and o.weight_decay >= 0.1 and shares[len(shares) // 2] > 1
        gone = gone or (outweighs and o.steps >= 60 and shrunk < 0.6 and loss.stuck(0.7))
        # Many times as strong, and where the weights stand still: at a loss that is little better.
        crushed = strong and o.weight_decay >= 0.05 and shares[len(shares) // 2] > 10 and o.steps >= 100
        gone = gone or (crushed and shrunk < 0.75 and loss.stuck(0.8))
        gone = gone or (o.steps >= 60 and _outweighs(o, loss, shrunk))
        # A penalty that is most of what is run backward.
        gone = gone or (not o.weight_decay and shrunk < 0.6 and loss.stuck(0.5) and _mostly(seen, loss))
        if not gone and o.weight_decay >= 0.02 and shrunk < 0.75 and loss.stuck(0.35):
            gone = another_setting(_place(o), "weight_decay")
        if not gone and not (pulls and shrunk < 0.9 and loss.stuck(0.95)):
            continue
        pull = o.decay_share[0] if o.decay_share else 0.0
        numbers = {"weight_decay": o.weight_decay, "shrunk": shrunk, "pull": pull, "loss": loss.last()}
        if o.weight_decay > 0:
            yield Evidence(handed_line(_place(o), "weight_decay", said=o.weight_decay), o.site, numbers)
            return
        penalty = _penalty(seen, loss)
        if penalty is not None:
            yield Evidence(penalty, loss.site, numbers | {"weight_decay": _("by a penalty")})
            return


def _by_the_weights(seen: Seen) -> Iterable[Evidence]:
    """Where no constant tells what is bad, as of what a net makes of its own rows: a decay as strong as
    the gradient from first to last, and weights that came to half of their size by it.
    """
    for o in seen.optimizers:
        shares, values = sorted(o.decay_share), o.loss
        if o.steps < 60 or len(o.norm) < 4 or o.norm[0] <= 0 or o.site is None or not shares or not values:
            continue
        shrunk = o.norm[-1] / o.norm[0]
        if (
            o.weight_decay >= 0.1
            and not o.kind.endswith("W")
            and shrunk < 0.5
            and shares[len(shares) // 4] > 0.8
        ):
            numbers = {
                "weight_decay": o.weight_decay,
                "shrunk": shrunk,
                "pull": shares[0],
                "loss": values[-1],
            }
            yield Evidence(handed_line(_place(o), "weight_decay", said=o.weight_decay), o.site, numbers)
            return


def _outweighs(o: OptimizerSeen, loss: Curve, shrunk: float) -> bool:
    """Whether weights are held down for good: a matrix of them is gone; or a decay that is apart from the
    gradient leaves none larger than 1 / weight_decay; or the two stand still against each other, far from
    where the loss alone would be.
    """
    if o.weight_decay >= 0.02 and o.least < 0.05 and loss.stuck(0.35):
        return True
    if o.kind.endswith("W"):
        return o.weight_decay >= 2 and o.lr * o.weight_decay * o.steps > 3 and loss.stuck(0.35)
    shares = sorted(o.decay_share)
    even = bool(shares) and shares[len(shares) // 2] > 0.9
    return o.weight_decay >= 0.1 and even and shrunk < 0.7 and loss.stuck(0.55)


def _mostly(seen: Seen, loss: Curve) -> bool:
    """Whether the loss that is run backward is three times the one that is known, from first to last."""
    whole, known = seen.loss_values(), loss.values
    return bool(whole) and not loss.by_hand and whole[0] > 3 * known[0] and whole[-1] > 3 * known[-1]


def _place(o: OptimizerSeen) -> Site | None:
    assert o.site is not None
    return keyword_line(o.site.file, "weight_decay", told_line(o.site, "weight_decay"))


def _penalty(seen: Seen, loss: Curve) -> Site | None:
    """Where the loss that is run backward is more than the one that is known, by norms of parameters; or
    where all parameters are made smaller by hand.
    """
    busiest = seen.busiest()
    if busiest is None or busiest.site is None or not busiest.loss:
        return None
    added = not loss.by_hand and busiest.loss[0] > 1.5 * loss.values[0]
    line = norm_line(busiest.site) if added else None
    if added and (line or sums_norms(busiest.site)):
        return line or loss_made(busiest.site)
    return shrinking_line(loss.site.file) if loss.site is not None else None


RULE = Rule(
    id="weight_decay_too_high",
    group="settings",
    severity="wrong",
    certain=False,
    watches=("optimizers", "losses"),
    decide=decide,
    unless=(
        "lr_too_high",
        "missing_zero_grad",
        "no_step",
        "grad_cleared_before_step",
        "detached_loss",
        "nan_inputs",
        "params_not_in_optimizer",
    ),
    message=N_(
        "weight_decay {weight_decay} shrank the weights to {shrunk} of their size; the loss ends at {loss}."
    ),
    why=N_(
        "Each step pulls all weights to zero more strongly than the loss pulls them anywhere. With "
        "weights near zero the net says the same for every row."
    ),
    fix=N_("Use 1e-4 to 1e-2 (none for biases and norms), or 0 until the net can fit the training rows."),
    wrong="""\
net = nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 3))
optimizer = torch.optim.SGD(net.parameters(), lr=0.1, weight_decay=2.0)
for step in range(60):
    optimizer.zero_grad()
    loss = F.cross_entropy(net(x), y)
    loss.backward()
    optimizer.step()
""",
    right="""\
net = nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 3))
optimizer = torch.optim.SGD(net.parameters(), lr=0.1, weight_decay=1e-4)
for step in range(60):
    optimizer.zero_grad()
    loss = F.cross_entropy(net(x), y)
    loss.backward()
    optimizer.step()
""",
    cost=N_("compares sampled weights before and after the watched steps"),
)
