"""Epoch means and deviations by hand, and lists with missing values."""

import math
from statistics import fmean, pstdev

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from treino.inspection.curves import epoch_losses


@given(st.lists(st.floats(0, 1e6), max_size=40), st.integers(1, 9))
def test_means_and_deviations_of_full_epochs(losses: list[float], steps: int) -> None:
    mean_E, deviation_E = epoch_losses(losses, steps)
    assert len(mean_E) == len(deviation_E) == len(losses) // steps
    for e in range(len(mean_E)):
        of = losses[e * steps : (e + 1) * steps]
        assert mean_E[e] == pytest.approx(fmean(of))
        assert deviation_E[e] == pytest.approx(pstdev(of), abs=1e-6)


def test_an_epoch_that_diverged_has_no_mean() -> None:
    mean_E, deviation_E = epoch_losses([1.0, 3.0, 2.0, math.inf, None, 1.0], 2)
    assert mean_E[0] == 2.0
    assert np.isnan(mean_E[1:]).all()
    assert np.isnan(deviation_E[1:]).all()
