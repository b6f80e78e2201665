"""CSV files: the text, its delimiter, its lines and cells, and a precise word where one of them is wrong."""

import csv
import hashlib
import io
import os
import re
import stat
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from treino.data.table import Column, Table, check_names, column_of_words, number, shorten
from treino.errors import TreinoError
from treino.words import _

_DELIMITERS = {",": "','", ";": "';'", "\t": "tab"}
_KNOWN_BINARY = {b"\x1f\x8b": "gzip", b"PK\x03\x04": "zip or Excel", b"PAR1": "Parquet", b"%PDF": "PDF"}
_BLOCK = 1 << 24  # bytes; a longer line goes through the csv module


def read_csv(path: Path, source: str, least_columns: int = 2) -> Table:
    """The table in a CSV file: UTF-8 (a byte-order mark is fine), a header, cells by ``,`` ``;`` or tab.

    Raises TreinoError naming file, line, column and value for anything else.
    """
    content = _content(path)
    text = _text(path, content)
    delimiter, header = _dialect(path, text, least_columns)
    names = [name.strip() for name in header]
    if all(number(name) is not None for name in names):
        raise TreinoError(
            "csv_header",
            _("The first line of '{path}' holds numbers, not names: {line}.").format(
                path=path, line=shorten(delimiter.join(names))
            ),
            _("Write a first line that names each column."),
        )
    check_names(names, f"'{path}'")
    columns = _columns(path, text, delimiter, names)
    if not len(columns[0]):
        raise TreinoError(
            "csv_no_rows",
            _("'{path}' has a header and no rows.").format(path=path),
            _("Add a row of values for each example."),
        )

    def place(row: int) -> str:
        lines = (line for line, cells in _records(path, text, delimiter) if cells)
        next(lines)
        return _("line {n}").format(n=next(line for i, line in enumerate(lines) if i == row))

    return Table(path.stem, source, hashlib.sha256(content).hexdigest(), columns, place)


def _content(path: Path) -> bytes:
    try:
        mode = os.stat(path).st_mode
        if stat.S_ISREG(mode):
            return path.read_bytes()
    except OSError as error:
        raise TreinoError(
            "file_unreadable",
            _("'{path}' can't be read: {reason}.").format(path=path, reason=error.strerror),
            _("Check its permissions and that the disk is there."),
            status=1,
        ) from None
    if stat.S_ISDIR(mode):
        raise TreinoError(
            "file_is_folder",
            _("'{path}' is a folder, not a file.").format(path=path),
            _("Give the CSV file in it."),
        )
    raise TreinoError(
        "file_special",
        _("'{path}' is not a regular file.").format(path=path),
        _("Save the table in a CSV file first."),
    )


def _text(path: Path, content: bytes) -> str:
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        raise TreinoError(
            "csv_encoding",
            _("'{path}' is UTF-16, not UTF-8.").format(path=path),
            _("Save it as UTF-8."),
        )
    kind = next((kind for magic, kind in _KNOWN_BINARY.items() if content.startswith(magic)), None)
    if kind or b"\0" in content:
        raise TreinoError(
            "csv_binary",
            _("'{path}' is no text: it is a {kind} file.").format(path=path, kind=kind)
            if kind
            else _("'{path}' is no text: byte {n} is NUL.").format(path=path, n=content.index(b"\0")),
            _("Give a plain CSV file."),
        )
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise TreinoError(
            "csv_encoding",
            _("'{path}' is not UTF-8: line {n} has the byte {byte}.").format(
                path=path,
                n=content[: error.start].count(b"\n") + 1,
                byte=f"0x{content[error.start]:02x}",
            ),
            _("Save it as UTF-8."),
        ) from None
    if not text.strip():
        raise TreinoError(
            "csv_empty",
            _("'{path}' is empty.").format(path=path),
            _("It needs a line of column names and a line for each example."),
        )
    if text.lstrip()[:200].lower().startswith(("<!doctype", "<html", "<?xml", "<head")):
        raise TreinoError(
            "csv_html",
            _("'{path}' is a web page, not a table: it begins with '{start}'.").format(
                path=path, start=shorten(text.lstrip(), 20)
            ),
            _("Download the file itself: the page was saved in its place."),
        )
    return text


def _records(path: Path, text: str, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """(line of the file where it starts, cells) of each record; an empty line has no cells."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    line = 1
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise _broken_record(path, line, str(error)) from None
        yield line, cells
        line = reader.line_num + 1


def _broken_record(path: Path, line: int, reason: str) -> TreinoError:
    if "unexpected end of data" in reason:
        return TreinoError(
            "csv_unclosed_quote",
            _("'{path}', line {n}: a quote is opened and never closed.").format(path=path, n=line),
            _('Close it, or write a quote inside of a quoted cell as "".'),
        )
    if "field limit" in reason:
        return TreinoError(
            "csv_cell_too_long",
            _("'{path}', line {n}: a cell is longer than {limit} characters.").format(
                path=path, n=line, limit=csv.field_size_limit()
            ),
            _("Leave that column out of the file; a quote that is never closed also looks like this."),
        )
    return TreinoError(
        "csv_quote",
        _("'{path}', line {n}: text follows a closing quote.").format(path=path, n=line),
        _('Write a quote inside of a quoted cell as "".'),
    )


def _dialect(path: Path, text: str, least_columns: int) -> tuple[str, list[str]]:
    """The delimiter and the header. Of , ; and tab, the one that the first line holds; where it holds
    several, the one by which all lines have equally many cells."""
    first_line = re.split(r"[\r\n]", text.lstrip("\r\n"), maxsplit=1)[0]
    held = [delimiter for delimiter in _DELIMITERS if delimiter in first_line]
    if not held and least_columns > 1:
        raise TreinoError(
            "csv_one_column",
            _("'{path}' has one column, '{name}': nothing to learn from.").format(
                path=path, name=shorten(first_line.strip())
            ),
            _("It needs a target and at least one feature; cells are separated by , ; or tab."),
        )
    if len(held) > 1:
        whole = [delimiter for delimiter in held if _agrees(path, text, delimiter)]
        if len(whole) > 1:
            raise TreinoError(
                "csv_delimiter",
                _("'{path}' may be separated by {delimiters}: all lines agree with both.").format(
                    path=path, delimiters=_(" or ").join(_DELIMITERS[delimiter] for delimiter in whole)
                ),
                _("Put the cells that hold one of them in quotes."),
            )
        held = whole or sorted(held, key=first_line.count, reverse=True)
    delimiter = held[0] if held else ","
    return delimiter, next(cells for _line, cells in _records(path, text, delimiter) if cells)


def _agrees(path: Path, text: str, delimiter: str) -> bool:
    """Whether by this delimiter every line has the same number of cells, more than one."""
    try:
        counts = {len(cells) for _line, cells in _records(path, text, delimiter) if cells}
    except TreinoError:
        return False
    return len(counts) == 1 and counts != {1}


def _columns(path: Path, text: str, delimiter: str, names: list[str]) -> tuple[Column, ...]:
    """All columns. Text without quotes goes through pyarrow, which is fast; the rest, and all that is
    wrong, through the csv module, which knows the lines."""
    if '"' not in text:
        columns = _columns_fast(text, delimiter, names)
        if columns is not None:
            return columns
    cells: list[list[str]] = []
    for line, record in _records(path, text, delimiter):
        if not record:
            continue
        if len(record) != len(names):
            raise TreinoError(
                "csv_ragged",
                _("'{path}', line {n}: it has {got} of {want} cells.").format(
                    path=path, n=line, got=len(record), want=len(names)
                ),
                _("Correct the line; a cell that holds '{delimiter}' belongs in quotes.").format(
                    delimiter="\\t" if delimiter == "\t" else delimiter
                ),
            )
        cells.append(record)
    matrix = np.array(cells[1:], dtype=object).reshape(-1, len(names))
    return tuple(column_of_words(name, matrix[:, j]) for j, name in enumerate(names))


def _columns_fast(text: str, delimiter: str, names: list[str]) -> tuple[Column, ...] | None:
    """The same out of pyarrow, or None where it stumbles and a diagnosis is needed."""
    import pyarrow as pa
    from pyarrow import compute
    from pyarrow import csv as arrow_csv

    content = text.encode()
    keys = [str(j) for j in range(len(names))]
    try:
        table = arrow_csv.read_csv(
            io.BytesIO(content),
            read_options=arrow_csv.ReadOptions(column_names=keys, block_size=_BLOCK),
            parse_options=arrow_csv.ParseOptions(delimiter=delimiter, quote_char=False, double_quote=False),
            convert_options=arrow_csv.ConvertOptions(
                column_types=dict.fromkeys(keys, pa.string()), strings_can_be_null=False
            ),
        ).slice(1)
    except pa.ArrowInvalid:
        return None

    def column(name: str, cells: pa.ChunkedArray) -> Column:
        try:
            numbers = compute.cast(compute.utf8_trim_whitespace(cells), pa.float64()).to_numpy()
        except pa.ArrowInvalid:
            return column_of_words(name, cells.to_numpy().astype(object))
        if not np.isfinite(numbers).all():
            return column_of_words(name, cells.to_numpy().astype(object))
        return Column(name, numbers)

    return tuple(column(name, cells) for name, cells in zip(names, table.columns, strict=True))
