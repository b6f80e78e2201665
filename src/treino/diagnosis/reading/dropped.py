"""Calls whose result nobody takes, though it is all that they give: what was meant to happen does not."""

import ast

from treino.diagnosis.finding import Site
from treino.diagnosis.reading.names import words
from treino.diagnosis.reading.orders import given_parts
from treino.diagnosis.reading.provenance import Function
from treino.diagnosis.reading.source import call_name, called, names_in, tree

SHUFFLES = ("permutation", "randperm", "sample", "permuted")
COPIES = ("list", "tolist", "copy", "clone", "sorted", "keys", "values", "items", "tuple", "deepcopy")
SCALES = ("transform", "fit_transform", "scale", "normalize", "standardize", "minmax_scale", "robust_scale")
JUDGES = {"no_grad", "inference_mode", "eval", "argmax", "backward"}
SCALER = {
    "scaler",
    "scale",
    "standardizer",
    "standardiser",
    "normalizer",
    "normaliser",
    "norm",
    "escala",
    "escalador",
}
TRANSFORMS = ("transform", "fit_transform")


def dropped_shuffle(path: str) -> Site | None:
    """A line that draws a new order, or orders a copy anew, and keeps nothing of it."""
    for call in _alone(path):
        name, method = call_name(call), isinstance(call.func, ast.Attribute)
        several = name == "shuffle" and not method and len(call.args) > 1  # scikit-learn's gives new arrays
        copy = name == "shuffle" and bool(call.args) and bool(_is_copy(call.args[0]))
        if name in SHUFFLES or several or copy:
            return Site(path, call.lineno)
    return None


def dropped_scaling(path: str) -> Site | None:
    """A line that scales rows, and keeps nothing of it."""
    given = scaling_functions(path)
    for call in _alone(path):
        if call_name(call) in SCALES or call_name(call) in given:
            return Site(path, call.lineno)
    for_nothing = _fitted_for_nothing(path) or _scaled_for_nothing(path, {*TRANSFORMS, *given})
    for_nothing = for_nothing or _handed_for_nothing(path) or _made_for_nothing(path)
    return for_nothing or _beside_scaled(path) or _measured_for_nothing(path)


def _measured_for_nothing(path: str) -> Site | None:
    """Where a dataset gives its rows as they are, and keeps their deviations for nothing."""
    module = tree(path)
    kinds = [n for n in ast.walk(module) if isinstance(n, ast.ClassDef)] if module is not None else []
    for kind in kinds:
        methods = {n.name: n for n in kind.body if isinstance(n, ast.FunctionDef)}
        gives, makes = methods.get("__getitem__"), methods.get("__init__")
        if gives is None or makes is None or module is None:
            continue
        kept = {name for n in ast.walk(makes) for name in _deviations(module, n)}
        inside = [n for m in methods.values() for n in ast.walk(m) if isinstance(n, ast.Attribute)]
        used = {n.attr for n in inside if isinstance(n.ctx, ast.Load) and names_in(n.value) == {"self"}}
        returns = [n for n in ast.walk(gives) if isinstance(n, ast.Return)]
        if kept and not kept & used and len(returns) == 1:
            return Site(path, returns[0].lineno)
    return None


def _deviations(module: ast.Module, node: ast.AST) -> set[str]:
    """The fields of an object that a statement gives deviations, by a function of the file perhaps."""
    if not isinstance(node, ast.Assign):
        return set()
    names = {call_name(c) for c in ast.walk(node.value) if isinstance(c, ast.Call)}
    own = [n for n in ast.walk(module) if isinstance(n, Function) and n.name in names]
    measured = any(called(n, "std", "var") for n in (node.value, *own))
    fields = (t for t in node.targets if isinstance(t, ast.Attribute))
    return {t.attr for t in fields} if measured else set()


def _beside_scaled(path: str) -> Site | None:
    """Where rows are handed on as they are, beside their own scaled ones: ``scaled = norm(x)``, then
    ``windows(x, scaled["load"])``.
    """
    module = tree(path)
    for function in (n for n in ast.walk(module) if isinstance(n, Function)) if module is not None else ():
        for made in (n for n in ast.walk(function) if isinstance(n, ast.Assign)):
            call, target = made.value, made.targets[0]
            if not isinstance(call, ast.Call) or not isinstance(target, ast.Name) or len(call.args) != 1:
                continue
            raw = call.args[0]
            scales = call_name(call) in SCALES or SCALER & {*words(call_name(call))}
            if not scales or not isinstance(raw, ast.Name) or raw.id == target.id:
                continue
            for other in (n for n in ast.walk(function) if isinstance(n, ast.Call) and len(n.args) > 1):
                first, rest = other.args[0], other.args[1:]
                same = isinstance(first, ast.Name) and first.id == raw.id and other.lineno > made.lineno
                if same and any(target.id in names_in(a) for a in rest):
                    return Site(path, other.lineno)
    return None


def _scaled_for_nothing(path: str, scales: set[str]) -> Site | None:
    """The first line that scales rows under a name which nothing reads."""
    module = tree(path)
    nodes = list(ast.walk(module)) if module is not None else []
    read = {n.id for n in nodes if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)}
    made = ((n, t) for n in nodes if isinstance(n, ast.Assign) for t in n.targets if isinstance(t, ast.Name))
    lines = [n.lineno for n, t in made if t.id not in read and called(n.value, *scales)]
    for function in (n for n in nodes if isinstance(n, Function)):
        inside = list(ast.walk(function))
        read = {n.id for n in inside if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)}
        given = [n for n in inside if isinstance(n, ast.Assign) and _standardises(n.value)]
        lines += [
            n.lineno for n in given if isinstance(n.targets[0], ast.Name) and n.targets[0].id not in read
        ]
    return Site(path, min(lines)) if lines else None


def _standardises(value: ast.AST) -> bool:
    """``(x - mean) / std``"""
    quotient = isinstance(value, ast.BinOp) and isinstance(value.op, ast.Div)
    above = value.left if quotient else None  # type: ignore[attr-defined]
    return isinstance(above, ast.BinOp) and isinstance(above.op, ast.Sub)


def _fitted_for_nothing(path: str) -> Site | None:
    """Where rows are taken as they are that a scaler was fitted on which nothing uses."""
    module = tree(path)
    nodes = list(ast.walk(module)) if module is not None else []
    loaded = {n.id for n in nodes if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)}
    loaded -= _only_shown(nodes)
    made = [n for n in nodes if isinstance(n, ast.Assign)]
    for given, value in (pair for n in made for pair in given_parts(n)):
        fitted = called(value, "fit")
        if not isinstance(given, ast.Name) or given.id in loaded or not fitted or not fitted[0].args:
            continue
        rows = fitted[0].args[0]
        if "scal" not in given.id.lower() and "scal" not in ast.unparse(value).lower():
            continue
        taken = [n for n in made if n.lineno > given.lineno and ast.unparse(rows) in ast.unparse(n.value)]
        if taken and isinstance(rows, ast.Subscript):
            return Site(path, taken[0].lineno)
        return Site(path, given.lineno)
    return None


def _only_shown(nodes: list[ast.AST]) -> set[str]:
    """Names of which nothing but attributes is read, and that in what is printed: ``scaler.mean``."""
    shown = [n for c in nodes if isinstance(c, ast.Call) and call_name(c) == "print" for n in ast.walk(c)]
    plain = {id(n) for n in shown}
    of = {id(n.value): n for n in nodes if isinstance(n, ast.Attribute)}
    asked = {id(n.func) for n in nodes if isinstance(n, ast.Call)}
    names = [n for n in nodes if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)]
    other = {n.id for n in names if id(n) not in plain or id(n) not in of or id(of[id(n)]) in asked}
    return {n.id for n in names} - other


def _made_for_nothing(path: str) -> Site | None:
    """Where a function that scales is made, which nothing calls: ``scale = standardizer(x)``."""
    module = tree(path)
    nodes = list(ast.walk(module)) if module is not None else []
    plain = [n for n in nodes if isinstance(n, Function)]
    makers = {
        f.name for f in plain if any(g is not f and g in plain and _gives_scaled(g) for g in ast.walk(f))
    }
    asked = {n.func.id for n in nodes if isinstance(n, ast.Call) and isinstance(n.func, ast.Name)}
    handed = [a for n in nodes if isinstance(n, ast.Call) for a in (*n.args, *(k.value for k in n.keywords))]
    asked |= {a.id for a in handed if isinstance(a, ast.Name)}
    for node in (n for n in nodes if isinstance(n, ast.Assign)):
        for given, value in given_parts(node):
            made = isinstance(value, ast.Call) and call_name(value) in makers
            if made and isinstance(given, ast.Name) and given.id not in asked:
                return Site(path, node.lineno)
    return None


def _handed_for_nothing(path: str) -> Site | None:
    """Where a function that is handed a scaler, and never asks it, keeps the rows as they are."""
    module = tree(path)
    for function in (n for n in ast.walk(module) if isinstance(n, Function)) if module is not None else ():
        args = [a.arg for a in (*function.args.args, *function.args.kwonlyargs)]
        read = {n.id for n in ast.walk(function) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)}
        idle = [a for a in args if SCALER & {*words(a)} and a not in read and a not in ("self", "cls")]
        for name in idle:
            rest = {*words(name)} - SCALER
            pairs = [p for n in ast.walk(function) if isinstance(n, ast.Assign) for p in given_parts(n)]
            kept = [v for _, v in pairs if isinstance(v, ast.Name) and v.id in args]
            near = [v for v in kept if rest & {*words(v.id)}] or kept
            if near:
                return Site(path, near[0].lineno, function.name)
    return None


def scaling_functions(path: str) -> set[str]:
    """The file's functions that give rows back scaled."""
    module = tree(path)
    every = ast.walk(module) if module is not None else ()
    return {f.name for f in every if isinstance(f, Function) and _gives_scaled(f)}


def _alone(path: str) -> list[ast.Call]:
    """The calls that are whole statements."""
    module = tree(path)
    found = [n.value for n in ast.walk(module) if isinstance(n, ast.Expr)] if module is not None else []
    return sorted((n for n in found if isinstance(n, ast.Call)), key=lambda n: n.lineno)


def _is_copy(value: ast.AST) -> bool:
    return isinstance(value, ast.Call) and call_name(value) in COPIES


def _gives_scaled(function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Whether a function returns rows (not its object) that it scales: ``(x - mean) / std``."""
    returned = [n.value for n in ast.walk(function) if isinstance(n, ast.Return) and n.value is not None]
    rows = [v for v in returned if not (isinstance(v, ast.Name) and v.id in ("self", "cls"))]
    divided = [n.left for n in ast.walk(function) if isinstance(n, ast.BinOp) and isinstance(n.op, ast.Div)]
    scales = any(isinstance(n, ast.BinOp) and isinstance(n.op, ast.Sub) for n in divided)
    return bool(rows) and (scales or bool(called(function, *SCALES))) and not names_in(function) & JUDGES
