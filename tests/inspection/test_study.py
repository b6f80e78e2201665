"""The numbers of a study against numpy, scipy and torch."""

import math
from itertools import product

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn import functional as F

from treino.inspection.curves import (
    deviation_of,
    epochs_to_goal,
    floor_twice,
    half,
    mean_of,
    median_of,
    ratio_of,
)


def test_a_median_s_interval_has_the_binomial_coverage() -> None:
    from scipy.stats import binom

    assert median_of([]) is None
    alone = median_of([3.0])
    assert (alone.value, alone.low, alone.coverage) == (3.0, None, None)
    for n in range(2, 40):
        values = [float(v) for v in np.random.default_rng(n).permutation(n)]
        found = median_of(values)
        assert found.low is not None
        assert found.high is not None
        assert found.coverage is not None
        k = int(found.low) + 1
        assert found.value == np.median(values)
        assert int(found.high) == n - k
        assert math.isclose(found.coverage, 1 - 2 * binom.cdf(k - 1, n, 0.5), rel_tol=1e-12)
        narrower = 1 - 2 * binom.cdf(k, n, 0.5)
        assert narrower < 0.95 or k == n // 2
        assert found.coverage >= 0.95 or n < 6


def test_a_busy_minute_hits_both_sides_of_a_ratio() -> None:
    quick = {1: 1.0, 2: 5.0, 3: 1.0, 4: 7.0}
    slow = {1: 2.0, 2: 10.0, 3: 2.0, 5: 100.0}
    found = ratio_of(slow, quick)
    assert (found.value, found.low, found.high) == (2.0, 2.0, 2.0)
    assert ratio_of({1: 1.0}, {2: 1.0}) is None


EPOCH = st.lists(st.floats(0, 10), min_size=4, max_size=4)


@given(st.lists(st.lists(EPOCH, min_size=3, max_size=3), min_size=1))
def test_means_and_deviations_are_those_of_all_iterations(losses: list[list[list[float]]]) -> None:
    loss_KES = np.array(losses)  # networks, epochs, iterations
    means, deviations = loss_KES.mean(-1).tolist(), loss_KES.std(-1).tolist()
    assert np.allclose(np.array(mean_of(means), float), loss_KES.mean((0, 2)))
    assert np.allclose(np.array(deviation_of(means, deviations), float), loss_KES.std((0, 2)), atol=1e-6)


def test_who_was_there_when() -> None:
    assert epochs_to_goal([2.0, 1.6, 1.5], 1.6, -1) == 3
    assert epochs_to_goal([0.8, 0.9], 0.9, 1) == 2
    assert epochs_to_goal([None, 0.95], 0.9, 1) == 2
    assert epochs_to_goal([], 0.9, 1) is None
    assert epochs_to_goal([None, 2.0], 1.0, -1) is None
    for epochs in product((1, 2, 5, None), repeat=4):
        found = half(epochs)
        there = sum(e is not None and found is not None and e <= found for e in epochs)
        assert (found is None and sum(e is not None for e in epochs) < 2) or there >= 2
    assert mean_of([[1.0, None], [3.0, 4.0, 5.0]]) == [2.0, None]
    assert deviation_of([[1.0, None]], [[0.5, None]]) == [0.5, None]


def test_softmax_twice_has_a_floor() -> None:
    assert round(floor_twice(10), 4) == 1.4612
    for classes in (2, 3, 10, 100):
        best = torch.eye(classes, dtype=torch.float64)[:1]  # what the first softmax can give at best
        assert math.isclose(floor_twice(classes), F.cross_entropy(best, torch.tensor([0])).item())
        sure = torch.randn(2000, classes, dtype=torch.float64).mul(30).softmax(1)
        assert F.cross_entropy(sure, sure.argmax(1), reduction="none").min() >= floor_twice(classes) - 1e-12
