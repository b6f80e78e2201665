"""Read a text file's records by Python's csv module: slower than pyarrow, but errors name the line."""

import csv
import io
from collections.abc import Iterator

from treino.base.errors import TreinoError
from treino.base.words import _
from treino.data.readers.dialect import Dialect, foot
from treino.data.readers.file_bytes import ByteStream, DecodedText

_TAIL = 1 << 16  # bytes at the end in which notes below the table are looked for


def records(text: DecodedText, dialect: Dialect) -> Iterator[tuple[int, list[str]]]:
    """Yields (first line, cells) for each record that isn't blank, including the header; a cell that it
    lacks is added.

    Raises TreinoError naming the line of a record with wrong quotes or a wrong number of cells.
    """
    stream = io.TextIOWrapper(io.BufferedReader(ByteStream(text.chunks())), encoding="utf-8", newline="")
    lines: Iterator[str] = iter(stream)
    for _line in range(dialect.skip):
        next(lines, None)
    reader = dialect.records(lines)
    line, heading = 1 + dialect.skip, list(dialect.heading)
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise broken(text, line, str(error)) from None
        if any(map(str.strip, cells)) or len(cells) == dialect.width == 1:
            cells, heading = heading or cells, []
            if len(cells) != dialect.width:
                raise ragged(text, line, len(cells), dialect)
            yield line, cells
        line = reader.line_num + 1 + dialect.skip


def line_of(text: DecodedText, dialect: Dialect, row: int) -> int:
    """The line at which a row begins. row: counted from 0, after the header."""
    number = row + dialect.head
    return next((line for i, (line, _cells) in enumerate(records(text, dialect)) if i == number), 0)


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


def end_of(text: DecodedText, dialect: Dialect) -> tuple[int | None, list[list[str]]]:
    """Return (UTF-8 bytes before notes below the table, the notes' cells); (None, []) without notes."""
    tail, size = b"", 0
    for chunk in text.chunks():
        tail, size = (tail + chunk)[-_TAIL:], size + len(chunk)
    lines = tail.splitlines(keepends=True)[len(tail) < size :]
    begin, rows = foot(lines, dialect)
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
