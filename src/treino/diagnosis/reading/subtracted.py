"""Where gradients that a line asked for by ``grad(...)`` are subtracted, and at which rate."""

import ast
from collections.abc import Callable, Iterator

from treino.diagnosis.finding import Site
from treino.diagnosis.reading.configured import one_place, places
from treino.diagnosis.reading.provenance import Function, target_names
from treino.diagnosis.reading.source import (
    call_name,
    called,
    function_of,
    loop_around,
    names_in,
    statement_at,
    tree,
)

ASKS = ("grad",)
IN_PLACE = ("sub_", "add_")
Holds = Callable[[ast.AST], bool]
ROUNDS = 3  # from the call of grad to a helper, and to its loop


def subtracted(asked: Site | None) -> Site | None:
    """The rate that gradients of this line are multiplied by, where it is written as a number; else the line
    that subtracts them.
    """
    found = next(moves(asked), None)
    if asked is None or found is None:
        return None
    node, gradients = found
    place = Site(asked.file, node.lineno)
    part: ast.AST = node.right if isinstance(node, ast.BinOp) else node
    part = node.value if isinstance(node, ast.AugAssign) else part
    if isinstance(node, ast.Call):
        part = ast.Tuple([*node.args, *(k.value for k in node.keywords)], ast.Load())
    for rate in (n for n in ast.walk(part) if isinstance(n, (ast.Name, ast.Attribute))):
        if not names_in(rate) & gradients and (line := _number(place, rate)) is not None:
            return line
    return place


def given_to_nobody(asked: Site | None) -> Site | None:
    """The line that works out what weights should have become, and keeps it under a loop's own name alone, or
    not at all: ``for p, g in zip(params, grads): p = p - rate * g``.
    """
    for node, _ in moves(asked):
        assert asked is not None
        place = Site(asked.file, node.lineno)
        statement, loop = statement_at(place), loop_around(place)
        if isinstance(statement, ast.Expr) and statement.value is node and isinstance(node, ast.BinOp):
            return place
        last = isinstance(loop, ast.For) and loop.body[-1] is statement
        if not isinstance(statement, ast.Assign) or not isinstance(loop, ast.For) or not last:
            continue
        named = set().union(*map(target_names, statement.targets))
        plain = all(isinstance(t, ast.Name) for t in statement.targets)
        around: ast.AST | None = function_of(place) or tree(asked.file)
        after = [n for n in ast.walk(around) if getattr(n, "lineno", 0) > statement.lineno] if around else []
        used = any(isinstance(n, ast.Name) and n.id in named and isinstance(n.ctx, ast.Load) for n in after)
        if plain and named <= target_names(loop.target) and not used:
            return place
    return None


def moves(asked: Site | None) -> Iterator[tuple[ast.AugAssign | ast.BinOp | ast.Call, set[str]]]:
    """What takes gradients from something (``p -= rate * g``, ``p - rate * g``, ``p.sub_(g)``), and the names
    that they have in the file.
    """
    module, statement = (tree(asked.file), statement_at(asked)) if asked is not None else (None, None)
    if module is None or statement is None:
        return
    gradients = _names(module, statement)
    for node in ast.walk(module):
        if isinstance(node, ast.AugAssign) and isinstance(node.op, (ast.Sub, ast.Add)):
            taken: ast.AST = node.value
        elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Sub):
            taken = node.right
        elif isinstance(node, ast.Call) and call_name(node) in IN_PLACE:
            taken = ast.Tuple(node.args, ast.Load())
        else:
            continue
        if names_in(taken) & gradients and not called(taken, *ASKS):
            yield node, gradients


def _names(module: ast.Module, statement: ast.stmt) -> set[str]:
    """Names that gradients have: what the call is assigned to, what loops take of that, and what helpers call
    what they are given.
    """
    names: set[str] = set()

    def holds(value: ast.AST) -> bool:
        return bool(names_in(value) & names) or any(c in asked for c in ast.walk(value))

    asked: set[ast.AST] = set(called(statement, *ASKS))
    for _ in range(ROUNDS):
        for node in ast.walk(module):
            if isinstance(node, ast.Assign) and any(c in asked for c in ast.walk(node.value)):
                names |= set().union(*map(target_names, node.targets))
            elif isinstance(node, (ast.For, ast.comprehension)):
                names |= _taken(node.target, node.iter, holds)
            elif isinstance(node, ast.Call) and node not in asked:
                names |= _given(module, node, holds)
    return names


def _taken(target: ast.AST, source: ast.AST, holds: Holds) -> set[str]:
    """``g`` in ``for p, g in zip(params, grads)``."""
    if isinstance(source, ast.Call) and call_name(source) == "enumerate" and isinstance(target, ast.Tuple):
        return _taken(target.elts[-1], source.args[0], holds)
    if not isinstance(source, ast.Call) or call_name(source) != "zip" or not isinstance(target, ast.Tuple):
        return set()
    pairs = zip(target.elts, source.args, strict=False)
    return set().union(*(target_names(t) for t, a in pairs if holds(a)))


def _given(module: ast.Module, call: ast.Call, holds: Holds) -> set[str]:
    """What a helper of this file calls the gradients that it is given."""
    found: set[str] = set()
    for helper in (n for n in ast.walk(module) if isinstance(n, Function) and n.name == call_name(call)):
        own = [a.arg for a in helper.args.args if a.arg != "self"]
        found |= {n for n, a in zip(own, call.args, strict=False) if holds(a)}
    return found


def _number(place: Site, rate: ast.Name | ast.Attribute) -> Site | None:
    """The line where a rate is given as a number: as a name, a field, or to the function around."""
    return one_place(places(place, rate, lambda value: isinstance(value, (int, float))))
