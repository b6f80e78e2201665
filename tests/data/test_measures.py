"""Measures against NumPy, SciPy and hand calculation."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from treino.data.summaries import measures

numbers = st.lists(st.floats(-1e6, 1e6).map(lambda v: round(v, 3)), min_size=5, max_size=40)
codes = st.lists(st.integers(0, 3), min_size=5, max_size=40)


@given(a=numbers, seed=st.integers(0, 99))
@settings(max_examples=50)
def test_correlations_equal_scipys(a: list[float], seed: int) -> None:
    a_N = np.array(a)
    b_N = np.random.RandomState(seed).permutation(a_N) + np.arange(len(a_N))
    if len(set(a)) == 1 or len(set(b_N)) == 1:
        return
    assert measures.pearson(a_N, b_N) == pytest.approx(stats.pearsonr(a_N, b_N)[0], abs=1e-6)
    assert measures.spearman(a_N, b_N) == pytest.approx(stats.spearmanr(a_N, b_N)[0], abs=1e-9)


@given(a=codes, b=codes)
@settings(max_examples=50)
def test_cramers_v_and_the_correlation_ratio(a: list[int], b: list[int]) -> None:
    n = min(len(a), len(b))
    a_N, b_N = np.array(a[:n]), np.array(b[:n])
    found = measures.cramers_v(a_N, b_N)
    if len(set(a[:n])) == 1 or len(set(b[:n])) == 1:
        assert found is None
        return
    table = stats.contingency.crosstab(a_N, b_N)[1]
    assert found == pytest.approx(stats.contingency.association(table, method="cramer"), abs=1e-9)
    means = {c: b_N[a_N == c].mean() for c in set(a[:n])}
    between = sum((means[c] - b_N.mean()) ** 2 for c in a_N)
    ratio = measures.correlation_ratio(a_N, b_N.astype(float))
    assert ratio == pytest.approx(np.sqrt(between / ((b_N - b_N.mean()) ** 2).sum()), abs=1e-9)


def test_missing_cells_are_passed_over() -> None:
    a = np.array([1.0, 2, np.nan, 4, 7])
    b = np.array([2.0, 4, 9, np.nan, 14])
    assert measures.pearson(a, b) == pytest.approx(1)
    assert measures.correlation_ratio(np.array([0, 0, 1, -1, 1]), a) == pytest.approx(
        measures.correlation_ratio(np.array([0, 0, 1]), np.array([1.0, 2, 7]))
    )
    assert measures.pearson(a, np.ones(5)) is None


def test_outliers_by_hand() -> None:
    values = np.array([*range(1, 200), 1000.0, np.nan])  # fences at 448.75 and -247.75, from quartiles
    assert measures.outliers(values).tolist() == [199]
    assert measures.outliers(np.append(values, -2000.0)).tolist() == [201, 199]
    long_tail = np.exp(np.random.RandomState(0).normal(size=500) * 3)
    assert measures.outliers(long_tail).tolist() == []
    assert measures.outliers(np.ones(50)).tolist() == []
    assert measures.outliers(np.array([1.0, 2, 900])).tolist() == []


def test_runs_along_sorted_values() -> None:
    value = np.array([3.0, 1, 2, 5, 4, 6] * 5) + np.repeat(np.arange(5), 6) * 0.01
    assert measures.class_runs(value, (value > 3.5).astype(int)) == 2
    assert measures.gives_classes_away(value, (value > 3.5).astype(int))
    assert measures.class_runs(np.ones(6), np.array([0, 1] * 3)) is None
    chance = np.random.RandomState(0).randint(0, 2, 30)
    assert not measures.gives_classes_away(value, chance)
    assert measures.orders_with(np.arange(100.0), np.repeat([0, 1], 50))
    assert not measures.orders_with(np.arange(100.0), np.random.RandomState(0).randint(0, 2, 100))
