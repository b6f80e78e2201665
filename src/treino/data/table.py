"""Hold a table: named columns of numbers, texts or times, as read, before any preparation."""

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from treino.base.errors import Refusal, TreinoError, nearest
from treino.base.text import shortened
from treino.base.words import N_, _, joined, setting
from treino.data.cell_forms import DateForm, NumberForm, duration, form_of, missing, year_range
from treino.data.plain_cells import number as number
from treino.data.plain_cells import plain as plain
from treino.settings.setting_types import as_item, as_items

if TYPE_CHECKING:
    from treino.data.readers.reader_options import ReaderOptions

COLUMNS_MISSING = Refusal("'{source}' lacks {n} of {of} columns: {names}.", "For '{name}': {hint}")
DURATIONS_AS_NUMBERS = N_("Write durations as numbers, all in one unit: 1.5 for 1:30:00, in hours")
COLUMN_UNKNOWN = Refusal("There is no column '{name}' in '{source}'.", "{hint}")
COLUMN_IS_TARGET = Refusal(
    "'{name}' is the target, and can't be used for something else.",
    "Name another column.",
    rule="column_target",
)
COLUMN_NAME_DUPLICATE = Refusal(
    "{what} has two columns named '{name}': columns {a} and {b}.", "Rename one of them."
)

Numbers = NDArray[np.float64 | np.uint8]
RowPlace = Callable[[int], str]
"""Words the place of row i (from 0): "line 7" of a file, "row 5" of a frame."""

LARGEST_WHOLE = 2**53  # all whole numbers up to this are distinct as float64
FIRST_SECOND, LAST_SECOND = -62_135_596_800, 253_402_300_800  # of the years 1 to 9999, since 1970
_BEYOND = re.compile(r"1970 [+-] \d+ s")  # what `day_text` writes for a date of another year
_WHOLE = re.compile(r"[+-]?\d{1,400}", re.ASCII)
MONEY = "money "  # precedes the currency symbol in ``Column.writing``
_ISO = re.compile(r"\d{4}-\d{2}-\d{2}([ T]\d{2}:\d{2}(:\d{2})?)?", re.ASCII)
_FEW = 3  # odd words that may be named one by one


@dataclass(frozen=True, eq=False)
class Column:
    """One column of N cells.

    numbers: ``[N]`` if every cell that isn't missing is a number in the column's notation or a boolean, else
    None. NaN for missing cells; infinite if written so or too large for a float64.
    words: ``[N]`` str as written, stripped, "" for missing cells; None for numbers in plain notation (as
    ``plain`` writes them) or from a source without text. Boolean columns always have words.
    boolean: whether numbers are booleans, whatever their words (true, yes, sim; the words are the classes).
    Of true and false, whose case has no meaning, each has the spelling that is the most common in the file.
    categories: the classes in the source's order, if the source declares one, else (). ordered: whether the
    categories are ranks, lowest first.
    seconds: ``[N]`` since 1970-01-01 (UTC if the cells have an offset), if every cell that isn't missing is a
    date or time of one format; NaN for missing cells. clock: whether the cells are times of day without a
    date; their seconds are since midnight.
    writing: the notation of the cells, if it isn't plain: a comma-separated list of "money R$", "unit kg",
    "percent", "decimal comma", "gaps between the thousands", "commas between the thousands", "dates
    day/month/year".
    odd_N: ``[N]``: whether each cell holds something else than nearly all others, and so has no number or
    second; None if none does. A word among dates isn't odd but missing.
    """

    name: str
    numbers: Numbers | None = None
    words: NDArray[np.object_] | None = None
    boolean: bool = False
    categories: tuple[str, ...] = ()
    ordered: bool = False
    seconds: NDArray[np.float64] | None = None
    clock: bool = False
    writing: str = ""
    odd_N: NDArray[np.bool_] | None = None

    def __len__(self) -> int:
        cells = self.words if self.values is None else self.values
        return 0 if cells is None else len(cells)

    @property
    def values(self) -> Numbers | None:
        """``[N]``: the numbers, or the seconds of dates; None for words."""
        return self.numbers if self.numbers is not None else self.seconds

    @property
    def currency(self) -> str:
        """The currency symbol that all numbers of the column have, such as R$; "" without one."""
        return next((w.removeprefix(MONEY) for w in self.writing.split(", ") if w.startswith(MONEY)), "")

    @cached_property
    def missing_N(self) -> NDArray[np.bool_]:
        """``[N]``: whether each cell is missing. In text the missing cells are empty: the reader empties
        cells that hold a word for a missing value, such as NA."""
        if self.values is not None:
            missing_N = np.isnan(self.values)
            return missing_N if self.odd_N is None else missing_N & ~self.odd_N
        assert self.words is not None
        return np.asarray(self.words == "", dtype=bool)

    @property
    def merges(self) -> bool:
        """Whether the column has numbers of 2^53 or more, so that distinct whole numbers share a float64."""
        if self.numbers is None or self.boolean or self.numbers.dtype == np.uint8:
            return False
        with np.errstate(invalid="ignore"):
            return bool((np.abs(self.numbers) >= LARGEST_WHOLE).any())

    @property
    def whole_words(self) -> NDArray[np.object_] | None:
        """``[N]``: the cells in plain digits, "" for missing cells, if ``merges`` and all cells are written
        as whole numbers; else None."""
        if self.words is None or not self.merges:
            return None
        absent_N = self.missing_N
        words = map(str, set(self.words[~absent_N]))
        plain_of = {w: str(int(w)) if _WHOLE.fullmatch(w.strip()) else None for w in words}
        if None in plain_of.values():
            return None
        return np.array(
            ["" if absent else plain_of[word] for word, absent in zip(self.words, absent_N, strict=True)],
            dtype=object,
        )

    @property
    def spelled(self) -> bool:
        """Whether the words of numbers hold more information than the numbers, as 3.10 and 3.1 do."""
        if self.words is None or self.numbers is None or self.boolean or self.whole_words is not None:
            return False
        pairs = set(zip(self.words.tolist(), self.numbers.tolist(), strict=True))
        return any(value == value and word != plain(value) for word, value in pairs)

    @property
    def odd(self) -> int | None:
        """The first row whose cell is odd; None if no cell is."""
        return int(self.odd_N.argmax()) if self.odd_N is not None and self.odd_N.any() else None

    @property
    def distinct(self) -> int:
        """The number of distinct values."""
        if self.words is not None:
            return len(set(self.words))
        assert self.values is not None
        return len(np.unique(self.values))

    @property
    def constant(self) -> bool:
        """Whether all cells are equal or all are missing; faster to compute than ``distinct``."""
        if self.words is not None:
            return bool((self.words == self.words[0]).all())
        values = self.values
        assert values is not None
        return bool((values == values[0]).all() or np.isnan(values).all())

    def without(self, stated: Sequence[str]) -> "Column":
        """The column without the numbers and dates of these words, whose cells are missing. A number or an
        ISO date stands for its value, however it is written."""
        values = self.values
        if values is None or self.boolean or values.dtype == np.uint8:
            return self
        known = map(number if self.seconds is None else _second, stated)
        hit_N = np.isin(values, [value for value in known if value is not None])
        if self.seconds is not None and self.words is not None:
            hit_N |= np.isin(self.words, list(stated)) & ~np.isnan(values)
        if not hit_N.any():
            return self
        words = None if self.words is None else np.where(hit_N, "", self.words)
        name = "numbers" if self.seconds is None else "seconds"
        return replace(self, words=words, **{name: np.where(hit_N, np.nan, values)})  # type: ignore[arg-type]

    def take(self, row_K: NDArray[np.int64]) -> "Column":
        """The column with the given rows only, in this order."""
        cells = {name: getattr(self, name) for name in ("numbers", "words", "seconds", "odd_N")}
        return replace(self, **{name: v[row_K] for name, v in cells.items() if v is not None})

    def cell(self, row: int) -> str:
        """The cell as written in the source."""
        if self.words is not None:
            return str(self.words[row])
        if self.numbers is None:
            assert self.seconds is not None
            text = day_text(float(self.seconds[row]))
            return text.partition(" ")[2] if self.clock else text
        return "" if np.isnan(self.numbers[row]) else plain(float(self.numbers[row]))


@dataclass(frozen=True, eq=False)
class Table:
    """Columns of equal length, and their source.

    place: where each row is, in words. target, row_weights: the columns that the source itself names as such;
    None if the user must name them. matrix: all columns except the target as one matrix, if the source has
    one (images).
    named: whether the source names the columns; False for a bare array.
    official_test: the number of rows at the end that are the source's official test set. files: the files of
    the table, if there are several. reading: the detected decimal sign, order of day and month, and words for
    a missing value, for further files of this format. left_out: the numbers of the source's rows without any
    cell, which aren't among the rows. stored: whether the cells are in a file; a column is
    read when it is used. keep_constant: keep constant columns, for sources of a known shape, such as 64
    pixels.
    """

    name: str
    source: str
    sha256: str | None
    columns: tuple[Column, ...]
    place: RowPlace
    target: str | None = None
    row_weights: str | None = None
    matrix: Numbers | None = None
    named: bool = True
    item_shape: tuple[int, ...] = ()
    official_test: int = 0
    keep_constant: bool = False
    notes: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    reading: "ReaderOptions | None" = None
    stored: bool = False
    left_out: tuple[int, ...] = ()

    @property
    def rows(self) -> int:
        return len(self.columns[0])

    @cached_property
    def names(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.columns)

    @cached_property
    def by_name(self) -> dict[str, Column]:
        return {column.name: column for column in self.columns}

    def column(self, name: str) -> Column:
        return self.by_name[name]


def among_all(row_K: NDArray[np.int64], left_out: Sequence[int]) -> NDArray[np.int64]:
    """Numbers of rows in a source, from their numbers among the rows that weren't left out.

    left_out: the numbers, in the source, of those that were; in order.
    """
    if not len(left_out):
        return row_K
    before_L = np.array(left_out) - np.arange(len(left_out))  # rows before each that were not left out
    return row_K + np.searchsorted(before_L, row_K, side="right")


def row_place(row: int) -> str:
    """The place of a row that has neither a line nor a file, in words."""
    return _("row {n}").format(n=row)


def day_text(second: float) -> str:
    """A date and time as text, by its seconds since 1970; beyond the calendar the seconds; "" for NaN."""
    if math.isnan(second):
        return ""
    if FIRST_SECOND <= second <= LAST_SECOND:
        return str(np.datetime64(min(round(second), LAST_SECOND - 1), "s")).replace("T", " ")
    return f"1970 {'+' if second > 0 else '-'} {abs(second):.0f} s"


def _second(word: str) -> float | None:
    """The seconds since 1970 of a date such as 1900-01-01 or 1900-01-01 06:30:00; None for other words."""
    if not _ISO.fullmatch(word):
        return None
    try:
        return float(np.datetime64(word.replace(" ", "T"), "s").astype(np.int64))
    except ValueError:
        return None


def check_named(names: Sequence[str], what: str) -> None:
    """Refuse column names that are empty."""
    nameless = next((i for i, name in enumerate(names) if not name.strip()), None)
    if nameless is not None:
        hint = _("Give every column a name in the first line.")
        if nameless == 0:
            hint = _("If it holds saved row numbers, write the file with index=False; else give it a name.")
        message = _("Column {n} of {what} has no name.").format(n=nameless + 1, what=what)
        raise TreinoError("column_name_empty", message, hint)


def check_names(names: Sequence[str], what: str) -> None:
    """Refuse column names that are empty or not unique."""
    check_named(names, what)
    seen: dict[str, int] = {}
    for i, name in enumerate(names):
        if seen.setdefault(name, i) != i:
            raise COLUMN_NAME_DUPLICATE(what=what, name=name, a=seen[name] + 1, b=i + 1)


def distinct_names(names: Sequence[str], notes: list[str]) -> list[str]:
    """The column names; repeated names are numbered as in pandas (a, a.1, a.2), with a note."""
    own, counts = dict[str, str](), dict[str, int]()
    for name in names:
        one = name
        while one in own:
            counts[name] = counts.get(name, 0) + 1
            one = f"{name}.{counts[name]}"
        own[one] = name
    if again := [one for one, name in own.items() if one != name]:
        words = shortened(", ".join(again), 100)
        notes.append(_("columns of one name told apart ({names})").format(names=words))
    return list(own)


def unknown_column(table: Table, name: str, use: str, others: Sequence[str] = ()) -> TreinoError:
    """Return the error for a column that a setting names and the table lacks. use: the error's rule is
    ``{use}_unknown``. others: columns that the hint must not suggest."""
    hint = nearest(str(name), [each for each in table.names if each not in others])
    return COLUMN_UNKNOWN.named(f"{use}_unknown")(name=name, source=table.source, hint=hint)


def check_no_target(name: str, targets: Sequence[str], use: str) -> None:
    """Refuse a target column for another use. use: the first part of the rule's name."""
    if name in targets:
        raise COLUMN_IS_TARGET.named(f"{use}_target")(name=name)


def check_present(table: Table, names: Sequence[str]) -> None:
    """Refuse a table that lacks some of these columns; the error suggests a name for the first."""
    absent = [name for name in names if name not in table.by_name]
    if absent:
        raise COLUMNS_MISSING(
            source=table.source,
            n=len(absent),
            of=len(names),
            names=shortened(", ".join(absent), 200),
            name=absent[0],
            hint=nearest(absent[0], table.names),
        )


@dataclass(frozen=True)
class DataWarning:
    """Something in the data that training would refuse or that the user should know.

    row: the row's place in words.
    """

    rule: str
    message: str
    hint: str
    column: str | None = None
    row: str | None = None

    @classmethod
    def of(cls, error: TreinoError, column: str | None) -> "DataWarning":
        """The warning about an error that training would raise."""
        return cls(error.rule, error.message, error.hint, column)

    @property
    def note(self) -> str:
        return joined([self.message, self.hint], " ")

    def to_json(self) -> dict[str, str]:
        return {name: value for name, value in vars(self).items() if value is not None}


@dataclass(frozen=True)
class CellFault:
    """Why a cell doesn't fit its column. move: what to do about it, without the full stop."""

    rule: str
    message: str
    move: str

    def refusal(self, use: str = "feature", message: str = "", hint: str = "") -> TreinoError:
        """The error. use: the first part of its rule. message, hint: texts around ``{message}`` and
        ``{what}``."""
        return TreinoError(
            self.rule.replace("feature", use),
            message.format(message=self.message) if message else self.message,
            hint.format(what=self.move) if hint else self.move + ".",
        )


def fault(
    column: Column, place: RowPlace, *, required: bool = True, truth: bool | None = None
) -> CellFault | None:
    """The first cell that isn't a finite plain number; None without one. Missing cells are faults only if
    required.

    truth: whether truth values are wanted, so that no number but 0 and 1 will do; False: numbers, and no
    truth values; None: either.
    """
    if truth is not None and truth != column.boolean:
        numbers, odd_N = column.numbers, column.odd_N
        if numbers is not None:
            odd_N = ~(np.isnan(numbers) | (np.isin(numbers, (0, 1)) & truth))
        column = replace(column, boolean=truth, odd_N=odd_N)
    if column.odd is not None:
        return fault_odd(column, place)
    numbers = column.numbers
    if numbers is not None:
        bad_N = ~np.isfinite(numbers) if required else np.isinf(numbers)
    else:
        cells = [column.cell(row) for row in range(len(column))]
        numbers = np.array([number(cell) for cell in cells], dtype=np.float64)
        bad_N = ~np.isfinite(numbers) & [required or not missing(cell) for cell in cells]
    if not bad_N.any():
        return None
    row = int(bad_N.argmax())
    cell = column.cell(row)
    facts = {"name": column.name, "place": place(row), "cell": shortened(cell)}
    if np.isinf(numbers[row]):
        text = _("Column '{name}' holds '{cell}' in {place}, which is not a finite number.")
        return CellFault("feature_infinite", text.format(**facts), _("Correct it or remove the row"))
    if column.numbers is None and not missing(cell):
        return fault_cell(column, row, place)
    text = _("Column '{name}' has no value in {place} ('{cell}').")
    if not cell.strip():
        text = _("Column '{name}' has no value in {place}: the cell is empty.")
    return CellFault("feature_empty", text.format(**facts), _("Fill it or remove the row"))


def fault_odd(column: Column, place: RowPlace) -> CellFault:
    """The fault of the odd cells of a column."""
    assert column.odd is not None
    assert column.odd_N is not None
    first = fault_cell(column, column.odd, place)
    if (n := int(column.odd_N.sum())) == 1:
        return first
    return replace(first, message=first.message + " " + _("There are {n} such cells.").format(n=n))


def fault_cell(column: Column, row: int, place: RowPlace) -> CellFault:
    """The fault of a cell that isn't what the column's other cells are."""
    cell = column.cell(row)
    form, facts = form_of(cell), {"name": column.name, "place": place(row), "cell": shortened(cell)}
    gap = _correction(column, cell)
    if column.seconds is not None and _BEYOND.fullmatch(cell):
        rule, move = "feature_date", _("Correct it or remove the row")
        text = _("Column '{name}' holds the date '{cell}' in {place}; dates are of the years 1 to 9999.")
    elif column.seconds is not None and duration(cell):
        rule, move = "feature_date", _(DURATIONS_AS_NUMBERS)
        text = _("Column '{name}' holds '{cell}' in {place}, a duration and no time of day as in other rows.")
    elif column.seconds is not None and year_range(cell):
        rule, move = "feature_date", _("Correct it, or take all as classes: [[kinds={item}=category]]")
        move = move.format(item=as_item(column.name))
        text = _("Column '{name}' holds '{cell}' in {place}, which is no date or time as in the other rows.")
    elif column.seconds is not None and column.odd is not None:
        rule, move = "feature_date", gap
        text = _("Column '{name}' holds '{cell}' in {place}, which is no date or time as in the other rows.")
        zoned = _zoned(column)
        if isinstance(form, DateForm) and form.time[0] and zoned not in (None, form.time[2]):
            move = _("Write the time zone of all times, or of none")
            text = _("Column '{name}' holds '{cell}' in {place}, without a time zone; other rows have one.")
            if not zoned:
                text = _("Column '{name}' holds '{cell}' in {place}, with a time zone; other rows have none.")
    elif column.boolean:
        rule, move = "feature_truth", gap
        text = _("Column '{name}' holds '{cell}' in {place}, which is not yes or no.")
    elif isinstance(form, DateForm):
        rule, move = "feature_date", _("Turn it into numbers (days since, month, hour)")
        text = _("Column '{name}' holds a date in {place}: '{cell}'.")
    elif isinstance(form, NumberForm):
        rule, move = "feature_number", _("Write the numbers alike")
        text = _("Column '{name}' holds '{cell}' in {place}, a number that is written unlike the others.")
    else:
        rule, move = "feature_text", gap
        text = _("Column '{name}' holds '{cell}' in {place}, which is not a number.")
    return CellFault(rule, text.format(**facts), move)


def _zoned(column: Column) -> bool | None:
    """Whether the times of a column have a time zone; None if none of its cells has a time of day."""
    assert column.words is not None
    rows = np.flatnonzero(~np.isnan(column.seconds))[:100].tolist()  # type: ignore[arg-type]
    forms = (form_of(str(column.words[row])) for row in rows)
    return next((form.time[2] for form in forms if isinstance(form, DateForm) and form.time[0]), None)


def _correction(column: Column, cell: str) -> str:
    """What to do about all cells that aren't what the others are. cell: the first of them."""
    cells = [cell]
    if column.odd_N is not None and column.words is not None:
        cells = list(dict.fromkeys(column.words[column.odd_N].tolist()))
    item, words = as_item(column.name), setting("missing", as_items(cells[:_FEW]))
    if column.numbers is not None and not column.boolean and any(re.search(r"\d", each) for each in cells):
        present = column.numbers[~np.isnan(column.numbers)]
        if (present == np.floor(present)).all():
            text = _("If they are codes, take the column as classes: {setting}; else correct it")
            return text.format(setting=setting("kinds", f"{item}=category"))
    if len(cells) == 1:
        return _("Correct it, or let it stand for no value: {setting}").format(setting=words)
    if len(cells) <= _FEW:
        return _("Correct them, or let them stand for no value: {setting}").format(setting=words)
    text = _("Correct them, or take the column as classes: {setting}")
    return text.format(setting=setting("kinds", f"{item}=category"))
