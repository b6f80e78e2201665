"""What runs in a process of a cluster: one task, and what it keeps for the next one."""

import pickle
import platform
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from treino.cluster.cluster import SharedValue
from treino.records.versions import versions

KEPT_BYTES = 1_000_000_000  # of shared values, in one process

_kept: dict[str, tuple[int, Any]] = {}


@dataclass(frozen=True, eq=False)
class TaskReport:
    """value: None where the versions are others than the caller's, and nothing was run."""

    value: Any
    seconds: float
    processor: str
    versions: dict[str, str]


def run_task(expected: dict[str, str], function: Callable[..., Any], arguments: Sequence[Any]) -> TaskReport:
    """Run ``function(*arguments)``. expected: the caller's versions; with others nothing is run."""
    mine, value, begin = versions(), None, time.perf_counter()
    if mine == expected:
        values = [_value(a) if isinstance(a, SharedValue) else a for a in arguments]
        begin = time.perf_counter()
        value = function(*values)
    return TaskReport(value, time.perf_counter() - begin, processor_kind(), mine)


def nothing() -> None:
    """A task that tells nothing but where it ran."""


def processor_kind() -> str:
    """Which kind of processor this process trains on."""
    if torch.cuda.is_available():
        return torch.cuda.get_device_name()
    try:
        lines = Path("/proc/cpuinfo").read_text(errors="replace").splitlines()
    except OSError:
        lines = []
    model = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")
    kind = f"{platform.machine()} {model}".strip()
    return f"{kind}, {torch.backends.cpu.get_cpu_capability()}"


def _value(shared: SharedValue) -> Any:
    if shared.key not in _kept:
        import ray

        while _kept and sum(size for size, _value in _kept.values()) + shared.size > KEPT_BYTES:
            del _kept[next(iter(_kept))]
        _kept[shared.key] = shared.size, pickle.loads(ray.get(shared.place))
    return _kept[shared.key][1]
