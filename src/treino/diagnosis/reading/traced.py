"""What a value is made of, as the source says it: followed from an expression back through names, arguments,
functions, datasets and loaders, part by part, so that of ``for x, y in loader`` only y is followed.
"""

import ast
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

from treino.diagnosis.finding import Site
from treino.diagnosis.reading.ancestry import arguments, defaults, given_at, given_names, parameters
from treino.diagnosis.reading.givers import Gives, givers
from treino.diagnosis.reading.passed import (
    EACH,
    Given,
    Part,
    field_of,
    given_to_lambda,
    lambda_around,
    nth_of,
    passed_on,
    record_fields,
    spread_part,
)
from treino.diagnosis.reading.provenance import Function, scoped, target_names
from treino.diagnosis.reading.source import (
    call_at,
    call_name,
    enclosing,
    function_of,
    names_in,
    remembered,
    tree,
)
from treino.diagnosis.watch.where import Spot

MOST = 600  # expressions that are followed
FUNCTIONS = 12  # ... to a function
GIVES = ("__getitem__", "__iter__", "__next__", "__getitems__")
MODULES = {"torch", "np", "numpy", "pd", "nn", "F", "functional", "random", "math", "sklearn", "scipy"}
SAME = {"DataLoader", "tqdm", "iter", "reversed", "list", "tuple", "cycle", "islice", "Subset", "sorted"}
SAME |= {"trange", "chain", "shuffle", "to", "cuda", "cpu", "copy", "batch", "float", "long"}
THROUGH = {"iloc", "loc", "at", "iat", "values", "T", "mT", "data"}
SIZED = {"ones", "zeros", "empty", "eye", "rand", "randn", "randint", "randperm", "arange", "range", "len"}
PARTS = {"random_split", "split", "tensor_split", "chunk", "array_split"}


@dataclass(frozen=True)
class Value:
    """An expression on a line, and the part of its value that is meant."""

    site: Site
    node: ast.AST
    part: Part = ()
    frames: tuple[tuple[Site, Spot], ...] = ()  # the calls that led to the function around, innermost first


def traced(value: Value) -> Iterator[Value]:
    """This expression and what it is made of, the nearest first."""
    todo, known = deque([value]), set[tuple[int, Part]]()
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
        own = isinstance(node.value, ast.Name) and node.value.id == "self"
        if node.attr in THROUGH and not (own and _kept(v, node.attr)):
            return [_with(v, node.value)]
        kept = _kept(v, node.attr) or _worked_out(v, node.attr)
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
        written = part and isinstance(part[0], str) and all(isinstance(k, ast.Constant) for k in node.keys)
        if fits or (written and part[0] != EACH):
            return [_with(v, e, part[1:]) for e in fits]
        return [_with(v, e) for e in node.values]
    if isinstance(node, ast.DictComp):
        loop = node.generators[0]
        again = isinstance(loop.iter, ast.Call) and call_name(loop.iter) == "items"
        of = loop.iter.func.value if again and isinstance(loop.iter.func, ast.Attribute) else None  # type: ignore[attr-defined]
        same = isinstance(loop.target, ast.Tuple) and _plain(node.value) in target_names(loop.target.elts[-1])
        return [_with(v, of)] if of is not None and same else [_with(v, node.value, part[1:])]
    if isinstance(node, (ast.ListComp, ast.GeneratorExp, ast.SetComp)):
        nth = bool(part) and isinstance(part[0], int)
        if nth and _as_it_is(node):  # x, y = (t.to(device) for t in batch)
            return [_with(v, node.generators[0].iter)]
        if nth and (one := nth_of(node, int(part[0]))) is not None:
            return [_with(v, one, part[1:])]
        of_rows = nth and isinstance(node.elt, ast.Tuple)  # rows[i]
        return [_with(v, node.elt, part if of_rows else part[1:])]
    if isinstance(node, (ast.UnaryOp, ast.Starred, ast.Await, ast.NamedExpr)):
        return [_with(v, node.operand if isinstance(node, ast.UnaryOp) else node.value)]
    return []


def _with(v: Value, node: ast.AST, part: Part | None = None) -> Value:
    return Value(v.site, node, v.part if part is None else part, v.frames)


# --- names ----------------------------------------------------------------------------------------------
def _named(v: Value, name: str) -> list[Value]:
    scopes: list[Any] = [n for n in reversed(enclosing(v.site)) if isinstance(n, Function)]
    inner = lambda_around(v.site.file, v.node, name)
    if inner is not None:
        return _passed(v, given_to_lambda(v.site.file, inner, name))
    at = max(v.site.line, getattr(v.node, "lineno", 0))
    for scope in (*scopes, None):
        own = scope is scopes[0] if scopes else False
        here = [g for g in givers(v.site.file, name) if g.function is scope and not g.attribute]
        made = [g for g in here if not g.entry]
        before = [g for g in made if g.line <= at and not _holds(g.node, v.node)]
        if isinstance(scope, Function) and not before and name in _arguments(scope):
            return _entries(v, here, 0, at) + _argued(v, scope, name)
        if here:
            line = max((g.line for g in before), default=0)
            chosen = [g for g in before if g.line == line or _other_branch(v, g.line, line)] or made[:1]
            frames = v.frames if own or not scopes else ()
            return _entries(v, here, line, at) + [
                Value(Site(v.site.file, g.line), g.node, (*g.part, *v.part), frames) for g in chosen
            ]
    return []


def _other_branch(v: Value, one: int, other: int) -> bool:
    """Whether two lines are branches of one statement above this value: of these, either may have run."""
    around = [n for n in enclosing(Site(v.site.file, other)) if isinstance(n, (ast.If, ast.Try))]
    spans = (range(n.lineno, (n.end_lineno or 0) + 1) for n in around)
    return any(one in span and v.site.line not in span for span in spans)


def _holds(outer: ast.AST, inner: ast.AST) -> bool:
    return any(n is inner for n in ast.walk(outer))


def _entries(v: Value, given: list[Gives], since: int, until: int) -> list[Value]:
    """What was written into the value since it was made: into the part that is meant."""
    part = v.part[0] if v.part and isinstance(v.part[0], str) and v.part[0] != EACH else None
    return [
        Value(Site(v.site.file, g.line), g.node, v.part[1:] if _fits(g, part) else (), v.frames)
        for g in given
        if g.entry and since <= g.line < until and not (part and isinstance(g.key, str) and g.key != part)
    ]


def _fits(given: Gives, part: str | None) -> bool:
    """Whether an entry is the part that is meant, as far as its key tells."""
    return given.key in (part, EACH) or (given.key is None and part is not None)


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
            known = given_names(around)
            named = [k.value for k in call.keywords if k.arg == name]
            at = known.index(name) if name in known else 99
            return [Value(site, a, v.part, rest) for a in named or given_at(call, at, len(known))]
    given = [
        Value(Site(v.site.file, call.lineno), value, (*spread_part(call, value, around, name), *v.part))
        for call, value in arguments(v.site.file, around, name)
    ]
    given = given or _collated(v, around) or _passed(v, passed_on(v.site.file, around, name))
    return given or [Value(Site(v.site.file, d.lineno), d, v.part) for d in defaults(around).get(name, ())]


def _passed(v: Value, given: list[Given]) -> list[Value]:
    return [Value(Site(v.site.file, line), node, (*part, *v.part)) for line, node, part in given]


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
    found: list[Value] = []
    for g in (g for g in givers(v.site.file, name) if g.attribute):
        each = g.entry and g.key == EACH and v.part[:1] == (EACH,)  # of a list, by append
        part = v.part[1:] if each else (*g.part, *v.part)
        found.append(Value(Site(v.site.file, g.line), g.node, part))
    return found


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
    handed_in = _held_function(v, func)
    if handed_in:
        return [Value(r.site, r.node, part) for r in handed_in]
    if name == "map" and len(call.args) == 2 and first is not None and part[:1] == (EACH,):
        mapped = _results(v, first)
        if mapped:
            return [Value(r.site, r.node, (*r.part, *part[1:])) for r in mapped]
    fields = record_fields(v.site.file, name) if part and isinstance(part[0], str) else []
    if part and part[0] in fields:
        nth = fields.index(str(part[0]))
        return [_with(v, a, part[1:]) for a in call.args[nth : nth + 1]]
    if name == "dict" and part and any(k.arg == part[0] for k in call.keywords):
        return [_with(v, k.value, part[1:]) for k in call.keywords if k.arg == part[0]]
    if name == "next" and first is not None:
        return [_with(v, first, (EACH, *part))]
    if name in SIZED and (isinstance(func, ast.Name) or _of_module(func)):
        return []  # of so many, whatever they are
    if name == "zip" and part[:1] != (EACH,) and len(given) == 1 and isinstance(given[0], ast.Starred):
        return [_with(v, given[0].value, (EACH, *part))]  # rows, column by column
    if name == "TensorDataset" and len(part) == 1 and isinstance(part[0], int):
        part = (EACH, *part)  # of one row: dataset[i]
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


def _held_function(v: Value, func: ast.AST) -> list[Value]:
    """What a function gives back that is kept under a name, or was handed over: ``self.label_of(row)``."""
    held = isinstance(func, ast.Attribute) and isinstance(func.value, ast.Name) and func.value.id == "self"
    if isinstance(func, ast.Subscript):  # KINDS[name](row)
        return _results(v, func)
    if held and isinstance(func, ast.Attribute):
        return [r for k in _kept(v, func.attr) for r in _results(k, k.node)]
    around = function_of(v.site)
    given = isinstance(func, ast.Name) and isinstance(around, Function) and func.id in _arguments(around)
    return _results(v, func) if given else []


def _results(v: Value, func: ast.AST) -> list[Value]:
    """What the functions of the file, or the lambdas, that an expression may stand for give back."""
    found: list[Value] = []
    part = v.part if func is v.node else ()
    for step in islice(traced(Value(v.site, func, part)), FUNCTIONS):
        if isinstance(step.node, ast.Lambda):
            found.append(Value(step.site, step.node.body))
        known = _own(step.site.file, step.node.id) if isinstance(step.node, ast.Name) else None
        if isinstance(known, Function):
            found += returns(step.site.file, known)
        made = _own(step.site.file, call_name(step.node)) if isinstance(step.node, ast.Call) else None
        if isinstance(made, ast.ClassDef):  # an object that is called
            found += _answers(step.site.file, made)
    return found


def _answers(path: str, kind: ast.ClassDef) -> list[Value]:
    """What the objects of a class give where they are called."""
    methods = [m for m in kind.body if isinstance(m, Function) and m.name == "__call__"]
    return [r for m in methods for r in returns(path, m)]


def _worked_out(v: Value, name: str) -> list[Value]:
    """What a property of this name gives."""
    known = _own(v.site.file, name)
    asked = isinstance(known, Function) and any("property" in names_in(d) for d in known.decorator_list)
    return [Value(r.site, r.node, (*r.part, *v.part)) for r in returns(v.site.file, known)] if asked else []


def _as_it_is(node: ast.ListComp | ast.GeneratorExp | ast.SetComp) -> bool:
    """Whether each item is taken as it is, or by a method that makes no other of it."""
    loop = node.generators[0]
    plain = target_names(loop.target) == {_plain(node.elt)}
    return plain and len(node.generators) == 1 and not loop.ifs and isinstance(loop.target, ast.Name)


def _plain(item: ast.AST) -> str:
    """The name of what is taken as it is: ``t.to(device)``."""
    while isinstance(item, ast.Call) and isinstance(item.func, ast.Attribute) and item.func.attr in SAME:
        item = item.func.value
    return item.id if isinstance(item, ast.Name) else ""


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
        named = named or field_of(own, call, part)
        return [_with(v, a, part[1:]) for a in named] or [_with(v, a) for a in call.args]
    inside = returns(path, own)
    rest = part[1:] if part[:1] == (EACH,) and any(r.part for r in inside) else part
    return [Value(r.site, r.node, rest) for r in inside]


def _called_object(path: str, name: str) -> list[Value]:
    """What an object of the file returns where it is called by its name: ``sampler = Sampler(...)``."""
    made = [_fluent(g.node) for g in givers(path, name) if not g.entry]
    owners = [_own(path, call_name(n)) for n in made if isinstance(n, ast.Call)]
    kinds = [o for o in owners if isinstance(o, ast.ClassDef)]
    if not made or len(kinds) < len(made):
        return []
    return [r for o in kinds for r in _answers(path, o)]


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
