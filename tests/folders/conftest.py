"""Fixtures of the store's tests: a small finished run, and a server that forks processes to be killed."""

import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.waiting import HANG
from treino.base import files
from treino.base.errors import TreinoError
from treino.folders.store import RunFolder, database

ROOT = Path(__file__).parents[2]


def fill(folder: RunFolder) -> RunFolder:
    """What a training writes, small."""
    folder.write_json("spec.json", {"asked": {"lr": 0.1}, "resolved": {"lr": 0.1, "name": "açaí"}})
    folder.write_json("preparation.json", {"mean": [0.1, 1 / 3], "scale": [1.0, 2.0]})
    tables = folder.database
    for step in range(0, 40, 10):
        tables.add_losses(0, step, np.arange(step, step + 10, dtype=np.float32) / 7)
        tables.add_epoch(0, step // 10 + 1, "validation", "loss", step / 3)
        tables.add_event(0, step + 10, "noted", {"step": step})
        folder.checkpoint(
            {"w": torch.full((3, 2), float(step + 10))}, {"step": step + 10, "best": float("inf")}
        )
    folder.write_tensors("model.safetensors", {"0.weight": torch.arange(6.0).reshape(2, 3).t()}, {"kept": 4})
    folder.write_json("result.json", {"loss": [1.0, float("nan")], "steps": 40})
    return folder


def rule(caught: pytest.ExceptionInfo[TreinoError]) -> tuple[str, int]:
    """The error's short id and exit status."""
    return caught.value.rule, caught.value.status


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody pulls the plug in these tests; `test_faults` has its own disk, which counts every fsync."""
    monkeypatch.setattr(files, "_fsync", lambda descriptor: None)
    monkeypatch.setattr(database, "_SYNCHRONOUS", "OFF")


@pytest.fixture(scope="session")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sealed run that nobody changes."""
    with fill(RunFolder.create(parent=tmp_path_factory.mktemp("original"), stem="wine")) as folder:
        folder.seal("finished")
    return folder.path


@pytest.fixture
def finished(tmp_path: Path, original: Path) -> RunFolder:
    """A sealed run of the test's own, in `tmp_path`/runs."""
    return RunFolder.open(shutil.copytree(original, tmp_path / "runs" / "wine-1"))


@pytest.fixture(scope="session")
def fork() -> Iterator[Callable[..., int]]:
    """`fork("write", path, …)` starts a real process and returns its number; see `tests.folders.children`, a
    process with the store loaded that forks a child for each order."""
    command, pipe = [sys.executable, "-m", "tests.folders.children"], subprocess.PIPE
    with subprocess.Popen(command, cwd=ROOT, stdin=pipe, stdout=pipe, text=True) as server:
        orders, answers = server.stdin, server.stdout
        assert answers.readline() == "ready\n"

        def forked(order: str, *words: object) -> int:
            orders.write("\t".join([order, *map(str, words)]) + "\n")
            orders.flush()
            return int(answers.readline())

        yield forked
        orders.close()
        server.wait(HANG)
