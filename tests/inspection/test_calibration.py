"""Calibration and thresholds beside plain loops and scikit-learn's figures."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from sklearn.metrics import balanced_accuracy_score

from tests.conftest import refusal_of
from treino.inspection.calibration import BINS, calibration_of, cost_of, threshold_of
from treino.plots.confusion import calibration_figure, verdict
from treino.plots.style import png
from treino.settings.spec import read_settings

THRESHOLDS = np.linspace(0, 1, 101)


def drawn(rows: int, seed: int, sharper: float = 1.0):
    """Probabilities of three classes, and classes that have them (or flatter ones)."""
    r = np.random.default_rng(seed)
    logit_NC = r.normal(size=(rows, 3))
    true_NC = np.exp(logit_NC) / np.exp(logit_NC).sum(1, keepdims=True)
    said_NC = np.exp(sharper * logit_NC) / np.exp(sharper * logit_NC).sum(1, keepdims=True)
    return said_NC, np.array([r.choice(3, p=p_C) for p_C in true_NC])


def test_the_error_is_that_of_the_paper() -> None:
    share_NC, true_N = drawn(500, 0, sharper=2.0)
    found = calibration_of(share_NC, true_N)
    error = 0.0
    for b in range(BINS):
        inside = [
            (max(p), int(np.argmax(p)) == t)
            for p, t in zip(share_NC, true_N, strict=True)
            if b / BINS <= max(p) < (b + 1) / BINS
        ]
        if inside:
            gap = abs(sum(p for p, _right in inside) - sum(right for _p, right in inside))
            error += gap / len(share_NC)
    assert found.error == pytest.approx(error)
    assert found.rows == 500


def test_chance_is_what_perfect_networks_reach() -> None:
    found = [calibration_of(*drawn(200, seed)) for seed in range(60)]
    within = sum(f is not None and f.error <= f.chance for f in found)
    assert 52 <= within <= 60


def test_a_network_that_is_too_sure_is_told_so() -> None:
    sure = calibration_of(*drawn(800, 1, sharper=3.0))
    unsure = calibration_of(*drawn(800, 1, sharper=0.3))
    assert sure is not None
    assert unsure is not None
    assert verdict(sure) == ["More than chance: it is surer than it is right."]
    assert verdict(unsure) == ["More than chance: it is right more often than it is sure."]
    assert png(calibration_figure(sure)).startswith(b"\x89PNG")


def test_rows_without_an_answer_are_left_out() -> None:
    share_NC, true_N = drawn(50, 2)
    share_NC[:10] = np.nan
    found = calibration_of(share_NC, true_N)
    assert found.rows == 40
    assert calibration_of(share_NC[:10], true_N[:10]) is None


shares = arrays.arrays(
    np.float64, st.integers(2, 40), elements=st.sampled_from([0.0, 0.1, 0.25, 0.3, 0.5, 0.77, 0.9, 1.0])
)


@given(share_N=shares, seed=st.integers(0, 1000))
def test_no_other_threshold_has_a_better_balanced_accuracy(share_N, seed) -> None:
    true_N = np.random.default_rng(seed).random(len(share_N)) < 0.4
    value = threshold_of(share_N, true_N, "auto")
    if true_N.all() or not true_N.any():
        assert value is None
        return
    every = [(np.mean(share_N[true_N] >= t) + np.mean(share_N[~true_N] < t)) / 2 for t in THRESHOLDS]
    assert balanced_accuracy_score(true_N, share_N >= value) >= max(every) - 1e-12


@given(share_N=shares, seed=st.integers(0, 1000), wrong=st.integers(1, 9), missed=st.integers(1, 9))
def test_no_other_threshold_costs_less(share_N, seed, wrong, missed) -> None:
    true_N = np.random.default_rng(seed).random(len(share_N)) < 0.4

    def cost(threshold: float) -> float:
        said_N = share_N >= threshold
        return wrong * int((said_N & ~true_N).sum()) + missed * int((~said_N & true_N).sum())

    value = threshold_of(share_N, true_N, f"cost={wrong}:{missed}")
    if value is not None:
        assert cost(value) <= min(map(cost, THRESHOLDS)) + 1e-9


@pytest.mark.parametrize(
    ("said", "meant"),
    [("auto", "auto"), ("cost=1:5", "cost=1:5"), ("cost 1:5", "cost=1:5"), ("COST 0.5:2", "cost=0.5:2")],
)
def test_ways_to_write_a_rule(said: str, meant: str) -> None:
    assert read_settings({"threshold": said}).threshold == meant
    assert cost_of(meant) == {"cost=1:5": (1, 5), "cost=0.5:2": (0.5, 2)}.get(meant)


@pytest.mark.parametrize("said", ["0.3", "cost", "cost=0:0", "cost=1", "cost=1:-2", "best"])
def test_other_rules_are_refused(said: str) -> None:
    assert refusal_of(read_settings, {"threshold": said}).rule == "threshold_type"
