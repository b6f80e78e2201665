"""Read a table from any source: a built-in's name, a path, a frame (pandas, polars, Arrow), arrays.

Every column becomes an Arrow column, so that the same code detects column types as for a file.
"""

import datetime
import difflib
import glob
import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray

from treino.base.errors import Refusal, nearest
from treino.base.text import composed
from treino.base.words import _
from treino.data.builtins import BUILTINS
from treino.data.readers import ReaderOptions, read_file
from treino.data.rows import MemoryLimit
from treino.data.table import LARGEST_WHOLE, Column, Table, check_names, row_place
from treino.settings.setting_types import as_items

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

DATA_TYPE = Refusal(
    "Data can't be read from a {type}.",
    "Give a built-in's name, a table's path, a frame of pandas or polars, (X, y) or (X, y, weights).",
)
X_SHAPE = Refusal(
    "X has the shape {shape}, not [rows, columns].",
    "Reshape it: X.reshape(len(X), -1); arrays with more axes are given with their targets, (X, y).",
    rule="arrays_shape",
)
FRAME_EMPTY = Refusal(
    "There is nothing in it: {rows} rows and {columns} columns.", "Give at least a few rows and a feature."
)
NAME_UNKNOWN = Refusal(
    "'{source}' is no name of a data set or file.", "Built-in: {names}.", rule="data_unknown"
)
NOTHING_OF_THAT_NAME = Refusal(
    "There is no file '{source}', and no built-in data set of that name.", "{hint}", rule="data_unknown"
)
DATA_AMBIGUOUS = Refusal(
    "'{name}' is a built-in data set, and a file here has that name too.",
    "Write ./{name} for the file; for the built-in, rename the file.",
)
NO_FILE_FITS = Refusal(
    "No file fits the pattern '{source}'.",
    "Look where you are, and write the pattern in quotes: '{source}'.",
    rule="data_unknown",
)
ITEM_NOT_FINITE = Refusal(
    "x of {where} holds numbers that are not finite.", "Leave the item out, or fill the gap."
)
TARGET_OF_PICTURES = Refusal(
    "y holds {n} targets of each image, and one is learnt of images.",
    "Give one of them: y[:, 0].",
    rule="target_several",
)
ARRAYS_LENGTH = Refusal("X has {x} rows and {what} {y}.", "Give one value for each row.")
Y_SHAPE = Refusal(
    "{what} has the shape {shape}, and one value for each row is wanted.",
    "Give one class or number for each row, or a column for each target.",
    rule="arrays_shape",
)
Y_ONE_HOT = Refusal(
    "y has a single 1 in each row: the classes of one target, not several targets.",
    "Give one class for each row: y.argmax(1).",
    rule="arrays_shape",
)
DATA_NAME = Refusal("The name '{source}' is not in UTF-8.", "Rename the file.")
ROWS_UNEQUAL = Refusal(
    "The rows of {what} are not equally long, or hold a list, a dict or an array in place of a value: "
    "see row {row}.",
    (
        "Give one number for each row and column. Pad sequences of several lengths, and give their lengths "
        "with them: ({{'x': padded, 'lengths': lengths}}, y)."
    ),
    rule="arrays_shape",
)


# ---- tables from any source


class BuiltinName(str):
    """A built-in's name, even if a file has the same name."""


def read(
    source: Any,
    reading: ReaderOptions | None = None,
    *,
    least_columns: int = 2,
    room: MemoryLimit | None = None,
) -> Table:
    """The table in a source: a built-in's name, a file's path or a pattern of paths, a frame of pandas,
    polars or Arrow, (X, y) or (X, y, weights), or a 2-D array or tensor.

    reading: the known format of a file or of text cells; the rest is detected. least_columns: 1 if a file may
    hold a single feature and no target. room: the memory limit for a file's rows; rows that exceed it are
    copied to disk and read column by column. A number or a date among the words for a missing value
    stands for its value, however it is written.
    """
    table = _read(source, reading, least_columns, room)
    stated = (reading and reading.missing) or ()
    if not stated or table.stored or table.matrix is not None:
        return table
    return replace(table, columns=tuple(column.without(stated) for column in table.columns))


def _read(source: Any, reading: ReaderOptions | None, least_columns: int, room: MemoryLimit | None) -> Table:
    if isinstance(source, BuiltinName):
        return BUILTINS[source].read(source)
    if isinstance(source, str):
        return _named(source, reading, least_columns, room)
    if isinstance(source, os.PathLike):
        return _file(os.fspath(source), reading, least_columns, room)
    if is_frame(source):
        return read_frame(source, reading)
    if isinstance(source, tuple) and len(source) in (2, 3):
        return read_pair(source[0], source[1], *source[2:], reading=reading)
    if is_arrow(source):
        return read_arrow(source, reading)
    if hasattr(source, "shape") and hasattr(source, "dtype"):
        return read_matrix(source, reading)
    raise DATA_TYPE(type=type(source).__name__)


def _named(source: str, reading: ReaderOptions | None, least_columns: int, room: MemoryLimit | None) -> Table:
    if "\0" in source or not source.strip():
        raise NAME_UNKNOWN(source=source.replace("\0", "\\0"), names=", ".join(BUILTINS))
    if source not in BUILTINS:
        return _file(source, reading, least_columns, room)
    if Path(source).is_file():
        raise DATA_AMBIGUOUS(name=source)
    return BUILTINS[source].read(source)


def _file(source: str, reading: ReaderOptions | None, least_columns: int, room: MemoryLimit | None) -> Table:
    path = Path(source)
    check_path(source)
    if os.path.lexists(path):
        return read_file(source, reading, least_columns, room)
    if glob.has_magic(source):
        if any(os.path.isfile(match) for match in glob.iglob(source, recursive=True)):
            return read_file(source, reading, least_columns, room)
        raise NO_FILE_FITS(source=source)
    bare = path.name == source
    try:
        beside = [entry.name for entry in path.parent.iterdir()]
    except OSError:
        beside = []
    close = difflib.get_close_matches(path.name, [*beside, *(BUILTINS if bare else ())], n=1, cutoff=0.6)
    if close:
        match = close[0] if bare else str(path.with_name(close[0]))
        hint = _("Did you mean '{name}'?").format(name=match)
    elif bare and not path.suffix:
        hint = nearest(source, BUILTINS)
    else:
        hint = _("Built-in: {names}.").format(names=", ".join(BUILTINS))
    raise NOTHING_OF_THAT_NAME(source=source, hint=hint)


def check_path(source: str) -> None:
    """Refuse a path that no file of a run could hold."""
    try:
        source.encode()
    except UnicodeEncodeError:
        raise DATA_NAME(source=source) from None


# ---- tables from Python objects


def is_frame(source: object) -> bool:
    """Whether ``source`` is a pandas frame. Doesn't import pandas."""
    return type(source).__name__ == "DataFrame" and type(source).__module__.startswith("pandas")


def is_arrow(source: object) -> bool:
    """Whether ``source`` has Arrow's stream interface, as polars frames and pyarrow tables have."""
    return hasattr(source, "__arrow_c_stream__")


def read_frame(frame: "pd.DataFrame", reading: ReaderOptions | None = None) -> Table:
    """The table in a pandas frame. Its index is ignored; rows are counted from 0."""
    names = [composed(str(name)) for name in frame.columns]
    if not names or not len(frame):
        raise FRAME_EMPTY(rows=len(frame), columns=len(names))
    check_names(names, _("the frame"))
    columns = [_series(frame.iloc[:, j]) for j in range(len(names))]
    return _table("frame", names, columns, reading)


def read_arrow(source: Any, reading: ReaderOptions | None = None) -> Table:
    """The table in an object with Arrow's stream interface (the Arrow PyCapsule interface)."""
    import pyarrow as pa

    try:
        table = pa.table(source)
    except (pa.ArrowException, TypeError, ValueError):
        raise DATA_TYPE(type=type(source).__name__) from None
    if not table.num_rows or not table.num_columns:
        raise FRAME_EMPTY(rows=table.num_rows, columns=table.num_columns)
    return _opened("frame", table, reading)


def read_pair(x: Any, y: Any, weights: Any = None, *, reading: ReaderOptions | None = None) -> Table:
    """The table of X ``[N, D]``, y ``[N]`` (``[N, K]`` for several targets), and perhaps the rows' weights
    ``[N]``; columns are named x1 … xD unless X is a frame."""
    x_table = (read_frame if is_frame(x) else read_arrow if is_arrow(x) else read_matrix)(x, reading)
    targets = _target_columns(x_table.rows, y, reading)
    columns, weights_name = (*x_table.columns, *targets), None
    check_names([column.name for column in columns], _("(X, y)"))
    if weights is not None:
        taken, weights_name = {column.name for column in columns}, "weights"
        while weights_name in taken:
            weights_name += "_"
        (column,) = _target_columns(x_table.rows, weights, reading, _("the weights"))
        columns += (replace(column, name=weights_name),)
    target = as_items([column.name for column in targets])
    table = Table("arrays", "arrays", None, columns, row_place, target=target, row_weights=weights_name)
    return replace(table, named=x_table.named, notes=x_table.notes, reading=x_table.reading)


def is_image_pair(source: object) -> bool:
    """Whether ``source`` is (X, y) with X ``[N, H, W]``, ``[N, C, H, W]`` or ``[N, H, W, C]``."""
    if not isinstance(source, tuple) or len(source) != 2:
        return False
    shape = getattr(source[0], "shape", ())
    return hasattr(source[0], "dtype") and len(shape) in (3, 4) and 0 not in shape


def read_images(x: Any, y: Any, reading: ReaderOptions | None = None) -> Table:
    """A table of images X as a matrix, with their target; for descriptions only, not for training."""
    array = array_of(x, "X")
    if array.dtype.kind not in "biuf":
        raise X_SHAPE(shape=list(array.shape))
    matrix = array.reshape(len(array), -1)
    finite_N = np.isfinite(matrix).all(axis=1)
    if not finite_N.all():
        raise ITEM_NOT_FINITE(where=row_place(int(finite_N.argmin())))
    columns = _target_columns(len(array), y, reading)
    if len(columns) > 1:
        raise TARGET_OF_PICTURES(n=len(columns))
    (target,) = columns
    table = Table("arrays", "arrays", None, (target,), row_place, target=target.name, named=False)
    return replace(table, matrix=matrix, item_shape=array.shape[1:])


def _target_columns(rows: int, y: Any, reading: ReaderOptions | None, what: str = "y") -> tuple[Column, ...]:
    if is_frame(y):
        names, cells = [str(name) for name in y.columns], [_series(y.iloc[:, k]) for k in range(y.shape[1])]
    elif is_arrow(y) and not hasattr(y, "iloc") and not isinstance(y, np.ndarray):
        import pyarrow as pa

        table = pa.table(y)
        names, cells = table.column_names, [column.combine_chunks() for column in table.columns]
    elif hasattr(y, "iloc"):
        names, cells = [str(y.name or "target")], [_series(y)]
    else:
        y_NK = _targets(y, what)
        names = [str(getattr(y, "name", None) or "target")]
        names = names if y_NK.shape[1] == 1 else [f"target{k + 1}" for k in range(y_NK.shape[1])]
        cells = [_cells(y_NK[:, k]) for k in range(y_NK.shape[1])]
    if len(cells[0]) != rows:
        raise ARRAYS_LENGTH(x=rows, what=what, y=len(cells[0]))
    check_names(names, "y")
    return _table("arrays", names, cells, reading).columns


def read_matrix(x: Any, reading: ReaderOptions | None = None) -> Table:
    """The table of a 2-D array or tensor of numbers; columns are named x1 … xD."""
    array = array_of(x, "X")
    if array.ndim != 2:
        raise X_SHAPE(shape=list(array.shape))
    if 0 in array.shape:
        raise FRAME_EMPTY(rows=array.shape[0], columns=array.shape[1])
    names = [f"x{j + 1}" for j in range(array.shape[1])]
    if array.dtype.kind in "iuf":
        columns = tuple(_matrix_column(name, array[:, j]) for j, name in enumerate(names))
        return Table("arrays", "arrays", None, columns, row_place, named=False)
    cells = [_cells(array[:, j]) for j in range(array.shape[1])]
    table = _table("arrays", names, cells, reading)
    return replace(table, name="arrays", source="arrays", place=row_place, named=False)


def _matrix_column(name: str, value_N: NDArray[Any]) -> Column:
    column = Column(name, value_N.astype(np.float64))
    if value_N.dtype.kind == "f" or not column.merges:
        return column
    return replace(column, words=value_N.astype(str).astype(object))


def _table(
    name: str, names: Sequence[str], columns: Sequence["pa.Array"], reading: ReaderOptions | None
) -> Table:
    """A table of Arrow columns; conventions (decimal sign, date order) are detected over all columns."""
    import pyarrow as pa

    return _opened(name, pa.Table.from_arrays(list(columns), names=list(names)), reading)


def _opened(name: str, table: "pa.Table", reading: ReaderOptions | None) -> Table:
    from treino.data.readers import columnar, table_files

    what, options = _("the frame"), reading or ReaderOptions()
    return table_files.read_parts([columnar.open_table(table, what)], options, name=name, what=what)[0]


def _targets(y: Any, what: str) -> NDArray[Any]:
    """``[N, K]``: the target of each row, or its K targets."""
    array = array_of(y, what)
    array = array[:, None] if array.ndim == 1 else array
    if array.ndim != 2 or not array.shape[1] or (what != "y" and array.shape[1] > 1):
        raise Y_SHAPE(what=what, shape=list(y.shape if hasattr(y, "shape") else array.shape))
    truths = array.shape[1] > 1 and array.dtype.kind in "biuf" and bool(np.isin(array, (0, 1)).all())
    if truths and (array.sum(axis=1) == 1).all():
        raise Y_ONE_HOT()
    return array


def array_of(values: Any, what: str) -> NDArray[Any]:
    """A tensor, an array or lists as an array, whose masked cells are gaps: NaN, or None among whole numbers
    that a float64 would round and among words.

    Raises:
        TreinoError: rows of several lengths; a list, a dict or an array in place of a value.
    """
    if isinstance(values, torch.Tensor):
        values = values.detach().cpu()
        values = values if values.layout is torch.strided else values.to_dense()
        values = values.float() if values.dtype == torch.bfloat16 else values
    try:
        array: Any = np.asanyarray(values)
        if isinstance(array, np.ma.MaskedArray) and array.mask.any():
            kind = array.dtype.kind
            number = kind == "f" or (kind in "iu" and (abs(array) < LARGEST_WHOLE).all())
            array = np.ma.filled(*((array.astype(float), np.nan) if number else (array.astype(object), None)))
    except (TypeError, ValueError):
        raise ROWS_UNEQUAL(what=what, row=_unlike(values)) from None
    if array.ndim and array.dtype.kind in "OV" and any(map(_holds_several, array.flat)):
        raise ROWS_UNEQUAL(what=what, row=_unlike(values))
    return np.asarray(array)


def _unlike(rows: Any) -> int:
    """The first row that has another shape than row 0, or more than values."""
    shapes = [_shape(row) for row in rows]
    return next((row for row, shape in enumerate(shapes) if shape is None or shape != shapes[0]), 0)


def _shape(row: Any) -> tuple[int, ...] | None:
    try:
        array = np.asarray(row)
    except (TypeError, ValueError):
        return None
    return None if array.dtype.kind in "OV" and any(map(_holds_several, array.flat)) else array.shape


def _holds_several(cell: Any) -> bool:
    return hasattr(cell, "__len__") and not isinstance(cell, str | bytes)


def _series(series: Any) -> "pa.Array":
    """A pandas series of any dtype as an Arrow column."""
    import pandas as pd
    import pyarrow as pa

    kind = series.dtype
    if isinstance(kind, pd.CategoricalDtype):
        levels = series.cat.categories
        if pd.api.types.is_numeric_dtype(levels.dtype) or pd.api.types.is_datetime64_any_dtype(levels.dtype):
            whole = "Int64" if pd.api.types.is_integer_dtype(levels.dtype) else float
            return _series(series.astype(whole if series.isna().any() else levels.dtype))
        codes = pa.array(series.cat.codes.to_numpy(), mask=series.isna().to_numpy())
        words = pa.array([str(level).strip() for level in levels], pa.string())
        return pa.DictionaryArray.from_arrays(codes, words, ordered=bool(series.cat.ordered))
    if pd.api.types.is_bool_dtype(kind):
        return pa.array(series.to_numpy(dtype=object, na_value=None), pa.bool_())
    if pd.api.types.is_numeric_dtype(kind) and not pd.api.types.is_complex_dtype(kind):
        values = series.to_numpy(dtype=np.float64, na_value=np.nan)
        if pd.api.types.is_integer_dtype(kind) and (np.abs(values) >= LARGEST_WHOLE).any():
            return _objects(series.to_numpy(dtype=object, na_value=None).tolist())
        return _cells(values)
    if isinstance(kind, pd.DatetimeTZDtype):
        series = series.dt.tz_convert("UTC").dt.tz_localize(None)
    if series.dtype.kind in "mM":
        return _cells(series.to_numpy())
    return _cells(series.to_numpy(dtype=object))


def _cells(array: NDArray[Any]) -> "pa.Array":
    """A one-dimensional array as an Arrow column."""
    import pyarrow as pa

    if array.dtype.kind == "f":
        return pa.array(np.ascontiguousarray(array, dtype=np.float64))
    if array.dtype.kind in "biu":
        return pa.array(np.ascontiguousarray(array))
    if array.dtype.kind == "M":
        return pa.array(array.astype("M8[us]"))
    if array.dtype.kind == "m":
        return pa.array(array.astype("m8[us]"))
    return _objects(array.tolist())


def _objects(values: list[Any]) -> "pa.Array":
    """Any cells as an Arrow column: booleans, numbers or times if all have that type, else their ``str``."""
    import pyarrow as pa

    from treino.data.readers.columnar import exact_wholes

    cells: list[Any] = [None if _nothing(value) else value for value in values]
    present = [value for value in cells if value is not None]
    if present and all(isinstance(value, (bool, np.bool_)) for value in present):
        return pa.array([None if cell is None else bool(cell) for cell in cells], pa.bool_())
    if all(isinstance(value, (int, float, np.number)) and not isinstance(value, bool) for value in present):
        return exact_wholes(cells) or pa.array(
            [np.nan if cell is None else float(cell) for cell in cells], pa.float64()
        )
    if all(isinstance(value, datetime.date) for value in present):
        in_utc = [
            c.astimezone(datetime.UTC).replace(tzinfo=None) if getattr(c, "tzinfo", None) else c
            for c in cells
        ]  # a time without a zone counts as UTC
        return _cells(np.array(in_utc, dtype="M8[us]"))
    return pa.array([None if cell is None else str(cell) for cell in cells], pa.string())


def _nothing(value: Any) -> bool:
    """Whether the value is None, NaN, NaT or pandas' NA."""
    if value is None or type(value).__name__ in ("NAType", "NaTType"):
        return True
    return not _holds_several(value) and bool(value != value)
