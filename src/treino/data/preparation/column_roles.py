"""Choose the input columns and how each is encoded: by its cells, or as the user requests."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence, Set

import numpy as np
from numpy.typing import NDArray

from treino.base.errors import Refusal, TreinoError
from treino.base.text import shortened
from treino.base.words import N_, _, joined
from treino.data.cell_forms import DateForm, duration, form_of, missing
from treino.data.column_program import ColumnProgram
from treino.data.preparation.column_cells import EncodingGaps
from treino.data.preparation.column_kinds import (
    ColumnRole,
    choose,
    holds_truth,
    level_cells,
    numbers_rows,
    say_alike,
    spellings,
)
from treino.data.preparation.ways import WAYS
from treino.data.table import (
    DURATIONS_AS_NUMBERS,
    CellFault,
    Column,
    DataWarning,
    Table,
    check_no_target,
    fault,
    fault_odd,
    unknown_column,
)
from treino.settings.setting_types import as_item

FEATURES_NONE = Refusal("[[features]] names no column.", "Name at least one.")
FEATURES_LACKING = Refusal(
    "No column of '{source}' but the target '{target}' can be learnt from. {notes}",
    "Give a table with at least one feature, or say what a column is: [[kinds=NAME=category]].",
    rule="features_none",
)
FEATURES_KINDS = Refusal("[[features]] names '{name}', and [[kinds]] leaves it out.", "Say one of the two.")
FEATURES_DUPLICATE = Refusal("'{name}' is named twice in [[features]].", "Name it once.")

CLASSES = ("category", "one-hot", "hashed")  # ways of a column whose cells are classes
_NOTHING, _USE = N_("Nothing can be learnt from it."), N_("To use one: [[kinds={first}={kind}]].")
LEFT_OUT = {
    "empty": (N_("Left out, for they have no value in any row: {names}."), _NOTHING),
    "constant": (N_("Left out, for they never change: {names}."), _NOTHING),
    "identifier": (N_("Left out, for they only tell rows apart (identifiers): {names}."), _USE),
    "text": (N_("Left out, for their cells differ and aren't sentences (names, titles): {names}."), _USE),
    "row number": (N_("Left out, for they number the rows: {names}."), _USE),
}
"""Texts about columns that are left out, by the reason."""


def check_kinds(table: Table, kinds: Mapping[str, str]) -> None:
    """Refuse ``kinds`` for columns that don't exist."""
    for name in kinds:
        if name not in table.by_name:
            raise unknown_column(table, name, "kind_column")


def choose_features(
    table: Table,
    excluded: Set[str],
    targets: Sequence[str],
    features: Sequence[str] | None,
    kinds: Mapping[str, str],
    notes: list[str],
    row_N: NDArray[np.int64],
) -> dict[str, ColumnRole]:
    """The columns to learn from, in order, with their roles. Adds notes on columns left out, with the reason.

    excluded: columns with another purpose (groups, splits), used only if ``features`` names them.
    row_N: the row numbers in the source.
    """
    if features is not None:
        names = _named(table, targets, features)
        chosen = {name: choose(table.column(name), kinds.get(name), True, table.place) for name in names}
        left = [name for name, choice in chosen.items() if choice.way == "out"]
        if left:
            raise FEATURES_KINDS(name=left[0])
    else:
        candidates = [name for name in table.names if name not in targets and name not in excluded]
        chosen = _by_kind(table, candidates, kinds, notes, row_N)
        if not chosen:
            said = " ".join(notes[len(table.notes) :])
            raise FEATURES_LACKING(source=table.source, target=", ".join(targets), notes=said)
    check_features(table, chosen, features is not None)
    return chosen


def _by_kind(
    table: Table,
    names: Sequence[str],
    kinds: Mapping[str, str],
    notes: list[str],
    row_N: NDArray[np.int64],
) -> dict[str, ColumnRole]:
    if table.keep_constant:
        return {name: ColumnRole("number", "number") for name in names}
    chosen = {name: choose(table.column(name), kinds.get(name), False, table.place) for name in names}
    numbering = row_numbers(table, chosen, kinds, row_N)
    chosen |= dict.fromkeys(numbering, ColumnRole("row number", "out"))
    out = [name for name in names if chosen[name].way == "out"]
    left_out = say_left_out(table, chosen, [name for name in out if name not in kinds])
    notes += [warning.note for warning in left_out]
    return {name: choice for name, choice in chosen.items() if choice.way != "out"}


def say_left_out(
    table: Table, chosen: Mapping[str, ColumnRole], names: Sequence[str]
) -> Iterator[DataWarning]:
    """Yield a warning for each reason why some of these are left out."""
    for reason, sentences in LEFT_OUT.items():
        left = [name for name in names if why_out(table.column(name), chosen[name]) == reason]
        if left:
            numeric = table.column(left[0]).numbers is not None and table.column(left[0]).odd is None
            kind = "number" if numeric else "category"
            facts = {"names": shortened(", ".join(left), 400), "first": as_item(left[0])}
            facts["kind"] = "text" if reason == "text" else kind
            message, hint = (_(sentence).format(**facts) for sentence in sentences)
            yield DataWarning(f"column_{reason.replace(' ', '_')}", message, hint, left[0])


def row_numbers(
    table: Table, chosen: Mapping[str, ColumnRole], kinds: Mapping[str, str], row_N: NDArray[np.int64]
) -> list[str]:
    """The columns that number the rows; [] if there are no other columns to learn from.

    Also [] for a bare array, because every column of an array is there on purpose.
    """
    used = [name for name, choice in chosen.items() if choice.way != "out"]
    names = [
        name
        for name in used
        if name not in kinds and chosen[name].way == "number" and numbers_rows(table.column(name), row_N)
    ]
    return names if table.named and len(names) < len(used) else []


def why_out(column: Column, choice: ColumnRole) -> str:
    """The reason why a column isn't used: its column type or ``empty``."""
    return "empty" if choice.kind == "constant" and column.missing_N.all() else choice.kind


def check_features(table: Table, chosen: Mapping[str, ColumnRole], named: bool) -> None:
    """Refuse the first cell that doesn't fit its column type.

    The hint lists the columns without such cells (``features``) or, if there are over eight and not
    ``named``, leaves out the columns with such cells (``kinds``). named: whether ``--features`` lists the
    columns.
    """
    for name, choice in chosen.items():
        if problem := column_fault(table, table.column(name), choice):
            rest = {other: c for other, c in chosen.items() if other != name}
            fine = [other for other, c in rest.items() if not column_fault(table, table.column(other), c)]
            names = ",".join(map(as_item, fine))
            move = _("{what}, or leave the column out: [[features={names}]].")
            if not named and len(fine) > 8:
                names = ",".join(f"{as_item(other)}=out" for other in chosen if other not in fine)
                move = _("{what}, or leave out what is like it: [[kinds={names}]].")
            hint = move.format(what=problem.move, names=names) if fine else joined([problem.move, "."])
            raise TreinoError(problem.rule, problem.message, hint)


def column_fault(table: Table, column: Column, choice: ColumnRole) -> CellFault | None:
    """The fault of cells that don't fit the column's detected or requested type; None if all fit."""
    if choice.way == "number":
        return fault(column, table.place, required=False, truth=holds_truth(column, choice))
    if choice.way in ("date", "time") and column.odd is not None:
        return fault_odd(column, table.place)
    if choice.way == "date" and column.seconds is None and not column.constant:
        cells = enumerate(column.words.tolist() if column.words is not None else ())
        long = next(((row, cell) for row, cell in cells if duration(cell)), None)
        if long is not None:
            text = _("Column '{name}' holds durations, such as '{cell}' in {place}, which is no time of day.")
            facts = {"name": column.name, "cell": shortened(long[1]), "place": table.place(long[0])}
            return CellFault("feature_date", text.format(**facts), _(DURATIONS_AS_NUMBERS))
        row = _unlike_the_most(column)
        return CellFault(
            "feature_date",
            _(
                "Column '{name}' holds dates that are not written in one way: '{cell}' in {place} is unlike "
                "the others."
            ).format(name=column.name, cell=shortened(column.cell(row)), place=table.place(row)),
            _("Write them as 2024-12-31, or say how they are written with [[dates]]"),
        )
    return None


def _unlike_the_most(column: Column) -> int:
    """The first row with a cell that isn't missing and has another form than most cells."""
    forms = [None if missing(word) else form_of(word) or "" for word in column.words]  # type: ignore[union-attr]
    keys = [
        (form.key, form.time) if isinstance(form, DateForm) else getattr(form, "key", form) for form in forms
    ]
    counts = Counter(key for key in keys if key is not None)
    usual = max(counts, key=lambda key: counts[key])
    return next((row for row, key in enumerate(keys) if key not in (None, usual)), 0)


def say_programs(programs: Sequence[ColumnProgram], table: Table, kinds: Mapping[str, str]) -> list[str]:
    """Notes on what isn't plain numbers, on unusual notations, and on the requested kinds."""
    notes = []
    for name in dict.fromkeys([*WAYS, *(each.way for each in programs)]):
        way = WAYS[name]
        if details := [way.detail(each) for each in programs if each.way == name and way.sentence]:
            names = shortened(joined(details, ", "), 400)
            notes.append(_(way.sentence).format(names=names, first=as_item(details[0])))
    of_classes = [each.column for each in programs if each.measure == "word" and not each.ordered]
    if same := say_spellings([table.column(name) for name in dict.fromkeys(of_classes)]):
        notes.append(same.note)
    written = [(each.column, table.column(each.column).writing) for each in programs]
    writings = joined([joined([name, " (", _writing_text(w), ")"]) for name, w in written if w], ", ")
    if writings:
        notes.append(_("Not written plainly: {names}.").format(names=shortened(writings, 400)))
    if kinds:
        kinds_text = ", ".join(f"{name}={text}" for name, text in kinds.items())
        notes.append(_("Because you asked: {asked}.").format(asked=shortened(kinds_text, 400)))
    return notes


def say_spellings(columns: Sequence[Column]) -> DataWarning | None:
    """The warning if classes of these columns are spelled in several ways, else None."""
    of_columns = [(c.name, spellings(sorted(set(level_cells(c).tolist()) - {""}))) for c in columns]
    texts = [f"{name}: {'; '.join(', '.join(one) for one in same)}" for name, same in of_columns if same]
    alike = [one for _name, same in of_columns for one in same]
    if not alike:
        return None
    return DataWarning(
        "column_spellings", *say_alike(alike, shortened("; ".join(texts), 300)), columns[0].name
    )


def _writing_text(writing: str) -> str:
    """The translated words for ``Column.writing``."""
    texts = []
    for part in writing.split(", "):
        kind, _blank, symbol = part.partition(" ")
        spoken = {"money": _("money {symbol}"), "unit": _("unit {symbol}")}.get(kind)
        texts.append(spoken.format(symbol=symbol) if spoken else _(part))
    return joined(texts, ", ")


def say_gaps(columns: Sequence[Column], table: Table) -> list[str]:
    """A note for each column of dates that contains words, which count as missing values."""
    return [said.note for column in columns if (said := word_gaps(column, table))]


def word_gaps(column: Column, table: Table) -> DataWarning | None:
    """The warning if a column of dates contains words, which count as missing; else None."""
    if column.seconds is None or column.words is None:
        return None
    known = (table.reading.missing if table.reading is not None else None) or ()
    words = [(row, column.cell(row)) for row in np.flatnonzero(column.missing_N).tolist()]
    words = [(row, word) for row, word in words if not missing(word) and word not in known]
    if not words:
        return None
    some = joined([f"'{shortened(word)}' ({table.place(row)})" for row, word in words[:3]], ", ")
    return DataWarning(
        "column_words",
        _("'{name}' holds dates, and cells that are none stand for no value ({n}): {cells}.").format(
            name=column.name, n=len(words), cells=some
        ),
        _("As classes: [[kinds={item}=category]].").format(item=as_item(column.name)),
        column.name,
    )


def say_missing(met: Mapping[str, EncodingGaps], programs: Sequence[ColumnProgram], impute: str) -> list[str]:
    """Notes on missing values and unknown classes: columns, counts, and the replacement."""
    kinds = {"word": "classes", "length": "texts"}
    of = {each.column: "values" if each.ordered else kinds.get(each.measure, "values") for each in programs}
    filled, classes, texts = (
        [f"{name} ({g.missing})" for name, g in met.items() if g.missing and of[name] == kind]
        for kind in ("values", "classes", "texts")
    )
    why = {
        "median": _("the median of the training rows, which outliers don't move"),
        "mean": _("the mean of the training rows, as you asked"),
    }[impute]
    sentences = {
        _("Missing values were filled with {why}, and an input says where: {counts}."): filled,
        _("Missing classes are a class of their own: {counts}."): classes,
        _("Empty texts, and an input says where: {counts}."): texts,
        _("Cells of a class that no training row has, so no input stands for it: {counts}."): unknown(met),
    }
    return [
        sentence.format(why=why, counts=shortened(", ".join(counts), 400))
        for sentence, counts in sentences.items()
        if counts
    ]


def unknown(met: Mapping[str, EncodingGaps]) -> list[str]:
    """The columns with classes that no training row has, each with their count and one of them."""
    return [f"{name} ({seen.unknown}: {seen.example})" for name, seen in met.items() if seen.unknown]


def _named(table: Table, targets: Sequence[str], features: Sequence[str]) -> tuple[str, ...]:
    features = [name for name in features if str(name).strip()]
    for name in features:
        check_no_target(name, targets, "features")
        if name not in table.names:
            raise unknown_column(table, name, "features", targets)
        if features.count(name) > 1:
            raise FEATURES_DUPLICATE(name=name)
    if not features:
        raise FEATURES_NONE()
    return tuple(features)
