"""Find the rows of tables that are equal in all features, or in a long text but for a few words."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from treino.base.words import N_
from treino.data.preparation.column_cells import number_cells, second_cells
from treino.data.preparation.column_kinds import ColumnRole, by_value, level_cells
from treino.data.preparation.near_texts import near_texts
from treino.data.splits import EqualRows, first_equal, first_equal_columns, joined_rows
from treino.data.table import Numbers, Table

LONG_TEXT = 50  # characters; shorter texts may be alike by chance
EQUAL_TEXTS = (
    N_("Rows equal to an earlier one in all features, or almost in a long text: {n}; they are never parted."),
    N_("in all features, or almost in a long text"),
)


def equal_rows(
    tables: Sequence[Table],
    chosen: Mapping[str, ColumnRole],
    answer_N: NDArray[np.int64],
    cells_ND: Numbers | None = None,
) -> EqualRows:
    """The equal rows of tables, in order. answer_N: equal for rows of equal targets. cells_ND: the cells as
    ``comparable`` returns them; None: the columns are read one after the other."""
    rows = sum(table.rows for table in tables)

    def columns() -> Iterator[Numbers]:
        return comparable_columns(tables, chosen) if cells_ND is None else iter(cells_ND.T)

    first_N = first_equal_columns(columns(), rows) if cells_ND is None else first_equal(cells_ND)
    equal = EqualRows.of(first_N, answer_N, columns())
    first_N, unit_N = equal.first_N, equal.unit_N
    for name in (name for name, role in chosen.items() if role.way == "text"):
        cells = (cell for table in tables for cell in level_cells(table.column(name), False))
        same_N, near_N = near_texts(cells, LONG_TEXT)
        first_N = joined_rows(first_N, near_N)
        for text_N in (same_N, near_N):  # copies stay together even where near ones return by nature
            unit_N = joined_rows(unit_N, EqualRows.of(text_N, answer_N).unit_N)
    return EqualRows(first_N, unit_N)


def answer_codes(
    tables: Sequence[Table], targets: Sequence[str], labels: Sequence[Sequence[NDArray[np.int64]]]
) -> NDArray[np.int64]:
    """``[N]``: equal for rows that are equal in all targets. labels: each table's codes of each target."""
    answers = []
    for table, of_table in zip(tables, labels, strict=True):
        numbers = [table.column(name).numbers for name in targets]
        answers.append(np.stack([c if n is None else n for n, c in zip(numbers, of_table, strict=True)], 1))
    answer_NK = np.concatenate(answers).astype(np.float64)
    return np.asarray(np.unique(answer_NK, axis=0, return_inverse=True)[1]).reshape(-1)


def comparable(tables: Sequence[Table], chosen: Mapping[str, ColumnRole]) -> Numbers:
    """``[N, D]``: the cells of the features as numbers or codes; equal cells have equal codes."""
    if tables[0].matrix is not None and len(tables) == 1:
        return feature_matrix(tables[0], tuple(chosen))
    raw_ND = np.empty((sum(t.rows for t in tables), len(chosen)))
    for j, value_N in enumerate(comparable_columns(tables, chosen)):
        raw_ND[:, j] = value_N
    return raw_ND


def comparable_columns(
    tables: Sequence[Table], chosen: Mapping[str, ColumnRole]
) -> Iterator[NDArray[np.float64]]:
    """Yields the columns of ``comparable``, each ``[N]``."""
    for name, choice in chosen.items():
        if choice.way == "number":
            cells = [number_cells(t.column(name), t.place) for t in tables]
        elif choice.way in ("date", "time"):
            clock = choice.way == "time"
            cells = [second_cells(t.column(name), t.place, clock=clock) for t in tables]
        else:
            code, numeric = dict[str, int](), by_value(tables[0].column(name))
            cells = [
                np.array([code.setdefault(w, len(code)) for w in level_cells(t.column(name), numeric)], float)
                for t in tables
            ]
        yield np.concatenate(cells) if len(cells) > 1 else cells[0]


def feature_matrix(table: Table, names: Sequence[str]) -> Numbers:
    """``[N, D]``: the named columns, from the table's matrix if it has one, else from their numbers."""
    if table.matrix is not None:
        positions = {name: j for j, name in enumerate(table.names)}
        if tuple(names) == table.names[: table.matrix.shape[1]]:
            return table.matrix
        return np.ascontiguousarray(table.matrix[:, [positions[name] for name in names]])
    return np.stack([number_cells(table.column(name), table.place) for name in names], axis=1)
