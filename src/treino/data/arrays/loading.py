"""Load rows that are arrays with axes, or several arrays each: what the arguments of a network's forward are.

A row stays D numbers, one after the other, as of every other source, so that all that splits, holds,
copies and hashes rows takes these too. ``InputArray`` says which of the numbers are which argument;
``engine/arguments.py`` gives them back their shapes and types where the network is called.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import chain, product
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from treino.base.document_fields import Task
from treino.base.errors import Refusal
from treino.base.words import _
from treino.data.arrays.source import ArrayRows, array_rows, check_forms, like, number_array
from treino.data.dataset import Data, of_preparation
from treino.data.documents import InputArray, LoadArguments
from treino.data.load_request import LoadRequest, drawn_shares
from treino.data.preparation.preparation import Preparation, fit_table
from treino.data.rows import IGNORED
from treino.data.split_requests import decide_parts, unnamed
from treino.data.splits import PARTS, TRAIN, EqualRows, first_of, rows_of_parts, split_name
from treino.data.table import RowPlace, row_place
from treino.data.torch_datasets.item import Labels, labels_again, labels_of

OF_TABLE = Refusal(
    "The network was trained on a table, and these are arrays with axes.",
    "Give a frame or a file with its columns.",
)

TARGET = "y"


def load_arrays(request: LoadRequest) -> Data:
    """The Data of (X, y) or (X, y, weights), where X is an array with axes, a dict of arrays by the arguments
    of forward, or a tuple of arrays in their order.

    Floats are standardised by the training rows unless ``normalise`` is False: for each feature (the last
    axis of one or two; the first of more, a picture's channels) over all rows and positions. Whole numbers
    and truths stay as they are, but bytes of pictures are divided by 255. Targets with axes are class numbers
    or values at each position.

    Raises:
        TreinoError: arguments of tables; arrays that don't fit together; values that are no finite numbers.
    """
    arguments, notes = request.arguments, list[str]()
    parts = {"train": array_rows(request.source)}
    for part, source in request.files.items():
        parts[part] = like(array_rows(source), parts["train"].forms)
        check_forms(split_name(part), parts[part].forms, parts["train"].forms)
    if any(own.weight_N is not None for own in parts.values()):
        parts = {part: own.weighted() for part, own in parts.items()}
    target = _target_of(parts, arguments)
    if isinstance(target, TargetAxes):
        text = _("Rows left out, for all positions of their target are -100: {n}.")
        for part, own in parts.items():
            if not (known_N := target.known_N(_of(own.y))).all():
                notes.append(text.format(n=int((~known_N).sum())))
                parts[part] = own.taken(np.flatnonzero(known_N))
    train = parts["train"]
    part_N, unit_N = _split(target, arguments, parts, notes)
    learnt = train.taken(np.flatnonzero(part_N[: len(train)] == TRAIN))
    arrays = tuple(
        _fitted(form, array, arguments.normalise)
        for form, (_name, array) in zip(train.forms, learnt.arrays, strict=True)
    )
    notes += _notes(arrays, arguments.normalise)
    target = target.fitted(_of(learnt.y), row_place, arguments.link)
    preparation = replace(_preparation(arrays, target, arguments.normalise), link=arguments.link)
    every = list(parts.values())
    x_ND = torch.cat([rows.prepared(preparation) for rows in every])
    y = torch.cat([target.encode(_of(rows.y), row_place) for rows in every])
    weights = [rows.weight_N for rows in every if rows.weight_N is not None]
    of_all = np.concatenate([np.arange(len(rows)) for rows in every]), unit_N
    x_of = {part: x_ND[torch.from_numpy(part_N == part)] for part in PARTS.values()}
    return Data(
        name="arrays",
        source="arrays",
        sha256=None,
        task_reason=target.reason,
        **rows_of_parts(part_N, x_of, y, *of_all, np.concatenate(weights) if weights else None),
        arguments=arguments,
        official_test="test" in parts,
        notes=tuple(notes),
        **of_preparation(preparation),
    )


def arrays_to_predict(source: Any, preparation: Preparation) -> tuple[Tensor, Tensor | None, Tensor | None]:
    """Return x ``[N, D]`` of rows to predict, their targets and their weights, or None without these.

    source: X, (X, y) or (X, y, weights); a tuple of two arrays is X for a network that was given two.

    Raises:
        TreinoError: other arrays than the training's.
    """
    if preparation.programs:
        raise OF_TABLE()
    forms = preparation.arrays or (
        InputArray(name="", shape=preparation.item_shape, dtype="float32", divisor=preparation.divisor),
    )
    pair = isinstance(source, tuple) and 2 <= len(source) <= 3
    pair = pair and (isinstance(source[0], Mapping | tuple | list) or len(forms) < 2 or bool(forms[0].name))
    rows = like(array_rows(source if pair else (source,), learnt=False), forms)
    check_forms(_("new"), rows.forms, forms)
    x, weight_N = rows.prepared(preparation), rows.weight_N
    weight = None if weight_N is None else torch.from_numpy(weight_N)
    if rows.y is None:
        return x, None, weight
    target = TargetAxes.of(preparation) if preparation.target_shape else labels_again(preparation)
    return x, target.encode(rows.y, row_place), weight


def _of(y: NDArray[Any] | None) -> NDArray[Any]:
    assert y is not None  # ``array_rows`` refuses rows without
    return y


def _target_of(parts: Mapping[str, ArrayRows], arguments: LoadArguments) -> Labels:
    """What the targets of all rows are."""
    own = [_of(rows.y) for rows in parts.values()]
    if own[0].ndim > 1:
        for y in own[1:]:
            TargetAxes("regression", "", shape=own[0].shape[1:]).encode(y)  # refuses another shape
        return TargetAxes.detected(np.concatenate(own), arguments.task)
    return labels_of(np.concatenate(own).tolist(), arguments.task, None, row_place)


def _split(
    target: Labels, arguments: LoadArguments, parts: Mapping[str, ArrayRows], notes: list[str]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """``[N]`` each, of the rows of all parts in order: the split, and what it never parts."""
    shares, own = drawn_shares(arguments, parts), list(parts.values())
    given = [PARTS[part] for part in parts if part != "train"]
    rows = sum(map(len, own))
    if arguments.fold is None and not any(shares) and not given:
        return np.zeros(rows, dtype=np.int64), np.arange(rows)
    first_N = first_of(chain(*(each.digests() for each in own)))
    classes: tuple[str, ...] = ()
    label_N = np.zeros(rows, dtype=np.int64)
    y_N = np.concatenate([_of(each.y).reshape(len(each), -1) for each in own])
    if isinstance(target, TargetAxes) or target.task == "regression":
        answer_N = np.unique(y_N, axis=0, return_inverse=True)[1].reshape(-1)
    else:
        classes = target.classes
        label_N = answer_N = target.encode(y_N[:, 0], row_place).numpy()
    arrays = ([each.arrays[k][1].reshape(len(each), -1) for each in own] for k in range(len(own[0].arrays)))
    columns = (value_N for of_parts in arrays for value_N in np.concatenate(of_parts).T)
    equal = EqualRows.of(first_N, answer_N, columns)
    drawn = arguments.changed(validation=shares[0], test=shares[1])
    tables = [unnamed(len(each), "arrays") for each in own]
    part_N = decide_parts(tables, given, drawn, equal, label_N, classes, notes)
    return part_N, equal.units(arguments.duplicates)


def _fitted(form: InputArray, array: NDArray[Any], normalise: bool) -> InputArray:
    """The form with mean and deviation of each feature, if the array is one of floats."""
    if form.dtype != "float32" or form.divisor != 1 or not normalise:
        return form
    value_KF = np.moveaxis(array, form.feature_axis, -1).reshape(-1, form.features).astype(np.float64)
    mean_F, scale_F = fit_table(value_KF, True)
    return form.model_copy(update={"mean": mean_F, "scale": scale_F})


def _notes(arrays: tuple[InputArray, ...], normalise: bool) -> list[str]:
    """What becomes of each kind of array, one sentence each."""
    texts = {
        "float32": _("{names}: brought to mean 0 and deviation 1 for each feature, as on the training rows."),
        "int64": _("{names}: whole numbers, which stay as they are."),
        "bool": _("{names}: true or false, which stay as they are."),
        "bytes": _("{names}: bytes of pictures, divided by 255."),
    }
    if not normalise:
        texts["float32"] = _("{names}: taken as they are; nothing is normalised.")
    names: dict[str, list[str]] = {}
    for n, array in enumerate(arrays):
        kind = array.dtype if array.divisor == 1 else "bytes"
        names.setdefault(kind, []).append(array.name or (f"X[{n}]" if len(arrays) > 1 else "X"))
    return [texts[kind].format(names=", ".join(own)) for kind, own in names.items()]


def _preparation(arrays: tuple[InputArray, ...], target: Labels, normalise: bool) -> Preparation:
    one = arrays[0] if len(arrays) == 1 and not arrays[0].name else None
    pictures = one is not None and len(one.shape) > 1
    of_bytes = one is not None and one.divisor != 1  # prepared as those of a Dataset, and shown as pictures
    return Preparation(
        kind="image" if pictures else "table",
        features=tuple(name for n, array in enumerate(arrays) for name in _features(array, n, len(arrays))),
        divisor=arrays[0].divisor if of_bytes else 1.0,
        normalise=normalise and not of_bytes,
        **target.fields(TARGET),
        item_shape=one.shape or (1,) if one is not None else (sum(array.width for array in arrays),),
        arrays=() if of_bytes else arrays,
        target_shape=target.shape if isinstance(target, TargetAxes) else (),
    )


def _features(array: InputArray, number: int, of: int) -> list[str]:
    """The names of an array's numbers, by their places in a row."""
    name = array.name or (f"X[{number}]" if of > 1 else "x")
    if not array.shape:
        return [name]
    return [f"{name}[{','.join(map(str, place))}]" for place in product(*map(range, array.shape))]


# ---- targets with axes: a class number or a value at each position of a row, as of a token or a pixel

TARGET_NUMBER = Refusal(
    "y holds {value} in {place}, at {at} of it, which is no class number: there are {n} classes.",
    "Classes count from 0; -100 marks positions that are left out, as torch's ignore_index does.",
)
TARGET_FLOATS = Refusal(
    "y is an array of {dtype}, and classes with axes are whole numbers.",
    "Give class numbers from 0 on: y.astype('int64').",
)
TARGET_ONE_CLASS = Refusal(
    "y holds one class at all its positions, {value}: there is nothing to tell apart.",
    "Give other targets, or values as floats: y.astype('float32').",
)
TARGET_ALL_IGNORED = Refusal(
    "All positions of y are -100, which torch's losses leave out (ignore_index).",
    "Give class numbers from 0 on at some of them.",
)
TARGET_AXES = Refusal(
    "y has the shape {got} for each row, and that of the training rows {wanted}.", "Give both the same shape."
)
MOST_CLASSES = 5_000


@dataclass(frozen=True, eq=False)
class TargetAxes(Labels):
    """What is at the positions of each row's target. shape: its axes. mean, scale: those of all values of the
    training rows together; classes are the numbers 0, 1, 2, … as given."""

    shape: tuple[int, ...] = ()

    @classmethod
    def of(cls, preparation: Preparation) -> "TargetAxes":
        """The targets that a network was trained on."""
        known = labels_again(preparation)
        return cls(**vars(known), shape=preparation.target_shape)

    @classmethod
    def detected(cls, y: NDArray, request: Task | None) -> "TargetAxes":
        """What the targets ``[N, ...]`` of all rows are. request: the task that the user set, or None."""
        y, shape = number_array(y, "y"), y.shape[1:]
        wanted = "classification" if y.dtype.kind in "iub" else "regression"
        if (request or wanted) == "regression":
            reason = _("the targets are {n} values of each row").format(n=y[0].size)
            return cls("regression", reason, shape=shape)
        if y.dtype.kind == "f":
            raise TARGET_FLOATS(dtype=y.dtype)
        counted = np.unique(y[y != IGNORED])
        if not len(counted):
            raise TARGET_ALL_IGNORED()
        if len(counted) == 1:
            raise TARGET_ONE_CLASS(value=int(counted[0]))
        classes = int(counted[-1]) + 1
        names = tuple(map(str, range(classes)))
        reason = _("the targets are class numbers at {n} positions of each row").format(n=y[0].size)
        made = cls("classification", reason, names, shape=shape)
        made.encode(y if classes <= MOST_CLASSES else np.where(y < MOST_CLASSES, y, -1))
        return made

    def encode(self, labels: NDArray, place: RowPlace = row_place) -> Tensor:
        """``[N, M]``: class numbers int64 (-100: left out), or standardised values float32."""
        y = number_array(labels, "y")
        if y.shape[1:] != self.shape:
            raise TARGET_AXES(got=list(y.shape[1:]), wanted=list(self.shape))
        flat = y.reshape(len(y), -1)
        if self.task == "regression":
            return torch.from_numpy(((flat.astype(np.float64) - self.mean) / self.scale).astype(np.float32))
        if y.dtype.kind == "f":
            raise TARGET_FLOATS(dtype=y.dtype)
        wrong = (y != IGNORED) & ((y < 0) | (y >= len(self.classes)))
        if wrong.any():
            row, *at = (int(place) for place in np.argwhere(wrong)[0])
            raise TARGET_NUMBER(value=y[(row, *at)], place=place(row), at=at, n=len(self.classes))
        return torch.from_numpy(flat.astype(np.int64))

    def known_N(self, y: NDArray) -> NDArray[np.bool_]:
        """``[N]``: whether a row has a position that is not left out."""
        if self.task == "regression":
            return np.full(len(y), True)
        return np.asarray((y != IGNORED).reshape(len(y), -1).any(axis=1))
