"""Convolutions of the kernel ``lanes``: autograd's gradients, and the same bits by every way of computing."""

import itertools
from dataclasses import replace

import pytest
import torch
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from oracles import ENGINES, drawn, for_draws
from tests.conftest import refusal_of
from torch import nn

from treino.base.errors import TreinoError
from treino.engine import train
from treino.engine.kernels.lanes import LanesKernel
from treino.engine.kernels.lanes_library import libraries, why_missing
from treino.engine.nets import cnn
from treino.engine.step_plan import Chunk

pytestmark = pytest.mark.skipif("lanes" not in ENGINES, reason=f"needs lanes: {why_missing()}")
LOOSE = {"suppress_health_check": list(HealthCheck), "derandomize": True, "deadline": None}
SIZES = st.tuples(st.integers(1, 4), st.integers(1, 13), st.integers(1, 13))
FILLED = [3, 16, 32, 48]  # channels; two multiples of 16 in turn go with channels in the lanes
ROWS = [1, 3, 15, 16, 17, 33, 50]


@st.composite
def problems(draw, channels=(1, 2, 3, 5, 8, 16), activations=("relu", "relu", "gelu", "tanh", "leaky_relu")):
    """A network, and the shape of pictures that aren't too small for it."""
    stages = draw(st.integers(1, 3))

    def each(values):
        return draw(st.lists(values, min_size=stages, max_size=stages))

    groups = draw(st.sampled_from([0, 0, 1, 2]))
    outputs = [c + c % max(groups, 1) for c in each(st.sampled_from(channels))]
    kernel = each(st.sampled_from([1, 3, 5, 7]))
    net = cnn(
        *outputs,
        kernel=kernel,
        stride=each(st.sampled_from([1, 1, 2, 3])),
        padding=[draw(st.integers(0, k - 1)) for k in kernel],
        pool=each(st.sampled_from(["max", "average", "none"])),
        group_norm=groups,
        head=draw(st.sampled_from(["flatten", "average"])),
        blocks=draw(st.sampled_from([0, 0, 1, 2])),
        hidden=draw(st.lists(st.integers(1, 20), max_size=2)),
        activation=draw(st.sampled_from(activations)),
        dropout=draw(st.sampled_from([0.0, 0.3])),
    )
    shape = draw(SIZES)
    try:
        net.convolutions(shape)
    except TreinoError:
        assume(False)
    return net, shape


def sample(shape, rows, classes=3):
    g = torch.Generator().manual_seed(1)
    return torch.randn(rows, *shape, generator=g), torch.arange(rows) % classes


def started(net, shape, rows=17, layout=None, library=None, ranks=None, **settings):
    data = sample(shape, rows)
    try:
        training = train(data, net, every=1000, data_seed=1, **{"engine": "lanes", "steps": 4} | settings)
    except TreinoError as refused:
        if refused.rule == "batch_of_one":  # torch's group norm needs two numbers
            assume(False)
        raise
    kernel = training.setup.kernel
    if isinstance(kernel, LanesKernel):
        kernel.layout, kernel.library, kernel.ranks = layout, library or kernel.library, ranks
    return training


def trained(net, shape, **settings):
    """The losses ``[S, P]``, and everything that a member is, as bits."""
    training = started(net, shape, **settings)
    loss_SP = torch.cat([tick.loss_SP for tick in training])
    state = training.state.population
    tensors = [state.params, state.grads, *state.moments, *([state.average] if len(state.average) else [])]
    return loss_SP, torch.cat([t.view(torch.int32) for t in tensors], 1)


def error(gradients, wanted):
    """The largest error of a tensor, relative to its norm or a thousandth of all gradients' norm."""
    total = sum(float(g.norm()) ** 2 for g in wanted) ** 0.5
    pairs = zip(gradients, wanted, strict=True)
    return max(float((g - w).norm()) / max(float(w.norm()), 1e-3 * total, 1e-30) for g, w in pairs)


@drawn(few=20, many=60)
def test_outputs_and_gradients_are_those_of_autograd_in_float64(draws):
    for_draws(outputs_and_gradients_are_those_of_autograd, draws, problems(), st.sampled_from(ROWS))


def outputs_and_gradients_are_those_of_autograd(problem, rows):
    net, shape = problem
    plain = replace(net, dropout=0.0)
    training = started(plain, shape, rows=rows, optimizer="sgd", lr=1e-30, steps=1, batch_size=None)
    x, y = sample(shape, rows, 3)
    module = training.net(0, "last").train()
    population, one = training.state.population, torch.tensor([0])
    kernel, chunk = training.setup.kernel, Chunk(x, y, [None], 0, 0, [[1.0]])
    with torch.no_grad():
        answers = kernel.outputs(population, one, x)[0].double()
        loss = float(kernel.run(population, one, chunk))
    gradients = [g[0].double() for g in training.setup.model.layout.views(population.grads)]
    criterion = nn.CrossEntropyLoss()
    criterion(module(x), y).backward()
    single = [p.grad.double() for p in module.parameters()]
    module.double().zero_grad()
    exact = module(x.double())
    criterion(exact, y).backward()
    wanted = [p.grad for p in module.parameters()]
    assert float((answers - exact.detach()).norm()) <= 1e-5 * float(exact.detach().norm())
    assert loss == pytest.approx(float(criterion(exact, y).detach()), rel=1e-5)
    # group norm leaves some gradients almost nothing, which torch's own float32 misses as far
    assert error(gradients, wanted) <= max(1e-5, 40 * error(single, wanted))


SETTINGS = {
    "optimizer": st.sampled_from(["sgd", "adam", "adamw"]),
    "batch_size": st.sampled_from([None, 5]),
    "clip": st.sampled_from([None, 0.5]),
    "fault": st.sampled_from([(), ("missing_zero_grad",)]),
    "rows": st.sampled_from(ROWS[1:]),
}


def assert_same_by_every_way(problem, sets, **settings):
    net, shape = problem
    settings |= {"ema": [0.9, 0.0, 0.5], "lr": [0.01, 0.02, 0.03], "weight_decay": 0.01, "seeds": range(3)}
    wanted_SP, wanted = trained(net, shape, **settings)
    assert torch.isfinite(wanted_SP).all()
    for library, layout in itertools.product(sets, (None, "examples")):
        loss_SP, bits = trained(net, shape, library=library, layout=layout, **settings)
        assert torch.equal(loss_SP, wanted_SP), (library.name, layout)
        assert torch.equal(bits, wanted), (library.name, layout)


@pytest.mark.slow
@drawn(few=5, many=60)
def test_every_instruction_set_and_layout_gives_the_same_bits(draws):
    def check(problem, settings):
        assert_same_by_every_way(problem, libraries(), **settings)

    for_draws(check, draws, problems(), st.fixed_dictionaries(SETTINGS))


@pytest.mark.slow
@drawn(few=5, many=60)
def test_channels_in_the_lanes_give_the_bits_of_examples_in_the_lanes(draws):
    fused = [library for library in libraries() if library.fused]  # the others take minutes

    def check(problem, settings):
        assert_same_by_every_way(problem, fused, **settings)

    for_draws(check, draws, problems(FILLED, ("relu", "relu", "gelu")), st.fixed_dictionaries(SETTINGS))


@pytest.mark.slow
@settings(max_examples=12, **LOOSE)
@given(problems((3, 8, 16, 32)), st.fixed_dictionaries(SETTINGS), st.sampled_from([2, 3]))
def test_workers_that_divide_a_step_change_no_bit(problem, drawn, ranks):
    net, shape = problem
    wanted_SP, wanted = trained(net, shape, ranks=1, threads=1, **drawn)
    loss_SP, bits = trained(net, shape, ranks=ranks, threads=ranks, **drawn)
    assert torch.equal(loss_SP, wanted_SP)
    assert torch.equal(bits, wanted)


@settings(max_examples=8, **LOOSE)
@given(problems(), st.sampled_from(ROWS[1:]))
def test_a_network_alone_has_the_bits_that_it_has_among_others(problem, rows):
    net, shape = problem
    common = {"rows": rows, "batch_size": 7}
    loss_SP, bits = trained(
        net, shape, seeds=range(5), threads=3, lr=[0.01 * (i + 1) for i in range(5)], **common
    )
    alone_SP, alone = trained(net, shape, seed=3, threads=1, lr=0.04, **common)
    assert torch.equal(loss_SP[:, 3], alone_SP[:, 0])
    assert torch.equal(bits[3], alone[0])


@pytest.mark.slow
def test_batches_of_any_size_go_through_in_parts_with_the_same_bits():
    """Large pictures: only some rows of a batch are kept in memory at a time."""
    net, shape = cnn(8, 16, 16), (3, 96, 90)
    common = {"rows": 70, "batch_size": None, "steps": 1}
    _loss, bits = trained(net, shape, **common)
    _loss, chunked = trained(net, shape, layout="examples", library=libraries()[-1], **common)
    assert torch.equal(bits, chunked)


@drawn(few=3, many=40)
def test_it_trains_as_the_kernel_module_does(draws):
    """Dropout's masks, averages of the weights, clipping, decay and schedules included."""
    for_draws(trains_as_the_kernel_module_does, draws, problems(), st.fixed_dictionaries(SETTINGS))


def trains_as_the_kernel_module_does(problem, drawn):
    net, shape = problem
    drawn |= {
        "ema": 0.9,
        "schedule": "cosine",
        "warmup": 1,
        "weight_decay": 0.01,
        "lr": 1e-3,
        "steps": 3,
        "threads": 1,
    }
    losses = [
        torch.cat([t.loss_SP for t in started(net, shape, engine=e, **drawn)]) for e in ("lanes", "module")
    ]
    assert torch.allclose(losses[0], losses[1], rtol=2e-4, atol=1e-6)


def test_batch_norm_is_named_as_what_keeps_a_network_from_lanes():
    assert "no batch norm, the layer 1" in str(refusal_of(started, cnn(4, batch_norm=True), (1, 8, 8)))
    setup = started(cnn(4, batch_norm=True), (1, 8, 8), engine=None).setup
    assert setup.engine == "module"
    assert "no batch norm, the layer 1" in setup.kernel_reason
    setup = started(cnn(4), (1, 8, 8), engine=None).setup
    assert (setup.engine, setup.kernel_reason) == ("lanes", "")
