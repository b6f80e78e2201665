"""Datasets of the script whose items are always rows changed at random."""

import ast
from itertools import islice
from typing import Any

from treino.diagnosis.finding import Site
from treino.diagnosis.reading.ancestry import defaults, parameters, trail
from treino.diagnosis.reading.augmenting import Changed
from treino.diagnosis.reading.orders import given_parts
from treino.diagnosis.reading.own_loaders import loading
from treino.diagnosis.reading.provenance import Function, dataset_line, definition, target_names
from treino.diagnosis.reading.source import call_name, called, enclosing, statement_at, tree
from treino.diagnosis.watch.reads import DRAWN, NUMPY, SEEDED

DRAWS = (*DRAWN, *NUMPY, "integers", "randrange", "choices", "gauss", "normalvariate", "triangular")
Method = ast.FunctionDef | ast.AsyncFunctionDef


def item_draw(loader: Site, learning: Site) -> Changed | None:
    """Where the dataset of a loader is made, and the line that draws for each item of it and of the other
    loader: of datasets of one class, made alike, that gives rows changed at random and the labels that they
    have.
    """
    made, other = (_spelled_out(d, loader.file) for d in (_dataset(loader), _dataset(learning)))
    if made is None or other is None or made[0] is not other[0]:
        return None
    owner, module = made[0], tree(loader.file)
    item = _method(owner, "__getitem__")
    if item is None or module is None:
        return None
    given = _transforms(Site(loader.file, made[1].lineno), module, owner, made[1])
    helpers, settings = _helpers(module, owner, item) | given, _constants(owner, made[1]) | given
    line = _draws_for_row(loader.file, item, helpers, settings)
    own = [f for f in helpers.values() if f not in given.values()]
    if not line or not _alike(module, owner, [item, *own], made[1], other[1]):
        return None
    place = dataset_line(loader) if made[1] is other[1] else Site(loader.file, made[1].lineno)
    return Changed(place, line)


def _spelled_out(
    dataset: tuple[ast.ClassDef, ast.Call] | None, path: str
) -> tuple[ast.ClassDef, ast.Call] | None:
    """The same with the settings of ``**common``, where ``common = dict(...)``, as keywords of the call."""
    if dataset is None or not any(k.arg is None for k in dataset[1].keywords):
        return dataset
    owner, made = dataset
    keywords: list[ast.keyword] = []
    for k in made.keywords:
        known = definition(Site(path, made.lineno), k.value.id) if isinstance(k.value, ast.Name) else None
        table = known.value if known is not None and k.arg is None else None
        if isinstance(table, ast.Call) and call_name(table) == "dict" and not table.args:
            keywords += table.keywords
        elif isinstance(table, ast.Dict) and all(isinstance(key, ast.Constant) for key in table.keys):
            pairs = zip(table.keys, table.values, strict=True)
            keywords += [ast.keyword(str(key.value), v) for key, v in pairs]  # type: ignore[union-attr]
        else:
            keywords.append(k)
    return owner, ast.copy_location(ast.Call(made.func, made.args, keywords), made)


def flag_line(draw: Site) -> Site | None:
    """The line that decides by the part, for which a dataset is made, whether its items draw:
    ``self.augment = split != "valid"``, or ``if self.split != "valid":`` itself.
    """
    around = enclosing(draw)
    owner = next((n for n in reversed(around) if isinstance(n, ast.ClassDef)), None)
    method = next((n for n in reversed(around) if isinstance(n, Function)), None)
    init = _method(owner, "__init__") if owner is not None else None
    if owner is None or method is None or init is None:
        return None
    lines = [draw.line, *(c.lineno for c in called(owner, method.name) if _own(c.func))]
    for node in (n for line in lines for n in enclosing(Site(draw.file, line))):
        if not isinstance(node, (ast.If, ast.IfExp)) or not owner.lineno < node.lineno:
            continue
        if _compares_words(node.test):
            return Site(draw.file, node.test.lineno)
        flags = {n.attr for n in ast.walk(node.test) if isinstance(n, ast.Attribute) and _own(n)}
        for target, value in _parts(init):
            if target_names(target) & flags and _compares_words(value):
                return Site(draw.file, value.lineno)
    return None


def _compares_words(value: ast.AST) -> bool:
    """``split != "valid"``, ``self.split in ("train", "test")``"""
    compares = [n for n in ast.walk(value) if isinstance(n, ast.Compare)]
    sides = [side for n in compares for side in (n.left, *n.comparators)]
    return any(isinstance(n, ast.Constant) and isinstance(n.value, str) for s in sides for n in ast.walk(s))


def _helpers(module: ast.Module, owner: ast.ClassDef, item: Method) -> dict[str, Method]:
    """The methods, and the functions of the file, that a ``__getitem__`` calls and that draw."""
    plain = [n for n in module.body if isinstance(n, Function)]
    own = [n for n in owner.body if isinstance(n, Function) and n is not item]
    found = [f for f in plain if any(isinstance(c.func, ast.Name) for c in called(item, f.name))]
    found += [f for f in own if any(_own(c.func) for c in called(item, f.name))]
    return {f.name: f for f in found if called(f, *DRAWS)}


def _transforms(site: Site, module: ast.Module, owner: ast.ClassDef, made: ast.Call) -> dict[str, Method]:
    """Attribute → the function of the file, or of an object of its classes, that it is made with and that
    draws: ``Images(x, y, transform=augment)``.
    """
    init = _method(owner, "__init__")
    names = parameters(init)[1:] if init is not None else []
    arguments = dict(zip(names, made.args, strict=False)) | {k.arg: k.value for k in made.keywords if k.arg}
    found: dict[str, Method] = {}
    for target, value in _parts(init) if init is not None else ():
        given = arguments.get(value.id) if isinstance(value, ast.Name) else None
        function = _callable(site, module, given) if given is not None else None
        if isinstance(target, ast.Attribute) and function is not None and called(function, *DRAWS):
            found[target.attr] = function
    return found


def _callable(site: Site, module: ast.Module, given: ast.expr) -> Method | None:
    """The function that an expression names, or the ``__call__`` of the object that it makes or names."""
    if isinstance(given, (ast.Name, ast.Attribute)):
        name = given.id if isinstance(given, ast.Name) else given.attr
        plain = [n for n in module.body if isinstance(n, Function) and n.name == name]
        made = definition(site, name) if not plain else None
        own = next((n for n in reversed(enclosing(site)) if isinstance(n, ast.ClassDef)), None)
        kept = [v for t, v in _parts(own) if _own(t) and target_names(t) == {name}] if own is not None else []
        value = kept[0] if _own(given) and kept else made.value if made is not None else None
        if plain or not isinstance(value, ast.Call):
            return plain[0] if plain else None
        given = value
    name = call_name(given) if isinstance(given, ast.Call) else ""
    kinds = [n for n in ast.walk(module) if isinstance(n, ast.ClassDef) and n.name == name]
    return _method(kinds[0], "__call__") if kinds else None


def _constants(owner: ast.ClassDef, made: ast.Call) -> dict[str, object]:
    """Attribute → the number, word or truth that it is made with, by this call or by default."""
    init = _method(owner, "__init__")
    if init is None:
        return {}
    names = parameters(init)[1:]
    given = {name: value[0] for name, value in defaults(init).items()}
    given |= dict(zip(names, made.args, strict=False))
    given |= {k.arg: k.value for k in made.keywords if k.arg is not None}
    known = {name: v.value for name, v in given.items() if isinstance(v, ast.Constant)}
    found: dict[str, object] = {}
    for target, value in _parts(init):
        if isinstance(target, ast.Attribute):
            if isinstance(value, ast.Constant):
                found[target.attr] = value.value
            elif isinstance(value, ast.Name) and value.id in known:
                found[target.attr] = known[value.id]
    return found


def _parts(init: Method | ast.ClassDef) -> list[tuple[ast.expr, ast.expr]]:
    """(target, value) of every assignment."""
    return [
        part
        for node in _assigned(init)
        for part in (given_parts(node) if isinstance(node, ast.Assign) else [(node.target, node.value)])
    ]


def _dataset(loader: Site) -> tuple[ast.ClassDef, ast.Call] | None:
    """The class of the script that makes the dataset of the loaders on a line, and the call that does."""
    statement, module = statement_at(loader), tree(loader.file)
    if statement is None or module is None:
        return None
    classes = {n.name: n for n in ast.walk(module) if isinstance(n, ast.ClassDef)}
    items = [name for name, owner in classes.items() if _method(owner, "__getitem__") is not None]
    found: dict[str, ast.Call] = {}
    for call in called(statement, "DataLoader", *loading(loader.file)):
        for value in (*call.args[:1], *(k.value for k in call.keywords if k.arg == "dataset")):
            steps = (called(step.value, *items) for step in islice(trail(value, loader), 40))
            found |= {ast.dump(maker): maker for maker in next((m for m in steps if m), [])}
    made = next(iter(found.values())) if len(found) == 1 else None
    return (classes[call_name(made)], made) if made is not None else None


def _method(owner: ast.ClassDef, name: str) -> Method | None:
    return next((n for n in owner.body if isinstance(n, Function) and n.name == name), None)


def _draws_for_row(path: str, item: Method, helpers: dict[str, Method], settings: dict[str, Any]) -> int:
    """The line that always draws for the row of a ``__getitem__``; 0 where there is none, where the row is
    made anew or is another one, and where the label is drawn, too.

    settings: with which its object was made, so that conditions on them are known.
    """
    never = _never_run(item, settings)
    returns = [n for n in ast.walk(item) if isinstance(n, ast.Return) and id(n) not in never]
    back = returns[0].value if len(returns) == 1 else None
    if len(parameters(item)) != 2 or not isinstance(back, ast.Tuple) or len(back.elts) != 2:
        return 0
    index = parameters(item)[1]
    row, label = _made_of(item, back.elts[0]), _made_of(item, back.elts[1])
    if any(
        called(n, *SEEDED) for f in (item, *helpers.values()) for n in ast.walk(f) if isinstance(n, ast.stmt)
    ):
        return 0
    drawing = (*DRAWS, *helpers)
    if not any(_reads_item(n, index) for n in row) or any(called(n, *drawing) for n in label):
        return 0
    draws = [c for n in row for c in called(n, *drawing)]
    drawn = {t for n in _assigned(item) if called(n.value, *DRAWS) for t in _targets(n)}
    if any(_chosen_by(n, index, drawn) for n in ast.walk(item)) or not draws:
        return 0
    inside = {
        t for f in helpers.values() for n in _assigned(f) if called(n.value, *DRAWS) for t in _targets(n)
    }
    if any(_chosen_by(n, "", inside) for f in helpers.values() for n in ast.walk(f)):
        return 0
    if helpers and _changed_label(back.elts[1], row, {"self", index}):
        return 0
    always = {c.lineno for c in draws if not _under_condition(path, item, c, settings)}
    lines = {c.lineno for c in draws if c.lineno in always and call_name(c) in DRAWS}
    for name, helper in helpers.items():
        if any(c.lineno in always for c in draws if call_name(c) == name):
            within = called(helper, *DRAWS)
            lines |= {c.lineno for c in within if not _under_condition(path, helper, c, settings)}
    return min(lines, default=0)


def _never_run(item: Method, settings: dict[str, object]) -> set[int]:
    """The nodes that settings rule out: ``if not self.augment: return ...``."""
    found: set[int] = set()
    for node in (n for n in ast.walk(item) if isinstance(n, ast.If) and not called(n.test, *DRAWS)):
        turned = isinstance(node.test, ast.UnaryOp) and isinstance(node.test.op, ast.Not)
        test = node.test.operand if isinstance(node.test, ast.UnaryOp) else node.test
        if _holds(test, settings):
            found |= {id(n) for part in (node.body if turned else node.orelse) for n in ast.walk(part)}
    return found


def _changed_label(label: ast.expr, row: list[ast.AST], every: set[str]) -> bool:
    """Whether the label is what a row was made of: rows that are to be restored.

    every: names of which all that an item holds is made.
    """
    functions = {id(c.func) for c in ast.walk(label) if isinstance(c, ast.Call)}
    names = [n for n in ast.walk(label) if isinstance(n, ast.Name) and id(n) not in functions]
    plain, said = {n.id for n in names} - every, ast.dump(label)
    if any(ast.dump(n) == said for part in row for n in ast.walk(part)):
        return True
    return any(isinstance(n, ast.Name) and n.id in plain for part in row for n in _bare(part))


def _bare(node: ast.AST) -> list[ast.AST]:
    """The nodes of an expression without those of which a part is taken: the ``a`` of ``a[0]``."""
    taken = {id(n.value) for n in ast.walk(node) if isinstance(n, ast.Subscript)}
    return [n for n in ast.walk(node) if id(n) not in taken]


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


def _under_condition(path: str, function: Method, draw: ast.Call, settings: dict[str, object]) -> bool:
    """Whether a draw is only made where something else than chance, or than these settings, wants it."""
    around = [n for n in enclosing(Site(path, draw.lineno)) if n is not function]
    for node in (n for n in ast.walk(function) if n in around):
        if isinstance(node, (ast.If, ast.IfExp, ast.While)) and not called(node.test, *DRAWS):
            body = node.body if isinstance(node.body, list) else [node.body]
            if not any(n is draw for part in body for n in ast.walk(part)) or not _holds(node.test, settings):
                return True
        elif isinstance(node, (ast.If, ast.IfExp)) and not _holds(node.test, settings):
            return True
    return False


def _holds(test: ast.expr, settings: dict[str, object]) -> bool:
    """Whether a condition is true by these settings, chance aside: ``self.augment and random() < 0.5``."""
    if isinstance(test, ast.BoolOp):
        parts = [_holds(value, settings) for value in test.values]
        return all(parts) if isinstance(test.op, ast.And) else any(parts)
    if called(test, *DRAWS):
        return True
    of = test.left if isinstance(test, ast.Compare) else test
    if not isinstance(of, ast.Attribute) or of.attr not in settings or not _own(of):
        return False
    value = settings[of.attr]
    if not isinstance(test, ast.Compare):
        return bool(value)
    if isinstance(test.ops[0], ast.IsNot):
        return value is not None
    against = test.comparators[0].value if isinstance(test.comparators[0], ast.Constant) else None
    if isinstance(test.ops[0], ast.Gt):
        return isinstance(value, (int, float)) and isinstance(against, (int, float)) and value > against
    return isinstance(test.ops[0], ast.Eq) and value == against


def _alike(
    module: ast.Module, owner: ast.ClassDef, methods: list[Method], made: ast.Call, other: ast.Call
) -> bool:
    """Whether two datasets of a class are given the same settings: what its items read and neither index nor
    only draw from.
    """
    nodes = [n for method in methods for n in ast.walk(method)]
    aside = {id(n.value) for n in nodes if isinstance(n, ast.Subscript)}
    aside |= {
        id(c.func.value)
        for method in methods
        for c in called(method, *DRAWS)
        if isinstance(c.func, ast.Attribute)
    }
    settings = {n.attr for n in nodes if isinstance(n, ast.Attribute) and _own(n) and id(n) not in aside}
    init = _method(owner, "__init__")
    others = [n for n in ast.walk(module) if isinstance(n, ast.ClassDef) and n is not owner]
    elsewhere = {id(n) for kind in others for n in ast.walk(kind) if isinstance(n, ast.Attribute) and _own(n)}
    elsewhere |= {id(n) for n in ast.walk(init)} if init is not None else set()
    for node in ast.walk(module):
        stored = isinstance(node, ast.Attribute) and node.attr in settings and isinstance(node.ctx, ast.Store)
        if stored and id(node) not in elsewhere:
            return False
    if made is other or ast.dump(made) == ast.dump(other) or not settings:
        return True
    if init is None:
        return False
    names = parameters(init)[1:]
    given = [_arguments(call, names) for call in (made, other)]
    given = [{name: d for name, (d,) in _default_dumps(init).items()} | g for g in given]
    for value in (v for target, v in _parts(init) if target_names(target) & settings):
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
