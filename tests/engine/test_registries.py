"""Tests that every entry of every registry passes, a new one too."""

import pytest
import torch
from oracles import sample
from test_equality import assert_same
from test_losses import hand_written, torch_criterion
from torch import nn

from treino.engine import ACTIVATIONS, INITS, KERNELS, LOSSES, NETS, OPTIMIZERS, SCHEDULES, Loss, mlp, train
from treino.engine.activations import Activation
from treino.engine.init import Init
from treino.engine.optim import Optimizer
from treino.engine.schedules import Schedule
from treino.engine.update_formulas import Line, becomes
from treino.engine.value_checks import known
from treino.formula import Formula, Symbol, call, sqrt

X, Y = sample(rows=33, dtype=torch.float64)
TARGETS = {"cross_entropy": Y, "bce": Y % 2}
ENTRIES = [
    *(("activation", name) for name in ACTIVATIONS),
    *(("loss", name) for name in LOSSES),
    *(("optimizer", name) for name in OPTIMIZERS),
    *(("schedule", name) for name in SCHEDULES),
    *(("init", name) for name in INITS),
    *(("net", name) for name in NETS),
]


def arguments(kind, name):
    """-> data, net, arguments of a training that uses the entry."""
    y = TARGETS.get(name, X[:, :2].sin()) if kind == "loss" else Y
    net = (
        NETS[name](6, 4) if kind == "net" else mlp(6, 4, activation=name if kind == "activation" else "tanh")
    )
    extra = {} if kind in ("activation", "net") else {kind: name}
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
    crowds = {engine: finished(data, net, engine=engine, seeds=(3, 4), **common) for engine in KERNELS}
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
        if engine == "flat-loop":
            continue  # what is saved is the same for both
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


@pytest.mark.parametrize("name", list(LOSSES))
def test_every_loss_has_autograds_gradient(name):
    outputs = LOSSES[name].outputs or 4
    net = mlp(6).module(5, outputs).double()
    y = Y if name == "cross_entropy" else (Y % 2).double().unsqueeze(1) if name == "bce" else X[:, :4].cos()
    wanted = Loss(name)(net(X), y)
    wanted.backward()
    with torch.no_grad():
        got, slopes = hand_written(net, X, y, Loss(name), "relu", (2,))
    torch.testing.assert_close(got, wanted.detach().expand(2), rtol=1e-12, atol=0)
    torch.testing.assert_close(wanted, torch_criterion(Loss(name))(net(X), y))
    for slope, p in zip(slopes, net.parameters(), strict=True):
        torch.testing.assert_close(slope[1], p.grad, rtol=1e-10, atol=1e-14)


def test_a_new_activation_is_one_entry(monkeypatch):
    softsign = Activation(
        nn.Softsign,
        lambda z, h: h.copy_(z / (1 + z.abs())),
        lambda d, z, h: d.div_((1 + z.abs()).square()),
        "an S from -1 to 1, with long ends",
        lambda z: z / (1 + call("abs", z)),
        in_place=False,
        gain="tanh",
    )
    monkeypatch.setitem(ACTIVATIONS, "softsign", softsign)
    holds_the_contract("activation", "softsign")


def test_a_new_optimizer_is_one_entry(monkeypatch):
    def update(p, g, m, n, tmp, nesterov):
        """Adagrad as torch has it, with its ε."""
        g = g if n.weight_decay is None else g + n.weight_decay * p
        m[0].add_(g.square())
        p.add_(g / (m[0].sqrt() + n.eps) * -n.lr)

    def lines(u):
        g, before = u.gradient, Symbol("s", u.state["sum"], "t−1")
        total = Formula(Symbol("s", 0.0, "t"), before + g**2)
        root = sqrt(Symbol("s", total.value, "t")) + Symbol("ε", u.hp["eps"])
        new = becomes(u.weight - Symbol("η", u.hp["lr"]) * g / root)
        return Line("All squares", total, "sum"), Line("The new weight", new)

    monkeypatch.setitem(
        OPTIMIZERS,
        "adagrad",
        Optimizer(("sum",), update, torch.optim.Adagrad, ("weight_decay", "eps"), "over all squares", lines),
    )
    holds_the_contract("optimizer", "adagrad")


def test_a_new_schedule_is_one_entry(monkeypatch):
    monkeypatch.setitem(SCHEDULES, "linear", Schedule(lambda t: 1 - t, "a line to 0", "1 - progress"))
    holds_the_contract("schedule", "linear")


def test_a_new_initialisation_is_one_entry(monkeypatch):
    small = Init(
        lambda t, g, act: t.normal_(0, 0.01, generator=g),
        "near 0",
        "nn.init.normal_(layer.weight, std=0.01, generator=g)",
    )
    monkeypatch.setitem(INITS, "small", small)
    holds_the_contract("init", "small")


def test_a_registry_knows_the_nearest_name():
    assert known("optimizer", "adam", OPTIMIZERS) == "adam"
