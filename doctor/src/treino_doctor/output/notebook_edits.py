"""Edits of a notebook's code, made in its file: only changed lines of a cell's source change in the JSON."""

import json
import re
from bisect import bisect_right
from itertools import accumulate
from json.decoder import JSONDecoder, scanstring  # type: ignore[attr-defined]
from json.scanner import py_make_scanner  # type: ignore[attr-defined]
from linecache import getlines

from treino_doctor.cells import starts_of
from treino_doctor.output.mends import Edit, edited
from treino_doctor.process.notebooks import sources_of


class _Placed(str):
    """A string of a JSON file. start, end: its place in the file, quotes included."""

    __slots__ = ("end", "start")
    start: int
    end: int


class _Decoder(JSONDecoder):
    """Reads JSON with the places of its strings."""

    def __init__(self) -> None:
        super().__init__()
        self.parse_string = self._string
        self.scan_once = py_make_scanner(self)

    def _string(self, text: str, begin: int, strict: bool = True) -> tuple[_Placed, int]:
        value, end = scanstring(text, begin, strict)
        placed = _Placed(value)
        placed.start, placed.end = begin - 1, end
        return placed, end


def edited_notebook(path: str, text: str, edits: list[Edit]) -> str | None:
    """The text of a notebook's file after edits of its code; None if one meets a line that stands otherwise
    in the file: a magic or a shell command, or a cell that is indented as a whole."""
    rows = getlines(path)
    offsets, firsts = [0, *accumulate(map(len, rows))], [start - 1 for start in starts_of(path)]
    sources = [s for s in sources_of(_Decoder().decode(text)) if "".join(s).strip()]
    by_cell: dict[int, list[Edit]] = {}
    for edit in edits:
        first, last = (bisect_right(offsets, at) - 1 for at in (edit.start, max(edit.start, edit.end - 1)))
        cell = bisect_right(firsts, first) - 1
        lines = "".join(sources[cell]).split("\n")
        starts = [0, *accumulate(len(line) + 1 for line in lines)]
        for row in range(first, last + 1):
            inside = row - firsts[cell]
            if inside >= len(lines) or lines[inside].rstrip("\r") != rows[row].rstrip("\n"):
                return None
        shift = starts[first - firsts[cell]] - offsets[first]
        end = min(edit.end + starts[last - firsts[cell]] - offsets[last], starts[-1] - 1)
        by_cell.setdefault(cell, []).append(Edit(edit.start + shift, end, edit.text))
    return edited(text, [_rewritten(sources[cell], made, text) for cell, made in by_cell.items()])


def _rewritten(source: _Placed | list[_Placed], edits: list[Edit], text: str) -> Edit:
    """The edit of the file's text that makes edits of one cell's source, in the form that it has there."""
    before = "".join(source)
    after, ascii_only = edited(before, edits), text.isascii()
    if not before.endswith("\n"):
        after = after.removesuffix("\n")
    if isinstance(source, _Placed):
        return Edit(source.start, source.end, json.dumps(after, ensure_ascii=ascii_only))
    first, last, written = source[0].start, source[-1].end, {s: text[s.start : s.end] for s in source}
    between = "," + text[text.rindex("[", 0, first) + 1 : first]
    if len(source) > 1:
        between = text[source[0].end : source[1].start]
    lines = re.findall(r"[^\n]*\n|[^\n]+", after)
    texts = (written.get(s) or json.dumps(s, ensure_ascii=ascii_only) for s in lines)
    return Edit(first, last, between.join(texts))
