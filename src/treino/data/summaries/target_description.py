"""Describe the target of a table and its classes, with warnings about problems that training would refuse."""

from dataclasses import dataclass, replace

import numpy as np

from treino.base.errors import TreinoError
from treino.base.words import _
from treino.data.preparation.fit import take
from treino.data.preparation.target import (
    check_classes,
    class_doubts,
    classes_of,
    decide_task,
    encode,
    has_target,
    task_of_kind,
)
from treino.data.summaries.relations import TargetRows
from treino.data.table import Column, DataWarning, Table


@dataclass(frozen=True)
class TargetDescription:
    """The description of the target. name: None if no target is chosen. task: None if its cells allow none.

    classes, class_rows: names and row counts of the classes; empty for regression. rows_without_target: a
    count.
    """

    name: str | None = None
    task: str | None = None
    task_reason: str | None = None
    classes: tuple[str, ...] = ()
    class_rows: tuple[int, ...] = ()
    rows_without_target: int = 0


def describe_target(
    table: Table, column: Column, kind: str | None, warnings: list[DataWarning]
) -> tuple[TargetDescription, TargetRows | None]:
    """Return the description of the target, and the rows that have a target. If training would refuse the
    target, add a warning and return its name alone."""
    try:
        return _accepted(table, column, kind, warnings)
    except TreinoError as error:
        warnings.append(DataWarning.of(error, column.name))
        return TargetDescription(column.name), None


def _accepted(
    table: Table, column: Column, kind: str | None, warnings: list[DataWarning]
) -> tuple[TargetDescription, TargetRows]:
    row_N = np.flatnonzero(has_target(column, table.source))
    absent = table.rows - len(row_N)
    if absent:
        place = table.place(int(column.missing_N.argmax()))
        text = _("Rows whose target has no value: {n}, the first in {place}.")
        hint = _("Training leaves them out; fill them in if you can.")
        message = text.format(n=absent, place=place)
        warnings.append(DataWarning("target_missing_rows", message, hint, column.name, place))
        table = take(table, row_N)
        column = table.column(column.name)
    task, reason = decide_task(column, task_of_kind(kind), table.place)
    described = TargetDescription(column.name, task, reason, rows_without_target=absent)
    if task == "regression":
        assert column.numbers is not None
        return described, TargetRows(row_N, column.numbers.astype(np.float64), np.zeros(len(row_N), np.int64))
    classes = classes_of(column, kind)
    label_N = encode(column, classes, table.place)
    check_classes(label_N, classes, column)
    doubts = class_doubts(label_N, classes, table.place, column if kind is None else None)
    warnings += [replace(doubt, column=column.name) for doubt in doubts]
    count_C = np.bincount(label_N, minlength=len(classes))
    described = replace(described, classes=tuple(classes), class_rows=tuple(count_C.tolist()))
    return described, TargetRows(row_N, None, label_N)
