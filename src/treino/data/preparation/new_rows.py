"""Read rows to predict from any source, and prepare them as the run's training rows were prepared."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from treino.base.text import shortened
from treino.base.words import _
from treino.data import arrays, photographs, sources, torch_datasets
from treino.data.cell_forms import missing
from treino.data.preparation.column_cells import EncodingGaps, number_cells
from treino.data.preparation.column_roles import unknown
from treino.data.preparation.equal_rows import feature_matrix
from treino.data.preparation.fit import prepare_targets, say_new, take
from treino.data.preparation.preparation import COLUMNS_COUNT, Preparation
from treino.data.preparation.row_weights import weights_of
from treino.data.preparation.target import choose_targets, encode
from treino.data.preparation.training_columns import more_than_by_chance, numbers_of, outside_cells
from treino.data.readers import ReaderOptions
from treino.data.readers.reader_options import as_text
from treino.data.source_kinds import given_by_package, is_arrays, is_pictures, is_torch_dataset
from treino.data.table import Column, Table, check_present, fault
from treino.settings.setting_types import as_items


@dataclass(frozen=True, eq=False)
class PreparedRows:
    """Rows of a source, prepared for a trained network.

    x: ``[N, D]`` float32; for pictures, PixelRows. y: the targets of the K rows that have one, ``[K]`` or
    ``[K, 1]`` as in Rows. with_target: ``[K]``, the indices of these rows in x. Both are None if the source
    has no targets. weight: ``[K]``, each row's weight in metrics; None: all alike. index: ``[N]`` int64,
    the row numbers in the source. missing, unknown: the number of cells in each column without a value, or
    with a class that no training row had. notes: columns left out and cells filled, one sentence each. names:
    the file of each picture; () for other rows. unseen: the note on classes that no training row had; ""
    if there are none.
    """

    x: torch.Tensor
    y: torch.Tensor | None
    index: torch.Tensor
    notes: tuple[str, ...]
    with_target: torch.Tensor | None = None
    weight: torch.Tensor | None = None
    missing: Mapping[str, int] = field(default_factory=dict)
    unknown: Mapping[str, int] = field(default_factory=dict)
    names: tuple[str, ...] = ()
    unseen: str = ""

    def __len__(self) -> int:
        return len(self.x)


def rows_for_prediction(
    source: Any, preparation: Preparation, reading: ReaderOptions | None = None, skip_bad: int = 0
) -> PreparedRows:
    """All rows of a source, or all pictures, prepared with the statistics of the training rows.

    Columns are found by name, in any order; other columns are left out with a note. Columns of a bare array
    are found by position. Missing cells are filled and unknown classes set no input; both are counted.
    skip_bad: the most pictures that may be left out as unreadable. Raises TreinoError naming the missing
    columns, the first cell that doesn't fit its column, a target value that is no known class, or pictures
    that can't be read.
    """
    source = given_by_package(source)
    if is_pictures(source):
        return _pictures(photographs.pictures_to_predict(source, preparation, skip_bad), preparation)
    if is_torch_dataset(source):
        x_ND, y_N = torch_datasets.to_predict(source, preparation)
        every = torch.arange(len(x_ND))
        return PreparedRows(x_ND, y_N, every, (), None if y_N is None else every)
    if is_arrays(source) or ((preparation.arrays or preparation.target_shape) and isinstance(source, ARRAYS)):
        x_ND, y_N, weight_N = arrays.arrays_to_predict(source, preparation)
        every = torch.arange(len(x_ND))
        return PreparedRows(x_ND, y_N, every, (), None if y_N is None else every, weight_N)
    if not preparation.programs and isinstance(source, np.ndarray) and source.ndim > 2:
        source = source.reshape(len(source), -1)  # items in their own shape
    reading = with_words_of_classes(preparation, reading)
    reading = replace(reading or ReaderOptions(), forms=forms_of(preparation, reading), keep_empty=True)
    table = sources.read(source, reading, least_columns=1)
    notes = [*table.notes, *_other_writing(table.reading, reading.like)]
    names: tuple[str, ...] = preparation.features
    targets = [one.target for one in preparation.by_target]
    if not table.named:
        targets = [] if table.target is None else [column.name for column in choose_targets(table, None)]
        own = tuple(name for name in table.names if name not in (*targets, table.row_weights))
        if len(own) != preparation.width:  # if equal, use only the columns that training used
            names = own
        if len(names) != len(preparation.features):
            raise COLUMNS_COUNT(
                got=len(names),
                want=len(preparation.features),
                names=shortened(", ".join(preparation.features), 200),
            )
        if names != preparation.features:  # what each holds goes by its place
            held = dict(reading.forms)
            placed = zip(names, preparation.features, strict=True)
            forms = tuple((own, held[name]) for own, name in placed if name in held)
            table = sources.read(source, replace(reading, forms=reading.forms + forms), least_columns=1)
    else:
        check_present(table, preparation.features)
        known = {*names, *targets, preparation.row_weights, table.row_weights}
        extra = [name for name in table.names if name not in known]
        if extra:
            notes.append(_("Not used: {names}.").format(names=shortened(", ".join(extra), 200)))
    met: dict[str, EncodingGaps] = {}
    if preparation.programs:
        raw_ND, met = preparation.encode([table.column(name) for name in names], table.place)
    else:
        raw_ND = feature_matrix(table, names)  # type: ignore[assignment]
        if np.isnan(raw_ND).any():
            gap = names[int(np.isnan(raw_ND).any(0).argmax())]
            number_cells(table.column(gap), table.place, required=True)
    x_ND = preparation.transform(raw_ND)
    gaps = {name: seen.missing for name, seen in met.items() if seen.missing}
    filled = [f"{name} ({n})" for name, n in gaps.items()]
    unseen = _told(
        _("Classes that no training row had, so no input stands for them: {counts}."), unknown(met)
    )
    notes += filter(None, [_told(_("Missing values, filled as in training: {counts}."), filled)])
    outside = _outside_note(list(map(table.column, names)), preparation, table, met)
    notes += filter(None, [outside or unseen])
    if preparation.programs:
        empty_N = np.logical_and.reduce([table.column(name).missing_N for name in names])
        notes += _empty_note(empty_N, table)
        notes += say_new(raw_ND, preparation)
    y_K, at_K = _known_targets(table, targets, preparation, notes)
    weight_K = None if at_K is None else _known_weights(table, preparation, at_K, notes)
    others = {name: seen.unknown for name, seen in met.items() if seen.unknown}
    row_N = torch.arange(table.rows)
    return PreparedRows(x_ND, y_K, row_N, tuple(notes), at_K, weight_K, gaps, others, unseen=unseen)


ARRAYS = (np.ndarray, torch.Tensor, tuple, list, Mapping)
"""The types of arrays, and of several of them."""


def with_words_of_classes(preparation: Preparation, reading: ReaderOptions | None) -> ReaderOptions | None:
    """The format in which a class whose name stands for no value elsewhere, such as none, is a class."""
    nothing = set() if reading is None else set(reading.missing or ())
    of_words = [one.target for one in preparation.by_target if nothing & set(one.classes)]
    return as_text(reading, of_words) if of_words else reading


def forms_of(preparation: Preparation, reading: ReaderOptions | None) -> tuple[tuple[str, str], ...]:
    """Pairs of a column and the kind of cells it had in the training rows; new rows are read as such."""
    forms: dict[str, str] = {}
    kinds = {"number": "numbers", "seconds": "dates", "word": "words"}
    for program in preparation.programs:
        if not program.numeric:
            forms[program.column] = "truth" if program.truth else kinds[program.reader.do]
    for one in preparation.by_target:
        if one.classes:
            forms |= {one.target: "words"} if one.labels == "text" else {}
        else:
            forms[one.target] = "truth" if one.labels == "truth" else "numbers"
    return tuple((forms | dict(reading.like.forms if reading and reading.like else ())).items())


def _other_writing(own: ReaderOptions | None, trained: ReaderOptions | None) -> list[str]:
    """Notes where these rows are written in another way than the training rows were."""
    notes: list[str] = []
    if own is None or trained is None:
        return notes
    if own.decimal and trained.decimal and own.decimal != trained.decimal:
        notes.append(
            _("These rows are read with a decimal comma; the training rows have a decimal point.")
            if own.decimal == ","
            else _("These rows are read with a decimal point; the training rows have a decimal comma.")
        )
    if own.dates and trained.dates and own.dates != trained.dates:
        notes.append(
            _("The dates of these rows are read as {own}; those of the training rows are {trained}.").format(
                own=own.dates, trained=trained.dates
            )
        )
    return notes


def _known_weights(
    table: Table, preparation: Preparation, at_K: torch.Tensor, notes: list[str]
) -> torch.Tensor | None:
    """``[K]``: the weights of these rows; None if there are none, with a note where training had some."""
    name = table.row_weights or preparation.row_weights
    if name is None:
        return None
    if name not in table.by_name:
        notes.append(_("All rows count alike in the figures: there is no column '{name}'.").format(name=name))
        return None
    return torch.from_numpy(weights_of(take(table, at_K.numpy()), name, zero=True))


def _pictures(pictures: "photographs.NewPictures", preparation: Preparation) -> PreparedRows:
    notes, y_K, at_K = list(pictures.notes), None, None
    if pictures.labels is not None:
        table, place_K = pictures.labels
        y_K, known_K = _known_targets(table, [preparation.target], preparation, notes)
        at_K = None if known_K is None else torch.from_numpy(place_K)[known_K]
    index = torch.from_numpy(pictures.index)
    x: Any = pictures.x
    return PreparedRows(x, y_K, index, tuple(notes), at_K, names=pictures.names)


FEW = 0.01  # share of rows


def _outside_note(
    columns: Sequence[Column], preparation: Preparation, table: Table, met: Mapping[str, EncodingGaps]
) -> str:
    """A sentence if more than a few rows lie outside of what the training rows held: beyond their range, and
    more than chance explains; of a class that none had; missing where nothing was. Else "".

    columns: those of the programs. met: what encoding them met.
    """
    outside_N, named = np.zeros(table.rows, dtype=bool), list[str]()
    texts = (
        _("{n:,} below"),
        _("{n:,} above"),
        _("{n:,} of classes that no training row had: {example}"),
        _("{n:,} missing, as none was"),
    )
    for program, known, column in zip(preparation.programs, preparation.columns, columns, strict=False):
        value_N = numbers_of(program, column, table.place)
        cells = more_than_by_chance(outside_cells(program, known, column, value_N), known)
        if not cells.any_N.any():
            continue
        outside_N |= cells.any_N
        facts = {"example": met[program.column].example}
        each = [text.format(n=n, **facts) for text, n in zip(texts, cells.counts, strict=True) if n]
        named.append(f"{program.column} ({', '.join(each)})")
    count = int(outside_N.sum())
    if count <= FEW * table.rows:
        return ""
    sentence = _("Outside of what the training rows held: {n:,} of {of:,} rows, by {names}.")
    return sentence.format(n=count, of=table.rows, names=shortened(", ".join(named), 400))


def _told(sentence: str, counts: Sequence[str]) -> str:
    """The sentence with the columns and their counts; "" without one."""
    return sentence.format(counts=shortened(", ".join(counts), 400)) if counts else ""


def _empty_note(empty_N: NDArray[np.bool_], table: Table) -> list[str]:
    """A note on rows without a value in any input. empty_N: ``[N]``, which ones these are."""
    if not empty_N.any():
        return []
    sentence = _(
        "Rows without a value in any input: {n}, the first in {place}."
        " Their prediction is that of fill values."
    )
    return [sentence.format(n=int(empty_N.sum()), place=table.place(int(empty_N.argmax())))]


def _known_targets(
    table: Table, names: Sequence[str], preparation: Preparation, notes: list[str]
) -> tuple[torch.Tensor | None, torch.Tensor | None]:
    """Return y of the rows that have all targets, and their row numbers; (None, None) if no row has them."""
    each = preparation.by_target
    if len(names) != len(each) or not set(names) <= set(table.names):
        return None, None
    absent_N = np.zeros(table.rows, dtype=bool)
    for name in names:
        column = table.column(name)
        missing_N = column.missing_N
        if preparation.task == "regression" and column.numbers is None:
            assert column.words is not None
            missing_N = np.array([missing(word) for word in column.words])
        if missing_N.all():
            notes.append(_("The column '{name}' is empty: nothing to compare with.").format(name=name))
            return None, None
        absent_N = absent_N | missing_N
    if absent_N.all():
        return None, None
    row_K = np.flatnonzero(~absent_N)
    if absent_N.any():
        text = _("Rows without a value of '{name}', which are predicted and not compared: {n}.")
        notes.append(text.format(name=as_items(names), n=int(absent_N.sum())))
        table = take(table, row_K)
    labels: list[NDArray[np.int64]] = []
    for name, one in zip(names, each, strict=True):
        column = table.column(name)
        if one.task == "classification":
            labels.append(encode(column, one.classes, table.place))
            continue
        if problem := fault(column, table.place, required=False, truth=one.labels == "truth"):
            raise problem.refusal("target", _("The target: {message}"), _("{what}, or leave the column out."))
        labels.append(np.zeros(table.rows, dtype=np.int64))
    y_K = prepare_targets([table.column(name) for name in names], labels, preparation)
    return y_K, torch.from_numpy(row_K)
