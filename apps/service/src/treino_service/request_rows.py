"""The rows of a request, read one by one from JSON or CSV, and what is said of a body that has none."""

import csv
import io
import json
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

Cell = Any  # None, a truth value, a number or a text
Columns = Mapping[str, Sequence[Cell]]  # or a pandas frame


class RequestError(Exception):
    """A request that can't be answered: the status of HTTP, a rule for programs, a sentence, and where the
    fault is (column, row, value)."""

    def __init__(self, status: int, rule: str, message: str, **place: Any) -> None:
        super().__init__(message)
        self.status = status
        self.document = {"error": {"rule": rule, "message": message, **place}}


def bad_cell(rule: str, column: str, row: int, cell: Cell, wanted: str) -> RequestError:
    """The refusal of a cell. row: counted from 0. wanted: what the cell should be."""
    value = shortened(cell if isinstance(cell, str) else str(cell))
    message = f"Column '{column}' holds {value!r} in row {row}, and {wanted} is wanted."
    return RequestError(422, rule, message, column=column, row=row, value=value)


def shortened(text: str) -> str:
    """At most 60 characters of a text."""
    return text if len(text) <= 60 else text[:59] + "…"


# ---- rows of a request


class Rows:
    """The rows of a request, as columns.

    columns: the cells of each column that is wanted. others: the names of the other columns, whose cells are
    not kept: a body may have as many names as rows.
    """

    def __init__(self, wanted: Iterable[str], most: int) -> None:
        """most: rows that are taken."""
        self.wanted, self.most, self.count = frozenset(wanted), most, 0
        self.columns: dict[str, list[Cell]] = {}
        self.others: dict[str, None] = {}

    def name(self, names: Iterable[str]) -> None:
        """Note which columns there are; the rows so far have no value in a new one."""
        for name in names:
            if name not in self.wanted:
                self.others[name] = None
            elif name not in self.columns:
                self.columns[name] = [None] * self.count

    def add(self, row: Mapping[str, Cell]) -> None:
        """Raises:
        RequestError: it is one too many.
        """
        if self.count >= self.most:
            message = f"A request may have {self.most} rows, and has more. Send it in parts."
            raise RequestError(413, "too_many_rows", message)
        self.name(row)
        self.count += 1
        for name, cells in self.columns.items():
            cells.append(row.get(name))


def text_of(content: bytes, rule: str, form: str) -> str:
    """The text of a body in UTF-8. rule, form: what is said of others."""
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        message = f"The body is no {form} in UTF-8, by its byte {error.start}."
        raise RequestError(400, rule, message) from None


def json_rows(text: str, rows: Rows) -> None:
    """Add rows as JSON: one object, a list of objects, or {"rows": [...]}. Each is read and counted before
    the next."""
    decoder = json.JSONDecoder(object_pairs_hook=_unique, parse_constant=_no_number, parse_int=_whole)
    escaped = "\\u" in text
    try:
        for row in _json_values(text, decoder):
            if not isinstance(row, dict):
                raise RequestError(
                    422, "rows_form", 'Rows are objects from column to value: [{"a": 1, "b": "x"}].'
                )
            if escaped:  # half a character, such as "\ud800", is no text
                json.dumps(row, ensure_ascii=False).encode()
            rows.add(row)
    except (ValueError, RecursionError) as error:
        raise RequestError(400, "json", f"The body is no JSON: {shortened(str(error))}") from None


_LIST_OF_ROWS = re.compile(r'\s*(\{\s*"rows"\s*:\s*)?\[', re.ASCII)
_SPACE = re.compile(r"[ \t\n\r]*")


def _json_values(text: str, decoder: json.JSONDecoder) -> Iterator[Any]:
    """The rows of a body, one after the other."""
    head = _LIST_OF_ROWS.match(text)
    if head is None:
        value = decoder.decode(text)
        listed = isinstance(value, dict) and isinstance(value.get("rows"), list)
        yield from value["rows"] if listed else [value]
        return
    at, sign = _after_space(text, head.end()), ","
    if text[at : at + 1] == "]":
        at, sign = at + 1, "]"
    while sign == ",":
        value, at = decoder.raw_decode(text, _after_space(text, at))
        yield value
        at = _after_space(text, at) + 1
        sign = text[at - 1 : at]
    if sign != "]":
        raise json.JSONDecodeError("Expecting ',' or ']'", text, at - 1)
    decoder.decode(('{"rows": 0' if head[1] else "0") + text[at:])  # what follows ends the body


def _after_space(text: str, at: int) -> int:
    match = _SPACE.match(text, at)
    return match.end() if match else at


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    row = {unicodedata.normalize("NFC", name): value for name, value in pairs}
    if len(row) < len(pairs):
        raise ValueError("a name comes twice in an object")
    return row


def _no_number(name: str) -> None:
    raise ValueError(f"{name} is no JSON; write null for a missing value")


def _whole(digits: str) -> float:
    return int(digits) if len(digits) <= 600 else float(digits)  # beyond float64: infinite


def csv_rows(text: str, delimiters: Sequence[str], rows: Rows) -> None:
    """Add rows as CSV with a header. delimiters: the one is taken that shows most of the wanted columns, or
    else the first."""
    counts, names, text = dict[str, int](), list[str](), unicodedata.normalize("NFC", text)
    try:
        for sign in delimiters:
            head = next(csv.reader(io.StringIO(text, newline=""), delimiter=sign), [])
            counts[sign] = len(rows.wanted & set(map(str.strip, head)))
        sign = max(delimiters, key=counts.__getitem__)
        for line in filter(None, csv.reader(io.StringIO(text, newline=""), delimiter=sign, strict=True)):
            if not names:
                names = [name.strip() for name in line]
                if twice := next((name for name, n in Counter(names).items() if n > 1), None):
                    message = f"Two columns are named '{twice}'."
                    raise RequestError(422, "column_name_duplicate", message, column=twice)
                rows.name(names)
            elif len(line) != len(names):
                message = f"Row {rows.count} has {len(line)} cells, and the header {len(names)}."
                raise RequestError(422, "csv_cells", message, row=rows.count)
            else:
                rows.add(dict(zip(names, line, strict=True)))
    except csv.Error as error:
        raise RequestError(400, "csv", f"The body is no CSV: {error}.") from None
