"""What a value is made of, as the source says it: followed from an expression back through names, arguments,
functions, datasets and loaders, part by part, so that of ``for x, y in loader`` only y is followed.
"""

import ast
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from treino.diagnosis.finding import Site
from treino.diagnosis.reading.ancestry import arguments, given_at, parameters
from treino.diagnosis.reading.provenance import Function, scoped, target_names
from treino.diagnosis.reading.source import call_at, call_name, function_of, remembered, tree
from treino.diagnosis.watch.where import Spot

MOST = 600  # expressions that are followed
EACH = "*"  # any element of what is iterated over
GIVES = ("__getitem__", "__iter__", "__next__", "__getitems__")
MODULES = {"torch", "np", "numpy", "pd", "nn", "F", "functional", "random", "math", "sklearn", "scipy"}
SAME = {"DataLoader", "tqdm", "iter", "reversed", "list", "tuple", "cycle", "islice", "Subset", "sorted"}
SAME |= {"trange", "chain", "shuffle", "to", "cuda", "cpu", "copy", "batch"}
THROUGH = {"iloc", "loc", "at", "iat", "values", "T", "mT", "data"}
ADDS = {"append", "extend", "insert", "add", "put"}
SIZED = {"ones", "zeros", "empty", "eye", "rand", "randn", "randint", "randperm", "arange", "range", "len"}
PARTS = {"random_split", "split", "tensor_split", "chunk", "array_split"}

Path = tuple[int | str, ...]


@dataclass(frozen=True)
class Value:
    """An expression on a line, and the part of its value that is meant."""

    site: Site
    node: ast.AST
    part: Path = ()
    frames: tuple[tuple[Site, Spot], ...] = ()  # the calls that led to the function around, innermost first


def traced(value: Value) -> Iterator[Value]:
    """This expression and what it is made of, the nearest first."""
    todo, known = deque([value]), set[tuple[int, Path]]()
    while todo and len(known) < MOST:
        v = todo.popleft()
        if (id(v.node), v.part) in known:
            continue
        known.add((id(v.node), v.part))
        yield v
        todo += _before(v)


def _before(v: Value) -> list[Value]:
    node, part = v.node, v.part
    if isinstance(node, ast.Name):
        return _named(v, node.id)
    if isinstance(node, ast.Attribute):
        if isinstance(node.value, ast.Name) and node.value.id in MODULES:
            return []
        if node.attr in THROUGH:
            return [_with(v, node.value)]
        kept = _kept(v, node.attr)
        return kept or [_with(v, node.value, (node.attr, *part))]
    if isinstance(node, ast.Subscript):
        at = node.slice.elts[-1] if isinstance(node.slice, ast.Tuple) and node.slice.elts else node.slice
        key = at.value if isinstance(at, ast.Constant) else None
        if at is not node.slice and not isinstance(key, str):
            key = None  # x[:, 0]
        return [_with(v, node.value, (key, *part) if isinstance(key, (int, str)) else part)]
    if isinstance(node, ast.Call):
        return _called(v, node)
    if isinstance(node, ast.BinOp):
        return [_with(v, node.left), _with(v, node.right)]
    if isinstance(node, ast.IfExp):
        return [_with(v, node.body), _with(v, node.orelse)]
    if isinstance(node, (ast.Tuple, ast.List)):
        which = part[0] if part else EACH
        if isinstance(which, int):
            return [_with(v, e, part[1:]) for e in node.elts[which : which + 1 or None]]
        return [_with(v, e, part[1:] if which == EACH else part) for e in node.elts]
    if isinstance(node, ast.Dict):
        pairs = zip(node.keys, node.values, strict=True)
        fits = [e for k, e in pairs if part and isinstance(k, ast.Constant) and k.value == part[0]]
        return [_with(v, e, part[1:]) for e in fits] or [_with(v, e) for e in node.values]
    if isinstance(node, (ast.ListComp, ast.GeneratorExp, ast.SetComp)):
        of_rows = isinstance(node.elt, ast.Tuple) and bool(part) and isinstance(part[0], int)  # rows[i]
        return [_with(v, node.elt, part if of_rows else part[1:])]
    if isinstance(node, (ast.UnaryOp, ast.Starred, ast.Await, ast.NamedExpr)):
        return [_with(v, node.operand if isinstance(node, ast.UnaryOp) else node.value)]
    return []


def _with(v: Value, node: ast.AST, part: Path | None = None) -> Value:
    return Value(v.site, node, v.part if part is None else part, v.frames)


# --- names ----------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Gives:
    """A statement that gives a name (or an attribute of it), or an entry of it, a value."""

    line: int
    function: ast.AST | None
    node: ast.AST
    part: Path
    attribute: bool
    entry: bool = False  # x[...] = value
    key: object = None  # of the entry


@remembered
def _givers(path: str, name: str) -> tuple[Gives, ...]:
    found: list[Gives] = []
    module = tree(path)
    for function, node in scoped(module) if module is not None else ():
        pairs: list[tuple[ast.AST, ast.AST, Path]] = []
        if isinstance(node, ast.Assign):
            pairs = [(t, node.value, ()) for t in node.targets]
        elif isinstance(node, (ast.AnnAssign, ast.AugAssign, ast.NamedExpr)) and node.value is not None:
            pairs = [(node.target, node.value, ())]
        elif isinstance(node, (ast.For, ast.comprehension)):
            pairs = [(node.target, node.iter, (EACH,))]
        elif isinstance(node, ast.withitem) and node.optional_vars is not None:
            pairs = [(node.optional_vars, node.context_expr, ())]
        elif isinstance(node, ast.Call) and call_name(node) in ADDS and isinstance(node.func, ast.Attribute):
            for _, attribute in _within(node.func.value, name) if node.args else ():
                found.append(Gives(node.lineno, function, node.args[-1], (), attribute, entry=True, key=EACH))
        for target, value, part in pairs:
            line = target.lineno  # type: ignore[attr-defined]
            added = isinstance(node, ast.AugAssign)
            for inner, attribute in _within(target, name):
                found.append(Gives(line, function, value, (*part, *inner), attribute, entry=added))
            changed = target.value if isinstance(target, ast.Subscript) else None
            if isinstance(changed, ast.Attribute) and changed.attr in ("loc", "iloc", "at", "data"):
                changed = changed.value
            for _, attribute in _within(changed, name):
                key = getattr(getattr(target, "slice", None), "value", None)
                found.append(Gives(line, function, value, part, attribute, entry=True, key=key))
    return tuple(found)


def _within(target: ast.AST | None, name: str) -> Iterator[tuple[Path, bool]]:
    """Where in a target a name stands, (1,) in ``x, name``, and whether as an attribute."""
    if isinstance(target, (ast.Tuple, ast.List)):
        starred = next((i for i, t in enumerate(target.elts) if isinstance(t, ast.Starred)), len(target.elts))
        for i, t in enumerate(target.elts):
            at = i if i < starred else i - len(target.elts)
            yield from (((at, *p), a) for p, a in _within(t, name)) if i != starred else ()
    elif isinstance(target, ast.Name) and target.id == name:
        yield (), False
    elif isinstance(target, ast.Attribute) and target.attr == name:
        yield (), True


def _named(v: Value, name: str) -> list[Value]:
    around = function_of(v.site)
    scopes = [around if isinstance(around, Function) else None, None]
    at = max(v.site.line, getattr(v.node, "lineno", 0))
    for scope in scopes[: 1 if scopes[0] is None else 2]:
        own = scope is not None
        here = [g for g in _givers(v.site.file, name) if g.function is scope and not g.attribute]
        made = [g for g in here if not g.entry]
        before = [g for g in made if g.line <= at and not _holds(g.node, v.node)]
        if isinstance(scope, Function) and not before and name in _arguments(scope):
            return _entries(v, here, 0, at) + _argued(v, scope, name)
        if here:
            line = max((g.line for g in before), default=0)
            chosen = [g for g in before if g.line == line] or made[:1]
            frames = v.frames if own or scopes[0] is None else ()
            return _entries(v, here, line, at) + [
                Value(Site(v.site.file, g.line), g.node, (*g.part, *v.part), frames) for g in chosen
            ]
    return []


def _holds(outer: ast.AST, inner: ast.AST) -> bool:
    return any(n is inner for n in ast.walk(outer))


def _entries(v: Value, given: list[Gives], since: int, until: int) -> list[Value]:
    """What was written into the value since it was made: into the part that is meant."""
    part = v.part[0] if v.part and isinstance(v.part[0], str) and v.part[0] != EACH else None
    return [
        Value(Site(v.site.file, g.line), g.node, v.part[1:] if g.key in (part, EACH) else (), v.frames)
        for g in given
        if g.entry and since <= g.line < until and not (part and isinstance(g.key, str) and g.key != part)
    ]


def _arguments(function: Any) -> list[str]:
    rest = [a.arg for a in (function.args.vararg, function.args.kwarg) if a is not None]
    return [*parameters(function), *rest]


def _argued(v: Value, around: Any, name: str) -> list[Value]:
    """What an argument was given: by the call that ran, where it is known, or by any."""
    if v.frames:
        (site, spot), rest = v.frames[0], v.frames[1:]
        call = call_at(site, spot)
        meant = call is not None and (
            call_name(call) == around.name or around.name in ("forward", "__call__")
        )
        if call is not None and meant and name in parameters(around):
            known = [p for p in parameters(around) if p not in ("self", "cls")]
            named = [k.value for k in call.keywords if k.arg == name]
            at = known.index(name) if name in known else 99
            return [Value(site, a, v.part, rest) for a in named or given_at(call, at, len(known))]
    given = [
        Value(Site(v.site.file, call.lineno), value, v.part)
        for call, value in arguments(v.site.file, around, name)
    ]
    return given or _collated(v, around)


def _collated(v: Value, around: Any) -> list[Value]:
    """The rows that a collate function is given: those of the datasets of its loaders."""
    found: list[Value] = []
    module = tree(v.site.file)
    for call in ast.walk(module) if module is not None else ():
        if isinstance(call, ast.Call) and call.args:
            given = [k.value for k in call.keywords if k.arg == "collate_fn"]
            if any(around.name in target_names(g) for g in given):
                found.append(Value(Site(v.site.file, call.lineno), call.args[0], v.part))
    return found


def _kept(v: Value, name: str) -> list[Value]:
    """What ``self.NAME`` is given anywhere in the file."""
    return [
        Value(Site(v.site.file, g.line), g.node, (*g.part, *v.part))
        for g in _givers(v.site.file, name)
        if g.attribute
    ]


# --- calls ----------------------------------------------------------------------------------------------
def _called(v: Value, call: ast.Call) -> list[Value]:
    name, part, func = call_name(call), v.part, call.func
    given = [*call.args, *(k.value for k in call.keywords)]
    own = _own(v.site.file, name)
    if own is not None:
        return _returned(v, call, own)
    inside = _called_object(v.site.file, name) if isinstance(func, (ast.Name, ast.Attribute)) else []
    if inside:
        return [Value(r.site, r.node, part) for r in inside]
    first = call.args[0] if call.args else None
    if name == "next" and first is not None:
        return [_with(v, first, (EACH, *part))]
    if name in SIZED and (isinstance(func, ast.Name) or _of_module(func)):
        return []  # of so many, whatever they are
    if name == "zip" and part[:1] != (EACH,) and len(given) == 1 and isinstance(given[0], ast.Starred):
        return [_with(v, given[0].value, (EACH, *part))]  # rows, column by column
    at = part[1] if len(part) > 1 and part[0] == EACH else None
    if name in ("zip", "TensorDataset") and isinstance(at, int) and _has(call, at):
        rest = (EACH, *part[2:]) if name == "zip" else part[2:]
        for i, a in enumerate(call.args[: at + 1] if at >= 0 else ()):
            if isinstance(a, ast.Starred):
                return [_with(v, a.value, (at - i, *rest))]
        return [_with(v, call.args[at], rest)]
    if name == "enumerate" and first is not None:
        return [_with(v, first, (EACH, *part[2:]))] if at == 1 else []
    if name == "train_test_split" and part and isinstance(part[0], int):
        return [_with(v, a, part[1:]) for a in call.args[part[0] // 2 : part[0] // 2 + 1]]
    if name in PARTS and part and isinstance(part[0], int):
        part = part[1:]  # each of the parts is as the whole
    collate = [k.value for k in call.keywords if k.arg == "collate_fn"]
    for function in collate:
        known = _own(v.site.file, function.id) if isinstance(function, ast.Name) else None
        if isinstance(known, Function):
            inside = returns(v.site.file, known)
            return [Value(r.site, r.node, part[1:]) for r in inside] if part[:1] == (EACH,) else []
    if isinstance(func, ast.Attribute) and not _of_module(func):
        key = first.value if isinstance(first, ast.Constant) else None
        if name in ("pop", "get") and isinstance(key, str):
            return [_with(v, func.value, (key, *part))]
        if part and isinstance(part[0], str):
            named = [k.value for k in call.keywords if k.arg == part[0]]
            if named:
                return [_with(v, n, part[1:]) for n in named]
        return [_with(v, n, part) for n in (func.value, *given)]
    if name in SAME and first is not None:
        return [_with(v, first, part)]
    if name == "where" and len(call.args) == 3:
        given = call.args[1:]
    return [_with(v, n, part) for n in given]


def _of_module(func: ast.AST) -> bool:
    """``torch.zeros``, ``np.stack``"""
    return isinstance(func, ast.Attribute) and isinstance(func.value, ast.Name) and func.value.id in MODULES


def _has(call: ast.Call, at: int) -> bool:
    starred = any(isinstance(a, ast.Starred) for a in call.args)
    return 0 <= at < len(call.args) or starred or -len(call.args) <= at < 0


def lambda_of(v: Value) -> ast.Lambda | None:
    """The lambda of the file that an expression calls."""
    own = _own(v.site.file, call_name(v.node)) if isinstance(v.node, ast.Call) else None
    return own if isinstance(own, ast.Lambda) else None


@remembered
def _own(path: str, name: str) -> Any:
    """The function or class of the file that bears this name; a lambda that is given it."""
    module = tree(path)
    for node in ast.walk(module) if module is not None else ():
        if isinstance(node, Function | ast.ClassDef) and node.name == name:
            return node
        made = isinstance(node, ast.Assign) and isinstance(node.value, ast.Lambda)
        if made and any(target_names(t) == {name} for t in node.targets):  # type: ignore[attr-defined]
            return node.value  # type: ignore[attr-defined]
    return None


def _returned(v: Value, call: ast.Call, own: Any) -> list[Value]:
    """What a function of the file returns or yields; what a dataset gives; what a record is made of."""
    path, part = v.site.file, v.part
    if isinstance(own, ast.Lambda):
        return [_with(v, a) for a in call.args]
    if isinstance(own, ast.ClassDef):
        methods = [n for n in own.body if isinstance(n, Function)]
        gives = [m for m in methods if m.name in GIVES] if part[:1] == (EACH,) else []
        called = [m for m in methods if m.name in ("forward", "__call__")] if not part else []
        inside = [r for m in gives or called for r in returns(path, m)]
        if inside:
            return [Value(r.site, r.node, part[1:]) for r in inside]
        named = [k.value for k in call.keywords if part and k.arg == part[0]]
        return [_with(v, a, part[1:]) for a in named] or [_with(v, a) for a in call.args]
    inside = returns(path, own)
    rest = part[1:] if part[:1] == (EACH,) and any(r.part for r in inside) else part
    return [Value(r.site, r.node, rest) for r in inside]


def _called_object(path: str, name: str) -> list[Value]:
    """What an object of the file returns where it is called by its name: ``sampler = Sampler(...)``."""
    made = [_fluent(g.node) for g in _givers(path, name) if not g.entry]
    owners = [_own(path, call_name(n)) for n in made if isinstance(n, ast.Call)]
    kinds = [o for o in owners if isinstance(o, ast.ClassDef)]
    if not made or len(kinds) < len(made):
        return []
    methods = [m for o in kinds for m in o.body if isinstance(m, Function) and m.name == "__call__"]
    return [r for m in methods for r in returns(path, m)]


def _fluent(node: ast.AST) -> ast.AST:
    """The object whose methods are called where it is made: ``Scaler()`` of ``Scaler().fit(x)``."""
    while isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        if not isinstance(node.func.value, ast.Call):
            break
        node = node.func.value
    return node


def returns(path: str, function: Any) -> list[Value]:
    """The values that a function returns, or yields: these with EACH as their part."""
    found, name = list[Value](), function.name
    for scope, node in scoped(function, function):
        if scope is function and isinstance(node, ast.Return | ast.Yield) and node.value is not None:
            site = Site(path, node.lineno, name)
            found.append(Value(site, node.value, (EACH,) if isinstance(node, ast.Yield) else ()))
    return found
