"""Speed of drawing batches from memory or a mapped file, against ``TensorDataset`` with ``DataLoader``."""

import os
import tempfile
import warnings
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import numpy as np
import torch
from torch.utils.data import DataLoader, TensorDataset

from benchmarks.result import Result, Table
from benchmarks.timing import budget, interleaved, once, ratio, threads, wall
from treino.data.mapped_rows import MappedRows
from treino.data.rows import Rows, batches, order

CASES = (  # rows, columns, batch, rounds, worker processes of the DataLoader
    (60_000, 784, 100, 9, 0),
    (60_000, 784, 100, 3, 4),
    (60_000, 784, 20, 9, 0),
    (60_000, 784, 5, 9, 0),
    (1_000_000, 50, 100, 3, 0),
    (1_000_000, 50, 100, 3, 4),
    (178, 13, 32, 9, 0),
)
LIMIT = 5
MAPPED = 2_500_000, 100  # rows and columns of float32: 1 GB
READ_LIMIT = 0.7  # of the speed of a plain read
READ_AT_ONCE = 1 << 24
BATCH = 1000


def run(quick: bool) -> Result:
    rows, figures = [], {}
    for n, inputs, batch_size, rounds, workers in CASES:
        if quick:
            n, rounds = min(n, 2_000), 2
        x_ND = torch.randn(n, inputs, generator=torch.Generator().manual_seed(0))
        data = Rows(x_ND, torch.arange(n) % 10, torch.arange(n))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)
            loader = DataLoader(
                TensorDataset(data.x, data.y), batch_size=batch_size, shuffle=True, num_workers=workers
            )
        epochs = max(1, 2_000 // n) if not workers else 1
        with threads(1), warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # of more workers than cores
            found = interleaved(
                {
                    "DataLoader": once(lambda a=loader, e=epochs: sum(_visit(a) for _epoch in range(e))),
                    "treino": once(
                        lambda d=data, b=batch_size, e=epochs: sum(
                            _visit(batches(d, b, order(len(d), 0, epoch))) for epoch in range(e)
                        )
                    ),
                },
                rounds,
            )
        value = ratio(found, "DataLoader", "treino")
        figures[f"{n}x{inputs}_{batch_size}" + (f"_{workers}" if workers else "")] = round(value, 1)
        milliseconds = (f"{wall(found, name) * n * 1e3:,.2f}" for name in ("DataLoader", "treino"))
        rows.append(
            (
                f"{n:,} × {inputs}",
                str(batch_size),
                str(workers),
                *milliseconds,
                f"{value:.1f} ×",
                *budget(value, LIMIT, at_most=False),
            )
        )
    columns = (
        "rows", "batch", "its workers", "DataLoader, ms/epoch", "treino, ms/epoch", "treino faster", "budget",
        "kept",
    )  # fmt: skip
    mapped, more = _mapped(quick)
    return Result(
        (Table("One epoch of shuffled batches, no training", columns, tuple(rows)), mapped),
        "In memory: float32 rows, every batch visited once, drawing the order counted on both sides; the "
        "median of 9 interleaved rounds (3 with workers and of a million rows), one thread. From a mapped "
        "file: read whole by `readinto`, 16 MB at a time, and in batches of 1000 rows in the order of an "
        "epoch; the median of 5 interleaved rounds, the file dropped from "
        "the page cache before every reading.",
        ("What a training does meanwhile: it reads ahead in a thread; `waited` is its share of waiting.",),
        ("https://docs.pytorch.org/docs/stable/data.html",),
        figures | more,
    )


def _mapped(quick: bool) -> tuple[Table, dict[str, float]]:
    n, inputs = (MAPPED[0] // 100, MAPPED[1]) if quick else MAPPED
    with tempfile.TemporaryDirectory() as folder, threads(1):
        path = Path(folder) / "rows"
        array = np.memmap(path, np.float32, "w+", shape=(n, inputs))
        for start in range(0, n, 100_000):
            array[start : start + 100_000] = np.random.default_rng(start).random(
                array[start : start + 100_000].shape, np.float32
            )
        array.flush()
        del array  # what is mapped is not dropped from the page cache
        x = MappedRows(np.memmap(path, np.float32, "r", shape=(n, inputs)))
        names = {"in file order": "off", "in an order by blocks": "blocks"}
        works: dict[str, Callable[[], float]] = {"plain": lambda: _read(path)}
        works |= {name: lambda s=how: take(x, s) for name, how in names.items()}
        found = interleaved(
            {name: once(uncached(path, work)) for name, work in works.items()}, 2 if quick else 5
        )
    shares = {name: ratio(found, "plain", name) for name in names}
    size = n * inputs * 4 / 1e6
    rows = [("the file, read whole", f"{size / (wall(found, 'plain') * n):,.0f}", "1.00", "", "")]
    for name, share in shares.items():
        speed = size / (wall(found, name) * n)
        rows.append(
            (f"rows {name}", f"{speed:,.0f}", f"{share:.2f}", *budget(share, READ_LIMIT, at_most=False))
        )
    columns = ("what is read", "MB/s", "share of a plain read", "budget", "kept")
    table = Table(
        f"One epoch out of a mapped file of {size:,.0f} MB, not in the page cache", columns, tuple(rows)
    )
    return table, {f"mapped_{names[name]}": round(share, 2) for name, share in shares.items()}


def uncached(path: Path, work: Callable[[], float]) -> Callable[[], float]:
    """The same after the file was dropped from the page cache; the drop is a call to the system of µs."""

    def run() -> float:
        file = os.open(path, os.O_RDONLY)
        os.fsync(file)
        os.posix_fadvise(file, 0, 0, os.POSIX_FADV_DONTNEED)
        os.close(file)
        return work()

    return run


def _read(path: Path) -> float:
    into, size = memoryview(bytearray(READ_AT_ONCE)), 0
    with path.open("rb", buffering=0) as file:
        while more := file.readinto(into):
            size += more
    return size / (4 * MAPPED[1])


def take(x: MappedRows, shuffle: str) -> float:
    index_N = order(len(x), 0, 0, shuffle)  # type: ignore[arg-type]
    return sum(len(part) for part, _y in x.in_batches(index_N, index_N, BATCH))


def _visit(stream: Iterable[Sequence[torch.Tensor]]) -> int:
    """-> the rows that came by."""
    return sum(len(y) for _x, y in stream)
