"""Lines of notebooks: the doctor reads a notebook's code as one text, a reader finds its lines by cell."""

import re
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from pathlib import Path

from treino_doctor.base.words import _

_starts: dict[str, Sequence[int]] = {}  # notebook -> the first line of each cell
_running: dict[str, tuple[str, int]] = {}  # file of a cell in Jupyter -> its name, lines above its code


def name_cells(path: str, starts: Sequence[int]) -> None:
    """Number the cells of this notebook from 1. starts: the first line of each cell in the whole code."""
    _starts[path] = starts


def starts_of(path: str) -> Sequence[int]:
    """The first line of each cell of a notebook in its whole code."""
    return _starts[path]


def cell_of(path: str | None, line: int | None) -> tuple[int, int] | None:
    """The number of the cell that holds a line of the notebook's whole code, and the line within that cell;
    None for other files."""
    starts = _starts.get(path or "")
    if starts is None or line is None:
        return None
    cell = max(1, bisect_right(starts, line))
    return cell, line - starts[cell - 1] + 1


def name_running_cells(names: Mapping[str, tuple[str, int]]) -> None:
    """Name cells that run in Jupyter: file -> (``In[3]``, 0), or ("", lines above its code)."""
    _running.clear()
    _running.update(names)


def line_name(path: str, line: int) -> str:
    """``line 42``; in a notebook ``cell 7, line 3``; in Jupyter ``In[3], line 7``."""
    if (in_cell := cell_of(path, line)) is not None:
        return _("cell {cell}, line {line}").format(cell=in_cell[0], line=in_cell[1])
    name, above = _running.get(path, ("", 0))
    text = _("{where}, line {line}") if name else _("line {line}")
    return text.format(where=name, line=line + above)


def place_name(path: str, line: int) -> str:
    """``train.py, line 42``; a line of a notebook by its cell alone."""
    if path in _starts or path in _running:
        return line_name(path, line)
    return _("{where}, line {line}").format(where=Path(path).name, line=line)


def with_cells(text: str) -> str:
    """The text of a traceback, with ``cell 7, line 3`` in place of line numbers in notebooks."""
    return re.sub(r'File "(.+?\.ipynb)", line (\d+)', _in_cell, text)


def _in_cell(match: re.Match[str]) -> str:
    place = cell_of(match[1], int(match[2]))
    return match[0] if place is None else f'File "{match[1]}", cell {place[0]}, line {place[1]}'
