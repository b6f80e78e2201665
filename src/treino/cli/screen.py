"""A command's output: text or one JSON document, and its errors."""

import errno
import io
import math
import os
import sys
import textwrap
import traceback
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from functools import partial
from json import JSONEncoder
from typing import Any, TextIO, cast

from treino.console import console, line, watched
from treino.errors import TreinoError
from treino.escaping import escape, escape_json
from treino.words import _

HELP_COLUMNS = 100  # of a help page in a pipe
# made before a script runs under the doctor, which may put a function of its own in the place of json.dumps
ENCODERS = {utf8: JSONEncoder(ensure_ascii=not utf8).encode for utf8 in (False, True)}


class Screen:
    """Consoles: results and help on ``out`` and ``page`` (mute with ``--json``), progress on ``err``.

    With ``--json`` stdout belongs to the one document: until ``close``, other output of Python, of C or of
    child processes goes to stderr.
    """

    def __init__(self, as_json: bool) -> None:
        self.as_json = as_json
        self._has_document = False
        self._stdout = sys.stdout
        self._output = cast(TextIO, _Stream(self._stdout, _needed_stdout))
        self._moved = _stdout_to_stderr() if as_json else None
        if as_json:
            sys.stdout = sys.stderr
        self.out = console(self._output, quiet=as_json)
        self.err = console(cast(TextIO, _Stream(sys.stderr, partial(suppress, OSError))))
        self.page = console(self._output, quiet=as_json, columns=HELP_COLUMNS)

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
        """Write the one JSON document, if ``--json`` is set; later ones are ignored."""
        if not self.as_json or self._has_document:
            return
        self._has_document = True
        utf8 = (self._output.encoding or "utf-8").lower().replace("-", "") == "utf8"
        text = escape_json(ENCODERS[utf8](finite(document))) + "\n"
        if self._moved is not None and self._stdout is not None and self._stdout.fileno() == 1:
            with _needed_stdout():
                _write_all(self._moved, text.encode())
        else:
            self._output.write(text)

    def fail(self, error: TreinoError) -> int:
        """Print what is wrong and what to do next; return the exit status."""
        self.err.print(line((_("error: "), "bold red"), error.message))
        if error.hint:
            self.err.print(line((_(" next: "), "bold"), error.hint))
        self.document({"error": error.document})
        return error.status

    def interrupted(self, sentence: str) -> int:
        """Print, after a Ctrl-C, what is saved and how to go on; return the exit status 130."""
        message = sentence or _("Stopped.")
        self.err.print(message)
        self.document({"error": {"rule": "interrupted", "message": message, "hint": ""}})
        return 130

    def defect(self, error: BaseException) -> int:
        """Report a defect of treino itself: the traceback for its developers, and one sentence."""
        traceback_text = "".join(traceback.format_exception(error)).rstrip()
        # no line of a foreign message must look like one of treino's
        self.lines(textwrap.indent(traceback_text, "  "))
        message = _("{kind}: {error}").format(kind=type(error).__name__, error=error)
        return self.fail(
            TreinoError("defect", message, _("This is a defect of treino; please report it."), status=1)
        )


def _stdout_to_stderr() -> int:
    """Point file descriptor 1 to stderr, for child processes too; return a copy of the old one."""
    if sys.__stdout__ is not None:
        sys.__stdout__.flush()
    was = os.dup(1)
    os.dup2(2, 1)
    return was


def _write_all(descriptor: int, data: bytes) -> None:
    while data:
        data = data[os.write(descriptor, data) :]


class _Stream:
    """stdout, where a failure ends the command, or stderr, where it only loses the text.

    It accepts every character. file: None if it is closed.
    """

    def __init__(self, file: TextIO | None, failure: Callable[[], AbstractContextManager[None]]) -> None:
        if isinstance(file, io.TextIOWrapper):
            file.reconfigure(errors="backslashreplace")
        self._file, self._failure = file, failure
        self.encoding = None if file is None else file.encoding

    def isatty(self) -> bool:
        return self._file is not None and self._file.isatty()

    def write(self, text: str) -> None:
        with self._failure():
            if self._file is None:
                raise OSError(errno.EBADF, os.strerror(errno.EBADF))
            self._file.write(text)
            self._file.flush()

    def flush(self) -> None:
        """Do nothing: text is written at once."""


@contextmanager
def _needed_stdout() -> Iterator[None]:
    """End the command with an error if stdout can't be written; silently if the reader went away."""
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        message = _("Nothing can be written to stdout: {reason}.").format(reason=error.strerror)
        raise TreinoError("stdout", message, status=1) from None


def finite(value: Any) -> Any:
    """The value with NaN and infinity as None: JSON has no word for them."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {k: finite(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [finite(v) for v in value]
    return value
