"""The share of the scores' variance that each setting explains alone, measured on trials left out."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from treino.base.resampling import row_counts

Floats = NDArray[np.float64]
Values = Sequence[float | str | bool | None]

FEWEST = 10  # minimum number of trials
MOST = 2_000  # maximum number of trials used; if there are more, a random sample
RESAMPLES = 40
TREES = 32
LEAF = 3  # minimum number of trials in a leaf
VALUES = 16  # values of a setting at which its effect is computed
INTERVAL = 1_000  # resamples for the intervals
BACKGROUND = 48  # trials over whose other settings the effect is averaged


@dataclass(frozen=True, eq=False)
class VarianceShares:
    """Shares of the variance of M trials' ranks. share_K: for each of K settings alone. low_K, high_K: their
    95 % interval; if it includes 0, there is no evidence that the setting matters. explained, explained_low,
    explained_high: the same for all settings together, including what they do only in combination."""

    share_K: Floats
    low_K: Floats
    high_K: Floats
    explained: float
    explained_low: float
    explained_high: float
    trials: int


def variance_shares(settings_KM: Sequence[Values], score_M: Floats, seed: int = 0) -> VarianceShares | None:
    """The share of the variance of the scores' ranks that each setting explains alone, if there are enough.

    settings_KM: for each setting its value in each trial; None where the trial lacks that setting. score_M:
    finite scores. None for too few trials, or equal scores.

    The effect of a setting alone is the mean prediction of a random forest over the other settings, as in
    functional ANOVA (Hutter, Hoos & Leyton-Brown, "An efficient approach for assessing hyperparameter
    importance", ICML 2014). Unlike there, its share is measured on trials that were left out: each resample
    of the trials (Efron 1979) fits a forest, which predicts the trials that it did not draw, and the share is
    one minus the ratio of their squared error to that of the mean. So it is 0 or less, and not
    positive, for a setting without effect. The interval is from a bootstrap over the trials' errors.
    """
    from sklearn.ensemble import RandomForestRegressor

    chance = np.random.default_rng(seed)
    score_M = np.asarray(score_M, dtype=np.float64)
    kept = np.arange(len(score_M))
    if len(kept) > MOST:
        kept = np.sort(chance.choice(len(kept), MOST, replace=False))
    if len(kept) < FEWEST or not settings_KM or np.ptp(score_M[kept]) == 0:
        return None
    _values, inverse = np.unique(score_M[kept], return_inverse=True)
    y_M = inverse.reshape(-1) / max(1, inverse.max())
    columns = [[values[i] for i in kept.tolist()] for values in settings_KM]
    middle_M, together_M, left_M = (np.zeros(len(y_M)) for _sum in range(3))
    alone_KM = np.zeros((len(columns), len(y_M)))
    for _resample in range(RESAMPLES):
        drawn = chance.integers(len(y_M), size=len(y_M))
        left = np.setdiff1d(np.arange(len(y_M)), drawn)
        if not len(left):
            continue
        x_MK = np.stack([places(values, drawn, y_M) for values in columns], 1)
        forest = RandomForestRegressor(
            TREES, min_samples_leaf=LEAF, random_state=int(chance.integers(1 << 31))
        )
        forest.fit(x_MK[drawn], y_M[drawn])
        background = x_MK[chance.choice(drawn, min(BACKGROUND, len(drawn)))]
        left_M[left] += 1
        middle_M[left] += y_M[drawn].mean()
        together_M[left] += forest.predict(x_MK[left])
        for k in range(len(columns)):
            effect = _effect(forest.predict, background, x_MK[drawn, k], x_MK[left, k], k)
            alone_KM[k, left] += y_M[drawn].mean() + effect
    told = left_M > 0
    y_M, left_M = y_M[told], left_M[told]
    error_EM = np.square(y_M - np.vstack([middle_M, together_M, alone_KM])[:, told] / left_M)

    def shares(count_BM: Floats) -> Floats:
        sum_EB = error_EM @ count_BM.T
        found: Floats = 1 - sum_EB[1:] / np.maximum(sum_EB[0], 1e-300)
        return found

    count_BM = next(
        row_counts(len(y_M), INTERVAL, lambda shape: chance.integers(len(y_M), size=shape), INTERVAL)
    )
    explained, *share_K = shares(np.ones((1, len(y_M))))[:, 0].tolist()
    low_E, high_E = np.quantile(shares(count_BM), [0.025, 0.975], axis=1)
    return VarianceShares(
        np.array(share_K), low_E[1:], high_E[1:], explained, float(low_E[0]), float(high_E[0]), len(kept)
    )


def places(values: Values, drawn: NDArray[np.int64], y_M: Floats) -> Floats:
    """``[M]``: a setting's values as numbers for a tree: numbers as they are, below them rows without the
    setting; words by their mean score over the drawn trials (then one cut suffices: Fisher 1958)."""
    if _numeric(values):
        place_M = np.array([math.nan if v is None else float(v) for v in values])
        finite = place_M[np.isfinite(place_M)]
        low, high = (float(finite.min()), float(finite.max())) if len(finite) else (0.0, 0.0)
        apart = max(1.0, high - low)
        known_M: Floats = np.nan_to_num(place_M, nan=low - 2 * apart, neginf=low - apart, posinf=high + apart)
        return known_M
    of: dict[str, list[float]] = {}
    for i in drawn:
        of.setdefault(str(values[i]), []).append(float(y_M[i]))
    middle = float(y_M[drawn].mean())
    return np.array([float(np.mean(of[str(v)])) if str(v) in of else middle for v in values])


def _effect(
    predict: Callable[[Floats], Floats], background_BK: Floats, seen_M: Floats, asked_N: Floats, k: int
) -> Floats:
    """``[N]``: the effect of setting k at the given values: the mean prediction over the background's other
    settings, minus its mean over the seen values."""
    value_V = np.unique(seen_M)
    if len(value_V) > VALUES:
        value_V = np.unique(np.quantile(seen_M, np.linspace(0, 1, VALUES), method="nearest"))
    rows = np.repeat(background_BK[None], len(value_V), 0)
    rows[:, :, k] = value_V[:, None]
    mean_V = predict(rows.reshape(-1, rows.shape[-1])).reshape(len(value_V), -1).mean(1)
    nearest = np.abs(np.subtract.outer(np.concatenate([seen_M, asked_N]), value_V)).argmin(1)
    effect = mean_V[nearest]
    found: Floats = effect[len(seen_M) :] - effect[: len(seen_M)].mean()
    return found


def unexplained_deviation(settings_KM: Sequence[Values], score_M: Floats, seed: int = 0) -> float | None:
    """The spread of the scores around a random forest's predictions for trials that a tree didn't see: 1.4826
    times the median distance, which is the deviation if it is normal. The scores' noise is hardly larger.

    None for too few trials.
    """
    from sklearn.ensemble import RandomForestRegressor

    score_M = np.asarray(score_M, dtype=np.float64)[-MOST:]
    if len(score_M) < 2 * FEWEST or not settings_KM:
        return None
    x_MK = np.stack([_codes(values[-MOST:]) for values in settings_KM], 1)
    forest = RandomForestRegressor(200, min_samples_leaf=LEAF, oob_score=True, random_state=seed)
    forest.fit(x_MK, score_M)
    return 1.4826 * float(np.median(np.abs(score_M - forest.oob_prediction_)))


def _codes(values: Values) -> Floats:
    """``[M]``: numbers as they are, words as codes in their order."""
    if _numeric(values):
        return places(values, np.arange(0), np.zeros(len(values)))
    names = {name: float(i) for i, name in enumerate(sorted({str(v) for v in values}))}
    return np.array([names[str(v)] for v in values])


def _numeric(values: Values) -> bool:
    return all(v is None or (isinstance(v, int | float) and not isinstance(v, bool)) for v in values)
