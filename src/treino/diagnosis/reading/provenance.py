"""Where a name's value comes from, as the source says it: definitions, what they are made of, who calls."""

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from treino.diagnosis.finding import Site
from treino.diagnosis.reading.source import (
    call_name,
    called,
    enclosing,
    first_given,
    function_of,
    names_in,
    remembered,
    statement_at,
    tree,
)

Function = ast.FunctionDef | ast.AsyncFunctionDef
SPLITS = (
    *("train_test_split", "random_split", "Subset", "randperm", "permutation", "split"),
    *("sample", "KFold", "StratifiedKFold", "ShuffleSplit", "backward"),
)
MADE = 3  # things that belong together, as a net, its optimizer and a scheduler
HOLDERS = ("TensorDataset", "Subset", "DataLoader", "random_split", "list", "zip")


@dataclass(frozen=True)
class Given:
    """A name that is given a value on a line."""

    line: int
    function: ast.AST | None
    value: ast.AST
    loop: bool = False


@remembered
def _given(path: str, name: str) -> tuple[Given, ...]:
    found: list[Given] = []
    for function, node in _givers(path):
        if isinstance(node, ast.Assign):
            for target in node.targets:
                value = _part(target, node.value, name)
                if value is not None:
                    found.append(Given(node.lineno, function, value))
        elif (
            isinstance(node, ast.AnnAssign) and node.value is not None and target_names(node.target) == {name}
        ):
            found.append(Given(node.lineno, function, node.value))
        elif isinstance(node, ast.For) and name in target_names(node.target):
            found.append(Given(node.lineno, function, node.iter, loop=True))
    return tuple(found)


@remembered
def _givers(path: str) -> tuple[tuple[ast.AST | None, Any], ...]:
    """The statements of a file that give names a value, each with the function around it."""
    module = tree(path)
    every = scoped(module) if module is not None else ()
    return tuple((f, node) for f, node in every if isinstance(node, (ast.Assign, ast.AnnAssign, ast.For)))


def scoped(module: ast.AST, function: ast.AST | None = None) -> Iterator[tuple[ast.AST | None, ast.AST]]:
    """Every node with the function around it."""
    for node in ast.iter_child_nodes(module):
        yield function, node
        yield from scoped(node, node if isinstance(node, Function) else function)


@remembered
def functions(path: str, name: str) -> tuple[ast.FunctionDef | ast.AsyncFunctionDef, ...]:
    """The functions and methods of a file that bear this name."""
    module = tree(path)
    nodes = ast.walk(module) if module is not None else ()
    return tuple(n for n in nodes if isinstance(n, Function) and n.name == name)


def holders(around: ast.AST, part: ast.AST) -> set[str]:
    """The names that are given a value which this expression is part of."""
    given = [n for n in ast.walk(around) if isinstance(n, ast.Assign)]
    holding = [n for n in given if any(inner is part for inner in ast.walk(n.value))]
    return {t.id for n in holding for t in n.targets if isinstance(t, ast.Name)}


def target_names(target: ast.AST) -> set[str]:
    """Names and attributes that a target gives a value to: ``self.x`` is x; ``x[i]`` is none."""
    if isinstance(target, ast.Name):
        return {target.id}
    if isinstance(target, ast.Attribute):
        return {target.attr}
    if isinstance(target, (ast.Tuple, ast.List)):
        return set().union(*(target_names(t) for t in target.elts))
    return target_names(target.value) if isinstance(target, ast.Starred) else set()


def assigned_names(around: ast.AST) -> set[str]:
    """The names that the assignments in a piece of source give a value to."""
    assigned = [n for n in ast.walk(around) if isinstance(n, ast.Assign)]
    return {name for n in assigned for t in n.targets for name in target_names(t)}


def _part(target: ast.AST, value: ast.AST, name: str) -> ast.AST | None:
    """What of a value is given to the name: ``a, b = f(x), g(y)`` gives g(y) to b, as does
    ``a, b = (h(z) for z in (f(x), g(y)))`` after h.
    """
    if isinstance(target, (ast.Tuple, ast.List)):
        for i, t in enumerate(target.elts):
            if name in target_names(t):
                return _place_of(value, i, len(target.elts))
        return None
    return value if name in target_names(target) else None


def _place_of(value: ast.AST, i: int, of: int) -> ast.AST:
    """One of so many parts of a value, as far as it says them."""
    if isinstance(value, (ast.Tuple, ast.List)) and len(value.elts) == of:
        return value.elts[i]
    if isinstance(value, (ast.GeneratorExp, ast.ListComp)) and len(value.generators) == 1:
        each = value.generators[0]
        if isinstance(each.iter, (ast.Tuple, ast.List)) and len(each.iter.elts) == of:
            own = ast.copy_location(ast.Tuple([each.iter.elts[i]], ast.Load()), each.iter)
            made = type(value)(value.elt, [ast.comprehension(each.target, own, each.ifs, each.is_async)])
            return ast.copy_location(made, value)
    if isinstance(value, ast.Call) and call_name(value) == "map" and len(value.args) == 2:
        function, every = value.args
        if isinstance(every, (ast.Tuple, ast.List)) and len(every.elts) == of:
            own = ast.copy_location(ast.Tuple([every.elts[i]], ast.Load()), every)
            return ast.copy_location(ast.Call(value.func, [function, own], []), value)
    return value


def definition(site: Site, name: str) -> Given | None:
    """The last line before a site that gives the name a value: in its function, or else in the module."""
    given = _given(site.file, name)
    around = function_of(site)
    for scope in (around, None):
        here = [g for g in given if g.function is scope or (scope is None and g.function is None)]
        before = [g for g in here if g.line < site.line]
        if before or here:
            return max(before, key=lambda g: g.line) if before else here[0]
    return given[-1] if len({g.function for g in given}) == 1 else None  # an attribute made elsewhere


def definitions(site: Site, name: str) -> list[Given]:
    """All lines before a site, in its function or else in the module, that give the name a value: those of
    the branches of an ``if``.
    """
    given = _given(site.file, name)
    for scope in (function_of(site), None):
        here = [g for g in given if g.function is scope and g.line < site.line]
        if here:
            return here
    return []


def data_names(value: ast.AST) -> set[str]:
    """Names of values in an expression: not the functions that it calls, but what their methods belong to."""
    found: set[str] = set()
    todo: list[ast.AST] = [value]
    while todo:
        node = todo.pop()
        if isinstance(node, ast.Call):
            todo += [*node.args, *(k.value for k in node.keywords)]
            if isinstance(node.func, ast.Attribute):
                todo.append(node.func.value)
            continue
        if isinstance(node, ast.Name):
            found.add(node.id)
        elif isinstance(node, ast.Attribute):
            found |= {node.attr} - {"data", "utils"}  # torch.utils.data, x.data
        elif isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant):
            found |= {node.slice.value} if isinstance(node.slice.value, str) else set()
        todo += ast.iter_child_nodes(node)
    return found - {"self", "torch", "np", "numpy", "pd", "F", "nn"}


def origins(site: Site, names: set[str], depth: int = 4) -> set[str]:
    """The names that these names are made of, some steps back."""
    found: set[str] = set()
    todo = {(name, site.line) for name in names}
    for _ in range(depth):
        following: set[tuple[str, int]] = set()
        for name, line in todo:
            given = definition(Site(site.file, line, site.function), name)
            if given is not None:
                following |= {(n, given.line) for n in data_names(given.value) if n not in found}
        todo = following
        found |= {n for n, _ in todo}
    return found


def calling_line(site: Site) -> Site:
    """A line in a little helper that is called on one line only: that line; otherwise the line itself.

    Functions that read data, split or train are no little helpers: there the line itself is to be changed.
    """
    module, around = tree(site.file), _scopes(site)
    if module is None or len(around) != 1 or not isinstance(around[0], ast.FunctionDef):
        return site
    function = around[0]
    calls = [c for c in called(module, function.name) if not function.lineno <= c.lineno <= _end(function)]
    takes = bool(function.args.args) and not _splits(function) and not gives_more(function)
    return Site(site.file, calls[0].lineno) if takes and len(calls) == 1 else site


def _scopes(site: Site) -> list[ast.AST]:
    """The function around a line, or the class and its method, whatever these stand in."""
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    around: list[ast.AST] = [n for n in enclosing(site) if isinstance(n, kinds)]
    while len(around) > 1 and isinstance(around[0], Function):
        around = around[1:]
    return around


def _splits(function: ast.AST) -> bool:
    """Whether a function parts rows, or trains."""
    best = {id(n.slice) for n in ast.walk(function) if isinstance(n, ast.Subscript) and _ordered(n.value)}
    cuts = (n for n in ast.walk(function) if isinstance(n, ast.Slice) and id(n) not in best)
    parts = [c for c in called(function, *SPLITS) if not _takes_all(c)]
    return bool(parts) or any((n.lower is None) != (n.upper is None) for n in cuts)


def _ordered(value: ast.AST) -> bool:
    """``argsort(scores)[::-1][:20]``: the best of something, no part of the rows."""
    while isinstance(value, ast.Subscript):
        value = value.value
    return isinstance(value, ast.Call) and call_name(value) in ("argsort", "sorted", "argpartition")


def _takes_all(call: ast.Call) -> bool:
    """``frame.sample(frac=1)``: in another order; or more of the same rows, ``replace=True``."""
    told = {k.arg: getattr(k.value, "value", 0) for k in call.keywords}
    return told.get("frac") == 1 or told.get("replace") is True


def method_call(site: Site) -> Site:
    """A line in a method that is handed what it computes with: where the method is called (or the object is
    made), if that is on one line only; otherwise the line itself, as where the rows are parted in there, or
    are those of a dataset.
    """
    module, statement, around = tree(site.file), statement_at(site), _scopes(site)
    owner, method = around if len(around) == 2 else (None, None)
    if module is None or statement is None or not isinstance(owner, ast.ClassDef):
        return site
    if not isinstance(method, ast.FunctionDef) or _splits(method):
        return site
    if method.name == "__init__" and any(getattr(n, "name", "") == "__getitem__" for n in owner.body):
        return site
    given = {a.arg for a in (*method.args.posonlyargs, *method.args.args, *method.args.kwonlyargs)}
    if not (given - {"self", "cls"}) & (data_names(statement) | origins(site, data_names(statement), 2)):
        return site
    calls = {c.lineno for c in _calls_of(module, owner, method)}
    lines = [line for line in calls if not method.lineno <= line <= _end(method)]
    if any(getattr(n, "name", "") == "__getitem__" for n in owner.body):
        lines = [line for line in lines if not owner.lineno <= line <= _end(owner)]
    return Site(site.file, lines[0]) if len(lines) == 1 else site


def _calls_of(module: ast.Module, owner: ast.ClassDef, method: ast.FunctionDef) -> Iterator[ast.Call]:
    """Calls of a class's method on what the source says to be its objects."""
    if method.name == "__init__":
        yield from called(module, owner.name)
        return
    made = [n for n in ast.walk(module) if isinstance(n, ast.Assign) and called(n.value, owner.name)]
    objects = {name for n in made for t in n.targets for name in target_names(t)} | {owner.name}
    for call in called(module, method.name):
        of = call.func.value if isinstance(call.func, ast.Attribute) else None
        if isinstance(of, ast.Name) and of.id in ("self", "cls"):
            meant = owner.lineno <= call.lineno <= _end(owner)
        else:
            meant = of is not None and bool(target_names(of) & objects or called(of, owner.name))
        if meant:
            yield call


def _end(node: ast.AST) -> int:
    return getattr(node, "end_lineno", None) or 0


def dataset_line(loader: Site, says: Callable[[set[str]], bool] = lambda names: False) -> Site:
    """Where the dataset of a DataLoader is made: the loader's own line where that is not known.

    says: whether names are those of its rows, where one line makes several loaders.
    """
    statement, module = statement_at(loader), tree(loader.file)
    made = [n for n in ast.walk(module) if isinstance(n, ast.Assign)] if module is not None else []
    partly = [n for n in made if any("DataLoader" in names_in(c) for c in called(n.value, "partial"))]
    names = [t for n in partly for target in n.targets for t in target_names(target)]
    calls = called(statement, "DataLoader", *names) if statement is not None else []
    calls = [c for c in calls if c.lineno <= loader.line <= _end(c)]
    calls = [c for c in calls if says(names_in(c))] or calls if len(calls) > 1 else calls
    if any(k.arg == "collate_fn" for c in calls for k in c.keywords):
        return calling_line(loader)  # what changes rows at random may be given here
    given = [a for c in calls for a in (*c.args[:1], *(k.value for k in c.keywords if k.arg == "dataset"))]
    if given and isinstance(given[0], (ast.Name, ast.Attribute)):
        name = given[0].id if isinstance(given[0], ast.Name) else given[0].attr
        known = definition(loader, name)
        kept = isinstance(given[0], ast.Attribute)  # by another method
        if _drawn_by_samplers(module, calls, name):
            return calling_line(loader)  # parts of one dataset, which was made for both
        if known is not None and (kept or known.function in (None, function_of(loader))):
            return Site(loader.file, known.line)
    return calling_line(loader)


def _drawn_by_samplers(module: ast.Module | None, calls: list[ast.Call], name: str) -> bool:
    """Whether a loader draws rows of a dataset with a sampler, and others draw rows of the same one."""
    sampled = any(k.arg == "sampler" for c in calls for k in c.keywords)
    loaders = called(module, "DataLoader") if module is not None and sampled else []
    return sum(any(name in names_in(a) for a in c.args[:1]) for c in loaders) > 1


def maker_line(site: Site) -> Site:
    """Where a function that only makes something, or a class of which there is one object, is called; the
    line itself where it is in none, or where the function makes all sorts of things.
    """
    module, around = tree(site.file), _scopes(site)
    if module is not None and len(around) == 2 and getattr(around[1], "name", "") == "__init__":
        made = called(module, getattr(around[0], "name", ""))
        return maker_line(Site(site.file, made[0].lineno)) if len(made) == 1 else site
    if module is None or len(around) != 1 or not isinstance(around[0], ast.FunctionDef):
        return site
    gives = any(isinstance(n, ast.Return) and n.value is not None for n in ast.walk(around[0]))
    only_makes = gives and not gives_several(around[0]) and not called(around[0], "backward")
    calls = called(module, around[0].name) if only_makes else []
    return Site(site.file, calls[0].lineno) if calls else site


def gives_several(function: ast.AST) -> bool:
    """Whether a function gives back more things than belong together."""
    return _given_back(function) > MADE


def gives_more(function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Whether a function gives back more things than it is given: it does not only change these."""
    given = [a for a in (*function.args.args, *function.args.kwonlyargs) if a.arg not in ("self", "cls")]
    return _given_back(function) > max(1, len(given))


def _given_back(function: ast.AST) -> int:
    """How many things a function returns, in a tuple or by name."""
    most = 0
    for node in ast.walk(function):
        value = node.value if isinstance(node, ast.Return) else None
        parts: list[Any] = value.elts if isinstance(value, ast.Tuple) else []
        parts = value.keys if isinstance(value, ast.Dict) else parts
        parts = value.keywords if isinstance(value, ast.Call) else parts  # dict(x=x, y=y)
        most = max(most, len(parts))
    return most


def given_rows(statement: ast.stmt, site: Site, *, of_loader: bool) -> list[str]:
    """Names of rows in the calls of a line: what is indexed before its indices."""
    ordered: list[str] = []
    calls = called(statement, "DataLoader") if of_loader else []
    for call in calls or [n for n in ast.walk(statement) if isinstance(n, ast.Call)]:
        chosen = [k.value for k in call.keywords if k.arg in ("dataset", "sampler", "batch_sampler")]
        alone = first_given(call) if not call.args and not of_loader else None  # net(input_ids=ids)
        for argument in [*call.args, *(chosen if of_loader else []), *([alone] if alone is not None else [])]:
            for node in ast.walk(argument):
                if isinstance(node, ast.Subscript):
                    ordered += sorted(data_names(node.value))
            ordered += sorted(data_names(argument))
    return list(dict.fromkeys(ordered))
