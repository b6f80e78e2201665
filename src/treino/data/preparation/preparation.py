"""Convert between the data's own units and a network's inputs."""

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from functools import cached_property
from itertools import accumulate, pairwise
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray

from treino.base.document_fields import Task
from treino.base.errors import Refusal
from treino.base.text import shortened
from treino.base.words import _
from treino.data.column_program import ColumnProgram
from treino.data.documents import (
    ColumnRows,
    InputArray,
    Labels,
    PreparationDocument,
    Target,
    Tree,
)
from treino.data.links import IDENTITY, Link, exponential
from treino.data.preparation.column_cells import (
    EncodingGaps,
    following,
    gaps_of,
    inputs_of,
    read_cells,
)
from treino.data.preparation.training_columns import count_of_classes
from treino.data.preparation.trees import tree_answers, tree_tables
from treino.data.table import Column, Numbers, RowPlace
from treino.settings.data_settings import Fit

COLUMNS_COUNT = Refusal("There are {got} columns, not {want}.", "The columns are: {names}.")
VALUE_RANGE = Refusal(
    "'{name}' holds {value}, which is too large for float32.", "Correct it, or scale the column down."
)
PREPARATION_DAMAGED = Refusal(
    "The preparation is damaged: {reason}.", "Train again, or take it from a copy of the run."
)

BLOCK = 1 << 16  # number of values that are scaled at a time


@dataclass(frozen=True, kw_only=True)
class Preparation:
    """A program converts each column to raw inputs; then x = (raw / divisor - mean) / scale.

    features: the columns to learn from, in this order. programs: one for each feature, in the same order; if
    empty, the columns are the inputs (images, Dataset items).
    mean, scale: one value for each input, or a single value for all pixels; scale 0 marks an input that was
    constant in the training rows: its x is 0. Inputs that are 0 or 1 have mean 0 and scale 1.
    labels: the type of the classes in the data, so that predictions can have the same type.
    targets: the targets, if they are several; ``target`` then joins their names, ``classes`` has a name for
    each output, and the other fields of a target have their defaults.
    divisor: 255 for images, else 1. target_mean, target_scale: y = (raw - mean) / scale for regression.
    target_log: the raw value is then the logarithm of the target. link: what outputs say of y.
    classes: the class names in the order of their codes; empty for regression.
    width: the number of columns of an array without column names; 0 if the columns have names.
    trees: decision trees; after the programs' inputs come their answers.
    clip: the largest absolute value of a normalised number; larger ones are clipped. None: no limit.
    fit: how a photograph is brought to ``item_shape``; None for data that aren't photographs.
    row_weights: the column of the rows' weights; None without one.
    arrays: the arrays that a row consists of, if it is not one of floats that are taken as they are; they
    hold the means and scales then. target_shape: the axes of each row's target; () for one value or class.
    columns: what the features, then the targets, held in the training rows; () if they are no columns.
    """

    kind: Literal["table", "image"]
    features: tuple[str, ...]
    divisor: float = 1.0
    mean: tuple[float, ...] = (0.0,)
    scale: tuple[float, ...] = (1.0,)
    normalise: bool = False
    task: Task
    target: str
    classes: tuple[str, ...]
    target_mean: float = 0.0
    target_scale: float = 1.0
    item_shape: tuple[int, ...]
    labels: Labels = "text"
    programs: tuple[ColumnProgram, ...] = ()
    trees: tuple[Tree, ...] = ()
    width: int = 0
    clip: float | None = None
    fit: Fit | None = None
    row_weights: str | None = None
    targets: tuple[Target, ...] = ()
    target_log: bool = False
    link: Link = IDENTITY
    arrays: tuple[InputArray, ...] = ()
    target_shape: tuple[int, ...] = ()
    columns: tuple[ColumnRows, ...] = ()

    @cached_property
    def by_target(self) -> "tuple[Preparation, ...]":
        """The preparation for each target alone; if there is one target, itself."""
        return tuple(replace(self, **one.fields, targets=()) for one in self.targets) or (self,)

    @property
    def scales(self) -> "tuple[Scale, ...]":
        """What turns the errors of each regression target into its unit; 1 for classes."""
        return tuple(
            one if one.target_log else Deviation(one.target_scale, one.target_mean) for one in self.by_target
        )

    def values(self, y: Any) -> Any:
        """The target's values in its own units for prepared ones, a tensor, an array or a number."""
        return self.unlogged(y * self.target_scale + self.target_mean)

    def unlogged(self, value: Any) -> Any:
        """The values of logarithms, if these are learnt."""
        return exponential(value) if self.target_log else value

    def linked(self, output: Any) -> Any:
        """The prepared numbers that a network's outputs stand for."""
        return self.link.values(output)

    def predictions(self, output: Any) -> Any:
        """The numbers that a network's outputs stand for, in the target's own units."""
        return self.values(self.linked(output))

    def further(self, output: torch.Tensor) -> dict[str, torch.Tensor]:
        """The other numbers that outputs say of each row, in the target's own units, by their names."""
        each, width = self.link.further(output), self.link.form.width
        return {name: one * self.target_scale if width else self.values(one) for name, one in each.items()}

    def slope(self, value: Any) -> Any:
        """How much a value changes by a small change of the prepared one, per unit."""
        return value * self.target_scale if self.target_log else self.target_scale

    @property
    def output_parts(self) -> tuple[slice, ...]:
        """The network's outputs for each target; if there is one target, all outputs."""
        ends = accumulate((len(t.classes) or 1 for t in self.targets), initial=0)
        return tuple(slice(a, b) for a, b in pairwise(ends)) or (slice(None),)

    @cached_property
    def inputs(self) -> tuple[str, ...]:
        """The names of the D inputs; an input that is a whole column has the column's name."""
        if not self.programs:
            return self.features
        named = (
            _("trees {k}").format(k=k) if self.answers > 1 else _("trees") for k in range(1, self.answers + 1)
        )
        return (*(name for program in self.programs for name in program.inputs), *named)

    @property
    def outputs(self) -> tuple[str, ...]:
        """What each output of a network answers: a class of a target, or a number."""
        return tuple(
            f"{one.target}={name}"
            if name
            else _("logarithm of {name}").format(name=one.target)
            if self.target_log
            else one.target
            for one in self.by_target
            for name in one.classes or ("",)
        )

    @cached_property
    def size(self) -> int:
        """D: the number of inputs."""
        return sum(p.width for p in self.programs) + self.answers if self.programs else len(self.features)

    @property
    def plain(self) -> bool:
        """Whether every column is exactly one input: a number without missing training cells, or a pixel."""
        one = (p.width == 1 and p.measure == "number" and p.scaled for p in self.programs)
        return not self.trees and all(one)

    @cached_property
    def groups(self) -> tuple[tuple[int, ...], ...]:
        """For each feature, the indices of its inputs."""
        if not self.programs:
            return tuple((j,) for j in range(len(self.features)))
        ends = accumulate((program.width for program in self.programs), initial=0)
        return tuple(tuple(range(a, b)) for a, b in pairwise(ends))

    @property
    def picture_shape(self) -> tuple[int, int, int] | None:
        """(channels, height, width), if the inputs are pixels from 0 to 255, grey or in colour; else None."""
        shape = (1, *self.item_shape) if len(self.item_shape) == 2 else self.item_shape
        pixels = self.kind == "image" and self.divisor == 255 and len(shape) == 3 and shape[0] in (1, 3)
        return (shape[0], shape[1], shape[2]) if pixels else None

    @cached_property
    def target_means(self) -> frozenset[int]:
        """The indices of the inputs that are target means, linear predictions or answers of trees; training
        rows get others than new rows."""
        pairs = zip(self.programs, self.groups, strict=False)
        means = {group[k] for program, group in pairs for k in program.told}
        return frozenset(means | set(range(self.size - self.answers, self.size)))

    @property
    def answers(self) -> int:
        """How many inputs are answers of trees; they are the last ones."""
        return sum(map(answers_of, self.by_target)) if self.trees else 0

    @property
    def input_columns(self) -> tuple[int, ...]:
        """``[D]``: for each input, the index of its column in ``features``; the trees count as a column."""
        columns = (k for k, group in enumerate(self.groups) for _input in group)
        return (*columns, *(len(self.groups),) * self.answers)

    @cached_property
    def input_bins(self) -> tuple[bool, ...]:
        """``[D]``: whether each input is a bin, a target mean, or an answer of trees."""
        if not self.programs:
            return (False,) * len(self.features)
        of_columns = (k in p.derived for p in self.programs for k in range(p.width))
        return (*of_columns, *(True,) * self.answers)

    @cached_property
    def scaled(self) -> NDArray[np.bool_]:
        """``[D]`` mask of the inputs that are normalised to mean 0 and deviation 1."""
        mask = [k == 0 and p.scaled for p in self.programs for k in range(p.width)]
        mask += [False] * self.answers
        return np.array(mask or [True] * len(self.features)) & self.normalise

    @property
    def apart(self) -> bool:
        """Whether a row is several arrays, or one by its name, not a single one in the shape of its items."""
        return len(self.arrays) > 1 or any(array.name for array in self.arrays)

    def amounts(self, looked_up: bool) -> NDArray[np.bool_]:
        """``[D]`` mask of the inputs that are amounts, not lengths, truths or places in a table. looked_up:
        whether the network looks whole numbers up in a table."""
        if not self.apart and not (self.arrays and looked_up):
            return np.full(self.size, True)
        return np.concatenate([np.full(array.width, array.dtype == "float32") for array in self.arrays])

    def with_bins(self, raw_ND: NDArray[np.float64]) -> NDArray[np.float64]:
        """Raw inputs ``[N, D]`` whose bins, target means and answers of trees follow from the others."""
        input_ND = raw_ND.copy()
        for program, group in zip(self.programs, self.groups, strict=False):
            for place, input_N in zip(*following(program, raw_ND[:, group[0]]), strict=True):
                input_ND[:, group[place]] = input_N
        self._set_answers(input_ND)
        return input_ND

    def with_answers(self, x_ND: torch.Tensor) -> torch.Tensor:
        """Prepared rows with the trees' answers to their other inputs; without trees the same rows."""
        if not self.trees:
            return x_ND
        raw_ND = self.inverse(x_ND)
        self._set_answers(raw_ND)
        x_ND = x_ND.clone()
        x_ND[:, -self.answers :] = self.transform(raw_ND)[:, -self.answers :].to(x_ND)
        return x_ND

    @cached_property
    def _tree_tables(self) -> Sequence[Any]:
        return tree_tables([tree.parts for tree in self.trees])

    def _set_answers(self, raw_ND: NDArray[np.float64]) -> None:
        if self.trees:
            raw_ND[:, -self.answers :] = tree_answers(raw_ND, self._tree_tables, self.answers)

    def raw_inputs(self, cells: Sequence[NDArray[Any]]) -> NDArray[np.float64]:
        """The raw inputs ``[N, D]`` of cells that were read, for each column ``[N]``."""
        raw_ND = np.empty((len(cells[0]), self.size))
        for program, cells_N, group in zip(self.programs, cells, self.groups, strict=True):
            raw_ND[:, group[0] : group[-1] + 1] = inputs_of(program, cells_N)
        self._set_answers(raw_ND)
        return raw_ND

    def encode(
        self, columns: Sequence[Column], place: RowPlace
    ) -> tuple[NDArray[np.float64], dict[str, EncodingGaps]]:
        """Return the raw inputs ``[N, D]`` of these columns, and the EncodingGaps of each column."""
        read = zip(self.programs, columns, strict=True)
        cells = [read_cells(program, column, place) for program, column in read]
        met = {p.column: gaps_of(p, cells_N) for p, cells_N in zip(self.programs, cells, strict=True)}
        return self.raw_inputs(cells), met

    def transform(self, raw_ND: Numbers) -> torch.Tensor:
        """``[N, D]`` float32 inputs from raw inputs in the data's own units; computed in float64 and rounded
        once."""
        if raw_ND.shape[1] != self.size:
            raise COLUMNS_COUNT(
                got=raw_ND.shape[1], want=self.size, names=shortened(", ".join(self.inputs), 200)
            )
        if raw_ND.dtype == np.uint8 and self.kind == "image":
            x_of_pixel = self._scaled(np.arange(256.0)[:, None]).astype(np.float32)
            return torch.from_numpy(x_of_pixel[:, 0][raw_ND])
        x_ND = np.empty(raw_ND.shape, dtype=np.float32)
        finite, block = True, max(1, BLOCK // max(1, raw_ND.shape[1]))
        for start in range(0, len(raw_ND), block):  # a block fits in the CPU cache and avoids a full copy
            with np.errstate(over="ignore", invalid="ignore"):
                x_ND[start : start + block] = self._scaled(raw_ND[start : start + block].astype(np.float64))
            finite = finite and bool(np.isfinite(x_ND[start : start + block]).all())
        if not finite:
            row, j = (int(i) for i in np.argwhere(~np.isfinite(x_ND))[0])
            raise VALUE_RANGE(name=shortened(self.inputs[j]), value=float(raw_ND[row, j]))
        return torch.from_numpy(x_ND)

    def _scaled(self, raw: NDArray[np.float64]) -> NDArray[np.float64]:
        mean, scale = self.mean_and_scale
        x: NDArray[np.float64] = (raw / self.divisor - mean) / np.where(scale == 0, 1.0, scale)
        if self.clip is not None:
            x = np.where(self.scaled, np.clip(x, -self.clip, self.clip), x)
        return np.where(scale == 0, 0.0, x)

    @cached_property
    def mean_and_scale(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Mean and deviation of each input, or one of each for all pixels."""
        if self.arrays:
            means, scales = zip(*map(_of_array, self.arrays), strict=True)
            return np.concatenate(means), np.concatenate(scales)
        return np.array(self.mean), np.array(self.scale)

    def inverse(self, x_ND: torch.Tensor | NDArray[np.floating[Any]]) -> NDArray[np.float64]:
        """``[N, D]`` float64 raw inputs in the data's own units; constant inputs get their constant value."""
        x = np.asarray(x_ND.detach().cpu() if isinstance(x_ND, torch.Tensor) else x_ND, dtype=np.float64)
        mean, scale = self.mean_and_scale
        raw: NDArray[np.float64] = (x * scale + mean) * self.divisor
        return raw

    def label(self, name: str) -> str | int | float | bool:
        """A class as in the data: as text, number or boolean."""
        if self.labels == "truth":
            return name.lower() == "true"
        if self.labels == "number":
            return int(name) if float(name).is_integer() else float(name)
        return name

    def _whole(self) -> "Preparation":
        """Return this preparation if its fields are consistent; raise ValueError otherwise."""
        scales = 1 if self.kind == "image" else self.size
        if not self.arrays and not len(self.mean) == len(self.scale) == scales:
            raise ValueError(_("{n} scales of {inputs} inputs").format(n=len(self.scale), inputs=scales))
        if math.prod(self.item_shape) != self.size:
            raise ValueError(_("{n} inputs of items of another shape").format(n=self.size))
        if self.arrays and sum(array.width for array in self.arrays) != self.size:
            raise ValueError(_("{n} inputs of items of another shape").format(n=self.size))
        if any(tree.answer >= self.answers for tree in self.trees):
            raise ValueError(_("a tree that adds to an answer which isn't there"))
        if any(max(tree.columns) >= self.size - self.answers for tree in self.trees):
            raise ValueError(_("a tree that splits at an input which isn't there"))
        for one in self.by_target:
            for name in one.classes if one.labels == "number" else ():
                one.label(name)
        if self.classes and len(self.classes) != sum(len(one.classes) for one in self.by_target):
            raise ValueError(_("classes that are of no target"))
        names = (*self.features, *(one.target for one in self.by_target))
        wanted = (*map(count_of_classes, self.programs), *(len(one.classes) for one in self.by_target))
        columns = [(c.column, 0 if c.values else len(c.counts)) for c in self.columns]
        if columns and columns != list(zip(names, wanted, strict=False)):
            raise ValueError(_("columns that are of other rows"))
        return self

    def to_json(self) -> dict[str, Any]:
        """The preparation as JSON values; floats are read back bit for bit."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        of_documents = ("programs", "trees", "targets", "arrays", "columns")
        values |= {name: [each.to_json() for each in values[name]] for name in of_documents}
        values["link"] = self.link.model_dump(mode="json", exclude_defaults=True)
        of_some = ("fit", "row_weights", "target_log", "link", "target_shape", *of_documents[1:])
        values = {name: value for name, value in values.items() if value or name not in of_some}
        plain: dict[str, Any] = json.loads(json.dumps(values))  # tuples as lists
        return plain

    def agrees(self, stored: PreparationDocument) -> bool:
        """Whether this preparation equals the one stored with a run."""
        now = PreparationDocument.model_validate(self.to_json())
        return now.model_dump(mode="json") == stored.model_dump(mode="json")

    @classmethod
    def from_document(cls, stored: PreparationDocument) -> "Preparation":
        """The preparation that ``to_json`` stored.

        Raises TreinoError if its fields are inconsistent.
        """
        values: dict[str, Any] = {field.name: getattr(stored, field.name) for field in fields(cls)}
        try:
            return cls(**values)._whole()
        except ValueError as error:
            raise PREPARATION_DAMAGED(reason=error) from None


def answers_of(target: Preparation) -> int:
    """How many answers trees give for one target."""
    return len(target.classes) if len(target.classes) > 2 else 1


def _of_array(array: InputArray) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the mean and the deviation of each number of the array in a row, in the data's own units."""
    axes = [1] * len(array.shape)
    if axes:
        axes[array.feature_axis] = -1
    pairs = (np.array(value).reshape(axes) * array.divisor for value in (array.mean, array.scale))
    mean, scale = (np.broadcast_to(value, array.shape).reshape(-1) for value in pairs)
    return mean, scale


class Deviation(float):
    """The standard deviation of a regression target, with its mean."""

    mean: float

    def __new__(cls, deviation: float, mean: float) -> "Deviation":
        made = super().__new__(cls, deviation)
        made.mean = mean
        return made


Scale = float | Preparation
"""What turns errors into the target's unit: its deviation; if its logarithm is learnt, its preparation."""


def fit_table(
    raw_ND: Numbers, normalise: bool, weight_N: NDArray[np.float64] | None = None
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Return (means, deviations) of the columns; 0 and 1 without normalisation.

    Both are computed on values divided by the column's largest absolute value: no square overflows, and a
    constant column is all 1 or -1, so its deviation is exactly 0 and its mean exactly the constant.
    weight_N: the rows' weights.
    """
    if not normalise:
        return (0.0,) * raw_ND.shape[1], (1.0,) * raw_ND.shape[1]
    largest_D = np.abs(raw_ND).max(axis=0)
    largest_D[largest_D == 0] = 1.0
    scaled_ND = raw_ND / largest_D
    if weight_N is None:
        mean_D, scale_D = scaled_ND.mean(axis=0), scaled_ND.std(axis=0)
    else:  # from the first row on, so that a constant column's deviation is 0 here too
        share_N1 = (weight_N / weight_N.sum())[:, None]
        mean_D = scaled_ND[0] + (share_N1 * (scaled_ND - scaled_ND[0])).sum(axis=0)
        scale_D = np.sqrt((share_N1 * (scaled_ND - mean_D) ** 2).sum(axis=0))
    return tuple((mean_D * largest_D).tolist()), tuple((scale_D * largest_D).tolist())


def fit_pixels(raw_ND: Numbers, normalise: bool) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Return (mean, deviation) of all pixels / 255, computed exactly from the counts of the 256 values."""
    if not normalise:
        return (0.0,), (1.0,)
    pixels = torch.from_numpy(np.ascontiguousarray(raw_ND)).view(-1)
    count = torch.bincount(pixels, minlength=256).numpy()  # np.bincount is 40 times slower on bytes
    value = np.arange(256) / 255
    mean = float((count * value).sum() / count.sum())
    scale = float(np.sqrt((count * (value - mean) ** 2).sum() / count.sum()))
    return (mean,), (scale,)


def fit_target(
    raw_N: NDArray[np.float64], weight_N: NDArray[np.float64] | None = None, link: Link = IDENTITY
) -> tuple[float, float]:
    """Return (mean, deviation) of a regression target in the training rows; deviation 1 if it is constant.
    For a link whose targets aren't centred: 0 and the mean, or 1 if that isn't above 0."""
    (mean,), (scale,) = fit_table(raw_N[:, None], True, weight_N)
    if not link.form.centred:
        return 0.0, mean if mean > 0 else 1.0
    return mean, scale or 1.0
