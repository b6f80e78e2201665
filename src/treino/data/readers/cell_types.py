"""Decide a text column's type by the form that nearly all of its cells have, over all of its blocks.

A number may have a decimal point or a decimal comma; a date may begin with the day or the month. A cell fits
one notation of each pair, or both with the same value (``12``), or with different values (``1.234``). All
columns of a file must agree. Cells without their column's form are odd: notes name them; they have no value.
"""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow import compute

from treino.data.cell_forms import (
    ADDRESS,
    COMMA,
    DIGIT,
    LEADING_ZERO,
    LONGEST,
    LONGEST_NOTHING,
    MARK,
    MONTHS,
    MOST_TRUTHS,
    OCTETS,
    PLAIN,
    POINT,
    PROGRAM_TRUTH,
    Affix,
    DateForm,
    Form,
    NumberForm,
    dotted_code,
    duration,
    form_of_shape,
    missing,
    number_form_of,
    truth_of,
    truth_words,
)
from treino.data.readers.reader_options import ReaderOptions
from treino.data.table import Column

PIVOT = 69  # the first year of two digits in the 1900s: 69 is 1969 and 68 is 2068, as in POSIX
NEARLY, MOST = 0.9, 0.5  # shares of a column's cells
_LOOK = 1000  # number of cells by which a column of words is recognised
_FEW = 8  # first cells of a block, one of which must prove the decimal point
_NINES = np.array([57 if 48 <= byte < 58 else byte for byte in range(256)], dtype=np.uint8)
_INEXACT = r"^[+-]?(?:0\d+|\d{16,})$"  # leading zeros, or more digits than float64 always represents

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Holds = Literal["numbers", "truth", "dates", "words"]
Verdict = Literal["no", "mixed", "first", "second", "open", "same"]

# ---- seconds of dates


def seconds(cells: pa.Array, form: DateForm, order: str) -> Floats:
    """``[N]``: seconds since 1970 (or midnight) of each cell; NaN if its form differs or no such day exists.

    order: the order of year, month and day in the digits, such as ``dmy``; ``d y`` if the month is a name.
    """
    parts = compute.extract_regex(cells, form.pattern)
    fits_N = np.asarray(compute.is_valid(parts))
    text = {field.name: compute.fill_null(part, "") for field, part in zip(parts.type, parts.flatten())}  # noqa: B905
    of_day_N, valid_N = _of_day(text) if "hour" in text else (np.zeros(len(cells)), fits_N)
    if form.clock:
        return np.where(fits_N & valid_N, of_day_N, np.nan)
    value = {role: _whole(text[name]) for name, role in zip("pqr", order, strict=False) if name in text}
    if "mon" in text:
        name = compute.utf8_lower(compute.utf8_slice_codeunits(text["mon"], 0, 3))
        place = compute.index_in(name, pa.array(list(MONTHS)))
        value["m"] = np.array([*MONTHS.values(), 0])[np.asarray(compute.fill_null(place, len(MONTHS)))]
    year, month, day = value["y"], value["m"], value.get("d", np.ones(len(cells), dtype=np.int64))
    if form.order in ("short year", "short named"):
        year = year + np.where(year < PIVOT, 2000, 1900)
    valid_N = fits_N & valid_N & (month >= 1) & (month <= 12) & (day >= 1) & (year >= 1)
    if form.order == "month":
        valid_N &= (year >= 1000) & (year < 3000)
    month_N = (year - 1970).astype("M8[Y]").astype("M8[M]") + (np.clip(month, 1, 12) - 1)
    first_N, next_N = month_N.astype("M8[D]"), (month_N + 1).astype("M8[D]")
    days_N = first_N.astype(np.int64) + day - 1
    valid_N &= days_N < next_N.astype(np.int64)
    return np.where(valid_N, days_N * 86400.0 + of_day_N, np.nan)


def _of_day(text: dict[str, pa.Array]) -> tuple[Floats, NDArray[np.bool_]]:
    """Return (seconds since midnight, in UTC if the cells have an offset; whether the time exists)."""
    hour, minute = _whole(text["hour"]), _whole(text["minute"])
    second = np.zeros(len(hour))
    if "second" in text:
        second = _date_number(compute.replace_substring(text["second"], ",", "."))
    valid_N = (minute < 60) & (second < 60)
    if "half" in text:
        half_N = np.asarray(compute.not_equal(text["half"], ""))
        valid_N &= ~half_N | ((hour >= 1) & (hour <= 12))
        late = np.asarray(compute.match_substring(text["half"], "p", ignore_case=True))
        hour = np.where(half_N, hour % 12 + 12 * late, hour)
    valid_N &= hour < 24
    seconds_N = hour * 3600.0 + minute * 60.0 + second
    if "zone" in text:
        offset = compute.extract_regex(text["zone"], r"(?P<sign>[+-])(?P<oh>\d{2}):?(?P<om>\d{2})")
        sign, hours, minutes = (compute.fill_null(part, "") for part in offset.flatten())
        offset_N = _whole(hours) * 3600.0 + _whole(minutes) * 60.0
        seconds_N -= np.where(np.asarray(compute.equal(sign, "-")), -offset_N, offset_N)
    return seconds_N, valid_N


def _date_number(text: pa.Array) -> Floats:
    return np.asarray(compute.cast(compute.if_else(compute.equal(text, ""), "0", text), pa.float64()))


def _whole(text: pa.Array) -> Ints:
    return _date_number(text).astype(np.int64)


def digit_order(form: DateForm, day_first: bool, dates: str | None) -> str:
    """The order of year, month and day in a form's digits. dates: the order that the user set, or None."""
    year_first = dates if dates is not None and dates.startswith("year") else None
    if form.order in ("year first", "compact") or (form.order == "short year" and year_first):
        return "ydm" if dates == "year/day/month" else "ymd"
    if form.order == "short named":
        return "y d" if year_first else "d y"
    if form.open:
        return "dmy" if day_first else "mdy"
    return "ym" if form.order == "month" else "d y"


# ---- statistics of a column


@dataclass
class ReadingConflict:
    """Two notations of cells: the number of cells that fit each, and for each an example: (row, cell)."""

    cells: int = 0
    first: int = 0
    second: int = 0
    same: int = 0
    either: int = 0
    examples: dict[str, tuple[int, str]] = field(default_factory=dict)

    def __add__(self, other: "ReadingConflict") -> "ReadingConflict":
        pairs = sorted(((k, v) for one in (self, other) for k, v in one.examples.items()), reverse=True)
        names = ("cells", "first", "second", "same", "either")
        sums: Any = {name: getattr(self, name) + getattr(other, name) for name in names}
        return ReadingConflict(**sums, examples=dict(pairs))

    @property
    def verdict(self) -> Verdict:
        """The notation of nearly all cells that fit any, ``first`` or ``second``. no: none does. mixed: some
        fit the first alone, and too many the second alone. same: all fit both, with equal values. open: all
        fit both, some with different values."""
        first, second = self.either - self.second, self.either - self.first  # that fit only this one
        if not self.either:
            return "no"
        if min(first, second) > (1 - NEARLY) * (first + second):
            return "mixed"
        if not first and not second:
            return "same" if self.same == self.either else "open"
        return "first" if first > second else "second"

    def see(self, first_N: Bools, second_N: Bools, same_N: Bools, cells: pa.Array, row_N: Ints) -> None:
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

    wanted: what the column holds according to the user, or in the rows that trained a network; ``levels``:
    numbers whose words are kept. stated: more words that mean missing. exact: some cells lose information as
    numbers. nothing: the words for a missing value, as written. words: the spellings of each distinct cell,
    by the cell in lower case; None once there are too many. forms: of all cells that have one. odd: the first
    cells without a form, and their rows. codes: the number of cells that are codes with dots, such as
    1.2.3. addresses: the number of IP addresses; None if some cell looks like one, with a number over 255.
    durations: the number of lengths of time such as 1h 05m. lost: too few cells have a form, so forms are no
    longer counted.
    """

    name: str
    as_text: bool = False
    wanted: str = ""
    stated: tuple[str, ...] = ()
    dates: str | None = None
    present: int = 0
    codes: int = 0
    addresses: int | None = 0
    durations: int = 0
    exact: bool = False
    lost: bool = False
    nothing: set[str] = field(default_factory=set)
    words: dict[str, Counter[str]] | None = field(default_factory=dict)
    forms: dict[Form, ReadingConflict] = field(default_factory=dict)
    odd: dict[str, int] = field(default_factory=dict)

    @classmethod
    def of(cls, name: str, reading: ReaderOptions) -> "CellStatistics":
        """Empty statistics, for a column that is read with these options."""
        stated = tuple(word for word in reading.missing or () if not missing(word))
        return cls(name, name in reading.text, reading.wanted.get(name, ""), stated, reading.dates)

    def see(self, cells: pa.Array, row: int) -> None:
        """Add a block of cells. row: the number of the block's first row."""
        if self.as_text:
            return
        cells = stripped(cells)
        if self._see_plain(cells, row):
            return
        keep_N = ~missing_of(cells, self.stated)
        if not keep_N.all():
            self.nothing |= set(compute.unique(cells.filter(pa.array(~keep_N))).to_pylist()) - {""}
            cells = cells.filter(pa.array(keep_N))
        row_N = np.flatnonzero(keep_N) + row
        if self.words is not None and len(cells):
            self._see_words(cells)
        for start, stop in ((0, _LOOK), (_LOOK, len(cells))):  # the first cells tell whether to look at all
            if len(cells) > start:
                self._see_forms(cells[start:stop], row_N[start:stop])

    @property
    def coded(self) -> bool:
        """Whether the cells are IP addresses, versions or other codes with dots, so that they are words."""
        return not self.wanted and self.codes + (self.addresses or 0) > (1 - NEARLY) * self.present

    @property
    def numbers(self) -> ReadingConflict:
        """The notations of the cells, if the column is read as numbers."""
        return self.conflict(self.group((NumberForm,)))

    def conflict(self, forms: Iterable[Form]) -> ReadingConflict:
        """The notations of all cells of these forms."""
        return sum((self.forms[form] for form in forms), ReadingConflict())

    def group(self, kinds: tuple[type, ...]) -> list[Form]:
        """The forms of most cells; they differ only in ways that are allowed within a column.

        Numbers share the text around them. Dates share order and signs and, if they have a time, whether
        there is a zone, and whether there is am or pm.
        """
        groups: dict[object, list[Form]] = {}
        for form in self.forms:
            if isinstance(form, kinds):
                groups.setdefault(form.key, []).append(form)
        for key, forms in groups.items():
            timed = [form for form in forms if isinstance(form, DateForm) and form.time[0]]
            if timed:
                most = max(timed, key=lambda form: self.forms[form].either)
                groups[key] = [form for form in forms if form == most or form not in timed]
        return max(groups.values(), key=self.fitting, default=[])

    def fitting(self, forms: Iterable[Form]) -> int:
        return sum(self.forms[form].either for form in forms)

    def _count(self, form: Form, n: int, example: tuple[int, str]) -> None:
        assert isinstance(form, NumberForm)
        both = form.point and form.comma
        sort = "open" if both and not form.same else "first" if form.point else "second"
        tally = self.forms.setdefault(form, ReadingConflict())
        if not form.same or form.code:
            tally.examples.setdefault(sort, example)
        tally.cells, tally.either, tally.same = tally.cells + n, tally.either + n, tally.same + n * form.same
        tally.first, tally.second = tally.first + n * form.point, tally.second + n * form.comma
        self.exact = self.exact or form.exact

    @property
    def plain(self) -> bool:
        """Whether all cells so far are numbers with nothing around them."""
        return sum(t.cells for f, t in self.forms.items() if f.key == PLAIN) == self.present and not self.lost

    def _see_plain(self, cells: pa.Array, row: int) -> bool:
        """Add a block of plain numbers by a fast path. Return whether the block was added.

        All must be whole, or one of the first cells must prove the decimal point. Cells that also fit a
        decimal comma are then not counted for it, as some cells don't fit it.
        """
        if self.stated or not len(cells) or not self.plain:
            return False
        first = cells[:_FEW].to_pylist()
        proof = next((i for i, f in enumerate(map(number_form_of, first)) if f and f.point > f.comma), None)
        whole = proof is None
        if whole and not compute.all(compute.ascii_is_decimal(cells)).as_py():
            return False
        try:
            value_N = compute.cast(cells, pa.float64()).to_numpy()
        except pa.ArrowInvalid:
            return False
        if np.isnan(value_N).any():
            return False
        digits = len(str(int(min(np.abs(value_N).max(), 1e4))))
        form = NumberForm(PLAIN, True, whole, whole, digits)
        self._count(form, len(cells), (row + (proof or 0), first[proof or 0]))
        self.words, self.present = None, self.present + len(cells)
        if not self.exact and (value_N == np.floor(value_N)).any():
            self.exact = bool(compute.any(compute.match_substring_regex(cells, _INEXACT)).as_py())
        return True

    def _see_forms(self, cells: pa.Array, row_N: Ints) -> None:
        self.present += len(cells)
        if self.lost:
            return
        coded = cells.dictionary_encode()
        shapes = _shapes(coded.dictionary).dictionary_encode()
        of_shape = [form_of_shape(s) if len(s) <= LONGEST else None for s in shapes.dictionary.to_pylist()]
        forms = list(dict.fromkeys(form for form in of_shape if form is not None))
        place = {form: k for k, form in enumerate(forms)} | {None: -1}
        form_S = np.array([place[form] for form in of_shape])
        shape_N = shapes.indices.to_numpy()[coded.indices.to_numpy()]
        form_N = form_S[shape_N]
        counts = np.bincount(shape_N, minlength=len(of_shape)).tolist()
        for k, (shape, count) in enumerate(zip(shapes.dictionary.to_pylist(), counts, strict=True)):
            if "." in shape and len(shape) <= LONGEST and dotted_code(shape):
                self.codes += count
            elif self.addresses is not None and re.fullmatch(ADDRESS, shape):
                some = cells.filter(pa.array(shape_N == k))
                within = bool(compute.all(compute.match_substring_regex(some, OCTETS)).as_py())
                self.addresses = self.addresses + count if within else None
            elif of_shape[k] is None and duration(shape.replace(MARK, "0")):
                self.durations += count
        for k, at, n in zip(*np.unique(form_N, return_index=True, return_counts=True), strict=True):
            form = forms[k] if k >= 0 else None
            if isinstance(form, DateForm):
                where = np.flatnonzero(form_N == k)
                self._see_dates(form, cells.take(pa.array(where)), row_N[where])
            elif form is not None:
                self._count(form, int(n), (int(row_N[at]), cells[int(at)].as_py()))
            elif len(self.odd) < 3:
                for i in np.flatnonzero(form_N == k)[:100].tolist():
                    if len(self.odd) < 3:
                        self.odd.setdefault(cells[i].as_py(), int(row_N[i]))
        fitting = self.fitting(self.forms) + self.durations
        self.lost = self.present >= _LOOK and fitting < MOST * self.present

    def _see_dates(self, form: DateForm, cells: pa.Array, row_N: Ints) -> None:
        first_N = seconds(cells, form, digit_order(form, True, self.dates))
        second_N = seconds(cells, form, digit_order(form, False, self.dates)) if form.open else first_N
        tally = self.forms.setdefault(form, ReadingConflict())
        tally.see(~np.isnan(first_N), ~np.isnan(second_N), first_N == second_N, cells, row_N)

    def _see_words(self, cells: pa.Array) -> None:
        assert self.words is not None
        different = compute.value_counts(cells)
        if len(different) <= MOST_TRUTHS:
            for word, count in (pair.values() for pair in different.to_pylist()):
                self.words.setdefault(word.lower(), Counter())[word] += count
        if len(different) > MOST_TRUTHS or len(self.words) > MOST_TRUTHS:
            self.words = None

    @property
    def truth(self) -> bool:
        """Whether the column is boolean.

        Words such as NA and None are missing values in a column of true and false, which programs write, but
        answers in a column of yes and no, which people write.
        """
        if self.words is None or self.as_text or not truth_words(set(self.words)):
            return False
        by_program = any(self.words.keys() <= pair for pair in PROGRAM_TRUTH)
        answers = {word for word in self.nothing if word[:1].isalpha() and word not in self.stated}
        return by_program or not answers or self.wanted == "truth"

    @property
    def spellings(self) -> tuple[tuple[str, str], ...]:
        """Pairs of a word for true or false, in lower case, and its usual spelling; () if case matters."""
        if self.words is None or not any(self.words.keys() <= pair for pair in PROGRAM_TRUTH):
            return ()
        return tuple((word, max(sorted(of), key=of.__getitem__)) for word, of in self.words.items())


# ---- the type of a column


@dataclass(frozen=True)
class CellType:
    """The type of a text column, and how its cells are read.

    words: keep the cells as written together with the numbers. order: that of the digits in dates. comma: the
    decimal sign is a comma. missing: words that mean a missing value among words; stated: words that do so in
    any cell (set by user). signed: some numbers are negative by brackets, or by another sign than a leading
    hyphen. spellings: as in CellStatistics. odd: some cells aren't of this form. mostly: the kind of form
    that most words have. example: odd cells and their rows; for codes, one code.
    """

    name: str
    holds: Holds
    affix: Affix = PLAIN
    comma: bool = False
    form: DateForm | None = None
    order: str = "ymd"
    words: bool = False
    writing: str = ""
    missing: tuple[str, ...] = ()
    stated: tuple[str, ...] = ()
    signed: bool = False
    spellings: tuple[tuple[str, str], ...] = ()
    odd: bool = False
    mostly: str = ""
    examples: tuple[tuple[str, int], ...] = ()

    def column(self, cells: pa.ChunkedArray) -> Column:
        """The column of these cells, which must be among the cells that the type was detected from."""
        cells = stripped(cells)
        if self.holds == "words":
            if self.missing:
                cells = compute.if_else(compute.is_in(cells, pa.array(self.missing)), "", cells)
            return Column(self.name, words=words_of(cells))
        if self.holds == "numbers":
            numbers, odd_N = self._numbers(cells)
            keep = self.words or odd_N is not None or np.isinf(numbers).any()
            words = words_of(cells) if keep else None
            return Column(self.name, numbers, words, writing=self.writing, odd_N=odd_N)
        missing_N = missing_of(cells, self.stated)
        if self.holds == "truth":
            words = words_of(compute.if_else(pa.array(missing_N), "", cells))
            lower = np.array([word.lower() for word in words], dtype=object)
            numbers = np.array([truth_of(word) for word in lower], dtype=np.float64)
            odd_N = np.isnan(numbers) & ~missing_N
            if self.spellings:
                usual = dict(self.spellings)
                words = np.array([usual.get(word, word) for word in lower], dtype=object)
            return Column(self.name, numbers, words, boolean=True, odd_N=odd_N if odd_N.any() else None)
        assert self.form is not None
        chunks = [seconds(chunk, self.form, self.order) for chunk in cells.chunks]
        second_N = np.concatenate(chunks) if chunks else np.empty(0)
        odd_N = np.isnan(second_N) & ~missing_N if self.odd else None
        if odd_N is not None:  # a word means a missing value; a cell with digits may be a mistyped date
            odd_N &= np.asarray(compute.match_substring_regex(cells, DIGIT))
        clock, words = self.form.clock, words_of(cells)
        return Column(
            self.name, None, words, seconds=second_N, clock=clock, writing=self.writing, odd_N=odd_N
        )

    def _numbers(self, cells: pa.ChunkedArray) -> tuple[Floats, NDArray[np.bool_] | None]:
        if self.affix == PLAIN and not self.comma and not self.odd and not self.stated:
            try:
                return np.asarray(compute.cast(cells, pa.float64()).to_numpy()), None
            except pa.ArrowInvalid:
                pass  # missing cells, signs or groups need the slow path
        odd_N = None
        cells = compute.if_else(pa.array(missing_of(cells, self.stated)), pa.scalar(None, cells.type), cells)
        if self.odd:
            fits = compute.match_substring_regex(cells, self.affix.pattern(COMMA if self.comma else POINT))
            odd_N = ~np.asarray(compute.fill_null(fits, True))
            cells = compute.if_else(pa.array(odd_N), pa.scalar(None, cells.type), cells)
        for text in (self.affix.before, self.affix.after):
            cells = compute.replace_substring(cells, text, "") if text else cells
        if self.signed:
            cells = compute.replace_substring_regex(cells, r"^\s*[(−–-]\s*(.*?)\s*\)?$", r"-\1")
            cells = compute.replace_substring_regex(cells, r"^(.*\d\.?)\s*-$", r"-\1")
        group = r"[.'’\s\x{a0}\x{202f}\x{2009}]|^\+" if self.comma else r"[,'’\s\x{a0}\x{202f}\x{2009}]|^\+"
        cells = compute.replace_substring_regex(cells, group, "")
        if self.comma:
            cells = compute.replace_substring(cells, ",", ".")
        return np.asarray(compute.cast(cells, pa.float64()).to_numpy(), dtype=np.float64), odd_N


def _shapes(cells: pa.Array) -> pa.Array:
    """The shape of each cell, cut after the longest that may have a form; see ``cell_forms``."""
    cut = compute.utf8_slice_codeunits(cells, 0, LONGEST + 1)
    cut = compute.replace_substring(cut, MARK, "\0")  # of the cell's own: no part of a number
    marked = compute.replace_substring_regex(cut, LEADING_ZERO, rf"\1{MARK}")
    _valid, offsets, content = marked.buffers()
    if content is None:
        return marked
    nines = _NINES[np.frombuffer(content, dtype=np.uint8)]  # faster than a regular expression
    return pa.Array.from_buffers(
        marked.type, len(marked), [None, offsets, pa.py_buffer(nines)], offset=marked.offset
    )


def missing_of(cells: pa.Array | pa.ChunkedArray, stated: Sequence[str] = ()) -> NDArray[np.bool_]:
    """``[N]``: whether each cell is empty or a word such as NA. Compares only short cells."""
    missing_N = np.array(compute.less_equal(compute.binary_length(cells), LONGEST_NOTHING))
    short = np.flatnonzero(missing_N)
    some = cells.take(pa.array(short))
    # most numbers and dates begin with a digit, so they don't mean a missing value
    told = np.flatnonzero(np.asarray(compute.match_substring_regex(some, r"^(?:[^0-9]|$|1\.#)")))
    missing_N[short] = False
    if len(told):
        # the words alone: to compile the pattern of all of them takes longer than a column of some rows
        some = some.take(pa.array(told))
        absent = pa.array([word for word in compute.unique(some).to_pylist() if missing(word)], some.type)
        missing_N[short[told]] = np.asarray(compute.is_in(some, absent))
    if stated:
        missing_N |= np.asarray(compute.is_in(cells, pa.array(stated)))
    return missing_N


def stripped(cells: pa.Array) -> pa.Array:
    """The cells without surrounding blanks, each letter and its accents as one character; "" for null."""
    cells = compute.utf8_trim_whitespace(compute.fill_null(cells, "") if cells.null_count else cells)
    ascii_alone = compute.all(compute.string_is_ascii(cells)).as_py() is not False
    return cells if ascii_alone else compute.utf8_normalize(cells, "NFC")


def words_of(cells: pa.ChunkedArray) -> NDArray[np.object_]:
    """The cells as ``[N]`` str; equal words share one object."""
    if not len(cells):
        return np.empty(0, dtype=object)
    chunks = []
    for chunk in cells.chunks if isinstance(cells, pa.ChunkedArray) else [cells]:
        coded = chunk.dictionary_encode()
        chunks.append(coded.dictionary.to_numpy(zero_copy_only=False)[coded.indices.to_numpy()])
    return np.concatenate(chunks).astype(object)
