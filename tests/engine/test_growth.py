"""Grown networks compute what they computed; copies part at once; what goes is what matters least."""

from collections.abc import Callable, Sequence
from itertools import pairwise

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn

from treino.engine import ACTIVATIONS
from treino.engine.carry_over import NEAR, LayerState, Stack, reshaped, straight_stretch

INPUTS, CLASSES = 3, 2
HIDDEN = st.lists(st.integers(1, 6), max_size=3)


def drawn(hidden: Sequence[int], seed: int, states: int = 2) -> Stack:
    """A network with other numbers in the place of the optimizer's moments."""
    g = torch.Generator().manual_seed(seed)
    sizes = [INPUTS, *hidden, CLASSES]

    def numbers(*shape: int) -> Tensor:
        return torch.randn(1 + states, *shape, generator=g, dtype=torch.float64)

    return [LayerState(numbers(n, m), numbers(n)) for m, n in pairwise(sizes)]


def rows(seed: int, count: int = 40) -> Tensor:
    return torch.randn(count, INPUTS, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def module(stack: Stack, activation: str) -> nn.Sequential:
    """The plain network, made by torch."""
    layers: list[nn.Module] = []
    for layer in stack:
        linear = nn.Linear(layer.weight_KHD.shape[2], layer.units, dtype=torch.float64)
        linear.load_state_dict({"weight": layer.weight_KHD[0], "bias": layer.bias_KH[0]})
        layers += [linear, ACTIVATIONS[activation].module()]
    return nn.Sequential(*layers[:-1])


def grown(stack: Stack, hidden: Sequence[int], activation: str, x_ND: Tensor) -> Stack:
    def output(_weight_CH: Tensor) -> None:
        raise AssertionError("nothing was taken away")

    with torch.no_grad():
        return reshaped(stack, hidden, ACTIVATIONS[activation].module(), x_ND, output)


@given(
    HIDDEN, st.lists(st.integers(0, 9), max_size=4), st.integers(0, 99), st.sampled_from(sorted(ACTIVATIONS))
)
def test_what_grows_computes_the_same(hidden: list[int], more: list[int], seed: int, activation: str) -> None:
    """To rounding errors, on rows that it wasn't grown by: ReLU in width and depth, the others in width."""
    wide = [units + extra for units, extra in zip(hidden, [*more, 0, 0, 0], strict=False)]
    if activation in ("relu", "identity") and hidden:
        for extra in more[len(hidden) :]:
            wide.append(wide[-1] + extra)
    stack, x_ND = drawn(hidden, seed), rows(seed + 1)
    new = grown(stack, wide, activation, rows(seed))
    assert [layer.units for layer in new] == [*wide, CLASSES]
    with torch.no_grad():
        before, after = module(stack, activation)(x_ND), module(new, activation)(x_ND)
    torch.testing.assert_close(after, before, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("activation", ACTIVATIONS)
@given(seed=st.integers(0, 99), size=st.sampled_from([0.5, 3.0, 20.0]))
def test_an_added_layer_bends_no_value_by_more_than_it_may(activation: str, seed: int, size: float) -> None:
    act = ACTIVATIONS[activation].module()
    with torch.no_grad():
        value_NH = act(size * rows(seed))
        line = straight_stretch(act, value_NH)
        passed_NH = (act(line.scale * value_NH + line.point) - line.height) / line.slope
    bent = float((passed_NH - value_NH).abs().max()) / float(value_NH.abs().max())
    worst = {"relu": 0.0, "identity": 0.0, "tanh": 0.01}.get(activation, NEAR)
    assert bent <= worst, bent


@pytest.mark.parametrize("activation", ["relu", "tanh"])
@pytest.mark.parametrize(
    "optimizer",
    [lambda p: torch.optim.SGD(p, lr=0.1), lambda p: torch.optim.Adam(p, lr=0.01)],
    ids=["sgd", "adam from zero"],
)
def test_copies_part_after_one_step(
    optimizer: Callable[[list[nn.Parameter]], torch.optim.Optimizer], activation: str
) -> None:
    """By more than rounding: also where the optimizer looks at little more than the slopes' signs."""
    x_ND = rows(0)
    net = module(grown(drawn([4], 1), [8], activation, x_ND), activation)
    update = optimizer(list(net.parameters()))
    nn.functional.cross_entropy(net(x_ND), (x_ND[:, 0] > 0).long()).backward()
    first = net[0]
    assert isinstance(first, nn.Linear)
    assert torch.equal(first.weight[:4], first.weight[4:])
    before = first.weight.detach().clone()
    update.step()
    moved = (first.weight.detach() - before).norm(dim=1)[:4]
    apart = (first.weight[:4] - first.weight[4:]).norm(dim=1)
    assert bool((apart > 0.5 * moved).all())
    assert float(moved.min()) > 0


@given(st.integers(2, 6), st.integers(0, 99), st.sampled_from(["relu", "tanh"]))
def test_the_unit_that_goes_moves_the_next_layer_least(units: int, seed: int, activation: str) -> None:
    """Against each unit taken out in turn, with the constant that makes up for it best."""
    stack, x_ND = drawn([units, 3], seed), rows(seed)
    act = ACTIVATIONS[activation].module()
    new = grown(stack, [units - 1, 3], activation, x_ND)
    h_NH = act(x_ND @ stack[0].weight_KHD[0].T + stack[0].bias_KH[0])
    next_NJ = h_NH @ stack[1].weight_KHD[0].T + stack[1].bias_KH[0]
    change = []
    for gone in range(units):
        part_NJ = h_NH[:, gone : gone + 1] * stack[1].weight_KHD[0][:, gone]
        change.append(float((part_NJ - part_NJ.mean(0)).square().sum(1).mean().sqrt()))
    h_NH = act(x_ND @ new[0].weight_KHD[0].T + new[0].bias_KH[0])
    moved_NJ = h_NH @ new[1].weight_KHD[0].T + new[1].bias_KH[0] - next_NJ
    assert float(moved_NJ.square().sum(1).mean().sqrt()) == pytest.approx(min(change), abs=1e-9)
    assert float(moved_NJ.mean(0).abs().max()) < 1e-9


def test_states_go_with_their_weights() -> None:
    """Copies have those of their unit, a layer that is added has none, the other layers keep theirs."""
    stack = drawn([3, 2], 5)
    wide = grown(stack, [5, 2], "relu", rows(5))
    assert torch.equal(wide[0].weight_KHD[1:], stack[0].weight_KHD[1:, [0, 1, 2, 0, 1]])
    assert torch.equal(wide[0].bias_KH[1:], stack[0].bias_KH[1:, [0, 1, 2, 0, 1]])
    assert torch.equal(wide[1].weight_KHD[1:], stack[1].weight_KHD[1:, :, [0, 1, 2, 0, 1]])
    assert torch.equal(wide[2].weight_KHD, stack[2].weight_KHD)
    deep = grown(stack, [3, 2, 2], "relu", rows(5))
    assert not deep[2].weight_KHD[1:].any()
    assert torch.equal(deep[2].weight_KHD[0], torch.eye(2, dtype=torch.float64))
    assert torch.equal(deep[3].weight_KHD, stack[2].weight_KHD)


def test_the_last_layers_go_and_the_output_layer_begins_anew() -> None:
    stack = drawn([4, 3, 2], 7)

    def output(weight_CH: Tensor) -> None:
        weight_CH.fill_(0.25)

    short = reshaped(stack, [4], torch.relu, rows(7), output)
    assert torch.equal(short[0].weight_KHD, stack[0].weight_KHD)
    assert torch.equal(short[1].weight_KHD[0], torch.full((CLASSES, 4), 0.25, dtype=torch.float64))
    assert torch.equal(short[1].bias_KH, stack[3].bias_KH)
    (linear,) = reshaped(stack, [], torch.relu, rows(7), output)
    assert linear.weight_KHD.shape == (3, CLASSES, INPUTS)
