"""Gradients that are cleared before a step could use them: what two rules share."""

from treino.diagnosis.reading.places import same_loop
from treino.diagnosis.watch.seen import OptimizerSeen, Seen


def thrown_away(o: OptimizerSeen) -> bool:
    """Whether, of every line that calls backward, two in three results or more are thrown away."""
    sites = set(o.used) | set(o.discarded)
    shares = [o.used[s] / (o.used[s] + o.discarded[s]) for s in sites if o.used[s] + o.discarded[s] >= 4]
    wasted = sum(o.discarded.values())
    return bool(shares) and max(shares) < 0.34 and wasted >= 6 and sum(o.used.values()) >= 1


def within_a_turn(seen: Seen, o: OptimizerSeen) -> bool:
    """Whether the step stands in the loop of the backwards: gradients were to be accumulated for it."""
    site = max(o.discarded, key=lambda s: o.discarded[s], default=None)
    backward = seen.backwards.get(site)
    return backward is not None and same_loop(backward.stack, o.stepped_at)
