"""Fit a preparation: raw inputs, statistics of the training rows, and targets."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from operator import eq
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from treino.base.document_fields import Task
from treino.base.errors import Refusal
from treino.base.text import shortened
from treino.base.words import _, setting
from treino.data.column_program import ColumnProgram
from treino.data.documents import (
    ColumnRows,
    Labels,
    LoadArguments,
    PreparationDocument,
    Target,
)
from treino.data.links import IDENTITY, Link
from treino.data.preparation.column_cells import (
    EncodingGaps,
    following,
    inputs_of,
    read_cells,
    result_of,
)
from treino.data.preparation.column_kinds import ColumnRole, by_value
from treino.data.preparation.equal_rows import comparable_columns
from treino.data.preparation.fit_columns import ColumnFit, fit_column
from treino.data.preparation.preparation import VALUE_RANGE, Preparation, fit_pixels, fit_table, fit_target
from treino.data.preparation.target_means import FOLDS, MOST_CLASSES, TargetFolds
from treino.data.preparation.texts import held_out_predictions
from treino.data.preparation.training_columns import class_rows, column_rows, number_rows
from treino.data.preparation.trees import FITTED, TreeRows, evenly, fit_trees, tree_rows
from treino.data.splits import PARTS, TEST, TRAIN, VALIDATION
from treino.data.table import Column, Numbers, RowPlace, Table
from treino.settings.setting_types import as_items

ANSWER = 4.0  # the deviation of an answer of trees among the training rows: networks find large inputs first
ANSWERED_AT_ONCE = 10_000  # rows
MOST_TOLD = 30  # classes for which it is known what a text tells of them
BLOCK_INPUTS = 1 << 21  # inputs of rows that are encoded at once
SMALLEST = 1e-37  # whose logarithm is learnt for a 0 among other rows than those that were fitted
LOG_LOSS = Refusal(
    "[[log_target]] is for losses of the number itself, and the loss of this training has a form of its own.",
    "Leave [[log_target]] out, or train by another loss: mse, l1 or huber.",
)
LOG_TARGET = Refusal(
    "[[log_target]] is for one target of numbers above 0, and '{name}' holds {value}.",
    "Correct it, or train with [[log_target=False]].",
    rule="log_target_positive",
)

TABLE_SETTING = Refusal("{name} is for the columns of tables, and these are images.", "Leave it out.")

# ---- fit of a preparation


def take(table: Table, row_K: NDArray[np.int64]) -> Table:
    """The table with the given rows only, in this order; messages still name their places in the source."""
    place = table.place
    return replace(
        table,
        columns=tuple(column.take(row_K) for column in table.columns),
        matrix=None if table.matrix is None else table.matrix[row_K],
        place=lambda row: place(int(row_K[row])),
    )


def pixel_shape(names: Sequence[str]) -> tuple[int, int] | None:
    """The height and width of a picture whose pixels are these columns, from ``pixel_0_0`` on, row by row;
    None of others."""
    width = sum(name.startswith("pixel_0_") for name in names) or 1
    every = (f"pixel_{place // width}_{place % width}" for place in range(len(names)))
    return (len(names) // width, width) if len(names) % width == 0 and all(map(eq, names, every)) else None


LEAST_DEVIATION = 0.01  # by which an input of a text is divided; terms of few texts have less


def fit(
    table: Table,
    chosen: Mapping[str, ColumnRole],
    columns: Sequence[Column],
    task: Task,
    classes: Sequence[tuple[str, ...]],
    labels: Sequence[NDArray[np.int64]],
    train_N: NDArray[np.int64],
    arguments: LoadArguments,
    row_weights: str | None,
    weight_T: NDArray[np.float64] | None,
    folds: TargetFolds | None,
    fitted: PreparationDocument | None = None,
    most_inputs: int | None = None,
) -> Preparation:
    """The preparation of features and target, fitted on training rows; mean and scale are set later.
    labels: for each target the rows' classes, if there are any.

    row_weights: the column of the rows' weights. weight_T: those of the training rows. folds: the data on
    which target means, trees and texts are fitted.
    fitted: the preparation that was fitted on these rows before, whose trees and texts are taken.
    most_inputs: a preparation whose bins make more inputs is not used, and gets no trees.
    """
    is_image = table.matrix is not None and table.matrix.dtype == np.uint8
    bins = arguments.bins if arguments.inputs == "bins" else 0
    of_tables = {"inputs": arguments.inputs if bins else None, "clip_inputs": arguments.clip_inputs}
    of_tables |= {"target_means": arguments.target_means or None, "trees": arguments.trees or None}
    for name, value in of_tables.items():
        if is_image and value is not None:
            raise TABLE_SETTING.named(f"{name}_image")(name=setting(name, value))
    names = tuple(chosen)
    made: tuple[ColumnProgram, ...] = ()
    if not is_image:
        few = folds is not None and sum(map(len, classes)) <= MOST_CLASSES
        means, linear = folds if arguments.target_means and few else None, bool(arguments.target_means)
        how = (train_N, table.place, arguments.impute, bins, weight_T, means, folds, linear)
        known = {} if fitted is None else {p.column: p for p in fitted.programs if p.measure == "length"}
        made = tuple(
            known[name]
            if choice.way == "text" and name in known
            else fit_column(ColumnFit(table.column(name), choice, *how))
            for name, choice in chosen.items()
        )
    apart = {*(column.name for column in columns), row_weights}
    others = tuple(name for name in table.names if name not in apart)
    inputs = sum(program.width for program in made) if made else len(names)
    shape = table.item_shape if others == names else ()
    if arguments.pictures and inputs == len(names):
        shape = shape or pixel_shape(names) or ()
    preparation = Preparation(
        kind="image" if is_image else "table",
        features=names,
        divisor=255.0 if is_image else 1.0,
        mean=(),
        scale=(),
        normalise=arguments.normalise,
        **target_fields(columns, task, classes, train_N, arguments, weight_T),
        item_shape=shape or (inputs,),
        programs=made,
        width=0 if table.named else len(others),
        clip=arguments.clip_inputs,
        row_weights=row_weights,
        columns=_training_columns(table, made, columns, classes, labels, train_N),
    )
    too_wide = bool(bins) and most_inputs is not None and preparation.size > most_inputs
    if too_wide or not arguments.trees or folds is None or sum(map(len, classes)) > MOST_CLASSES:
        return preparation
    trees = None if fitted is None else fitted.trees
    if trees is None or any(place >= preparation.size for tree in trees for place in tree.columns):
        trees = fit_trees(rows_of_trees(table, preparation, train_N, folds)[0], arguments.trees)
    grown = replace(preparation, trees=trees)
    return replace(grown, item_shape=(grown.size,))


def rows_of_trees(
    table: Table, preparation: Preparation, train_N: NDArray[np.int64], folds: TargetFolds
) -> tuple[list[TreeRows], NDArray[np.int64]]:
    """What trees are fitted on, for each target; and which of the training rows these are. Trees may split
    all inputs but bins, means and their own answers."""
    usable = np.flatnonzero(~np.array(preparation.input_bins)).tolist()
    row_K = evenly(len(train_N), len(usable), FITTED)
    rows = take(table, train_N[row_K])
    columns = [rows.column(name) for name in preparation.features]
    raw_ND, _met = replace(preparation, trees=()).encode(columns, rows.place)
    classes = [len(one.classes) for one in preparation.by_target]
    return tree_rows(raw_ND, row_K, usable, folds, classes), row_K


def held_out_answers(
    table: Table, preparation: Preparation, train_N: NDArray[np.int64], folds: TargetFolds
) -> NDArray[np.float64]:
    """``[T, K]``: the trees' answers to the training rows, each by trees of other rows; to rows on which no
    trees are fitted, the answers that new rows get."""
    targets, row_K = rows_of_trees(table, preparation, train_N, folds)
    count = np.bincount([tree.answer for tree in preparation.trees], minlength=preparation.answers).tolist()
    answer_TK, first = np.zeros((len(train_N), preparation.answers)), 0
    for target in targets:
        last = first + target.answers
        answer_TK[row_K, first:last] = target.held_out(max(count[first:last]))
        first = last
    others = np.setdiff1d(np.arange(len(train_N)), row_K)
    for start in range(0, len(others), ANSWERED_AT_ONCE):
        some = others[start : start + ANSWERED_AT_ONCE]
        rows = take(table, train_N[some])
        raw_ND, _met = preparation.encode([rows.column(name) for name in preparation.features], rows.place)
        answer_TK[some] = raw_ND[:, -preparation.answers :]
    return answer_TK


def _training_columns(
    table: Table,
    programs: Sequence[ColumnProgram],
    targets: Sequence[Column],
    classes: Sequence[tuple[str, ...]],
    labels: Sequence[NDArray[np.int64]],
    train_N: NDArray[np.int64],
) -> tuple[ColumnRows, ...]:
    """What the features and the targets held in the training rows; () for pixels."""
    if not programs:
        return ()
    count = len(programs)
    known = [column_rows(p, table.column(p.column).take(train_N), table.place, count) for p in programs]
    for column, names, label_N in zip(targets, classes, labels, strict=True):
        if names:
            known.append(class_rows(column.name, label_N[train_N], len(names)))
        elif column.numbers is not None:
            known.append(number_rows(column.name, column.numbers[train_N].astype(np.float64), count))
    return tuple(known)


def target_fields(
    columns: Sequence[Column],
    task: Task,
    classes: Sequence[tuple[str, ...]],
    train_N: NDArray[np.int64],
    arguments: LoadArguments,
    weight_T: NDArray[np.float64] | None = None,
) -> dict[str, Any]:
    """The fields of a preparation that describe the targets."""
    log = bool(arguments.log_target)
    link = arguments.link if task == "regression" else IDENTITY
    if log and link.kind != "identity":
        raise LOG_LOSS()
    if log and (task == "classification" or len(columns) > 1):
        raise LOG_TARGET(name=columns[-1].name, value=shortened(columns[-1].cell(0)))
    each = [
        _target(column, task, names, train_N, weight_T, log, link)
        for column, names in zip(columns, classes, strict=True)
    ]
    if len(each) == 1:
        return {"task": task, **each[0].fields, "target_log": log, "link": link}
    classes_of = tuple(f"{one.name}={name}" for one in each for name in one.classes)
    names = as_items([one.name for one in each])
    joint = Target(name=names, classes=classes_of, mean=0.0, scale=1.0, labels="text")
    return {"task": task, **joint.fields, "targets": tuple(each), "link": link}


def _target(
    column: Column,
    task: Task,
    classes: tuple[str, ...],
    train_N: NDArray[np.int64],
    weight_T: NDArray[np.float64] | None,
    log: bool,
    link: Link,
) -> Target:
    mean, scale = 0.0, 1.0
    if task == "regression" and column.numbers is not None:
        mean, scale = fit_target(learnt_values(column, log)[train_N], weight_T, link)
    truth = column.boolean and {name.lower() for name in classes} <= {"false", "true"}
    kind: Labels = "truth" if truth else "number" if by_value(column) else "text"
    return Target(name=column.name, classes=classes, mean=mean, scale=scale, labels=kind)


def learnt_values(column: Column, log: bool, least: float = SMALLEST) -> NDArray[np.float64]:
    """``[N]``: the target's numbers, or their logarithms. least: the lowest number that isn't refused."""
    assert column.numbers is not None
    value_N = column.numbers.astype(np.float64)
    if log and value_N.min() < least:
        raise LOG_TARGET(name=column.name, value=column.cell(int(value_N.argmin())))
    return np.log(np.maximum(value_N, SMALLEST)) if log else value_N


def target_folds(
    columns: Sequence[Column],
    classes: Sequence[tuple[str, ...]],
    labels: Sequence[NDArray[np.int64]],
    train_N: NDArray[np.int64],
    unit_N: NDArray[Any],
    weight_T: NDArray[np.float64] | None,
    timed: bool = False,
    log: bool = False,
) -> TargetFolds:
    """The data on which target means, trees and texts are fitted.

    labels: for each target the rows' classes, if there are any. unit_N: equal for rows that share a fold.
    timed: whether ``unit_N`` is in the order of time; then each fold is a time of its own, the latest first.
    """
    target_TK = target_numbers(columns, classes, labels, train_N, weight_T, log)
    known, place_T = np.unique(unit_N[train_N], return_inverse=True)
    fold_T = (len(known) - 1 - place_T) * FOLDS // len(known) if timed else place_T % FOLDS
    return TargetFolds(target_TK, fold_T, weight_T)


def target_numbers(
    columns: Sequence[Column],
    classes: Sequence[tuple[str, ...]],
    labels: Sequence[NDArray[np.int64]],
    train_N: NDArray[np.int64],
    weight_T: NDArray[np.float64] | None,
    log: bool = False,
) -> NDArray[np.float64]:
    """``[T, K]``: the training rows' targets with mean 0: a number, 1 or 0 for the second of two classes, or
    such a column for each of more, at most for the ``MOST_TOLD`` commonest ones."""
    targets: list[NDArray[np.float64]] = []
    for column, names, label_N in zip(columns, classes, labels, strict=True):
        if names:
            own = np.arange(1 if len(names) == 2 else 0, len(names))
            if len(own) > MOST_TOLD:
                own = np.sort(np.argsort(-np.bincount(label_N[train_N]), kind="stable")[:MOST_TOLD])
            of_classes = (label_N[train_N, None] == own).astype(np.float64)
            targets.append(of_classes - np.average(of_classes, axis=0, weights=weight_T))
        else:
            value_T = learnt_values(column, log)[train_N]
            mean, scale = fit_target(value_T, weight_T)
            targets.append(((value_T - mean) / scale)[:, None])
    return np.hstack(targets)


def held_out_means(
    table: Table, preparation: Preparation, train_N: NDArray[np.int64], folds: TargetFolds | None
) -> dict[int, NDArray[np.float64]]:
    """{index of an input that is a target mean, a linear prediction or an answer of trees: the values ``[T]``
    that the training rows get for it}."""
    shown: dict[int, NDArray[np.float64]] = {}
    if folds is None:
        return shown
    for program, group in zip(preparation.programs, preparation.groups, strict=True):
        if not program.told:
            continue
        column = table.column(program.column).take(train_N)
        cells_T = read_cells(program, column, table.place)
        if terms := program.step("terms"):
            known = (terms.letters, terms.terms, terms.weights, program.told_step.slopes)
            mean_TK = held_out_predictions(cells_T.tolist(), folds, *known)
        else:
            key_T = result_of(program, cells_T, program.step("place").of)
            mean_TK = folds.held_out(key_T, program.told_step.prior)
        places = (group[k] for k in program.told)
        shown |= dict(zip(places, mean_TK.T, strict=True))
    if preparation.trees:
        answer_TK = held_out_answers(table, preparation, train_N, folds)
        shown |= dict(enumerate(answer_TK.T, preparation.size - preparation.answers))
    return shown


def scaled_by_column(
    table: Table,
    preparation: Preparation,
    train_N: NDArray[np.int64],
    weight_T: NDArray[np.float64] | None,
    folds: TargetFolds | None,
) -> tuple[Preparation, dict[int, NDArray[np.float64]]]:
    """Return (the preparation with mean and scale of the training rows' inputs, ``held_out_means``); one
    column is encoded at a time.

    How an operation's inputs are scaled is told by the operation; an answer of trees gets the deviation
    ``ANSWER``. weight_T: the training rows' weights.
    """
    shown = held_out_means(table, preparation, train_N, folds)
    mean, scale = [0.0] * preparation.size, [1.0] * preparation.size
    for program, group in zip(preparation.programs, preparation.groups, strict=True):
        wide = [k for step, own in program.groups if step.scaling == "wide" for k in own]
        if wide and preparation.normalise:
            some = evenly(len(train_N), len(wide))
            rows = take(table, train_N[some])
            raw_TK = inputs_of(program, read_cells(program, rows.column(program.column), rows.place))
            weight = None if weight_T is None else weight_T[some]
            for k in wide:
                mean[group[k]], deviation = _fit(raw_TK[:, k], weight)
                scale[group[k]] = max(deviation, LEAST_DEVIATION)
        elif program.scaled and preparation.normalise:
            cells_N = read_cells(program, table.column(program.column), table.place)
            value_T = result_of(program, cells_N[train_N], program.shown[0])
            for place, bin_T in zip(*following(program, value_T), strict=True):
                if place not in program.told:
                    mean[group[place]], _scale = _fit(bin_T, weight_T)
            if preparation.size == 1:
                (mean[0],), (scale[0],) = fit_table(value_T[:, None], True, weight_T)
            else:
                mean[group[0]], scale[group[0]] = _fit(value_T, weight_T)
    for place, mean_T in shown.items() if preparation.normalise else ():
        mean[place], deviation = _fit(mean_T, weight_T)
        if place >= preparation.size - preparation.answers:
            scale[place] = deviation / ANSWER
    return replace(preparation, mean=tuple(mean), scale=tuple(scale)), shown


def _fit(value_T: NDArray[np.float64], weight_T: NDArray[np.float64] | None) -> tuple[float, float]:
    """Return mean and deviation as ``fit_table`` computes those of several columns: NumPy adds their rows one
    after the other, and those of a single column in pairs."""
    mean_2, scale_2 = fit_table(np.stack([value_T, value_T], axis=1), True, weight_T)
    return mean_2[0], scale_2[0]


def in_memory(
    tables: Sequence[Table],
    preparation: Preparation,
    parts: Sequence[NDArray[np.int64]],
    train_N: NDArray[np.int64],
    weight_T: NDArray[np.float64] | None,
    cells_ND: Numbers,
    folds: TargetFolds | None = None,
) -> tuple[Preparation, dict[str, EncodingGaps], dict[int, torch.Tensor]]:
    """Return (the preparation with mean and scale, the EncodingGaps of each column, x of each split).

    parts: the split of each row, for each table. train_N: the training rows of the first table. weight_T:
    their weights. cells_ND: ``comparable`` of the tables. folds: the data on which target means were fitted.
    """
    part_N, met = np.concatenate(parts), {name: EncodingGaps() for name in preparation.features}
    prepared: Iterator[tuple[NDArray[np.int64], torch.Tensor]]
    if preparation.kind == "image":
        mean, scale = fit_pixels(cells_ND[: tables[0].rows][train_N], preparation.normalise)
        preparation = replace(preparation, mean=mean, scale=scale)
        rows = _rows_of_block(preparation)
        some = [slice(at, at + rows) for at in range(0, len(part_N), rows)]
        prepared = ((part_N[block], preparation.transform(cells_ND[block])) for block in some)
    else:
        preparation, shown = scaled_by_column(tables[0], preparation, train_N, weight_T, folds)
        prepared = prepared_blocks(tables, parts, preparation, train_N, shown, met)
    x_of = {part: torch.empty(int((part_N == part).sum()), preparation.size) for part in PARTS.values()}
    filled = dict.fromkeys(x_of, 0)
    for part_B, x_BD in prepared:
        for part, x_ND in x_of.items():
            x_KD = x_BD[torch.from_numpy(part_B == part)]
            x_ND[filled[part] : filled[part] + len(x_KD)] = x_KD
            filled[part] += len(x_KD)
    return preparation, met, x_of


def prepared_blocks(
    tables: Sequence[Table],
    parts: Sequence[NDArray[np.int64]],
    preparation: Preparation,
    train_N: NDArray[np.int64],
    shown: Mapping[int, NDArray[np.float64]],
    met: dict[str, EncodingGaps],
) -> Iterator[tuple[NDArray[np.int64], torch.Tensor]]:
    """Yield (each row's split, the inputs ``[B, D]``) for all blocks of rows, in order. shown: see
    ``held_out_means``. met: the gaps of each column, to which those of the block are added."""
    for table, part_N in zip(tables, parts, strict=True):
        for at, columns in _blocks(table, preparation.features, _rows_of_block(preparation)):
            raw_BD, seen = preparation.encode(columns, _later(table, at))
            if table is tables[0]:
                start, end = np.searchsorted(train_N, [at, at + len(raw_BD)])
                for each, mean_T in shown.items():
                    raw_BD[train_N[start:end] - at, each] = mean_T[start:end]
            yield part_N[at : at + len(raw_BD)], preparation.transform(raw_BD)
            met |= {name: met[name] + seen[name] for name in met}


def _rows_of_block(preparation: Preparation) -> int:
    return max(1, BLOCK_INPUTS // preparation.size)


def _later(table: Table, first: int) -> RowPlace:
    return lambda row: table.place(first + row)


def _blocks(table: Table, names: Sequence[str], most_rows: int) -> Iterator[tuple[int, tuple[Column, ...]]]:
    """Yields (number of the first row, the named columns) for blocks of rows, in order."""
    parts: Any = [(0, tuple(map(table.column, names)))]
    if table.stored:
        file: Any = table.columns[0]
        place = {name: j for j, name in enumerate(table.names)}
        parts = file.source.blocks([place[name] for name in names])
    for first, columns in parts:
        rows = len(columns[0])
        for start in range(0, rows, most_rows):
            row_K = np.arange(start, min(start + most_rows, rows))
            yield first + start, tuple(column.take(row_K) for column in columns)


def prepare_targets(
    columns: Sequence[Column], labels: Sequence[NDArray[np.int64]], preparation: Preparation
) -> torch.Tensor:
    """y to train on: for one target as in ``prepare_target``; for K targets ``[N, K]`` codes or values."""
    each = [
        prepare_target(column, label_N, one)
        for column, label_N, one in zip(columns, labels, preparation.by_target, strict=True)
    ]
    return each[0] if len(each) == 1 else torch.stack([y.reshape(-1) for y in each], 1)


def prepare_target(column: Column, label_N: NDArray[np.int64], preparation: Preparation) -> torch.Tensor:
    """y to train on: ``[N]`` int64 class codes, or ``[N, 1]`` float32 standardised values."""
    if preparation.task == "classification":
        return torch.from_numpy(label_N)
    with np.errstate(over="ignore"):
        value_N = learnt_values(column, preparation.target_log, 0)  # other rows may hold a 0
        scaled_N = (value_N - preparation.target_mean) / preparation.target_scale
        y_N = torch.from_numpy(scaled_N.astype(np.float32))
    if not y_N.isfinite().all():
        assert column.numbers is not None
        raise VALUE_RANGE(name=column.name, value=column.cell(int(np.abs(column.numbers).argmax())))
    return y_N.unsqueeze(1)


# ---- notes on columns that are constant in the training rows only


def say_held_back(
    tables: Sequence[Table],
    chosen: Mapping[str, ColumnRole],
    preparation: Preparation,
    part_N: NDArray[np.int64],
) -> list[str]:
    """A note on columns that are constant in training rows but not in validation or test rows; else [].

    part_N: the split of each row of all tables. Classes absent from training rows get their own note.
    """
    perhaps = {
        p.column: chosen[p.column]
        for p, at in _first_inputs(preparation)
        if (not p.levels or p.ordered) and not (p.scaled and preparation.normalise and preparation.scale[at])
    }
    train_N, later_N = part_N == TRAIN, (part_N == VALIDATION) | (part_N == TEST)
    counts = {}
    for name, value_N in zip(perhaps, comparable_columns(tables, perhaps), strict=True):
        there_N = ~np.isnan(value_N)
        trained = value_N[train_N & there_N]
        if (trained == trained[:1]).all():
            counts[name] = int((later_N & there_N & ~np.isin(value_N, trained[:1])).sum())
    sentence = _(
        "Never changes in training rows, so nothing is learnt of it, but does in validation or test rows: "
        "{names}."
    )
    return _count_notes(sentence, counts)


def say_new(raw_ND: NDArray[np.float64], preparation: Preparation) -> list[str]:
    """A note on columns that were constant in training rows but aren't in these raw inputs ``[N, D]``."""
    counts = {}
    for program, at in _first_inputs(preparation):
        if program.scaled and preparation.normalise and not preparation.scale[at]:
            counts[program.column] = int((raw_ND[:, at] != preparation.mean[at]).sum())
    return _count_notes(
        _("Never changed in training rows, so nothing was learnt of it, but does here: {names}."), counts
    )


def _first_inputs(preparation: Preparation) -> Iterator[tuple[ColumnProgram, int]]:
    """Each program with the index of its first input, the only input that is normalised."""
    return ((p, group[0]) for p, group in zip(preparation.programs, preparation.groups, strict=True))


def _count_notes(sentence: str, counts: Mapping[str, int]) -> list[str]:
    """The sentence with the columns that vary and their row counts; [] if no column varies."""
    names = [_("{name} ({n} rows)").format(name=name, n=f"{n:,}") for name, n in counts.items() if n]
    return [sentence.format(names=shortened(", ".join(names), 400))] if names else []
