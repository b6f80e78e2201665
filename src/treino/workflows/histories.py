"""A run's lists by epoch, from what its database recorded step by step."""

from typing import Any

from treino.inspection.curves import epoch_losses
from treino.store import RunFolder


def histories(folder: RunFolder, steps_per_epoch: int) -> dict[str, Any]:
    """The lists by epoch of the ``train`` document. An epoch that was not finished is not in them."""
    mean_E, deviation_E = epoch_losses(folder.database.losses(), steps_per_epoch)
    measured = evaluations(folder, len(mean_E))
    return {
        "epochs": len(mean_E),
        "epoch_seconds": measured.pop("train", {}).get("seconds", []),
        "loss": {
            "train": mean_E.tolist(),
            "validation": measured.get("validation", {}).get("loss", [None] * len(mean_E)),
        },
        "loss_std": {"train": deviation_E.tolist()},
    }


def evaluations(folder: RunFolder, epochs: int) -> dict[str, dict[str, list[float | None]]]:
    """``{split: {metric: [value of epoch 1, 2, ...]}}``; None where nothing was measured."""
    found: dict[str, dict[str, list[float | None]]] = {}
    for row in folder.database.epochs():
        if row.epoch <= epochs:
            of = found.setdefault(row.split, {}).setdefault(row.metric, [None] * epochs)
            of[row.epoch - 1] = row.value
    return found
