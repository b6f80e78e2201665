"""``TreinoError``: an error for the user, with rule, message and hint; the name nearest to a mistyped one."""

import linecache
import sys
from collections.abc import Iterable
from functools import partial

from treino_doctor.base.escaping import escape
from treino_doctor.base.words import _, joined

LISTED = 30  # names in a hint


class TreinoError(Exception):
    """An error that the user can act on. The command line shows it without a traceback.

    rule: a short stable id (``csv_ragged``, ``lr_range``), the same in the JSON error.
    message: what is wrong, with the value, and where it is (row, column, member, step, file).
    hint: what to do next.
    status: the exit status: 2 for bad input or usage, 1 for a system error (disk full, no permission), 4 if
    every network diverged.
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
            frame = trace.tb_frame
            package = str(frame.f_globals.get("__name__")).partition(".")[0]
            ours = package.startswith("treino") and hasattr(sys.modules.get(package), "__path__")
            if not ours:
                source = linecache.getline(frame.f_code.co_filename, trace.tb_lineno).strip() or source
            trace = trace.tb_next
        lines = [_("error: ") + self.message, self.hint]
        return [*([source] if source else []), *(escape(text) for text in lines if text)]

    def __reduce__(self) -> tuple[object, ...]:
        return partial(TreinoError, self.rule, self.message, self.hint, status=self.status), ()


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
    import difflib

    lowered = {option.lower(): option for option in sorted(known, reverse=True)}
    close = difflib.get_close_matches(name.lower(), lowered, n=1, cutoff=0.6)
    return lowered[close[0]] if close else None
