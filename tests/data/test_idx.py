"""IDX files: MNIST as it is, both spellings, packed or not, and every way in which a file may be damaged."""

import gzip
import os
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.conftest import refusal_of
from treino.base.errors import TreinoError
from treino.data import load, rows_for_prediction
from treino.data.readers import idx


def refusal(name: str = "fashion-mnist") -> TreinoError:
    return refusal_of(load, name)


def test_plain_files_are_read_and_their_unknown_checksum_is_said(small: Path) -> None:
    data = load("fashion-mnist", validation=0.2)
    assert data.kind == "image"
    assert data.item_shape == (1, 28, 28)
    assert len(data.features) == 784
    assert data.features[29] == "pixel_1_1"
    assert data.official_test
    assert data.test.index.tolist() == list(range(60, 70))
    assert len(data.train) + len(data.validation) == 60
    assert data.classes[0] == "T-shirt/top"
    assert "No checksum is known for train-images-idx3-ubyte" in data.notes[0]
    raw = np.frombuffer((small / "t10k-images-idx3-ubyte").read_bytes(), np.uint8, offset=16).reshape(10, 784)
    np.testing.assert_allclose(data.preparation.inverse(data.test.x), raw, atol=1e-3)
    x_ND = data.train.x.double()
    assert abs(float(x_ND.mean())) < 1e-6
    assert float(x_ND.std(unbiased=False)) == pytest.approx(1, abs=1e-6)


def test_pixels_are_predicted_like_any_other_columns(small: Path) -> None:
    data = load("fashion-mnist")
    everything = rows_for_prediction("fashion-mnist", data.preparation)
    assert torch.equal(everything.x[data.test.index], data.test.x)
    pixels_ND = data.preparation.inverse(data.test.x)
    np.testing.assert_allclose(rows_for_prediction(pixels_ND, data.preparation).x, data.test.x, atol=1e-5)
    some = load("fashion-mnist", features=["pixel_1_1", "pixel_0_5"])
    assert some.item_shape == (2,)
    assert load("fashion-mnist", features=data.features[::-1]).item_shape == (784,)
    np.testing.assert_allclose(some.preparation.inverse(some.test.x), pixels_ND[:, [29, 5]], atol=1e-3)


def test_packed_files_and_the_dotted_spelling_are_found(small: Path) -> None:
    before = load("fashion-mnist")
    for stem in idx.MNIST:
        content = (small / stem).read_bytes()
        (small / stem).unlink()
        (small / f"{stem.replace('-idx', '.idx')}.gz").write_bytes(gzip.compress(content, 1))
    assert torch.equal(load("fashion-mnist").train.x, before.train.x)


def test_a_training_image_that_is_also_a_test_image_is_left_out(small: Path) -> None:
    train, test = small / "train-images-idx3-ubyte", small / "t10k-images-idx3-ubyte"
    content = train.read_bytes()
    train.write_bytes(content[:16] + test.read_bytes()[16 : 16 + 784] + content[16 + 784 :])
    data = load("fashion-mnist")
    assert 0 not in data.train.index
    assert 0 not in data.validation.index
    assert len(data.train) + len(data.validation) == 59
    assert any("equal a test row: 1" in note for note in data.notes)


def test_missing_files_are_named_with_the_folder(small: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(small))
    (small / "t10k-labels-idx1-ubyte").unlink()
    error = refusal()
    assert error.rule == "offline"
    assert "digits" in (error.hint or "")
    assert f"{small / 'treino' / 'fashion-mnist'}" in error.hint
    assert "t10k-labels-idx1-ubyte" in error.message
    assert "train" not in error.message


@pytest.mark.parametrize(
    ("damage", "word"),
    [
        (lambda content: content[:-1], "bytes, not"),
        (lambda content: content + b"x", "bytes, not"),
        (lambda content: b"\1" + content[1:], "header"),
        (lambda content: b"", "header is empty"),
        (lambda content: content[:7] + b"\2" + content[8:], "header"),
        (lambda content: gzip.compress(content)[:-9], "damaged"),
        (lambda content: gzip.compress(content)[:40] + b"\xff\xff" + gzip.compress(content)[42:], "damaged"),
    ],
)
def test_a_damaged_file_is_named(small: Path, damage: object, word: str) -> None:
    path = small / "train-images-idx3-ubyte"
    path.write_bytes(damage(path.read_bytes()))
    error = refusal()
    assert error.rule == "idx_damaged"
    assert f"'{path}'" in error.message
    assert word in error.message


def test_a_label_out_of_range_is_refused(small: Path) -> None:
    path = small / "t10k-labels-idx1-ubyte"
    path.write_bytes(path.read_bytes()[:-1] + b"\x0c")
    error = refusal()
    assert error.rule == "idx_damaged"
    assert "label 12" in error.message


def test_a_wrong_checksum_is_refused(small: Path) -> None:
    small.rename(small.with_name("mnist"))
    error = refusal("mnist")
    assert error.rule == "idx_damaged"
    assert "SHA-256" in error.message
    assert "train-images-idx3-ubyte" in error.message


def have_mnist() -> bool:
    return (Path(os.environ.get("TREINO_DATA", "")) / "mnist").is_dir() and "TREINO_DATA" in os.environ


@pytest.mark.skipif(not have_mnist(), reason="needs MNIST's files in $TREINO_DATA/mnist")
class TestMnist:
    def test_mnist_keeps_its_own_test_set(self) -> None:
        data = load("mnist")
        assert [len(rows) for rows in data.splits.values()] == [51_000, 9_000, 10_000]
        assert data.classes == tuple("0123456789")
        assert data.test.index[0] == 60_000
        assert data.test.y[:5].tolist() == [7, 2, 1, 0, 4]  # as every tutorial prints them
        assert data.notes == ()
        assert float(data.train.x.double().mean()) == pytest.approx(0, abs=1e-5)
        (mean,), (scale,) = data.preparation.mean, data.preparation.scale
        assert (round(mean, 2), round(scale, 2)) == (0.13, 0.31)  # the well-known figures
        share_C = torch.bincount(data.validation.y) / torch.bincount(
            torch.cat([data.train.y, data.validation.y])
        )
        assert (share_C - 0.15).abs().max() < 1e-3
