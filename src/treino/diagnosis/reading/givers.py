"""The statements of a file that give a name, an attribute or an entry its value."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from treino.diagnosis.reading.passed import EACH, Part
from treino.diagnosis.reading.provenance import scoped
from treino.diagnosis.reading.source import call_name, remembered, tree

ADDS = {"append", "extend", "insert", "add", "put"}


@dataclass(frozen=True)
class Gives:
    """A statement that gives a name (or an attribute of it), or an entry of it, a value."""

    line: int
    function: ast.AST | None
    node: ast.AST
    part: Part
    attribute: bool
    entry: bool = False  # x[...] = value
    key: object = None  # of the entry


@remembered
def givers(path: str, name: str) -> tuple[Gives, ...]:
    """All that give this name a value, or an attribute of this name."""
    found: list[Gives] = []
    module = tree(path)
    for function, node in scoped(module) if module is not None else ():
        pairs: list[tuple[ast.AST, ast.AST, Part]] = []
        if isinstance(node, ast.Assign):
            pairs = [(t, node.value, ()) for t in node.targets]
        elif isinstance(node, (ast.AnnAssign, ast.AugAssign, ast.NamedExpr)) and node.value is not None:
            pairs = [(node.target, node.value, ())]
        elif isinstance(node, (ast.For, ast.comprehension)):
            pairs = [(node.target, node.iter, (EACH,))]
        elif isinstance(node, ast.withitem) and node.optional_vars is not None:
            pairs = [(node.optional_vars, node.context_expr, ())]
        elif isinstance(node, ast.Call) and call_name(node) in ADDS and isinstance(node.func, ast.Attribute):
            for _, attribute in _within(node.func.value, name) if node.args else ():
                found.append(Gives(node.lineno, function, node.args[-1], (), attribute, entry=True, key=EACH))
        for target, value, part in pairs:
            line = target.lineno  # type: ignore[attr-defined]
            added = isinstance(node, ast.AugAssign)
            for inner, attribute in _within(target, name):
                found.append(Gives(line, function, value, (*part, *inner), attribute, entry=added))
            changed = target.value if isinstance(target, ast.Subscript) else None
            if isinstance(changed, ast.Attribute) and changed.attr in ("loc", "iloc", "at", "data"):
                changed = changed.value
            for _, attribute in _within(changed, name):
                key = getattr(getattr(target, "slice", None), "value", None)
                found.append(Gives(line, function, value, part, attribute, entry=True, key=key))
    return tuple(found)


def _within(target: ast.AST | None, name: str) -> Iterator[tuple[Part, bool]]:
    """Where in a target a name stands, (1,) in ``x, name``, and whether as an attribute."""
    if isinstance(target, (ast.Tuple, ast.List)):
        starred = next((i for i, t in enumerate(target.elts) if isinstance(t, ast.Starred)), len(target.elts))
        for i, t in enumerate(target.elts):
            at = i if i < starred else i - len(target.elts)
            yield from (((at, *p), a) for p, a in _within(t, name)) if i != starred else ()
    elif isinstance(target, ast.Name) and target.id == name:
        yield (), False
    elif isinstance(target, ast.Attribute) and target.attr == name:
        yield (), True
