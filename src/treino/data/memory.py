"""The memory limit for rows: set by the user, or half of the free memory."""

import os
import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from treino.errors import TreinoError
from treino.words import _, joined, numeral

UNITS = {"": 1, "K": 10**3, "M": 10**6, "G": 10**9, "T": 10**12,
         "KI": 1 << 10, "MI": 1 << 20, "GI": 1 << 30, "TI": 1 << 40}  # fmt: skip
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([KMGT]I?)?B?", re.IGNORECASE | re.ASCII)


@dataclass(frozen=True)
class MemoryLimit:
    """The memory for rows. limit: bytes that they may take. folder: makes the folder for rows beyond the
    limit."""

    limit: int
    folder: Callable[[], Path]


def bytes_of(size: Any) -> int:
    """2000000000, ``2GB`` (10^9) or ``2GiB`` (2^30) as bytes. Raises TreinoError if it is no size above 0."""
    match = _SIZE.fullmatch(str(size).strip())
    value = 0 if match is None else int(float(match[1]) * UNITS[(match[2] or "").upper()])
    if isinstance(size, bool) or value <= 0:
        raise TreinoError(
            "max_memory_form",
            _("'{size}' is no amount of memory.").format(size=size),
            _("Write 2GB or 500MB."),
        )
    return value


def free_bytes() -> int:
    """Free memory in bytes: the system's, or the control group's if that is less."""
    free = _system()
    for limit, used in (
        ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory.current"),
        ("/sys/fs/cgroup/memory/memory.limit_in_bytes", "/sys/fs/cgroup/memory/memory.usage_in_bytes"),
    ):
        with suppress(OSError, ValueError):  # "max" is no limit
            free = min(free, int(Path(limit).read_text()) - int(Path(used).read_text()))
    return max(free, 1)


def _system() -> int:
    with suppress(OSError, ValueError, StopIteration):
        lines = Path("/proc/meminfo").read_text().splitlines()
        return 1024 * int(next(line for line in lines if line.startswith("MemAvailable")).split()[1])
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2


def say(size: float) -> str:
    """A number of bytes as text, such as 2 GB."""
    for unit in ("B", "KB", "MB"):
        if size < 1000:
            return joined([numeral(size, ".0f"), unit], " ")
        size /= 1000
    return joined([numeral(size, ".1f"), "GB"], " ")
