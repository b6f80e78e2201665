"""Run one task in a process of a cluster, and cache shared values for the next one."""

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

CACHE_BYTES = 1_000_000_000  # of shared values, in one process

_cache: dict[str, tuple[int, Any]] = {}


@dataclass(frozen=True, eq=False)
class TaskReport:
    """content: the pickled value, as bytes go through Ray in a third of the time of tensors. It is empty if
    the versions differ from the caller's, and nothing was run."""

    content: bytes
    seconds: float
    processor: str
    versions: dict[str, str]


def run_task(expected: dict[str, str], call: bytes, shared: Sequence[SharedValue] = ()) -> TaskReport:
    """Run a function, if the versions are those that the caller expects. call: the function and its
    arguments, pickled; the shared values follow these."""
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
    """A task without work: it reports where it ran, and loads the modules of its arguments."""


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
    if shared.key not in _cache:
        import ray

        while _cache and sum(size for size, _value in _cache.values()) + shared.size > CACHE_BYTES:
            del _cache[next(iter(_cache))]
        _cache[shared.key] = shared.size, pickle.loads(ray.get(shared.place))
    return _cache[shared.key][1]
