"""Rows that a program read from files without some of their numbers, found again among nets' inputs."""

import os
from collections.abc import Iterator
from math import inf, isinf, isnan, nan
from typing import Any, NamedTuple

from treino_doctor.record.arrays import np

KEPT = 64  # maximum number of rows of a file that are kept, those with the rarest gaps first
FILES, ROWS, WIDE = 16, 200_000, 256  # maximum number of files, and of rows and columns of one
MOVES, ASKED = 8, 64  # maximum number of scalings that are followed, and of rows that are looked for
SOME = 100  # first values of a column that tell whether it holds texts
TELLING = 4  # minimum number of digits of the values that are found again
NAMED = "filepath_or_buffer", "io", "fname", "file"  # parameters of functions that read


class Hole(NamedTuple):
    """A row that lacks numbers. row: counted from 1; 0 if others with the same gap were not kept. names: of
    its columns. values: as read, infinite for a text, or as a scaler changed them."""

    file: str
    row: int
    names: list[str]
    values: list[float]

    def gaps(self, row: list[float]) -> list[str]:
        """The columns of a row's gaps, if its other values are some of these, in their order; else none."""
        at, back = places(row, self.values), places(row[::-1], self.values[::-1])
        told = (v for v, i in zip(row, at, strict=False) if v == self.values[i])
        if sum(len(f"{abs(v):.6e}"[:8].rstrip("0").replace(".", "")) for v in told) < TELLING:
            return []
        ends = zip(row, at, (len(self.values) - 1 - i for i in back[::-1]), strict=True)
        found = [(i, j) for v, i, j in ends if isnan(v)]
        if all(i == j for i, j in found):
            return [self.names[i] for i, _ in found]
        return [name for v, name in zip(self.values, self.names, strict=True) if isnan(v)]


class Holes:
    """All such rows of a program."""

    def __init__(self) -> None:
        self._every: list[Hole] = []
        self._files, self._moves, self._asked = FILES, MOVES, ASKED

    def read(self, result: Any, args: Any, kwargs: Any) -> None:
        """Note the rows of a file that lack numbers."""
        source = args[0] if args else next((kwargs[n] for n in NAMED if n in kwargs), None)
        source = getattr(source, "name", source)
        columns = dict(columns_of(result)) if self._files else {}
        if not isinstance(source, (str, os.PathLike)) or not columns:
            return
        x_ND = np.stack([*columns.values()], 1)
        gone = np.isnan(x_ND)
        lacking = np.flatnonzero(gone.any(1))
        rarest = np.where(gone, gone.sum(0), len(x_ND) + 1).min(1)[lacking]
        for n, rare in sorted(zip(lacking.tolist(), rarest, strict=True), key=lambda one: one[1])[:KEPT]:
            row = n + 1 if (rarest <= rare).sum() <= KEPT else 0
            self._every.append(Hole(os.fspath(source), row, [*columns], x_ND[n].tolist()))
        self._files -= bool(len(lacking))

    def moved(self, rows_ND: np.ndarray, out_ND: np.ndarray) -> None:
        """Note how a scaler changed these rows."""
        if not self._every or not self._moves or rows_ND.shape != out_ND.shape:
            return
        lacking = np.flatnonzero(np.isnan(rows_ND).any(1))[:KEPT]
        self._moves -= bool(len(lacking))
        for row, made in zip(rows_ND[lacking].tolist(), out_ND[lacking].tolist(), strict=True):
            for hole, gaps in self._like(row):
                names, values = hole.names, list(hole.values)
                for i, v in zip(at := places(row, values), made, strict=False):
                    values[i] = v
                if not at:  # it has columns of the program's own
                    names, values = [", ".join(gaps)] * len(made), made
                self._every.append(hole._replace(names=names, values=values))

    def origin(self, rows_ND: np.ndarray) -> dict[str, Any]:
        """The file of the first of these rows that is known, and its row there, if only one is like it."""
        for lacking in rows_ND[np.isnan(rows_ND).any(1)][: self._asked].tolist() if self._every else ():
            self._asked -= 1
            like = self._like(lacking)
            if len({hole.file for hole, _ in like}) == 1:
                rows = {hole.row for hole, _ in like}
                row = rows.pop() if len(rows) == 1 else 0
                columns = tuple(name for name in like[0][1] if all(name in gaps for _, gaps in like))
                file = os.path.basename(like[0][0].file)
                return {"file": file, "row": row, "columns": columns} if columns else {}
        return {}

    def _like(self, row: list[float]) -> list[tuple[Hole, list[str]]]:
        """The rows that this one may be, with its gaps. Its zeros and ones may stand for texts."""
        telling = [v for v in row if v not in (0, 1)]
        return [(hole, gaps) for hole in self._every if (gaps := hole.gaps(telling))]


def columns_of(table: Any) -> Iterator[tuple[str, np.ndarray]]:
    """The columns of a data frame or an array, with their names or numbers."""
    shape: tuple[int, ...] = getattr(table, "shape", ())
    if len(shape) != 2 or shape[0] > ROWS or shape[1] > WIDE:
        return
    if isinstance(table, np.ndarray) and table.dtype.kind == "f":
        yield from ((str(i), column.astype(np.float32)) for i, column in enumerate(table.T, 1))
    for name, column in table.items() if hasattr(table, "columns") else ():
        if column.dtype.kind in "fiub":
            yield str(name), column.astype(np.float32).to_numpy()
        elif column.dtype.kind == "O":  # maybe numbers, some of which are written as "?"
            most = np.isnan([number(v) for v in column[:SOME]]).mean() < 0.5
            numbers = [number(v) for v in column] if most else [inf] * len(column)
            yield str(name), np.array(numbers, np.float32)


def places(row: list[float], form: list[float]) -> list[int]:
    """Where the values of a row stand in a form, in its order; [] if one is not there."""
    found: list[int] = []
    for v in row:
        after = range(found[-1] + 1 if found else 0, len(form))
        if (place := next((i for i in after if fits(v, form[i])), None)) is None:
            return []
        found.append(place)
    return found


def fits(v: float, before: float) -> bool:
    """Whether a value may have been this one: a gap may be filled, and a text may have a number."""
    if isnan(v) or isnan(before):
        return isnan(before)
    return v == before or (isinf(before) and v % 1 == 0)


def number(text: Any) -> float:
    """A text's number; NaN if it is none."""
    try:
        return float(text)
    except (TypeError, ValueError):
        return nan
