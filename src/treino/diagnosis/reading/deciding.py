"""Where a script decides by a figure which net, setting or epoch it keeps, and by which element of which
expression.
"""

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from treino.diagnosis.reading.choices import KEEPS, ORDERINGS, PICKS, tells_stopper
from treino.diagnosis.reading.figures import ANY, Figures, Keys, key_of
from treino.diagnosis.reading.names import words
from treino.diagnosis.reading.provenance import assigned_names, data_names, target_names
from treino.diagnosis.reading.source import call_name, called

BEST = {"best", "top", "winner", "winning", "chosen", "champion", "selected", "picked", "optimal"}
KEPT = {"kept", "keep", "choice", "pick", "final", "setting", "settings", "config", "leader"}
THRESHOLDS = {"threshold", "thresholds", "thresh", "thr", "th", "t", "tau", "cutoff", "cut", "limiar"}
ORDERS = ("sorted", "sort", "sort_values", "argsort", "nlargest", "nsmallest", "topk")


@dataclass(frozen=True)
class Decision:
    """by: (expression, element) of the figures that decide; compares: they are held against another, and the
    line that computes them is the place to mend.
    """

    node: ast.AST
    line: int
    by: tuple[tuple[ast.AST, Keys], ...]
    compares: bool = False


def decisions(figures: Figures) -> Iterator[Decision]:
    """Every such place of a file, those that hand a figure to a stopper first."""
    nodes = list(ast.walk(figures.module))
    calls = [n for n in nodes if isinstance(n, ast.Call)]
    for call in calls:
        if call.args and tells_stopper(call) and call_name(call) not in figures.functions:
            yield Decision(call, call.lineno, tuple((a, ()) for a in call.args))
    for node in nodes:
        if isinstance(node, ast.If):
            yield from _compared(node, figures)
        elif isinstance(node, ast.Assign) and isinstance(node.value, ast.IfExp):
            given = {n for t in node.targets for n in target_names(t)}
            for c in _comparisons(node.value.test, figures):
                if given & data_names(c) or says(given, BEST):
                    yield Decision(node, node.lineno, _sides(c), compares=True)
    for call in calls:
        if call_name(call) in PICKS and not _of_rows(call) and _becomes_best(call, figures):
            yield Decision(call, call.lineno, _picked(call))
        if call_name(call) in ORDERS and not any(k.arg in ("dim", "axis") for k in call.keywords):
            place = _first_taken(call, figures)
            if place is not None:
                yield Decision(call, place, _picked(call))


def _of_rows(call: ast.Call) -> bool:
    """Whether a best entry is taken of each row, as that of the classes: ``model(x).argmax(1)``."""
    along = [k.value for k in call.keywords if k.arg in ("dim", "axis")]
    along += call.args[-1:] if isinstance(call.func, ast.Attribute) else []
    return any(ast.unparse(a) in ("1", "-1") for a in along)


def sets_threshold(decision: Decision, figures: Figures) -> bool:
    """Whether it decides at which threshold of the same answers the figure is best."""
    around = [decision.node, *figures.above(decision.node)]
    statement = next((n for n in around if isinstance(n, ast.stmt)), None)
    return statement is not None and says(assigned_names(statement), THRESHOLDS)


def says(names: set[str], meant: set[str]) -> bool:
    """Whether a name has one of these words."""
    return any(w in meant for n in names for w in words(n))


def _compared(node: ast.If, figures: Figures) -> Iterator[Decision]:
    """``if score > best: best = score``, or ``break``, or weights are copied."""
    body = ast.Module([*node.body, *node.orelse], [])
    stored = [s for s in ast.walk(body) if isinstance(s, (ast.Assign, ast.AnnAssign))]
    targets = [t for s in stored for t in (s.targets if isinstance(s, ast.Assign) else [s.target])]
    given = {n for t in targets for n in target_names(t)}
    leaves = called(body, *KEEPS) or any(isinstance(n, ast.Break) for n in ast.walk(body))
    for c in _comparisons(node.test, figures):
        if leaves or given & data_names(c) or says(given, BEST):
            yield Decision(node, node.lineno, _sides(c), compares=True)


def _comparisons(test: ast.AST, figures: Figures) -> list[ast.Compare]:
    """``a > b`` in a condition, or behind a name in it: ``improved = a > b``."""
    found = [n for n in ast.walk(test) if isinstance(n, ast.Compare)]
    for name in [n for n in ast.walk(test) if isinstance(n, ast.Name)]:
        bound = figures.bound.get((id(figures.function(name)), name.id), [])
        found += [v for keys, v, at in bound if isinstance(v, ast.Compare) and not keys and not at]
    return [c for c in found if any(isinstance(op, ORDERINGS) for op in c.ops)]


def _sides(compare: ast.Compare) -> tuple[tuple[ast.AST, Keys], ...]:
    return tuple((side, ()) for side in (compare.left, *compare.comparators))


def _picked(call: ast.Call) -> tuple[tuple[ast.AST, Keys], ...]:
    """By what ``max(table, key=lambda k: table[k][1])`` decides: the key, or else the elements."""
    of = call.func.value if isinstance(call.func, ast.Attribute) else None
    plain = of is None or (isinstance(of, ast.Name) and of.id in ("torch", "np", "numpy", "heapq"))
    tables = [a for a in call.args if not isinstance(a, (ast.Lambda, ast.Constant))]
    table = tables[0] if plain and tables else of
    keys = [k.value for k in call.keywords if k.arg in ("key", "by")]
    if call_name(call) == "sort_values":
        keys += call.args[:1]
    if table is None:
        return ()
    for key in keys:
        if isinstance(key, ast.Lambda):
            return ((key.body, ()),)
        if isinstance(key, ast.Call) and call_name(key) in ("itemgetter", "attrgetter") and key.args:
            return ((table, (ANY, key_of(key.args[0]))),)
        if isinstance(key, ast.Attribute) and key.attr in ("get", "__getitem__"):
            return ((key.value, (ANY,)),)
        if isinstance(key, ast.Constant):
            return ((table, (key_of(key),)),)
        return ((ast.Call(key, [], [], lineno=call.lineno, col_offset=0), ()),)
    if call_name(call) in ("max", "min") and plain and len(tables) > 1:
        return tuple((a, ()) for a in tables)
    return ((table, (ANY,)),)


def _becomes_best(call: ast.Call, figures: Figures) -> bool:
    """Whether what is picked is kept as the best: by its name, or because a key says what is best in it."""
    for around in figures.above(call):
        if isinstance(around, (ast.Assign, ast.Return)):
            targets = around.targets if isinstance(around, ast.Assign) else []
            names = {n for t in targets for n in target_names(t)}
            keyed = any(k.arg == "key" for k in call.keywords)
            return says(names, BEST) or (keyed and says(names, KEPT))
        if isinstance(around, ast.stmt):
            said = [n.value for n in ast.walk(around) if isinstance(n, ast.Constant)]
            return isinstance(around, ast.Expr) and any("best" in str(v).lower() for v in said)
    return False


def _first_taken(call: ast.Call, figures: Figures) -> int | None:
    """Where the first of what is sorted becomes the best."""
    of = call.func.value if isinstance(call.func, ast.Attribute) else None
    ordered = data_names(of) if of is not None and call_name(call) == "sort" else set()
    for around in figures.above(call):
        if isinstance(around, ast.Assign):
            ordered = {n for t in around.targets for n in target_names(t)}
            if says(ordered, BEST):
                return call.lineno
        if isinstance(around, ast.stmt):
            break
    scope = figures.function(call)
    for node in ast.walk(scope):
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Subscript):
            names = {n for t in node.targets for n in target_names(t)}
            if data_names(node.value.value) & ordered and says(names, BEST):
                return node.lineno
    return None
