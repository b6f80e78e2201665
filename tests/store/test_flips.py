"""One flipped bit, anywhere in a finished run: never silent, and the error names the file."""

import random
from pathlib import Path

import numpy as np
import pytest

from tests.store.conftest import fill
from treino.errors import TreinoError
from treino.store import RunFolder, list_runs

NAMES = (
    "manifest.json",
    "spec.json",
    "preparation.json",
    "result.json",
    "run.sqlite",
    "model.safetensors",
    "checkpoint/a.safetensors",
    "checkpoint/b.safetensors",
)


def flip(path: Path, place: int) -> None:
    """Flip bit `place` of the file, in place; once more flips it back."""
    with path.open("r+b") as file:
        file.seek(place // 8)
        byte = file.read(1)[0]
        file.seek(place // 8)
        file.write(bytes([byte ^ 1 << place % 8]))


def read(folder: RunFolder, name: str) -> object:
    """The file's content as its reader asks for it."""
    if name == "run.sqlite":
        return folder.database.losses()
    if name.startswith("checkpoint"):
        return folder.last_checkpoint()
    return folder.read_tensors(name) if name.endswith(".safetensors") else folder.read_json(name)


def noticed(path: Path, name: str) -> None:
    """Every way to read the file says that it is not what was written, and which one it is."""
    with pytest.raises(TreinoError) as caught:
        RunFolder.open(path)
    assert str(path / name) in caught.value.message
    assert caught.value.rule in ("run_damaged", "run_newer")
    assert caught.value.status == 2
    if name == "manifest.json":
        assert list_runs(path.parent)[0].status == "damaged"
        return
    folder = RunFolder.open(path, verify=False)
    with pytest.raises(TreinoError) as caught:
        read(folder, name)
    assert str(path / name) in caught.value.message
    with pytest.raises(TreinoError, match="damaged"):
        folder.unseal()
    folder.close()


def test_all_files_of_a_run_are_tried(finished: RunFolder) -> None:
    files = {
        path.relative_to(finished.path).as_posix() for path in finished.path.rglob("*") if path.is_file()
    }
    assert files == set(NAMES)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("count", [13, pytest.param(125, marks=pytest.mark.slow)], ids=["quick", "many"])
def test_no_flip_is_silent(finished: RunFolder, name: str, count: int) -> None:
    path = finished.path / name
    size = path.stat().st_size * 8
    places = {0, size - 1, *random.Random(name + str(count)).sample(range(size), count - 2)}
    for place in places:
        flip(path, place)
        noticed(finished.path, name)
        flip(path, place)
        (finished.path / ".lock").unlink(missing_ok=True)
    RunFolder.open(finished.path)


def test_no_flip_in_the_losses_of_a_killed_run_is_silent(tmp_path: Path) -> None:
    with fill(RunFolder.create(parent=tmp_path, name="a")) as folder:
        folder.database.add_losses(0, 40, np.ones(5))
    path = folder.path / "run.sqlite"
    with folder.lock():
        assert folder.last_checkpoint() is not None
    whole = path.read_bytes()
    for first in range(0, 40, 10):
        start = whole.index((np.arange(first, first + 10, dtype="<f4") / np.float32(7)).tobytes()) * 8
        for place in random.Random(first).sample(range(start, start + 320), 5):
            flip(path, place)
            with folder.lock(), pytest.raises(TreinoError, match=r"run\.sqlite is damaged"):
                folder.last_checkpoint()
            flip(path, place)
    with folder.lock():
        assert folder.last_checkpoint() is not None


@pytest.mark.slow
@pytest.mark.parametrize("name", ["manifest.json", "spec.json"])
def test_no_bit_of_a_small_file_can_flip(finished: RunFolder, name: str) -> None:
    path = finished.path / name
    for place in range(path.stat().st_size * 8):
        flip(path, place)
        with pytest.raises(TreinoError) as caught:
            RunFolder.open(finished.path)
        assert str(path) in caught.value.message
        flip(path, place)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("change", ["shortened", "lengthened", "emptied"])
def test_no_other_change_is_silent(finished: RunFolder, name: str, change: str) -> None:
    path = finished.path / name
    whole = path.read_bytes()
    path.write_bytes({"shortened": whole[:-1], "lengthened": whole + b" ", "emptied": b""}[change])
    noticed(finished.path, name)
