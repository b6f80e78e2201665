"""What the doctor costs a program: two programs, each in a process with the doctor and in one without.

Both processes import the same, collect their garbage once and freeze it, as the doctor does for whole
scripts: what is left is what the record adds. Times are of the processor. The two take turns after each line
that they print, as a machine that others use, too, may be twice as slow some seconds later.
"""

import contextlib
import gc
import io
import json
import os
import subprocess
import sys
import time
from statistics import median
from typing import Any

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from benchmarks.result import Table
from benchmarks.timing import budget

FIRST = 10  # epochs, after which the record is steady
LENGTH = {"digits": 120, "large": 200}  # epochs, steps
ROUNDS = 5
HEAD = """import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset
torch.set_num_threads(1)
"""
LIMITS = {"in all": 1.10, "steady": 1.05, "large": 1.03, "start and end": 0.25}


def digits(epochs: int) -> None:
    """64-64-10, batch 64, Adam, a DataLoader, evaluation once per epoch: steps of half a millisecond."""
    from sklearn.datasets import load_digits

    torch.manual_seed(0)
    pixels, labels = load_digits(return_X_y=True)
    x, y = torch.tensor(pixels / 16, dtype=torch.float32), torch.tensor(labels)
    loader = DataLoader(TensorDataset(x[:1500], y[:1500]), batch_size=64, shuffle=True)
    net = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10))
    optimizer = torch.optim.Adam(net.parameters(), lr=1e-3)
    print(len(x), "images")
    for _ in range(epochs):
        net.train()
        for xb, yb in loader:
            optimizer.zero_grad()
            loss = nn.functional.cross_entropy(net(xb), yb)
            loss.backward()
            optimizer.step()
        net.eval()
        with torch.no_grad():
            print((net(x[1500:]).argmax(1) == y[1500:]).float().mean().item())


def large(steps: int) -> None:
    """784-1024-1024-10, batch 256: a step of more than 5 ms."""
    torch.manual_seed(0)
    x, y = torch.randn(2560, 784), torch.randint(0, 10, (2560,))
    net = nn.Sequential(
        nn.Linear(784, 1024), nn.ReLU(), nn.Linear(1024, 1024), nn.ReLU(), nn.Linear(1024, 10)
    )
    optimizer = torch.optim.Adam(net.parameters(), lr=1e-3)
    print(len(x), "rows")
    for step in range(steps):
        rows = torch.arange(256) + 256 * (step % 10)
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(net(x[rows]), y[rows])
        loss.backward()
        optimizer.step()
        if step % 10 == 9:
            print(loss.item())


PROGRAMS = {"digits": digits, "large": large}


class Laps(io.StringIO):
    """What a program prints into: a lap ends with each line. Then the other process has its turn."""

    def __init__(self) -> None:
        self.times: list[float] = []
        self._began = time.process_time()

    def write(self, text: str) -> int:
        for _ in range(text.count("\n")):
            self.times.append(time.process_time() - self._began)
            pause()
            self._began = time.process_time()
        return len(text)


def pause() -> None:
    """Wait until it is this process's turn again."""
    print(file=sys.__stdout__, flush=True)
    sys.stdin.readline()


def child(program: str, length: int, watched: bool) -> dict[str, Any]:
    """One run in this process: seconds until the program may begin, of each lap, and after it."""
    import sklearn.datasets  # noqa: F401
    import torch._dynamo

    torch.set_num_threads(1)
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})  # the same core for both
    pause()
    exam, marks = None, [time.process_time()]
    if watched:
        from treino_doctor.exam import Exam

        exam = Exam().start()
    marks.append(time.process_time())
    gc.collect()
    gc.freeze()
    with contextlib.redirect_stdout(Laps()) as laps:
        PROGRAMS[program](length)
    marks.append(time.process_time())
    if exam is not None:
        exam.stop()
    end = time.process_time() - marks[2]
    return {"start": marks[1] - marks[0], "laps": laps.times[1:], "end": end}


def measured(program: str, length: int) -> list[dict[str, float]]:
    """The same in two fresh processes in turns, without the doctor and with it: seconds of its parts."""
    command = [sys.executable, "-m", "benchmarks.doctor_cost", program, str(length)]
    compiled = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}  # as once installed
    pipes: Any = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True, "env": compiled}
    with contextlib.ExitStack() as ends:
        commands = command, [*command, "doctor"]
        runs: list[Any] = [ends.enter_context(subprocess.Popen(each, **pipes)) for each in commands]
        lines = [run.stdout.readline() for run in runs]
        while "\n" in lines:
            for k, run in enumerate(runs):
                if lines[k] == "\n":
                    print(file=run.stdin, flush=True)
                    lines[k] = run.stdout.readline()
    return [seconds(**json.loads(line)) for line in lines]


def seconds(start: float, laps: list[float], end: float) -> dict[str, float]:
    """The parts of a run."""
    first = min(FIRST, len(laps) - 1)
    in_all = {"in all": sum(laps), "first": sum(laps[:first]), "steady": sum(laps[first:])}
    return in_all | {"start": start, "end": end, "start and end": start + end}


def percent(ratio: float) -> str:
    """A ratio as what it adds."""
    return f"{100 * (ratio - 1):+.1f} %"


def cost_tables(quick: bool) -> tuple[Table, Table, dict[str, str]]:
    """While a program runs, as ratios; before and after it, in seconds."""
    plain: dict[str, list[dict[str, float]]] = {name: [] for name in PROGRAMS}
    doctor: dict[str, list[dict[str, float]]] = {name: [] for name in PROGRAMS}
    for _ in range(1 if quick else ROUNDS):
        for name in PROGRAMS:
            without, watched = measured(name, LENGTH[name] // 10 if quick else LENGTH[name])
            plain[name].append(without)
            doctor[name].append(watched)
    while_running, figures = [], {}
    for name, part, what, limit in (
        ("digits", "in all", f"digits, {LENGTH['digits']} epochs in all", LIMITS["in all"]),
        ("digits", "first", f"digits, the first {FIRST} epochs", None),
        ("digits", "steady", f"digits, epochs after the first {FIRST}", LIMITS["steady"]),
        ("large", "in all", f"steps of more than 5 ms, {LENGTH['large']} of them", LIMITS["large"]),
    ):
        ratio = median(d[part] / p[part] for d, p in zip(doctor[name], plain[name], strict=True))
        seconds = [median(run[part] for run in runs[name]) for runs in (plain, doctor)]
        kept = ("", "") if limit is None else (f"≤ {percent(limit)}", budget(ratio, limit, at_most=True)[1])
        while_running.append((what, *(f"{s:.2f} s" for s in seconds), percent(ratio), *kept))
        figures[f"{name} {part}".replace(" ", "_")] = percent(ratio)
    beside = []
    for part in ("start", "end", "start and end"):
        seconds = [median(run[part] for run in doctor[name]) for name in PROGRAMS]
        limited = part in LIMITS
        kept = budget(max(seconds), LIMITS[part], at_most=True) if limited else ("", "")
        beside.append((part, *(f"{s:.2f} s" for s in seconds), f"{kept[0]} s" if limited else "", kept[1]))
    figures["beside"] = f"{max(seconds):.2f} s"
    heads = ("what", "Python", "with the doctor", "more", "budget", "kept")
    return (
        Table("What the doctor costs while a program runs", heads, tuple(while_running)),
        Table("What it takes before and after", ("when", *PROGRAMS, "budget", "kept"), tuple(beside)),
        figures,
    )


if __name__ == "__main__":
    print(json.dumps(child(sys.argv[1], int(sys.argv[2]), "doctor" in sys.argv[3:])))
