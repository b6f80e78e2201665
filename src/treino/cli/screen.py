"""A command's output: text or one JSON document, and its errors."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, get_args

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

from treino.base.console import console, watched
from treino.base.errors import Refusal, TreinoError, like, nearest
from treino.base.option_marks import WRITE
from treino.base.words import N_, _, placeholders
from treino.folders.store.output_files import OutputFile, OutputFolder
from treino_doctor.base.screen import Screen as PlainScreen

VERB_UNKNOWN = Refusal('Unknown command "{verb}".', "{hint}", rule="usage")
OPTION_UNKNOWN = Refusal("Unknown option: {flag}.", "{hint}", rule="usage")
REPLACE_WHAT = Refusal(
    "--replace needs {flag}, which names what may be replaced.", "Add {flag}, or leave --replace out."
)

# ---- output

HELP_COLUMNS = 100  # width of a help page in a pipe
ALL_DIVERGED = 4  # exit status


class Screen(PlainScreen):
    """The output of a command, with styles: results on ``out``, help on ``page`` (both silent with
    ``--json``), and progress on ``err``.

    report: called with a training's progress in place of ``err``: the amount done, the total, and a text.
    """

    report: Callable[[float, float, str], None] | None = None

    def __init__(self, as_json: bool) -> None:
        super().__init__(as_json)
        self.out = console(self.output, quiet=as_json)
        self.err = console(self.errors)
        self.page = console(self.output, quiet=as_json, columns=HELP_COLUMNS)

    @property
    def live(self) -> bool:
        """Whether stderr is a terminal, on which progress can be drawn."""
        return watched(self.err.file)


def of_errors(errors: Sequence[TreinoError]) -> dict[str, Any]:
    """The keys of a command's document that say why parts of its work are left out; {} without any."""
    listed = [error.document for error in errors]
    return {"error": listed[0], "errors": listed} if listed else {}


def exit_status(document: Mapping[str, Any]) -> int:
    """The exit status of a command that trained. document: its document, whose ``status`` is ``diverged`` if
    every network diverged."""
    return ALL_DIVERGED if document["status"] == "diverged" else 0


# ---- usage errors

LISTED = "features", "kinds", "hidden", "betas", "class-weights", "fault", "compare", "batch-sizes"
LISTS = [f"--{name}" for name in (*LISTED, "until", "what", "cell")]
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
        return VERB_UNKNOWN(verb=verb, hint=nearest(verb, verbs))
    if isinstance(error, UnknownOptionError):
        flag = error.token.keyword or error.token.value
        known = [n for a in error.argument_collection if a.parse and a.show for n in a.names]
        return OPTION_UNKNOWN(flag=flag, hint=nearest(flag, known) if like(flag, known) else hint)
    if isinstance(error, RepeatArgumentError):
        flag = str(error.token.keyword)
        in_one = _("Write all in one, with commas between: {flag} A,B.").format(flag=flag)
        message = _("{flag} is given twice.").format(flag=flag)
        return TreinoError("usage", message, in_one if flag in LISTS else _("Give it once."))
    if isinstance(error, MissingArgumentError) and error.argument is not None:
        name = error.keyword or placeholders(_name(error.argument))
        wants = _("{name} needs a value.") if name.startswith("-") else _("{name} is missing.")
        return TreinoError("usage", wants.format(name=name), _attached(name, tokens) or hint)
    if isinstance(error, CoercionError) and error.token is not None:
        message, hint = _coerced(error, hint)
        typed = error.token.source in ("", "cli")
        return TreinoError("usage", message if typed else f"{error.token.source}: {message}", hint)
    if isinstance(error, UnusedCliTokensError):
        return TreinoError("usage", *_too_much(error, tokens, hint))
    return TreinoError("usage", re.sub(r"\s+", " ", str(error)).strip(), hint)


def _attached(flag: str, tokens: Sequence[str]) -> str:
    """How to write a value that begins with a dash, if one follows this flag; else ""."""
    value = next((word for each, word in pairwise(tokens) if each == flag and word.startswith("-")), None)
    text = _("If {value} is the value, write {flag}={value}")
    return "" if value is None else text.format(flag=flag, value=value)


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
    """(message, hint) for extra words; a word after a switch is assumed to be meant as its value."""
    left = error.unused_tokens or []
    switches: dict[str, tuple[str, ...]] = {}
    for argument in error.app.assemble_argument_collection() if error.app is not None else ():
        if bool in (argument.hint, *get_args(argument.hint)):
            switches |= dict.fromkeys(argument.names, argument.names)
    for flag, value in pairwise(tokens):
        if flag in switches and (value in left or value.lower() in TRUTHS):
            message = _("{flag} takes no value, and {value!r} follows it.").format(flag=flag, value=value)
            return message, _("Write it alone: {flags}.").format(flags=_(" or ").join(switches[flag]))
    return _("These words are not expected: {left}.").format(left=" ".join(left)), hint


def _name(argument: Any) -> str:
    """The name of an argument: a flag as typed; a positional argument as in the usage line."""
    name: str = argument.name
    return name if argument.index is None else name.lstrip("-").upper()


# ---- output files

Replace = Annotated[bool, Parameter(help="replace files that exist already where --to says"), WRITE]


def output_file(
    to: str | None,
    endings: Sequence[str],
    *,
    replace: bool,
    reads: Iterable[str | Path] = (),
    new_folders: bool = False,
) -> OutputFile | None:
    """The file that ``--to`` names; None without ``--to``. Other parameters: as for `OutputFile`.

    Raises:
        TreinoError: the path is refused; ``--replace`` without a path.
    """

    check_replace(replace, to)
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


def check_replace(replace: bool, to: str | None) -> None:
    """Refuse ``--replace`` without a path: files in a run's own folder are always replaced."""
    if replace and to is None:
        raise REPLACE_WHAT(flag="--to")


def say_replaced(console: Console, output: OutputFile | OutputFolder | None) -> list[str]:
    """Print a line for each replaced file; return the paths of the replaced files for the document."""
    replaced = [] if output is None else [str(path) for path in output.replaced]
    for path in replaced:
        console.print(_("{path} existed already and is replaced.").format(path=path))
    return replaced
