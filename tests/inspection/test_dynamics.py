"""Gradients, updates and dead units, against hooks, a calculation by hand and torch's own functions."""

import copy
import math

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional

from treino.engine import Loss, mlp
from treino.inspection.curves import smoothed
from treino.inspection.dynamics import dead_units, gradients_of, norm, update_ratios, weighted


def batch(count: int, inputs: int, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    x = torch.randn(count, inputs, generator=torch.Generator().manual_seed(seed))
    return x, torch.arange(count) % 3


def fixed(net: nn.Module, seed: int = 0) -> nn.Module:
    chance = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for p in net.parameters():
            p.copy_(torch.randn(p.shape, generator=chance) * 0.5)
    return net


def test_an_update_of_numbers_that_one_can_check_by_hand() -> None:
    net = nn.Sequential(nn.Linear(2, 1), nn.ReLU(), nn.Linear(1, 1))
    with torch.no_grad():
        net[0].weight.copy_(torch.tensor([[3.0, 4.0]]))  # norm 5
        net[0].bias.fill_(1.0)
        net[2].weight.fill_(2.0)
        net[2].bias.fill_(0.0)
    after = copy.deepcopy(net)
    with torch.no_grad():
        after[0].weight += torch.tensor([[0.03, -0.04]])  # norm 0.05
        after[0].bias += 100.0  # biases are left out
        after[2].weight -= 0.5
    assert update_ratios(net, after) == pytest.approx([0.01, 0.25])
    assert all(math.isnan(r) for r in update_ratios(net, None))
    # one row (1, 1) of target 10: h = 8, out = 16, loss 36, dout = 12, dW2 = 96, dW1 = 24 · (1, 1), db1 = 24
    found = gradients_of(net, torch.ones(1, 2), torch.tensor([[10.0]]), Loss("mse"))
    assert norm(found["0"].values()) == pytest.approx(24 * math.sqrt(3))
    assert norm(found["2"].values()) == pytest.approx(math.sqrt(96**2 + 12**2))
    assert dead_units(net, torch.tensor([[-1.0, -1.0], [-2.0, 0.0]])) == ((0,), [1.0])
    assert dead_units(net, torch.tensor([[-1.0, -1.0], [1.0, 0.0]])) == ((0,), [0.0])


@settings(max_examples=25)
@given(st.lists(st.integers(1, 8), max_size=3), st.integers(1, 20), st.integers(0, 99))
def test_gradients_are_those_of_a_backward_pass(hidden: list[int], count: int, seed: int) -> None:
    net = fixed(mlp(*hidden, dropout=0.5).module(4, 3), seed)
    x, y = batch(count, 4, seed)
    found = gradients_of(net, x, y, Loss("cross_entropy"))
    plain = copy.deepcopy(net).eval()  # dropout off
    functional.cross_entropy(plain(x), y).backward()
    theirs = dict(plain.named_parameters())
    assert list(found) == list(weighted(net))
    for layer, of in found.items():
        for name, slope in of.items():
            torch.testing.assert_close(slope, theirs[f"{layer}.{name}"].grad)


def test_batch_norm_is_measured_in_training_mode_and_left_as_it_was() -> None:
    net = fixed(mlp(6, batch_norm=True).module(4, 3)).eval()
    before = copy.deepcopy(net.state_dict())
    x, y = batch(16, 4)
    found = gradients_of(net, x, y, Loss("cross_entropy"))
    assert list(found) == ["0", "3"]
    plain = copy.deepcopy(net).train()
    functional.cross_entropy(plain(x), y).backward()
    torch.testing.assert_close(found["0"]["weight"], plain[0].weight.grad)
    dead_units(net, x)
    assert all(torch.equal(t, before[name]) for name, t in net.state_dict().items())
    assert not net.training


def test_dead_units_are_those_that_a_hook_finds_and_channels_of_an_image() -> None:
    class Own(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv, self.act, self.out = nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Linear(4 * 16, 3)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.act(self.out(self.act(self.conv(x)).flatten(1)))  # one ReLU, called twice

    net = fixed(Own())
    with torch.no_grad():
        net.conv.bias.copy_(torch.tensor([0.0, -1e3, 0.0, -1e3]))
        net.out.bias.copy_(torch.tensor([0.0, -1e4, 0.0]))
    x = batch(20, 36)[0]
    assert dead_units(net, x, (1, 6, 6)) == ((0, 1), pytest.approx([0.5, 1 / 3]))
    assert dead_units(mlp(4, activation="tanh").module(4, 3), batch(5, 4)[0]) == ((), [])


@settings(max_examples=60)
@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=40), st.floats(0.01, 0.99))
def test_smoothing_is_pandas_adjusted_average(values: list[float], smooth: float) -> None:
    theirs = pd.Series(values).ewm(alpha=1 - smooth, adjust=True).mean().to_numpy()
    np.testing.assert_allclose(smoothed(values, smooth), theirs, rtol=1e-7, atol=1e-6)
