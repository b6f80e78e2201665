"""Dates and times in text columns: one format for a column, and seconds since 1970 for each cell."""

import re
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow import compute

_TIME = re.compile(
    r"(?P<gap>[T ])\d{1,2}:\d{2}(?P<second>:\d{2}(?:[.,]\d{1,9})?)?(?P<half> ?[AaPp][Mm])?"
    r"(?P<zone>Z|[+-]\d{2}:?\d{2})?",
    re.ASCII,
)
_YEAR_FIRST = re.compile(r"\d{4}([-/.])\d{1,2}\1\d{1,2}(?P<time>[T ].*)?", re.ASCII)
_YEAR_LAST = re.compile(r"\d{1,2}([-/.])\d{1,2}\1\d{4}(?P<time>[T ].*)?", re.ASCII)
_SHORT_YEAR = re.compile(r"\d{1,2}([-/.])\d{1,2}\1\d{2}(?P<time>[T ].*)?", re.ASCII)
_CLOCK = re.compile(r"\d{1,2}h(\d{2})?", re.ASCII)
_MONTH = re.compile(r"[12]\d{3}-(?:0[1-9]|1[0-2])", re.ASCII)
PIVOT = 69  # for years of two digits: 69 is 1969 and 68 is 2068, as in POSIX

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class DateFormat:
    """The format of a column's dates: the order of year, month and day, and the time of day.

    ``year last`` and ``short year`` leave open whether the day or the month comes first. ``time``: a time of
    day without a date. pattern: a regular expression for RE2 with a group for each part.
    """

    order: Literal["year first", "year last", "short year", "month", "time"]
    pattern: str

    @property
    def open(self) -> bool:
        return self.order in ("year last", "short year")

    def seconds(self, cells: pa.Array, day_first: bool) -> NDArray[np.float64]:
        """``[N]``: seconds since 1970 (or midnight) of each cell, NaN for a cell of another format."""
        parts = compute.extract_regex(cells, self.pattern)
        fits_N = np.asarray(compute.is_valid(parts))
        text = {field.name: compute.fill_null(part, "") for field, part in zip(parts.type, parts.flatten())}  # noqa: B905
        if self.order == "time":
            of_day_N, valid_N = _of_day(text)
            return np.where(fits_N & valid_N, of_day_N, np.nan)
        year, a, b = _whole(text["y"]), _whole(text["a"]), _whole(text["b"]) if "b" in text else 1
        if self.order == "short year":
            year = year + np.where(year < PIVOT, 2000, 1900)
        month, day = (b, a) if self.open and day_first else (a, b)
        valid_N = fits_N & (month >= 1) & (month <= 12) & (day >= 1) & (year >= 1)
        month_N = (year - 1970).astype("M8[Y]").astype("M8[M]") + (np.clip(month, 1, 12) - 1)
        first_N, next_N = month_N.astype("M8[D]"), (month_N + 1).astype("M8[D]")
        days_N = first_N.astype(np.int64) + day - 1
        valid_N &= days_N < next_N.astype(np.int64)
        seconds_N = days_N * 86400.0
        if "hour" in text:
            of_day_N, known_N = _of_day(text)
            seconds_N, valid_N = seconds_N + of_day_N, valid_N & known_N
        return np.where(valid_N, seconds_N, np.nan)


def _of_day(text: dict[str, pa.Array]) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """(seconds since midnight, in UTC if the cells name an offset; whether there is such a time)."""
    hour, minute = _whole(text["hour"]), _whole(text["minute"])
    second = np.zeros(len(hour))
    if "second" in text:
        second = _number(compute.replace_substring(text["second"], ",", "."))
    valid_N = (minute < 60) & (second < 60)
    if "half" in text:
        valid_N &= (hour >= 1) & (hour <= 12)
        late = np.asarray(compute.starts_with(compute.utf8_lower(text["half"]), "p"))
        hour = hour % 12 + 12 * late
    valid_N &= hour < 24
    seconds_N = hour * 3600.0 + minute * 60.0 + second
    if "sign" in text:
        offset = _whole(text["oh"]) * 3600.0 + _whole(text["om"]) * 60.0
        seconds_N -= np.where(np.asarray(compute.equal(text["sign"], "-")), -offset, offset)
    return seconds_N, valid_N


def _number(text: pa.Array) -> NDArray[np.float64]:
    return np.asarray(compute.cast(compute.if_else(compute.equal(text, ""), "0", text), pa.float64()))


def _whole(text: pa.Array) -> Ints:
    return _number(text).astype(np.int64)


def date_format(cell: str) -> DateFormat | None:
    """The format of a cell that is a date or a time of day; None for other cells."""
    if _CLOCK.fullmatch(cell):
        return DateFormat("time", r"^(?P<hour>\d{1,2})h(?P<minute>\d{2})?$")
    clock = _time_pattern(" " + cell) if cell[:1].isdecimal() else None
    if clock is not None:  # an offset without a date has no meaning
        return None if "<sign>" in clock or clock.endswith("Z") else DateFormat("time", f"^{clock[4:]}$")
    if _MONTH.fullmatch(cell):
        return DateFormat("month", r"^(?P<y>[12]\d{3})-(?P<a>\d{2})$")
    day, year = r"\d{1,2}", r"(?P<y>\d{4})"
    if match := _YEAR_FIRST.fullmatch(cell):
        order, head = "year first", f"{year}~(?P<a>{day})~(?P<b>{day})"
    elif match := _YEAR_LAST.fullmatch(cell):
        order, head = "year last", f"(?P<a>{day})~(?P<b>{day})~{year}"
    elif match := _SHORT_YEAR.fullmatch(cell):
        order, head = "short year", f"(?P<a>{day})~(?P<b>{day})~" + r"(?P<y>\d{2})"
    else:
        return None
    time = _time_pattern(match["time"] or "")
    if time is None:
        return None
    return DateFormat(order, f"^{head.replace('~', re.escape(match[1]))}{time}$")  # type: ignore[arg-type]


def _time_pattern(time: str) -> str | None:
    """The regular expression for the format of one cell's time; fractions of a second are optional."""
    if not time:
        return ""
    match = _TIME.fullmatch(time)
    if not match:
        return None
    pattern = r"[T ](?P<hour>\d{1,2}):(?P<minute>\d{2})"
    if match["second"]:
        pattern += r":(?P<second>\d{2}(?:[.,]\d{1,9})?)"
    if match["half"]:
        pattern += r" ?(?P<half>[AaPp])[Mm]"
    if match["zone"] == "Z":
        pattern += "Z"
    elif match["zone"]:
        pattern += r"(?P<sign>[+-])(?P<oh>\d{2}):?(?P<om>\d{2})"
    return pattern
