"""The kernel ``lanes``: the same bits whatever the lanes hold, on every instruction set, by any compiler."""

import itertools

import numpy as np
import pytest
import torch
from hypothesis import strategies as st
from oracles import ENGINES, drawn, for_draws, sample
from scipy import special

from treino.engine import ACTIVATIONS, OPTIMIZERS, Bags, mlp, train
from treino.engine.augmentation import Changes
from treino.engine.kernels.lanes import LanesKernel
from treino.engine.kernels.lanes_library import libraries, why_missing
from treino.engine.step_plan import Chunk

pytestmark = pytest.mark.skipif("lanes" not in ENGINES, reason=f"needs lanes: {why_missing()}")
FUNCTIONS = {0: np.exp, 1: np.log, 2: np.tanh, 3: special.erf, 4: special.expit, 5: np.log1p}
TARGETS = {
    "cross_entropy": lambda x, y: y,
    "bce": lambda x, y: y % 2,
    "mse": lambda x, y: x[:, :4].cos(),
    "l1": lambda x, y: x[:, :4].cos(),
    "huber": lambda x, y: 2 * x[:, :4],
}


def started(loss="cross_entropy", rows=33, hidden=(7,), library=None, layout=None, ranks=None, **arguments):
    net = {name: arguments.pop(name) for name in ("activation", "dropout", "gates") if name in arguments}
    x, y = sample(rows=rows)
    training = train(
        (x, TARGETS[loss](x, y)), mlp(*hidden, **net), loss=loss, every=1000, data_seed=1, **arguments
    )
    kernel = training.setup.kernel
    if isinstance(kernel, LanesKernel):
        kernel.layout, kernel.library, kernel.ranks = layout, library or kernel.library, ranks
    return training


def trained(**arguments):
    """-> the losses ``[S, P]`` and everything that a member is, as bits."""
    training = started(**arguments)
    loss_SP = torch.cat([tick.loss_SP for tick in training])
    state = training.state.population
    tensors = [state.params, state.grads, *state.moments, *([state.average] if len(state.average) else [])]
    return loss_SP, torch.cat([t.view(torch.int32) for t in tensors], 1)


WIDE = {
    "activation": st.sampled_from(sorted(ACTIVATIONS)),
    "loss": st.sampled_from(sorted(TARGETS)),
    "optimizer": st.sampled_from(sorted(OPTIMIZERS)),
    "hidden": st.lists(st.sampled_from([1, 2, 7, 16, 17, 33, 70, 130]), max_size=3),
    "batch_size": st.sampled_from([None, 1, 5, 20]),
    "dropout": st.sampled_from([0.0, 0.3]),
    "clip": st.sampled_from([None, 0.5]),
    "fault": st.sampled_from([(), ("missing_zero_grad",)]),
    "gates": st.sampled_from([0.0, 6.0]),
    "rows": st.sampled_from([9, 33, 300]),
    "bags": st.sampled_from([0, 1, 3]),
}


def the_same_by_every_way(**drawn):
    if drawn["loss"] == "cross_entropy":
        drawn |= {"label_smoothing": 0.1, "class_weights": (1.0, 2.0, 0.5)}
    if drawn["optimizer"] == "sgd":
        drawn["momentum"] = [0.9, 0.0] * 11
    drawn |= {
        "ema": [0.9, 0.0] * 11,
        "lr": [0.01 * (1 + i) for i in range(22)],
        "weight_decay": 0.01,
        "seeds": range(22),
    }
    weight_GN = torch.rand(drawn["bags"], drawn["rows"], generator=torch.manual_seed(drawn["rows"]))
    drawn["bags"] = Bags(weight_GN, None, [i % len(weight_GN) for i in range(22)]) if drawn["bags"] else None
    wanted_SP, wanted = trained(engine="lanes", steps=12, **drawn)
    layouts = "members", "units"
    alone = itertools.product(libraries(), layouts, [1])
    together = itertools.product(libraries()[:1], layouts, [2])  # their waits are long on a busy machine
    for library, layout, ranks in [*alone, *together]:
        way = {"library": library, "layout": layout, "ranks": ranks, "threads": 2}
        loss_SP, found = trained(engine="lanes", steps=12, **way, **drawn)
        assert torch.equal(found, wanted), (library.name, layout, ranks)
        assert torch.equal(loss_SP.nan_to_num(7e7), wanted_SP.nan_to_num(7e7))


@pytest.mark.slow
@drawn(few=6, many=150)
def test_instruction_sets_and_layouts_have_the_same_bits(draws):
    def check(**settings):
        the_same_by_every_way(**settings)

    for_draws(check, draws, **WIDE)


def near_the_smallest(library, layout, x_exponent, weight_exponent, **drawn):
    """Train where sums, products and means lie about 2⁻¹²⁶; -> the bits of all that is kept."""
    training = started(
        "mse", 33, (17, 5), library, layout, 1, engine="lanes", steps=10, seeds=range(18), ema=0.5, **drawn
    )
    state = training.state.population
    training.setup.train.x.mul_(2.0**x_exponent)
    state.params.mul_(2.0**weight_exponent)
    state.average.copy_(state.params)
    training.setup.train.y.mul_(2.0 ** (x_exponent + weight_exponent))
    training.advance(None)
    kept = [state.params, state.average, *state.moments]
    assert not any(((t != 0) & (t.abs() < 2.0**-126)).any() for t in kept)
    return torch.cat([t.view(torch.int32) for t in [*kept, state.grads]], 1)


@pytest.mark.slow
@drawn(few=12, many=100)
def test_near_the_smallest_numbers_all_sets_and_layouts_have_the_same_bits(draws):
    def check(**settings):
        ways = itertools.product(libraries(), ("members", "units"))
        wanted, *others = (near_the_smallest(*way, **settings) for way in ways)
        assert all(torch.equal(other, wanted) for other in others)

    for_draws(
        check,
        draws,
        x_exponent=st.integers(-80, 0),
        weight_exponent=st.integers(-126, 0),
        activation=st.sampled_from(sorted(ACTIVATIONS)),
        optimizer=st.sampled_from(sorted(OPTIMIZERS)),
        clip=st.sampled_from([None, 2.0**-100]),
        lr=st.sampled_from([1e-3, 1.0]),
        batch_size=st.sampled_from([5, "full"]),
    )


@pytest.mark.parametrize("loss", list(TARGETS))
@pytest.mark.parametrize("activation", sorted(ACTIVATIONS))
@pytest.mark.sampled(3)  # of each activation and each loss some
def test_every_entry_is_the_plain_loops(activation, loss):
    """The float32 error against the plain loop in float64 is about that of the other kernels."""
    for optimizer, more in (("sgd", {"momentum": 0.9, "nesterov": True}), ("adam", {}), ("adamw", {})):
        common = {"activation": activation, "loss": loss, "optimizer": optimizer, **more, "lr": 0.01}
        common |= {"steps": 6, "batch_size": 9, "weight_decay": 0.03, "clip": 1.0, "dropout": 0.2}
        common |= {"schedule": "cosine", "warmup": 2, "ema": 0.7, "gates": 6.0}
        exact, _state = trained(engine="module", dtype=torch.float64, **common)
        by_torch, _state = trained(engine="batched", **common)
        found, _state = trained(engine="lanes", **common)
        error = (found - exact).abs().max()
        assert error <= max(4 * (by_torch - exact).abs().max(), 2e-6 * exact.abs().max())


@pytest.mark.parametrize("function", list(FUNCTIONS))
@pytest.mark.parametrize("library", libraries(), ids=lambda library: library.name)
def test_functions_are_exact_to_two_units_in_the_last_place(function, library):
    x = np.arange(0, 2**32, 4099, dtype=np.uint64).astype(np.uint32).view(np.float32)
    if function == 5:
        x = np.linspace(0, 1, 2**20, dtype=np.float32)
    y = np.empty_like(x)
    library.functions.map(function, x.ctypes.data, y.ctypes.data, len(x))
    with np.errstate(all="ignore"):
        wanted = FUNCTIONS[function](x.astype(np.float64))
        if function in (0, 4):  # exp and σ end at the smallest of the normal numbers
            wanted[wanted < 2.0**-126] = 0
        bound = np.maximum(np.abs(wanted).astype(np.float32), np.float32(2**-126))
        unit = np.spacing(bound).astype(np.float64)
        wrong = np.abs(y.astype(np.float64) - wanted) > (3 if function == 4 else 2) * unit  # σ is made of exp
        near = np.abs(wanted) < 3.4028234e38
    assert np.array_equal(np.isnan(y), np.isnan(wanted))
    assert not (wrong & near).any()
    assert np.isinf(y[np.abs(wanted) > 3.41e38]).all()


def test_all_workers_divide_the_steps_of_a_large_network_and_no_bit_changes():
    x, y = torch.randn(500, 100, generator=torch.Generator().manual_seed(1)), torch.arange(500) % 10

    def trained_by(threads, seeds):
        training = train(
            (x, y), mlp(128, 130), batch_size=100, steps=40, seeds=seeds, engine="lanes", threads=threads
        )
        loss_SP = torch.cat([tick.loss_SP for tick in training])
        kernel, population = training.setup.kernel, training.state.population
        divided = {block.ranks for block in kernel.free}
        return (
            loss_SP,
            population.params,
            kernel.outputs(population, torch.arange(len(population)), x),
            divided,
        )

    alone, three = trained_by(1, [0]), trained_by(3, [0])
    assert all(torch.equal(one, other) for one, other in zip(alone[:3], three[:3], strict=True))
    assert alone[3] == {1}
    assert 3 in three[3]  # and one alone in turns, to see which is faster
    assert trained_by(2, [0, 1, 2])[3] == {1}  # each has members enough


def test_rows_and_classes_that_are_not_there_are_refused():
    training = started(engine="lanes", steps=5)
    kernel, population = training.setup.kernel, training.state.population
    x, y = sample(rows=33)
    for index, classes in ((99, y), (-1, y), (0, y + 5)):
        chunk = Chunk(x, classes, [torch.tensor([index, 1])], 0, 0, [[1.0]])
        with pytest.raises(IndexError):
            kernel.run(population, torch.tensor([0]), chunk)


def test_inputs_whose_rows_lie_powers_of_two_apart_give_the_same_bits():
    """Such rows are copied apart, with or without batches."""
    x, y = torch.randn(40, 128, generator=torch.Generator().manual_seed(1)), torch.arange(40) % 3

    def bits(layout, batch_size):
        training = train(
            (x, y), mlp(20), lr=0.01, steps=6, seeds=range(3), batch_size=batch_size, engine="lanes"
        )
        kernel, population = training.setup.kernel, training.state.population
        kernel.layout = layout
        loss_SP = torch.cat([tick.loss_SP for tick in training])
        out_PNC = kernel.outputs(population, torch.arange(3), x)
        return loss_SP, population.params, out_PNC, training.net(0)

    for batch_size in (None, 7):
        members, units = bits("members", batch_size), bits("units", batch_size)
        assert all(torch.equal(one, other) for one, other in zip(members[:3], units[:3], strict=True))
        with torch.no_grad():
            torch.testing.assert_close(members[2][0], members[3](x))


NOBODY = torch.zeros(0, dtype=torch.int64)
WRONG = {
    "x": {"x": torch.zeros(33, 4)},
    "y": {"y": torch.zeros(32, dtype=torch.int64)},
    "batches": {"batches": [torch.arange(4), None]},
    "factors": {"factors": [[1.0]]},
    "keyframes": {"keyframe_steps": frozenset([3])},
    "changes": {"changes": [[Changes(torch.zeros(3, 13), NOBODY)] * 2]},
    "changes' numbers": {"changes": [[Changes(torch.zeros(4, 12), NOBODY)] * 2]},
    "changes' steps": {"changes": [[Changes(torch.zeros(4, 13), NOBODY)]]},
    "partners": {"changes": [[Changes(torch.zeros(4, 13), torch.zeros(3, dtype=torch.int64))] * 2]},
    "partners of some": {
        "changes": [[Changes(torch.zeros(4, 13), torch.arange(4)), Changes(torch.zeros(4, 13), NOBODY)]]
    },
}


@pytest.mark.parametrize("changed", list(WRONG))
def test_arrays_of_other_sizes_and_types_are_refused(changed):
    training = started(engine="lanes", steps=5)
    kernel, population = training.setup.kernel, training.state.population
    x, y = sample(rows=33)
    right = {
        "x": x,
        "y": y,
        "batches": [torch.arange(4)] * 2,
        "first": 0,
        "optimizer_first": 0,
        "factors": [[1.0, 1.0]],
    }
    kernel.run(population, torch.tensor([0]), Chunk(**right))
    with pytest.raises((ValueError, IndexError)):
        kernel.run(population, torch.tensor([0]), Chunk(**right | WRONG[changed]))
    with pytest.raises(IndexError):
        kernel.run(population, torch.tensor([1]), Chunk(**right))
    with pytest.raises(ValueError, match="x is"):
        kernel.outputs(population, torch.tensor([0]), x[:, :4])
