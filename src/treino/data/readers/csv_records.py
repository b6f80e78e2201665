"""Read a text file's records by Python's csv module: slower than pyarrow, but errors name the line."""

import csv
import io
import re
from collections.abc import Iterator

from treino.base.errors import TreinoError
from treino.base.words import _
from treino.data.readers.dialect import Dialect, foot
from treino.data.readers.file_bytes import DecodedText

_TAIL = 1 << 16  # bytes at the end in which notes below the table are looked for
_BLANK_LINE = re.compile(rb"(\n|\r(?!\n)|\A)[ \t]*[\r\n]")


def records(text: DecodedText, dialect: Dialect) -> Iterator[tuple[int, list[str]]]:
    """Yields (first line, cells) for each record, including the header; a cell that it lacks is added. A
    record of delimiters alone has no cells; a blank line is no record.

    Raises TreinoError naming the line of a record with wrong quotes or a wrong number of cells.
    """
    heading = list(dialect.heading)
    for line, cells in _with_blank_lines(text, dialect):
        if not _blank(cells, dialect):
            filled = any(map(str.strip, cells))
            cells, heading = heading or (cells if filled else [""] * dialect.width), []
            if len(cells) != dialect.width:
                raise ragged(text, line, len(cells), dialect)
            yield line, cells


def _with_blank_lines(text: DecodedText, dialect: Dialect) -> Iterator[tuple[int, list[str]]]:
    """Yields (first line, cells) for each record and each blank line."""
    lines = text.lines()
    for _line in range(dialect.skip):
        next(lines, None)
    reader = dialect.records(lines)
    line = 1 + dialect.skip
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise broken(text, line, str(error)) from None
        yield line, cells
        line = reader.line_num + 1 + dialect.skip


def _blank(cells: list[str], dialect: Dialect) -> bool:
    """Whether these are the cells of a blank line; a blank in quotes is the cell of a record of one."""
    return not cells or (len(cells) == 1 < dialect.width and not cells[0].strip())


def canonical(text: DecodedText, dialect: Dialect) -> Iterator[bytes]:
    """Yields the records without the header as CSV text, with commas between quoted cells."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\n", quoting=csv.QUOTE_ALL)
    for i, (_line, cells) in enumerate(records(text, dialect)):
        if i >= dialect.head:
            writer.writerow(cells)
        if out.tell() > 1 << 20:
            yield out.getvalue().encode()
            out.seek(0)
            out.truncate()
    yield out.getvalue().encode()


def blank_lines(text: DecodedText, dialect: Dialect) -> tuple[int, int]:
    """Return (the number of blank lines between the records, which are no rows; the first of them)."""
    count, blank = 0, list[int]()
    first, begun = 0, False
    for line, cells in _with_blank_lines(text, dialect) if may_have_blank_lines(text) else ():
        if _blank(cells, dialect):
            blank += [line] if begun else []
            continue
        count, first, begun = count + len(blank), first or next(iter(blank), 0), True
        blank.clear()
    return count, first


def may_have_blank_lines(text: DecodedText) -> bool:
    """Whether there may be blank lines; they may also be in a quoted cell, or at the end."""
    end = b""
    for chunk in text.chunks():
        if _BLANK_LINE.search(end + chunk):
            return True
        end = chunk[-64:]
    return False


def end_of(
    text: DecodedText, dialect: Dialect, keep_empty: bool = False
) -> tuple[int | None, list[list[str]]]:
    """Return (UTF-8 bytes before notes below the table, the notes' cells); (None, []) without notes.

    keep_empty: as in ``ReaderOptions``."""
    tail, size = b"", 0
    for chunk in text.chunks():
        tail, size = (tail + chunk)[-_TAIL:], size + len(chunk)
    lines = tail.splitlines(keepends=True)[len(tail) < size :]
    begin, rows = foot(lines, dialect, keep_empty)
    return (size - sum(map(len, lines[begin:])) if rows else None), rows


def ragged(text: DecodedText, line: int, got: int, dialect: Dialect) -> TreinoError:
    what = _("it has {got} of {want} cells.").format(got=got, want=dialect.width)
    move = _("Correct the line; a cell that holds '{delimiter}' belongs in quotes.").format(
        delimiter="\\t" if dialect.delimiter == "\t" else dialect.delimiter
    )
    return _refused("csv_ragged", text, line, what, move)


def broken(text: DecodedText, line: int, reason: str) -> TreinoError:
    if "field limit" in reason:
        return cell_too_long(text, line)
    if "unexpected end of data" in reason:
        move = _('Close it, or write a quote inside of a quoted cell as "".')
        return _refused("csv_unclosed_quote", text, line, _("a quote is opened and never closed."), move)
    move = _('Write a quote inside of a quoted cell as "".')
    return _refused("csv_quote", text, line, _("text follows a closing quote."), move)


def cell_too_long(text: DecodedText, line: int) -> TreinoError:
    what = _("a cell is longer than {limit} characters.").format(limit=csv.field_size_limit())
    move = _("Leave that column out of the file; a quote that is never closed also looks like this.")
    return _refused("csv_cell_too_long", text, line, what, move)


def _refused(rule: str, text: DecodedText, line: int, what: str, move: str) -> TreinoError:
    return TreinoError(
        rule, _("'{path}', line {n}: {what}").format(path=text.file.path, n=line, what=what), move
    )
