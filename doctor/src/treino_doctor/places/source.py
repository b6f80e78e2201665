"""Parsed source files: the nodes around a line, and the calls, names and targets in a piece of source."""

import ast
import linecache
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from typing import Any, TypeVar

from treino_doctor.finding import Site

Function = ast.FunctionDef | ast.AsyncFunctionDef
Loop = ast.For | ast.AsyncFor | ast.While

SETTERS = ast.AugAssign, ast.AnnAssign, ast.For, ast.AsyncFor, ast.comprehension, ast.NamedExpr
LONGEST = 1_000_000  # maximum number of characters of a file that is parsed
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")

_Read = TypeVar("_Read", bound=Callable[..., Any])
_memories: list[Any] = []


def remembered(reads: _Read) -> _Read:
    """Cache a function of files and places until ``refresh``."""
    memory = lru_cache(maxsize=4096)(reads)
    _memories.append(memory)
    return memory  # type: ignore[return-value]


def refresh() -> None:
    """Clear the caches, as files may have changed."""
    linecache.checkcache()
    for memory in _memories:
        memory.cache_clear()


@remembered
def module(path: str) -> ast.Module:
    """The parsed file; an empty module if it can't be read."""
    text = "".join(linecache.getlines(path))
    try:
        return ast.parse(text if len(text) < LONGEST else "")
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return ast.Module([], [])


@remembered
def parents(path: str) -> dict[int, ast.AST]:
    """Map each node's id to its parent, for a file."""
    table: dict[int, ast.AST] = {}
    for node in ast.walk(module(path)):
        for child in ast.iter_child_nodes(node):
            table[id(child)] = node
    return table


def above(path: str, node: ast.AST) -> Iterator[ast.AST]:
    """Yield the ancestors of a node, innermost first."""
    known = parents(path)
    at = known.get(id(node))
    while at is not None:
        yield at
        at = known.get(id(at))


@remembered
def _by_line(path: str) -> tuple[Any, ...]:
    return tuple(n for n in ast.walk(module(path)) if hasattr(n, "lineno"))


@remembered
def _spanning(path: str, line: int) -> tuple[Any, ...]:
    nodes = [n for n in _by_line(path) if n.lineno <= line <= (n.end_lineno or 0)]
    return tuple(sorted(nodes, key=lambda n: (n.lineno, -(n.end_lineno or 0))))


def around(site: Site) -> tuple[Any, ...]:
    """The nodes that span a line, outermost first."""
    return _spanning(site.file, site.line)


def function(site: Site) -> ast.AST:
    """The function around a line, else the module."""
    functions = [n for n in around(site) if isinstance(n, Function)]
    return functions[-1] if functions else module(site.file)


def statement(site: Site | None) -> ast.stmt | None:
    """The innermost statement that spans a line."""
    statements = [n for n in around(site) if isinstance(n, ast.stmt)] if site is not None else []
    return statements[-1] if statements else None


def written_on(site: Site | None) -> list[ast.AST]:
    """The statements on a line; for a loop, a branch or a function, only its head."""
    if site is None:
        return []
    statements = [n for n in around(site) if isinstance(n, ast.stmt)]
    plain = [n for n in statements if not hasattr(n, "body")]
    if plain or not statements:
        return list(plain)
    last, heads = statements[-1], ("iter", "test", "items", "args", "decorator_list", "subject", "bases")
    parts = [getattr(last, name) for name in heads if hasattr(last, name)]
    return [n for g in parts for n in (g if isinstance(g, list) else [g])]


def loops(site: Site | None) -> list[Any]:
    """The loops around a line, in its function, outermost first."""
    nodes = around(site) if site is not None else ()
    start = max((i for i, n in enumerate(nodes) if isinstance(n, Function)), default=-1)
    return [n for n in nodes[start + 1 :] if isinstance(n, Loop)]


def loop(site: Site | None) -> Any:
    """The innermost loop around a line."""
    return (loops(site) or [None])[-1]


def place(path: str, node: ast.AST, line: int = 0) -> Site:
    """The line of a node, with the name of the function around it."""
    line = line or getattr(node, "lineno", 0) or 1
    inside = function(Site(path, line))
    return Site(path, line, getattr(inside, "name", "<module>"))


def same(one: Site | None, other: Site | None) -> bool:
    """Whether two sites are the same line."""
    return one is not None and other is not None and (one.file, one.line) == (other.file, other.line)


def name_of(node: ast.AST | None) -> str:
    """The last name in a call or an expression: ``relu`` in ``F.relu(x)``; "" if it has none."""
    node = node.func if isinstance(node, ast.Call) else node
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def calls(nodes: ast.AST | Iterable[ast.AST] | None, *names: str) -> list[ast.Call]:
    """Calls of functions or methods with one of these last names (default: any), in line order."""
    every = [nodes] if isinstance(nodes, ast.AST) else list(nodes or ())
    matches = [n for node in every for n in ast.walk(node) if isinstance(n, ast.Call)]
    matches = [n for n in matches if not names or name_of(n) in names]
    return sorted(matches, key=lambda n: (n.lineno, n.col_offset))


def names(node: ast.AST | None) -> set[str]:
    """Every name and attribute in a piece of source."""
    nodes = list(ast.walk(node)) if node is not None else []
    plain = {n.id for n in nodes if isinstance(n, ast.Name)}
    return plain | {n.attr for n in nodes if isinstance(n, ast.Attribute)}


def targets(node: ast.AST | None) -> set[str]:
    """The names and attributes that a statement or a target sets; ``x[i]`` doesn't set x."""
    if isinstance(node, ast.Assign):
        return set().union(*map(targets, node.targets))
    if isinstance(node, SETTERS):
        return targets(node.target)
    if isinstance(node, (ast.Tuple, ast.List)):
        return set().union(*map(targets, node.elts))
    if isinstance(node, ast.Starred):
        return targets(node.value)
    return {name_of(node)} - {""} if isinstance(node, (ast.Name, ast.Attribute)) else set()


def argument(call: ast.Call, keyword: str, position: int | None = None) -> ast.expr | None:
    """The value passed by this keyword or at this position; None if there is none."""
    for entry in call.keywords:
        if entry.arg == keyword:
            return entry.value
    if position is None or any(isinstance(a, ast.Starred) for a in call.args[: position + 1]):
        return None
    return call.args[position] if position < len(call.args) else None


def argument_values(call: ast.Call) -> list[ast.expr]:
    """All values passed to a call, by position or by keyword."""
    return [*call.args, *(k.value for k in call.keywords)]


def only(sites: Iterable[Site | None]) -> Site | None:
    """The line that all of these are on; None if there are none or several."""
    lines = {(s.file, s.line): s for s in sites if s is not None}
    return next(iter(lines.values())) if len(lines) == 1 else None


def words(name: str) -> list[str]:
    """The words of an identifier, lower case, without accents: x, test, loader for ``X_testLoader``."""
    plain = unicodedata.normalize("NFKD", name)
    plain = "".join(c for c in plain if not unicodedata.combining(c))
    return [w.lower() for w in _WORD.findall(plain)]
