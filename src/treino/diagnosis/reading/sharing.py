"""Where the source makes two parts of a table share rows: a join with the test part, a helper that splits."""

import ast
from dataclasses import dataclass
from itertools import pairwise

from treino.diagnosis.finding import Site
from treino.diagnosis.reading.ancestry import Step, ancestry, parameters
from treino.diagnosis.reading.indexed import words_of_rows
from treino.diagnosis.reading.names import says_test, says_train, says_validation
from treino.diagnosis.reading.provenance import (
    Function,
    data_names,
    definition,
    functions,
    given_rows,
    scoped,
    target_names,
)
from treino.diagnosis.reading.source import (
    call_name,
    called,
    enclosing,
    function_of,
    names_in,
    statement_at,
    tree,
)
from treino.diagnosis.where.kinds import cuts

JOINS = (
    *("concat", "concatenate", "cat", "vstack", "hstack", "append", "row_stack", "ConcatDataset"),
    *("chain", "stack", "union"),
)
SPLITS = ("train_test_split", "random_split", "Subset")
DRAWS = ("randperm", "permutation", "shuffle", "sample", "train_test_split", "random_split")
SEEDS = ("manual_seed", "seed", "Random", "RandomState", "default_rng")
SETTINGS = {"cfg", "config", "conf", "args", "opts", "options", "settings", "hp", "hparams"}
DEEP = 4  # helpers, one within the other


def joined_with_test(site: Site | None, loader: Site | None) -> Site | None:
    """The line that joins test rows to those that a net is given on a line, or by a loader, for training: if
    nothing parts them again.
    """
    start = loader or site
    statement = statement_at(start) if start is not None else None
    own = [] if start is None or statement is None or hasattr(statement, "body") else [Step(start, statement)]
    for step in (*own, *ancestry(site, loader)):
        parts = [p for c in called(step.value, *JOINS) for p in (*c.args, *(k.value for k in c.keywords))]
        sums = [n for n in ast.walk(step.value) if isinstance(n, ast.BinOp) and isinstance(n.op, ast.Add)]
        parts += [side for n in sums for side in (n.left, n.right)]
        if any(says_test(words_of_rows(_said(p))) for p in parts):
            return step.site
        batches = isinstance(statement_at(step.site), ast.For)
        if (cuts(step.value) and not batches) or called(step.value, *SPLITS):
            return None
    return None


@dataclass(frozen=True)
class Split:
    """A statement that parts tables into rows for training and rows that are held back."""

    site: Site
    tables: frozenset[str]
    training: frozenset[str]
    held: frozenset[str]


def taken_back(site: Site, names: set[str]) -> Site | None:
    """The line after a split that gives the part for training the whole table again, or joins it with the
    rows that were held back: ``x_train, y_train = x, y``.

    names: what the evaluation calls its rows; a part for validation may be joined before a test.
    """
    module = tree(site.file)
    for function, node in scoped(module) if module is not None else ():
        around = function or module
        split = _split(site.file, node) if isinstance(node, ast.Assign) else None
        if around is None or split is None or (says_validation({*split.held}) and says_test(names)):
            continue
        for later in ast.walk(around):
            line = Site(site.file, getattr(later, "lineno", 0))
            if not isinstance(later, ast.Assign) or line.line <= split.site.line:
                continue
            loops = (n for n in enclosing(line) if isinstance(n, (ast.For, ast.While)))
            grows = any(n.lineno > split.site.line for n in loops)  # by rows of a pool, round after round
            same = function_of(line) is around and not grows
            if same and any(_takes_back(line, split, t, v) for t, v in _pairs(later)):
                return line
    return None


def _pairs(given: ast.Assign) -> list[tuple[ast.expr, ast.expr]]:
    target, value = given.targets[0], given.value
    both = isinstance(target, (ast.Tuple, ast.List)) and isinstance(value, (ast.Tuple, ast.List))
    if both and len(target.elts) == len(value.elts):  # type: ignore[attr-defined]
        return list(zip(target.elts, value.elts, strict=True))  # type: ignore[attr-defined]
    return [(target, value)]


def _split(path: str, node: ast.Assign) -> Split | None:
    site, target, value = Site(path, node.lineno), node.targets[0], node.value
    elements = target.elts if isinstance(target, (ast.Tuple, ast.List)) else []
    names = [sorted(target_names(t)) for t in elements]
    if len(names) < 2 or not all(len(n) == 1 for n in names):
        return None
    parts = [n[0] for n in names]
    held: set[str] = set()
    tables: set[str] = set()
    if isinstance(value, ast.Call) and value.args:
        tables = {n for a in value.args for n in target_names(a)}
        if call_name(value) == "train_test_split":
            held = {*parts[1::2]}
        elif call_name(value) == "random_split":
            held = {*parts[1:]}
        elif any(says_train({n}) for n in parts):
            held = {n for n in parts if says_test({n})}
            parts = [n for n in parts if n in held or says_train({n})]
    elif isinstance(value, ast.Tuple) and len(value.elts) == len(parts) == 2:
        cut = [v for v in value.elts if isinstance(v, ast.Subscript) and isinstance(v.slice, ast.Slice)]
        tables = {n for v in cut for n in target_names(v.value)}
        if len(cut) == 2 and len(tables) == 1 and cuts(cut[0]) and cuts(cut[1]):
            said = [n for n in parts if says_test({n}) or says_validation({n})]
            held = {*(said or parts[1:])}
    training = {*parts} - held
    if not held or tables & {*parts}:
        return None
    return Split(site, frozenset(tables), frozenset(training), frozenset(held))


def _takes_back(line: Site, split: Split, target: ast.expr, value: ast.expr) -> bool:
    """Whether a name of the part for training is given rows that were held back."""
    if not target_names(target) & split.training:
        return False
    names = data_names(value)
    sums = [n for n in ast.walk(value) if isinstance(n, ast.BinOp) and isinstance(n.op, ast.Add)]
    sides = {n for s in sums for side in (s.left, s.right) for n in target_names(side)}
    chosen = any(isinstance(n, ast.Subscript) for n in ast.walk(value)) or called(value, *SPLITS, *DRAWS)
    if (names & split.held and called(value, *JOINS) and not chosen) or sides & split.held:
        return True
    table = next(iter(names & split.tables), None)
    made = definition(line, table) if table is not None else None
    unchanged = made is None or made.line < split.site.line
    return table is not None and unchanged and not chosen and not names & (split.training | split.held)


def cut_twice(path: str) -> bool:
    """Whether a file cuts a table where the other part of it has not ended yet: ``order[:n]`` and
    ``order[n - 9:]``.
    """
    module = tree(path)
    ends: set[tuple[str, str]] = set()
    starts: set[tuple[str, str]] = set()
    for node in ast.walk(module) if module is not None else ():
        if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Slice) and node.slice.step is None:
            of, start, end = ast.unparse(node.value), node.slice.lower, node.slice.upper
            if end is not None and start is None:
                ends.add((of, ast.unparse(end)))
            elif isinstance(start, ast.BinOp) and isinstance(start.op, ast.Sub) and end is None:
                starts.add((of, ast.unparse(start.left)))
    return bool(ends & starts)


def drawn_for_each(path: str) -> Site | None:
    """The draw in a function, or in a dataset's ``__init__``, that parts the rows and is called for each part
    without a seed of its own: the parts come from different draws.
    """
    module = tree(path)
    nodes = list(ast.walk(module)) if module is not None else []
    owners = {id(f): n.name for n in nodes if isinstance(n, ast.ClassDef) for f in n.body}
    for function in (n for n in nodes if isinstance(n, ast.FunctionDef)):
        name = owners.get(id(function), "") if function.name == "__init__" else function.name
        calls = [c for c in nodes if isinstance(c, ast.Call) and call_name(c) == name]
        draws = called(function, *DRAWS)
        parts = cuts(function) or any(call_name(d) in SPLITS for d in draws)
        if len(calls) < 2 or not draws or not parts or called(function, *SEEDS):
            continue
        if not any(k.arg in ("random_state", "generator") for d in draws for k in d.keywords):
            return Site(path, draws[0].lineno)
    return None


def _said(part: ast.AST) -> set[str]:
    """Names and words in an expression."""
    words = {n.value for n in ast.walk(part) if isinstance(n, ast.Constant) and isinstance(n.value, str)}
    return names_in(part) | words


def within_helper(site: Site) -> Site:
    """The line of a function of the file that parts the rows, for a line that gives its parts their names:
    the later of the lines that make the two parts, or the return; the line itself where it calls no such.
    """
    place = site
    for _ in range(DEEP):
        inside = _parts_made(place)
        if inside is None:
            break
        place = inside
    return place


def _parts_made(site: Site) -> Site | None:
    statement = statement_at(site)
    value = statement.value if isinstance(statement, ast.Assign) else None
    if not isinstance(statement, ast.Assign) or not isinstance(value, ast.Call):
        return None
    targets = statement.targets[0].elts if isinstance(statement.targets[0], (ast.Tuple, ast.List)) else []
    own = functions(site.file, call_name(value))
    returns = [n for f in own for n in ast.walk(f) if isinstance(n, ast.Return)]
    given = returns[0].value if len(own) == len(returns) == 1 else None
    if not isinstance(given, ast.Tuple) or len(given.elts) != len(targets):
        return None
    lines: list[int] = []
    for target, element in zip(targets, given.elts, strict=True):
        if _role(target_names(target)):
            lines.append(_made_at(element, Site(site.file, given.lineno)))
    return Site(site.file, max(lines)) if lines else None


def _made_at(element: ast.AST, returned: Site) -> int:
    """The line that makes a part: of its own name, or of the rows that are said to be for it."""
    names = {element.id} if isinstance(element, ast.Name) else {n for n in data_names(element) if _role({n})}
    made = definition(returned, min(names)) if names and not cuts(element) else None
    own = made is not None and made.function is not None and made.line < returned.line
    return made.line if made is not None and own else returned.line


def order_of_steps(one: Site, two: Site) -> Site | None:
    """The line of a list that names the steps of a preparation, the one that holds a line before the one that
    holds the other: ``steps = [multiply, split, scale]``.
    """
    first, second = _step_names(one), _step_names(two)
    module = tree(one.file)
    for node in ast.walk(module) if module is not None and not first & second else ():
        steps: list[ast.expr] = []
        if isinstance(node, (ast.List, ast.Tuple)):
            steps = node.elts
        elif isinstance(node, ast.Call):
            steps = node.args
        elif isinstance(node, ast.Dict):
            steps = node.values
        before = [i for i, step in enumerate(steps) if _names_step(step, first)]
        after = [i for i, step in enumerate(steps) if _names_step(step, second)]
        if before and after and before[0] < after[0]:
            return Site(one.file, steps[before[0]].lineno)
    return None


def called_in_turn(one: Site, two: Site) -> Site | None:
    """The line that calls the function around a line, if that is the only one, and the function around the
    other is called once, too, after it and in the same body.
    """
    module, places = tree(one.file), list[Site]()
    for f in (function_of(one), function_of(two)):
        calls = called(module, f.name) if isinstance(f, Function) and module is not None else []
        if len(calls) != 1:
            return None
        places.append(Site(one.file, calls[0].lineno))
    first, second = places
    in_turn = first.line <= second.line and function_of(first) is function_of(second)
    return first if in_turn else None


def _step_names(site: Site) -> set[str]:
    """The names of the function and of the class around a line."""
    around = [n for n in enclosing(site) if isinstance(n, (ast.ClassDef, *Function.__args__))]
    return {str(getattr(n, "name", "")) for n in around} - {"__init__", "__call__", "forward"}


def _names_step(step: ast.expr, names: set[str]) -> bool:
    """``multiply``, ``("multiply", multiply)``, ``Multiply()``, ``"multiply"``; not what a call of it gives
    where that is a function.
    """
    if isinstance(step, ast.Constant):
        return step.value in names
    if isinstance(step, (ast.Tuple, ast.List)):
        return any(_names_step(inner, names) for inner in step.elts)
    if isinstance(step, ast.Call):
        bound = call_name(step) == "partial" and bool(names_in(step) & names)
        return call_name(step) in names or bound
    return isinstance(step, (ast.Name, ast.Attribute)) and bool(target_names(step) & names)


def _role(names: set[str]) -> bool:
    return says_train(names) or says_test(names) or says_validation(names)


def handed_over(place: Site, way: tuple[Site, ...], *, of_loader: bool) -> Site:
    """A line that takes its rows from an argument: where the function was called with them, up the way.

    way: the lines that led to the net's call, innermost first.
    """
    for inner, outer in pairwise(way):
        around = function_of(place)
        if not isinstance(around, Function) or function_of(inner) is not around:
            continue
        if not _from_argument(place, around, of_loader=of_loader):
            return place
        place, of_loader = outer, False
    return place


def unpacked_from(place: Site, way: tuple[Site, ...]) -> Site | None:
    """Where the part for training is made that a function unpacks from its argument: ``train, val = parts``.

    way: the lines that led to the net's call, innermost first.
    """
    statement, around = statement_at(place), function_of(place)
    value = statement.value if isinstance(statement, ast.Assign) else None
    if not isinstance(value, ast.Name) or not isinstance(around, Function):
        return None
    if value.id not in parameters(around):
        return None
    outer = next((o for i, o in pairwise(way) if function_of(i) is around), None)
    given = statement_at(outer) if outer is not None else None
    made: Site | None = outer
    names = sorted(n for n in data_names(given) if says_train({n})) if given is not None else []
    for _ in range(DEEP):
        found = definition(made, names[0]) if made is not None and names else None
        if found is None or made is None or found.line >= made.line:
            break
        made = Site(place.file, found.line)
        names = sorted(n for n in data_names(found.value) if says_train({n}))
    return made if made != outer else None


def _from_argument(place: Site, function: ast.FunctionDef | ast.AsyncFunctionDef, *, of_loader: bool) -> bool:
    statement = statement_at(place)
    names = given_rows(statement, place, of_loader=of_loader) if statement is not None else []
    for _ in range(DEEP):
        made = definition(place, names[0]) if names else None
        if made is None or made.function is not function or made.line >= place.line:
            return bool(names) and names[0] in parameters(function)
        place, names = Site(place.file, made.line), sorted(data_names(made.value) - SETTINGS)
    return False
