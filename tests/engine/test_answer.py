"""The greedy choice of the networks that answer together."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from treino.engine.answer import as_outputs, averaged_values, greedy
from treino.engine.ensemble import mean_output
from treino.engine.losses import Loss


def naive(value_KN: np.ndarray, y_N: np.ndarray, places: int) -> list[int]:
    """Caruana's rule by the squared error, as it is written."""

    def error(members: list[int]) -> float:
        return float(((value_KN[members].mean(0) - y_N) ** 2).mean())

    members = [min(range(len(value_KN)), key=lambda k: error([k]))]
    best = members
    while len(members) < places:
        members = [*members, min(range(len(value_KN)), key=lambda k: error([*members, k]))]
        if error(members) < error(best) - 1e-12:
            best = members
    return best


@given(seed=st.integers(0, 10**6), candidates=st.integers(1, 6), rows=st.integers(1, 20))
def test_it_adds_what_most_improves_the_mean(seed: int, candidates: int, rows: int) -> None:
    r = np.random.default_rng(seed)
    y, value = r.normal(size=rows), r.normal(size=(candidates, rows))
    chosen = greedy(
        torch.tensor(value), lambda mean_KN: (mean_KN - torch.tensor(y)).square().mean(1), places=8
    )
    ours, theirs = ((value[c].mean(0) - y) for c in (chosen, naive(value, y, 8)))
    assert (ours**2).mean() == pytest.approx((theirs**2).mean(), abs=1e-9)
    assert (ours**2).mean() <= ((value - y) ** 2).mean(1).min() + 1e-12


def test_a_candidate_without_an_answer_is_never_added() -> None:
    value = torch.tensor([[torch.nan, 1.0], [3.0, 3.0]])
    assert set(greedy(value, lambda mean_KN: mean_KN.square().mean(1), 4)) == {1}


@pytest.mark.parametrize(("loss", "outputs"), [("cross_entropy", 3), ("bce", 1), ("mse", 2)])
def test_outputs_of_averaged_values_are_those_of_the_ensemble(loss: str, outputs: int) -> None:
    output_RBC = torch.randn(3, 7, outputs, generator=torch.Generator().manual_seed(0))
    mean = as_outputs(averaged_values(output_RBC, Loss(loss)).mean(0), Loss(loss)).float()
    wanted = mean_output(output_RBC, loss)
    if loss == "cross_entropy":
        mean, wanted = mean.softmax(1), wanted.softmax(1)
    assert torch.allclose(mean, wanted, atol=1e-5)
