"""Members that stop: the others go on unchanged, and the stopped ones can still be read."""

import pytest
import torch
from oracles import sample

from treino.engine import mlp, train


def made(seeds, lr, engine, **more):
    x, y = sample(40, 5, 3)
    data = ((x, y), (x[:20] + 0.1, y[:20]))
    return train(
        data,
        mlp(8, dropout=0.2),
        seeds=seeds,
        lr=lr,
        engine=engine,
        epochs=60,
        batch_size=16,
        data_seed=0,
        **more,
    )


@pytest.mark.parametrize("engine", ["batched", pytest.param("module", marks=pytest.mark.release)])
def test_whoever_goes_on_has_the_bits_of_being_alone(engine):
    lr = [0.01, 0.003, 0.02, 0.005]
    crowd = made((0, 1, 2, 3), lr, engine)
    while crowd.step < 90:
        crowd.advance(None, until=90)
    crowd.stop([0, 3])
    assert crowd.status_P == ("stopped", "running", "running", "stopped")
    list(crowd)
    assert crowd.status_P == ("stopped", "finished", "finished", "stopped")
    assert crowd.last_step_P.tolist() == [90, 180, 180, 90]
    for member in range(4):
        alone = made((member,), lr[member], engine)
        until = int(crowd.last_step_P[member])
        while alone.step < until:
            alone.advance(None, until=until)
        assert torch.equal(alone.state.population.params[0], crowd.state.population.params[member])
        assert alone.best_P[0] == crowd.best_P[member]
        assert all(
            a.equal(b) for a, b in zip(alone.net(0).parameters(), crowd.net(member).parameters(), strict=True)
        )


def test_who_has_ended_stays_as_it_was():
    crowd = made((0, 1), [0.01, 1e30], "batched")
    list(crowd)
    before = crowd.status_P
    assert before == ("finished", "diverged")
    crowd.stop([0, 1])
    assert crowd.status_P == before
