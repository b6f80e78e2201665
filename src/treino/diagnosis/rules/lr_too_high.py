"""Steps as large as the weights themselves."""

import itertools
import math
from collections.abc import Iterable, Sequence

from treino.diagnosis.finding import Evidence
from treino.diagnosis.reading.rates import another_setting, given_rate, moved_by_hand, rate_line
from treino.diagnosis.reading.subtracted import subtracted
from treino.diagnosis.rule import Rule
from treino.diagnosis.rules.curves import LEAST, Curve, curve
from treino.diagnosis.rules.studies import RATE, studied
from treino.diagnosis.watch.seen import OptimizerSeen, Seen
from treino.words import N_


def decide(seen: Seen) -> Iterable[Evidence]:
    """A typical step moves the weights by a tenth of their size or more, and the loss ends no better
    than a constant; or, of any of several losses, many times higher than it began.
    """
    found = list(_by_a_constant(seen))
    yield from found or ([] if studied(seen, RATE) else list(_by_its_start(seen)))


def _by_its_start(seen: Seen) -> Iterable[Evidence]:
    """One of several optimizers, whose steps are a twentieth of the weights and whose loss grew tenfold; or
    Adam's blind steps, by which weights and loss blew up and the loss never came back below half its start.
    """
    for o in seen.optimizers:
        ratios = sorted(r for r in o.update_ratio if math.isfinite(r))
        if o.steps < LEAST or not ratios:
            continue
        if _dead_end(seen, o, ratios[-1]):
            numbers = {"lr": o.first_lr or o.lr, "step": ratios[-1], "loss": o.loss[-1]}
            yield Evidence(rate_line(seen, o) or o.site, o.loss_at, numbers | {"constant": min(o.loss[:3])})
            return
        if ratios[len(ratios) // 2] < 0.05:
            continue
        own = [b for b in seen.backwards.values() if b.calls == o.steps and len(b.loss) >= LEAST]
        losses, site = (own[0].loss, own[0].site) if len(own) == 1 else (o.loss, o.loss_at)
        if len(losses) < LEAST:
            continue
        last = losses[-len(losses) // 4 :]
        end = sum(last) / len(last)
        several = len(seen.optimizers) > 1
        grew = several and len(own) == 1 and min(losses) >= 0 and end > 10 * max(losses[:3])
        killed = several and len(own) != 1 and _throws(o, ratios) and _killed(seen, 0.9)
        if grew or killed or _blown(o, ratios, losses, end):
            numbers = {"lr": o.first_lr or o.lr, "step": ratios[-1], "loss": end}
            yield Evidence(rate_line(seen, o) or o.site, site, numbers | {"constant": min(losses[:3])})
            return


def _dead_end(seen: Seen, o: OptimizerSeen, largest: float) -> bool:
    """Whether one of several nets was led far away to where its units are dead and its loss stands still,
    while the other learned.
    """
    if len(seen.optimizers) < 2 or len(o.loss) < LEAST or (o.movement or 0.0) < 3 or largest < 0.1:
        return False
    n = len(o.loss) // 4
    still = min(o.loss) > 0 and sum(o.loss[-n:]) / n > 0.9 * o.loss[0]
    other = any(loss.trained >= LEAST and loss.stuck(0.97) for loss in seen.losses.values())
    return still and other and _killed(seen, 0.9)


def _blown(o: OptimizerSeen, ratios: list[float], losses: list[float], end: float) -> bool:
    """Whether steps that have their size whatever the gradient made the weights many times what they were:
    a loss grew with them, and never came back; or, where a loss may be below zero, that alone.
    """
    moved = o.movement or 0.0
    if not _throws(o, ratios) or o.steps < 60:
        return False
    if min(losses) < 0:
        return o.top_lr >= 0.3 and ratios[-1] > 1 and moved > 10
    far = moved > 8 and ratios[-1] > 1  # weights several times what they were, in one step
    return max(losses) > 5 * losses[0] and end > (0.1 if far else 0.25) * losses[0]


def _throws(o: OptimizerSeen, ratios: list[float]) -> bool:
    """Whether steps that have their size whatever the gradient took weights far away from where they were."""
    typical = ratios[len(ratios) // 2]
    return (
        o.adaptive and o.top_lr >= 0.25 and typical >= 0.08 and ratios[-1] > 0.7 and (o.movement or 0.0) > 3
    )


def _only_falls(values: Sequence[float]) -> bool:
    """Whether a loss fell with each of its steps: no step was too large."""
    return len(values) >= LEAST and all(b < a for a, b in itertools.pairwise(values))


def _by_a_constant(seen: Seen) -> Iterable[Evidence]:
    loss = curve(seen)
    if loss is None or studied(seen, RATE) or any(n.ones > n.larger for n in seen.batch_norms):
        return  # or batch norm learns from single rows, by which any rate leads nowhere
    if loss.by_hand and len(seen.backwards) > 1 and sum(o.steps >= 12 for o in seen.optimizers) > 1:
        return  # what the nets of a game lose to each other
    if _only_falls(loss.values):
        return  # slowly, from a start that happened to be high
    highest = max((v for v in loss.values if math.isfinite(v)), default=0.0)
    # Where gradients are clipped, a rate of 20 may be meant: steps are no larger than both allow.
    ratios = seen.manual.update_ratio if not (seen.optimizers or seen.clips) else []
    by_hand = OptimizerSeen("by hand", None, steps=len(ratios), update_ratio=ratios)
    every = (*seen.optimizers, *seen.by_hand, by_hand)
    alone = sum(o.steps >= 12 for o in every) == 1
    for o in every:
        ratios = sorted(r for r in o.update_ratio if math.isfinite(r))
        if o.steps < 12 or not ratios:
            continue
        if o.weight_decay >= 0.5 and o.decay_share and o.decay_share[0] > 1:
            continue  # it is the decay that moves the weights
        typical = ratios[len(ratios) // 2]
        # A loss by hand begins somewhat above the best constant: its fall back from high up may end below.
        stuck = loss.stuck(0.75) if loss.by_hand and highest > 10 * loss.constant else loss.stuck(0.9)
        stuck = stuck or (not loss.by_hand and typical > 0.08 and loss.stuck(0.75))
        stuck = stuck and not (not loss.by_hand and _still_falls(seen.loss_values(), loss))
        large = ratios[-1] > 0.1 and typical > 0.01
        swings = stuck and highest > 1.5 * loss.constant
        swings = swings or (not loss.by_hand and typical > 0.1 and loss.stuck(1.05))  # worse than a constant
        # Steps of this size in each direction, whatever the gradient: other weights, that know nothing.
        blind = (
            o.adaptive and o.top_lr >= 0.05 and typical > 0.05 and (o.movement or 0.0) > 1 and o.steps >= 60
        )
        blind = blind or (
            alone and o.adaptive and o.top_lr >= 0.1 and typical > 0.02 and (o.movement or 0.0) > 1.5
        )
        worse = highest > 1.2 * loss.constant or _killed(seen, 0.8)
        if blind and worse and not loss.by_hand and loss.stuck(0.95):
            large = swings = True
        # Weights that are tens of times what they were, by a loss that was many times a constant's.
        blown = o.adaptive and o.top_lr >= 0.5 and typical > 0.1 and (o.movement or 0.0) > 20
        swings = swings or (blown and not loss.by_hand and highest > 5 * loss.constant and loss.stuck(0.3))
        far = o.adaptive and o.top_lr >= 0.3 and typical > 0.1 and (o.movement or 0.0) > 3
        swings = swings or (far and not loss.by_hand and highest > 3 * loss.constant and loss.stuck(0.6))
        leapt_off = o.adaptive and o.top_lr >= 0.1 and typical > 0.05 and highest > 4 * loss.constant
        leapt_far = typical > 0.1 and highest > 20 * max(loss.constant, loss.values[0])
        ends = 0.1 if leapt_far else 0.4
        swings = swings or (leapt_off and large and not loss.by_hand and loss.stuck(ends))
        # The same by gradients that grow with the weights.
        thrown = alone and typical > 0.08 and ratios[-1] > 1 and (o.movement or 0.0) > 10
        swings = swings or (thrown and large and stuck)
        # Weights that no step leaves where they were, and a layer that such steps have killed.
        swings = swings or (typical > 0.1 and loss.stuck(0.5) and _killed(seen, 0.9))
        # One step, larger than the weights, may kill a layer; what is left then hardly moves.
        if ratios[-1] > 1 and loss.stuck(0.97) and _killed(seen, 0.9):
            large = swings = True
        mistaken = typical > 0.1 and another_setting(o.site, "lr")
        swings = swings or (mistaken and (loss.stuck(0.3) or highest > 3 * loss.constant))
        if alone and not loss.by_hand:
            # All, or nearly all, that was learned is lost again; or a leap to where no untrained net is.
            lowest = _lowest(seen.loss_values(), loss)
            forgot = typical > 0.05 and loss.stuck(0.95) and lowest < 0.5 * loss.constant
            killed = _killed(seen, 0.8) and loss.stuck(0.25)
            leapt = killed and typical > 0.05 and highest > 5 * max(loss.constant, loss.values[0])
            lost = killed and typical > 0.01 and o.steps >= 100
            lost = lost and lowest < min(0.3 * loss.last(), 0.2 * loss.constant)
            large, swings = large or lost, swings or forgot or leapt or lost
        exploded = loss.exploded() and (large or not loss.by_hand)
        # One step, several times as large as the weights, may be enough.
        exploded = exploded or (o.update_ratio[0] > 1 and not math.isfinite(loss.last()))
        if exploded or (large and swings):
            numbers = {
                "lr": o.first_lr or o.lr,
                "step": ratios[-1],
                "loss": loss.last(),
                "constant": loss.constant,
            }
            by_line = subtracted(o.site) if o in seen.by_hand else None
            place = rate_line(seen, o) if by_line is None else given_rate(by_line) or by_line
            place = moved_by_hand(loss.site) if o is by_hand else place
            yield Evidence(place or o.site, loss.site, numbers)
            return


def _killed(seen: Seen, share: float) -> bool:
    return any(r.batches >= 3 and r.units >= 8 and r.dead >= share * r.units for r in seen.relus)


def _still_falls(values: list[float], loss: Curve) -> bool:
    """Whether its end, which no window may have seen, is the lowest of all and well below a constant's."""
    n = max(8, len(values) // 50)
    last = sum(values[-n:]) / n
    return last < 0.75 * loss.constant and last <= 1.02 * _lowest(values, loss) < math.inf


def _lowest(values: list[float], loss: Curve) -> float:
    """The least mean of a few losses in a row, of all that were run backward; infinite if that is another."""
    n = max(8, len(values) // 50)
    if not values or not 0.5 < values[0] / max(loss.values[0], 1e-12) < 2:
        return math.inf
    return min((sum(values[i : i + n]) / n for i in range(0, len(values) - n + 1, n)), default=math.inf)


RULE = Rule(
    id="lr_too_high",
    group="settings",
    severity="wrong",
    certain=False,
    watches=("optimizers", "manual", "clips", "losses"),
    decide=decide,
    unless=(
        "unshuffled_sorted",
        "unscaled_inputs",
        "exploding_sum_loss",
        "nan_inputs",
        "missing_zero_grad",
        "no_step",
        "grad_cleared_before_step",
        "detached_loss",
        "params_not_in_optimizer",
        "nll_without_log_softmax",
        "softmax_wrong_dim",
        "symmetric_init",
    ),
    message=N_(
        "lr {lr} moves the weights by up to {step} of their size in one step; the loss ends at {loss}, a "
        "constant gets {constant}."
    ),
    why=N_(
        "Each step jumps over what the last one reached, so that the loss climbs or swings instead of "
        "falling. Units may die on the way and never come back."
    ),
    fix=N_("Divide lr by 10 until the loss falls steadily (1e-3 for Adam and 0.1 for SGD are usual starts)."),
    wrong="""\
net = nn.Sequential(nn.Linear(8, 16), nn.Tanh(), nn.Linear(16, 3))
optimizer = torch.optim.SGD(net.parameters(), lr=100.0)
for step in range(40):
    optimizer.zero_grad()
    loss = F.cross_entropy(net(x), y)
    loss.backward()
    optimizer.step()
""",
    right="""\
net = nn.Sequential(nn.Linear(8, 16), nn.Tanh(), nn.Linear(16, 3))
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
for step in range(40):
    optimizer.zero_grad()
    loss = F.cross_entropy(net(x), y)
    loss.backward()
    optimizer.step()
""",
    cost=N_("compares sampled weights before and after the watched steps"),
)
