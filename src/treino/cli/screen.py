"""A command's output: text or one JSON document, and its errors."""

import errno
import io
import math
import os
import re
import sys
import textwrap
import traceback
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from functools import partial
from itertools import pairwise
from json import JSONEncoder
from pathlib import Path
from typing import Annotated, Any, TextIO, cast, get_args

from cyclopts import (
    CoercionError,
    CycloptsError,
    MissingArgumentError,
    Parameter,
    RepeatArgumentError,
    UnknownCommandError,
    UnknownOptionError,
    UnusedCliTokensError,
)
from rich.console import Console

from treino.console import console, line, watched
from treino.errors import TreinoError, like, nearest
from treino.store.output_files import OutputFile, OutputFolder
from treino.words import N_, _
from treino_doctor.escaping import escape, escape_json

# ---- output

HELP_COLUMNS = 100  # width of a help page in a pipe
# made before the doctor runs a script, because the script may replace json.dumps
ENCODERS = {utf8: JSONEncoder(ensure_ascii=not utf8).encode for utf8 in (False, True)}


class Screen:
    """The output of a command: results on ``out``, help on ``page`` (both silent with ``--json``), and
    progress on ``err``.

    With ``--json`` stdout gets only the document: until ``close``, other output of Python, C and child
    processes goes to stderr.
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
        """Whether stderr is a terminal, on which progress can be drawn."""
        return watched(self.err.file)

    def lines(self, text: str) -> None:
        """Write a text of several lines to stderr, unchanged but for control characters."""
        self.err.file.write(escape(text, exceptions="\n\t") + "\n")
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
        """Print the error and its hint; return the exit status."""
        self.err.print(line((_("error: "), "bold red"), error.message))
        if error.hint:
            self.err.print(line((_(" next: "), "bold"), error.hint))
        self.document({"error": error.document})
        return error.status

    def interrupted(self, sentence: str) -> int:
        """Print the sentence after a Ctrl-C (what is saved, how to go on); return the exit status 130."""
        message = sentence or _("Stopped.")
        self.err.print(message)
        self.document({"error": {"rule": "interrupted", "message": message, "hint": ""}})
        return 130

    def defect(self, error: BaseException) -> int:
        """Report a defect of treino: the traceback, and one sentence. Return the exit status."""
        traceback_text = "".join(traceback.format_exception(error)).rstrip()
        # lines of a foreign message must not look like treino's
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
    """stdout or stderr, which accept every character.

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


# ---- usage errors

LISTS = (
    "--features", "--kinds", "--hidden", "--betas", "--class-weights", "--fault", "--compare",
    "--batch-sizes", "--until", "--what", "--cell",
)  # fmt: skip
TRUTHS = "true", "false", "yes", "no", "1", "0"
KINDS = {int: N_("a whole number"), float: N_("a number"), bool: N_("yes or no")}


def with_lists(tokens: Sequence[str]) -> list[str]:
    """Join lists such as -1,0,1 to their flags by ``=``; cyclopts would read such a list as a flag."""
    joined: list[str] = []
    for place, token in enumerate(tokens):
        if token == "--":
            return [*joined, *tokens[place:]]
        if joined and joined[-1] in LISTS and re.match(r"-[^-]*,", token):
            joined[-1] += f"={token}"
        else:
            joined.append(token)
    return joined


def usage_error(error: CycloptsError, tokens: Sequence[str], verbs: Sequence[str]) -> TreinoError:
    """The usage error for an exception of cyclopts. tokens: the command line. verbs: all of treino's."""
    page = f"treino {tokens[0]} --help" if tokens[0] in verbs else "treino --help"
    hint = _("See: {page}").format(page=page)
    if isinstance(error, UnknownCommandError):
        verb = (error.unused_tokens or [tokens[0]])[0]
        return TreinoError("usage", _('Unknown command "{verb}".').format(verb=verb), nearest(verb, verbs))
    if isinstance(error, UnknownOptionError):
        flag = error.token.keyword or error.token.value
        known = [n for a in error.argument_collection if a.parse and a.show for n in a.names]
        return TreinoError(
            "usage",
            _("Unknown option: {flag}.").format(flag=flag),
            nearest(flag, known) if like(flag, known) else hint,
        )
    if isinstance(error, RepeatArgumentError):
        flag = str(error.token.keyword)
        in_one = _("Write all in one, with commas between: {flag} A,B.").format(flag=flag)
        message = _("{flag} is given twice.").format(flag=flag)
        return TreinoError("usage", message, in_one if flag in LISTS else _("Give it once."))
    if isinstance(error, MissingArgumentError) and error.argument is not None:
        name = error.keyword or _name(error.argument)
        wants = _("{name} needs a value.") if name.startswith("-") else _("{name} is missing.")
        return TreinoError("usage", wants.format(name=name), hint)
    if isinstance(error, CoercionError) and error.token is not None:
        return TreinoError("usage", *_coerced(error, hint))
    if isinstance(error, UnusedCliTokensError):
        return TreinoError("usage", *_too_much(error, tokens, hint))
    return TreinoError("usage", re.sub(r"\s+", " ", str(error)).strip(), hint)


def _coerced(error: CoercionError, hint: str) -> tuple[str, str]:
    """(message, hint) for a value of a wrong type, or one that is not among the choices."""
    token, argument = error.token, error.argument
    assert token is not None
    name = token.keyword or (_name(argument) if argument is not None else "")
    choices = argument.get_choices() if argument is not None else None
    if choices:
        message = _("{name} can't be {value!r}: it is one of {options}.").format(
            name=name, value=token.value, options=", ".join(map(repr, choices))
        )
        return message, nearest(token.value, choices)
    kind = KINDS.get(error.target_type) if error.target_type is not None else None
    if kind is None:
        return _("{name} can't be {value!r}.").format(name=name, value=token.value), hint
    return (
        _("{name} can't be {value!r}: it is {kind}.").format(name=name, value=token.value, kind=_(kind)),
        hint,
    )


def _too_much(error: UnusedCliTokensError, tokens: Sequence[str], hint: str) -> tuple[str, str]:
    """(message, hint) for extra words; a word after a switch is taken as meant for its value."""
    left = error.unused_tokens or []
    switches: dict[str, tuple[str, ...]] = {}
    for argument in error.app.assemble_argument_collection() if error.app is not None else ():
        if bool in (argument.hint, *get_args(argument.hint)):
            switches |= dict.fromkeys(argument.names, argument.names)
    for flag, value in pairwise(tokens):
        if flag in switches and (value in left or value.lower() in TRUTHS):
            message = _("{flag} takes no value, and {value!r} follows it.").format(flag=flag, value=value)
            return message, _("Write it alone: {flags}.").format(flags=_(" or ").join(switches[flag]))
    return _("That is too much: {left}.").format(left=" ".join(left)), hint


def _name(argument: Any) -> str:
    """The name of an argument: a flag as typed; a positional argument as in the usage line."""
    name: str = argument.name
    return name if argument.index is None else name.lstrip("-").upper()


# ---- output files

Replace = Annotated[bool, Parameter(help="replace files that exist already where --to says", negative=())]


def output_file(
    to: str | None,
    endings: Sequence[str],
    *,
    replace: bool,
    reads: Iterable[str | Path] = (),
    new_folders: bool = False,
    flag: str = "--to",
) -> OutputFile | None:
    """The file that `flag` names; None if `to` is None. Other parameters: as for `OutputFile`.

    Raises:
        TreinoError: the path is refused; ``--replace`` without a path.
    """

    check_replace(replace, to, flag)
    if to is None:
        return None
    return OutputFile(to, endings, reads=reads, replace=replace, new_folders=new_folders)


def output_folder(to: str | None, *, replace: bool) -> OutputFolder | None:
    """The folder that ``--to`` names; None without ``--to``.

    Raises:
        TreinoError: the path is refused; ``--replace`` without a path.
    """

    check_replace(replace, to)
    return None if to is None else OutputFolder(to, replace=replace)


def check_replace(replace: bool, to: str | None, flag: str = "--to") -> None:
    """Refuse ``--replace`` without a path: files in a run's own folder are always replaced."""
    if replace and to is None:
        raise TreinoError(
            "replace_what",
            _("--replace needs {flag}, which names what may be replaced.").format(flag=flag),
            _("Add {flag}, or leave --replace out.").format(flag=flag),
        )


def say_replaced(console: Console, output: OutputFile | OutputFolder | None) -> list[str]:
    """Print a line for each replaced file; return the paths of the replaced files for the document."""
    replaced = [] if output is None else [str(path) for path in output.replaced]
    for path in replaced:
        console.print(_("{path} existed already and is replaced.").format(path=path))
    return replaced
