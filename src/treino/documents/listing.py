"""The list of runs, sweeps and studies: a row for each, from its documents only."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from treino.documents.reading import check, read_document
from treino.errors import TreinoError
from treino.store import RunFolder, list_runs
from treino.store.run_lookup import RunSummary

HEADLINE = "accuracy", "r2"  # metrics to list: the first one that a folder has


def listing(parent: str | Path = "runs") -> list[dict[str, Any]]:
    """A row for each run, sweep and study in ``parent``, the newest first; also damaged ones."""
    return [line(checked(summary)) for summary in list_runs(parent)]


def whole_folders(parent: str | Path = "runs") -> list[Path]:
    """The folders of the undamaged runs, sweeps and studies in ``parent``, the newest first."""
    return [summary.path for summary in map(checked, list_runs(parent)) if summary.status != "damaged"]


def line_of(folder: RunFolder) -> dict[str, Any]:
    """The row of an open folder."""
    spec, result = (read_document(folder, n) if folder.has(n) else None for n in ("spec.json", "result.json"))
    path, created = folder.path, folder.created
    return line(RunSummary(path.name, path, folder.kind, folder.status, created, None, spec, result))


def checked(summary: RunSummary) -> RunSummary:
    """The summary; if the folder's documents are invalid, with status damaged."""
    try:
        for name, value in (("spec.json", summary.spec), ("result.json", summary.result)):
            if value is not None:
                check(summary.kind, name, value, summary.path)
    except TreinoError as error:
        return replace(summary, status="damaged", damage=error.message, spec=None, result=None)
    return summary


def line(summary: RunSummary) -> dict[str, Any]:
    """The row of a summary: name, status, data, steps and test metric."""
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
