"""TOML files: read whole, or refused with a reason in words, however they are made."""

import re
import tomllib
from collections.abc import Iterator
from typing import IO, Any

from treino.base.words import N_, _

MOST_BYTES = 1_000_000  # parsed in about a second
DEEPEST = 64  # parts of a dotted key; tomllib takes a minute for 50,000
LARGEST = 2**63 - 1  # TOML's integers have 64 bits
_LONG = N_("it has more than a million bytes")
_DEEP = N_("its lists, tables or dotted keys stand too deep in each other")
_LARGE = N_("it has an integer of more than 64 bits")
_PART = r"(?:[\w-]+|\"[^\"\n]*\"|'[^'\n]*')"
_DOTTED = re.compile(rf"(?<![\w-]){_PART}(?:[ \t]*\.[ \t]*{_PART}){{{DEEPEST},}}")


def read_toml(file: IO[bytes]) -> tuple[str, dict[str, Any]]:
    """(the text of the file, its tables).

    Raises:
        UnicodeDecodeError, tomllib.TOMLDecodeError: it is no UTF-8, or no TOML.
        ValueError: in words, what it has that settings don't need: a length, a depth, a large integer.
    """
    content = file.read(MOST_BYTES + 1)
    if len(content) > MOST_BYTES:
        raise ValueError(_(_LONG))
    text = content.decode("utf-8-sig")
    if _DOTTED.search(text):
        raise ValueError(_(_DEEP))
    try:
        tables = tomllib.loads(text)
    except RecursionError:
        raise ValueError(_(_DEEP)) from None
    except ValueError as error:  # of Python, where a number has thousands of digits
        raise error if isinstance(error, tomllib.TOMLDecodeError) else ValueError(_(_LARGE)) from None
    if any(abs(each) > LARGEST for each in _values(tables) if isinstance(each, int)):
        raise ValueError(_(_LARGE))
    return text, tables


def _values(tables: dict[str, Any]) -> Iterator[Any]:
    """Every value, at any depth."""
    left: list[Any] = [tables]
    while left:
        value = left.pop()
        if isinstance(value, dict | list):
            left += value.values() if isinstance(value, dict) else value
        else:
            yield value
