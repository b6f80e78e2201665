"""Whether a number that leaves the graph on a line is a part of the loss that is run backward."""

import ast
import re
from collections.abc import Iterator

from treino.diagnosis.finding import Site
from treino.diagnosis.reading.provenance import target_names
from treino.diagnosis.reading.source import (
    BACKWARD,
    call_name,
    called,
    function_of,
    remembered,
    run_backward,
    statement_at,
)

ADDS = {"sum", "add", "mean", "stack", "backward", "scale", "item", "float", "detach", "tensor"}
TAKES = ("item", "float", "detach")
MAKES_LOSS = re.compile(r"loss|criterion|objective|training_step|shared_step", re.IGNORECASE)


@remembered
def part_of_loss(site: Site) -> bool:
    """``aux = F.mse_loss(b, t).item()``, where ``loss = main + 0.3 * aux`` is run backward or given back by
    a function that makes the loss; not what is only counted or printed.
    """
    around, statement = function_of(site), statement_at(site)
    if around is None or statement is None or not called(statement, *TAKES):
        return False
    terms = [term for root in _roots(around) for term in _terms(root)]
    names = {term.id for term in terms if isinstance(term, ast.Name)}
    given = [n for n in ast.walk(around) if isinstance(n, (ast.Assign, ast.AugAssign, ast.AnnAssign))]
    for _ in range(4):
        for n in given:
            if n.value is not None and names & _gives(n):
                names |= {t.id for t in _terms(n.value) if isinstance(t, ast.Name)}
    if isinstance(statement, (ast.Assign, ast.AugAssign, ast.AnnAssign)):
        value = statement.value
        taken = value is not None and any(isinstance(t, ast.Call) for t in _terms(value))
        return taken and bool(names & _gives(statement))
    inside = {id(n) for n in ast.walk(statement)}
    return any(isinstance(t, ast.Call) and call_name(t) in TAKES and id(t) in inside for t in terms)


def _gives(n: ast.Assign | ast.AugAssign | ast.AnnAssign) -> set[str]:
    targets = n.targets if isinstance(n, ast.Assign) else [n.target]
    return set().union(*(target_names(t) for t in targets))


def _roots(around: ast.AST) -> Iterator[ast.AST]:
    """What a function runs backward; of one that runs nothing backward and makes the loss, what it gives."""
    backward = called(around, *BACKWARD)
    for call in backward:
        root = run_backward(call)
        if root is not None:
            yield root
    if backward or not MAKES_LOSS.search(getattr(around, "name", "")):
        return
    for node in ast.walk(around):
        value = node.value if isinstance(node, ast.Return) else None
        if isinstance(value, ast.Tuple) and value.elts:
            value = value.elts[0]
        if isinstance(value, ast.Dict):
            keyed = zip(value.keys, value.values, strict=True)
            value = next((v for k, v in keyed if isinstance(k, ast.Constant) and k.value == "loss"), None)
        if isinstance(value, (ast.Name, ast.BinOp)):
            yield value


def _terms(value: ast.AST) -> Iterator[ast.AST]:
    """The names that a sum is made of, and the calls that take a number out of the graph."""
    if isinstance(value, ast.Name):
        yield value
    elif isinstance(value, ast.Call):
        name = call_name(value)
        if name in TAKES:
            yield value
        elif name in ADDS:
            of = (value.func.value,) if isinstance(value.func, ast.Attribute) else ()
            yield from _each(*of, *value.args)
    elif isinstance(value, (ast.BinOp, ast.UnaryOp, ast.List, ast.Tuple, ast.IfExp)):
        yield from _each(*ast.iter_child_nodes(value))


def _each(*parts: ast.AST) -> Iterator[ast.AST]:
    for part in parts:
        yield from _terms(part)
