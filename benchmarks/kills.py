"""Trainings killed with SIGKILL at random moments and resumed: bit for bit equal to uninterrupted ones.

What is killed is ``treino train`` and each of its resumes, in a forked process; at last a resume gets
through, and everything that it computed is compared with a run that nobody touched. $TREINO_KILLS is how
many kills, 1000 by default.
"""

import importlib
import os
import random
import shutil
import signal
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from benchmarks.result import Result, Table
from benchmarks.timing import threads
from treino.api import Run
from treino.api import open as open_result
from treino.base.errors import TreinoError
from treino.settings.spec import read_settings
from treino.training import train
from treino.training.train import drain, resuming, train_events

KILLS = 1000
BASE: dict[str, Any] = {"epochs": 60, "seed": 3, "hidden": [17, 5], "name": "run"}
CASES: dict[str, dict[str, Any]] = {
    "plain": {},
    "dropout, cosine, warm-up, clipping": {"dropout": 0.3, "schedule": "cosine", "warmup": 7, "clip": 0.5},
    "early stopping": {"patience": 15, "epochs": 300, "lr": 0.02},
    "both faults": {"as_taught": True, "optimizer": "sgd", "momentum": 0.5, "lr": 1e-3},
    "batch norm": {"batch_norm": True, "dropout": 0.1},
    "kernel module": {"engine": "module", "dropout": 0.2},
    "kernel batched": {"engine": "batched", "dropout": 0.2, "optimizer": "adamw", "weight_decay": 0.1},
    "diverging": {"optimizer": "sgd", "lr": 1e5},
}
TIMES = ("seconds", "epoch_seconds", "evaluation_seconds", "run", "path")


def run(quick: bool) -> Result:
    wanted = 2 if quick else int(os.environ.get("TREINO_KILLS", KILLS))
    cases = list(CASES)[:1] if quick else list(CASES)
    kills, runs, unequal = Counter[str](), Counter[str](), Counter[str]()
    random_ = random.Random(0)
    for name in ("matplotlib.figure", "sklearn.linear_model", "treino.training.completion"):
        importlib.import_module(name)  # once for all forks
    train.CHUNK_SECONDS = 0.002  # many places at which these short trainings can be stopped
    begin = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder, threads(1):
        wholes = {name: _whole(Path(folder) / f"whole{i}", name) for i, name in enumerate(cases)}
        number = 0
        while sum(kills.values()) < wanted:
            name = cases[number % len(cases)]
            reference, length = wholes[name]
            begun = time.perf_counter()
            parent = Path(folder) / f"killed{number}"
            before = kills[name]
            kills[name] += _kill_and_resume(name, parent, random_, length)
            if not kills[name] - before:  # it was over before its time: the machine is faster now
                wholes[name] = reference, min(length, time.perf_counter() - begun)
            runs[name] += 1
            unequal[name] += not _equal(reference, open_result(parent / "run"))
            shutil.rmtree(parent)
            number += 1
    rows = [(name, f"{kills[name]:,}", f"{runs[name]:,}", str(unequal[name])) for name in cases]
    rows.append(("all", f"{kills.total():,}", f"{runs.total():,}", str(unequal.total())))
    return Result(
        (Table("Killed and resumed", ("training", "kills", "runs", "unequal"), tuple(rows)),),
        f"{time.perf_counter() - begin:.0f} s. Wine, 60 epochs or more, a checkpoint after each chunk; up to "
        "four kills a run at moments drawn evenly from its length, start and sealing included. Equal: "
        "weights, the last checkpoint's tensors, every step's loss, every evaluation and the whole document "
        "but its times, bit for bit.",
        (
            "Power cuts: SIGKILL leaves the operating system's cache. The tests of the store cut and fail "
            "single writes.",
        ),
        figures={"kills": kills.total(), "runs": runs.total(), "unequal": unequal.total()},
    )


def _whole(parent: Path, name: str) -> tuple[Run, float]:
    """The run that nobody touches, and its seconds."""
    begin = time.perf_counter()
    _child(lambda: drain(train_events("wine", read_settings(BASE | CASES[name]), parent=parent)), None)
    return open_result(parent / "run"), time.perf_counter() - begin


def _kill_and_resume(name: str, parent: Path, random_: random.Random, length: float) -> int:
    path, kills = parent / "run", 0

    def work() -> None:
        if _begun(path):
            drain(resuming(path, checkpoint_seconds=0))
        else:
            shutil.rmtree(path, ignore_errors=True)
            drain(
                train_events("wine", read_settings(BASE | CASES[name]), parent=parent, checkpoint_seconds=0)
            )

    for _attempt in range(4):
        if _finished(path):
            break
        kills += _child(work, random_.uniform(0, length))
    if not _finished(path):
        _child(work, None)
    return kills


def _finished(path: Path) -> bool:
    return _begun(path) and open_result(path).status != "interrupted"


def _begun(path: Path) -> bool:
    """Whether there is a run to resume: one that was killed before its settings were written says so."""
    if not (path / "manifest.json").exists():
        return False
    try:
        next(resuming(path))
    except TreinoError as error:
        return error.rule != "ended_before_it_began"
    return True


def _child(work: Callable[[], object], seconds: float | None) -> bool:
    """Do the work in a fork, killed after so many seconds; whether it was.

    Raises:
        RuntimeError: it failed by itself.
    """
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            work()
            code = 0
        finally:
            os._exit(code)
    if seconds is not None:
        time.sleep(seconds)
        os.kill(pid, signal.SIGKILL)
    _pid, status = os.waitpid(pid, 0)
    if not os.WIFSIGNALED(status) and os.waitstatus_to_exitcode(status):
        raise RuntimeError("a training that nobody killed failed")
    return os.WIFSIGNALED(status)


def _equal(a: Run, b: Run) -> bool:
    one, two = ({k: v for k, v in run.document.items() if k not in TIMES} for run in (a, b))
    return (
        one == two
        and a.losses.tobytes() == b.losses.tobytes()
        and a.evaluations == b.evaluations
        and _same(
            a.folder.read_tensors("model.safetensors")[0], b.folder.read_tensors("model.safetensors")[0]
        )
        and _same(_state(a), _state(b))
    )


def _state(run: Run) -> dict[str, torch.Tensor]:
    kept = run.folder.last_checkpoint()
    return {} if kept is None else dict(kept[0])


def _same(one: dict[str, torch.Tensor], two: dict[str, torch.Tensor]) -> bool:
    return one.keys() == two.keys() and all(
        torch.equal(tensor.nan_to_num(), two[name].nan_to_num()) for name, tensor in one.items()
    )
