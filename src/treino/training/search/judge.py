"""The judgement of a sweep's best member: how much of its score is luck, and whether it beats the baselines.

This file computes with metrics measured elsewhere. Scores are metrics for which higher is better: accuracy
unchanged, a loss with its sign changed.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from treino.base.beta import t_below
from treino.base.resampling import Scores, row_counts
from treino.base.words import _, joined, numeral
from treino.data.rows import generator
from treino.folders.documents.sweep import ChoiceEntry, Judge, RangeEntry, SpaceEntries
from treino.training.search.space import plain

SURE = 0.95  # minimum probability of being better, to count as better
REPEATS = 500
AT_ONCE = 64  # resamples per matrix product

Verdict = Literal["winner", "tie", "linear", "nothing"]
NO_BETTER_THAN_BASELINE: Verdict = "linear"  # the word in documents, whichever baseline it is


def by_rows(
    score_MN: Tensor, turned: Callable[[Tensor], Tensor] | None = None, weight_N: Tensor | None = None
) -> Scores:
    """Scores of members that are means over rows, such as accuracy or loss.

    score_MN: each member's score on each row. turned: a non-decreasing function of the means, such as the
    (negative) root for a mean squared error. weight_N: each row's weight in the mean, from class weights;
    default 1.
    """
    score_NM = score_MN.double().T.contiguous()

    def scores(count_BN: Tensor | None) -> Tensor:
        if count_BN is None:
            return scores(torch.ones(1, len(score_NM), dtype=torch.float64))[0]
        count_BN = count_BN if weight_N is None else count_BN * weight_N.double()
        mean_BM = (count_BN @ score_NM) / count_BN.sum(1, keepdim=True)
        return mean_BM if turned is None else turned(mean_BM)

    return scores


@dataclass(frozen=True)
class SelectionBias:
    """The selection bias of the best member.

    best: the winner's score on all validation rows. error: its standard error. inflation: the part of
    ``best`` that is due to luck in this choice among these members, at least 0. other_inflation: the same for
    another sweep with members drawn in the same way.
    """

    winner: int
    best: float
    error: float
    inflation: float
    other_inflation: float


def selection_bias(
    choose: Scores,
    members: int,
    rows: int,
    *,
    report: Scores | None = None,
    seed: int = 0,
    repeats: int = REPEATS,
) -> SelectionBias:
    """Estimate by a bootstrap over rows and members how much of the best validation score is luck.

    choose: the scores that decide. report: the scores to report, in which ``best`` and all differences are
    measured; default: ``choose``.

    Each resample chooses the best member by the drawn rows and scores it on the other rows, which had no part
    in the choice: the bias correction of Tsamardinos, Greasidou & Borboudakis, "Bootstrapping the
    out-of-sample predictions for efficient and accurate cross-validation", Machine Learning 107 (2018). The
    inflation is how much lower such choices score than the best of the same members on all rows. Drawing
    members too estimates it for another sweep, which may lack this one's best member.
    """
    report = choose if report is None else report
    decides_M = choose(None).nan_to_num(nan=-math.inf)
    whole_M = report(None)
    winner = int(decides_M.argmax())
    best = float(whole_M[winner])
    if rows < 2:
        return SelectionBias(winner, best, 0.0, 0.0, 0.0)
    chance = generator(seed, "judge", 0)
    own: list[Tensor] = []
    lost: list[Tensor] = []

    def draw(shape: tuple[int, int]) -> NDArray[np.int64]:
        return torch.randint(rows, shape, generator=chance).numpy()

    for count in row_counts(rows, repeats, draw, AT_ONCE):
        count_BN, size = torch.from_numpy(count), len(count)
        left_BN = (count_BN == 0).double()
        none_B = left_BN.sum(1) == 0  # every row was drawn, as may happen with few rows: no information
        left_BN[none_B] = 1.0
        inside_BM = choose(count_BN).nan_to_num(nan=-math.inf)
        outside_BM = report(left_BN)
        own.append(report(count_BN)[:, winner])
        drawn_BM = torch.zeros(size, members, dtype=torch.bool)
        drawn_BM.scatter_(1, torch.randint(members, (size, members), generator=chance), True)
        for member_BM in (torch.ones_like(drawn_BM), drawn_BM):
            chosen_B1 = inside_BM.masked_fill(~member_BM, -math.inf).argmax(1, keepdim=True)
            seen_B1 = decides_M.expand(size, -1).masked_fill(~member_BM, -math.inf).argmax(1, keepdim=True)
            seen_B = whole_M.expand(size, -1).gather(1, seen_B1)[:, 0]
            lost_B = seen_B - outside_BM.gather(1, chosen_B1)[:, 0]
            lost.append(lost_B.masked_fill(none_B, math.nan))
    inflation, other_inflation = (_mean_loss(torch.cat(lost[i::2])) for i in (0, 1))
    return SelectionBias(winner, best, float(torch.cat(own).std()), inflation, other_inflation)


def _mean_loss(lost_B: Tensor) -> float:
    finite = lost_B[lost_B.isfinite()]  # NaN if only members without a score were drawn, or no row was left
    return max(0.0, float(finite.mean())) if len(finite) else 0.0


def p_beats(difference_K: Sequence[float], test_share: float) -> float:
    """The probability that the mean of paired differences over K fresh splits is above 0.

    A one-sided t test with the variance corrected for splits that share rows (Nadeau & Bengio, "Inference
    for the generalization error", Machine Learning 52, 2003). test_share: test rows / training rows.
    """
    values = torch.tensor(list(difference_K), dtype=torch.float64)
    K = len(values)
    if K < 2:
        return 0.5
    mean, variance = float(values.mean()), float(values.var())
    if variance <= 1e-24 * max(1.0, mean * mean):
        return 0.5 if mean == 0 else float(mean > 0)
    return t_below(mean / math.sqrt((1 / K + test_share) * variance), K - 1)


def smallest_within(parameters: Sequence[int], scores: Sequence[float], best: float, error: float) -> int:
    """The index of the smallest network with a score within one standard error of the best.

    The one-standard-error rule of Breiman et al., "Classification and regression trees" (1984). Among equally
    small networks the better one, then the earlier one.
    """
    fine = [i for i, score in enumerate(scores) if score >= best - error - 1e-12]
    return min(fine, key=lambda i: (parameters[i], -scores[i], i))


def verdict(p_beats_constant: float, p_beats_baseline: float, p_beats_runner_up: float | None) -> Verdict:
    """What the winner beats with sufficient probability.

    nothing: not even a constant prediction. linear: a constant prediction, but not the strongest baseline,
    whatever model that is. tie: the baselines, but not the runner-up. winner: all of them.
    """
    if p_beats_constant < SURE:
        return "nothing"
    if p_beats_baseline < SURE:
        return NO_BETTER_THAN_BASELINE
    return "winner" if p_beats_runner_up is None or p_beats_runner_up >= SURE else "tie"


def sentence(judged: Judge, metric: str, rows: int, smaller: int | None, share: float) -> str:
    """The judgement in one sentence: the metric, its interval, how much of it is luck, and the comparison.

    metric: its name for people. rows: for testing. smaller: the smallest member within one standard error,
    None if it is the winner; share: its parameters as a share of the winner's.
    """
    assert judged.test_interval is not None
    assert judged.baseline is not None
    low, high = judged.test_interval
    head = _("{metric} {test:.3f} [{low:.2f}, {high:.2f}] on {rows} test rows").format(
        metric=metric, test=judged.test, low=low, high=high, rows=rows
    )
    lucky = _("of the {seen:.3f} seen in the sweep about {inflation:.2f} is luck").format(
        seen=judged.seen, inflation=judged.expected_inflation
    )
    facts: dict[str, Any] = {
        "head": head,
        "luck": lucky,
        "baseline": _(judged.baseline),
        "n": judged.runner_up,
    }
    if judged.verdict == "nothing":
        return _("{head}; {luck}; no evidence that it is better than a constant answer.").format(**facts)
    if judged.verdict == NO_BETTER_THAN_BASELINE:
        return _("{head}; {luck}; no evidence that it is better than the baseline ({baseline}).").format(
            **facts
        )
    if smaller is not None:
        tail = _("not distinguishable from network {n}, {share:.0%} of its size")
        facts |= {"n": smaller, "share": share}
    elif judged.verdict == "tie":
        tail = _("not distinguishable from network {n}")
    elif judged.runner_up is None:
        tail = _("better than {baseline}")
    else:
        tail = _("better than {baseline} and than network {n}")
    return joined([head, "; ", lucky, "; ", tail.format(**facts), "."])


# ---- statistics of a sweep

Floats = NDArray[np.float64]
Row = Mapping[str, Any]
"""A member at a rung: the keys ``member``, ``rung``, ``best`` and ``status``, and each setting's name."""

TREES = 200
SHUFFLES = 10
FEWEST = 10  # minimum number of networks for a forest
CELLS = 60  # cells of a density along the metric's axis


@dataclass(frozen=True, eq=False)
class Setting:
    """One setting of a search space, as an axis from 0 to 1.

    place_M: ``[M]``: each network's place on the axis, NaN without the setting. ticks: (place, label).
    levels: the number of values, None for a range. log: whether the range has a logarithmic scale.
    """

    name: str
    place_M: Floats
    ticks: tuple[tuple[float, str], ...]
    levels: int | None
    log: bool


@dataclass(frozen=True, eq=False)
class SweepFigures:
    """The validation metrics of a sweep's M networks, in the order of their numbers ``member_M``.

    figure_M: ``[M]``: the metric at the last rung that each network reached. first_M: the metric at the first
    rung, after equally long training. NaN: diverged. better: 1 if higher is better, else -1. finished_M:
    whether each network was trained to the end.
    """

    name: str
    metric: str
    better: float
    member_M: NDArray[np.int64]
    figure_M: Floats
    first_M: Floats
    finished_M: NDArray[np.bool_]
    diverged_M: NDArray[np.bool_]
    settings: tuple[Setting, ...]

    @property
    def order(self) -> NDArray[np.int64]:
        """Indices of the networks from the best to the worst metric, diverged networks last."""
        worst = np.where(np.isnan(self.figure_M), np.inf, -self.better * self.figure_M)
        return np.argsort(worst, kind="stable")


def seen(name: str, rows: Sequence[Row], space: SpaceEntries, metric: str, better: float) -> SweepFigures:
    """Read the metrics from a sweep's table. rows: the table. space: the search space of the sweep."""
    ordered = sorted(rows, key=lambda row: (row["member"], row["rung"]))
    last = {row["member"]: row for row in ordered}
    first = {row["member"]: row for row in reversed(ordered)}
    members = sorted(last)
    return SweepFigures(
        name,
        metric,
        better,
        np.array(members, dtype=np.int64),
        np.array([_number(last[m]["best"]) for m in members]),
        np.array([_number(first[m]["best"]) for m in members]),
        np.array([last[m]["status"] == "finished" for m in members]),
        np.array([last[m]["status"] == "diverged" for m in members]),
        tuple(_setting(n, domain, [last[m].get(n) for m in members]) for n, domain in space.items()),
    )


def _number(value: Any) -> float:
    return math.nan if value is None else float(value)


def _setting(name: str, domain: RangeEntry | ChoiceEntry, values: Sequence[Any]) -> Setting:
    if isinstance(domain, ChoiceEntry):
        names = [_written(v) for v in domain.values]
        far = max(1, len(names) - 1)
        place = {n: i / far for i, n in enumerate(names)}
        place_M = np.array([place.get(_written(v), math.nan) for v in values])
        return Setting(name, place_M, tuple((place[n], n) for n in names), len(names), False)
    low, high, log = domain.low, domain.high, domain.log

    def at(x: float) -> float:
        return math.log(x / low) / math.log(high / low) if log else (x - low) / (high - low)

    place_M = np.array([math.nan if v is None or v != v else at(float(v)) for v in values])
    if log:
        tens = range(math.ceil(math.log10(low) - 1e-9), math.floor(math.log10(high) + 1e-9) + 1)
        marks = [10.0**t for t in tens] if len(tens) > 1 else [low, high]
    else:
        marks = [low + (high - low) * i / 4 for i in range(5)]
    return Setting(
        name, place_M, tuple((at(x), numeral(x, ".3g" if abs(x) < 1000 else "")) for x in marks), None, log
    )


def _written(value: Any) -> str:
    """A setting's value as text: layers by their sizes, integral floats as integers."""
    return f"{value:g}" if isinstance(value, float) else str(plain(value))


@dataclass(frozen=True, eq=False)
class SettingImportance:
    """The importance of K settings for the ranks of a sweep's networks.

    names: the settings, the most important first. drop_KR: ``[K, R]``: the decrease of a forest's R² for each
    shuffle of a setting. explained: the forest's R² on networks it was not fitted on; near 0 the importances
    have no meaning.
    """

    names: tuple[str, ...]
    drop_KR: Floats
    explained: float
    networks: int


def setting_importance(s: SweepFigures) -> SettingImportance | None:
    """Permutation importance of the settings in a random forest; None with too few networks.

    The forest predicts ranks after the first rung, with diverged networks last. It is fitted on one half of
    the networks and evaluated with shuffled settings on the other half, and vice versa (Breiman, "Random
    forests", Machine Learning 45, 2001).
    """
    from sklearn.ensemble import RandomForestRegressor
    from sklearn.inspection import permutation_importance

    if len(s.member_M) < FEWEST or not s.settings:
        return None
    x_MK = np.stack([np.nan_to_num(setting.place_M, nan=-0.5) for setting in s.settings], 1)
    cost_M = np.where(np.isnan(s.first_M), np.inf, -s.better * s.first_M)
    _values, inverse = np.unique(cost_M, return_inverse=True)
    rank_M = inverse.reshape(-1) / max(1, inverse.max())
    half_M = np.random.RandomState(0).permutation(len(rank_M)) % 2 == 0
    drops, explained = [], []
    for fitted_M in (half_M, ~half_M):
        forest = RandomForestRegressor(TREES, random_state=0, n_jobs=1).fit(x_MK[fitted_M], rank_M[fitted_M])
        explained.append(float(forest.score(x_MK[~fitted_M], rank_M[~fitted_M])) if rank_M.std() else 0.0)
        result = permutation_importance(
            forest, x_MK[~fitted_M], rank_M[~fitted_M], n_repeats=SHUFFLES, random_state=0
        )
        drops.append(result.importances)
    drop_KR = np.concatenate(drops, 1)
    order = np.argsort(-drop_KR.mean(1), kind="stable")
    names = tuple(s.settings[k].name for k in order)
    return SettingImportance(names, drop_KR[order], float(np.mean(explained)), len(rank_M))


@dataclass(frozen=True, eq=False)
class Density:
    """The density of learning curves, as a histogram of the metric at each epoch.

    epoch_E: the epochs of evaluations. edge_G: ``[G + 1]``: the edges of the metric's cells. count_GE: ``[G,
    E]``: the number of networks in each cell at each epoch. median_E: the median of the networks still in
    training. best_E: the curve of ``best``, the best network at the end.
    """

    epoch_E: Floats
    edge_G: Floats
    count_GE: Floats
    median_E: Floats
    best_E: Floats
    best: int


def density(
    curves: Sequence[tuple[Sequence[int], NDArray[Any], NDArray[Any]]], best: int, better: float
) -> Density | None:
    """The density of all learning curves; None without curves.

    curves: for each population its members, the epochs ``[E]`` of its evaluations, and the metrics ``[E,
    P]``. Between evaluations a network keeps its last metric.
    """
    epochs = sorted({int(e) for _members, epoch_E, _figure in curves for e in epoch_E})
    if not epochs:
        return None
    epoch_E = np.array(epochs, dtype=np.float64)
    lines = []
    best_E = np.full(len(epochs), np.nan)
    for members, own_E, figure_EP in curves:
        place = np.searchsorted(np.asarray(own_E), epoch_E, side="right") - 1
        for column, member in enumerate(members):
            line = np.asarray(figure_EP, dtype=np.float64)[:, column]
            there = np.flatnonzero(np.isfinite(line))
            if not len(there):
                continue
            filled = line[np.maximum.accumulate(np.where(np.isfinite(line), np.arange(len(line)), there[0]))]
            last = own_E[there[-1]]
            line_E = np.where((place >= there[0]) & (epoch_E <= last), filled[place.clip(0)], np.nan)
            lines.append(line_E)
            if member == best:
                best_E = line_E
    if not lines:
        return None
    value_ME = np.stack(lines)
    finite = value_ME[np.isfinite(value_ME)]
    low, high = float(finite.min()), float(finite.max())
    if better < 0:  # exploding curves would compress all others into a line
        high = max(float(np.quantile(finite, 0.98)), low + 1e-12)
    edge_G = np.linspace(low, max(high, low + 1e-12), CELLS + 1)
    clipped_ME = np.where(np.isfinite(value_ME), value_ME.clip(low, edge_G[-1]), np.nan)
    count_GE = np.stack(
        [np.histogram(column[np.isfinite(column)], edge_G)[0] for column in clipped_ME.T], 1
    ).astype(np.float64)
    median_E = np.array(
        [np.median(c[np.isfinite(c)]) if np.isfinite(c).any() else np.nan for c in value_ME.T]
    )
    return Density(epoch_E, edge_G, count_GE, median_E, best_E, best)
