"""What being watched costs a training, and how long any past step of a run takes to be shown.

The peer is the same training with nobody watching, and with the showing taken out of it.
"""

import random
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from statistics import quantiles

import numpy as np

from benchmarks.result import Result, Table
from benchmarks.timing import budget, interleaved, once, processor_ratio, wall
from treino import api
from treino.folders.store.checkpoint import LiveFolder
from treino.settings.spec import read_settings
from treino.training.commands import LiveView
from treino.training.loop import JobStart
from treino.training.replay import Playback
from treino.training.train import RunJob, train_events

ROWS, STEPS, ROUNDS = 6000, 3000, 5
WINE_STEPS, LOOKS = 10_000, 200
WATCHED, UNWATCHED, LOOK_MS = 1.05, 1.01, 100.0


class NoView(LiveView):
    """Shows nothing and looks at nothing."""

    def add(self, first: int, loss_S: np.ndarray) -> None:
        pass

    def update(self, *_training: object, **_playing: object) -> None:
        pass


def run(quick: bool) -> Result:
    steps = 300 if quick else STEPS
    works = {
        name: once(_training(how, steps))
        for name, how in (("no studio", "none"), ("nobody watches", "alone"), ("watched", "watched"))
    }
    found = interleaved(works, 1 if quick else ROUNDS)
    ratios = {name: processor_ratio(found, name, "no studio") for name in ("nobody watches", "watched")}
    costs = tuple(
        (
            name,
            f"{wall(found, name):.2f}",
            f"{ratios[name]:.3f}" if name in ratios else "1",
            *(budget(ratios[name], limit, at_most=True) if limit else ("", "")),
        )
        for name, limit in (("no studio", None), ("nobody watches", UNWATCHED), ("watched", WATCHED))
    )
    first_ms, p50_ms, p95_ms = _looks(500 if quick else WINE_STEPS)
    looks = (f"{first_ms:.0f}", f"{p50_ms:.0f}", f"{p95_ms:.0f}", *budget(p95_ms, LOOK_MS, at_most=True))
    return Result(
        (
            Table(
                f"784-128-128-10, batch 100, {steps} steps: processor time of the training",
                ("case", "seconds", "processor time", "budget", "kept"),
                costs,
            ),
            Table(
                f"Any of {WINE_STEPS:,} steps of wine, milliseconds",
                ("first ever", "p50", "p95", "budget", "kept"),
                (looks,),
            ),
        ),
        "Medians of interleaved rounds. Watched: its state is put into the run's folder ten times a second. "
        "The steps are looked at in any order, after the studio has played the run once in idle moments.",
        ("What the page's own process computes: it is another process, with a lower priority.",),
        figures={"watched": round(ratios["watched"], 3), "alone": round(ratios["nobody watches"], 3)},
    )


def _training(how: str, steps: int) -> Callable[[], float]:
    random_state = np.random.default_rng(0)
    x_ND = random_state.normal(size=(ROWS, 784)).astype(np.float32)
    y_N = random_state.integers(0, 10, ROWS)
    settings = read_settings(
        {"hidden": "128,128", "batch_size": 100, "steps": steps, "validation": 0, "test": 0, "patience": 0}
    )

    def work() -> float:
        over = threading.Event()
        with tempfile.TemporaryDirectory() as folder:
            for event in train_events((x_ND, y_N), settings, parent=folder, lean=True):
                if not isinstance(event, JobStart) or not isinstance(event.job, RunJob):
                    continue
                if how == "none":
                    event.job.view = NoView(event.job.folder.path)
                elif how == "watched":
                    _watch(event.job.folder.path, over)
            over.set()
        return 1.0

    return work


def _watch(run_folder: Path, over: threading.Event) -> None:
    live = LiveFolder(run_folder)
    live.watch()

    def keep() -> None:
        while not over.wait(1.0):
            live.watch()

    threading.Thread(target=keep, daemon=True).start()


def _looks(steps: int) -> tuple[float, float, float]:
    """-> milliseconds of the first look, and the median and 95th percentile of later ones."""
    with tempfile.TemporaryDirectory() as folder:
        stored = api.fit("wine", parent=folder, lean=True, steps=steps, patience=0)
        loss_S, random_steps = stored.losses, random.Random(0)
        playback, spent = Playback(stored, stored.data), []
        for _look in range(LOOKS + 1):
            begin = time.perf_counter()
            playback.at(random_steps.randrange(steps + 1), loss_S)
            spent.append(1e3 * (time.perf_counter() - begin))
            while len(spent) == 1 and playback.prepare(steps, loss_S, 1.0):
                pass
        cuts = quantiles(spent[1:], n=20)
        return spent[0], cuts[9], cuts[18]
