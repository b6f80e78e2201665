"""Description of a data source and its problems: the answer of ``treino data``."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from treino.data import sources
from treino.data.preparation.fit import comparable, take
from treino.data.readers import ReaderOptions
from treino.data.roles.column_kinds import ColumnRole, choose, is_row_number
from treino.data.roles.column_roles import check_kinds, column_fault, row_numbers, why_out
from treino.data.roles.target import (
    check_classes,
    choose_target,
    classes_of,
    decide_task,
    encode,
    has_target,
    imbalance,
    likely_targets,
    read_with_target,
    single_rows,
    task_of_kind,
)
from treino.data.split_requests import Split, check_split, decide_parts, divider, times_of
from treino.data.splits import first_equal
from treino.data.summaries import measures
from treino.data.summaries.histograms import shape
from treino.data.summaries.relations import TargetRows, correlation, suspicions
from treino.data.summaries.table_description import (
    ColumnDescription,
    TableDescription,
    TableWarning,
    TargetDescription,
)
from treino.data.table import Column, Table, plain, shorten
from treino.errors import TreinoError
from treino.setting_types import as_item
from treino.words import _

_FEW_ROWS = 10
_ANOTHER_WORLD = 10.0  # widths of the middle half: so far, a value is a slip rather than a tail
_MEASURED = 200_000  # rows, beyond which correlations are measured on a part


def describe(
    source: Any,
    target: str | None = None,
    *,
    kinds: Mapping[str, str] | None = None,
    reading: ReaderOptions | None = None,
    split_group: str | None = None,
    split_time: str | None = None,
    split_column: str | None = None,
) -> TableDescription:
    """A source's rows, columns, target, task and classes, and warnings: of everything that training would
    refuse or that a person should know; with the split that a column decides, as in ``load``.

    Raises TreinoError where the source can't be read at all.
    """
    kinds = dict(kinds or {})
    split = Split(group=split_group, time=split_time, column=split_column)
    check_split(split)
    if target is None:
        table = sources.read(source, reading)
        check_kinds(table, kinds)
    else:
        table, _target = read_with_target(source, reading, target, kinds)
    warnings: list[TableWarning] = []
    choices = {c.name: _choice(table, c, kinds.get(c.name), warnings) for c in table.columns}
    described = TargetDescription()
    learnt: TargetRows | None = None
    likely: list[str] = []
    if target is None and table.target is None:
        likely = likely_targets(table)
    else:
        column = choose_target(table, target)
        try:
            described, learnt = _describe_target(table, column, kinds.get(column.name), warnings)
        except TreinoError as error:
            described = TargetDescription(column.name)
            warnings.append(_warning_of(error, column))
    by = divider(table, split, described.name or "")
    apart = (described.name, *likely, split.group, split.column)
    features = [c for c in table.columns if c.name not in apart]
    used = {c.name: choices[c.name] for c in features}
    counting = row_numbers(table, used, kinds, np.arange(table.rows))
    choices |= dict.fromkeys(counting, ColumnRole("row number", "out"))
    warnings += _column_warnings(table, features, choices)
    correlations: dict[str, float | None] = {}
    if described.name is not None and learnt is not None:
        measured = learnt.part(_MEASURED)
        for feature in features:
            choice = choices[feature.name]
            correlations[feature.name] = correlation(feature, choice, measured)
            leaks = suspicions(feature, choice, measured, described.name)
            warnings += [TableWarning(*leak, column=feature.name) for leak in leaks]
    usable = {
        c.name: choices[c.name]
        for c in features
        if choices[c.name].way != "out" and column_fault(table, c, choices[c.name]) is None
    }
    warnings += _row_warnings(table, usable, learnt, by is None)
    notes = list(table.notes)
    if by is not None:
        notes += _split_notes(table, by, split, usable, learnt, described.classes)
    return TableDescription(
        name=table.name,
        source=table.source,
        rows=table.rows,
        columns=tuple(_describe_column(c, choices[c.name], correlations.get(c.name)) for c in table.columns),
        target=described,
        likely_targets=tuple(likely),
        notes=tuple(notes),
        warnings=tuple(warnings),
    )


def _choice(table: Table, column: Column, asked: str | None, warnings: list[TableWarning]) -> ColumnRole:
    try:
        return choose(column, asked, False, table.place)
    except TreinoError as error:
        warnings.append(_warning_of(error, column))
        return choose(column, None, False, table.place)


def _warning_of(error: TreinoError, column: Column) -> TableWarning:
    return TableWarning(error.rule, error.message, error.hint, column.name)


def _describe_column(column: Column, choice: ColumnRole, related: float | None) -> ColumnDescription:
    low: float | str | None = None
    high: float | str | None = None
    if choice.kind == "identifier":  # the least and the largest say nothing
        unique = column.distinct - bool(column.missing_N.any())
    elif column.numbers is not None:
        values = column.numbers[np.isfinite(column.numbers)].astype(np.float64)
        low, high = (float(values.min()), float(values.max())) if len(values) else (None, None)
        unique = len(np.unique(column.numbers[~np.isnan(column.numbers)]))
    elif column.seconds is not None:
        present = np.flatnonzero(~np.isnan(column.seconds))
        unique = len(np.unique(column.seconds[present]))
        if len(present):
            first, last = (present[f(column.seconds[present])] for f in (np.argmin, np.argmax))
            low, high = column.cell(int(first)), column.cell(int(last))
    else:
        assert column.words is not None
        unique = len(set(column.words[~column.missing_N].tolist()))
    return ColumnDescription(
        name=column.name,
        kind=choice.kind,
        way=choice.way,
        missing=int(column.missing_N.sum()),
        unique=unique,
        minimum=low,
        maximum=high,
        outliers=len(_outliers(column, choice)),
        correlation=related,
        shape=shape(column),
    )


def _outliers(column: Column, choice: ColumnRole, far: float = measures.FAR) -> NDArray[np.int64]:
    if choice.kind != "number" or column.numbers is None or column.numbers.dtype == np.uint8:
        return np.empty(0, dtype=np.int64)
    return measures.outliers(np.asarray(column.numbers, dtype=np.float64), far)


def _describe_target(
    table: Table, column: Column, kind: str | None, warnings: list[TableWarning]
) -> tuple[TargetDescription, TargetRows]:
    row_N = np.flatnonzero(has_target(column, table.source))
    absent = table.rows - len(row_N)
    if absent:
        place = table.place(int(column.missing_N.argmax()))
        warnings.append(
            TableWarning(
                "target_missing_rows",
                _("Rows whose target is empty: {n}, the first in {place}.").format(n=absent, place=place),
                _("Training leaves them out; fill them in if you can."),
                column.name,
                place,
            )
        )
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
    if alone := single_rows(label_N, classes, table.place):
        warnings.append(TableWarning("class_single_row", *alone, column.name))
    count_C = np.bincount(label_N, minlength=len(classes))
    few = [f"{name} ({n})" for name, n in zip(classes, count_C, strict=True) if n < _FEW_ROWS]
    if few:
        names = shorten(", ".join(few), 200)
        warnings.append(
            TableWarning(
                "class_few_rows",
                _("Classes with fewer than {n} rows: {names}.").format(n=_FEW_ROWS, names=names),
                _("Their figures will say little."),
                column.name,
            )
        )
    if uneven := imbalance(label_N, classes):
        warnings.append(TableWarning("class_imbalance", *uneven, column.name))
    described = replace(described, classes=tuple(classes), class_rows=tuple(count_C.tolist()))
    return described, TargetRows(row_N, None, label_N)


def _column_warnings(
    table: Table, features: list[Column], choices: Mapping[str, ColumnRole]
) -> Iterator[TableWarning]:
    left = {
        "empty": _("Has no value in any row: {names}."),
        "constant": _("Never changes: {names}."),
        "identifier": _("Only tells rows apart (an identifier): {names}."),
        "text": _("Free text, which is not learnt from: {names}."),
        "row number": _("Numbers the rows: {names}."),
    }
    moves = {
        "empty": _("Nothing can be learnt from it."),
        "constant": _("Nothing can be learnt from it."),
        "identifier": _("Training leaves it out; to use it: [[kinds={name}=category]]."),
        "text": _("Training leaves it out; to use it all the same: [[kinds={name}=hashed]]."),
        "row number": _("Training leaves it out; to use it: [[kinds={name}=number]]."),
    }
    for kind, sentence in left.items():
        out = [c for c in features if choices[c.name].way == "out"]
        names = [c.name for c in out if why_out(c, choices[c.name]) == kind]
        if names and not table.keep_constant:
            said = sentence.format(names=shorten(", ".join(names), 200))
            rule = f"column_{kind.replace(' ', '_')}"
            yield TableWarning(rule, said, moves[kind].format(name=as_item(names[0])), names[0])
    counting = [c.name for c in features if choices[c.name].way != "out" and is_row_number(c)]
    if counting:
        yield TableWarning(
            "column_row_number",
            _("Looks like a row number: {names}.").format(names=", ".join(counting)),
            _("To leave it out: [[kinds={name}=out]].").format(name=as_item(counting[0])),
            counting[0],
        )
    for column in features:
        found = column_fault(table, column, choices[column.name])
        if found:
            yield TableWarning(found[0], found[1], found[2] + ".", column.name)
    gaps = [
        (int(c.missing_N.sum()), c) for c in features if choices[c.name].way != "out" and c.missing_N.any()
    ]
    if gaps:
        said = ", ".join(f"{c.name} ({n})" for n, c in sorted(gaps, key=lambda gap: -gap[0]))
        most = max(gaps, key=lambda gap: gap[0])[1]
        yield TableWarning(
            "column_missing",
            _("Cells without a value: {names}.").format(names=shorten(said, 200)),
            _("Training fills numbers with their median and says where; [[impute=mean]] takes the mean."),
            most.name,
            table.place(int(most.missing_N.argmax())),
        )
    for column in features:
        rows = _outliers(column, choices[column.name], _ANOTHER_WORLD)
        if len(rows) and column.numbers is not None and choices[column.name].way != "out":
            value, place = plain(float(column.numbers[rows[0]])), table.place(int(rows[0]))
            yield TableWarning(
                "column_outliers",
                _("'{name}' has values far from all others: {n}, the farthest {value} in {place}.").format(
                    name=column.name, n=len(rows), value=value, place=place
                ),
                _("Correct it if it is a mistake; if it isn't, look how the figures change without the row."),
                column.name,
                place,
            )


def _split_notes(
    table: Table,
    by: Column,
    split: Split,
    usable: Mapping[str, ColumnRole],
    learnt: TargetRows | None,
    classes: tuple[str, ...],
) -> list[str]:
    """What training would say of the parts that a column makes of the rows."""
    notes: list[str] = []
    row_K = np.arange(table.rows) if learnt is None else learnt.row_N
    label_K = np.zeros(table.rows, dtype=np.int64) if learnt is None else learnt.label_N
    if split.time is not None:
        dated_K = ~np.isnan(times_of(by, table)[row_K])
        row_K, label_K = row_K[dated_K], label_K[dated_K]
    rows = take(table, row_K)
    first_K = first_equal(comparable([rows], usable)) if usable else np.arange(rows.rows)
    decide_parts([rows], [], rows.column(by.name), split, first_K, label_K, classes, notes)
    return notes


def _row_warnings(
    table: Table, usable: Mapping[str, ColumnRole], learnt: TargetRows | None, drawn: bool
) -> Iterator[TableWarning]:
    """Rows that come more than once, and those of them that contradict each other. drawn: whether the
    split will be."""
    if not usable:
        return
    first_N = first_equal(comparable([table], usable))
    repeated = np.flatnonzero(first_N != np.arange(table.rows))
    if not len(repeated):
        return
    row = int(repeated[0])
    yield TableWarning(
        "rows_duplicate",
        _("Rows that equal an earlier one in all features: {n} of {of}.").format(
            n=len(repeated), of=table.rows
        ),
        (
            _("They are kept on one side of the split. The first: {a}, equal to {b}.")
            if drawn
            else _("They stay where the split puts them. The first: {a}, equal to {b}.")
        ).format(a=table.place(row), b=table.place(int(first_N[row]))),
        row=table.place(row),
    )
    if learnt is None or learnt.values is not None:
        return
    label_N = np.full(table.rows, -1)
    label_N[learnt.row_N] = learnt.label_N
    against = repeated[
        (label_N[repeated] >= 0)
        & (label_N[first_N[repeated]] >= 0)
        & (label_N[repeated] != label_N[first_N[repeated]])
    ]
    if len(against):
        row = int(against[0])
        yield TableWarning(
            "rows_contradict",
            _("Rows that equal another one in all features but not in their class: {n}.").format(
                n=len(against)
            ),
            _("No model can be right on both: look at {a} and {b}.").format(
                a=table.place(row), b=table.place(int(first_N[row]))
            ),
            row=table.place(row),
        )
