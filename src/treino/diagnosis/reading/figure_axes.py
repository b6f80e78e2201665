"""Figures of each output, as the source says: what they are named after, and along which axis they run."""

import ast
from collections.abc import Iterable, Iterator
from types import FrameType
from typing import Any

from treino.diagnosis.finding import Site
from treino.diagnosis.reading.provenance import definition
from treino.diagnosis.reading.source import call_name, called, function_of, statement_at, tree
from treino.diagnosis.record.lines import is_own
from treino.diagnosis.watch.where import locals_of

REDUCES = ("mean", "sum", "nanmean", "nansum")
PAIRS = ("min", "amin", "argmin", "max", "amax", "argmax", "sort", "argsort", "topk", "exp", "sign", "relu")
KEEPS = ("sqrt", "tolist", "numpy", "cpu", "detach", "list", "float", "abs", "round", "array", "asarray")
LIBRARIES = ("np", "numpy", "torch", "math")
LEVELS = 3  # functions that hand a figure on
SIZED = (list, tuple, range, dict, str)


class Figures:
    """The expressions in a function that are figures: calls, or the one part of what these return.

    part: its place in a tuple, or its key in a dictionary; None for the whole.
    """

    def __init__(self, around: ast.AST | None, calls: list[ast.Call], part: int | str | None = None) -> None:
        self.around, self.calls, self.part = around, calls, part
        self.held: set[str] = set()  # names of figures
        self.wholes: set[str] = set()  # names of what they are parts of
        nodes = [n for n in ast.walk(around) if isinstance(n, ast.Assign)] if around is not None else []
        for node in sorted(nodes, key=lambda n: n.lineno):
            for target in node.targets:
                self._given(target, node.value)

    def _given(self, target: ast.AST, value: ast.AST) -> None:
        """A name is given a figure, what figures are part of, or something else."""
        if isinstance(target, ast.Tuple) and isinstance(self.part, int) and value in self.calls:
            target = target.elts[self.part] if self.part < len(target.elts) else target
            self.held |= {target.id} if isinstance(target, ast.Name) else set()
        elif isinstance(target, ast.Name):
            self.held -= {target.id}
            self.wholes -= {target.id}
            if self.has(value):
                self.held.add(target.id)
            elif value in self.calls:
                self.wholes.add(target.id)

    def has(self, node: ast.AST) -> bool:
        """Whether an expression is these figures, or their roots, or some other kind of numbers of them."""
        core = _core(node)
        if isinstance(core, ast.Name):
            return core.id in self.held
        if self.part is None:
            return core in self.calls
        whole = core.value if isinstance(core, ast.Subscript) else None
        known = whole in self.calls or (isinstance(whole, ast.Name) and whole.id in self.wholes)
        by = core.slice if isinstance(core, ast.Subscript) else None
        return known and isinstance(by, ast.Constant) and by.value == self.part

    def returned(self, calls: list[ast.Call], above: ast.AST | None) -> "Figures | None":
        """What of the calls of this function, in the one above, is these figures."""
        nodes = ast.walk(self.around) if isinstance(self.around, ast.FunctionDef) else ()
        for value in (n.value for n in nodes if isinstance(n, ast.Return) and n.value is not None):
            parts: list[tuple[int | str | None, ast.AST]] = [(None, value)]
            if isinstance(value, ast.Tuple):
                parts = list(enumerate(value.elts))
            elif isinstance(value, ast.Dict):
                keys = [k.value if isinstance(k, ast.Constant) else None for k in value.keys]
                parts = [(k, v) for k, v in zip(keys, value.values, strict=True) if isinstance(k, str)]
            for part, node in parts:
                if self.has(node):
                    return Figures(above, calls, part)
        return None


def named_after(site: Site, frame: FrameType | None, dims: Any, size: int, sizes: set[int]) -> int:
    """After how many things the figures of a line, taken along these axes, are named one by one: as many as
    one of these sizes, not as many as there are figures; 0 where it isn't so.
    """
    statement = statement_at(site)
    calls = called(statement, *REDUCES) if statement is not None else []
    calls = [c for c in calls if _along(c) == dims or len(calls) == 1]
    figures = Figures(function_of(site), calls) if any(_compares(site, c) for c in calls) else None
    for _ in range(LEVELS):
        if figures is None or frame is None:
            return 0
        names = {**frame.f_globals, **locals_of(frame)}
        for things in _named(figures):
            found = _length(things, names)
            if found in sizes and found != size:
                return found
        name, frame = getattr(figures.around, "name", ""), _above(frame)
        if frame is not None:
            site = Site(frame.f_code.co_filename, frame.f_lineno, frame.f_code.co_name)
            statement = statement_at(site)
            calls = called(statement, name) if statement is not None else []
            figures = figures.returned(calls, function_of(site)) if calls else None
    return 0


def _along(call: ast.Call) -> Any:
    """The axes that a call is given as numbers."""
    func = call.func.value if isinstance(call.func, ast.Attribute) else None
    at = 1 if isinstance(func, ast.Name) and func.id in LIBRARIES else 0
    given = [*call.args[at:], *(k.value for k in call.keywords if k.arg in ("dim", "axis"))]
    try:
        return ast.literal_eval(given[0]) if given else None
    except ValueError:
        return None


def named_in_numpy(path: str, frame: FrameType | None, outputs: int) -> list[Site]:
    """The lines of a file that take figures of each row, by arrays, which are then named one by one after as
    many things as there are outputs.
    """
    module, scopes = tree(path), dict[str, dict[str, Any]]()
    while frame is not None:
        scopes[frame.f_code.co_name] = {**frame.f_globals, **locals_of(frame)}
        scopes.setdefault("", dict(frame.f_globals))
        frame = _above(frame)
    found: list[Site] = []
    for reduced in called(module, *REDUCES) if module is not None else []:
        given = {k.arg: k.value for k in reduced.keywords}
        site = Site(path, reduced.lineno)
        last = given.get("axis")
        if last is None or "keepdims" in given or ast.unparse(last) not in ("1", "-1"):
            continue
        if _compares(site, reduced):
            figures = Figures(function_of(site), [reduced])
            if _named_so(path, figures, scopes, outputs, LEVELS):
                found.append(site)
    return found


def _named_so(path: str, figures: Figures, scopes: dict[str, Any], outputs: int, levels: int) -> bool:
    """Whether these figures, or what functions return of them, are named after so many things."""
    module, name = tree(path), getattr(figures.around, "name", "")
    names = scopes.get(name, scopes.get("", {}))
    if any(_length(things, names) == outputs for things in _named(figures)):
        return True
    for call in called(module, name) if module is not None and name and levels else ():
        following = figures.returned([call], function_of(Site(path, call.lineno)))
        if following is not None and _named_so(path, following, scopes, outputs, levels - 1):
            return True
    return False


def _above(frame: FrameType) -> FrameType | None:
    """The next frame of a person's own code."""
    above = frame.f_back
    while above is not None and not is_own(above.f_code.co_filename):
        above = above.f_back
    return above


def _compares(site: Site, node: ast.AST, depth: int = 3) -> bool:
    """Whether a value is computed from differences or comparisons, as far as the function says."""
    for n in ast.walk(node):
        if isinstance(n, ast.Compare) or (isinstance(n, ast.BinOp) and isinstance(n.op, ast.Sub)):
            return True
        if isinstance(n, ast.Call) and ("loss" in call_name(n) or call_name(n) in ("sub", "eq", "ne")):
            return True
        if isinstance(n, ast.Name) and depth and isinstance(n.ctx, ast.Load):
            given = definition(site, n.id)
            made = given if given is not None and not given.loop and given.line < site.line else None
            if made is not None and _compares(Site(site.file, made.line), made.value, depth - 1):
                return True
    return False


def _core(node: ast.AST) -> ast.AST:
    """What a value is, apart from a root, a factor or another kind of number."""
    while True:
        if isinstance(node, ast.Call) and call_name(node) in KEEPS:
            func = node.func
            method = isinstance(func, ast.Attribute) and not (
                isinstance(func.value, ast.Name) and func.value.id in LIBRARIES
            )
            if not method and not node.args:
                return node
            node = func.value if method and isinstance(func, ast.Attribute) else node.args[0]
        elif isinstance(node, ast.BinOp):
            node = node.left
        else:
            return node


def _named(figures: Figures) -> Iterator[ast.AST]:
    """What figures are paired with: by ``zip``, or by an index that runs over names."""
    for node in ast.walk(figures.around) if figures.around is not None else ():
        if isinstance(node, ast.Call) and call_name(node) == "zip":
            if any(figures.has(a) for a in node.args):
                yield from (a for a in node.args if not figures.has(a))
        elif isinstance(node, ast.For):
            yield from _indexed(node.target, node.iter, node.body, figures)
        elif isinstance(node, (ast.ListComp, ast.GeneratorExp, ast.SetComp)):
            yield from _indexed(node.generators[0].target, node.generators[0].iter, [node.elt], figures)
        elif isinstance(node, ast.DictComp):
            parts = [node.key, node.value]
            yield from _indexed(node.generators[0].target, node.generators[0].iter, parts, figures)


def _indexed(target: ast.AST, over: ast.AST, body: Iterable[ast.AST], figures: Figures) -> Iterator[ast.AST]:
    """``for i, name in enumerate(names): figures[i]``"""
    if not isinstance(over, ast.Call) or call_name(over) not in ("enumerate", "range"):
        return
    index = target.elts[0] if isinstance(target, ast.Tuple) else target
    for node in (n for part in body for n in ast.walk(part) if isinstance(n, ast.Subscript)):
        by = node.slice
        one_by_one = isinstance(by, ast.Name) and isinstance(index, ast.Name) and by.id == index.id
        if one_by_one and figures.has(node.value):
            yield over.args[0] if call_name(over) == "enumerate" and over.args else over
            return


def _length(things: ast.AST, names: dict[str, Any]) -> int:
    """How many things there are; -1 where that isn't known. A bare ``range(3)`` may be any three."""
    if isinstance(things, (ast.List, ast.Tuple)):
        return len(things.elts)
    if isinstance(things, ast.Constant) and isinstance(things.value, str):
        return len(things.value)
    if isinstance(things, ast.Call) and call_name(things) == "range":
        if all(isinstance(a, ast.Constant) for a in things.args):
            return -1
        ends = [_number(a, names) for a in things.args]
        return -1 if None in ends else len(range(*(e for e in ends if e is not None)))
    value = _value(things, names)
    shape = (len(value),) if isinstance(value, SIZED) else _shape(value)
    return shape[0] if shape else -1


def _shape(value: Any) -> tuple[int, ...]:
    """The shape of a table of a library."""
    known = type(value).__module__.startswith(("pandas", "numpy", "torch"))
    shape = getattr(value, "shape", ()) if known else ()
    return tuple(shape) if isinstance(shape, tuple) else ()


def _value(node: ast.AST, names: dict[str, Any]) -> Any:
    """What a name, or an attribute that an object simply holds, is now."""
    if isinstance(node, ast.Name):
        return names.get(node.id)
    if isinstance(node, ast.Attribute):
        owner = _value(node.value, names)
        if type(owner).__module__.startswith("pandas") and node.attr in ("columns", "index"):
            return getattr(owner, node.attr)
        kept = getattr(owner, "__dict__", {})
        return kept.get(node.attr, vars(type(owner)).get(node.attr) if owner is not None else None)
    return None


def _number(node: ast.AST, names: dict[str, Any]) -> int | None:
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, int) else None
    if isinstance(node, ast.BinOp) and isinstance(node.op, (ast.Add, ast.Sub)):
        left, right = _number(node.left, names), _number(node.right, names)
        if left is None or right is None:
            return None
        return left + right if isinstance(node.op, ast.Add) else left - right
    if isinstance(node, ast.Call) and call_name(node) == "len" and len(node.args) == 1:
        length = _length(node.args[0], names)
        return length if length >= 0 else None
    of = node.value if isinstance(node, ast.Subscript) else None
    if isinstance(node, ast.Subscript) and isinstance(of, ast.Attribute) and of.attr == "shape":
        shape, at = _shape(_value(of.value, names)), _number(node.slice, names)
        return int(shape[at]) if at is not None and -len(shape) <= at < len(shape) else None
    value = _value(node, names)
    return value if isinstance(value, int) else None


def pairs_on_purpose(site: Site) -> bool:
    """Whether what a line computes is taken of all pairs: by a nearest one, a kernel, or along one axis."""
    statement, around = statement_at(site), function_of(site)
    if statement is None:
        return True
    calls = [n for n in ast.walk(statement) if isinstance(n, ast.Call)]
    if isinstance(statement, (ast.For, ast.While, ast.If, ast.With)):
        return False
    target = statement.targets[0] if isinstance(statement, ast.Assign) else None
    if isinstance(target, ast.Name) and around is not None:
        later = [n for n in ast.walk(around) if isinstance(n, ast.Call)]
        calls += [c for c in later if any(getattr(n, "id", "") == target.id for n in ast.walk(c))]
    return any(call_name(c) in PAIRS or (call_name(c) in REDUCES and _along(c) is not None) for c in calls)


def apart_in_numpy(site: Site, frame: FrameType | None, rows: int) -> Site | None:
    """The line on which answers [N, 1], which become an array on this one, are less a row of N targets, or
    are compared with it.
    """
    around = function_of(site)
    if around is None or frame is None:
        return None
    names = {**frame.f_globals, **locals_of(frame)}
    for node in ast.walk(around):
        sides = _sides(node)
        if not sides or node.lineno < site.line:  # type: ignore[attr-defined]
            continue
        at = Site(site.file, node.lineno, site.function)  # type: ignore[attr-defined]
        for answer, target in (sides, sides[::-1]):
            if _made_here(answer, at, site, names, rows) and _sized(target, at, names) == (rows,):
                return at if not pairs_on_purpose(at) else None
    return None


def _sides(node: ast.AST) -> tuple[ast.expr, ...]:
    """What is compared with what, or less what."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Sub):
        return node.left, node.right
    if isinstance(node, ast.Compare) and len(node.ops) == 1 and isinstance(node.ops[0], (ast.Eq, ast.NotEq)):
        return node.left, node.comparators[0]
    return ()


def _made_here(node: ast.AST, at: Site, site: Site, names: dict[str, Any], rows: int) -> bool:
    """Whether an operand is the array that a net's answers became on a line."""
    if isinstance(node, ast.Name):
        given = definition(at, node.id)
        if given is None or given.loop or given.line != site.line or _stores(node.id, site, at) != 1:
            return False
        node = given.value
    core = _core(node)
    if not isinstance(node, ast.Call) or call_name(node) != "numpy" or node.lineno != site.line:
        return False
    return isinstance(core, ast.Call) or _shape(_value(core, names)) == (rows, 1)


def _stores(name: str, first: Site, last: Site) -> int:
    """How often a name is set from one line to another."""
    around = function_of(first)
    nodes = (n for n in ast.walk(around) if isinstance(n, ast.Name) and n.id == name) if around else ()
    return sum(isinstance(n.ctx, ast.Store) and first.line <= n.lineno <= last.line for n in nodes)


def _sized(node: ast.AST, at: Site, names: dict[str, Any]) -> tuple[int, ...]:
    """The shape of an operand, as far as names tell it."""
    core = _core(node)
    if isinstance(core, ast.Name) and _stores(core.id, Site(at.file, 1), at) > 1:
        return ()
    given = definition(at, core.id) if isinstance(core, ast.Name) else None
    if given is not None and not given.loop and isinstance(core, ast.Name):
        before = _core(given.value)
        if isinstance(before, (ast.Name, ast.Attribute)):
            return _shape(_value(before, names))
        if core.id not in names:
            return ()
    return _shape(_value(core, names))
