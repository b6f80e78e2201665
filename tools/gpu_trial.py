"""A trial of treino on a GPU, of at most eight minutes: ``python -m tools.gpu_trial [--to FILE.json]``.

It runs the engine's tests for devices there, trains wine and MNIST's digits on it by an MLP and by a
convolutional network, and a population of 1,024; compares their losses with the CPU's, and their time with
eager PyTorch's and ``torch.func.vmap``'s on the same card. It prints tables in Markdown, and writes them as
JSON into FILE.json. ``--device cpu --quick`` runs the same program on tiny sizes without a GPU.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import torch
from benchmarks import mnist_files, peers
from benchmarks.result import Result, Table, document
from benchmarks.timing import budget, microseconds, threads
from torch import Tensor, nn

import treino as tr
from treino.engine import TrainingLoop
from treino.engine.devices import resolve_device, torch_context
from treino.engine.nets import Net
from treino.engine.optim import UpdateNumbers

ROOT = Path(__file__).parent.parent
TESTS = ("tests/engine/test_device.py",)
"""The tests that train on every device that is there. The others compare bits of the CPU."""
TESTS_SECONDS = 240
TOLERANCE = 2e-3  # relative difference of a loss: what the engine's tests allow a device
MEMBERS, FEW = 1024, 16  # few: eager networks, of which each costs the same
LR = 1e-3
CPU = torch.device("cpu")
BATCHED = "batched"


@dataclass(frozen=True)
class Size:
    """How much is done: seconds of each timing, steps whose losses are compared, rows of pictures, members,
    epochs before the test rows, and threads of the CPU.
    """

    seconds: float = 2.0
    steps: int = 50
    rows: int | None = None  # all
    members: int = MEMBERS
    epochs: int = 2
    threads: int | None = None  # all


QUICK = Size(seconds=0.02, steps=12, rows=300, members=8, epochs=1, threads=1)


@dataclass(frozen=True)
class Work:
    """A network, its rows, and rows to test it with. shape: an item's, as a module takes it."""

    name: str
    net: Net
    batch: int
    train: tuple[Tensor, Tensor]
    test: tuple[Tensor, Tensor]
    classes: int

    def module(self) -> nn.Module:
        shape = tuple(self.train[0].shape[1:])
        return self.net.module(shape, self.classes)


def run(device: torch.device, size: Size) -> Result:
    torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = False  # as treino trains
    passed, tests = _tests(device)
    pictures, what = _pictures(size)
    figures: dict[str, Any] = {"gpu": device.type != "cpu", "kept": {"tests": passed}}
    rows = [_one(work, device, size, figures) for work in (_wine(), *pictures)]
    together = _population(replace(_wine(), batch=20), device, size, figures)
    tables = (
        Table("Tests of devices", ("files", "what pytest says"), ((", ".join(TESTS), tests),)),
        Table(
            "One network, a step with Adam",
            (
                "network", "batch", "kernel", "on the CPU, µs", "here, µs", "eager here, µs",
                "eager / treino", "furthest from the CPU", "allowed", "kept", "of test rows right",
            ),
            tuple(rows),
        ),
        Table(
            f"A population of {size.members:,} on wine, a step of one member",
            ("by", "µs", "× treino", "furthest from the CPU", "kept"),
            tuple(together),
        ),
    )  # fmt: skip
    return Result(
        tables,
        f"{_device_words(device)} MNIST: {what}. Each time is of {size.seconds:g} s after a run that warms "
        "up, the device waited for before the clock is read; TF32 off everywhere. Losses: of the first "
        f"{size.steps} steps, the largest difference relative to the CPU's loss with the same kernel. Eager "
        "and torch.func.vmap: the data on the device, `Adam(fused=True)`. On the CPU: treino with the kernel "
        "that it chooses there, all cores.",
        ("Reading the data, and the copy to the device.",),
        figures=figures,
    )


# ---- tests


def _tests(device: torch.device) -> tuple[bool, str]:
    """Whether the tests of devices passed, and pytest's last line."""
    command = [sys.executable, "-m", "pytest", "-q", "-n", "0", "-p", "no:cacheprovider", *TESTS]
    try:
        done = subprocess.run(
            command, cwd=ROOT, capture_output=True, text=True, timeout=TESTS_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        return False, f"not over after {TESTS_SECONDS} s"
    lines = (done.stdout.strip() or done.stderr.strip()).splitlines() or ["nothing"]
    if done.returncode:
        print(done.stdout[-3000:], done.stderr[-1000:], sep="\n", file=sys.stderr)
    said = lines[-1].strip("= ")
    return done.returncode == 0, said if device.type != "cpu" else f"{said} (they need a GPU)"


# ---- data


def _wine() -> Work:
    data = tr.load("wine", validation=0, test=0.25)
    train, test = (data.train.x, data.train.y), (data.test.x, data.test.y)
    return Work("wine 13-32-16-3", tr.mlp(32, 16), 32, train, test, 3)


def _pictures(size: Size) -> tuple[list[Work], str]:
    """An MLP and a convolutional network for MNIST or, without its files, for patterns of its shape."""
    if mnist_files.there() and size.rows is None:
        data, what = tr.load("mnist", validation=0), "60,000 rows"
        parts = [(part.x, part.y) for part in (data.train, data.test)]
    else:
        count = size.rows or 60_000
        what = f"its files are not here: {count:,} rows of patterns in noise, of its shape"
        if mnist_files.there():
            what = f"for a quick run not its files: {count:,} rows of patterns in noise, of its shape"
        parts = _patterns(count)
    flat = [(x.reshape(len(x), -1), y) for x, y in parts]
    square = [(x.reshape(-1, 1, 28, 28), y) for x, y in parts]
    mlp = Work("MNIST 784-128-128-10", tr.mlp(128, 128), 100, flat[0], flat[1], 10)
    cnn = Work("MNIST 8@3×3, pool, 16@3×3, pool, 10", tr.cnn(8, 16), 100, square[0], square[1], 10)
    return [mlp, cnn], what


def _patterns(count: int) -> list[tuple[Tensor, Tensor]]:
    """Training rows and a sixth as many test rows: a pattern for each of ten classes, in noise."""
    generator = torch.Generator().manual_seed(0)
    pattern_CD = torch.randn(10, 784, generator=generator)
    parts = []
    for rows in (count, count // 6):
        y_N = torch.arange(rows) % 10
        parts.append((pattern_CD[y_N] / 4 + torch.randn(rows, 784, generator=generator), y_N))
    return parts


# ---- one network


def _one(work: Work, device: torch.device, size: Size, figures: dict[str, Any]) -> tuple[str, ...]:
    key = work.name.partition(" ")[0].lower() + ("_cnn" if "@" in work.name else "")
    training = partial(_training, work, threads=size.threads)
    here = training(device, steps=size.steps)
    furthest = _apart(_losses(here), _losses(training(CPU, steps=size.steps, engine=here.engine)))
    right = _accuracy(training(device, epochs=size.epochs), work)
    endless = training(device)
    took = _seconds(lambda: len(endless.advance(size.seconds / 4).loss_SP), device, size)
    on_cpu = training(CPU)
    cpu = _seconds(lambda: len(on_cpu.advance(size.seconds / 4).loss_SP), CPU, size)
    x, y = (part.to(device) for part in work.train)
    eager = _seconds(peers.eager(x, y, work.module().to(device), work.batch, LR), device, size)
    figures["kept"][key] = furthest <= TOLERANCE
    figures[key] = {
        "kernel": here.engine, "apart": furthest, "seconds": took, "eager_seconds": eager, "cpu_seconds": cpu,
        "accuracy": round(right, 4),
    }  # fmt: skip
    times = f"{microseconds(cpu)} ({on_cpu.engine})", microseconds(took), microseconds(eager)
    within = f"{furthest:.1e}", *budget(furthest, TOLERANCE, at_most=True)
    return work.name, str(work.batch), here.engine, *times, f"{eager / took:.2f}", *within, f"{right:.1%}"


def _training(work: Work, device: torch.device, seeds: Sequence[int] = (0,), **settings: Any) -> TrainingLoop:
    """A training on this device, an endless one if neither steps nor epochs are set."""
    settings = settings if {"steps", "epochs"} & settings.keys() else settings | {"steps": 100_000_000}
    return tr.train(
        work.train,
        work.net,
        lr=LR,
        batch_size=work.batch,
        device=device,
        seeds=seeds,
        every=1_000_000,
        schedule="constant",
        augment="none",
        **settings,
    )


def _losses(training: TrainingLoop) -> Tensor:
    return torch.cat([tick.loss_SP for tick in training]).double()


def _apart(one: Tensor, other: Tensor) -> float:
    """The largest difference of these losses, relative to ``other``."""
    return float(((one - other).abs() / other.abs()).max())


def _accuracy(training: TrainingLoop, work: Work) -> float:
    for _tick in training:
        pass
    x, y = work.test
    with torch.no_grad():
        return float((training.net()(x).argmax(1) == y).double().mean())


def _seconds(some: Callable[[], float], device: torch.device, size: Size) -> float:
    """Seconds per unit of work; ``some`` returns how many units it did. A device's work is queued: it is
    waited for before the clock is read.
    """
    begin = time.perf_counter()
    while time.perf_counter() - begin < size.seconds / 4:
        some()
    _wait(device)
    begin, units = time.perf_counter(), 0.0
    while time.perf_counter() - begin < size.seconds or not units:
        units += some()
    _wait(device)
    return (time.perf_counter() - begin) / units


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    elif device.type == "mps":
        torch.mps.synchronize()


# ---- a population


def _population(
    work: Work, device: torch.device, size: Size, figures: dict[str, Any]
) -> list[tuple[str, ...]]:
    """A row for each way to train the same members."""
    members = size.members
    x, y = (part.to(device) for part in work.train)
    wanted = _losses(_training(work, CPU, range(members), steps=size.steps, engine=BATCHED))
    found: dict[str, tuple[float, float | None]] = {}

    def treino(block: int | None, graphs: bool = False) -> tuple[float, float]:
        compared, endless = (
            _training(work, device, range(members), engine=BATCHED, threads=1, **length)
            for length in ({"steps": size.steps}, {})
        )
        losses = []
        for training in (compared, endless):
            training.setup.kernel.block = block  # type: ignore[attr-defined]
            losses.append(training.advance(None, until=training.steps_per_epoch).loss_SP)
            if graphs:
                with_graphs(training)
        apart = _apart(torch.cat([losses[0].double(), _losses(compared)]), wanted)
        return _seconds(lambda: len(endless.advance(size.seconds / 4).loss_SP) * members, device, size), apart

    found[f"treino, {BATCHED}"] = treino(None)
    found["the same in one block"] = treino(members)
    nets = [work.module().to(device) for _member in range(members)]
    vmapped = peers.vmapped(x, y, nets, work.batch, LR)
    found["torch.func.vmap"] = _seconds(vmapped, device, size), None
    each = [peers.eager(x, y, net, work.batch, LR) for net in nets[:FEW]]
    found["eager, in turn"] = _seconds(lambda: sum(some() for some in each), device, size), None
    on_cpu = _training(work, CPU, range(members), threads=size.threads)
    took = _seconds(lambda: len(on_cpu.advance(size.seconds / 4).loss_SP) * members, CPU, size)
    found[f"treino on the CPU, {on_cpu.engine}"] = took, None
    graphs = "in one block, with CUDA graphs" if device.type == "cuda" else "in one block, calls put together"
    try:  # last: a capture that fails may leave the device in disorder
        found[graphs] = treino(members, graphs=True)
    except RuntimeError as error:
        figures["not_captured"] = str(error).partition("\n")[0]
    base = next(seconds for seconds, _apart in found.values())
    figures["population"] = {name: {"seconds": t, "apart": apart} for name, (t, apart) in found.items()}
    figures["kept"]["population"] = all((apart or 0.0) <= TOLERANCE for _seconds, apart in found.values())
    rows = []
    for name, (seconds, apart) in found.items():
        kept = ("–", "–") if apart is None else (f"{apart:.1e}", "yes" if apart <= TOLERANCE else "no")
        rows.append((name, f"{seconds * 1e6:,.3f}", f"{seconds / base:.2f}", *kept))
    if "not_captured" in figures:
        rows.append((f"{graphs}: {figures['not_captured']}", "–", "–", "–", "–"))
    return rows


# ---- CUDA graphs


def with_graphs(training: TrainingLoop) -> None:
    """Make graphs of what the training's blocks do in each step: of the passes for every size of a batch that
    it has seen, and of the update. Without CUDA, make the same calls one after the other.
    """
    kernel: Any = training.setup.kernel
    device = training.model.device
    with torch_context(kernel.intra_op_threads):
        for space in (space for spaces in kernel.free.values() for space in spaces):
            for rows, step in space.back.passes.items():
                begin = step.begin if rows else []  # of all rows it ran once
                step.forward = [_graph([*begin, *step.forward, *step.backward], device)]
                step.begin, step.backward = [], []
            update = _Update(space.optimizer.update, device)
            space.optimizer = replace(space.optimizer, update=update)


class _Update:
    """An optimizer's update as a graph, which reads each step's numbers from places of its own."""

    def __init__(self, update: Callable[..., None], device: torch.device) -> None:
        self.update, self.device = update, device
        self.places: list[Tensor] = []
        self.replay: Callable[[], None] | None = None

    def __call__(
        self, p: Tensor, g: Tensor, m: list[Tensor], n: UpdateNumbers, spare: list[Tensor], nesterov: bool
    ) -> None:
        values = [value for value in n if isinstance(value, Tensor)]
        if self.replay is None:
            self.places = [value.clone() for value in values]
            places = iter(self.places)
            fixed = UpdateNumbers(*(next(places) if isinstance(value, Tensor) else value for value in n))
            before = [tensor.clone() for tensor in (p, *m)]
            self.replay = _graph([lambda: self.update(p, g, m, fixed, spare, nesterov)], self.device)
            for tensor, value in zip((p, *m), before, strict=True):  # which warming up has moved
                tensor.copy_(value)
        torch._foreach_copy_(self.places, values)
        self.replay()


def _graph(calls: Sequence[Callable[[], Any]], device: torch.device) -> Callable[[], None]:
    """The calls as one. On CUDA they run a few times on another stream first, as capturing requires:
    https://docs.pytorch.org/docs/stable/notes/cuda.html#cuda-graphs
    """

    def run() -> None:
        for call in calls:
            call()

    if device.type != "cuda":
        return run
    stream = torch.cuda.Stream(device)
    stream.wait_stream(torch.cuda.current_stream(device))
    with torch.cuda.stream(stream):
        for _time in range(3):
            run()
    torch.cuda.current_stream(device).wait_stream(stream)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        run()
    replay: Callable[[], None] = graph.replay
    return replay


# ---- the program


def _device_words(device: torch.device) -> str:
    if device.type == "cpu":
        return "No GPU: this ran on a CPU, and shows only that the program runs."
    if device.type == "cuda":
        card = torch.cuda.get_device_properties(device)
        memory = f"{card.total_memory / 2**30:.0f} GiB"
        return f"On {card.name} ({memory}, CUDA {torch.version.cuda}, torch {torch.__version__})."
    return f"On {device} (torch {torch.__version__})."


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tools.gpu_trial", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--device", default="cuda", help="cuda, cuda:1, mps or cpu")
    parser.add_argument("--quick", action="store_true", help="tiny sizes, rough figures")
    parser.add_argument("--to", type=Path, metavar="FILE.json", help="where to write the tables as JSON")
    asked = parser.parse_args(argv)
    try:
        device = resolve_device(asked.device)
    except tr.TreinoError as error:
        sys.exit(f"{error}\nWithout a GPU: python -m tools.gpu_trial --device cpu --quick")
    load, begin = os.getloadavg()[0], time.perf_counter()
    size = QUICK if asked.quick else Size()
    with threads(size.threads or torch.get_num_threads()):
        result = run(device, size)
    seconds = time.perf_counter() - begin
    print(result.show(), f"\n{seconds:.0f} s in all.")
    if asked.to is not None:
        content = document(result, seconds, load) | {"device": _device_words(device)}
        asked.to.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n")
    return 0 if all(result.figures["kept"].values()) else 1


if __name__ == "__main__":
    sys.exit(main())
