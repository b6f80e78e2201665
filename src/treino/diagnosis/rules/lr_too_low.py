"""Steps that move nothing."""

import math
from collections.abc import Iterable

from treino.diagnosis.finding import Evidence, Site
from treino.diagnosis.reading.rates import (
    another_setting,
    given_rate,
    is_rate_squared,
    made_line,
    moved_by_hand,
    rate_line,
    slowed,
)
from treino.diagnosis.reading.subtracted import subtracted
from treino.diagnosis.rule import Rule
from treino.diagnosis.rules.curves import LEAST, curve
from treino.diagnosis.rules.studies import RATE, studied
from treino.diagnosis.watch.seen import OptimizerSeen, Seen
from treino.words import N_, _


def decide(seen: Seen) -> Iterable[Evidence]:
    """After all steps the weights are where they began, and the loss is nearly what it was."""
    loss, found = curve(seen), list(_at_its_start(seen))
    if found or (loss is None and not seen.backwards):
        yield from found or _unheard(seen)
        return
    if loss is None or studied(seen, RATE) or _clipped(seen):
        return
    for o in seen.optimizers:
        if o.steps < 12 or o.movement is None or not o.update_ratio or o.cleared_steps or o.idle_steps:
            continue
        # By 3e-5 of their size at a step, weights would need 33,000 steps to become others; in a training of
        # 100 steps and more, three times as much is as hopeless.
        typical = sorted(o.update_ratio)[len(o.update_ratio) // 2]
        if o.steps < 20 and not typical < 1e-6:
            continue
        still = o.movement < 0.01 and 0 < typical < (3e-5 if o.steps < 100 else 1e-4)
        # Weights that are where they were give the same answers: what the loss does is the batches' noise.
        # ... all of it, where each step has the size of a rate that is for weights that have learned before.
        fine = o.adaptive and 0 < o.top_lr <= 2e-5 and o.steps >= 100 and len(seen.optimizers) == 1
        noise = 0.9 if o.movement > 1e-3 and not (fine and loss.by_hand) else 0.6
        stays = still and loss.stuck(0.7) and loss.last() > noise * loss.first()
        # Long trained, hardly moved, and no better than a constant still, by which it didn't begin far off.
        long, constant = o.steps >= 300 and 0 < typical < 1e-4 and o.movement < 0.1, _constant(seen)
        better = 0.9 if typical < 3e-5 and o.movement < 0.02 else 0.97
        stays = stays or (long and 0 < constant < loss.last() / better and loss.first() < 2 * constant)
        stays = stays or (_crawls(seen, o, typical) and loss.stuck(0.9) and loss.last() > 0.98 * loss.first())
        slow = slowed(seen, o)
        # A rate of 0.5 and more is there to be multiplied by another one.
        mistaken = another_setting(o.site, "lr") or (slow is not None and o.steps >= 60 and o.made_lr < 0.5)
        mistaken = mistaken and 0 < typical < 1e-3 and o.movement < 0.05
        stays = stays or (mistaken and loss.stuck(0.7) and loss.last() > 0.9 * loss.first())
        squared = slow is not None and any(s.of is o and is_rate_squared(s) for s in seen.schedulers)
        squared = squared and o.steps >= 60 and 0 < typical < 1e-3 and o.movement < 0.15
        stays = stays or (squared and loss.stuck(0.6) and loss.last() > 0.75 * loss.first())
        if stays:
            numbers = {
                "lr": o.first_lr or o.lr,
                "movement": o.movement,
                "steps": o.steps,
                "loss": loss.last(),
            }
            yield Evidence(slow or _place(seen, o), loss.site, numbers)
            return
    behind = _left_behind(seen)
    if behind is not None:
        o, value = behind
        numbers = {"lr": o.first_lr or o.lr, "movement": o.movement or 0.0, "steps": o.steps, "loss": value}
        yield Evidence(slowed(seen, o) or _place(seen, o), loss.site, numbers)
        return
    moved = seen.manual.movement
    steps = max(len(loss.values), *(o.steps for o in seen.by_hand), 0)
    if seen.optimizers or moved is None or not 0 < moved < 0.02 or steps < 100:
        return
    typical = _typical(seen)
    if moved > 1e-3 and (steps < 300 or typical > 1e-4):
        return
    if loss.stuck(0.7) and loss.last() > (0.9 if typical <= 3e-5 else 0.95) * loss.first():
        told = {"lr": _("by hand"), "movement": moved, "steps": steps, "loss": loss.last()}
        place = subtracted(seen.by_hand[0].site) if seen.by_hand else moved_by_hand(loss.site)
        place = given_rate(place) or place
        yield Evidence(place or loss.site, loss.site, told)


def _left_behind(seen: Seen) -> tuple[OptimizerSeen, float] | None:
    """One of several optimizers whose weights, drawn at random, stay where they are while others learn, and
    the end of a loss that is as if nobody learned it.
    """
    furthest = max((o.movement or 0.0 for o in seen.optimizers), default=0.0)
    for o in seen.optimizers if furthest > 0.05 and not seen.loaded else ():
        ratios, moved = sorted(o.update_ratio), o.movement
        still = moved is not None and 0 < moved < 0.003 and ratios and 0 < ratios[len(ratios) // 2] < 3e-6
        if not still or not o.adaptive or o.steps < 60 or o.cleared_steps or o.idle_steps:
            continue
        for loss in seen.losses.values():
            long = loss.trained >= 12 and len(loss.values) >= 12
            if long and 0 < 0.7 * loss.baseline() < loss.last():
                return o, loss.last()
    return None


def _clipped(seen: Seen) -> bool:
    """Whether it is the clipping that leaves hardly anything of gradients."""
    return any(c.share and sorted(c.share)[len(c.share) // 2] < 0.05 for c in seen.clips.values())


def _at_its_start(seen: Seen) -> Iterable[Evidence]:
    """The only optimizer, by whose rate weights that were drawn at random stay where they are in a whole
    training, and any loss with them.
    """
    for o in seen.optimizers if len(seen.optimizers) == 1 and not seen.loaded else ():
        ratios, moved = sorted(o.update_ratio), o.movement or 0.0
        if o.steps < 60 or not ratios or o.cleared_steps or o.idle_steps or studied(seen, RATE):
            continue
        tiny = 0 < o.top_lr <= (5e-5 if o.adaptive else 1e-4) and 0 < ratios[len(ratios) // 2] < 1.5e-4
        own = [b for b in seen.backwards.values() if b.calls >= o.steps and len(b.loss) >= LEAST]
        if not tiny or len(own) != 1 or _clipped(seen):
            continue
        values, n = own[0].loss, len(own[0].loss) // 4
        first, last = sum(values[:n]) / n, sum(values[-n:]) / n
        if (min(values) < 0 and moved < 0.03) or (min(values) >= 0 and moved < 0.1 and last > 0.8 * first):
            numbers = {"lr": o.first_lr or o.lr, "movement": moved, "steps": o.steps, "loss": last}
            yield Evidence(slowed(seen, o) or _place(seen, o), own[0].site, numbers)
            return


def _unheard(seen: Seen) -> Iterable[Evidence]:
    """Gradients that torch.func gave, of a loss that nobody hears of: a rate that leaves weights in place."""
    for o in seen.optimizers if len(seen.optimizers) == 1 else ():
        still = o.movement is not None and 0 < o.movement < 0.005 and o.adaptive and 0 < o.top_lr <= 1e-5
        if still and o.steps >= 100 and not (o.cleared_steps or o.idle_steps or studied(seen, RATE)):
            numbers = {"lr": o.first_lr or o.lr, "movement": o.movement, "steps": o.steps}
            yield Evidence(_place(seen, o), o.site, numbers | {"loss": _("not known")})


def _typical(seen: Seen) -> float:
    """The median step of what moves weights by hand, as a share of them; infinite if not known."""
    lines = [o.update_ratio for o in seen.by_hand] or [seen.manual.update_ratio]
    ratios = sorted(lines[0]) if len(lines) == 1 else []
    return ratios[len(ratios) // 2] if ratios else math.inf


def _crawls(seen: Seen, o: OptimizerSeen, typical: float) -> bool:
    """Whether the only optimizer, whose steps have the size of its rate whatever the gradient, has hardly
    changed a classifier.
    """
    main = seen.main_loss()
    alone = len(seen.optimizers) == 1 and o.adaptive and main is not None and len(main.labels) > 1
    few = o.steps >= 40 and o.movement is not None and o.movement < 0.05 and 0 < typical < 1e-3
    return alone and few and 0 < o.top_lr <= 3e-5


def _place(seen: Seen, o: OptimizerSeen) -> Site | None:
    """Where the rate is written: what the optimizer was made with, or the one that its cycle rises to."""
    if any(s.of is o and s.kind == "OneCycleLR" for s in seen.schedulers):
        return rate_line(seen, o)
    return made_line(o)


def _constant(seen: Seen) -> float:
    """What the best constant answer gets, of a loss whose values aren't watched one by one."""
    main = seen.main_loss()
    return main.baseline() if main is not None and main.baseline() > 0 else 0.0


RULE = Rule(
    id="lr_too_low",
    group="settings",
    severity="wrong",
    certain=False,
    watches=("optimizers", "losses", "clips"),
    decide=decide,
    unless=(
        "scheduler_misuse",  # which says where the rate went
        "vanishing_gradient",
        "symmetric_init",
        "clip_too_small",
        "no_step",
        "grad_cleared_before_step",
        "detached_loss",
        "weight_decay_too_high",
        "missing_zero_grad",
        "nan_inputs",
        "dead_relu",
        "scheduler_misuse",
        "softmax_before_cross_entropy",
        "sigmoid_before_bce_with_logits",
        "softmax_wrong_dim",
        "params_not_in_optimizer",
        "detached_graph",
    ),
    message=N_(
        "With lr {lr} the weights moved by {movement} of their size in {steps} steps, and the loss is "
        "still {loss}."
    ),
    why=N_(
        "The gradients are there, but the steps are so small that the net stays at its random start. More "
        "epochs would be needed by the hundred."
    ),
    fix=N_("Multiply lr by 10 until the loss falls within the first epoch."),
    wrong="""\
net = nn.Linear(8, 3)
optimizer = torch.optim.SGD(net.parameters(), lr=1e-6)
for step in range(40):
    optimizer.zero_grad()
    loss = F.cross_entropy(net(x), y)
    loss.backward()
    optimizer.step()
""",
    right="""\
net = nn.Linear(8, 3)
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
for step in range(40):
    optimizer.zero_grad()
    loss = F.cross_entropy(net(x), y)
    loss.backward()
    optimizer.step()
""",
    cost=N_("compares sampled weights before and after the watched steps"),
)
