"""Judges the best trial: how much of its score is luck, and whether it is better than others.

The best of many noisy scores is too good on average, since chance took part in the choice. If a trial has
several scores (by seed, fold or row), their spread shows the noise, and a bootstrap the luck; from
totals alone only bounds follow.
"""

import math
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import median
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray

from treino.inspection import unexplained_deviation
from treino.training import SURE, by_rows, selection_bias
from treino_judge.table import Cell, Trial, TrialTable

Floats = NDArray[np.float64]
Basis = Literal["seed", "fold", "row", "repeats", "settings", "spread"]

POWER = 0.8  # probability with which the advised number of scores finds the difference
MOST_SCORES = 10_000  # scores of a trial beyond which no number is advised
LEAST_REPEATS = 5  # degrees of freedom that repeats of equal settings must have


@dataclass(frozen=True)
class Noise:
    """The noise of a score. basis: how it is known: from the scores of one trial by seed, fold or row;
    repeats of equal settings; or only an upper bound, what the settings leave unexplained, or the spread of
    all trials. deviation: of one score, without the unit's equal effect on all trials. freedom: degrees of
    freedom; 0 for a bound. share: test rows / training rows, for parts of one split, else 0."""

    basis: Basis
    deviation: float
    freedom: int
    share: float = 0.0

    @property
    def measured(self) -> bool:
        """Whether the noise was measured, not only bounded."""
        return self.freedom > 0

    def error(self, scores: int) -> float:
        """The standard error of the mean of ``scores`` scores. For parts of one split, which share training
        rows: Nadeau & Bengio, "Inference for the generalization error", Machine Learning 52 (2003)."""
        return self.deviation * math.sqrt(1 / scores + self.share)


@dataclass(frozen=True)
class Luck:
    """The luck in the best score: how much of it comes from choosing among many, 0 or more.

    method: ``bootstrap``: amount is an estimate; ``normal``: at_most is the mean of the largest of M normal
    errors of this noise, which the luck can't exceed on average; ``spread``: at_most is the distance from the
    median trial. expected: the best score without the luck; interval: of 95 %, by the noise. None: unknown.
    """

    method: Literal["bootstrap", "normal", "spread"]
    amount: float | None
    at_most: float | None
    expected: float | None
    interval: tuple[float, float] | None


@dataclass(frozen=True)
class TrialComparison:
    """The best trial and another. difference: best minus other, in the score's units. p: the probability of
    a lead of this size if the other were as good; None if the noise isn't known."""

    role: Literal["second", "first"]
    other: int
    difference: float
    error: float | None
    p: float | None

    @property
    def better(self) -> bool | None:
        """Whether the best is better beyond chance."""
        return None if self.p is None else self.p <= 1 - SURE


@dataclass(frozen=True)
class Rerun:
    """The rerun that tells best and second apart, if the seen difference is true. each: fresh scores for
    each; None if no number is enough, or the noise isn't known. seconds: for all of them; None if unknown."""

    difference: float
    each: int | None
    seconds: float | None


@dataclass(frozen=True)
class Judgement:
    """trials: the judged trials, in the order in which they began; other fields give places among them.
    left_out: how many with a score lack scores that the others have. best_left_out: the best of these, if its
    score is better than the best judged one. repeated: how many have the settings of
    an earlier one, and count with it as one trial. ties: trials that nothing tells apart from the best, the
    best among them; None if the noise isn't known."""

    trials: tuple[Trial, ...]
    left_out: int
    best_left_out: Trial | None
    repeated: int
    best: int
    second: int
    noise: Noise
    luck: Luck
    comparisons: tuple[TrialComparison, ...]
    ties: int | None
    rerun: Rerun


def judged(table: TrialTable) -> Judgement:
    """Judge the best of the trials; at least two have a score."""
    once = _once(table.scored)
    if table.unit is None:
        once = _together(once)
    trials, score_MU, left_out = _judged_trials(once, table)
    y_M = np.array([table.better * trial.score for trial in trials])
    order = np.argsort(-y_M, kind="stable")
    best, second = int(order[0]), int(order[1])
    noise = _noise(table, trials, y_M, score_MU)
    luck = _luck(table, trials, y_M, best, noise, score_MU)
    scores_M = [max(1, len(trial.scores)) for trial in trials]

    def error(a: int, b: int) -> float:
        return math.hypot(noise.error(scores_M[a]), noise.error(scores_M[b]))

    def compared(role: Literal["second", "first"], other: int) -> TrialComparison:
        difference = float(y_M[best] - y_M[other])
        apart = error(best, other) if noise.measured else None
        p = None
        if apart is not None and role == "second":
            p = p_of_leader(difference, apart, noise.freedom)
        elif apart is not None:
            p = p_of_best(difference, apart, noise.freedom, len(trials) - 1)
        return TrialComparison(role, other, table.better * difference + 0.0, apart, p)  # never -0.0

    comparisons = [compared("second", second)]
    comparisons += [compared("first", 0)] if 0 not in (best, second) else []
    ties = None
    if noise.measured:
        leads = sorted(_ratio(float(y_M[best] - y_M[i]), error(best, i)) for i in order[1:].tolist())
        ties = 1 + bisect_right(
            leads, SURE - 1, key=lambda t: -p_of_best(t, 1.0, noise.freedom, len(trials) - 1)
        )
    rerun = _rerun(trials[best], trials[second], float(y_M[best] - y_M[second]), noise)
    best_out = max(left_out, key=lambda trial: table.better * trial.score, default=None)
    if best_out is not None and table.better * best_out.score <= y_M[best]:
        best_out = None
    repeated = len(table.scored) - len(once)
    return Judgement(
        trials, len(left_out), best_out, repeated, best, second, noise, luck, tuple(comparisons), ties, rerun
    )


def _once(scored: Sequence[Trial]) -> tuple[Trial, ...]:
    """Leave out trials that repeat the settings and all scores of an earlier one, bit for bit.

    Such repeats had the same seed: they are one trial, and say nothing about the noise. At least
    two trials remain.
    """
    first: dict[object, Trial] = {}
    for place, trial in enumerate(scored):
        same = (_settings_key(trial), trial.score, tuple(trial.scores.items()))
        first.setdefault(same if trial.settings else place, trial)
    return tuple(first.values()) if len(first) > 1 else tuple(scored)


def _together(scored: Sequence[Trial]) -> tuple[Trial, ...]:
    """Join trials with equal settings into one with all their scores; at least two trials remain."""
    groups: dict[object, list[Trial]] = defaultdict(list)
    for place, trial in enumerate(scored):
        groups[_settings_key(trial) if trial.settings else place].append(trial)
    if len(groups) < 2:
        return tuple(scored)
    return tuple(own[0] if len(own) == 1 else _one_of(own) for own in groups.values())


def _one_of(repeats: Sequence[Trial]) -> Trial:
    scores = [trial.score for trial in repeats]
    times = [trial.seconds for trial in repeats if trial.seconds is not None]
    mean, seconds = sum(scores) / len(scores), sum(times) if len(times) == len(repeats) else None
    return replace(repeats[0], score=mean, scores=dict(enumerate(scores)), seconds=seconds)


def _settings_key(trial: Trial) -> tuple[tuple[str, str], ...]:
    return tuple(sorted((name, str(value)) for name, value in trial.settings.items()))


def _judged_trials(
    scored: tuple[Trial, ...], table: TrialTable
) -> tuple[tuple[Trial, ...], Floats | None, tuple[Trial, ...]]:
    """Return the trials to judge, their scores ``[M, U]`` if each has all U, and the trials left out."""
    several = [trial for trial in scored if trial.scores]
    if table.unit is None or not several:
        return scored, None, ()
    counts: dict[Cell | tuple[Cell, ...], int] = defaultdict(int)
    for trial in several:
        for unit in trial.scores:
            counts[unit] += 1
    units = [unit for unit, count in counts.items() if count >= len(several) / 2]
    whole = tuple(trial for trial in several if all(unit in trial.scores for unit in units))
    if len(units) > 1 and len(whole) > 1 and len(whole) >= len(several) / 2:
        score_MU = np.array([[table.better * trial.scores[unit] for unit in units] for trial in whole])
        judged_too = set(map(id, whole))
        rest = tuple(trial for trial in scored if id(trial) not in judged_too)
        return tuple(_of_units(trial, units) for trial in whole), score_MU, rest
    if len(several) < 2:
        return scored, None, ()
    return tuple(several), None, tuple(trial for trial in scored if not trial.scores)


def _of_units(trial: Trial, units: Sequence[Cell | tuple[Cell, ...]]) -> Trial:
    """Keep only a trial's scores of these units."""
    scores = {unit: trial.scores[unit] for unit in units}
    if len(scores) == len(trial.scores):
        return trial
    seconds = None if trial.seconds is None else trial.seconds * len(scores) / len(trial.scores)
    mean = sum(scores.values()) / len(scores)
    return replace(trial, score=mean, scores=scores, seconds=seconds)


# ---- the noise


def _noise(table: TrialTable, trials: Sequence[Trial], y_M: Floats, score_MU: Floats | None) -> Noise:
    """Estimate the noise of one score from the better half of the trials, among which the choice is made."""
    better = np.argsort(-y_M, kind="stable")[: max(2, len(y_M) // 2)]
    share = 1 / (table.folds - 1) if table.unit == "fold" and table.folds > 1 else 0.0
    if score_MU is not None and table.unit is not None:
        of = score_MU[better]
        rest = of - of.mean(1, keepdims=True) - of.mean(0) + of.mean()
        freedom = (of.shape[0] - 1) * (of.shape[1] - 1)
        return Noise(table.unit, math.sqrt(float(np.square(rest).sum()) / freedom), freedom, share)
    among = better.tolist() if table.unit is not None else range(len(trials))
    own = [np.array(list(trials[i].scores.values())) for i in among if len(trials[i].scores) > 1]
    freedom = sum(len(values) - 1 for values in own)
    if freedom >= (1 if table.unit is not None else LEAST_REPEATS):
        squares = sum(float(np.square(values - values.mean()).sum()) for values in own)
        return Noise(table.unit or "repeats", math.sqrt(squares / freedom), freedom, share)
    whole = float(np.std(y_M, ddof=1))
    names = list(dict.fromkeys(name for trial in trials for name in trial.settings))
    left = unexplained_deviation([[trial.settings.get(name) for trial in trials] for name in names], y_M)
    if left is not None and left < whole:
        return Noise("settings", left, 0)
    return Noise("spread", whole, 0)


# ---- the luck


def _luck(
    table: TrialTable,
    trials: Sequence[Trial],
    y_M: Floats,
    best: int,
    noise: Noise,
    score_MU: Floats | None,
) -> Luck:
    from scipy.special import stdtrit

    count = max(1, len(trials[best].scores))
    error, freedom = noise.error(count), noise.freedom
    if count > 1:  # includes the unit's equal effect on all trials
        own = np.array(list(trials[best].scores.values()))
        error, freedom = float(own.std(ddof=1)) * math.sqrt(1 / count + noise.share), count - 1
    if score_MU is not None:
        # a unit's equal effect on all trials plays no part in the choice
        alike = torch.from_numpy(score_MU - score_MU.mean(0) + score_MU.mean())
        bias = selection_bias(by_rows(alike), *alike.shape)
        expected = float(y_M[best]) - bias.inflation
        width = float(stdtrit(freedom, (1 + SURE) / 2)) * error
        ends = sorted(table.better * value + 0.0 for value in (expected - width, expected + width))
        return Luck("bootstrap", bias.inflation, None, table.better * expected + 0.0, (ends[0], ends[1]))
    above = float(y_M[best] - np.median(y_M))
    if noise.basis == "spread":
        return Luck("spread", None, above, None, None)
    largest = noise.error(round(median(max(1, len(trial.scores)) for trial in trials)))
    return Luck("normal", None, min(above, largest * expected_maximum(len(trials))), None, None)


def expected_maximum(count: int) -> float:
    """Return the expected maximum of ``count`` independent standard normal numbers."""
    from scipy.special import ndtr

    x = np.linspace(-9, 9, 4001)
    density = np.exp(-(x**2) / 2) / math.sqrt(2 * math.pi)
    return float(np.trapezoid(x * count * density * ndtr(x) ** (count - 1), x))


# ---- comparisons


def p_of_leader(difference: float, error: float, freedom: float) -> float:
    """The probability that the leader of several leads its runner-up by this much, if it is not the best.

    The two-sided t test of the two, which holds also though both were chosen by their scores: Gutmann &
    Maymon, "Is the selected population the best?", Annals of Statistics 15 (1987); Hung & Fithian, "Rank
    verification for exponential families", Annals of Statistics 47 (2019).
    """
    from scipy.special import stdtr

    return float(min(1.0, 2 * stdtr(freedom, -_ratio(difference, error))))


def _ratio(difference: float, error: float) -> float:
    """Divide a lead of 0 or more by its standard error; without noise, any lead is infinite."""
    if error == 0:
        return math.inf if difference > 0 else 0.0
    return difference / error


def p_of_best(difference: float, error: float, freedom: float, others: int) -> float:
    """The probability that the best of ``others`` trials leads another by this much, if all are equally good.

    Dunnett, "A multiple comparison procedure for comparing several treatments with a control", Journal of the
    American Statistical Association 50 (1955), one-sided, for equal numbers of scores.
    """
    from scipy.special import gammaln, ndtr

    t = _ratio(difference, error)
    if math.isinf(t):
        return 0.0
    z_Z, weight_Z = np.polynomial.hermite_e.hermegauss(64)
    weight_Z = weight_Z / weight_Z.sum()
    # s: the estimated deviation over the true one, √(χ² / freedom)
    spread = 9 / math.sqrt(2 * freedom)
    s_S = np.linspace(max(1e-6, 1 - spread), 1 + spread, 401) if freedom > 20 else np.linspace(1e-6, 5, 1001)
    log_S = (freedom - 1) * np.log(s_S) - freedom * s_S**2 / 2
    log_S += (freedom / 2) * math.log(freedom) - (freedom / 2 - 1) * math.log(2) - gammaln(freedom / 2)
    inside_S = ndtr(math.sqrt(2) * t * s_S[:, None] + z_Z) ** others @ weight_Z
    return float(np.clip(1 - np.trapezoid(np.exp(log_S) * inside_S, s_S), 0, 1))


# ---- what a rerun would cost


def _rerun(best: Trial, second: Trial, difference: float, noise: Noise) -> Rerun:
    each = fresh_scores(difference, noise) if noise.measured else None
    rates = [t.seconds / max(1, len(t.scores)) for t in (best, second) if t.seconds is not None]
    seconds = each * sum(rates) if each is not None and len(rates) == 2 else None
    return Rerun(difference, each, seconds)


def fresh_scores(difference: float, noise: Noise) -> int | None:
    """Return how many fresh scores of each of two trials find their difference with probability ``POWER``.

    By a one-sided paired t test at 5 %, in which fresh scores have no choice to correct for. None if not even
    ``MOST_SCORES`` is enough; for parts of one split there is a limit, since they share training rows.
    """
    if difference <= 0:
        return None
    if noise.deviation == 0:
        return 2

    def power(count: int) -> float:
        from scipy.stats import nct, t

        apart = math.sqrt(2) * noise.error(count)
        return float(nct.sf(t.ppf(SURE, count - 1), count - 1, difference / apart))

    high = 2
    while power(high) < POWER:
        if high >= MOST_SCORES:
            return None
        high *= 2
    return bisect_left(range(high), POWER, lo=high // 2 + 1, key=power)
