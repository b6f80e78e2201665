"""The device to train on, and torch's global state (threads, gradient recording, TF32) in training."""

import math
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch

from treino.base.errors import Refusal
from treino.base.words import N_

DEVICE_MISSING = Refusal(
    "device_missing", N_("There is no device {name} here (torch {version})."), N_("Use [[device=cpu]].")
)
DEVICE_DTYPE = Refusal(
    "device_dtype",
    N_("The device {name} can't hold numbers of 64 bits."),
    N_("Train in torch.float32, or use [[device=cpu]]."),
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


def cpu_cores() -> int:
    """The number of CPU cores that this process may use; in a container, its share of the machine's."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, math.ceil(min(cores, cpu_quota())))


def cpu_quota(groups: Path = Path("/proc/self/cgroup"), root: Path = Path("/sys/fs/cgroup")) -> float:
    """The CPU limit of this process's control groups (Linux), in cores; infinite without a limit."""
    least = math.inf
    for line in _text(groups).splitlines():
        number, controllers, name = line.split(":", 2)
        if number != "0" and "cpu" not in controllers.split(","):
            continue
        top = root if number == "0" else root / "cpu"
        group = top / name.strip("/")
        for folder in (group, *group.parents):  # a group can't exceed the limits of its parents
            if not folder.is_relative_to(top):
                break
            both = _text(folder / "cpu.max").split()
            if number != "0":
                both = [_text(folder / f"cpu.cfs_{name}_us").strip() for name in ("quota", "period")]
            if len(both) == 2 and all(n.isdigit() and int(n) for n in both):
                least = min(least, int(both[0]) / int(both[1]))
    return least


def _text(file: Path) -> str:
    try:
        return file.read_text()
    except OSError:
        return ""


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
