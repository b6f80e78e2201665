"""The device to train on: the one named in the settings, or the fastest available."""

import torch

from treino.errors import TreinoError
from treino.words import _

FASTEST_FIRST = ("cuda", "mps", "cpu")


def resolve_device(name: str | torch.device, dtype: torch.dtype = torch.float32) -> torch.device:
    """The device of this name; ``auto``: an accelerator that can hold ``dtype``, else the CPU.

    Raises:
        TreinoError: the device isn't available, or doesn't support this type.
    """
    if name == "auto":
        name = next(kind for kind in FASTEST_FIRST if _there(torch.device(kind)) and _holds(kind, dtype))
    try:
        device = torch.device(name)
    except (RuntimeError, TypeError):
        device = None
    if device is None or not _there(device):
        raise TreinoError(
            "device_missing",
            _("There is no device {name} here (torch {version}).").format(
                name=name, version=torch.__version__
            ),
            _("Use [[device=cpu]]."),
        )
    if not _holds(device.type, dtype):
        raise TreinoError(
            "device_dtype",
            _("The device {name} can't hold numbers of 64 bits.").format(name=device),
            _("Train in torch.float32, or use [[device=cpu]]."),
        )
    return device


def _there(device: torch.device) -> bool:
    if device.type == "cuda":
        return torch.cuda.is_available() and (device.index or 0) < torch.cuda.device_count()
    return device.type == "cpu" or (device.type == "mps" and torch.backends.mps.is_available())


def _holds(kind: str, dtype: torch.dtype) -> bool:
    return kind != "mps" or dtype != torch.float64  # Metal has no doubles
