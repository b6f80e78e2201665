"""What a run recorded along its path: the loss of each step, the figures at the ends of epochs."""

import math
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np
from torch import Tensor

from treino.base.files import damaged
from treino.base.words import _
from treino.engine.step_plan import EpochCount
from treino.folders.documents.run_spec import RunSpec
from treino.folders.store import EpochValue, RunFolder
from treino.folders.timeline import epoch_count, path
from treino.inspection.curves import Floats, epoch_losses
from treino.settings.spec import Settings


def losses_of(folder: RunFolder, spec: RunSpec) -> np.ndarray:
    """``[S]`` float32: the training loss of every step of the run's path."""
    parts = []
    for stretch in path(spec):
        losses_S = np.asarray(folder.database.losses(stretch.segment.number))
        if losses_S.ndim != 1:
            raise damaged(folder.path / "run.sqlite", _("its losses are of several networks"))
        parts.append(losses_S if stretch.stop is None else losses_S[: stretch.stop - stretch.first])
    return np.concatenate(parts) if len(parts) > 1 else parts[0]


def epochs_of(folder: RunFolder, spec: RunSpec, numbers: Iterable[int] | None = None) -> list[EpochValue]:
    """The values recorded at the ends of the path's epochs, or of those with these numbers."""
    stretches, database = path(spec), folder.database
    segments = [stretch.segment.number for stretch in stretches]
    if numbers is None:
        rows = database.epochs_of(segments)
    else:
        rows = {segment: database.epochs_at(segment, numbers) for segment in segments}
    return [
        row
        for stretch in stretches
        for row in rows[stretch.segment.number]
        if stretch.stop is None or stretch.epochs.end_of(row.epoch) <= stretch.stop
    ]


def read_validation_losses(folder: RunFolder, spec: RunSpec, known: dict[int, dict[int, float]]) -> None:
    """Read the validation loss at the ends of the path's epochs into ``known``, by segment and epoch.

    Only that of epochs after the last known one is read."""
    for stretch in path(spec):
        losses = known.setdefault(stretch.segment.number, {})
        for row in folder.database.losses_after(stretch.segment.number, max(losses, default=0)):
            if stretch.stop is None or stretch.epochs.end_of(row.epoch) <= stretch.stop:
                losses[row.epoch] = row.value


# ---- histories of a run

UNKNOWN: dict[str, Any] = {
    "stopped_early": False,
    "seconds": None,
    "evaluation_seconds": None,
    "metrics": {"train": None, "validation": None, "test": None},
    "intervals": {"test": None},
    "baseline": {},
    "kept_epoch": None,
    "kept_step": None,
}
"""Entries of the ``train`` document that are unknown until a run ends."""


def histories(folder: RunFolder, spec: RunSpec, *, over: bool = False) -> dict[str, Any]:
    """The per-epoch lists of the ``train`` document. over: include a last epoch that was cut short."""
    mean_E, deviation_E = training_losses(losses_of(folder, spec), epoch_count(spec), over=over)
    measured = evaluations(folder, spec, len(mean_E))
    validation, nothing = measured.get("validation", {}), [None] * len(mean_E)
    return {
        "epochs": len(mean_E),
        "epoch_seconds": measured.get("train", {}).get("seconds", []),
        "loss": {"train": mean_E.tolist(), "validation": validation.get("loss", nothing)},
        "loss_std": {"train": deviation_E.tolist(), "validation": validation.get("loss_std", nothing)},
    }


def training_losses(losses_S: np.ndarray, count: EpochCount, *, over: bool = False) -> tuple[Floats, Floats]:
    """Mean and deviation ``[E]`` of the losses of each epoch; over: include a last one cut short."""
    losses, stop = list[tuple[Floats, Floats]](), len(losses_S)
    for part in count.parts:
        losses.append(
            epoch_losses(
                losses_S[part.start_step : stop], part.steps_per_epoch, cut=over or part is not count
            )
        )
        stop = part.start_step
    mean_E, deviation_E = (np.concatenate(values[::-1]) for values in zip(*losses, strict=True))
    return mean_E, deviation_E


MEMBER = "/"  # between a split and the number of a member


def member_rows(
    evaluation: Mapping[str, Mapping[str, Tensor]], settings: Settings
) -> Iterator[tuple[str, str, float]]:
    """(split, metric, value) to record for each ensemble member: metrics for its curves and for the choice of
    members. NaN of stopped members is left out."""
    shown = {"loss", "accuracy", "rmse", settings.metric} if settings.ensemble > 1 else set()
    for split, metrics in evaluation.items():
        for metric in sorted(shown & metrics.keys()):
            for member, value in enumerate(metrics[metric].tolist()):
                if not math.isnan(value):
                    yield f"{split}{MEMBER}{member}", metric, value


def member_evaluations(
    folder: RunFolder, spec: RunSpec, epochs: int
) -> dict[str, dict[str, list[list[float | None]]]]:
    """``{split: {metric: [for each member [value of epoch 1, 2, ...]]}}`` of an ensemble."""
    values: dict[str, dict[str, list[list[float | None]]]] = {}
    for place, of in _recorded(folder, spec, epochs).items():
        split, apart, member = place.partition(MEMBER)
        for metric, value_E in of.items() if apart else ():
            if metric not in (by_metric := values.setdefault(split, {})):
                by_metric[metric] = [[None] * epochs for _member in range(spec.resolved.ensemble)]
            by_metric[metric][int(member)] = value_E
    return values


def evaluations(folder: RunFolder, spec: RunSpec, epochs: int) -> dict[str, dict[str, list[float | None]]]:
    """``{split: {metric: [value of epoch 1, 2, ...]}}``; None for an epoch that was not evaluated."""
    every = _recorded(folder, spec, epochs)
    return {split: of for split, of in every.items() if MEMBER not in split}


def _recorded(folder: RunFolder, spec: RunSpec, epochs: int) -> dict[str, dict[str, list[float | None]]]:
    """As ``evaluations``, also of the members of an ensemble."""
    values: dict[str, dict[str, list[float | None]]] = {}
    for row in epochs_of(folder, spec):
        if row.epoch <= epochs:
            of = values.setdefault(row.split, {})
            if row.metric not in of:
                of[row.metric] = [None] * epochs
            of[row.metric][row.epoch - 1] = row.value
    return values
