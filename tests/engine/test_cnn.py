"""Convolutional networks in the engine: torch's layers, its loop to the bit, members as if alone."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from oracles import ARGUMENTS, plain_loop
from test_equality import assert_same
from tests.conftest import refusal_of
from torch import nn
from torch.nn import functional as F

from treino.engine import train
from treino.engine.nets import cnn, input_shape, multiplications, picture_shape


def pictures(rows: int = 40, shape: tuple[int, ...] = (2, 8, 8)) -> tuple[torch.Tensor, torch.Tensor]:
    g = torch.Generator().manual_seed(0)
    return torch.randn(rows, *shape, generator=g), torch.arange(rows) % 3


X, Y = pictures()


@st.composite
def described(draw):
    stages = draw(st.integers(1, 3))

    def of_each(*values):
        return draw(st.lists(st.sampled_from(values), min_size=stages, max_size=stages))

    norm = draw(st.sampled_from([{}, {"batch_norm": True}, {"group_norm": 2}]))
    return cnn(
        *of_each(2, 4, 6),
        kernel=of_each(1, 3, 5),
        stride=of_each(1, 2),
        pool=of_each("max", "average", "none"),
        head=draw(st.sampled_from(["flatten", "average"])),
        hidden=draw(st.sampled_from([(), (5,), (7, 3)])),
        blocks=draw(st.integers(0, 2)),
        dropout=draw(st.sampled_from([0.0, 0.3])),
        **norm,
    )


@pytest.mark.slow
@given(described(), st.sampled_from([(1, 65, 80), (3, 64, 64)]))
def test_a_description_knows_its_module_s_parameters_and_work(net, shape):
    module = net.module(shape, 4)
    wanted = sorted(tuple(p.shape) for p in module.parameters())
    assert sorted(net.parameter_shapes(shape, 4)) == wanted
    work = 0

    def add(layer, _inputs, output):
        nonlocal work
        work += layer.weight[0].numel() * output.numel()

    for layer in module.modules():
        if isinstance(layer, nn.Conv2d | nn.Linear):
            layer.register_forward_hook(add)
    module.eval()(torch.zeros(1, *shape))
    assert multiplications(net, shape, 4) == work


@pytest.mark.parametrize("optimizer", ["nesterov", "adamw"])
def test_it_is_the_plain_loop_bit_for_bit(optimizer):
    net = cnn(
        4, 6, hidden=[5], kernel=[3, 5], stride=[2, 1], pool=["average", "none"], group_norm=2, blocks=1
    )
    arguments = {"steps": 12, "batch_size": 16, "lr": 0.01, "clip": 0.5, **ARGUMENTS[optimizer]}
    arguments |= {"schedule": "constant", "augment": "none"}
    training = train((X, Y), net, engine="module", threads=1, **arguments)
    module = training.net(0, "last")
    loss_S = torch.cat([tick.loss_SP for tick in training])[:, 0]
    wanted = plain_loop(module, X, Y, F.cross_entropy, optimizer, steps=12, batch=16, lr=0.01, clip=0.5)
    assert torch.equal(loss_S.double(), wanted)
    for name, t in training.net(0, "last").state_dict().items():
        assert torch.equal(t, module.state_dict()[name]), name


@pytest.mark.parametrize("init", ["default", "kaiming", "zeros"])
def test_the_first_weights_are_torch_s(init):
    """Within torch's own bound, 1 / √(inputs · kernel²), or that of He et al.; norms begin with 1 and 0."""
    net = train((X, Y), cnn(64, 64, kernel=5, group_norm=8), init=init).net(0, "last")
    second = [m for m in net if isinstance(m, nn.Conv2d)][1]
    fan_in = 64 * 25
    bound = {"default": fan_in**-0.5, "kaiming": math.sqrt(6 / fan_in), "zeros": 0.0}[init]
    assert second.weight.abs().max().item() == pytest.approx(bound, rel=0.01)
    assert second.bias.abs().max().item() == pytest.approx(bound if init == "default" else 0.0, rel=0.2)
    norm = next(m for m in net if isinstance(m, nn.GroupNorm))
    assert norm.weight.eq(1).all()
    assert norm.bias.eq(0).all()


def test_members_are_as_if_alone_each_with_its_own_dropout():
    arguments = {"steps": 6, "batch_size": 16, "threads": 1}
    crowd = train(
        (X, Y), cnn(4, hidden=[6], dropout=[0.0, 0.2, 0.5]), seeds=(1, 2, 3), data_seed=0, **arguments
    )
    list(crowd)
    for member, rate in enumerate([0.0, 0.2, 0.5]):
        net = cnn(4, hidden=[6], dropout=[rate, 0.1])  # layers that a rate of 0 alone would not have
        pair = train((X, Y), net, seeds=(member + 1, 9), data_seed=0, **arguments)
        list(pair)
        assert_same(crowd, pair, slice(member, member + 1), slice(0, 1))
        layers = [m for m in crowd.net(member) if isinstance(m, nn.Dropout)]
        assert [layer.p for layer in layers] == ([rate] * 2 if rate else [])


@pytest.mark.parametrize(
    ("shape", "wanted"),
    [((8, 9), (1, 8, 9)), ((3, 8, 9), (3, 8, 9)), ((1, 28, 3), (1, 28, 3)), ((8, 4, 4), (8, 4, 4))],
)
def test_pictures_have_their_channels_first(shape, wanted):
    assert picture_shape(shape) == input_shape(cnn(2), shape) == wanted
    one = train((torch.zeros(12, *shape), Y[:12]), cnn(2, pool="none"), steps=1)
    assert one.net(0)(torch.zeros(5, *wanted)).shape == (5, 3)


@pytest.mark.parametrize(
    ("shape", "rule", "word"),
    [
        ((13,), "cnn_rows", "mlp"),
        ((2, 3, 8, 8), "cnn_rows", "channels"),
        ((8, 8, 3), "cnn_channels_last", "permute(0, 3, 1, 2)"),
        ((28, 28, 1), "cnn_channels_last", "first"),
    ],
)
def test_other_rows_are_refused_with_the_next_move(shape, rule, word):
    refused = refusal_of(train, (torch.zeros(12, *shape), Y[:12]), cnn(2, pool="none"))
    assert refused.rule == rule
    assert word in refused.hint
