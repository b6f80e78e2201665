"""Learning curves: loss per epoch with its deviation, and the evaluated figures."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from treino.engine.epoch_count import EpochStretch

Floats = NDArray[np.float64]
Values = Sequence[float | None] | NDArray


@dataclass(frozen=True, eq=False)
class Curves:
    """One run's curves. All arrays have one entry per epoch ``[E]``; NaN where nothing was measured.

    loss_E, deviation_E: mean and deviation of the training loss over the epoch's iterations.
    evaluated: ``{split: {metric: [E]}}``; metric: which of them the second panel shows ("" for none).
    kept_epoch: the epoch whose weights were kept (1-based), None where nothing was kept.
    step_loss_S: every iteration's loss, shown where epochs are too few for a curve. count: their epochs.
    diverged_step: the step at which the run diverged, None where it did not.
    members: of an ensemble the same figures of each network, ``{split: {metric: [P, E]}}``.
    """

    name: str
    loss_E: Floats
    deviation_E: Floats
    evaluated: Mapping[str, Mapping[str, Floats]] = field(default_factory=dict)
    metric: str = ""
    kept_epoch: int | None = None
    step_loss_S: Floats = field(default_factory=lambda: np.empty(0))
    count: EpochStretch = field(default_factory=lambda: EpochStretch(1))
    diverged_step: int | None = None
    members: Mapping[str, Mapping[str, Floats]] = field(default_factory=dict)

    @property
    def epochs(self) -> int:
        return len(self.loss_E)

    @property
    def step_epoch_S(self) -> Floats:
        """Where each iteration ended, in epochs."""
        return np.array([self.count.passes(step + 1) for step in range(len(self.step_loss_S))], np.float64)


def curves(
    name: str,
    loss: Values,
    deviation: Values,
    *,
    evaluated: Mapping[str, Mapping[str, Values]] | None = None,
    metric: str = "",
    kept_epoch: int | None = None,
    step_loss: Values = (),
    steps_per_epoch: int = 1,
    count: EpochStretch | None = None,
    diverged_step: int | None = None,
    members: Mapping[str, Mapping[str, Sequence[Values]]] | None = None,
) -> Curves:
    """``Curves`` from lists as a run's JSON holds them (None where nothing was measured).

    count: of the steps' epochs, where these are not all of ``steps_per_epoch`` steps.
    Every list is cut or filled with NaN to the number of epochs.
    """
    loss_E = _floats(loss)
    epochs = len(loss_E)
    return Curves(
        name,
        loss_E,
        _to(epochs, deviation),
        {split: {m: _to(epochs, v) for m, v in of.items()} for split, of in (evaluated or {}).items()},
        metric,
        kept_epoch,
        _floats(step_loss),
        count or EpochStretch(steps_per_epoch),
        diverged_step,
        {
            split: {m: np.stack([_to(epochs, v) for v in each]) for m, each in of.items()}
            for split, of in (members or {}).items()
        },
    )


def epoch_losses(step_loss_S: Values, steps_per_epoch: int, *, cut: bool = False) -> tuple[Floats, Floats]:
    """Mean and (population) deviation of the iterations' losses per epoch: ``[E]`` each.

    Summed in float64, as the engine does. A last epoch that was not finished is left out unless ``cut``;
    an epoch with a loss that is not finite has no mean (NaN).
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
    """An exponential moving average, corrected for its beginning at zero (as Adam's moments are).

    smooth: the weight of the past, from 0 (nothing changes) to below 1. NaN stays NaN and weighs nothing.
    """
    value_E = _floats(values)
    found_E, total, weight = np.full(len(value_E), np.nan), 0.0, 0.0
    for e, value in enumerate(value_E):
        if math.isfinite(value):
            total, weight = smooth * total + (1 - smooth) * value, smooth * weight + (1 - smooth)
            found_E[e] = total / weight
    return found_E


def _floats(values: Values) -> Floats:
    """NaN for None, and for what is beyond float32, where no network's loss can be."""
    array = np.array([np.nan if v is None else float(v) for v in values], dtype=np.float64)
    return np.where(np.abs(array) <= np.finfo(np.float32).max, array, np.nan)


def _to(count: int, values: Values) -> Floats:
    value_E = _floats(values)[:count]
    return np.concatenate([value_E, np.full(count - len(value_E), np.nan)])
