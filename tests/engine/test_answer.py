"""The greedy choice of the weights that an ensemble answers with."""

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
def test_shares_are_repetitions(loss: str, outputs: int) -> None:
    output_RBC = torch.randn(3, 7, outputs, generator=torch.Generator().manual_seed(0))
    repeated, share = output_RBC[[0, 1, 1, 1, 2]], torch.tensor([0.2, 0.6, 0.2])
    one, other = mean_output(repeated, loss), mean_output(output_RBC, loss, share_R=share)
    if loss == "cross_entropy":
        one, other = one.softmax(1), other.softmax(1)
    assert torch.allclose(one, other, atol=1e-5)
    values = as_outputs(averaged_values(repeated, Loss(loss)).mean(0), Loss(loss)).float()
    assert torch.allclose(values.softmax(1) if loss == "cross_entropy" else values, one, atol=1e-5)
