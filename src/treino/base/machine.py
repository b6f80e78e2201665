"""What this machine has: its memory, and how many cores this process may use."""

import math
import os
import sys
from contextlib import suppress
from pathlib import Path

import psutil

from treino.base.errors import Refusal

NOT_ON_WINDOWS = Refusal(
    "{what} needs Linux or macOS.", "On Windows, install treino in WSL: wsl --install", status=1
)


def not_on_windows(what: str) -> None:
    """Refuse what needs processes, signals or folders as only POSIX has them. what: the command."""
    if sys.platform == "win32":
        raise NOT_ON_WINDOWS(what=what)


def memory_bytes() -> int:
    """All memory of the machine, in bytes."""
    return int(psutil.virtual_memory().total)


def free_bytes() -> int:
    """Free memory in bytes: the system's, or the control group's (cgroup) if that is less."""
    free = int(psutil.virtual_memory().available)
    for limit, used in (
        ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory.current"),
        ("/sys/fs/cgroup/memory/memory.limit_in_bytes", "/sys/fs/cgroup/memory/memory.usage_in_bytes"),
    ):
        with suppress(OSError, ValueError):  # ValueError: "max" means no limit
            free = min(free, int(Path(limit).read_text("utf-8")) - int(Path(used).read_text("utf-8")))
    return max(free, 1)


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


def processor_model() -> str:
    """The processor's model; "" if the system doesn't tell."""
    lines = _text(Path("/proc/cpuinfo")).splitlines()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")


def _text(file: Path) -> str:
    try:
        return file.read_text("utf-8", "replace")
    except OSError:
        return ""
