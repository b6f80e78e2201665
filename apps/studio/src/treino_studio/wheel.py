"""Which studio steers a run, where several on this machine show it: two notebooks, or one and a terminal.

A file in the folder ``.steering`` beside the runs has the number of the process that steers.
"""

import os
import secrets
from contextlib import suppress
from pathlib import Path

from treino.base.errors import TreinoError
from treino.base.files import inside, read_bytes, remove, replace_at_once

FOLDER = ".steering"  # a folder in the folder of runs


class Wheels:
    """The wheels of a folder of runs, as one studio sees them. Where nothing can be written, each studio
    steers. A key is a page's: ``run/wine-1``."""

    def __init__(self, runs: Path) -> None:
        self._runs = runs
        self._own = f"{os.getpid()} {secrets.token_hex(8)}"

    def take(self, key: str) -> None:
        """Steer from here from now on."""
        with suppress(TreinoError, OSError):
            if self._holder(key) == self._own:
                return
            path = self._path(key)
            path.parent.mkdir(exist_ok=True)
            replace_at_once(path, [self._own.encode()])

    def leave(self, key: str) -> None:
        """Let another studio steer, if this one did."""
        with suppress(TreinoError, OSError):
            if self._holder(key) == self._own:
                path = self._path(key)
                remove(path)
                path.parent.rmdir()  # if it is empty

    def is_elsewhere(self, key: str) -> bool:
        """Whether another studio steers, whose process still runs."""
        holder = self._holder(key)
        number = holder.partition(" ")[0]
        return holder != self._own and number.isdecimal() and _runs(int(number))

    def _path(self, key: str) -> Path:
        return inside(self._runs, f"{FOLDER}/{key.replace('/', ':')}")

    def _holder(self, key: str) -> str:
        with suppress(TreinoError):
            return read_bytes(self._path(key)).decode("ascii", "replace")
        return ""


def _runs(number: int) -> bool:
    """Whether a process of this number runs."""
    try:
        os.kill(number, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except OSError:  # it is another user's
        pass
    return True
