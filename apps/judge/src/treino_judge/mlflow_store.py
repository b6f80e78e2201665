"""Trials of an experiment of MLflow, in its SQLite file or its folder ``mlruns``.

https://mlflow.org/docs/latest/ml/tracking/backend-stores/
"""

import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from treino.base.errors import Refusal
from treino.base.words import N_, _
from treino_judge.cells import as_float, number_or_word, one_of, state_of
from treino_judge.folder_files import PlainFolder
from treino_judge.table import TrialFile, TrialRecord, few_enough

TRIALS_DAMAGED = Refusal(
    "trials_damaged",
    N_("'{path}' is damaged: line {n} is no value of a metric."),
    N_("Restore it from a copy."),
)

TABLES = {"experiments", "runs", "latest_metrics"}
META = "meta.yaml"
_STATUS = {"1": "RUNNING", "2": "SCHEDULED", "3": "FINISHED", "4": "FAILED", "5": "KILLED"}  # in a folder


@dataclass(frozen=True)
class MlflowRun:
    """One run as its store tells it. start, end: in milliseconds; None if unknown."""

    identity: str
    name: str
    status: str
    start: int | None
    end: int | None
    metrics: Mapping[str, float]
    params: Mapping[str, str]
    parent: str | None


def _trial_file(name: str, runs: Sequence[MlflowRun], notes: Sequence[str] = ()) -> TrialFile:
    """The runs of an experiment as trials; a run that is the parent of others is none."""
    parents = {run.parent for run in runs}
    records = tuple(
        TrialRecord(
            run.name or run.identity,
            state_of(run.status),
            {n: number_or_word(v) for n, v in run.params.items()},
            run.metrics,
            seconds=None if run.start is None or run.end is None else max(0, run.end - run.start) / 1000,
        )
        for run in sorted(runs, key=lambda run: (run.start or 0, run.identity))
        if run.identity not in parents
    )
    if left := len(runs) - len(records):
        notes = [*notes, _("{n:,} runs are the parents of others, and no trials.").format(n=left)]
    return TrialFile("mlflow", name, records, notes=tuple(notes))


# ---- a SQLite file


def mlflow_trials(connection: sqlite3.Connection, study: str | None) -> TrialFile:
    """The trials of the experiment of that name, or of the only one with runs.

    Raises:
        TreinoError: several experiments with runs.
    """
    experiments = {
        str(name): identity
        for identity, name in connection.execute(
            "SELECT experiment_id, name FROM experiments WHERE lifecycle_stage = 'active' AND experiment_id"
            " IN (SELECT experiment_id FROM runs WHERE lifecycle_stage = 'active') ORDER BY experiment_id"
        )
    }
    name = one_of(list(experiments), study, _("experiment"))
    key = (experiments[name],)
    rows = connection.execute(
        "SELECT run_uuid, name, status, start_time, end_time FROM runs"
        " WHERE experiment_id = ? AND lifecycle_stage = 'active'",
        key,
    ).fetchall()
    few_enough(len(rows))

    def by_run(columns: str, table: str) -> dict[str, dict[str, Any]]:
        found: dict[str, dict[str, Any]] = {}
        text = (
            f"SELECT run_uuid, {columns} FROM {table}"
            " WHERE run_uuid IN (SELECT run_uuid FROM runs WHERE experiment_id = ?)"
        )
        for run, name, value in connection.execute(text, key):
            found.setdefault(run, {})[str(name)] = value
        return found

    metrics = by_run("key, CASE WHEN is_nan THEN NULL ELSE value END", "latest_metrics")
    params, tags = by_run("key, value", "params"), by_run("key, value", "tags")
    return _trial_file(
        name,
        [
            MlflowRun(
                run,
                str(title or ""),
                str(status),
                start if isinstance(start, int) else None,
                end if isinstance(end, int) else None,
                {n: as_float(v) for n, v in metrics.get(run, {}).items()},
                {n: str(v) for n, v in params.get(run, {}).items()},
                tags.get(run, {}).get("mlflow.parentRunId"),
            )
            for run, title, status, start, end in rows
        ],
    )


# ---- a folder


def is_mlruns(folder: PlainFolder) -> bool:
    """Whether the folder holds experiments of MLflow, or is one."""
    return _is_experiment(folder) or any(map(_is_experiment, folder.folders()))


def _is_experiment(folder: PlainFolder) -> bool:
    return "artifact_location" in _meta(folder)


def mlruns_trials(folder: PlainFolder, study: str | None) -> TrialFile:
    """The trials of the experiment of that name, or of the only one with runs.

    Raises:
        TreinoError: several experiments with runs; a file that can't be read.
    """
    experiments = {}
    for each in [folder] if _is_experiment(folder) else folder.folders():
        meta = _meta(each)
        if meta.get("lifecycle_stage", "active") == "active" and any(
            "run_id" in _meta(f) for f in each.folders()
        ):
            experiments[meta.get("name") or each.path.name] = each
    name = one_of(list(experiments), study, _("experiment"))
    runs = []
    for each in experiments[name].folders():
        meta = _meta(each)
        if "run_id" in meta and meta.get("lifecycle_stage", "active") == "active":
            runs.append(_run(each, meta))
            few_enough(len(runs))
    return _trial_file(name, runs, folder.notes())


def _run(folder: PlainFolder, meta: Mapping[str, str]) -> MlflowRun:
    start, end = (int(meta[n]) if meta.get(n, "").isdigit() else None for n in ("start_time", "end_time"))
    metrics = {n: _last(text, folder.path / "metrics" / n) for n, text in folder.texts("metrics").items()}
    params = {n: text.strip() for n, text in folder.texts("params").items()}
    parent = folder.text("tags/mlflow.parentRunId")
    status = _STATUS.get(meta.get("status", ""), meta.get("status", ""))
    return MlflowRun(
        meta["run_id"],
        meta.get("run_name", ""),
        status,
        start,
        end,
        metrics,
        params,
        parent and parent.strip(),
    )


def _last(text: str, path: Path) -> float:
    """The metric's last value: a line holds a time, the value, and a step."""
    best: tuple[float, float, float] | None = None
    for number, line in enumerate(text.splitlines(), 1):
        parts = line.split()
        try:
            at, value, step = float(parts[0]), float(parts[1]), float(parts[2]) if len(parts) > 2 else 0.0
        except (ValueError, IndexError):
            raise TRIALS_DAMAGED(path=path, n=number) from None
        if best is None or (step, at) >= best[:2]:
            best = step, at, value
    return float("nan") if best is None else best[2]


def _meta(folder: PlainFolder) -> dict[str, str]:
    """The entries of the folder's meta.yaml, a flat file of names and texts."""
    found = {}
    for line in (folder.text(META) or "").splitlines():
        name, colon, value = line.partition(": ")
        if colon and name.isidentifier():
            found[name] = value.strip().strip("'\"")
    return found
