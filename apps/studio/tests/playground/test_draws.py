"""What the playground's JavaScript draws and computes beside the kernel, against torch, NumPy and mpmath."""

import hashlib
import math
from typing import Any

import mpmath
import numpy as np
import pytest
import torch
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from apps.studio.tests.playground.node import KERNEL, in_node, node
from treino.data.rows import order
from treino.data.splits import EqualRows, first_equal, split, split_evenly
from treino.engine import mlp, train
from treino.engine.rng import generator
from treino.engine.schedules import SCHEDULES, scale

pytestmark = in_node
SEEDS = st.integers(0, 2**53) | st.integers(0, 2**62).map(str)
FEW = settings(max_examples=3, deadline=None, phases=[Phase.explicit, Phase.generate])  # a process each


def drawn(*calls: Any) -> list[Any]:
    return list(node("draws.mjs", {"build": KERNEL, "calls": calls}))


@pytest.mark.slow
def test_cosines_and_logarithms_are_rounded_correctly():
    chance = np.random.default_rng(0)
    x = [
        *chance.uniform(-10, 10, 500), *chance.uniform(-1e6, 1e6, 300), *chance.uniform(0, 1, 500),
        *(10 ** chance.uniform(-280, 280, 300)), *(math.pi * k / 999 for k in range(1000)),
        1 - 2**-53, 1 + 2**-52, 1.0, 0.0,
    ]  # fmt: skip
    x = [float(v) for v in x]
    mpmath.mp.prec = 1200
    for v, (cos, sin, log) in zip(x, drawn(["elementary", x])[0], strict=True):
        exact = mpmath.mpf(v)
        if abs(v) <= 1e6:
            assert (cos, sin) == (float(mpmath.cos(exact)), float(mpmath.sin(exact))), v
        assert v <= 0 or log == float(mpmath.log(exact)), v


@FEW
@given(SEEDS, st.integers(0, 10**6), st.integers(1, 1500))
def test_orders_and_numbers_are_those_of_torch(seed, epoch, n):
    whole = int(seed)
    words, of_words, permutation, orders, uniform = drawn(
        ["words", seed, "test", epoch, 40], ["sha256", f"{seed} é"], ["permutation", n, seed],
        ["order", n, seed, epoch], ["uniform", n, -0.3, 0.7, seed],
    )  # fmt: skip
    g = generator(whole, "test", epoch)
    assert [w % 2**20 for w in words] == [int(torch.randint(2**20, (), generator=g)) for _word in words]
    digest = hashlib.sha256(f"{seed} é".encode()).hexdigest()
    assert "".join(f"{word:08x}" for word in of_words) == digest
    assert permutation == torch.randperm(n, generator=generator(whole, "test")).tolist()
    assert orders == [order(n, whole, epoch).tolist()] * 2
    wanted = torch.empty(n).uniform_(-0.3, 0.7, generator=generator(whole, "test"))
    assert uniform == wanted.tolist()


@FEW
@given(
    SEEDS,
    st.lists(st.integers(1, 40), min_size=1, max_size=3),
    st.sampled_from(["relu", "leaky_relu", "tanh", "sigmoid", "gelu"]),
)
def test_first_weights_are_those_of_the_engine(seed, hidden, activation):
    inits = ["default", "kaiming", "xavier", "zeros"]
    found = drawn(*(["weights", [3, *hidden, 2], seed, init, activation] for init in inits))
    x, y = torch.rand(8, 3), torch.arange(8) % 2
    for init, row in zip(inits, found, strict=True):
        training = train((x, y), mlp(*hidden, activation=activation), steps=1, seed=int(seed), init=init)
        assert row == training.state.population.params[0].tolist(), init


@FEW
@given(
    st.integers(0, 2**32), st.integers(5, 200), st.integers(1, 5), st.sampled_from([(0.15, 0.15), (0.3, 0.0)])
)
def test_rows_are_split_as_the_engine_splits_them(seed, n, classes, shares):
    chance = np.random.default_rng(seed)
    x_ND, label = chance.integers(0, 8, (n, 2)).astype(float), chance.integers(0, classes, n)
    first = first_equal(x_ND)
    (found,) = drawn(["split", first.tolist(), label.tolist(), *shares, seed])
    assert found == split(first, label, *shares, seed).tolist()


@FEW
@given(st.integers(0, 2**32), st.sampled_from([(0.15, 0.15), (0.3, 0.0)]))
def test_equal_rows_are_kept_together_as_the_engine_keeps_them(seed, shares):
    chance, calls, wanted = np.random.default_rng(seed), list[list[Any]](), list[list[int]]()
    for _table in range(20):
        n, copies = chance.integers(10, 120), chance.integers(1, 8)
        x_ND = chance.integers(0, chance.integers(2, 40), (n, chance.integers(1, 4))).astype(float)
        x_ND = np.concatenate([x_ND, np.repeat(x_ND[:5], copies * chance.integers(0, 9, 5), axis=0)])
        label = chance.integers(0, chance.integers(1, 4), len(x_ND))
        equal = EqualRows.of(first_equal(x_ND), label, iter(x_ND.T))
        first = equal.first_N.tolist()
        asked = [first, label.tolist(), *shares, seed]
        calls += [["units", first, x_ND.ravel().tolist(), label.tolist()], ["evenly", *asked]]
        wanted += [equal.unit_N.tolist(), split_evenly(equal.first_N, label, *shares, seed).tolist()]
    assert drawn(*calls) == wanted


@FEW
@given(st.integers(0, 2**32 - 1), st.integers(1, 400))
def test_points_are_drawn_as_numpy_draws_them(seed, n):
    chance, wanted = np.random.RandomState(seed), list(range(n))
    chance.shuffle(wanted)
    (found,) = drawn(["numpy", seed, n])
    assert found[0] == wanted
    normal = np.array([chance.normal() for _number in range(n)])  # glibc's logarithm is wrong now and then
    np.testing.assert_array_max_ulp(np.array(found[1]), normal, 2)
    assert found[2] == [chance.random_sample() for _number in range(n)]


def test_learning_rates_follow_the_engine_s_schedules():
    steps = list(range(1000))
    cases = [(schedule, warmup) for schedule in sorted(SCHEDULES) for warmup in (0, 7, 5000)]
    plans = [{"schedule": schedule, "warmup": warmup, "steps": 1000} for schedule, warmup in cases]
    for (schedule, warmup), found in zip(cases, drawn(*(["factors", p, steps] for p in plans)), strict=True):
        wanted = [scale(schedule, min(warmup, 1000), step, 1000) for step in steps]
        assert [np.float32(v) for v in found] == [np.float32(v) for v in wanted], (schedule, warmup)
        np.testing.assert_allclose(found, wanted, rtol=1e-14, atol=1e-18)


def test_memory_that_is_missing_is_said_and_given_back():
    assert drawn(["memory"])[0] == ["no_memory", True]


def test_bounds_of_first_weights_need_no_power():
    (found,) = drawn(["shares", 20_000])
    assert found == [float(np.float32(n**-0.5)) for n in range(1, 20_001)]
