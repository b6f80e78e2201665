"""Outputs and probabilities against torch and scipy; the network is left unchanged."""

import numpy as np
import pytest
import scipy.special
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from tests.conftest import refusal_of
from treino.inspection.outputs import outputs, predicted_classes, probabilities


@pytest.fixture
def net() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(3, 8), nn.BatchNorm1d(8), nn.Dropout(0.5), nn.Linear(8, 2))


@given(rows=st.integers(0, 40), batch=st.integers(1, 50))
def test_batches_change_nothing(rows: int, batch: int) -> None:
    net = nn.Linear(3, 2)
    x = torch.randn(rows, 3)
    torch.testing.assert_close(outputs(net, x, batch), net(x).detach())
    assert outputs(net, x, batch).shape == (rows, 2)


def test_eval_mode_without_gradients_and_every_module_keeps_its_mode(net: nn.Sequential) -> None:
    net.train()
    net[1].eval()
    before = {name: tensor.clone() for name, tensor in net.state_dict().items()}
    x = torch.randn(9, 3)
    first, again = outputs(net, x), outputs(net, x)
    assert torch.equal(first, again)  # dropout is off
    assert not first.requires_grad
    assert torch.is_grad_enabled()
    assert [m.training for m in net] == [True, False, True, True]
    assert all(torch.equal(before[name], tensor) for name, tensor in net.state_dict().items())
    net.eval()
    assert torch.equal(first, net(x).detach())


def test_modes_come_back_after_an_error(net: nn.Sequential) -> None:
    net.train()
    assert "shapes cannot be multiplied" in str(refusal_of(outputs, net, torch.randn(2, 5)))
    assert all(m.training for m in net)
    assert torch.is_grad_enabled()


def test_images_are_viewed_in_their_shape() -> None:
    net = nn.Sequential(nn.Conv2d(1, 2, 3), nn.Flatten(), nn.Linear(2 * 4, 3))
    x = torch.randn(5, 16)
    torch.testing.assert_close(outputs(net, x, 2, (1, 4, 4)), net(x.view(5, 1, 4, 4)).detach())
    assert outputs(net, x[:0], 2, (1, 4, 4)).shape == (0, 3)


@given(st.lists(st.floats(-800, 800, width=32), min_size=2, max_size=5))
def test_probabilities_are_scipys(values: list[float]) -> None:
    logits = torch.tensor([values], dtype=torch.float64)
    np.testing.assert_allclose(
        probabilities(logits).numpy(),
        scipy.special.softmax(logits.numpy(), axis=1),
        rtol=1e-12,
    )
    one = logits[:, :1]
    expected = np.stack([scipy.special.expit(-one.numpy()), scipy.special.expit(one.numpy())], axis=1)[..., 0]
    np.testing.assert_allclose(probabilities(one).numpy(), expected, rtol=1e-12)


def test_classes_and_what_cannot_be_said() -> None:
    logits = torch.tensor([[0.1, 0.2], [3.0, -1.0], [float("nan"), 0.0], [float("inf"), 0.0]])
    assert predicted_classes(logits).tolist() == [1, 0, -1, -1]
    assert predicted_classes(torch.tensor([[-1.0], [0.5]])).tolist() == [0, 1]
