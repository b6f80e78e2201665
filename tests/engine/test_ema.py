"""Running averages of the weights: evaluated and kept in their place, on every kernel."""

import pytest
import torch
from oracles import ENGINES, same_state, sample
from tests.conftest import refusal_of
from torch import nn
from torch.optim.swa_utils import AveragedModel

from treino.data.rows import order
from treino.engine import mlp, train

X, Y = sample(rows=30)
HELD = (X[:11] + 0.2, Y[:11])
COMMON = {"lr": 0.02, "batch_size": 8, "data_seed": 1, "every": 1000}


def training(ema=0.9, **arguments):
    return train(((X, Y), HELD), mlp(7, activation="tanh"), ema=ema, **{"steps": 23, **COMMON, **arguments})


def finished(**arguments):
    found = training(**arguments)
    list(found)
    return found


def plain_average(net, decay, steps):
    """A plain loop beside torch's own class for averages, in float64; -> the average after each step."""
    net = net.double()
    average = AveragedModel(
        net, avg_fn=lambda a, p, t: a.lerp(p, 1 - min(decay, (1 + int(t)) / (10 + int(t)))).detach()
    )
    average.n_averaged.fill_(1)  # else the first update is a copy; the count then is that of the update
    average.module.load_state_dict(net.state_dict())
    optimizer = torch.optim.Adam(net.parameters(), lr=COMMON["lr"])
    found, epoch = [], 0
    while len(found) < steps:
        for rows in order(len(X), 1, epoch).split(8):
            optimizer.zero_grad()
            nn.functional.cross_entropy(net(X[rows].double()), Y[rows]).backward()
            optimizer.step()
            average.update_parameters(net)
            found.append({k: v.clone() for k, v in average.module.state_dict().items()})
        epoch += 1
    return found[:steps]


@pytest.mark.parametrize("engine", ENGINES)
def test_the_average_is_torchs(engine):
    start = training(engine=engine).net(0, "last")
    wanted = plain_average(start, 0.9, 23)
    done = finished(engine=engine, keep="last")
    for name, value in done.net(0).state_dict().items():
        torch.testing.assert_close(value.double(), wanted[-1][name], rtol=1e-4, atol=1e-6)
    assert done.net(0).state_dict().keys() == wanted[-1].keys()


@pytest.mark.parametrize("engine", ENGINES)
def test_what_is_evaluated_and_kept_is_the_average(engine):
    found = training(engine=engine, steps=40)
    figures = []
    for tick in found:
        figures += [(e.step, float(e.evaluation["validation"]["loss"])) for e in tick.epochs if e.evaluation]
        last = found.net(0, "last")(HELD[0]).detach()
        loss = float(nn.functional.cross_entropy(last.double(), HELD[1]))
        assert figures[-1][1] == pytest.approx(loss, rel=1e-6)
    step, best = min(figures, key=lambda pair: pair[1])
    kept = nn.functional.cross_entropy(found.net(0)(HELD[0]).double(), HELD[1])
    assert float(kept.detach()) == pytest.approx(best, rel=1e-6)
    assert int(found.kept_step_P[0]) == step
    answers = found.answers(found.kept_population([0]), HELD[0])[0]
    torch.testing.assert_close(answers, found.net(0)(HELD[0]))


@pytest.mark.parametrize("engine", ENGINES)
def test_without_a_decay_nothing_is_averaged(engine):
    alone, crowd = finished(engine=engine, ema=0.0), finished(engine=engine, ema=[0.0, 0.9], seeds=(0, 1))
    assert not len(alone.state.population.average)
    population = crowd.state.population
    assert torch.equal(population.average[0], population.params[0])
    assert not torch.equal(population.average[1], population.params[1])
    assert torch.equal(population.params[0], alone.state.population.params[0])


@pytest.mark.parametrize("engine", ENGINES)
def test_it_goes_on_bit_for_bit(engine):
    whole, first = finished(engine=engine), training(engine=engine)
    first.every = 9
    first.advance(None)
    again = training(engine=engine)
    again.load(*first.save())
    list(again)
    assert same_state(again.state, whole.state)


def test_a_state_without_averages_is_another_trainings():
    assert "averages" in str(refusal_of(training().load, *training(ema=0.0).save()))
    assert "averages" in str(refusal_of(training(ema=0.0).load, *training().save()))


def test_a_decay_changes_on_the_way_where_there_is_an_average():
    found = training()
    found.set("ema", 0.0, step=5)
    list(found)
    assert torch.equal(found.state.population.average, found.state.population.params)
    assert "no running average" in str(refusal_of(training(ema=0.0).set, "ema", 0.5))


def test_a_member_that_diverges_keeps_its_last_finite_average():
    found = finished(lr=1e30, optimizer="sgd")
    assert found.status_P == ("diverged",)
    assert found.state.population.average.isfinite().all()
