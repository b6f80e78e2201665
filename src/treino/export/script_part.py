"""What a run adds to the exported script: flags and values of its template, and Python's text for values."""

import json
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

WIDTH = 110


@dataclass
class Part:
    """Flags and values of the template, and files that lie beside the script."""

    flags: set[str] = field(default_factory=set)
    values: dict[str, str] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)

    def flag(self, **named: object) -> None:
        """Raise the flags whose value holds."""
        self.flags |= {name for name, holds in named.items() if holds}

    def __ior__(self, other: "Part") -> "Part":
        self.flags |= other.flags
        self.values |= other.values
        self.files |= other.files
        return self


def literal(value: Any) -> str:
    """Python's text for a value, with double quotes."""
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=not value.isprintable())
    if isinstance(value, (list, tuple)):
        inner = ", ".join(map(literal, value))
        return f"[{inner}]" if isinstance(value, list) else f"({inner})"
    return repr(value)


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
