"""Keyframes of the engine: taken between steps, complete, and of one network only."""

import numpy as np
import pytest
import torch

from treino.engine import mlp, train
from treino.engine.keyframes import keyframe_bytes, saved_from_keyframe
from treino.errors import TreinoError

X = torch.linspace(-1, 1, 40).repeat(2, 1).T.contiguous()
Y = (X[:, 0] > 0).long()


@pytest.mark.slow
@pytest.mark.parametrize("engine", ["module", "flat-loop", "flat-bmm"])
def test_a_state_goes_on_where_the_training_went(engine: str) -> None:
    def made():  # type: ignore[no-untyped-def]
        return train(((X, Y), (X, Y)), mlp(3), steps=25, batch_size=8, engine=engine, threads=1, seeds=(4,))

    whole = made()
    whole.keyframes.start(whole.state, 4)
    losses = torch.cat([tick.loss_SP for tick in whole])[:, 0]
    frames = whole.keyframes.take()
    assert [f.step for f in frames] == [0, 4, 8, 12, 16, 20, 24]
    assert whole.keyframes.take() == []
    assert keyframe_bytes(whole.state) == sum(a.nbytes for a in frames[-1].arrays.values())
    for frame in frames:
        again = made()
        tensors = {name: torch.from_numpy(np.array(a)) for name, a in frame.arrays.items()}
        again.load(*saved_from_keyframe(again.setup, again.state, tensors, frame.meta, losses[: frame.step]))
        rest = torch.cat([tick.loss_SP for tick in again])[:, 0]
        assert torch.equal(rest, losses[frame.step :])
        ours, theirs = again.save(), whole.save()
        assert ours[1] == theirs[1]
        assert all(torch.equal(t.nan_to_num(), theirs[0][n].nan_to_num()) for n, t in ours[0].items())


def test_keyframes_are_of_one_network() -> None:
    training = train((X, Y), mlp(3), steps=5, seeds=(0, 1))
    with pytest.raises(TreinoError, match="of one network"):
        training.keyframes.start(training.state, 2)
