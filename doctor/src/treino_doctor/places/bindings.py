"""The bindings of a file: what sets names, attributes and keys, what reaches a place, and who calls whom."""

import ast
import re
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

from treino_doctor.places.source import Function, above, module, name_of, parents, remembered, targets

IN_PLACE = ("sort", "append", "extend", "update", "insert", "reverse")  # methods that change their object


@dataclass(frozen=True, eq=False)
class Definition:
    """A line that gives a name a value.

    how: assigned, changed (in place, so that the earlier value counts too), loop, with, parameter, field,
    made (a function or a class), import. part: indices of the part of the value, outermost first: (1,) for b
    in ``a, b = f()``. receiver: the object of an attribute or a key.
    """

    name: str
    value: ast.AST
    statement: ast.AST
    how: str = "assigned"
    part: tuple[int, ...] = ()
    receiver: ast.AST | None = None
    inside: ast.AST | None = None  # comprehension or class that limits its scope

    @property
    def line(self) -> int:
        """The line of the statement."""
        return int(getattr(self.statement, "lineno", 0) or getattr(self.value, "lineno", 0))


@dataclass
class File:
    """All bindings of a file."""

    path: str
    named: dict[tuple[int, str], list[Definition]] = field(default_factory=lambda: defaultdict(list))
    attributes: dict[str, list[Definition]] = field(default_factory=lambda: defaultdict(list))
    keys: dict[str, list[Definition]] = field(default_factory=lambda: defaultdict(list))
    functions: dict[str, list[Any]] = field(default_factory=lambda: defaultdict(list))
    classes: dict[str, ast.ClassDef] = field(default_factory=dict)
    calls: dict[str, list[ast.Call]] = field(default_factory=lambda: defaultdict(list))
    loads: dict[str, list[ast.AST]] = field(default_factory=lambda: defaultdict(list))  # reads of a name


@remembered
def bindings(path: str) -> File:
    """Return the bindings of a file, none if it can't be read."""
    file = File(path)
    for node in ast.walk(module(path)):
        _bind(file, node)
    for definitions in (*file.named.values(), *file.attributes.values(), *file.keys.values()):
        definitions.sort(key=lambda d: (d.line, getattr(d.statement, "col_offset", 0)))
    return file


def scope_of(path: str, node: ast.AST) -> ast.AST:
    """The function, lambda or class around a node, else the module."""
    kinds = (*Function.__args__, ast.Lambda, ast.ClassDef)
    return next((n for n in above(path, node) if isinstance(n, kinds)), module(path))


def parameters(function: Any) -> list[str]:
    """The names of a function's parameters, positional ones first."""
    spec = function.args
    return [a.arg for a in (*spec.posonlyargs, *spec.args, *spec.kwonlyargs)]


def defaults(function: Any) -> dict[str, ast.expr]:
    """Parameter -> its default, for parameters that have one."""
    spec = function.args
    plain = [*spec.posonlyargs, *spec.args]
    pairs = list(zip(plain[len(plain) - len(spec.defaults) :], spec.defaults, strict=False))
    pairs += [(a, d) for a, d in zip(spec.kwonlyargs, spec.kw_defaults, strict=False) if d is not None]
    return {a.arg: d for a, d in pairs}


def _bind(file: File, node: ast.AST) -> None:
    if isinstance(node, ast.Assign):
        for target in node.targets:
            _target(file, target, node.value, node)
    elif isinstance(node, ast.AnnAssign) and node.value is not None:
        _target(file, node.target, node.value, node)
    elif isinstance(node, ast.AugAssign):
        _target(file, node.target, node.value, node, "changed")
    elif isinstance(node, ast.NamedExpr):
        _target(file, node.target, node.value, node)
    elif isinstance(node, (ast.For, ast.AsyncFor)):
        _target(file, node.target, node.iter, node, "loop")
    elif isinstance(node, ast.comprehension):
        inside = parents(file.path).get(id(node))
        _target(file, node.target, node.iter, inside or node, "loop", inside=inside)
    elif isinstance(node, (ast.With, ast.AsyncWith)):
        for item in node.items:
            if item.optional_vars is not None:
                _target(file, item.optional_vars, item.context_expr, node, "with")
    elif isinstance(node, (*Function.__args__, ast.Lambda)):
        _function(file, node)
    elif isinstance(node, ast.ClassDef):
        file.classes[node.name] = node
        file.named[id(scope_of(file.path, node)), node.name].append(Definition(node.name, node, node, "made"))
    elif isinstance(node, (ast.Import, ast.ImportFrom)):
        for alias in node.names:
            scope, name = scope_of(file.path, node), alias.asname or alias.name.split(".")[0]
            file.named[id(scope), name].append(Definition(alias.name, node, node, "import"))
    elif isinstance(node, ast.Call):
        _call(file, node)
    elif isinstance(node, ast.Dict):
        for key, value in zip(node.keys, node.values, strict=True):
            if isinstance(key, ast.Constant) and isinstance(key.value, str):
                file.keys[key.value].append(Definition(key.value, value, value, receiver=node))
    elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
        file.loads[node.id].append(node)


def _function(file: File, node: Any) -> None:
    spec = node.args
    extra = [a.arg for a in (spec.vararg, spec.kwarg) if a is not None]
    for name in (*parameters(node), *extra):
        file.named[id(node), name].append(Definition(name, node, node, "parameter"))
    if isinstance(node, ast.Lambda):
        return
    file.functions[node.name].append(node)
    scope = scope_of(file.path, node)
    file.named[id(scope), node.name].append(Definition(node.name, node, node, "made"))


def _target(
    file: File,
    target: ast.AST,
    value: ast.AST,
    statement: ast.AST,
    how: str = "assigned",
    part: tuple[int, ...] = (),
    inside: ast.AST | None = None,
) -> None:
    """Bind one target; bind each element of a tuple to its part of the value."""
    if isinstance(target, ast.Name):
        scope = scope_of(file.path, target)
        made = Definition(target.id, value, statement, how, part, inside=inside)
        file.named[id(scope), target.id].append(made)
        if isinstance(scope, ast.ClassDef):
            made = Definition(target.id, value, statement, "field", part, receiver=scope, inside=scope)
            file.attributes[target.id].append(made)
    elif isinstance(target, (ast.Tuple, ast.List)):
        sides = getattr(value, "elts", []) if isinstance(value, (ast.Tuple, ast.List)) and not part else []
        plain = how in ("assigned", "changed") and len(sides) == len(target.elts)
        starred = any(isinstance(e, ast.Starred) for e in (*target.elts, *sides))
        for i, element in enumerate(target.elts):
            if plain and not starred:
                _target(file, element, sides[i], statement, how, (), inside)
            else:
                _target(file, element, value, statement, how, (*part, i), inside)
    elif isinstance(target, ast.Starred):
        _target(file, target.value, value, statement, how, part[:-1], inside)
    elif isinstance(target, ast.Attribute):
        made = Definition(target.attr, value, statement, how, part, receiver=target.value)
        file.attributes[target.attr].append(made)
    elif isinstance(target, ast.Subscript):
        key = target.slice.value if isinstance(target.slice, ast.Constant) else None
        if isinstance(key, str):
            file.keys[key].append(Definition(key, value, statement, how, part, receiver=target.value))
        _changed(file, target.value, value, statement)


def _changed(file: File, of: ast.AST, value: ast.AST, statement: ast.AST) -> None:
    """Bind a change in place: ``x[i] = v``, ``x.sub_(v)``, ``shuffle(x)``."""
    while isinstance(of, (ast.Subscript, ast.Starred)) or (
        isinstance(of, ast.Attribute) and of.attr in ("data", "iloc", "loc", "values", "at", "iat")
    ):
        of = of.value
    if isinstance(of, ast.Name):
        made = Definition(of.id, value, statement, "changed")
        file.named[id(scope_of(file.path, of)), of.id].append(made)
    elif isinstance(of, ast.Attribute):
        made = Definition(of.attr, value, statement, "changed", receiver=of.value)
        file.attributes[of.attr].append(made)


def _call(file: File, call: ast.Call) -> None:
    name, func = name_of(call), call.func
    if name:
        file.calls[name].append(call)
    in_place = name in IN_PLACE or (name.islower() and "inplace" in keywords_of(call))
    if isinstance(func, ast.Attribute) and (in_place or re.fullmatch(r"(?!requires_grad_)[^_].*_", name)):
        _changed(file, func.value, call, call)
    if name == "shuffle" and call.args:
        _changed(file, call.args[0], call, call)
    if name in ("update", "dict", "SimpleNamespace", "Namespace", "replace"):
        for key, value in keywords_of(call).items():
            file.keys[key].append(Definition(key, value, value, receiver=call))
    if name in ("add_argument", "option"):
        _flag(file, call)


def _flag(file: File, call: ast.Call) -> None:
    """Bind the default of a command line argument: ``--batch-size`` sets batch_size."""
    value = keywords_of(call).get("default")
    texts = [a.value for a in call.args if isinstance(a, ast.Constant) and isinstance(a.value, str)]
    for name in {w.lstrip("-").replace("-", "_") for w in texts} if value is not None else ():
        made = Definition(name, value or call, call, "field")
        file.attributes[name].append(made)
        file.keys[name].append(made)


def keywords_of(call: ast.Call) -> dict[str, ast.expr]:
    """The explicit keywords of a call."""
    return {k.arg: k.value for k in call.keywords if k.arg is not None}


def reaching(path: str, name: str, node: ast.AST) -> list[Definition]:
    """The definitions that may have set the value of a name at this node, nearest first."""
    file, at = bindings(path), statement_of(path, node)
    inside = list(above(path, node))
    scopes = (*Function.__args__, ast.Lambda, ast.ClassDef, ast.Module)
    for scope in (n for n in inside if isinstance(n, scopes)):
        if isinstance(scope, ast.ClassDef) and scope is not scope_of(path, node):
            continue
        known = file.named.get((id(scope), name), [])
        within = [d for d in known if d.inside is not None and d.inside in inside and d.how == "loop"]
        if within:
            return within[-1:]
        known = [d for d in known if d.inside is None]
        here = scope is scope_of(path, node)
        definitions = _in_scope(path, known, at, inside) if here else list(reversed(known))
        if definitions:
            return definitions
    return []


def statement_of(path: str, node: ast.AST) -> Any:
    """The statement that a node is, or is a part of; the node itself if there is none."""
    return next((n for n in (node, *above(path, node)) if isinstance(n, ast.stmt)), node)


def _in_scope(path: str, known: list[Definition], at: ast.AST, inside: list[ast.AST]) -> list[Definition]:
    line, definitions = getattr(at, "lineno", 0), []
    around = {id(n) for n in (at, *inside)}
    killed: Definition | None = None
    for d in reversed(known):
        own = d.how != "parameter" and (d.statement is at or at in above(path, d.statement))
        head = d.how in ("loop", "with") and id(d.statement) in around and d.statement is not at
        before = d.line < line or head or d.how == "parameter" or (d.line == line and not own)
        if not before or (own and not head):
            continue
        definitions.append(d)
        if d.how != "changed" and _always(path, d, around):
            killed = d
            break
    loop = next((n for n in inside if isinstance(n, (ast.For, ast.While, ast.AsyncFor))), None)
    if loop is not None and not (killed is not None and loop in above(path, killed.statement)):
        late = [d for d in known if d.line >= line and loop in above(path, d.statement)]
        definitions += [d for d in late if d not in definitions]
    return definitions


def _always(path: str, d: Definition, around: set[int]) -> bool:
    """Whether a definition certainly ran: its block also contains the place."""
    block = parents(path).get(id(d.statement)) if d.how != "parameter" else None
    if d.how in ("loop", "with") and id(d.statement) in around:
        return True
    plain = not isinstance(block, (ast.For, ast.While, ast.AsyncFor, ast.If, ast.Try, ast.ExceptHandler))
    return d.how == "parameter" or plain or id(block) in around


MOST = 300  # maximum number of calls of one function
MAKES = ("__init__", "__post_init__", "__new__")


def class_of(path: str, function: ast.AST) -> ast.ClassDef | None:
    """The class that a method belongs to; None for a function."""
    around = parents(path).get(id(function))
    return around if isinstance(around, ast.ClassDef) else None


@remembered
def call_sites(path: str, function: Any) -> tuple[tuple[ast.Call, int], ...]:
    """The calls of a function in its file, by name, each with the number of leading arguments that aren't the
    function's: 1 in ``partial(f, x)``."""
    file, owner = bindings(path), class_of(path, function)
    name = getattr(function, "name", "")
    if owner is not None and name in MAKES:
        owners = [c for c in file.classes.values() if owner.name in (c.name, *map(name_of, c.bases))]
        every = [(c, 0) for o in owners for c in file.calls[o.name]]
    elif owner is not None and name == "__call__":
        assigned = (n for n in ast.walk(module(path)) if isinstance(n, ast.Assign))
        made = {t for n in assigned if name_of(n.value) == owner.name for t in targets(n)}
        every = [(c, 0) for t in made for c in file.calls[t]]
    elif owner is not None:
        every = [(c, 0) for c in file.calls[name] if isinstance(c.func, ast.Attribute)]
    else:
        every = [(c, 0) for c in file.calls[name] if isinstance(c.func, ast.Name)]
        every += [(c, 1) for c in file.calls["partial"] if c.args and name_of(c.args[0]) == name != ""]
    inside = {id(n) for n in ast.walk(function)}
    outside = [(c, skip) for c, skip in every[:MOST] if id(c) not in inside]
    return tuple(sorted(outside, key=lambda c: c[0].lineno))


def inputs(path: str, call: ast.Call, skip: int, function: Any, name: str) -> list[ast.expr]:
    """The value that a call passes for an argument; [] if it passes none."""
    named = [k.value for k in call.keywords if k.arg == name]
    known = [a.arg for a in (*function.args.posonlyargs, *function.args.args)]
    static = any(name_of(d) == "staticmethod" for d in getattr(function, "decorator_list", ()))
    own = 1 if class_of(path, function) is not None and not static else 0
    if named:
        return named
    at = known.index(name) - own + skip if name in known else -1
    star = next((i for i, a in enumerate(call.args) if isinstance(a, ast.Starred)), len(call.args))
    if 0 <= at < len(call.args):
        return [call.args[min(at, star)]]
    return []


def arguments(path: str, function: Any, name: str) -> list[tuple[ast.Call, ast.expr]]:
    """(call, value) of an argument at all calls in the file; its default if a call omits it."""
    pairs: list[tuple[ast.Call, ast.expr]] = []
    default, sites = defaults(function).get(name), call_sites(path, function)
    left_out = not sites
    for call, skip in sites:
        values = inputs(path, call, skip, function, name)
        pairs += [(call, v) for v in values]
        partly = name_of(call) == "partial"
        left_out = left_out or (not values and not partly)
    if default is not None and left_out:
        pairs.append((ast.copy_location(ast.Call(default, [], []), default), default))
    return pairs


def results(path: str, function: Any) -> list[ast.expr]:
    """The expressions that a function returns or yields, last first."""
    if isinstance(function, ast.Lambda):
        return [function.body]
    kinds = (ast.Return, ast.Yield, ast.YieldFrom)
    exits = [n for n in ast.walk(function) if isinstance(n, kinds) and n.value is not None]
    own = [n for n in exits if scope_of(path, n) is function]
    return [n.value for n in sorted(own, key=lambda n: -n.lineno) if n.value is not None]
