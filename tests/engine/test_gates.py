"""Gates of columns: torch's autograd as the oracle on every kernel, and the plain network that is kept."""

import pandas as pd
import pytest
import torch
from oracles import ENGINES, sample
from torch import nn

from treino import load
from treino.data.rows import order
from treino.engine import mlp, train
from treino.engine.gates import GateLayer, Gates, with_gates, without_gates

X, Y = sample(rows=30)
COMMON = {"lr": 0.02, "batch_size": 8, "data_seed": 1, "every": 1000, "steps": 21, "keep": "last"}


def finished(data=(X, Y), gates=6.0, **arguments):
    found = train(data, mlp(7, activation="tanh", gates=gates), **COMMON | arguments)
    list(found)
    return found


def table():
    g = torch.Generator().manual_seed(0)
    x = torch.randn(60, 2, generator=g, dtype=torch.float64)
    kind = [("red", "green", "blue")[i] for i in torch.randint(3, (60,), generator=g).tolist()]
    frame = pd.DataFrame({"a": x[:, 0], "kind": kind, "b": x[:, 1]})
    return load(frame.assign(y=["yes" if v > 0 else "no" for v in x[:, 0]]), target="y")


def plain_loop(net, x, y, steps=COMMON["steps"]):
    optimizer, epoch, done = torch.optim.Adam(net.parameters(), lr=COMMON["lr"]), 0, 0
    while done < steps:
        for rows in order(len(x), 1, epoch).split(8):
            if done < steps:
                optimizer.zero_grad()
                nn.functional.cross_entropy(net(x[rows]), y[rows]).backward()
                optimizer.step()
            done += 1
        epoch += 1


@pytest.mark.parametrize("engine", ENGINES)
def test_training_is_the_plain_loops(engine):
    data = table()
    start = finished(data, engine=engine, steps=1, lr=1e-30)
    groups = data.preparation.groups
    assert [len(g) for g in groups] == [1, 3, 1]
    net = with_gates(start.net(0, "last").double(), Gates((0, 1, 1, 1, 2), 6.0))
    net = net.double()
    plain_loop(net, data.train.x.double(), data.train.y)
    wanted = without_gates(net).state_dict()
    found = finished(data, engine=engine).net(0)
    assert type(found) is nn.Sequential
    for name, value in found.state_dict().items():
        torch.testing.assert_close(value.double(), wanted[name], rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("engine", ENGINES)
def test_a_gate_of_zero_stays_closed(engine):
    found = train((X, Y), mlp(7, gates=4.0), weight_decay=0.01, **COMMON, engine=engine)
    gates = found.model.layout.named(found.state.population.params)["gates.weight"]
    gates[0, 1] = 0.0
    list(found)
    assert gates[0].ne(0).tolist() == [True, False, True, True, True]
    other = X.clone()
    other[:, 1] += 7
    torch.testing.assert_close(found.net(0)(X), found.net(0)(other))


def test_a_network_without_its_gates_answers_the_same():
    net = with_gates(mlp(3, 2, dropout=0.2).module(4, 2), Gates((0, 0, 1, 2), 5.0)).eval()
    with torch.no_grad():
        net.gates.weight.uniform_(-1, 1)
    x = torch.randn(9, 4)
    wanted = net(x)
    plain = without_gates(net)
    torch.testing.assert_close(plain(x), wanted)
    assert not any(isinstance(m, GateLayer) for m in plain.modules())
    assert list(plain.state_dict()) == list(mlp(3, 2, dropout=0.2).module(4, 2).state_dict())


def test_weights_that_updates_move_are_apart_from_their_gates():
    found = finished()
    net, factor_D = found.trained_net()
    torch.testing.assert_close(net(X * factor_D), found.net(0, "last")(X))
    assert finished(gates=0.0).trained_net()[1] is None
