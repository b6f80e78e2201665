"""Figures of rows that count several times against scikit-learn on those rows; the bootstrap's draws."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import f1_score, roc_auc_score

from treino.base.resampling import auc_scores, f1_scores, of_weighted, row_counts


@pytest.mark.slow
@settings(max_examples=12)
@given(seed=st.integers(0, 10_000), members=st.integers(1, 4), rows=st.integers(4, 40))
def test_scores_that_are_no_means_are_scikit_learns_on_drawn_rows(seed: int, members: int, rows: int) -> None:
    draw = torch.Generator().manual_seed(seed)
    y_N = torch.randint(3, (rows,), generator=draw)
    guess_MN = torch.randint(3, (members, rows), generator=draw).double()
    count_BN = torch.randint(3, (5, rows), generator=draw).double()
    count_BN[:, :2] += 1
    f1_of = f1_scores(guess_MN, y_N)
    f1_BM = f1_of(count_BN)
    two_N = torch.arange(rows) % 2
    score_MN = torch.randint(5, (members, rows), generator=draw).float()
    auc_of = auc_scores(score_MN, two_N)
    auc_BM = auc_of(count_BN)
    once_1N = torch.ones(1, rows, dtype=torch.float64)
    for of in (f1_of, auc_of):
        assert torch.equal(of(None), of(once_1N)[0])
    for b, count_N in enumerate(count_BN):
        drawn = count_N.long()
        for m in range(members):
            repeated = [v.repeat_interleave(drawn) for v in (y_N, guess_MN[m])]
            assert float(f1_BM[b, m]) == pytest.approx(f1_score(*repeated, average="macro"))
            auc = roc_auc_score(two_N, score_MN[m], sample_weight=count_N)
            assert float(auc_BM[b, m]) == pytest.approx(auc)


def test_a_resample_of_one_class_and_a_score_that_is_not_finite_have_no_area() -> None:
    of = auc_scores(torch.tensor([[1.0, 2.0, 3.0], [1.0, torch.nan, 3.0]]), torch.tensor([0, 1, 1]))
    area_BM = of(torch.tensor([[1.0, 1.0, 1.0], [3.0, 0.0, 0.0], [0.0, 1.0, 2.0]]).double())
    assert area_BM[0, 0] == 1
    assert area_BM.isnan().tolist() == [[False, True], [True, True], [True, True]]


def test_resamples_are_the_same_rows_however_many_are_drawn_at_once() -> None:
    def counts(block: int | None) -> np.ndarray:
        random = np.random.default_rng(3)
        return np.concatenate(list(row_counts(7, 40, lambda shape: random.integers(7, size=shape), block)))

    place_BN = np.random.default_rng(3).integers(7, size=(40, 7))
    np.testing.assert_array_equal(counts(None), [np.bincount(place_N, minlength=7) for place_N in place_BN])
    np.testing.assert_array_equal(counts(None), counts(9))


@pytest.mark.slow
@given(seed=st.integers(0, 99))
def test_weights_multiply_the_counts_of_drawn_rows(seed: int) -> None:
    """Of rows that weigh whole numbers the scores are those of repeated rows, drawn together."""
    g = torch.Generator().manual_seed(seed)
    weight_N, count_BN = torch.randint(1, 4, (12,), generator=g), torch.randint(3, (2, 12), generator=g)
    score_MN, y_N = torch.randn(3, 12, generator=g), torch.arange(12) % 2
    of_rows = torch.arange(12).repeat_interleave(weight_N)
    for scores in (
        lambda rows: auc_scores(score_MN[:, rows], y_N[rows]),
        lambda rows: f1_scores(score_MN[:, rows] > 0, y_N[rows], 2),
    ):
        weighed, repeated = of_weighted(scores(torch.arange(12)), weight_N), scores(of_rows)
        torch.testing.assert_close(weighed(None), repeated(None))
        drawn = count_BN.double()
        torch.testing.assert_close(weighed(drawn), repeated(drawn[:, of_rows]), equal_nan=True)
