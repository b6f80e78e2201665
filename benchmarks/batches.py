"""Batches out of rows in memory, against ``TensorDataset`` with ``DataLoader``."""

from collections.abc import Iterable, Sequence

import torch
from torch.utils.data import DataLoader, TensorDataset

from benchmarks.result import Result, Table
from benchmarks.timing import budget, interleaved, once, ratio, threads, wall
from treino.data.batches import batches, order
from treino.data.dataset import Rows

CASES = ((60_000, 784, 100), (60_000, 784, 20), (60_000, 784, 5), (178, 13, 32))
LIMIT = 5


def run(quick: bool) -> Result:
    rounds = 2 if quick else 9
    rows, figures = [], {}
    for n, inputs, batch_size in CASES:
        if quick:
            n = min(n, 2_000)
        x_ND = torch.randn(n, inputs, generator=torch.Generator().manual_seed(0))
        data = Rows(x_ND, torch.arange(n) % 10, torch.arange(n))
        loader = DataLoader(TensorDataset(data.x, data.y), batch_size=batch_size, shuffle=True)
        epochs = max(1, 2_000 // n)
        with threads(1):
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
        figures[f"{n}x{inputs}_{batch_size}"] = round(value, 1)
        milliseconds = (f"{wall(found, name) * n * 1e3:,.2f}" for name in ("DataLoader", "treino"))
        rows.append(
            (
                f"{n:,} × {inputs}",
                str(batch_size),
                *milliseconds,
                f"{value:.1f} ×",
                *budget(value, LIMIT, at_most=False),
            )
        )
    columns = ("rows", "batch", "DataLoader, ms/epoch", "treino, ms/epoch", "treino faster", "budget", "kept")
    return Result(
        (Table("One epoch of shuffled batches, no training", columns, tuple(rows)),),
        f"Float32 rows in memory, every batch visited once, drawing the order counted on both sides. Median "
        f"of {rounds} interleaved rounds, one thread, no worker processes.",
        ("Worker processes: `as_taught` measures what num_workers 4 costs where the data is in memory.",),
        ("https://docs.pytorch.org/docs/stable/data.html",),
        figures,
    )


def _visit(stream: Iterable[Sequence[torch.Tensor]]) -> int:
    """-> the rows that came by."""
    return sum(len(y) for _x, y in stream)
