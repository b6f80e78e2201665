"""The course of the loss that a training minimises, whether it is one of torch's or written by hand."""

import math
from dataclasses import dataclass

from treino.diagnosis.finding import Site
from treino.diagnosis.watch.seen import Seen

LEAST = 12  # values, below which a course tells nothing


@dataclass(frozen=True)
class Curve:
    """Losses in the order of training, and what an answer without any learning gets.

    constant: the loss of the best constant answer; of a loss by hand whose targets are not known, the least
    of its first three values: random weights say about the same for every row.
    """

    site: Site | None
    values: tuple[float, ...]
    constant: float
    by_hand: bool

    def first(self) -> float:
        """The mean of the first quarter."""
        n = max(1, len(self.values) // 4)
        return sum(self.values[:n]) / n

    def last(self) -> float:
        """The mean of the last quarter; NaN where one of it is."""
        n = max(1, len(self.values) // 4)
        return sum(self.values[-n:]) / n

    def stuck(self, share: float) -> bool:
        """Whether it ends above this share of what no learning gets (or is not finite)."""
        return len(self.values) >= LEAST and self.constant > 0 and not self.last() < share * self.constant

    def exploded(self) -> bool:
        """Not finite in the end, after growing more than tenfold; or, by hand, three times what it was at
        first: such losses (of agents, of games) may well rise, but never below zero and threefold.
        """
        finite = [v for v in self.values if math.isfinite(v)]
        if not finite:
            return False
        if len(finite) < len(self.values):
            return max(finite[1:], default=0.0) > 10 * finite[0]
        return self.by_hand and min(finite) >= 0 and len(finite) >= LEAST and self.last() > 3 * self.constant


def curve(seen: Seen) -> Curve | None:
    """The loss that was trained most often; None where none was."""
    main = seen.main_loss()
    if main is not None and main.site is not None and main.values and main.baseline() > 0:
        return Curve(main.site, tuple(main.values), main.baseline(), by_hand=False)
    if main is not None and (main.values or not main.baseline() > 0):
        return None  # a game of nets, a distillation: what a constant would get says nothing
    busiest = seen.busiest()
    if busiest is None or not busiest.loss or not all(v >= 0 or math.isnan(v) for v in busiest.loss):
        return None
    known = busiest.baseline()
    constant = known if known > 0 else min(busiest.loss[:3])
    return Curve(busiest.site, tuple(busiest.loss), constant, by_hand=True)
