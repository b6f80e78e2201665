"""What the arguments of functions, lambdas and records are given where they are called in roundabout ways:
spread, in a table, by ``partial``, by the names of lambdas.
"""

import ast
from copy import deepcopy
from typing import Any

from treino.diagnosis.reading.ancestry import given_names
from treino.diagnosis.reading.provenance import Function, target_names
from treino.diagnosis.reading.source import call_name, called, remembered, tree

EACH = "*"  # any element of what is iterated over
Part = tuple[int | str, ...]
Given = tuple[int, ast.AST, Part]  # the line, the expression, and the part of it


def lambda_around(path: str, node: ast.AST, name: str) -> ast.Lambda | None:
    """The innermost lambda that an expression stands in, of those with an argument of this name."""
    found, line = None, getattr(node, "lineno", 0)
    for one in _lambdas(path):
        inside = one.lineno <= line <= (one.end_lineno or 0) and name in _named(one)
        if inside and any(n is node for n in ast.walk(one.body)):
            found = one
    return found


@remembered
def _lambdas(path: str) -> tuple[ast.Lambda, ...]:
    module = tree(path)
    return tuple(n for n in ast.walk(module) if isinstance(n, ast.Lambda)) if module is not None else ()


def given_to_lambda(path: str, one: ast.Lambda, name: str) -> list[Given]:
    """What a lambda that has a name is called with for this argument."""
    module, at = tree(path), _named(one).index(name)
    made = [n for n in ast.walk(module) if isinstance(n, ast.Assign)] if module is not None else []
    names = {n for a in made if a.value is one for t in a.targets for n in target_names(t)}
    calls = called(module, *names) if module is not None and names else []
    found: list[Given] = [(c.lineno, k.value, ()) for c in calls for k in c.keywords if k.arg == name]
    for call in calls:
        found += [(call.lineno, a, ()) for a in call.args[at : at + 1] if not isinstance(a, ast.Starred)]
    return found


def _named(one: ast.Lambda) -> list[str]:
    return [a.arg for a in (*one.args.posonlyargs, *one.args.args)]


def spread_part(call: ast.Call, value: ast.AST, function: Any, name: str) -> Part:
    """Which part an argument is of what is spread over several: (1,) for y of ``step(*batch)``."""
    star = next((i for i, a in enumerate(call.args) if isinstance(a, ast.Starred) and a.value is value), None)
    known = given_names(function)
    return (known.index(name) - star,) if star is not None and name in known else ()


def passed_on(path: str, function: Any, name: str) -> list[Given]:
    """What an argument is given by ``partial``, or in a table that is spread; all of ``*arguments``."""
    module, found = tree(path), list[Given]()
    known = given_names(function)
    rest = function.args.vararg
    for call in called(module, "partial") if module is not None else ():
        of = call.args[0] if call.args else None
        if isinstance(of, ast.Name) and of.id == function.name:
            place = known.index(name) if name in known else len(call.args)
            values = [*call.args[1 + place : 2 + place], *(k.value for k in call.keywords if k.arg == name)]
            found += [(call.lineno, v, ()) for v in values]
    if function.name == "training_step" and known[:1] == [name] and module is not None:  # of a trainer's fit
        loaders = [a for c in called(module, "fit") for a in (*c.args, *(k.value for k in c.keywords))]
        found += [(a.lineno, a, (EACH,)) for a in loaders if called(a, "DataLoader")]
    for call in called(module, function.name) if module is not None else ():
        if rest is not None and rest.arg == name:
            found += [(call.lineno, ast.Tuple(call.args[len(known) :], ast.Load()), ())]
        found += [(call.lineno, k.value, (name,)) for k in call.keywords if k.arg is None]
    return found


def field_of(owner: ast.ClassDef, call: ast.Call, part: Part) -> list[ast.expr]:
    """What a record's field is made with: the first of a dataclass or a NamedTuple by its place."""
    if any(isinstance(n, Function) and n.name == "__init__" for n in owner.body) or not part:
        return []
    fields = [
        n.target.id for n in owner.body if isinstance(n, ast.AnnAssign) and isinstance(n.target, ast.Name)
    ]
    at = fields.index(str(part[0])) if part[0] in fields else part[0] if isinstance(part[0], int) else -1
    plain = not any(isinstance(a, ast.Starred) for a in call.args)
    return call.args[at : at + 1] if fields and plain and 0 <= at < len(call.args) else []


@remembered
def record_fields(path: str, name: str) -> list[str]:
    """The fields of ``name = namedtuple("Batch", "x y")``."""
    module = tree(path)
    for node in (n for n in ast.walk(module) if isinstance(n, ast.Assign)) if module is not None else ():
        made = node.value
        if not isinstance(made, ast.Call) or call_name(made) != "namedtuple" or len(made.args) < 2:
            continue
        if any(target_names(t) == {name} for t in node.targets):
            said = made.args[1]
            if isinstance(said, ast.Constant):
                return str(said.value).replace(",", " ").split()
            listed = said.elts if isinstance(said, (ast.List, ast.Tuple)) else []
            return [str(getattr(e, "value", "")) for e in listed]
    return []


def nth_of(made: ast.ListComp | ast.GeneratorExp | ast.SetComp, at: int) -> ast.expr | None:
    """The expression of one of several things that are made alike of the columns of rows: the second of
    ``x, y = (torch.stack(c) for c in zip(*rows))``. None where it isn't known which column that is of.
    """
    loop = made.generators[0]
    of = loop.iter
    turned = isinstance(of, ast.Call) and call_name(of) == "zip" and isinstance(of.args[0], ast.Starred)
    plain = isinstance(loop.target, ast.Name) and len(made.generators) == 1 and not loop.ifs
    if not plain or not (turned or isinstance(of, (ast.Tuple, ast.List))):
        return None
    known: dict[int, ast.expr] = made.__dict__.setdefault("_nth", {})  # an expression is told by its identity
    if at not in known:
        one = ast.copy_location(ast.Subscript(of, ast.Constant(at), ast.Load()), of)
        known[at] = _Put(ast.unparse(loop.target), one).visit(deepcopy(made.elt))
    return known[at]


class _Put(ast.NodeTransformer):
    """An expression in the place of a name."""

    def __init__(self, name: str, value: ast.expr) -> None:
        self.name, self.value = name, value

    def visit_Name(self, node: ast.Name) -> ast.expr:
        return self.value if node.id == self.name else node
