"""Conventions of a text file's columns: decimal sign, order of day and month, words for missing values."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from treino.data.readers.cell_types import CellStatistics, CellType, DateFormat, ReadingConflict
from treino.data.readers.reader_options import ReaderOptions
from treino.data.table import shorten
from treino.errors import TreinoError
from treino.setting_types import as_item
from treino.words import N_, _

Place = Callable[[int], str]


@dataclass(frozen=True)
class FileConventions:
    """The conventions of a file.

    comma: whether the decimal sign is a comma. day_first: whether the day precedes the month. Both are None
    if no cell depends on it. missing: words for a missing value. open: usual words for a missing value that
    occur in text columns only, where they are classes.
    """

    columns: tuple[CellType, ...]
    comma: bool | None
    day_first: bool | None
    missing: tuple[str, ...]
    open: frozenset[str]

    @property
    def emptied(self) -> tuple[str, ...]:
        """Names of the text columns in which words from ``missing`` occur."""
        return tuple(column.name for column in self.columns if column.missing)


def decide(
    seen: Sequence[CellStatistics], reading: ReaderOptions, what: str, place: Place
) -> FileConventions:
    """Decide the type of each column.

    what: the name of the file or frame, for messages. place: a function that words the place of a row. Raises
    TreinoError if columns or cells contradict each other, or if all cells fit two notations and ``reading``
    chooses none.
    """
    comma = _settle(seen, "decimal", reading, what, place)
    day_first = _settle(seen, "day", reading, what, place)
    columns = [_decision(column, comma, day_first) for column in seen]
    missing_words = [
        s.nothing for s, c in zip(seen, columns, strict=True) if c.holds != "words" and s.present
    ]
    missing = set().union(*missing_words) if reading.missing is None else set(reading.missing)
    for j, (column, decision) in enumerate(zip(seen, columns, strict=True)):
        if decision.holds == "words" and column.nothing & missing:
            columns[j] = replace(decision, missing=tuple(sorted(column.nothing & missing)))
    text_words = {
        word for s, c in zip(seen, columns, strict=True) if c.holds == "words" for word in s.nothing
    }
    return FileConventions(
        tuple(columns), comma, day_first, tuple(sorted(missing)), frozenset(text_words - missing)
    )


def _convention_setting(which: str, reading: ReaderOptions | None) -> bool | None:
    """The user's choice of a decimal comma, or of the day first; None without a choice."""
    value = reading and (reading.decimal if which == "decimal" else reading.dates)
    return None if value is None else value in (",", "day/month")


def _settle(
    seen: Sequence[CellStatistics], which: str, reading: ReaderOptions, what: str, place: Place
) -> bool | None:
    """Whether the decimal sign is a comma, or the day comes first: set by the user or proven by columns."""
    stated = _convention_setting(which, reading)
    rivalries = {column.name: _rivalry(column, which) for column in seen}
    verdicts = {name: rivalry.verdict for name, rivalry in rivalries.items() if rivalry.cells}
    if stated is not None:
        return stated
    mixed = [name for name, verdict in verdicts.items() if verdict == "mixed"]
    if mixed:
        raise _mixed(which, mixed[0], mixed[0], rivalries, what, place)
    first = [name for name, verdict in verdicts.items() if verdict == "first"]
    second = [name for name, verdict in verdicts.items() if verdict == "second"]
    if first and second:
        if which == "day":
            return None  # every column is unambiguous
        raise _mixed(which, first[0], second[0], rivalries, what, place)
    if first or second:
        return bool(second) if which == "decimal" else bool(first)
    usual = _convention_setting(which, reading.like)
    for name, verdict in verdicts.items():
        if verdict == "open" and usual is None:
            raise _open(which, name, rivalries[name], what, place)
    return usual if "open" in verdicts.values() else None


def _rivalry(column: CellStatistics, which: str) -> ReadingConflict:
    if which == "decimal":
        return column.decimal
    return column.day if column.form and column.form.open else ReadingConflict()


def _decision(column: CellStatistics, comma: bool | None, day_first: bool | None) -> CellType:
    if column.as_text:
        return CellType(column.name, "words")
    if not column.present:
        return CellType(column.name, "numbers")
    if truth := column.truth:
        return CellType(column.name, "truth", truth=tuple(truth.items()))
    verdict = column.decimal.verdict if column.decimal.cells else "no"
    if verdict in ("same", "open") or verdict == ("second" if comma else "first"):
        assert column.affix is not None
        sign = bool(comma) and verdict != "same"
        parts = [column.affix.spoken] if column.affix.spoken else []
        parts += [N_("decimal comma")] * sign + [N_("gaps between the thousands")] * column.gaps
        parts += [N_("commas between the thousands")] * (column.commas and not comma)
        writing = ", ".join(parts)
        words = bool(writing) or column.exact
        return CellType(column.name, "numbers", column.affix, sign, words=words, writing=writing)
    form, verdict = column.form, column.day.verdict if column.day.cells else "no"
    if form and not form.open and verdict == "same":
        return CellType(column.name, "dates", form=form)
    own = {"first": True, "second": False, "same": True, "open": day_first}.get(verdict)
    if form and form.open and own is not None and (verdict == "same" or day_first in (None, own)):
        return _dates(column.name, form, own, verdict == "same")
    return CellType(column.name, "words")


def _dates(name: str, form: DateFormat, day_first: bool, same: bool) -> CellType:
    writing = N_("dates day/month/year") if day_first else N_("dates month/day/year")
    return CellType(name, "dates", form=form, day_first=day_first, writing="" if same else writing)


def _mixed(
    which: str, one: str, other: str, rivalries: dict[str, ReadingConflict], what: str, place: Place
) -> TreinoError:
    (row, cell), (row_2, cell_2) = rivalries[one].examples["first"], rivalries[other].examples["second"]
    facts = {
        "what": what, "one": one, "cell": shorten(cell), "place": place(row),
        "other": other, "item": as_item(other), "cell_2": shorten(cell_2), "place_2": place(row_2),
    }  # fmt: skip
    if which == "day":
        return TreinoError(
            "dates_mixed",
            _(
                "In {what}, column '{one}' holds '{cell}' in {place} and '{cell_2}' in {place_2}: "
                "the day comes first, and the month does."
            ).format(**facts),
            _("Write them alike, or leave the column as text: [[kinds={item}=text]].").format(**facts),
        )
    if one == other:
        message = _("In {what}, column '{one}' holds '{cell}' in {place} and '{cell_2}' in {place_2}: ")
    else:
        message = _(
            "In {what}, column '{one}' holds '{cell}' in {place} and column '{other}' holds '{cell_2}' in "
            "{place_2}: "
        )
    return TreinoError(
        "decimal_mixed",
        message.format(**facts) + _("a decimal point, and a decimal comma."),
        _("Write them alike, or leave a column as text: [[kinds={item}=text]].").format(**facts),
    )


def _open(which: str, name: str, rivalry: ReadingConflict, what: str, place: Place) -> TreinoError:
    row, cell = rivalry.examples["open"]
    facts = {"what": what, "name": name, "cell": shorten(cell), "place": place(row)}
    if which == "day":
        return TreinoError(
            "dates_open",
            _(
                "In {what}, column '{name}' holds '{cell}' in {place}: nothing says whether the day or the "
                "month comes first."
            ).format(**facts),
            _("Say [[dates=day/month]] or [[dates=month/day]]."),
        )
    return TreinoError(
        "decimal_open",
        _(
            "In {what}, column '{name}' holds '{cell}' in {place}: nothing says whether it has decimals or "
            "groups of thousands."
        ).format(**facts),
        _("Say [[decimal=point]] or [[decimal=comma]]."),
    )
