"""Describe the target of a table and its classes, and find columns that give it away (leakage)."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from treino.base.errors import TreinoError
from treino.base.text import shortened
from treino.base.words import N_, _
from treino.data.preparation.column_kinds import ColumnRole, is_row_number, level_cells
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
from treino.data.summaries import measures
from treino.data.table import Column, DataWarning, Table
from treino.settings.setting_types import as_item


@dataclass(frozen=True, eq=False)
class TargetRows:
    """The rows that have a target. row_N: row numbers. values: targets; None for classes. label_N: class
    codes; 0 for regression."""

    row_N: NDArray[np.int64]
    values: NDArray[np.float64] | None
    label_N: NDArray[np.int64]

    def part(self, most: int) -> "TargetRows":
        """An evenly spaced sample of at most ``most`` rows."""
        step = -(-len(self.row_N) // most)
        values = None if self.values is None else self.values[::step]
        return TargetRows(self.row_N[::step], values, self.label_N[::step])


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


# ---- columns that give the target away

ALL_BUT = 0.999  # minimum correlation at which a column counts as equivalent to the target
ORDERED = 0.9  # minimum rank correlation at which the target counts as ordered by a column

LEAK_ROWS = 20_000  # maximum number of rows that training examines for leakage


def correlation(column: Column, choice: ColumnRole, learnt: TargetRows) -> float | None:
    """The correlation of a column with the target: Pearson's for two numbers, the correlation ratio for a
    number and classes, Cramér's V for classes.

    None for other columns and for constant columns.
    """
    number_N, code_N = _measured(column, choice, learnt)
    if number_N is not None:
        if learnt.values is None:
            return measures.correlation_ratio(learnt.label_N, number_N)
        return measures.pearson(number_N, learnt.values)
    if code_N is None:
        return None
    if learnt.values is None:
        return measures.cramers_v(code_N, learnt.label_N)
    return measures.correlation_ratio(code_N, learnt.values)


def suspicions(column: Column, choice: ColumnRole, learnt: TargetRows, target: str) -> list[DataWarning]:
    """The warnings about signs of leakage: an identifier that orders the target, a column
    that alone determines the target, or missing cells that alone determine it."""
    found: list[str] = []
    away, ordered = _known_too_well(column, choice, learnt)
    if ordered and (choice.kind == "identifier" or is_row_number(column)):
        found.append("leak_order")
    elif away and choice.way != "out":
        found.append("leak_column")
    absent_N = column.missing_N[learnt.row_N].astype(np.int64)
    telling = learnt.values is None and absent_N.any() and choice.kind != "constant"
    if telling and measures.levels_give_classes_away(absent_N, learnt.label_N):
        found.append("leak_missing")
    share = float(1 - absent_N.mean()) if len(absent_N) else 1.0
    facts = {"name": column.name, "item": as_item(column.name), "target": target}
    hints = {rule: _LEAKS[rule][1] for rule in found}
    if "leak_order" in found and choice.way == "out":
        hints["leak_order"] = N_("See how rows came into this order: the next may not.")
    messages = {rule: _(_LEAKS[rule][0]).format(**facts) for rule in found}
    if "leak_column" in found and share < 1:
        part = _("{leak} It has a value in {share:.1%} of the rows, and tells nothing of the others.")
        messages["leak_column"] = part.format(leak=messages["leak_column"], share=share)
    return [
        DataWarning(rule, messages[rule], _(hint).format(**facts), column.name)
        for rule, hint in hints.items()
    ]


_LEAKS = {
    "leak_order": (
        N_("'{name}' tells rows apart, and the target '{target}' is ordered along it."),
        N_("Leave it out ([[kinds={item}=out]]), and see how rows came into this order: the next may not."),
        N_("These tell rows apart, and the target '{target}' is ordered along them: {names}."),
    ),
    "leak_column": (
        N_("'{name}' alone gives the target '{target}' away."),
        N_("If it is known only after the target is, leave it out: [[kinds={item}=out]]."),
        N_("Each of these, where it has a value, gives the target '{target}' away: {names}."),
    ),
    "leak_missing": (
        N_("Whether '{name}' has a value gives the target '{target}' away."),
        N_("If it is filled in only later, leave it out: [[kinds={item}=out]]."),
        N_("Whether these have a value gives the target '{target}' away: {names}."),
    ),
}
"""For each rule: the message on one column, the hint, and the message on several columns."""


def say_leaks(table: Table, chosen: Mapping[str, ColumnRole], learnt: TargetRows, target: str) -> list[str]:
    """Notes on the ``suspicions`` about input columns, one for each rule; of many rows, a sample is used."""
    learnt = learnt.part(LEAK_ROWS)
    row_K = learnt.row_N
    learnt = TargetRows(np.arange(len(row_K)), learnt.values, learnt.label_N)
    by_rule: dict[str, list[DataWarning]] = {}
    for name, choice in chosen.items():
        for leak in suspicions(table.column(name).take(row_K), choice, learnt, target):
            by_rule.setdefault(leak.rule, []).append(leak)
    notes = []
    for rule, leaks in by_rule.items():
        first = leaks[0]
        if len(leaks) > 1:
            names = shortened(", ".join(str(leak.column) for leak in leaks), 200)
            first = replace(first, message=_(_LEAKS[rule][2]).format(target=target, names=names))
        notes.append(first.note)
    return notes


def _known_too_well(column: Column, choice: ColumnRole, learnt: TargetRows) -> tuple[bool, bool]:
    """Return (whether the column alone determines the target, whether the column orders the target)."""
    number_N, code_N = _measured(column, choice, learnt)
    values, label_N = learnt.values, learnt.label_N
    if number_N is not None and values is not None:
        rank = abs(measures.spearman(number_N, values) or 0.0)
        return rank >= ALL_BUT, rank >= ORDERED
    if number_N is not None:
        return measures.gives_classes_away(number_N, label_N), measures.orders_with(number_N, label_N)
    if code_N is not None and values is not None:
        levels = int(code_N.max(initial=0)) + 1
        ratio = measures.correlation_ratio(code_N, values) or 0.0
        return ratio >= ALL_BUT and levels * measures.ROWS_PER_LEVEL <= len(values), False
    return code_N is not None and measures.levels_give_classes_away(code_N, label_N), False


Measured = tuple[NDArray[np.float64] | None, NDArray[np.int64] | None]


def _measured(column: Column, choice: ColumnRole, learnt: TargetRows) -> Measured:
    """Return the column as (numbers, None) or (None, class codes), with -1 for a missing cell; (None, None)
    for free text and constants."""
    if column.numbers is not None and choice.way in ("number", "out") and choice.kind != "constant":
        return np.asarray(column.numbers[learnt.row_N], dtype=np.float64), None
    if choice.way in ("date", "time") and column.seconds is not None:
        return column.seconds[learnt.row_N], None
    if choice.way in ("category", "one-hot", "hashed", "rank"):
        words = level_cells(column)[learnt.row_N]
        number: dict[str, int] = {"": -1}
        return None, np.array([number.setdefault(w, len(number) - 1) for w in words], dtype=np.int64)
    return None, None
