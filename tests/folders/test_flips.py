"""One flipped bit, anywhere in a finished run: never silent, and the error names the file."""

import random
import shutil
from pathlib import Path

import numpy as np
import pytest

from tests.conftest import refusal_of
from tests.folders.conftest import fill
from treino.folders.store import RunFolder, list_runs

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
    caught = refusal_of(RunFolder.open, path)
    assert str(path / name) in caught.message
    assert caught.rule in ("run_damaged", "run_newer")
    assert caught.status == 2
    if name == "manifest.json":
        assert list_runs(path.parent)[0].status == "damaged"
        return
    folder = RunFolder.open(path, verify=False)
    assert str(path / name) in refusal_of(read, folder, name).message
    if name.startswith("checkpoint"):  # the other one is used: tests/cli/test_recovery.py
        return
    assert "damaged" in str(refusal_of(folder.unseal))
    folder.close()


def test_all_files_of_a_run_are_tried(finished: RunFolder) -> None:
    files = {
        path.relative_to(finished.path).as_posix() for path in finished.path.rglob("*") if path.is_file()
    }
    assert files == set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_no_flip_and_no_other_change_is_silent(finished: RunFolder, name: str, thorough: bool) -> None:
    path, count = finished.path / name, 125 if thorough else 25
    size = path.stat().st_size * 8
    places = {0, size - 1, *random.Random(name + str(count)).sample(range(size), count - 2)}
    for place in places:
        flip(path, place)
        noticed(finished.path, name)
        flip(path, place)
        (finished.path / ".lock").unlink(missing_ok=True)
    RunFolder.open(finished.path)
    whole = path.read_bytes()
    for changed in (whole[:-1], whole + b" ", b""):
        path.write_bytes(changed)
        noticed(finished.path, name)


def test_a_log_that_was_written_in_part_is_not_damaged(tmp_path: Path) -> None:
    """As a kill in the middle of a transaction leaves it: it was promised to nobody."""
    with fill(RunFolder.create(parent=tmp_path, name="live")) as folder:
        log = folder.path / "run.sqlite-wal"
        before = log.stat().st_size
        folder.database.add_losses(0, 40, np.ones(9))
        folder.database.flush()
        after = log.stat().st_size
        for size in range(before, after, 1000):
            dead = shutil.copytree(folder.path, tmp_path / str(size), ignore=shutil.ignore_patterns(".lock"))
            with (dead / log.name).open("r+b") as file:
                file.truncate(size)
            assert len(RunFolder.open(dead).database.losses()) == 40
    assert after > before
