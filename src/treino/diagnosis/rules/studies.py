"""Settings that a program compares on purpose: the extremes of a search are no mistake."""

from itertools import pairwise

from treino.diagnosis.finding import Site
from treino.diagnosis.record.log import Log, OptimizerMade, Stepped


def studied(log: Log, setting: str) -> bool:
    """Whether one line made optimizers with other values of a setting (``lr``, ``weight_decay``), one after
    another, each after the steps of the one before.
    """
    stepped = {s.optimizer for s in log.of(Stepped)}
    lines: dict[tuple[Site | None, str], list[OptimizerMade]] = {}
    known: set[int] = set()
    for made in log.of(OptimizerMade):
        if made.optimizer in stepped and made.optimizer not in known and made.groups:
            known.add(made.optimizer)
            lines.setdefault((made.site, made.kind), []).append(made)
    for every in lines.values():
        apart = all(b.step > a.step for a, b in pairwise(every))
        if apart and len({getattr(m.groups[0], setting) for m in every}) > 1:
            return True
    return False
