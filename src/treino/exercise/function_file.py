"""The learner's function, loaded from its file."""

import linecache
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

from treino.errors import TreinoError, nearest
from treino.exercise.call_recording import where
from treino.words import _

NAME = "forward"


def forward_of(path: Path) -> Callable[..., Any]:
    """The function ``forward`` that this file makes.

    Raises:
        TreinoError: there is no such file, it can't be read or run, or it makes no such function.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise TreinoError(
            "file_missing", _("There is no file {path}.").format(path=path), _folder_hint(path)
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise TreinoError(
            "file_unreadable",
            _("{path} can't be read: {error}.").format(path=path, error=error),
            _("Give a text file with Python in it, in UTF-8."),
        ) from None
    names: dict[str, Any] = {"__name__": "exercise", "__file__": str(path)}
    linecache.checkcache(str(path))
    try:
        with warnings.catch_warnings():
            for kind in (SyntaxWarning, DeprecationWarning):  # as of "\-" in the course's own text
                warnings.simplefilter("ignore", kind)
            exec(compile(text, str(path), "exec"), names)
    except (Exception, SystemExit) as error:
        at = where(error, str(path))
        raise TreinoError(
            "file_fails",
            _("{path}{line} raises {kind}: {error}").format(
                path=path,
                line=_(", line {n} ({text}),").format(n=at[0], text=at[1]) if at else "",
                kind=type(error).__name__,
                error=getattr(error, "msg", None) or error,
            ),
            _("Leave in it the imports and the function alone; the training that calls it stays elsewhere."),
        ) from None
    if NAME not in names:
        made = [n for n, v in names.items() if callable(v) and not n.startswith("_")]
        raise TreinoError(
            "no_forward",
            _("{path} makes no function {name}.").format(path=path, name=NAME),
            _("Call it so: def forward(loader, net, epoch, mode):")
            + (_(" Found: {names}.").format(names=", ".join(made)) if made else ""),
        )
    found: Callable[..., Any] = names[NAME]
    return found


def _folder_hint(path: Path) -> str:
    others = [p.name for p in path.parent.glob("*.py")] if path.parent.is_dir() else []
    return nearest(path.name, others) if others else _("Give the path of your file.")
