"""Patterns of cells in text files: numbers, and what may stand around them, for RE2 and re."""

import re
from dataclasses import dataclass

from treino.data.table import date_like, missing, time_like
from treino.words import N_

SYMBOLS = r"(?:R\$|US\$|A\$|C\$|\$|€|£|¥|BRL|USD|EUR|GBP)"
GAP = "[ \u00a0\u202f]"
_EXPONENT = r"(?:[eE][+-]?\d+)?"
_LEAD = r"[1-9]\d{0,2}"
_GAPPED = rf"{_LEAD}(?:{GAP}\d{{3}})+|{_LEAD}(?:'\d{{3}})+"
_ENDLESS = r"[iI][nN][fF](?:[iI][nN][iI][tT][yY])?"
MISSING = r"(?i)^(?:na|n/a|nan|null|none|\?|-|<na>|nat|)$"


def _number(point: str, group: str) -> str:
    grouped = rf"(?:{_LEAD}(?:{group}\d{{3}})+|{_GAPPED})(?:{point}\d*)?"
    return rf"(?:{grouped}|(?:\d+{point}?\d*|{point}\d+){_EXPONENT}|{_ENDLESS})"


POINT, COMMA = _number(r"\.", ","), _number(",", r"\.")
EITHER_WAY = rf"(?:\d+{_EXPONENT}|{_GAPPED}|{_ENDLESS})"  # the same value with decimal point or comma
_AFFIXED = re.compile(rf"[+-]?(?:({SYMBOLS})\s*)?[+-]?(?:{POINT}|{COMMA})\s*({SYMBOLS}|%)?", re.ASCII)


@dataclass(frozen=True)
class Affix:
    """The text before or after each number of a column: a currency symbol or a percent sign."""

    before: str = ""
    after: str = ""

    def pattern(self, number: str) -> str:
        """The pattern of the whole cell, for RE2. number: the pattern of the number alone."""
        before = "[+-]?"
        if self.before:
            symbol = re.escape(self.before)
            before = rf"(?:[+-]?{symbol}\s*|{symbol}\s*[+-])"
        after = rf"\s*{re.escape(self.after)}" if self.after else ""
        return f"^{before}{number}{after}$"

    @property
    def spoken(self) -> str:
        symbol = self.before or self.after
        return "" if not symbol else N_("percent") if symbol == "%" else f"money {symbol}"


PLAIN = Affix()


def affix_of(cell: str) -> Affix | None:
    """The text around the number in a cell; None for a cell without a number."""
    match = _AFFIXED.fullmatch(cell)
    if not match or (match[1] and match[2]):
        return None
    return Affix(match[1] or "", match[2] or "")


def value_like(cell: str) -> bool:
    """Whether the cell is a number in any notation, a date, a time or a missing value, and so can't be the
    name of a column or a class."""
    cell = cell.strip()
    return missing(cell) or affix_of(cell) is not None or date_like(cell) or time_like(cell)
