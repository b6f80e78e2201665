"""Statistics over epochs: median seconds, epochs to a figure, mean and deviation of curves."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median

Values = Sequence[float | None]


@dataclass(frozen=True)
class Median:
    """A median with an interval. coverage: the probability that such an interval contains the median.

    low, high and coverage are None for a single value.
    """

    value: float
    low: float | None
    high: float | None
    coverage: float | None


def median_of(values: Sequence[float], level: float = 0.95) -> Median | None:
    """The median, and the shortest interval between two of the values with coverage ``level``.

    It assumes no distribution (Conover, Practical Nonparametric Statistics, 3rd ed. 1999, 3.2): the number of
    values below the median is binomial. Fewer than six values can't reach 95 %; the interval is then their
    range, with its coverage. None without values.
    """
    n, ordered = len(values), sorted(values)
    if n < 2:
        return Median(ordered[0], None, None, None) if ordered else None
    outside, place = 2 * 0.5**n, 1
    while place < n // 2 and (wider := outside + 2 * _chance(n, place)) <= 1 - level:
        outside, place = wider, place + 1
    return Median(median(ordered), ordered[place - 1], ordered[n - place], 1 - outside)


def _chance(n: int, k: int) -> float:
    """The probability of k heads in n throws of a coin, also if its factors exceed a float."""
    return math.exp(math.log(math.comb(n, k)) - n * math.log(2))


def ratio_of(seconds: Mapping[int, float], other: Mapping[int, float]) -> Median | None:
    """The time relative to ``other``: the median ratio over the rounds in which both were timed.

    Within a round they are timed one after the other, so other load slows both.
    """
    both = sorted(seconds.keys() & other.keys())
    return median_of([seconds[r] / other[r] for r in both if other[r] > 0])


def epochs_to_goal(values: Values, target: float, better: int) -> int | None:
    """The first epoch, from 1, whose figure is below the target (better -1) or at least the target (+1), or
    None."""
    for epoch, value in enumerate(values, 1):
        if value is not None and (value < target if better < 0 else value >= target):
            return epoch
    return None


def half(epochs: Sequence[int | None]) -> int | None:
    """The epoch by which at least half of the networks reached the goal; None if fewer did."""
    there = sorted(e for e in epochs if e is not None)
    needed = -(-len(epochs) // 2)
    return there[needed - 1] if needed and len(there) >= needed else None


def mean_of(curves: Sequence[Values]) -> list[float | None]:
    """The mean curve, as long as the shortest; None at an epoch at which a curve has no figure."""
    return [
        None if any(not _finite(v) for v in values) else math.fsum(values) / len(values)
        for values in zip(*curves, strict=False)
    ]


def deviation_of(means: Sequence[Values], deviations: Sequence[Values]) -> list[float | None]:
    """The deviation from the mean curve over all iterations of an epoch, with equally many in each curve."""
    curve: list[float | None] = []
    for place, centre in enumerate(mean_of(means)):
        if centre is None:
            curve.append(None)
            continue
        parts = [
            (float(m[place] or 0.0), float(d[place] or 0.0)) for m, d in zip(means, deviations, strict=True)
        ]
        curve.append(math.sqrt(math.fsum(d * d + (m - centre) ** 2 for m, d in parts) / len(parts)))
    return curve


def floor_twice(classes: int) -> float:
    """The smallest cross-entropy if softmax is applied twice: ln(1 + (C - 1) / e).

    The first softmax gives at best 1 for the right class and 0 for the others, and the softmax inside
    cross-entropy turns the 1 into e / (e + C - 1).
    """
    return math.log(1 + (classes - 1) / math.e)


def _finite(value: float | None) -> bool:
    return value is not None and math.isfinite(value)
