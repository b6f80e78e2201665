"""The template language of exported scripts: Python whose lines are kept or dropped by flags.

``$name`` is a value. A line that ends with ``#? a !b`` is kept where a holds and b doesn't; ``#[ a !b``
does the same for all lines up to ``#]``. ``#<`` to ``#>`` moves one step to the left on demand, ``#{`` to
``#}`` one to the right where several networks are trained (``together``).
"""

import re
from collections.abc import Mapping, Set
from string import Template

from treino.export.template_data import DATA, HEAD
from treino.export.template_encode import ENCODE
from treino.export.template_train import LOOP, NET


def render(flags: Set[str], values: Mapping[str, str], dedent: bool) -> str:
    """The script for a run: the lines that its flags keep, with its values filled in."""
    kept: list[str] = []
    block, left, right = True, False, ""
    for line in (HEAD + ENCODE + DATA + NET + LOOP).strip("\n").split("\n"):
        if line in ("#<", "#>"):
            left = dedent and line == "#<"
        elif line in ("#{", "#}"):
            right = "    " if "together" in flags and line == "#{" else ""
        elif line.startswith("#["):
            block = _holds(line[2:], flags)
        elif line == "#]":
            block = True
        elif block:
            text, _mark, condition = line.partition("  #? ")
            if _holds(condition, flags):
                text = text.removeprefix("    ") if left else text
                kept.append(_indented(text, values, right) if right and text else text)
    return re.sub(r"\n{4,}", "\n\n\n", Template("\n".join(kept) + "\n").substitute(values))


def _indented(text: str, values: Mapping[str, str], by: str) -> str:
    """The line with its values filled in, all of it moved to the right."""
    moved = {name: value.replace("\n", f"\n{by}") for name, value in values.items()}
    return by + Template(text).substitute(moved).replace("$", "$$")


def _holds(condition: str, flags: Set[str]) -> bool:
    return all((word.lstrip("!") in flags) != word.startswith("!") for word in condition.split())
