"""Data that is already in Python: pandas frames, and pairs (X, y) of arrays or tensors."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray

from treino.data.table import Column, Table, check_names, column_of_words
from treino.errors import TreinoError
from treino.words import _

if TYPE_CHECKING:
    import pandas as pd


def is_frame(source: object) -> bool:
    """Whether it is a pandas frame, without importing pandas to find out."""
    return type(source).__name__ == "DataFrame" and type(source).__module__.startswith("pandas")


def read_frame(frame: "pd.DataFrame") -> Table:
    """The table in a pandas frame; its row labels are not used, rows are counted from 0."""
    names = [str(name) for name in frame.columns]
    if not names or not len(frame):
        raise _empty(len(frame), len(names))
    check_names(names, _("the frame"))
    columns = tuple(_column(name, frame.iloc[:, j]) for j, name in enumerate(names))
    return Table("frame", "frame", None, columns, _place)


def read_pair(x: Any, y: Any) -> Table:
    """The table out of X ``[N, D]`` and y ``[N]``; columns are named x1 … xD unless X is a frame."""
    x_table = read_frame(x) if is_frame(x) else read_matrix(x)
    y = y.iloc[:, 0] if is_frame(y) and y.shape[1] == 1 else y
    name = str(getattr(y, "name", None) or "target")
    target = _column(name, y) if hasattr(y, "iloc") else _target(name, y)
    if len(target) != x_table.rows:
        raise TreinoError(
            "arrays_length",
            _("X has {x} rows and y has {y}.").format(x=x_table.rows, y=len(target)),
            _("Give one target for each row."),
        )
    check_names([*x_table.names, name], _("(X, y)"))
    return Table(
        "arrays", "arrays", None, (*x_table.columns, target), _place, target=name, named=x_table.named
    )


def read_matrix(x: Any) -> Table:
    """The table out of a 2-D array or tensor of numbers; columns are named x1 … xD."""
    array = _array(x, "X")
    if array.ndim != 2:
        raise TreinoError(
            "arrays_shape",
            _("X has the shape {shape}, not [rows, columns].").format(shape=list(array.shape)),
            _("Reshape it: X.reshape(len(X), -1)."),
        )
    if 0 in array.shape:
        raise _empty(*array.shape)
    columns = tuple(_cells(f"x{j + 1}", array[:, j]) for j in range(array.shape[1]))
    return Table("arrays", "arrays", None, columns, _place, named=False)


def _target(name: str, y: Any) -> Column:
    array = _array(y, "y")
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array.ndim != 1:
        raise TreinoError(
            "arrays_shape",
            _("y has the shape {shape}, not [rows].").format(shape=list(array.shape)),
            _("Give one class or number for each row; one-hot rows become classes by y.argmax(1)."),
        )
    return _cells(name, array)


def _array(values: Any, what: str) -> NDArray[Any]:
    if isinstance(values, torch.Tensor):
        values = values.detach().cpu()
        return np.asarray(values.float().numpy() if values.dtype == torch.bfloat16 else values.numpy())
    try:
        return np.asarray(values)
    except ValueError:
        raise TreinoError(
            "arrays_shape",
            _("The rows of {what} are not equally long.").format(what=what),
            _("Give one number for each row and column."),
        ) from None


def _column(name: str, series: Any) -> Column:
    """A pandas series as a column, whatever its type."""
    import pandas as pd

    if isinstance(series.dtype, pd.CategoricalDtype):
        levels = series.cat.categories
        if not pd.api.types.is_numeric_dtype(levels.dtype):
            column = _words(name, series.astype(object))
            return Column(name, column.numbers, column.words, column.boolean, tuple(str(c) for c in levels))
        series = series.astype(levels.dtype if not series.isna().any() else float)
    if pd.api.types.is_bool_dtype(series.dtype) and not series.isna().any():
        return _cells(name, series.to_numpy(dtype=bool))
    if pd.api.types.is_numeric_dtype(series.dtype) and not pd.api.types.is_complex_dtype(series.dtype):
        return _cells(name, series.to_numpy(dtype=np.float64, na_value=np.nan))
    return _words(name, series)


def _words(name: str, cells: Sequence[Any]) -> Column:
    """Cells of any type: numbers where all are, else what str makes of them; None and NaN are empty."""
    import pandas as pd

    values = list(cells)
    if all(isinstance(value, (bool, np.bool_)) for value in values):
        return _cells(name, np.array(values, dtype=bool))
    if all(isinstance(value, (int, float, np.number)) and not isinstance(value, bool) for value in values):
        return _cells(name, np.array(values, dtype=np.float64))
    words = ["" if value is None or value is pd.NaT or value is pd.NA or value != value else str(value)
             for value in values]  # fmt: skip
    return column_of_words(name, np.array(words, dtype=object))


def _cells(name: str, array: NDArray[Any]) -> Column:
    """A one-dimensional array as a column."""
    if array.dtype.kind == "b":
        words = np.where(array, "true", "false").astype(object)
        return Column(name, array.astype(np.float64), words, boolean=True)
    if array.dtype.kind in "iuf":
        return Column(name, array.astype(np.float64))
    return _words(name, array.tolist())


def _empty(rows: int, columns: int) -> TreinoError:
    return TreinoError(
        "frame_empty",
        _("There is nothing in it: {rows} rows and {columns} columns.").format(rows=rows, columns=columns),
        _("Give at least a few rows and a feature."),
    )


def _place(row: int) -> str:
    return _("row {n}").format(n=row)
