"""Split rows as requested: by shares, groups, time, a column of the table, folds, or separate files."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from treino.base.errors import Refusal, TreinoError
from treino.base.text import shortened, whole_number
from treino.base.words import N_, _, joined
from treino.data.cell_forms import form_of, missing, truth_of
from treino.data.documents import LoadArguments
from treino.data.preparation.column_kinds import ColumnRole, kind, unit_cells
from treino.data.preparation.column_roles import column_fault
from treino.data.rows import generator
from treino.data.splits import (
    TEST,
    TRAIN,
    VALIDATION,
    EqualRows,
    Fold,
    leaking,
    off_share,
    split_evenly,
    split_fold,
    split_groups,
    split_some,
    split_times,
)
from treino.data.table import Column, Table, check_no_target, fault, row_place, unknown_column

FOLD_FORM = Refusal("{fold!r} is no fold.", "2/5 is the second of five.")
SPLIT_TIME_KIND = Refusal(
    "Column '{name}' holds '{cell}' in {place}, which is neither a date nor a number.",
    "Write its dates as 2024-12-31, or split by another column.",
)
SPLIT_OFFICIAL = Refusal("'{source}' has test rows of its own.", "Leave the split by '{name}' out.")
SPLIT_COLUMN_WORD = Refusal(
    "Column '{name}' holds '{cell}' in {place}, which names no part of a split.",
    "The words are train, validation and test; 0 and 1 need a column named for one of them.",
)
LEFT_OUT = -1
NO_TRAINING_ROWS = Refusal(
    "No row is left to train on.",
    "Give the splits other shares, or keep equal rows with [[duplicates=ignore]].",
)
EQUAL_ROWS_HELD_BACK = Refusal(
    "No row is left to train on: {n} equal rows that are held back.",
    NO_TRAINING_ROWS.hint,
    rule=NO_TRAINING_ROWS.rule,
)
NAMES = {TRAIN: N_("training"), VALIDATION: N_("validation"), TEST: N_("test")}
USUAL_WORDS = {
    **dict.fromkeys(("train", "training", "treino", "treinamento", "0"), TRAIN),
    **dict.fromkeys(("validation", "valid", "val", "dev", "validação", "validacao", "1"), VALIDATION),
    **dict.fromkeys(("test", "testing", "teste", "holdout", "2"), TEST),
}


def fold_of(text: str | None) -> Fold | None:
    """The fold that a text names: ``2/5`` is the second of five."""
    if text is None:
        return None
    which, _slash, of = str(text).partition("/")
    number, count = whole_number(which.strip()), whole_number(of.strip())
    if number is not None and count is not None and 1 <= number <= count > 1:
        return Fold(number - 1, count)
    raise FOLD_FORM(fold=text)


def check_split(table: Table, arguments: LoadArguments, targets: Sequence[str]) -> None:
    """Refuse columns by which the table can't be split."""
    if arguments.split_by is None:
        return
    for name in filter(None, (arguments.split_group, arguments.split_time, arguments.split_column)):
        if name not in table.by_name:
            raise unknown_column(table, name, "split")
        check_no_target(name, targets, "split")
    if table.official_test:
        raise SPLIT_OFFICIAL(source=table.source, name=arguments.split_by)
    if arguments.split_time is not None:
        times_of(table.column(arguments.split_time), table)


def times_of(column: Column, table: Table) -> NDArray[np.float64]:
    """``[N]``: the time of each row, NaN if it has none. Refuses a column without times or numbers, and cells
    that can't be read as the others are."""
    problem = None
    if column.numbers is not None and not column.boolean:
        problem = fault(column, table.place, required=False)
    elif not column.clock and (column.seconds is not None or kind(column) == "date"):
        problem = column_fault(table, column, ColumnRole("date", "date"))
    else:
        cells = (column.cell(row) for row in range(len(column)))
        row = next((row for row, cell in enumerate(cells) if not missing(cell) and form_of(cell) is None), 0)
        raise SPLIT_TIME_KIND(name=column.name, cell=shortened(column.cell(row)), place=table.place(row))
    if problem is not None:
        raise problem.refusal("split_time", hint=_("{what}, or leave these rows out of the file."))
    return np.asarray(column.values, dtype=np.float64)


def say_untimed(table: Table, name: str, timed_N: NDArray[np.bool_], notes: list[str]) -> None:
    """Add notes on the rows without a time: empty cells, and words where other rows have dates."""
    row_K = np.flatnonzero(~timed_N)
    word_K = unit_cells(table.column(name).take(row_K), table)
    empty = _(
        "Rows left out because '{name}' has no value, by which they are split: {n}, the first in {place}."
    )
    untimed = _(
        "Rows left out because '{name}' holds no time, by which they are split: {n}, the first in {place} "
        "('{cell}')."
    )
    for of_K, text in ((word_K == "", empty), (word_K != "", untimed)):
        if of_K.any():
            first = int(of_K.argmax())
            facts = {"place": table.place(int(row_K[first])), "cell": shortened(str(word_K[first]))}
            notes.append(text.format(name=name, n=int(of_K.sum()), **facts))


EQUAL = N_("Rows that equal an earlier one in all features: {n}; equal rows are never parted.")
IN_ALL = N_("in all features")
EQUAL_WHOLE = N_("Equal rows stay together, so {part} has {has:.1%} of the rows, not {share:.1%}.")
CLASSES_WHOLE = N_("Each class has a row in each part, so {part} has {has:.1%} of the rows, not {share:.1%}.")
GROUPS_WHOLE = N_("Groups and times stay whole, so {part} has {has:.1%} of the rows, not {share:.1%}.")


def unnamed(rows: int, source: str) -> Table:
    """A table in place of rows without columns, such as arrays, of which a split asks the number alone."""
    return Table(source, source, None, (Column("", np.zeros(rows)),), row_place)


def decide_parts(
    tables: Sequence[Table],
    file_parts: Sequence[int],
    arguments: LoadArguments,
    equal: EqualRows,
    label_N: NDArray[np.int64],
    classes: tuple[str, ...],
    notes: list[str],
    equal_note: str = EQUAL,
    wherein: str = IN_ALL,
) -> NDArray[np.int64]:
    """``[N]``: the split of each row of all tables, in order; -1 if the row is left out.

    tables: the main table first. file_parts: the split of each further table. equal: of all rows. equal_note:
    the note on equal rows that are kept together. wherein: in what rows are equal.
    """
    main = tables[0]
    own = main.rows - main.official_test
    unit_N = equal.units(arguments.duplicates)
    repeated = int((unit_N[:own] != np.arange(own)).sum())
    shares = arguments.validation or 0.0, 0.0 if main.official_test else arguments.test or 0.0
    fold = fold_of(arguments.fold)
    given = [np.full(main.official_test, TEST)]
    given += [np.full(t.rows, part) for t, part in zip(tables[1:], file_parts, strict=True)]
    part_N = np.concatenate([np.full(own, TRAIN), *given])
    apart = arguments.split_by is None and fold is None
    if fold is not None:
        if main.official_test or TEST in file_parts:
            raise SPLIT_OFFICIAL(source=main.source, name=fold.text)
        part_N[:own] = split_fold(
            fold, unit_N[:own], label_N[:own], bool(classes), shares[0], arguments.data_seed
        )
    elif arguments.split_by is None:
        check_enough(own - repeated, shares, _("Different rows: {n}."))
        part_N[:own] = split_evenly(unit_N[:own], label_N[:own], *shares, arguments.data_seed)
        if repeated:
            notes.append(_(equal_note).format(n=repeated))
        _say_shares(part_N[:own], shares, EQUAL_WHOLE if repeated else CLASSES_WHOLE, notes)
    elif arguments.split_group is None and arguments.split_time is None:
        part_N[:own] = _by_column(main.column(arguments.split_by), main, arguments, unit_N, label_N, notes)
    else:
        part_N = _by_units(tables, arguments.split_by, arguments, shares, part_N, notes)
        if arguments.split_time is not None:
            notes.append(_by_time_note(arguments.split_time, tables, part_N))
    if arguments.duplicates is None and (alone := int(equal.alone_N[:own].sum())):
        text = _(
            "Rows that equal another one {wherein}: {n} of {of}. So many return that new rows will equal "
            "training rows as well, and held-back rows may."
        )
        together = [_("To keep equal rows together: [[duplicates=apart]].")] if apart else []
        notes.append(joined([text.format(wherein=_(wherein), n=alone, of=own), *together], " "))
    if not apart or len(part_N) > own:
        leaked = leaking(unit_N, part_N)
        keep = arguments.duplicates is None and not main.official_test
        of = int(np.isin(part_N, (TRAIN, VALIDATION)).sum())
        if not keep:
            part_N[leaked] = LEFT_OUT
        if n := int(leaked.sum()):
            text = _(
                "Training and validation rows that equal a row held back from them {wherein}: {n} of {of}. "
                "Figures may be too good for it; [[duplicates=apart]] trains without these {n}."
            )
            kept = text.format(wherein=_(wherein), n=n, of=of)
            notes.append(kept if keep else _leak_note(n, part_N, main, wherein))
    if not (part_N == TRAIN).any():
        n = int((part_N == LEFT_OUT).sum())
        raise EQUAL_ROWS_HELD_BACK(n=n) if n else NO_TRAINING_ROWS()
    _say_classes(part_N, label_N, classes, sum(shares) > 0 or len(tables) > 1, notes)
    return part_N


def _leak_note(n: int, part_N: NDArray[np.int64], main: Table, wherein: str) -> str:
    if main.official_test:
        return _("Training rows left out because they equal a test row: {n}.").format(n=n)
    text = _("Rows left out because they equal a held-back row {wherein}: {n}.")
    note = text.format(wherein=_(wherein), n=n)
    if n > (part_N == TRAIN).sum():
        note = joined([note, _("That is most of them; to keep such rows: [[duplicates=ignore]].")], " ")
    return note


def _say_shares(part_N: NDArray[np.int64], shares: tuple[float, float], why: str, notes: list[str]) -> None:
    """Add a note on each held-back part that is off its share of the rows. why: the note."""
    for k in np.flatnonzero(off_share(part_N, *shares)).tolist():
        part, has = VALIDATION + k, float((part_N == VALIDATION + k).mean())
        notes.append(_(why).format(part=_(NAMES[part]), has=has, share=shares[k]))


def _say_classes(
    part_N: NDArray[np.int64],
    label_N: NDArray[np.int64],
    classes: tuple[str, ...],
    divided: bool,
    notes: list[str],
) -> None:
    if not classes:
        return
    there_PC = np.stack([np.bincount(label_N[part_N == p], minlength=len(classes)) > 0 for p in NAMES])
    alone_C = there_PC[TRAIN] & (there_PC.sum(0) == 1) & divided
    for of_C, note in (
        (alone_C, _("Too few different rows to be in every split, so only trained on: {names}.")),
        (~there_PC[TRAIN], _("No training row has them, so they can't be learnt: {names}.")),
    ):
        if of_C.any():
            notes.append(note.format(names=", ".join(np.array(classes, dtype=object)[of_C][:8])))


def check_enough(n: int, shares: tuple[float, float], counted: str, hint: str = "") -> None:
    """Refuse to split fewer units than there are splits. counted: the sentence that counts them."""
    parts = 1 + sum(share > 0 for share in shares)
    if n < max(parts, 2):
        raise TreinoError(
            "rows_too_few",
            counted.format(n=n) + " " + _("That is too few for {wanted} splits.").format(wanted=parts),
            hint or (_("Add rows, or set [[validation=0]] [[test=0]].") if n > 1 else _("Add rows.")),
        )


def _by_units(
    tables: Sequence[Table],
    name: str,
    arguments: LoadArguments,
    shares: tuple[float, float],
    part_N: NDArray[np.int64],
    notes: list[str],
) -> NDArray[np.int64]:
    """The split of all rows, those of the main table by group, by time, or by both. Rows of a group that a
    file holds back are left out. part_N: the files' splits, after rows of the main table."""
    own, unit_N = tables[0].rows, units(tables[0], arguments)
    if arguments.split_group is None:
        check_enough(len(np.unique(unit_N)), shares, _("Different times: {n}."))
        part_N[:own] = split_times(unit_N, *shares)
    else:
        words = np.concatenate([unit_cells(table.column(name), table) for table in tables])
        for part in (TEST, VALIDATION):
            part_N[(part_N < part) & np.isin(words, words[part_N == part])] = LEFT_OUT
        if gone := int((part_N == LEFT_OUT).sum()):
            text = _("Rows left out because their group in '{name}' is among a file's held-back rows: {n}.")
            notes.append(text.format(name=name, n=gone))
        row_K = np.flatnonzero(part_N[:own] == TRAIN)
        units_of, unit_K = np.unique(unit_N[row_K], return_inverse=True)
        groups, group_K = np.unique(words[row_K], return_inverse=True)
        check_enough(len(groups), shares, _("Different groups: {n}."))
        if arguments.split_time is None:
            part_N[row_K] = split_groups(unit_K.reshape(-1), *shares, arguments.data_seed)
        else:
            hint = _("Split by '{group}' or by '{time}' alone.").format(group=name, time=arguments.split_time)
            check_enough(len(units_of), shares, _("Groups that end at different times: {n}."), hint)
            part_N[row_K] = split_times(unit_K.astype(np.float64), *shares)
            has = [float((part_N[row_K] == part).mean()) for part in (VALIDATION, TEST)]
            far = any(of and not of / 2 <= own <= 2 * of for own, of in zip(has, shares, strict=True))
            if far and len(units_of) < len(groups):
                lot_G = torch.randperm(len(groups), generator=generator(arguments.data_seed, "split")).numpy()
                part_N[row_K] = split_times(unit_K + lot_G[group_K] / len(groups), *shares)
                notes.append(_("Of groups in '{name}' that end together, some were drawn.").format(name=name))
        parts = _counted({part: len(set(words[:own][part_N[:own] == part])) for part in NAMES})
        notes.append(_("Split by the groups of '{name}': {parts}.").format(name=name, parts=parts))
        if absent := int((words == "").sum()):
            notes.append(_("Rows without a group are one group of their own: {n}.").format(n=absent))
    _say_shares(part_N[:own][part_N[:own] >= 0], shares, GROUPS_WHOLE, notes)
    return part_N


def units(table: Table, arguments: LoadArguments) -> NDArray[Any]:
    """``[N]``: what a split by group or time never parts, of each row: the group's number or the time; or,
    by both, the place of the row's group in the order of last times, among equal ones of mean times."""
    if arguments.split_group is None:
        assert arguments.split_time is not None
        return times_of(table.column(arguments.split_time), table)
    number: dict[str, int] = {}
    words = unit_cells(table.column(arguments.split_group), table)
    group_N = np.fromiter((number.setdefault(w, len(number)) for w in words), np.int64, len(words))
    if arguments.split_time is None:
        return group_N
    time_N = times_of(table.column(arguments.split_time), table)
    order_N = time_N.argsort()  # sums don't depend on the order of the rows
    last_G = np.full(len(number), -np.inf)
    np.maximum.at(last_G, group_N, time_N)
    mean_G = np.bincount(group_N[order_N], time_N[order_N]) / np.bincount(group_N)
    _ends, place_G = np.unique(np.stack([last_G, mean_G], 1), axis=0, return_inverse=True)
    return np.asarray(place_G.reshape(-1)[group_N])


def _counted(counts: Mapping[int, int]) -> str:
    """The number of rows in each split, in words."""
    return joined([_("{n} for {part}").format(n=n, part=_(NAMES[p])) for p, n in counts.items() if n], ", ")


def _by_time_note(name: str, tables: Sequence[Table], part_N: NDArray[np.int64]) -> str:
    """From when to when each split is, also of files with times; how many training rows are later than a test
    row."""
    of_tables = [
        times_of(table.column(name), table) if name in table.by_name else np.full(table.rows, np.nan)
        for table in tables
    ]
    time_N, start_F = np.concatenate(of_tables), np.cumsum([0, *map(len, of_tables)])

    def cell(row: int) -> str:
        of = int(np.searchsorted(start_F, row, side="right")) - 1
        return tables[of].column(name).cell(row - int(start_F[of]))

    texts = []
    for part in (TRAIN, VALIDATION, TEST):
        rows = np.flatnonzero((part_N == part) & ~np.isnan(time_N))
        if len(rows):
            first, last = (int(rows[end(time_N[rows])]) for end in (np.argmin, np.argmax))
            text = _("{part} from {first} to {last}")
            texts.append(text.format(part=_(NAMES[part]), first=cell(first), last=cell(last)))
    note = _("Split by time ('{name}'): {parts}.").format(name=name, parts=joined(texts, ", "))
    begin = np.nanmin(np.where(part_N == TEST, time_N, np.nan), initial=np.inf)
    if later := int(((part_N == TRAIN) & (time_N > begin)).sum()):
        late = _("Training rows that are later than the first test row: {n}.").format(n=later)
        note = joined([note, late], " ")
    return note


def _by_column(
    column: Column,
    table: Table,
    arguments: LoadArguments,
    unit_N: NDArray[np.int64],
    label_N: NDArray[np.int64],
    notes: list[str],
) -> NDArray[np.int64]:
    """The split that a column names for each row. A split that the column never names is drawn from the
    training rows."""
    words = unit_cells(column, table)
    there = set(words.tolist())
    part_of = {word: USUAL_WORDS.get(word.lower()) for word in there}
    truths = {word: truth_of(word) for word in there}
    if None not in truths.values():
        said = _truth_parts(column.name) or (None, None)
        part_of |= {word: said[truth == 1] for word, truth in truths.items()}
    unknown = [word for word, part in part_of.items() if part is None]
    if unknown:
        row = int(np.isin(words, unknown).argmax())
        raise SPLIT_COLUMN_WORD(name=column.name, cell=shortened(words[row]), place=table.place(row))
    part_N = np.array([part_of[word] for word in words], dtype=np.int64)
    counts = np.bincount(part_N, minlength=3)
    parts = _counted(dict(enumerate(counts.tolist())))
    notes.append(_("Split as '{name}' says: {parts}.").format(name=column.name, parts=parts))
    shares = (
        (arguments.validation or 0.0) * (not counts[VALIDATION]),
        (arguments.test or 0.0) * (not counts[TEST]),
    )
    rows = np.flatnonzero(part_N == TRAIN)
    if sum(shares) and len(rows):
        part_N[rows] = split_some(rows, unit_N, label_N, *shares, data_seed=arguments.data_seed)
    return part_N


def _truth_parts(name: str) -> tuple[int, int] | None:
    """Return (split of rows with 0, split of rows with 1) for a column named after one split, such as
    is_test, or after none; None if the name contains several splits or a negation."""
    words = re.findall(r"[^\W\d_]+", re.sub(r"([a-z])([A-Z])", r"\1 \2", name).lower())
    parts = {USUAL_WORDS[word] for word in words if word in USUAL_WORDS}
    if len(parts) > 1 or {"not", "non", "no", "não", "nao", "without", "sem"} & set(words):
        return None
    if not parts:
        return TRAIN, VALIDATION
    (part,) = parts
    return (TEST, TRAIN) if part == TRAIN else (TRAIN, part)


def with_file_in_places(table: Table) -> Table:
    """The table of a further file, whose places name the file."""
    place, source = table.place, table.source
    return replace(table, place=lambda row: _("{place} of '{file}'").format(place=place(row), file=source))
