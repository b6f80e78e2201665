"""The data of a training: checks rows in any accepted form (also arrays and lists) and makes them tensors."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor

from treino.base.errors import Refusal
from treino.base.words import _
from treino.data import load
from treino.data.dataset import Data
from treino.data.documents import InputArray
from treino.data.links import Link
from treino.data.mapped_rows import MappedRows, as_mapped, part_rows
from treino.data.preparation.preparation import Scale
from treino.data.source_kinds import is_arrays, is_torch_dataset

DATA_NOT_FINITE = Refusal("{name} of the {which} rows is {value:g} in {place}.", "{hint}")
ARRAYS_TYPE = Refusal(
    "train can't use a {kind} as data.",
    "Give what treino.load returns, or a pair of tensors (x, y).",
    rule="data_type",
)
ARRAYS_WITHOUT_ROWS = Refusal(
    "There are no training rows.", "Give at least one row.", rule="no_training_rows"
)
CLASSES_RANGE = Refusal(
    "The highest class number is {highest}, with {rows} training rows.",
    (
        "Classes count from 0 without gaps, up to {most}: y = y.unique(return_inverse=True)[1]."
        " To predict a number, give y as floats: y.float()."
    ),
)
DATA_SHAPE = Refusal(
    "x has the shape {x} and y {y}.",
    "x is [rows, columns], y one class number from 0 on, or one value, for each row.",
)
DATA_FRAME = Refusal(
    "{name} is a {kind}, not an array.",
    "Use treino.load(frame, target='COLUMN'), or arrays: {name}.to_numpy().",
)
DATA_COMPLEX = Refusal(
    "{name} holds complex numbers.",
    "Give their real and imaginary parts as columns: torch.view_as_real({name}).flatten(1).",
)
NO_ROWS_LEFT = Refusal(
    "There are no training rows.", "Lower [[validation]] or [[test]].", rule="no_training_rows"
)
DATA_SHAPES_DIFFER = Refusal(
    (
        "{name} of the validation rows holds {kind} of shape {got} per row, that of the"
        " training rows {wanted_kind} of shape {wanted}."
    ),
    "Give both the same columns and the same kind of target.",
    rule="data_shape",
)
DATA_NOT_NUMBERS = Refusal(
    "{name} can't be read as numbers: {error}.",
    "Give tensors or arrays (x, y); treino.load reads tables with words and dates.",
    rule="data_type",
)

# ---- arrays

ArrayPair = tuple[Tensor, Tensor]
LARGEST_CLASSES = 5_000  # cross-entropy allocates a table of classes × classes


def pairs_of(data: Any, dtype: torch.dtype) -> tuple[ArrayPair, ArrayPair]:
    """Return training and validation rows: x ``[N, ...]``, y ``[N]`` int64 class numbers or ``[N, K]``
    values.

    data: a pair (x, y), or two pairs, the second for validation. A memory-mapped x is not loaded.

    Raises:
        TreinoError: another form, values that aren't numbers, numbers that ``dtype`` can't hold.
    """
    if not isinstance(data, tuple | list) or len(data) != 2:
        raise ARRAYS_TYPE(kind=type(data).__name__)
    two = all(_is_pair(part) for part in data)
    x, y = _pair(data[0] if two else data, _("training"), dtype)
    if not len(x):
        raise ARRAYS_WITHOUT_ROWS()
    validation = _pair(data[1], _("validation"), dtype) if two else (x[:0], y[:0])
    if not len(validation[0]):
        return (x, y), (x[:0], y[:0])
    for name, train, other in (("x", x, validation[0]), ("y", y, validation[1])):
        if train.shape[1:] != other.shape[1:]:  # class targets have no column axis, numeric ones have
            kinds = [_("numbers") if t.is_floating_point() else _("classes") for t in (other, train)]
            raise DATA_SHAPES_DIFFER(
                name=name,
                kind=kinds[0],
                got=list(other.shape[1:]),
                wanted_kind=kinds[1],
                wanted=list(train.shape[1:]),
            )
    return (x, y), validation


def check_class_count(classes: int, rows: int) -> None:
    """Refuse implausibly many classes, before memory for as many outputs is allocated."""
    if classes > LARGEST_CLASSES or (classes > 1000 and classes > 10 * rows):
        raise CLASSES_RANGE(highest=classes - 1, rows=rows, most=LARGEST_CLASSES - 1)


def _depth(values: Any) -> int:
    if isinstance(values, tuple | list):
        return 1 + (_depth(values[0]) if values else 0)
    return int(getattr(values, "ndim", 0))


def _is_pair(part: Any) -> bool:
    """Whether ``part`` is a pair (x, y), not an array of two rows."""
    if not isinstance(part, tuple | list) or len(part) != 2:
        return False
    return _depth(part[0]) >= (2 if isinstance(part[0], tuple | list) else 1)


def _pair(pair: Any, which: str, dtype: torch.dtype) -> ArrayPair:
    x, y = as_mapped(pair[0]), tensor_of("y", pair[1])
    x = x if isinstance(x, MappedRows) else tensor_of("x", x)
    numbers = y.is_floating_point()
    y = y if numbers else y.long()
    if (
        x.dim() < 2
        or 0 in x.shape[1:]
        or y.dim() not in ((1, 2) if numbers else (1,))
        or 0 in y.shape[1:]
        or len(x) != len(y)
        or (not numbers and bool((y < 0).any()))
    ):
        raise DATA_SHAPE(x=list(x.shape), y=list(y.shape))
    most = torch.finfo(dtype).max
    if isinstance(x, MappedRows):
        at = 0
        for part in x.split(part_rows(x)) if x.is_floating_point() else ():
            _check_finite("x", part, which, most, at)
            at += len(part)
    else:
        x = x if x.is_floating_point() else x.float()
        if x.numel():
            _check_finite("x", x, which, most)
    if numbers and y.numel():
        _check_finite("y", y, which, most)
    return x, y.unsqueeze(-1) if numbers and y.dim() == 1 else y


def tensor_of(name: str, values: Any) -> Tensor:
    kind = type(values)
    if kind.__module__.partition(".")[0] in ("pandas", "polars", "pyarrow"):
        raise DATA_FRAME(name=name, kind=kind.__name__)
    try:
        if isinstance(values, np.ndarray):
            if values.dtype in (np.uint16, np.uint32):  # torch computes with neither
                values = values.astype(np.int64)
            # copy first: torch warns about read-only arrays and refuses negative strides
            values = np.require(values, requirements=["C", "W"])
        t = torch.as_tensor(values)
    except (TypeError, ValueError, RuntimeError, OverflowError) as error:
        raise DATA_NOT_NUMBERS(name=name, error=str(error).rstrip(".")) from error
    if t.is_complex():
        raise DATA_COMPLEX(name=name)
    return (t if t.layout is torch.strided else t.to_dense()).detach()


def _check_finite(name: str, t: Tensor, which: str, most: float, first: int = 0) -> None:
    low, high = (float(v) for v in t.aminmax())
    if -most <= low and high <= most:  # False for NaN
        return
    row, *column = (~(t.abs() <= most)).nonzero()[0].tolist()
    value, place = float(t[(row, *column)]), _("row {n}, column {column}") if column else _("row {n}")
    raise DATA_NOT_FINITE(
        name=name,
        which=which,
        value=value,
        place=place.format(n=first + row, column=", ".join(map(str, column))),
        hint=_("Rows and columns count from 0. Leave the row out or fill the gap; treino.load does that.")
        if not math.isfinite(value)
        else _("That is beyond the numbers of this type; divide the column first."),
    )


# ---- the data of a training


@dataclass(frozen=True, eq=False)
class Inputs:
    """The data of a training, as tensors or as objects that read rows.

    classes: the number of classes, or of target values. item_shape: the shape of one row for the user's
    module.
    each: for several class targets, the number of classes of each, whose sum is ``classes``; else ().
    scale: of each regression target, as for ``measure``. class_names: the class names in the order of the
    class numbers. seed: the seed of the row order, if the data has one. kind: the key of its defaults in
    ``DEFAULTS``. steps: batches per epoch, if a DataLoader makes the batches; batch: the largest batch's
    rows. columns: the source column of each input; empty: each input is a column. bins: whether each input is
    a bin of its column; empty: no bins. weights: of training and of validation rows, ``[N]``; None: each
    row counts 1. arrays: what a row consists of; () if it is one array of floats. axes: those of each
    row's target; () if it is one value or class. index: of training and validation rows, ``[N]``, their
    numbers in the source; (): as they come. link: that for which targets of numbers were prepared; None: they
    are as given.
    """

    train: ArrayPair
    validation: ArrayPair
    task: Literal["classification", "regression"]
    classes: int
    item_shape: tuple[int, ...]
    scale: tuple[Scale, ...] = (1.0,)
    each: tuple[int, ...] = ()
    class_names: tuple[str, ...] = ()
    seed: int | None = None
    kind: Literal["table", "image"] = "table"
    steps: int | None = None
    batch: int | None = None
    columns: tuple[int, ...] = ()
    bins: tuple[bool, ...] = ()
    weights: tuple[Tensor | None, Tensor | None] = (None, None)
    arrays: tuple[InputArray, ...] = ()
    axes: tuple[int, ...] = ()
    index: tuple[Tensor, ...] = ()
    link: Link | None = None


def inputs_of(data: Any, dtype: torch.dtype) -> Inputs:
    """Make Inputs from the result of ``load``, from a Dataset or DataLoader, or from pairs of arrays; return
    Inputs unchanged.

    Raises:
        TreinoError: another form, no training rows, numbers that ``dtype`` can't hold.
    """
    if is_torch_dataset(data) or (is_arrays(data) and isinstance(data[0], Mapping)):
        data = load(data)
    if isinstance(data, Inputs):
        return data
    if isinstance(data, Data):
        return _loaded(data)
    (x, y), validation = pairs_of(data, dtype)
    shape = tuple(x.shape[1:])
    if y.is_floating_point():
        return Inputs((x, y), validation, "regression", y.shape[1], shape)
    classes = max(int(t.max()) + 1 for t in (y, validation[1]) if len(t))
    check_class_count(classes, len(x))
    names = tuple(map(str, range(max(2, classes))))
    return Inputs((x, y), validation, "classification", len(names), shape, class_names=names)


def _loaded(data: Data) -> Inputs:
    check_training_rows(data)
    if data.task == "classification":
        check_class_count(len(data.classes), len(data.train))
    train, validation = ((as_mapped(rows.x), rows.y) for rows in (data.train, data.validation))
    each = tuple(len(one.classes) for one in data.preparation.targets if one.classes)
    return Inputs(
        train,
        validation,
        data.task,
        data.outputs,
        data.item_shape,
        data.scale,
        each,
        tuple(data.classes),
        data.data_seed,
        data.kind,
        getattr(data.train.x, "steps", None),
        getattr(data.train.x, "batch", None),
        data.input_columns,
        data.input_bins,
        (data.train.weight, data.validation.weight),
        data.preparation.arrays,
        data.preparation.target_shape,
        (data.train.index, data.validation.index),
        data.preparation.link,
    )


def check_training_rows(data: Data) -> None:
    """Refuse data without training rows."""
    if not len(data.train):
        raise NO_ROWS_LEFT()
