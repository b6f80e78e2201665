"""Carry out a column's program: read its cells as the first step says, and interpret the others."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from treino.base.errors import Refusal
from treino.base.text import shortened
from treino.data.cell_forms import missing
from treino.data.column_program import ColumnProgram
from treino.data.preparation.column_kinds import level_cells, level_codes
from treino.data.preparation.interpreter import (
    BACK,
    FUNCTIONS,
    UNKNOWN,
    Floats,
    result,
    results,
    side_by_side,
)
from treino.data.table import Column, RowPlace, fault, fault_odd, number

FEATURE_NO_DATE = Refusal(
    "Column '{name}' holds '{cell}' in {place}, and dates of one format are wanted.",
    "Write all dates the same way, as 2024-12-31, or say how they are written with [[dates]].",
)
FEATURE_NO_TIME = Refusal(
    "Column '{name}' holds '{cell}' in {place}, and times of day of one format are wanted.",
    "Write all times the same way, as 09:30.",
)


@dataclass(frozen=True)
class EncodingGaps:
    """Counts of missing cells and of cells with unknown classes in a column; example: an unknown class."""

    missing: int = 0
    unknown: int = 0
    example: str = ""

    def __add__(self, other: "EncodingGaps") -> "EncodingGaps":
        return EncodingGaps(
            self.missing + other.missing, self.unknown + other.unknown, self.example or other.example
        )


def inputs_of(program: ColumnProgram, cells_N: NDArray[Any]) -> Floats:
    """``[N, inputs]``: the inputs of cells that were read."""
    return side_by_side(results(cells_N, program.plain_steps, FUNCTIONS), program.shown)


def result_of(program: ColumnProgram, cells_N: NDArray[Any], step: int) -> Any:
    """What one step gives for cells that were read."""
    return results(cells_N, program.plain_steps[: step + 1], FUNCTIONS)[step]


def following(program: ColumnProgram, value_N: Floats) -> tuple[list[int], list[Floats]]:
    """Which of a column's inputs follow from its first one, as its bins do; and each of them, ``[N]``."""
    made = {program.shown[0]: value_N} if program.scaled else {}
    for at, step in list(enumerate(program.plain_steps))[1:]:
        if step["of"] in made:
            made[at] = result(step, made[step["of"]], FUNCTIONS)
    places, values = list[int](), list[Floats]()
    for at, (_step, own) in list(zip(program.shown, program.groups, strict=True))[1:]:
        if at in made:
            places.extend(own)
            values.extend(made[at].T)
    return places, values


def restored(program: ColumnProgram, raw_NK: Floats) -> NDArray[Any]:
    """``[N]``: cells as they are read, whose inputs these are: numbers (NaN: missing), or words ("": missing,
    ``UNKNOWN``: of a class that isn't known). What was hashed may have been another word; texts are
    unknown."""
    if program.measure == "length":
        return np.full(len(raw_NK), UNKNOWN, dtype=object)
    step, own = program.groups[0]
    value: Any = raw_NK[:, own.start] if step.gives == "number" else raw_NK[:, own.start : own.stop]
    known = getattr(program.step("place"), "values", ())
    while step is not program.reader:
        value = BACK[step.do](value, step.fields, known)
        step = program.of(step)
    if program.flag:
        missing_N = raw_NK[:, -1] > 0.5
        value = np.where(missing_N, "" if value.dtype == object else np.nan, value)
    return np.asarray(value)


def gaps_of(program: ColumnProgram, cells_N: NDArray[Any]) -> EncodingGaps:
    """How many of the cells that were read are missing, or words that the program doesn't know."""
    absent_N = np.asarray(cells_N == "" if cells_N.dtype == object else np.isnan(cells_N), dtype=bool)
    unknown, example = 0, ""
    if levels := set(program.levels):
        new = [word for word in cells_N[~absent_N] if word not in levels]
        unknown, example = len(new), str(new[0]) if new else ""
    return EncodingGaps(int(absent_N.sum()), unknown, example)


def read_cells(program: ColumnProgram, column: Column, place: RowPlace) -> NDArray[Any]:
    """``[N]``: what the program's first step reads: numbers, seconds, or words; missing: NaN, or ""."""
    reader = program.reader.do
    if reader == "number":
        return number_cells(column, place, required=program.required, truth=program.truth)
    if reader == "seconds":
        return second_cells(column, place, clock=program.clock)
    words_N, level_L = level_cells(column, program.numeric), np.array([*program.levels, ""], dtype=object)
    if not program.levels or not set(words_N) - set(level_L):
        return words_N
    code_N = level_codes(program.levels, words_N)  # of a word that only writes a level otherwise
    return np.where(code_N < 0, words_N, level_L[code_N])


def number_cells(
    column: Column, place: RowPlace, *, required: bool = False, truth: bool | None = None
) -> Floats:
    """``[N]`` float64, NaN for missing cells. Refuses a cell that isn't a finite number, naming its place.

    truth: as in ``fault``."""
    if problem := fault(column, place, required=required, truth=truth):
        raise problem.refusal()
    if column.numbers is None:
        assert column.words is not None
        values = (number(word) for word in column.words)
        return np.array([np.nan if value is None else value for value in values])
    return np.asarray(column.numbers, dtype=np.float64)


def second_cells(column: Column, place: RowPlace, *, clock: bool = False) -> Floats:
    """``[N]`` seconds since 1970-01-01, or since midnight if ``clock``; NaN for missing cells. Refuses a cell
    that isn't a date (or a time of day), naming its place."""
    if column.seconds is not None and column.clock == clock:
        if column.odd is not None:
            raise fault_odd(column, place).refusal()
        return column.seconds
    if column.words is not None and column.seconds is None:
        absent_N = np.array([missing(word) for word in column.words])
    else:
        absent_N = column.missing_N
    if absent_N.all():
        return np.full(len(column), np.nan)
    row = int((~absent_N).argmax())
    if clock:
        raise FEATURE_NO_TIME(name=column.name, cell=shortened(column.cell(row)), place=place(row))
    raise FEATURE_NO_DATE(name=column.name, cell=shortened(column.cell(row)), place=place(row))
