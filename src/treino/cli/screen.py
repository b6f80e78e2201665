"""A command's output: text or one JSON document, and its errors."""

import io
import math
import os
import sys
import textwrap
import traceback
from json import JSONEncoder
from typing import Any, TextIO

from treino.console import console, line, watched
from treino.errors import TreinoError
from treino.escaping import escape, escape_json
from treino.words import _

HELP_COLUMNS = 100  # of a help page in a pipe
# made before a script runs under the doctor, which may put a function of its own in the place of json.dumps
ENCODERS = {utf8: JSONEncoder(ensure_ascii=not utf8).encode for utf8 in (False, True)}


class Screen:
    """Consoles: results and help on ``out`` and ``page`` (mute with ``--json``), progress on ``err``.

    With ``--json`` stdout belongs to the one document: whatever else is written there, by Python, by C or by
    a process that a network of the user's own starts, goes to stderr, until ``close``.
    """

    def __init__(self, as_json: bool) -> None:
        self.as_json = as_json
        self._said = False
        self._stdout = _safe(sys.stdout)
        self._moved = _stdout_to_stderr() if as_json else None
        if as_json:
            sys.stdout = _safe(sys.stderr)
        self.out = console(self._stdout, quiet=as_json)
        self.err = console(_safe(sys.stderr))
        self.page = console(self._stdout, quiet=as_json, columns=HELP_COLUMNS)

    def close(self) -> None:
        """Restore stdout."""
        if self.as_json:
            sys.stdout = self._stdout
        if self._moved is not None:
            if sys.__stdout__ is not None:
                sys.__stdout__.flush()
            os.dup2(self._moved, 1)
            os.close(self._moved)
            self._moved = None

    @property
    def live(self) -> bool:
        """Whether the output is a terminal, so that progress may be drawn."""
        return watched(self.err.file)

    def lines(self, text: str) -> None:
        """Write a text of several lines on stderr as it stands, without layout."""
        self.err.file.write(escape(text, kept="\n\t") + "\n")
        self.err.file.flush()

    def document(self, document: dict[str, Any]) -> None:
        """Write the one JSON document, where ``--json`` asked for it; never a second one."""
        if not self.as_json or self._said:
            return
        self._said = True
        utf8 = (self._stdout.encoding or "utf-8").lower().replace("-", "") == "utf8"
        text = escape_json(ENCODERS[utf8](finite(document))) + "\n"
        if self._moved is None or self._stdout.fileno() != 1:
            self._stdout.write(text)
            self._stdout.flush()
        else:
            _write_all(self._moved, text.encode())

    def fail(self, error: TreinoError) -> int:
        """Say what is wrong and what to do next; -> the exit status."""
        self.err.print(line((_("error: "), "bold red"), error.message))
        if error.hint:
            self.err.print(line((_(" next: "), "bold"), error.hint))
        self.document({"error": error.document})
        return error.status

    def interrupted(self, said: str) -> int:
        """After a Ctrl-C: what is saved and how to go on; -> the exit status 130."""
        message = said or _("Stopped.")
        self.err.print(message)
        self.document({"error": {"rule": "interrupted", "message": message, "hint": ""}})
        return 130

    def defect(self, error: BaseException) -> int:
        """Report a defect of treino itself: the traceback for its developers, and one sentence."""
        traceback_text = "".join(traceback.format_exception(error)).rstrip()
        # so that no line of a message looks like one of ours
        self.lines(textwrap.indent(traceback_text, "  "))
        message = _("{kind}: {error}").format(kind=type(error).__name__, error=error)
        return self.fail(
            TreinoError("defect", message, _("This is a defect of treino; please report it."), status=1)
        )


def _stdout_to_stderr() -> int | None:
    """Let file descriptor 1 be stderr, in the processes that are started from here too; -> what it was.

    None where it is closed.
    """
    if sys.__stdout__ is not None:
        sys.__stdout__.flush()
    for number in (0, 2):
        if not _open(number):
            os.open(os.devnull, os.O_RDWR)  # takes the lowest free number, or the copy below would
    if not _open(1):
        return None
    was = os.dup(1)
    os.dup2(2, 1)
    return was


def _open(descriptor: int) -> bool:
    try:
        os.fstat(descriptor)
    except OSError:
        return False
    return True


def _write_all(descriptor: int, data: bytes) -> None:
    while data:
        data = data[os.write(descriptor, data) :]


def _safe(file: TextIO | None) -> TextIO:
    """A stream that takes every character; a closed one is replaced by nowhere."""
    if file is None:
        return open(os.devnull, "w")
    if isinstance(file, io.TextIOWrapper):
        file.reconfigure(errors="backslashreplace")
    return file


def finite(value: Any) -> Any:
    """The value with NaN and infinity as None: JSON has no word for them."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {k: finite(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [finite(v) for v in value]
    return value
