"""Load a data set: read it, split it, and prepare it for training."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from treino.base.errors import Refusal, TreinoError
from treino.base.machine import free_bytes
from treino.base.words import _, joined, setting
from treino.data import arrays, photographs, sources, torch_datasets
from treino.data.dataset import Data, of_preparation
from treino.data.documents import LoadArguments, PreparationDocument
from treino.data.links import IDENTITY, Link
from treino.data.load_request import LoadRequest, load_request
from treino.data.preparation.column_kinds import ColumnRole, unit_cells
from treino.data.preparation.column_roles import choose_features, say_gaps, say_missing, say_programs
from treino.data.preparation.equal_rows import EQUAL_TEXTS, answer_codes, comparable, equal_rows
from treino.data.preparation.fit import (
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
from treino.data.rows import bytes_of
from treino.data.source_kinds import given_by_package, names_of_pictures
from treino.data.split_requests import check_split, decide_parts, units, with_file_in_places
from treino.data.splits import PARTS, TRAIN, rows_of_parts
from treino.data.summaries.target_description import TargetRows, say_leaks
from treino.data.table import Column, Table, among_all, check_present
from treino.settings.data_settings import DataSettings
from treino.settings.keywords import takes_settings

ROWS_ONE = Refusal("'{source}' has a single row.", "Add rows.")


@takes_settings(DataSettings.model_fields)
def load(
    source: Any,
    *,
    data_seed: int = 0,
    reading: ReaderOptions | Mapping[str, Any] | None = None,
    pictures: bool = False,
    link: Link = IDENTITY,
    most_inputs: int | None = None,
    num_workers: int = 0,
    cache: str | Path | None = None,
    fitted: PreparationDocument | None = None,
    **settings: Any,
) -> Data:
    """Read a source, split its rows, and prepare them with statistics of the training rows alone.

    source: a built-in's name, a file's path, a folder or archive of photographs, a frame, or
    (X ``[N, D]``, y ``[N]``) or (X, y, the rows' weights ``[N]``); a Dataset or DataLoader, or
    ``{"train": …, "validation": …, "test": …}`` of them: their items are used unchanged, and ``features=[x]``
    and ``target`` name the entries of items that are dicts. Rows without a target are left out.
    data_seed: the seed of the split.
    reading: settings of the file's format as one mapping, as a run's documents hold them.
    pictures: a row of pixels, whose columns are pixel_0_0, pixel_0_1 and so on (row, column), is a picture
    ``[height, width]``.
    link: what outputs will say of a target of numbers, by which it is scaled (``treino.data.links``).
    most_inputs: numbers get no bins if there would be more inputs.
    num_workers: the number of processes that read a Dataset's items.
    cache: the folder for prepared tables; None: a temporary one, removed with the Data. A table larger than
    ``max_memory`` is prepared once into a folder and read from there, with the same rows bit for bit.
    fitted: the preparation of an earlier load of the same rows, whose decision trees and terms of texts are
    taken; None: fit them.
    settings: the settings of data, by which ``treino train`` loads too; ``validation`` and ``test`` may also
    be frames with the same columns, and ``kinds`` a mapping.

    Raises TreinoError naming the rule, the value, its place, and what to do next.
    """
    given = given_by_package(source)
    if given is not source:
        how: dict[str, Any] = {"reading": reading, "pictures": pictures, "link": link, "cache": cache}
        how |= {"most_inputs": most_inputs, "num_workers": num_workers, "fitted": fitted}
        return replace(load(given, data_seed=data_seed, **how, **settings), name=source)
    request = load_request(source, settings | {"data_seed": data_seed}, reading)
    request = request.with_arguments(pictures=pictures, link=link)
    folder = None if cache is None else Path(cache)
    memory = settings.get("max_memory")
    limit = free_bytes() // 2 if memory is None else bytes_of(memory)
    kind = request.check_readers()
    if kind == "items":
        return torch_datasets.load_torch_dataset(request, num_workers)
    if kind == "arrays":
        return arrays.load_arrays(request)
    if kind == "photographs":
        return photographs.load_album(request, limit, folder)
    request = request.with_text()
    known = request.arguments.to_json() | ({} if most_inputs is None else {"most_inputs": most_inputs})
    with PreparedCache(limit, folder, known) as work:
        if (prepared := work.lookup(source, request.files)) is not None:
            return prepared
        data = _of_table(request, work, most_inputs, fitted)
        if work.used:
            work.keep(data)
        return data


def _of_table(
    request: LoadRequest,
    work: PreparedCache,
    most_inputs: int | None,
    fitted: PreparationDocument | None,
) -> Data:
    """The Data of a table. Rows that need too much memory are written to files."""
    found, arguments = _tables_of(request, work), request.arguments
    tables, chosen, notes = found.tables, found.chosen, found.notes
    table, columns = tables[0], found.columns
    task, reason = decide_tasks(columns, arguments.task, arguments.kinds, table.place)
    classes, labels = target_codes(tables, found.targets, task, arguments.kinds, notes)
    if table.matrix is None or table.matrix.dtype != np.uint8:  # pixels aren't columns
        for column, own_N in zip(columns, labels[0], strict=True):
            numbers = column.numbers if task == "regression" else None
            values = None if numbers is None else numbers.astype(np.float64)
            rows = TargetRows(np.arange(table.rows), values, own_N)
            notes += say_leaks(table, chosen, rows, column.name)
    label_N = np.concatenate([of_table[0] for of_table in labels])  # splits keep the first target's shares
    cells_ND = None if work.used else comparable(tables, chosen)
    equal = equal_rows(tables, chosen, answer_codes(tables, found.targets, labels), cells_ND)
    texts = any(role.way == "text" for role in chosen.values())
    asked = arguments, equal, label_N, classes[0], notes
    part_N = decide_parts(tables, found.file_parts, *asked, *(EQUAL_TEXTS if texts else ()))
    parts = np.split(part_N, np.cumsum([t.rows for t in tables])[:-1])

    train_N = np.flatnonzero(parts[0] == TRAIN)
    weight_T = found.weight_of[0][train_N] if found.weight_of else None
    folds = None
    if arguments.target_means or arguments.trees or texts:
        timed = arguments.split_time is not None
        unit_N = units(table, arguments) if timed or arguments.split_group else equal.unit_N
        how = timed, bool(arguments.log_target)
        folds = target_folds(columns, classes, labels[0], train_N, unit_N, weight_T, *how)
    unit_N = equal.units(arguments.duplicates)
    if arguments.split_group:
        words = [unit_cells(t.column(arguments.split_group), t) for t in tables]
        unit_N = np.unique(np.concatenate(words).astype(str), return_inverse=True)[1].reshape(-1)
    del equal
    if arguments.pictures and (table.item_shape or pixel_shape(tuple(chosen)) is None):
        arguments = arguments.changed(pictures=False)
    if most_inputs is not None and len(chosen) > most_inputs:
        arguments = arguments.changed(inputs="plain")
    learnt = (table, chosen, columns, task, classes, labels[0], train_N)
    fitting = found.weights, weight_T, folds
    preparation = fit(*learnt, arguments, *fitting, fitted, most_inputs)
    if most_inputs is not None and arguments.inputs == "bins" and preparation.size > most_inputs:
        arguments = arguments.changed(inputs="plain")
        preparation = fit(*learnt, arguments, *fitting, fitted)
    if cells_ND is None or work.too_small_for(preparation, table):
        from treino.data.large_tables import check_room, on_disk  # imports pyarrow, which is slow

        if fitted is not None:  # a folder may hold any: others read the cache too
            preparation = fit(*learnt, arguments, *fitting)
        check_room(len(part_N), work.limit)
        preparation, met, x_of = on_disk(tables, preparation, parts, train_N, weight_T, work.folder(), folds)
    else:
        preparation, met, x_of = in_memory(tables, preparation, parts, train_N, weight_T, cells_ND, folds)
    if preparation.programs:
        notes += say_programs(preparation.programs, table, arguments.kinds)
        notes += say_gaps([table.column(name) for name in chosen], table)
        notes += say_missing(met, preparation.programs, arguments.impute)
        notes += say_held_back(tables, chosen, preparation, part_N)
    if work.used:
        work.made_of([t.sha256 for t in tables])
        notes.append(work.note)
    pairs = zip(tables, labels, strict=True)
    y = torch.cat([prepare_targets(found.targets_of(t), of_table, preparation) for t, of_table in pairs])
    return found.data(request.files, arguments, preparation, reason, part_N, x_of, y, unit_N)


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
        files: Collection[str],
        arguments: LoadArguments,
        preparation: Preparation,
        reason: str,
        part_N: NDArray[np.int64],
        x_of: Mapping[int, Any],
        y: torch.Tensor,
        unit_N: NDArray[np.int64],
    ) -> Data:
        """Make the Data of these tables. files: the splits that have one. reason: why this task. x_of: inputs
        by split. y: of all rows. unit_N: equal for rows that the split never parts."""
        row_N, table, names = np.concatenate(self.rows_of), self.tables[0], tuple(self.chosen)
        weight_N = np.concatenate(self.weight_of).astype(np.float32) if self.weight_of else None
        of_files = zip(files, self.tables[1:], strict=True)
        number = preparation.task == "regression" and len(self.targets) == 1
        return Data(
            name=table.name,
            source=table.source,
            sha256=table.sha256,
            task_reason=reason,
            **rows_of_parts(part_N, x_of, y, row_N, unit_N, weight_N),
            arguments=arguments if arguments.features is None else arguments.changed(features=names),
            official_test=table.official_test > 0,
            notes=tuple(self.notes),
            files={name: (t.source, t.sha256) for name, t in of_files if t.sha256},
            written=_written(table.reading),
            currency=self.columns[0].currency if number else "",
            **of_preparation(preparation),
        )


def _tables_of(request: LoadRequest, work: PreparedCache) -> _Tables:
    """Read the tables of a request, without rows that lack a target, and choose the features."""
    arguments = request.arguments
    table, columns = _read(request, work)
    targets = [column.name for column in columns]
    if table.rows == 1:
        raise ROWS_ONE(source=table.source)
    notes = list(table.notes)
    check_split(table, arguments, targets)
    alike = _alike(request.reading, table.reading, columns)
    read = (sources.read(source, alike, room=work.room) for source in request.files.values())
    others, file_parts = list(map(with_file_in_places, read)), [PARTS[name] for name in request.files]
    weights = weight_column(table, arguments.row_weights, targets, arguments.features)
    excluded = {name for name in (arguments.split_group, arguments.split_column, weights) if name is not None}
    tables, rows_of, weight_of = list[Table](), list[NDArray[np.int64]](), list[Weights]()
    chosen: dict[str, ColumnRole] = {}
    for part in (table, *others):
        main = part is table
        if not main:
            check_present(
                part, (*chosen, *targets, *([arguments.split_group] if arguments.split_group else []))
            )
        part, row_N = with_targets(part, targets, arguments.split_time if main else None, notes)
        if weights is not None:
            column = arguments.split_column if main else None
            part, row_N, weight_N = weighted(part, row_N, weights, arguments.row_weights, notes, column)
            weight_of.append(weight_N)
        if main:
            if weights is not None:
                notes.append(WeightsDescription.of(weights, weight_N).sentence)
            if (named := names_of_pictures(part)) is not None:
                _of_pictures(part, named, {*targets, *excluded}, notes)
            chosen = choose_features(
                part, excluded, targets, arguments.features, arguments.kinds, notes, row_N
            )
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
    arguments = request.arguments
    how = request.reading, arguments.target, arguments.kinds
    known, key = _READ.get(), (id(request.source), repr(how), arguments.task)
    if known is not None and key in known:
        read: tuple[Table, tuple[Column, ...]] = known[key][1]
        return read
    read = read_with_targets(request.source, *how, work.room, arguments.task)
    if known is not None and not work.used:  # rows on disk are in this load's folder
        known[key] = request.source, read  # the source is kept too, so that its id stays its own
    return read


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
