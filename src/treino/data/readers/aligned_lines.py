"""Lines with cells in aligned columns, padded with blanks; cells may hold blanks or be empty."""

from collections.abc import Iterable, Iterator, Sequence

LEAST_LINES = 3


class AlignedLines:
    """Iterates over the cells of each line. A line that isn't aligned as the others is one cell.

    cut_D: the place at which each column begins. line_num: how many lines were read.
    """

    def __init__(self, lines: Iterable[str], cut_D: Sequence[int]) -> None:
        self._lines, self._cut_D = iter(lines), cut_D
        self.line_num = 0

    def __iter__(self) -> Iterator[list[str]]:
        return self

    def __next__(self) -> list[str]:
        line = next(self._lines).rstrip()
        self.line_num += 1
        if not line:
            return []
        if any(line[cut - 1 : cut].strip() for cut in self._cut_D[1:]):
            return [line]
        ends = [*self._cut_D[1:], len(line)]
        return [line[start:end].strip() for start, end in zip(self._cut_D, ends, strict=True)]


def cuts_of(lines: Sequence[str]) -> tuple[int, ...]:
    """The place at which each column begins, after a place where all lines have a blank; () for one column.

    A column is as wide as its widest cell, so only its border has a blank in every line. Two columns with a
    single blank between them count as one (a name or a time of two words) if one of them has no cells, or if
    one has no name in the first line and a cell wherever the other has one.
    """
    lines = [line.rstrip() for line in lines if line.strip()]
    if len(lines) < LEAST_LINES or any("\t" in line for line in lines):
        return ()
    width = max(map(len, lines))
    blank = [all(not line[at : at + 1].strip() for line in lines) for at in range(width)]
    begins = [at for at in range(width) if not blank[at] and (at == 0 or blank[at - 1])]
    cuts = [0]
    for last, start, after in zip(begins, begins[1:], [*begins[2:], width], strict=False):
        if not blank[start - 2] and _one_column(
            lines, slice(max(last, cuts[-1]), start), slice(start, after)
        ):
            continue
        cuts.append(start)
    return tuple(cuts) if len(cuts) > 1 else ()


def _one_column(lines: Sequence[str], left: slice, right: slice) -> bool:
    """Whether the texts on both sides of a blank are of one column."""
    name, *there = [(bool(line[left].strip()), bool(line[right].strip())) for line in lines]
    without_cells = not all(map(any, zip(*there, strict=True)))
    return without_cells or (not all(name) and all(a == b for a, b in there))
