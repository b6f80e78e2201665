"""Seconds of ``treino train wine`` in a new process, and what importing treino adds to importing torch."""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from statistics import median

from benchmarks.result import Result, Table
from benchmarks.timing import Spent, Work, budget, interleaved, wall

TRAIN_LIMIT, IMPORT_LIMIT = 6.0, 0.5
IMPORTS = (
    "import time, torch; begin, processor = time.perf_counter(), time.process_time(); {what}; "
    "print(time.perf_counter() - begin, time.process_time() - processor)"
)
DOOR = "import treino; [getattr(treino, name) for name in treino.__all__]"


def run(quick: bool) -> Result:
    rounds = 1 if quick else 3
    works = {
        "treino train wine": _command(["-m", "treino", "train", "wine"]),
        "import torch": _command(["-c", "import torch"]),
        "import treino, after torch": _printed(IMPORTS.format(what="import treino")),
        "all names of its door, after torch": _printed(IMPORTS.format(what=DOOR)),
    }
    if quick:
        works = {name: work for name, work in works.items() if name.startswith("import t")}
    found = interleaved(works, rounds, warm=0 if quick else 1)
    limits = dict.fromkeys(works, IMPORT_LIMIT) | {"treino train wine": TRAIN_LIMIT}
    rows = tuple(
        (name, f"{wall(found, name):.3f}", f"{median(s.processor for s in spent):.3f}")
        + (("–", "–") if name == "import torch" else budget(wall(found, name), limits[name], at_most=True))
        for name, spent in found.items()
    )
    return Result(
        (Table("A new process", ("what", "s", "of processor, s", "budget", "kept"), rows),),
        f"{rounds} interleaved rounds of new processes after one that warms the disk's cache; medians; the "
        "times of the machine as it is, no ratio.",
        ("A first start after boot, when the files of torch come from the disk.",),
        figures={name: round(wall(found, name), 3) for name in works},
    )


def _command(words: Sequence[str]) -> Work:
    def run() -> Spent:
        begin, before = time.perf_counter(), os.times()
        with tempfile.TemporaryDirectory() as folder:
            subprocess.run([sys.executable, *words], cwd=folder, check=True, capture_output=True)
        after = os.times()
        processor = (
            after.children_user + after.children_system - before.children_user - before.children_system
        )
        return Spent(time.perf_counter() - begin, processor)

    return run


def _printed(code: str) -> Work:
    def run() -> Spent:
        said = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
        return Spent(*map(float, said.stdout.split()))

    return run
