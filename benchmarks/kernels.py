"""The choice of the kernel: how much slower the chosen one is than the fastest, over 44 networks.

From 2-4-2 with one row to 784-512-512-10 with 500, one member to 100,000. Each kernel trains alone, in turns.
"""

import os
from collections.abc import Callable

import torch

import treino as tr
from benchmarks.result import Result, Table
from benchmarks.timing import Spent, for_seconds, interleaved, microseconds, ratio, wall
from treino.engine import TrainingLoop
from treino.engine.devices import torch_threads

LIMIT = 1.1
CASES: tuple[tuple[tuple[int, ...], int, int | None, int], ...] = (  # sizes, rows, batch, members
    *(((2, 4, 2), 1, None, members) for members in (1, 100, 100_000)),
    *(((2, 8, 8, 2), 100, batch, members) for batch in (None, 20) for members in (1, 3, 16, 1000)),
    *(((13, 32, 16, 3), 133, batch, members) for batch in (None, 20) for members in (1, 4, 64, 1000)),
    ((13, 32, 16, 3), 20_000, None, 1),
    *(((64, 64, 32, 10), 1437, batch, members) for batch in (32, 256) for members in (1, 2, 8, 64, 1000)),
    *(((30, 256, 256, 1), 5000, 256, members) for members in (1, 8)),
    *(((784, 128, 128, 10), 5000, batch, members) for batch in (5, 20, 100, 500) for members in (1, 16)),
    *(((784, 512, 512, 10), 5000, batch, members) for batch in (20, 100, 500) for members in (1, 4)),
)
MANY = 256  # members; flat-loop and units take them one after the other, as with these


def run(quick: bool) -> Result:
    rounds, seconds = (1, 0.01) if quick else (3, 0.15)
    rows, figures = [], {}
    for sizes, count, batch, members in CASES[:2] if quick else CASES:
        chosen = _training(sizes, count, batch, members, None, None)
        kinds = {
            ("lanes", None),
            ("batched", None),
            ("flat-loop", 1),
            ("flat-loop", len(os.sched_getaffinity(0))),
        }
        works, names = {}, {}
        for engine, threads in sorted(kinds, key=str):
            name = engine if threads is None else f"{engine} {threads}"
            if engine != "lanes" or "lanes" in dict(tr.engines()):
                few = min(members, MANY) if engine == "flat-loop" else members
                works[name] = _work(_training(sizes, count, batch, few, engine, threads), few, seconds)
                names[engine, threads] = name
        mine = names.get((chosen.engine, None)) or names[chosen.engine, chosen.threads]
        found = interleaved(works, rounds)
        best = min(found, key=lambda name: wall(found, name))
        slower = ratio(found, mine, best)
        case = ("-".join(map(str, sizes)), "full" if batch is None else str(batch), f"{members:,}")
        figures["_".join([*case[:2], str(members)])] = round(slower, 3)
        times = [microseconds(wall(found, name)) for name in works]
        rows.append((*case, *times, mine, f"{slower:.2f}", "yes" if slower <= LIMIT else "no"))
    worst = max(figures.values())
    figures["worst"] = worst
    columns = ("network", "batch", "members", *works, "chosen", "over the fastest", f"≤ {LIMIT:g}")
    return Result(
        (Table(f"One step of one member with Adam, µs; {len(rows)} cases", columns, tuple(rows)),),
        f"Median of {rounds} interleaved rounds of {seconds:g} s, in the ticks of a sweep. flat-loop with "
        "one torch thread and with all, the others with a worker for each core; flat-loop with "
        f"{MANY} members at most, which take turns.",
        ("The kernel module, which trains what the others can't.",),
        figures=figures,
    )


def _training(
    sizes: tuple[int, ...],
    rows: int,
    batch: int | None,
    members: int,
    engine: str | None,
    threads: int | None,
) -> TrainingLoop:
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(rows, sizes[0], generator=generator)
    single = sizes[-1] == 1
    y = x[:, :1] if single else torch.randint(sizes[-1], (rows,), generator=generator)
    if rows == 1:
        y = torch.tensor([sizes[-1] - 1])
    return tr.train(
        (x, y), tr.mlp(*sizes[1:-1]), lr=1e-3, batch_size=batch or "full", steps=10_000_000,
        seeds=range(members), every=1_000_000, engine=engine, threads=threads,
    )  # fmt: skip


def _work(training: TrainingLoop, members: int, seconds: float) -> Callable[[], Spent]:
    def some() -> int:
        return len(training.advance(0.5).loss_SP) * members

    timed = for_seconds(seconds, some)

    def work() -> Spent:
        with torch_threads(training.setup.kernel.intra_op_threads):
            return timed()

    return work
