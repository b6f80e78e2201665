"""A clip so small that nothing is left of the gradients."""

import ast
from collections.abc import Iterable

from treino.diagnosis.finding import Evidence, Site
from treino.diagnosis.reading.ancestry import arguments, defaults, given_names, parameters
from treino.diagnosis.reading.handed import handed_line
from treino.diagnosis.reading.places import told_line
from treino.diagnosis.reading.provenance import Function
from treino.diagnosis.reading.rates import another_setting
from treino.diagnosis.reading.source import called, function_of, names_in, tree
from treino.diagnosis.rule import Rule
from treino.diagnosis.rules.curves import curve
from treino.diagnosis.watch.seen import OptimizerSeen, Seen
from treino.words import N_

BELOW_EPS = 1e-6  # a norm whose entries are no more than what Adam adds to its divisor

CLIPS = ("clip_grad_norm_", "clip_grad_value_")
LIMITS = (("max_norm", 1), ("clip_value", 1), ("max", 2))  # by keyword, and by position


def decide(seen: Seen) -> Iterable[Evidence]:
    """Nearly all gradients are cut to a sliver, the optimizer doesn't rescale them, and the weights stay
    where they are, or crawl while the loss ends no better than a constant.
    """
    loss = curve(seen)
    for clip in seen.clips.values():
        if clip.calls < 10 or not clip.share:
            continue
        shares = sorted(clip.share)
        typical = shares[len(shares) // 2]
        if not typical < 0.05:
            continue
        values = seen.loss_values()
        n = max(1, len(values) // 4)
        no_better = sum(values[-n:]) > 0.9 * sum(values[:n])
        stuck = loss is not None and loss.stuck(0.9)
        least = 0.6 if typical < 0.002 else 0.7
        mistaken = loss is not None and loss.stuck(0.5) and _of_another_setting(clip.site)
        sliver = typical < 0.02 and loss is not None and not loss.by_hand and loss.stuck(least)
        moves = [
            o.movement
            for o in seen.optimizers
            if o.steps >= 10
            and o.movement is not None
            and (not o.adaptive or clip.limit < BELOW_EPS)
            and (
                (no_better and o.movement < 0.02)
                or (stuck and _crawls(o, 1e-3))
                or (sliver and _crawls(o, 5e-4))
                or mistaken
            )
        ]
        by_hand = seen.manual.movement
        far = 0.05 if sliver and stuck else 0.02
        still = mistaken or ((no_better or stuck) and by_hand is not None and by_hand < far)
        if still and not seen.optimizers and by_hand is not None:
            moves = [by_hand]
        if moves:
            numbers = {
                "limit": clip.limit,
                "share": typical,
                "movement": moves[0],
                "calls": clip.calls,
            }
            place = told_line(clip.site, "gradient_clip_val", "gradient_clip_value")
            place = place if _still_scaled(clip.site) else _limit_line(place, clip.limit)
            yield Evidence(place, clip.site, numbers)


def _still_scaled(site: Site | None) -> bool:
    """Whether a file scales its losses and never takes the scale from the gradients before they are cut: the
    limit is right, and what it is compared with is not.
    """
    module = tree(site.file) if site is not None else None
    return module is not None and bool(called(module, "GradScaler")) and not called(module, "unscale_")


def _limit_line(site: Site | None, limit: float) -> Site | None:
    """Where the limit is written, or handed on to the line that clips."""
    for keyword, at in LIMITS:
        place = handed_line(site, keyword, at, limit)
        if place != site:
            return place
    return _given_limit(site) or site


def _given_limit(site: Site | None) -> Site | None:
    """Where the limit is given to the person's own function that scales gradients on this line: what it
    divides by their norm.
    """
    around = function_of(site) if site is not None else None
    if site is None or not isinstance(around, Function) or called(around, "backward", *CLIPS):
        return None
    quotients = [n for n in ast.walk(around) if isinstance(n, ast.BinOp) and isinstance(n.op, ast.Div)]
    names = [n for n in parameters(around) if any(n in names_in(q.left) for q in quotients)]
    for name in names:
        calls = list(arguments(site.file, around, name))
        if len(calls) == 1:
            place = Site(site.file, calls[0][0].lineno)
            return handed_line(place, name, given_names(around).index(name))
        default = defaults(around).get(name, []) if not calls else []
        if default:
            return Site(site.file, default[0].lineno)
    return None


def _of_another_setting(site: Site | None) -> bool:
    """Whether the limit bears the name of another setting: ``clip_grad_norm_(params, args.lr)``."""
    return any(another_setting(site, keyword, at) for keyword, at in LIMITS)


def _crawls(o: OptimizerSeen, step: float) -> bool:
    ratios = sorted(o.update_ratio)
    return bool(ratios) and ratios[len(ratios) // 2] < step


RULE = Rule(
    id="clip_too_small",
    group="gradients",
    severity="wrong",
    certain=False,
    watches=("clips", "optimizers", "backwards"),
    decide=decide,
    message=N_(
        "Gradients are clipped to {limit}, typically {share} of their size, and the weights moved by "
        "{movement} in all."
    ),
    why=N_(
        "A clip is meant for rare outliers. This one cuts every gradient, so that the step is lr times "
        "the clip: too little to learn anything in the steps that were taken."
    ),
    fix=N_(
        "Raise the clip to about the gradients' usual norm (clip_grad_norm_ returns it), or raise lr with it."
    ),
    wrong="""\
net = nn.Linear(8, 3)
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
for step in range(30):
    optimizer.zero_grad()
    loss = F.cross_entropy(net(x), y)
    loss.backward()
    nn.utils.clip_grad_norm_(net.parameters(), 1e-5)
    optimizer.step()
""",
    right="""\
net = nn.Linear(8, 3)
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
for step in range(30):
    optimizer.zero_grad()
    loss = F.cross_entropy(net(x), y)
    loss.backward()
    nn.utils.clip_grad_norm_(net.parameters(), 1.0)
    optimizer.step()
""",
    cost=N_("the norm that clipping computes anyway"),
)
