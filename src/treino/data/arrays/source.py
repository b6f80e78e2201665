"""Take arrays apart: which arrays a row consists of, its target and its weight; refuse what is no number."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from treino.base.errors import Refusal
from treino.base.words import _
from treino.data.documents import InputArray
from treino.data.preparation.preparation import Preparation
from treino.data.sources import array_of
from treino.data.table import row_place

ARRAY_VALUES = Refusal(
    "{name} is {what}, and an array of numbers is wanted.",
    (
        "Give an array [rows, ...] whose rows have one shape: torch.nn.utils.rnn.pad_sequence pads sequences "
        "of several lengths, which an array of these lengths or a mask can go with."
    ),
)
ARRAYS_ROWS = Refusal("{a} has {n} rows, and {b} {m}.", "Give arrays with one entry for each row.")
ARRAY_EMPTY = Refusal(
    "{name} has the shape {shape}: it holds no numbers.",
    "Leave it out, or give each row at least one number.",
)
ARRAY_NOT_FINITE = Refusal(
    "{name} holds {value} in {place}, at {at} of it.",
    "Leave the row out, or fill the gap; a mask can go with it as an array of its own.",
)
ARRAY_LARGE = Refusal(
    "{name} holds {value} in {place}; whole numbers are kept exactly up to {most}.",
    "Number what they stand for from 0 on: numpy.unique(array, return_inverse=True)[1].",
)
ARRAYS_PAIR = Refusal(
    "Rows of arrays are given as (X, y) or (X, y, weights), and this is {what}.",
    "X is an array, a dict of arrays by the arguments of forward, or a tuple of arrays in their order.",
)
ARRAY_WEIGHTS = Refusal(
    "The weights hold {value:g} in {place}.", "A weight is above 0: how many rows a row counts as."
)

LARGEST_WHOLE = 2**24 - 1  # float32 holds all whole numbers up to it
_BLOCK = 1 << 22  # numbers that are prepared at a time
_DTYPES: dict[str, Literal["float32", "int64", "bool"]] = {
    "f": "float32",
    "i": "int64",
    "u": "int64",
    "b": "bool",
}


@dataclass(frozen=True, eq=False)
class ArrayRows:
    """Rows of several arrays. arrays: each with the name of forward's argument that it is, or "" if it goes
    by its place. y: the targets ``[N]`` or ``[N, ...]``. weight_N: the rows' weights. None: not given."""

    arrays: tuple[tuple[str, NDArray[Any]], ...]
    y: NDArray[Any] | None = None
    weight_N: NDArray[np.float32] | None = None

    def __len__(self) -> int:
        return len(self.arrays[0][1])

    @property
    def forms(self) -> tuple[InputArray, ...]:
        """The name, shape and type of each array."""
        return tuple(_form(name, array) for name, array in self.arrays)

    def taken(self, index_K: NDArray[np.int64]) -> "ArrayRows":
        """Some of the rows."""
        some = [None if of is None else of[index_K] for of in (self.y, self.weight_N)]
        return ArrayRows(tuple((name, array[index_K]) for name, array in self.arrays), *some)

    def weighted(self) -> "ArrayRows":
        """The rows with weights: 1 each, if they have none."""
        weight_N = np.ones(len(self), np.float32) if self.weight_N is None else self.weight_N
        return ArrayRows(self.arrays, self.y, weight_N)

    def digests(self) -> Iterator[bytes]:
        """Yield a hash of each row."""
        arrays = [np.ascontiguousarray(array + 0) for _name, array in self.arrays]  # -0 becomes 0
        contents = (b"".join(array[row].tobytes() for array in arrays) for row in range(len(self)))
        return (blake2b(content, digest_size=16).digest() for content in contents)

    def prepared(self, preparation: Preparation) -> Tensor:
        """``[N, D]`` float32: the prepared numbers of each row, one array after the other."""
        block = max(1, _BLOCK // preparation.size)
        parts = []
        for start in range(0, len(self), block):
            some = [array[start : start + block] for _name, array in self.arrays]
            flat = [array.reshape(len(array), -1).astype(np.float64) for array in some]
            parts.append(preparation.transform(np.concatenate(flat, axis=1)))
        return torch.cat(parts)


ARRAY_LENGTH = Refusal(
    "{name} holds {value} in {row}, and the sequences have 1 to {most} positions.",
    "Give the number of positions before the padding; leave rows without any out.",
)


def array_rows(source: Any, *, learnt: bool = True) -> ArrayRows:
    """The rows of (X, y) or (X, y, weights); learnt: whether they need targets, else (X,) will do.

    Raises:
        TreinoError: another form; arrays of several lengths; values that are not finite numbers.
    """
    if not isinstance(source, tuple) or not (2 if learnt else 1) <= len(source) <= 3:
        raise ARRAYS_PAIR(what=_("a {kind}").format(kind=type(source).__name__))
    x, y, weights = (*source, None, None)[:3]
    several = isinstance(x, tuple | list) and all(hasattr(each, "shape") for each in x)
    named = x.items() if isinstance(x, Mapping) else [("", each) for each in (x if several else (x,))]
    arrays = tuple((str(name), number_array(each, str(name) or "X")) for name, each in named)
    if not arrays:
        raise ARRAYS_PAIR(what=_("X without an array"))
    if learnt and y is None:
        raise ARRAYS_PAIR(what=_("without y"))
    targets = None if y is None else _targets(y)
    weight_N = None if weights is None else _weights(weights)
    others = [(name or f"X[{n}]", array) for n, (name, array) in enumerate(arrays)]
    others += [(name, each) for name, each in (("y", targets), ("weights", weight_N)) if each is not None]
    (first, array), *rest = others
    for name, other in rest:
        if len(other) != len(array):
            raise ARRAYS_ROWS(a=first if len(arrays) > 1 else "X", n=len(array), b=name, m=len(other))
    _check_lengths(arrays)
    return ArrayRows(arrays, targets, weight_N)


def _check_lengths(arrays: tuple[tuple[str, NDArray[Any]], ...]) -> None:
    """Refuse lengths, arrays of such a name, that no sequence beside them has."""
    most = max((array.shape[1] for _name, array in arrays if array.ndim > 1), default=0)
    for name, array in arrays:
        if most and array.ndim == 1 and re.fullmatch(r"(\w*_)?(lengths?|lens?)", name.lower()):
            wrong_N = (array < 1) | (array > most)
            if wrong_N.any():
                row = int(wrong_N.argmax())
                raise ARRAY_LENGTH(name=name, row=row_place(row), value=array[row].item(), most=most)


def number_array(values: Any, name: str) -> NDArray[Any]:
    """Values as an array of finite numbers, at least one for each row."""
    array = array_of(values, name)
    array = np.array(array.tolist()) if array.dtype == object else array
    if array.dtype.kind not in _DTYPES or not array.ndim:
        raise ARRAY_VALUES(
            name=name,
            what=_("an array of {dtype}").format(dtype=array.dtype) if array.ndim else _("one value"),
        )
    if 0 in array.shape:
        raise ARRAY_EMPTY(name=name, shape=list(array.shape))
    if array.dtype.kind == "f" and not (finite := np.isfinite(array.astype(np.float32))).all():
        row, *at = (int(place) for place in np.argwhere(~finite)[0])
        raise ARRAY_NOT_FINITE(name=name, value=array[(row, *at)], place=row_place(row), at=at)
    if array.dtype.kind in "iu":
        large = (array > LARGEST_WHOLE) | (array < -LARGEST_WHOLE)
        if large.any():
            row, *at = (int(place) for place in np.argwhere(large)[0])
            value = array[(row, *at)]
            raise ARRAY_LARGE(name=name, value=value, place=row_place(row), most=LARGEST_WHOLE)
    return array


def _form(name: str, array: NDArray[Any]) -> InputArray:
    if is_pixels(array):
        return InputArray(name=name, shape=array.shape[1:], dtype="float32", divisor=255.0)
    return InputArray(name=name, shape=array.shape[1:], dtype=_DTYPES[array.dtype.kind])


def is_pixels(array: NDArray[Any]) -> bool:
    """Whether an array holds pictures' bytes, as in a Dataset."""
    return array.dtype == np.uint8 and array.ndim > 2


def _targets(values: Any) -> NDArray[Any]:
    y = array_of(values, "y")
    if not y.ndim or 0 in y.shape:
        raise ARRAY_EMPTY(name="y", shape=list(y.shape))
    return y[:, 0] if y.ndim == 2 and y.shape[1] == 1 else y


def _weights(values: Any) -> NDArray[np.float32]:
    weight_N = number_array(values, "weights").reshape(-1).astype(np.float32)
    if not (weight_N > 0).all():
        row = int(np.argmin(weight_N > 0))
        raise ARRAY_WEIGHTS(value=float(weight_N[row]), place=row_place(row))
    return weight_N


# ---- rows that must have the arrays of others

ARRAYS_DIFFER = Refusal(
    "The {part} rows hold {got}, and the network was given {wanted}.", "Give both the same arrays."
)


def check_forms(part: str, got: Sequence[InputArray], wanted: Sequence[InputArray]) -> None:
    """Refuse arrays of other names, shapes or types. part: words for the rows."""
    facts = [[(form.name, form.shape, form.dtype) for form in forms] for forms in (got, wanted)]
    if facts[0] != facts[1]:
        raise ARRAYS_DIFFER(part=part, got=_said(got), wanted=_said(wanted))


def like(rows: ArrayRows, forms: Sequence[InputArray]) -> ArrayRows:
    """The same rows with their named arrays in this order, and in these types if their numbers allow it."""
    by_name = dict(rows.arrays)
    arrays = rows.arrays
    if len(by_name) == len(forms) and {form.name for form in forms} == set(by_name):
        arrays = tuple((form.name, by_name[form.name]) for form in forms)
    if len(arrays) == len(forms):
        pairs = zip(arrays, forms, strict=True)
        arrays = tuple((name, _as_type(array, form)) for (name, array), form in pairs)
    return ArrayRows(arrays, rows.y, rows.weight_N)


def _as_type(array: NDArray[Any], form: InputArray) -> NDArray[Any]:
    if _DTYPES[array.dtype.kind] == form.dtype or is_pixels(array):
        return array
    with np.errstate(invalid="ignore"):  # what doesn't fit stays as it is
        typed = array.astype(form.dtype)
    return typed if np.array_equal(typed, array) else array


def _said(forms: Sequence[InputArray]) -> str:
    return ", ".join(f"{form.name or 'X'} {form.dtype} {list(form.shape)}" for form in forms)
