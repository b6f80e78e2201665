"""The device to train on, and torch's global state (threads, gradient recording, TF32) in training."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from treino.base.errors import Refusal

DEVICE_MISSING = Refusal("There is no device {name} here (torch {version}).", "Use [[device=cpu]].")
DEVICE_DTYPE = Refusal(
    "The device {name} can't hold numbers of 64 bits.", "Train in torch.float32, or use [[device=cpu]]."
)

# ---- the device to train on

FASTEST_FIRST = ("cuda", "mps", "cpu")


def resolve_device(name: str | torch.device, dtype: torch.dtype = torch.float32) -> torch.device:
    """The device of this name; ``auto``: an accelerator that supports ``dtype``, else the CPU.

    Raises:
        TreinoError: the device isn't available, or doesn't support ``dtype``.
    """
    if name == "auto":
        name = next(kind for kind in FASTEST_FIRST if _there(torch.device(kind)) and _holds(kind, dtype))
    try:
        device = torch.device(name)
    except (RuntimeError, TypeError):
        device = None
    if device is None or not _there(device):
        raise DEVICE_MISSING(name=name, version=torch.__version__)
    if not _holds(device.type, dtype):
        raise DEVICE_DTYPE(name=device)
    return device


def _there(device: torch.device) -> bool:
    if device.type == "cuda":
        return torch.cuda.is_available() and (device.index or 0) < torch.cuda.device_count()
    if device.type == "mps":
        return torch.backends.mps.is_available()
    return device.type == "cpu"


def _holds(kind: str, dtype: torch.dtype) -> bool:
    return kind != "mps" or dtype != torch.float64  # Metal has no float64


# ---- torch's global state in training


@contextmanager
def torch_threads(threads: int) -> Iterator[None]:
    """Set the number of torch's intra-op threads, and restore it on exit.

    Idle threads keep a core busy for a while, so a training sets them once, not for each chunk.
    """
    before = torch.get_num_threads()
    try:
        if threads != before:
            torch.set_num_threads(threads)
        yield
    finally:
        if torch.get_num_threads() != before or threads != before:
            torch.set_num_threads(before)


@contextmanager
def torch_context(threads: int) -> Iterator[None]:
    """Within the block, turn off gradient recording and TF32, and set the intra-op threads."""
    tf32 = torch.backends.cudnn.allow_tf32, torch.backends.cuda.matmul.allow_tf32
    with torch.no_grad(), torch_threads(threads):
        try:
            if any(tf32):
                torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = False
            yield
        finally:
            if any(tf32):
                torch.backends.cudnn.allow_tf32, torch.backends.cuda.matmul.allow_tf32 = tf32
