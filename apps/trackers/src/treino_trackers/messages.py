"""The data that trackers get about a run or a sweep: at the beginning, after each epoch, at the end."""

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from treino.reports import illustrate
from treino.training import Job, JobEnd, JobProgress, JobStart, RunJob, ctrl_c
from treino_trackers.tracker import SweepTable, TrackedEnd, TrackedRun

if TYPE_CHECKING:
    from treino.training import SweepJob

BEST = 5  # number of a sweep's members that are logged as runs of their own


def begun(event: JobStart) -> TrackedRun:
    job, folder = event.job, event.job.folder
    settings: Mapping[str, Any] = {}
    if isinstance(job, RunJob):
        settings = job.resolution.settings.model_dump(mode="json")
    elif (sweep_job := _sweep(job)) is not None:
        options = sweep_job.sweep.options
        space = {f"space {d.name}": str(d.domain) for d in sweep_job.sweep.space.dimensions}
        settings = {**sweep_job.sweep.base, **space, "members": options.members, "strategy": options.strategy}
    return TrackedRun(folder.path.name, job.data.name, folder.path, settings)


def figures(event: JobProgress) -> list[tuple[int, dict[str, float]]]:
    """Return (updates, metrics) for each epoch that a run has completed; [] for sweeps."""
    if not isinstance(event.job, RunJob):
        return []
    rows = []
    for epoch in event.tick.epochs:
        known = {"train/loss": float(epoch.loss_P.nanmean())}
        for split, metrics in (epoch.answer or {}).items():
            known |= {f"{split}/{name}": float(value) for name, value in metrics.items()}
        finite = {name: value for name, value in known.items() if math.isfinite(value)}
        rows.append((epoch.step, finite | {"epoch": float(epoch.number)}))
    return rows


def ended(event: JobEnd) -> TrackedEnd:
    folder, document = event.job.folder, event.document
    at_end = _flat(document.get("metrics") or {})
    table = None
    if (sweep_job := _sweep(event.job)) is not None:
        best = document.get("best") or {}
        at_end = _flat({split: best.get(split) for split in ("validation", "test")})
        table = _members(sweep_job)
    tags = tuple(f["rule"] for f in document.get("findings") or ())
    if folder.kind == "run" and event.job.run is not None:
        with ctrl_c():
            illustrate(event.job.run)
    pictures = tuple(sorted((folder.path / "pictures").glob("*.png")))
    sealed = folder.path if folder.manifest.sealed else None
    return TrackedEnd(str(document["status"]), at_end, pictures, sealed, tags, table)


def _flat(splits: Mapping[str, Mapping[str, float | None] | None]) -> dict[str, float]:
    return {
        f"{split}/{name}": value
        for split, of in splits.items()
        for name, value in (of or {}).items()
        if value is not None and math.isfinite(value)
    }


def _sweep(job: Job) -> "SweepJob | None":
    """Return the job if it is a sweep, else None. The code of sweeps is imported only for a sweep."""
    if job.folder.kind != "sweep":
        return None
    from treino.training import SweepJob

    assert isinstance(job, SweepJob)
    return job


def _members(job: "SweepJob") -> SweepTable:
    rows = job.sweep.rows.last()
    varied = [dimension.name for dimension in job.sweep.space.dimensions]
    figures = [name for name in (rows[0] if rows else {}) if name.startswith("validation_")]
    columns = ("member", *varied, *figures, "epochs", "status")
    cells = []
    for row in rows:
        params = job.sweep.configs[row["member"]]
        chosen, measured = [_cell(params.get(name)) for name in varied], [row[name] for name in figures]
        cells.append((row["member"], *chosen, *measured, row["epochs"], row["status"]))
    return SweepTable(columns, tuple(cells))


def _cell(value: Any) -> Any:
    return value if isinstance(value, str | float | int | bool) or value is None else str(value)


def best_members(event: JobEnd) -> list[tuple[TrackedRun, TrackedEnd]]:
    """Return the best members of a sweep as runs without folders."""
    job = _sweep(event.job)
    if job is None:
        return []
    runs = []
    for leader in (event.document.get("leaderboard") or [])[:BEST]:
        name = f"{job.folder.path.name}-{leader['member']}"
        run = TrackedRun(name, job.data.name, job.folder.path / str(leader["member"]), leader["params"])
        runs.append((run, TrackedEnd(leader["status"], _flat({"validation": leader["validation"]}))))
    return runs
