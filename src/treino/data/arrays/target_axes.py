"""Targets with axes: a class number or a value at each position of a row, such as a token's or a pixel's."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from treino.base.document_fields import Task
from treino.base.errors import Refusal
from treino.base.words import _
from treino.data.arrays.source import number_array
from treino.data.preparation.preparation import Preparation
from treino.data.rows import IGNORED
from treino.data.table import RowPlace, row_place
from treino.data.torch_datasets.item import Labels, labels_again

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
