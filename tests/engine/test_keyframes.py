"""Keyframes of the engine: taken between steps, and complete, of one network and of several."""

import numpy as np
import pytest
import torch

from treino.engine import mlp, train
from treino.engine.saved_state import keyframe_bytes, saved_from_keyframe

X = torch.linspace(-1, 1, 40).repeat(2, 1).T.contiguous()
Y = (X[:, 0] > 0).long()


@pytest.mark.sampled(3)
@pytest.mark.parametrize("engine", ["module", "batched"])
@pytest.mark.parametrize(
    "members",
    [
        {"seeds": (4,)},
        {"seeds": (4, 5, 6), "lr": (3e-3, 1e30, 1e-30), "patience": 8, "steps": 60},  # diverges, stops
        {"seeds": (4,), "ensemble": 3},
    ],
)
def test_a_state_goes_on_where_the_training_went(engine: str, members: dict[str, object]) -> None:
    def made():
        settings = {"steps": 25, "batch_size": 8, "engine": engine, "threads": 1} | members
        return train(((X, Y), (X, Y)), mlp(3), **settings)

    whole = made()
    whole.keyframes.start(whole.state, 4)
    losses = torch.cat([tick.loss_SP for tick in whole])
    frames = whole.keyframes.take()
    assert [f.step for f in frames] == list(range(0, whole.step + 1, 4))
    assert whole.keyframes.take() == []
    assert keyframe_bytes(whole.state) == sum(a.nbytes for a in frames[-1].arrays.values())
    for frame in frames:
        again = made()
        tensors = {name: torch.from_numpy(np.array(a)) for name, a in frame.arrays.items()}
        loss_S = losses[: frame.step, 0]
        again.load(*saved_from_keyframe(again.setup, again.state, tensors, frame.meta, loss_S))
        rest = torch.cat([losses[:0], *(tick.loss_SP for tick in again)])
        assert torch.equal(rest.nan_to_num(), losses[frame.step :].nan_to_num())
        ours, theirs = again.save(), whole.save()
        assert ours[1] == theirs[1]
        assert all(torch.equal(t.nan_to_num(), theirs[0][n].nan_to_num()) for n, t in ours[0].items())
