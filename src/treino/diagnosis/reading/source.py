"""Reading a person's source: who made a name, what stands around a line, and what a line is told to
ignore.
"""

import ast
import linecache
import re
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Any, TypeVar

from treino.diagnosis.finding import Site
from treino.diagnosis.reading.by_position import by_position
from treino.diagnosis.reading.said_alike import said_alike
from treino.diagnosis.watch.where import Spot

_IGNORE = re.compile(r"#\s*treino:\s*ignore\[([\w\s,]+)\]")

BACKWARD = ("backward", "manual_backward")
RUNNERS = {"autograd", "fabric", "accelerator", "engine", "model_engine"}  # their method is given the loss

_Read = TypeVar("_Read", bound=Callable[..., Any])
_memories: list[Any] = []


def remembered(reads: _Read) -> _Read:
    """A function of files and places alone, worked out once until ``refresh``."""
    memory = lru_cache(maxsize=4096)(reads)
    _memories.append(memory)
    return memory  # type: ignore[return-value]


@remembered
def tree(path: str) -> ast.Module | None:
    """The parsed file, its own functions called by position and others in one way; None where it can't be
    read.
    """
    try:
        return by_position(said_alike(ast.parse("".join(linecache.getlines(path)))))
    except (SyntaxError, ValueError):
        return None


def refresh() -> None:
    """Forget what was read: files may have changed since."""
    linecache.checkcache()
    for memory in _memories:
        memory.cache_clear()


def ignored(site: Site | None, rule: str) -> bool:
    """Whether the line says ``# treino: ignore[rule]``."""
    if site is None:
        return False
    found = _IGNORE.search(linecache.getline(site.file, site.line))
    return found is not None and rule in {r.strip() for r in found[1].split(",")}


@remembered
def _placed(path: str) -> tuple[Any, ...]:
    """The nodes of a file that have a line."""
    module = tree(path)
    return tuple(n for n in ast.walk(module) if hasattr(n, "lineno")) if module is not None else ()


def enclosing(site: Site) -> tuple[Any, ...]:
    """The nodes that span a line, the outermost first."""
    return _spanning(site.file, site.line)


@remembered
def _spanning(path: str, line: int) -> tuple[Any, ...]:
    found = [n for n in _placed(path) if n.lineno <= line <= (n.end_lineno or 0)]
    return tuple(sorted(found, key=lambda n: (n.lineno, -(n.end_lineno or 0))))


def function_of(site: Site) -> ast.AST | None:
    """The function around a line, or the module."""
    around = [n for n in enclosing(site) if isinstance(n, (ast.FunctionDef, ast.AsyncFunctionDef))]
    return around[-1] if around else tree(site.file)


def statement_at(site: Site) -> ast.stmt | None:
    """The innermost statement that spans a line."""
    around = [n for n in enclosing(site) if isinstance(n, ast.stmt)]
    return around[-1] if around else None


def statements(site: Site) -> list[ast.stmt]:
    """The simple statements on a line, which may hold several of them."""
    return [n for n in enclosing(site) if isinstance(n, ast.stmt) and not hasattr(n, "body")]


def loop_around(site: Site) -> ast.For | ast.While | None:
    """The innermost loop around a line."""
    around = [n for n in enclosing(site) if isinstance(n, (ast.For, ast.While))]
    return around[-1] if around else None


def names_in(node: ast.AST | None) -> set[str]:
    """Every name and attribute in a piece of source."""
    if node is None:
        return set()
    plain = {n.id for n in ast.walk(node) if isinstance(n, ast.Name)}
    return plain | {n.attr for n in ast.walk(node) if isinstance(n, ast.Attribute)}


def bare_line(sites: Iterable[Site], method: str) -> Site | None:
    """The line that names a method without calling it, ``optimizer.step``, in the function around one of
    these lines, innermost first.
    """
    for site in sites:
        around = function_of(site)
        for node in ast.walk(around) if around is not None else ():
            named = node.value if isinstance(node, ast.Expr) else None
            if isinstance(named, ast.Attribute) and named.attr == method:
                return Site(site.file, named.lineno, site.function)
    return None


def call_name(call: ast.Call) -> str:
    """The last name of what is called: ``relu`` in ``F.relu(x)``; empty for a call of a call."""
    func = call.func
    return func.attr if isinstance(func, ast.Attribute) else func.id if isinstance(func, ast.Name) else ""


def call_at(site: Site, spot: Spot) -> ast.Call | None:
    """The call that stands at this place of a line."""
    for node in enclosing(site):
        place = (node.lineno, node.end_lineno, node.col_offset, node.end_col_offset)
        if isinstance(node, ast.Call) and place == spot:
            return node
    return None


@remembered
def calls_forward(path: str) -> bool:
    """Whether a file calls ``net.forward(x)`` in place of ``net(x)``; not ``super().forward(x)``."""
    module = tree(path)
    calls = called(module, "forward") if module is not None else []
    return any(isinstance(c.func, ast.Attribute) and not isinstance(c.func.value, ast.Call) for c in calls)


def called(node: ast.AST, *names: str) -> list[ast.Call]:
    """Calls of functions or methods with one of these last names, in order of lines."""
    calls = [n for n in ast.walk(node) if isinstance(n, ast.Call) and call_name(n) in names]
    return sorted(calls, key=lambda n: n.lineno)


def first_given(call: ast.Call) -> ast.expr | None:
    """What a call is given first, by its place or by name."""
    given = call.args or [k.value for k in call.keywords if k.arg is not None]
    return given[0] if given else None


def run_backward(call: ast.Call) -> ast.AST | None:
    """What a call runs backward: ``loss.backward()``, ``autograd.backward(loss)``, ``grad(loss, x)``."""
    of = call.func.value if isinstance(call.func, ast.Attribute) else None
    by = of.attr if isinstance(of, ast.Attribute) else of.id if isinstance(of, ast.Name) else ""
    handed = call.args[0] if call.args else None
    if isinstance(handed, (ast.List, ast.Tuple)) and handed.elts:
        handed = handed.elts[0]
    given = of is None or by in RUNNERS or call_name(call) in ("grad", "manual_backward")
    return handed if given and handed is not None else of


def root_name(site: Site) -> str | None:
    """The name in ``NAME.backward()`` (or ``scale(NAME).backward()``, ``grad(NAME, ...)``) on a line."""
    for call in [c for s in statements(site) for c in called(s, *BACKWARD, "grad")]:
        inner = run_backward(call)
        if isinstance(inner, ast.Call) and inner.args:
            inner = inner.args[0]
        for node in ast.walk(inner) if inner is not None else ():
            if isinstance(node, ast.Name):
                return node.id
    return None


def assignment(site: Site, name: str, *, follow: bool = True) -> Site | None:
    """The last line before (or at) a site, in its function, that gives the name a value.

    follow: where that is the value of a function of the same file, the line of its return is meant.
    """
    around = function_of(site)
    if around is None:
        return None
    best: Any = None
    nodes: list[Any] = list(ast.walk(around))
    for node in nodes:
        targets = (
            node.targets
            if isinstance(node, ast.Assign)
            else [node.target]
            if isinstance(node, ast.AugAssign)
            else []
        )
        gives = any(isinstance(n, ast.Name) and n.id == name for t in targets for n in ast.walk(t))
        if gives and node.lineno <= site.line and (best is None or node.lineno > best.lineno):
            best = node
    if best is None:
        return None
    value = getattr(best, "value", None)
    module = tree(site.file)
    if follow and isinstance(value, ast.Call) and module is not None:
        called_name = call_name(value)
        for node in ast.walk(module):
            if isinstance(node, ast.FunctionDef) and node.name == called_name and called_name != "forward":
                returns = [n for n in ast.walk(node) if isinstance(n, ast.Return)]
                if returns:
                    return Site(site.file, returns[-1].lineno, node.name)
    return Site(site.file, best.lineno, site.function)


def loss_line(site: Site | None, *, follow: bool = True) -> Site | None:
    """Where the value that is run backward on this line was computed; the line itself where that is
    unknown. ``follow`` as in ``assignment``.
    """
    if site is None:
        return None
    name = root_name(site)
    return (assignment(site, name, follow=follow) if name else None) or site
