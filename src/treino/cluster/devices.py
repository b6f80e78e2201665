"""The device on which this process holds networks that a cluster trains, and the kernel of its GPUs."""

from collections.abc import Mapping
from typing import Any

from treino.errors import TreinoError
from treino.spec import read_settings
from treino.words import _, setting


def device_here(settings: Mapping[str, Any], gpus_per_chunk: float | None) -> str:
    """The device on which this process holds the networks that others train: always the CPU.

    settings: as a person gives them; only ``device`` is checked here.

    Raises:
        TreinoError: the chunks don't have the device.
    """
    device = read_settings({name: value for name, value in settings.items() if name == "device"}).device
    fitting = ("auto", "cpu") if gpus_per_chunk is None else ("auto", "cuda")
    if device in fitting:
        return "cpu"
    raise TreinoError(
        "device_on_cluster",
        _("The chunks on a cluster have processors and, where that is asked for, GPUs; not {what}.").format(
            what=setting("device", device)
        ),
        _("Use [[gpus_per_chunk=1]] for GPUs, leave it out for processors, and leave the device open."),
    )


def gpu_engine(flat: bool) -> str:
    """The default kernel of a GPU. flat: treino's own layers, without batch norm."""
    return "flat-bmm" if flat else "module"
