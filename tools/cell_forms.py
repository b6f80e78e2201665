"""Writes the playground's words and patterns of cells from Python's: ``python -m tools.cell_forms``.

JavaScript has no ``\\x{a0}`` and no groups named as in Python; a pattern ignores case wholly or not at all.
"""

import json
import re
from pathlib import Path
from typing import Any

from treino.data import cell_forms as forms

MODULE = Path(__file__).parents[1] / "apps/studio/src/treino_studio/playground/web/cell_forms.js"
HEAD = "/** How cells are written: words and patterns, out of data/cell_forms.py by tools/cell_forms.py. */\n"


def module() -> str:
    """The text of the JavaScript module."""
    clock = rf"{forms._CLOCK}{forms._HALF}?|{forms._HOURS}"
    return (
        HEAD
        + "".join(
            f"\nexport const {name} = {value};"
            for name, value in (
                ("NOTHING", f"new Set({_text(sorted(forms.MISSING))})"),
                ("MORE_NOTHING", _pattern(forms._MORE, "i")),
                ("TRUTH", _text([sorted(pair) for pair in forms.PROGRAM_TRUTH])),
                ("ANSWERS", f"new Map({_text(sorted(forms.TRUTH.items()))})"),
                ("LETTERS", _text(["".join(sorted(pair)) for pair in forms._LETTERS])),
                ("SYMBOLS", _text(_plain(forms._SYMBOLS))),
                ("POINT", _text(_plain(forms.POINT))),
                ("COMMA", _text(_plain(forms.COMMA))),
                ("EITHER_WAY", _text(_plain(forms.EITHER_WAY))),
                ("AMOUNT", _pattern(forms._CELL.pattern)),
                ("DATE", _pattern("|".join(_dates(named=False)))),
                ("NAMED_DATE", _pattern("|".join(_dates(named=True)), "i")),
                ("TIME", _pattern(clock)),
            )
        )
        + "\n"
    )


def _dates(named: bool) -> list[str]:
    """The patterns of dates with a month's name, or of the others. Eight digits without a time are a number,
    and a month's are one of the twelve."""
    found = []
    for order, _sign, compiled in forms._DATE_SHAPES:
        text = compiled.pattern
        if order == "compact":
            text = text.removesuffix("?")
        if order == "month":
            text = text.replace(forms.DATES[order], r"[12]\d{3}-(?:0[1-9]|1[0-2])")
        found += [text] if ("mon" in compiled.groupindex) == named else []
    return found


def _plain(pattern: str) -> str:
    pattern = re.sub(r"\\x\{(\w+)\}", lambda m: rf"\u{int(m[1], 16):04x}", pattern)
    return re.sub(r"\(\?P<\w+>|\(\?i:", "(?:", pattern)


def _pattern(pattern: str, flags: str = "") -> str:
    whole = _text(f"^(?:{_plain(pattern)})$")
    return f"new RegExp({whole}, {_text(flags)})" if flags else f"new RegExp({whole})"


def _text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


if __name__ == "__main__":
    MODULE.write_text(module())
