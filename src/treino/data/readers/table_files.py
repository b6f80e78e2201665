"""Read a table from files: detect column types over all rows, then read columns block by block.

The first pass keeps the batches in memory or, if they don't fit, in a file. Both give the same columns.
"""

import glob
import hashlib
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from pyarrow import compute

from treino.base.errors import Refusal
from treino.base.files import sha256
from treino.base.text import composed, shortened
from treino.base.words import N_, _, joined, setting
from treino.data.cell_forms import form_of
from treino.data.large_tables import stored_columns
from treino.data.readers.cell_types import PIVOT, CellStatistics
from treino.data.readers.columnar import ColumnarFile, ColumnTypes, RowSpill, is_text, open_columnar
from treino.data.readers.conventions import FileConventions, decide
from treino.data.readers.delimited import DelimitedFile, UnconvertedError, open_delimited
from treino.data.readers.file_bytes import beginning, open_file
from treino.data.readers.jsonlines import open_json_lines
from treino.data.readers.reader_options import ReaderOptions
from treino.data.readers.workbook import SHEET_NO_ROWS, open_workbook
from treino.data.rows import MemoryLimit
from treino.data.table import DURATIONS_AS_NUMBERS, Column, RowPlace, Table, among_all
from treino.settings.setting_types import as_items

SHEET_OF_NO_WORKBOOK = Refusal("'{path}' has no sheets: it is no workbook.", "Leave [[sheet]] out.")
JSON_ARRAY = Refusal(
    "'{path}' is one JSON array, not JSON lines.",
    "Write one object to a line; pandas: to_json(path, lines=True, orient='records').",
)
FILES_TYPES = Refusal(
    "In '{path}', column '{name}' is of another type than in the files before: {a}, not {b}.",
    "Write the files alike, or give them as CSV.",
)
FILES_COLUMNS = Refusal(
    "'{path}' hasn't the columns of '{first}': it {said}.",
    "Give files of equal columns, or a narrower pattern.",
)

HEADER_AGAIN = Refusal(
    "In {what}, the header is repeated among the rows, in {place}: {names}.",
    "Delete that line, and any other that is like it.",
)

Part = DelimitedFile | ColumnarFile

_TOTAL = re.compile(
    r"(grand |sub-?|overall )?totals?( geral)?|sum|summe|gesamt|insgesamt|soma|mean|average|m[ée]dia",
    re.IGNORECASE,
)


def _of_last_row(columns: Sequence[Column], place: RowPlace) -> Iterator[str]:
    """Yield a note if the last row looks like a total: by a word such as Total that occurs only there, or
    because each of its numbers is the sum of the numbers above."""
    last = len(columns[0]) - 1
    words = [c for c in columns if c.values is None]
    numbers = [c.numbers for c in columns if c.numbers is not None and not c.boolean and last >= 3]
    once = (c.cell(last) for c in words if np.sum(c.words == c.cell(last)) == 1)
    named = next((cell for cell in once if _TOTAL.fullmatch(cell.rstrip(":. "))), None)
    with np.errstate(all="ignore"):  # sums may overflow
        sums = len(numbers) > 1 and all(
            np.isfinite(v[-1]) and v[-1] and abs(np.nansum(v[:-1]) - v[-1]) <= 1e-6 * np.nansum(np.abs(v))
            for v in numbers
        )
    if numbers and (named or sums):
        yield _(
            "The last row, in {place}, looks like a total of those above ('{cell}'), and is a row like "
            "any other: delete it if it is one."
        ).format(place=place(last), cell=shortened(named or columns[0].cell(last)))


def read_table(
    source: str, reading: ReaderOptions, least_columns: int, room: MemoryLimit | None = None
) -> tuple[Table, ColumnTypes]:
    """Return the table in a file, or in all files that match a pattern, and the types of its columns."""
    paths = paths_of(source)
    parts = [open_part(path, reading, least_columns) for path in paths]
    _check_alike(parts)
    name, sha256 = identity(source)
    files = tuple(map(str, paths)) if len(paths) > 1 else ()
    of: dict[str, str] = {"name": name, "what": f"'{source}'", "source": source, "sha256": sha256}
    return read_parts(parts, reading, **of, files=files, room=room)


def identity(source: str) -> tuple[str, str]:
    """Return (name, SHA-256 of the content) for the table in a file, or in all files that match a pattern."""
    paths = paths_of(source)
    digests = [sha256(path) for path in paths]
    if len(paths) == 1:
        name = paths[0].name.removesuffix(".gz").removesuffix(".zst").removesuffix(".zip")
        return Path(name).stem or paths[0].stem, digests[0]  # rents for rents.csv.gz
    together = hashlib.sha256("".join(digests).encode()).hexdigest()
    return paths[0].parent.resolve().name or "table", together


def read_parts(
    parts: Sequence[Part],
    reading: ReaderOptions,
    *,
    name: str,
    what: str,
    source: str = "",
    sha256: str | None = None,
    files: tuple[str, ...] = (),
    room: MemoryLimit | None = None,
) -> tuple[Table, ColumnTypes]:
    """Return the table that the parts form together, and the types of its columns.

    source: the path or pattern; "" for a frame. room: the memory limit; beyond it the rows are in a file, and
    each column is read when it is used. None: no limit.
    """
    names = parts[0].names
    unknown = [column for column in reading.text if column not in names]
    place_of_record = _place(parts)
    left_out: list[int] = []  # the records without any cell

    def place(row: int) -> str:
        return place_of_record(row if not left_out else int(among_all(np.array([row]), left_out)[0]))

    sign, fast = _fast(parts, reading)
    tries = 0
    while True:
        spilling = None if room is None else RowSpill(room)
        look = _ColumnPass(names, reading, sign, fast, [] if spilling is None else spilling)
        try:
            look.at(parts)
            left_out[:] = look.left_out
            if not look.rows:
                raise SHEET_NO_ROWS(what=what)
            if look.header_again is not None:
                names_text = shortened(", ".join(names), 100)
                raise HEADER_AGAIN(what=what, place=place(look.header_again), names=names_text)
            decided = decide(list(look.seen.values()), reading, what, place, typed=look.typed)
            if not (reading.missing is None and decided.open and look.gaps):
                break
            fast = {name: kind for name, kind in fast.items() if name not in look.gaps}
        except UnconvertedError as error:
            fast = {} if tries else {name: kind for name, kind in fast.items() if name != error.column}
            tries += 1
        finally:
            if spilling is not None:
                spilling.close()
    notes = [_read_as([*parts[0].notes(), *_conventions(decided)])]
    if reading.keep_empty:  # rows to predict: what isn't among them, not how they are written
        remarks = dict.fromkeys(remark for part in parts for remark in part.remarks)
        notes = [_read_as([*remarks]), *(part.blank_note() for part in parts)]
    notes = [note for note in [*notes, *_words_notes(decided, place)] if note]
    if left_out:
        notes.append(_("Rows without any cell, which are left out: {n}.").format(n=len(left_out)))
    if unknown:
        notes.append(_("No such column to keep as text: {names}.").format(names=", ".join(unknown)))
    options = ReaderOptions(
        decimal=None if decided.comma is None else "," if decided.comma else ".",
        dates=None if decided.day_first is None else "day/month" if decided.day_first else "month/day",
        text=reading.text,
        missing=decided.missing,
        forms=tuple(
            (c.name, "whole" if fast.get(c.name) == pa.int64() else c.holds)
            for c in decided.columns
            if c.name not in reading.text
        ),
        grouped=decided.grouped,
    )
    decisions = {decision.name: decision for decision in decided.columns}
    types = ColumnTypes(names, look.rows, decisions, look.levels, decided.missing)
    stored = spilling is not None and spilling.spilled
    if spilling is not None and stored:
        columns = stored_columns(types, spilling)
    else:
        columns = types.columns(pa.Table.from_batches(list(look.batches)))
        notes += _of_last_row(columns, place)
    of_source: Any = {"notes": tuple(notes), "files": files, "reading": options, "stored": stored}
    of_source["left_out"] = tuple(left_out)
    return Table(name, source or name, sha256, columns, place, **of_source), types


@dataclass(eq=False)
class _ColumnPass:
    """A pass over all rows of all parts that gathers statistics of text columns and classes of categories.

    fast: the columns that pyarrow reads directly as numbers. sign: their decimal sign. gaps: fast columns
    with missing cells, whose text is lost. typed: whether some columns hold numbers that aren't text in the
    source. header_again: the first row that repeats the columns' names; None if none does. left_out: the
    numbers of the records without any cell, unless they are kept.
    """

    names: tuple[str, ...]
    reading: ReaderOptions
    sign: str
    fast: Mapping[str, pa.DataType]
    batches: list[pa.RecordBatch] | RowSpill
    seen: dict[str, CellStatistics] = field(default_factory=dict)
    levels: dict[str, tuple[str, ...]] = field(default_factory=dict)
    gaps: set[str] = field(default_factory=set)
    typed: bool = False
    header_again: int | None = None
    rows: int = 0
    left_out: list[int] = field(default_factory=list)

    def at(self, parts: Sequence[Part]) -> None:
        """Read all rows. Raises UnconvertedError for a fast column with other cells."""
        first = [seen for part in parts for seen in part.seen]
        first.sort(key=lambda seen: seen.numbers.verdict in ("first", "second"))  # proven notations come last
        sampled = {seen.name: seen for seen in first}
        for batch in self._records(parts):
            for name, cells in zip(self.names, batch.columns, strict=True):
                if is_text(cells.type):
                    column = self.seen.setdefault(name, CellStatistics.of(name, self.reading))
                    column.see(cells, self.rows)
                elif pa.types.is_dictionary(cells.type):
                    more = [
                        composed(str(level).strip())
                        for level in cells.dictionary.to_pylist()
                        if level is not None
                    ]
                    self.levels[name] = tuple(dict.fromkeys([*self.levels.get(name, ()), *more]))
                elif name in self.fast:
                    self.seen.setdefault(name, sampled[name])
                    self.gaps |= {name} if cells.null_count else set()
                elif pa.types.is_integer(cells.type) or pa.types.is_floating(cells.type):
                    self.typed = True
            if self.header_again is None and (at := _header_in(batch, self.names)) is not None:
                self.header_again = self.rows + at
            self.rows += batch.num_rows
            self.batches.append(batch)

    def _records(self, parts: Sequence[Part]) -> Iterator[pa.RecordBatch]:
        """Yields all batches of all parts, with the columns in the first part's order."""
        schema: pa.Schema | None = None
        read = 0
        for part in parts:
            position = {name: j for j, name in enumerate(part.names)}
            order = [position[name] for name in self.names]
            types = {position[name]: kind for name, kind in self.fast.items()}
            for batch in part.batches(types, self.sign):
                columns = [batch.column(j) for j in order]
                if len(parts) > 1 and part.typed:
                    columns = [_widened(cells) for cells in columns]
                records = pa.RecordBatch.from_arrays(columns, names=list(self.names))
                if not (part.typed or self.reading.keep_empty):
                    records = self._filled(records, read)
                read += batch.num_rows
                schema = records.schema if schema is None else schema
                for own, other in zip(records.schema, schema, strict=True):
                    if own.type != other.type:
                        path, a, b = part.file and part.file.path, own.type, other.type
                        raise FILES_TYPES(path=path, name=own.name, a=a, b=b)
                yield records

    def _filled(self, records: pa.RecordBatch, first: int) -> pa.RecordBatch:
        """The rows without entirely empty ones, if there is more than one column. first: the number of the
        first row."""
        empty: Any = records.num_columns > 1
        for cells in records.columns if empty else ():
            none = compute.is_null(cells)
            if is_text(cells.type):
                none = compute.equal(compute.utf8_trim_whitespace(cells), "")
            empty = none if empty is True else compute.and_(empty, none)
            if not compute.any(empty).as_py():
                return records
        if empty is False:
            return records
        self.left_out += (np.flatnonzero(np.asarray(empty)) + first).tolist()
        return records.filter(compute.invert(empty))


def _header_in(records: pa.RecordBatch, names: Sequence[str]) -> int | None:
    """The first row whose cells are the names of all columns, if there are several; None if there is none."""
    if len(names) < 2 or not all(is_text(cells.type) for cells in records.columns):
        return None
    same: Any = True
    for name, cells in zip(names, records.columns, strict=True):
        equal = compute.equal(compute.utf8_trim_whitespace(cells), name)
        same = equal if same is True else compute.and_(same, equal)
        if not compute.any(same).as_py():
            return None
    return int(compute.index(same, True).as_py())


def _widened(cells: pa.Array) -> pa.Array:
    """The cells, with numbers of any type as float64: one file may hold 1 and the next 1.5."""
    kind = cells.type
    if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        return cells.cast(pa.float64(), safe=False)
    return cells


def _fast(parts: Sequence[Part], reading: ReaderOptions) -> tuple[str, dict[str, pa.DataType]]:
    """Return (decimal sign, types of the columns that hold numbers in the first rows), for pyarrow.

    Decimals need a proven sign; whole numbers need a file without leading zeros, which would be lost.
    """
    sampled = [seen for part in parts for seen in part.seen]
    if any(form_of(word) is not None for word in reading.missing or ()):
        return ".", {}  # a number such as -999 that means a missing value
    verdicts = {seen.numbers.verdict for seen in sampled if seen.numbers.cells}
    signs = [sign for sign, verdict in ((".", "first"), (",", "second")) if verdict in verdicts]
    if reading.decimal is not None:
        signs = [reading.decimal]
    if "mixed" in verdicts or len(signs) > 1 or not all(part.seen for part in parts):
        return ".", {}
    fits = {"open", "first" if signs == ["."] else "second"} if signs else set()
    kinds: dict[str, set[pa.DataType | None]] = {}
    for seen in sampled:
        unlike = seen.exact or seen.name in reading.text or seen.wanted in ("words", "truth")
        verdict = "no" if unlike or not seen.plain else seen.numbers.verdict
        kind = pa.int64() if verdict == "same" else None
        if verdict in fits and seen.wanted != "levels":
            kind = pa.float64()
        kinds.setdefault(seen.name, set()).add(kind)
    types = {name: kind for name, (kind, *more) in kinds.items() if kind is not None and not more}
    if pa.int64() in types.values() and any(
        isinstance(part, DelimitedFile) and part.padded for part in parts
    ):
        types = {name: kind for name, kind in types.items() if kind != pa.int64()}
    return (signs or ["."])[0], types


def paths_of(source: str) -> list[Path]:
    """The file with that name, if it exists; else the sorted files that match the pattern."""
    if os.path.lexists(source) or not glob.has_magic(source):
        return [Path(source)]
    return [Path(path) for path in sorted(glob.glob(source, recursive=True)) if not os.path.isdir(path)]


def open_part(path: Path, reading: ReaderOptions, least_columns: int) -> Part:
    """Open one file of a table."""
    file = open_file(path)
    if file.content == "workbook":
        return open_workbook(file, reading)
    if reading.sheet is not None:
        raise SHEET_OF_NO_WORKBOOK(path=file.path)
    if file.content != "text":
        return open_columnar(file)
    start = beginning(file)
    if start[:1] == "{" and start[1:].lstrip()[:1] in ('"', "}"):
        return open_json_lines(file, reading)
    if start[:1] == "[" and start[1:].lstrip()[:1] == "{":
        raise JSON_ARRAY(path=file.path)
    return open_delimited(file, reading, least_columns)


def open_delimited_file(path: Path, reading: ReaderOptions) -> DelimitedFile | None:
    """Open a file of delimited text; None if its content is something else."""
    part = open_part(path, reading, least_columns=1)
    return part if isinstance(part, DelimitedFile) else None


def _check_alike(parts: Sequence[Part]) -> None:
    """Refuse files that don't have the same columns; the error names the differences."""
    first = parts[0]
    for part in parts[1:]:
        lacks = [name for name in first.names if name not in part.names]
        more = [name for name in part.names if name not in first.names]
        said = [_("lacks {names}").format(names=shortened(", ".join(lacks), 100))] if lacks else []
        said += [_("has {names} beside").format(names=shortened(", ".join(more), 100))] if more else []
        if said or first.typed != part.typed:
            said = said or [_("is of another format")]
            paths = {"path": part.file and part.file.path, "first": first.file and first.file.path}
            raise FILES_COLUMNS(said=_(" and ").join(said), **paths)


def _place(parts: Sequence[Part]) -> RowPlace:
    if len(parts) == 1:
        return parts[0].place

    def place(row: int) -> str:
        for part in parts:
            rows = sum(batch.num_rows for batch in part.batches({}, "."))
            if row < rows:
                assert part.file is not None
                return _("'{path}', {place}").format(path=part.file.path, place=part.place(row))
            row -= rows
        return _("row {n}").format(n=row)

    return place


def _read_as(parts: Sequence[str]) -> str:
    """A note on how a file was read; "" if it is plain CSV."""
    return _("Read as: {parts}.").format(parts=joined(parts, "; ")) if parts else ""


def _conventions(decided: FileConventions) -> Iterator[str]:
    if decided.comma:
        yield _("decimal comma")
    if decided.day_first is not None:
        yield _("dates day/month/year") if decided.day_first else _("dates month/day/year")
    if emptied := [column.name for column in decided.columns if column.missing]:
        yield _("{words} for no value, in columns of text too ({names})").format(
            words=", ".join(decided.missing), names=shortened(", ".join(emptied), 100)
        )
    if decided.nothing:
        words = sorted({word for nothing in decided.nothing.values() for word in nothing})
        yield _("{words} for no value ({names})").format(
            words=shortened(", ".join(words), 100), names=shortened(", ".join(decided.nothing), 100)
        )
    if any(c.form is not None and c.form.order.startswith("short") for c in decided.columns):
        yield _("years 00 to {last} as 2000 to 20{last}").format(last=str(PIVOT - 1))


_CODES = {
    "codes": N_("Codes such as '{cell}' are taken as words, not as numbers with an exponent: {name}."),
    "dotted": N_(
        "Codes such as '{cell}' are taken as words, for other numbers are written otherwise: {name}."
    ),
}


def _words_notes(decided: FileConventions, place: RowPlace) -> list[str]:
    """Notes on text columns in which most cells are, or seem to be, numbers or dates."""
    notes = []
    for column in decided.columns:
        name, cells = column.name, [cell for cell, _row in column.examples]
        if column.mostly in _CODES:
            notes.append(_(_CODES[column.mostly]).format(name=name, cell=cells[0]))
        elif column.mostly == "duration":
            text = _("'{name}' holds durations such as '{cell}', which are taken as words.")
            text = text.format(name=name, cell=shortened(cells[0]))
            notes.append(joined([text, " ", _(DURATIONS_AS_NUMBERS), "."]))
        elif column.mostly and cells:
            odd = joined([f"'{shortened(cell)}' ({place(row)})" for cell, row in column.examples], ", ")
            kind = {"number": _("numbers"), "date": _("dates")}.get(column.mostly, _("times"))
            text = _("'{name}' is taken as words: most of it are {kind}, but not {cells}.")
            move = _("If they stand for no value: {setting}.")
            move = move.format(setting=setting("missing", as_items(cells)))
            notes.append(joined([text.format(name=name, kind=kind, cells=odd), move], " "))
    return notes
