"""Pictures that are moved in training: each by a function of seed, epoch and row, whoever trains and in what
parts."""

from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from oracles import ENGINES
from torch.nn import functional as F
from torch.utils.data import DataLoader, TensorDataset

from treino.data.rows import order
from treino.engine import cnn, mlp, train
from treino.engine.augmentation import shifted, shifts
from treino.errors import TreinoError

SEEDS = st.integers(0, 2**62)
ROWS = st.lists(st.integers(0, 2**40), min_size=1, max_size=20)
BITS = 2**64 - 1


def splitmix(x: int) -> int:
    """As Steele, Lea & Flood print it, on whole numbers without end."""
    x = x + 0x9E3779B97F4A7C15 & BITS
    x = (x ^ x >> 30) * 0xBF58476D1CE4E5B9 & BITS
    x = (x ^ x >> 27) * 0x94D049BB133111EB & BITS
    return x ^ x >> 31


@given(SEEDS, st.integers(0, 10**7), ROWS, st.integers(1, 9))
def test_a_row_s_shift_is_a_hash_of_seed_epoch_and_row(seed, epoch, rows, largest):
    drawn = shifts(seed, epoch, torch.tensor(rows), largest)
    assert drawn.dtype == torch.int32
    for row, moved in zip(rows, drawn.tolist(), strict=True):
        number = splitmix(splitmix(splitmix(seed) + epoch & BITS) + row & BITS)
        halves = number >> 32, number & 0xFFFFFFFF
        assert moved == [(half * (2 * largest + 1) >> 32) - largest for half in halves]


def test_every_shift_comes_as_often_and_no_epoch_repeats_another():
    every = [shifts(seed, epoch, torch.arange(9000), 1) for seed in (0, 1) for epoch in (0, 1)]
    for drawn in every:
        kinds, count = drawn.unique(dim=0, return_counts=True)
        assert len(kinds) == 9
        assert ((count - 1000).abs() < 150).all()
    for one, other in pairwise(every):
        assert 800 < (one == other).all(1).sum() < 1200  # one of nine, by chance


@given(st.integers(1, 3), st.integers(1, 7), st.integers(1, 7), st.data())
def test_what_comes_in_is_the_nearest_pixel_of_the_edge(channels, height, width, data):
    x = np.random.default_rng(0).standard_normal((4, channels, height, width)).astype(np.float32)
    move = st.tuples(st.integers(-3, 3), st.integers(-3, 3))
    moves = data.draw(st.lists(move, min_size=4, max_size=4))
    moved = shifted(torch.from_numpy(x), torch.tensor(moves, dtype=torch.int32))
    for picture, (down, right), result in zip(x, moves, moved.numpy(), strict=True):
        wide = np.pad(picture, ((0, 0), (3, 3), (3, 3)), mode="edge")
        np.testing.assert_array_equal(result, wide[:, 3 - down :, 3 - right :][:, :height, :width])


@pytest.mark.parametrize(
    ("shape", "wanted"),
    [((14, 30), 0), ((15, 15), 1), ((28, 28), 1), ((3, 32, 40), 1), ((3, 56, 90), 2), ((3, 224, 224), 8)],
)
def test_larger_pictures_move_further_and_tiny_ones_only_if_asked(shape, wanted):
    data = torch.arange(6.0).view(-1, *[1] * len(shape)).expand(-1, *shape), torch.arange(6) % 3
    usual = train(data, NET, steps=1)
    assert (usual.config.shared.augment, usual.plan.shift) == ("shift" if wanted else "none", wanted)
    assert train(data, NET, steps=1, augment="shift").plan.shift == max(1, wanted)


G = torch.Generator().manual_seed(0)
X, Y = torch.randn(41, 2, 15, 17, generator=G), torch.arange(41) % 3
NET = cnn(3, 4)


def losses(training, parts=()):
    """All steps' losses ``[S, P]``. parts: the steps at which the training pauses."""
    found = []
    for until in (*parts, None):
        while not training.done and (until is None or training.step < until):
            found.append(training.advance(None, until=until).loss_SP)
    return torch.cat(found)


def started(data=(X, Y), net=NET, **settings):
    return train(data, net, **{"steps": 12, "batch_size": 8, "threads": 1} | settings)


@pytest.mark.parametrize("batch_size", [8, "full"])
@pytest.mark.skipif("lanes" not in ENGINES, reason="no lanes")
def test_both_kernels_move_pictures_alike(batch_size):
    made = [
        losses(started(engine=e, batch_size=batch_size, seeds=(1, 2), data_seed=5))
        for e in ("lanes", "module")
    ]
    torch.testing.assert_close(*made, rtol=1e-4, atol=0)
    still = losses(started(batch_size=batch_size, seeds=(1, 2), data_seed=5, augment="none"))
    assert not torch.allclose(made[0], still, rtol=1e-3)


@pytest.mark.parametrize(("batch_size", "shuffle"), [("full", "each"), (8, "each"), (8, "off"), (17, "once")])
def test_an_update_is_of_the_pictures_that_the_hash_moves(batch_size, shuffle):
    """By the row's number in its epoch, wherever it stands."""
    training = started(batch_size=batch_size, engine="module", data_seed=7, shuffle=shuffle)
    size = 41 if batch_size == "full" else batch_size
    for step in range(8):
        epoch, place = divmod(step, -(-41 // size))
        row = torch.arange(41) if size == 41 else order(41, 7, epoch, shuffle).split(size)[place]
        wanted = F.cross_entropy(
            training.net(0, "last").train()(shifted(X[row], shifts(7, epoch, row, 1))), Y[row]
        )
        assert training.advance(None, until=step + 1).loss_SP[0, 0] == wanted.detach()


@pytest.mark.parametrize("engine", [e for e in ENGINES if e in ("lanes", "module")])
@pytest.mark.parametrize("batch_size", [8, "full"])
def test_pauses_and_saved_states_change_no_bit(engine, batch_size):
    whole = started(engine=engine, batch_size=batch_size)
    wanted = losses(whole)
    assert torch.equal(losses(started(engine=engine, batch_size=batch_size), (1, 4, 5, 9)), wanted)
    first, again = (started(engine=engine, batch_size=batch_size) for _ in range(2))
    begun = first.advance(None, until=5).loss_SP
    again.load(*first.save())
    assert torch.equal(torch.cat([begun, losses(again)]), wanted)
    other = started(engine=engine, batch_size=batch_size, augment="none")
    with pytest.raises(TreinoError, match="order"):
        other.load(*first.save())


def test_rows_on_disk_move_as_rows_in_memory(tmp_path):
    np.save(tmp_path / "x.npy", X.numpy())
    mapped = np.load(tmp_path / "x.npy", mmap_mode="r")
    for batch_size in (8, "full"):
        made = [losses(started((x, Y), batch_size=batch_size, epochs=2, steps=None)) for x in (X, mapped)]
        assert torch.equal(*made)


def test_only_convolutional_networks_that_learn_classes_move_pictures_unasked():
    loader = DataLoader(TensorDataset(X, Y), batch_size=8)
    usual = [
        ((X, Y), NET, "shift"), ((X, Y), mlp(3), "none"), ((X, Y.double()), NET, "none"),
        (loader, NET, "none"),
    ]  # fmt: skip
    for data, net, wanted in usual:
        training = train(data, net, steps=1)
        assert (training.config.shared.augment, training.plan.shift) == (wanted, wanted == "shift")
    assert train((X, Y.double()), NET, steps=1, augment="shift").plan.shift == 1


@pytest.mark.parametrize(
    ("data", "net", "rule", "word"),
    [
        ((X, Y), mlp(3), "augment_net", "cnn"),
        ((X, Y), torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(510, 3)), "augment_net", "cnn"),
        (DataLoader(TensorDataset(X, Y), batch_size=8), NET, "augment_rows", "Dataset"),
    ],
    ids=["mlp", "own", "loader"],
)
def test_shifts_are_refused_where_nothing_can_be_moved(data, net, rule, word):
    with pytest.raises(TreinoError) as refused:
        train(data, net, augment="shift")
    assert refused.value.rule == rule
    assert word in refused.value.hint
