"""The sizes of a workbook's sheets, from its XML, before anything is read.

calamine makes room for every cell between the first and the last of a sheet. One far cell, or one that is
repeated a billion times, would take all memory, and Rust ends the process without an error.
"""

import re
import zipfile
from collections.abc import Iterator
from pathlib import Path

from treino.base.words import _
from treino.data.readers.file_bytes import check_unpacked, damaged
from treino.data.readers.zip_members import zip_chunks

MOST_CELLS = 30_000_000
_MOST_ROWS, _MOST_COLUMNS = 1 << 20, 1 << 14  # of a sheet in Excel
_PLACE = re.compile(rb"""\sr\s*=\s*["']([A-Za-z]*)(\d*)["']""")  # of a cell; of a row without letters
_ODS = re.compile(rb"<table:(table|table-row|table-cell|covered-table-cell)(?=[\s/>])([^>]*)>")
_SPACES = re.compile(rb"""text:c\s*=\s*["'](\d+)["']""")  # how many spaces stand for one element
_REPEATED = re.compile(rb"""-repeated\s*=\s*["'](\d+)["']""")


def too_large(path: Path, sheet: str | None) -> tuple[str, int, int] | None:
    """Return (member, rows, columns) of the first sheet that is too large to be read, if there is one.

    sheet: the member of an .xlsx that alone is read; None for all.

    Raises:
        TreinoError: a cell beyond the last one that a sheet of Excel can have; more spaces than in any table.
    """
    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
        if "content.xml" in names and "xl/workbook.xml" not in names:
            xml = _content(archive, "content.xml")
            spaces = sum(int(count[:20]) for count in _SPACES.findall(xml))
            check_unpacked(path, path.stat().st_size, spaces)
            sizes = [("content.xml", *size) for size in _ods_sizes(xml)]
        else:
            sheets = [name for name in names if name.startswith("xl/") and name.endswith(".xml")]
            sheets = sheets if sheet is None else [sheet]
            contents = ((name, _content(archive, name)) for name in sheets)
            sizes = [(name, *_xlsx_size(path, xml)) for name, xml in contents if b"sheetData" in xml]
    return next(
        (s for s in sizes if s[1] * s[2] > MOST_CELLS or s[1] > _MOST_ROWS or s[2] > _MOST_COLUMNS), None
    )


def _content(archive: zipfile.ZipFile, name: str) -> bytes:
    return b"".join(zip_chunks(archive, name))


def _xlsx_size(path: Path, xml: bytes) -> tuple[int, int]:
    """Rows and columns from the first to the last cell of a sheet in an .xlsx."""
    rows: set[int] = set()
    columns: set[int] = set()
    for letters, digits in set(_PLACE.findall(xml)):
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
