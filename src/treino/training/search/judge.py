"""The judgement of a sweep's best member: how much of its score is luck, and whether it beats the baselines.

This file computes with metrics measured elsewhere. Scores are metrics for which higher is better: accuracy
unchanged, a loss with its sign changed.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from treino.base.resampling import Scores, row_counts
from treino.base.words import _, joined
from treino.data.rows import generator

SURE = 0.95  # minimum probability of being better, to count as better
REPEATS = 500
AT_ONCE = 64  # resamples per matrix product

Verdict = Literal["winner", "tie", "linear", "nothing"]
NO_BETTER_THAN_BASELINE: Verdict = "linear"  # the word that documents have for it, whatever the baseline is


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
        none_B = left_BN.sum(1) == 0  # every row was drawn, as may happen with very few rows: tells nothing
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
    finite = lost_B[lost_B.isfinite()]  # else only members without a score were drawn, or no row was left
    return max(0.0, float(finite.mean())) if len(finite) else 0.0


def p_beats(difference_K: Sequence[float], test_share: float) -> float:
    """The probability that the mean of paired differences over K fresh splits is above 0.

    A one-sided t test with the variance corrected for splits that share rows (Nadeau & Bengio, "Inference
    for the generalization error", Machine Learning 52, 2003). test_share: test rows / training rows.
    """
    from scipy.special import stdtr

    values = torch.tensor(list(difference_K), dtype=torch.float64)
    K = len(values)
    if K < 2:
        return 0.5
    mean, variance = float(values.mean()), float(values.var())
    if variance <= 1e-24 * max(1.0, mean * mean):
        return 0.5 if mean == 0 else float(mean > 0)
    return float(stdtr(K - 1, mean / math.sqrt((1 / K + test_share) * variance)))


def smallest_within(parameters: Sequence[int], scores: Sequence[float], best: float, error: float) -> int:
    """The index of the smallest network with a score within one standard error of the best.

    The one-standard-error rule of Breiman et al., "Classification and regression trees" (1984). Among equally
    small networks the better one, then the earlier one.
    """
    fine = [i for i, score in enumerate(scores) if score >= best - error - 1e-12]
    return min(fine, key=lambda i: (parameters[i], -scores[i], i))


def verdict(p_beats_constant: float, p_beats_baseline: float, p_beats_runner_up: float | None) -> Verdict:
    """What the winner surely beats.

    nothing: not even a constant prediction. linear: a constant prediction, but not the strongest baseline,
    whatever model that is. tie: the baselines, but not the runner-up. winner: all of them.
    """
    if p_beats_constant < SURE:
        return "nothing"
    if p_beats_baseline < SURE:
        return NO_BETTER_THAN_BASELINE
    return "winner" if p_beats_runner_up is None or p_beats_runner_up >= SURE else "tie"


@dataclass(frozen=True)
class VerdictFacts:
    """The facts in the judgement's sentence. Values are of the metric, not scores."""

    metric: str
    test: float
    interval: tuple[float, float]
    rows: int
    seen: float
    inflation: float
    baseline: str
    runner_up: int | None
    smaller: int | None
    share: float


def sentence(verdict: Verdict, facts: VerdictFacts) -> str:
    """The judgement in one sentence: the metric, its interval, how much of it is luck, and the comparison.

    facts.smaller: the smallest member within one standard error, None if it is the winner; facts.share: its
    parameters as a share of the winner's.
    """
    head = _("{metric} {test:.3f} [{low:.2f}, {high:.2f}] on {rows} test rows").format(
        metric=facts.metric, test=facts.test, low=facts.interval[0], high=facts.interval[1], rows=facts.rows
    )
    lucky = _("of the {seen:.3f} seen in the sweep about {inflation:.2f} is luck").format(
        seen=facts.seen, inflation=facts.inflation
    )
    if verdict == "nothing":
        return _("{head}; {luck}; no evidence that it is better than a constant answer.").format(
            head=head, luck=lucky
        )
    if verdict == NO_BETTER_THAN_BASELINE:
        return _("{head}; {luck}; no evidence that it is better than the baseline ({baseline}).").format(
            head=head, luck=lucky, baseline=_(facts.baseline)
        )
    if facts.smaller is not None:
        tail = _("not distinguishable from network {n}, {share:.0%} of its size").format(
            n=facts.smaller, share=facts.share
        )
    elif verdict == "tie":
        tail = _("not distinguishable from network {n}").format(n=facts.runner_up)
    else:
        tail = _("better than {baseline} and than network {n}").format(
            baseline=_(facts.baseline), n=facts.runner_up
        )
        if facts.runner_up is None:
            tail = _("better than {baseline}").format(baseline=_(facts.baseline))
    return joined([head, "; ", lucky, "; ", tail, "."])
