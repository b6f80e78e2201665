"""Deliver a training's events to trackers, in order, on a thread per tracker."""

import importlib
import importlib.util
import math
import warnings
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from treino.base.delivery import Delivery
from treino.base.errors import TreinoError, nearest
from treino.base.words import _
from treino.folders.store import RunFolder
from treino.reports.tracking.tracker import SweepTable, TrackedEnd, TrackedRun, Tracker
from treino.training.loop import Job, JobEnd, JobEvent, JobProgress, JobStart
from treino.training.train import RunJob

if TYPE_CHECKING:
    from treino.training.sweeps.sweep import SweepJob

PATIENCE_SECONDS = 60.0  # longest wait for a tracker after the training
BEST = 5  # members of a sweep that become runs of their own
TRACKERS = {  # name: (its package, the path of its class)
    "tensorboard": ("tensorboard", "treino.reports.tracking.tensorboard:TensorBoard"),
    "mlflow": ("mlflow", "treino.reports.tracking.mlflow:MLflow"),
    "wandb": ("wandb", "treino.reports.tracking.wandb:Wandb"),
    "trackio": ("trackio", "treino.reports.tracking.trackio:Trackio"),
}


def tracker_names(track: str | Sequence[str] | None) -> tuple[str, ...]:
    """The names of the trackers, from a text with commas or a sequence.

    Raises:
        TreinoError: an unknown tracker, or one whose package is not installed.
    """
    parts = track.split(",") if isinstance(track, str) else list(track or ())
    names = tuple(dict.fromkeys(part.strip() for part in parts if part.strip()))
    for name in names:
        if name not in TRACKERS:
            message = _("There is no tracker {name!r}.").format(name=name)
            raise TreinoError("tracker_unknown", message, nearest(name, TRACKERS))
        spec = importlib.util.find_spec(TRACKERS[name][0])
        if spec is None or spec.origin is None:  # spec.origin None: only a folder of that name
            raise TreinoError(
                "tracker_missing",
                _("{name} is not installed.").format(name=TRACKERS[name][0]),
                _("Install it: pip install 'treino[{name}]'.").format(name=name),
            )
    return names


def _tracker(name: str) -> Tracker:
    module, _colon, kind = TRACKERS[name][1].partition(":")
    tracker: Tracker = getattr(importlib.import_module(module), kind)()
    return tracker


class Tracking:
    """The trackers of a training. failures: at the end, a sentence for each tracker that missed a call.

    Raises:
        TreinoError: an unknown tracker, or one that is not installed.
    """

    def __init__(self, track: str | Sequence[str] | None) -> None:
        self.names = tracker_names(track)
        self.failures: list[str] = []

    def warn(self) -> None:
        """Issue a Python warning for each failure."""
        for failure in self.failures:
            warnings.warn(failure, stacklevel=3)

    def events(self, stream: Iterator[JobEvent]) -> Iterator[JobEvent]:
        """Yield the events, and report them to each tracker."""
        if not self.names:
            yield from stream
            return
        deliveries = [Delivery(name, partial(_tracker, name)) for name in self.names]

        def tell(what: str, *values: Any) -> None:
            for delivery in deliveries:
                delivery.tell(what, *values, may_be_lost=what == "log")

        begun = False
        try:
            for event in stream:
                if isinstance(event, JobStart) and not begun:  # an alert may send a training back
                    begun = True
                    tell("begin", _begun(event))
                elif isinstance(event, JobProgress):
                    for step, figures in _figures(event):
                        tell("log", step, figures)
                elif isinstance(event, JobEnd):
                    tell("finish", _ended(event))
                    for run, end in _best_members(event):
                        tell("begin", run)
                        tell("finish", end)
                yield event
        finally:
            for delivery in deliveries:
                delivery.end(PATIENCE_SECONDS)
            sentence = _("{tracker} was not told all of it: {why}")
            self.failures = [sentence.format(tracker=d.name, why=d.failure) for d in deliveries if d.failure]


def _begun(event: JobStart) -> TrackedRun:
    job, folder = event.job, event.job.folder
    settings: Mapping[str, Any] = {}
    if isinstance(job, RunJob):
        settings = job.resolution.settings
    elif (sweep_job := _sweep(job)) is not None:
        options = sweep_job.sweep.options
        space = {f"space {d.name}": str(d.domain) for d in options.space.dimensions}
        settings = {**sweep_job.sweep.base, **space, "members": options.members, "strategy": options.strategy}
    return TrackedRun(folder.path.name, job.data.name, folder.path, settings)


def _figures(event: JobProgress) -> list[tuple[int, dict[str, float]]]:
    """(updates, metrics) of each ended epoch of a single run; [] for other jobs."""
    if not isinstance(event.job, RunJob):
        return []
    rows = []
    for epoch in event.tick.epochs:
        figures = {"train/loss": float(epoch.loss_P.nanmean())}
        for split, metrics in (epoch.answer or {}).items():
            figures |= {f"{split}/{name}": float(value) for name, value in metrics.items()}
        finite = {name: value for name, value in figures.items() if math.isfinite(value)}
        rows.append((epoch.step, finite | {"epoch": float(epoch.number)}))
    return rows


def _ended(event: JobEnd) -> TrackedEnd:
    folder, document = event.job.folder, event.document
    figures = _flat(document.get("metrics") or {})
    table = None
    if (sweep_job := _sweep(event.job)) is not None:
        best = document.get("best") or {}
        figures = _flat({split: best.get(split) for split in ("validation", "test")})
        table = _members(sweep_job)
    tags = tuple(f["rule"] for f in document.get("findings") or ())
    pictures = tuple(sorted((folder.path / "pictures").glob("*.png")))
    return TrackedEnd(str(document["status"]), figures, pictures, _sealed(folder), tags, table)


def _sealed(folder: RunFolder) -> Any:
    return folder.path if folder.manifest.sealed else None


def _flat(splits: Mapping[str, Mapping[str, float | None] | None]) -> dict[str, float]:
    return {
        f"{split}/{name}": value
        for split, of in splits.items()
        for name, value in (of or {}).items()
        if value is not None and math.isfinite(value)
    }


def _sweep(job: Job) -> "SweepJob | None":
    """The job if it is a sweep, else None; imports the code of sweeps only if it is."""
    if job.folder.kind != "sweep":
        return None
    from treino.training.sweeps.sweep import SweepJob

    assert isinstance(job, SweepJob)
    return job


def _members(job: "SweepJob") -> SweepTable:
    rows = job.sweep.rows.last()
    varied = [dimension.name for dimension in job.sweep.options.space.dimensions]
    figures = [name for name in (rows[0] if rows else {}) if name.startswith("validation_")]
    columns = ("member", *varied, *figures, "epochs", "status")
    cells = [
        (row["member"], *(_cell(job.sweep.configs[row["member"]].get(name)) for name in varied),
         *(row[name] for name in figures), row["epochs"], row["status"])
        for row in rows
    ]  # fmt: skip
    return SweepTable(columns, tuple(cells))


def _cell(value: Any) -> Any:
    return value if isinstance(value, str | float | int | bool) or value is None else str(value)


def _best_members(event: JobEnd) -> list[tuple[TrackedRun, TrackedEnd]]:
    """The best members of a sweep, as runs without folders."""
    job = _sweep(event.job)
    if job is None:
        return []
    runs = []
    for leader in (event.document.get("leaderboard") or [])[:BEST]:
        name = f"{job.folder.path.name}-{leader['member']}"
        run = TrackedRun(name, job.data.name, job.folder.path / str(leader["member"]), leader["params"])
        runs.append((run, TrackedEnd(leader["status"], _flat({"validation": leader["validation"]}))))
    return runs
