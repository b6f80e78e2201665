"""Where a program stores a value that should live for one step only, as the source says it."""

import ast
import builtins
from collections.abc import Iterator

from treino.diagnosis.finding import Site
from treino.diagnosis.reading.places import OFF
from treino.diagnosis.reading.provenance import Function, data_names, definition, functions, target_names
from treino.diagnosis.reading.source import (
    BACKWARD,
    call_name,
    called,
    function_of,
    names_in,
    root_name,
    run_backward,
    statement_at,
    statements,
    tree,
)

CUT = {
    "item",
    "detach",
    "detach_",
    "data",
    "float",
    "int",
    "tolist",
    "numpy",
    "len",
    "argmax",
    "shape",
    "size",
}
STORES = {"append", "appendleft", "add", "extend", "insert", "push", "put", "update", "setdefault", "add_"}
DEEP = 3  # functions that pass a value on to the next


def keeper(site: Site | None, *, result: bool = False) -> Site | None:
    """The line that sums or stores a loss as a tensor, for the line of its backward; that line itself where
    none is found.

    result: the site is a net's call, and what is made of its result is what is kept.
    """
    around = function_of(site) if site is not None else None
    if site is None or around is None:
        return site
    statement, names = statement_at(site), set() if result else _run_backward(site)
    for made in statements(site) if result else ():
        names |= set().union(*map(target_names, made.targets)) if isinstance(made, ast.Assign) else set()
    found = _stored(site.file, around, names, grow=result, given=statement if result else None)
    if not found and isinstance(around, Function):
        found = _given_by_caller(site.file, around, names)
    if not found and names:
        found = _elsewhere(site.file, around, names)
    if not found and not result and names:
        parts = _summands(site) | {n for name in names for n in _made_of(site, name)}
        found = _stored(site.file, around, parts - names, grow=False)
    if not found and not result:
        found = _stored(site.file, around, names | _summands(site), grow=True)
    if not found and not result and not names:
        found = _in_steps(site.file)
    found = [line for line in found if line != site.line]
    return Site(site.file, min(found, key=lambda n: abs(n - site.line)), site.function) if found else site


def _in_steps(path: str) -> list[int]:
    """The one line that stores what a step computes, where a trainer of some library runs it backward."""
    module, found = tree(path), set[int]()
    for function in (n for n in ast.walk(module) if isinstance(n, Function)) if module is not None else ():
        if function.name.endswith("_step"):
            made = (n for n in _own(function) if isinstance(n, ast.Assign) and called(n.value, "self"))
            names = set[str]().union(*(target_names(t) for n in made for t in n.targets))
            returned = (n.value for n in _own(function) if isinstance(n, ast.Return) and n.value is not None)
            names = names.union(*(target_names(v) for v in returned))
            found |= {*_stored(path, function, names, grow=True)}
    return sorted(found) if len(found) == 1 else []


def _run_backward(site: Site) -> set[str]:
    """The name in ``loss.backward()``, ``self.loss.backward()`` on a line; in ``state["loss"].backward()``
    also as it is written there.
    """
    for call in [c for s in statements(site) for c in called(s, *BACKWARD)]:
        of = run_backward(call)
        of = of.args[0] if isinstance(of, ast.Call) and of.args else of
        if isinstance(of, ast.Attribute):
            return {of.attr}
        if isinstance(of, ast.Subscript) and isinstance(of.slice, ast.Constant):
            return {str(of.slice.value), repr(of.slice.value)}
    name = root_name(site)
    return {name} if name is not None else set()


def _summands(site: Site) -> set[str]:
    """The names in ``(a + weight * b).backward()`` on a line."""
    calls = [c for s in statements(site) for c in called(s, *BACKWARD)]
    return set().union(*(data_names(of) for c in calls if (of := run_backward(c)) is not None))


def _made_of(site: Site, name: str) -> set[str]:
    """The names that a loss was added up from, in the function around."""
    made = definition(site, name)
    near = made is not None and made.function in (None, function_of(site))
    return data_names(made.value) if made is not None and near else set()


def _elsewhere(path: str, around: ast.AST, names: set[str]) -> list[int]:
    """The same in the one function that is handed an object, or a table, which holds the value by its name:
    a callback that reads ``trainer.loss`` or ``logs["loss"]``.
    """
    module = tree(path)
    meant = names | {repr(n) for n in names}
    found: list[list[int]] = []
    for function in (n for n in ast.walk(module) if isinstance(n, Function)) if module is not None else ():
        own = {n.id for n in _own(function) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
        lines = _stored(path, function, meant - own, grow=True) if function is not around else []
        if lines and not names_in(function) & OFF:
            found.append(lines)
    return found[0] if len(found) == 1 else []


def _stored(
    path: str, around: ast.AST, names: set[str], *, grow: bool, given: ast.AST | None = None, deep: int = 0
) -> list[int]:
    """Lines that store one of these names of a function, or give it to one that does so, or those where it
    is stored that the function returns.
    """
    module = tree(path)
    if module is None or deep > DEEP:
        return []
    for _ in range(3 if grow else 0):
        for node in _own(around):
            if isinstance(node, ast.Assign) and _carries(node.value, names):
                plain = [t for t in node.targets if isinstance(t, (ast.Name, ast.Tuple))]
                names = names.union(*map(target_names, plain))
            elif isinstance(node, ast.For) and _carries(node.iter, names):
                names = names | target_names(node.target)
    found: list[int] = []
    for node in _own(around):
        takers = list(_receivers(module, node, names)) if isinstance(node, ast.Call) else []
        others: list[ast.AST] = [f for f, _ in takers if f is not around]
        inside: list[int] = []
        for function, inner in takers:
            inside += _stored(path, function, inner, grow=True, deep=deep + 1)
        if inside and not _sums(path, inside, others) and _only_call(module, node, names):
            found += inside
        elif inside or _stores(node, names):
            found.append(node.lineno)  # type: ignore[attr-defined]
    returned = [n for n in _own(around) if isinstance(n, ast.Return) and n.value is not None]
    handed = any(_carries(n.value, names) or n is given for n in returned if n.value is not None)
    if not found and handed and isinstance(around, Function):
        for call in called(module, around.name):
            found += _at_caller(path, call, deep)
    return found


def _own(around: ast.AST) -> Iterator[ast.AST]:
    """The nodes of a function or a module, without those of functions inside of it."""
    for node in ast.iter_child_nodes(around):
        if not isinstance(node, (*Function.__args__, ast.ClassDef)):
            yield node
            yield from _own(node)


def _given_by_caller(path: str, around: Function, names: set[str]) -> list[int]:
    """The same in the functions that call this one with what it keeps: ``take_step(loss)``."""
    module = tree(path)
    found: list[int] = []
    parameters = [a.arg for a in around.args.args if a.arg not in ("self", "cls")]
    for call in called(module, around.name) if module is not None else ():
        outer = function_of(Site(path, call.lineno))
        given = {
            a.id
            for p, a in zip(parameters, call.args, strict=False)
            if p in names and isinstance(a, ast.Name)
        }
        if outer is not None and outer is not around and given:
            found += _stored(path, outer, given, grow=False)
    return found


def _at_caller(path: str, call: ast.Call, deep: int) -> list[int]:
    """The same where a function's value arrives."""
    site = Site(path, call.lineno)
    statement, outer = statement_at(site), function_of(site)
    if statement is None or outer is None:
        return []
    if any(_stores(n, set(), call) for n in ast.walk(statement)):
        return [statement.lineno]
    if isinstance(statement, ast.Assign):
        names = set().union(*(target_names(t) for t in statement.targets))
        return _stored(path, outer, names, grow=True, deep=deep + 1)
    return []


def _stores(node: ast.AST, names: set[str], whole: ast.AST | None = None) -> bool:
    """Whether a statement or a call keeps one of the names (or that very node) beyond its own line."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in STORES:
        return any(_carries(a, names, whole) for a in _parts(node))
    if isinstance(node, ast.AugAssign):
        return _carries(node.value, names, whole)
    if isinstance(node, ast.Assign) and _carries(node.value, names, whole):
        targets = set().union(*(target_names(t) for t in node.targets))
        again = bool(names_in(node.value) & targets)
        summed = isinstance(node.value, (ast.BinOp, ast.List, ast.Tuple)) and again
        return summed or any(isinstance(t, ast.Subscript) for t in node.targets)
    return False


def _carries(node: ast.AST, names: set[str], whole: ast.AST | None = None) -> bool:
    """Whether an expression's value still holds the graph of one of these names."""
    if node is whole or isinstance(node, ast.Name):
        return node is whole or node.id in names  # type: ignore[attr-defined]
    if isinstance(node, (ast.Compare, ast.JoinedStr, ast.Lambda)):
        return False
    if isinstance(node, ast.Subscript) and ast.unparse(node.slice) in names:
        return True
    if isinstance(node, ast.Attribute):
        return node.attr not in CUT and (node.attr in names or _carries(node.value, names, whole))
    if isinstance(node, ast.Call):
        name = call_name(node)
        parts = [*node.args, *(k.value for k in node.keywords)]
        parts += [node.func.value] if isinstance(node.func, ast.Attribute) else []
        return name not in CUT and any(_carries(p, names, whole) for p in parts)
    return any(_carries(n, names, whole) for n in ast.iter_child_nodes(node))


def _sums(path: str, lines: list[int], takers: list[ast.AST]) -> bool:
    """Whether one of these lines computes with what it is given: that meter wants numbers; or hands it on,
    within one of these functions, to another that does.
    """
    for line in lines:
        statement = statement_at(Site(path, line))
        targets = statement.targets if isinstance(statement, ast.Assign) else []
        plain = any(not isinstance(t, ast.Subscript) for t in targets)
        listed = isinstance(statement, ast.AugAssign) and isinstance(statement.value, (ast.List, ast.Tuple))
        told = statement.value if isinstance(statement, ast.Expr) else None
        within = function_of(Site(path, line)) in takers
        if (isinstance(statement, ast.AugAssign) and not listed) or plain:
            return True
        if within and _tells_meter(path, told):
            return True
    return False


def _tells_meter(path: str, call: ast.AST | None) -> bool:
    """Whether a call hands what it is given to a function of the file that sums it up."""
    own = functions(path, call_name(call)) if isinstance(call, ast.Call) else ()
    for function in own:
        given = {a.arg for a in function.args.args}
        for node in ast.walk(function):
            sums = isinstance(node, ast.AugAssign) or (
                isinstance(node, ast.Assign) and isinstance(node.value, ast.BinOp)
            )
            if sums and names_in(node.value) & given:  # type: ignore[attr-defined]
                return True
    return False


def _only_call(module: ast.Module, call: ast.AST, names: set[str]) -> bool:
    """Whether a function is called with nothing but what keeps a graph: no meter that others give numbers."""
    others = called(module, call_name(call)) if isinstance(call, ast.Call) and call_name(call) else []
    return all(any(_carries(a, names) for a in _parts(c)) for c in others) and bool(others)


def _parts(call: ast.Call) -> list[ast.expr]:
    return [*call.args, *(k.value for k in call.keywords)]


def _is_known(name: str) -> bool:
    """Whether Python itself has a function of this name."""
    return hasattr(builtins, name)


def _receivers(module: ast.Module, call: ast.Call, names: set[str]) -> Iterator[tuple[ast.AST, set[str]]]:
    """The functions of this file that a call may mean, each with its parameters that get one of the names."""
    if not any(_carries(a, names) for a in _parts(call)):
        return
    plain = isinstance(call.func, ast.Name)
    name = call_name(call)
    functions = [n for n in ast.walk(module) if isinstance(n, Function) and n.name != "forward"]
    meant = [n for n in functions if n.name == name]
    if (plain or not name) and not meant:  # a callback of a list, ``getattr(callback, event)(loss)``
        told = {n.value for n in ast.walk(module) if isinstance(n, ast.Constant)}
        told |= {n.id for n in ast.walk(module) if isinstance(n, ast.Name)}
        meant = [n for n in functions if n.name == "__call__" or (n.name in told and not _is_known(name))]
    for function in meant:
        parameters = [a.arg for a in (*function.args.posonlyargs, *function.args.args)]
        parameters = parameters[1:] if parameters[:1] in (["self"], ["cls"]) else parameters
        got = {p for p, a in zip(parameters, call.args, strict=False) if _carries(a, names)}
        got |= {k.arg for k in call.keywords if k.arg is not None and _carries(k.value, names)}
        rest = function.args.vararg, function.args.kwarg
        got |= {a.arg for a in rest if a is not None}
        yield function, got
