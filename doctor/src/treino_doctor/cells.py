"""Lines of notebooks: the doctor reads a notebook's code as one text, a reader finds its lines by cell."""

import re
from bisect import bisect_right
from collections.abc import Sequence

_starts: dict[str, Sequence[int]] = {}  # notebook -> the first line of each cell


def name_cells(path: str, starts: Sequence[int]) -> None:
    """Number the cells of this notebook from 1. starts: the first line of each cell in the whole code."""
    _starts[path] = starts


def cell_of(path: str | None, line: int | None) -> tuple[int, int] | None:
    """The number of the cell that holds a line of the notebook's whole code, and the line within that cell;
    None for other files."""
    starts = _starts.get(path or "")
    if starts is None or line is None:
        return None
    cell = max(1, bisect_right(starts, line))
    return cell, line - starts[cell - 1] + 1


def with_cells(text: str) -> str:
    """The text of a traceback, with ``cell 7, line 3`` in place of line numbers in notebooks."""
    return re.sub(r'File "(.+?\.ipynb)", line (\d+)', _in_cell, text)


def _in_cell(match: re.Match[str]) -> str:
    place = cell_of(match[1], int(match[2]))
    return match[0] if place is None else f'File "{match[1]}", cell {place[0]}, line {place[1]}'
