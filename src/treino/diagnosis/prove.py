"""The proof: the script as it is, mended, and mended at other rates, over several seeds, in fresh processes.

A mend is never promised to give a better figure; both are shown. The seed of a run is added to every seed
that the script sets itself, so that a script which fixes its seed varies too.
"""

import json
import math
import re
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from treino.diagnosis.fix import Mended
from treino.words import _

RATES = (1.0, 10.0, 0.1)
_NUMBER = re.compile(r"[-+]?(?:\d+\.\d*|\.\d+|\d+)(?:[eE][-+]?\d+)?")
_T95 = (12.71, 4.30, 3.18, 2.78, 2.57, 2.45, 2.36, 2.31, 2.26)  # Student's t, 1 … 9 degrees of freedom


@dataclass(frozen=True)
class Row:
    """One variant: what the doctor saw as its loss, and the last number that the script printed."""

    variant: str
    loss: tuple[float, ...]
    figure: tuple[float, ...]
    failed: int

    def as_json(self) -> dict[str, Any]:
        return {
            "variant": self.variant,
            "loss": interval(self.loss),
            "figure": interval(self.figure),
            "losses": list(self.loss),
            "figures": list(self.figure),
            "failed": self.failed,
        }


def interval(values: Sequence[float]) -> list[float] | None:
    """[mean, low, high]: 95 % by Student's t; None where nothing finite was seen."""
    finite = [v for v in values if math.isfinite(v)]
    if not finite:
        return None
    mean = sum(finite) / len(finite)
    if len(finite) < 2:
        return [mean, mean, mean]
    spread = math.sqrt(sum((v - mean) ** 2 for v in finite) / (len(finite) - 1))
    half = (_T95[len(finite) - 2] if len(finite) <= 10 else 1.96) * spread / math.sqrt(len(finite))
    return [mean, mean - half, mean + half]


def proof(
    target: str,
    arguments: Sequence[str],
    mended: Mended,
    *,
    module: bool = False,
    seeds: int = 3,
    timeout: float = 600,
) -> list[Row]:
    """One row for each variant. target: a script, or the name of a module. timeout: seconds for each run."""
    job = {"target": target, "module": module, "arguments": list(arguments)}
    variants: list[tuple[str, dict[str, str], float]] = [(_("as it is"), {}, 1.0)]
    for rate in RATES:
        name = _("mended") if rate == 1 else _("mended, lr × {rate}").format(rate=f"{rate:g}")
        variants.append((name, mended.sources, rate))
    return [
        _row(name, job | {"sources": sources, "rate": rate}, seeds, timeout)
        for name, sources, rate in variants
    ]


def _row(name: str, job: dict[str, Any], seeds: int, timeout: float) -> Row:
    losses, figures, failed = [], [], 0
    for seed in range(seeds):
        found = _run(job | {"seed": seed}, timeout)
        if found is None:
            failed += 1
            continue
        losses.append(found["loss"] if found["loss"] is not None else math.nan)
        if found["figure"] is not None:
            figures.append(found["figure"])
    return Row(name, tuple(losses), tuple(figures), failed)


def _run(job: dict[str, Any], timeout: float) -> dict[str, Any] | None:
    with tempfile.TemporaryDirectory() as folder:
        path, answer = Path(folder) / "job.json", Path(folder) / "answer.json"
        path.write_text(json.dumps(job | {"answer": str(answer)}))
        try:
            ended = subprocess.run(
                [sys.executable, "-m", "treino.diagnosis.prove_child", str(path)],
                capture_output=True,
                text=True,
                timeout=timeout,
                stdin=subprocess.DEVNULL,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return None
        if ended.returncode != 0 or not answer.exists():
            return None
        found: dict[str, Any] = json.loads(answer.read_text())
    numbers = _NUMBER.findall(ended.stdout)
    found["figure"] = float(numbers[-1]) if numbers else None
    return found


def table(rows: Sequence[Row]) -> str:
    """The rows side by side."""
    lines = [f"{'':24}{_('last loss [95 %]'):36}{_('last printed number [95 %]')}"]
    lines += [f"{row.variant:24}{_shown(row.loss):36}{_shown(row.figure)}{_trouble(row)}" for row in rows]
    return "\n".join(lines)


def _shown(values: Sequence[float]) -> str:
    found = interval(values)
    return "–" if found is None else f"{found[0]:.4g} [{found[1]:.4g}, {found[2]:.4g}]"


def _trouble(row: Row) -> str:
    return "" if not row.failed else "  " + _("{n} runs failed").format(n=row.failed)
