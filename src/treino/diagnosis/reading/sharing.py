"""Where the source makes two parts of a table share rows: a join with the test part, a helper that splits."""

import ast
from itertools import pairwise

from treino.diagnosis.finding import Site
from treino.diagnosis.reading.ancestry import Step, ancestry, cuts, parameters
from treino.diagnosis.reading.names import says_test, says_train, says_validation
from treino.diagnosis.reading.provenance import (
    Function,
    data_names,
    definition,
    functions,
    given_rows,
    target_names,
)
from treino.diagnosis.reading.source import call_name, called, function_of, names_in, statement_at, tree

JOINS = (
    *("concat", "concatenate", "cat", "vstack", "hstack", "append", "row_stack", "ConcatDataset"),
    *("chain", "stack", "union"),
)
SPLITS = ("train_test_split", "random_split", "Subset")
DRAWS = ("randperm", "permutation", "shuffle", "sample", "train_test_split", "random_split")
SEEDS = ("manual_seed", "seed", "Random", "RandomState", "default_rng")
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
        if any(says_test(_said(p)) for p in parts):
            return step.site
        if cuts(step.value) or called(step.value, *SPLITS):
            return None
    return None


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


def _from_argument(place: Site, function: ast.FunctionDef | ast.AsyncFunctionDef, *, of_loader: bool) -> bool:
    statement = statement_at(place)
    names = given_rows(statement, place, of_loader=of_loader) if statement is not None else []
    for _ in range(DEEP):
        made = definition(place, names[0]) if names else None
        if made is None or made.function is not function or made.line >= place.line:
            return bool(names) and names[0] in parameters(function)
        place, names = Site(place.file, made.line), sorted(data_names(made.value))
    return False
