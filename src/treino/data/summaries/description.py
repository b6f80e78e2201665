"""Describe a data source and its problems, for ``treino data``."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from treino.base.errors import Refusal, TreinoError
from treino.base.text import shortened
from treino.base.words import _
from treino.data import sources
from treino.data.documents import LoadArguments
from treino.data.load_request import LoadRequest, load_request
from treino.data.photographs.load import (
    EQUAL_PICTURES,
    picture_files,
    read_album,
    size_note,
    with_split,
)
from treino.data.photographs.prepared_pictures import prepare
from treino.data.preparation.column_kinds import ColumnRole, choose, level_cells
from treino.data.preparation.column_roles import (
    CLASSES,
    check_kinds,
    column_fault,
    row_numbers,
    say_left_out,
    say_spellings,
    word_gaps,
)
from treino.data.preparation.equal_rows import EQUAL_TEXTS, comparable, equal_rows
from treino.data.preparation.fit import take
from treino.data.preparation.row_weights import DOMINANT, WeightsDescription, weight_column, weighted
from treino.data.preparation.sentinels import say_far_values, say_sentinels, sentinels
from treino.data.preparation.target import choose_target, class_doubts, likely_targets, read_with_targets
from treino.data.preparation.texts import commonest_words
from treino.data.readers import ReaderOptions
from treino.data.rows import say
from treino.data.source_kinds import given_by_package
from treino.data.sources import is_image_pair, read_images
from treino.data.split_requests import check_split, decide_parts, say_untimed, times_of
from treino.data.splits import PARTS, EqualRows, first_equal
from treino.data.summaries import measures
from treino.data.summaries.image_comparison import ImagePart
from treino.data.summaries.image_description import WHOLE, ImagesDescription, describe_images
from treino.data.summaries.measures import NumberHistogram, WordCounts, shape
from treino.data.summaries.target_description import (
    TargetDescription,
    TargetRows,
    correlation,
    describe_target,
    suspicions,
)
from treino.data.table import Column, DataWarning, RowPlace, Table, row_place
from treino.data.torch_datasets.dataset_source import load_torch_dataset

DATASET_NO_IMAGES = Refusal(
    "The items of {name} are no images: their shape is {shape}.",
    "Describe what they are made of: a table, or (X, y).",
)

# ---- the description of a table or of images


@dataclass(frozen=True)
class ColumnDescription:
    """The description of a column. way: how training would encode it: number, rank, category, date, out.

    missing, unique, outliers: counts. minimum, maximum: numbers, or dates as text; None for other columns.
    correlation: the correlation with the target; signed between two numbers, else from 0 to 1 (correlation
    ratio, or Cramér's V between classes); None if it can't be computed. shape: the histogram.
    """

    name: str
    kind: str
    way: str
    missing: int
    unique: int
    minimum: float | str | None
    maximum: float | str | None
    outliers: int
    correlation: float | None
    shape: NumberHistogram | WordCounts | None

    def to_json(self) -> dict[str, Any]:
        return vars(self) | {"shape": self.shape and self.shape.to_json()}


@dataclass(frozen=True)
class TableDescription:
    """The description of a table.

    likely_targets: columns that may be the target, if none is chosen. weights: row weights, if a column is
    named for it. notes: choices made in reading. images:
    the description of the images, which count as one column; None for other tables.
    """

    name: str
    source: str
    rows: int
    columns: tuple[ColumnDescription, ...]
    target: TargetDescription
    likely_targets: tuple[str, ...]
    notes: tuple[str, ...]
    warnings: tuple[DataWarning, ...]
    weights: WeightsDescription | None = None
    images: ImagesDescription | None = None

    def to_json(self) -> dict[str, Any]:
        """The JSON document of ``treino data``."""
        told = {name: list(v) if isinstance(v, tuple) else v for name, v in vars(self.target).items()}
        return {
            "name": self.name,
            "source": self.source,
            "rows": self.rows,
            "columns": [column.to_json() for column in self.columns],
            "target": told.pop("name"),
            **told,
            "likely_targets": list(self.likely_targets),
            "notes": list(self.notes),
            "warnings": [warning.to_json() for warning in self.warnings],
            **({} if self.weights is None else {"row_weights": vars(self.weights)}),
            **({} if self.images is None else {"images": self.images.to_json()}),
        }


# ---- description of a data source and its problems

_MEASURED = 200_000  # rows; correlations in a larger table are measured on a sample


def describe(
    source: Any,
    target: str | None = None,
    *,
    reading: ReaderOptions | None = None,
    cache: str | Path | None = None,
    **settings: Any,
) -> TableDescription:
    """Describe a source: rows, columns, target, task, classes, a split by a column as in ``load``, and
    warnings about all problems that training would refuse or that the user should know.

    source: as for ``load``. Images of a built-in, a Dataset, or arrays (X ``[N, H, W]`` or ``[N, C, H, W]``,
    y) are described as images, not as columns of pixels; so are photographs. cache: the folder for their
    decoded pixels, where training finds them; None: a temporary one. settings: those of data, as for
    ``load``. Raises TreinoError if the source can't be read.
    """
    source = given_by_package(source)
    request = load_request(source, {"target": target} | settings, reading)
    arguments, reading = request.arguments, request.reading
    kind = request.check_readers()
    if kind == "photographs":
        return _of_album(request, None if cache is None else Path(cache))
    if kind == "items":
        return _of_dataset(request.with_arguments(validation=0.0, test=0.0))
    if is_image_pair(source):
        return _of_image_table(read_images(source[0], source[1], reading), arguments)
    if arguments.target is None:
        table = sources.read(source, reading)
        check_kinds(table, arguments.kinds)
    else:
        table, _targets = read_with_targets(source, reading, arguments.target, arguments.kinds)
    return (_of_image_table if table.item_shape and not arguments.kinds else _of_table)(table, arguments)


def _of_table(table: Table, arguments: LoadArguments) -> TableDescription:
    """The description of a table, column by column."""
    warnings, notes, kinds = list[DataWarning](), list(table.notes), arguments.kinds
    choices = {c.name: _choice(table, c, kinds.get(c.name), warnings) for c in table.columns}
    described, learnt, likely = TargetDescription(), None, list[str]()
    if arguments.target is None and table.target is None:
        likely = likely_targets(table)
    else:
        column = choose_target(table, arguments.target)
        described, learnt = describe_target(table, column, kinds.get(column.name), warnings)
    targets = [] if described.name is None else [described.name]
    check_split(table, arguments, targets)
    weights = weight_column(table, arguments.row_weights, targets, None)
    apart = (*targets, *likely, arguments.split_group, arguments.split_column, weights)
    features = [c for c in table.columns if c.name not in apart]
    roles = {c.name: choices[c.name] for c in features}
    counting = row_numbers(table, roles, kinds, np.arange(table.rows))
    choices |= dict.fromkeys(counting, ColumnRole("row number", "out"))
    used = [c.name for c in features if choices[c.name].way != "out"]
    warnings += say_sentinels(table, targets, target=True)
    warnings += say_sentinels(table, [*likely, *used])
    candidates = [c for c in table.columns if c.name in likely]  # one of them may become the target
    warnings += _column_warnings(table, features, candidates, choices)
    known = [*features, *candidates]
    unread = {c.name for c in known if column_fault(table, c, choices[c.name]) is not None}
    correlations: dict[str, float | None] = {}
    if learnt is not None:
        measured = learnt.part(_MEASURED)
        for feature in (c for c in features if c.name not in unread):
            choice = choices[feature.name]
            correlations[feature.name] = correlation(feature, choice, measured)
            warnings += suspicions(feature, choice, measured, targets[0])
    usable = {name: choices[name] for name in used if not unread}
    whole = usable | {c.name: choices[c.name] for c in candidates if not unread}
    warnings += _row_warnings(table, whole, learnt, arguments.split_by is None, bool(candidates))
    texts = {
        name: _describe_text(table.column(name), notes) for name, c in choices.items() if c.way == "text"
    }
    weighing = None
    if weights is not None:
        weighing = _describe_weights(table, weights, arguments.row_weights, notes, warnings)
    if arguments.split_by is not None:
        notes += _split_notes(table, arguments, usable, learnt, described.classes)
    columns = (
        replace(_describe_column(c, choices[c.name], correlations.get(c.name)), **texts.get(c.name, {}))
        for c in table.columns
    )
    told = tuple(columns), described, tuple(likely), tuple(notes), tuple(warnings)
    return TableDescription(table.name, table.source, table.rows, *told, weights=weighing)


def _describe_text(column: Column, notes: list[str]) -> dict[str, Any]:
    """The commonest words of free text, as its histogram. Adds a note on them and on its length."""
    words_N, count = commonest_words([text for text in level_cells(column, False) if text])
    if not count:
        return {}
    text = _(
        "'{name}' is free text: {low} to {high} words, {middle:.0f} in the middle; the commonest: {words}."
    )
    words = ", ".join(word for word, _n in count.most_common(10))
    low, middle, high = (f(words_N) for f in (np.min, np.median, np.max))
    notes.append(
        text.format(name=column.name, low=low, high=high, middle=middle, words=shortened(words, 100))
    )
    return {"shape": measures.word_counts(count)}


def _describe_weights(
    table: Table, name: str, asked: str | None, notes: list[str], warnings: list[DataWarning]
) -> WeightsDescription | None:
    """The description of the rows' weights, with a note; None, with a warning, if training would refuse
    them."""
    try:
        _table, row_N, weight_N = weighted(table, np.arange(table.rows), name, asked, notes)
    except TreinoError as error:
        warnings.append(DataWarning.of(error, name))
        return None
    described = WeightsDescription.of(name, weight_N)
    notes.append(described.sentence)
    if described.largest >= DOMINANT:
        place = table.place(int(row_N[described.row]))
        text = _("One row has {share:.0%} of all weight in '{name}', in {place}.")
        message = text.format(share=described.largest, name=name, place=place)
        hint = _("Correct it if that isn't meant: hardly anything is learnt from the other rows.")
        warnings.append(DataWarning("row_weights_dominant", message, hint, name, place))
    return described


def _of_image_table(table: Table, arguments: LoadArguments) -> TableDescription:
    """The description of images stored as a matrix, with a target. Pixel columns have no column types."""
    column, warnings = choose_target(table, arguments.target), list[DataWarning]()
    check_split(table, arguments, [column.name])
    described, learnt = describe_target(table, column, None, warnings)
    matrix, official = table.matrix, table.rows - table.official_test
    assert matrix is not None
    row_N = np.arange(table.rows)
    rows_of = {"train": row_N[:official], "test": row_N[official:]} if table.official_test else {WHOLE: row_N}
    parts = _image_parts(rows_of, matrix, _codes(table.rows, learnt))
    images = describe_images(parts, table.item_shape, described.classes)
    return _image_description(table.name, table.source, column, described, images, table.notes, warnings)


def _answers(rows: int, learnt: TargetRows | None) -> NDArray[np.int64]:
    """``[N]``: equal for rows of equal targets, or without one."""
    answer_N = np.zeros(rows, dtype=np.int64)
    if learnt is not None:
        told_K = learnt.label_N if learnt.values is None else learnt.values
        answer_N[learnt.row_N] = 1 + np.unique(told_K, return_inverse=True)[1].reshape(-1)
    return answer_N


def _codes(rows: int, learnt: TargetRows | None) -> NDArray[np.int64]:
    """``[N]``: the class code of each row; -1 without a class."""
    label_N = np.full(rows, -1)
    if learnt is not None and learnt.values is None:
        label_N[learnt.row_N] = learnt.label_N
    return label_N


def _image_parts(
    rows_of: Mapping[str, NDArray[np.int64]],
    value_ND: NDArray[Any],
    label_N: NDArray[np.int64],
    place: RowPlace = row_place,
) -> dict[str, ImagePart]:
    """The images of each split. rows_of: the rows of each."""

    def part(row_N: NDArray[np.int64]) -> ImagePart:
        known_N = label_N[row_N]
        return ImagePart(lambda at_K: value_ND[row_N[at_K]], row_N, known_N, known_N, place)

    return {name: part(row_N) for name, row_N in rows_of.items()}


def _of_album(request: LoadRequest, cache: Path | None) -> TableDescription:
    """The description of photographs: all that can be decoded, and which can't."""
    album, table, absent = read_album(request)
    arguments = request.arguments
    untold = arguments.target is None and table.target is None
    target = None if untold else choose_target(table, arguments.target).name
    check_split(table, arguments, [target or ""])  # before anything is decoded
    pictures = prepare(album, arguments.image_size, arguments.fit, cache)
    row_N = np.flatnonzero([not fault for fault in pictures.faults])
    table = take(table, row_N)
    notes = [*table.notes, size_note(pictures, arguments.fit)]
    if cache is not None:
        text = _("Their pixels ({size}) are kept in {folder}, where training finds them.")
        notes.append(text.format(size=say(pictures.pixel_ND.nbytes), folder=cache))
    arguments = with_split(arguments, table, notes)
    warnings: list[DataWarning] = []
    described, learnt = TargetDescription(), None
    if target is not None:
        described, learnt = describe_target(table, table.column(target), None, warnings)
    label_N, rows_of = _codes(table.rows, learnt), {WHOLE: np.arange(table.rows)}
    check_split(table, arguments, [target or ""])
    if arguments.split_by is not None:
        row_K = np.arange(table.rows) if learnt is None else learnt.row_N
        near_K = pictures.comparison.of(row_N[row_K]).near_N
        rows = take(table, row_K)
        labels = (np.maximum(label_N[row_K], 0), described.classes)
        equal = EqualRows.of(near_K, _answers(table.rows, learnt)[row_K])
        part_K = decide_parts([rows], [], arguments, equal, *labels, notes, *EQUAL_PICTURES)
        rows_of = {name: row_K[part_K == part] for name, part in PARTS.items()}
    pixel_KD, files = pictures.pixel_ND, picture_files(album, pictures, absent)
    label_of = np.full(len(files.names), -1)
    label_of[row_N] = label_N
    rows_of = {name: row_N[rows] for name, rows in rows_of.items()}
    parts = _image_parts(rows_of, pixel_KD, label_of, files.names.__getitem__)
    images = describe_images(parts, pictures.shape, described.classes, files)
    learnt_column = None if target is None else table.column(target)
    likely = likely_targets(table) if untold else []
    return _image_description(
        table.name, table.source, learnt_column, described, images, notes, warnings, likely
    )


def _of_dataset(request: LoadRequest) -> TableDescription:
    """The description of the images in a Dataset or DataLoader, or in one for each split."""
    data = load_torch_dataset(request)
    parts = data.image_parts()
    if not parts:
        raise DATASET_NO_IMAGES(name=data.name, shape=list(data.item_shape))
    if len(parts) == 1:
        parts = {WHOLE: parts["train"]}
    warnings: list[DataWarning] = []
    described = TargetDescription(data.target, data.task, data.task_reason, data.classes)
    y_N = np.concatenate([rows.y.numpy().reshape(-1) for rows in data.splits.values()])
    if data.classes:
        count_C = np.bincount(y_N, minlength=len(data.classes))
        described = replace(described, class_rows=tuple(count_C.tolist()))
        doubts = class_doubts(y_N, data.classes, row_place)
        warnings += [replace(doubt, column=data.target) for doubt in doubts]
        words = np.array(data.classes, dtype=object)[y_N]
        column = Column(data.target, words=words, categories=data.classes)
    else:
        column = Column(data.target, data.preparation.values(y_N.astype(np.float64)))
    images = describe_images(parts, data.item_shape, data.classes)
    return _image_description(data.name, data.source, column, described, images, data.notes, warnings)


def _image_description(
    name: str,
    source: str,
    column: Column | None,
    described: TargetDescription,
    images: ImagesDescription,
    notes: Sequence[str],
    warnings: list[DataWarning],
    likely: Sequence[str] = (),
) -> TableDescription:
    """Describe images. column: the target column; None if none is chosen. likely: possible target columns."""
    warnings += images.warnings()
    low, high = images.minimum, images.maximum
    columns = [ColumnDescription("image", "image", "image", 0, images.distinct, low, high, 0, None, None)]
    if column is not None:
        columns.append(_describe_column(column, choose(column, None, False, str), None))
    rows = sum(images.rows.values()) if column is None else len(column)
    told = tuple(columns), described, tuple(likely), tuple(notes), tuple(warnings)
    return TableDescription(name, source, rows, *told, images=images)


def _choice(table: Table, column: Column, request: str | None, warnings: list[DataWarning]) -> ColumnRole:
    try:
        return choose(column, request, False, table.place)
    except TreinoError as error:
        warnings.append(DataWarning.of(error, column.name))
        return choose(column, None, False, table.place)


def _describe_column(column: Column, choice: ColumnRole, related: float | None) -> ColumnDescription:
    low: float | str | None = None
    high: float | str | None = None
    values = column.values
    if choice.kind == "identifier":  # minimum and maximum have no meaning
        unique = column.distinct - bool(column.missing_N.any())
    elif values is None:
        assert column.words is not None
        unique = len(set(column.words[~column.missing_N].tolist()))
    else:
        whole = column.whole_words
        unique = len(np.unique(values[~np.isnan(values)])) if whole is None else len(set(whole) - {""})
        if column.odd_N is not None and column.words is not None:
            unique += len(set(column.words[column.odd_N].tolist()))
        finite = np.flatnonzero(np.isfinite(values))
        if len(finite):
            first, last = (int(finite[f(values[finite])]) for f in (np.argmin, np.argmax))
            low, high = float(values[first]), float(values[last])
            if column.numbers is None:
                low, high = column.cell(first), column.cell(last)
    outliers = 0
    if choice.kind == "number" and column.numbers is not None and column.numbers.dtype != np.uint8:
        outliers = len(measures.outliers(np.asarray(column.numbers, dtype=np.float64)))
    return ColumnDescription(
        name=column.name,
        kind=choice.kind,
        way=choice.way,
        missing=int(column.missing_N.sum()),
        unique=unique,
        minimum=low,
        maximum=high,
        outliers=outliers,
        correlation=related,
        shape=shape(column),
    )


def _column_warnings(
    table: Table, features: list[Column], candidates: list[Column], choices: Mapping[str, ColumnRole]
) -> Iterator[DataWarning]:
    """Yield warnings about columns. candidates: those that may be the target, if none is chosen."""
    names = [c.name for c in features if choices[c.name].way == "out"]
    if not table.keep_constant:
        yield from say_left_out(table, choices, names)
    for column in [*features, *candidates]:
        if fault := column_fault(table, column, choices[column.name]):
            yield DataWarning.of(fault.refusal(), column.name)
        if said := word_gaps(column, table):
            yield said
        if choices[column.name].way in CLASSES and (same := say_spellings([column])):
            yield same
    used = [c for c in features if choices[c.name].way != "out"]
    gaps = {c.name: int(c.missing_N.sum()) for c in used if c.missing_N.any()}
    if gaps:
        most = max(gaps, key=lambda name: gaps[name])
        listed = ", ".join(f"{name} ({gaps[name]})" for name in sorted(gaps, key=lambda name: -gaps[name]))
        yield DataWarning(
            "column_missing",
            _("Cells without a value: {names}.").format(names=shortened(listed, 200)),
            _("Training fills numbers with their median and says where; [[impute=mean]] takes the mean."),
            most,
            table.place(int(table.column(most).missing_N.argmax())),
        )
    for column in used:
        role = choices[column.name].kind
        measured = (
            role in ("number", "date") and column.values is not None and column.values.dtype != np.uint8
        )
        if measured and (far := say_far_values(table, column, role == "date", sentinels(column))):
            yield far


def _split_notes(
    table: Table,
    arguments: LoadArguments,
    usable: Mapping[str, ColumnRole],
    learnt: TargetRows | None,
    classes: tuple[str, ...],
) -> list[str]:
    """The notes that training on a split by this column would give."""
    notes: list[str] = []
    row_K = np.arange(table.rows) if learnt is None else learnt.row_N
    label_K = np.zeros(table.rows, dtype=np.int64) if learnt is None else learnt.label_N
    answer_N = _answers(table.rows, learnt)
    if arguments.split_time is not None:
        dated_N = ~np.isnan(times_of(table.column(arguments.split_time), table))
        say_untimed(table, arguments.split_time, dated_N | ~np.isin(np.arange(table.rows), row_K), notes)
        row_K, label_K = row_K[dated_N[row_K]], label_K[dated_N[row_K]]
    rows = take(table, row_K)
    equal = equal_rows([rows], usable, answer_N[row_K], comparable([rows], usable)) if usable else None
    apart_K, texts = np.arange(rows.rows), any(role.way == "text" for role in usable.values())
    asked = arguments, equal or EqualRows(apart_K, apart_K), label_K, classes, notes
    decide_parts([rows], [], *asked, *(EQUAL_TEXTS if texts else ()))
    return notes


def _row_warnings(
    table: Table, usable: Mapping[str, ColumnRole], learnt: TargetRows | None, drawn: bool, whole: bool
) -> Iterator[DataWarning]:
    """Yield warnings about duplicate rows, and about equal rows with different classes. drawn: whether the
    split will be drawn at random. whole: whether all columns are compared, as no target is chosen."""
    if not usable:
        return
    alike = EqualRows.of(
        first_equal(cells_ND := comparable([table], usable)), _answers(table.rows, learnt), iter(cells_ND.T)
    )
    first_N, label_N = alike.first_N, _codes(table.rows, learnt)
    repeated = np.flatnonzero(first_N != np.arange(table.rows))
    label_K, first_K = label_N[repeated], label_N[first_N[repeated]]
    against = repeated[(label_K >= 0) & (first_K >= 0) & (label_K != first_K)]
    stay = _("They stay where the split puts them. The first: {a}, equal to {b}.")
    if drawn:
        stay = _("They are kept on one side of the split. The first: {a}, equal to {b}.")
        if 2 * alike.alone_N[repeated].sum() > len(repeated):
            stay = _("So many return that each is drawn on its own. The first: {a}, equal to {b}.")
    equal = _("Rows that equal an earlier one in all features: {n} of {of}.")
    if whole:
        equal = _("Rows that equal an earlier one in all columns: {n} of {of}.")
    contradict = _("Rows that equal another one in all features but not in their class: {n}.")
    for rule, rows, text, hint in (
        ("rows_duplicate", repeated, equal, stay),
        ("rows_contradict", against, contradict, _("No model can be right on both: look at {a} and {b}.")),
    ):
        if len(rows):
            a, b = (table.place(int(row)) for row in (rows[0], first_N[rows[0]]))
            message = text.format(n=len(rows), of=table.rows)
            yield DataWarning(rule, message, hint.format(a=a, b=b), row=a)
