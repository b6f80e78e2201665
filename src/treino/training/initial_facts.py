"""Facts of a run that are known before its first step, for its ``train`` document."""

from typing import Any

from treino.data.dataset import Data
from treino.training.findings import initial_faults
from treino.training.resolution import Resolution
from treino.training.user_data import reproducibility

LAYER = ("name", "kind", "in", "out", "parameters")


def run_facts(data: Data, resolution: Resolution) -> dict[str, Any]:
    """The part of the document known before the first step, as ``RunFacts`` types it."""
    engine = resolution.training
    return {
        "task": data.task,
        "target": data.target,
        "currency": data.currency,
        "rows": {split: len(rows) for split, rows in data.splits.items()},
        "features": list(data.features),
        "inputs": data.inputs,
        "classes": list(data.classes),
        "parameters": engine.parameters,
        "layers": [dict(zip(LAYER, row, strict=True)) for row in engine.layers],
        "settings": resolution.settings,
        "engine": engine.engine,
        "threads": engine.threads,
        "device": resolution.settings["device"],
        "steps_per_epoch": engine.steps_per_epoch,
        "faults": resolution.settings["fault"],
        "reasons": list(resolution.reasons),
        "notes": list(data.notes),
        "findings": initial_faults(resolution),
    } | reproducibility(data)
