"""The user's own losses, metrics, optimizers and schedules, each under a name with a hash of its code.

A setting holds such a name, ``focal@3fa9c1d2``, in place of the object. Equal names mean equal code and
values, so that a name from a folder never stands for another function that is merely called the same.
"""

import re
from functools import partial
from typing import Any

from treino.base.errors import Refusal
from treino.base.library_parts import scorer_parts
from treino.base.own_hash import hash_of

OWN = re.compile(r"(?P<name>[A-Za-z_]\w*)@(?P<digest>[0-9a-f]{8})")
OWN_ABSENT = Refusal(
    "{name} is of your own making, and this program does not have it.",
    "Give it again in Python: treino.open(RUN, own=[...]); a network also by [[net=FILE.py:NAME]]; or, if it "
    "came from a file, add [[trust=True]].",
)
LONGEST = 40  # characters of a name

_objects: dict[str, Any] = {}
_sources: dict[str, bytes] = {}


def is_own(name: object) -> bool:
    """Whether the name is that of an object of the user's own."""
    return isinstance(name, str) and OWN.fullmatch(name) is not None


def keep(value: Any, word: str = "", digest: str = "", source: bytes | None = None) -> str:
    """Keep the object, and return its name.

    word, digest, source: its name in the file that it comes from, and that file's hash and bytes, if any.

    Raises:
        TreinoError: it uses something whose value can't be told.
    """
    word = word or _name_of(value)
    name = f"{word}@{digest or hash_of(value, word)[:8]}"
    _objects.setdefault(name, value)
    if source is not None:
        _sources[name] = source
    return name


def source_of(name: str) -> bytes | None:
    """The bytes of the file that the object comes from; None if it was given in Python."""
    return _sources.get(name)


def kept(name: str) -> Any:
    """The object of this name.

    Raises:
        TreinoError: this program doesn't have it.
    """
    if name not in _objects:
        raise OWN_ABSENT(name=name)
    return _objects[name]


def is_kept(name: str) -> bool:
    """Whether this program has the object of this name."""
    return name in _objects


def called_by(value: Any) -> Any:
    """What a partial calls in the end; another value itself."""
    while isinstance(value, partial):
        value = value.func
    return value


def _name_of(value: Any) -> str:
    value = called_by(value)
    value = scorer[0] if (scorer := scorer_parts(value)) else value
    name = getattr(value, "__name__", type(value).__name__)
    return re.sub(r"\W", "", name).lstrip("_0123456789")[:LONGEST] or "own"
