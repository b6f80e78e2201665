"""Overhead of storing a run and showing its progress, memory of a training, and seconds of a checkpoint."""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from io import StringIO
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.mnist_files import digits
from benchmarks.result import Result, Table
from benchmarks.timing import budget, for_seconds, interleaved, microseconds, processor_ratio, ratio, wall
from treino.folders.data_source import load_data
from treino.folders.store import RunFolder
from treino.settings.spec import read_settings
from treino.training.loop import JobEvent, JobProgress
from treino.training.resolution import resolve
from treino.training.train import train_events

LIMIT = 1.05
CHECKPOINT_SECONDS = 2.0
FOREVER = 10_000_000


def run(quick: bool) -> Result:
    rounds, seconds = (1, 0.1) if quick else (15, 0.8)
    images, what = digits(quick)
    cases: dict[str, tuple[Any, dict[str, Any]]] = {
        "wine, the defaults": ("wine", {}),
        "wine, 2-32-16-3, full batch": ("wine", {"features": ["alcohol", "hue"], "batch_size": "full"}),
        "784-128-128-10, batch 100": (images, {"hidden": [128, 128], "batch_size": 100}),
        "784-128-128-10, batch 5": (images, {"hidden": [128, 128], "batch_size": 5}),
    }
    rows, figures = [], {}
    for name, (source, asked) in list(cases.items())[: 1 if quick else None]:
        with tempfile.TemporaryDirectory() as folder:
            settings = read_settings(asked | {"steps": FOREVER})
            events = _followed(
                train_events(source, settings, parent=folder, checkpoint_seconds=2 * CHECKPOINT_SECONDS)
            )
            found = interleaved(
                {
                    "bare": for_seconds(
                        seconds, _bare(resolve(settings, load_data(source, settings)).training)
                    ),
                    "kept": for_seconds(seconds, _events(events)),
                },
                rounds,
            )
            events.close()
        value = ratio(found, "kept", "bare")
        processor = processor_ratio(found, "kept", "bare")
        figures[name] = round(value, 3)
        figures[f"{name}, processor"] = round(processor, 3)
        cells = (microseconds(wall(found, key)) for key in ("bare", "kept"))
        rows.append((name, *cells, f"{value:.3f}", f"{processor:.3f}", *budget(value, LIMIT, at_most=True)))
    memory = _memory(2_000 if quick else 100_000)
    columns = (
        "training",
        "bare, µs/step",
        "kept, µs/step",
        "kept / bare",
        "processor time",
        "budget",
        "kept",
    )
    return Result(
        (
            Table("A step with store and progress, and without", columns, tuple(rows)),
            Table("Memory of a process that trains and keeps a run (wine)", ("steps", "MB"), memory),
            Table("A checkpoint with fsync", ("network", "size, MB", "ms"), _checkpoints(images, quick)),
        ),
        f"784 inputs: {what}. Median of {rounds} interleaved rounds of {seconds:g} s. Bare: `tr.train(...)`, "
        "iterated. Kept: the events of `treino train` drawn by a progress bar on a terminal that is a "
        "string, losses of every step in the database, a checkpoint every 2 s of its own time. Evaluations "
        "are in both. Processor time is of all threads.",
        ("What is done once: reading data and the seal at the end.",),
        figures=figures | {"memory": [int(row[1]) for row in memory]},
    )


def _bare(engine: Any) -> Callable[[], float]:
    ticks = iter(engine)
    return lambda: len(next(ticks).loss_SP)


def _events(events: Iterator[JobEvent]) -> Callable[[], float]:
    def some() -> float:
        event = next(events)
        return len(event.tick.loss_SP) if isinstance(event, JobProgress) else 0

    return some


def _followed(events: Iterator[JobEvent]) -> Any:
    """The events, each drawn by a progress bar as the command line does."""
    from rich.console import Console
    from rich.progress import Progress

    console = Console(file=StringIO(), force_terminal=True, width=100)
    with Progress(console=console, refresh_per_second=8) as bar:
        task = bar.add_task("step", total=FOREVER)
        for event in events:
            if isinstance(event, JobProgress):
                bar.update(task, completed=event.tick.step, description=f"loss {event.tick.loss:.4f}")
            yield event


def _checkpoints(images: Any, quick: bool) -> tuple[tuple[str, ...], ...]:
    rows = []
    for name, hidden in {"784-128-128-10": [128, 128], "784-512-512-10": [512, 512]}.items():
        with tempfile.TemporaryDirectory() as parent:
            engine = resolve(read_settings({"hidden": hidden, "steps": 1}), images).training
            with RunFolder.create(parent=parent, stem="run") as folder:
                times = []
                for _time in range(2 if quick else 20):
                    begin = time.perf_counter()
                    tensors, meta = engine.save()
                    folder.checkpoint(tensors, {"engine": meta})
                    times.append(time.perf_counter() - begin)
                size = max(p.stat().st_size for p in Path(folder.path / "checkpoint").iterdir())
        rows.append((name, f"{size / 1e6:.1f}", f"{median(times) * 1e3:.0f}"))
    return tuple(rows)


CHILD = """
import sys, tempfile
import torch
from treino.settings.spec import read_settings
from treino.training.loop import JobProgress
from treino.training.train import train_events
def megabytes():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * 4096 // 1000000
steps = int(sys.argv[1])
torch.set_num_threads(1)
with tempfile.TemporaryDirectory() as folder:
    marks = [steps // 10 * i for i in (1, 2, 4, 6, 8, 10)]
    for event in train_events("wine", read_settings({"steps": steps}), parent=folder):
        if isinstance(event, JobProgress):
            while marks and event.tick.step >= marks[0]:
                print(marks.pop(0), megabytes())
            if not marks:
                break
"""


def _memory(steps: int) -> tuple[tuple[str, str], ...]:
    """Resident memory of a child after so many steps; needs Linux's /proc."""
    if not os.path.exists("/proc/self/statm"):
        return ()
    said = subprocess.run(
        [sys.executable, "-c", CHILD, str(steps)], check=True, capture_output=True, text=True
    )
    lines = (line.split() for line in said.stdout.splitlines())
    return tuple((f"{int(step):,}", megabytes) for step, megabytes in lines)
