"""Which kernel trains what: a rule of kind, float type, device and library, and of nothing measured."""

import pytest
import torch
from oracles import ENGINES, sample
from tests.conftest import refusal_of

from treino.base.machine import cpu_cores
from treino.engine import mlp, train
from treino.engine.kernels.selection import LARGE_STEP, LARGEST_TORCH_THREADS, select_kernel

X, Y = sample()
OF_BATCHED = {"obstacle": "not there", "batched": True}
OF_MODULE = {"obstacle": "no such layer", "batched": False}
needs_lanes = pytest.mark.skipif("lanes" not in ENGINES, reason="needs lanes")


def chosen(engine=None, threads=None, parameters=100, batch=10, **kind):
    return select_kernel(engine, threads, parameters=parameters, batch=batch, **kind)


@needs_lanes
@pytest.mark.parametrize("hidden", [(4,), (700, 700)])
@pytest.mark.parametrize("members", [1, 8])
def test_lanes_trains_every_mlp_in_float32(hidden, members):
    training = train((X, Y), mlp(*hidden), seeds=range(members))
    assert (training.engine, training.threads) == ("lanes", cpu_cores())


@pytest.mark.parametrize("members", [1, 8])
def test_batched_trains_the_other_mlps(members):
    training = train((X, Y), mlp(4), seeds=range(members), dtype=torch.float64)
    assert (training.engine, training.threads) == ("batched", cpu_cores())


def test_the_first_kernel_that_can_trains():
    assert chosen(obstacle=None, batched=True).engine == "lanes"
    assert chosen(obstacle=None, batched=False).engine == "lanes"
    assert chosen(**OF_BATCHED).engine == "batched"
    assert chosen(**OF_MODULE).engine == "module"
    assert chosen("module", obstacle=None, batched=True).engine == "module"
    for engine, kind, rule in (("batched", OF_MODULE, "engine_net"), ("lanes", OF_BATCHED, "engine_lanes")):
        assert refusal_of(chosen, engine, **kind).rule == rule


def test_workers_are_as_many_as_cores_and_torch_s_threads_by_the_step():
    many = min(cpu_cores(), LARGEST_TORCH_THREADS)
    assert chosen(**OF_BATCHED).threads == cpu_cores()
    assert chosen(**OF_MODULE).threads == 1
    assert chosen(**OF_MODULE, convolves=True).threads == many
    assert chosen(**OF_MODULE, parameters=LARGE_STEP, batch=2).threads == many
    for kind in (OF_BATCHED, OF_MODULE, {"obstacle": None, "batched": True}):
        assert chosen(threads=3, **kind).threads == 3
