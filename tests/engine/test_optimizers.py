"""30 steps of every optimizer × decay × schedule × clipping are those of torch.optim, on every kernel."""

import pytest
import torch
from oracles import ARGUMENTS, FLOAT64, plain_loop, sample

from treino.engine import OPTIMIZERS, SCHEDULES, mlp, train

DECAY_CLIP = [(0.0, None), (0.01, None), (0.0, 0.3), (0.02, 0.5)]  # one member each
CRITERION = torch.nn.functional.cross_entropy
ALL = [(o, s, w) for o in ARGUMENTS for s in SCHEDULES for w in (0, 7)]


@pytest.mark.parametrize(("name", "schedule", "warmup"), ALL)
@pytest.mark.sampled(7)  # of every optimizer one, with other schedules
def test_thirty_steps_are_those_of_torch(name, schedule, warmup):
    x, y = sample(dtype=torch.float64)
    lr = 0.05 if "adam" not in name else 0.01
    common = {
        "lr": lr,
        "weight_decay": [d for d, _c in DECAY_CLIP],
        "clip": [c or torch.inf for _d, c in DECAY_CLIP],
        "schedule": schedule,
        "warmup": warmup,
        "steps": 30,
        "batch_size": 10,
        "seeds": range(4),
        "dtype": torch.float64,
        "keep": "last",
        "data_seed": 0,
        **ARGUMENTS[name],
    }
    wanted = []
    start = train((x, y), mlp(7, 6, activation="tanh"), **common)
    for member, (decay, clip) in enumerate(DECAY_CLIP):
        net = start.net(member)
        plan = {"steps": 30, "batch": 10, "schedule": schedule, "warmup": warmup, "lr": lr}
        loss_S = plain_loop(net, x, y, CRITERION, name, **plan, clip=clip, weight_decay=decay)
        wanted.append((loss_S, net))
    for engine in FLOAT64:
        training = train((x, y), mlp(7, 6, activation="tanh"), engine=engine, **common)
        loss_SP = torch.cat([tick.loss_SP for tick in training])
        for member, (loss_S, net) in enumerate(wanted):
            torch.testing.assert_close(loss_SP[:, member].double(), loss_S, rtol=1e-6, atol=1e-7)
            for ours, theirs in zip(training.net(member).parameters(), net.parameters(), strict=True):
                # relative to the tensor's norm: single numbers near zero have no digits to compare
                assert (ours - theirs).norm() <= 1e-9 * theirs.norm(), (engine, member)


def test_a_norm_beyond_float32_stops_only_who_is_clipped():
    """1e25 squared is infinite: torch then scales by 0, and a neighbour without clipping feels nothing."""
    x, y = torch.full((4, 2), 1e25), torch.tensor([0, 1, 0, 1])
    arguments = {
        "optimizer": "sgd",
        "lr": 1e-30,
        "steps": 3,
        "batch_size": "full",
        "init": "zeros",
        "engine": "batched",
    }
    x[1:, 0] = 3e24
    crowd = train((x, y), mlp(), clip=[torch.inf, 1.0], seeds=(0, 1), **arguments)
    alone = train((x, y), mlp(), seeds=(0,), **arguments)
    for training in (crowd, alone):
        list(training)
    assert torch.equal(crowd.state.population.params[0], alone.state.population.params[0])
    assert crowd.state.population.params[0].abs().max() > 0
    assert crowd.state.population.params[1].abs().max() == 0


def test_every_registered_optimizer_is_held_against_torch():
    assert {a["optimizer"] for a in ARGUMENTS.values()} == set(OPTIMIZERS)


@pytest.mark.parametrize("name", ["sgd", "momentum", "adam"])
def test_missing_zero_grad_sums_gradients_and_clips_the_sum_in_place(name):
    x, y = sample(dtype=torch.float64)
    common = {"steps": 9, "lr": 0.002, "clip": 2.0, "weight_decay": 0.01}
    arguments = {"fault": "missing_zero_grad", "batch_size": 7, "dtype": torch.float64, **ARGUMENTS[name]}
    for engine in FLOAT64:
        training = train((x, y), mlp(6), engine=engine, **common, **arguments)
        net = training.net()
        plain_loop(net, x, y, CRITERION, name, batch=7, zero_grad=False, **common)
        list(training)
        for ours, theirs in zip(training.net(which="last").parameters(), net.parameters(), strict=True):
            assert (ours - theirs).norm() <= 1e-9 * theirs.norm(), engine


@pytest.mark.parametrize("name", list(ARGUMENTS))
def test_the_module_kernel_is_the_plain_loop_bit_for_bit(name):
    x, y = sample()
    training = train(
        (x, y), mlp(8, 5), engine="module", steps=12, batch_size=10, lr=0.01, clip=0.5, **ARGUMENTS[name]
    )
    net = training.net()
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    plain_loop(net, x, y, CRITERION, name, steps=12, batch=10, clip=0.5, lr=0.01)
    torch.set_num_threads(before)
    list(training)
    for ours, theirs in zip(training.net(which="last").parameters(), net.parameters(), strict=True):
        assert torch.equal(ours, theirs)
