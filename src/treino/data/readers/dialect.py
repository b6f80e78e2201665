"""Dialect of a text file: delimiter, quote and header, detected from its first lines.

Every candidate dialect splits the same lines; the detector chooses it if it alone gives records of equal
length whose cells have plausible types. Judging a dialect by row pattern and cell types together is the idea
of van den Burg, Nazábal and Sutton, "Wrangling messy CSV files by detecting row and type patterns" (2019).
They take the best score; this detector refuses two good candidates as ambiguous, and the reader checks all
later lines.
"""

import csv
import io
import math
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

from treino.data.readers.cell_patterns import affix_of, value_like
from treino.data.readers.file_bytes import DecodedText
from treino.data.readers.reader_options import ReaderOptions
from treino.data.table import check_names, date_like, missing, number, shorten, time_like
from treino.errors import TreinoError
from treino.words import N_, _

# ---- lines with cells aligned by blanks

LEAST_LINES = 3


class AlignedLines:
    """Iterates over lines and yields the cells of each. A line that isn't aligned with the cuts is one cell.

    cut_D: the position at which each column begins. line_num: the number of lines read so far.
    """

    def __init__(self, lines: Iterable[str], cut_D: Sequence[int]) -> None:
        self._lines, self._cut_D = iter(lines), cut_D
        self.line_num = 0

    def __iter__(self) -> Iterator[list[str]]:
        return self

    def __next__(self) -> list[str]:
        line = next(self._lines).rstrip()
        self.line_num += 1
        if not line:
            return []
        if any(line[cut - 1 : cut].strip() for cut in self._cut_D[1:]):
            return [line]
        ends = [*self._cut_D[1:], len(line)]
        return [line[start:end].strip() for start, end in zip(self._cut_D, ends, strict=True)]


def cuts_of(lines: Sequence[str]) -> tuple[int, ...]:
    """The position at which each column begins, after a blank in all lines; () if there is one column.

    A column is as wide as its widest cell, so only its border has a blank in every line. Two columns with a
    single blank between them count as one (a name or a time of two words) if one of them has no cells, or if
    one has no name in the first line and both have cells in the same lines.
    """
    lines = [line.rstrip() for line in lines if line.strip()]
    if len(lines) < LEAST_LINES or any("\t" in line for line in lines):
        return ()
    width = max(map(len, lines))
    blank = [all(not line[at : at + 1].strip() for line in lines) for at in range(width)]
    begins = [at for at in range(width) if not blank[at] and (at == 0 or blank[at - 1])]
    cuts = [0]
    for last, start, after in zip(begins, begins[1:], [*begins[2:], width], strict=False):
        if not blank[start - 2] and _one_column(
            lines, slice(max(last, cuts[-1]), start), slice(start, after)
        ):
            continue
        cuts.append(start)
    return tuple(cuts) if len(cuts) > 1 else ()


def _one_column(lines: Sequence[str], left: slice, right: slice) -> bool:
    """Whether the texts on both sides of a blank belong to one column."""
    name, *there = [(bool(line[left].strip()), bool(line[right].strip())) for line in lines]
    without_cells = not all(map(any, zip(*there, strict=True)))
    return without_cells or (not all(name) and all(a == b for a, b in there))


# ---- dialect of a text file

SAMPLE = 1 << 18  # bytes that the detection uses
_LOOK = 200  # rows whose cells the detection uses
_MANY = 20  # lines; prose hardly ever has this many consecutive lines with equally many words
_USUAL, _UNUSUAL = ",;\t|", "^~:\x1f\x01 "
_SPOKEN = {"\t": N_("tab"), " ": N_("space")}
_SEPARATOR_LINE = re.compile(r'"?sep=(.)"?\r?\n', re.IGNORECASE)  # Excel reads and writes it as first line
_SINGLE = re.compile(r"(?:(?<=[,;\t|\r\n])|^)'[^'\r\n]*(?:''[^'\r\n]*)*'(?=[,;\t|\r\n]|$)")


@dataclass(frozen=True)
class Dialect:
    """A dialect. delimiter: " " means any number of blanks and tabs. quote: a character, or "" for none.

    header: whether the first record names the columns. names: the column names; x1, x2, … without a header.
    skip: the number of lines before the first record. gap: whether blanks after a delimiter don't belong to
    the cell, so that a quote may follow them. cuts: the position at which each column begins, if blanks align
    the cells.
    """

    delimiter: str
    quote: str = '"'
    header: bool = True
    names: tuple[str, ...] = ()
    skip: int = 0
    gap: bool = False
    cuts: tuple[int, ...] = ()

    def options(self) -> dict[str, Any]:
        """Arguments for the csv module."""
        quoting = {"quotechar": self.quote} if self.quote else {"quoting": csv.QUOTE_NONE}
        return {"delimiter": self.delimiter, "skipinitialspace": self.gap or self.delimiter == " ", **quoting}

    def records(self, lines: Iterable[str]) -> Any:
        """An iterator that yields the cells of each record, as ``csv.reader`` does."""
        if self.cuts:
            return AlignedLines(lines, self.cuts)
        if self.delimiter == " ":
            lines = (line.replace("\t", " ").rstrip(" \r\n") + "\n" for line in lines)
        return csv.reader(lines, strict=True, **self.options())

    @property
    def spoken(self) -> str:
        known = _SPOKEN.get(self.delimiter)
        return _(known) if known else repr(self.delimiter)


@dataclass(frozen=True)
class Sample:
    """The first records of a file, split by a dialect."""

    dialect: Dialect
    rows: list[list[str]]

    @property
    def even(self) -> bool:
        return len({len(row) for row in self.rows}) == 1 and len(self.rows[0]) > 1


def sniff(text: DecodedText, reading: ReaderOptions, least_columns: int) -> tuple[Dialect, list[list[str]]]:
    """Return the detected dialect and the first rows of values. Raises TreinoError for an ambiguous file."""
    head, whole = text.head(SAMPLE)
    skip = 0
    while match := re.match(r"\r?\n|\r", head):
        head, skip = head[match.end() :], skip + 1
    delimiter = reading.delimiter
    if (match := _SEPARATOR_LINE.match(head)) and delimiter is None:
        head, skip, delimiter = head[match.end() :], skip + 1, match[1]
    if not whole:
        head = head[: max(head.rfind("\n"), head.rfind("\r")) + 1] or head
    sample = _cut(text, head, whole, delimiter, reading.quote, skip, least_columns)
    header = reading.header if reading.header is not None else _has_header(text, sample)
    first = [name.strip() for name in sample.rows[0]]
    if header:
        check_names(first, f"'{text.file.path}'")
    names = tuple(first) if header else tuple(f"x{j + 1}" for j in range(len(first)))
    rows = [row for row in sample.rows[header:] if len(row) == len(names)]
    return replace(sample.dialect, header=header, names=names), rows


def _cut(
    text: DecodedText, head: str, whole: bool, delimiter: str | None, quote: str | None, skip: int, least: int
) -> Sample:
    """The first records, split by the given delimiter or, if it is None, by the only plausible one."""
    line = re.split(r"[\r\n]", head, maxsplit=1)[0]
    if quote is None:
        quote = "'" if '"' not in head and _single_quotes(head) else '"'
    plain = Dialect(delimiter or ",", quote, skip=skip)
    if delimiter is not None:
        sample = Sample(plain, _rows(head, plain, whole) or [[line]])
        return sample if delimiter != " " or sample.even else (_aligned(head, plain) or sample)
    samples: list[Sample] = []
    for group in (_USUAL, _UNUSUAL):
        for one in group:
            if one in line:
                samples += _samples(head, replace(plain, delimiter=one), whole)
        if group == _UNUSUAL:
            samples = [s for s in samples if s.dialect.delimiter not in ": " or _numeric(s)]
            aligned = None if any(s.even for s in samples) else _aligned(head, plain)
            samples += [aligned] if aligned and _numeric(aligned) else []
        even = [sample for sample in samples if sample.even]
        if even:
            return _choose(text, head, even)
    usual = [sample for sample in samples if sample.dialect.delimiter in _USUAL and len(sample.rows) > 0]
    usual += [Sample(replace(plain, delimiter=one), [line.split(one)]) for one in _USUAL if one in line]
    if usual:
        return max(usual, key=lambda sample: line.count(sample.dialect.delimiter))
    if least > 1:
        raise TreinoError(
            "csv_one_column",
            _("'{path}' has one column, '{name}': nothing to learn from.").format(
                path=text.file.path, name=shorten(line.strip())
            ),
            _("It needs a target and at least one feature; name an unusual delimiter: [[delimiter=X]]."),
        )
    return Sample(plain, _rows(head, plain, whole) or [[line]])


def _samples(head: str, dialect: Dialect, whole: bool) -> list[Sample]:
    """The records split by a delimiter, ignoring blanks before quotes if necessary; [] if none fit."""
    rows = _rows(head, dialect, whole)
    if rows and (len({len(row) for row in rows}) == 1 and not _stray(head, rows, dialect)):
        return [Sample(dialect, rows)]
    gap = replace(dialect, gap=True)
    if dialect.quote and dialect.delimiter + " " + dialect.quote in head:
        eased = _rows(head, gap, whole)
        if eased and len({len(row) for row in eased}) == 1:
            return [Sample(gap, eased)]
    return [Sample(dialect, rows)] if rows else []


def _aligned(head: str, plain: Dialect) -> Sample | None:
    """The records of lines whose cells are aligned by blanks; None if they aren't."""
    cuts = cuts_of(re.split(r"\r\n|\r|\n", head))
    dialect = replace(plain, delimiter=" ", quote="", cuts=cuts)
    return Sample(dialect, _rows(head, dialect, True)) if cuts else None


def _rows(head: str, dialect: Dialect, whole: bool) -> list[list[str]]:
    """The records that aren't empty; [] if the quotes don't fit this dialect."""
    rows: list[list[str]] = []
    try:
        rows.extend(row for row in dialect.records(io.StringIO(head, newline="")) if row)
    except csv.Error as error:
        if whole or "unexpected end" not in str(error):
            return []
    return rows


def _stray(head: str, rows: list[list[str]], dialect: Dialect) -> bool:
    """Whether a quote is misplaced inside a cell, which indicates a wrong delimiter."""
    quoted = bool(dialect.quote) and dialect.quote in head
    cells = [cell for row in rows for cell in row] if quoted else []
    return any(
        cell.strip().startswith(dialect.quote) or (cell.count(dialect.quote) % 2 and len(cell) > 1)
        for cell in cells
    )


def _single_quotes(head: str) -> bool:
    """Whether single quotes enclose whole cells of a line and occur nowhere else."""
    rest = _SINGLE.sub("", head)
    return rest != head and "'" not in rest


def _numeric(sample: Sample) -> bool:
    """Whether at least half of the columns hold values. Otherwise the text may be prose, which has blanks and
    colons too. In many lines with equally many words, one column is enough."""
    columns = list(zip(*sample.rows[1:_LOOK], strict=False))
    typed = sum(all(value_like(cell) for cell in cells) for cells in columns)
    few = len(sample.rows) < _MANY or not sample.even or sample.dialect.delimiter == ":"
    return (2 * typed >= len(columns) > 0) if few else typed > 0


def _choose(text: DecodedText, head: str, even: list[Sample]) -> Sample:
    """The only candidate with plausible cells: other delimiters occur only in values or quoted cells."""
    if len(even) == 1:
        return even[0]
    tidy = [s for s in even if not _stray(head, s.rows, s.dialect)] or even
    others = {sample.dialect.delimiter for sample in even}
    clean = [
        sample
        for sample in tidy
        if all(
            value_like(cell)
            for row in sample.rows[1:_LOOK] or sample.rows
            for cell in row
            if any(other in cell for other in others - {sample.dialect.delimiter})
        )
    ]
    if len(clean) == 1:
        return clean[0]
    raise TreinoError(
        "csv_delimiter",
        _("'{path}' may be separated by {delimiters}: all lines agree with both.").format(
            path=text.file.path, delimiters=_(" or ").join(sample.dialect.spoken for sample in even)
        ),
        _("Say which: [[delimiter={delimiter}]]; or put the cells that hold one of them in quotes.").format(
            delimiter=_SPOKEN.get(even[0].dialect.delimiter, even[0].dialect.delimiter)
        ),
    )


def _has_header(text: DecodedText, sample: Sample) -> bool:
    """Whether the first record names the columns.

    Refuses an ambiguous case. A word or a date above numbers is a name. A number with decimals above numbers,
    or a date above dates, is a value; so is a whole number if all words of the line occur again further down.
    Whole numbers that count up (years, column numbers) prove nothing, but three or more of them are names if
    the words in the line occur only once. ``inf`` proves nothing: it is a number and a name for inflation.
    """
    first = [cell.strip() for cell in sample.rows[0]]
    below = [[cell.strip() for cell in column] for column in zip(*sample.rows[1:_LOOK], strict=False)]
    below += [[] for _column in first[len(below) :]]
    kinds = [_kind(column) for column in below]
    again = [cell in column for cell, column in zip(first, below, strict=False)]
    own = [_kind([cell]) for cell in first]
    numbers = [number(cell) for cell in first if number(cell) is not None]
    counting = all(b == (a or 0) + 1 for a, b in pairwise(numbers))
    telling = [
        (cell, k, kind)
        for cell, k, kind in zip(first, own, kinds, strict=False)
        if kind and math.isfinite(number(cell) or 0.0)
    ]
    names = any(cell and kind != k for cell, k, kind in telling)
    over = [cell for cell, k, kind in telling if k == kind]
    decided = any(not re.fullmatch(r"[+-]?\d+", cell) for cell in over)
    words_again = all(again[j] or own[j] or not first[j] for j in range(len(first)))
    words_once = any(not k for k in own) and not any(a and not k for a, k in zip(again, own, strict=True))
    years = counting and len(numbers) > 2 and words_once and "" not in first
    if (names or years) and not decided:
        return True
    if not names and over and (decided or (words_again and not counting)):
        return False
    if not any(own) and 2 * sum(again) < len(first):
        return True
    if not any(own) and len(set(first)) < len(first) and "" not in first:
        return False
    raise TreinoError(
        "csv_header",
        _("The first line of '{path}' may hold names or values: {line}.").format(
            path=text.file.path, line=shorten(sample.dialect.delimiter.join(first))
        ),
        _("Say which: [[header=yes]] or [[header=no]]; or write a first line that names each column."),
    )


def _kind(cells: list[str]) -> str:
    """``number``, ``date`` or ``time`` if all cells that aren't missing have that type, else ""."""
    present = [cell for cell in cells if not missing(cell)]
    for kind, test in (("number", affix_of), ("date", date_like), ("time", time_like)):
        if present and all(map(test, present)):
            return kind
    return ""
