"""The state of a training: it doesn't depend on calls, and is saved under fixed names."""

import pytest
import torch
from oracles import same_state, sample
from tests.conftest import refusal_of

from treino.engine import TrainingLoop, mlp, train
from treino.engine.tick import next_update
from treino.engine.training_setup import warm_start
from treino.engine.training_state import HyperparameterChange

X, Y = sample()
DATA = ((X, Y), (X[:9], Y[:9]))


def made(**settings) -> TrainingLoop:
    return train(DATA, mlp(4, dropout=[0.0, 0.1]), seeds=(0, 1), steps=50, every=10, batch_size=7, **settings)


def test_how_a_training_is_cut_changes_no_bit_of_its_state():
    one, other = made(), made()
    assert same_state(one.state, other.state)
    one.advance(None)
    assert not same_state(one.state, other.state)
    other.advance(None, until=3)
    other.advance(None)
    assert same_state(one.state, other.state)


def test_a_state_goes_through_saving():
    training = made()
    training.set("lr", [0.1, 0.2], step=40)
    training.set("clip", None, step=45)  # infinite
    for _tick in range(2):
        training.advance(None)
    again = made()
    again.load(*training.save())
    assert same_state(again.state, training.state)
    assert again.state.pending == [
        HyperparameterChange(40, "lr", (0.1, 0.2)),
        HyperparameterChange(45, "clip", (torch.inf, torch.inf)),
    ]


def test_what_is_saved_keeps_its_names():
    """Run folders hold these."""
    tensors, meta = made(fault="missing_zero_grad", engine="batched").save()
    assert " ".join(tensors) == (
        "seeds params grads moment.0 moment.1 buffers hp.lr hp.weight_decay hp.momentum "
        "hp.beta1 hp.beta2 hp.eps hp.clip hp.dropout hp.ema best.params best.buffers "
        "best.metric best.step epoch.sums epoch.last status stop_step"
    )
    assert list(meta) == ["identity", "step", "evaluated", "epoch_count", "changed", "pending"]
    where = {"format": 1, "engine": "batched", "threads": 0, "seeds": [0, 1]}
    where |= {"rows": len(X), "batch_size": 7, "batches": None, "steps": 50}
    assert meta["identity"] == {
        **where,
        "parameters": ["0.weight", "0.bias", "3.weight", "3.bias"],
        "shapes": [[4, X.shape[1]], [4], [3, 4], [3]],
        "optimizer": ["adam", False],
        "loss": ["cross_entropy", 0.0, [], False],
        "summed": True,
        "averages": False,
        "dtype": "torch.float32",
        "schedule": ["constant", 0],
        "choosing": [0, "loss", "best", True],
        "order": ["each", 0],
        "bags": None,
    }


def test_the_next_update_is_told_with_the_changes_that_are_due():
    training = made(optimizer="sgd", momentum=0.9, schedule="cosine", warmup=4)
    training.set("weight_decay", [0.0, 0.25])
    seen = next_update(training.setup, training.state, member=1)
    assert seen.hp["weight_decay"] == 0.25
    assert seen.hp["lr"] == pytest.approx(3e-3 / 4)
    assert set(seen.state["0.weight"]) == {"momentum_buffer"}
    assert not training.state.population.hp["weight_decay"].any(), "it is a look, nothing is put in force"


def test_a_warm_start_is_for_the_first_step():
    weights = made().net(1).state_dict()
    training = made(data_seed=4)
    warm_start(training.model, training.state, weights)
    for member in range(2):
        mine = training.net(member, "last").state_dict().values()
        assert all(torch.equal(a, b) for a, b in zip(mine, weights.values(), strict=True))
    refused = refusal_of(
        warm_start, training.model, training.state, mlp(5).module(X.shape[1], 3).state_dict()
    )
    assert refused.rule == "weights_differ"
    training.advance(None)
    assert refusal_of(warm_start, training.model, training.state, weights).rule == "weights_late"
