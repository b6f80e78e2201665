"""The judgement against simulations with a known truth, and against formulas worked out by hand."""

import math

import numpy as np
import pytest
import torch
from scipy import stats

from treino.training.search.judge import by_rows, p_beats, selection_bias, smallest_within, verdict


def right(p_M: list[float], rows: int, seed: int) -> torch.Tensor:
    """``[M, N]``: 1 where member m is right on a row, with its own probability."""
    p = torch.tensor(p_M).unsqueeze(1).expand(-1, rows)
    return torch.bernoulli(p, generator=torch.Generator().manual_seed(seed))


def judged(p_M: list[float], rows: int, seed: int, repeats: int = 200):
    return selection_bias(by_rows(right(p_M, rows, seed)), len(p_M), rows, seed=seed, repeats=repeats)


def truth(p_M: list[float], rows: int) -> float:
    """By simulation: what the best of the members shows more than it is worth, on average."""
    rng = np.random.default_rng(0)
    seen = rng.binomial(rows, p_M, (4000, len(p_M))) / rows
    best = seen.argmax(1)
    return float((seen.max(1) - np.asarray(p_M)[best]).mean())


@pytest.mark.parametrize(
    ("p_M", "rows"),
    [([0.5] * 200, 100), ([0.7] * 30, 60), ([0.5] * 50 + [0.95], 100), ([0.9], 50), ([0.8, 0.5], 400)],
    ids=["200 coins", "30 alike", "one good one", "alone", "clear"],
)
def test_the_inflation_is_that_of_simulations(p_M: list[float], rows: int) -> None:
    found = [judged(p_M, rows, seed).inflation for seed in range(12)]
    assert np.mean(found) == pytest.approx(truth(p_M, rows), abs=0.02)


def test_another_sweep_might_miss_the_only_good_member() -> None:
    p_M, rows = [0.5] * 50 + [0.95], 100
    rng = np.random.default_rng(0)
    lost = []
    for _sweep in range(2000):  # members drawn anew, and rows
        p = rng.choice(p_M, len(p_M))
        seen = rng.binomial(rows, p) / rows
        lost.append(seen.max() - p[seen.argmax()])
    found = [judged(p_M, rows, seed) for seed in range(12)]
    assert np.mean([f.other_inflation for f in found]) == pytest.approx(np.mean(lost), abs=0.02)
    assert np.mean([f.inflation for f in found]) < np.mean([f.other_inflation for f in found]) / 3


def test_scores_by_rows_are_means_of_the_drawn_rows() -> None:
    score_MN = torch.tensor([[1.0, 0.0, 0.5], [0.0, 1.0, 1.0]])
    count_BN = torch.tensor([[1.0, 1.0, 1.0], [3.0, 0.0, 0.0], [0.0, 1.0, 2.0]]).double()
    expected = [[0.5, 2 / 3], [1.0, 0.0], [1 / 3, 1.0]]
    torch.testing.assert_close(by_rows(score_MN)(count_BN), torch.tensor(expected, dtype=torch.float64))


def test_what_is_shown_may_be_another_figure_than_what_decides() -> None:
    """Chosen by a loss that knows nothing of the rows' truth: what is shown holds no luck."""
    shown_MN = right([0.7] * 40, 100, 5)
    choose_MN = torch.randn(40, 100, generator=torch.Generator().manual_seed(1))
    found = selection_bias(by_rows(choose_MN), 40, 100, report=by_rows(shown_MN), repeats=300)
    assert found.winner == int(choose_MN.mean(1).argmax())
    assert found.best == pytest.approx(float(shown_MN[found.winner].mean()))
    assert found.inflation < 0.06
    assert selection_bias(by_rows(shown_MN), 40, 100, repeats=300).inflation > 0.06


def test_a_root_is_taken_of_the_mean() -> None:
    score_MN = -torch.tensor([[1.0, 9.0, 2.0], [4.0, 4.0, 4.0]])
    scores = by_rows(score_MN, lambda mean: -(-mean).sqrt())
    assert scores(None).tolist() == pytest.approx([-2.0, -2.0])
    assert scores(torch.tensor([[0.0, 1.0, 0.0]]).double())[0].tolist() == pytest.approx([-3.0, -2.0])


def test_the_winners_standard_error_is_that_of_a_share() -> None:
    found = judged([0.8], 200, 1, repeats=500)
    p = found.best
    assert found.error == pytest.approx(math.sqrt(p * (1 - p) / 200), rel=0.15)


def test_members_without_a_score_are_never_chosen() -> None:
    score_MN = right([0.6, 0.9, 0.5], 80, 2)
    score_MN[1] = math.nan
    found = selection_bias(by_rows(score_MN), 3, 80, repeats=50)
    assert found.winner in (0, 2)
    assert math.isfinite(found.inflation)


def test_p_beats_is_the_corrected_t_test_by_hand() -> None:
    d = [0.02, 0.05, -0.01, 0.03, 0.04]
    t = np.mean(d) / np.sqrt((1 / 5 + 0.25) * np.var(d, ddof=1))
    assert p_beats(d, 0.25) == pytest.approx(stats.t.cdf(t, 4), rel=1e-12)
    plain = stats.ttest_1samp(d, 0, alternative="greater").pvalue
    assert p_beats(d, 0.0) == pytest.approx(1 - plain, rel=1e-9)
    assert p_beats(d, 0.25) < p_beats(d, 0.0)


@pytest.mark.parametrize(("d", "p"), [([0.0] * 4, 0.5), ([0.1] * 4, 1.0), ([-0.1] * 4, 0.0), ([0.3], 0.5)])
def test_differences_that_never_vary(d: list[float], p: float) -> None:
    assert p_beats(d, 0.2) == p


def test_chance_rarely_beats_chance() -> None:
    """Splits of the same 100 rows, two coin tossers: the corrected test claims a winner in at most 5 %."""
    rng = np.random.default_rng(1)
    claims = 0
    for _sweep in range(400):
        better = rng.integers(0, 2, 100) - rng.integers(0, 2, 100)
        folds = [better[rng.permutation(100)[:15]].mean() for _split in range(16)]
        claims += p_beats(folds, 15 / 85) >= 0.95
    assert claims / 400 <= 0.07


def test_the_smallest_within_one_standard_error() -> None:
    parameters, scores = [100, 50, 25, 50, 10], [0.90, 0.89, 0.87, 0.895, 0.5]
    assert smallest_within(parameters, scores, 0.90, 0.03) == 2
    assert smallest_within(parameters, scores, 0.90, 0.02) == 3
    assert smallest_within(parameters, scores, 0.90, 0.0) == 0


@pytest.mark.parametrize(
    ("constant", "baseline", "runner_up", "expected"),
    [
        (0.99, 0.99, 0.99, "winner"),
        (0.99, 0.99, 0.6, "tie"),
        (0.99, 0.9, 0.99, "linear"),
        (0.9, 0.99, 0.99, "nothing"),
        (0.99, 0.99, None, "winner"),
    ],
)
def test_the_verdict(constant: float, baseline: float, runner_up: float | None, expected: str) -> None:
    assert verdict(constant, baseline, runner_up) == expected


def test_rows_weigh_as_their_classes_do() -> None:
    score_MN, weight_N = torch.tensor([[1.0, 0.0, 0.5]]), torch.tensor([1.0, 3.0, 1.0])
    found = by_rows(score_MN, weight_N=weight_N)(torch.tensor([[1.0, 1.0, 2.0]]).double())
    assert float(found) == pytest.approx((1 + 0 + 2 * 0.5) / (1 + 3 + 2))
