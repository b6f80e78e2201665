"""Which part of the rows an evaluation looks at, as the numbers say by which it is taken from a table:
``evaluate(net, x, y, test_idx)``, ``net(table.rows(test_idx))``.
"""

import ast
import re

from treino.diagnosis.finding import Site
from treino.diagnosis.reading.ancestry import given_names, parameters
from treino.diagnosis.reading.provenance import Function, data_names, definition, functions
from treino.diagnosis.reading.source import call_at, call_name, function_of, statement_at
from treino.diagnosis.watch.eval_seen import EvalSeen

Body = ast.FunctionDef | ast.AsyncFunctionDef
TAKES = ("Subset", "SubsetRandomSampler", "index_select", "take")
DEEP = 3  # names, one made of the other
_NUMBERS = re.compile("indices|index|idxs|idx|ids")


def rows_by_number(e: EvalSeen) -> set[str]:
    """``test_rows`` for ``test_idx``, where these numbers take the rows that a net is given: by the calls on
    the way there, or where its loader is made.
    """
    calls = [call_at(site, spot) for site, spot in zip(e.names, e.spots, strict=False)]
    found: set[str] = set()
    for i, call in enumerate(calls):
        around = function_of(e.names[i - 1]) if i else None
        inner = calls[i - 1] if i else None
        if call is not None and inner is not None and isinstance(around, Function):
            found |= _given(call, around, _taken_by(_values(inner), around, e.names[i - 1]))
        for value in _values(call) if call is not None else ():
            found |= _within(value, e.names[i].file)
    statement = statement_at(e.loader) if e.loader is not None else None
    if e.loader is not None and statement is not None:
        found |= _within(statement, e.loader.file)
    return {_NUMBERS.sub("rows", name) for name in found if _NUMBERS.search(name)}


def words_of_rows(names: set[str]) -> set[str]:
    """Names of rows and of their numbers, all of them as names of rows."""
    return {_NUMBERS.sub("rows", name) for name in names}


def _values(call: ast.Call) -> list[ast.expr]:
    return [*call.args, *(k.value for k in call.keywords)]


def _within(value: ast.AST, path: str) -> set[str]:
    """The numbers by which the calls in an expression take rows."""
    found: set[str] = set()
    for call in (n for n in ast.walk(value) if isinstance(n, ast.Call)):
        if call_name(call) in TAKES:
            found |= set().union(*map(data_names, _values(call)))
        for body in functions(path, call_name(call)):
            found |= _given(call, body, _slices(body) & {*parameters(body)})
    return found


def _given(call: ast.Call, body: Body, taking: set[str]) -> set[str]:
    """What a call gives for these arguments of a function."""
    known = given_names(body)
    pairs = [*zip(known, call.args, strict=False), *((k.arg, k.value) for k in call.keywords)]
    return set().union(*(data_names(value) for name, value in pairs if name in taking))


def _taken_by(values: list[ast.expr], body: Body, place: Site) -> set[str]:
    """The arguments of a function by which it takes what these expressions are of."""
    slices = set().union(*map(_slices, values))
    names = set().union(*map(data_names, values)) - slices
    for _ in range(DEEP):
        made = [g for n in names if (g := definition(place, n)) is not None and g.function is body]
        slices |= set().union(*(_slices(g.value) for g in made if g.line < place.line))
        names = set().union(*(data_names(g.value) for g in made)) - slices
    for _ in range(DEEP):
        made = [g for n in slices if (g := definition(place, n)) is not None and g.function is body]
        slices |= set().union(*(data_names(g.value) for g in made))
    return slices & {*parameters(body)}


def _slices(value: ast.AST) -> set[str]:
    """The names by which rows are taken, of what no call has just given: ``x[idx]``."""
    subscripts = [n for n in ast.walk(value) if isinstance(n, ast.Subscript)]
    plain = [s for s in subscripts if not any(isinstance(n, ast.Call) for n in ast.walk(s.value))]
    return set().union(*(data_names(s.slice) for s in plain))
