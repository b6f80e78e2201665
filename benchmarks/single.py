"""Seconds of one network 784-128-128-10 on MNIST, all features on, against an eager loop and JAX.

treino's side is what ``treino train`` runs: the stream of events with its database and checkpoints. The
peers are ``peers.eager`` (data in memory, ``Adam(fused=True)``, no losses kept) and ``peers_jax`` with one
member.
"""

import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack

from benchmarks import peers, peers_jax
from benchmarks.mnist_files import digits
from benchmarks.result import Result, Table
from benchmarks.timing import (
    Found,
    Spent,
    Work,
    budget,
    for_seconds,
    interleaved,
    microseconds,
    ratio,
    threads,
    wall,
)
from treino.base.machine import cpu_cores
from treino.data.dataset import Data
from treino.settings.spec import read_settings
from treino.training.loop import JobEvent, JobProgress
from treino.training.train import train_events

BUDGETS = {100: (0.42, 0.30), 20: (0.32, 0.32), 5: (0.28, 0.28)}  # of eager, by one worker and by all
JAX_BUDGET = 1.0
WORKERS = {"one": 1, "all": cpu_cores()}
SIZES = [784, 128, 128, 10]


def run(quick: bool) -> Result:
    rounds, seconds = (2, 0.05) if quick else (25, 0.5)
    data, what = digits(quick)
    rows: list[tuple[str, ...]] = []
    figures: dict[str, float] = {}
    for batch_size, limits in BUDGETS.items():
        cores, eager = _faster(data, batch_size, 0.01 if quick else seconds)
        with tempfile.TemporaryDirectory() as folder, ExitStack() as closing:
            works = {"eager": eager}
            for name, count in WORKERS.items():
                settings = read_settings(
                    {
                        "hidden": SIZES[1:-1],
                        "lr": 1e-3,
                        "batch_size": batch_size,
                        "epochs": 1000,
                        "threads": count,
                    }
                )
                # a checkpoint is due by the clock, which runs on while the peers have their turns
                events = train_events(data, settings, parent=folder, checkpoint_seconds=6.0)
                closing.callback(events.close)  # type: ignore[attr-defined]
                next(events)
                works[name] = for_seconds(seconds, _steps(events))
            if peers_jax.there():
                some = peers_jax.population(data.train.x, data.train.y, SIZES, batch_size, 1e-3, 1)
                works["JAX"] = for_seconds(seconds, some)
            found = interleaved(works, rounds)
        row = [str(batch_size), f"{microseconds(wall(found, 'eager'))} ({cores})"]
        for name, limit in zip(WORKERS, limits, strict=True):
            value = ratio(found, name, "eager")
            figures[f"batch_{batch_size}_{name}"] = round(value, 3)
            row += [microseconds(wall(found, name)), f"{value:.2f}", *budget(value, limit, at_most=True)]
        rows.append((*row, *_against_jax(found, batch_size, figures)))
    columns = (
        "batch", "eager, µs/step (threads)", "one worker, µs/step", "/ eager", "budget", "kept",
        "all, µs/step", "/ eager", "budget", "kept", "all / JAX", "budget", "kept",
    )  # fmt: skip
    return Result(
        (Table("784-128-128-10, Adam, one step", columns, tuple(rows)),),
        f"On {what}. The eager loop with one or two threads, whichever is faster; treino with one worker and "
        "with one for each core, JAX with all cores. The "
        f"ratios are medians of {rounds} interleaved rounds of {seconds:g} s on the wall. treino writes "
        "every step's loss and a checkpoint each 2 s of its own time, as in `treino train`.",
        ("Evaluation on validation rows: there are none here, on either side.",),
        figures=figures,
    )


def _against_jax(found: Found, batch_size: int, figures: dict[str, float]) -> tuple[str, ...]:
    if "JAX" not in found:
        return "–", "–", "–"
    value = figures[f"batch_{batch_size}_jax"] = round(ratio(found, "all", "JAX"), 3)
    return f"{value:.2f}", *budget(value, JAX_BUDGET, at_most=True)


def _faster(data: Data, batch_size: int, seconds: float) -> tuple[int, Work]:
    """The faster of the eager loops with one and with two threads, and how many it has."""
    works = {n: _eager(data, batch_size, n, seconds) for n in (1, 2)}
    found = interleaved({str(n): work for n, work in works.items()}, 3)
    best = min(works, key=lambda n: wall(found, str(n)))
    return best, works[best]


def _eager(data: Data, batch_size: int, n: int, seconds: float) -> Work:
    work = for_seconds(
        seconds, peers.eager(data.train.x, data.train.y, peers.network(SIZES), batch_size, 1e-3)
    )

    def run() -> Spent:
        with threads(n):
            return work()

    return run


def _steps(events: Iterator[JobEvent]) -> Callable[[], float]:
    def some() -> float:
        event = next(events)
        return len(event.tick.loss_SP) if isinstance(event, JobProgress) else 0

    return some
