"""The choice of the kernel: how much slower the chosen one is than the fastest, over 44 networks.

From 2-4-2 with one row to 784-512-512-10 with 500, one member to 100,000. Each kernel trains alone, in turns.
"""

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


def run(quick: bool) -> Result:
    rounds, seconds = (1, 0.01) if quick else (3, 0.15)
    rows, figures = [], {}
    for sizes, count, batch, members in CASES[:2] if quick else CASES:
        mine = _training(sizes, count, batch, members, None).engine
        works = {
            engine: _work(_training(sizes, count, batch, members, engine), members, seconds)
            for engine in sorted({mine, "batched"})
        }
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
        f"Median of {rounds} interleaved rounds of {seconds:g} s, in the ticks of a sweep, with a worker for "
        "each core.",
        ("The kernel module, which trains what the others can't.",),
        figures=figures,
    )


def _training(
    sizes: tuple[int, ...],
    rows: int,
    batch: int | None,
    members: int,
    engine: str | None,
) -> TrainingLoop:
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(rows, sizes[0], generator=generator)
    single = sizes[-1] == 1
    y = x[:, :1] if single else torch.randint(sizes[-1], (rows,), generator=generator)
    if rows == 1:
        y = torch.tensor([sizes[-1] - 1])
    return tr.train(
        (x, y), tr.mlp(*sizes[1:-1]), lr=1e-3, batch_size=batch or "full", steps=10_000_000,
        seeds=range(members), every=1_000_000, engine=engine,
    )  # fmt: skip


def _work(training: TrainingLoop, members: int, seconds: float) -> Callable[[], Spent]:
    def some() -> int:
        return len(training.advance(0.5).loss_SP) * members

    timed = for_seconds(seconds, some)

    def work() -> Spent:
        with torch_threads(training.setup.kernel.intra_op_threads):
            return timed()

    return work
