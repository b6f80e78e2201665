"""A model of each kernel's time per training step on this machine, fitted to measurements made once.

A step's seconds are the sum of four terms: a constant, rows times units, rows times multiply-adds, and
weights to update; each has a coefficient that depends on the kernel and its threads. The coefficients are
fitted to networks near the sizes at which another kernel becomes the fastest. They are measured, in less than
two seconds, when a choice first depends on them, and stored in the user's cache.
"""

import itertools
import json
import platform
import time
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path

import numpy as np
import torch

from treino.engine.devices import cpu_cores, torch_context
from treino.engine.kernels.flat_loop import FlatLoopKernel
from treino.engine.kernels.lanes import LanesKernel
from treino.engine.kernels.lanes_library import libraries
from treino.engine.losses import Loss
from treino.engine.members import new_population
from treino.engine.nets import mlp
from treino.engine.optim import HP
from treino.engine.rng import fork_rng
from treino.engine.shared_config import SharedConfig
from treino.engine.step_plan import Chunk
from treino.errors import TreinoError
from treino.store import files

LARGEST_TORCH_THREADS = 8
MEASURED: tuple[tuple[tuple[int, ...], int], ...] = (  # sizes, rows of a batch
    ((2, 16, 16, 2), 8192), ((784, 128, 128, 10), 20), ((784, 128, 128, 10), 500), ((784, 512, 512, 10), 20),
    ((784, 512, 512, 10), 256),
)  # fmt: skip
LOSS_UNITS = 16  # the cost of a row's loss, in units
ROUNDS = 4
SECONDS = 0.08  # duration of a measurement, for each network and kernel
FORM = 1  # version of the cache file's format

Costs = dict[str, list[float]]  # kernel and threads → coefficient of each term


def step_seconds(engine: str, threads: int, sizes: Sequence[int], rows: int) -> float:
    """The estimated seconds of a step of one member with a batch of ``rows`` rows.

    threads: torch's threads for ``flat-loop``, 1 or all; ``lanes`` has one thread per member.
    """
    costs = machine_costs()
    name = engine if engine == "lanes" else _name(1 if threads == 1 else torch_threads_at_most())
    return float(np.dot(costs[name], _work(name, sizes, rows)))


@cache
def machine_costs() -> Costs:
    """This machine's coefficients: from the cache, else measured now and stored there."""
    path, key = files.cache_folder() / "step_times.json", _machine()
    try:
        document = json.loads(path.read_text("utf-8"))
        known = document["costs"] if document["machine"] == key else None
        if known is not None and set(known) == set(_kernels()) and all(len(c) == 4 for c in known.values()):
            return {name: [float(part) for part in cost] for name, cost in known.items()}
    except (OSError, ValueError, KeyError, TypeError):
        pass
    costs = measured_costs()
    try:
        files.make_folder(path.parent)
        files.write_atomically(path, json.dumps({"machine": key, "costs": costs}, indent=1).encode())
    except (OSError, TreinoError):
        pass  # without a cache they are measured again next time
    return costs


def measured_costs(seconds: float = SECONDS) -> Costs:
    """Measure the coefficients, in about ``seconds`` for each kernel and network."""
    names = _kernels()
    seconds_NK = np.array([_measured(names, sizes, rows, seconds) for sizes, rows in MEASURED])
    costs = {}
    for name, seconds_N in zip(names, seconds_NK.T, strict=True):
        work_NW = np.array([_work(name, sizes, rows) for sizes, rows in MEASURED])
        costs[name] = _nonnegative_fit(work_NW / seconds_N[:, None])
    return costs


def _nonnegative_fit(share_NW: np.ndarray) -> list[float]:
    """Non-negative coefficients with the least squared relative errors. Tries all subsets of the few
    terms."""
    goal, fits = np.ones(len(share_NW)), []
    for chosen in itertools.product((False, True), repeat=share_NW.shape[1]):
        cost = np.zeros(len(chosen))
        cost[list(chosen)] = np.linalg.lstsq(share_NW[:, chosen], goal, rcond=None)[0]
        if (cost >= 0).all():
            fits.append((float(np.square(share_NW @ cost - goal).sum()), cost.tolist()))
    return min(fits)[1]


def _kernels() -> list[str]:
    return ["lanes", *(_name(threads) for threads in sorted({1, torch_threads_at_most()}))]


def _name(torch_threads: int) -> str:
    return f"flat-loop {torch_threads}"


def torch_threads_at_most() -> int:
    """The largest useful number of intra-op threads; more would wait for each other."""
    return min(cpu_cores(), LARGEST_TORCH_THREADS)


def _machine() -> dict[str, object]:
    """A key of the machine and software for which the measurements hold."""
    return {
        "form": FORM, "processor": _processor(), "cores": cpu_cores(), "torch": torch.__version__,
        "library": [library.name for library in libraries()],
    }  # fmt: skip


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
        return next(line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def _work(name: str, sizes: Sequence[int], rows: int) -> tuple[float, float, float, float]:
    """The terms: 1, rows · units, rows · multiply-adds, weights. The units of ``lanes`` fill whole
    vectors."""
    wide = libraries()[0].lanes if name == "lanes" else 1
    layers = [(a, b, -(-b // wide) * wide) for a, b in itertools.pairwise(sizes)]
    units = LOSS_UNITS + sum(filled for _a, _b, filled in layers)
    products = sum((3 if layer else 2) * a * filled for layer, (a, _b, filled) in enumerate(layers))
    return 1.0, float(rows * units), float(rows * products), float(sum((a + 1) * b for a, b, _f in layers))


def _measured(names: Sequence[str], sizes: Sequence[int], rows: int, seconds: float) -> list[float]:
    """The seconds of a step with each kernel: the least over rounds in which the kernels alternate, so that
    other load slows all of them."""
    runs = [_run(name, sizes, rows) for name in names]
    for run in runs:
        run(1)
    few = [max(1, int(seconds / (6 * ROUNDS) / run(1))) for run in runs]
    short_RK, long_RK = (
        np.array([[run(times * n) for run, n in zip(runs, few, strict=True)] for _round in range(ROUNDS)])
        for times in (1, 5)
    )
    short_K, long_K = short_RK.min(0), long_RK.min(0)
    # the difference of two run lengths cancels the work done once per run
    pairs = zip(short_K.tolist(), long_K.tolist(), few, strict=True)
    return [(long - short) / (4 * n) if long > short else long / (5 * n) for short, long, n in pairs]


def _run(name: str, sizes: Sequence[int], rows: int) -> Callable[[int], float]:
    """Return a function that trains one network for the given number of further steps and returns the
    seconds."""
    net = mlp(*sizes[1:-1])
    with fork_rng():
        shared = SharedConfig(net.module(sizes[0], sizes[-1], None), net, Loss("cross_entropy"))
    hp = {name: torch.tensor([default], dtype=torch.float64) for name, default in HP.items()}
    if name == "lanes":
        kernel: LanesKernel | FlatLoopKernel = LanesKernel(shared, 1, "units")
    else:
        kernel = FlatLoopKernel(shared, int(name.rpartition(" ")[2]))
    x, y, member = torch.ones(rows, sizes[0]), torch.arange(rows) % sizes[-1], torch.tensor([0])
    with torch.no_grad():
        population = new_population(shared, [0], hp)

    def run(steps: int) -> float:
        chunk = Chunk(x, y, [None] * steps, 0, 0, [[1.0] * steps])
        with torch_context(kernel.intra_op_threads):
            begin = time.perf_counter()
            kernel.run(population, member, chunk)
            return time.perf_counter() - begin

    return run
