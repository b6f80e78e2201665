"""The list of runs, and the differences of two."""

from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from treino.documents import check, read_document
from treino.errors import TreinoError
from treino.folders import Stored, stored
from treino.records.stored_run import StoredRun
from treino.store import RunFolder, list_runs
from treino.store.listing import RunSummary

HEADLINE = "accuracy", "r2"


def listing(parent: str | Path = "runs") -> list[dict[str, Any]]:
    """A row for each run in ``parent``, the newest first; a damaged one says so in its status."""
    return [_line(_checked(summary)) for summary in list_runs(parent)]


def _checked(summary: RunSummary) -> RunSummary:
    """The summary; of a folder whose documents are none that treino writes, one that says so."""
    try:
        for name, value in (("spec.json", summary.spec), ("result.json", summary.result)):
            if value is not None:
                check(summary.kind, name, value, summary.path)
    except TreinoError as error:
        return replace(summary, status="damaged", damage=error.message, spec=None, result=None)
    return summary


def opened(parent: str | Path = "runs") -> list[Stored]:
    """The runs, sweeps and studies in ``parent``, the newest first; damaged ones are left out."""
    found: list[Stored] = []
    for summary in map(_checked, list_runs(parent)):
        if summary.status != "damaged":
            with suppress(TreinoError):
                found.append(stored(RunFolder.open(summary.path)))
    return found


def line_of(run: Stored) -> dict[str, Any]:
    """The row of one run that is open."""
    folder = run.folder
    spec, result = (read_document(folder, n) if folder.has(n) else None for n in ("spec.json", "result.json"))
    return _line(RunSummary(run.name, run.path, folder.kind, run.status, folder.created, None, spec, result))


def _line(summary: RunSummary) -> dict[str, Any]:
    result = summary.result or {}
    figures = (result.get("best") if summary.kind == "sweep" else result.get("metrics")) or {}
    test = figures.get("test") or {}
    metric = next((m for m in HEADLINE if m in test), None)
    return {
        "run": summary.name,
        "path": str(summary.path),
        "status": summary.status,
        "when": summary.when,
        "data": ((summary.spec or {}).get("data") or {}).get("name"),
        "kind": summary.kind,
        "steps": result.get("model_steps" if summary.kind == "sweep" else "steps"),
        "metric": metric,
        "figure": test.get(metric) if metric else None,
        "damage": summary.damage,
    }


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
