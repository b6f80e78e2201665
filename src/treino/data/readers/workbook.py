"""Read one sheet of an Excel or LibreOffice workbook (.xlsx, .ods) as typed columns.

calamine (https://github.com/dimastbk/python-calamine) reads the cells: numbers, booleans, dates and times as
in the workbook, and the stored values of formulas. This module finds the table among the cells: it removes
titles above the table and notes below it, and resolves headers that span columns.
"""

import re
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import python_calamine

from treino.base.errors import Refusal, nearest
from treino.base.text import shortened, whole_number
from treino.base.words import _, setting
from treino.data.readers.columnar import ColumnarFile, open_table
from treino.data.readers.dialect import (
    ABOVE,
    BELOW,
    LABELS,
    LOOK,
    index_note,
    is_index,
    is_note,
    labels_below,
    lines_note,
)
from treino.data.readers.file_bytes import OLD_WORKBOOK, InputFile, check_unpacked, damaged
from treino.data.readers.reader_options import ReaderOptions
from treino.data.readers.zip_members import zip_chunks
from treino.data.table import distinct_names

SHEET_UNKNOWN = Refusal("'{path}' has no sheet '{name}'.", "{hint}")
WORKBOOK_TABLES = Refusal(
    "{what} holds more than one table: {between} stands between them.",
    "Move each to a sheet of its own, or delete what is empty, if it is one table.",
)
WORKBOOK_SIZE = Refusal(
    "'{path}', {name}: {rows:,} rows of {columns:,} columns are too many for a sheet.",
    "Save it as CSV or Parquet, which are read block by block.",
)
SHEET_EMPTY = Refusal(
    "'{path}' has no cells in its sheet {name}.", "Its sheets: {names}.", rule="workbook_empty"
)
WORKBOOK_FORMULAS = Refusal(
    "'{path}', {name}: {n:,} formulas have no stored value, the first in {cell}.",
    "Open it in Excel or LibreOffice and save it: that stores the values.",
)
SHEET_NO_ROWS = Refusal(
    "{what} has a header and no rows.", "Add a row of values for each example.", rule="csv_no_rows"
)
WORKBOOK_HIDDEN = Refusal("'{path}' has cells in hidden sheets alone: {names}.", "Name one: {setting}")
Cells = list[list[Any]]  # "" for an empty cell
Spans = Sequence[tuple[int, int, int, int]]

_VALUE = re.compile(rb"<v[^<>/]*>[^<]|<is>")
_ERROR = b' t="e"'
_CELL, _PLACE = re.compile(rb"<c\b"), re.compile(rb'\br="([A-Z]+\d+)"')


def open_workbook(file: InputFile, reading: ReaderOptions) -> ColumnarFile:
    """Open the table in the requested sheet, or in the first visible sheet that has cells.

    Raises:
        TreinoError: the workbook is encrypted or damaged; there is no such sheet;
            the sheet has no table or several; formulas have no stored values.
    """
    try:
        _check_size(file, reading.sheet)
        book = python_calamine.load_workbook(str(file.path))
        name = _sheet_name(file, book, reading)
        sheet = book.get_sheet_by_name(name)
        top, left = sheet.start or (0, 0)
        merged = [(a - top, b - left, c - top, d - left) for (a, b), (c, d) in sheet.merged_cell_ranges or ()]
        cells = sheet.to_python(skip_empty_area=True)
    except python_calamine.PasswordError:
        raise OLD_WORKBOOK(path=file.path) from None
    except (python_calamine.CalamineError, OSError, ValueError, zipfile.BadZipFile, zlib.error) as error:
        raise damaged(file.path, file.content, error) from None
    except BaseException as error:
        if type(error).__name__ != "PanicException":  # of Rust, which calamine raises for some damaged files
            raise
        raise damaged(file.path, file.content, Exception(str(error))) from None
    if not cells:
        raise SHEET_EMPTY(path=file.path, name=name, names=", ".join(book.sheet_names))
    with zipfile.ZipFile(file.path) as archive:  # an .ods, which always stores all values, has no such path
        path = _sheet_paths(archive).get(name)
        content = b"" if path is None else b"".join(zip_chunks(archive, path))
    _check_formulas(file, name, content)
    opened = _table(file, name, cells, merged, (top, left), reading)
    remarks = [_sheet_note(name, book)] if len(book.sheet_names) > 1 else []
    if errors := content.count(_ERROR):
        text = _("cells with an error such as #DIV/0! as cells without a value ({n})")
        remarks.append(text.format(n=errors))
    return replace(opened, remarks=(*remarks, *opened.remarks))


def _sheet_name(file: InputFile, book: Any, reading: ReaderOptions) -> str:
    names: list[str] = list(book.sheet_names)
    liked = reading.like.sheet if reading.like is not None else None
    request = reading.sheet
    if request is None and liked in names:
        return str(liked)
    if request is None:
        hidden = _hidden(book)
        filled = [name for name in names if book.get_sheet_by_name(name).start is not None]
        first = next((name for name in filled if name not in hidden), None)
        if first is None and filled:
            raise WORKBOOK_HIDDEN(
                path=file.path, names=", ".join(filled), setting=setting("sheet", filled[0])
            )
        if first is None:
            raise SHEET_EMPTY(path=file.path, name=names[0], names=", ".join(names))
        return first
    if request in names:
        return request
    if 1 <= (number := whole_number(request) or 0) <= len(names):
        return names[number - 1]
    raise SHEET_UNKNOWN(path=file.path, name=request, hint=nearest(request, names))


def _hidden(book: Any) -> set[str]:
    return {
        sheet.name
        for sheet in book.sheets_metadata
        if sheet.visible != python_calamine.SheetVisibleEnum.Visible
    }


def _sheet_note(name: str, book: Any) -> str:
    hidden = _hidden(book)
    labels = {n: _("{name}, which is hidden").format(name=n) if n in hidden else n for n in book.sheet_names}
    others = shortened(", ".join(text for other, text in labels.items() if other != name), 100)
    return _("the sheet {name} (others: {others})").format(name=labels[name], others=others)


def _check_formulas(file: InputFile, name: str, content: bytes) -> None:
    """Refuse formulas without a stored value; programs other than Excel or LibreOffice often write these."""
    if b"<f" not in content:
        return
    lost = []
    for cell in _CELL.split(content)[1:]:  # one pattern for the whole cell would search far for each end
        tag, _sign, rest = cell.partition(b">")
        inner, place = rest.partition(b"</c>")[0], _PLACE.search(tag)
        if place and not tag.endswith(b"/") and b"<f" in inner and not _VALUE.search(inner):
            lost.append(place[1].decode())
    if lost:
        raise WORKBOOK_FORMULAS(path=file.path, name=name, n=len(lost), cell=lost[0])


def _sheet_paths(archive: zipfile.ZipFile) -> dict[str, str]:
    """The path of each sheet in an .xlsx archive, by its name; {} for an .ods."""
    from xml.etree import ElementTree

    members = set(archive.namelist())
    if "xl/workbook.xml" not in members:
        return {}
    main = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
    link = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"
    try:
        sheets = ElementTree.fromstring(b"".join(zip_chunks(archive, "xl/workbook.xml"))).iter(f"{main}sheet")
        links = ElementTree.fromstring(b"".join(zip_chunks(archive, "xl/_rels/workbook.xml.rels")))
    except (KeyError, ElementTree.ParseError):
        return {}
    targets = {each.get("Id"): each.get("Target", "") for each in links}
    paths = {sheet.get("name", ""): targets.get(sheet.get(link), "") for sheet in sheets}
    paths = {name: path.lstrip("/") if path.startswith("/") else f"xl/{path}" for name, path in paths.items()}
    return {name: path for name, path in paths.items() if path in members}


# ---- the table among the cells


def _table(
    file: InputFile,
    sheet: str,
    cells: Cells,
    merged: Spans,
    corner: tuple[int, int],
    reading: ReaderOptions,
) -> ColumnarFile:
    """The only table in a sheet's cells. merged: (row, column, last row, last column) of each merged range.
    corner: (row, column) of the first cell in the sheet."""
    remarks, what = list[str](), f"'{file.path}', {sheet}"
    wide = max(map(len, cells))
    filled = [[j for j, cell in enumerate(row) if not _empty(cell)] for row in cells]
    header, first = reading.header, min(max(0, (reading.skip or 0) - corner[0]), len(cells) - 1)
    if header is not False and reading.skip is None:
        first = next((i for i, there in enumerate(filled) if len(there) > 1), 0) if wide > 1 else 0
        if first:
            remarks.append(lines_note(ABOVE, (map(_text, row) for row in cells[:first])))
    spread = [(a, b, c, d) for a, b, c, d in merged if a > first and d - b + 1 < wide]
    for a, b, c, d in spread:
        for i in range(a, min(c + 1, len(cells))):
            cells[i][b : d + 1] = [cells[a][b]] * (min(d + 1, len(cells[i])) - b)
            filled[i] = [j for j, cell in enumerate(cells[i]) if not _empty(cell)]
    if spread:
        remarks.append(_("merged cells filled with the value of their range ({n})").format(n=len(spread)))
    end = next((i for i in range(first, len(cells)) if not filled[i]), len(cells))
    if reading.keep_empty:
        end = _end_of_rows(cells, filled, first, end)
    below = [i for i in range(end, len(cells)) if filled[i]]
    if any(len(filled[i]) > 1 for i in below) or (below and wide == 1):
        raise WORKBOOK_TABLES(what=what, between=_("an empty row ({n})").format(n=corner[0] + end + 1))
    if below:
        remarks.append(lines_note(BELOW, (map(_text, cells[i]) for i in below)))
    there = sorted({j for i in range(first, end) for j in filled[i]})
    gap = next((j for j in range(there[0], there[-1]) if j not in there), None)
    if gap is not None:
        between = _("an empty column ({name})").format(name=_letters(corner[1] + gap))
        raise WORKBOOK_TABLES(what=what, between=between)
    rows = [[row[j] if j < len(row) else "" for j in there] for row in cells[first:end]]
    spans = [(a - first, b - there[0], c - first, d - there[0]) for a, b, c, d in merged if first <= a < end]
    letters = [_letters(corner[1] + j) for j in there]
    names, depth = _names(rows, spans, letters, header)
    if len(rows) <= depth:
        raise SHEET_NO_ROWS(what=what)
    nameless = depth > 0 and len(names) > 1 and all(_empty(row[0]) for row in rows[:depth])
    texts = [[_text(cell) for cell in row] for row in [list(names), *rows[depth : depth + LOOK]]]
    if depth and (labels := labels_below(texts)):
        remarks.append(lines_note(LABELS, texts[1 : 1 + labels]))
        depth += labels
        del texts[1 : 1 + labels]
    rows, at = rows[depth:], [corner[0] + first + i + 1 for i in range(depth, len(rows))]
    if nameless and is_index([row[0] for row in texts[1:]]):
        remarks.append(index_note([row[0] for row in texts[1:]]))
        names, rows = names[1:], [row[1:] for row in rows]
    columns = [_column([row[j] for row in rows]) for j in range(len(names))]
    table = pa.Table.from_arrays(columns, names=distinct_names(names, remarks))
    place = lambda row: _("row {n} of the sheet").format(n=at[row])  # noqa: E731
    return replace(open_table(table, f"'{file.path}'", file), remarks=tuple(remarks), place=place)


def _end_of_rows(cells: Cells, filled: Sequence[Sequence[int]], first: int, end: int) -> int:
    """The end of a table whose rows may be empty: no second header follows, and notes begin like comments.

    first: its header. end: its first empty row, or the end of the sheet.
    """
    header = [_text(cell) for cell in cells[first]]
    last = len(cells)
    while last > end:
        words = [cells[last - 1][j] for j in filled[last - 1]]
        if len(words) > 1 or not all(isinstance(word, str) and is_note(word) for word in words):
            break
        last -= 1
    begins = [i for i in range(end, last) if filled[i] and not filled[i - 1]]
    width = {j for i in range(first, end) for j in filled[i]}
    for i in begins:
        row = [_text(cell) for cell in cells[i]]
        again = len(filled[i]) > 1 and row == header
        texts = [isinstance(cells[i][j], str) for j in filled[i]]
        numbers = [j for j in filled[i] if any(isinstance(row[j], float) for row in cells[first + 1 : end])]
        if again or (len(texts) > 1 and all(texts) and numbers) or not set(filled[i]) <= width:
            return end
    return last


def _names(
    rows: Cells, spans: Spans, letters: Sequence[str], header: bool | None
) -> tuple[tuple[str, ...], int]:
    """Return (column names, number of header rows): two rows if cells in the first row are merged."""
    if header is False:
        return tuple(f"x{j + 1}" for j in range(len(letters))), 0
    over = [_text(cell) for cell in rows[0]]
    wide = [(b, d) for a, b, _c, d in spans if a == 0 and d > b]
    deep = max((c for a, _b, c, _d in spans if a == 0), default=0)
    if not wide and not deep:
        return tuple(name or letter for name, letter in zip(over, letters, strict=True)), 1
    for b, d in wide:
        over[b : d + 1] = [over[b]] * len(over[b : d + 1])
    under = [_text(cell) for cell in rows[1]] if len(rows) > 1 else [""] * len(over)
    both = [" ".join(part for part in pair if part) for pair in zip(over, under, strict=True)]
    return tuple(name or letter for name, letter in zip(both, letters, strict=True)), 2


def _empty(cell: Any) -> bool:
    return isinstance(cell, str) and not cell.strip()


def _letters(column: int) -> str:
    """The name of a workbook column: A for 0, AA for 26."""
    name, column = "", column + 1
    while column:
        column, rest = divmod(column - 1, 26)
        name = chr(ord("A") + rest) + name
    return name


def _text(cell: Any) -> str:
    """The text of a cell in a text column."""
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < 1e15:
        return str(int(cell))
    if isinstance(cell, bool):
        return "true" if cell else "false"
    return cell.isoformat(sep=" ") if isinstance(cell, datetime) else str(cell).strip()


def _column(cells: list[Any]) -> pa.Array:
    """The cells as an Arrow column: typed if all cells have the same type, else text."""
    values = [None if _empty(cell) else cell for cell in cells]
    kinds = {type(value) for value in values if value is not None}
    if not kinds or kinds == {bool}:
        return pa.array(values, pa.bool_() if kinds else pa.string())
    if kinds <= {int, float}:
        return pa.array([None if value is None else float(value) for value in values], pa.float64())
    if kinds <= {date, datetime}:
        return pa.array(np.array(values, dtype="M8[us]"))
    if kinds == {time}:
        return pa.array(values, pa.time64("us"))
    if kinds == {timedelta}:
        return pa.array(values, pa.duration("us"))
    return pa.array([None if value is None else _text(value) for value in values], pa.string())


# ---- the sizes of sheets, from their XML, before anything is read

# calamine makes room for every cell between the first and the last of a sheet. One far cell, or one that is
# repeated a billion times, would take all memory, and Rust ends the process without an error.
MOST_CELLS = 30_000_000
_MOST_ROWS, _MOST_COLUMNS = 1 << 20, 1 << 14  # of a sheet in Excel
_PLACE_OF_CELL = re.compile(rb"""\sr\s*=\s*["']([A-Za-z]*)(\d*)["']""")  # of a cell; of a row without letters
_ODS = re.compile(rb"<table:(table|table-row|table-cell|covered-table-cell)(?=[\s/>])([^>]*)>")
_SPACES = re.compile(rb"""text:c\s*=\s*["'](\d+)["']""")  # how many spaces stand for one element
_REPEATED = re.compile(rb"""-repeated\s*=\s*["'](\d+)["']""")


def _check_size(file: InputFile, request: str | None) -> None:
    """Refuse too many cells in the requested sheet; if none is named, in any, since all are looked at.

    Raises:
        TreinoError: a cell beyond the last one that a sheet of Excel can have; more spaces than in any table.
    """
    with zipfile.ZipFile(file.path) as archive:
        paths, names = _sheet_paths(archive), archive.namelist()
        if "content.xml" in names and "xl/workbook.xml" not in names:
            xml = b"".join(zip_chunks(archive, "content.xml"))
            spaces = sum(int(count[:20]) for count in _SPACES.findall(xml))
            check_unpacked(file.path, file.path.stat().st_size, spaces)
            sizes = [("content.xml", *size) for size in _ods_sizes(xml)]
        else:
            sheets = [name for name in names if name.startswith("xl/") and name.endswith(".xml")]
            sheets = [paths[request]] if request in paths else sheets
            contents = ((name, b"".join(zip_chunks(archive, name))) for name in sheets)
            sizes = [(name, *_xlsx_size(file.path, xml)) for name, xml in contents if b"sheetData" in xml]
    for member, rows, columns in sizes:
        if rows * columns > MOST_CELLS or rows > _MOST_ROWS or columns > _MOST_COLUMNS:
            name = next((name for name, path in paths.items() if path == member), member)
            raise WORKBOOK_SIZE(path=file.path, name=name, rows=rows, columns=columns)


def _xlsx_size(path: Path, xml: bytes) -> tuple[int, int]:
    """Rows and columns from the first to the last cell of a sheet in an .xlsx."""
    rows: set[int] = set()
    columns: set[int] = set()
    for letters, digits in set(_PLACE_OF_CELL.findall(xml)):
        column = 0
        for letter in letters.upper()[:8]:
            column = column * 26 + letter - ord("A") + 1
        row = int(digits[:20] or 1)
        if row > _MOST_ROWS or column > _MOST_COLUMNS:
            cell = (letters + digits)[:40].decode()
            raise damaged(path, "", ValueError(_("there is no cell {cell}").format(cell=cell)))
        rows.add(row)
        columns.add(column or min(columns, default=1))
    return max(rows, default=0) - min(rows, default=1) + 1, max(columns, default=0) - min(
        columns, default=1
    ) + 1


def _ods_sizes(xml: bytes) -> Iterator[tuple[int, int]]:
    """Rows and columns of each sheet in an .ods, up to the last cell with a value."""
    rows = empty_rows = repeated = columns = at = 0
    for match in [*_ODS.finditer(xml), None]:
        kind, attributes = match.groups() if match is not None else (b"table", b"")
        times = int(n[1][:20]) if (n := _REPEATED.search(attributes)) else 1
        if kind == b"table":
            yield rows, columns
            rows = empty_rows = repeated = columns = at = 0
        elif kind == b"table-row":
            empty_rows, repeated, at = empty_rows + repeated, times, 0
        else:
            at += times
            if b"value" in attributes or not attributes.endswith(b"/"):
                columns = max(columns, at)
                rows, empty_rows, repeated = rows + empty_rows + repeated, 0, 0
