"""Trainings end quickly, as in the workflows' tests; programs for processes that train."""

import subprocess
import sys

from tests.quick_ends import _quick_ends  # noqa: F401

WITHOUT_PICTURES = """
from treino.cli import command
from treino.inspection import baselines
from treino.reports.pictures import picture_files

baselines.TREES, picture_files.illustrate = 4, lambda _run: None
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
