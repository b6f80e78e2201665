"""Decide a file's decimal sign, order of dates and words for missing values, and its columns' types."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from treino.base.errors import TreinoError
from treino.base.text import shortened
from treino.base.words import N_, _
from treino.data.cell_forms import PLAIN, PLAIN_MISSING, DateForm, Form, NumberForm, kind_of_form
from treino.data.readers.cell_types import (
    MOST,
    NEARLY,
    CellStatistics,
    CellType,
    ReadingConflict,
    Verdict,
    digit_order,
)
from treino.data.readers.reader_options import ReaderOptions
from treino.data.table import RowPlace
from treino.settings.setting_types import as_item

Conflicts = dict[str, ReadingConflict]
_DATES = {
    "dmy": N_("dates day/month/year"),
    "mdy": N_("dates month/day/year"),
    "ymd": N_("dates year/month/day"),
    "ydm": N_("dates year/day/month"),
}
_DECIMAL = N_("Say [[decimal=point]] or [[decimal=comma]].")


@dataclass(frozen=True)
class FileConventions:
    """The conventions of a file.

    comma: whether the decimal sign is a comma. day_first: whether the day precedes the month. Both are None
    if no cell depends on it. missing: words for a missing value. open: usual words for a missing value that
    occur in text columns only, where they are classes. nothing: for columns whose words for missing aren't
    NA or the like, these words. grouped: the columns of numbers with a point or comma between the thousands.
    """

    columns: tuple[CellType, ...]
    comma: bool | None
    day_first: bool | None
    missing: tuple[str, ...]
    open: frozenset[str]
    nothing: dict[str, list[str]]
    grouped: tuple[str, ...]


def decide(
    seen: Sequence[CellStatistics], reading: ReaderOptions, what: str, place: RowPlace, *, typed: bool = False
) -> FileConventions:
    """Decide the type of each column.

    what: the name of the file or frame, for messages. place: a function that words the place of a row. typed:
    whether other columns hold numbers that aren't text. Raises TreinoError if columns or cells contradict
    each other, or if all cells fit two notations and ``reading`` chooses none.
    """
    comma = _settle(seen, "decimal", reading, what, place, typed)
    for column in seen:
        _check_groups(column, bool(comma), reading.like, what, place)
    day_first = _settle(seen, "day", reading, what, place)
    decided = [(column, _decision(column, comma, day_first)) for column in seen]
    absent, nothing = set(reading.missing or ()), dict[str, list[str]]()
    for column, decision in decided:
        if decision.holds != "words" and column.present:
            absent |= column.nothing if reading.like is None or reading.missing is None else set()
            if special := sorted(word for word in column.nothing if word.lower() not in PLAIN_MISSING):
                nothing[column.name] = special
    types, text_words = list[CellType](), set[str]()
    for column, decision in decided:
        if decision.holds == "words":
            text_words |= column.nothing
            decision = replace(decision, missing=tuple(sorted(column.nothing & absent)))
        types.append(decision)
    missing, open_words = tuple(sorted(absent)), frozenset(text_words - absent)
    numbers = {decision.name for decision in types if decision.holds == "numbers"}
    grouped = tuple(c.name for c in seen if c.name in numbers and _groups(c, bool(comma)))
    return FileConventions(tuple(types), comma, day_first, missing, open_words, nothing, grouped)


def _settle(
    seen: Sequence[CellStatistics],
    which: str,
    reading: ReaderOptions,
    what: str,
    place: RowPlace,
    typed: bool = False,
) -> bool | None:
    """Whether the decimal sign is a comma, or the day comes first: set by the user or proven by columns.

    typed: whether other columns hold numbers that aren't text, so that text such as 1.101.203 is a code.
    """
    stated = _convention_setting(which, reading)
    conflicts = {column.name: _conflict(column, which) for column in seen}
    verdicts = {name: conflict.verdict for name, conflict in conflicts.items() if conflict.cells}
    if stated is not None:
        return stated
    if which == "decimal":
        for column in seen:
            _check_thousands(column, verdicts, conflicts, what, place)
    if mixed := next((name for name, verdict in verdicts.items() if verdict == "mixed"), None):
        raise _mixed(which, mixed, mixed, conflicts, what, place)
    first, second = ([n for n, verdict in verdicts.items() if verdict == of] for of in ("first", "second"))
    if which == "decimal" and (first or typed):
        codes = {column.name for column in seen if _dotted(column.group((NumberForm,)))}
        second = [name for name in second if name not in codes]
    if first and second:
        if which == "day":
            return None  # every column is unambiguous
        raise _mixed(which, first[0], second[0], conflicts, what, place)
    if first or second:
        return bool(second) if which == "decimal" else bool(first)
    usual = _convention_setting(which, reading.like)  # of the training rows, if these rows don't tell
    for name, verdict in verdicts.items():
        if verdict == "open" and usual is None:
            raise _open(which, name, conflicts[name], what, place)
    return usual if "open" in verdicts.values() else None


def _convention_setting(which: str, reading: ReaderOptions | None) -> bool | None:
    """The user's choice of a decimal comma, or of the day first; None without a choice."""
    value = None if reading is None else reading.decimal if which == "decimal" else reading.dates
    return None if value is None or value.startswith("year") else value in (",", "day/month")


def _conflict(column: CellStatistics, which: str) -> ReadingConflict:
    """The notations of a column's numbers or dates, if the column holds these."""
    group = column.group((NumberForm, DateForm))
    number = bool(group) and isinstance(group[0], NumberForm)
    words = column.as_text or column.coded or column.wanted in ("words", "levels")
    if (
        words
        or not group
        or number != (which == "decimal")
        or column.fitting(group) < NEARLY * column.present
        or _codes(group)
    ):
        return ReadingConflict()
    if isinstance(group[0], DateForm) and not group[0].open:
        return ReadingConflict()
    return column.conflict(group)


def _check_thousands(
    column: CellStatistics, verdicts: dict[str, Verdict], conflicts: Conflicts, what: str, place: RowPlace
) -> None:
    """Refuse 3,142 beside 0.7: as thousands it is far from the other numbers, which have decimals.

    Thousands follow numbers of three digits; without such, some cell must have two signs between its digits.
    """
    verdict = verdicts.get(column.name)
    if verdict not in ("first", "second"):
        return
    forms = [form for form in column.group((NumberForm,)) if isinstance(form, NumberForm)]
    lone = [form for form in forms if form.lone and form.commas == (verdict == "first")]
    others = [form.digits for form in forms if not form.lone and not form.proven]
    if lone and not any(form.proven for form in forms) and max(others, default=3) != 3:
        conflict = conflicts[column.name]
        conflict.examples[{"first": "second", "second": "first"}[verdict]] = next(
            column.forms[form].examples["open"] for form in lone
        )
        raise _mixed("decimal", column.name, column.name, conflicts, what, place)


def _groups(column: CellStatistics, comma: bool) -> tuple[int, str] | None:
    """A cell of a column of numbers, (row, cell), in which points or commas separate thousands; None if there
    is none. comma: whether the decimal sign is a comma."""
    forms = [form for form in column.group((NumberForm,)) if isinstance(form, NumberForm)]
    grouped = (
        form
        for form in forms
        if (form.comma if comma else form.point) and (form.proven or (form.lone and form.commas != comma))
    )
    return next((cell for form in grouped for cell in column.forms[form].examples.values()), None)


def _check_groups(
    column: CellStatistics, comma: bool, like: ReaderOptions | None, what: str, place: RowPlace
) -> None:
    """Refuse 4.105 in new rows if it is 4105 by the decimal sign, but no training row had such groups.

    Such cells may as well have been written with the other decimal sign.
    """
    if like is None or column.wanted not in ("numbers", "whole") or column.name in like.grouped:
        return
    cell_of = _groups(column, comma) if _conflict(column, "decimal").verdict == "open" else None
    if cell_of is None:
        return
    (row, cell), sign = cell_of, "." if comma else ","
    text = _(
        "In {what}, column '{name}' holds '{cell}' in {place}: with decimals, or groups of thousands? No "
        "training row has such groups in this column."
    )
    hint = _("Write '{decimals}' or '{whole}'.").format(
        decimals=shortened(cell.replace(sign, "," if comma else ".")), whole=shortened(cell.replace(sign, ""))
    )
    facts = {"what": what, "name": column.name, "cell": shortened(cell)}
    raise TreinoError("decimal_open", text.format(place=place(row), **facts), hint)


def _codes(group: Sequence[Form]) -> bool:
    """Whether these numbers are codes such as 32E0134: whole, unsigned, with an E between digits."""
    forms = [form for form in group if isinstance(form, NumberForm)]
    kinds = {form.code for form in forms}
    plain = all(form.same and not form.leading and not form.signed and form.affix == PLAIN for form in forms)
    return plain and ("strong" in kinds or kinds == {"weak"})


def _dotted(group: Sequence[Form]) -> bool:
    """Whether all of these numbers are written like 1.101.203: codes, if the decimal sign is a point."""
    return all(isinstance(form, NumberForm) and form.dotted for form in group)


def _decision(column: CellStatistics, comma: bool | None, day_first: bool | None) -> CellType:
    words = CellType(column.name, "words", stated=column.stated)
    if column.as_text or column.coded or column.wanted == "words":
        return words
    if not column.present:
        return replace(words, holds="numbers")
    if column.wanted == "truth" or (column.truth and column.wanted in ("", "levels")):
        return replace(words, holds="truth", spellings=column.spellings)
    if column.durations >= NEARLY * column.present and not column.wanted:
        return replace(words, mostly="duration", examples=tuple(column.odd.items()))
    kinds = {"numbers": (NumberForm,), "dates": (DateForm,)}.get(column.wanted, (NumberForm, DateForm))
    group = column.group(kinds)
    if not group or column.lost:
        return words
    if _codes(group):
        row, code = next(
            column.forms[f].examples["first"] for f in group if isinstance(f, NumberForm) and f.code
        )
        return replace(words, mostly="codes", examples=((code, row),))
    if _dotted(group) and not comma:
        row, code = next(cell for form in group for cell in column.forms[form].examples.values())
        return words if column.wanted else replace(words, mostly="dotted", examples=((code, row),))
    least = 1 if len(kinds) == 1 else NEARLY * column.present
    conflict = column.conflict(group)
    if isinstance(group[0], DateForm):
        typed, fitting = _dates(column, group, conflict, day_first), conflict.either
    else:
        sign = bool(comma) and conflict.same < conflict.cells
        fitting = conflict.second if sign else conflict.first
        typed = _numbers(column, group, sign, fitting < column.present, bool(comma))
    if typed and fitting >= least:
        return replace(typed, stated=column.stated)
    if fitting >= MOST * column.present:
        return replace(words, mostly=kind_of_form(group[0]), examples=tuple(column.odd.items()))
    return words


def _numbers(
    column: CellStatistics, group: Sequence[Form], comma: bool, odd: bool, commas: bool
) -> CellType | None:
    """The type of a column of numbers; None if all are in brackets, unless numbers are wanted. commas:
    whether the file has decimal commas."""
    forms = [form for form in group if isinstance(form, NumberForm)]
    signed = any(form.signed for form in forms)
    notation = {
        forms[0].affix.spoken: forms[0].affix != PLAIN,
        N_("decimal comma"): comma,
        N_("gaps between the thousands"): any(form.gaps for form in forms),
        N_("commas between the thousands"): any(form.commas for form in forms) and not commas,
        N_("brackets or dashes for minus"): signed,
    }
    writing = ", ".join(part for part, there in notation.items() if there)
    words = bool(writing) or column.exact or column.wanted == "levels"
    typed = CellType(column.name, "numbers", forms[0].affix, comma, words=words, writing=writing)
    unsure = all(form.bracketed for form in forms) and column.wanted != "numbers"
    return None if unsure else replace(typed, signed=signed, odd=odd)


def _dates(
    column: CellStatistics, group: Sequence[Form], conflict: ReadingConflict, day_first: bool | None
) -> CellType | None:
    """The type of a column of dates; None if its order of day and month isn't known, or isn't the file's."""
    form = max((form for form in group if isinstance(form, DateForm)), key=lambda one: one.time)
    verdict = conflict.verdict if form.open else "same"
    own = {"first": True, "second": False, "same": True, "open": day_first}.get(verdict)
    if own is None or not conflict.either or (verdict != "same" and day_first not in (None, own)):
        return None
    order = digit_order(form, own, column.dates)
    unusual = verdict != "same" or form.order == "short named" or order in ("ydm", "y d")
    writing = _DATES[order.replace(" ", "m")] if unusual else ""
    odd = (conflict.first if own else conflict.second) < column.present
    return CellType(column.name, "dates", form=form, order=order, writing=writing, odd=odd)


def _mixed(which: str, one: str, other: str, conflicts: Conflicts, what: str, place: RowPlace) -> TreinoError:
    (row, cell), (row_2, cell_2) = conflicts[one].examples["first"], conflicts[other].examples["second"]
    place_2 = place(row_2)
    if other != one:
        place_2 = _("{place}, in column '{name}'").format(place=place_2, name=other)
    text = _(
        "In {what}, column '{name}' holds '{cell}' in {place} and '{cell_2}' in {place_2}: a decimal "
        "point, and a decimal comma."
    )
    if which == "day":
        text = _(
            "In {what}, column '{name}' holds '{cell}' in {place} and '{cell_2}' in {place_2}: the day comes "
            "first, and the month does."
        )
    facts = {"what": what, "name": one, "cell": shortened(cell), "cell_2": shortened(cell_2)}
    message = text.format(place=place(row), place_2=place_2, **facts)
    hint = _("Write them alike, or leave the column as text: [[kinds={item}=text]].")
    hint = hint.format(item=as_item(other))
    if which == "day":
        return TreinoError("dates_mixed", message, hint)
    return TreinoError("decimal_mixed", message, f"{hint} {_(_DECIMAL)}")


def _open(which: str, name: str, conflict: ReadingConflict, what: str, place: RowPlace) -> TreinoError:
    row, cell = conflict.examples["open"]
    rule, hint = "decimal_open", _(_DECIMAL)
    text = _("In {what}, column '{name}' holds '{cell}' in {place}: with decimals, or groups of thousands?")
    if which == "day":
        rule, hint = "dates_open", _("Say [[dates=day/month]] or [[dates=month/day]].")
        text = _(
            "In {what}, column '{name}' holds '{cell}' in {place}: does the day or the month come first?"
        )
    codes = _("If these are codes: [[kinds={item}=category]].").format(item=as_item(name))
    message = text.format(what=what, name=name, cell=shortened(cell), place=place(row))
    return TreinoError(rule, message, f"{hint} {codes}")
