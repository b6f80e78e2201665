"""Which row of which table a number means that a DataLoader asks its dataset for: through subsets, joins of
datasets, and those that a person wrote around a list of numbers.
"""

import ast
import weakref
from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass
from operator import index
from typing import Any

import numpy as np
import torch
from torch.utils.data import ConcatDataset, Dataset, IterableDataset, Subset

from treino.diagnosis.reading.provenance import Function
from treino.diagnosis.reading.source import tree

DEEP = 6  # datasets, one within the other
CHANGES = ("transform", "augment", "aug", "tfm")  # attributes that say how rows look, not which they are
HELD = 8  # plain lists that are datasets
INDEXERS = ("iloc", "loc", "values", "iat", "at")
SAMPLED = 512  # rows of a table by whose values it is known again
ACROSS = 12  # ... and columns, or pixels to a side
Table = tuple[Any, ...]
Rows = list[tuple[Table, list[int]]]


@dataclass(frozen=True)
class Reading:
    """What ``__getitem__`` does with the number that it is given."""

    roots: tuple[str, ...] = ()  # self.ROOT[i]: where it takes rows by it, if it does nothing else with it
    of: tuple[str, ...] = ()  # self.OF[self.ROOT[i]]
    uses: tuple[str, ...] | None = None  # all attributes that say which rows these are; None: who knows


class Tables:
    """Knows tables again: by the objects that hold them, for as long as these live; and by what these hold,
    where two datasets of a kind read the same table each for itself.
    """

    def __init__(self) -> None:
        self._known: dict[int, tuple[Callable[[], Any], int]] = {}
        self._prints: dict[Any, Table] = {}
        self._count = 0
        self._readings: dict[Any, Reading | None] = {}
        self._held: list[Any] = []

    def rows(self, dataset: Any) -> Callable[[list[Any]], Rows] | None:
        """What finds the rows for numbers in a dataset; None where that can't be known."""
        for _ in range(DEEP):
            if isinstance(dataset, Subset):
                inner = self.rows(dataset.dataset)
                return None if inner is None else _listed(dataset.indices, inner)
            if isinstance(dataset, ConcatDataset):
                parts = [self.rows(d) for d in dataset.datasets]
                known = [p for p in parts if p is not None]
                return _parted(list(dataset.cumulative_sizes), known) if len(known) == len(parts) else None
            if type(dataset) in (list, tuple):
                if len(self._held) >= HELD and not any(h is dataset for h in self._held):
                    return None
                self._held.append(dataset)
                return _direct((self._number(dataset, self),))
            reading = self._reading(dataset) if not isinstance(dataset, IterableDataset) else None
            if reading is None:
                return None
            roots = [getattr(dataset, name, None) for name in reading.roots]
            inner_one = next((r for r in roots if isinstance(r, Dataset)), None)
            if len(roots) == 1 and inner_one is not None:
                dataset = inner_one
                continue
            if reading.of:
                of = [getattr(dataset, name, None) for name in reading.of]
                if _numbers_of(roots[0], of[0]):
                    inner = self.rows(of[0]) if isinstance(of[0], Dataset) and len(of) == 1 else None
                    table = self._table(dataset, reading, without=reading.roots)
                    return _listed(roots[0], inner or _direct(table))
            return _direct(self._table(dataset, reading))
        return None

    def _table(self, dataset: Any, reading: Reading, without: tuple[str, ...] = ()) -> Table:
        """What says which rows these are: the whole dataset as it is, if its source doesn't tell."""
        held = getattr(dataset, "__dict__", {})
        uses = sorted(held) if reading.uses is None else [n for n in reading.uses if n not in without]
        told = {n: getattr(dataset, n, None) for n in uses if not _says_look(n)}
        parts = [self._same(v, dataset) for v in told.values()]
        if reading.uses is None:
            return (self._number(dataset, dataset), *parts)
        prints = {n: print_of(v) for n, v in told.items()}
        rows = any((p := prints.get(n)) is not None and p[0] for n in reading.roots)
        if rows and all(p is not None for p in prints.values()):
            return self._prints.setdefault((type(dataset), *prints.values()), tuple(parts))
        return tuple(parts)

    def _same(self, value: Any, owner: Any) -> Any:
        plain = value is None or isinstance(value, (int, float, str))
        return (type(value).__name__, value) if plain else self._number(value, owner)

    def _number(self, thing: Any, owner: Any) -> int:
        """The same number for the same object: its id may become another's."""
        known = self._known.get(id(thing))
        if known is not None and known[0]() is not None:
            return known[1]
        self._count += 1
        try:
            reference: Callable[[], Any] = weakref.ref(thing)
        except TypeError:
            reference = weakref.ref(owner)
        self._known[id(thing)] = reference, self._count
        return self._count

    def _reading(self, dataset: Any) -> Reading | None:
        kind = type(dataset)
        if kind not in self._readings:
            self._readings[kind] = _read(kind)
        return self._readings[kind]


def _listed(of: Any, inner: Callable[[list[Any]], Rows]) -> Callable[[list[Any]], Rows]:
    def rows(numbers: list[Any]) -> Rows:
        return inner([of[i] for i in numbers])

    return rows


def _direct(table: Table) -> Callable[[list[Any]], Rows]:
    def rows(numbers: list[Any]) -> Rows:
        return [(table, list(map(index, numbers)))]

    return rows


def _parted(ends: list[int], parts: list[Callable[[list[Any]], Rows]]) -> Callable[[list[Any]], Rows]:
    starts = [0, *ends]

    def rows(numbers: list[Any]) -> Rows:
        found: Rows = []
        for i in numbers:
            at = bisect_right(ends, i)
            found += parts[at]([i - starts[at]])
        return found

    return rows


def _numbers_of(numbers: Any, of: Any) -> bool:
    """Whether this is a list of row numbers of a table, each once."""
    try:
        given = [index(i) for i in numbers]
        return len(set(given)) == len(given) and max(given) < len(of)
    except (TypeError, ValueError):
        return False


def _says_look(name: str) -> bool:
    return any(word in name.lower() for word in CHANGES)


def _read(kind: Any) -> Reading | None:
    """How a class finds the row for a number; None where its source says nothing."""
    code = getattr(getattr(kind, "__getitem__", None), "__code__", None)
    if kind.__module__ == "torch.utils.data.dataset":
        return Reading(("tensors",), (), ("tensors",)) if kind.__name__ == "TensorDataset" else None
    if code is None or hasattr(kind, "__getitems__"):
        return None
    module = tree(code.co_filename)
    nodes = ast.walk(module) if module is not None else ()
    found = [n for n in nodes if isinstance(n, Function) and n.name == "__getitem__"]
    function = next((n for n in found if _starts(n, code)), None)
    arguments = function.args.args if function is not None else []
    if function is None or len(arguments) < 2:
        return None
    return _reading_of(function, arguments[0].arg, arguments[1].arg, kind)


def _starts(node: Any, code: Any) -> bool:
    first = min([node.lineno, *(d.lineno for d in node.decorator_list)])
    return bool(first == code.co_firstlineno)


def _reading_of(function: ast.AST, own: str, number: str, kind: Any) -> Reading | None:
    named = [n for n in ast.walk(function) if isinstance(n, ast.Name) and n.id == number]
    loads = [n for n in named if isinstance(n.ctx, ast.Load)]
    if not loads or len(loads) < len(named):
        return None  # rows are drawn, or the number is changed
    subscripts = [n for n in ast.walk(function) if isinstance(n, ast.Subscript)]
    direct = [n for n in subscripts if _is(_first(n), number)]
    roots = {_attribute(n.value, own) for n in direct}
    if len(direct) < len(loads) or "" in roots:
        return Reading()
    inside = {id(n) for n in direct}
    names = {
        n.targets[0].id
        for n in ast.walk(function)
        if isinstance(n, ast.Assign) and id(_plain(n.value)) in inside and isinstance(n.targets[0], ast.Name)
    }
    uses = _uses(function, own, names | {number}, kind)
    through = [n for n in subscripts if id(_plain(_first(n))) in inside or _name(_first(n)) in names]
    of = {_attribute(n.value, own) for n in through}
    known = [n for n in ast.walk(function) if isinstance(n, ast.Name) and n.id in names]
    loaded = sum(isinstance(n.ctx, ast.Load) for n in known)
    listed = bool(of) and "" not in of and len(roots) == 1 and uses is not None
    if listed and loaded == sum(_name(_first(n)) in names for n in through):
        return Reading(tuple(roots), tuple(sorted(of)), uses)
    return Reading(tuple(sorted(roots)), (), uses)


def _uses(function: ast.AST, own: str, numbers: set[str], kind: Any) -> tuple[str, ...] | None:
    """The attributes that a method reads, but those under a condition that only change a row that is there;
    None where it calls other methods, or hands on the whole object.
    """
    found: set[str] = set()
    whole = False
    todo = [function]
    while todo:
        node = todo.pop()
        if isinstance(node, (ast.If, ast.IfExp)) and not _takes_rows(node, numbers):
            continue
        if isinstance(node, ast.Attribute) and _is(node.value, own):
            if callable(getattr(kind, node.attr, None)) and not _says_look(node.attr):
                return None
            found.add(node.attr)
            continue
        whole = whole or (isinstance(node, ast.Name) and node.id == own)
        todo += ast.iter_child_nodes(node)
    return None if whole else tuple(sorted(found))


def _takes_rows(node: ast.AST, numbers: set[str]) -> bool:
    return any(isinstance(n, ast.Subscript) or _name(n) in numbers for n in ast.walk(node))


def _name(node: ast.AST) -> str:
    return node.id if isinstance(node, ast.Name) else ""


def _plain(value: ast.AST) -> ast.AST:
    """``int(x)``: x"""
    whole = isinstance(value, ast.Call) and isinstance(value.func, ast.Name) and value.func.id == "int"
    return value.args[0] if whole and len(value.args) == 1 else value  # type: ignore[attr-defined]


def _first(node: ast.Subscript) -> ast.AST:
    """What a subscript takes rows by."""
    return node.slice.elts[0] if isinstance(node.slice, ast.Tuple) and node.slice.elts else node.slice


def _is(node: ast.AST, name: str) -> bool:
    return isinstance(node, ast.Name) and node.id == name


def _attribute(value: ast.AST, own: str) -> str:
    """The name in ``self.NAME``, ``self.NAME.iloc``; empty for anything else."""
    if isinstance(value, ast.Attribute) and value.attr in INDEXERS:
        value = value.value
    plain = isinstance(value, ast.Attribute) and _is(value.value, own)
    return value.attr if plain else ""  # type: ignore[attr-defined]


def print_of(thing: Any) -> tuple[bool, Any] | None:
    """What a table holds, told by some of its rows, and whether these are (nearly) all different: the same
    for a copy of it. None for what is neither a table nor a plain value.
    """
    if thing is None or isinstance(thing, (int, float, str)):
        return False, thing
    if not isinstance(thing, (torch.Tensor, np.ndarray, list, tuple)) and not hasattr(thing, "iloc"):
        return None
    try:
        some = getattr(thing, "iloc", thing)[:: max(1, len(thing) // SAMPLED)]
        if isinstance(some, (list, tuple)) and _are_plain(some):
            rows: list[Any] = [str(r) for r in some]
        else:
            values = some.detach() if isinstance(some, torch.Tensor) else np.asarray(some)
            values = values[(slice(None), *(slice(None, None, -(-n // ACROSS)) for n in values.shape[1:]))]
            kept = np.asarray(values.cpu() if isinstance(values, torch.Tensor) else values)
            kept = kept.reshape(len(kept), -1)
            rows = [r.tobytes() for r in kept] if kept.dtype != object else [str(r.tolist()) for r in kept]
        return len(set(rows)) >= 0.9 * len(rows), (type(thing), len(thing), hash(tuple(rows)))
    except Exception:  # of its own kind
        return None


def _are_plain(rows: Any) -> bool:
    parts = (v for row in rows for v in (row if isinstance(row, (list, tuple)) else (row,)))
    return all(isinstance(v, (str, int, float)) for v in parts)
