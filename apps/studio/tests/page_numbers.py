"""Every number that a page shows to eyes and ears, and whether it is what its source says.

A page's elements are units, each with a rule: from the unit's texts the rule makes the values that its
numbers may have. A number that no rule knows, or that is none of the values, is an orphan.
"""

import math
import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from treino_studio.page_words import page_words

READ = """(places) => { const units = new Map(), axes = [];
  const silent = 'script, style, template, code, pre, option, [hidden], #script-output, #notices, #heard';
  const add = (node, kind, text) => { text = text?.trim();
    if (!text) return;
    const place = places.find((each) =>
      each.startsWith(kind + ' ') && node.closest(each.slice(kind.length + 1)));
    const unit = place ? node.closest(place.slice(kind.length + 1)) : node;
    const key = place ?? kind, known = units.get(unit) ?? new Map();
    units.set(unit, known);
    if (!known.has(key)) known.set(key, { place: place ?? '', where: kind + ' ' + (unit.id ? '#' + unit.id :
      unit.localName + '.' + unit.className + ' in ' + (unit.closest('[id]')?.id ?? '')), cells: [] });
    known.get(key).cells.push(text); };
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) {
    const node = walk.currentNode.parentElement;
    if (!node.closest(silent)) add(node, 'text', walk.currentNode.data); }
  for (const node of document.querySelectorAll('body *')) { if (node.closest(silent)) continue;
    for (const name of ['aria-label', 'title', 'placeholder', 'alt', 'aria-valuetext', 'aria-description'])
      add(node, 'said', node.getAttribute(name));
    if (node.matches('input:not([type=range])')) add(node, 'value', node.value);
    if (!node.matches('canvas') || !node.checkVisibility()) continue;
    for (const { words } of node.drawn ?? []) add(node, 'drawn', words);
    axes.push([node.id, (node.drawn ?? []).map(({ words, l, r, t, b }) => [words, l, r, t, b])]); }
  return [[...units.values()].flatMap((known) => [...known.values()]), axes]; }"""
NUMBER = re.compile(r"(?<![\w/.=])[−-]?\d[\d\u202f]*(?:\.\d+)?(?:e[−-]?\d+)?(?![\w=]|\.\w)(?: ?%)?")
CONSTANT = {text for text in page_words("en").values() if "{" not in text}
Allowed = Collection[float] | Sequence[Collection[float]]
Found = tuple[list[dict[str, Any]], list[Any]]  # units; what each canvas has written where
Rule = Callable[[list[str]], Allowed]


@dataclass(frozen=True)
class Shown:
    """A number as it is written, and the half of its last digit."""

    text: str
    value: float
    half: float

    def fits(self, value: float | None) -> bool:
        return value is not None and abs(self.value - value) <= 1.01 * self.half + 2e-6 * abs(value)


def numbers(text: str) -> list[Shown]:
    """The numbers in a text; parts of words and of names are none."""
    found = []
    for match in NUMBER.finditer(text):
        share = 0.01 if "%" in match[0] else 1.0
        plain = match[0].replace("\u202f", "").replace("−", "-").rstrip(" %")
        mantissa, _, exponent = plain.partition("e")
        unit = 10.0 ** (int(exponent or 0) - len(mantissa.partition(".")[2]))
        found.append(Shown(match[0], share * float(plain), share * unit / 2))
    return found


def read(page: Any, rules: Mapping[str, Rule]) -> Found:
    """The units of a page as it is now, and what each canvas has written where."""
    units, axes = page.evaluate(READ, list(rules))
    return units, axes


def orphans(
    found: tuple[list[dict[str, Any]], list[Any]], rules: Mapping[str, Rule], names: Iterable[str]
) -> list[str]:
    """The numbers without a source, with their places. names: of data, whose digits are no numbers."""
    units, axes = found
    known = sorted(names, key=len, reverse=True)
    ticks = {words for _canvas, drawn in axes for words in ticks_of(drawn)}
    left = []
    for unit in units:
        cells = [_without(cell, known) for cell in unit["cells"]]
        if unit["where"].startswith("drawn"):
            cells = [cell for cell in cells if cell not in ticks]
        shown = [each for cell in cells if cell not in CONSTANT for each in numbers(cell)]
        if not shown:
            continue
        told = f"{unit['where']}: {' | '.join(cells)[:200]}"
        if not unit["place"]:
            left.append(f"no source: {told}")
            continue
        allowed = rules[unit["place"]](cells)
        if isinstance(allowed, list):
            if len(allowed) != len(shown):
                left.append(f"{len(allowed)} values expected: {told}")
                continue
            pairs = zip(shown, allowed, strict=True)
        else:
            pairs = zip(shown, [allowed] * len(shown), strict=True)
        left += [
            f"{each.text} is none of {sorted(values)[:6]}: {told}"
            for each, values in pairs
            if not any(each.fits(value) for value in values)
        ]
    return left


def _without(text: str, names: list[str]) -> str:
    for name in names:
        text = text.replace(name, "")
    return text


def ticks_of(drawn: list[tuple[str, float, float, float, float]]) -> set[str]:
    """Labels of axes: at least three in a row or column, each where its value is on a scale of its pane,
    linear or logarithmic."""
    found: set[str] = set()
    alone = [
        (words, *box) for words, *box in drawn if len(numbers(words)) == 1 and numbers(words)[0].text == words
    ]
    for side, way in ((2, 1), (3, 0), (4, 0), (1, 1)):  # aligned at the right, at the top, below, at the left
        rows: dict[int, list[tuple[float, float, str]]] = {}
        for each in alone:
            middle = (each[3] + each[4]) / 2 if way else (each[1] + each[2]) / 2
            rows.setdefault(round(each[side] / 2), []).append((middle, numbers(each[0])[0].value, each[0]))
        for row in rows.values():
            for part in _panes(sorted(row)) if len(row) > 2 else ():
                if _straight([(at, value) for at, value, _words in part]):
                    found |= {words for _at, _value, words in part}
    return found


def _panes(row: list[tuple[float, float, str]]) -> Iterable[list[tuple[float, float, str]]]:
    """Parts of a row or column in which values rise or fall."""
    part = row[:1]
    for before, each in pairwise(row):
        if len(part) > 1 and (each[1] - before[1]) * (part[1][1] - part[0][1]) <= 0:
            yield part
            part = []
        part.append(each)
    yield part


def _straight(places: list[tuple[float, float]]) -> bool:
    scales: list[Callable[[float], float]] = [lambda v: v]
    if all(value > 0 for _at, value in places):
        scales.append(math.log)
    (a, va), (b, vb) = places[0], places[-1]
    if va == vb:
        return len(places) == 1
    return any(
        all(abs(a + (b - a) * (f(v) - f(va)) / (f(vb) - f(va)) - at) < 4 for at, v in places) for f in scales
    )
