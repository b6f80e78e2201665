"""Data of pictures of a network over its inputs: planes, lines and fits, with the rows they show."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray

from treino.base.errors import Refusal
from treino.base.words import _
from treino.data.column_program import ColumnProgram
from treino.data.dataset import Data
from treino.data.operations import DAY
from treino.data.preparation.column_cells import restored
from treino.data.preparation.interpreter import UNKNOWN
from treino.data.rows import Rows

ROW_UNKNOWN = Refusal(
    "{data} has no row {n}.",
    "Its rows are numbered from {low} to {high}; [[what=mistakes]] shows some with their numbers.",
)
ROW_NOT_YET = Refusal(
    "Row {n} is a test row, and test rows are looked at once, when the run is over.",
    "Choose another row, or go on with the run: treino resume",
)
ANSWERS_WITH_AXES = Refusal(
    "This is of one answer per row, and each row of {data} has a target with the axes {shape}.",
    "Look at [[what=curves]]; predictions have these axes: run.predict(X).",
)

# ---- planes, lines and fits over a network's inputs

Floats = NDArray[np.float64]
Split = Literal["train", "validation", "test"]
View = Literal["all", "important", "given", "components"]


@dataclass(frozen=True, eq=False)
class Points:
    """The rows of one split that a picture shows.

    at_NK: ``[N, K]``: each row's place on the picture's K input axes (K = 0 for predicted against true).
    true_N, predicted_N: class numbers (-1: outputs not finite), or values in the target's own units.
    index_N: row numbers in the source. total: the number of rows in the split, of which N are shown.
    """

    split: Split
    at_NK: Floats
    true_N: Floats
    predicted_N: Floats
    index_N: NDArray[np.int64]
    total: int

    def __len__(self) -> int:
        return len(self.true_N)

    @property
    def wrong_N(self) -> NDArray[np.bool_]:
        return np.asarray(self.true_N != self.predicted_N)


@dataclass(frozen=True)
class Score:
    """The metrics beside a picture, on all rows of ``split``: ``accuracy`` (with its 95 % Wilson interval and
    the number ``right`` of ``rows``), or ``rmse`` (in the target's units) and ``r2`` (None for one row or a
    constant target). unanswered: the rows without an answer; with some, all metrics are None.
    """

    split: Split
    rows: int
    accuracy: float | None = None
    right: int = 0
    interval: tuple[float, float] | None = None
    rmse: float | None = None
    r2: float | None = None
    unanswered: int = 0


@dataclass(frozen=True, eq=False)
class InputAxes:
    """The one or two input axes of a picture.

    view: ``all``: the only inputs; ``important``: the two inputs on whose plane the picture agrees best with
    the network, compared on ``view_rows`` rows of ``view_split``; ``given``: the requested inputs (in both
    cases all others are at training medians); ``components``: the first two principal components of the
    training rows, with their shares of the ``variance``. held: the other columns, each with its fixed value
    on the plane: a number, a class or a date; None without a single value (hashed classes).
    place: maps prepared rows ``[N, D]`` to their places ``[N, K]`` on the K axes, in the axes' units. rows:
    maps places to prepared rows, with typical values in all other inputs. columns: the features on the axes.
    """

    view: View
    view_split: Split
    view_rows: int
    axis_names: tuple[str, ...]
    place: Callable[[torch.Tensor], Floats]
    rows: Callable[[Floats], torch.Tensor]
    variance: tuple[float, float] | None = None
    held: tuple[tuple[str, float | str | None], ...] = ()
    columns: tuple[int, ...] = ()

    @property
    def holds_classes(self) -> bool:
        """Whether a column of classes or dates is held at one of them."""
        return any(isinstance(value, str) for _name, value in self.held)

    def grid_rows(self, x_R: Floats, y_R: Floats) -> torch.Tensor:
        """Prepared rows at all places of a grid, from left to right, and line by line upwards."""
        at_N2 = np.stack(np.meshgrid(x_R, y_R), axis=-1).reshape(-1, 2)
        return self.rows(at_N2[:, : len(self.axis_names)])


def winners(share_XC: NDArray[Any], threshold: float | None) -> NDArray[np.int64]:
    """``[...]``: the class numbers predicted from probabilities ``[..., C]``, by ``Data.threshold``."""
    return share_XC.argmax(-1) if threshold is None else (share_XC[..., 1] >= threshold).astype(np.int64)


def finite_winners(share_XC: NDArray[Any], threshold: float | None) -> NDArray[np.int64]:
    """``winners``; -1 where probabilities are not finite."""
    return np.where(np.isfinite(share_XC).all(-1), winners(share_XC, threshold), -1)


def absent_classes(winner_X: NDArray[np.int64], classes: Sequence[str]) -> tuple[int, ...]:
    """The numbers of the classes that win nowhere."""
    return tuple(np.setdiff1d(np.arange(len(classes)), winner_X).tolist())


@dataclass(frozen=True, eq=False)
class Plane:
    """A classifier's probabilities over two axes.

    inputs: the number of inputs; for a table, of columns. x_R, y_R: ``[R]``: the grid in the axes' units.
    probability_RRC: ``[R (y), R (x), C]``. agreement: the share of the ``agreement_rows`` rows shown for
    which the class predicted on the plane equals the network's. better: if that share is small for ``given``
    inputs, two on whose plane it is larger, with that share.
    """

    name: str
    classes: tuple[str, ...]
    inputs: int
    axes: InputAxes
    x_R: Floats
    y_R: Floats
    probability_RRC: NDArray[np.float32]
    points: tuple[Points, ...]
    agreement: float
    agreement_rows: int
    score: Score
    threshold: float | None = None
    better: tuple[tuple[str, str], float] | None = None

    @cached_property
    def winner_RR(self) -> NDArray[np.int64]:
        """The predicted class at each grid place; -1 if its outputs are not finite."""
        return finite_winners(self.probability_RRC, self.threshold)

    @property
    def finite(self) -> bool:
        """Whether the network's outputs are finite everywhere in view."""
        return bool((self.winner_RR >= 0).all())

    @property
    def absent(self) -> tuple[int, ...]:
        """Classes that are predicted nowhere in view."""
        return absent_classes(self.winner_RR, self.classes)


@dataclass(frozen=True, eq=False)
class InputLine:
    """A network's outputs over its only input.

    value_RC: class probabilities ``[R, C]``, or the predicted target ``[R, 1]`` in its own units (``classes``
    is then empty).
    """

    name: str
    classes: tuple[str, ...]
    axis_name: str
    target: str
    x_R: Floats
    value_RC: Floats
    points: tuple[Points, ...]
    score: Score
    threshold: float | None = None

    @property
    def finite(self) -> bool:
        """Whether the network's outputs are finite everywhere in view."""
        return bool(np.isfinite(self.value_RC).all())

    @property
    def absent(self) -> tuple[int, ...]:
        """Classes that are predicted nowhere in view."""
        winner_R = finite_winners(self.value_RC, self.threshold if self.classes else None)
        return absent_classes(winner_R, self.classes)


@dataclass(frozen=True, eq=False)
class Fit:
    """A regression with several inputs: predicted against true targets, in the target's own units. Without
    classes none can be absent."""

    name: str
    target: str
    points: tuple[Points, ...]
    score: Score
    classes: tuple[str, ...] = ()
    absent: tuple[int, ...] = ()


Boundary = Plane | InputLine | Fit


# ---- samples of rows

Cell = float | str | None
ALL: tuple[Split, ...] = ("train", "validation", "test")


def refuse_axes(data: Data) -> None:
    """Refuse targets with axes, where one answer for each row is shown."""
    if axes := data.preparation.target_shape:
        raise ANSWERS_WITH_AXES(data=data.name, shape=list(axes))


def held_out(data: Data, splits: Sequence[Split] = ALL) -> tuple[Split, Rows]:
    """The rows to measure a network on: test rows, else validation rows, else training rows.

    splits: the splits that may be used; without ``test`` for a run that will be resumed.
    """
    refuse_axes(data)
    names: tuple[Split, ...] = ("test", "validation", "train")
    split: Split = next((s for s in names if s in splits and len(data.splits[s])), "train")
    return split, data.splits[split]


def draw(rows: Rows, most: int) -> Rows:
    """At most ``most`` of the rows: a sample with a fixed seed, in row order."""
    if len(rows) <= most:
        return rows
    row_K = np.sort(np.random.RandomState(0).choice(len(rows), most, replace=False))
    pick = torch.from_numpy(row_K)
    drawn: Rows = rows[pick]
    return drawn


AT_ONCE = 1 << 28  # bytes of rows in float64 that a picture takes into memory


def most_rows(data: Data, most: int) -> int:
    """``most``, or as many rows as fit in ``AT_ONCE``, if fewer (as for large pictures)."""
    return max(16, min(most, AT_ONCE // (8 * data.inputs)))


def row_of(data: Data, number: int | None, splits: Sequence[Split] = ALL) -> tuple[Split, Rows]:
    """The row with this number in the source, as ``Rows`` of one row; default: the first of ``held_out``.

    Raises:
        TreinoError: no row of these splits has the number.
    """
    if number is None:
        split, rows = held_out(data, splits)
        return split, rows[:1]
    for split in reversed(ALL):
        place_K = torch.nonzero(data.splits[split].index == number)[:, 0]
        if len(place_K) and split in splits:
            return split, data.splits[split][place_K[:1]]
        if len(place_K):
            raise ROW_NOT_YET(n=number)
    index_N = torch.cat([data.splits[split].index for split in splits])
    raise ROW_UNKNOWN(data=data.name, n=number, low=int(index_N.min()), high=int(index_N.max()))


def planes(value_ND: NDArray[Any], item_shape: Sequence[int]) -> NDArray[Any]:
    """``[N, C, H, W]``: rows of pixels as pictures; also for an item ``[H, W]`` or ``[H, W, C]``."""
    *leading, height, width = item_shape
    if leading and leading[0] > 4 and width <= 4:  # channels last
        return np.moveaxis(value_ND.reshape(len(value_ND), *item_shape), -1, 1)
    return value_ND.reshape(len(value_ND), math.prod(leading), height, width)


def pictures(data: Data, x_KD: torch.Tensor) -> Floats:
    """``[K, C, H, W]`` from 0 to 1: prepared rows of pixels as pictures, all on the same scale."""
    raw_KCHW = planes(data.preparation.inverse(x_KD), data.item_shape)
    if data.preparation.divisor == 255:
        low, high = 0.0, 255.0
    else:
        low, high = (float(f(raw_KCHW)) for f in (np.min, np.max)) if raw_KCHW.size else (0.0, 1.0)
    return np.asarray(np.clip((raw_KCHW - low) / ((high - low) or 1.0), 0, 1))


def cells(data: Data, x_ND: torch.Tensor) -> list[list[Cell]]:
    """``[columns][N]``: the cells of each column, restored from prepared rows: numbers in their own units,
    classes and dates as text, None for missing values. Hashed classes can't be restored."""
    return [cells_of(data, x_ND, column) for column in range(len(data.features))]


def cells_of(data: Data, x_ND: torch.Tensor, column: int) -> list[Cell]:
    """The cells of one column, restored from prepared rows."""
    raw_ND, group = data.preparation.inverse(x_ND), list(data.preparation.groups[column])
    made, mean_D = data.preparation.programs, np.broadcast_to(data.preparation.mean, raw_ND.shape[1])
    cells = cells_from(made[column] if made else None, raw_ND[:, group])
    return [_number(cell, mean_D[group[0]]) if isinstance(cell, float) else cell for cell in cells]


def _number(value: float, mean: float) -> float:
    """The value without digits that are float32 rounding error: 0 for -3e-9, 12.86 for 12.8599999965."""
    doubt = abs(value - mean) * 2.0**-22
    return float(f"{round(value, math.floor(-math.log10(doubt))) if doubt > 0 else value:.7g}") + 0.0


def cells_from(program: ColumnProgram | None, raw_NK: Floats) -> list[Cell]:
    """What a column's raw inputs in each row stand for: a number, a class, a date or a time; None:
    missing."""
    if program is None:
        return list(map(float, raw_NK[:, 0]))
    if not program.reversible:
        text, there_N = _("(text)"), np.full(len(raw_NK), True)
        if program.measure == "word":
            own = program.groups[0][1]
            text, there_N = _("(hashed)"), np.abs(raw_NK[:, own.start : own.stop]).max(axis=1) > 0.5
        elif program.flag:
            there_N = raw_NK[:, -1] <= 0.5
        return [text if there else None for there in there_N]
    value_N = restored(program, raw_NK)
    if program.measure == "word":
        return [_("unknown") if word == UNKNOWN else str(word) or None for word in value_N]
    write = float if program.measure == "number" else _clock if program.clock else partial(_day, program)
    return [None if np.isnan(value) else write(float(value)) for value in value_N]


def _clock(second: float) -> str:
    minute = round(second / 60) % 1440
    return f"{minute // 60:02d}:{minute % 60:02d}"


def _day(program: ColumnProgram, second: float) -> str:
    if "hour" in program.parts:
        return str(np.datetime64(round(second / 60), "m")).replace("T", " ")
    return str(np.datetime64(round(second / DAY), "D"))
