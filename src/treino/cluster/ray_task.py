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
    """content: the value, pickled: bytes go through Ray in a third of the time that tensors take. Empty where
    the versions are others than the caller's, and nothing was run."""

    content: bytes
    seconds: float
    processor: str
    versions: dict[str, str]


def run_task(expected: dict[str, str], call: bytes, shared: Sequence[SharedValue] = ()) -> TaskReport:
    """Run a function. expected: the caller's versions; with others nothing is run. call: the function and its
    arguments, pickled; the shared ones follow these."""
    mine, content, begin = versions(), b"", time.perf_counter()
    if mine == expected:
        function, arguments = pickle.loads(call)
        arguments = [*arguments, *map(_value, shared)]
        begin = time.perf_counter()
        content = pickle.dumps(function(*arguments), protocol=5)
    return TaskReport(content, time.perf_counter() - begin, processor_kind(), mine)


def packed(function: Callable[..., Any], *arguments: Any) -> bytes:
    """A call for ``run_task``."""
    return pickle.dumps((function, arguments), protocol=5)


def nothing(*loaded: Any) -> None:
    """A task that tells where it ran, and loads what its arguments name."""


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
