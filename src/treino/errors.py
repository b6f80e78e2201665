"""``TreinoError``, errors for the user; what is told of others' exceptions; the nearest known name."""

import difflib
import sysconfig
import traceback
from collections.abc import Iterable
from pathlib import Path

from treino.words import _
from treino_doctor.errors import TreinoError

__all__ = ["TreinoError", "cause", "like", "nearest", "place"]

LISTED = 30  # names in a hint
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


def nearest(name: str, known: Iterable[str]) -> str:
    """The hint for an unknown name: "Did you mean 'relu'?", or a list of known names if none is similar."""
    options = sorted(known)
    if suggestion := like(name, options):
        return _("Did you mean '{name}'?").format(name=suggestion)
    if len(options) > LISTED:
        listed = ", ".join(options[:LISTED])
        return _("Known: {names}, … ({n} in all).").format(names=listed, n=len(options))
    return _("Known: {names}.").format(names=", ".join(options))


def like(name: str, known: Iterable[str]) -> str | None:
    """The known name most similar to ``name``; None if none is similar."""
    lowered = {option.lower(): option for option in sorted(known, reverse=True)}
    close = difflib.get_close_matches(name.lower(), lowered, n=1, cutoff=0.6)
    return lowered[close[0]] if close else None
