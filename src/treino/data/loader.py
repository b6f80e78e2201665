"""``load``: read a data set, split it and prepare it for training."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
import torch
from numpy.typing import NDArray

from treino.base.errors import Refusal, TreinoError, nearest
from treino.base.memory import free_bytes
from treino.base.words import N_, _, joined, setting
from treino.data import sources
from treino.data.cell_forms import missing
from treino.data.dataset import Data
from treino.data.documents import MOST_TREES
from treino.data.photographs.album import is_album
from treino.data.photographs.decoding import Fit
from treino.data.photographs.labels import names_of_pictures
from treino.data.photographs.load import AlbumRequest, load_album, refuse_of_tables
from treino.data.preparation.column_kinds import level_cells
from treino.data.preparation.column_roles import choose_features, say_encoders, say_gaps, say_missing
from treino.data.preparation.encoders import BINS
from treino.data.preparation.fit import (
    comparable,
    fit,
    in_memory,
    prepare_targets,
    say_held_back,
    target_folds,
)
from treino.data.preparation.preparation import Preparation
from treino.data.preparation.row_weights import Weights, WeightsDescription, weight_column, weighted
from treino.data.preparation.target import (
    decide_tasks,
    read_with_targets,
    target_codes,
    with_targets,
)
from treino.data.prepared_cache import PreparedCache
from treino.data.readers import ReaderOptions
from treino.data.readers.reader_options import as_text
from treino.data.rows import Rows, bytes_of
from treino.data.split_requests import (
    Split,
    check_split,
    decide_parts,
    divider,
    fold_of,
    parts_of_files,
)
from treino.data.splits import TEST, TRAIN, VALIDATION, first_equal
from treino.data.summaries.relations import TargetRows, say_leaks
from treino.data.table import Column, Table, check_present
from treino.data.torch_datasets.dataset_source import is_torch_dataset, load_torch_dataset
from treino.settings.setting_types import as_items

ROWS_ONE = Refusal("rows_one", N_("'{source}' has a single row."), N_("Add rows."))
TREES_RANGE = Refusal(
    "trees_range",
    N_("{name} must be a whole number from 0 to {most}; it is {value!r}."),
    N_("The usual value is {usual}."),
)
TARGET_MEANS_TYPE = Refusal(
    "target_means_type",
    N_("{name} must be True or False; it is {value!r}."),
    N_("Leave it out for columns without target means."),
)
INPUTS_CHOICE = Refusal("inputs_choice", N_("{name} can't be {value!r}: it is one of {options}."), "{hint}")
BINS_RANGE = Refusal(
    "bins_range",
    N_("{name} must be a whole number from 2 to {most}; it is {value}."),
    N_("The usual value is {usual}."),
)
CLIP_INPUTS_RANGE = Refusal(
    "clip_inputs_range",
    N_("{name} must be a number of deviations above 0; it is {value}."),
    N_("The usual value is {usual}."),
)

Impute = Literal["median", "mean"]
InputForm = Literal["plain", "bins"]
MOST_BINS = 1000


@dataclass(frozen=True)
class TableRequest:
    """The arguments of ``load`` for a table. files: the file or frame of each split that has its own. fold:
    as text, such as 2/5."""

    source: Any
    target: str | None
    features: Sequence[str] | None
    task: str | None
    split: Split
    fold: str | None
    files: Mapping[str, Any]
    normalise: bool
    kinds: Mapping[str, str]
    impute: Impute
    inputs: InputForm
    bins: int
    clip_inputs: float | None
    target_means: bool
    trees: int
    row_weights: str | None
    reading: ReaderOptions | None

    def to_json(self) -> dict[str, Any]:
        """The arguments of ``load`` except the source; most only if they differ from their defaults."""
        features, split, reading = self.features, self.split, self.reading
        return {
            "target": self.target,
            "features": features if features is None or isinstance(features, str) else list(features),
            "task": self.task,
            "validation": split.validation if "validation" not in self.files else None,
            "test": split.test if "test" not in self.files else None,
            "data_seed": split.data_seed,
            "normalise": self.normalise,
        } | _non_defaults(
            kinds=self.kinds,
            impute=self.impute,
            inputs=self.inputs,
            bins=self.bins if self.inputs == "bins" else None,
            clip_inputs=self.clip_inputs,
            target_means=self.target_means or None,
            trees=self.trees or None,
            split_group=split.group,
            split_time=split.time,
            split_column=split.column,
            fold=self.fold,
            duplicates=split.duplicates,
            row_weights=self.row_weights,
            reading=None if reading is None else reading.to_json(),
        )


def load(
    source: Any,
    *,
    target: str | Sequence[str] | None = None,
    features: Sequence[str] | None = None,
    task: str | None = None,
    validation: Any = 0.15,
    test: Any = 0.15,
    data_seed: int = 0,
    normalise: bool = True,
    kinds: Mapping[str, str] | None = None,
    impute: Impute = "median",
    inputs: InputForm = "plain",
    bins: int = BINS,
    most_inputs: int | None = None,
    clip_inputs: float | None = None,
    target_means: bool = False,
    trees: int = 0,
    split_group: str | None = None,
    split_time: str | None = None,
    split_column: str | None = None,
    fold: str | None = None,
    duplicates: Literal["apart", "ignore"] | None = None,
    row_weights: str | None = None,
    reading: ReaderOptions | Mapping[str, Any] | None = None,
    image_size: tuple[int, int] | None = None,
    fit: Fit = "crop",
    skip_bad: int = 0,
    labels: str | Path | None = None,
    class_pattern: str | None = None,
    num_workers: int = 0,
    max_memory: int | str | None = None,
    cache: str | Path | None = None,
) -> Data:
    """Read a source, split its rows, and prepare them with statistics of the training rows alone.

    source: a built-in's name, a file's path, a folder or archive of photographs, a frame, or
    (X ``[N, D]``, y ``[N]``) or (X, y, the rows' weights ``[N]``); a Dataset or DataLoader, or
    ``{"train": …, "validation": …, "test": …}`` of them: their items are used unchanged, and ``features=[x]``
    and ``target`` name the entries of items that are dicts.
    target: the column to learn, or several, all of them numbers or all of them classes: ``["a", "b"]`` or
    ``"a,b"``; a built-in and (X, y) have their own. Rows without a target are left out.
    features: the columns to learn from, in this order; default: all other columns, without identifiers, free
    text and constant columns. task: ``classification`` or ``regression`` instead of the detected task.
    kinds: the types of columns whose cells are misleading: ``{"month": "category", "size": "small<large"}``,
    with number, boolean, category, one-hot, hashed, date, identifier or text.
    validation, test: shares of the distinct rows outside an official test set; or a file or frame with the
    same columns. data_seed: the seed of the split. split_group: a column whose groups each stay in one
    split. split_time: a column of times; the latest rows are the test rows. split_column: a column that names
    the split of each row: train, validation or test.
    fold: ``2/5`` tests on the second of the five folds of scikit-learn's (Stratified)KFold.
    duplicates: for rows that are equal in all features, ``apart`` keeps them in one split, ``ignore`` doesn't
    look for them. By default equal rows stay in one split if it is drawn, and are only counted if columns,
    files or folds determine the split.
    row_weights: the column that says how much each row counts, which is no feature: a row that weighs 2 is as
    two equal rows, one of weight 0 is left out. ``COLUMN=0``: an empty cell is a weight of 0.
    normalise: scale to mean 0 and deviation 1 on the training rows. impute: the statistic that replaces a
    missing number. inputs: ``bins`` adds to each number its position in each of ``bins`` bins between
    quantiles of the training rows, unless there would be more than ``most_inputs`` inputs. clip_inputs: the
    largest absolute value of a normalised number.
    target_means: adds to a number, or to hashed classes, the target's mean over the training rows with that
    value, where such means tell more than bins do. trees: adds the leaves of so many small decision trees.
    reading: the format of the file, if it shouldn't be detected.
    image_size: height and width to which photographs are brought. fit: how: ``crop`` keeps their middle,
    ``pad`` adds black borders, ``stretch`` changes their proportions. skip_bad: go on without so many files
    that can't be decoded, or have a label and aren't there. labels: a table of photographs' names and labels,
    where it isn't the only one among them. class_pattern: a regular expression whose group is the class in a
    photograph's name; ``split_group`` may be one whose group is never parted.
    num_workers: the number of processes that read a Dataset's items.
    max_memory: the most bytes for the rows of a file, or text such as 2GB; default: half of the free memory.
    A larger table is prepared once into a folder and read from there, with the same rows bit for bit. cache:
    the folder for prepared tables; None: a temporary one, removed with the Data.

    Raises TreinoError naming the rule, the value, its place, and what to do next.
    """
    target = target if target is None or isinstance(target, str) else as_items([str(name) for name in target])
    shares, files = _shares_and_files(validation, test)
    split = Split(*shares, data_seed, split_group, split_time, split_column, duplicates, fold_of(fold))
    check_split(split)
    _check_inputs(inputs, bins, clip_inputs, target_means, trees)
    of_tables = {
        "kinds": kinds, "file": files or None, "inputs": inputs != "plain", "clip_inputs": clip_inputs,
        "target_means": target_means or None, "trees": trees or None,
        "row_weights": row_weights,
    }  # fmt: skip
    if is_torch_dataset(source):
        return load_torch_dataset(
            source, target=target, features=features, task=task,
            validation=split.validation, test=split.test, data_seed=data_seed,
            num_workers=num_workers, of_tables=of_tables | {"reading": reading, "split_by": split.by},
        )  # fmt: skip
    limit = free_bytes() // 2 if max_memory is None else bytes_of(max_memory)
    if is_album(source):
        refuse_of_tables(of_tables | {"features": features}, str(source))
        album = AlbumRequest(
            source, target, task, split, fold, normalise, image_size, fit, skip_bad,
            None if labels is None else str(labels), class_pattern, as_reading(reading),
        )  # fmt: skip
        return load_album(album, limit, None if cache is None else Path(cache))
    kinds = dict(kinds or {})
    request = TableRequest(
        source, target, features, task, split, fold, files, normalise, kinds, impute, inputs,
        bins, clip_inputs, target_means, trees, row_weights,
        _with_text(as_reading(reading), kinds),
    )  # fmt: skip
    known = request.to_json() | _non_defaults(most_inputs=most_inputs)
    with PreparedCache(limit, None if cache is None else Path(cache), known) as work:
        if (prepared := work.lookup(source, files)) is not None:
            return prepared
        data = _of_table(request, work, most_inputs)
        if work.used:
            work.keep(data)
        return data


def _of_table(request: TableRequest, work: PreparedCache, most_inputs: int | None) -> Data:
    """Implements ``load`` for a table. Rows that need too much memory are written to files."""
    from treino.data.large_tables import (  # imports pyarrow, which is slow
        check_room,
        equal_rows,
        on_disk,
    )

    source, split, kinds, reading = request.source, request.split, request.kinds, request.reading
    table, columns = read_with_targets(source, reading, request.target, kinds, work.room, request.task)
    targets = [column.name for column in columns]
    if table.rows == 1:
        raise ROWS_ONE(source=table.source)
    notes = list(table.notes)
    by = divider(table, split, targets)
    alike = _alike(reading, table.reading, columns)
    others, file_parts = parts_of_files(request.files, lambda s: sources.read(s, alike, room=work.room))
    weights = weight_column(table, request.row_weights, targets, request.features)
    excluded = {name for name in (split.group, split.column, weights) if name is not None}
    table, row_N = with_targets(table, targets, split.time, notes)
    weight_of: list[Weights] = []
    if weights is not None:
        table, row_N, weight_N = weighted(table, row_N, weights, request.row_weights, notes, split.column)
        notes.append(WeightsDescription.of(weights, weight_N).sentence)
        weight_of.append(weight_N)
    columns = tuple(map(table.column, targets))
    by = None if by is None else table.column(by.name)
    if (named := names_of_pictures(table)) is not None:
        _of_pictures(table, named, {*targets, *excluded}, notes)
    chosen = choose_features(table, excluded, targets, request.features, kinds, notes, row_N)
    names = tuple(chosen)
    tables, rows_of = [table], [row_N]
    for other in others:
        check_present(other, (*names, *targets))
        part, index_N = with_targets(other, targets, None, notes)
        if weights is not None:
            part, index_N, weight_N = weighted(part, index_N, weights, request.row_weights, notes)
            weight_of.append(weight_N)
        tables.append(part)
        rows_of.append(index_N)

    decided, reason = decide_tasks(columns, request.task, kinds, table.place)
    classes, labels = target_codes(tables, targets, decided, kinds, notes)
    if table.matrix is None or table.matrix.dtype != np.uint8:  # the pixels of images are no columns
        for column, label_N in zip(columns, labels[0], strict=True):
            numbers = column.numbers if decided == "regression" else None
            values = None if numbers is None else numbers.astype(np.float64)
            learnt = TargetRows(np.arange(table.rows), values, label_N)
            notes += say_leaks(table, chosen, learnt, column.name)
    label_N = np.concatenate([of_table[0] for of_table in labels])  # splits keep the first target's shares
    cells_ND = None if work.used else comparable(tables, chosen)
    first_N = equal_rows(tables, chosen) if cells_ND is None else first_equal(cells_ND)
    part_N = decide_parts(tables, file_parts, by, split, first_N, label_N, classes[0], notes)
    parts = np.split(part_N, np.cumsum([t.rows for t in tables])[:-1])

    train_N = np.flatnonzero(parts[0] == TRAIN)
    weight_T = weight_of[0][train_N] if weights is not None else None
    folds = None
    if request.target_means or request.trees:
        unit_N: NDArray[Any] = first_N if split.group is None or by is None else level_cells(by, False)
        folds = target_folds(columns, classes, labels[0], train_N, unit_N, weight_T)
    if most_inputs is not None and len(chosen) > most_inputs:
        request = replace(request, inputs="plain")

    def fitted() -> Preparation:
        return fit(
            table,
            chosen,
            columns,
            decided,
            classes,
            train_N,
            request.normalise,
            request.impute,
            request.bins if request.inputs == "bins" else 0,
            request.clip_inputs,
            weights,
            weight_T,
            folds,
            request.target_means,
            request.trees,
        )

    preparation = fitted()
    if most_inputs is not None and request.inputs == "bins" and preparation.size > most_inputs:
        request = replace(request, inputs="plain")
        preparation = fitted()
    del first_N
    if cells_ND is None or work.too_small_for(preparation, table):
        check_room(len(part_N), work.limit)
        preparation, met, x_of = on_disk(tables, preparation, parts, train_N, weight_T, work.folder(), folds)
    else:
        preparation, met, x_of = in_memory(tables, preparation, parts, train_N, weight_T, cells_ND, folds)
    if preparation.encoders:
        notes += say_encoders(preparation.encoders, table, kinds)
        notes += say_gaps([table.column(name) for name in names], table)
        notes += say_missing(met, preparation.encoders, request.impute)
        notes += say_held_back(tables, chosen, preparation, part_N)
    if work.used:
        work.made_of([t.sha256 for t in tables])
        notes.append(work.note)
    y = torch.cat(
        [
            prepare_targets([*map(t.column, targets)], of_table, preparation)
            for t, of_table in zip(tables, labels, strict=True)
        ]
    )
    row_of_N = np.concatenate(rows_of)
    weight_all = torch.from_numpy(np.concatenate(weight_of).astype(np.float32)) if weight_of else None

    def rows(part: int) -> Rows:
        at = np.flatnonzero(part_N == part)
        weight = None if weight_all is None else weight_all[torch.from_numpy(at)]
        y_K, index = y.index_select(0, torch.from_numpy(at)), torch.from_numpy(row_of_N[at])
        return Rows(x_of[part], y_K, index, weight)

    return Data(
        name=table.name,
        source=table.source,
        sha256=table.sha256,
        kind=preparation.kind,
        task=decided,
        task_reason=reason,
        features=names,
        target=preparation.target,
        classes=preparation.classes,
        item_shape=preparation.item_shape,
        train=rows(TRAIN),
        validation=rows(VALIDATION),
        test=rows(TEST),
        preparation=preparation,
        arguments=request.to_json() | {"features": None if request.features is None else list(names)},
        target_mean=preparation.target_mean,
        target_scale=preparation.target_scale,
        official_test=table.official_test > 0,
        notes=tuple(notes),
        files={
            name: (t.source, t.sha256) for name, t in zip(request.files, tables[1:], strict=True) if t.sha256
        },
        written=_written(table.reading),
        currency=columns[0].currency if decided == "regression" and len(columns) == 1 else "",
    )


def as_reading(options: ReaderOptions | Mapping[str, Any] | None) -> ReaderOptions | None:
    """The reader options, built from their JSON form if given so."""
    if isinstance(options, Mapping):
        values: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in options.items()}
        values["forms"] = tuple(dict(values.get("forms") or ()).items())
        return ReaderOptions(**values)
    return options


def _with_text(reading: ReaderOptions | None, kinds: Mapping[str, str]) -> ReaderOptions | None:
    """Reader options that keep as text the columns whose type is set to text or identifier, or to ranks with
    a level such as "none"."""

    def stays(kind: str) -> bool:
        return kind in ("text", "identifier") or ("<" in kind and any(map(missing, kind.split("<"))))

    holds = {"number": "numbers", "boolean": "truth", "date": "dates"}
    forms = tuple((n, holds.get(k, "levels")) for n, k in kinds.items() if not stays(k) and k != "out")
    reading = as_text(reading, (name for name, kind in kinds.items() if stays(kind)))
    return replace(reading or ReaderOptions(), forms=forms) if forms else reading


def _alike(
    options: ReaderOptions | None, detection: ReaderOptions | None, targets: Sequence[Column]
) -> ReaderOptions | None:
    """Options for a further file: the options that the user set; the format of the main file is their
    default."""
    if detection is None:
        return options
    like = replace(options or ReaderOptions(), like=detection, missing=detection.missing)
    of_words = [t.name for t in targets if t.words is not None and t.numbers is None and t.seconds is None]
    return as_text(like, of_words if detection.missing else [])


def _written(reading: ReaderOptions | None) -> dict[str, Any]:
    """The decimal sign, the order of day and month, the words for a missing value, and the columns of truth
    values detected in a file."""
    if reading is None:
        return {}
    truth = {name: form for name, form in reading.forms if form == "truth"}
    return _non_defaults(
        decimal=reading.decimal, dates=reading.dates, missing=reading.missing, forms=truth or None
    )


def _check_inputs(inputs: Any, bins: Any, clip_inputs: Any, target_means: Any, trees: Any) -> None:
    if isinstance(trees, bool) or not isinstance(trees, (int, np.integer)) or not 0 <= trees <= MOST_TREES:
        raise TREES_RANGE(name=setting("trees"), most=MOST_TREES, value=trees, usual=8)
    if not isinstance(target_means, bool):
        raise TARGET_MEANS_TYPE(name=setting("target_means"), value=target_means)
    if inputs not in get_args(InputForm):
        raise INPUTS_CHOICE(
            name=setting("inputs"),
            value=inputs,
            options="'plain', 'bins'",
            hint=nearest(str(inputs), get_args(InputForm)),
        )
    whole = isinstance(bins, (int, np.integer)) and not isinstance(bins, bool)
    if not whole or not 2 <= bins <= MOST_BINS:
        raise BINS_RANGE(name=setting("bins"), most=MOST_BINS, value=bins, usual=BINS)
    number = isinstance(clip_inputs, (int, float, np.number)) and not isinstance(clip_inputs, bool)
    if clip_inputs is not None and not (number and 0 < float(clip_inputs) < float("inf")):
        raise CLIP_INPUTS_RANGE(name=setting("clip_inputs"), value=clip_inputs, usual=5)


def _of_pictures(table: Table, named: str, others: set[str], notes: list[str]) -> None:
    """Say that the pictures which a column names aren't opened; refuse a table without another feature."""
    message = _("Column '{name}' of '{source}' names pictures, and a table is learnt from its cells.").format(
        name=named, source=table.source
    )
    hint = _("To learn from the pictures, give their folder: treino train FOLDER {labels}").format(
        labels=setting("labels", table.source)
    )
    if set(table.names) <= others | {named}:
        raise TreinoError("table_of_pictures", message, hint)
    notes.append(joined([message, hint], " "))


def _non_defaults(**values: object) -> dict[str, object]:
    """The arguments that differ from their defaults, with tuples as lists."""
    usual = {"impute": "median", "inputs": "plain"}
    return {
        name: list(value) if isinstance(value, tuple) else value
        for name, value in values.items()
        if value not in (None, {}, (), usual.get(name))
    }


def _shares_and_files(validation: Any, test: Any) -> tuple[tuple[Any, Any], dict[str, Any]]:
    """Return the shares of validation and test rows, and the files by split. A split with a file has share
    0."""
    shares, files = [], {}
    for name, value in (("validation", validation), ("test", test)):
        is_share = isinstance(value, (int, float, np.number)) or value is None
        if not is_share and isinstance(value, str):
            try:
                float(value)
                is_share = True
            except ValueError:
                is_share = False
        if not is_share:
            files[name] = value
        shares.append(value if is_share else 0.0)
    return (shares[0], shares[1]), files
