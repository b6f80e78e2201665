"""Facts of a run that are known before its first step, beside its settings."""

from typing import Any

from treino.data.dataset import Data
from treino.training.findings import initial_faults
from treino.training.resolution import Resolution
from treino.training.user_data import reproducibility

LAYER = ("name", "kind", "in", "out", "parameters")


def run_facts(data: Data, resolution: Resolution) -> dict[str, Any]:
    """``facts`` of ``spec.json``."""
    engine = resolution.training
    return {
        "currency": data.currency,
        "rows": {split: len(rows) for split, rows in data.splits.items()},
        "features": list(data.features),
        "parameters": engine.parameters,
        "layers": [dict(zip(LAYER, row, strict=True)) for row in engine.layers],
        "reasons": list(resolution.reasons),
        "notes": list(data.notes),
        "findings": initial_faults(resolution),
    } | reproducibility(data)
