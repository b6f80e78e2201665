"""A part of the exported script, and values as Python's text."""

import math
import re
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

WIDTH = 110


@dataclass
class ScriptPart:
    """What a run's script has instead of the program's: values of names in capitals, other definitions as
    text, imports; and files beside it."""

    values: dict[str, Any] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)
    imports: tuple[str, ...] = ()

    def __ior__(self, other: "ScriptPart") -> "ScriptPart":
        self.values |= other.values
        self.texts |= other.texts
        self.files |= other.files
        self.imports += other.imports
        return self


def literal(value: Any) -> str:
    """Python's text for a value, with double quotes; whatever it holds, it is this value and no code.

    Raises:
        TypeError: anything but None, truth values, numbers that are finite, text, and lists, tuples and dicts
            of these.
    """
    if isinstance(value, str):
        text = repr(str(value))  # what can't be printed, or turns the direction of writing, is escaped
        return text if '"' in text else f'"{text[1:-1]}"'
    if isinstance(value, list):
        return f"[{', '.join(map(literal, value))}]"
    if isinstance(value, tuple):
        return f"({', '.join(map(literal, value))}{',' * (len(value) == 1)})"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{literal(key)}: {literal(item)}" for key, item in value.items()) + "}"
    if value is None or type(value) in (bool, int) or (type(value) is float and math.isfinite(value)):
        return repr(value)
    raise TypeError(f"{value!r} is no literal")


def words_alone(text: str) -> str:
    """The text for a comment or a docstring, neither of which it can end."""
    return re.sub(r"[\\\"\s]+", " ", "".join(c for c in text if c.isprintable()))


def listing(name: str, items: Sequence[Any], indent: int = 0) -> str:
    """The list as it stands after ``name = ``, filled to the width of a line."""
    whole = literal(list(items))
    if indent + len(name) + len(whole) + 3 <= WIDTH:
        return whole
    lines, line = [], ""
    for item in items:
        word = literal(item) + ","
        if line and len(line) + len(word) + 1 > WIDTH - 4 - indent:
            lines.append(line)
            line = ""
        line = f"{line} {word}" if line else word
    return textwrap.indent(
        "[\n    " + "\n    ".join([*lines, line]) + "\n]  # fmt: skip", " " * indent
    ).lstrip()


def definition(head: str, about: str, *lines: str) -> str:
    """The text of a function: what it is called with, what it is, its lines."""
    return "\n    ".join([f"def {head}:", f'"""{about[0].upper()}{about[1:]}."""', *lines])
