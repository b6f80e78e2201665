"""One flipped bit, anywhere in a finished run: never silent, and the error names the file."""

import random
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.folders.conftest import fill
from treino.base.errors import TreinoError
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
def test_no_flip_is_silent(finished: RunFolder, name: str, thorough: bool) -> None:
    path, count = finished.path / name, 125 if thorough else 25
    size = path.stat().st_size * 8
    places = {0, size - 1, *random.Random(name + str(count)).sample(range(size), count - 2)}
    for place in places:
        flip(path, place)
        noticed(finished.path, name)
        flip(path, place)
        (finished.path / ".lock").unlink(missing_ok=True)
    RunFolder.open(finished.path)


# ---- a run that was killed


def killed(parent: Path) -> Path:
    """What is left of a run whose process died after its checkpoint, with the log of its tables."""
    with fill(RunFolder.create(parent=parent, name="live")) as folder:
        tables = folder.database
        tables.add_command("lr", 0.5, 45)
        (command,) = tables.poll_commands()
        tables.mark_command(command.id, "applied", 45, 0)
        tables.flush()
        tables.add_losses(0, 40, np.ones(9))
        tables.add_epoch(0, 5, "validation", "loss", 0.25)
        tables.flush()
        shutil.copytree(folder.path, parent / "dead", ignore=shutil.ignore_patterns(".lock", "*-shm"))
    return parent / "dead"


def seen(folder: RunFolder) -> list[Any]:
    """All that a reader is told: documents, then rows in their order."""
    tables = folder.database
    documents = [folder.read_json(name) for name in ("spec.json", "preparation.json", "result.json")]
    model, facts = folder.read_tensors("model.safetensors")
    documents += [{name: tensor.tolist() for name, tensor in model.items()}, facts]
    return [documents, tables.losses().tolist(), tables.epochs(), tables.events(), tables.commands()]


def taken_up(folder: RunFolder) -> list[Any]:
    """All that a resume goes on from."""
    with folder:
        folder.unseal()
        kept = folder.last_checkpoint()
        assert kept is not None
        step = kept[1]["step"]
        folder.database.cut(0, step, step // 10)
        return [{name: tensor.tolist() for name, tensor in kept[0].items()}, kept[1], *seen(folder)]


def answer(ask: Callable[[RunFolder], list[Any]], path: Path) -> list[Any] | None:
    """What it finds; None where it says that something is wrong."""
    try:
        folder = RunFolder.open(path)
        found = ask(folder)
    except TreinoError as error:
        return None if str(path) in error.message else [error]
    return None if folder.notices else found


@pytest.mark.parametrize("log", [True, False], ids=["with its log", "without a log"])
def test_no_flip_in_a_killed_run_is_silent(tmp_path: Path, log: bool, thorough: bool) -> None:
    count = 300 if thorough else 60
    dead, chance = killed(tmp_path), random.Random(count)
    if not log:
        with RunFolder.open(dead).lock() as folder:
            folder.database.flush()
        (dead / ".lock").unlink()
    files = {path.relative_to(dead).as_posix(): path.stat().st_size for path in dead.rglob("*.*")}
    assert {*files} == {*NAMES, *(["run.sqlite-wal"] if log else [])}
    whole = {ask: answer(ask, shutil.copytree(dead, tmp_path / ask.__name__)) for ask in (seen, taken_up)}
    told = dict.fromkeys(files, 0)
    for _time in range(count):
        name = chance.choice(sorted(files))
        place = chance.randrange(files[name] * 8)
        for ask, expected in whole.items():
            assert expected is not None
            copy = shutil.copytree(dead, tmp_path / "copy")
            flip(copy / name, place)
            found = answer(ask, copy)
            assert found in (expected, None), (name, place)
            told[name] += found is None
            shutil.rmtree(copy)
    assert not thorough or all(n for name, n in told.items() if not log or "sqlite" not in name)


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
