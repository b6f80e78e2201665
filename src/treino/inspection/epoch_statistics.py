"""Statistics over epochs: median seconds, epochs to a figure, mean and deviation of curves."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median

Values = Sequence[float | None]


@dataclass(frozen=True)
class Median:
    """A median with an interval around it. coverage: the chance that such an interval holds the median.

    low, high, coverage are None where there is a single value.
    """

    value: float
    low: float | None
    high: float | None
    coverage: float | None


def median_of(values: Sequence[float], level: float = 0.95) -> Median | None:
    """The median, and the shortest interval between two of the values that covers it with ``level``.

    It supposes nothing about how the values are spread (Conover, Practical Nonparametric Statistics, 3rd ed.
    1999, 3.2): that k values or fewer lie below the median has a binomial chance. Fewer than six values can't
    cover 95 %: then it is their whole range, with the coverage that this has. None where there are no values.
    """
    n, ordered = len(values), sorted(values)
    if n < 2:
        return Median(ordered[0], None, None, None) if ordered else None
    outside, place = 2 * 0.5**n, 1
    while place < n // 2 and (wider := outside + 2 * _chance(n, place)) <= 1 - level:
        outside, place = wider, place + 1
    return Median(median(ordered), ordered[place - 1], ordered[n - place], 1 - outside)


def _chance(n: int, k: int) -> float:
    """The chance of k heads in n throws of a coin, also where neither factor is a float."""
    return math.exp(math.log(math.comb(n, k)) - n * math.log(2))


def ratio_of(seconds: Mapping[int, float], other: Mapping[int, float]) -> Median | None:
    """How many times ``other`` it takes: the median over the rounds that both were timed in.

    Within a round both are measured one after the other, so what slows the machine down slows both.
    """
    both = sorted(seconds.keys() & other.keys())
    return median_of([seconds[r] / other[r] for r in both if other[r] > 0])


def epochs_to_goal(values: Values, target: float, better: int) -> int | None:
    """The first epoch, from 1 on, whose figure is below the target (better -1) or not below (+1); or None."""
    for epoch, value in enumerate(values, 1):
        if value is not None and (value < target if better < 0 else value >= target):
            return epoch
    return None


def half(epochs: Sequence[int | None]) -> int | None:
    """By when at least half of them were there; None where fewer ever were."""
    there = sorted(e for e in epochs if e is not None)
    needed = -(-len(epochs) // 2)
    return there[needed - 1] if needed and len(there) >= needed else None


def mean_of(curves: Sequence[Values]) -> list[float | None]:
    """The mean curve; None where one of them has no figure, and no longer than the shortest."""
    return [
        None if any(not _finite(v) for v in values) else math.fsum(values) / len(values)
        for values in zip(*curves, strict=False)
    ]


def deviation_of(means: Sequence[Values], deviations: Sequence[Values]) -> list[float | None]:
    """The deviation over all iterations of an epoch, of equally many in each curve, around the mean curve."""
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
    """What cross-entropy can't go below where softmax comes before it: ln(1 + (C - 1) / e).

    The first softmax gives numbers from 0 to 1; the best that it can give are 1 for the right class and 0 for
    the others, and the softmax inside cross-entropy makes e / (e + C - 1) of the 1.
    """
    return math.log(1 + (classes - 1) / math.e)


def _finite(value: float | None) -> bool:
    return value is not None and math.isfinite(value)
