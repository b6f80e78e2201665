"""Rows to predict: any source, brought into the shape that a finished training was fitted on."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from treino.data import sources
from treino.data.loading import feature_matrix, prepare_target
from treino.data.preparation import Preparation
from treino.data.table import Column, Table, fault, shorten
from treino.data.target import encode
from treino.errors import TreinoError, nearest
from treino.words import _


@dataclass(frozen=True, eq=False)
class Prepared:
    """Rows of a source, ready for a network that was trained before.

    x: ``[N, D]`` float32. y: as in Rows, or None where the source has no target. index: ``[N]`` int64, the
    row numbers in the source. notes: what was left out or filled in, one sentence each.
    """

    x: torch.Tensor
    y: torch.Tensor | None
    index: torch.Tensor
    notes: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.x)


def rows_for_prediction(source: Any, preparation: Preparation) -> Prepared:
    """All rows of a built-in, a CSV file, a pandas frame or a 2-D array, prepared as the training rows were.

    Columns are found by name, in any order; others are left out with a note. A bare array is taken by
    position. Raises TreinoError naming the columns that are missing, the first cell that is no finite
    number, or a value of the target that is none of the known classes.
    """
    table = sources.read(source, least_columns=1)
    notes: list[str] = []
    names: tuple[str, ...] = preparation.features
    if not table.named:
        names = tuple(name for name in table.names if name != table.target)
        if len(names) != len(preparation.features):
            raise TreinoError(
                "columns_count",
                _("The array has {got} columns, not {want}.").format(
                    got=len(names), want=len(preparation.features)
                ),
                _("The columns are: {names}.").format(names=shorten(", ".join(preparation.features), 200)),
            )
        target = table.by_name.get(table.target or "")
    else:
        _check_columns(table, preparation)
        target = table.by_name.get(preparation.target)
        wanted = {*names, preparation.target}
        extra = [name for name in table.names if name not in wanted]
        if extra:
            notes.append(_("Not used: {names}.").format(names=shorten(", ".join(extra), 200)))
    x_ND = preparation.transform(feature_matrix(table, names))
    y_N = None if target is None else _known_target(table, target, preparation, notes)
    return Prepared(x_ND, y_N, torch.arange(table.rows), tuple(notes))


def _check_columns(table: Table, preparation: Preparation) -> None:
    absent = [name for name in preparation.features if name not in table.by_name]
    if absent:
        raise TreinoError(
            "columns_missing",
            _("'{source}' lacks {n} of {of} columns: {names}.").format(
                source=table.source,
                n=len(absent),
                of=len(preparation.features),
                names=shorten(", ".join(absent), 200),
            ),
            _("'{name}': {hint}").format(name=absent[0], hint=nearest(absent[0], table.names)),
        )


def _known_target(
    table: Table, column: Column, preparation: Preparation, notes: list[str]
) -> torch.Tensor | None:
    if column.words is not None and column.constant and not column.cell(0):
        notes.append(_("The column '{name}' is empty: nothing to compare with.").format(name=column.name))
        return None
    label_N: NDArray[np.int64] = np.zeros(table.rows, dtype=np.int64)
    if preparation.task == "classification":
        label_N = encode(column, preparation.classes, table.place)
    else:
        found = fault(column, table.place)
        if found:
            raise TreinoError(
                found[0].replace("feature", "target"),
                _("The target: {message}").format(message=found[1]),
                _("{what}, or leave the column out.").format(what=found[2]),
            )
    return prepare_target(column, label_N, preparation)
