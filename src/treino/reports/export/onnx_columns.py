"""Columns' programs in ONNX: for each operation one function. https://onnx.ai/onnx/operators/

Between the steps a number is ``[N, 1]`` float64, NaN where it is missing; a word is ``[N]`` text, or a
number if words are numbers.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import TensorProto, numpy_helper

from treino.data.column_program import ColumnProgram
from treino.data.operations import DAY, ColumnStep
from treino.data.preparation.interpreter import UNKNOWN, in_buckets
from treino.data.preparation.texts import letter_table
from treino.reports.export.onnx_values import DOUBLE, LEARNT, RUNTIME, OnnxGraph, Value, value_info

BLANKS = r"[\t-\r\x1c-\x1f\x{85}\pZ]*"  # blanks that Arrow strips from a cell, in RE2's syntax
MOST_MATCHED = (
    256  # words that are searched one by one, between any blanks; more are looked up between spaces
)
DAYS_TO_ERA, ERA = 719468, 146097  # proleptic Gregorian days: 0000-03-01 to 1970-01-01; in 400 years


def looked_up(program: ColumnProgram) -> bool:
    """Whether only spaces around the column's words are left out, and no other blanks."""
    return not program.numeric and (program.measure == "length" or len(program.words) > MOST_MATCHED)


def form_of(program: ColumnProgram) -> str:
    """Describe what the column's input holds."""
    if program.measure == "seconds":
        return f"seconds since {'midnight' if program.clock else '1970-01-01 (UTC)'}, NaN: missing"
    if program.measure == "number" or program.numeric:
        return f"{'truth value (0, 1)' if program.truth else 'number'}, NaN: missing"
    blanks = "spaces" if looked_up(program) else "blanks"
    return f'text, {blanks} around it are left out, "": missing'


def fed(program: ColumnProgram, cells_N: NDArray[Any]) -> NDArray[Any]:
    """Return cells that were read as the model takes them, texts with blanks around them, as a file may
    have."""
    if cells_N.dtype != object:
        return cells_N
    if program.numeric:
        return np.array([float(word) if word not in ("", UNKNOWN) else np.nan for word in cells_N])
    blanks = "  " if looked_up(program) else " \t"
    return np.array([f" {word}{blanks}" for word in cells_N], object)


def column_inputs(graph: OnnxGraph, program: ColumnProgram) -> Value:
    """Return ``[N, K]`` float64: a column's raw inputs."""
    text = program.reader.do == "word" and not program.numeric
    cells = graph.input(program.column, TensorProto.STRING if text else DOUBLE)
    column = OnnxColumn(graph, program, cells)
    made = [cells if text else cells.column()]
    for step in program.steps[1:]:
        made.append(EMITTERS[step.do](column, step, made[step.of]))
    shown = [made[k] for k in program.shown]
    return shown[0] if len(shown) == 1 else shown[0].put("Concat", *shown[1:], axis=1)


@dataclass(frozen=True, eq=False)
class OnnxColumn:
    """A column in the graph. cells: its input."""

    graph: OnnxGraph
    program: ColumnProgram
    cells: Value

    def spellings(self, words: Sequence[str], word: str) -> list[str]:
        """Return how cells of a class are written: missing ones also as the table's words for nothing, true
        also as True and TRUE."""
        if not word:
            reading = self.graph.reading
            return [""] if self.program.column in reading.text else ["", *(reading.missing or ())]
        return [word, word.title(), word.upper()] if {*words} <= {"", "false", "true"} else [word]

    @cached_property
    def plain(self) -> Value:
        """The text without spaces around it. A first row is there for a while, or a batch of nothing but
        empty cells would be split into no columns."""
        rows = self.graph.put("Concat", np.array(["-"], object), self.cells, axis=0)
        first = rows.put("StringSplit", outputs=2, maxsplit=0).put("Gather", np.int64(0), axis=1)
        return first.put("Slice", [1], [np.iinfo(np.int64).max])

    @cached_property
    def absent(self) -> Value:
        """``[N, 1]``: whether a text is missing."""
        return (
            _labels(self.plain, dict.fromkeys(self.spellings((), ""), 0)).column().put("Equal", np.int64(1))
        )

    def letters(self, letters: str) -> Value:
        """``[N, characters]``: each character's place in the alphabet, from 1 on; 0 for none."""
        signs = self.cells.put(
            "Tokenizer", domain=RUNTIME, mark=1, mincharnum=1, pad_value="", separators=[""]
        )
        self.graph.known.append(value_info(signs.name, TensorProto.STRING, f"characters of {signs.name}"))
        places = {letter: place for place, letter in enumerate(letters)}
        known = {sign: places[letter] for sign, letter in letter_table(letters).items()}
        return _labels(signs, known or {" ": -1})  # of texts that are all empty there is no letter

    def if_present(self, value: Value) -> Value:
        return self.absent.put("Where", 0.0, value)


def _labels(value: Value, places: Mapping[Any, int]) -> Value:
    """Return 1 plus the place of each value, a number or text; 0 for one that has none."""
    key_L = np.array(list(places), object if isinstance(next(iter(places)), str) else float)
    tensors = {"keys": key_L, "values": np.array(list(places.values())) + 1, "default": np.array([0])}
    given = {f"{name}_tensor": numpy_helper.from_array(array) for name, array in tensors.items()}
    return value.put("LabelEncoder", domain=LEARNT, **given)


def _fill(column: OnnxColumn, step: Any, value: Value) -> Value:
    return value.put("IsNaN").put("Where", float(step.value), value)


def _days(column: OnnxColumn, step: Any, value: Value) -> Value:
    return (value - float(step.origin)) / DAY


def _part(column: OnnxColumn, step: Any, value: Value) -> Value:
    if step.part == "hour":
        return value % DAY / DAY
    day = value // DAY
    return (day + 3.0) % 7 / 7.0 if step.part == "weekday" else _month(day) / 12.0


def _month(day: Value) -> Value:
    """Return the month, from 0 (January), of days since 1970-01-01 (Hinnant 2013, "chrono-compatible
    low-level date algorithms", civil_from_days)."""
    of_era = (day + float(DAYS_TO_ERA)) % ERA
    leap = of_era - of_era // 1460 + of_era // 36524 - of_era // 146096
    year = leap // 365
    of_year = of_era - (year * 365.0 + year // 4 - year // 100)
    march = (of_year * 5.0 + 2.0) // 153
    return (march + 2.0) % 12


def _place(column: OnnxColumn, step: Any, value: Value) -> Value:
    words, program = step.values, column.program
    if program.of(step).gives == "number":
        place = _labels(value, {number: k for k, number in enumerate(words)})
    elif program.numeric:
        place = _labels(value, {float(word or "nan"): k for k, word in enumerate(words)})
    elif looked_up(program):
        spelled = {each: k for k, word in enumerate(words) for each in column.spellings(words, word)}
        place = _labels(column.plain, spelled).column()
    else:
        each = ("|".join(map(re.escape, column.spellings(words, word))) for word in words)
        matched = [
            value.column().put("RegexFullMatch", pattern=f"{BLANKS}(?:{one}){BLANKS}").cast() for one in each
        ]
        number = column.graph.put("Concat", *matched, axis=1) * np.arange(1.0, 1.0 + len(words))
        place = number.put("ReduceMax", [1])
    place = place.cast()
    return place.put("Equal", 0.0).put("Where", np.nan, place - 1.0)


def _bins(column: OnnxColumn, step: Any, value: Value) -> Value:
    low, high = np.array(step.edges[:-1], float), np.array(step.edges[1:], float)
    return (value.put("Max", low).put("Min", high) - low).put("Div", high - low)


def _circle(column: OnnxColumn, step: Any, value: Value) -> Value:
    absent = value.put("IsNaN")
    angle = absent.put("Where", 0.0, value * (2 * np.pi) / float(step.period))
    # the cosine as a sine: not every runtime has Cos in float64
    sine, cosine = (absent.put("Where", 0.0, each.put("Sin")) for each in (angle, angle + np.pi / 2))
    return sine.put("Concat", cosine, axis=1)


def _one_hot(column: OnnxColumn, step: Any, value: Value) -> Value:
    return value.put("Equal", np.arange(float(step.count))).cast()


def _rows(value: Value, row_LK: Any) -> Value:
    """Return for each place the row of a table; its last row for a missing place."""
    place = value.put("IsNaN").put("Where", float(len(row_LK) - 1), value).cast(TensorProto.INT64)
    return value.graph.put("Gather", row_LK, place.put("Squeeze", [1]), axis=0)


def _hash(column: OnnxColumn, step: Any, value: Value) -> Value:
    place_L = np.array([*range(len(step.slots)), np.nan])
    return _rows(value, in_buckets(place_L, step.count, step.slots).astype(np.int8)).cast()


def _means(column: OnnxColumn, step: Any, value: Value) -> Value:
    mean_LK = np.array(step.means).reshape(-1, step.count)
    return _rows(value, np.vstack([mean_LK, np.zeros(step.count)]))


def _flag(column: OnnxColumn, step: Any, value: Value) -> Value:
    of_text = column.program.of(step).gives == "word" and not column.program.numeric
    return (column.absent if of_text else value.put("IsNaN")).cast()


def _length(column: OnnxColumn, step: Any, value: Value) -> Value:
    count = column.letters(step.letters).put("Sign").cast().put("ReduceSum", [1])
    return column.if_present((count + 1.0).put("Log"))


def _terms(column: OnnxColumn, step: Any, value: Value) -> Value:
    """Return ``[N, terms]``: their weights. A term is a sequence of letters' places."""
    places = {letter: place for place, letter in enumerate(step.letters)}
    order = sorted(range(len(step.terms)), key=lambda k: len(step.terms[k]))
    sizes = [len(step.terms[k]) for k in order]
    counted = column.letters(step.letters).put(
        "TfIdfVectorizer",
        mode="TF",
        max_skip_count=0,
        min_gram_length=sizes[0],
        max_gram_length=sizes[-1],
        ngram_counts=[sum(size * sizes.count(size) for size in range(1, n)) for n in range(1, sizes[-1] + 1)],
        ngram_indexes=order,
        pool_int64s=[places.get(letter, -1) + 1 for k in order for letter in step.terms[k]],
    )
    one = np.array(1, np.float32)  # in float64 the counts of all terms take twice the memory
    weighted = counted.put("Max", one).put("Log") + counted.put("Min", one)
    value = weighted.cast() * np.array(step.weights)
    return column.if_present(value / value.put("ReduceSumSquare", [1]).put("Sqrt").put("Max", 1e-12))


def _select(column: OnnxColumn, step: Any, value: Value) -> Value:
    return value.put("Slice", [0], [step.count], [1]) * float(step.scale)


def _linear(column: OnnxColumn, step: Any, value: Value) -> Value:
    first = value.put("Slice", [0], [step.terms], [1])
    return first.put("MatMul", np.array(step.slopes).reshape(step.terms, -1))


EMITTERS: dict[str, Callable[[OnnxColumn, ColumnStep, Value], Value]] = {
    "fill": _fill,
    "days": _days,
    "part": _part,
    "place": _place,
    "bins": _bins,
    "circle": _circle,
    "one-hot": _one_hot,
    "hash": _hash,
    "means": _means,
    "flag": _flag,
    "length": _length,
    "terms": _terms,
    "select": _select,
    "linear": _linear,
}
