"""Batches that are put together in two orders: the functions that do so, and the lines to mend."""

import ast

from treino.diagnosis.finding import Site
from treino.diagnosis.reading.ancestry import arguments
from treino.diagnosis.reading.order_flow import returned
from treino.diagnosis.reading.provenance import Function, definition, functions
from treino.diagnosis.reading.source import call_name, called, function_of, names_in, statement_at, tree

MAKES = ("randn", "rand", "randint", "randperm", "permutation", "arange", "zeros", "ones", "normal", "range")
DEEP = 4  # names that stand for one function


def torn_batch(loader: Site | None) -> Site | None:
    """The line of a loader's collate function that leaves a part of the batch in another order."""
    functions = _collating(loader) if loader is not None else []
    found = (_torn(loader.file, f) for f in functions if loader is not None)
    return next((place for place in found if place is not None), None)


def torn_parts(path: str) -> Site | None:
    """The same of a function that a script calls itself, with rows and labels in two arguments: one of them
    is given back in another order.
    """
    module = tree(path)
    if module is None:
        return None
    for function in (n for n in ast.walk(module) if isinstance(n, Function)):
        made = called(function, *MAKES)
        sizes = set().union(*(names_in(a) for c in made for a in (*c.args, *(k.value for k in c.keywords))))
        given = {a.arg for a in function.args.args} - {"self"} - sizes
        for _, parts in returned(function):
            put = {frozenset(rows.of & given) for _, rows in parts if rows.orders and not rows.index}
            left = {frozenset(rows.of & given) for _, rows in parts if not rows.orders and not rows.index}
            put_too = frozenset().union(*put)  # of rows that are mixed with others, each label is given twice
            apart = any(a and b and not a & b and not b & put_too for a in put for b in left)
            if apart and called(module, function.name):
                return _torn(path, function)
    return None


def _collating(loader: Site) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
    """The functions of the file that a loader's batches are put together by."""
    statement, module = statement_at(loader), tree(loader.file)
    calls = called(statement, "DataLoader") if statement is not None else []
    given = [k.value for c in calls for k in c.keywords if k.arg == "collate_fn"]
    return _functions(given[0], loader, module) if given and module is not None else []


def _functions(
    value: ast.AST, place: Site, module: ast.Module, deep: int = 0
) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
    """What is called where this value is: a function, a method, an object of a class, a partial."""
    if deep > DEEP:
        return []
    if isinstance(value, ast.Lambda):
        calls = [n for n in ast.walk(value.body) if isinstance(n, ast.Call)]
        return [f for c in calls for f in functions(place.file, call_name(c))][:1]
    if isinstance(value, ast.Call):
        if call_name(value) == "partial" and value.args:
            return _functions(value.args[0], place, module, deep + 1)
        return [f for c in _classes(module, call_name(value)) for f in _methods(c, "__call__")]
    if isinstance(value, ast.Attribute):
        return list(functions(place.file, value.attr))
    if not isinstance(value, ast.Name):
        return []
    own = functions(place.file, value.id)
    if own:
        return list(own)
    made, around = definition(place, value.id), function_of(place)
    if isinstance(around, Function) and (made is None or made.function is not around):
        handed = [(Site(place.file, c.lineno), v) for c, v in arguments(place.file, around, value.id)]
        return [f for site, v in handed for f in _functions(v, site, module, deep + 1)]
    line = Site(place.file, made.line) if made is not None else place
    return _functions(made.value, line, module, deep + 1) if made is not None else []


def _classes(module: ast.Module, name: str) -> list[ast.ClassDef]:
    return [n for n in ast.walk(module) if isinstance(n, ast.ClassDef) and n.name == name]


def _methods(owner: ast.ClassDef, name: str) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
    return [n for n in owner.body if isinstance(n, Function) and n.name == name]


def _torn(path: str, function: ast.FunctionDef | ast.AsyncFunctionDef) -> Site | None:
    """The line to mend of a function that returns parts of a batch in different orders: where the part that
    lacks the order is made, if the order is known by then; where all of them are returned, if the order has
    a name; otherwise where the others are sorted.
    """
    for given, parts in returned(function):
        orders = frozenset().union(*(rows.orders for _, rows in parts))
        lacking = [(value, rows) for value, rows in parts if orders - rows.orders and not rows.index]
        if not orders or not lacking or len(lacking) == len(parts):
            continue
        rows = lacking[-1][1]
        lines = [int(order.split()[1]) for order in orders if order.split()[1].isdigit()]
        sorted_at = min(lines, default=given.lineno)
        if rows.line > sorted_at:
            return Site(path, rows.line, function.name)
        line = given.lineno if _has_name(function, sorted_at) else sorted_at
        return Site(path, line, function.name)
    return None


def _has_name(function: ast.AST, line: int) -> bool:
    """Whether the order that is made on a line is kept in a name by which rows are taken."""
    made = (n for n in ast.walk(function) if isinstance(n, ast.Assign) and n.lineno == line)
    kept = {n.id for m in made for t in m.targets for n in ast.walk(t) if isinstance(n, ast.Name)}
    for node in ast.walk(function):  # for i in order: x[i]
        if isinstance(node, (ast.comprehension, ast.For)) and names_in(node.iter) & kept:
            kept |= names_in(node.target)
    uses = [n.slice for n in ast.walk(function) if isinstance(n, ast.Subscript)]
    uses += [a for c in called(function, "index_select", "take", "gather") for a in c.args]
    return any(names_in(use) & kept for use in uses)


def unrestored(path: str) -> Site | None:
    """The return of a ``forward`` that puts its rows into an order of its own, by length, and never back."""
    for function in functions(path, "forward"):
        given = {a.arg for a in function.args.args}
        for node in ast.walk(function):
            order = _order(node, given) if isinstance(node, ast.Assign) else ""
            if order and _only_indexes(function, order, given):
                returns = [n for n in ast.walk(function) if isinstance(n, ast.Return)]
                return Site(path, returns[-1].lineno, "forward") if returns else None
    return None


def _order(made: ast.Assign, given: set[str]) -> str:
    """The name of the order of rows that a line takes from one of the arguments, their lengths."""
    target, value = made.targets[0], made.value
    if not isinstance(value, ast.Call) or any(k.arg in ("dim", "axis") for k in value.keywords):
        return ""
    of = [value.func.value] if isinstance(value.func, ast.Attribute) else []
    lengths = {n for part in (*of, *value.args) for n in names_in(part) & given if "len" in n.lower()}
    if not lengths:
        return ""
    if call_name(value) == "argsort" and isinstance(target, ast.Name):
        return target.id
    pair = isinstance(target, ast.Tuple) and len(target.elts) == 2 and call_name(value) == "sort"
    last = target.elts[1] if pair else None  # type: ignore[attr-defined]
    return last.id if isinstance(last, ast.Name) else ""


def _only_indexes(function: ast.AST, order: str, given: set[str]) -> bool:
    """Whether an order is used to take rows of arguments by it, and for nothing else."""
    uses = [n for n in ast.walk(function) if isinstance(n, ast.Name) and n.id == order]
    read = [n for n in uses if isinstance(n.ctx, ast.Load)]
    taken = [n for n in ast.walk(function) if isinstance(n, ast.Subscript) and isinstance(n.ctx, ast.Load)]
    indexed = [n for n in taken if names_in(n.slice) == {order} and names_in(n.value) & given]
    indexed += [c for c in called(function, "index_select") if order in names_in(c)]  # type: ignore[misc]
    return bool(read) and len(read) == len(indexed)
