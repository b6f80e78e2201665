"""``TreinoError``, errors for the user; what is told of others' exceptions; the nearest known name."""

import sysconfig
import traceback
from pathlib import Path

from treino_doctor.errors import TreinoError, like, nearest

__all__ = ["TreinoError", "cause", "like", "nearest", "place"]

_HERE = str(Path(__file__).parent)
_STANDARD = sysconfig.get_path("stdlib")


def place(error: BaseException) -> str:
    """The last line of the user's code in the traceback, such as ``net.py:7``; "" if there is none."""
    location = ""
    for frame, number in traceback.walk_tb(error.__traceback__):
        path = Path(frame.f_code.co_filename)
        library = {"site-packages", "dist-packages"} & {*path.parts}
        if not library and not str(path).startswith(("<", _HERE, _STANDARD)):
            location = f"{path.name}:{number}"
    return location


def cause(error: BaseException) -> str:
    """An exception in one line, such as ``ValueError: negative (net.py:7)``."""
    summary = f"{type(error).__name__}: " + str(error).partition("\n")[0]
    return f"{summary} ({at})" if (at := place(error)) else summary
