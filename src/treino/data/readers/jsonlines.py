"""Read tables of JSON lines, with one object per row; errors name the line."""

import json
import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from itertools import islice
from typing import Any

import pyarrow as pa

from treino.base.errors import Refusal, TreinoError
from treino.base.text import composed, shortened
from treino.base.words import _
from treino.data.readers.columnar import TABLE_COLUMNS, ColumnarFile
from treino.data.readers.csv_records import may_have_blank_lines
from treino.data.readers.dialect import blank_lines_note
from treino.data.readers.file_bytes import DecodedText, InputFile, decide
from treino.data.readers.reader_options import ReaderOptions
from treino.data.table import LARGEST_WHOLE, check_names, plain

JSON_LINE = Refusal(
    "'{path}', line {n} is no JSON object: {reason}.", "Write one object to a line, as {example}."
)
_ROWS = 1 << 14
_SURROGATE = re.compile("[\ud800-\udfff]")
JsonObject = dict[str, object]
"""The object of a line: names with values of any JSON type."""

_KINDS = {bool: "truth", int: "number", float: "number", str: "text"}


def open_json_lines(file: InputFile, reading: ReaderOptions) -> ColumnarFile:
    """Open a file of JSON lines: read the names and the types of their values over all lines."""
    text = decide(file, reading.encoding)
    kinds: dict[str, set[str]] = {}
    large: set[str] = set()
    rounded: set[str] = set()
    for _line, values in _objects(text):
        for name, value in values.items():
            column_kinds = kinds.setdefault(name, set())
            if value is not None:
                column_kinds.add(_KINDS.get(type(value), "nested"))
            if type(value) is float or (type(value) is int and abs(value) >= 10**38):
                rounded.add(name)
            elif type(value) is int and abs(value) >= LARGEST_WHOLE:
                large.add(name)
    check_names(list(kinds), f"'{file.path}'")
    plain_kinds = {name: of for name, of in kinds.items() if "nested" not in of}
    if not plain_kinds:
        raise TABLE_COLUMNS(what=f"'{file.path}'")
    exact = frozenset(name for name in large - rounded if kinds[name] == {"number"})
    return ColumnarFile(
        file,
        tuple(plain_kinds),
        tuple(pa.field(name, pa.struct([])) for name in kinds if name not in plain_kinds),
        lambda _names: _batches(text, plain_kinds, exact),
        form=_("JSON lines"),
        place=lambda row: _("line {n}").format(n=next(islice(_objects(text), row, None), (0,))[0]),
        blank_note=lambda: _blank_note(text),
    )


def _blank_note(text: DecodedText) -> str:
    """A note on blank lines between the objects; "" without any."""
    last = count = first = 0
    for line, _values in _objects(text) if may_have_blank_lines(text) else ():
        if last and line - last > 1:
            first, count = first or last + 1, count + line - last - 1
        last = line
    return blank_lines_note(count, first)


def _batches(
    text: DecodedText, kinds: Mapping[str, set[str]], exact: frozenset[str]
) -> Iterator[pa.RecordBatch]:
    """Yield the rows. If a line lacks a name, the cell is missing.

    kinds: the types of the values of each name, over all lines. exact: names with whole numbers that float64
    can't represent exactly.
    """
    objects = (values for _line, values in _objects(text))
    while rows := list(islice(objects, _ROWS)):
        cells = {name: [row.get(name) for row in rows] for name in kinds}
        columns = {name: _column(cells[name], of, name in exact) for name, of in kinds.items()}
        yield pa.RecordBatch.from_pydict(columns)


def _column(values: list[Any], kinds: set[str], exact: bool) -> pa.Array:
    if kinds == {"truth"}:
        return pa.array(values, pa.bool_())
    if exact:
        return pa.array([None if v is None else Decimal(v) for v in values], pa.decimal128(38, 0))
    values = [None if v is None or v != v else v for v in values]  # NaN: there is no value
    if kinds == {"number"} or not kinds:
        return pa.array([None if v is None else _float(v) for v in values], pa.float64())
    return pa.array([None if v is None else _word(v) for v in values], pa.string())


def _objects(text: DecodedText) -> Iterator[tuple[int, JsonObject]]:
    """Yields (line number, object) for each line that isn't blank."""
    for number, line in enumerate(text.lines(), 1):
        if not line.strip():
            continue
        try:
            value = json.loads(line, object_pairs_hook=_unique)
        except (ValueError, RecursionError) as error:
            raise _broken(text, number, str(error)) from None
        if not isinstance(value, dict):
            raise _broken(text, number, _("it is no object"))
        if "\\u" in line and (half := _SURROGATE.search("".join(map(str, [*value, *value.values()])))):
            raise _broken(text, number, _("\\u{code:x} is half a character").format(code=ord(half[0])))
        yield number, value


def _unique(pairs: list[tuple[str, object]]) -> JsonObject:
    content = {composed(name): value for name, value in pairs}
    if len(content) < len(pairs):
        raise ValueError(_("a name comes twice"))
    return content


def _broken(text: DecodedText, line: int, reason: str) -> TreinoError:
    example = '{"a": 1, "b": "x"}'
    return JSON_LINE(path=text.file.path, n=line, reason=shortened(reason, 100), example=example)


def _float(value: float) -> float:
    try:
        return float(value)
    except OverflowError:
        return float("inf") if value > 0 else float("-inf")


def _word(value: Any) -> str:
    """The text of a value in a column of mixed types."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else plain(_float(value))
