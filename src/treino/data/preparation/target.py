"""Choose the target columns, and decide by their values whether they are classes or numbers."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from treino.base.document_fields import Task
from treino.base.errors import Refusal
from treino.base.text import shortened
from treino.base.words import N_, _, joined, setting
from treino.data import sources
from treino.data.cell_forms import PROGRAM_TRUTH
from treino.data.preparation.column_kinds import (
    by_value,
    in_value_order,
    level_cells,
    level_codes,
    say_alike,
    spellings,
)
from treino.data.preparation.column_roles import check_kinds
from treino.data.preparation.fit import take
from treino.data.readers.reader_options import ReaderOptions, as_text
from treino.data.rows import MemoryLimit
from treino.data.split_requests import say_untimed, times_of
from treino.data.table import (
    LARGEST_WHOLE,
    Column,
    DataWarning,
    RowPlace,
    Table,
    fault,
    number,
    plain,
    unknown_column,
)
from treino.settings.setting_types import as_item, as_items, items

TARGET_MISSING = Refusal("Which column is to be learnt? '{source}' doesn't say.", "Name it: {options}.")
TARGET_TWICE = Refusal("'{name}' is named twice in [[target]].", "Name it once.")
TARGET_FIXED = Refusal(
    "'{source}' has its own target '{own}'; it can't be '{target}'.", "Leave [[target]] out."
)
TARGET_SEVERAL = Refusal(
    "{n} targets are named, and here one is: {names}.",
    "Name one: {option}. A table's training takes several.",
)
TARGET_MERGED = Refusal(
    (
        "The target '{name}' can't be classes: it holds {cell} in {place}, and floating-point numbers"
        " from 2^53 on don't tell all whole numbers apart."
    ),
    "Give them as whole numbers, without decimals, or as text.",
)
TASK_REGRESSION_TEXT = Refusal(
    "The target '{name}' can't be a number: it holds '{cell}' in {place}.",
    "Leave out [[task]], or the loss for numbers; or name another [[target]].",
)
TARGET_DATE = Refusal(
    "The target '{name}' holds dates or times, e.g. '{cell}': neither classes nor amounts.",
    "Make a column of what is to be learnt of them (days, the hour), or name another [[target]].",
)
TARGET_CONSTANT = Refusal(
    "The target '{name}' is always '{value}': there is nothing to learn.", "Name another [[target]]."
)
KIND_LEVELS = Refusal(
    "The target '{name}' holds '{cell}' too, which is not among {levels}.",
    "Name every class, from the lowest to the highest.",
)
CLASS_UNKNOWN = Refusal(
    "{place}: '{value}' is no class of '{name}' (rows with such values: {n}).",
    "Known: {names}. Correct the value; to predict only, leave the column '{name}' out.",
)
TARGETS_MIXED = Refusal(
    "The targets are of two kinds: '{number}' is a number, and '{words}' is of classes. {reasons}.",
    (
        "Make them alike, by [[task=regression]], [[task=classification]] or {kind}; or train a"
        " network for each."
    ),
)
ROWS_USABLE = Refusal(
    "Rows of '{source}' that have all that is needed: {n}. {notes}",
    "Add rows, or fill in what is empty.",
    rule="rows_one",
)
TARGET_EMPTY = Refusal(
    "The target '{name}' has no value in any row of '{source}'.", "Name another [[target]]."
)
CLASSES_ALL_DISTINCT = Refusal(
    "Every row has its own class: '{name}' has {n} different values in {n} rows.", "{hint}"
)
FEW = "class_few_rows"
_FEW_ROWS = 10
_SCALE = 5  # minimum number of consecutive whole numbers that may be a score
MAX_INTEGER_CLASSES = 20
TASKS: tuple[Task, ...] = (N_("classification"), N_("regression"))  # type: ignore[assignment]
IMBALANCE = 10  # minimum ratio of rows between the largest and the smallest class
_USUAL_NAMES = ("target", "label", "class", "y", "outcome", "species", "quality", "alvo", "classe")


def read_with_targets(
    source: Any,
    reading: ReaderOptions | None,
    target: str | None,
    kinds: Mapping[str, str],
    room: MemoryLimit | None = None,
    task: str | None = None,
) -> tuple[Table, tuple[Column, ...]]:
    """Return the table in a source, and its target columns.

    Words such as "none" are classes of a target, although they mean a missing value in other columns. A
    target that holds only such words has no values, unless ``kinds`` makes it a category.
    """
    table = sources.read(source, reading, room=room)
    check_kinds(table, kinds)
    columns = choose_targets(table, target)
    again = [column.name for column in columns if _of_words_alone(table, column, kinds)]
    levels = [column.name for column in columns if _of_levels(table, column, kinds.get(column.name), task)]
    if again or levels:
        reading = as_text(reading, again) or ReaderOptions()
        forms = reading.forms + tuple((name, "levels") for name in levels)
        table = sources.read(source, replace(reading, forms=forms), room=room)
    return table, tuple(table.column(column.name) for column in columns)


def _of_words_alone(table: Table, column: Column, kinds: Mapping[str, str]) -> bool:
    """Whether cells of the target that were read as missing may be classes."""
    if column.missing_N.all():
        return kinds.get(column.name) == "category"
    emptied = table.reading is not None and bool(table.reading.missing)
    return column.values is None and emptied and bool(column.missing_N.any())


def _of_levels(table: Table, column: Column, kind: str | None, task: str | None) -> bool:
    """Whether the target's numbers are classes, whose writing may matter: 3.10 isn't 3.1."""
    of_file = table.reading is not None and dict(table.reading.forms).get(column.name) == "numbers"
    if not of_file or column.words is not None or column.numbers is None:
        return False
    if (task or task_of_kind(kind)) is not None:
        return (task or task_of_kind(kind)) == "classification"
    present = column.numbers[~np.isnan(column.numbers)]
    whole = np.isfinite(present).all() and (present == np.floor(present)).all()
    return bool(whole) and len(np.unique(present)) <= MAX_INTEGER_CLASSES


def choose_targets(table: Table, target: str | None) -> tuple[Column, ...]:
    """The target columns: the named ones or the source's own. Without either, the error names likely ones.

    target: a column's name, or several with commas between them; a name with a comma is in double quotes,
    unless it is the only one.
    """
    wanted = table.target if target is None else target
    if wanted is None:
        raise TARGET_MISSING(
            source=table.source,
            options=joined([setting("target", name) for name in likely_targets(table)], _(" or ")),
        )
    one = wanted in table.names or "," not in wanted
    names = [wanted] if one else [str(name) for name in items(wanted) if name]  # type: ignore[attr-defined]
    for name in names or [wanted]:
        if name not in table.names:
            refused = unknown_column(table, name, "target")
            made_up = table.named and table.names == tuple(f"x{j + 1}" for j in range(len(table.names)))
            header = _("The first line of the file looks like values; if it holds names: [[header=yes]].")
            refused.hint += f" {header}" if made_up else ""
            raise refused
    if len(set(names)) < len(names):
        raise TARGET_TWICE(name=max(names, key=names.count))
    if table.target is not None and as_items(names) != table.target:
        raise TARGET_FIXED(source=table.source, own=table.target, target=target)
    return tuple(table.column(name) for name in names)


def choose_target(table: Table, target: str | None) -> Column:
    """Return the target column; refuse more than one."""
    columns = choose_targets(table, target)
    if len(columns) > 1:
        names = [column.name for column in columns]
        raise TARGET_SEVERAL(n=len(names), names=", ".join(names), option=setting("target", names[0]))
    return columns[0]


def likely_targets(table: Table) -> list[str]:
    """One to three columns that may be the target: columns with usual names, then text with few classes, then
    the last column that isn't a date.
    """
    by_name = [name for usual in _USUAL_NAMES for name in table.names if name.lower() == usual]
    of_words = (c for c in table.columns if c.boolean or c.values is None)
    by_classes = [c.name for c in of_words if 2 <= len(set(c.words)) <= len(c) // 3]  # type: ignore[arg-type]
    last = [next((c.name for c in reversed(table.columns) if c.seconds is None), table.names[-1])]
    first = list(dict.fromkeys([*by_name, *by_classes]))
    return list(dict.fromkeys([*first[: 3 - len(last)], *last]))


def decide_task(column: Column, task: str | None, place: RowPlace) -> tuple[Task, str]:
    """Return (task, reason). Text, booleans and at most 20 distinct integers are classes, others regression.

    task: overrides this if the values allow it. Missing, infinite and constant targets are refused.
    """
    _check_target(column, place)
    natural, reason = _natural_task(column)
    if (task or natural) == "classification" and column.merges and column.whole_words is None:
        assert column.numbers is not None
        row = int((np.abs(column.numbers) >= LARGEST_WHOLE).argmax())
        raise TARGET_MERGED(name=column.name, cell=shortened(column.cell(row)), place=place(row))
    if task is None and column.numbers is not None and not column.boolean:
        n = len(np.unique(column.numbers))
        if n > 2 and (n <= MAX_INTEGER_CLASSES or (column.numbers == np.floor(column.numbers)).all()):
            other = setting("task", TASKS[natural == TASKS[0]])
            reason = _("{reason} (or: {flag})").format(reason=reason, flag=other)
    if task is None or task == natural:
        return natural, reason
    if task == "classification":
        text = _("classes because you asked for it; by itself: {reason}")
        return "classification", text.format(reason=reason)
    if column.numbers is None:
        assert column.words is not None
        row = next(i for i, cell in enumerate(column.words) if number(str(cell)) is None)
        raise TASK_REGRESSION_TEXT(name=column.name, cell=shortened(column.cell(row)), place=place(row))
    return "regression", _("a number because you asked for it; by itself: {reason}").format(reason=reason)


def decide_tasks(
    columns: Sequence[Column], task: str | None, kinds: Mapping[str, str], place: RowPlace
) -> tuple[Task, str]:
    """Return (task, reason) for all targets. Refuses numbers beside classes: no loss is for both."""
    decided = [decide_task(c, task or task_of_kind(kinds.get(c.name)), place) for c in columns]
    by_task = {kind: column.name for column, (kind, _why) in zip(columns, decided, strict=True)}
    reasons = joined([reason for _task, reason in decided], "; ")
    if len(by_task) > 1:
        number, words = by_task["regression"], by_task["classification"]
        kind = setting("kinds", f"{as_item(number)}=category")
        raise TARGETS_MIXED(number=number, words=words, reasons=reasons, kind=kind)
    return decided[0][0], reasons


def _natural_task(column: Column) -> tuple[Task, str]:
    n, task, whole = column.distinct, TASKS[0], column.whole_words
    if column.boolean:
        text = _("'{name}' is true or false")
    elif column.numbers is None:
        named, words = _("'{name}' has {n} named classes"), _("'{name}' is text with {n} different values")
        text = named if column.categories else words
    elif not (column.numbers == np.floor(column.numbers)).all():
        text, task = _("'{name}' is a number with decimals"), TASKS[1]
    else:
        n = len(np.unique(column.numbers)) if whole is None else len(set(whole))
        text = _("'{name}' has {n} different whole numbers, no more than {limit}")
        if n > MAX_INTEGER_CLASSES:
            text, task = _("'{name}' has {n} different whole numbers, more than {limit}"), TASKS[1]
    return task, text.format(name=column.name, n=n, limit=MAX_INTEGER_CLASSES)


def _check_target(column: Column, place: RowPlace) -> None:
    problem = None
    if column.seconds is not None and not column.constant:
        raise TARGET_DATE(name=column.name, cell=shortened(column.cell(0)))
    if column.numbers is not None:
        problem = fault(column, place)
    elif column.words is not None and not column.categories:
        odd = sum(n for word, n in Counter(column.words.tolist()).items() if number(word) is None)
        if 2 * odd < len(column):
            problem = fault(column, place)
    if problem:
        raise problem.refusal("target", _("The target: {message}"))
    if column.constant:
        raise TARGET_CONSTANT(name=column.name, value=shortened(column.cell(0)))


def class_names(column: Column) -> tuple[str, ...]:
    """The classes in the order of their codes: the source's own order, else by value or alphabetically."""
    if column.categories:
        assert column.words is not None
        present = set(column.words)
        return tuple(c for c in column.categories if c in present)
    if (whole := column.whole_words) is not None:
        return tuple(sorted(set(whole), key=int))
    if column.numbers is not None and by_value(column):
        return tuple(plain(float(value)) for value in np.unique(column.numbers))
    assert column.words is not None
    names = set(column.words)
    if column.boolean and any({name.lower() for name in names} <= pair for pair in PROGRAM_TRUTH):
        return tuple(sorted(names, key=str.lower))
    return tuple(sorted(names) if column.numbers is None or column.boolean else in_value_order(names))


def task_of_kind(kind: str | None) -> Task | None:
    """The task that follows from the column type that the user set for the target; None if unset."""
    return None if kind is None else "regression" if kind == "number" else "classification"


def classes_of(column: Column, kind: str | None) -> tuple[str, ...]:
    """The classes in the order of a kind such as small<medium<large, else as in ``class_names``."""
    names = class_names(column)
    if kind is None or "<" not in kind:
        return names
    levels = tuple(level.strip() for level in kind.split("<"))
    unknown = sorted(set(names) - set(levels))
    if unknown:
        raise KIND_LEVELS(name=column.name, cell=unknown[0], levels=" < ".join(levels))
    return tuple(level for level in levels if level in set(names))


def encode(column: Column, classes: tuple[str, ...], place: RowPlace) -> NDArray[np.int64]:
    """``[N]``: the class code of each row. Refuses a value that isn't a class."""
    codes = level_codes(classes, level_cells(column, by_value(column)))
    unknown = np.flatnonzero(codes < 0)
    if len(unknown):
        row, known = int(unknown[0]), shortened(", ".join(classes), 200)
        value = shortened(column.cell(row))
        raise CLASS_UNKNOWN(place=place(row), value=value, name=column.name, n=len(unknown), names=known)
    return codes


def target_codes(
    tables: Sequence[Table], names: Sequence[str], task: Task, kinds: Mapping[str, str], notes: list[str]
) -> tuple[list[tuple[str, ...]], list[list[NDArray[np.int64]]]]:
    """Return for each target the classes of the first table, and for each table the codes ``[N]`` of each
    target; for numbers no classes, and zeros as codes.

    notes: gets sentences on classes with a single row, and on an imbalance.
    """
    every: list[tuple[str, ...]] = []
    codes: list[list[NDArray[np.int64]]] = []
    for name in names:
        if task == "regression":
            every.append(())
            codes.append([np.zeros(table.rows, dtype=np.int64) for table in tables])
            continue
        main, column = tables[0], tables[0].column(name)
        classes = classes_of(column, kinds.get(name))
        codes.append([encode(table.column(name), classes, table.place) for table in tables])
        check_classes(codes[-1][0], classes, column)
        doubtful = column if main.target is None and name not in kinds else None
        doubts = class_doubts(codes[-1][0], classes, main.place, doubtful)
        notes += [doubt.note for doubt in doubts if doubt.rule != FEW]
        every.append(classes)
    return every, [list(of_table) for of_table in zip(*codes, strict=True)]


def class_doubts(
    label_N: NDArray[np.int64],
    classes: tuple[str, ...],
    place: RowPlace,
    column: Column | None = None,
) -> Iterator[DataWarning]:
    """Yield warnings about classes with few rows, about an imbalance, and about unlikely classes.

    column: the target, to check whether it holds classes; None: the user or the source declares them.
    """
    count_C = np.bincount(label_N, minlength=len(classes))
    single = np.flatnonzero(count_C == 1)
    if len(single):
        row = int(np.flatnonzero(label_N == single[0])[0])
        yield DataWarning(
            "class_single_row",
            _("The class '{value}' has one row, in {place}; {n} of {of} classes have no more.").format(
                value=shortened(classes[single[0]]), place=place(row), n=len(single), of=len(classes)
            ),
            _("It is learnt from, and no figure can speak of it; add rows, or remove it."),
        )
    few = [f"{name} ({n})" for name, n in zip(classes, count_C, strict=True) if n < _FEW_ROWS]
    if few:
        text = _("Classes with fewer than {n} rows: {names}.")
        message = text.format(n=_FEW_ROWS, names=shortened(", ".join(few), 200))
        yield DataWarning(FEW, message, _("Their figures will say little."))
    most, least = int(count_C.argmax()), int(count_C.argmin())
    if count_C[most] >= IMBALANCE * count_C[least]:
        facts = {"most": shortened(classes[most]), "least": shortened(classes[least])}
        yield DataWarning(
            "class_imbalance",
            _("'{most}' has {n} rows and '{least}' {m}.").format(n=count_C[most], m=count_C[least], **facts),
            _("Look at f1_macro, not at accuracy; [[class_weights=balanced]] evens them out."),
        )
    if same := spellings(classes):
        names = shortened("; ".join(map(", ".join, same)), 200)
        yield DataWarning("class_spellings", *say_alike(same, names))
    if column is not None and (doubt := _hardly_meant(column, classes)):
        yield doubt


def _hardly_meant(column: Column, classes: tuple[str, ...]) -> DataWarning | None:
    """The warning if the classes look like amounts from a lowest to a highest, or like cells with several
    classes each, else None."""
    if column.numbers is not None and not column.boolean:
        low, high = int(np.nanmin(column.numbers)), int(np.nanmax(column.numbers))
        if len(classes) < _SCALE or high - low != len(classes) - 1:
            return None
        text = _("The whole numbers {low} to {high} of '{name}' are taken as {n} classes without an order.")
        message = text.format(low=low, high=high, name=column.name, n=len(classes))
        return DataWarning(
            "class_doubtful", message, _("Where they are amounts or a score: [[task=regression]].")
        )
    for mark in ";|,/":
        parts = [[part.strip() for part in name.split(mark)] for name in classes]
        several = [name for name, own in zip(classes, parts, strict=True) if len(own) > 1]
        count = Counter(part for own in parts for part in own)
        again = sum(n > 1 for part, n in count.items() if part)
        if len(several) > 1 and 2 * again > len(count) > 1:
            text = _("Cells of '{name}' seem to hold several classes, as '{cell}', and each is taken as one.")
            return DataWarning(
                "class_doubtful",
                text.format(name=column.name, cell=shortened(several[0])),
                _("To learn each, write a column of 0 and 1 for each, and name them all: [[target=a,b]]."),
            )
    return None


def has_target(column: Column, source: str) -> NDArray[np.bool_]:
    """``[N]``: whether each row has a target. Raises TreinoError if no row has one."""
    if column.missing_N.all():
        raise TARGET_EMPTY(name=column.name, source=source)
    return ~column.missing_N


def with_targets(
    table: Table, names: Sequence[str], time: str | None, notes: list[str]
) -> tuple[Table, NDArray[np.int64]]:
    """Return the rows that have all targets (and a time, if the split is by time), and their row numbers."""
    keep_N = np.logical_and.reduce([has_target(table.column(name), table.source) for name in names])
    if not keep_N.all():
        sentence = _("Rows left out because their target has no value: {n}, the first in {place}.")
        if len(names) > 1:
            sentence = _(
                "Rows left out because one of their targets has no value: {n}, the first in {place}."
            )
        notes.append(sentence.format(n=int((~keep_N).sum()), place=table.place(int(keep_N.argmin()))))
    if time is not None:
        dated_N = ~np.isnan(times_of(table.column(time), table))
        say_untimed(table, time, dated_N | ~keep_N, notes)
        keep_N &= dated_N
    if (left := int(keep_N.sum())) < 2 <= len(keep_N):
        raise ROWS_USABLE(source=table.source, n=left, notes=" ".join(notes[len(table.notes) :]))
    row_N = np.flatnonzero(keep_N)
    return (table if len(row_N) == len(keep_N) else take(table, row_N)), row_N


def check_classes(y_N: NDArray[np.int64], classes: tuple[str, ...], column: Column) -> None:
    """Refuse a target with a different class in every row: nothing can be learnt from it."""
    if len(classes) == len(y_N):
        hint = _("Name another [[target]].")
        if column.numbers is not None:
            hint = _("Name another [[target]], or say [[task=regression]].")
        raise CLASSES_ALL_DISTINCT(name=column.name, n=len(y_N), hint=hint)
