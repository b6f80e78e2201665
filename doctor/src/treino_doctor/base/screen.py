"""A command's output: text or one JSON document, its errors, and the end of its process."""

import errno
import io
import math
import os
import re
import signal
import sys
import textwrap
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from functools import partial
from json import JSONEncoder
from typing import Any, NoReturn, TextIO, cast

from treino_doctor.base import program_start
from treino_doctor.base.errors import TreinoError
from treino_doctor.base.escaping import escape, escape_json
from treino_doctor.base.words import VARIABLE, _, languages, named

LANGUAGE_FLAG = "--lang"
DEFECT = "defect"  # the rule of an error that nobody meant to raise
LONGEST_REASON = 200  # characters of a library's message
# made early, since a script may replace json.dumps
ENCODERS = {utf8: JSONEncoder(ensure_ascii=not utf8).encode for utf8 in (False, True)}


class Screen:
    """The output of a command: results on stdout, which is silent with ``--json``, and progress on stderr.

    With ``--json`` stdout gets only the document: until ``close``, other output of Python, C and child
    processes goes to stderr.
    """

    def __init__(self, as_json: bool) -> None:
        self.as_json, self._has_document = as_json, False
        self._stdout = sys.stdout
        self.output = cast(TextIO, Stream(self._stdout, _needed_stdout))
        self._moved = _stdout_to_stderr() if as_json else None
        if self._moved is not None:
            program_start.document_to = self._moved
            sys.stdout = sys.stderr
        self.errors = cast(TextIO, Stream(sys.stderr, partial(suppress, OSError)))

    def close(self) -> None:
        """Restore stdout."""
        if self.as_json:
            sys.stdout = self._stdout
        if self._moved is not None:
            if sys.__stdout__ is not None:
                sys.__stdout__.flush()
            os.dup2(self._moved, 1)
            os.close(self._moved)
            self._moved, program_start.document_to = None, 1

    def show(self, text: str) -> None:
        """Write a text of several lines to stdout, silent with ``--json``."""
        if not self.as_json:
            self.output.write(escape(text, exceptions="\n\t") + "\n")

    def lines(self, text: str) -> None:
        """Write a text of several lines to stderr, with only control characters changed."""
        self.errors.write(escape(text, exceptions="\n\t") + "\n")

    def document(self, document: dict[str, Any]) -> None:
        """Write the one JSON document, if ``--json`` is set; later ones are ignored."""
        if not self.as_json or self._has_document:
            return
        self._has_document, program_start.document_to = True, None
        utf8 = (self.output.encoding or "utf-8").lower().replace("-", "") == "utf8"
        text = escape_json(ENCODERS[utf8](finite(document))) + "\n"
        if self._moved is not None and self._stdout is not None and self._stdout.fileno() == 1:
            with _needed_stdout():
                _write_all(self._moved, text.encode())
        else:
            self.output.write(text)

    def fail(self, error: TreinoError) -> int:
        """Print the error and its hint, and the traceback of a defect; return the exit status."""
        if error.rule == DEFECT:
            traceback_text = "".join(traceback.format_exception(error.__cause__ or error)).rstrip()
            # lines of another program's message must not look like ours
            self.lines(textwrap.indent(traceback_text, "  "))
        for label, text, style in ((_("error: "), error.message, "1;31"), (_(" next: "), error.hint, "1")):
            if text:
                coloured = self.errors.isatty() and "NO_COLOR" not in os.environ
                label = f"\x1b[{style}m{label}\x1b[0m" if coloured else label
                self.errors.write(f"{label}{escape(text)}\n")
        self.document({"error": error.document})
        return error.status

    def interrupted(self, sentence: str = "") -> int:
        """Print the sentence after a Ctrl-C (what is saved, how to go on); return the exit status 130."""
        message = sentence or _("Stopped.")
        self.lines(escape(message))
        self.document({"error": {"rule": "interrupted", "message": message, "hint": ""}})
        return 130

    def defect(self, error: BaseException) -> int:
        """Report a defect of the program: the traceback, and one sentence. Return the exit status."""
        message = _("{kind}: {error}").format(kind=type(error).__name__, error=error)
        hint = _("This is a defect of treino; please report it.")
        told = TreinoError(DEFECT, message, hint, status=1)
        told.__cause__ = error
        return self.fail(told)


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


class Stream:
    """stdout or stderr, made to accept every character.

    failure: the context manager around each write: a failing stdout ends the command, a failing stderr only
    loses the text. file: None if the stream is closed.
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
    """Raise TreinoError if stdout can't be written, but BrokenPipeError if its reader is gone."""
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        message = _("Nothing can be written to stdout: {reason}.").format(reason=error.strerror)
        raise TreinoError("stdout", message, status=1) from None


def finite(value: Any) -> Any:
    """The value with None for NaN and infinity, which JSON lacks."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {k: finite(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [finite(v) for v in value]
    return value


# ---- options that every command takes


def split_tokens(tokens: Sequence[str]) -> tuple[list[str], list[str], bool]:
    """(the command's own words, ``--`` and what follows it, whether ``--json`` is among the own ones)."""
    end = tokens.index("--") if "--" in tokens else len(tokens)
    own = [t for t in tokens[:end] if t != "--json"]
    return own, list(tokens[end:]), "--json" in tokens[:end]


def language_of(tokens: Sequence[str]) -> tuple[list[str], str | None]:
    """Take ``--lang`` out of the tokens that precede ``--``. Return (other tokens, language or None).

    Without ``--lang``, ``TREINO_LANG`` decides.

    Raises:
        TreinoError: ``--lang`` has no value or is given twice, or the language is unknown.
    """
    rest, values, coming = list[str](), list[str](), iter(tokens)
    for token in coming:
        if token == LANGUAGE_FLAG:
            value = next(coming, None)
            if value is None or value.startswith("--"):
                message = _("{name} needs a value.").format(name=LANGUAGE_FLAG)
                raise TreinoError("lang_empty", message, _there_are())
            values.append(value)
        elif token.startswith(LANGUAGE_FLAG + "="):
            values.append(token.partition("=")[2])
        else:
            rest.append(token)
    if len(values) > 1:
        message = _("{flag} is given twice.").format(flag=LANGUAGE_FLAG)
        raise TreinoError("usage", message, _("Give it once."))
    language = values[0] if values else os.environ.get(VARIABLE) or None
    if language is not None and named(language) is None:
        name = LANGUAGE_FLAG if values else VARIABLE
        message = _("{name} can't be {value!r}.").format(name=name, value=language)
        raise TreinoError("lang_choice", message, _there_are())
    return rest, language


def _there_are() -> str:
    return _("There are: {names}.").format(names=", ".join(languages()))


# ---- the end of the process


def guarded(work: Callable[[], int], screen: Screen) -> int:
    """Do a command's work; turn what it raises into one sentence and an exit status."""
    program_start.working = True
    try:
        return work()
    except TreinoError as error:
        return screen.fail(error)
    except KeyboardInterrupt as stop:
        return screen.interrupted(str(stop))
    except BrokenPipeError:  # the reader of our output has gone, e.g. `| head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except BaseException as error:  # a user's code may raise whatever it likes
        if program_start.interrupted:  # a library made another exception of the Ctrl-C
            return screen.interrupted()
        if (reason := lack_of_memory(error)) is not None:
            _short_of_memory.append(reason)
            return screen.fail(_memory_error(reason))
        if isinstance(error, OSError):
            message = _("The machine refused: {error}.").format(error=error)
            return screen.fail(TreinoError("machine", message, _("Fix that and try again."), status=1))
        return screen.defect(error)


LACKS_MEMORY = re.compile(
    r"can(no|')t allocate|not enough memory|out of memory|bad_alloc|malloc of size|failed to map segment"
    r"|unable to (allocate|mmap)|allocat\w+ failed|can't start new thread|insufficient memory",
    re.IGNORECASE,
)
"""What libraries and the system say if memory, or a thread that takes some, is refused."""


_short_of_memory: list[str] = []  # why commands of this process ended


def lack_of_memory(error: BaseException | None) -> str | None:
    """The reason in one line if the exception, or one that led to it, says that memory ran out; else None."""
    known, reason = set[int](), None
    while error is not None and id(error) not in known:
        known.add(id(error))
        text = " ".join(str(error).split()) or type(error).__name__
        by_text = isinstance(error, RuntimeError | OSError | ImportError) and LACKS_MEMORY.search(text)
        if isinstance(error, MemoryError) or by_text or getattr(error, "errno", None) == errno.ENOMEM:
            reason = text  # the first cause says it best
        error = error.__cause__ or error.__context__
    return None if reason is None else textwrap.shorten(reason, LONGEST_REASON, placeholder=" …")


def _memory_error(reason: str) -> TreinoError:
    message = _("There is not enough memory: {reason}").format(reason=reason.rstrip("."))
    hint = _(
        "Let the rows take less of it (--max-memory), train with smaller batches, fewer networks or fewer "
        "threads at a time, or end other programs."
    )
    return TreinoError("memory", f"{message}.", hint, status=1)


def run_to_exit(command: Callable[[], int], last: Callable[[], None] = lambda: None) -> NoReturn:
    """Run a program's command and exit with its status. last: called at the very end."""
    try:
        _fill_closed()
        status = _status_of(command)
        last()
    except KeyboardInterrupt:  # another one amid all that
        os._exit(program_start.STATUS)
    if _short_of_memory:  # libraries that are half loaded may crash at Python's own end
        os._exit(status)
    sys.exit(status)


def _status_of(command: Callable[[], int]) -> int:
    """Run the command, and flush its output. Ctrl-C is ignored from its end on."""
    try:
        status = command()
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # a Ctrl-C has nothing left to stop
        if sys.stdout is not None and not sys.stdout.closed:
            sys.stdout.flush()
    except KeyboardInterrupt:  # before or after the command: nothing needs saving
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        status = program_start.STATUS
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        status = 1
    try:  # text that stderr refused stays in its buffer, and Python would exit with 120
        sys.stderr.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    return status


def _fill_closed() -> None:
    """Open /dev/null for a closed stdin, stdout or stderr, whose descriptor the next opened file would get.

    Writing to a closed stdout still fails; output to a closed stderr is discarded.
    """
    for number in (0, 1, 2):
        try:
            os.fstat(number)
        except OSError:  # /dev/null gets the lowest free number: this one
            os.open(os.devnull, os.O_RDONLY if number == 1 else os.O_RDWR)
    if sys.stderr is None:
        sys.stderr = os.fdopen(2, "w", closefd=False)
