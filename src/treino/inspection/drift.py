"""Compare the columns of other rows with those of a run's training rows.

The training rows' part is their summary in the preparation, so the rows themselves aren't needed. Each column
gets a chance: how often a difference at least as large is found between rows that were drawn alike. It is
the least of several tests', times their number, and adjusted for the number of columns (Holm): where nothing
has changed, the chance that any column counts as moved is at most 5 %. Rows count as independent.
"""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from treino.base.document_fields import Count, Document, Many, Number, Share, Text
from treino.base.errors import Refusal
from treino.base.text import shortened
from treino.base.words import _
from treino.data.column_program import ColumnProgram
from treino.data.documents import ColumnRows
from treino.data.preparation.column_cells import read_cells
from treino.data.preparation.fit_columns import class_program, number_program
from treino.data.preparation.interpreter import Floats
from treino.data.preparation.preparation import Preparation
from treino.data.preparation.training_columns import (
    codes_of,
    numbers_of,
    outside_cells,
    range_chance,
)
from treino.data.table import Column, Table, day_text, plain
from treino.inspection.intervals import SURE, holm

NO_COLUMNS = Refusal(
    "{run} learnt from pictures or arrays, of which no columns are kept to compare with.",
    "Compare figures on rows with known targets: treino compare {run} RUN2 --on DATA",
)

LEAST = 5.0  # least expected count of a cell of a chi-square test; smaller ones are joined
MIDNIGHT = " 00:00:00"
State = Literal["compared", "missing", "not used", "other kind"]

# ---- what is found


class ColumnDrift(Document):
    """A column in the training rows (there) and in other rows (here).

    state: whether it could be compared; it is missing here, was not learnt from, or is something else here.
    moved: whether the chance, which is adjusted for the number of columns, is below 5 %. shift: the largest
    difference of the shares of rows below a value, or the share of rows that changed their class. there,
    here: the medians of numbers, dates as text, the lengths of texts; of classes the shares of the class that
    changed the most, ``of``. missing, missing_there: shares. below, above: cells beyond the training rows'
    range; unknown: of classes that none had, such as ``example``; gaps: missing where none was; unreadable:
    cells unlike their column.
    """

    column: Text
    target: bool = False
    state: State
    moved: bool = False
    chance: Share | None = None
    shift: Share | None = None
    of: Text | None = None
    there: Number | Text | None = None
    here: Number | Text | None = None
    missing_there: Share | None = None
    missing: Share | None = None
    below: Count = 0
    above: Count = 0
    unknown: Count = 0
    example: Text = ""
    gaps: Count = 0
    unreadable: Count = 0

    @property
    def outside(self) -> str:
        """The cells outside of what the training rows held, in words; "" without any."""
        counted = (
            (self.unreadable, _("{n:,} unreadable ({example})")),
            (self.unknown, _("{n:,} of unknown classes ({example})")),
            (self.below, _("{n:,} below")),
            (self.above, _("{n:,} above")),
            (self.gaps, _("{n:,} missing, as none was")),
        )
        return ", ".join(text.format(n=n, example=self.example) for n, text in counted if n)


class Drift(Document):
    """Other rows beside the training rows of a run; the columns that matter most come first."""

    like: Text
    rows_there: Count
    rows: Count
    columns: Many[ColumnDrift]
    moved: Many[Text]
    notes: Many[Text]

    def to_json(self) -> dict[str, Any]:
        """The document of ``treino data --like``."""
        return dict(self.model_dump(mode="json"))

    def sentence(self) -> str:
        """What is found, in one sentence."""
        compared = [c for c in self.columns if c.state == "compared"]
        facts = {"n": len(self.moved), "of": len(compared), "run": self.like}
        if not self.moved:
            text = _("None of {of} columns differs from the training rows of {run} by more than chance.")
            return text.format(**facts)
        names = shortened(", ".join(self.moved), 200)
        text = _(
            "Columns that differ from the training rows of {run} by more than chance: {n} of {of}: {names}."
        )
        return text.format(names=names, **facts)


def drift(table: Table, preparation: Preparation, run: str) -> Drift:
    """Compare a table with the training rows of a run.

    Raises:
        TreinoError: the run keeps no columns.
    """
    if not preparation.columns:
        raise NO_COLUMNS(run=run)
    programs = {program.column: program for program in preparation.programs}
    targets = {}
    for each in preparation.by_target:
        read = number_program(each.target)  # its cells, as training rows' were read
        if each.classes:
            read = class_program(each.target, each.classes, each.labels == "number")
        targets[each.target] = programs[each.target] = read
    found, chances = list[ColumnDrift](), dict[int, float]()
    for known in preparation.columns:
        program, target = programs[known.column], known.column in targets
        if known.column not in table.by_name:
            if not target:
                found.append(ColumnDrift(column=known.column, state="missing"))
            continue
        one, chance = _compared(table, table.column(known.column), program, known, target)
        if chance is not None:
            chances[len(found)] = chance
        found.append(one)
    adjusted = holm([*chances.values()])
    for (place, _own), chance in zip(chances.items(), adjusted, strict=True):
        found[place] = found[place].model_copy(update={"chance": chance, "moved": chance < SURE})
    own = {*programs, preparation.row_weights, table.row_weights}
    found += [ColumnDrift(column=name, state="not used") for name in table.names if name not in own]
    rows = max(known.rows for known in preparation.columns)
    found.sort(key=_order)
    moved = tuple(one.column for one in found if one.moved)
    notes = tuple(table.notes)
    return Drift(like=run, rows_there=rows, rows=table.rows, columns=tuple(found), moved=moved, notes=notes)


def _order(one: ColumnDrift) -> tuple[int, float, float]:
    """The key to sort by: what predicting refuses, what moved, what lies outside, the rest."""
    outside = one.below + one.above + one.unknown + one.gaps
    first = 0 if one.state in ("missing", "other kind") or one.unreadable else 1 if one.moved else 2
    first = 4 if one.state == "not used" else first if first < 2 or outside else 3
    return first, -(one.shift or 0.0), -outside


# ---- one column


@dataclass(frozen=True, eq=False)
class _Shares:
    """The shares of rows up to each value, or of each class, there and here, and the chance of them."""

    there_K: Floats
    here_K: Floats
    shift: float
    chance: float


def _compared(
    table: Table, column: Column, program: ColumnProgram, known: ColumnRows, target: bool
) -> tuple[ColumnDrift, float | None]:
    """The column in both, and the chance of the difference, not yet adjusted; None: not compared."""
    value_N = _numbers(program, column)
    absent_N, odd_N = column.missing_N, column.odd_N
    facts: dict[str, Any] = {"column": column.name, "target": target}
    of_numbers = program.measure in ("number", "seconds")

    def example(of_N: NDArray[np.bool_]) -> str:
        """The first of these cells, and its place."""
        return f"{shortened(column.cell(int(of_N.argmax())), 40)}, {table.place(int(of_N.argmax()))}"

    if of_numbers and value_N is None:
        facts |= {"unreadable": int((~absent_N).sum()), "example": example(~absent_N)}
        return ColumnDrift(**facts, state="other kind"), None
    missing, missing_there = int(absent_N.sum()), known.missing
    chances = [] if missing + missing_there == 0 else [_gaps(missing, len(column), missing_there, known.rows)]
    cells = outside_cells(program, known, column, value_N)
    below, above, unknown, gaps = cells.counts
    if target:
        gaps = 0  # rows to predict have none
    facts |= {"below": below, "above": above, "unknown": unknown, "gaps": gaps}
    facts |= {"missing": missing / max(1, len(column)), "missing_there": missing_there / max(1, known.rows)}
    facts |= {"example": example(cells.unknown_N)} if unknown else {}
    if of_numbers and odd_N is not None and odd_N.any():
        facts |= {"unreadable": int(odd_N.sum()), "example": example(odd_N)}
    if value_N is not None:
        here_N = np.sort(value_N[np.isfinite(value_N)])
        if len(here_N) and known.values:
            shares = _numbers_apart(known, here_N)
            there = known.rows - known.missing
            chances += [range_chance(n, len(here_N), there) for n in (below, above)]
            chances.append(shares.chance)
            facts["shift"] = shares.shift
            facts |= _middles(program, known, shares, here_N)
    else:
        shares = _classes_apart(program, known, column)
        chances.append(shares.chance)
        facts["shift"] = shares.shift
        if program.levels:
            most = int(np.abs(shares.here_K - shares.there_K)[:-1].argmax())
            facts |= {"of": program.levels[most], "there": float(shares.there_K[most])}
            facts["here"] = float(shares.here_K[most])
    if not len(column) or not chances:
        return ColumnDrift(**facts, state="compared"), None
    return ColumnDrift(**facts, state="compared"), min(1.0, len(chances) * min(chances))


def _numbers(program: ColumnProgram, column: Column) -> Floats | None:
    """The column's numbers, seconds or times of day, NaN where a cell is none; None: it holds others."""
    nothing = np.full(len(column), np.nan)
    if program.measure == "word":
        return None
    if program.measure == "length":
        return numbers_of(program, column, str)
    values = column.numbers
    if program.measure == "seconds":
        values = column.seconds if column.clock == program.clock else None
    if values is None:
        return nothing if column.missing_N.all() else None
    return np.asarray(values, dtype=np.float64)


def _middles(program: ColumnProgram, known: ColumnRows, shares: _Shares, here_N: Floats) -> dict[str, Any]:
    """The medians there and here, dates as text; of two numbers the share of the larger."""
    if len(known.values) == 2:
        of = plain(known.values[1])
        return {"of": of, "there": 1 - float(shares.there_K[0]), "here": 1 - float(shares.here_K[0])}
    there = known.values[int(np.searchsorted(shares.there_K, 0.5))]
    here = float(here_N[(len(here_N) - 1) // 2])
    if program.measure == "seconds" and not program.clock:
        days = (day_text(value).removesuffix(MIDNIGHT) for value in (there, here))
        return dict(zip(("there", "here"), days, strict=True))
    return {"there": there, "here": here}


def _numbers_apart(known: ColumnRows, here_N: Floats) -> _Shares:
    """Kolmogorov's and Smirnov's test of two samples, at the kept values of one: the difference between two
    of them may be larger, so that the chance is never too small."""
    from scipy.special import kolmogorov

    count, rows = known.counts[-1], len(here_N)
    there_K = np.array(known.counts) / count
    here_K = np.searchsorted(here_N, np.array(known.values), side="right") / rows
    shift = float(np.abs(there_K - here_K).max())
    return _Shares(there_K, here_K, shift, float(kolmogorov(shift * np.sqrt(count * rows / (count + rows)))))


def _classes_apart(program: ColumnProgram, known: ColumnRows, column: Column) -> _Shares:
    """Pearson's chi-square test of two samples; rare classes are joined, by their rows in both. The last
    share is that of all unknown classes."""
    words = read_cells(program, column, str)
    codes_N = codes_of(program, words)
    there_K = np.array([*known.counts, 0], dtype=np.float64)
    here_K = np.bincount(codes_N[codes_N >= 0], minlength=len(there_K)).astype(np.float64)
    new_U = np.unique(words[(codes_N < 0) & (words != "")].astype(str), return_counts=True)[1]
    here_K[-1] = new_U.sum()
    totals = there_K.sum(), here_K.sum()
    if min(totals) == 0:
        return _Shares(there_K, here_K, 0.0, 1.0)
    each = np.concatenate([there_K[:-1], np.zeros(len(new_U))]), np.concatenate([here_K[:-1], new_U])
    shares = there_K / totals[0], here_K / totals[1]
    return _Shares(*shares, float(np.abs(shares[0] - shares[1]).sum() / 2), _chi_square(*each))


def _chi_square(there_K: Floats, here_K: Floats) -> float:
    from scipy.special import chdtrc

    both_K = there_K + here_K
    least = min(there_K.sum(), here_K.sum()) / both_K.sum()
    kept_K = both_K * least >= LEAST
    table_2K = np.array([there_K, here_K])
    rest_2 = table_2K[:, ~kept_K].sum(1)
    table_2K = table_2K[:, kept_K]
    if rest_2.sum() * least >= LEAST:
        table_2K = np.column_stack([table_2K, rest_2])
    elif table_2K.shape[1]:
        table_2K[:, table_2K.sum(0).argmin()] += rest_2
    if table_2K.shape[1] < 2:
        return 1.0
    expected_2K = table_2K.sum(1, keepdims=True) * table_2K.sum(0) / table_2K.sum()
    return float(chdtrc(table_2K.shape[1] - 1, ((table_2K - expected_2K) ** 2 / expected_2K).sum()))


def _gaps(missing: int, rows: int, missing_there: int, rows_there: int) -> float:
    """Fisher's exact test of two shares of missing cells."""
    from scipy.stats import fisher_exact

    counts = [[missing, rows - missing], [missing_there, rows_there - missing_there]]
    return float(fisher_exact(counts).pvalue)
