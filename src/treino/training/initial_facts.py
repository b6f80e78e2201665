"""Facts of a run that are known before its first step, for its ``train`` document."""

from typing import Any

from treino.data.dataset import Data
from treino.training.findings import planned_faults
from treino.training.resolution import Plan
from treino.training.user_data import reproducibility

LAYER = ("name", "kind", "in", "out", "parameters")


def run_facts(data: Data, planned: Plan) -> dict[str, Any]:
    """All of the document that is known before the first step."""
    engine = planned.training
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
        "settings": planned.settings,
        "engine": engine.engine,
        "threads": engine.threads,
        "device": planned.settings["device"],
        "steps_per_epoch": engine.steps_per_epoch,
        "faults": planned.settings["fault"],
        "reasons": list(planned.reasons),
        "notes": list(data.notes),
        "findings": planned_faults(planned),
    } | reproducibility(data)
