"""Learning curves: the training loss per epoch with its deviation, and the metrics of each split."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any

import numpy as np
from numpy.typing import NDArray

from treino.engine.step_plan import EpochCount

# ---- learning curves

Floats = NDArray[np.float64]
Values = Sequence[float | None] | NDArray


@dataclass(frozen=True, eq=False)
class Curves:
    """The learning curves of a run. Arrays ``[E]`` have one entry per epoch; NaN: not measured.

    loss_E, deviation_E: mean and standard deviation of the training loss over the epoch's iterations.
    evaluated: ``{split: {metric: [E]}}``. metric: the metric in the second panel ("" for none).
    kept_epoch: the epoch whose weights were kept (1-based), or None.
    step_loss_S: the loss of every iteration, shown if there are too few epochs for a curve. count: converts
    iterations to epochs. diverged_step: the step at which the run diverged, or None.
    members: for an ensemble the metrics of each member, ``{split: {metric: [P, E]}}``.
    """

    name: str
    loss_E: Floats
    deviation_E: Floats
    evaluated: Mapping[str, Mapping[str, Floats]] = field(default_factory=dict)
    metric: str = ""
    kept_epoch: int | None = None
    step_loss_S: Floats = field(default_factory=lambda: np.empty(0))
    count: EpochCount = field(default_factory=lambda: EpochCount(1))
    diverged_step: int | None = None
    members: Mapping[str, Mapping[str, Floats]] = field(default_factory=dict)

    @property
    def epochs(self) -> int:
        return len(self.loss_E)

    @property
    def step_epoch_S(self) -> Floats:
        """The end of each iteration, in epochs."""
        return np.array([self.count.passes(step + 1) for step in range(len(self.step_loss_S))], np.float64)


def curves(
    name: str,
    loss: Values,
    deviation: Values,
    *,
    evaluated: Mapping[str, Mapping[str, Values]] | None = None,
    step_loss: Values = (),
    steps_per_epoch: int = 1,
    count: EpochCount | None = None,
    members: Mapping[str, Mapping[str, Sequence[Values]]] | None = None,
    **others: Any,
) -> Curves:
    """Build ``Curves`` from lists as in a run's JSON (None: not measured).

    count: replaces ``steps_per_epoch`` if the number of steps differs between epochs. others: further fields.
    Every list is cut, or filled with NaN, to the number of epochs.
    """
    loss_E = _floats(loss)
    epochs = len(loss_E)
    return Curves(
        name,
        loss_E,
        _to(epochs, deviation),
        {split: {m: _to(epochs, v) for m, v in of.items()} for split, of in (evaluated or {}).items()},
        step_loss_S=_floats(step_loss),
        count=count or EpochCount(steps_per_epoch),
        members={
            split: {m: np.stack([_to(epochs, v) for v in each]) for m, each in of.items()}
            for split, of in (members or {}).items()
        },
        **others,
    )


def epoch_losses(step_loss_S: Values, steps_per_epoch: int, *, cut: bool = False) -> tuple[Floats, Floats]:
    """Return the mean and the population standard deviation of the losses of each epoch, ``[E]`` each.

    Computed in float64, as in the engine. cut: include an unfinished last epoch. Both are NaN for an epoch
    with a loss that is not finite.
    """
    loss_S = _floats(step_loss_S)
    epochs = len(loss_S) // steps_per_epoch
    loss_ES = loss_S[: epochs * steps_per_epoch].reshape(epochs, steps_per_epoch)
    with np.errstate(invalid="ignore", over="ignore"):
        mean_E, deviation_E = loss_ES.mean(axis=1), loss_ES.std(axis=1)
    rest_S = loss_S[epochs * steps_per_epoch :]
    if cut and len(rest_S):
        with np.errstate(invalid="ignore", over="ignore"):
            mean_E, deviation_E = np.append(mean_E, rest_S.mean()), np.append(deviation_E, rest_S.std())
    finite = np.isfinite(mean_E)
    return np.where(finite, mean_E, np.nan), np.where(finite, deviation_E, np.nan)


def smoothed(values: Values, smooth: float) -> Floats:
    """The bias-corrected exponential moving average (as for Adam's moments).

    smooth: the decay, from 0 (no smoothing) to below 1. NaN stays NaN and doesn't affect other values.
    """
    value_E = _floats(values)
    found_E, total, weight = np.full(len(value_E), np.nan), 0.0, 0.0
    for e, value in enumerate(value_E):
        if math.isfinite(value):
            total, weight = smooth * total + (1 - smooth) * value, smooth * weight + (1 - smooth)
            found_E[e] = total / weight
    return found_E


def _floats(values: Values) -> Floats:
    """The values as float64, with NaN for None and for magnitudes beyond float32, which no loss can have."""
    array = np.array(values, dtype=np.float64)
    return np.where(np.abs(array) <= np.finfo(np.float32).max, array, np.nan)


def _to(count: int, values: Values) -> Floats:
    value_E = _floats(values)[:count]
    return np.concatenate([value_E, np.full(count - len(value_E), np.nan)])


# ---- statistics over epochs

Figures = Sequence[float | None]


@dataclass(frozen=True)
class Median:
    """A median with a confidence interval from ``low`` to ``high``.

    coverage: the probability that such an interval contains the median. All three are None for one value.
    """

    value: float
    low: float | None
    high: float | None
    coverage: float | None


def median_of(values: Sequence[float], level: float = 0.95) -> Median | None:
    """The median, with the shortest interval between two of the values that has at least coverage ``level``.

    The interval assumes no distribution (Conover, Practical Nonparametric Statistics, 3rd ed. 1999, 3.2): the
    number of values below the median is binomial. Fewer than six values can't reach 95 %; the interval is
    then their range, with its coverage. None without values.
    """
    n, ordered = len(values), sorted(values)
    if n < 2:
        return Median(ordered[0], None, None, None) if ordered else None
    outside, place = 2 * 0.5**n, 1
    while place < n // 2 and (wider := outside + 2 * _chance(n, place)) <= 1 - level:
        outside, place = wider, place + 1
    return Median(median(ordered), ordered[place - 1], ordered[n - place], 1 - outside)


def _chance(n: int, k: int) -> float:
    """The probability of k heads in n tosses of a fair coin, without overflow for large n."""
    return math.exp(math.log(math.comb(n, k)) - n * math.log(2))


def ratio_of(seconds: Mapping[int, float], other: Mapping[int, float]) -> Median | None:
    """The median ratio of ``seconds`` to ``other`` over the rounds in which both were timed.

    In a round both are timed in direct succession, so the machine's other load slows both.
    """
    both = sorted(seconds.keys() & other.keys())
    return median_of([seconds[r] / other[r] for r in both if other[r] > 0])


def epochs_to_goal(values: Figures, target: float, better: int) -> int | None:
    """The first epoch, from 1, whose metric is below the target (better -1) or at least the target (better
    1), or None."""
    for epoch, value in enumerate(values, 1):
        if value is not None and (value < target if better < 0 else value >= target):
            return epoch
    return None


def half(epochs: Sequence[int | None]) -> int | None:
    """The epoch by which at least half of the networks have reached the goal; None if fewer reach it."""
    there = sorted(e for e in epochs if e is not None)
    needed = -(-len(epochs) // 2)
    return there[needed - 1] if needed and len(there) >= needed else None


def mean_of(curves: Sequence[Figures]) -> list[float | None]:
    """The mean of the curves, as long as the shortest; None at epochs at which a curve isn't finite."""
    return [
        None if any(v is None or not math.isfinite(v) for v in values) else math.fsum(values) / len(values)
        for values in zip(*curves, strict=False)
    ]


def deviation_of(means: Sequence[Figures], deviations: Sequence[Figures]) -> list[float | None]:
    """For each epoch, the standard deviation of all curves' iterations, pooled, around the mean curve.

    Each curve has equally many iterations per epoch.
    """
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

    The first softmax gives at best 1 for the true class and 0 for all others; the softmax in cross-entropy
    turns the 1 into e / (e + C - 1).
    """
    return math.log(1 + (classes - 1) / math.e)
