"""Where rows, helpers, modes and loops are to be mended, from the lines that were seen."""

import ast
from collections.abc import Callable, Iterator
from typing import Any

from treino.diagnosis.finding import Site
from treino.diagnosis.where.bindings import bindings, parameters
from treino.diagnosis.where.calls import MAKES, call_sites
from treino.diagnosis.where.flow import EACH, Step, origins, uses, values
from treino.diagnosis.where.kinds import SPLITS
from treino.diagnosis.where.settings import FITS
from treino.diagnosis.where.source import (
    Function,
    around,
    calls,
    function,
    given,
    loops,
    module,
    name_of,
    names,
    only,
    place,
    targets,
    written_on,
)

OFF = {"no_grad", "inference_mode", "set_grad_enabled"}
STORES = ("append", "add", "extend", "insert", "update", "put", "setdefault")
NEAR = 3  # lines between which a person would not care
Fits = Callable[[ast.AST], bool]


# --- rows: what a net was given ---------------------------------------------------------------------------
def trail(site: Site | None, loader: Site | None = None, led: tuple[Site, ...] = ()) -> Iterator[Step]:
    """What a net's call, or a loader, on a line is given, and all that was made of, the nearest first."""
    start = loader or site
    if start is None:
        return
    made = calls(written_on(start), "DataLoader") if loader is not None else []
    every = made or calls(written_on(start))
    asked = [a for call in every for a in given(call)]
    seen: set[int] = set()
    part = (EACH,) if loader is not None else ()
    ways = [origins(start, node, led, part) for node in asked[:8]]
    for way in _in_turn(ways):
        if id(way.node) not in seen:
            seen.add(id(way.node))
            yield way


def _in_turn(ways: list[Iterator[Step]]) -> Iterator[Step]:
    """The first of each, then the second of each, ..."""
    while ways:
        left = []
        for way in ways:
            step = next(way, None)
            if step is not None:
                left.append(way)
                yield step
        ways = left


def maker(
    site: Site | None, fits: Fits, loader: Site | None = None, led: tuple[Site, ...] = ()
) -> Site | None:
    """The nearest line, on the way of the rows to a net's call or a loader, whose expression fits."""
    return next((s.site for s in trail(site, loader, led) if fits(s.node)), None)


def dataset(loader: Site | None) -> Site | None:
    """Where the data set of a loader is made: the call of a class, of the file's own where there is one."""
    own = bindings(loader.file).classes if loader is not None else {}
    fits = [s for s in trail(None, loader) if isinstance(s.node, ast.Call) and s.how != "held"]
    mine = next((s.site for s in fits if name_of(s.node) in own), None)
    return mine or next((s.site for s in fits if name_of(s.node).endswith("Dataset")), None)


def thrown(path: str, fits: Fits) -> Site | None:
    """The first line that makes something of this kind and keeps nothing of it: ``table.dropna()``."""
    nodes = list(ast.walk(module(path)))
    every = [n for n in nodes if isinstance(n, ast.Expr) and isinstance(n.value, ast.Call)]
    idle: list[ast.stmt] = [n for n in every if fits(n.value) and not _in_place(n.value)]
    named = [
        n for n in nodes if isinstance(n, ast.Assign) and isinstance(n.targets[0], ast.Name) and fits(n.value)
    ]
    idle += [n for n in named if n.targets[0].id != "_" and not any(True for _ in uses(place(path, n)))]  # type: ignore[attr-defined]
    return place(path, min(idle, key=lambda n: n.lineno)) if idle else None


def _in_place(call: ast.AST) -> bool:
    """Whether a call changes what it belongs to, gives it to another, or shows it."""
    name = name_of(call)
    kept = isinstance(call, ast.Call) and any(k.arg in ("inplace", "out") for k in call.keywords)
    inner = isinstance(call, ast.Call) and any(
        isinstance(n, ast.Call) for a in given(call) for n in ast.walk(a)
    )
    return kept or inner or name.endswith("_") or name in (*STORES, "shuffle", "fit", "print", "sort")


def flag(path: str, fits: Fits) -> Site | None:
    """Where the flag is written by which the only branch that does this is not taken."""
    branches = [n for n in ast.walk(module(path)) if isinstance(n, ast.If) and any(map(fits, n.body))]
    asked = [n.test for n in branches if isinstance(n.test, (ast.Name, ast.Attribute, ast.Subscript))]
    ends = [way[-1] for t in asked if len(branches) == 1 for way in values(place(path, t), t)]
    return only(e.site for e in ends if isinstance(e.node, ast.Constant) and not e.node.value)


# --- helpers: whose caller is to be mended ----------------------------------------------------------------
def caller(stack: tuple[Site, ...], *, most: int = 99) -> Site | None:
    """The innermost of these lines that doesn't only pass on what it was given."""
    return next((s for s in stack if not passes_on(s, most)), stack[0] if stack else None)


def passes_on(site: Site | None, most: int = 99) -> bool:
    """Whether a line only computes with two or more arguments of its function, of so many at most: whoever
    calls it chose their shapes.
    """
    if site is None or calls(written_on(site), *FITS):
        return False
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
    inside: list[Any] = [n for n in around(site) if isinstance(n, kinds)]
    if not inside:
        return False
    own = {*parameters(inside[-1])} - {"self", "cls"}
    stored = {n.id for n in ast.walk(inside[-1]) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
    said: list[ast.AST] = [inside[-1].body] if isinstance(inside[-1], ast.Lambda) else written_on(site)
    called = {name_of(c) for n in said for c in calls(n) if isinstance(c.func, ast.Name)}
    read = {n.id for s in said for n in ast.walk(s) if isinstance(n, ast.Name)}
    differs = any(_difference_of(n, own - stored) for s in said for n in ast.walk(s))
    asks = any(_asks(a) for n in said for c in calls(n) for a in c.args)
    return differs or (len(own) <= most and len((own - stored - called) & read) >= 2 and not asks)


def _difference_of(node: ast.AST, own: set[str]) -> bool:
    """``prediction - target`` of two arguments."""
    sides = [node.left, node.right] if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Sub) else []
    return bool(sides) and all(isinstance(s, ast.Name) and s.id in own for s in sides)


def _asks(value: ast.AST) -> bool:
    """``self.net(x)``: what is compared was made here, by an object."""
    func = value.func if isinstance(value, ast.Call) and value.args else None
    return isinstance(func, ast.Attribute) and name_of(func.value) == "self"


def helper_of(site: Site | None) -> Site | None:
    """For a line of a little helper that is called on one line only, that line; the line itself otherwise,
    and where the function reads data, parts it or trains.
    """
    inside = function(site) if site is not None else None
    if site is None or not isinstance(inside, Function) or inside.name in MAKES:
        return site
    if calls(inside, *SPLITS, "backward"):
        return site
    return only_caller(site) or site


def only_caller(site: Site | None) -> Site | None:
    """Where the function around a line is called, if that is on one line only; None otherwise."""
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
    inside = (
        next((n for n in reversed(around(site)) if isinstance(n, kinds)), None) if site is not None else None
    )
    if site is None or inside is None:
        return None
    return only(place(site.file, c) for c, _ in call_sites(site.file, inside))


# --- modes and contexts -----------------------------------------------------------------------------------


def _plain(call: ast.Call) -> bool:
    return all(getattr(a, "value", None) is True for a in given(call)) and len(given(call)) < 2


# --- training loops ---------------------------------------------------------------------------------------
def hook(site: Site | None, name: str) -> Site | None:
    """Where a person's own function of such a name changes what the ``fit`` on this line does."""
    if site is None or not calls(written_on(site), *FITS):
        return site
    for known, found in bindings(site.file).functions.items():
        if name in known:
            return place(site.file, found[0].body[0])
    return site


def batches(sites: tuple[Site, ...]) -> Site | None:
    """The head of the loop over batches around the innermost of these lines that stands in one; loops over
    layers, in ``forward``, are none.
    """
    for site in sites:
        inside = function(site)
        found = [n for n in loops(site) if isinstance(n, ast.For)]
        if found and getattr(inside, "name", "") != "forward":
            return Site(site.file, found[-1].lineno, site.function)
    return sites[0] if sites else None


# --- calls of an API ---------------------------------------------------------------------------------------
def left_out(site: Site | None) -> Site | None:
    """The line that leaves parameters out for an optimizer that is made on this one: a condition, a part of a
    list; the optimizer's own line where there is none, or several.
    """
    asked = [given(c)[0] for c in calls(written_on(site)) if given(c)]
    found: list[Site] = []
    for step in (s for node in asked[:1] for s in origins(site, node)) if site is not None else ():
        for node in ast.walk(step.node):
            if isinstance(node, ast.comprehension):
                tests = [test for test in node.ifs if "requires_grad" not in names(test)]
                found += [place(step.site.file, test) for test in tests]
            elif isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Slice):
                found.append(place(step.site.file, node))
        if step.how == "changed":
            inside = [n for n in around(step.site) if isinstance(n, ast.If)]
            found += [place(step.site.file, n) for n in inside[-1:]]
    lines = sorted(found, key=lambda s: s.line)
    near = bool(lines) and lines[-1].line - lines[0].line <= NEAR
    return lines[0] if near else site


def opened(site: Site | None) -> Site | None:
    """The only line, in the file of an optimizer, that lets parameters learn from there on."""
    nodes = list(ast.walk(module(site.file))) if site is not None else []
    found = [n for n in nodes if isinstance(n, ast.Call) and name_of(n) == "requires_grad_" and _plain(n)]
    flags = [n for n in nodes if isinstance(n, ast.Assign) and "requires_grad" in targets(n)]
    flags = [n for n in flags if getattr(n.value, "value", None) is True]
    return only(place(site.file, n) for n in (*found, *flags)) if site is not None else None


def sole_call(site: Site | None, *api: str) -> Site | None:
    """The line itself if it spells one of these functions; else the only line of the file that calls one."""
    if site is None:
        return None
    low = {w.lower() for w in api}
    if any(low & {n.lower() for n in names(s)} for s in written_on(site)):
        return site
    return only(place(site.file, c) for c in calls(module(site.file), *api)) or site
