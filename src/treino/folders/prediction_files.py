"""Files of predictions: the source's own columns and the predictions, in the source's format.

A delimited file keeps its cells, its delimiter, decimal sign, encoding and line ends; any other table becomes
plain CSV, or a workbook if the file name ends in .xlsx. Cells that a spreadsheet would run as formulas become
text (OWASP, "CSV injection").
"""

import csv
import io
import math
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, time, timedelta
from itertools import chain
from pathlib import Path
from traceback import clear_frames
from typing import Any

import numpy as np

from treino.base.errors import Refusal
from treino.base.files import problem
from treino.base.text import shortened
from treino.data.readers import ReaderOptions
from treino.data.readers.table_files import open_delimited_file
from treino.data.sources import read
from treino.data.table import Column, number
from treino.folders.data_source import files_of
from treino.folders.prediction import Prediction
from treino.folders.prediction_columns import column_names
from treino.settings.setting_types import as_item

WORKBOOK_ROWS = Refusal(
    "A sheet has room for {n:,} rows, and there are more predictions.", "Name a file that ends in .csv."
)
WORKBOOK_COLUMNS = Refusal(
    "A sheet has room for {n:,} columns, and there are {found:,}.", "Name a file that ends in .csv."
)
WORKBOOK_TEXT = Refusal(
    "A cell of a sheet has room for {n:,} characters; row {row:,} of column {column} has more.",
    "Name a file that ends in .csv.",
)

WORKBOOK = ".xlsx"
_OF_FORMULAS = (*"=+-@\t\r\n", *"\uff1d\uff0b\uff0d\uff20")  # also in the wide forms of East Asian keyboards
MOST_ROWS = 1_048_575  # maximum number of rows of a sheet below its header
MOST_COLUMNS = 16_384
MOST_TEXT = 32_767  # maximum number of characters of a cell, as UTF-16 counts them
_FIRST_DAY = datetime(1900, 3, 1)  # Excel counts a 29th of February 1900, and no day before that year

Cell = str | float | None


def predictions_file(source: Any, reading: ReaderOptions, each: Sequence[Prediction], ending: str) -> bytes:
    """The content of a file whose name has this ending. source: the predicted source; rows of a built-in get
    their row numbers instead of their columns, and pictures the names of their files.

    Raises:
        TreinoError: more rows, columns or characters than fit into a sheet.
    """
    heads, rows = _predicted(each)
    pictures = bool(each) and bool(each[0].file)
    files = [] if pictures else files_of(source)
    if ending != WORKBOOK and len(files) == 1:
        written = _as_the_file(files[0], reading, heads, rows)
        if written is not None:
            return written
    table = read(source, reading, least_columns=1) if files else None
    own = table.columns if table is not None else (Column("row", numbers=np.arange(float(len(each)))),)
    if pictures:
        own = (Column("file", words=np.array([p.file for p in each], dtype=object)),)
    names = [column.name for column in own]
    names += column_names(heads, names, str.casefold if ending == WORKBOOK else str)
    if ending == WORKBOOK:
        cells = [_typed(column) for column in own]
        return _workbook(
            names, ([*row, *more] for row, more in zip(zip(*cells, strict=True), rows, strict=True))
        )
    return _csv(names, ([*(column.cell(i) for column in own), *more] for i, more in enumerate(rows)))


def table_file(columns: Mapping[str, Sequence[Any]], ending: str) -> bytes:
    """A table, a column for each name, as the content of a file whose name has this ending."""
    rows = (list(row) for row in zip(*columns.values(), strict=True))
    return _workbook(list(columns), rows) if ending == WORKBOOK else _csv(list(columns), rows)


class _Lines(io.StringIO):
    """The lines that a ``csv.writer`` writes, with an end of the caller's choice.

    The writer itself ends them with both characters of a line end: until Python 3.13 it quotes a cell that
    holds one of them only where the end of its own lines has that character.
    """

    OF_WRITER = "\r\n"

    def __init__(self, end: str) -> None:
        super().__init__(newline="")
        self._end = end

    def write(self, line: str) -> int:
        return super().write(line.removesuffix(self.OF_WRITER) + self._end)


def _csv(names: Sequence[str], rows: Iterable[Sequence[Any]]) -> bytes:
    text = _Lines("\n")
    writer = csv.writer(text, lineterminator=text.OF_WRITER)
    writer.writerow(map(_harmless, names))
    writer.writerows([_plain(cell) for cell in row] for row in rows)
    return text.getvalue().encode()


def _predicted(each: Sequence[Prediction]) -> tuple[list[tuple[str, ...]], list[list[Cell]]]:
    """Return the parts of the added columns' names, and the columns' cells by row."""
    folds = any(p.fold is not None for p in each)
    heads: list[tuple[str, ...]] = [("fold",)] if folds else []
    rows: list[list[Cell]] = [[str(p.fold or "")] if folds else [] for p in each]
    for name in each[0].by_target if each else ():
        own, target = [p.by_target[name] for p in each], (name,) if name else ()
        classes = list(next((p.probabilities for p in own if p.probabilities), ()))
        sets = [("set", *target)] if any(p.class_set for p in own) else []
        ends = [("low", *target), ("high", *target)] if any(p.interval for p in own) else []
        heads += [("prediction", *target), *(("probability", *target, label) for label in classes)]
        further = list(own[0].further)
        heads += [*((what, *target) for what in further), *sets, *ends]
        for row, p in zip(rows, own, strict=True):
            shares = [(p.probabilities or {}).get(label) for label in classes]
            names = [",".join(map(as_item, p.class_set or ())) or None for _set in sets]
            row += [p.value, *shares, *p.further.values(), *names, *(p.interval or [None] * len(ends))]
    return heads, rows


def _as_the_file(
    path: Path, reading: ReaderOptions, heads: Sequence[Sequence[str]], rows: Sequence[Sequence[Cell]]
) -> bytes | None:
    """The file's records with the added cells, in its own dialect; None if it isn't delimited text."""
    file = open_delimited_file(path, reading)
    if file is None:
        return None
    records, dialect = file.records(), file.dialect
    comma = read(path, reading, least_columns=1).reading
    sign = "," if comma is not None and comma.decimal == "," else "."
    text = _Lines(file.line_end)
    options = dialect.options()
    if "quoting" in options:  # a file without quotes can't hold its own delimiter
        options |= {"escapechar": "\\"}
    writer = csv.writer(text, lineterminator=text.OF_WRITER, **options)
    for i in range(dialect.head):  # and lines of units below the header
        own = next(records)
        added = column_names(heads, {*own, *file.names}) if i == 0 else [""] * len(heads)
        writer.writerow(list(map(_harmless, [*own, *added])))
    for cells, more in zip(records, rows, strict=True):
        writer.writerow([*map(_harmless, cells), *(_plain(cell, sign) for cell in more)])
    content = file.first_line + text.getvalue()
    try:
        return content.encode(file.text.codec)
    except UnicodeEncodeError:  # a class has characters that the file's encoding lacks
        return content.encode("utf-8-sig")


def _plain(cell: Any, sign: str = ".") -> str:
    if cell is None or cell != cell:
        return ""
    return _harmless(cell) if isinstance(cell, str) else repr(cell).replace(".", sign)


def _harmless(cell: str) -> str:
    """The cell, quoted if a spreadsheet would run it as a formula; numbers, such as -1 or +55, stay."""
    begins = cell.startswith(_OF_FORMULAS) and cell != "-"
    return "'" + cell if begins and number(cell.replace(",", ".")) is None else cell


def _typed(column: Column) -> list[Any]:
    """The cells as values for a workbook."""
    if column.boolean and column.numbers is not None:
        return [None if math.isnan(v) else bool(v) for v in column.numbers.tolist()]
    if column.numbers is not None and column.whole_words is None:
        return [None if not math.isfinite(v) else v for v in column.numbers.tolist()]
    if column.seconds is not None:
        begin = datetime(1970, 1, 1)
        moments = [None if math.isnan(v) else begin + timedelta(seconds=v) for v in column.seconds.tolist()]
        return [m.time() if m is not None and column.clock else m for m in moments]
    return [column.cell(i) or None for i in range(len(column))]


class _Number(float):
    """A number that XlsxWriter writes with all its digits; of a plain float it writes 16, one too few."""

    def __format__(self, _spec: str) -> str:
        return format(float(self), ".17G")


def _workbook(names: Sequence[str], rows: Iterable[Sequence[Any]]) -> bytes:
    """The content of a workbook. Its rows go through a temporary file, which needs room, too.

    Raises:
        TreinoError: workbook_rows, workbook_columns, workbook_text; disk_full and other disk errors, with the
            folder of temporary files.
    """
    from xlsxwriter.exceptions import FileCreateError

    if len(names) > MOST_COLUMNS:
        raise WORKBOOK_COLUMNS(n=MOST_COLUMNS, found=len(names))
    try:
        return _workbook_content(names, rows)
    except (OSError, FileCreateError) as error:
        cause = error if isinstance(error, OSError) else error.args[0]
        clear_frames(cause.__traceback__)  # the unfinished archive there is to go before what it writes to
        raise problem(Path(tempfile.gettempdir()), cause.errno or 0, cause.strerror or str(cause)) from error


def _workbook_content(names: Sequence[str], rows: Iterable[Sequence[Any]]) -> bytes:
    from xlsxwriter import Workbook

    content, options = io.BytesIO(), {"constant_memory": True, "default_date_format": "yyyy-mm-dd hh:mm:ss"}
    with tempfile.TemporaryDirectory() as folder, Workbook(content, options | {"tmpdir": folder}) as book:
        sheet = book.add_worksheet("treino")
        clock, plain = book.add_format({"num_format": "hh:mm:ss"}), book.add_format()
        for row, cells in enumerate(chain([names], rows)):
            if row > MOST_ROWS:
                raise WORKBOOK_ROWS(n=MOST_ROWS)
            for column, cell in enumerate(cells):
                value = str(cell) if isinstance(cell, datetime) and cell < _FIRST_DAY else cell
                if isinstance(value, str) and len(value.encode("utf-16-le")) > 2 * MOST_TEXT:
                    raise WORKBOOK_TEXT(n=MOST_TEXT, row=row + 1, column=shortened(names[column], 60))
                if isinstance(value, str) and value.startswith("<r>"):  # XlsxWriter would take it for its own
                    sheet.write_rich_string(row, column, value[:1], plain, value[1:])
                elif isinstance(value, str):
                    sheet.write_string(row, column, value)  # text, even if it begins like a formula
                elif isinstance(value, float):
                    if math.isfinite(value):
                        sheet.write_number(row, column, _Number(value))
                elif isinstance(value, time):
                    sheet.write_datetime(row, column, value, clock)
                else:
                    sheet.write(row, column, value)
    return content.getvalue()
