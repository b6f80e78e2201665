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


class Forks:
    """A process with the store loaded that forks one child per order and says its number."""

    def __init__(self) -> None:
        self._server = subprocess.Popen(
            [sys.executable, "-m", "tests.folders.children"],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._server.stdout is not None
        assert self._server.stdout.readline() == "ready\n"

    def __call__(self, order: str, *words: object) -> int:
        """Fork a child that does `order`; its process number."""
        assert self._server.stdin is not None
        assert self._server.stdout is not None
        self._server.stdin.write("\t".join([order, *map(str, words)]) + "\n")
        self._server.stdin.flush()
        return int(self._server.stdout.readline())

    def close(self) -> None:
        """Let the server end."""
        assert self._server.stdin is not None
        assert self._server.stdout is not None
        self._server.stdin.close()
        self._server.wait(HANG)
        self._server.stdout.close()


@pytest.fixture(scope="session")
def fork() -> Iterator[Callable[..., int]]:
    """`fork("write", path, …)` starts a real process; see `tests.folders.children`."""
    server = Forks()
    yield server
    server.close()
