"""Histories of a run: the lists by epoch of the ``train`` document, as they were recorded."""

import math
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from torch import Tensor

from treino.documents.run_spec import RunSpec
from treino.engine.step_plan import EpochStretch
from treino.inspection.curves import Floats, epoch_losses
from treino.records.segments import epoch_count, epochs_of, losses_of
from treino.store import RunFolder

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
"""What stands in the document of a run that is not over."""


def histories(folder: RunFolder, spec: RunSpec, *, over: bool = False) -> dict[str, Any]:
    """The lists by epoch of the ``train`` document. over: a last epoch that was cut short counts too."""
    mean_E, deviation_E = training_losses(losses_of(folder, spec), epoch_count(spec), over=over)
    measured = evaluations(folder, spec, len(mean_E))
    validation, nothing = measured.get("validation", {}), [None] * len(mean_E)
    return {
        "epochs": len(mean_E),
        "epoch_seconds": measured.get("train", {}).get("seconds", []),
        "loss": {"train": mean_E.tolist(), "validation": validation.get("loss", nothing)},
        "loss_std": {"train": deviation_E.tolist(), "validation": validation.get("loss_std", nothing)},
    }


def training_losses(
    losses_S: np.ndarray, count: EpochStretch, *, over: bool = False
) -> tuple[Floats, Floats]:
    """Mean and deviation ``[E]`` of the losses of each epoch; over: of a last one that was cut short too."""
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
    evaluation: Mapping[str, Mapping[str, Tensor]], settings: Mapping[str, Any]
) -> Iterator[tuple[str, str, float]]:
    """(split, metric, figure) of each member of an ensemble, as they are recorded: what its curves show, and
    what chooses. NaN of one that has stopped is left out."""
    shown = {"loss", "accuracy", "rmse", settings["metric"]} if settings["ensemble"] > 1 else set()
    for split, metrics in evaluation.items():
        for metric in sorted(shown & metrics.keys()):
            for member, value in enumerate(metrics[metric].tolist()):
                if not math.isnan(value):
                    yield f"{split}{MEMBER}{member}", metric, value


def member_evaluations(
    folder: RunFolder, spec: RunSpec, epochs: int
) -> dict[str, dict[str, list[list[float | None]]]]:
    """``{split: {metric: [of each member [value of epoch 1, 2, ...]]}}`` of an ensemble."""
    values: dict[str, dict[str, list[list[float | None]]]] = {}
    for row in epochs_of(folder, spec):
        split, apart, member = row.split.partition(MEMBER)
        if apart and row.epoch <= epochs:
            empty: list[list[float | None]] = [[None] * epochs for _member in range(spec.resolved.ensemble)]
            values.setdefault(split, {}).setdefault(row.metric, empty)[int(member)][row.epoch - 1] = row.value
    return values


def evaluations(folder: RunFolder, spec: RunSpec, epochs: int) -> dict[str, dict[str, list[float | None]]]:
    """``{split: {metric: [value of epoch 1, 2, ...]}}``; None where nothing was measured."""
    values: dict[str, dict[str, list[float | None]]] = {}
    for row in epochs_of(folder, spec):
        if row.epoch <= epochs and MEMBER not in row.split:
            of = values.setdefault(row.split, {}).setdefault(row.metric, [None] * epochs)
            of[row.epoch - 1] = row.value
    return values
