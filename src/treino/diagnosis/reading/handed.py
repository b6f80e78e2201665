"""Where a number, or an activation, is given to the function that hands it on to a library."""

import ast
from collections.abc import Callable

from treino.diagnosis.finding import Site
from treino.diagnosis.reading.ancestry import arguments, defaults, kept_as, parameters
from treino.diagnosis.reading.provenance import Function
from treino.diagnosis.reading.source import function_of, names_in, statement_at

MOST = 4  # functions, one within the other
Fits = Callable[[ast.AST], bool]


def handed_line(site: Site | None, keyword: str, position: int | None = None) -> Site | None:
    """Where the number stands that a call on this line is given by keyword or position, if that is an
    argument of the function around: its only call, or its default. The line itself where that isn't known.
    """
    statement = statement_at(site) if site is not None else None
    if site is None or statement is None:
        return site
    for call in (n for n in ast.walk(statement) if isinstance(n, ast.Call)):
        given = [k.value for k in call.keywords if k.arg in (keyword, None)]
        if position is not None:
            given += call.args[position : position + 1]
        for value in given:
            found = _given(site, value, keyword, _is_number)
            if found is not None:
                return found
    return site


def handed_word(site: Site | None, *meant: str) -> Site | None:
    """Where one of these words (a class, a function, a string) is given to the function around a line."""
    statement = statement_at(site) if site is not None else None
    if site is None or statement is None:
        return site

    def fits(value: ast.AST) -> bool:
        said = value.value if isinstance(value, ast.Constant) else None
        return bool({str(said)} & {*meant}) or bool(names_in(value) & {*meant})

    for node in ast.walk(statement):
        found = _given(site, node, "", fits) if isinstance(node, (ast.Name, ast.Attribute)) else None
        if found is not None:
            return found
    return site


def _given(site: Site, value: ast.AST, keyword: str, fits: Fits) -> Site | None:
    """The one place that gives an argument a value that fits; None where there are none or several."""
    place = site
    for _ in range(MOST):
        around = function_of(place)
        if isinstance(value, ast.Attribute) and around is not None:
            kept = kept_as(value.attr, place, around)
            if len(kept) != 1:
                return None
            place, value = kept[0].site, kept[0].value
            around = function_of(place)
        if not isinstance(value, ast.Name) or not isinstance(around, Function):
            return None
        given = _values(place.file, around, value.id, keyword)
        if len(given) != 1:
            return None
        line, value = given[0]
        if fits(value):
            return Site(place.file, getattr(value, "lineno", line))
        place = Site(place.file, line)
    return None


def _values(
    path: str, function: ast.FunctionDef | ast.AsyncFunctionDef, name: str, keyword: str
) -> list[tuple[int, ast.AST]]:
    """(line, value) of what an argument is given: by calls, or else by its default."""
    stored = {n.id for n in ast.walk(function) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
    if name in stored:
        return []
    spec = function.args
    if spec.kwarg is not None and spec.kwarg.arg == name:
        return [(call.lineno, value) for call, value in arguments(path, function, keyword)]
    if name not in parameters(function):
        return []
    given: list[tuple[int, ast.AST]] = [
        (call.lineno, value) for call, value in arguments(path, function, name)
    ]
    if given:
        return given
    return [(d.lineno, d) for d in defaults(function).get(name, ())]


def _is_number(value: ast.AST) -> bool:
    if isinstance(value, ast.UnaryOp):
        value = value.operand
    return isinstance(value, ast.Constant) and isinstance(value.value, (int, float))
