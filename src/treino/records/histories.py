"""Histories of a run: the lists by epoch of the ``train`` document, as they were recorded."""

from typing import Any

from treino.documents.run_spec import RunSpec
from treino.inspection.curves import epoch_losses
from treino.records.segments import epochs_of, losses_of
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
    mean_E, deviation_E = epoch_losses(losses_of(folder, spec), spec.steps_per_epoch, cut=over)
    measured = evaluations(folder, spec, len(mean_E))
    validation, nothing = measured.get("validation", {}), [None] * len(mean_E)
    return {
        "epochs": len(mean_E),
        "epoch_seconds": measured.get("train", {}).get("seconds", []),
        "loss": {"train": mean_E.tolist(), "validation": validation.get("loss", nothing)},
        "loss_std": {"train": deviation_E.tolist(), "validation": validation.get("loss_std", nothing)},
    }


def evaluations(folder: RunFolder, spec: RunSpec, epochs: int) -> dict[str, dict[str, list[float | None]]]:
    """``{split: {metric: [value of epoch 1, 2, ...]}}``; None where nothing was measured."""
    found: dict[str, dict[str, list[float | None]]] = {}
    for row in epochs_of(folder, spec):
        if row.epoch <= epochs:
            of = found.setdefault(row.split, {}).setdefault(row.metric, [None] * epochs)
            of[row.epoch - 1] = row.value
    return found
