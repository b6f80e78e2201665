"""Read delimited text with pyarrow, once encoding, dialect and types are known.

Before that, the whole file is checked: its encoding, and that every quote is where the dialect allows it,
which pyarrow doesn't check. If pyarrow still fails, the file is read again record by record, to name the
line.
"""

import csv
import itertools
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow import compute
from pyarrow import csv as arrow_csv

from treino.base.errors import Refusal, TreinoError
from treino.base.words import _
from treino.data.cell_forms import MISSING
from treino.data.readers import csv_records
from treino.data.readers.cell_types import CellStatistics
from treino.data.readers.dialect import BELOW, Dialect, blank_lines_note, lines_note, sniff
from treino.data.readers.file_bytes import DecodedText, InputFile, decide
from treino.data.readers.reader_options import ReaderOptions

CSV_UNREADABLE = Refusal(
    "'{path}' can't be cut into cells: {reason}.",
    "Name the delimiter: [[delimiter=;]]; or write the file again.",
)
COLUMN_NAME_EMPTY = Refusal(
    "Column {n} of '{path}' has no name, and a cell in line {line}.",
    "Give every column a name in the first line.",
)

_BLOCK, _WIDE_BLOCK, _LARGEST = 1 << 20, 1 << 24, 1 << 28  # bytes of a block; a record must fit in a block
_READ = 1 << 24  # bytes of whole records that are read at a time
_EMPTY = sorted({case for word in MISSING for case in (word, word.upper(), word.title())} | {"NaN", "NaT"})
_DIGITS = 15
_WIDE = 1000  # columns; sampling first rows of a wider table takes longer than it saves

Types = Mapping[int, pa.DataType]


class UnconvertedError(Exception):
    """A column that pyarrow reads as numbers has a cell that isn't a finite, exact number."""

    def __init__(self, column: str) -> None:
        super().__init__(column)
        self.column = column


@dataclass(frozen=True)
class DelimitedFile:
    """A file of delimited text.

    rows: the first rows. tidy: whether pyarrow can parse it unchanged, with this dialect and its quotes.
    """

    text: DecodedText
    dialect: Dialect
    rows: list[list[str]]
    tidy: bool
    reading: ReaderOptions
    typed = False

    @property
    def names(self) -> tuple[str, ...]:
        return self.dialect.names

    @property
    def file(self) -> InputFile:
        return self.text.file

    @cached_property
    def seen(self) -> list[CellStatistics]:
        """Column statistics of the first rows; empty if sampling would save no time."""
        if len(self.names) > _WIDE and self.file.size < _LARGEST:
            return []
        columns = zip(*self.rows, strict=True) if self.rows else [()] * len(self.names)
        seen = [CellStatistics.of(name, self.reading) for name in self.names]
        for column, cells in zip(seen, columns, strict=True):
            column.see(pa.array(cells, pa.string()), 0)
        return seen

    @property
    def line_end(self) -> str:
        """The line ending of the file's first line."""
        match = re.search(r"\r\n|\n|\r", self.text.head(1 << 16)[0])
        return match[0] if match else "\n"

    @property
    def first_line(self) -> str:
        """The first line, if it names the delimiter as ``sep=;`` does; else ""."""
        head = self.text.head(64)[0]
        end = head.find(self.line_end) + len(self.line_end)
        return head[:end] if self.dialect.skip and head.lstrip('"').lower().startswith("sep=") else ""

    def records(self) -> Iterator[list[str]]:
        """Yields each record's cells as written, including the header, without nameless empty columns."""
        empty = self.dialect.empty
        records = (cells for _line, cells in csv_records.records(self.text, self.dialect))
        return ([c for j, c in enumerate(cells) if j not in empty] if empty else cells for cells in records)

    def place(self, row: int) -> str:
        return _("line {n}").format(n=self._line(row))

    def _line(self, row: int) -> int:
        """The line at which a row begins. row: counted from 0, after the header."""
        records = csv_records.records(self.text, self.dialect)
        return next(itertools.islice(records, row + self.dialect.head, None), (0, []))[0]

    @property
    def remarks(self) -> tuple[str, ...]:
        """Notes on the lines and columns that are left out."""
        return self.dialect.remarks

    def blank_note(self) -> str:
        """A note on blank lines between the rows; "" without any."""
        return blank_lines_note(*csv_records.blank_lines(self.text, self.dialect))

    def notes(self) -> list[str]:
        """Notes on the dialect, if it isn't plain CSV."""
        d, parts = self.dialect, []
        if self.text.encoding != "UTF-8":
            parts.append(self.text.encoding)
        if d.delimiter != "," and len(d.names) > 1:
            parts.append(_("{delimiter} between the cells").format(delimiter=d.spoken))
        if d.quote != '"':
            parts.append(_("quote {quote}").format(quote=d.quote or _("none")))
        if not d.head:
            parts.append(_("no header, so the columns are called x1 to x{n}").format(n=len(d.names)))
        return [*parts, *d.remarks]

    @cached_property
    def padded(self) -> bool:
        """Whether any cell may have leading zeros or be hexadecimal: 007, 0x7."""
        starts = _table(f"{self.dialect.delimiter}\n\r\"'")
        return any(
            _pads(b"\n\n" + block, starts) for block in _blocks(self.text.chunks(), "", self.line_end[-1])
        )

    def batches(self, types: Types, sign: str) -> Iterator[pa.RecordBatch]:
        """Yields the rows.

        types: the types, by index, of the columns to read directly as numbers; other columns are text. sign:
        the decimal sign.
        Raises UnconvertedError if a column in ``types`` has other cells, TreinoError for other faults.
        """
        if not self.rows and next(itertools.islice(self.records(), self.dialect.head, None), None) is None:
            return
        options, row = self._options(types, sign), 0
        try:
            for table in self._tables(options):
                for batch in table.to_batches():
                    yield self._checked(batch, row, types)
                    row += batch.num_rows
        except pa.ArrowInvalid as error:
            raise self._explained(str(error), types) from None

    def _tables(self, options: dict[str, Any]) -> Iterator[pa.Table]:
        """Yields the rows of one block after the other.

        Arrow's threads read memory of its own: one that calls Python while the process ends would abort it.
        """
        quote, end = (self.dialect.quote, self.line_end[-1]) if self.tidy else ('"', "\n")
        chunks = self.text.chunks() if self.tidy else csv_records.canonical(self.text, self.dialect)
        for block in _blocks(chunks, quote, end):
            sink = pa.BufferOutputStream()
            sink.write(block)
            try:
                yield arrow_csv.read_csv(pa.BufferReader(sink.getvalue()), **options)
            except pa.ArrowInvalid as error:
                if "Empty CSV" not in str(error):
                    raise
            options["read_options"].skip_rows = options["read_options"].skip_rows_after_names = 0

    def _options(self, types: Types, sign: str) -> dict[str, Any]:
        d = self.dialect
        if not self.tidy:
            d = replace(d, delimiter=",", quote='"', skip=0, head=0)
        quoted = not self.tidy or (d.quote == '"' and self.text.quoted) or d.quote not in ('"', "")
        columns = {str(j): types.get(i, pa.string()) for i, j in enumerate(d.at)}
        columns |= {str(j): pa.string() for j in d.empty}
        return {
            "read_options": arrow_csv.ReadOptions(
                column_names=[str(j) for j in range(d.width)],
                block_size=self._block,
                skip_rows=d.skip,
                skip_rows_after_names=d.head,
            ),
            "parse_options": arrow_csv.ParseOptions(
                delimiter=d.delimiter,
                quote_char=(d.quote or '"') if quoted else False,
                newlines_in_values=quoted,
                invalid_row_handler=lambda row: "error" if row.text.strip() else "skip",
            ),
            "convert_options": arrow_csv.ConvertOptions(
                column_types=columns,
                include_columns=list(columns),
                strings_can_be_null=False,
                null_values=_EMPTY,
                decimal_point=sign,
            ),
        }

    @property
    def _block(self) -> int:
        """The block size in bytes: large enough for many records, even if they are long."""
        longest = max(sum(map(len, row)) + len(row) for row in [self.names, *self.rows[:100]])
        return min(max(_BLOCK, min(250 * longest, _WIDE_BLOCK), 16 * longest), _LARGEST)

    def _explained(self, reason: str, types: Types) -> Exception:
        """The error for pyarrow's message ``reason``: a column that isn't numeric, or a malformed record."""
        if "conversion error" in reason and "#" in reason:
            place = int(reason.partition("#")[2].partition(":")[0])
            column = self.dialect.at.index(place) if place in self.dialect.at else None
            if column is not None and column in types:
                return UnconvertedError(self.names[column])
        for _record in self.records():  # raises the error for the first malformed one
            pass
        return CSV_UNREADABLE(path=self.file.path, reason=" ".join(reason.split())[:120])

    def _checked(self, batch: pa.RecordBatch, row: int, types: Types) -> pa.RecordBatch:
        """The columns with a name. Refuses a cell that is too long, or in a column without a name."""
        for j, cells in enumerate(batch.columns):
            if j in types and not _exact(cells):
                raise UnconvertedError(self.names[j])
            if j not in types and len(cells):
                self._check_length(cells, row)
            if j >= len(self.names):
                self._check_empty(cells, row, self.dialect.empty[j - len(self.names)])
        return batch.select(range(len(self.names))) if self.dialect.empty else batch

    def _check_length(self, cells: pa.Array, row: int) -> None:
        limit = csv.field_size_limit()
        if compute.max(compute.binary_length(cells)).as_py() > limit:
            long_N = np.asarray(compute.greater(compute.utf8_length(cells), limit))
            if long_N.any():
                raise csv_records.cell_too_long(self.text, self._line(row + int(long_N.argmax())))

    def _check_empty(self, cells: pa.Array, row: int, column: int) -> None:
        there_N = np.asarray(compute.not_equal(compute.utf8_trim_whitespace(cells), ""))
        if there_N.any():
            raise COLUMN_NAME_EMPTY(
                n=column + 1, path=self.file.path, line=self._line(row + int(there_N.argmax()))
            )


def _exact(cells: pa.Array) -> bool:
    """Whether all numbers are finite, and float64 represents all whole numbers exactly."""
    if pa.types.is_floating(cells.type):
        return bool(np.isfinite(compute.sum(cells).as_py() or 0.0))
    ends = compute.min_max(cells).as_py()
    return all(end is None or abs(end) < 10**_DIGITS for end in ends.values())


def open_delimited(file: InputFile, reading: ReaderOptions, least_columns: int) -> DelimitedFile:
    """Open a file of delimited text: detect encoding and dialect, and check them over the whole file."""
    text = decide(file, reading.encoding)
    if reading.like is not None and reading.skip:  # new rows may have no lines above them
        try:
            named = sniff(text, reading, least_columns)[0].head or reading.header is not None
        except TreinoError:
            named = False
        reading = reading if named else replace(reading, skip=None)
    dialect, rows = sniff(text, reading, least_columns)
    until, below = csv_records.end_of(text, dialect, reading.keep_empty)
    if until is not None:
        remarks = (*dialect.remarks, lines_note(BELOW, below))
        text, dialect = replace(text, until=until), replace(dialect, remarks=remarks)
    plain = dialect.delimiter != " " and ord(dialect.delimiter) < 128
    uses = bool(dialect.quote) and (text.quoted or dialect.quote != '"')
    opened = DelimitedFile(text, dialect, rows, plain, reading)
    blocks = _blocks(text.chunks(), dialect.quote, opened.line_end[-1]) if plain and uses else iter(())
    return opened if all(_quotes_fit(block, dialect) for block in blocks) else replace(opened, tidy=False)


def _blocks(chunks: Iterator[bytes], quote: str, end: str) -> Iterator[bytes]:
    """Yields a text in blocks of whole records: cut at a line end that follows an even number of quotes.

    quote: "" for a file without quotes. end: the last character of a line.
    """
    left, size = list[bytes](), 0
    for chunk in chunks:
        left.append(chunk)
        size += len(chunk)
        if size >= _READ:
            text = b"".join(left)
            cut = text.rfind(end.encode()) + 1 if size <= _LARGEST else size
            if cut and (not quote or size > _LARGEST or text.count(quote.encode(), 0, cut) % 2 == 0):
                yield text[:cut]
                left, size = [text[cut:]], size - cut
    yield b"".join(left)


def _quotes_fit(block: bytes, dialect: Dialect) -> bool:
    """Whether every quote opens a cell, closes a cell, or is doubled inside a cell (RFC 4180).

    Counted from 0, even quotes open and odd quotes close. An even quote must follow a delimiter, a line end
    or an odd quote; an odd quote must precede a delimiter, a line end or an even quote.
    """
    bytes_N = np.frombuffer(b"\n" + block + b"\n", dtype=np.uint8)
    at = np.flatnonzero(bytes_N == ord(dialect.quote))
    borders = _table(f"{dialect.delimiter}\r\n{dialect.quote}")
    fit = borders[bytes_N[at[::2] - 1]].all() and borders[bytes_N[at[1::2] + 1]].all()
    return bool(fit) and len(at) % 2 == 0


def _pads(content: bytes, starts: NDArray[np.bool_]) -> bool:
    """Whether a cell begins like 07, or 0x occurs. starts: mask of the bytes that may precede a cell."""
    if (b"x" in content or b"X" in content) and (b"0x" in content or b"0X" in content):
        return True
    bytes_N = np.frombuffer(content, dtype=np.uint8)
    if len(bytes_N) < 4:
        return False
    shifted = bytes_N - np.uint8(48)
    digit_N = np.less(shifted, 10, out=shifted.view(bool))
    leads_N = bytes_N[2:-1] == 48
    leads_N &= digit_N[3:]
    at = np.flatnonzero(np.greater(leads_N, digit_N[1:-2], out=leads_N))
    before, further = bytes_N[at + 1], bytes_N[at]
    blanks = starts | _table(" ")
    return bool((starts[before] | (_table("+- ")[before] & blanks[further])).any())


def _table(characters: str) -> NDArray[np.bool_]:
    """``[256]`` mask of the bytes that are among these characters."""
    mask = np.zeros(256, dtype=bool)
    mask[[ord(character) for character in characters if character.isascii()]] = True
    return mask
