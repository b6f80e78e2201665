"""Tell the kind of a column: number, boolean, category, date, identifier, row number, text, constant."""

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from treino.base.errors import Refusal, nearest
from treino.base.text import shortened
from treino.base.words import _, joined
from treino.data.cell_forms import (
    PLAIN,
    PROGRAM_TRUTH,
    DateForm,
    form_of,
    missing,
    number_form_of,
    truth_of,
    year_range,
)
from treino.data.preparation.texts import unspaced
from treino.data.preparation.ways import WAYS, Kind
from treino.data.table import Column, RowPlace, Table, number, plain

KIND_UNKNOWN = Refusal("There is no kind '{kind}' for column '{name}'.", "{hint}")
KIND_DATE = Refusal(
    "Column '{name}' can't be a date: its cells are no dates of one format, e.g. '{cell}'.",
    "Write dates as 2024-12-31, or say how they are written with [[dates]].",
)
LEVELS_TWICE = Refusal(
    "The classes of '{name}' are not all different: {levels}.",
    "Name each once, from the lowest to the highest: small<medium<large.",
    rule="kind_levels",
)
LEVELS_LACKING = Refusal(
    "Column '{name}' holds '{cell}' in {place}, which is not among {levels}.",
    "Name every class, from the lowest to the highest.",
    rule="kind_levels",
)

FEW_AGAIN = 0.1  # at most this share of a key's cells hold a value that returns, as rows given twice do

_NAME_OF_IDENTIFIER = re.compile(
    r"(^|_|\s)(id|ids|uuid|guid|key|cpf|cnpj|rg|cep|matr[ií]cula|unnamed: 0)$|"
    r"^((row|line|sample|record|case|item|df|obs|original|old)[ _.]?)?(index|idx)$|"
    r"^row[ _.]?(names?|id|n|no|num|number)$",
    re.IGNORECASE,
)
_NAME_OF_ORDER = re.compile(
    r"(^|[^a-z])(t|time|step|second|minute|hour|day|week|month|quarter|year|age|tempo|passo|dia|semana|m[eê]s|"
    r"trimestre|ano|idade|rank|ranking|posto)s?($|[^a-z])",
    re.IGNORECASE,
)  # a row number with such a name may be a time or a rank, along which the target changes
_BRAZILIAN = re.compile(r"\d{3}\.\d{3}\.\d{3}-\d{2}|\d{2}\.\d{3}\.\d{3}/\d{4}-\d{2}|\d{5}-\d{3}", re.ASCII)
_LEADING_ZERO = re.compile(r"0\d+", re.ASCII)
_DIGITS = re.compile(r"\d+", re.ASCII)
_WORD = re.compile(r"[^\W\d_]+")
MOST_SENTENCES = 256  # so many different sentences may be classes, such as answers of a questionnaire
SENTENCES_READ = 500


@dataclass(frozen=True)
class ColumnRole:
    """The role of a column. kind: its type. way: an entry of ``WAYS``; ``category``: one-hot or hashed, by
    its classes; ``out``: unused. levels: the ordered classes of a rank."""

    kind: Kind
    way: str
    levels: tuple[str, ...] = ()


def kind(column: Column) -> Kind:
    """The type of a column, detected from its cells that aren't missing.

    constant: a single value. identifier: values that hardly ever return and are CPF, CNPJ and CEP numbers,
    codes with leading zeros, whole numbers so large that some share a float64, or look like a key by the
    column's name or their own. category: such codes that return, and text in which at least half of the cells
    occur more than once.
    """
    if column.constant:
        return "constant"
    if column.boolean:
        return "boolean"
    if column.categories:
        return "category"
    count = _counts(column)
    cells = count.total()
    if count and _DIGITS.match(next(iter(count))):
        padded = any(map(_LEADING_ZERO.fullmatch, count)) and all(map(_DIGITS.fullmatch, count))
        if padded or all(map(_BRAZILIAN.fullmatch, count)):
            return _kind_of_codes(count)
    if column.seconds is not None:
        return "date"
    if column.numbers is not None:
        if _told_apart_by_digits_alone(column):
            return _kind_of_codes(count)
        return "identifier" if _is_key(column) else "number"
    if not count:
        return "constant"
    if _mostly(count, _numeric, 0.9) and not any(form.code for form in map(number_form_of, count) if form):
        return "number"
    if _mostly(count, lambda word: isinstance(form_of(word), DateForm) and not year_range(word), 0.9):
        return "date"
    if len(count) == cells > 1:
        key = _NAME_OF_IDENTIFIER.search(column.name) or _mostly(count, _like_a_code, 1.0)
        return "identifier" if key else "text"
    if 2 * sum(n for n in count.values() if n > 1) >= cells:
        return "text" if len(count) > MOST_SENTENCES and reads_as_prose(count) else "category"
    return "text"


def _counts(column: Column) -> Counter[str]:
    """The count of each word that isn't a missing value; empty for a column without words."""
    if column.words is None:
        return Counter()
    count = Counter(column.words.tolist())
    absent = {""}
    if column.values is None:
        absent |= set(filter(missing, count))
    else:
        absent |= set(column.words[np.isnan(column.values)].tolist())
    for word in absent:
        count.pop(word, None)
    return count


def reads_as_prose(words: Iterable[str]) -> bool:
    """Whether these are sentences and not names, titles, addresses or codes: some words in each, most of them
    in lower case; more words if the script or the writer has hardly any; and more if most have digits.

    A letter of a script without blanks between words counts as half a word.
    """
    sampled = list(words)
    sampled = sampled[:: max(1, len(sampled) // SENTENCES_READ)]
    total = small = capital = digits = 0
    for text in sampled:
        for word in _WORD.findall(text):
            total += max(2, sum(map(unspaced, word)))
            small += word[0].islower()
            capital += word[0].isupper()
        digits += any(map(str.isdigit, text))
    mean = total / 2 / max(1, len(sampled))
    if mean >= 15:
        return True
    least = 5 if small > capital or not capital else 8 if 20 * small < capital else 15
    return mean >= least and digits < 0.8 * len(sampled)


def _mostly(count: Counter[str], like: Callable[[str], bool], share: float) -> bool:
    """Whether ``like`` is true for at least this share of the cells; stops early if it can't be."""
    left = (1 - share) * count.total()
    for word, n in count.items():
        if not like(word):
            left -= n
            if left < 0:
                return False
    return True


def _numeric(word: str) -> bool:
    form = number_form_of(word)
    return form is not None and not form.dotted


def _like_a_code(word: str) -> bool:
    return any(c.isdigit() for c in word) and not any(c.isspace() for c in word)


def _kind_of_codes(count: Counter[str]) -> Kind:
    return "category" if _come_again(count.values()) else "identifier"


def _come_again(counts: Iterable[int]) -> bool:
    """Whether values do more than tell rows apart: more than a few cells hold one that other cells hold, too.

    counts: how many cells hold each value.
    """
    count_V = np.fromiter(counts, np.int64)
    return bool(count_V[count_V > 1].sum() > FEW_AGAIN * count_V.sum())


def _told_apart_by_digits_alone(column: Column) -> bool:
    """Whether different whole numbers of the column share a float64."""
    whole = column.whole_words
    if whole is None:
        return False
    assert column.numbers is not None
    return len(set(whole) - {""}) > len(np.unique(column.numbers[~column.missing_N]))


def _is_key(column: Column) -> bool:
    """Whether the column has an identifier's name, and whole numbers that hardly ever return."""
    if not _NAME_OF_IDENTIFIER.search(column.name):
        return False
    assert column.numbers is not None
    values = column.numbers[~column.missing_N]
    if not np.isfinite(values).all() or not (values == np.floor(values)).all():
        return False
    whole = column.whole_words
    cells = values if whole is None else whole[whole != ""]
    return not _come_again(np.unique(cells, return_counts=True)[1])


def numbers_rows(column: Column, row_N: NDArray[np.int64]) -> bool:
    """Whether the cells are consecutive whole numbers, and the column isn't named like a time or a rank.

    row_N: the row numbers, from 0, of which some may be left out.
    """
    numbers = column.numbers
    if numbers is None or column.boolean or len(numbers) < 10 or _NAME_OF_ORDER.search(column.name):
        return False
    in_order = numbers[0] == np.floor(numbers[0]) and (numbers - row_N == numbers[0] - row_N[0]).all()
    return bool(in_order) or is_row_number(column)


def is_row_number(column: Column) -> bool:
    """Whether the cells are consecutive whole numbers, in any order."""
    numbers = column.numbers
    if numbers is None or len(numbers) < 10 or not np.isfinite(numbers).all():
        return False
    least, most = float(numbers.min()), float(numbers.max())
    if not least.is_integer() or least + len(numbers) - 1 != most:  # the common case needs no sorting
        return False
    return bool((np.diff(np.sort(numbers)) == 1).all())


def choose(column: Column, request: str | None, named: bool, place: RowPlace) -> ColumnRole:
    """The role of a column.

    request: the column's entry in ``--kinds``. named: whether ``--features`` lists the column, which is then
    used whatever it holds. Raises TreinoError if the cells don't fit the request.
    """
    if request is not None:
        return _requested_kind(column, request.strip(), place)
    column_kind = kind(column)
    if column_kind == "text" and column.words is not None and reads_as_prose(_counts(column)):
        return ColumnRole("text", "text")
    if column_kind in ("identifier", "text", "constant"):
        way = "category" if column.numbers is None or column_kind == "identifier" else "number"
        return ColumnRole(column_kind, way if named else "out")
    if column_kind == "category" and column.ordered:
        return ColumnRole("category", "rank", column.categories)
    ways: dict[Kind, str] = {"category": "category", "date": "time" if column.clock else "date"}
    return ColumnRole(column_kind, ways.get(column_kind, "number"))


def _requested_kind(column: Column, request: str, place: RowPlace) -> ColumnRole:
    if "<" in request:
        return _ranked(column, tuple(level.strip() for level in request.split("<")), place)
    if request == "date" and column.seconds is None:
        raise KIND_DATE(name=column.name, cell=shortened(column.cell(0)))
    roles: dict[str, tuple[Kind, str]] = {
        **{name: (name, "number") for name in ("number", "boolean")},
        **{name: ("category", name) for name in ("category", "one-hot", "hashed")},
        "date": ("date", "time" if column.clock else "date"),
        "identifier": ("identifier", "out"),
        "text": ("text", "text"),
        "out": (kind(column), "out"),
    }
    way = WAYS.find(request)
    if request not in roles and (way is None or way.asked != request):
        ordered = _("Ordered classes are written small<medium<large.")
        raise KIND_UNKNOWN(
            kind=request, name=column.name, hint=joined([nearest(request, roles), ordered], " ")
        )
    return ColumnRole(*roles.get(request) or (WAYS[request].kind, request))


def holds_truth(column: Column, role: ColumnRole) -> bool:
    """Whether the cells of a column that becomes a number are truth values."""
    return role.kind == "boolean" or (column.boolean and role.kind != "number")


def _ranked(column: Column, levels: tuple[str, ...], place: RowPlace) -> ColumnRole:
    if len(set(levels)) != len(levels) or "" in levels:
        raise LEVELS_TWICE(name=column.name, levels=" < ".join(levels))
    known = set(levels)
    for row, word in enumerate(level_cells(column, by_value(column))):
        if word and word not in known:
            raise LEVELS_LACKING(
                name=column.name, cell=shortened(word), place=place(row), levels=" < ".join(levels)
            )
    return ColumnRole("category", "rank", levels)


def by_value(column: Column) -> bool:
    """Whether the column's classes are its numbers; else they are its words: 3.10 and 3.1, or whole numbers
    from 2^53 on, of which float64 doesn't tell all apart."""
    numeric = column.numbers is not None and not column.boolean and not column.categories
    return numeric and column.odd is None and not column.spelled and not column.merges


def level_codes(levels: Sequence[str], words: NDArray[np.object_]) -> NDArray[np.int64]:
    """``[N]``: the place of each word among the levels, -1 for others.

    A number that is no level is the only level of the same value, as a new file may be written otherwise; and
    a truth value is the level of two that means the same: TRUE, yes or 1 where training rows had true.
    """
    known = {level: place for place, level in enumerate(levels)}
    if others := set(words) - known.keys():
        values = Counter(value for value in map(level_value, levels) if value is not None)
        of_value = {v: k for k, v in enumerate(map(level_value, levels)) if v is not None and values[v] == 1}
        for word in others:
            if (place := of_value.get(level_value(str(word)))) is not None:  # type: ignore[arg-type]
                known[word] = place
        truths = [truth_of(level) for level in levels]
        if sorted(truths, key=str) == [0.0, 1.0]:
            known |= {word: truths.index(truth_of(word)) for word in others if truth_of(word) is not None}
    return np.fromiter((known.get(word, -1) for word in words), dtype=np.int64, count=len(words))


def level_value(word: str) -> float | None:
    """The number that a class is named by, with either decimal sign; None for a code and other words. A
    whole number of many digits is an ``int``, because as ``float`` it would equal others."""
    form = number_form_of(word)
    if form is None or form.code or form.affix != PLAIN:
        return None
    if form.exact:
        return int(word)
    return number(word if form.point else word.replace(",", "."))


def in_value_order(names: Iterable[str]) -> list[str]:
    """The names, numbers by their value if all are numbers, else by the alphabet."""
    names = sorted(names)
    values = [level_value(name) for name in names]
    return names if None in values else [name for _v, name in sorted(zip(values, names, strict=True))]


def spellings(names: Iterable[str]) -> list[list[str]]:
    """Names that differ only in case, spaces, accents or what can't be seen, or are equal numbers:
    [[No, NO, no], [São Paulo, Sao  Paulo], [1, 1.0]]."""
    alike: dict[object, list[str]] = {}
    for name in names:
        value = level_value(name)
        key = _plain_letters(_one_case(_seen(name))) if value is None else value
        alike.setdefault(key, []).append(name)
    return [same for same in alike.values() if len(same) > 1]


def _seen(name: str) -> str:
    """The name as it looks: accents in one form, no characters without a shape."""
    if name.isascii():
        return name
    name = unicodedata.normalize("NFC", name)
    return "".join(letter for letter in name if unicodedata.category(letter) != "Cf")


def _one_case(name: str) -> str:
    return " ".join(name.casefold().split())


def _plain_letters(name: str) -> str:
    """The name without the accents of its letters; marks of other scripts stay."""
    if name.isascii():
        return name
    letters = unicodedata.normalize("NFD", name)
    return unicodedata.normalize("NFC", re.sub("[\u0300-\u036f]", "", letters))


def say_alike(alike: Sequence[Sequence[str]], names: str) -> tuple[str, str]:
    """Return (message, hint) on classes that are spelled in several ways. alike: what ``spellings`` returned.
    names: these as text."""
    how: dict[str, bool] = dict.fromkeys(["case", "accents", "seen", "number"], False)
    for same in alike:
        if level_value(same[0]) is not None:
            how["number"] = True
            continue
        looks = set(map(_seen, same))
        plain_case = set(map(_one_case, looks))
        how["seen"] |= len(looks) < len(same)
        how["case"] |= len(plain_case) < len(looks)
        how["accents"] |= len(plain_case) > 1
    words = {
        "case": _("case or spaces"),
        "accents": _("accents"),
        "seen": _("what can't be seen"),
        "number": _("how a number is written"),
    }
    differences = joined([words[name] for name, there in how.items() if there], _(" or "))
    text = _("Spellings that differ only in {how}, each a class of its own: {names}.")
    return text.format(how=differences, names=names), _("If they mean the same, write them alike.")


def level_cells(column: Column, numeric: bool | None = None) -> NDArray[np.object_]:
    """``[N]`` str: the class of each cell, "" if it is missing.

    numeric: whether classes are numbers; then 1, 01 and 1.0 are one class. None: as the column's cells are.
    True and false, whose case has no meaning, are in lower case.
    """
    if column.boolean and column.words is not None:
        lower = {word: word.lower() for word in set(column.words)}
        if any({*lower.values()} - {""} <= pair for pair in PROGRAM_TRUTH):
            return np.array([lower[word] for word in column.words], dtype=object)
    if numeric is None:
        numeric = column.numbers is not None and not column.boolean
    if numeric and (whole := column.whole_words) is not None:
        return whole
    if column.words is not None and not (numeric and not column.boolean):
        return np.where(column.missing_N, "", column.words) if column.missing_N.any() else column.words
    if column.numbers is not None:
        distinct, inverse = np.unique(column.numbers, return_inverse=True)
        names = ["" if np.isnan(value) else plain(float(value)) for value in distinct]
        return np.array(names, dtype=object)[inverse.reshape(-1)]
    if column.words is None:
        return np.array([column.cell(row) for row in range(len(column))], dtype=object)
    values = map(number, column.words)
    pairs = zip(column.words, values, strict=True)
    return np.array([word if value is None else plain(value) for word, value in pairs], dtype=object)


def unit_cells(column: Column, table: Table) -> NDArray[np.object_]:
    """``[N]`` str: what a column says of each row whose words decide about rows, "" only where it says
    nothing: a cell unlike the others, such as a code among numbers or a word among dates, is its word."""
    cells = level_cells(column)
    if column.values is None or column.words is None:
        return cells
    words_K = set(column.words[cells == ""].tolist())
    stated = (table.reading.missing if table.reading is not None else None) or ()
    said = [word for word in words_K if not missing(word) and word not in stated]
    return np.where((cells == "") & np.isin(column.words, said), column.words, cells) if said else cells
