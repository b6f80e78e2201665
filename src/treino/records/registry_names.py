"""Names of a folder's settings (losses, optimizers …) looked up in the engine's registries."""

from collections.abc import Collection, Mapping
from typing import Any

from treino.engine import ACTIVATIONS, BETTER, INITS, KERNELS, LOSSES, OPTIMIZERS, SCHEDULES
from treino.engine.value_checks import known

REGISTRIES: Mapping[str, Collection[str]] = {
    "activation": ACTIVATIONS,
    "engine": KERNELS,
    "init": INITS,
    "loss": LOSSES,
    "metric": BETTER,
    "optimizer": OPTIMIZERS,
    "schedule": SCHEDULES,
}


def check_names(settings: Mapping[str, Any]) -> None:
    """Refuse a setting whose value is in no registry.

    Raises:
        TreinoError: with the nearest name that there is.
    """
    for setting, registry in REGISTRIES.items():
        if settings.get(setting) is not None:
            known(setting, settings[setting], registry)
