"""Photographs are decoded once, into pixels that every training reads with the same bits, also from disk."""

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import treino as tr
from tests.conftest import refusal_of
from treino.data import load
from treino.data.dataset import Data
from treino.data.photographs import prepared_pictures
from treino.data.prepared_cache import MANIFEST

CLASSES = ("bird", "cat")


def picture(seed: int, side: int = 20) -> np.ndarray:
    """A picture in colour that is like no other: random colours that blend into each other."""
    small = np.random.default_rng(seed).integers(0, 256, (5, 5, 3), dtype=np.uint8)
    return np.asarray(Image.fromarray(small).resize((side, side), Image.Resampling.BICUBIC))


def write(folder: Path, n: int = 12, side: int = 20) -> Path:
    for number, name in enumerate(CLASSES):
        (folder / name).mkdir(parents=True)
        for i in range(n):
            Image.fromarray(picture(100 * number + i, side)).save(folder / name / f"{i:02}.png")
    return folder


def same(ours: Data, data: Data) -> None:
    for split, rows in data.splits.items():
        assert torch.equal(ours.splits[split].x[:], rows.x[:]), split
        assert ours.splits[split].y.equal(rows.y)
        assert ours.splits[split].index.equal(rows.index)


@pytest.fixture
def decoded(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The files that were decoded, in any order."""
    names: list[str] = []
    decode: Callable[..., object] = prepared_pictures._into

    def recorded(album: object, each: list[str], *more: object) -> object:
        names.extend(each)
        return decode(album, each, *more)

    monkeypatch.setattr(prepared_pictures, "_into", recorded)
    return names


def test_inputs_are_the_pixels_standardised_by_training_rows(tmp_path: Path) -> None:
    data = load(write(tmp_path / "p"))
    assert data.item_shape == (3, 20, 20)
    share = {name: [] for name in data.splits}
    for split, rows in data.splits.items():
        for x, row in zip(rows.x, rows.index.tolist(), strict=True):
            pixel = np.asarray(Image.open(tmp_path / "p" / data.file_names[row])).transpose(2, 0, 1)
            share[split].append((x.numpy().reshape(3, 20, 20), pixel / 255))
    trained = np.stack([pixel for _x, pixel in share["train"]])
    for x, pixel in (pair for pairs in share.values() for pair in pairs):
        np.testing.assert_allclose(x, (pixel - trained.mean()) / trained.std(), atol=1e-5)
    assert data.classes == CLASSES
    for rows in data.splits.values():
        assert [CLASSES[y] for y in rows.y] == [data.file_names[i].split("/")[0] for i in rows.index]


def test_a_folder_is_decoded_once(tmp_path: Path, decoded: list[str]) -> None:
    folder, cache = write(tmp_path / "p"), tmp_path / "cache"
    first = load(folder, cache=cache)
    assert len(decoded) == 24
    same(load(folder, cache=cache), first)
    load(folder, cache=cache, data_seed=3, validation=0.3)  # another split of the same pixels
    assert len(decoded) == 24
    load(folder, cache=cache, image_size=(10, 10))
    assert len(decoded) == 48


def test_a_changed_picture_and_a_damaged_file_of_pixels_are_noticed(
    tmp_path: Path, decoded: list[str]
) -> None:
    folder, cache = write(tmp_path / "p"), tmp_path / "cache"
    before = load(folder, cache=cache)
    Image.fromarray(picture(999)).save(folder / "cat" / "03.png")
    after = load(folder, cache=cache)
    assert len(decoded) == 48
    assert after.sha256 != before.sha256
    (kept,) = (path.parent for path in cache.glob(f"*/{MANIFEST}"))
    with (kept / prepared_pictures.PIXELS).open("r+b") as file:
        byte = file.read(1)[0]
        file.seek(0)
        file.write(bytes([byte ^ 1]))
    same(load(folder, cache=cache), after)
    assert len(decoded) == 72


def test_a_change_that_keeps_size_and_time_is_noticed_once(tmp_path: Path, decoded: list[str]) -> None:
    folder, cache = write(tmp_path / "p"), tmp_path / "cache"
    for path in folder.rglob("*.png"):
        Image.open(path).save(path.with_suffix(".bmp"))  # each as large as any other
        path.unlink()
    before = load(folder, cache=cache)
    path = folder / "cat" / "03.bmp"
    times = path.stat()
    Image.fromarray(picture(999)).save(path)
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert path.stat().st_size == times.st_size
    after = load(folder, cache=cache)
    assert after.sha256 != before.sha256
    same(load(folder, cache=cache), after)
    assert len(decoded) == 48


def test_almost_equal_pictures_are_never_on_two_sides_of_the_split(tmp_path: Path) -> None:
    folder = write(tmp_path / "p", 20, side=60)
    for name in CLASSES:  # brighter, or saved with losses
        for i in range(20):
            with Image.open(folder / name / f"{i:02}.png") as original:
                if i % 2:
                    original.point(lambda value: value * 0.9 + 20).save(folder / name / f"{i:02}-b.png")
                else:
                    original.save(folder / name / f"{i:02}-b.jpg", quality=80)
    for seed in range(3):
        data = load(folder, data_seed=seed, validation=0.25, test=0.25)
        split_of = {
            data.file_names[row][:-4]: split
            for split, rows in data.splits.items()
            for row in rows.index.tolist()
        }
        for name in CLASSES:
            for i in range(20):
                assert split_of[f"{name}/{i:02}"] == split_of[f"{name}/{i:02}-b"]
    assert any("40" in note and "almost equal" in note for note in data.notes)


def test_processes_decode_what_threads_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = write(tmp_path / "p", 40)
    (folder / "cat" / "05.png").write_bytes((folder / "cat" / "05.png").read_bytes()[:60])
    by_threads = load(folder, skip_bad=1)
    monkeypatch.setattr(prepared_pictures, "_FORKED", 1)
    monkeypatch.setattr(prepared_pictures, "cpu_cores", lambda: 3)
    by_processes = load(folder, skip_bad=1)
    same(by_processes, by_threads)
    assert by_processes.sha256 == by_threads.sha256
    assert by_processes.notes == by_threads.notes
    assert "cut off" in str(refusal_of(load, folder))


@pytest.mark.slow
def test_training_from_disk_has_the_bits_of_training_from_memory(tmp_path: Path) -> None:
    folder = write(tmp_path / "p", 40)
    small, large = (
        tr.fit(folder, net=tr.cnn(4), epochs=3, batch_size=8, out=tmp_path / name, max_memory=most, lean=True)
        for name, most in (("a", None), ("b", "1KB"))
    )
    for (name, ours), theirs in zip(
        small.module.state_dict().items(), large.module.state_dict().values(), strict=True
    ):
        assert torch.equal(ours, theirs), name
    assert os.path.isdir(tmp_path / ".prepared")
