"""Folders of runs, a sweep and a study, whole and killed, as the installed treino makes them.

``python older_folders.py FOLDER`` writes FOLDER/older.tar.gz, with a treino of before 24 November 2026.
"""

import os
import shutil
import signal
import sys
import tarfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import treino

NAMES = ("whole", "rewound", "cut", "sweep", "sweep-cut", "study", "study-cut")
RUN: dict[str, Any] = {
    "hidden": [4],
    "epochs": 12,
    "batch_size": 16,
    "seed": 1,
    "every": 10,
    "engine": "flat-loop",
}


def killed(folder: Path, train: Callable[[], Any]) -> None:
    """Train in a child of this process, which is killed soon after the folder's first checkpoint."""

    def kill_later() -> None:
        while not any(folder.glob("checkpoint*")):
            time.sleep(0.005)
        time.sleep(0.05)
        os.kill(os.getpid(), signal.SIGKILL)

    pid = os.fork()
    if pid == 0:
        threading.Thread(target=kill_later, daemon=True).start()
        train()
        os._exit(1)
    assert os.waitpid(pid, 0)[1] == signal.SIGKILL, f"{folder.name} was over before it was killed"


def main(place: Path) -> None:
    runs = place / "runs"
    here: dict[str, Any] = {"parent": runs}
    long = RUN | {"epochs": 2_500, "every": None, "steps": None}
    killed(runs / "cut", lambda: treino.fit("wine", lean=True, name="cut", **here, **long))
    few: dict[str, Any] = {"hidden": [4], "seed": 1}
    halving = few | {"members": 8, "sampler": "grid", "fresh": 2}
    space = {"lr": [0.3, 0.01, 0.001, 0.03], "dropout": [0.0, 0.2]}
    killed(
        runs / "sweep-cut",
        lambda: treino.sweep("iris", space, epochs=2_000, name="sweep-cut", **here, **halving),
    )
    killed(
        runs / "study-cut",
        lambda: treino.study("iris", batch_sizes=[50, 20], epochs=1_200, name="study-cut", **here, **few),
    )
    treino.fit("wine", lean=True, name="whole", **here, **RUN)
    treino.fit("wine", lean=True, name="rewound", **here, **RUN).rewind(30, lr=0.02)
    treino.sweep("iris", space, epochs=6, name="sweep", **here, **halving)
    treino.study("iris", batch_sizes=[50, 20], epochs=3, name="study", **here, **few)
    for pictures in runs.rglob("pictures"):
        shutil.rmtree(pictures)
    with tarfile.open(place / "older.tar.gz", "w:gz") as archive:
        for name in NAMES:
            archive.add(runs / name, name)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
