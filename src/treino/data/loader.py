"""Load a data set: read it, split it, and prepare it for training."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray

from treino.base.errors import Refusal, TreinoError
from treino.base.machine import free_bytes
from treino.base.words import N_, _, joined, setting
from treino.data import photographs, sources, torch_datasets
from treino.data.cell_forms import missing
from treino.data.dataset import Data
from treino.data.load_request import Fit, Impute, InputForm, LoadRequest
from treino.data.preparation.column_kinds import ColumnRole
from treino.data.preparation.column_roles import choose_features, say_encoders, say_gaps, say_missing
from treino.data.preparation.encoders import BINS
from treino.data.preparation.fit import (
    comparable,
    fit,
    in_memory,
    pixel_shape,
    prepare_targets,
    say_held_back,
    target_folds,
)
from treino.data.preparation.preparation import Preparation
from treino.data.preparation.row_weights import Weights, WeightsDescription, weight_column, weighted
from treino.data.preparation.sentinels import notes_on_values
from treino.data.preparation.target import decide_tasks, read_with_targets, target_codes, with_targets
from treino.data.prepared_cache import PreparedCache
from treino.data.readers import ReaderOptions
from treino.data.readers.reader_options import as_text
from treino.data.rows import Rows, bytes_of
from treino.data.source_kinds import is_album, is_torch_dataset, names_of_pictures
from treino.data.split_requests import Split, check_split, decide_parts, fold_of, units, with_file_in_places
from treino.data.splits import PARTS, TEST, TRAIN, VALIDATION, first_equal
from treino.data.summaries.relations import TargetRows, say_leaks
from treino.data.table import Column, Table, among_all, check_present
from treino.settings.setting_types import as_items, share
from treino.settings.spec import read_settings

ROWS_ONE = Refusal(N_("'{source}' has a single row."), N_("Add rows."))


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
    log_target: bool | None = None,
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
    pictures: bool = False,
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
    features: the columns to learn from, in this order; default: all other columns except identifiers, free
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
    row_weights: the column of the rows' weights, which isn't a feature: a row of weight 2 counts as
    two equal rows, one of weight 0 is left out. ``COLUMN=0``: an empty cell is a weight of 0.
    normalise: scale to mean 0 and deviation 1 on the training rows. impute: the statistic that replaces a
    missing number. inputs: ``bins`` adds to each number its position in each of ``bins`` bins between
    quantiles of the training rows, unless that makes more than ``most_inputs`` inputs. clip_inputs: the
    largest absolute value of a normalised number.
    target_means: adds to a number, or to hashed classes, the target's mean over the training rows with that
    value, if such means tell more than bins do. trees: how many small decision trees add their leaves.
    log_target: learn the logarithm of the target, whose values are all above 0.
    reading: the format of the file, if it shouldn't be detected.
    image_size: height and width to which photographs are brought. fit: how: ``crop`` keeps their middle,
    ``pad`` adds black borders, ``stretch`` changes their proportions. skip_bad: the most files to leave out
    that can't be decoded, or have a label but are missing. labels: a table of photographs' names and labels,
    if it isn't the only table among them. class_pattern: a regular expression whose group is the class in a
    photograph's name; ``split_group`` may be such an expression; equal groups stay in one split.
    pictures: a row of pixels, whose columns are pixel_0_0, pixel_0_1 and so on (row, column), is a picture
    ``[height, width]``.
    num_workers: the number of processes that read a Dataset's items.
    max_memory: the most bytes for the rows of a file, or text such as 2GB; default: half of the free memory.
    A larger table is prepared once into a folder and read from there, with the same rows bit for bit. cache:
    the folder for prepared tables; None: a temporary one, removed with the Data.

    Raises TreinoError naming the rule, the value, its place, and what to do next.
    """
    target = target if target is None or isinstance(target, str) else as_items([str(name) for name in target])
    given = {"validation": validation, "test": test}
    files = {name: value for name, value in given.items() if _is_file(value)}
    shares = {name: 0.0 if name in files or value is None else value for name, value in given.items()}
    by = {"split_group": split_group, "split_time": split_time, "split_column": split_column}
    inputs_of = {"impute": impute, "inputs": inputs, "bins": bins, "clip_inputs": clip_inputs}
    inputs_of |= {"target_means": target_means, "trees": trees, "log_target": log_target}
    other = {"data_seed": data_seed, "duplicates": duplicates}
    asked: Any = read_settings({**shares, **by, **inputs_of, **other})
    columns = (split_group, split_time, split_column)
    split = Split(asked.validation, asked.test, asked.data_seed, *columns, duplicates, fold_of(fold))
    request = LoadRequest(
        source,
        target,
        features,
        task,
        split,
        files,
        normalise,
        dict(kinds or {}),
        **{name: getattr(asked, name) for name in inputs_of},
        row_weights=row_weights,
        reading=as_reading(reading),
        image_size=image_size,
        fit=fit,
        skip_bad=skip_bad,
        labels=labels if labels is None or isinstance(labels, str) else str(labels),
        class_pattern=class_pattern,
        pictures=pictures,
    )
    of_tables = {name: getattr(request, name) for name in ("kinds", "clip_inputs", "target_means", "trees")}
    of_tables |= {"file": files, "inputs": inputs != "plain", "row_weights": row_weights}
    of_tables["log_target"] = log_target
    if is_torch_dataset(source):
        of_tables |= {"reading": reading, "split_by": split.by}
        return torch_datasets.load_torch_dataset(request, num_workers, of_tables)
    limit = free_bytes() // 2 if max_memory is None else bytes_of(max_memory)
    folder = None if cache is None else Path(cache)
    if is_album(source):
        photographs.refuse_of_tables(of_tables | {"features": features}, str(source))
        return photographs.load_album(request, limit, folder)
    request = replace(request, reading=_with_text(request.reading, request.kinds))
    known = request.to_json() | ({} if most_inputs is None else {"most_inputs": most_inputs})
    with PreparedCache(limit, folder, known) as work:
        if (prepared := work.lookup(source, files)) is not None:
            return prepared
        data = _of_table(request, work, most_inputs)
        if work.used:
            work.keep(data)
        return data


def _of_table(request: LoadRequest, work: PreparedCache, most_inputs: int | None) -> Data:
    """The Data of a table. Rows that need too much memory are written to files."""
    found = _tables_of(request, work)
    tables, chosen, notes = found.tables, found.chosen, found.notes
    table, columns = tables[0], found.columns
    task, reason = decide_tasks(columns, request.task, request.kinds, table.place)
    classes, labels = target_codes(tables, found.targets, task, request.kinds, notes)
    if table.matrix is None or table.matrix.dtype != np.uint8:  # pixels aren't columns
        notes += _leaks(table, chosen, columns, labels[0], task)
    label_N = np.concatenate([of_table[0] for of_table in labels])  # splits keep the first target's shares
    cells_ND = None if work.used else comparable(tables, chosen)
    if cells_ND is None:
        from treino.data.large_tables import equal_rows  # imports pyarrow, which is slow

        first_N = equal_rows(tables, chosen)
    else:
        first_N = first_equal(cells_ND)
    part_N = decide_parts(tables, found.file_parts, request.split, first_N, label_N, classes[0], notes)
    parts = np.split(part_N, np.cumsum([t.rows for t in tables])[:-1])

    train_N = np.flatnonzero(parts[0] == TRAIN)
    weight_T = found.weight_of[0][train_N] if found.weight_of else None
    folds = None
    if request.target_means or request.trees:
        timed = request.split.time is not None
        unit_N = units(table, request.split) if timed or request.split.group else first_N
        how = timed, bool(request.log_target)
        folds = target_folds(columns, classes, labels[0], train_N, unit_N, weight_T, *how)
    del first_N
    if request.pictures and (table.item_shape or pixel_shape(tuple(chosen)) is None):
        request = replace(request, pictures=False)
    if most_inputs is not None and len(chosen) > most_inputs:
        request = replace(request, inputs="plain")
    learnt = (table, chosen, columns, task, classes, train_N)
    preparation = fit(*learnt, request, found.weights, weight_T, folds)
    if most_inputs is not None and request.inputs == "bins" and preparation.size > most_inputs:
        request = replace(request, inputs="plain")
        preparation = fit(*learnt, request, found.weights, weight_T, folds)
    if cells_ND is None or work.too_small_for(preparation, table):
        from treino.data.large_tables import check_room, on_disk  # imports pyarrow, which is slow

        check_room(len(part_N), work.limit)
        preparation, met, x_of = on_disk(tables, preparation, parts, train_N, weight_T, work.folder(), folds)
    else:
        preparation, met, x_of = in_memory(tables, preparation, parts, train_N, weight_T, cells_ND, folds)
    if preparation.encoders:
        notes += say_encoders(preparation.encoders, table, request.kinds)
        notes += say_gaps([table.column(name) for name in chosen], table)
        notes += say_missing(met, preparation.encoders, request.impute)
        notes += say_held_back(tables, chosen, preparation, part_N)
    if work.used:
        work.made_of([t.sha256 for t in tables])
        notes.append(work.note)
    pairs = zip(tables, labels, strict=True)
    y = torch.cat([prepare_targets(found.targets_of(t), of_table, preparation) for t, of_table in pairs])
    return found.data(request, preparation, reason, part_N, x_of, y)


@dataclass(eq=False)
class _Tables:
    """The tables of a request: the main table, and one for each split that has its own file.

    rows_of: each table's row numbers in its source. weight_of: the weights of these rows, from the column
    ``weights``. file_parts: the split of each further table.
    """

    tables: list[Table]
    rows_of: list[NDArray[np.int64]]
    weight_of: list[Weights]
    weights: str | None
    targets: list[str]
    file_parts: list[int]
    chosen: dict[str, ColumnRole]
    notes: list[str]

    @property
    def columns(self) -> tuple[Column, ...]:
        """The target columns of the main table."""
        return self.targets_of(self.tables[0])

    def targets_of(self, table: Table) -> tuple[Column, ...]:
        return tuple(map(table.column, self.targets))

    def data(
        self,
        request: LoadRequest,
        preparation: Preparation,
        reason: str,
        part_N: NDArray[np.int64],
        x_of: Mapping[int, Any],
        y: torch.Tensor,
    ) -> Data:
        """Make the Data of these tables. reason: why this task. x_of: inputs by split. y: of all rows."""
        row_N, table, names = np.concatenate(self.rows_of), self.tables[0], tuple(self.chosen)
        weight_N = np.concatenate(self.weight_of).astype(np.float32) if self.weight_of else None

        def rows(part: int) -> Rows:
            at = np.flatnonzero(part_N == part)
            weight = None if weight_N is None else torch.from_numpy(weight_N[at])
            y_K, index = y.index_select(0, torch.from_numpy(at)), torch.from_numpy(row_N[at])
            return Rows(x_of[part], y_K, index, weight)

        of_files = zip(request.files, self.tables[1:], strict=True)
        number = preparation.task == "regression" and len(self.targets) == 1
        return Data(
            name=table.name,
            source=table.source,
            sha256=table.sha256,
            kind=preparation.kind,
            task=preparation.task,
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
            notes=tuple(self.notes),
            files={name: (t.source, t.sha256) for name, t in of_files if t.sha256},
            written=_written(table.reading),
            currency=self.columns[0].currency if number else "",
        )


def _tables_of(request: LoadRequest, work: PreparedCache) -> _Tables:
    """Read the tables of a request, without rows that lack a target, and choose the features."""
    split, reading = request.split, request.reading
    table, columns = _read(request, work)
    targets = [column.name for column in columns]
    if table.rows == 1:
        raise ROWS_ONE(source=table.source)
    notes = list(table.notes)
    check_split(table, split, targets)
    alike = _alike(reading, table.reading, columns)
    read = (sources.read(source, alike, room=work.room) for source in request.files.values())
    others, file_parts = list(map(with_file_in_places, read)), [PARTS[name] for name in request.files]
    weights = weight_column(table, request.row_weights, targets, request.features)
    excluded = {name for name in (split.group, split.column, weights) if name is not None}
    tables, rows_of, weight_of = list[Table](), list[NDArray[np.int64]](), list[Weights]()
    chosen: dict[str, ColumnRole] = {}
    for part in (table, *others):
        main = part is table
        if not main:
            check_present(part, (*chosen, *targets, *([split.group] if split.group else [])))
        part, row_N = with_targets(part, targets, split.time if main else None, notes)
        if weights is not None:
            column = split.column if main else None
            part, row_N, weight_N = weighted(part, row_N, weights, request.row_weights, notes, column)
            weight_of.append(weight_N)
        if main:
            if weights is not None:
                notes.append(WeightsDescription.of(weights, weight_N).sentence)
            if (named := names_of_pictures(part)) is not None:
                _of_pictures(part, named, {*targets, *excluded}, notes)
            chosen = choose_features(part, excluded, targets, request.features, request.kinds, notes, row_N)
            notes += notes_on_values(part, targets, chosen)
        tables.append(part)
        rows_of.append(among_all(row_N, part.left_out))
    return _Tables(tables, rows_of, weight_of, weights, targets, file_parts, chosen, notes)


_READ: ContextVar[dict[Any, Any] | None] = ContextVar("read", default=None)


@contextmanager
def read_once() -> Iterator[None]:
    """Within the block, such as for all folds, a source is read once for all loads that read it alike."""
    token = _READ.set({})
    try:
        yield
    finally:
        _READ.reset(token)


def _read(request: LoadRequest, work: PreparedCache) -> tuple[Table, tuple[Column, ...]]:
    how = request.reading, request.target, request.kinds
    known, key = _READ.get(), (id(request.source), repr(how), request.task)
    if known is not None and key in known:
        read: tuple[Table, tuple[Column, ...]] = known[key][1]
        return read
    read = read_with_targets(request.source, *how, work.room, request.task)
    if known is not None and not work.used:  # rows on disk are in this load's folder
        known[key] = request.source, read  # the source is kept too, so that its id stays its own
    return read


def _leaks(
    table: Table,
    chosen: Mapping[str, ColumnRole],
    columns: Sequence[Column],
    labels: Sequence[NDArray[np.int64]],
    task: str,
) -> Iterator[str]:
    """Yield notes on columns that give a target away. labels: the rows' classes, of each target."""
    for column, label_N in zip(columns, labels, strict=True):
        numbers = column.numbers if task == "regression" else None
        values = None if numbers is None else numbers.astype(np.float64)
        yield from say_leaks(table, chosen, TargetRows(np.arange(table.rows), values, label_N), column.name)


def as_reading(options: ReaderOptions | Mapping[str, Any] | None) -> ReaderOptions | None:
    """The reader options; if they are given as JSON values, they are built from these."""
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
    forms = tuple((name, holds.get(kind, "levels")) for name, kind in kinds.items() if not stays(kind))
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
    of_words = [target.name for target in targets if target.values is None]
    return as_text(like, of_words if detection.missing else [])


def _written(reading: ReaderOptions | None) -> dict[str, Any]:
    """The decimal sign, the order of day and month, the words for a missing value, and the columns of truth
    values and of grouped thousands detected in a file."""
    if reading is None:
        return {}
    truth = {name: form for name, form in reading.forms if form == "truth"}
    found: dict[str, Any] = {
        "decimal": reading.decimal,
        "dates": reading.dates,
        "missing": list(reading.missing or ()),
    }
    found |= {"forms": truth, "grouped": list(reading.grouped)}
    return {name: value for name, value in found.items() if value}


def _of_pictures(table: Table, named: str, others: set[str], notes: list[str]) -> None:
    """Add a note that pictures named in a column aren't opened; refuse a table without another feature."""
    message = _("Column '{name}' of '{source}' names pictures, and a table is learnt from its cells.").format(
        name=named, source=table.source
    )
    hint = _("To learn from the pictures, give their folder: treino train FOLDER {labels}").format(
        labels=setting("labels", table.source)
    )
    if set(table.names) <= others | {named}:
        raise TreinoError("table_of_pictures", message, hint)
    notes.append(joined([message, hint], " "))


def _is_file(value: Any) -> bool:
    """Whether a split is given as a file or frame, not as a share."""
    try:
        return not isinstance(share(value), int | float | None)
    except ValueError:  # not a share; the settings' error says what was probably meant
        return False
