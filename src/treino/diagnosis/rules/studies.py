"""Settings that a script compares on purpose: the extremes of a search are no mistake."""

from itertools import pairwise

from treino.diagnosis.watch.seen import OptimizerSeen, Seen

RATE, DECAY = 0, 1


def studied(seen: Seen, setting: int) -> bool:
    """Whether one line made optimizers with other values of a setting, each for a net of its own, one after
    another.
    """
    lines: dict[object, list[OptimizerSeen]] = {}
    for o in seen.optimizers:
        if o.steps and not o.shares_with:
            lines.setdefault((o.site, o.kind), []).append(o)
    for made in lines.values():
        made.sort(key=lambda o: o.began)
        apart = all(b.began >= a.began + a.steps for a, b in pairwise(made))
        # Two nets of other depths, as a teacher and its student, are no two runs of one search.
        alike = len(made) > 2 or len({o.holds for o in made}) == 1
        if apart and alike and len({o.tried[setting] for o in made}) > 1:
            return True
    return False
