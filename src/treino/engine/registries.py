"""All registries whose entries are values of settings; checks, help and docs take the names from here."""

from collections.abc import Mapping
from typing import Any

from treino.base.registry import Registry
from treino.engine.activations import ACTIVATIONS
from treino.engine.init import INITS
from treino.engine.losses import LOSSES
from treino.engine.metrics import METRICS
from treino.engine.optim import OPTIMIZERS
from treino.engine.schedules import SCHEDULES

REGISTRIES: Mapping[str, Registry[Any]] = {
    "activation": ACTIVATIONS,
    "init": INITS,
    "loss": LOSSES,
    "metric": METRICS,
    "optimizer": OPTIMIZERS,
    "schedule": SCHEDULES,
}


def foreign(settings: Mapping[str, object]) -> list[str]:
    """The entries among these settings that aren't treino's: torch's, another package's, the user's own."""
    return [
        str(settings[name])
        for name, registry in REGISTRIES.items()
        if settings.get(name) is not None and settings[name] not in registry
    ]
