"""Orders and batches: every row once an epoch, from seed and epoch alone."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from treino.data.rows import Rows, batches, order


@given(n=st.integers(0, 200), seed=st.integers(0, 99), epoch=st.integers(0, 9))
@settings(max_examples=50)
def test_an_order_visits_each_row_once(n: int, seed: int, epoch: int) -> None:
    for shuffle in ("each", "once", "off"):
        assert order(n, seed, epoch, shuffle).sort().values.tolist() == list(range(n))


def test_what_shuffle_means() -> None:
    assert order(50, 0, 3, "off").tolist() == list(range(50))
    assert torch.equal(order(50, 0, 1, "once"), order(50, 0, 7, "once"))
    assert torch.equal(order(50, 0, 0, "each"), order(50, 0, 0, "once"))
    assert not torch.equal(order(50, 0, 1, "each"), order(50, 0, 2, "each"))
    assert torch.equal(order(50, 0, 2, "each"), order(50, 0, 2, "each"))
    assert not torch.equal(order(50, 0, 1, "each"), order(50, 1, 1, "each"))


@pytest.mark.parametrize(("n", "batch_size"), [(10, 3), (10, 10), (10, 99), (1, 1)])
def test_batches_equal_a_data_loader_in_the_same_order(n: int, batch_size: int) -> None:
    from torch.utils.data import DataLoader, TensorDataset

    rows = Rows(torch.randn(n, 4), torch.arange(n), torch.arange(n))
    order_N = order(n, 5, 0)
    loader = DataLoader(TensorDataset(rows.x, rows.y), batch_size=batch_size, sampler=order_N.tolist())
    ours = list(batches(rows, batch_size, order_N))
    for (x_BD, y_B), (x, y) in zip(ours, loader, strict=True):
        assert torch.equal(x_BD, x)
        assert torch.equal(y_B, y)
