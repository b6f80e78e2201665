"""Which kernel trains what, and the times of steps that the choice is made by."""

import itertools
import json
import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from oracles import ENGINES, sample

from treino.engine import mlp, train
from treino.engine.devices import cpu_cores
from treino.engine.kernels import selection, step_times
from treino.engine.kernels.selection import KernelChoice, select_kernel
from treino.store import files

X, Y = sample()
LARGE = (784, 512, 512, 10)
NAMES = step_times._kernels()
needs_lanes = pytest.mark.skipif("lanes" not in ENGINES, reason="the library lanes is not there")


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    step_times.machine_costs.cache_clear()
    yield tmp_path / "treino/step_times.json"
    step_times.machine_costs.cache_clear()


def weights(sizes):
    return sum((a + 1) * b for a, b in itertools.pairwise(sizes))


def chosen(members, sizes=LARGE, rows=500, threads=None):
    return select_kernel(members, weights(sizes), rows, sizes, None, threads)


@needs_lanes
@pytest.mark.parametrize("members", [1, 2, 8])
def test_lanes_is_the_default_of_mlps_in_float32(members, cache):
    training = train((X, Y), mlp(4), seeds=range(members))
    assert (training.engine, training.threads) == ("lanes", cpu_cores())
    assert not cache.exists()  # nothing had to be measured


def test_without_lanes_members_and_parameters_decide():
    def engine(members, sizes):
        return select_kernel(members, weights(sizes), 10, sizes, obstacle="it is not there").engine

    assert [engine(members, (2, 4, 3)) for members in (1, 2, 8)] == ["flat-loop", "batched", "batched"]
    assert [engine(members, (2, 300, 300, 3)) for members in (2, 3)] == ["flat-loop", "batched"]
    assert train((X, Y), mlp(4), dtype=torch.float64).engine == "flat-loop"
    assert train((X, Y), mlp(4), dtype=torch.float64).threads == 1


def test_a_net_of_another_kind_is_trained_by_module():
    assert train((X, Y), mlp(4, batch_norm=True)).engine == "module"


@pytest.mark.parametrize(
    ("seconds", "members", "threads", "choice"),
    [
        ({"lanes": 9, "flat-loop 1": 10, "flat-loop 2": 6}, 1, None, ("flat-loop", 2)),
        ({"lanes": 9, "flat-loop 1": 10, "flat-loop 2": 6}, 1, 1, ("lanes", 1)),
        ({"lanes": 9, "flat-loop 1": 10, "flat-loop 2": 6}, 2, None, ("lanes", 2)),  # one each, side by side
        ({"lanes": 9, "flat-loop 1": 4, "flat-loop 2": 6}, 1, None, ("flat-loop", 1)),
        ({"lanes": 9, "flat-loop 1": 10, "flat-loop 2": 8.8}, 1, None, ("lanes", 2)),  # as good as equal
        ({"lanes": 9, "flat-loop 1": 10, "flat-loop 2": 6}, 3, None, ("lanes", 2)),  # 18 to 18
        ({"lanes": 9, "flat-loop 1": 10, "flat-loop 2": 5}, 3, None, ("flat-loop", 2)),
    ],
)
def test_large_steps_go_to_the_kernel_that_takes_least_time(seconds, members, threads, choice, monkeypatch):
    costs = {name: [float(s), 0.0, 0.0, 0.0] for name, s in seconds.items()}
    monkeypatch.setattr(step_times, "measured_costs", lambda: costs)
    monkeypatch.setattr(step_times, "cpu_cores", lambda: 2)
    monkeypatch.setattr(selection, "cpu_cores", lambda: 2)
    assert chosen(members, threads=threads) == KernelChoice(*choice)


@given(
    cost=st.lists(st.just(0.0) | st.floats(1e-9, 1e-3), min_size=4, max_size=4).filter(any),
    work=st.lists(st.lists(st.floats(1, 1e4), min_size=4, max_size=4), min_size=4, max_size=8),
)
def test_a_fit_gives_back_the_times_that_a_sum_of_costs_made(cost, work):
    work_NW = np.array(work)
    taken = work_NW @ np.array(cost)
    found = step_times._nonnegative_fit(work_NW / taken[:, None])
    assert min(found) >= 0
    np.testing.assert_allclose(work_NW @ np.array(found), taken, rtol=1e-3)


@needs_lanes
def test_what_was_measured_is_kept_for_this_machine(cache, monkeypatch):
    measured = []

    def measured_costs():
        measured.append(1)
        return {name: [1e-4, 1e-9, 1e-11, 1e-9] for name in NAMES}

    monkeypatch.setattr(step_times, "measured_costs", measured_costs)
    first = step_times.machine_costs()
    step_times.machine_costs.cache_clear()
    assert step_times.machine_costs() == first
    assert len(measured) == 1
    for text in ("", "{", "[]", "7", json.dumps({**json.loads(cache.read_text()), "machine": {}})):
        cache.write_text(text)
        step_times.machine_costs.cache_clear()
        assert step_times.machine_costs() == first
    assert len(measured) == 6


@needs_lanes
def test_a_cache_that_cannot_be_written_stops_nobody(tmp_path, monkeypatch):
    (tmp_path / "treino").write_text("a file in the folder's place")
    monkeypatch.setattr(step_times, "measured_costs", lambda: {name: [1.0, 0, 0, 0] for name in NAMES})
    assert set(step_times.machine_costs()) == set(NAMES)
    assert files.cache_folder().is_file()


@needs_lanes
def test_measured_times_grow_with_the_work():
    costs = step_times.measured_costs(0.005)
    assert list(costs) == NAMES
    for name, cost in costs.items():
        assert len(cost) == 4
        assert all(math.isfinite(part) and part >= 0 for part in cost)
        times = [np.dot(cost, step_times._work(name, LARGE, rows)) for rows in (10, 100, 1000)]
        assert 0 < times[0] < times[1] < times[2]
