"""Check the column of the rows' weights (how much each counts), and leave out rows of weight 0."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from treino.base.errors import Refusal
from treino.base.resampling import effective_rows
from treino.base.words import _, numeral
from treino.data.preparation.column_cells import number_cells
from treino.data.preparation.column_kinds import level_cells
from treino.data.preparation.fit import take
from treino.data.table import Table, check_no_target, check_present, fault, unknown_column
from treino.settings.setting_types import as_item

ROW_WEIGHTS_TWO = Refusal(
    "(X, y, weights) has weights of its own, and {name} names a column.", "Give one of them."
)
ROW_WEIGHTS_SOURCE = Refusal(
    "The rows of '{source}' are images, or are divided already, and can't be weighted.",
    "Leave [[row_weights]] out.",
)
ROW_WEIGHTS_FEATURE = Refusal(
    "'{name}' is named in [[features]] and in [[row_weights]].", "Take it out of one of them."
)
ROW_WEIGHTS_ZERO = Refusal(
    "All weights in '{name}' of '{source}' are 0: no row counts.",
    "Give some rows a weight above 0, or leave [[row_weights]] out.",
)
ROW_WEIGHTS_EMPTY = Refusal(
    "The row weights '{name}' are empty in {n} rows, the first in {place}.",
    "Fill them in; to count such rows as 0: [[row_weights={item}=0]].",
)
ROW_WEIGHTS_RANGE = Refusal(
    "The row weights: column '{name}' holds {value} in {place}.",
    "A weight is 0 (the row is left out) or from 1e-30 to 1e30; 2 counts as two equal rows.",
)
ROW_WEIGHTS_PART = Refusal(
    "All rows that '{column}' calls '{word}' have a weight of 0 in '{name}'.",
    "Give some of them a weight above 0, or take them out of the data.",
)

Weights = NDArray[np.float64]

LEAST, MOST = 1e-30, 1e30  # beyond, sums of weights and squares in float32 are 0 or infinite
DOMINANT = 0.5  # minimum share of the total weight at which one row causes a warning
ZERO = "=0"  # ends the name of a column whose empty cells count as 0


@dataclass(frozen=True)
class WeightsDescription:
    """The description of the rows' weights, all above 0. total: their sum. effective: the effective
    sample size (Kish). largest: the largest share of the sum; row: the number of its row."""

    name: str
    rows: int
    total: float
    effective: float
    largest: float
    row: int

    @classmethod
    def of(cls, name: str, weight_N: Weights) -> "WeightsDescription":
        total, row = float(weight_N.sum()), int(weight_N.argmax())
        return cls(name, len(weight_N), total, effective_rows(weight_N), float(weight_N[row]) / total, row)

    @property
    def sentence(self) -> str:
        text = _(
            "Rows count as '{name}' says: {n} rows weigh {total} together, and tell as much as {effective} "
            "that weigh alike."
        )
        facts = {"n": numeral(self.rows, ","), "total": numeral(self.total, ",.6g")}
        return text.format(name=self.name, effective=numeral(self.effective, ",.0f"), **facts)


def weight_column(
    table: Table, asked: str | None, targets: Sequence[str], features: Sequence[str] | None
) -> str | None:
    """The name of the column of weights, the requested one or the source's own; None without one.

    asked: the requested column; ``COLUMN=0`` if its empty cells are weights of 0.
    """
    if asked is None:
        return table.row_weights
    name = asked if asked in table.names else asked.removesuffix(ZERO)
    if table.row_weights is not None:
        raise ROW_WEIGHTS_TWO(name=name)
    if table.official_test or table.matrix is not None:
        raise ROW_WEIGHTS_SOURCE(source=table.source)
    if name not in table.names:
        raise unknown_column(table, name, "row_weights", targets)
    check_no_target(name, targets, "row_weights")
    if features is not None and name in features:
        raise ROW_WEIGHTS_FEATURE(name=name)
    return name


def weighted(
    table: Table,
    row_N: NDArray[np.int64],
    name: str,
    asked: str | None,
    notes: list[str],
    split_column: str | None = None,
) -> tuple[Table, NDArray[np.int64], Weights]:
    """Return the rows whose weight isn't 0, their row numbers and their weights. Adds a note on the others.

    split_column: the column that names each row's split, of which none may lose all its rows.
    """
    check_present(table, [name])
    weight_N = weights_of(table, name, zero=asked not in (None, name))
    kept_K = np.flatnonzero(weight_N > 0)
    if not len(kept_K):
        raise ROW_WEIGHTS_ZERO(name=name, source=table.source)
    if len(kept_K) == len(weight_N):
        return table, row_N, weight_N
    text = _("Rows left out because their weight in '{name}' is 0: {n}.")
    notes.append(text.format(name=name, n=len(weight_N) - len(kept_K)))
    kept = take(table, kept_K)
    if split_column is not None:
        all_words, words = (set(level_cells(t.column(split_column), False)) for t in (table, kept))
        if lost := sorted(all_words - words):
            raise ROW_WEIGHTS_PART(column=split_column, word=lost[0], name=name)
    return kept, row_N[kept_K], weight_N[kept_K]


def weights_of(table: Table, name: str, zero: bool = False) -> Weights:
    """``[N]``: the weights in a column. zero: empty cells are weights of 0; else they are refused.

    Raises TreinoError for a cell that is no number from 0 on.
    """
    column = table.column(name)
    if problem := fault(column, table.place, required=False, truth=False):
        hint = _("{what}, or name another column in [[row_weights]].")
        raise problem.refusal("row_weights", _("The row weights: {message}"), hint)
    weight_N = number_cells(column, table.place)
    empty_N = np.isnan(weight_N)
    if empty_N.any() and not zero:
        raise ROW_WEIGHTS_EMPTY(
            name=name, n=int(empty_N.sum()), place=table.place(int(empty_N.argmax())), item=as_item(name)
        )
    weight_N = np.where(empty_N, 0.0, weight_N)
    odd_N = (weight_N < LEAST) & (weight_N != 0) | (weight_N > MOST)
    if odd_N.any():
        row = int(odd_N.argmax())
        raise ROW_WEIGHTS_RANGE(name=name, value=column.cell(row), place=table.place(row))
    return weight_N
