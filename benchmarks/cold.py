"""``treino train wine`` from a cold shell, and what importing treino adds to importing torch."""

import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from statistics import median

from benchmarks.result import Result, Table
from benchmarks.timing import Spent, Work, budget, interleaved

TRAIN_LIMIT, IMPORT_LIMIT = 6.0, 0.5
IMPORTS = "import time, torch; begin = time.perf_counter(); {what}; print(time.perf_counter() - begin)"
DOOR = "import treino; [getattr(treino, name) for name in treino.__all__]"


def run(quick: bool) -> Result:
    rounds = 1 if quick else 5
    works = {
        "treino train wine": _command(["-m", "treino", "train", "wine"]),
        "import torch": _command(["-c", "import torch"]),
        "import treino, after torch": _printed(IMPORTS.format(what="import treino")),
        "all names of its door, after torch": _printed(IMPORTS.format(what=DOOR)),
    }
    if quick:
        works = {name: work for name, work in works.items() if name.startswith("import t")}
    found = {
        name: [spent.wall for spent in all_of_it]
        for name, all_of_it in interleaved(works, rounds, warm=0 if quick else 1).items()
    }
    limits = dict.fromkeys(works, IMPORT_LIMIT) | {"treino train wine": TRAIN_LIMIT}
    rows = tuple(
        (name, f"{median(seconds):.3f}", f"{min(seconds):.3f}")
        + (("–", "–") if name == "import torch" else budget(median(seconds), limits[name], at_most=True))
        for name, seconds in found.items()
    )
    return Result(
        (Table("A new process", ("what", "median, s", "least, s", "budget", "kept"), rows),),
        f"{rounds} interleaved rounds of new processes after one that warms the disk's cache; the times of "
        "the machine as it is, no ratio.",
        ("A first start after boot, when the files of torch come from the disk.",),
        figures={name: round(median(seconds), 3) for name, seconds in found.items()},
    )


def _command(words: Sequence[str]) -> Work:
    def run() -> Spent:
        begin = time.perf_counter()
        with tempfile.TemporaryDirectory() as folder:
            subprocess.run([sys.executable, *words], cwd=folder, check=True, capture_output=True)
        return Spent(time.perf_counter() - begin, 0.0)

    return run


def _printed(code: str) -> Work:
    def run() -> Spent:
        said = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
        return Spent(float(said.stdout), 0.0)

    return run
