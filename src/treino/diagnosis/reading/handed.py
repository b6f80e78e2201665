"""Where a number, or an activation, is given to the function that hands it on to a library."""

import ast
from collections.abc import Callable, Iterator
from functools import partial
from math import isclose

from treino.diagnosis.finding import Site
from treino.diagnosis.reading.ancestry import arguments, defaults, kept_as, parameters
from treino.diagnosis.reading.configured import keyed, one_place, places, setting_name
from treino.diagnosis.reading.names import words
from treino.diagnosis.reading.provenance import Function, definition
from treino.diagnosis.reading.source import called, enclosing, function_of, names_in, statement_at, tree

MOST = 4  # functions, one within the other
CLIPS = {"norm", "clip", "clipping", "grad", "max", "limit", "value"}
NAMES = {  # the words of each setting's own names
    "lr": {"lr", "rate", "eta", "alpha", "step", "learning"},
    "max_lr": {"lr", "rate", "eta", "alpha", "step", "learning", "max", "peak", "top"},
    "weight_decay": {"decay", "wd", "l2", "reg", "regularization", "penalty", "lambda", "lam", "ridge"},
    "max_norm": CLIPS,
    "clip_value": CLIPS,
    "max": CLIPS,
}
WEAK = {"rate", "step", "learning", "eta", "alpha", "max", "limit", "value", "grad", "decay", "peak", "top"}
OTHERS = {"dropout", "drop", "momentum", "smoothing", "epochs", "batch", "seed", "width", "temperature"}
OTHERS |= {"lr", "decay", "clip", "delta", "tol", "tolerance", "patience", "warmup", "hidden", "depth", "ema"}
OTHERS |= {"epoch", "workers", "margin", "jitter", "noise", "accum", "accumulation", "fraction", "betas"}
# One of a schedule's settings, and not what it begins with.
BESIDE = {"lr": {"min", "minimum", "floor", "decay", "gamma", "factor", "patience"}}
BESIDE["max_lr"] = BESIDE["lr"]
Fits = Callable[[ast.AST], bool]


def handed_line(
    site: Site | None, keyword: str, position: int | None = None, said: float | None = None
) -> Site | None:
    """Where the number stands that a call on this line is given by keyword or position, if that is an
    argument of a function around: what its only call gives it, or its default. The line itself where that
    isn't known.

    said: the number, which tells several calls apart.
    """
    statement = statement_at(site) if site is not None else None
    if site is None or statement is None:
        return site
    for node in ast.walk(statement):
        given: list[ast.expr] = []
        if isinstance(node, ast.Call):
            given = [k.value for k in node.keywords if k.arg in (keyword, None)]
            if position is not None:
                given += node.args[position : position + 1]
        elif isinstance(node, ast.Dict):
            pairs = zip(node.keys, node.values, strict=True)
            given = [v for k, v in pairs if getattr(k, "value", None) == keyword and not _is_number(v)]
        if any(k.arg is None for k in getattr(node, "keywords", ())):  # a table that is handed on as it is
            found = one_place(
                keyed(site.file, keyword, _means(said), partial(speaks_of_another, keyword=keyword))
            )
            if found is not None:
                return found
        for value in given:
            found = _given_number(site, value, keyword, said)
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
        return not isinstance(value, ast.Dict) and bool({str(said)} & {*meant} or names_in(value) & {*meant})

    for node in ast.walk(statement):
        keys = _keys(site, node, fits) if isinstance(node, ast.Subscript) else set()
        if keys and isinstance(node, ast.Subscript):
            return _key_line(site, node.slice, keys)
        found = _given(site, node, "", fits) if isinstance(node, (ast.Name, ast.Attribute)) else None
        if found is not None:
            return found
    return site


def _keys(site: Site, node: ast.Subscript, fits: Fits) -> set[object]:
    """The keys of the table that is asked here, ``KINDS[name]``, whose values fit."""
    made = definition(site, node.value.id) if isinstance(node.value, ast.Name) else None
    table = made.value if made is not None else None
    if not isinstance(table, ast.Dict) or len(table.keys) < 2:
        return set()
    pairs = zip(table.keys, table.values, strict=True)
    return {k.value for k, v in pairs if isinstance(k, ast.Constant) and fits(v)}


def _key_line(site: Site, asked: ast.expr, keys: set[object]) -> Site:
    """Where one of these keys is given to the function around; or else the only line that says it beside the
    table; or else the line that asks.
    """
    found = _given(site, asked, "", lambda v: isinstance(v, ast.Constant) and v.value in keys)
    if found is not None:
        return found
    nodes = list(ast.walk(tree(site.file) or ast.Module([], [])))
    tabled = {id(k) for n in nodes if isinstance(n, ast.Dict) for k in n.keys}
    said = [n for n in nodes if isinstance(n, ast.Constant) and n.value in keys and id(n) not in tabled]
    lines = {n.lineno for n in said}
    return Site(site.file, lines.pop()) if len(lines) == 1 else site


def _given_number(site: Site, value: ast.AST, keyword: str, said: float | None) -> Site | None:
    """Where an argument's number is written; or else the outermost call that hands it on, as the one that
    takes another setting for it.
    """
    if names_another(value, keyword):
        return None
    last: Site | None = None
    for place, v in hops(site, value, keyword, said):
        last = place
        if _is_number(v):
            return Site(place.file, getattr(v, "lineno", place.line))
        if names_another(v, keyword):
            return place
        value = v
    written = one_place(
        places(last or site, value, _means(said), another=partial(speaks_of_another, keyword=keyword))
    )
    return written or last


def _given(site: Site, value: ast.AST, keyword: str, fits: Fits) -> Site | None:
    """The one place that gives an argument a value that fits; None where there are none or several."""
    for place, v in hops(site, value, keyword, None):
        if fits(v):
            return Site(place.file, getattr(v, "lineno", place.line))
    return None


def hops(
    site: Site, value: ast.AST, keyword: str, said: float | None = None
) -> Iterator[tuple[Site, ast.AST]]:
    """What an argument is given, by the only call or default that gives it a value (or this number), and what
    that is in its turn an argument of.
    """
    place = site
    for _ in range(MOST):
        if isinstance(value, ast.UnaryOp):
            value = value.operand
        around = function_of(place)
        if isinstance(value, ast.Attribute) and around is not None:
            kept = kept_as(value.attr, place, around)
            if len(kept) != 1:
                return
            place, value = kept[0].site, kept[0].value
        if not isinstance(value, ast.Name):
            return
        given = _values(place, value.id, keyword)
        more = [] if said is None else _defaults(place, value.id)
        every = list({id(v): (line, v) for line, v in (*given, *more)}.values())
        if len(every) > 1 and said is not None:
            fits = [(line, v) for line, v in every if places(Site(place.file, line), v, _means(said))]
            given = fits if fits or len(given) > 1 else given
        if len(given) != 1:
            return
        line, value = given[0]
        place = Site(place.file, line)
        yield place, value


def _values(place: Site, name: str, keyword: str) -> list[tuple[int, ast.AST]]:
    """(line, value) of what an argument of a function around is given: by calls, or else by its default."""
    for function in (n for n in reversed(enclosing(place)) if isinstance(n, Function)):
        stored = {
            n.id for n in ast.walk(function) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)
        }
        if name in stored:
            return []
        spec = function.args
        if spec.kwarg is not None and spec.kwarg.arg == name:
            return [(call.lineno, value) for call, value in arguments(place.file, function, keyword)]
        if name in parameters(function):
            calls = [*arguments(place.file, function, name), *_partly(place.file, function.name, name)]
            given: list[tuple[int, ast.AST]] = [(call.lineno, value) for call, value in calls]
            return given or [(d.lineno, d) for d in defaults(function).get(name, ())]
    return []


def _defaults(place: Site, name: str) -> list[tuple[int, ast.AST]]:
    """The default of an argument of a function around."""
    for function in (n for n in reversed(enclosing(place)) if isinstance(n, Function)):
        if name in parameters(function):
            return [(d.lineno, d) for d in defaults(function).get(name, ())]
    return []


def _partly(path: str, function: str, name: str) -> Iterator[tuple[ast.Call, ast.AST]]:
    """``partial(function, name=value)``"""
    module = tree(path)
    for call in called(module, "partial") if module is not None else ():
        if call.args and function in names_in(call.args[0]):
            yield from ((call, k.value) for k in call.keywords if k.arg == name)


def names_another(value: ast.AST, keyword: str) -> bool:
    """Whether what is given as a setting bears the name of another one: ``weight_decay=cfg.dropout``."""
    return speaks_of_another(setting_name(value), keyword)


def speaks_of_another(name: str, keyword: str) -> bool:
    """Whether the name of a setting speaks of something else than this one: ``dropout_rate`` of no learning
    rate, ``lr_decay`` of no decay of weights.
    """
    said, own = set(words(name)), NAMES.get(keyword)
    if own is None:
        return False
    if said & BESIDE.get(keyword, set()) and said & own:
        return True
    return bool(said & (OTHERS - own)) and not said & (own - WEAK)


def _means(said: float | None) -> Callable[[object], bool]:
    """Whether a constant is this number, as near as it can be measured, or any where that isn't known."""

    def fits(n: object) -> bool:
        number = isinstance(n, (int, float)) and not isinstance(n, bool)
        return number and (said is None or isclose(n, said, rel_tol=1e-4))  # type: ignore[arg-type]

    return fits


def _is_number(value: ast.AST) -> bool:
    if isinstance(value, ast.UnaryOp):
        value = value.operand
    return isinstance(value, ast.Constant) and isinstance(value.value, (int, float))
