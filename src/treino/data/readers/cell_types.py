"""Types of text columns, detected from all of their cells, block by block.

A number may have a decimal point or a decimal comma; a date may begin with the day or the month. A cell fits
one notation of each pair, or both with the same value (``12``), or both with different values (``1.234``). A
column's notation is the one that all of its cells fit; all columns of a file must agree.
"""

import re
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow import compute

from treino.data.readers.cell_patterns import COMMA, EITHER_WAY, GAP, MISSING, PLAIN, POINT, Affix, affix_of
from treino.data.table import MISSING as WORDS
from treino.data.table import Column

# ---- dates and times in text columns

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
PIVOT = 69  # the first year of two digits in the 1900s: 69 is 1969 and 68 is 2068, as in POSIX

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class DateFormat:
    """The format of a column's dates: the order of year, month and day, and the time of day.

    order: ``year last`` and ``short year`` leave open whether the day or the month comes first; ``time`` is a
    time of day without a date. pattern: a regular expression for RE2 with a group for each part.
    """

    order: Literal["year first", "year last", "short year", "month", "time"]
    pattern: str

    @property
    def open(self) -> bool:
        return self.order in ("year last", "short year")

    def seconds(self, cells: pa.Array, day_first: bool) -> NDArray[np.float64]:
        """``[N]``: seconds since 1970 (or midnight) of each cell; NaN if the cell has another format."""
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
    """Return (seconds since midnight, in UTC if the cells have an offset; whether the time exists)."""
    hour, minute = _whole(text["hour"]), _whole(text["minute"])
    second = np.zeros(len(hour))
    if "second" in text:
        second = _date_number(compute.replace_substring(text["second"], ",", "."))
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


def _date_number(text: pa.Array) -> NDArray[np.float64]:
    return np.asarray(compute.cast(compute.if_else(compute.equal(text, ""), "0", text), pa.float64()))


def _whole(text: pa.Array) -> Ints:
    return _date_number(text).astype(np.int64)


def date_format(cell: str) -> DateFormat | None:
    """The format of a cell that is a date or a time of day; None for any other cell."""
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
    """The regular expression for times in the format of ``time``, with optional fractions of a second; "" if
    ``time`` is empty, None if it isn't a time."""
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


# ---- types of text columns

Verdict = Literal["no", "mixed", "first", "second", "open", "same"]

_PAIRS = (
    {"true": 1.0, "false": 0.0},
    {"verdadeiro": 1.0, "falso": 0.0},
    {"yes": 1.0, "no": 0.0},
    {"sim": 1.0, "não": 0.0},
    {"sim": 1.0, "nao": 0.0},
    {"y": 1.0, "n": 0.0},
    {"s": 1.0, "n": 0.0},
    {"t": 1.0, "f": 0.0},
)
_FEW = 8  # maximum number of distinct words of a column that may be boolean
_INEXACT = r"^[+-]?(?:0\d+|\d{16,})$"  # leading zeros, or more digits than float64 always represents
_POINTED = re.compile(r"-?(?:\d*\.\d{1,2}|\d*\.\d{4,}|0\.\d+)", re.ASCII)  # the point can't be a separator
_GAPS = rf"\d(?:{GAP}|')\d"
_LONGEST = max(map(len, WORDS))  # length of the longest word for a missing value
_SHORT = 1000  # cells: below this, one regular expression is faster than several fast functions


@dataclass
class ReadingConflict:
    """Two notations of a column: the number of cells that fit each, and for each an example: (row, cell)."""

    cells: int = 0
    first: int = 0
    second: int = 0
    same: int = 0
    either: int = 0
    examples: dict[str, tuple[int, str]] = field(default_factory=dict)

    @property
    def verdict(self) -> Verdict:
        """The notation that all cells fit, ``first`` or ``second``. no: a cell fits neither. mixed: each cell
        fits one, but not all the same one. same: all fit both, with equal values. open: all fit both, some
        with different values."""
        if self.either < self.cells:
            return "no"
        if self.first < self.cells and self.second < self.cells:
            return "mixed"
        if self.first == self.cells == self.second:
            return "same" if self.same == self.cells else "open"
        return "first" if self.first == self.cells else "second"

    def see(
        self,
        first_N: NDArray[np.bool_],
        second_N: NDArray[np.bool_],
        same_N: NDArray[np.bool_],
        cells: pa.Array,
        row_N: NDArray[np.int64],
    ) -> None:
        both_N = first_N & second_N
        sorts = {"first": first_N & ~both_N, "second": second_N & ~both_N, "open": both_N & ~same_N}
        for name, mask_N in sorts.items():
            if name not in self.examples and mask_N.any():
                i = int(mask_N.argmax())
                self.examples[name] = (int(row_N[i]), cells[i].as_py())
        self.cells += len(cells)
        self.first += int(first_N.sum())
        self.second += int(second_N.sum())
        self.same += int(same_N.sum())
        self.either += int((first_N | second_N).sum())


@dataclass
class CellStatistics:
    """Statistics of the cells of a text column read so far.

    exact: some cells lose information as numbers: leading zeros, too many digits. nothing: the words for a
    missing value, as written. gaps: blanks or apostrophes occur between digits. commas: commas occur. words:
    the spellings of each distinct cell, by the cell in lower case; None once there are too many.
    """

    name: str
    as_text: bool = False
    present: int = 0
    exact: bool = False
    gaps: bool = False
    commas: bool = False
    nothing: set[str] = field(default_factory=set)
    words: dict[str, set[str]] | None = field(default_factory=dict)
    affix: Affix | None = None
    form: DateFormat | None = None
    decimal: ReadingConflict = field(default_factory=ReadingConflict)
    day: ReadingConflict = field(default_factory=ReadingConflict)

    def see(self, cells: pa.Array, row: int) -> None:
        """Add a block of cells. row: the number of the block's first row."""
        if self.as_text:
            return
        cells = stripped(cells)
        if self._plain_decimals(cells, row) or self._plain_whole(cells):
            return
        keep_N = ~missing_of(cells)
        if not keep_N.all():
            self.nothing |= set(compute.unique(cells.filter(pa.array(~keep_N))).to_pylist()) - {""}
            cells = cells.filter(pa.array(keep_N))
        if not len(cells):
            return
        row_N = np.flatnonzero(keep_N) + row
        first = cells[0].as_py()
        if not self.present:
            self.affix, self.form = affix_of(first), date_format(first)
        self.present += len(cells)
        if self.affix and self.decimal.either == self.decimal.cells:
            self._see_numbers(cells, row_N)
        elif self.affix:
            self.decimal.cells += len(cells)
        if self.form and self.day.either == self.day.cells:
            self._see_dates(cells, row_N)
        if self.words is not None:
            self._see_words(cells)

    def _plain_whole(self, cells: pa.Array) -> bool:
        """Add a block of whole numbers in plain digits by a fast path. Return whether the block was added."""
        if self.present and (self.affix != PLAIN or self.words is not None):
            return False
        if not len(cells) or not _all_whole(cells):
            return False
        n = len(cells)
        self.affix, self.words, self.present = PLAIN, None, self.present + n
        self.decimal.cells, self.decimal.first = self.decimal.cells + n, self.decimal.first + n
        self.decimal.second, self.decimal.same = self.decimal.second + n, self.decimal.same + n
        self.decimal.either += n
        self._see_exact(cells)
        return True

    def _plain_decimals(self, cells: pa.Array, row: int) -> bool:
        """Add a block of numbers with a decimal point by a fast path. Return whether the block was added.

        One of the first cells must prove the decimal point. Cells that also fit a decimal comma are then not
        counted for it, as some cells don't fit it.
        """
        examples = self.decimal.examples
        if self.present:
            if self.affix != PLAIN or self.words is not None or self.decimal.verdict != "first":
                return False
        else:
            first = cells[:_FEW].to_pylist()
            proof = next((i for i, cell in enumerate(first) if _POINTED.fullmatch(cell)), None)
            if proof is None:
                return False
            examples = {"first": (row + proof, first[proof])}
        try:
            value_N = compute.cast(cells, pa.float64()).to_numpy()
        except pa.ArrowInvalid:
            return False
        if np.isnan(value_N).any():
            return False
        n = len(cells)
        self.affix, self.words, self.present, self.decimal.examples = PLAIN, None, self.present + n, examples
        self.decimal.cells, self.decimal.first = self.decimal.cells + n, self.decimal.first + n
        self.decimal.either += n
        if (value_N == np.floor(value_N)).any():
            self._see_exact(cells)
        return True

    def _see_exact(self, cells: pa.Array) -> None:
        if self.exact:
            return
        if len(cells) < _SHORT:
            self.exact = bool(compute.any(compute.match_substring_regex(cells, _INEXACT)).as_py())
            return
        length = compute.binary_length(cells)
        zero = compute.and_(compute.starts_with(cells, "0"), compute.greater(length, 1))
        minus = compute.or_(compute.starts_with(cells, "-"), compute.starts_with(cells, "+"))
        may_be = compute.or_(compute.or_(zero, minus), compute.greater_equal(length, 16))
        if compute.any(may_be).as_py():  # the regular expression is exact but slow
            matches = compute.match_substring_regex(cells.filter(may_be), _INEXACT)
            self.exact = bool(compute.any(matches).as_py())

    def _see_numbers(self, cells: pa.Array, row_N: NDArray[np.int64]) -> None:
        assert self.affix is not None
        first_N, second_N, same_N = (
            np.asarray(compute.match_substring_regex(cells, self.affix.pattern(number)))
            for number in (POINT, COMMA, EITHER_WAY)
        )
        self.decimal.see(first_N, second_N, same_N, cells, row_N)
        self.gaps = self.gaps or bool(compute.any(compute.match_substring_regex(cells, _GAPS)).as_py())
        self.commas = self.commas or bool(compute.any(compute.match_substring(cells, ",")).as_py())
        self._see_exact(cells)

    def _see_dates(self, cells: pa.Array, row_N: NDArray[np.int64]) -> None:
        assert self.form is not None
        day_first_N = self.form.seconds(cells, day_first=True)
        month_first_N = self.form.seconds(cells, day_first=False) if self.form.open else day_first_N
        same_N = day_first_N == month_first_N
        self.day.see(~np.isnan(day_first_N), ~np.isnan(month_first_N), same_N, cells, row_N)

    def _see_words(self, cells: pa.Array) -> None:
        assert self.words is not None
        different = compute.unique(cells)
        if len(different) > _FEW:
            self.words = None
            return
        for word in different.to_pylist():
            self.words.setdefault(word.lower(), set()).add(word)
        if len(self.words) > _FEW:
            self.words = None

    @property
    def truth(self) -> dict[str, float] | None:
        """The truth value of each word in lower case; None if the column isn't boolean.

        Words such as NA and None are missing values in a column of true and false, which programs write, but
        answers in a column of yes and no, which people write. Two spellings of a word (Yes, YES) are two
        words, except for true and false.
        """
        if not self.words or self.as_text:
            return None
        for pair in _PAIRS:
            if self.words.keys() <= pair.keys():
                by_program = "true" in pair or "verdadeiro" in pair
                one_case = all(len(written) == 1 for written in self.words.values())
                return pair if by_program or (one_case and not self.nothing) else None
        return None


@dataclass(frozen=True)
class CellType:
    """The type of a text column, and how its cells are read.

    words: keep the cells as written together with the numbers. day_first: the day precedes the month in
    dates. comma: the decimal sign is a comma. missing: words that stand for a missing value.
    """

    name: str
    holds: Literal["numbers", "truth", "dates", "words"]
    affix: Affix = PLAIN
    comma: bool = False
    form: DateFormat | None = None
    day_first: bool = True
    truth: tuple[tuple[str, float], ...] = ()
    words: bool = False
    writing: str = ""
    missing: tuple[str, ...] = ()

    def column(self, cells: pa.ChunkedArray) -> Column:
        """The column of these cells, which must be among the cells that the type was detected from."""
        cells = stripped(cells)
        if self.holds == "words":
            if self.missing:
                cells = compute.if_else(compute.is_in(cells, pa.array(self.missing)), "", cells)
            return Column(self.name, words=words_of(cells))
        if self.holds == "numbers":
            numbers = self._numbers(cells)
            words = words_of(cells) if self.words or np.isinf(numbers).any() else None
            return Column(self.name, numbers, words, writing=self.writing)
        if self.holds == "truth":
            missing = pa.array(missing_of(cells))
            table = dict(self.truth)
            words = words_of(compute.if_else(missing, "", cells))
            if "true" in table or "verdadeiro" in table:
                words = np.array([word.lower() for word in words], dtype=object)
            numbers = np.array([table.get(word.lower(), np.nan) for word in words])
            return Column(self.name, numbers, words, boolean=True)
        assert self.form is not None
        chunks = [self.form.seconds(chunk, self.day_first) for chunk in cells.chunks]
        seconds = np.concatenate(chunks) if chunks else np.empty(0)
        clock = self.form.order == "time"
        return Column(self.name, None, words_of(cells), seconds=seconds, clock=clock, writing=self.writing)

    def _numbers(self, cells: pa.ChunkedArray) -> NDArray[np.float64]:
        if self.affix == PLAIN and not self.comma:
            try:
                return np.asarray(compute.cast(cells, pa.float64()).to_numpy())
            except pa.ArrowInvalid:
                pass  # missing cells, signs or groups need the slow path
        cells = compute.if_else(pa.array(missing_of(cells)), pa.scalar(None, cells.type), cells)
        if self.affix.before:
            cells = compute.replace_substring(cells, self.affix.before, "")
        if self.affix.after:
            cells = compute.replace_substring(cells, self.affix.after, "")
        group = r"[.'\s\x{a0}\x{202f}+]" if self.comma else r"[,'\s\x{a0}\x{202f}]"
        cells = compute.replace_substring_regex(cells, group, "")
        if self.comma:
            cells = compute.replace_substring(cells, ",", ".")
        return np.asarray(compute.cast(cells, pa.float64()).to_numpy(), dtype=np.float64)


def missing_of(cells: pa.Array | pa.ChunkedArray) -> NDArray[np.bool_]:
    """``[N]``: whether each cell is empty or a word such as NA. Compares only short cells."""
    missing_N = np.array(compute.less_equal(compute.binary_length(cells), _LONGEST))
    short = np.flatnonzero(missing_N)
    missing_N[short] = np.asarray(compute.match_substring_regex(cells.take(pa.array(short)), MISSING))
    return missing_N


def _all_whole(cells: pa.Array) -> bool:
    """Whether all cells are whole numbers in plain digits; may be False although they are."""
    if compute.all(compute.ascii_is_decimal(cells)).as_py():
        return True
    if not cells[0].as_py()[-1:].isdecimal():
        return False
    try:
        compute.cast(cells, pa.int64())
    except pa.ArrowInvalid:
        return False
    return not compute.any(compute.match_substring(cells, "x", ignore_case=True)).as_py()  # Arrow reads 0x10


def stripped(cells: pa.Array) -> pa.Array:
    """The cells without surrounding blanks; "" for null."""
    return compute.utf8_trim_whitespace(compute.fill_null(cells, "") if cells.null_count else cells)


def words_of(cells: pa.ChunkedArray) -> NDArray[np.object_]:
    """The cells as ``[N]`` str; equal words share one object."""
    if not len(cells):
        return np.empty(0, dtype=object)
    chunks = []
    for chunk in cells.chunks if isinstance(cells, pa.ChunkedArray) else [cells]:
        coded = chunk.dictionary_encode()
        chunks.append(coded.dictionary.to_numpy(zero_copy_only=False)[coded.indices.to_numpy()])
    return np.concatenate(chunks).astype(object)
