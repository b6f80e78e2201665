"""The value of one cell by its form, without Arrow: for rows that come one by one, where treino isn't."""

import datetime
import math
import re

from treino.data.cell_forms import MONTHS, NumberForm

_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_NOT_FINITE = re.compile(r"[+-]?(inf|infinity)", re.IGNORECASE)


def number(cell: str) -> float | None:
    """The number in a cell, infinite if it is too large for a float64; None if the cell isn't a plain
    number."""
    cell = cell.strip()
    if _NUMBER.fullmatch(cell):
        return float(cell)
    return float(cell) if _NOT_FINITE.fullmatch(cell) else None


def plain(value: float) -> str:
    """A number as text: 3 instead of 3.0, otherwise the shortest text that converts back to an equal
    number."""
    if math.isfinite(value) and value == int(value) and abs(value) < 1e16:
        return str(int(value))
    return repr(value)


def value_of(cell: str, form: NumberForm, comma: bool) -> float:
    """The number in a cell of this form. comma: whether the decimal sign is a comma."""
    for mark in (form.affix.before, form.affix.after):
        cell = cell.replace(mark, "")
    if form.signed:
        cell = re.sub(r"^\s*[(−–-]\s*(.*?)\s*\)?$", r"-\1", cell)
        cell = re.sub(r"^(.*\d[.,]?)\s*-$", r"-\1", cell)
    cell = re.sub(r"[.'’\s]|^\+" if comma else r"[,'’\s]|^\+", "", cell)
    return float(cell.replace(",", "."))


def second_of(cell: str, pattern: str, order: str, short: bool) -> float | None:
    """Seconds since 1970, or since midnight, of a cell; None if it is no such day or time.

    pattern: that of the cell's form. order: that of year, month and day in the digits, such as dmy; "" for a
    time of day. short: whether years have two digits.
    """
    found = re.fullmatch(pattern, cell, re.ASCII)
    if found is None:
        return None
    part = {name: text for name, text in found.groupdict().items() if text}
    days = 0
    if order:
        date = {role: int(part[name]) for name, role in zip("pqr", order, strict=False) if name in part}
        month = MONTHS[part["mon"][:3].lower()] if "mon" in part else date["m"]
        year = date["y"]
        if short:  # the first year of the 1900s is 69, as in POSIX
            year += 2000 if year < 69 else 1900
        try:
            day = datetime.date(year, month, date.get("d", 1))
        except ValueError:
            return None
        days = day.toordinal() - datetime.date(1970, 1, 1).toordinal()
    hour, minute = int(part.get("hour", 0)), int(part.get("minute", 0))
    second = float(part.get("second", "0").replace(",", "."))
    if "half" in part:
        late = 12 if "p" in part["half"].lower() else 0
        hour = hour % 12 + late if 1 <= hour <= 12 else 24
    if hour > 23 or minute > 59 or second >= 60:
        return None
    if offset := re.fullmatch(r" ?([+-])(\d\d):?(\d\d)", part.get("zone", "")):
        second -= int(f"{offset[1]}1") * (int(offset[2]) * 3600.0 + int(offset[3]) * 60.0)
    return days * 86400.0 + hour * 3600.0 + minute * 60.0 + second
