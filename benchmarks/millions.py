"""A million rows and more, from a file to a model: processor time, memory and disk, beside LightGBM."""

import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

from benchmarks.result import Result, Table
from treino.data.large_tables import ROW_BYTES

ROWS, QUICK, FEW = (1_000_000, 3_000_000), (5_000, 10_000), 2_000
FORMATS = "csv", "parquet"
ALLOWANCE = 2  # times the file's size, for rows prepared on disk
MEMORY_LIMIT = 2  # times the file's size
KEPT = "TREINO_KEPT"  # names a file that keeps each row, from which a stopped run goes on
PEER = """
import sys, lightgbm, pandas
path = sys.argv[1]
frame = pandas.read_csv(path) if path.endswith("csv") else pandas.read_parquet(path)
frame = frame.astype({name: "category" for name in ("few", "many")})
y = frame.pop("y")
lightgbm.LGBMRegressor(n_jobs=1, verbose=-1).fit(frame, y)
"""
MEMORY, DISK, PEERS = "treino, in memory", "treino, on disk", "pandas + LightGBM"
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")


@dataclass(frozen=True)
class Taken:
    """What a command took. processor, wall: seconds. resident: the most bytes of memory at once, of the
    process and its children; own: those of them that aren't pages of files. disk: bytes of files it left."""

    processor: float
    wall: float
    resident: int
    own: int
    disk: int


def run(quick: bool) -> Result:
    """Needs: pip install lightgbm."""
    found = dict[str, Taken]()
    sizes = dict[str, int]()
    with tempfile.TemporaryDirectory() as folder:
        for rows in (FEW, *(QUICK if quick else ROWS)):
            for kind in FORMATS:
                path = Path(folder) / f"{rows}.{kind}"
                _write(path, rows)
                sizes[_key(kind, rows)] = path.stat().st_size
                for tool, command in _commands(path, rows).items():
                    found[_key(kind, rows, tool)] = _kept(_key(kind, rows, tool), command, quick)
                path.unlink()
    return result(found, sizes, QUICK if quick else ROWS)


def result(found: dict[str, Taken], sizes: dict[str, int], counts: Sequence[int]) -> Result:
    """found may lack what a stopped run had no time for: it is named among what is left out."""
    lines, straight = list[tuple[str, ...]](), list[tuple[str, ...]]()
    figures, missing = dict[str, Any](), list[str]()
    for kind in FORMATS:
        for tool in (MEMORY, DISK, PEERS):
            few, seconds = found[_key(kind, FEW, tool)], list[float]()
            for rows in counts:
                key, size = _key(kind, rows, tool), sizes[_key(kind, rows)]
                if key not in found:
                    missing.append(key)
                    continue
                taken, peer = found[key], found.get(_key(kind, rows, PEERS))
                times = (taken.own - few.own) / size
                bytes_of = (taken.resident, taken.own, taken.disk)
                ratio = "–" if peer is None else f"{taken.processor / peer.processor:.1f}"
                lines.append((
                    *(kind, f"{rows:,}", f"{size / 1e6:.0f}", tool, f"{taken.processor:.1f}", ratio),
                    *(f"{value / 1e9:.2f}" for value in bytes_of),
                    *(f"{times:.1f}", "yes" if times <= MEMORY_LIMIT else "no"),
                ))  # fmt: skip
                figures[key] = asdict(taken) | {"file": size, "memory / file": round(times, 2)}
                seconds.append((taken.processor - few.processor) / (rows - FEW) * 1e6)
            if len(seconds) == len(counts):
                ratio = f"{seconds[-1] / seconds[0]:.2f}"
                straight.append((kind, tool, *(f"{each:.1f}" for each in seconds), ratio))
                figures[f"{kind}, {tool}: growth"] = float(ratio)
    heads = "file", "rows", "MB", "tool", "s", "times LightGBM", "GB", "GB of its own", "GB on disk"
    growth_heads = "file", "tool", *(f"s for a million, of {rows:,}" for rows in counts), "ratio"
    left_out = (
        "A training to its end: the recipe trains for many epochs, where LightGBM's 100 trees are all.",
        "How well both predict.",
        *(["Not run, for want of time: " + "; ".join(missing) + "."] if missing else []),
    )
    tables = [
        Table("From a file to a model", (*heads, "of its own / file", f"≤ {MEMORY_LIMIT}"), tuple(lines))
    ]
    if straight:
        tables.append(Table("A straight line in the rows", growth_heads, tuple(straight)))
    return Result(
        tuple(tables),
        "Seven numbers, a year, a column of 5 and one of 200 words, and a number as the target, which "
        "follows five of them. `treino train FILE --target y --epochs 1`, as it is and with `--max-memory` "
        f"of {ALLOWANCE} times the file, or {ROW_BYTES} bytes for each row, the least that it takes; "
        "LightGBM with 100 trees after pandas has read the file. One thread, each once, new processes; "
        "seconds of the processor, of all processes that a command starts. GB: the most memory at once, "
        "looked at twenty times a second; of its own: without pages of files, which the system drops where "
        "it wants the room. Divided by the file's size, and for a million: beyond the same on a file of "
        f"{FEW:,} rows. On disk: the prepared rows and the run.",
        left_out,
        ("LightGBM https://lightgbm.readthedocs.io",),
        figures,
    )


def _key(kind: str, rows: int, tool: str = "") -> str:
    return ", ".join(each for each in (kind, f"{rows:,}", tool) if each)


def _commands(path: Path, rows: int) -> dict[str, list[str]]:
    train = [sys.executable, "-m", "treino", "train", str(path), "--target", "y", "--epochs", "1"]
    allowed = max(ALLOWANCE * path.stat().st_size, ROW_BYTES * (rows + 1_000))
    return {
        MEMORY: train,
        DISK: [*train, "--max-memory", f"{allowed // 1_000}KB"],
        PEERS: [sys.executable, "-c", PEER, str(path)],
    }


def _kept(key: str, command: Sequence[str], quick: bool) -> Taken:
    """What the command takes, or took where a stopped run has kept it."""
    kept = Path(os.environ[KEPT]) if KEPT in os.environ and not quick else None
    if kept is not None and kept.exists():
        for line in map(json.loads, kept.read_text().splitlines()):
            if line["key"] == key:
                return Taken(**line["taken"])
    taken = measured(command)
    if kept is not None:
        with kept.open("a") as file:
            file.write(json.dumps({"key": key, "taken": asdict(taken)}) + "\n")
    return taken


def measured(command: Sequence[str]) -> Taken:
    """What a command takes in a new process and an empty folder, with one thread."""
    with tempfile.TemporaryDirectory() as folder:
        begin, before = time.perf_counter(), os.times()
        process = subprocess.Popen(
            command,
            cwd=folder,
            env=os.environ | ONE_THREAD,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
        peaks, ended = [0, 0], threading.Event()
        watcher = threading.Thread(target=_watch, args=(process.pid, peaks, ended))
        watcher.start()
        _out, error = process.communicate()
        ended.set()
        watcher.join()
        if process.returncode:
            raise RuntimeError(error.decode())
        after = os.times()
        processor = sum(after[2:4]) - sum(before[2:4])
        disk = sum(path.stat().st_size for path in Path(folder).rglob("*") if path.is_file())
        return Taken(round(processor, 2), round(time.perf_counter() - begin, 1), peaks[0], peaks[1], disk)


def _watch(pid: int, peaks: list[int], ended: threading.Event) -> None:
    """Keep the most bytes that the process and its children hold, of all kinds and of their own."""
    while not ended.wait(0.05):
        held = [_held(one) for one in _family(pid)]
        for j, each in enumerate(zip(*held, strict=True)):
            peaks[j] = max(peaks[j], sum(each))


def _family(pid: int) -> list[int]:
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return []
    return [pid, *(each for child in children for each in _family(int(child)))]


def _held(pid: int) -> tuple[int, int]:
    """-> (resident bytes, those of them that aren't pages of files) of a process; of one that ended 0."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0, 0
    size = {name: 1024 * int(value.split()[0]) for name, _c, value in (s.partition(":") for s in lines)
            if name in ("RssAnon", "RssFile", "RssShmem")}  # fmt: skip
    own = size.get("RssAnon", 0) + size.get("RssShmem", 0)
    return own + size.get("RssFile", 0), own


def _write(path: Path, rows: int) -> None:
    """Seven numbers, a year and two columns of words, and a number that follows five of them and noise."""
    draw = np.random.default_rng(0)
    x_ND = draw.normal(size=(rows, 7)).round(4)
    year_N = draw.integers(1980, 2025, rows)
    few_N, many_N = draw.integers(0, 5, rows), draw.integers(0, 200, rows)
    effect_M = draw.normal(size=200)
    y_N = x_ND[:, 0] + np.sin(2 * x_ND[:, 1]) + x_ND[:, 2] * (few_N == 2) + effect_M[many_N]
    columns: dict[str, Any] = {f"x{j}": x_ND[:, j] for j in range(7)} | {"year": year_N}
    columns["few"] = np.array([f"kind {k}" for k in range(5)])[few_N]
    columns["many"] = np.array([f"place{k}" for k in range(200)])[many_N]
    columns["y"] = (y_N + draw.normal(size=rows)).round(4)
    table = pa.table(columns)
    if path.suffix == ".csv":
        pa.csv.write_csv(table, path, pa.csv.WriteOptions(quoting_style="none"))
    else:
        pa.parquet.write_table(table, path)
