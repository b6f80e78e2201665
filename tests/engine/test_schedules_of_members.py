"""Members of one population may follow different schedules: each has the bits that it has alone."""

import pytest
import torch

from treino.base.errors import TreinoError
from treino.engine import mlp, train

G = torch.Generator().manual_seed(0)
DATA = (torch.randn(60, 5, generator=G), torch.randint(3, (60,), generator=G))
SCHEDULES = ["cosine", "constant", "step", "cosine", "constant"]
WARMUPS = [0, 7, 0, 12, 0]


def done(**arguments):
    training = train(DATA, mlp(8), batch_size=16, steps=60, keep="last", **arguments)
    list(training)
    return training


@pytest.mark.parametrize("engine", ["batched", "module"])
@pytest.mark.parametrize("optimizer", ["adam", "sgd"])
def test_each_member_follows_its_own_schedule(engine, optimizer):
    lr = [0.01, 0.03, 0.02, 0.05, 1e30]  # the last diverges, and is played again from a copy
    together = done(
        engine=engine, optimizer=optimizer, seeds=range(5), lr=lr, schedule=SCHEDULES, warmup=WARMUPS
    )
    for member in range(5):
        alone = done(
            engine=engine,
            optimizer=optimizer,
            seeds=[member],
            lr=lr[member],
            schedule=SCHEDULES[member],
            warmup=WARMUPS[member],
            data_seed=0,
        )
        one, other = together.net(member).state_dict(), alone.net(0).state_dict()
        assert all(one[name].equal(other[name]) for name in one), member
        assert together.status_P[member] == alone.status_P[0]


def test_one_schedule_is_told_from_several_when_a_state_is_loaded():
    saved = train(DATA, mlp(8), seeds=[0, 1], schedule=["cosine", "step"], steps=20).save()
    train(DATA, mlp(8), seeds=[0, 1], schedule=["cosine", "step"], steps=20).load(*saved)
    with pytest.raises(TreinoError, match="schedule"):
        train(DATA, mlp(8), seeds=[0, 1], schedule=["step", "cosine"], steps=20).load(*saved)
    before = train(DATA, mlp(8), seeds=[0, 1], schedule="step", warmup=3, steps=20).save()
    assert before[1]["identity"]["schedule"] == ["step", 3]
