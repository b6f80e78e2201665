"""Files with changed bytes: each is a table or refused, with no other error and no hang, in every format."""

import gzip
import io
import multiprocessing
import random
import signal
import tempfile
import time
import zipfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from types import FrameType

import pyarrow as pa
import pyarrow.parquet
import torch

from benchmarks.result import Result, Table
from treino.base.errors import TreinoError
from treino.data.readers import read_file
from treino.data.rows import MemoryLimit

CASES, QUICK, BATCH = (50_000, 100_000), 400, 500
SECONDS = 20  # a file that takes longer hangs
TELLING = b",;\t|\"'\n\r .-+eE0159NA%$/:{}[]\\\0\xff\xfe\xef\xbb\xbf\xe9"


def tables() -> dict[str, bytes]:
    """A small table in every format and some dialects; no clock is in the archives."""
    rows = [
        (i, f"{i * 3 % 7}.{i % 10}5", f"2024-0{i % 9 + 1}-1{i % 9}", f"{'ab'[i % 2]}é") for i in range(40)
    ]
    plain = "n,x,d,y\n" + "".join(",".join(map(str, row)) + "\n" for row in rows)
    quoted = "\r\n".join(",".join(f'"{cell}"' for cell in row) for row in [("n", "x,1", "d", "y"), *rows])
    comma = "n;x;d;y\n" + "".join(
        f"{n};R$ 1.00{n % 9},{x[0]}5;1{n % 9}/0{n % 9 + 1}/2024;{y}\n" for n, x, _d, y in rows
    )
    lines = "".join(f'{{"n": {n}, "x": {x}, "d": "{d}", "y": "{y}", "z": null}}\n' for n, x, d, y in rows)
    columns = pa.table({"n": [row[0] for row in rows], "y": [row[3] for row in rows], "t": [True, None] * 20})
    parquet, feather, stream, archive = io.BytesIO(), io.BytesIO(), io.BytesIO(), io.BytesIO()
    pyarrow.parquet.write_table(columns, parquet)
    with pa.ipc.new_file(feather, columns.schema) as file_writer:
        file_writer.write_table(columns)
    with pa.ipc.new_stream(stream, columns.schema) as stream_writer:
        stream_writer.write_table(columns)
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr(zipfile.ZipInfo("t.csv"), plain, zipfile.ZIP_DEFLATED)
    return {
        "csv": plain.encode(), "quoted csv": quoted.encode(), "semicolons": comma.encode("cp1252"),
        "UTF-16": plain.encode("utf-16"), "JSON lines": lines.encode(),
        "gzip": gzip.compress(plain.encode(), mtime=0),
        "zstd": pa.compress(plain.encode(), "zstd", asbytes=True), "zip": archive.getvalue(),
        "Parquet": parquet.getvalue(), "Arrow": feather.getvalue(), "Arrow stream": stream.getvalue(),
    }  # fmt: skip


def changed(content: bytes, draw: random.Random) -> bytes:
    """The bytes with one to eight edits: one changed, put in or taken out, a stretch doubled, the end cut."""
    found = bytearray(content)
    for _edit in range(draw.choice([1, 1, 1, 2, 3, 8])):
        at = draw.randrange(len(found) + 1) if found else 0
        what = draw.choice(["change", "change", "insert", "insert", "delete", "double", "cut", "swap"])
        byte = draw.choice(TELLING) if draw.random() < 0.7 else draw.randrange(256)
        if what == "insert" or not found:
            found[at:at] = bytes([byte]) * draw.choice([1, 1, 1, 2, 300])
        elif what == "change":
            found[at % len(found)] = byte
        elif what == "delete":
            del found[at : at + draw.choice([1, 1, 2, 40])]
        elif what == "double":
            found[at:at] = found[at : at + draw.choice([3, 40, 400])]
        elif what == "cut" and draw.random() < 0.3:
            del found[at:]
        else:
            end = draw.randrange(len(found))
            found[at : at + 4], found[end : end + 4] = found[end : end + 4], found[at : at + 4]
    return bytes(found)


def case(number: int, kinds: dict[str, bytes]) -> tuple[str, bytes]:
    """(format, bytes) of the case of that number, always the same."""
    draw = random.Random(number)
    kind = draw.choice(list(kinds))
    return kind, changed(kinds[kind], draw)


def answer(path: Path) -> str:
    """``read``, or the rule by which the file is refused; any other error is raised."""
    try:
        table = read_file(path)
        stored = read_file(path, room=MemoryLimit(0, lambda: path.parent))
    except TreinoError as error:
        return error.rule if error.hint and error.message and error.status == 2 else f"ERROR {error.rule}"
    assert stored.rows == table.rows
    return "read"


def _some(numbers: range) -> list[tuple[str, str, float]]:
    """(format, answer, seconds) of each case, in a process of its own: a reader in C may take it down."""
    torch.set_num_threads(1)
    kinds, found = tables(), []
    signal.signal(signal.SIGALRM, _late)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "t.csv"
        for number in numbers:
            kind, content = case(number, kinds)
            path.write_bytes(content)
            begin = time.perf_counter()
            signal.alarm(SECONDS)
            try:
                said = answer(path)
            except Exception as error:
                said = f"ERROR {type(error).__name__}: {str(error)[:200]} (case {number})"
            signal.alarm(0)
            found.append((kind, said, time.perf_counter() - begin))
    return found


def _late(number: int, frame: FrameType | None) -> None:
    raise TimeoutError("a hang")


def _all(cases: int) -> Iterator[tuple[str, str, float]]:
    batches = [range(start, min(start + BATCH, cases)) for start in range(0, cases, BATCH)]
    context = multiprocessing.get_context("spawn")
    with context.Pool(2, maxtasksperchild=20) as pool:
        asked = [(batch, pool.apply_async(_some, (batch,))) for batch in batches]
        for batch, result in asked:
            try:
                yield from result.get(SECONDS * len(batch))
            except multiprocessing.TimeoutError:
                yield ("?", f"ERROR a process died in the cases {batch.start} to {batch.stop}", 0.0)


def run(quick: bool, cases: int | None = None) -> Result:
    wanted = cases or (QUICK if quick else CASES[-1])
    read, refused, slowest, rules = Counter[str](), Counter[str](), 0.0, Counter[str]()
    errors: list[str] = []
    for kind, said, seconds in _all(wanted):
        slowest = max(slowest, seconds)
        if said.startswith("ERROR"):
            errors.append(f"{kind}: {said}")
        elif said == "read":
            read[kind] += 1
        else:
            refused[kind] += 1
            rules[said] += 1
    rows = tuple(
        (kind, f"{read[kind] + refused[kind]:,}", f"{read[kind]:,}", f"{refused[kind]:,}",
         str(sum(error.startswith(f"{kind}:") for error in errors)))
        for kind in tables()
    )  # fmt: skip
    columns = ("format", "files", "read as a table", "refused with a reason", "other errors, crashes, hangs")
    return Result(
        (
            Table(f"{wanted:,} files with one to eight changed places", columns, rows),
            Table("Reasons", ("rule", "files"), tuple((rule, f"{n:,}") for rule, n in rules.most_common())),
            *([Table("Errors", ("what",), tuple((error,) for error in errors[:20]))] if errors else []),
        ),
        "A table of 40 rows in each format, bytes changed, put in, taken out, doubled, swapped or cut off; "
        "each file is read in memory and block by block, which have to agree. "
        f"Slowest file: {slowest:.2f} s.",
        figures={"cases": wanted, "read": read.total(), "refused": refused.total(), "errors": len(errors)},
    )
