"""Tests that every entry of every registry passes, a new one too."""

import math

import pytest
import torch
from oracles import FLOAT64, sample
from test_equality import assert_same
from tests import toy_entries as toys
from torch import nn

from treino.engine import ACTIVATIONS, INITS, LOSSES, OPTIMIZERS, SCHEDULES, mlp, train

X, Y = sample(rows=33, dtype=torch.float64)
ENTRIES = [
    *(("activation", name) for name in ACTIVATIONS),
    *(("loss", name) for name in LOSSES),
    *(("optimizer", name) for name in OPTIMIZERS),
    *(("schedule", name) for name in SCHEDULES),
    *(("init", name) for name in INITS),
]


def arguments(kind, name):
    """-> data, net, arguments of a training that uses the entry."""
    numbers = kind == "loss" and LOSSES[name].task == "regression"
    numbers_of = X[:, : 1 if numbers and LOSSES[name].joint else 2].sin() + 1.5
    y = numbers_of if numbers else Y % 2 if kind == "loss" and LOSSES[name].outputs == 1 else Y
    net = mlp(6, 4, activation=name if kind == "activation" else "tanh")
    extra = {} if kind == "activation" else {kind: name}
    return (
        (X, y),
        net,
        {"steps": 5, "batch_size": 10, "lr": 0.01, "weight_decay": 0.01, **extra},
    )


def finished(data, net, **more):
    training = train(data, net, dtype=torch.float64, **more)
    for tick in training:
        assert tick.loss_SP.isfinite().all()
    return training


def holds_the_contract(kind, name):
    data, net, common = arguments(kind, name)
    crowds = {engine: finished(data, net, engine=engine, seeds=(3, 4), **common) for engine in FLOAT64}
    wanted = crowds["module"].state.population.params
    for engine, crowd in crowds.items():
        params = crowd.state.population.params
        assert ((params - wanted).norm(dim=1) <= 1e-9 * wanted.norm(dim=1)).all(), engine
        kept = crowd.net(1, "last")
        torch.testing.assert_close(
            kept(X), crowd.setup.kernel.outputs(crowd.state.population, torch.tensor([1]), X)[0]
        )
        if engine == "module":
            continue  # slow, and nothing in it depends on an entry
        alone = finished(data, net, engine=engine, seeds=(4,), data_seed=3, **common)
        assert_same(crowd, alone, slice(1, 2))
        first, second = (
            train(data, net, dtype=torch.float64, engine=engine, seeds=(3, 4), **common)
            for _twice in range(2)
        )
        first.advance(0.0)
        second.load(*first.save())
        for _tick in second:
            pass
        assert_same(crowd, second)


@pytest.mark.parametrize(("kind", "name"), ENTRIES)
def test_every_entry_holds_the_contract(kind, name):
    holds_the_contract(kind, name)


@pytest.mark.parametrize(
    ("kind", "name", "registry", "entry"),
    [
        ("activation", "bent", ACTIVATIONS, toys.BENT),
        ("loss", "log_cosh", LOSSES, toys.LOG_COSH),
        ("loss", "focal", LOSSES, toys.FOCAL),
        ("loss", "brier", LOSSES, toys.BRIER),
        ("optimizer", "sign_mean", OPTIMIZERS, toys.SIGN_MEAN),
        ("schedule", "linear", SCHEDULES, toys.LINEAR),
        ("init", "small", INITS, toys.SMALL),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_new_name_is_one_entry(monkeypatch, kind, name, registry, entry):
    monkeypatch.setitem(registry, name, entry)
    holds_the_contract(kind, name)


@pytest.mark.parametrize("name", list(SCHEDULES))
def test_a_schedule_s_source_is_its_factor(name):
    for progress in torch.linspace(0, 1, 101)[:-1].tolist():
        found = eval(SCHEDULES[name].source, {"math": math, "progress": progress})
        assert found == SCHEDULES[name].factor(progress)


@pytest.mark.parametrize("name", [name for name, init in INITS.items() if init.draw])
def test_an_initialisation_s_source_draws_the_same(name):
    act, layer, drawn = ACTIVATIONS["tanh"], nn.Linear(5, 7), torch.empty(7, 5)
    g = torch.manual_seed(3)  # which is also the generator that torch's own functions draw from
    exec(INITS[name].source.format(gain=act.gain), {"nn": nn, "layer": layer, "g": g})
    INITS[name].draw(drawn, torch.Generator().manual_seed(3), act)
    assert torch.equal(layer.weight, drawn)
