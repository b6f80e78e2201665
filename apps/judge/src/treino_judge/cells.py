"""Reads values in files of other tools: cells, numbers, states of trials, names of studies."""

import ast
import json
import math
import warnings
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from treino.base.errors import Refusal, nearest
from treino.data import missing, number
from treino_judge.table import TRIALS_NONE, Cell, State

STUDY_UNKNOWN = Refusal("There is no {what} '{name}' in it.", "{hint}")
STUDY_MISSING = Refusal(
    "There are {n} of them: which {what}?", "Say it: [[study={name}]]. There are: {names}."
)

LONGEST = 1 << 20  # maximum number of characters of a cell that is parsed
_LISTED = 12
_WORDS: Mapping[State, str] = {
    "finished": "complete finished terminated success",
    "failed": "fail failed error crashed killed preempted",
    "running": "running waiting pending scheduled paused preempting",
    "pruned": "pruned stopped",
}
STATE_WORDS = {word: state for state, words in _WORDS.items() for word in words.split()}
"""The words of all tools for the state of a trial."""


def state_of(word: object) -> State:
    """Translate a tool's word for the state of a trial; an unknown word counts as failed."""
    return STATE_WORDS.get(str(word).lower(), "failed")


def one_of(names: Sequence[str], study: str | None, what: str) -> str:
    """Return the name that was asked for, or the only one. what: the kind of thing that it names, in words.

    Raises:
        TreinoError: there are several, or none, or not the one that was asked for.
    """
    if study is not None and study not in names and names:
        raise STUDY_UNKNOWN(what=what, name=study, hint=nearest(study, names))
    if not names:
        raise TRIALS_NONE()
    if study is None and len(names) > 1:
        listed = ", ".join(names[:_LISTED]) + (", …" if len(names) > _LISTED else "")
        raise STUDY_MISSING(n=len(names), what=what, name=names[0], names=listed)
    return study or names[0]


def parsed(text: Any) -> Any:
    """Read a text as JSON or as a Python literal, without running it; None if it is neither."""
    if not isinstance(text, str) or len(text) > LONGEST:
        return None
    for read in (json.loads, ast.literal_eval):
        with (
            suppress(ValueError, TypeError, SyntaxError, RecursionError, MemoryError),
            warnings.catch_warnings(),
        ):
            warnings.simplefilter("ignore", SyntaxWarning)  # raised by a text such as [1if]
            return read(text)
    return None


def number_or_word(text: str) -> Cell:
    """Return the number in a text, else the text; None if it says that a value is missing."""
    text = text.strip()
    if text.lower() == "nan":
        return math.nan
    if missing(text):
        return None
    if text in ("True", "False", "true", "false"):
        return text in ("True", "true")
    found = number(text)
    return text if found is None else found


def cell(value: Any) -> Cell:
    """Make a JSON value one cell; a list or an object becomes its text."""
    if value is None or isinstance(value, str | bool):
        return value
    return as_float(value) if is_number(value) else json.dumps(value, sort_keys=True, default=str)


def is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def as_float(value: Any) -> float:
    """Convert a value to a float: NaN if it is no number, infinite if it is too large."""
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf
    except (TypeError, ValueError):
        return math.nan


def seconds_or_none(value: Any) -> float | None:
    """Return a time in seconds; None if the value is not a time."""
    return as_float(value) if is_number(value) else None


def numbers_in(values: Mapping[str, Any]) -> tuple[dict[str, tuple[float, ...]], dict[str, float]]:
    """Pick the numbers, and the lists of several numbers, out of named values."""
    lists, figures = {}, {}
    for name, value in values.items():
        if is_number(value):
            figures[name] = as_float(value)
        elif isinstance(value, list | tuple) and len(value) > 1 and all(map(is_number, value)):
            lists[name] = tuple(map(as_float, value))
    return lists, figures


def flat(values: Mapping[str, Any], before: str = "") -> dict[str, Any]:
    """Name the values of nested objects by their path: ``{"a": {"b": 1}}`` becomes ``{"a.b": 1}``."""
    found: dict[str, Any] = {}
    for name, value in values.items():
        inner = isinstance(value, Mapping) and value and before.count(".") < 8
        found |= flat(value, f"{before}{name}.") if inner else {f"{before}{name}": value}
    return found
