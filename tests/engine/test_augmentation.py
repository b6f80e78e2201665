"""Pictures that are changed in training: each by a function of seed, epoch and row, whoever trains and in
what parts."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from oracles import ENGINES
from scipy import ndimage, stats
from tests.conftest import refusal_of
from torch.nn import functional as F
from torch.utils.data import DataLoader, TensorDataset

from treino.data.rows import order
from treino.engine import mlp, train
from treino.engine.augmentation import KINDS, SHARES, Augmentation, augmented, mixup_shares, resampled
from treino.engine.kernels.lanes import LanesKernel
from treino.engine.kernels.lanes_library import libraries
from treino.engine.nets import cnn

SEEDS = st.integers(0, 2**62)
ROWS = st.lists(st.integers(0, 2**40), min_size=1, max_size=20)
BITS = 2**64 - 1
HALF = 2**32 - 1
EVERY = ",".join(KINDS)


def splitmix(x: int) -> int:
    """As Steele, Lea & Flood print it, on whole numbers without end."""
    x = x + 0x9E3779B97F4A7C15 & BITS
    x = (x ^ x >> 30) * 0xBF58476D1CE4E5B9 & BITS
    x = (x ^ x >> 27) * 0x94D049BB133111EB & BITS
    return x ^ x >> 31


def hash_of(seed: int, epoch: int, row: int) -> int:
    return splitmix(splitmix(splitmix(seed) + epoch & BITS) + row & BITS)


def parts_of(number: int, kind: str) -> list[float]:
    """Four numbers between 0 and 1 of a kind's own stream."""
    own = splitmix(number + KINDS[kind].stream & BITS)
    return [((own >> 16 * k & 0xFFFF) + 0.5) / 2**16 for k in range(4)]


# ---- what is drawn


@given(SEEDS, st.integers(0, 10**7), ROWS, st.integers(1, 9))
def test_a_row_s_shift_is_a_hash_of_seed_epoch_and_row(seed, epoch, rows, largest):
    drawn = Augmentation(shift=largest).changes(seed, epoch, torch.tensor(rows), 2**41, (1, 20, 20))
    assert not len(drawn.partner_B)
    for row, numbers in zip(rows, drawn.number_BK.tolist(), strict=True):
        number = hash_of(seed, epoch, row)
        moved = [(half * (2 * largest + 1) >> 32) - largest for half in (number >> 32, number & HALF)]
        assert numbers == [1, 0, -moved[0], 0, 1, -moved[1], 1, 0, 0, 0, 0, 0, 1]


@settings(max_examples=25, deadline=None)
@given(SEEDS, st.integers(0, 10**7), ROWS, st.tuples(st.integers(1, 40), st.integers(1, 40)))
def test_every_other_number_is_a_hash_of_its_kind_s_own(seed, epoch, rows, shape):
    drawn = Augmentation.of(EVERY, True, shape).changes(seed, epoch, torch.tensor(rows), 77, shape)
    height, width = shape
    for row, partner, numbers in zip(rows, drawn.partner_B.tolist(), drawn.number_BK.tolist(), strict=True):
        number = hash_of(seed, epoch, row)
        contrast, brightness, top, left, bottom, right, share = numbers[6:]
        assert contrast == pytest.approx(0.8 + 0.4 * parts_of(number, "contrast")[0])
        assert brightness == pytest.approx(0.4 * parts_of(number, "brightness")[0] - 0.2, abs=1e-7)
        side = max(1, round(0.3 * min(shape)))
        u_y, u_x, *_ = parts_of(number, "cutout")
        for low, high, u, size in ((top, bottom, u_y, height), (left, right, u_x, width)):
            first = math.floor(u * size) - side // 2
            assert (low, high) == (max(first, 0), min(first + side, size))
        own = splitmix(number + 7 & BITS)
        assert partner == (own & HALF) * 77 >> 32
        level = ((own >> 32) * SHARES >> 32) + 0.5
        assert share == pytest.approx(stats.beta(1.2, 0.2).ppf(level / SHARES), abs=2**-16)


def test_a_place_is_that_of_the_moves_one_after_the_other():
    """Where a pixel comes from, by matrices: moved, mirrored, of a window, turned about the middle."""
    shape, rows = (3, 9, 14), torch.arange(50)
    size = np.array([9, 14])
    middle = (size - 1) / 2
    strengths = {"shift": 3, "crop": 0.4, "rotate": 70.0}
    drawn = Augmentation(**strengths, flip=True).changes(5, 2, rows, 50, shape)
    signs = set()
    for row, numbers in zip(rows.tolist(), drawn.number_BK.double().numpy(), strict=True):
        number = hash_of(5, 2, row)
        moved = np.array([(half * 7 >> 32) - 3 for half in (number >> 32, number & HALF)])
        mirrored = splitmix(number + 1 & BITS) & 0x8000 > 0
        share, *corner = parts_of(number, "crop")[:3]
        angle = math.radians(70) * (2 * parts_of(number, "rotate")[0] - 1)
        turn = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
        signs.add(mirrored)
        for pixel in ((0, 0), (8, 13), (3, 5)):
            y, x = np.array(pixel) - moved
            place = np.array([y, 13 - x if mirrored else x]) * (1 - 0.4 * share)
            place = turn @ (place + 0.4 * share * (size - 1) * corner - middle) + middle
            got = numbers[:6].reshape(2, 3) @ [*pixel, 1]
            np.testing.assert_allclose(got, place, atol=2e-5)
    assert signs == {False, True}


@pytest.mark.parametrize("alpha", [0.1, 0.2, 1.0, 4.0])
def test_shares_of_mixup_are_beta_distributed(alpha):
    shares = mixup_shares(alpha).numpy()
    drawn = stats.beta(alpha + 1, alpha).rvs(20_000, random_state=0)
    assert stats.wasserstein_distance(shares, drawn) < 0.005
    # with the label of the row alone a share counts as it does, on average, with both labels
    both = stats.beta(alpha, alpha).rvs(400_000, random_state=1)
    assert np.mean(2 * both**2) == pytest.approx(np.mean(shares), abs=5e-3)  # E of share times share


# ---- what is done to a picture

NUMBERS = st.floats(-3, 3, width=32)


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 3), st.integers(1, 7), st.integers(1, 7), st.data())
def test_a_pixel_lies_on_the_lines_between_those_around_its_place(channels, height, width, data):
    x = np.random.default_rng(0).standard_normal((3, channels, height, width)).astype(np.float32)
    place_B6 = np.array(data.draw(st.lists(st.tuples(*[NUMBERS] * 6), min_size=3, max_size=3)), np.float32)
    got = resampled(torch.from_numpy(x), torch.from_numpy(place_B6).T).numpy()
    for picture, place, result in zip(x, place_B6.astype(float), got, strict=True):
        matrix, offset = place.reshape(2, 3)[:, :2], place.reshape(2, 3)[:, 2]
        for plane, pixels in zip(picture.astype(float), result, strict=True):
            wanted = ndimage.affine_transform(plane, matrix, offset, order=1, mode="nearest")
            np.testing.assert_allclose(pixels, wanted, atol=2e-5)


def test_contrast_brightness_the_square_and_a_partner_in_their_order():
    """The whole of it, written again in NumPy and float64."""
    x = np.random.default_rng(1).standard_normal((40, 2, 9, 8))
    changes = Augmentation.of(EVERY, True, (9, 8)).changes(3, 1, torch.arange(40), 40, (9, 8))
    mine = torch.from_numpy(x)
    got = augmented(mine, mine[changes.partner_B], changes).numpy()
    numbers, partner = changes.number_BK.double().numpy(), changes.partner_B.numpy()
    for row, result in enumerate(got):
        *place, contrast, brightness, top, left, bottom, right, share = numbers[row]
        mixed = share * x[row] + (1 - share) * x[partner[row]]
        matrix, offset = np.reshape(place, (2, 3))[:, :2], np.reshape(place, (2, 3))[:, 2]
        turned = [ndimage.affine_transform(p, matrix, offset, order=1, mode="nearest") for p in mixed]
        wanted = (np.stack(turned) - np.mean(turned)) * contrast + np.mean(turned) + brightness
        wanted[:, int(top) : int(bottom), int(left) : int(right)] = 0
        np.testing.assert_allclose(result, wanted, atol=1e-12)


# ---- the setting


@pytest.mark.parametrize(
    ("shape", "wanted"),
    [((14, 30), 0), ((15, 15), 1), ((28, 28), 1), ((3, 32, 40), 1), ((3, 56, 90), 2), ((3, 224, 224), 8)],
)
def test_larger_pictures_move_further_and_tiny_ones_only_if_asked(shape, wanted):
    data = torch.arange(6.0).view(-1, *[1] * len(shape)).expand(-1, *shape), torch.arange(6) % 3
    usual = train(data, NET, steps=1)
    assert usual.config.shared.augment == ("shift" if wanted else "none")
    assert usual.plan.augmentation == Augmentation(shift=wanted)
    assert train(data, NET, steps=1, augment="shift").plan.augmentation == Augmentation(shift=max(1, wanted))


@pytest.mark.parametrize(
    ("asked", "wanted"),
    [
        ("rotate", "rotate=10"),
        ("rotate=12.5, shift=2", "shift=2,rotate=12.5"),
        ({"crop": 0.1, "shift": 1}, "shift,crop=0.1"),
        ("rotate=0", "none"),
        ([], "none"),
    ],
)
def test_a_setting_is_kept_with_its_strengths(asked, wanted):
    training = train((X, Y), NET, steps=1, augment=asked)
    assert training.config.shared.augment == wanted
    assert train((X, Y), NET, steps=1, augment=wanted).plan.augmentation == training.plan.augmentation


@pytest.mark.parametrize(
    ("asked", "rule", "word"),
    [
        ("rotat", "augment_unknown", "rotate"),
        ("flip", "augment_unknown", "flip"),
        ("shift,,crop", "augment_unknown", ""),
        ("shift,shift=2", "augment_twice", "once"),
        ("rotate=-3", "augment_range", "rotate=10"),
        ("crop=1", "augment_range", "crop=0.2"),
        ("contrast=x", "augment_range", "contrast=0.2"),
    ],
)
def test_unknown_kinds_and_bad_strengths_are_refused(asked, rule, word):
    refused = refusal_of(train, (X, Y), NET, augment=asked)
    assert refused.rule == rule
    assert word in refused.hint


# ---- in a training

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


WAYS = [
    {"augment": "shift"},
    {"augment": "none", "flip": True},
    {"augment": "rotate=30,crop=0.3"},
    {"augment": EVERY, "flip": True},
]


@pytest.mark.parametrize("batch_size", [8, "full"])
@pytest.mark.parametrize("way", WAYS, ids=str)
@pytest.mark.skipif("lanes" not in ENGINES, reason="needs lanes")
@pytest.mark.sampled(3)
def test_both_kernels_change_pictures_alike(batch_size, way):
    made = [
        losses(started(engine=e, batch_size=batch_size, seeds=(1, 2), data_seed=5, **way))
        for e in ("lanes", "module")
    ]
    torch.testing.assert_close(*made, rtol=1e-5, atol=1e-6)
    still = losses(started(batch_size=batch_size, seeds=(1, 2), data_seed=5, augment="none"))
    assert not torch.allclose(made[0], still, rtol=1e-3)


@pytest.mark.skipif("lanes" not in ENGINES, reason="needs lanes")
@pytest.mark.parametrize("shape", [(1, 15, 17), (3, 16, 16), (2, 5, 33), (1, 1, 1)])
def test_a_picture_that_a_kernel_changes_is_that_of_the_formula(shape):
    """A network of one pixel's kernel, as wide as the picture, shows what it was given."""
    x, rows = torch.randn(40, *shape, generator=torch.Generator().manual_seed(3)), torch.arange(40)
    numbers = math.prod(shape)
    augmentation = Augmentation.of(EVERY, True, shape)
    data = x, x.flatten(1)
    net = cnn(shape[0], kernel=1, pool="none", activation="identity")
    training = train(
        data,
        net,
        steps=1,
        batch_size="full",
        engine="lanes",
        loss="mse",
        optimizer="sgd",
        augment=EVERY,
        flip=True,
        data_seed=4,
    )
    (layer, last) = [m for m in training.net(0, "last").modules() if hasattr(m, "weight")]
    changes = augmentation.changes(4, 0, rows, 40, shape)
    before = training.net(0, "last")
    changed = augmented(x, x[changes.partner_B], changes)
    with torch.no_grad():
        loss = F.mse_loss(before(changed), x.flatten(1))
    assert layer.weight.shape[0] == shape[0]
    assert last.weight.shape == (numbers, numbers)
    assert float(training.advance(None).loss_SP[0, 0]) == pytest.approx(float(loss), rel=1e-5)


@pytest.mark.skipif(len(libraries()) < 2, reason="one instruction set")
@pytest.mark.parametrize("batch_size", [7, "full"])
def test_every_instruction_set_and_any_number_of_workers_changes_pictures_to_the_same_bits(batch_size):
    found = []
    for library in libraries():
        for ranks in (1, 3):
            training = started(engine="lanes", batch_size=batch_size, augment=EVERY, flip=True, steps=6)
            kernel = LanesKernel(training.model, 3, None, library, ranks)
            object.__setattr__(training.setup, "kernel", kernel)
            found.append((losses(training), training.state.population.params))
    for loss_SP, params in found[1:]:
        assert torch.equal(loss_SP, found[0][0])
        assert torch.equal(params, found[0][1])


@pytest.mark.skipif("lanes" not in ENGINES, reason="needs lanes")
def test_a_member_s_pictures_change_as_if_it_were_alone():
    many = losses(started(engine="lanes", seeds=range(5), augment=EVERY, flip=True, data_seed=2))
    for seed in (0, 3):
        alone = losses(started(engine="lanes", seeds=(seed,), augment=EVERY, flip=True, data_seed=2))
        assert torch.equal(alone[:, 0], many[:, seed])


@pytest.mark.parametrize(("batch_size", "shuffle"), [("full", "each"), (8, "each"), (8, "off"), (17, "once")])
@pytest.mark.parametrize("way", WAYS[::3], ids=str)
@pytest.mark.sampled(3)
def test_an_update_is_of_the_pictures_that_the_hash_changes(batch_size, shuffle, way):
    """By the row's number in its epoch, wherever it stands."""
    training = started(batch_size=batch_size, engine="module", data_seed=7, shuffle=shuffle, **way)
    augmentation = Augmentation.of(way["augment"], way.get("flip"), X.shape)
    size = 41 if batch_size == "full" else batch_size
    for step in range(8):
        epoch, place = divmod(step, -(-41 // size))
        row = torch.arange(41) if size == 41 else order(41, 7, epoch, shuffle).split(size)[place]
        changes = augmentation.changes(7, epoch, row, 41, X.shape)
        changed = augmented(X[row], X[changes.partner_B], changes)
        wanted = F.cross_entropy(training.net(0, "last").train()(changed), Y[row])
        assert training.advance(None, until=step + 1).loss_SP[0, 0] == wanted.detach()


@pytest.mark.parametrize("engine", [e for e in ENGINES if e in ("lanes", "module")])
@pytest.mark.parametrize("batch_size", [8, "full"])
@pytest.mark.parametrize("way", WAYS[::3], ids=str)
@pytest.mark.sampled(3)
def test_saved_states_change_no_bit(engine, batch_size, way):
    made = {"engine": engine, "batch_size": batch_size} | way
    wanted = losses(started(**made))
    first, again = (started(**made) for _ in range(2))
    begun = first.advance(None, until=5).loss_SP
    again.load(*first.save())
    assert torch.equal(torch.cat([begun, losses(again)]), wanted)
    for other in ({"augment": "none", "flip": False}, {"augment": "shift=3"}, {"augment": "cutout"}):
        assert "order" in str(refusal_of(started(**made | other).load, *first.save()))


@pytest.mark.parametrize("way", WAYS[::3], ids=str)
def test_rows_on_disk_change_as_rows_in_memory(tmp_path, way):
    np.save(tmp_path / "x.npy", X.numpy())
    mapped = np.load(tmp_path / "x.npy", mmap_mode="r")
    for batch_size in (8, "full"):
        made = [
            losses(started((x, Y), batch_size=batch_size, epochs=2, steps=None, **way)) for x in (X, mapped)
        ]
        assert torch.equal(*made)


def test_only_convolutional_networks_that_learn_classes_move_pictures_unasked():
    loader = DataLoader(TensorDataset(X, Y), batch_size=8)
    usual = [
        ((X, Y), NET, "shift"),
        ((X, Y), mlp(3), "none"),
        ((X, Y.double()), NET, "none"),
        (loader, NET, "none"),
    ]
    for data, net, wanted in usual:
        training = train(data, net, steps=1)
        assert (training.config.shared.augment, training.config.shared.flip) == (wanted, False)
        assert training.plan.augmentation == Augmentation(shift=int(wanted == "shift"))
    assert train((X, Y.double()), NET, steps=1, augment="shift").plan.augmentation.shift == 1


@pytest.mark.parametrize("asked", [{"augment": "shift"}, {"flip": True}, {"augment": "none", "flip": True}])
@pytest.mark.parametrize(
    ("data", "net", "rule", "word"),
    [
        ((X, Y), mlp(3), "augment_net", "cnn"),
        ((X, Y), torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(510, 3)), "augment_net", "cnn"),
        (DataLoader(TensorDataset(X, Y), batch_size=8), NET, "augment_rows", "Dataset"),
    ],
    ids=["mlp", "own", "loader"],
)
def test_changes_are_refused_where_there_are_none_to_make(data, net, rule, word, asked):
    refused = refusal_of(train, data, net, **asked)
    assert refused.rule == rule
    assert word in refused.hint
    assert ("flip" in asked) == ("flip" in refused.message)
