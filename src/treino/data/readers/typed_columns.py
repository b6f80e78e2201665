"""Columns that already have a type: from Parquet and Arrow files, polars and JSON."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow import compute

from treino.data.readers.cell_types import words_of
from treino.data.table import LARGEST_WHOLE, Column

_UNITS = {"s": 1.0, "ms": 1e3, "us": 1e6, "ns": 1e9}


def is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind))


def is_known(kind: pa.DataType) -> bool:
    """Whether a column can be made of this type: not of lists, structures and bytes."""
    if pa.types.is_dictionary(kind):
        return is_known(kind.value_type)
    t = pa.types
    tests = (t.is_boolean, t.is_integer, t.is_floating, t.is_decimal, t.is_temporal, t.is_null, is_text)
    return any(test(kind) for test in tests) and not t.is_interval(kind)


def column(name: str, cells: pa.ChunkedArray, levels: tuple[str, ...] = ()) -> Column:
    """The column of cells of a known type that is not text. levels: of a category, in their order."""
    kind = cells.type
    if pa.types.is_dictionary(kind):
        plain = cells.cast(kind.value_type)
        if not is_text(plain.type):
            return column(name, plain)
        words = words_of(compute.fill_null(plain, ""))
        return Column(name, None, words, categories=levels, ordered=bool(kind.ordered))
    if pa.types.is_boolean(kind):
        text = compute.if_else(cells, "true", "false")
        words = words_of(compute.fill_null(text, ""))
        return Column(name, _floats(cells.cast(pa.uint8())), words, boolean=True)
    if pa.types.is_date(kind) or pa.types.is_timestamp(kind):
        return Column(name, None, None, seconds=_seconds(cells))
    if pa.types.is_time(kind) or pa.types.is_duration(kind):
        whole = cells.cast(pa.int32() if pa.types.is_time32(kind) else pa.int64())
        second_N = _floats(whole) / _UNITS[kind.unit]
        clock = bool(pa.types.is_time(kind))
        return Column(name, seconds=second_N, clock=True) if clock else Column(name, second_N)
    plain_column = Column(name, _floats(cells))
    if plain_column.merges and (pa.types.is_integer(kind) or pa.types.is_decimal(kind)):
        return Column(name, plain_column.numbers, words_of(compute.fill_null(cells.cast(pa.string()), "")))
    return plain_column


def _seconds(cells: pa.ChunkedArray) -> NDArray[np.float64]:
    """Seconds since 1970 from days or smaller units. With a time zone, Arrow already stores UTC."""
    kind = cells.type
    if pa.types.is_date32(kind):
        return _floats(cells.cast(pa.int32())) * 86400.0
    if pa.types.is_date64(kind):
        return _floats(cells.cast(pa.int64())) / 1e3
    return _floats(cells.cast(pa.int64())) / _UNITS[kind.unit]


def _floats(cells: pa.ChunkedArray) -> NDArray[np.float64]:
    """``[N]`` float64, NaN for missing cells. Whole numbers beyond 2^53 are rounded."""
    out = np.empty(len(cells))
    row = 0
    for chunk in cells.chunks if isinstance(cells, pa.ChunkedArray) else [cells]:
        if pa.types.is_decimal(chunk.type):
            chunk = chunk.cast(pa.float64())
        out[row : row + len(chunk)] = chunk.to_numpy(zero_copy_only=False)
        row += len(chunk)
    return out


def exact_wholes(cells: Sequence[Any]) -> pa.Array | None:
    """Python numbers as a column that keeps all digits, if all are whole and some are 2^53 or more; else
    None, also if one has more than 38 digits. A None among them is a missing cell."""
    present = [cell for cell in cells if cell is not None]
    if not all(isinstance(cell, int | np.integer) for cell in present):
        return None
    most = max((abs(int(cell)) for cell in present), default=0)
    if not LARGEST_WHOLE <= most < 10**38:
        return None
    return pa.array([None if cell is None else Decimal(int(cell)) for cell in cells], pa.decimal128(38, 0))
