"""Seconds of commands in new processes beside ``import torch``, and what importing treino adds to it."""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median

import numpy as np
import torch

from benchmarks.result import Result, Table
from benchmarks.timing import Spent, Work, budget, interleaved, processor, wall
from treino.data import load

TORCH, WINE, IMPORT = "import torch", "treino train wine", "import treino, after torch"
PREDICT = "treino predict, one row"
MIXED = "treino train, 3,000 rows of 60 columns: numbers, words, dates"
WIDE = "treino train, 60 rows of 3,000 columns, one epoch"
DOOR = "all names of its door but the estimators, after torch"
LIMITS = {WINE: 0.7, PREDICT: 0.5, MIXED: 4.0, WIDE: 3.0, IMPORT: 0.5, DOOR: 0.5}
IMPORTS = (
    "import time, torch; begin, processor = time.perf_counter(), time.process_time(); {what}; "
    "print(time.perf_counter() - begin, time.process_time() - processor)"
)
NAMES = (
    "import treino; "
    "[getattr(treino, name) for name in treino.__all__ if name not in ('Classifier', 'Regressor')]"
)
# compiled files of Python are kept, as an installation keeps them
ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


def run(quick: bool) -> Result:
    rounds = 1 if quick else 5
    with tempfile.TemporaryDirectory() as folder:
        _wide_table(table := Path(folder) / "wide.csv")
        wide = ["-m", "treino", "train", str(table), "--target", "y", "--epochs", "1"]
        _mixed_table(mixed := Path(folder) / "mixed.csv")
        trained, row = _trained_wine(Path(folder)), Path(folder) / "row.csv"
        works = {
            TORCH: _command(["-c", TORCH]),
            WINE: _command(["-m", "treino", "train", "wine"]),
            PREDICT: _command(["-m", "treino", "predict", str(trained), str(row)]),
            MIXED: _command(["-m", "treino", "train", str(mixed), "--target", "y"]),
            WIDE: _command(wide),
            IMPORT: _printed(IMPORTS.format(what="import treino")),
            DOOR: _printed(IMPORTS.format(what=NAMES)),
        }
        found = interleaved(works, rounds)
    more = {name: [spent.processor for spent in each] for name, each in found.items()}
    for name in (WINE, PREDICT, WIDE):
        pairs = zip(found[name], found[TORCH], strict=True)
        more[name] = [whole.processor - torch.processor for whole, torch in pairs]
    rows = tuple(
        (name, f"{wall(found, name):.3f}", f"{processor(found, name):.3f}")
        + (("–",) * 3 if name == TORCH else (f"{median(more[name]):.3f}", *_kept(name, median(more[name]))))
        for name in works
    )
    columns = ("what", "s", "of processor, s", "held against the budget", "budget", "kept")
    return Result(
        (Table("A new process", columns, rows),),
        f"{rounds} interleaved rounds of new processes after one that warms the disk's cache; medians. "
        "Held against the budget: processor seconds beyond import torch in the same round, with those of "
        f"child processes; of {MIXED}, all of them.",
        (
            "A first start after boot, when the files of torch come from the disk.",
            "The estimators, which import scikit-learn.",
            "The training on the wide table beyond its first epoch.",
        ),
        figures={name: round(wall(found, name), 3) for name in works}
        | {f"{name}: beyond import torch": round(median(more[name]), 3) for name in (WINE, PREDICT, WIDE)}
        | {f"{MIXED}: processor": round(median(more[MIXED]), 3)},
    )


def _kept(name: str, seconds: float) -> tuple[str, str]:
    return budget(seconds, LIMITS[name], at_most=True)


def _wide_table(path: Path, rows: int = 60, columns: int = 3000) -> None:
    """A table of numbers with two classes, which follow two of its columns."""
    random = np.random.RandomState(0)
    x_ND = random.normal(size=(rows, columns)).round(4)
    y_N = np.where(x_ND[:, 0] + x_ND[:, 1] + random.normal(scale=0.3, size=rows) > 0, "a", "b")
    lines = [",".join([*map(str, x_D), y]) for x_D, y in zip(x_ND, y_N, strict=True)]
    path.write_text("\n".join([",".join([*(f"g{j}" for j in range(columns)), "y"]), *lines]))


def _mixed_table(path: Path, rows: int = 3000) -> None:
    """A table of 36 numbers, 18 columns of words and 5 dates, with two classes that follow four of them."""
    random = np.random.RandomState(0)
    number_ND = random.normal(size=(rows, 36)).round(4)
    word_ND = random.randint([3, 8, 20, 60, 5, 12] * 3, size=(rows, 18))
    day_ND = random.randint(1500, size=(rows, 5))
    season_N = np.sin(day_ND[:, 0] / 365.25 * 2 * np.pi)
    cause_N = number_ND[:, 0] + number_ND[:, 1] + 1.5 * (word_ND[:, 0] == 1) + season_N
    y_N = np.where(cause_N + random.normal(scale=0.5, size=rows) > 0.5, "yes", "no")
    dates_ND = np.datetime64("2020-01-01") + day_ND
    names = [f"{kind}{j}" for kind, count in (("n", 36), ("w", 18), ("d", 5)) for j in range(count)]
    lines = [
        ",".join([*map(str, number_D), *(f"word{w}" for w in word_D), *map(str, date_D), y])
        for number_D, word_D, date_D, y in zip(number_ND, word_ND, dates_ND, y_N, strict=True)
    ]
    path.write_text("\n".join([",".join([*names, "y"]), *lines]))


def _trained_wine(folder: Path) -> Path:
    """A run of wine, and beside it row.csv, one new row."""
    subprocess.run(
        [sys.executable, "-m", "treino", "train", "wine"], cwd=folder, check=True, capture_output=True
    )
    data = load("wine")
    raw_D = data.train.x[0] * torch.tensor(data.preparation.scale) + torch.tensor(data.preparation.mean)
    (folder / "row.csv").write_text(",".join(data.features) + "\n" + ",".join(map(str, raw_D.tolist())))
    return folder / "runs" / "wine-1"


def _command(words: Sequence[str]) -> Work:
    def run() -> Spent:
        begin, before = time.perf_counter(), os.times()
        with tempfile.TemporaryDirectory() as folder:
            command = [sys.executable, *words]
            subprocess.run(command, cwd=folder, check=True, capture_output=True, env=ENVIRONMENT)
        after = os.times()
        processor = (
            after.children_user + after.children_system - before.children_user - before.children_system
        )
        return Spent(time.perf_counter() - begin, processor)

    return run


def _printed(code: str) -> Work:
    def run() -> Spent:
        command = [sys.executable, "-c", code]
        said = subprocess.run(command, check=True, capture_output=True, text=True, env=ENVIRONMENT)
        return Spent(*map(float, said.stdout.split()))

    return run
