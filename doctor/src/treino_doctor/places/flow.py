"""Follow a value back through all definitions, arguments and results that made it."""

import ast
from collections import deque
from collections.abc import Iterator

from treino_doctor.finding import Site
from treino_doctor.places.back import Part, Step, back

MOST = 300  # maximum number of steps of one walk
SEQUENCES = ast.Tuple, ast.List, ast.ListComp, ast.GeneratorExp
STRUCTURAL = (*SEQUENCES, ast.IfExp, ast.BoolOp, ast.NamedExpr, ast.Starred)


def origins(site: Site, node: ast.AST, led: tuple[Site, ...] = (), part: Part = ()) -> Iterator[Step]:
    """Yield an expression on a line and everything that made its value, nearest first.

    led: the user's lines that were running, innermost first; they select one of a function's calls. part: the
    part of the value; (EACH,) for the elements of a table.
    """
    start = Step(site, node, part=part)
    todo, seen = deque([start]), {start.key}
    count = 0
    while todo and count < MOST:
        step = todo.popleft()
        count += 1
        yield step
        for following in _made_of(step, led):
            if following.key not in seen and len(todo) < MOST:
                seen.add(following.key)
                todo.append(following)


def _made_of(step: Step, led: tuple[Site, ...]) -> Iterator[Step]:
    """Go one step back, to everything that made a value."""
    direct = back(step, led)
    yield from direct
    of_part = step.part and not isinstance(step.node, ast.Subscript)
    if direct and (of_part or isinstance(step.node, STRUCTURAL)):
        return
    for node in atoms(step.node):
        if node is not step.node:
            yield from back(Step(step.site, node, "here", (), step.stack), led)


def atoms(value: ast.AST, most: int = 400) -> Iterator[ast.AST]:
    """The names, attributes, entries and calls in an expression that have values; no functions."""
    todo: deque[ast.AST] = deque([value])
    count = 0
    while todo and count < most:
        node = todo.popleft()
        count += 1
        if isinstance(node, ast.Call):
            yield node
            todo += [*node.args, *(k.value for k in node.keywords)]
            if isinstance(node.func, (ast.Attribute, ast.Call, ast.Subscript)):
                todo.append(node.func.value if isinstance(node.func, ast.Attribute) else node.func)
            continue
        if isinstance(node, (ast.Name, ast.Attribute, ast.Subscript)):
            yield node
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            continue
        todo += ast.iter_child_nodes(node)
