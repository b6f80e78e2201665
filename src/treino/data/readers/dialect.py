"""Detect the delimiter, quote and header of a text file from its first lines.

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
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any

from treino.base.errors import Refusal, TreinoError
from treino.base.text import composed, shortened
from treino.base.words import N_, _
from treino.data.cell_forms import kind_of, missing, value_like
from treino.data.readers.file_bytes import DecodedText
from treino.data.readers.reader_options import ReaderOptions
from treino.data.table import check_named, distinct_names, number

CSV_DELIMITER = Refusal(
    "'{path}' may be separated by {delimiters}: all lines agree with both.",
    "Say which: [[delimiter={delimiter}]]; or put the cells that hold one of them in quotes.",
)
CSV_HEADER = Refusal(
    "The first line of '{path}' may hold names or values: {line}.",
    "Say which: [[header=yes]] or [[header=no]]; or write a first line that names each column.",
)
CSV_NO_ROWS = Refusal(
    "'{path}' has no table below its first {n} lines.",
    "Say how many lines stand above its header: [[skip=1]].",
)
CSV_ONE_COLUMN = Refusal(
    "'{path}' has one column, '{name}': nothing to learn from.",
    (
        "It needs a target and at least one feature; name an unusual delimiter: [[delimiter=X]]; "
        "if lines stand above the table, say how many: [[skip=1]]."
    ),
)

# ---- dialect of a text file

SAMPLE = 1 << 18  # bytes that the detection uses
LOOK = 200  # rows whose cells the detection uses
_MANY = 20  # lines; prose hardly ever has this many consecutive lines with equally many words
_USUAL, _MARKS = ",;\t|", "^~\x1f\x01"
_UNUSUAL = _MARKS + ": "  # in prose, too
_SPOKEN = {"\t": N_("tab"), " ": N_("space")}
_SEPARATOR_LINE = re.compile(r'"?sep=(.)"?\r?\n', re.IGNORECASE)  # Excel reads and writes it as first line
_LINE_END = re.compile(r"\r?\n|\r")
_LINE = re.compile(r"[^\r\n]*(?:\r?\n|\r)")
_COMMENT = re.compile(r"\s*(?:#|//|%|!|;)\s*\S")
_UNIT = re.compile(r"[(\[].*[)\]]|%|°\w?")
_NOTE_MARK = re.compile(r"\s*(?:#|//|%|!|\*|\(|©|[-=_]{3}|[^\W\d]+\s*:)")
_NOTE = re.compile(_NOTE_MARK.pattern + r"|.*\w\s+\w+\s+\w")  # a comment or a sentence
_RULE = re.compile(r"[-=_+ ]{2,}")
_LABELS = 8  # lines of units, questions or types below a header, at most
_LONG = 20  # digits of a row number, at most
_SENTENCE = 3  # prose has this many commas in every line by chance


@dataclass(frozen=True)
class Dialect:
    """A dialect. delimiter: " " means any number of blanks and tabs. quote: a character, or "" for none.

    names: the names of the columns; x1, x2, … without a header. at: the place of each column in a record.
    width: the number of cells in a record. empty: the places of columns without a name and without cells.
    head: the number of records that precede the rows: the header, and lines of units or labels below it.
    heading: the header's cells, as many as a row has; () without a header.
    skip: the number of lines before the first record. remarks: notes on what is left out.
    """

    delimiter: str
    quote: str = '"'
    names: tuple[str, ...] = ()
    at: tuple[int, ...] = ()
    width: int = 0
    empty: tuple[int, ...] = ()
    head: int = 1
    heading: tuple[str, ...] = ()
    skip: int = 0
    remarks: tuple[str, ...] = ()

    def options(self) -> dict[str, Any]:
        """Arguments for the csv module."""
        quoting = {"quotechar": self.quote} if self.quote else {"quoting": csv.QUOTE_NONE}
        return {"delimiter": self.delimiter, "skipinitialspace": self.delimiter == " ", **quoting}

    def records(self, lines: Iterable[str]) -> Any:
        """An iterator that yields the cells of each record, as ``csv.reader`` does."""
        if self.delimiter == " ":
            lines = (line.replace("\t", " ").rstrip(" \r\n") + "\n" for line in lines)
        return csv.reader(self.without_blanks(lines), strict=True, **self.options())

    def without_blanks(self, lines: Iterable[str]) -> Iterator[str]:
        """Yield the lines without the blanks between the quotes of a cell and the delimiters around it."""
        blanks = " " if self.delimiter == "\t" else " \t"
        inside = 0  # whether the line begins within quotes
        for line in lines:
            parts = line.split(self.quote) if self.quote and self.delimiter != " " else [line]
            for n in range(inside, len(parts), 2) if len(parts) > 1 else ():
                after, before = parts[n].lstrip(blanks), parts[n].rstrip(blanks)
                if n and (not after.strip("\r\n") or after[0] == self.delimiter):
                    parts[n] = after
                if n + 1 < len(parts) and (before[-1:] == self.delimiter or not (n or before)):
                    parts[n] = parts[n].rstrip(blanks)
            inside ^= (len(parts) - 1) % 2
            yield self.quote.join(parts) if len(parts) > 1 else line

    @property
    def spoken(self) -> str:
        known = _SPOKEN.get(self.delimiter)
        return _(known) if known else repr(self.delimiter)


@dataclass(frozen=True)
class Sample:
    """The first records of a file, split by a dialect. lines: the line at which each begins, from 1. above:
    the records above the table."""

    dialect: Dialect
    rows: list[list[str]]
    lines: list[int]
    above: list[list[str]] = field(default_factory=list)

    @property
    def even(self) -> bool:
        """Whether all records have the same number of cells; the header may lack one."""
        few = len({len(row) for row in self.rows}) == 1 and len(self.rows[0]) > 1
        return few or (len({len(row) for row in self.rows[1:]}) == 1 and _lack(self.rows) is not None)


def sniff(text: DecodedText, reading: ReaderOptions, least_columns: int) -> tuple[Dialect, list[list[str]]]:
    """Return the detected dialect and the first rows of values. Raises TreinoError for an ambiguous file."""
    head, whole = text.head(SAMPLE)
    skip = start = 0
    while match := (_LINE if skip < (reading.skip or 0) else _LINE_END).match(head, start):
        start, skip = match.end(), skip + 1
    head = head[start:]
    delimiter = reading.delimiter
    if (match := _SEPARATOR_LINE.match(head)) and delimiter is None:
        head, skip, delimiter = head[match.end() :], skip + 1, match[1]
    if not head.strip():
        raise CSV_NO_ROWS(path=text.file.path, n=skip)
    if not whole:
        head = head[: max(head.rfind("\n"), head.rfind("\r")) + 1] or head
    sample = _cut(text, head, whole, replace(reading, delimiter=delimiter), skip, least_columns)
    rows, remarks = sample.rows, []
    if sample.above:
        remarks.append(lines_note(ABOVE, sample.above))
        skip = sample.lines[0] - 1
    lack = _lack(rows) if reading.header is not False else None
    header = reading.header if reading.header is not None else lack is not None or _has_header(text, sample)
    labels = labels_below(rows) if header else 0
    if labels:
        remarks.append(lines_note(LABELS, rows[1 : 1 + labels]))
    heading = (
        [composed(cell.strip()) for cell in rows[0]] if header else [f"x{j + 1}" for j in range(len(rows[0]))]
    )
    if lack is not None:
        heading.insert(lack, "")
    below = [row for row in rows[1 + labels if header else 0 :] if any(map(str.strip, row))]
    if below and len(heading) == len(below[0]) + 1 and heading[0] in ("#", "%", "//"):
        del heading[0]
    below = [row for row in below if len(row) == len(heading)]
    columns = list(zip(*below, strict=True)) or [()] * len(heading)
    bare = {j for j, cells in enumerate(columns) if below and not any(map(str.strip, cells))}
    last = max(set(range(len(heading))) - bare, default=-1)
    empty = {j for j in bare if not heading[j] or (not header and j > last)}
    index = header and len(heading) > 1 and not heading[0] and 0 not in bare and is_index(columns[0])
    at = [j for j in range(len(heading)) if j not in empty and (j or not index)]
    if empty:
        remarks.append(_("without the columns that have no name and no cells ({n})").format(n=len(empty)))
    if index:
        remarks.append(index_note(columns[0]))
    check_named([name if j in at else "-" for j, name in enumerate(heading)], f"'{text.file.path}'")
    names = distinct_names([heading[j] for j in at], remarks)
    above: Any = {"head": 1 + labels, "heading": tuple(heading)} if header else {"head": 0}
    columns_of: Any = {"names": tuple(names), "at": tuple(at), "empty": tuple(sorted(empty))}
    columns_of |= {"width": len(heading), "skip": skip, "remarks": tuple(remarks)}
    dialect = replace(sample.dialect, **above, **columns_of)
    return dialect, [[row[j] for j in at] for row in below]


def _cut(text: DecodedText, head: str, whole: bool, reading: ReaderOptions, skip: int, least: int) -> Sample:
    """The first records, split by the given delimiter or, if it is None, by the only plausible one."""
    line = re.split(r"[\r\n]", head, maxsplit=1)[0]
    delimiter, quote = reading.delimiter, reading.quote
    plain = Dialect(delimiter or ",", '"' if quote is None else quote, skip=skip)

    def samples_of(one: str) -> list[Sample]:
        single = quote is None and '"' not in head and _single_quotes(head, one)
        sample = _sample(head, replace(plain, delimiter=one, quote="'" if single else plain.quote), whole)
        return [sample] if sample.rows else []

    def table_of(sample: Sample) -> Sample:
        return sample if reading.skip is not None else _without_titles(text, sample, reading.header)

    if delimiter is not None:
        return next(map(table_of, samples_of(delimiter)), Sample(plain, [[line]], [1]))
    samples: list[Sample] = []
    for group in (_USUAL, _UNUSUAL):
        for one in group:
            if one in line:
                samples += samples_of(one)
        if group == _USUAL and not any(sample.even for sample in samples):  # before the first line is a title
            marked = [sample for one in _MARKS if one in line for sample in samples_of(one) if sample.even]
            if len(marked) == 1:
                return table_of(marked[0])
        if group == _UNUSUAL:
            samples = [
                s
                for s in samples
                if s.dialect.delimiter not in ": " or (s.dialect.quote == "'" and s.even) or _numeric(s)
            ]
        even = [sample for sample in samples if sample.even]
        if even:
            return table_of(_choose(text, head, even))
        cut = [sample for one in group if one in head for sample in samples_of(one)]
        tables = [table for sample in cut if (table := table_of(sample)) is not sample]
        found = [s for s in tables if s.dialect.delimiter not in ": " or _numeric(s)]
        if found:  # below lines with no delimiter, or fewer
            return _choose(text, head, found)
    usual = [sample for sample in samples if sample.dialect.delimiter in _USUAL and len(sample.rows) > 0]
    usual += [
        Sample(replace(plain, delimiter=one), [line.split(one)], [1 + skip]) for one in _USUAL if one in line
    ]
    if usual:
        return max(usual, key=lambda sample: line.count(sample.dialect.delimiter))
    if least > 1:
        raise CSV_ONE_COLUMN(path=text.file.path, name=shortened(line.strip()))
    return next(iter(samples_of(",")), Sample(plain, [[line]], [1 + skip]))


# ---- titles, comments and labels above the rows


def _without_titles(text: DecodedText, sample: Sample, header: bool | None) -> Sample:
    """The sample without the titles and comments above its table; unchanged if there are none.

    The table begins at the first record with as many cells as most, more than one of them filled. It must be
    a header, or follow comments; else the first lines may be rows with missing cells, which are refused.
    """
    rows = sample.rows
    width = Counter(map(len, rows)).most_common(1)[0][0] if rows else 0
    usual = Counter(sum(map(bool, row)) for row in rows).most_common(1)[0][0] if rows else 0

    def begins(row: list[str]) -> bool:
        filled = sum(bool(cell.strip()) for cell in row)
        return len(row) == width and (
            (filled > 1 and 2 * filled > usual) or (width == 2 and filled == 1 and not row[0].strip())
        )

    def comment(row: list[str]) -> bool:  # a header cell may be named #, too
        return _COMMENT.match("".join(row) if len(row) != width else row[0]) is not None

    start = next((i for i, row in enumerate(rows) if begins(row) and not comment(row)), 0)
    below = rows[start:]
    if width < 2 or len(below) < 2 or any(len(row) != width and any(map(str.strip, row)) for row in below):
        return sample
    aside = start == 0 and len(rows) > 2 and (_is_sentence(rows) or "" in map(str.strip, rows[0][1:]))
    if aside:  # a title that has as many cells as the header
        full = (i for i, row in enumerate(rows[1:10], 1) if all(map(str.strip, row)))
        start = next(full, 0)
    if start == 0:
        return sample
    below = rows[start:]
    padded = all(len(row) == width for row in rows)
    comments = all(map(comment, rows[:start]))
    table = replace(sample, rows=below, lines=sample.lines[start:], above=rows[:start])
    try:
        named = _has_header(text, table) if header is None else header
    except TreinoError:
        named = False
    typed = any(kind_of([row[j] for row in below[1:]]) for j in range(width))
    last = rows[start - 1 :]
    lacking = _lack(last) is not None and not (named and typed)
    if lacking or (comments and len(last[0]) in (width, width + 1) and not (named and typed)):
        return replace(sample, rows=last, lines=sample.lines[start - 1 :], above=rows[: start - 1])
    if aside:
        return table if named and typed else sample
    apart = sample.lines[start] - sample.lines[start - 1] > 1
    return table if comments or (named and (padded or typed or apart or width > _SENTENCE)) else sample


def _lack(rows: list[list[str]]) -> int | None:
    """Where the header lacks a cell: above a last column without cells, or above the row names that R writes;
    None if it lacks none."""
    below = [row for row in rows[1:] if any(map(str.strip, row))]
    if not below or len(rows[0]) < 2 or any(len(row) != len(rows[0]) + 1 for row in below):
        return None
    if not any(row[-1].strip() for row in below):
        return len(rows[0])
    return 0 if is_index([row[0] for row in below]) else None


def index_note(cells: Sequence[str]) -> str:
    """The note on a first column that is left out."""
    first = ", ".join(shortened(cell.strip(), 20) for cell in cells[:3])
    return _("without the first column, a saved index ({cells}, …)").format(cells=first)


ABOVE, LABELS, BELOW = N_("above the table"), N_("below the header"), N_("below the table")


def lines_note(where: str, rows: Iterable[Iterable[str]]) -> str:
    """The note on lines that are left out. where: ``ABOVE``, ``LABELS`` or ``BELOW``."""
    lines = (" ".join(cell.strip() for cell in row if cell.strip()) for row in rows)
    words = shortened("; ".join(filter(None, lines)), 80)
    return _("without what stands {where} ({words})").format(where=_(where), words=words)


def blank_lines_note(count: int, first: int) -> str:
    """The note on lines without anything in them, which are no rows; "" if there are none."""
    sentence = _("Blank lines, which are no rows: {n}, the first is line {line}.")
    return sentence.format(n=count, line=first) if count else ""


def is_note(text: str) -> bool:
    """Whether a cell alone in its row, below a table, is a comment or a sentence."""
    return _NOTE.match(text) is not None


def foot(lines: Sequence[bytes], dialect: Dialect, keep_empty: bool = False) -> tuple[int, list[list[str]]]:
    """Return (the number of the first line below the table, the cells from there on). lines: the last lines.

    Below an empty line, these are lines of one cell that isn't a value, or of prose with commas, and then
    also of several words; without an empty line, lines of one cell that are comments or sentences.
    keep_empty: lines with as many delimiters as the others are rows even if they are empty or have one cell,
    unless they are comments.
    """

    def cells_of(line: bytes) -> list[str]:
        try:
            text = dialect.without_blanks([line.decode("utf-8", "ignore")])
            return next(csv.reader(text, **dialect.options()), [])
        except csv.Error:
            return ["0", "0"]  # ends the search

    width = Counter(len(cells_of(line)) for line in lines[-LOOK:]).most_common(1)[0][0] if lines else 0
    mark = begin = len(lines)
    below: dict[int, list[str]] = {}
    plain = last = False  # whether the first line below the table has one cell, or is prose
    while begin and width > 1:
        cells = cells_of(lines[begin - 1])
        filled = [cell.strip() for cell in cells if cell.strip()]
        row = keep_empty and len(cells) == width
        one = len(filled) == 1 and bool(cells[0].strip()) and not value_like(cells[0])
        one = one and not (row and _NOTE_MARK.match(filled[0]) is None)
        prose = len(cells) != width and all(cell[:1] == " " for cell in cells[1:])
        more = len(cells) != width and all(number(cell) is None for cell in filled)
        if (filled or row) and not one and not prose and not more:
            break
        begin -= 1
        note = one and ((len(cells) == 1 and is_note(filled[0])) or _NOTE_MARK.match(filled[0]))
        ends = not filled or (mark == begin + 1 and note)
        if filled:
            below[begin], last = filled, one or prose
        if ends:
            mark, plain = begin, last
    rows = [below[i] for i in sorted(below) if i >= mark]
    odd = b"".join(lines[mark:]).count(dialect.quote.encode() or b"\0") % 2  # within a quoted cell
    return (mark, rows) if rows and plain and mark and not odd else (len(lines), [])


def labels_below(rows: list[list[str]]) -> int:
    """The number of records below the header that are units or labels: words in columns of numbers."""
    most = min(_LABELS, len(rows) - 3)
    below = [row for row in rows[most + 1 : LOOK] if len(row) == len(rows[0])] if most > 0 else []
    columns = [[row[j].strip() for row in below] for j in range(len(rows[0]))]
    kinds = [kind_of(column) for column in columns]
    lines = rows[1 : most + 1]
    return next((i for i, line in enumerate(lines) if not _is_label(line, columns, kinds)), max(0, most))


def _is_label(line: list[str], columns: list[list[str]], kinds: list[str]) -> bool:
    """Whether a record has words above numbers, and no word that occurs again in its column."""
    if len(line) != len(columns) or not columns[0]:
        return False
    cells = [(cell.strip(), kind, column) for cell, kind, column in zip(line, kinds, columns, strict=True)]
    typed = [cell for cell, kind, _column in cells if kind and not missing(cell)]
    again = any(cell and not kind and cell in column for cell, kind, column in cells)
    if all(_RULE.fullmatch(cell) for cell, _kind, _column in cells):
        return True
    words = typed and not again and not any(kind and kind_of([cell]) == kind for cell, kind, _column in cells)
    return bool(words) and (len(typed) > 1 or _UNIT.fullmatch(typed[0]) is not None)


def _is_sentence(rows: list[list[str]]) -> bool:
    """Whether blanks follow the commas in the first record, but not in the second."""
    return all(cell[:1] == " " for cell in rows[0][1:]) and not any(cell[:1] == " " for cell in rows[1])


def is_index(cells: Sequence[str]) -> bool:
    """Whether a column without a name is a saved index: its cells all differ or count up, even repeatedly."""
    if not all(map(str.strip, cells)):
        return False
    if len(set(cells)) == len(cells):
        return True
    if not all(cell.strip().isdecimal() and len(cell) < _LONG for cell in cells):
        return False
    whole = [int(cell) for cell in cells]
    return max(whole) > 1 and all(b == a + 1 or (b < a and b < 2) for a, b in pairwise(whole))


def _sample(head: str, dialect: Dialect, whole: bool) -> Sample:
    """The records that aren't blank; none if the quotes don't fit this dialect."""
    sample, line = Sample(dialect, [], []), 1 + dialect.skip
    if whole:
        lines = head.encode().splitlines(keepends=True)
        head = b"".join(lines[: foot(lines, dialect)[0]]).decode()
    reader = dialect.records(io.StringIO(head, newline=""))
    try:
        for row in reader:
            if row and (len(row) > 1 or row[0].strip()):
                sample.rows.append(row)
                sample.lines.append(line)
            line = 1 + dialect.skip + reader.line_num
    except csv.Error as error:
        if whole or "unexpected end" not in str(error):
            return Sample(dialect, [], [])
    return sample


def _stray(head: str, rows: list[list[str]], dialect: Dialect) -> bool:
    """Whether a quote is misplaced inside a cell, which indicates a wrong delimiter."""
    quoted = bool(dialect.quote) and dialect.quote in head
    cells = [cell for row in rows for cell in row] if quoted else []
    return any(
        cell.strip().startswith(dialect.quote) or (cell.count(dialect.quote) % 2 and len(cell) > 1)
        for cell in cells
    )


def _single_quotes(head: str, delimiter: str) -> bool:
    """Whether single quotes enclose whole cells of a line and occur nowhere else."""
    border = rf"[{re.escape(delimiter)}\r\n]"
    rest = re.sub(rf"(?:(?<={border})|^)'[^'\r\n]*(?:''[^'\r\n]*)*'[ \t]*(?={border}|$)", "", head)
    return rest != head and "'" not in rest


def _numeric(sample: Sample) -> bool:
    """Whether at least half of the columns hold values. Otherwise the text may be prose, which has blanks and
    colons too. In many lines with equally many words, one column is enough."""
    columns = list(zip(*sample.rows[1:LOOK], strict=False))
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
            for row in sample.rows[1:LOOK] or sample.rows
            for cell in row
            if any(other in cell for other in others - {sample.dialect.delimiter})
        )
    ]
    if len(clean) == 1:
        return clean[0]
    raise CSV_DELIMITER(
        path=text.file.path,
        delimiters=_(" or ").join(sample.dialect.spoken for sample in even),
        delimiter=_SPOKEN.get(even[0].dialect.delimiter, even[0].dialect.delimiter),
    )


def _without_again(first: list[str], columns: list[list[str]]) -> list[list[str]]:
    """The columns without the records that repeat the first one, as a header among the rows does."""
    if not all(first[0:1]) or first[0] not in columns[0]:
        return columns
    rows = [row for row in zip(*columns, strict=False) if list(row) != first[: len(columns)]]
    return list(map(list, zip(*rows, strict=True))) or columns


def _has_header(text: DecodedText, sample: Sample) -> bool:
    """Whether the first record names the columns.

    Refuses an ambiguous case. A word or a date above numbers is a name. A number with decimals above numbers,
    or a date above dates, is a value; so is a whole number if all words of the line occur again further down.
    Whole numbers that count up (years, column numbers) prove nothing, but three or more of them are names if
    the words in the line occur only once. ``inf`` proves nothing: it is a number and a name for inflation.
    """
    first = [cell.strip() for cell in sample.rows[0]]
    filled = (j for row in sample.rows[:LOOK] for j, cell in enumerate(row) if cell.strip())
    wide = max(filled, default=len(first)) + 1
    first = first[:wide]  # without what trailing delimiters add
    below = [[cell.strip() for cell in column] for column in zip(*sample.rows[1:LOOK], strict=False)][:wide]
    below += [[] for _column in first[len(below) :]]
    kinds = [kind_of(column) for column in _without_again(first, below)]
    again = [cell in column for cell, column in zip(first, below, strict=False)]
    own = [kind_of([cell]) for cell in first]
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
    raise CSV_HEADER(path=text.file.path, line=shortened(sample.dialect.delimiter.join(first)))
