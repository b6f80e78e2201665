"""Our readers of text tables against DuckDB's sniffer with charset-normalizer: equal, refused, or different.

The peer runs where ``duckdb`` and ``charset-normalizer`` are installed; treino does not depend on them.
"""

import csv
import importlib.util
import io
import random
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from benchmarks.result import Result, Table
from treino.base.errors import TreinoError
from treino.data.readers import read_file

CASES, QUICK = 3_669, 150
DELIMITERS = ",", ";", "\t", "|", "^", "~"
ENCODINGS = "utf-8", "utf-8-sig", "utf-16", "latin-1", "cp1252"
QUOTING = csv.QUOTE_MINIMAL, csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC
ENDS = "\n", "\r\n", "\r"
WORDS = "maçã", "São Paulo", "kilo", "abc", "Zoë", "é", "x y"
EXTRAS = "", ",", ";", '"', "'", " | ", "\n", "1,5"

Cells = list[list[str]]  # the header, then the rows
Reader = Callable[[Path], Cells | None]  # None: refused


def table(draw: random.Random) -> Cells:
    """Columns of decimal numbers, words, dates and truth values, as people write them."""
    rows, kinds = draw.randint(1, 12), [draw.choice("nnwdt") for _ in range(draw.randint(2, 4))]
    extra, form = draw.choice(EXTRAS), draw.choice(["%Y-%m-%d", "%d/%m/%Y", "%d.%m.%Y"])

    def cell(kind: str) -> str:
        if kind == "n":
            return f"{draw.uniform(-1e5, 1e5):.2f}"
        if kind == "w":
            return draw.choice(WORDS) + extra
        if kind == "d":
            return (datetime(1990, 1, 1, tzinfo=UTC) + timedelta(days=draw.randrange(12_000))).strftime(form)
        return draw.choice(["True", "False"])

    return [
        [f"name {'abcd'[j]}" for j in range(len(kinds))],
        *([cell(k) for k in kinds] for _ in range(rows)),
    ]


def content(cells: Cells, draw: random.Random) -> bytes | None:
    """The table in a drawn dialect; None where the encoding lacks a letter."""
    out = io.StringIO(newline="")
    dialect = {"delimiter": draw.choice(DELIMITERS), "lineterminator": draw.choice(ENDS)}
    csv.writer(out, quoting=draw.choice(QUOTING), **dialect).writerows(cells)
    try:
        return out.getvalue().encode(draw.choice(ENCODINGS))
    except UnicodeEncodeError:
        return None


def treino(path: Path) -> Cells | None:
    """Names and words; numbers and dates are compared by the tests of the readers."""
    try:
        found = read_file(path)
    except TreinoError:
        return None
    columns = [
        c.words.tolist() if c.words is not None else [None] * len(found.columns[0]) for c in found.columns
    ]
    return [list(found.names), *map(list, zip(*columns, strict=True))]


def peer(path: Path) -> Cells | None:
    """DuckDB's sniffer, all cells as text, after charset-normalizer has named the encoding."""
    duckdb, normalizer = importlib.import_module("duckdb"), importlib.import_module("charset_normalizer")
    best = normalizer.from_bytes(path.read_bytes()).best()
    if best is None:
        return None
    decoded = path.with_suffix(".utf8.csv")
    decoded.write_bytes(str(best).encode())
    try:
        found = duckdb.sql(f"SELECT * FROM read_csv('{decoded}', all_varchar = true)")
        return [list(found.columns), *([x or "" for x in row] for row in found.fetchall())]
    except duckdb.Error:
        return None


def verdict(found: Cells | None, meant: Cells) -> str:
    """``equal``, ``refused`` or ``different``; cells that a reader brings as numbers are not compared."""
    if found is None:
        return "refused"
    same = len(found) == len(meant) and found[0] == meant[0]
    for row, wanted in zip(found[1:], meant[1:], strict=False):
        pairs = zip(row, wanted, strict=False)
        same = same and len(row) == len(wanted) and all(a is None or _plain(a) == _plain(b) for a, b in pairs)
    return "equal" if same else "different"


def _plain(cell: str) -> str:
    """Without blanks around it; truth values in lower case, as treino gives them."""
    cell = cell.strip()
    return cell.lower() if cell.lower() in ("true", "false") else cell


def run(quick: bool) -> Result:
    readers: dict[str, Reader] = {"treino": treino}
    if importlib.util.find_spec("duckdb") and importlib.util.find_spec("charset_normalizer"):
        readers["DuckDB + charset-normalizer"] = peer
    draw, counts = random.Random(0), {name: Counter[str]() for name in readers}
    seconds = dict.fromkeys(readers, 0.0)
    with tempfile.TemporaryDirectory() as folder:
        path, done = Path(folder) / "t.csv", 0
        while done < (QUICK if quick else CASES):
            cells = table(draw)
            data = content(cells, draw)
            if data is None:
                continue
            path.write_bytes(data)
            for name, reader in readers.items():
                begin = time.perf_counter()
                counts[name][verdict(reader(path), cells)] += 1
                seconds[name] += time.perf_counter() - begin
            done += 1
    rows = tuple(
        (name, *(f"{c[v]:,}" for v in ("equal", "refused", "different")), f"{seconds[name] / done * 1e3:.1f}")
        for name, c in counts.items()
    )
    head = "reader", "equal", "refused", "different, silently", "ms a file"
    return Result(
        (Table(f"{done:,} small tables in drawn dialects", head, rows),),
        "Delimiter, quotes, line ends and encoding drawn with seed 0; cells are compared as text.",
        left_out=("Types: DuckDB's own types of columns were turned off, and ours are tested elsewhere.",),
        sources=("https://duckdb.org/docs/current/data/csv/auto_detection",),
        figures={name: dict(c) for name, c in counts.items()},
    )
