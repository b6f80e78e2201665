"""Runs, sweeps and studies opened one after the other, and the differences of two runs."""

from contextlib import suppress
from pathlib import Path
from typing import Any

from treino.documents import read_document
from treino.documents.listing import checked, line
from treino.errors import TreinoError
from treino.folders import Stored, stored
from treino.records.stored_run import StoredRun
from treino.store import RunFolder, list_runs
from treino.store.listing import RunSummary


def opened(parent: str | Path = "runs") -> list[Stored]:
    """The runs, sweeps and studies in ``parent``, the newest first; damaged ones are left out."""
    found: list[Stored] = []
    for summary in map(checked, list_runs(parent)):
        if summary.status != "damaged":
            with suppress(TreinoError):
                found.append(stored(RunFolder.open(summary.path)))
    return found


def line_of(run: Stored) -> dict[str, Any]:
    """The row of one run that is open."""
    folder = run.folder
    spec, result = (read_document(folder, n) if folder.has(n) else None for n in ("spec.json", "result.json"))
    return line(RunSummary(run.name, run.path, folder.kind, run.status, folder.created, None, spec, result))


def differences(a: StoredRun, b: StoredRun) -> list[dict[str, Any]]:
    """``{what, a, b}`` for the data, every setting and every figure in which the runs differ."""
    one, two = _flat(a), _flat(b)
    names = [*one, *(k for k in two if k not in one)]
    return [{"what": n, "a": one.get(n), "b": two.get(n)} for n in names if one.get(n) != two.get(n)]


def _flat(run: StoredRun) -> dict[str, Any]:
    d, data = run.document, read_document(run.folder, "spec.json")["data"]
    flat = {"data": data["name"], "data_sha256": data["sha256"], **d.get("settings", {})}
    for key in ("status", "steps", "epochs", "kept_epoch", "parameters"):
        flat[key] = d.get(key)
    for split, metrics in (d.get("metrics") or {}).items():
        flat |= {f"{split} {name}": value for name, value in (metrics or {}).items()}
    return flat
