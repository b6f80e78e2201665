"""Dialect of a text file: delimiter, quote and header, detected from its first lines.

Every candidate cuts the same lines; one is taken where it alone gives records of equal length whose cells
make sense. The idea that a dialect is judged by the rows' pattern and the cells' types together is van den
Burg, Nazábal and Sutton's, "Wrangling messy CSV files by detecting row and type patterns" (2019). Theirs
takes the best score; here two that are both good are refused, and the lines after the first ones have to
agree when they are read.
"""

import csv
import io
import math
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

from treino.data.readers.aligned_lines import AlignedLines, cuts_of
from treino.data.readers.cell_patterns import affix_of, value_like
from treino.data.readers.encoding import DecodedText
from treino.data.readers.reader_options import ReaderOptions
from treino.data.table import check_names, date_like, missing, number, shorten, time_like
from treino.errors import TreinoError
from treino.words import N_, _

SAMPLE = 1 << 18  # bytes
_LOOK = 200  # rows
_MANY = 20  # lines, of which text has not so many of equally many words
_USUAL, _UNUSUAL = ",;\t|", "^~:\x1f\x01 "
_SPOKEN = {"\t": N_("tab"), " ": N_("space")}
_SEPARATOR_LINE = re.compile(r'"?sep=(.)"?\r?\n', re.IGNORECASE)  # the first line that Excel reads and writes
_SINGLE = re.compile(r"(?:(?<=[,;\t|\r\n])|^)'[^'\r\n]*(?:''[^'\r\n]*)*'(?=[,;\t|\r\n]|$)")


@dataclass(frozen=True)
class Dialect:
    """delimiter; " " stands for any number of blanks and tabs. quote: a character, or "" for none.

    header: the first record names the columns. names: of the columns, made up where there is no header.
    skip: lines before the first record. gap: blanks after a delimiter are none of the cell, so that a quote
    may follow them. cuts: where cells are aligned by blanks, the place at which each column begins.
    """

    delimiter: str
    quote: str = '"'
    header: bool = True
    names: tuple[str, ...] = ()
    skip: int = 0
    gap: bool = False
    cuts: tuple[int, ...] = ()

    def options(self) -> dict[str, Any]:
        """For the csv module."""
        quoting = {"quotechar": self.quote} if self.quote else {"quoting": csv.QUOTE_NONE}
        return {"delimiter": self.delimiter, "skipinitialspace": self.gap or self.delimiter == " ", **quoting}

    def records(self, lines: Iterable[str]) -> Any:
        """An iterator of the cells of each record, as the csv module's reader is one."""
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
    """The first records of a file as a dialect cuts them; lengths holds how many cells they have."""

    dialect: Dialect
    rows: list[list[str]]

    @property
    def even(self) -> bool:
        return len({len(row) for row in self.rows}) == 1 and len(self.rows[0]) > 1


def sniff(text: DecodedText, reading: ReaderOptions, least_columns: int) -> tuple[Dialect, list[list[str]]]:
    """(the dialect, the first rows of values). Raises TreinoError where the file leaves it open."""
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
    """The first records by the delimiter that was said, or by the one that alone makes sense of them."""
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
    """The records by a delimiter, if need be with blanks before a quote passed over."""
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
    """The records of lines that are aligned by blanks; None where they aren't."""
    cuts = cuts_of(re.split(r"\r\n|\r|\n", head))
    dialect = replace(plain, delimiter=" ", quote="", cuts=cuts)
    return Sample(dialect, _rows(head, dialect, True)) if cuts else None


def _rows(head: str, dialect: Dialect, whole: bool) -> list[list[str]]:
    """The records that aren't empty; none where the quotes are wrong by this dialect."""
    rows: list[list[str]] = []
    try:
        rows.extend(row for row in dialect.records(io.StringIO(head, newline="")) if row)
    except csv.Error as error:
        if whole or "unexpected end" not in str(error):
            return []
    return rows


def _stray(head: str, rows: list[list[str]], dialect: Dialect) -> bool:
    """Whether a quote stands inside of a cell where it does not belong: the sign of a wrong delimiter."""
    quoted = bool(dialect.quote) and dialect.quote in head
    cells = [cell for row in rows for cell in row] if quoted else []
    return any(
        cell.strip().startswith(dialect.quote) or (cell.count(dialect.quote) % 2 and len(cell) > 1)
        for cell in cells
    )


def _single_quotes(head: str) -> bool:
    """Whether single quotes stand around whole cells of a line, and nowhere else."""
    rest = _SINGLE.sub("", head)
    return rest != head and "'" not in rest


def _numeric(sample: Sample) -> bool:
    """Whether at least half of the columns hold values, for text has blanks and colons of its own; of many
    lines with equally many words, one column."""
    columns = list(zip(*sample.rows[1:_LOOK], strict=False))
    typed = sum(all(value_like(cell) for cell in cells) for cells in columns)
    few = len(sample.rows) < _MANY or not sample.even or sample.dialect.delimiter == ":"
    return (2 * typed >= len(columns) > 0) if few else typed > 0


def _choose(text: DecodedText, head: str, even: list[Sample]) -> Sample:
    """The candidate whose cells make sense: one that holds another's delimiter is a value or was quoted."""
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
    """Whether the first record names the columns. Refuses to guess where it may be names or values.

    A word over numbers, or a date over numbers, is a name. A number with decimals over numbers, or a date
    over dates, is a value, and so is a whole number where all words of the line come again further down.
    Whole numbers that count up (years, a table's own column numbers) tell nothing, but that three and more
    of them beside words that never come again are names. ``inf`` tells nothing: it is a number's writing,
    and economists' name for inflation.
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
    """``number``, ``date`` or ``time`` where all cells that aren't missing are such, else ""."""
    present = [cell for cell in cells if not missing(cell)]
    for kind, test in (("number", affix_of), ("date", date_like), ("time", time_like)):
        if present and all(map(test, present)):
            return kind
    return ""
