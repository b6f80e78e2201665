"""Names of a folder's settings (losses, optimizers …) looked up in the engine's registries."""

from collections.abc import Collection, Mapping
from typing import Any

from treino.documents.run_spec import RunSpec
from treino.engine import KERNELS, LOSSES
from treino.engine.hyperparameters import known
from treino.engine.registries import REGISTRIES
from treino.errors import TreinoError
from treino.words import _


def check_names(settings: Mapping[str, Any]) -> None:
    """Refuse a setting whose value is in no registry.

    Raises:
        TreinoError: with the nearest name that there is.
    """
    registries: Mapping[str, Collection[str]] = {**REGISTRIES, "engine": KERNELS}
    for setting, registry in registries.items():
        if settings.get(setting) is not None:
            known(setting, settings[setting], registry)


def check_outputs(spec: RunSpec) -> None:
    """Refuse a run whose network has other outputs than its loss takes.

    Raises:
        TreinoError: the folder was changed.
    """
    outputs, classes, loss = spec.outputs, len(spec.classes), spec.resolved.loss
    if classes and outputs != (LOSSES[loss].outputs or classes):
        raise TreinoError(
            "outputs_loss",
            _(
                "The network has {outputs} outputs, not those of the loss {loss} for {classes} classes."
            ).format(outputs=outputs, loss=loss, classes=classes),
            _("The folder was changed. Take it again from where it came, or train again."),
        )
