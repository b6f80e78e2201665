"""Shares of variance against functions whose shares are known."""

import numpy as np
import pytest

from treino.inspection.variance_shares import unexplained_deviation, variance_shares


@pytest.mark.slow
def test_shares_of_a_sum_are_the_shares_of_its_terms() -> None:
    """Of equal uniform terms a x + b y, ranks keep the shares of a² and b² nearly."""
    rng = np.random.default_rng(0)
    x, y, z = rng.uniform(size=(3, 400))
    found = variance_shares([x.tolist(), y.tolist(), z.tolist()], 2 * x + y)
    assert found.share_K[0] == pytest.approx(0.8, abs=0.08)
    assert found.share_K[1] == pytest.approx(0.2, abs=0.08)
    assert found.low_K[2] <= 0
    assert found.low_K[1] > 0
    assert found.explained > 0.9


@pytest.mark.slow
def test_a_product_is_explained_together_and_by_nothing_alone() -> None:
    rng = np.random.default_rng(0)
    x, y = rng.uniform(-1, 1, size=(2, 400))
    found = variance_shares([x.tolist(), y.tolist()], x * y)
    assert (found.share_K < 0.1).all()
    assert found.explained > 0.5


@pytest.mark.parametrize(
    ("searches", "most"),
    [pytest.param(1, 1, marks=pytest.mark.slow), pytest.param(10, 3, marks=pytest.mark.release)],
)
def test_noise_is_explained_by_nothing(searches: int, most: int) -> None:
    rng = np.random.default_rng(0)
    claims = 0
    for _search in range(searches):
        x = rng.uniform(size=(4, 40))
        words = rng.choice(["a", "b", "c"], 40).tolist()
        found = variance_shares([*x.tolist(), words], rng.normal(size=40))
        claims += int((found.low_K > 0).sum())
    assert claims <= most  # of five settings a search


@pytest.mark.slow
def test_words_truth_values_and_missing_settings_count() -> None:
    rng = np.random.default_rng(0)
    word = rng.choice(["sgd", "adam", "rmsprop"], 200).tolist()
    momentum = [0.9 if w == "sgd" else None for w in word]
    found = variance_shares([word, momentum, [None] * 200], np.array([w == "adam" for w in word]) + 0.0)
    assert found.share_K[0] > 0.9
    assert found.share_K[2] == pytest.approx(0, abs=0.05)


def test_few_or_equal_trials_tell_nothing() -> None:
    assert variance_shares([[1.0] * 9], np.arange(9.0)) is None
    assert variance_shares([list(range(20))], np.ones(20)) is None
    assert variance_shares([], np.arange(20.0)) is None
    assert unexplained_deviation([list(range(19))], np.arange(19.0)) is None


def test_what_settings_leave_unexplained_is_hardly_less_than_the_noise() -> None:
    rng = np.random.default_rng(0)
    x = rng.uniform(size=300)
    found = unexplained_deviation([x.tolist()], 3 * x + 0.2 * rng.normal(size=300))
    assert found is not None
    assert 0.15 < found < 0.35
