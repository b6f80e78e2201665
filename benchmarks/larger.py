"""Seconds and memory for a CSV file that is larger than memory, against plain reads of it."""

import json
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv

from benchmarks.batches import take, uncached
from benchmarks.result import Result, Table
from benchmarks.timing import Spent, budget, interleaved, once, ratio, threads, wall
from treino.data.large_tables import name_of
from treino.data.mapped_rows import MappedRows
from treino.data.splits import TRAIN

ROWS, QUICK = 265_000, 6_000  # of 1 GB, and of some MB
COLUMNS = 200
TIMES = 2  # the size of the prepared rows in that of the memory for them
SLOWER, SHARE = 2.0, 0.7
AT_ONCE = 1 << 24
WARM_ROWS, BLOCK_ROWS = 2_000, 5_000
CHILD = """
import gc, json, sys, time
import pyarrow.csv
def megabytes(name):
    return next(int(l.split()[1]) for l in open("/proc/self/status") if l.startswith(name)) / 1000
def measured(work):
    gc.collect()
    open("/proc/self/clear_refs", "w").write("5")
    before, begin = megabytes("VmRSS"), time.perf_counter()
    work()
    print(json.dumps([time.perf_counter() - begin, megabytes("VmHWM") - before]))
who, warm, large, memory, cache = sys.argv[1:]
if who == "pyarrow":
    pyarrow.csv.read_csv(warm)
    measured(lambda: pyarrow.csv.read_csv(large))
else:
    from treino.data import load
    load(warm, target="y", max_memory="1MB")
    measured(lambda: load(large, target="y", max_memory=memory, cache=cache))
"""


def run(quick: bool) -> Result:
    rows, rounds = (QUICK, 1) if quick else (ROWS, 3)
    with tempfile.TemporaryDirectory() as folder, threads(1):
        path, warm = Path(folder) / "t.csv", Path(folder) / "warm.csv"
        _write(path, rows)
        _write(warm, WARM_ROWS)
        memory = rows * COLUMNS * 4 // TIMES
        peaks: dict[str, float] = {}

        def child(who: str, number: list[int]) -> Spent:
            number[0] += 1
            cache = Path(folder) / f"cache-{number[0]}"
            command = [sys.executable, "-c", CHILD, who, str(warm), str(path), str(memory), str(cache)]
            said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
            seconds, peaks[who] = json.loads(said)
            return Spent(seconds, seconds)

        count = [0]
        prepared = interleaved(
            {who: lambda w=who: child(w, count) for who in ("pyarrow", "treino")}, rounds, warm=0
        )
        (made,) = (Path(folder) / f"cache-{count[0]}").iterdir()
        inputs = made / name_of(TRAIN)
        n = inputs.stat().st_size // (4 * COLUMNS)
        x = MappedRows(np.memmap(inputs, np.float32, "r", shape=(n, COLUMNS)))
        works: dict[str, Callable[[], float]] = {"plain": lambda: _read(inputs)}
        works |= {how: lambda h=how: take(x, h) for how in ("off", "blocks")}
        found = interleaved(
            {name: once(uncached(inputs, work)) for name, work in works.items()}, 2 if quick else 5
        )
        size = path.stat().st_size
    slower = ratio(prepared, "treino", "pyarrow")
    shares = {how: ratio(found, "plain", how) for how in ("off", "blocks")}
    seconds = {who: f"{wall(prepared, who):.2f}" for who in prepared}
    lines = (
        ("pyarrow.csv.read_csv alone", seconds["pyarrow"], f"{peaks['pyarrow']:,.0f}", "", "1.00", "", ""),
        (
            "treino: read, split, fitted, scaled, written",
            seconds["treino"],
            f"{peaks['treino']:,.0f}",
            "yes" if peaks["treino"] < memory / 1e6 else "no",
            f"{slower:.2f}",
            *budget(slower, SLOWER, at_most=True),
        ),
    )
    speed = {name: n * COLUMNS * 4 / 1e6 / (wall(found, name) * n) for name in works}
    words = {"off": "batches in file order", "blocks": "batches in an order by blocks"}
    reads = [("the file, read whole", f"{speed['plain']:,.0f}", "1.00", "", "")]
    reads += [
        (words[how], f"{speed[how]:,.0f}", f"{share:.2f}", *budget(share, SHARE, at_most=False))
        for how, share in shares.items()
    ]
    title = f"{size / 1e9:.3g} GB of CSV, {rows:,} × {COLUMNS} numbers, max_memory {memory / 1e6:,.0f} MB"
    return Result(
        (
            Table(
                title, ("what", "s", "peak, MB", "under max_memory", "of pyarrow", "budget", "kept"), lines
            ),
            Table(
                "An epoch out of what was prepared, not in the page cache",
                ("what is read", "MB/s", "share of a plain read", "budget", "kept"),
                tuple(reads),
            ),
        ),
        f"The prepared rows need {TIMES} times max_memory. Each side in a process of its own, in turns; a "
        "small file before it takes what libraries take once; the peak is what the process grew by after it. "
        "The file was just written and is in the page cache. Batches of 1000 rows; what was prepared was "
        "dropped from the page cache before every reading; how fast it is read does not hang on max_memory.",
        ("What a training does meanwhile: `waited` says for what share of its time it waited for rows.",),
        ("https://arrow.apache.org/docs/python/csv.html",),
        {"slower": round(slower, 2), "peak_share": round(peaks["treino"] / (memory / 1e6), 2)}
        | {f"share_{how}": round(share, 2) for how, share in shares.items()},
    )


def _write(path: Path, rows: int) -> None:
    """Numbers of 16 digits, and their sum as the target."""
    draw, writer = np.random.default_rng(0), None
    for start in range(0, rows, BLOCK_ROWS):
        x_BD = draw.standard_normal((min(BLOCK_ROWS, rows - start), COLUMNS))
        table = pa.table({**{f"x{j}": x_BD[:, j] for j in range(COLUMNS)}, "y": x_BD.sum(axis=1)})
        writer = writer or pyarrow.csv.CSVWriter(path, table.schema)
        writer.write_table(table)
    assert writer is not None
    writer.close()


def _read(path: Path) -> float:
    into, size = memoryview(bytearray(AT_ONCE)), 0
    with path.open("rb", buffering=0) as file:
        while more := file.readinto(into):
            size += more
    return size / (4 * COLUMNS)
