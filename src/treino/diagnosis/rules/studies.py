"""Settings that a program compares on purpose: the extremes of a search are no mistake."""

from itertools import pairwise

from treino.diagnosis.record.log import Log, OptimizerMade, Stepped
from treino.diagnosis.rules.graphs import by_line


def studied(log: Log, setting: str) -> bool:
    """Whether one line made optimizers with other values of a setting (``lr``, ``weight_decay``), one after
    another, each after the steps of the one before.
    """
    stepped = {s.optimizer for s in log.of(Stepped)}
    made = {o.optimizer: o for o in reversed(log.of(OptimizerMade)) if o.optimizer in stepped and o.groups}
    for every in by_line(reversed(made.values()), lambda o: (o.site, o.kind)).values():
        apart = all(b.step > a.step for a, b in pairwise(every))
        if apart and len({getattr(m.groups[0], setting) for m in every}) > 1:
            return True
    return False
