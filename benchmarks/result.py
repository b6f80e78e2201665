"""The result of a benchmark: tables and figures, printed for people and kept as JSON for the docs."""

import datetime
import json
import os
import platform
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch

from benchmarks.measured_code import digests

RESULTS = Path(__file__).parent / "results"


@dataclass(frozen=True)
class Table:
    """Cells are strings as they are shown."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    def lines(self) -> list[str]:
        """As Markdown, which reads well on a terminal too."""
        cells = [self.columns, *self.rows]
        widths = [max(len(row[i]) for row in cells) for i in range(len(self.columns))]
        padded = [
            "| " + " | ".join(cell.ljust(w) for cell, w in zip(row, widths, strict=True)) + " |"
            for row in cells
        ]
        return [padded[0], "|" + "|".join("-" * (w + 2) for w in widths) + "|", *padded[1:]]


@dataclass(frozen=True)
class Result:
    """tables: what is shown. figures: numbers by name, for the docs. method: how it was measured.

    left_out: what a reader might expect in here and doesn't find. sources: where peers and figures come from.
    """

    tables: tuple[Table, ...]
    method: str
    left_out: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    figures: dict[str, Any] = field(default_factory=dict)

    def show(self) -> str:
        parts = ["\n".join([table.title, "", *table.lines()]) for table in self.tables]
        parts.append(self.method)
        parts += [f"Left out: {line}" for line in self.left_out]
        parts += [f"Source: {line}" for line in self.sources]
        return "\n\n".join(parts)


def write(name: str, result: Result, seconds: float, load: float) -> Path:
    """Keep a full run's result for the docs."""
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{name}.json"
    content = document(result, seconds, load) | {"code": digests(name)}
    path.write_text(json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False) + "\n")
    return path


def document(result: Result, seconds: float, load: float) -> dict[str, Any]:
    """The result as JSON, with the day and the machine. load: of the machine before it began.

    The processor time of this process and of those that it waited for is kept beside the seconds: where it is
    much shorter in a program that never waits, others had the machine.
    """
    return asdict(result) | {
        "date": datetime.date.today().isoformat(),
        "machine": machine() | {"load": round(load, 1)},
        "seconds": round(seconds),
        "processor_seconds": round(sum(os.times()[:4])),
    }


def read(name: str) -> tuple[Result, dict[str, Any]]:
    """-> (the result, when and on which machine it was measured)."""
    document = json.loads((RESULTS / f"{name}.json").read_text())
    tables = tuple(
        Table(t["title"], tuple(t["columns"]), tuple(tuple(row) for row in t["rows"]))
        for t in document["tables"]
    )
    result = Result(
        tables,
        document["method"],
        tuple(document["left_out"]),
        tuple(document["sources"]),
        document["figures"],
    )
    kept = ("date", "seconds", "processor_seconds", "code")
    return result, document["machine"] | {name: document[name] for name in kept if name in document}


def machine() -> dict[str, Any]:
    """What figures depend on."""
    return {
        "cores": os.cpu_count(),
        "cpu": _cpu(),
        "python": platform.python_version(),
        "torch": torch.__version__,
    }


def _cpu() -> str:
    info = Path("/proc/cpuinfo")
    if info.exists():
        for line in info.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.machine()
