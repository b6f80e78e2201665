"""Orders that a script could have drawn: functions that shuffle where they are told to; and labels that are
no part of the rows, as those by which a net learns to tell real rows from made ones.
"""

import ast
from itertools import islice

from treino.diagnosis.finding import Site
from treino.diagnosis.reading.ancestry import arguments, defaults, given_names, makers, parameters, trail
from treino.diagnosis.reading.configured import keyed, one_place, places, setting_name
from treino.diagnosis.reading.names import says_test, says_train, says_validation, words
from treino.diagnosis.reading.orders import given_parts
from treino.diagnosis.reading.provenance import Function, data_names, definition, target_names
from treino.diagnosis.reading.source import (
    call_name,
    called,
    enclosing,
    function_of,
    loop_around,
    statement_at,
    tree,
)

SHUFFLES = ("shuffle", "randperm", "permutation", "permuted", "sample")
SPLITS = ("train_test_split", "KFold", "StratifiedKFold", "GroupKFold")
ORDERS = {"shuffle", "shuffled", "shuffling", "reshuffle", "random", "randomize", "permute", "order"}
# Words of flags that aren't about an order.
OTHERS = {
    "drop",
    "last",
    "pin",
    "memory",
    "persistent",
    "verbose",
    "augment",
    "debug",
    "quiet",
    "save",
    "cuda",
}
LOADERS = ("DataLoader", "StatefulDataLoader")
FILLS = {
    *("ones", "zeros", "full", "ones_like", "zeros_like", "full_like", "new_ones", "new_zeros", "new_full"),
    *("fill_", "fill", "zero_", "expand_as", "rand", "rand_like", "uniform_"),
}
SAME = {
    *("float", "long", "to", "type", "unsqueeze", "squeeze", "view", "reshape", "view_as", "type_as", "cuda"),
    *("cpu", "clone", "detach", "mul", "add", "sub", "expand", "repeat", "double", "int", "Variable"),
}
Method = ast.FunctionDef | ast.AsyncFunctionDef


# --- labels that are one number for all rows ----------------------------------------------------------------
def filled_labels(site: Site) -> bool:
    """Whether the labels that losses on a line are given are filled in there, the same for a whole batch."""
    for call in (c for n in enclosing(site) if isinstance(n, ast.stmt) for c in ast.walk(n)):
        if not isinstance(call, ast.Call) or not call.lineno <= site.line <= (call.end_lineno or 0):
            continue
        given = [*call.args[1:2], *(k.value for k in call.keywords if k.arg in ("target", "targets"))]
        if any(_is_filled(value, site) for value in given):
            return True
    return False


def _is_filled(value: ast.AST, place: Site, deep: int = 6) -> bool:
    """Whether an expression is one number for all rows: ``torch.full_like(logits, 0.9)``."""
    if deep == 0:
        return False
    if isinstance(value, ast.Call):
        name, func = call_name(value), value.func
        if name in FILLS:
            return True
        if name in SAME:
            of = func.value if isinstance(func, ast.Attribute) else value.args[0] if value.args else None
            return of is not None and _is_filled(of, place, deep - 1)
        return any(_is_filled(back, at, deep - 1) for back, at in _returned(place.file, value))
    if isinstance(value, ast.IfExp):
        return _is_filled(value.body, place, deep - 1) or _is_filled(value.orelse, place, deep - 1)
    if isinstance(value, ast.BinOp):
        sides = (value.left, value.right)
        filled = [s for s in sides if _is_filled(s, place, deep - 1)]
        return bool(filled) and all(s in filled or _is_number(s, place) for s in sides)
    if isinstance(value, ast.Subscript) and isinstance(value.slice, ast.Slice):
        return _is_filled(value.value, place, deep - 1)
    if isinstance(value, (ast.Name, ast.Attribute)):
        name = value.id if isinstance(value, ast.Name) else value.attr
        found = [] if _filled_in_parts(place.file, name) else makers(name, place)
        return any(step.value is not value and _is_filled(step.value, step.site, deep - 1) for step in found)
    return False


def _is_number(value: ast.AST, place: Site) -> bool:
    """Whether an expression is plain numbers, or names that stand for them."""
    if isinstance(value, ast.Name):
        found = makers(value.id, place)
        return bool(found) and all(isinstance(step.value, ast.Constant) for step in found)
    if isinstance(value, ast.BinOp):
        return _is_number(value.left, place) and _is_number(value.right, place)
    return isinstance(value, ast.Constant)


def _filled_in_parts(path: str, name: str) -> bool:
    """``y[100:] = 1``: another number for other rows."""
    module = tree(path)
    stores = (n for n in ast.walk(module) if isinstance(n, ast.Subscript)) if module is not None else ()
    return any(isinstance(n.ctx, ast.Store) and name in target_names(n.value) for n in stores)


def _returned(path: str, call: ast.Call) -> list[tuple[ast.expr, Site]]:
    """What the functions of the file return that a call may mean."""
    module = tree(path)
    named = (n for n in ast.walk(module) if isinstance(n, Function)) if module is not None else ()
    bodies = (n for f in named if f.name == call_name(call) for n in ast.walk(f))
    backs = (n for n in bodies if isinstance(n, ast.Return) and n.value is not None)
    return [(n.value, Site(path, n.lineno)) for n in backs if n.value is not None]


# --- a shuffle that is offered and not asked for ------------------------------------------------------------
def left_out(site: Site | None, loader: Site | None) -> Site | None:
    """The line that doesn't ask for the shuffle which a function of the file offers: the call that leaves out
    ``shuffle=True``, or where it is told to be False.
    """
    if loader is not None:
        return _of_loader(loader)
    loop = loop_around(site) if site is not None else None
    if site is None or not isinstance(loop, ast.For):
        return None
    steps = list(islice(trail(loop.iter, Site(site.file, loop.lineno)), 40))
    for step in steps:
        for call in (n for n in ast.walk(step.value) if isinstance(n, ast.Call)):
            for function, flag in _offers(site.file, call_name(call)):
                return _told(call, function, flag, step.site)
    around = {id(f): f for place in (site, *(s.site for s in steps)) if (f := function_of(place)) is not None}
    for branch in (n for part in around.values() for n in ast.walk(part)):
        test = _shuffles_if(branch)
        if test is not None and ORDERS & {*words(setting_name(test))}:
            return _off(test, Site(site.file, test.lineno))
    return None


def _shuffles_if(branch: ast.AST) -> ast.expr | None:
    """What must be so for the shuffle of an ``if`` (or an ``else``) to happen."""
    if not isinstance(branch, (ast.If, ast.IfExp)):
        return None
    body = branch.body if isinstance(branch.body, list) else [branch.body]
    if any(called(n, *SHUFFLES) for n in body):
        return branch.test
    turned = isinstance(branch.test, ast.UnaryOp) and isinstance(branch.test.op, ast.Not)
    otherwise = branch.orelse if isinstance(branch.orelse, list) else [branch.orelse]
    shuffled = turned and any(called(n, *SHUFFLES) for n in otherwise)
    return branch.test.operand if shuffled and isinstance(branch.test, ast.UnaryOp) else None


def _offers(path: str, name: str) -> list[tuple[Method, str]]:
    """The functions (those that make an object, too) of this name that shuffle if an argument says so, and
    that argument.
    """
    module, found = tree(path), []
    for node in ast.walk(module) if module is not None and name else ():
        if isinstance(node, Function) and node.name == name:
            found += [(node, flag) for flag in parameters(node) if _decides(node, flag)]
        elif isinstance(node, ast.ClassDef) and node.name == name:
            init = next((n for n in node.body if isinstance(n, Function) and n.name == "__init__"), None)
            for assigned in ast.walk(init) if init is not None else ():
                if init is None or not isinstance(assigned, ast.Assign):
                    continue
                for target, value in given_parts(assigned):
                    decides = any(_decides(node, name) for name in target_names(target))
                    flags = parameters(init)[1:] if decides else []
                    found += [(init, p) for p in flags if p in data_names(value)]
    return found


def _decides(around: ast.AST, flag: str) -> bool:
    """Whether a name decides if something is shuffled there."""
    branches = (n for n in ast.walk(around) if isinstance(n, (ast.If, ast.IfExp)))
    return any(_asks(n.test, flag) and called(n, *SHUFFLES) for n in branches)


def _asks(test: ast.AST, flag: str) -> bool:
    """``shuffle``, ``not self.shuffle``"""
    inner = test.operand if isinstance(test, ast.UnaryOp) else test
    return (isinstance(inner, ast.Name) and inner.id == flag) or (
        isinstance(inner, ast.Attribute) and inner.attr == flag
    )


def _of_loader(loader: Site) -> Site | None:
    """The only call for training, of a helper that makes loaders, that doesn't ask for a shuffle."""
    statement, around, module = statement_at(loader), function_of(loader), tree(loader.file)
    if statement is None or module is None:
        return None
    given = [k.value for c in called(statement, *LOADERS) for k in c.keywords if k.arg == "shuffle"]
    if not given:
        lacking = _handed_none(around, statement, loader.file) or _lacking_table(around, statement, loader)
        if lacking is not None:
            return lacking
        tables = any(k.arg is None for c in called(statement, *LOADERS) for k in c.keywords)
        told_off = keyed(loader.file, "shuffle", lambda v: v is False) if tables else []
        return one_place([s for s in told_off if not _told_another(s)])
    if isinstance(given[0], ast.Constant):
        return None
    flag = given[0].id if isinstance(given[0], ast.Name) else ""
    if not isinstance(around, Function) or flag not in parameters(around):
        return _off(given[0], loader)
    asked = [(c, Site(loader.file, c.lineno)) for c in called(module, around.name)]
    told = [(c, place) for c, at in asked if (place := _told(c, around, flag, at)) is not None]
    training = [place for c, place in told if len(asked) == 1 or _for_training(c, loader.file)]
    return training[0] if len(training) == 1 else None


def _handed_none(around: ast.AST | None, statement: ast.stmt, path: str) -> Site | None:
    """The only call for training that hands a helper no ``shuffle`` to pass on: ``**options``."""
    rest = around.args.kwarg if isinstance(around, Function) else None
    passed = [k.value for c in called(statement, *LOADERS) for k in c.keywords if k.arg is None]
    module = tree(path)
    if rest is None or module is None or not any(data_names(v) == {rest.arg} for v in passed):
        return None
    asked = called(module, around.name)  # type: ignore[union-attr]
    lacking = [c for c in asked if all(k.arg is not None and k.arg != "shuffle" for k in c.keywords)]
    lines = {c.lineno for c in lacking if len(asked) == 1 or _for_training(c, path)}
    return Site(path, lines.pop()) if len(lines) == 1 else None


def _lacking_table(around: ast.AST | None, statement: ast.stmt, loader: Site) -> Site | None:
    """The only table of settings without ``shuffle`` that a helper is handed to make a loader by, for
    training if it is called for more: ``DataLoader(rows, **params)``.
    """
    passed = [k.value for c in called(statement, *LOADERS) for k in c.keywords if k.arg is None]
    if not isinstance(around, Function) or not passed:
        return None
    taken = set().union(*map(data_names, passed)) & set(parameters(around))
    given = [(c, v) for name in taken for c, v in arguments(loader.file, around, name)]
    lines: set[int] = set()
    for call, value in given:
        if len(given) > 1 and not _for_training(call, loader.file):
            continue
        made = definition(Site(loader.file, call.lineno), value.id) if isinstance(value, ast.Name) else None
        table = made.value if made is not None else value
        if not isinstance(table, ast.Dict) or any(
            getattr(k, "value", "shuffle") == "shuffle" for k in table.keys
        ):
            return None
        lines.add(table.lineno)
    return Site(loader.file, lines.pop()) if len(lines) == 1 else None


def in_turn(loader: Site | None) -> Site | None:
    """The line that hands a loader a sampler which takes rows one after the other."""
    statement = statement_at(loader) if loader is not None else None
    if loader is None or statement is None:
        return None
    told = [
        k for c in called(statement, *LOADERS) for k in c.keywords if k.arg in ("sampler", "batch_sampler")
    ]
    steps = [s for k in told[:1] for s in islice(trail(k.value, Site(loader.file, k.value.lineno)), 12)]
    made = {c.lineno: c for s in steps for c in called(s.value, "SequentialSampler")}
    lines = [n for n, call in made.items() if len(made) == 1 or _for_training(call, loader.file)]
    return Site(loader.file, lines[0]) if len(lines) == 1 else None


def _for_training(call: ast.Call, path: str) -> bool:
    statement = statement_at(Site(path, call.lineno))
    names = data_names(call)
    if isinstance(statement, ast.Assign):
        pairs = [(t, statement.value) for t in statement.targets]
        if len(pairs) == 1 and isinstance(pairs[0][0], ast.Tuple) and isinstance(statement.value, ast.Tuple):
            pairs = list(zip(pairs[0][0].elts, statement.value.elts, strict=False))
        names |= {n for t, value in pairs if any(v is call for v in ast.walk(value)) for n in target_names(t)}
    return says_train(names)


def _told(call: ast.Call, function: Method, flag: str, place: Site) -> Site | None:
    """The line that tells a function not to shuffle: the call, or where what it is given is told; None where
    it is told to, or nobody knows.
    """
    names = given_names(function)
    at = names.index(flag)
    given = [k.value for k in call.keywords if k.arg == flag] or call.args[at : at + 1]
    if not given:
        default = defaults(function).get(flag, [])
        return place if default and _is_no(default[0]) else None
    if isinstance(given[0], ast.Constant):
        return Site(place.file, given[0].lineno) if _is_no(given[0]) else None
    line = _off(given[0], place)
    if line is not None:
        return line
    for step in islice(trail(given[0], place), 1, 12):
        if isinstance(step.value, ast.Constant):
            return step.site if _is_no(step.value) else None
    return None


def _off(flag: ast.AST, place: Site) -> Site | None:
    """The one line that makes this setting no: where it is written, or where settings are asked for one that
    they haven't got, or for another one than that of the training rows' order.
    """
    off = True
    while isinstance(flag, ast.UnaryOp) and isinstance(flag.op, ast.Not):
        flag, off = flag.operand, not off
    found = places(place, flag, lambda v: bool(v) is not off, another=_of_no_shuffle)
    found = [s for s in found if s.line == place.line or not _told_another(s)]
    if not found and isinstance(flag, ast.Call) and len(flag.args) < 2 and off and call_name(flag) == "get":
        known = keyed(place.file, setting_name(flag), lambda v: True)
        return None if not all(map(_told_another, known)) else Site(place.file, flag.lineno)
    return one_place(found)


def _told_another(site: Site) -> bool:
    """Whether what stands on this line is told a loader, a split or a function of the file."""
    module, statement = tree(site.file), statement_at(site)
    own = {n.name for n in ast.walk(module) if isinstance(n, Function)} if module is not None else set()
    calls = called(statement, *LOADERS, *SPLITS, *own) if statement is not None else []
    return any(k.value.lineno == site.line for c in calls for k in c.keywords if k.arg is not None)


def _of_no_shuffle(name: str) -> bool:
    """Whether a setting's name speaks of something else than the order of training rows."""
    return bool(OTHERS & {*words(name)}) or says_test({name}) or says_validation({name})


def _is_no(value: ast.AST) -> bool:
    return isinstance(value, ast.Constant) and not value.value
