"""Seconds to read a CSV file of numbers, against ``pyarrow.csv.read_csv`` alone on the same file."""

import os
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv

from benchmarks.result import Result, Table
from benchmarks.timing import budget, interleaved, once, ratio, wall
from treino.data.readers import read_file

BYTES, QUICK = 1_000_000_000, 20_000_000
LIMIT = 2


def _decimals(draw: np.random.Generator, rows: int) -> pa.Table:
    return pa.table({f"x{j}": draw.standard_normal(rows) for j in range(10)})


def _mixed(draw: np.random.Generator, rows: int) -> pa.Table:
    whole = {f"n{j}": draw.integers(0, 100_000, rows) for j in range(6)}
    cents = {f"x{j}": np.round(draw.gamma(2, 50, rows), 2) for j in range(6)}
    return pa.table({**whole, **cents})


KINDS: dict[str, Callable[[np.random.Generator, int], pa.Table]] = {
    "10 columns of 16 digits": _decimals,
    "6 of whole numbers, 6 with cents": _mixed,
}


def run(quick: bool) -> Result:
    size, rounds = (QUICK, 2) if quick else (BYTES, 3)
    rows, figures = [], {}
    for kind, make in KINDS.items():
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "t.csv"
            n = _write(path, make, size)
            found = interleaved(
                {
                    "pyarrow": once(lambda p=path: pyarrow.csv.read_csv(p).num_rows > 0),
                    "treino": once(lambda p=path: read_file(p).rows > 0),
                },
                rounds,
            )
            value = ratio(found, "treino", "pyarrow")
            seconds = (f"{wall(found, name):.2f}" for name in ("pyarrow", "treino"))
            rows.append((kind, f"{os.path.getsize(path) / 1e9:.2f}", f"{n:,}", *seconds, f"{value:.2f}",
                         *budget(value, LIMIT, at_most=True)))  # fmt: skip
            figures[kind] = {"treino": round(value, 2)}
    columns = ("columns", "GB", "rows", "pyarrow, s", "treino, s", "treino / pyarrow", "budget", "kept")
    return Result(
        (Table("A CSV file of numbers, read into memory", columns, tuple(rows)),),
        "treino looks at all bytes first (encoding, NUL, quotes), takes the file's SHA-256, agrees on one "
        "writing for all of the file and gives float64 columns without gaps in memory; pyarrow guesses types "
        f"by its first block. Median of {rounds} interleaved rounds, the file in the page cache.",
        ("Splitting, fitting and scaling come after reading.",),
        ("https://arrow.apache.org/docs/python/csv.html",),
        figures,
    )


def _write(path: Path, make: Callable[[np.random.Generator, int], pa.Table], size: int) -> int:
    """A file of about so many bytes; -> its rows."""
    draw, rows = np.random.default_rng(0), 0
    with path.open("wb") as stream:
        while stream.tell() < size:
            table = make(draw, 50_000)
            options = pyarrow.csv.WriteOptions(
                include_header=not rows, quoting_style="none", quoting_header="none"
            )
            pyarrow.csv.write_csv(table, stream, options)
            rows += table.num_rows
    return rows
