"""Paired tests against scipy and statsmodels, and in cases with an obvious answer."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from treino.inspection.intervals import holm, paired_classes, paired_errors

RIGHT = st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=60)


def test_only_rows_on_which_they_differ_count() -> None:
    a_N, b_N = np.array([True] * 6 + [False] * 9), np.array([True] * 5 + [False] + [True] * 5 + [False] * 4)
    found = paired_classes(a_N, b_N)
    assert (found.only_a, found.only_b, found.rows) == (1, 5, 15)
    assert found.p == pytest.approx(2 * (1 + 6) / 2**6)  # at most one of six coins, either way
    assert (found.a, found.b) == (6 / 15, 10 / 15)
    turned = paired_classes(b_N, a_N)
    assert (turned.p, turned.only_a) == (found.p, 5)
    assert paired_classes(a_N, a_N).p == 1.0


@pytest.mark.slow
@settings(max_examples=20)
@given(RIGHT, st.lists(st.floats(0, 1), min_size=1, max_size=8))
def test_statsmodels_says_the_same(pairs: list[tuple[bool, bool]], p_K: list[float]) -> None:
    from statsmodels.stats.contingency_tables import mcnemar
    from statsmodels.stats.multitest import multipletests

    a_N, b_N = (np.array(each) for each in zip(*pairs, strict=True))
    table = [[(a_N & b_N).sum(), (a_N & ~b_N).sum()], [(~a_N & b_N).sum(), (~a_N & ~b_N).sum()]]
    assert paired_classes(a_N, b_N).p == pytest.approx(mcnemar(table, exact=True).pvalue)
    assert holm(p_K) == pytest.approx(multipletests(p_K, method="holm")[1].tolist())


@pytest.mark.slow
def test_the_paired_bootstrap_is_told_apart_from_chance_as_often_as_it_should() -> None:
    random = np.random.default_rng(0)
    rejected, covered, trials = 0, 0, 150
    for seed in range(trials):
        shared_N = random.normal(size=120)  # the rows' own difficulty, which pairing takes out
        found = paired_errors(
            shared_N + 0.3 * random.normal(size=120), shared_N + 0.3 * random.normal(size=120), seed=seed
        )
        rejected += found.p < 0.05
        covered += found.interval[0] <= 0 <= found.interval[1]
    assert rejected / trials < 0.12
    assert covered / trials > 0.88
    clear = paired_errors(shared_N, 2 * shared_N)
    assert clear.p < 0.01
    assert clear.interval[0] > 0
    assert clear.b == pytest.approx(2 * clear.a)
    assert paired_errors(shared_N, shared_N.copy()).p == 1.0


def test_rows_that_say_nothing_of_chance_have_no_interval() -> None:
    """All resamples of a single row are that row: they would call any difference sure."""
    one = paired_errors(np.array([0.1]), np.array([7.0]))
    assert (one.p, one.interval) == (1.0, None)
    assert paired_errors(np.ones(9), np.ones(9)).interval is None
