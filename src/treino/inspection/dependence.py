"""Partial dependence: the network's output as one column changes and all others stay the same."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from treino.base.errors import Refusal, nearest
from treino.data.column_program import ColumnProgram
from treino.data.dataset import Data
from treino.data.operations import DAY
from treino.data.preparation.column_cells import inputs_of
from treino.data.preparation.fit_columns import number_program
from treino.data.table import COLUMN_UNKNOWN
from treino.engine.metrics import probabilities
from treino.inspection.feature_importance import OUTPUTS_NOT_FINITE
from treino.inspection.input_planes import Cell, Floats, cells_of, draw
from treino.inspection.outputs import outputs

DEPENDENCE_PIXELS = Refusal(
    "One pixel alone changes nothing, so there is no dependence on it to draw.",
    "Look at [[what=occlusion]], which covers places of a picture, or at weights.",
)
DEPENDENCE_HASHED = Refusal(
    "The classes of '{name}' were hashed, so they can't be set one by one.",
    "Look at another column, or at [[what=importance]].",
)

Axis = Literal["number", "class", "date", "time"]
MOST_COLUMNS = 6  # maximum number of columns to draw, the most important first
ROWS = 300  # training rows in the mean
POINTS = 41  # values on the axis of a number, a date or a time of day
FEW = 8  # a number with at most this many different values is evaluated at these values only


@dataclass(frozen=True, eq=False)
class Dependence:
    """The network's outputs on N rows at each of G values of one column.

    axis: the unit of ``at_G``: ``number`` (the column's units), ``class`` (indices of ``levels``), ``date``
    (seconds since 1970-01-01) or ``time`` (seconds since midnight). own_N: the rows' own values on the axis,
    NaN if missing. curve_NGC: ``[N, G, C]`` probabilities, or ``[N, G, 1]`` the target in its own units.
    mean_GC is the partial dependence (Friedman 2001), each row's curve an individual conditional expectation
    (Goldstein et al. 2015). total: the number of training rows, from which the N rows were drawn.
    """

    column: str
    axis: Axis
    levels: tuple[str, ...]
    at_G: Floats
    own_N: Floats
    curve_NGC: Floats
    total: int

    @property
    def mean_GC(self) -> Floats:
        return np.asarray(self.curve_NGC.mean(axis=0))

    @property
    def reach_C(self) -> Floats:
        """``[C]``: the range of each mean curve."""
        return np.asarray(np.ptp(self.mean_GC, axis=0))


def dependence(
    net: nn.Module,
    data: Data,
    column: str,
    *,
    at: Sequence[float] | None = None,
    rows: int = ROWS,
    item_shape: Sequence[int] | None = None,
) -> Dependence:
    """The dependence on one column, over at most ``rows`` training rows (a seeded sample).

    All inputs of a column (classes, a date's circles) change together, as the run's encoder computes them.
    at: the values, in the axis's units; default: evenly over the range of the rows, or all classes.

    Raises:
        TreinoError: the column is unknown, hashed or a pixel, or outputs are not finite.
    """
    if data.kind == "image":
        raise DEPENDENCE_PIXELS()
    if column not in data.features:
        raise COLUMN_UNKNOWN(name=column, source=data.name, hint=nearest(column, data.features))
    place = data.features.index(column)
    made = data.preparation.programs
    program = made[place] if made else number_program(column)
    if not program.reversible:
        raise DEPENDENCE_HASHED(name=column)
    drawn = draw(data.train, rows)
    own_N, axis, levels = _own(program, cells_of(data, drawn.x, place))
    at_G = np.asarray(at, dtype=np.float64) if at is not None else _values(axis, levels, own_N)
    group = list(data.preparation.groups[place])
    raw_GD = np.tile(data.preparation.inverse(drawn.x[:1]), (len(at_G), 1))
    raw_GD[:, group] = _inputs(program, at_G, levels)
    set_GI = data.preparation.transform(raw_GD)[:, group].to(drawn.x.dtype)
    curves = []
    for set_I in set_GI:
        x_ND = drawn.x.clone()
        x_ND[:, group] = set_I
        x_ND = data.preparation.with_answers(x_ND)
        curves.append(outputs(net, x_ND, item_shape=item_shape).double())
    out_NGC = torch.stack(curves, dim=1)
    if bad := int((~out_NGC.isfinite()).flatten(1).any(1).sum()):
        raise OUTPUTS_NOT_FINITE(n=bad, rows=len(out_NGC))
    if data.classes:
        value_NGC = probabilities(out_NGC.flatten(0, 1)).reshape(*out_NGC.shape[:2], -1)
    else:
        value_NGC = data.preparation.predictions(out_NGC)
    return Dependence(column, axis, levels, at_G, own_N, value_NGC.numpy(), len(data.train))


def drawable(data: Data) -> tuple[str, ...]:
    """The columns whose dependence can be drawn: a table's columns, except hashed or unused ones."""
    if data.kind == "image":
        return ()
    made = data.preparation.programs
    return tuple(
        name
        for j, name in enumerate(data.features)
        if not (made and not (made[j].reversible and made[j].inputs))
    )


def _own(program: ColumnProgram, cells: list[Cell]) -> tuple[Floats, Axis, tuple[str, ...]]:
    """Return the rows' values on the axis, the kind of axis, and its classes."""
    if levels := program.levels:
        known: dict[Cell, int] = {(level or None): k for k, level in enumerate(levels)}
        return np.array([known.get(cell, np.nan) for cell in cells], dtype=np.float64), "class", levels
    if program.measure == "seconds" and not program.clock:
        days = [np.nan if c is None else np.datetime64(str(c), "s").astype(np.int64) for c in cells]
        return np.array(days, dtype=np.float64), "date", ()
    if program.clock:
        parts = [(None if c is None else str(c).split(":")) for c in cells]
        seconds = [np.nan if p is None else 3600.0 * int(p[0]) + 60.0 * int(p[1]) for p in parts]
        return np.array(seconds), "time", ()
    return np.array([np.nan if c is None else float(c) for c in cells]), "number", ()


def _values(axis: Axis, levels: tuple[str, ...], own_N: Floats) -> Floats:
    if axis == "class":
        return np.arange(len(levels), dtype=np.float64)
    if axis == "time":
        return np.linspace(0, DAY, POINTS)
    own = own_N[np.isfinite(own_N)]
    if not len(own):
        return np.zeros(1)
    different = np.unique(own.astype(np.float32).astype(np.float64))
    if axis == "number" and len(different) <= FEW:
        return different
    low, high = float(own.min()), float(own.max())
    if axis == "date":
        low, high = np.floor(low / DAY) * DAY, np.floor(high / DAY) * DAY
    return np.linspace(low, high, POINTS)


def _inputs(program: ColumnProgram, at_G: Floats, levels: tuple[str, ...]) -> NDArray[np.float64]:
    """``[G, inputs]``: the column's raw inputs at these values, computed by the run's program."""
    if levels:
        return inputs_of(program, np.array([levels[int(k)] for k in at_G], dtype=object))
    return inputs_of(program, at_G % DAY if program.clock else at_G)
