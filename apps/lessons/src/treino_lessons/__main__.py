"""``python -m treino_lessons FILE.py``: exit 0: correct, 1: a difference, 2: the file can't be used."""

import linecache
import re
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from treino.base.apps import brought
from treino.base.console import line
from treino.base.errors import Refusal, nearest
from treino.base.words import _, joined
from treino.cli import command
from treino.cli.screen import Screen
from treino_lessons.call_recording import where
from treino_lessons.comparison import check

ONE_FILE = Refusal("One file is wanted, and this was given: {given}.", "Write: {usage}", rule="usage")
NO_FUNCTION = Refusal("{path} makes no function {name}.", "{hint}", rule="no_forward")
FILE_MISSING = Refusal("There is no file {path}.", "{hint}")
FILE_UNREADABLE = Refusal("{path} can't be read: {error}.", "Give a text file with Python in it, in UTF-8.")
FILE_FAILS = Refusal(
    "{place} raises {kind}: {error}",
    "Leave in it the imports and the function alone; the training that calls it stays elsewhere.",
)

USAGE = "python -m treino_lessons FILE.py|adam [--json] [--lang pt_BR]"

PRINTED, WIDEST = 5, 80  # maximum of lines and characters shown of the function's output: one page in all


def run(tokens: Sequence[str], screen: Screen) -> int:
    """Check the function ``forward`` of the file that is named."""
    if "--help" in tokens or "-h" in tokens:
        screen.out.print(USAGE)
        screen.out.print(
            _("Runs your forward(loader, net, epoch, mode) beside the engine and names the first difference.")
        )
        screen.out.print(_("With adam it shows Adam as the course prints it, and what each slip does."))
        screen.document({"help": USAGE})
        return 0
    if list(tokens) == ["adam"]:
        brought("treino.functions", "course_adam")(screen)
        return 0
    files = [t for t in tokens if not t.startswith("-")]
    if len(files) != 1 or len(tokens) != 1:
        raise ONE_FILE(given=" ".join(tokens) or _("nothing"), usage=USAGE)
    outcome = check(function_of(Path(files[0])))
    lines = outcome.printed.rstrip("\n").splitlines()
    for text in lines[:PRINTED]:
        screen.err.print(text[:WIDEST])
    if len(lines) > PRINTED:
        screen.err.print(_("… and {n:,} lines more that it printed").format(n=len(lines) - PRINTED))
    head, *rest = repr(outcome).splitlines()
    screen.out.print(line((head, "bold green" if outcome.passed else "bold red")))
    for text in rest:
        screen.out.print(text)
    screen.document({"file": files[0], **outcome.document})
    return 0 if outcome.passed else 1


# ---- the learner's file

HEADER = "def forward(loader, net, epoch, mode):"


def names_of(path: Path) -> dict[str, Any]:
    """Run this file and return what it defines, by name.

    Raises:
        TreinoError: there is no such file, or it can't be read or run.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise FILE_MISSING(path=path, hint=_folder_hint(path)) from None
    except (OSError, UnicodeDecodeError) as error:
        raise FILE_UNREADABLE(path=path, error=error) from None
    names: dict[str, Any] = {"__name__": "exercise", "__file__": str(path)}
    linecache.checkcache(str(path))
    try:
        with warnings.catch_warnings():
            for kind in (SyntaxWarning, DeprecationWarning):  # raised by "\-" in the course's own text
                warnings.simplefilter("ignore", kind)
            exec(compile(text, str(path), "exec"), names)
    except (Exception, SystemExit) as error:
        raise FILE_FAILS(
            place=place_of(error, path) or path,
            kind=type(error).__name__,
            error=getattr(error, "msg", None) or error,
        ) from None
    return names


def place_of(error: BaseException, path: Path) -> str:
    """The last line of this file that an error came through, as text; "" if it came through none."""
    at = where(error, str(path))
    return _("{path}, line {n} ({text})").format(path=path, n=at[0], text=at[1]) if at else ""


def function_of(path: Path, header: str = HEADER) -> Callable[..., Any]:
    """The function or class of this file that this header begins.

    Raises:
        TreinoError: as for `names_of`; the file makes nothing of this name.
    """
    names, name = names_of(path), re.split(r"\W", header.split()[1])[0]
    if name not in names:
        made = [n for n, v in names.items() if callable(v) and not n.startswith("_")]
        hints = [_("Call it so: {header}").format(header=header)]
        hints += (
            [_("It does the work of train() and test(): mode says which.")]
            if {"train", "test"} <= {*made}
            else []
        )
        hints += [_("Found: {names}.").format(names=", ".join(made))] if made else []
        raise NO_FUNCTION(path=path, name=name, hint=joined(hints, " "))
    found: Callable[..., Any] = names[name]
    return found


def _folder_hint(path: Path) -> str:
    others = [p.name for p in path.parent.glob("*.py")] if path.parent.is_dir() else []
    return nearest(path.name, others) if others else _("Give the path of your file.")


if __name__ == "__main__":
    command(run)
