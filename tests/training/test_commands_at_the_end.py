"""Commands to a training that ends at the same moment, from Python: each is in its folder, or refused."""

import itertools
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import treino as tr
from treino.base.errors import TreinoError
from treino.folders.store import RunFolder
from treino.settings.spec import Settings
from treino.training.commands import send_stop
from treino.training.loop import JobEvent
from treino.training.stored_results import open_run
from treino.training.sweeps.study import study_events
from treino.training.sweeps.sweep import sweep_events
from treino.training.train import train_events

pytestmark = pytest.mark.usefixtures("bare")

ROWS = np.random.default_rng(0).normal(size=(60, 2)), np.arange(60) % 2
SETTINGS = {"epochs": 3, "hidden": (4,), "engine": "batched", "threads": 1}

BEGIN: dict[str, Callable[[Path], Iterator[JobEvent]]] = {
    "run": lambda out: train_events(ROWS, Settings(**SETTINGS, out=str(out))),
    "sweep": lambda out: sweep_events(
        ROWS, {"lr": [0.1, 0.01]}, settings=SETTINGS, out=out, sampler="grid", strategy="none", fresh=0
    ),
    "study": lambda out: study_events(ROWS, batch_sizes=[8], settings=SETTINGS, out=out),
}


def steer(path: Path) -> None:
    """A change of its learning rate; to those that have none, and to some runs, a stop."""
    if RunFolder.open(path, verify=False).kind == "run" and int(path.name) % 2:
        tr.Run.of(open_run(path, verify=False)).set("lr", 0.02)
    else:
        send_stop(RunFolder.open(path, verify=False))


@pytest.mark.parametrize("kind", BEGIN)
def test_a_training_that_is_steered_as_it_ends_is_whole(tmp_path: Path, kind: str, thorough: bool) -> None:
    for number in range((10 if kind == "sweep" else 30) if thorough else 4):
        path, taken, refused = tmp_path / str(number), itertools.count(), list[str]()
        events = BEGIN[kind](path)
        next(events)

        def send(path: Path = path, taken: Any = taken, refused: list[str] = refused) -> None:
            while not refused:
                try:
                    steer(path)
                    next(taken)
                except TreinoError as error:
                    refused.append(error.rule)

        sender = threading.Thread(target=send)
        sender.start()
        for _event in events:
            pass
        sender.join()
        assert refused == ["not_running"]
        commands = tr.open(path).folder.database.commands()
        assert len(commands) == next(taken)
        assert "new" not in {command.state for command in commands}
