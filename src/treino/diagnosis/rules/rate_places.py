"""Where a learning rate is written: what three rules share."""

from treino.diagnosis.finding import Site
from treino.diagnosis.watch.seen import OptimizerSeen, SchedulerSeen, Seen
from treino.diagnosis.where.settings import setting
from treino.diagnosis.where.updates import rate_factor, rate_set, update, update_rate

SLOW = 0.1  # of the rate that an optimizer was made with


def place_rate(seen: Seen, o: OptimizerSeen) -> Site | None:
    """What an optimizer was made with, or the schedule or the line by hand that sets its rate."""
    plain = place_made(o)
    for schedule in seen.schedulers:
        if schedule.of is o and schedule.kind == "OneCycleLR":
            return setting(schedule.site, "max_lr", 1, schedule.base)
        if schedule.of is o and schedule.kind == "LambdaLR" and o.top_lr > 1.01 * o.made_lr:
            return rate_factor(schedule.site) or plain
    if o.site is None or not o.top_lr > 1.01 * o.made_lr:
        return plain
    return rate_set(o.site.file) or plain


def place_made(o: OptimizerSeen) -> Site | None:
    """Where the rate is written that an optimizer was made with."""
    return setting(o.site, "lr", 1, o.made_lr)


def place_by_hand(backward: Site | None) -> Site | None:
    """Where the rate is written by which weights are moved without an optimizer."""
    line = update(backward)
    return update_rate(line) or line


def slowing(seen: Seen, o: OptimizerSeen) -> tuple[SchedulerSeen | None, bool]:
    """The schedule that keeps the rate of an optimizer far below the one it was made with, in all of its
    steps or most; and whether anything does.
    """
    own = [s for s in seen.schedulers if s.of is o]
    if own and all(s.peaked and s.starved > 0.6 * s.updates > 2 * s.calls for s in own):
        return own[0], True
    if not o.top_lr < SLOW * o.made_lr or any(s.peaked or not s.top for s in own):
        return None, False
    for s in own:
        if s.kind in ("LambdaLR", "ConstantLR") and (s.calls > 0.5 * s.updates or is_rate_squared(s)):
            return s, True
        if s.calls > 0.5 * s.updates or s.kind == "ConstantLR":
            return s, True
    return None, not own


def is_rate_squared(s: SchedulerSeen) -> bool:
    """Whether the largest factor of a LambdaLR was the rate that it multiplies."""
    return s.kind == "LambdaLR" and 0 < s.base < SLOW and abs(s.top / s.base - s.base) < 0.02 * s.base


def place_slowing(seen: Seen, o: OptimizerSeen) -> Site | None:
    """Where that is done: in a schedule's function, in the schedule, or where the rate is set by hand."""
    schedule, slowed = slowing(seen, o)
    if not slowed or schedule is None:
        return rate_set(o.site.file) if slowed and o.site is not None else None
    made = rate_factor(schedule.site) if schedule.kind == "LambdaLR" else None
    return made or schedule.site
