"""Trainings end quickly; programs for processes that train; a folder of each kind of training."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.forged_folders import Made, make
from tests.quick_ends import _quick_ends  # noqa: F401

QUICK_END = """
from treino.cli import command
from treino.inspection import baselines

baselines.TREES = 4
command()
"""
STOPS = """
import os, sys
from treino.training import loop
from treino.cli import command, progress
from treino.training import train
from treino.training.sweeps import bracket, sweep

train.CHUNK_SECONDS = bracket.CHUNK_SECONDS = sweep.CHECKPOINT_SECONDS = loop.CHECKPOINT_SHARE = 0.0
number, show, shown = int(sys.argv.pop(1)), progress.ProgressLine.show, []

def show_and_stop(line, event):
    show(line, event)
    shown.append(event)
    if len(shown) == 25:
        os.kill(os.getpid(), number)

progress.ProgressLine.show = show_and_stop
command()
"""


def stopped(number: int, *words: str) -> subprocess.CompletedProcess[str]:
    """A command that gets this signal in the midst of its steps; each of them is a checkpoint."""
    line = [sys.executable, "-c", STOPS, str(int(number)), *words]
    return subprocess.run(line, capture_output=True, text=True, check=False)


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """The place of a kind of folder, made once."""
    known: dict[str, Path] = {}

    def of(base: str) -> Path:
        if base not in known:
            known[base] = tmp_path_factory.mktemp("base") / "place"
            make(base, known[base])
        return known[base]

    return of
