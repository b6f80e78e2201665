"""Where the rows that a net is given were scaled, as the source says it: where a wrong scale comes from."""

import ast
import re
from itertools import islice

from treino.diagnosis.finding import Site
from treino.diagnosis.reading.ancestry import (
    Step,
    arguments,
    kept_as,
    made_by,
    parameters,
    returned_part,
    trail,
)
from treino.diagnosis.reading.configured import decided, one_place
from treino.diagnosis.reading.dropped import SCALES, scaling_functions
from treino.diagnosis.reading.provenance import (
    HOLDERS,
    Function,
    data_names,
    definition,
    given_rows,
    target_names,
)
from treino.diagnosis.reading.source import call_name, called, enclosing, function_of, statement_at, tree

SPREADS = ("std", "var", "max", "amax", "ptp", "quantile", "std_mean", "var_mean", "nanstd")
MODULES = {"torch", "np", "numpy", "pd", "F", "nn"}
ZEROS, ONES = ("zeros", "zeros_like"), ("ones", "ones_like")
CALLS = ("forward", "__call__")  # what an object is called by
_TARGET = re.compile(r"(y|targets?|labels?)(_|$)|.*_(y|targets?|labels?)$")


def scaling_line(site: Site, loader: Site | None) -> Site | None:
    """The line that divides the rows by their spread, or the one that makes another number of that spread;
    None where the source scales them nowhere on their way.
    """
    start = loader or site
    statement = statement_at(start)
    names = given_rows(statement, start, of_loader=loader is not None) if statement is not None else []
    name, place = (names[0] if names else ""), start
    for _ in range(10):
        step = _made(name, place) if name else None
        if step is None:
            return None
        step = returned_part(step, name) or step
        for each in (step, *_given_back(step)):
            line = _divisor_line(each)
            if line is not None:
                return line
        name, place = _row_name(step.value), step.site
    return None


def _made(name: str, place: Site) -> Step | None:
    """The line that gives a name its value; of an argument, the only line that calls the function."""
    around, made = function_of(place), definition(place, name)
    own = made is not None and made.function is around and made.line < place.line
    if isinstance(around, Function) and not own and name in parameters(around):
        given = list(arguments(place.file, around, name))
        return Step(Site(place.file, given[0][0].lineno), given[0][1]) if given else None
    if made is None or made.line >= place.line:
        return next(iter(kept_as(name, place, around)), None)
    return Step(Site(place.file, made.line), made.value)


def _row_name(value: ast.AST) -> str:
    """The name of the rows in an expression: x of ``TensorDataset(x, y)`` and ``torch.tensor(x[:9])``."""
    while not isinstance(value, ast.Name):
        if isinstance(value, ast.Call):
            of = value.func.value if isinstance(value.func, ast.Attribute) else None
            library = isinstance(of, ast.Name) and of.id in MODULES
            first = value.args and (of is None or library or call_name(value) in HOLDERS)
            value = value.args[0] if first else of or value.func
        elif isinstance(value, ast.BinOp):
            value = value.left
        elif isinstance(value, ast.Attribute) and data_names(value) == {value.attr}:
            return value.attr  # self.x
        elif isinstance(value, (ast.Attribute, ast.Subscript)):
            value = value.value
        else:
            return ""
    return value.id


def _given_back(step: Step) -> list[Step]:
    """What the functions of the file that an expression calls give, and the objects of its classes."""
    found = made_by(step.site.file, step.value)
    module = tree(step.site.file)
    classes = [n for n in ast.walk(module) if isinstance(n, ast.ClassDef)] if module is not None else []
    for call in (n for n in ast.walk(step.value) if isinstance(n, ast.Call) and isinstance(n.func, ast.Name)):
        made = definition(step.site, call_name(call))
        kind = call_name(made.value) if made is not None and isinstance(made.value, ast.Call) else ""
        inside = (f for c in classes if c.name == kind for f in c.body)
        for body in (f for f in inside if isinstance(f, Function) and f.name in CALLS):
            returns = (n for n in ast.walk(body) if isinstance(n, ast.Return))
            found += [Step(Site(step.site.file, n.lineno), n.value) for n in returns if n.value is not None]
    return found


def _divisor_line(step: Step) -> Site | None:
    for node in ast.walk(step.value):
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div):
            steps = list(islice(trail(node.right, step.site), 12))
            if any(called(s.value, *SPREADS) for s in steps):
                return _last_word(node.right, step, steps)
    return None


def _last_word(divisor: ast.AST, step: Step, steps: list[Step]) -> Site:
    """Where a spread is made something else before it divides; else the line that divides."""
    if isinstance(divisor, (ast.Name, ast.Attribute)) and len(data_names(divisor)) == 1 and len(steps) > 1:
        made = steps[1]
        plain = isinstance(made.value, ast.Call) and call_name(made.value) in SPREADS
        if not plain and made.site.line != step.site.line and not isinstance(made.value, ast.Tuple):
            return made.site
    return step.site


def switched_off(path: str) -> Site | None:
    """Where the setting is written by which the only branch that scales rows is not taken: a flag, a word,
    None. None where there is no one such place.
    """
    module = tree(path)
    found: list[Site] = []
    for node in ast.walk(module) if module is not None else ():
        if isinstance(node, (ast.If, ast.IfExp)):
            body, other = _scales(path, node.body), _scales(path, node.orelse)
            body = body or (isinstance(node, ast.IfExp) and _spread_or_one(node))
            if body != other:
                found += decided(Site(path, node.lineno), node.test, taken=not body)
        elif isinstance(node, Function):
            for i, early in enumerate(node.body):
                if (
                    not isinstance(early, ast.If)
                    or early.orelse
                    or not isinstance(early.body[-1], ast.Return)
                ):
                    continue
                if not _scales(path, early.body) and _scales(path, node.body[i + 1 :]):
                    found += decided(Site(path, early.lineno), early.test, taken=True)
    place = one_place(found)
    return (_left_out(place) or place) if place is not None else None


def _left_out(default: Site) -> Site | None:
    """The first line that makes rows without the statistics, or the scaler, that are None by default."""
    module = tree(default.file)
    for node in ast.walk(module) if module is not None else ():
        if not isinstance(node, Function) or not node.lineno <= default.line < node.body[0].lineno:
            continue
        if not any(
            d is not None and getattr(d, "value", 0) is None and d.lineno == default.line
            for d in node.args.defaults
        ):
            continue
        owner = next(
            (c for c in enclosing(Site(default.file, node.body[0].lineno)) if isinstance(c, ast.ClassDef)),
            None,
        )
        name = owner.name if owner is not None and node.name == "__init__" else node.name
        calls = called(module, name) if module is not None else []
        return Site(default.file, min(c.lineno for c in calls)) if calls else None
    return None


def _spread_or_one(node: ast.IfExp) -> bool:
    """``x.std(0) if self.scale else 1.0``: what rows are divided by."""
    return bool(called(node.body, "std", "var")) and getattr(node.orelse, "value", None) == 1


def scaled_by_one(path: str) -> Site | None:
    """The only line that makes what scales rows with zeros as their means and ones as their spreads."""
    module = tree(path)
    nodes = ast.walk(module) if module is not None else ()
    scales = {n.name for n in nodes if isinstance(n, ast.ClassDef | Function) and _scales(path, n.body)}
    lines = {
        call.lineno
        for call in (called(module, *scales) if module is not None and scales else [])
        if any(called(a, *ZEROS) for a in _given(call)) and any(called(a, *ONES) for a in _given(call))
    }
    return Site(path, lines.pop()) if len(lines) == 1 else None


def _given(call: ast.Call) -> list[ast.expr]:
    return [*call.args, *(k.value for k in call.keywords)]


def passed_through(path: str) -> Site | None:
    """Where the only scaling of single columns of a table leaves all others as they are."""
    calls = called(tree(path) or ast.Module([], []), "ColumnTransformer", "make_column_transformer")
    left = [k for c in calls for k in c.keywords if k.arg == "remainder"]
    passing = [k.value for k in left if getattr(k.value, "value", None) == "passthrough"]
    scales = len(calls) == 1 and _scales(path, calls[0])
    return Site(path, passing[0].lineno) if passing and scales else None


def _scales(path: str, nodes: ast.AST | list[ast.stmt]) -> bool:
    """Whether rows (not their targets) are scaled by this source itself."""
    own = scaling_functions(path)
    for whole in nodes if isinstance(nodes, list) else [nodes]:
        for node in ast.walk(whole):
            if isinstance(node, ast.Assign) and all(
                _TARGET.match(n) for t in node.targets for n in target_names(t)
            ):
                break
            if isinstance(node, ast.Call) and (
                call_name(node) in (*SCALES, *own) or "Scaler" in call_name(node)
            ):
                return True
            divided = node.left if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div) else None
            if isinstance(divided, ast.BinOp) and isinstance(divided.op, ast.Sub):
                return True
    return False
