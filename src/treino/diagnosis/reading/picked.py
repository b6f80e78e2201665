"""Functions that hand out scores twice, as they are and squashed: who takes the wrong one is to be mended."""

import ast

from treino.diagnosis.finding import Site
from treino.diagnosis.reading.provenance import Function, target_names
from treino.diagnosis.reading.source import function_of, statement_at


def gives_both(site: Site | None, *words: str) -> bool:
    """Whether the function around a line returns what the line squashes beside what comes out of it."""
    statement, around = (statement_at(site), function_of(site)) if site is not None else (None, None)
    if statement is None or not isinstance(around, Function):
        return False
    returned: set[str] = set()
    for node in ast.walk(around):
        if isinstance(node, ast.Return):
            returned |= {ast.unparse(p) for p in _parts(node.value)}
    named = set().union(*map(target_names, statement.targets)) if isinstance(statement, ast.Assign) else set()
    for call in (n for n in ast.walk(statement) if isinstance(n, ast.Call)):
        if any(w in ast.unparse(call.func).lower() for w in words):
            raw = call.args[:1] or [call.func]
            of = call.func.value if isinstance(call.func, ast.Attribute) else None
            plain = {ast.unparse(e) for e in (*raw, of) if e is not None}
            if plain & returned and ({ast.unparse(call)} | named) & returned:
                return True
    return False


def _parts(value: ast.expr | None) -> list[ast.expr]:
    """The entries of a tuple, a table or a record."""
    if isinstance(value, (ast.Tuple, ast.List)):
        return list(value.elts)
    if isinstance(value, ast.Dict):
        return list(value.values)
    return [*value.args, *(k.value for k in value.keywords)] if isinstance(value, ast.Call) else []
