"""Where a command's words and its one JSON document go, and how an error is said."""

import io
import json
import math
import os
import sys
import traceback
from typing import IO, Any, TextIO

from rich.console import Console
from rich.text import Text

from treino.errors import TreinoError
from treino.words import _

WIDE = 1000
PAGE = 100  # columns of a help page in a pipe


class Screen:
    """Consoles: results and help on ``out`` and ``page`` (mute with ``--json``), progress on ``err``.

    With ``--json`` stdout belongs to the one document: whatever else is printed while the command works,
    by a network of the user's own for one, goes to stderr.
    """

    def __init__(self, as_json: bool) -> None:
        self.as_json = as_json
        self._said = False
        self._stdout = _safe(sys.stdout)
        if as_json:
            sys.stdout = _safe(sys.stderr)
        self.out = _console(self._stdout, as_json)
        self.err = _console(_safe(sys.stderr))
        self.page = _console(self._stdout, as_json, PAGE)

    def close(self) -> None:
        """Give stdout back."""
        if self.as_json:
            sys.stdout = self._stdout

    @property
    def live(self) -> bool:
        """Whether a person watches, so that progress may be drawn."""
        return watched(self.err.file)

    def document(self, document: dict[str, Any]) -> None:
        """Write the one JSON document, where ``--json`` asked for it; never a second one."""
        if self.as_json and not self._said:
            self._said = True
            self._stdout.write(json.dumps(finite(document), ensure_ascii=False) + "\n")
            self._stdout.flush()

    def fail(self, error: TreinoError) -> int:
        """Say what is wrong and what to do next; -> the exit status."""
        self.err.print(Text.assemble((_("error: "), "bold red"), error.message))
        if error.hint:
            self.err.print(Text.assemble((_(" next: "), "bold"), error.hint))
        self.document({"error": {"rule": error.rule, "message": error.message, "hint": error.hint}})
        return error.status

    def interrupted(self, said: str) -> int:
        """After a Ctrl-C: what is saved and how to go on; -> the exit status 130."""
        message = said or _("Stopped.")
        self.err.print(message)
        self.document({"error": {"rule": "interrupted", "message": message, "hint": ""}})
        return 130

    def defect(self, error: BaseException) -> int:
        """A fault of treino itself: the traceback for whoever mends it, and one sentence."""
        traceback.print_exception(error, file=sys.stderr)
        message = _("{kind}: {error}").format(kind=type(error).__name__, error=error)
        return self.fail(
            TreinoError("defect", message, _("This is a defect of treino; please report it."), status=1)
        )


def watched(file: IO[str]) -> bool:
    """Whether a person sees what moves on this stream. A command of a notebook's cell (``!treino …``) has a
    terminal too, but there every drawing stays."""
    return file.isatty() and "JPY_PARENT_PID" not in os.environ


def _console(file: TextIO, quiet: bool = False, wide: int = WIDE) -> Console:
    """Texts come from data too, so no markup is read in them. In a pipe no line is broken."""
    width = None if file.isatty() else wide
    return Console(
        file=file, highlight=False, markup=False, emoji=False, quiet=quiet, width=width, force_jupyter=False
    )


def _safe(file: TextIO | None) -> TextIO:
    """A stream that takes every character; a closed one is replaced by nowhere."""
    if file is None:
        return open(os.devnull, "w")
    if isinstance(file, io.TextIOWrapper):
        file.reconfigure(errors="backslashreplace")
    return file


def finite(value: Any) -> Any:
    """NaN and infinity become null: JSON has no word for them."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {k: finite(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [finite(v) for v in value]
    return value
