"""Ten folds as one population, against ten trainings one after the other."""

import tempfile
import time
import warnings
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

import treino as tr
from benchmarks.result import Result, Table
from benchmarks.timing import interleaved, once, processor, processor_ratio
from treino.data.dataset import Data
from treino.fit_events import settings_before_search
from treino.settings.spec import Settings
from treino.training.choices import TrainingSource, choose_recipe
from treino.training.sweeps.populations import populations_of

FOLDS, GOAL = 10, 4.0
# of tables: built in, or the rows of a made one
FULL, QUICK = ("wine", "breast_cancer", "diabetes", 500, 2000), ("wine",)


def run(quick: bool) -> Result:
    figures: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        tr.fit("wine", fold="1/2", epochs=2, parent=folder)
        tr.fit("wine", folds=2, epochs=2, parent=folder)
        rows = [
            _row(table, recipe, Path(folder), figures, quick)
            for table in (QUICK if quick else FULL)
            for recipe in ("plain", "table")
        ]
    heads = "ten runs", "--folds 10", "ratio", "trainings: ratio", "its steps", "ratio at most"
    columns = ("table", "recipe", *heads, "budget", "kept")
    return Result(
        (Table(f"{FOLDS} folds of small tables", columns, tuple(rows)),),
        method="Seconds of processors, in a process that has trained before. Ten runs: treino train --fold"
        " 1/10 to 10/10 without pictures. Trainings: the same networks in ten populations, one after the"
        " other, and in one; nothing is loaded, measured or written. Its steps: forward and backward passes"
        " and updates of that one, which ten runs need too; so the ratio is at most ten runs over these. Each"
        " fold has the same bits in all.",
        figures=figures,
    )


def _row(table: str | int, recipe: str, place: Path, figures: dict[str, Any], quick: bool) -> tuple[str, ...]:
    source, settings = (
        _source(table, place),
        {"recipe": recipe} | ({"target": "y"} if table in (500, 2000) else {}),
    )
    if quick:
        settings |= {"epochs": 2}
    name = table if isinstance(table, str) else f"CSV, {table:,} rows"

    def runs() -> float:
        for k in range(FOLDS):
            with tempfile.TemporaryDirectory(dir=place) as here:
                tr.fit(source, fold=f"{k + 1}/{FOLDS}", lean=True, parent=here, **settings)
        return 1.0

    def together() -> float:
        with tempfile.TemporaryDirectory(dir=place) as here:
            tr.fit(source, folds=FOLDS, parent=here, **settings)
        return 1.0

    of, data = _folds(source, settings)
    steps: list[float] = []
    single = _trainings([{k: s} for k, s in of.items()], data, [])
    whole = _trainings([of], data, steps)
    works = {"runs": runs, "together": together, "one by one": single, "side by side": whole}
    found = interleaved({name: once(work) for name, work in works.items()}, 1, warm=0)
    ratio, alone = (
        processor_ratio(found, "runs", "together"),
        processor_ratio(found, "one by one", "side by side"),
    )
    seconds = [processor(found, work) for work in ("runs", "together")]
    most = seconds[0] / sum(steps)
    figures |= {f"folds_{table}_{recipe}": round(ratio, 1), f"folds_{table}_{recipe}_alone": round(alone, 1)}
    cells = [f"{seconds[0]:.1f}", f"{seconds[1]:.1f}", f"{ratio:.1f}", f"{alone:.1f}", f"{sum(steps):.1f}"]
    return name, recipe, *cells, f"{most:.1f}", f"≥ {GOAL:g}", "yes" if ratio >= GOAL else "no"


def _source(table: str | int, place: Path) -> str:
    """A built-in table's name, or a file of so many rows: numbers, words, and a number to learn."""
    if isinstance(table, str):
        return table
    r, path = np.random.default_rng(table), place / f"{table}.csv"
    x = r.normal(size=(table, 8))
    word = r.choice(["red", "green", "blue"], table)
    y = x[:, 0] * x[:, 1] + np.abs(x[:, 2]) + (word == "red") + r.normal(0, 0.3, table)
    pd.DataFrame(x, columns=list("abcdefgh")).assign(word=word, y=y).to_csv(path, index=False)
    return str(path)


def _folds(source: str, given: dict[str, Any]) -> tuple[dict[int, Settings], dict[str | None, Data]]:
    """Each fold's settings, and its rows."""
    from treino.folders.data_source import load_data

    of: dict[int, Settings] = {}
    data: dict[str | None, Data] = {}
    for k in range(FOLDS):
        settings = settings_before_search(given | {"fold": f"{k + 1}/{FOLDS}"})
        trained_on = TrainingSource(source, partial(load_data, source))
        of[k] = choose_recipe(settings, trained_on)
        data[of[k].fold] = trained_on.data
    return of, data


def _trainings(
    parts: list[dict[int, Settings]], data: dict[str | None, Data], steps: list[float]
) -> Callable[[], float]:
    """Train the folds of each part side by side, part after part. steps: gets the seconds of the steps."""

    def timed(run: Callable[..., Any], *chunk: Any) -> Any:
        begin = time.process_time()
        losses = run(*chunk)
        steps.append(time.process_time() - begin)
        return losses

    def train() -> float:
        for part in parts:
            for training in populations_of(part, lambda s: data[s.fold], {}, "loss"):
                kernel, end = training.training.setup.kernel, training.training.steps
                kernel.run = partial(timed, kernel.run)  # type: ignore[method-assign]
                while training.behind(end):
                    training.advance(None, end)
        return 1.0

    return train
