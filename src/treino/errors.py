"""``TreinoError``: an error for the user, with the broken rule, a message and a hint."""

import difflib
import linecache
import sysconfig
import traceback
from collections.abc import Iterable
from pathlib import Path

from treino.escaping import escape
from treino.words import _, joined

LISTED = 30  # names in a hint
_HERE = str(Path(__file__).parent)
_STANDARD = sysconfig.get_path("stdlib")


class TreinoError(Exception):
    """An error that the user can act on. The command line shows it without a traceback.

    rule: a short stable id (``csv_ragged``, ``lr_range``), the same in the JSON error.
    message: what is wrong, by which value, and at which place (row, column, member, step, file).
    hint: what to do next.
    status: the exit status: 2 for bad input or usage, 1 for a system error (disk full, no permission).
    """

    def __init__(self, rule: str, message: str, hint: str = "", *, status: int = 2) -> None:
        super().__init__(message)
        self.rule = rule
        self.message = message
        self.hint = hint
        self.status = status

    def saying(self, message: str) -> "TreinoError":
        """The same error with another message."""
        return TreinoError(self.rule, message, self.hint, status=self.status)

    @property
    def document(self) -> dict[str, str]:
        """The error's rule, message and hint, for JSON."""
        return {"rule": self.rule, "message": self.message, "hint": self.hint}

    def __str__(self) -> str:
        sentence = joined([text for text in (self.message, self.hint) if text], " ")
        line = escape(sentence)
        return sentence if line == sentence else line

    def _render_traceback_(self) -> list[str]:
        """IPython's output instead of a traceback: the calling line, the message, and the hint."""
        trace, source = self.__traceback__, ""
        while trace is not None:
            file, line = trace.tb_frame.f_code.co_filename, trace.tb_lineno
            if not file.startswith(_HERE):
                source = linecache.getline(file, line).strip() or source
            trace = trace.tb_next
        lines = [_("error: ") + self.message, self.hint]
        return [*([source] if source else []), *(escape(text) for text in lines if text)]

    def __reduce__(self) -> tuple[object, ...]:
        return _rebuild, (self.rule, self.message, self.hint, self.status)


def _rebuild(rule: str, message: str, hint: str, status: int) -> TreinoError:
    return TreinoError(rule, message, hint, status=status)


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
