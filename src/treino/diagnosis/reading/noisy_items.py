"""Datasets of the script whose items are always rows changed at random."""

import ast
from itertools import islice

from treino.diagnosis.finding import Site
from treino.diagnosis.reading.ancestry import defaults, parameters, trail
from treino.diagnosis.reading.orders import given_parts
from treino.diagnosis.reading.provenance import Function, target_names
from treino.diagnosis.reading.source import call_name, called, enclosing, statement_at, tree
from treino.diagnosis.watch.reads import DRAWN, NUMPY, SEEDED

DRAWS = (*DRAWN, *NUMPY, "integers")
Method = ast.FunctionDef | ast.AsyncFunctionDef


def item_draw(loader: Site, learning: Site) -> Site | None:
    """The line that draws for each item of two loaders: of datasets of one class, made alike, that gives rows
    changed at random and the labels that they have.
    """
    made, other = _dataset(loader), _dataset(learning)
    if made is None or other is None or made[0] is not other[0]:
        return None
    owner = made[0]
    item = _method(owner, "__getitem__")
    line = _draws_for_row(loader.file, item) if item is not None else 0
    if not line or item is None or not _alike(tree(loader.file), owner, item, made[1], other[1]):
        return None
    return Site(loader.file, line, item.name)


def _dataset(loader: Site) -> tuple[ast.ClassDef, ast.Call] | None:
    """The class of the script that makes the dataset of the loaders on a line, and the call that does."""
    statement, module = statement_at(loader), tree(loader.file)
    if statement is None or module is None:
        return None
    classes = {n.name: n for n in ast.walk(module) if isinstance(n, ast.ClassDef)}
    items = [name for name, owner in classes.items() if _method(owner, "__getitem__") is not None]
    found: dict[str, ast.Call] = {}
    for call in called(statement, "DataLoader"):
        for value in (*call.args[:1], *(k.value for k in call.keywords if k.arg == "dataset")):
            steps = (called(step.value, *items) for step in islice(trail(value, loader), 40))
            found |= {ast.dump(maker): maker for maker in next((m for m in steps if m), [])}
    made = next(iter(found.values())) if len(found) == 1 else None
    return (classes[call_name(made)], made) if made is not None else None


def _method(owner: ast.ClassDef, name: str) -> Method | None:
    return next((n for n in owner.body if isinstance(n, Function) and n.name == name), None)


def _draws_for_row(path: str, item: Method) -> int:
    """The line that always draws for the row of a ``__getitem__``; 0 where there is none, where the row is
    made anew or is another one, and where the label is drawn, too.
    """
    returns = [n for n in ast.walk(item) if isinstance(n, ast.Return)]
    back = returns[0].value if len(returns) == 1 else None
    if len(parameters(item)) != 2 or not isinstance(back, ast.Tuple) or len(back.elts) != 2:
        return 0
    index = parameters(item)[1]
    row, label = _made_of(item, back.elts[0]), _made_of(item, back.elts[1])
    if any(called(n, *SEEDED) for n in ast.walk(item) if isinstance(n, ast.stmt)):
        return 0
    if not any(_reads_item(n, index) for n in row) or any(called(n, *DRAWS) for n in label):
        return 0
    draws = [c for n in row for c in called(n, *DRAWS)]
    drawn = {t for n in _assigned(item) if called(n.value, *DRAWS) for t in _targets(n)}
    if any(_chosen_by(n, index, drawn) for n in ast.walk(item)) or not draws:
        return 0
    always = [c for c in draws if not _under_condition(path, item, c)]
    return min((c.lineno for c in always), default=0)


def _made_of(item: Method, value: ast.expr) -> list[ast.AST]:
    """An expression of a function, and what gives its names a value there; conditions that are drawn, too."""
    found: list[ast.AST] = [value]
    known: set[str] = set()
    todo = [value]
    while todo:
        names = {n.id for n in ast.walk(todo.pop()) if isinstance(n, ast.Name)} - known
        known |= names
        for node in _assigned(item):
            if _targets(node) & names:
                targets = node.targets if isinstance(node, ast.Assign) else [node.target]
                parts = [node.value, *(t.slice for t in targets if isinstance(t, ast.Subscript))]
                todo += parts
                found += parts
        for branch in (n for n in ast.walk(item) if isinstance(n, ast.If) and called(n.test, *DRAWS)):
            found += [branch.test] if any(_targets(n) & names for n in _assigned(branch)) else []
    return found


def _assigned(node: ast.AST) -> list[ast.Assign | ast.AugAssign]:
    return [n for n in ast.walk(node) if isinstance(n, (ast.Assign, ast.AugAssign))]


def _targets(node: ast.Assign | ast.AugAssign) -> set[str]:
    targets = node.targets if isinstance(node, ast.Assign) else [node.target]
    inner = [t.value if isinstance(t, ast.Subscript) else t for t in targets]
    return set().union(*(target_names(t) for t in inner))


def _reads_item(node: ast.AST, index: str) -> bool:
    """Whether an expression reads the row of this index: ``self.x[i]``, ``self.x[i, 2:]``."""
    for read in (n for n in ast.walk(node) if isinstance(n, ast.Subscript)):
        at = read.slice.elts[0] if isinstance(read.slice, ast.Tuple) and read.slice.elts else read.slice
        if isinstance(at, ast.Name) and at.id == index and _own(read.value):
            return True
    return False


def _own(value: ast.AST) -> bool:
    """``self.x``, ``self.x.data``"""
    while isinstance(value, ast.Attribute):
        if isinstance(value.value, ast.Name) and value.value.id == "self":
            return True
        value = value.value
    return False


def _chosen_by(node: ast.AST, index: str, drawn: set[str]) -> bool:
    """Whether chance chooses among what the dataset holds: other rows, or pieces of a series."""
    if not isinstance(node, ast.Subscript) or not _own(node.value):
        return False
    names = {n.id for n in ast.walk(node.slice) if isinstance(n, ast.Name)}
    return bool(names & drawn or called(node.slice, *DRAWS)) or index not in names


def _under_condition(path: str, item: Method, draw: ast.Call) -> bool:
    """Whether a draw is only made where something else than chance wants it."""
    around = [n for n in enclosing(Site(path, draw.lineno)) if n is not item]
    inside = [n for n in ast.walk(item) if n in around and isinstance(n, (ast.If, ast.IfExp, ast.While))]
    return any(not called(n.test, *DRAWS) for n in inside)


def _alike(
    module: ast.Module | None, owner: ast.ClassDef, item: Method, made: ast.Call, other: ast.Call
) -> bool:
    """Whether two datasets of a class are given the same settings: what its items read and don't index."""
    indexed = {id(n.value) for n in ast.walk(item) if isinstance(n, ast.Subscript)}
    own = [n for n in ast.walk(item) if isinstance(n, ast.Attribute) and _own(n)]
    settings = {n.attr for n in own if id(n) not in indexed}
    for node in ast.walk(module) if module is not None else ():
        if isinstance(node, ast.Attribute) and node.attr in settings and isinstance(node.ctx, ast.Store):
            init = _method(owner, "__init__")
            if init is None or not any(n is node for n in ast.walk(init)):
                return False
    if made is other or ast.dump(made) == ast.dump(other) or not settings:
        return True
    init = _method(owner, "__init__")
    if init is None:
        return False
    names = parameters(init)[1:]
    given = [_arguments(call, names) for call in (made, other)]
    given = [{name: d for name, (d,) in _default_dumps(init).items()} | g for g in given]
    parts = (
        part
        for node in _assigned(init)
        for part in (given_parts(node) if isinstance(node, ast.Assign) else [(node.target, node.value)])
    )
    for value in (v for target, v in parts if target_names(target) & settings):
        read = {n.id for n in ast.walk(value) if isinstance(n, ast.Name)}
        if any(given[0].get(name) != given[1].get(name) for name in read & set(names)):
            return False
    return True


def _arguments(call: ast.Call, names: list[str]) -> dict[str, str]:
    plain = zip(names, call.args, strict=False)
    named = {k.arg: ast.dump(k.value) for k in call.keywords if k.arg is not None}
    return {name: ast.dump(value) for name, value in plain} | named


def _default_dumps(init: Method) -> dict[str, tuple[str]]:
    return {name: (ast.dump(value[0]),) for name, value in defaults(init).items()}
