"""Losses, accuracies, epochs and steps in the lines that a training script prints.

A number counts only where the words around it leave no doubt: it follows the name of a figure directly, and
no word before the name makes it another one (the best so far, a weight of a loss, one class's accuracy).
"""

import ast
import json
import math
import re
import unicodedata
from collections.abc import Iterable, Mapping
from typing import Any, Literal, NamedTuple

Split = Literal["train", "validation", "test"]
Name = Literal["loss", "accuracy"]

NAMES: dict[str, Name] = {
    **dict.fromkeys(("loss", "losses", "perda", "custo"), "loss"),
    **dict.fromkeys(("accuracy", "acc", "acuracia"), "accuracy"),
}
SPLITS: dict[str, Split] = {
    **dict.fromkeys(("train", "training", "trn", "treino", "treinamento"), "train"),
    **dict.fromkeys(
        ("val", "valid", "validation", "validate", "dev", "eval", "evaluate", "evaluation"), "validation"
    ),
    **dict.fromkeys(("validacao", "validar", "avaliacao", "avaliar"), "validation"),
    **dict.fromkeys(("test", "testing", "teste", "testar"), "test"),
}
NEUTRAL = set(
    re.findall(
        r"\w+",
        "avg average mean media medio running total overall final current atual epoch epoca set score top "
        "data a an the and with is was of on in at after this model network e o com de da do na no ao em "
        "foi apos modelo rede images imagens examples samples rows dataset conjunto dados exemplos linhas",
    )
)
# words after which a line speaks of another figure than the present one
OTHERS = set(
    re.findall(
        r"\w+",
        "best melhor min max minimum maximum lowest highest previous prev last initial target goal meta "
        "threshold limite limiar baseline chance random improved improvement melhorou patience difference "
        "diff delta early",
    )
)
LONGEST = 2000  # maximum number of characters of a line that are read
COUNTED = {"ep", "step", "passo", "iter", "iteration", "iteracao"}
COLUMNS = 64  # maximum number of columns of a table
PORTUGUESE = {"perda", "custo", "acuracia", "epoca", "treino", "validacao", "passo", "teste"}

_TOKEN = re.compile(
    r"(?P<word>[^\W\d_][^\W_]*(?:[_/.@-][^\W_]+|_+)*)"
    r"|(?P<number>(?<![\w.,])[-+−]?(?:\d+(?:[.,]\d+)*|\.\d+)(?:[eE][-+]?\d+)?)(?P<percent>\s?%)?"
    r"|(?P<boundary>[|;│┃║]|(?<=\s)[-–—](?=\s))"
    r"|(?P<sign>\S)"
)
_PARTS = re.compile(r"[_/.@\-]+|(?<=[a-z])(?=[A-Z])|(?<=[A-Za-z])(?=\d)")
_COUNT = r"\s*[:#=]?\s*[\[(]?\s*(\d{1,12})(?:\s*(?:/|\bof\b|\bde\b)\s*(\d{1,12}))?(?![\d.]*\s*%)"
_EPOCH = re.compile(r"\b(?:epoch|ep|[ée]poca)['\"]?" + _COUNT, re.IGNORECASE)
_STEP = re.compile(
    r"\b(?:global[_ ]step|step|iter(?:ation)?|passo|itera[çc][ãa]o)['\"]?" + _COUNT, re.IGNORECASE
)
_RULE = re.compile(r"[\s|+\-=:─━│┃┼╋═╪║├┤┌┐└┘╔╗╚╝╠╣┏┓┗┛┡┩]*")


class PrintedFigure(NamedTuple):
    """A figure as a script prints it.

    split: its rows; None if the line doesn't say. unit: the value of 1 in the last printed digit.
    """

    name: Name
    split: Split | None
    value: float
    unit: float


class Count(NamedTuple):
    """The number of an epoch or a step, and how many there will be, if that is printed, too."""

    number: int
    total: int | None


class PrintedLine(NamedTuple):
    """The contents of a printed line."""

    figures: tuple[PrintedFigure, ...] = ()
    epoch: Count | None = None
    step: Count | None = None


class PrintedFigures:
    """Reads the lines of one stream, one after the other: a table's head tells what its rows mean."""

    def __init__(self) -> None:
        self._head: list[str] = []
        self._divider = ""
        self._percents: set[Split | None] = set()  # whose accuracies are printed as 91.2, without a sign

    def read(self, line: str) -> PrintedLine:
        """The figures, the epoch and the step in a line."""
        line = line.rpartition("\r")[2].strip()  # a bar of progress writes over itself
        if not line or len(line) > LONGEST:
            return PrintedLine()
        found = _object(line)
        if found is None:
            found = self._row(line)
        if found is not None:
            figures = [figure for key, text in found.items() if (figure := _named(key, text))]
            line = " ".join(f"{key} {text}" for key, text in found.items())
        else:
            figures = _sentence(line)
        return PrintedLine(self._complete(figures), _count(_EPOCH, line), _count(_STEP, line))

    def _complete(self, figures: Iterable["_Reading"]) -> tuple[PrintedFigure, ...]:
        """The figures, with accuracies as shares.

        Where a line names a held-out figure, one of the same name without a split is the training rows', as
        Keras prints it.
        """
        readings = list(figures)
        held_out = {each.name for each in readings if each.split in ("validation", "test")}
        complete: dict[tuple[Name, Split | None], PrintedFigure] = {}
        for name, split, value, unit, percent in readings:
            if split is None and name in held_out:
                split = "train"
            if name == "accuracy":
                if not percent and value > 1:
                    self._percents.add(split)
                if percent or split in self._percents:
                    value, unit = value / 100, unit / 100
                if not 0 <= value <= 1:
                    continue
            complete[name, split] = PrintedFigure(name, split, value, unit)
        return tuple(complete.values())

    def _row(self, line: str) -> dict[str, str] | None:
        """A row of the table whose head was printed before; None if the line is no row."""
        if _RULE.fullmatch(line):
            return None
        if self._head:
            cells = _cells(line, self._divider)
            if len(cells) != len(self._head) and self._divider == "  ":
                cells = line.split()
            counts = all(re.search(r"\d|^[-–—]*$|^nan$|^inf$", cell) for cell in cells)
            if len(cells) == len(self._head) and counts and re.match(r"[-+\d.]", cells[0]):
                return dict(zip(self._head, cells, strict=True))
        if not re.search(r"\d", line):
            self._head, self._divider = _head(line)
        return None


class _Reading(NamedTuple):
    name: Name
    split: Split | None
    value: float
    unit: float
    percent: bool


def words_of(text: str) -> list[str]:
    """The words of a text or a name, in small letters without accents: two in ``valLoss``."""
    plain = "".join(c for c in unicodedata.normalize("NFD", text) if not unicodedata.combining(c))
    return [part.lower() for word in re.findall(r"[\w/.@-]+", plain) for part in _PARTS.split(word) if part]


def split_of(text: str) -> Split | None:
    """The split that a line of code names, if it names only one."""
    words = (word for word in words_of(text) if not word.startswith(("eval", "avali")))  # of any rows
    splits = {SPLITS[word] for word in words if word in SPLITS}
    return splits.pop() if len(splits) == 1 else None


def _name_of(word: str) -> tuple[Name, Split | None] | None:
    """The figure and the split that a printed word names, or None if a part of it names something else."""
    parts = words_of(word)
    names = {NAMES[part] for part in parts if part in NAMES}
    splits = {SPLITS[part] for part in parts if part in SPLITS}
    if len(names) != 1 or len(splits) > 1:
        return None
    name = names.pop()
    known = all(
        part in NAMES or part in SPLITS or part in NEUTRAL or (part == "1" and name == "accuracy")
        for part in parts
    )
    return (name, splits.pop() if splits else None) if known else None


def _named(key: str, text: str) -> _Reading | None:
    """The figure of a column or of a key, whose value is ``text``."""
    joined = "_".join(key.split())
    matched = re.fullmatch(r"([-+]?[\d.,]+(?:[eE][-+]?\d+)?)\s*(%?)", text.strip())
    if (found := _name_of(joined)) is None or matched is None:
        return None
    value = _value(matched[1], portuguese=bool(PORTUGUESE & {*words_of(joined)}))
    percent = bool(matched[2]) or key.rstrip().endswith("%")
    return None if value is None else _Reading(*found, *value, percent)


def _sentence(line: str) -> list[_Reading]:
    """The figures in a line of words and numbers."""
    tokens = list(_TOKEN.finditer(line))
    portuguese = bool(PORTUGUESE & {*words_of(line)})
    readings: list[_Reading] = []
    of_line: Split | None = None  # of a word that stands before all figures, as in "Validation: loss …"
    of_segment: Split | None = None
    before: list[str] = []  # words directly before
    other = False
    for k, token in enumerate(tokens):
        word = token["word"]
        if word is None:
            before = []
            if token["boundary"]:
                of_segment, other = None, False
            continue
        parts = words_of(word)
        other = other or any(part in OTHERS for part in parts)
        named = _name_of(word)
        if named is None:
            splits = {SPLITS[part] for part in parts if part in SPLITS}
            if len(splits) == 1 and all(part in SPLITS or part in NEUTRAL for part in parts):
                of_segment = splits.pop()
                of_line = of_line if readings else of_segment
            before += parts
            continue
        name, own = named
        plain = all(part in SPLITS or part in NEUTRAL or part in ("1", "top") for part in before)
        before = []
        found = _after(line, tokens, k + 1, name, portuguese)
        if found is None or other or not plain:
            continue
        value, unit, percent, later = found
        of_segment = own or later or of_segment
        readings.append(_Reading(name, of_segment or of_line, value, unit, percent))
    return readings


def _after(
    line: str, tokens: list[re.Match[str]], k: int, name: Name, portuguese: bool
) -> tuple[float, float, bool, Split | None] | None:
    """The number that follows a name: (value, unit of its last digit, whether in percent, its split)."""
    split: Split | None = None
    words = 0
    while k < len(tokens):
        token = tokens[k]
        following = tokens[k + 1] if k + 1 < len(tokens) else None
        if token["word"]:
            parts = words_of(token["word"])
            if not all(part in NEUTRAL or part in SPLITS for part in parts):
                return None
            split = next((SPLITS[part] for part in parts if part in SPLITS), split)
            words += 1
        elif token["number"]:
            if words and following is not None and following["word"]:  # "on the 10000 test images: 55 %"
                k += 1
                continue
            return _number(line, tokens, k, name, portuguese, split)
        elif token["boundary"]:
            cell = token["boundary"] in "|│┃║" and following is not None and following["number"]
            end = tokens[k + 2]["boundary"] if k + 2 < len(tokens) else "|"
            if not cell or not end:
                return None
        elif token["sign"] not in (":=()'\"[" if words else ":=('\"["):
            return None
        k += 1
    return None


def _number(
    line: str, tokens: list[re.Match[str]], k: int, name: Name, portuguese: bool, split: Split | None
) -> tuple[float, float, bool, Split | None] | None:
    """The value of a number, unless the text after it makes it part of something else."""
    token = tokens[k]
    value, percent = _value(token["number"], portuguese), bool(token["percent"])
    rest = line[token.end() :]
    fraction = re.match(r"\s*/\s*(\d+)(?![\w.,])", rest)
    if fraction and name == "accuracy" and value is not None and value[0] <= int(fraction[1]) > 1:
        return value[0] / int(fraction[1]) * 100, 1e-7, True, split
    if value is None or re.match(r"[\w:/*^~]|\s*[/*^]|[-–+]\d|\s*->|\s*→|\.\.", rest):
        return None
    return *value, percent, split


def _value(text: str, portuguese: bool) -> tuple[float, float] | None:
    """A number as it is typed, and the unit of its last digit; None where a comma could mean two things."""
    text = text.replace("−", "-")
    whole, comma, decimals = text.partition(",")
    if comma:
        digits = re.match(r"\d*", decimals)
        thousands = digits is not None and len(digits[0]) == 3 and whole.strip("-+0")
        if "," in decimals or "." in whole or ("." in decimals and not thousands):
            return None
        if thousands and not portuguese and "." not in decimals:
            return None
        text = whole + decimals if "." in decimals else f"{whole}.{decimals}"
    try:
        value = float(text)
    except ValueError:
        return None
    mantissa, _e, exponent = text.lower().partition("e")
    unit = 10.0 ** (int(exponent or 0) - len(mantissa.partition(".")[2]))
    return (value, unit) if math.isfinite(value) else None


def _object(line: str) -> dict[str, str] | None:
    """The numbers in a line of JSON, or in a Python dict, by their keys; inner keys are joined by a slash."""
    start = line.find("{")
    if start < 0 or not line.endswith("}"):
        return None
    for read in (json.loads, ast.literal_eval):
        try:
            value = read(line[start:])
        except (ValueError, SyntaxError, MemoryError, RecursionError, TypeError):
            continue
        return dict(_flat(value)) if isinstance(value, dict) else None
    return None


def _flat(value: Mapping[Any, Any], prefix: str = "") -> Iterable[tuple[str, str]]:
    for key, each in value.items():
        if isinstance(each, Mapping):
            yield from _flat(each, f"{prefix}{key}/")
        elif isinstance(each, (int, float)) and not isinstance(each, bool):
            yield f"{prefix}{key}", repr(each)


def _head(line: str) -> tuple[list[str], str]:
    """The columns of a table and what divides them, if a line is its head; else ([], "")."""
    for divider in ("|", "│", "┃", "\t", ",", "  ", " "):
        cells = _cells(line, divider)
        figures = [cell for cell in cells if _name_of("_".join(cell.rstrip("% ").split()))]
        if 2 <= len(cells) <= COLUMNS and len({*cells}) == len(cells) and figures:
            short = all(len(cell.split()) <= 4 for cell in cells)
            first = [*words_of(cells[0]), ""][0]
            plain = divider != " " or first in {*NAMES, *SPLITS, *NEUTRAL, *COUNTED}
            return (cells, divider) if short and plain else ([], "")
    return [], ""


def _cells(line: str, divider: str) -> list[str]:
    if divider == " ":
        return line.split()
    if divider == "  ":
        return re.split(r"\s{2,}", line.strip())
    return [cell.strip() for cell in line.strip().strip(divider).split(divider)]


def _count(pattern: re.Pattern[str], line: str) -> Count | None:
    matched = pattern.search(line)
    if matched is None:
        return None
    number, total = int(matched[1]), matched[2] and int(matched[2])
    return Count(number, total if total and number <= total else None)
