"""What is in a source and what is wrong with it, as JSON: the answer of ``treino data``."""

from typing import Any

import numpy as np

from treino.data import sources
from treino.data.builtin import BUILTINS
from treino.data.kinds import is_row_number, kind
from treino.data.splitting import first_equal
from treino.data.table import Column, Table, fault, missing, number, shorten
from treino.data.target import check_classes, choose_target, class_names, decide_task, encode, likely_targets
from treino.errors import TreinoError
from treino.words import _

_FEW_ROWS = 10
_IMBALANCE = 10


def describe(source: Any = None, target: str | None = None) -> dict[str, Any]:
    """JSON-able facts about a source: rows, columns, target, task, classes, warnings; without one, the
    built-ins.

    columns: name, kind, missing and unique (counts), minimum and maximum (numbers only, else null).
    warnings: rule, message and hint of everything that training would refuse or that a person should know.
    Raises TreinoError where the source can't be read at all.
    """
    if source is None:
        return {
            "builtins": [
                {"name": name, "rows": b.rows, "features": b.features, "task": b.task, "about": _(b.about)}
                for name, b in BUILTINS.items()
            ]
        }
    table = sources.read(source)
    warnings: list[dict[str, str]] = []
    facts: dict[str, Any] = {
        "name": table.name,
        "source": table.source,
        "rows": table.rows,
        "columns": [_describe_column(column) for column in table.columns],
        "target": None,
        "task": None,
        "task_reason": None,
        "classes": [],
        "class_rows": [],
        "likely_targets": [],
        "warnings": warnings,
    }
    if target is None and table.target is None:
        facts["likely_targets"] = likely_targets(table)
    else:
        column = choose_target(table, target)
        facts["target"] = column.name
        try:
            facts |= _describe_target(table, column, warnings)
        except TreinoError as error:
            _warn(warnings, error.rule, error.message, error.hint)
    _warn_columns(table, {facts["target"], *facts["likely_targets"]}, warnings)
    return facts


def _describe_column(column: Column) -> dict[str, Any]:
    if column.numbers is not None:
        values = column.numbers[np.isfinite(column.numbers)].astype(np.float64)
        absent = int(np.isnan(column.numbers).sum())
        unique = column.distinct - (absent > 0)
    else:
        assert column.words is not None
        present = [word for word in column.words if not missing(word)]
        absent, unique = len(column) - len(present), len(set(present))
        numbers = [value for value in map(number, present) if value is not None and np.isfinite(value)]
        values = np.array(numbers if kind(column) == "number" else [], dtype=np.float64)
    return {
        "name": column.name,
        "kind": kind(column),
        "missing": absent,
        "unique": unique,
        "minimum": float(values.min()) if len(values) else None,
        "maximum": float(values.max()) if len(values) else None,
    }


def _describe_target(table: Table, column: Column, warnings: list[dict[str, str]]) -> dict[str, Any]:
    task, reason = decide_task(column, None, table.place)
    if task == "regression":
        return {"task": task, "task_reason": reason}
    classes = class_names(column)
    label_N = encode(column, classes, table.place)
    check_classes(label_N, classes, column, table.place)
    count_C = np.bincount(label_N, minlength=len(classes))
    few = [f"{name} ({n})" for name, n in zip(classes, count_C, strict=True) if n < _FEW_ROWS]
    if few:
        names = shorten(", ".join(few), 200)
        _warn(
            warnings,
            "class_few_rows",
            _("Classes with fewer than {n} rows: {names}.").format(n=_FEW_ROWS, names=names),
            _("Their figures will say little."),
        )
    most, least = int(count_C.argmax()), int(count_C.argmin())
    if count_C[most] >= _IMBALANCE * count_C[least]:
        _warn(
            warnings,
            "class_imbalance",
            _("'{most}' has {n} rows and '{least}' {m}.").format(
                most=classes[most], n=count_C[most], least=classes[least], m=count_C[least]
            ),
            _("Look at f1_macro, not at accuracy; --class-weights balanced evens them out."),
        )
    return {"task": task, "task_reason": reason, "classes": list(classes), "class_rows": count_C.tolist()}


def _warn_columns(table: Table, targets: set[str], warnings: list[dict[str, str]]) -> None:
    features = [column for column in table.columns if column.name not in targets]
    constant = [column.name for column in features if column.constant]
    if constant and not table.keep_constant:
        _warn(
            warnings,
            "column_constant",
            _("Never changes: {names}.").format(names=shorten(", ".join(constant), 200)),
            _("Nothing can be learnt from it."),
        )
    counting = [column.name for column in features if is_row_number(column)]
    if counting:
        _warn(
            warnings,
            "column_row_number",
            _("Looks like a row number: {names}.").format(names=", ".join(counting)),
            _("Leave it out with --features."),
        )
    usable = []
    for column in features:
        found = fault(column, table.place) if not column.constant else None
        if found:
            _warn(warnings, found[0], found[1], found[2] + ".")
        elif column.numbers is not None:
            usable.append(column.numbers)
    if usable:
        first_N = first_equal(np.stack(usable, axis=1) if table.matrix is None else table.matrix)
        repeated = int((first_N != np.arange(table.rows)).sum())
        if repeated:
            _warn(
                warnings,
                "rows_duplicate",
                _("Rows that equal an earlier one in all features: {n} of {of}.").format(
                    n=repeated, of=table.rows
                ),
                _("They are kept on one side of the split."),
            )


def _warn(warnings: list[dict[str, str]], rule: str, message: str, hint: str) -> None:
    warnings.append({"rule": rule, "message": message, "hint": hint})
