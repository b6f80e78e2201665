"""Errors for the user: ``TreinoError``, and ``Refusal``, the rule that makes one."""

import re
import sys
import sysconfig
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from treino.base.words import _
from treino_doctor.base.errors import TreinoError, like, nearest

__all__ = ["Refusal", "TreinoError", "cause", "like", "nearest", "place"]

_STANDARD = sysconfig.get_path("stdlib")
FIELD = re.compile(r"\{(\w+)")


class Refusal:
    """A rule with its message and hint. Called with the values of their fields, it returns the error.

    ``COLUMN_UNKNOWN = Refusal("There is no column '{name}'.", "{hint}")``, then
    ``raise COLUMN_UNKNOWN(name=name, hint=nearest(name, known))``. Its rule is the constant's name in small
    letters, ``column_unknown``; constants that share a rule give it. To recognise an error, test
    ``error.rule == COLUMN_UNKNOWN.rule``. A test compares the values of each call with the fields.
    """

    def __init__(self, message: str, hint: str = "", *, rule: str = "", status: int = 2) -> None:
        self.message, self.hint, self.status = message, hint, status
        self._rule, self._module = rule, sys._getframe(1).f_globals

    @property
    def rule(self) -> str:
        return self._rule or next(name for name, value in self._module.items() if value is self).lower()

    def named(self, rule: str) -> "Refusal":
        """The same refusal as another rule."""
        return Refusal(self.message, self.hint, rule=rule, status=self.status)

    def __call__(self, **values: Any) -> TreinoError:
        texts = [_filled(text, values) for text in (self.message, self.hint)]
        return TreinoError(self.rule, *texts, status=self.status)

    def of_cause(self, **values: Any) -> Callable[[BaseException], TreinoError]:
        """What makes the error of an exception, which is the value of the field ``cause``."""
        return lambda error: self(cause=cause(error), **values)


def _filled(text: str, values: dict[str, Any]) -> str:
    """The text in the reader's language, with its fields replaced by their values."""
    if not values or not text:
        return _(text)
    if text == "{hint}":  # a sentence of its own, with its source
        hint: str = values["hint"]
        return hint
    return _(text).format(**{name: values[name] for name in FIELD.findall(text)})


def is_of_library(path: str, module: str) -> bool:
    """Whether code is of an installed package, of Python or of treino. path: its file. module: its module."""
    own = module.partition(".")[0]
    ours = own == "treino" or (own.startswith("treino_") and hasattr(sys.modules.get(own), "__path__"))
    library = {"site-packages", "dist-packages"} & {*Path(path).parts}
    return ours or bool(library) or path.startswith(_STANDARD)


def place(error: BaseException) -> str:
    """The last line of the user's code in the traceback, such as ``net.py:7``; "" if there is none."""
    location = ""
    for frame, number in traceback.walk_tb(error.__traceback__):
        path = frame.f_code.co_filename
        if not path.startswith("<") and not is_of_library(path, str(frame.f_globals.get("__name__"))):
            location = f"{Path(path).name}:{number}"
    return location


def cause(error: BaseException) -> str:
    """An exception in one line, such as ``ValueError: negative (net.py:7)``."""
    summary = f"{type(error).__name__}: " + str(error).partition("\n")[0]
    return f"{summary} ({at})" if (at := place(error)) else summary
