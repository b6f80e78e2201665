"""Orders that are drawn and forgotten: by a function that takes one array by its own, so that nothing can
follow the rows any more, or where one of two arrays is cut.
"""

import ast

from treino.diagnosis.finding import Site
from treino.diagnosis.reading.provenance import target_names
from treino.diagnosis.reading.source import call_name, called, tree

DRAWS = ("randperm", "permutation", "permuted", "shuffled")


def lost_order(path: str) -> Site | None:
    """The line of a function that takes the rows of one array in an order which is drawn there, is used for
    nothing else and is not given back.
    """
    module = tree(path)
    functions = (n for n in ast.walk(module) if isinstance(n, ast.FunctionDef)) if module is not None else ()
    for function in functions:
        for name in _drawn(function):
            taken = [n for n in ast.walk(function) if isinstance(n, ast.Subscript) and _is(n.slice, name)]
            shuffled = [c for c in called(function, "shuffle") if any(_is(a, name) for a in c.args)]
            uses = sum(_is(n, name) and isinstance(n.ctx, ast.Load) for n in ast.walk(function))  # type: ignore[attr-defined]
            if len(taken) == 1 and uses == 1 + len(shuffled):
                return Site(path, taken[0].lineno)
    return None


def cut_without_order(path: str) -> Site | None:
    """The line that cuts one array as it stands where another is cut in an order by which both were taken
    elsewhere: ``x[p[cut:]], y[cut:]`` beside ``x[p[:cut]], y[p[:cut]]``.
    """
    module = tree(path)
    if module is None:
        return None
    orders = _drawn(module)
    taken = [n for n in ast.walk(module) if isinstance(n, ast.Subscript) and isinstance(n.value, ast.Name)]
    ordered: dict[str, set[str]] = {}  # cut of an order -> arrays that were taken by it
    for node in taken:
        at = node.slice
        if isinstance(at, ast.Subscript) and isinstance(at.value, ast.Name) and at.value.id in orders:
            ordered.setdefault(ast.dump(at.slice), set()).add(node.value.id)  # type: ignore[attr-defined]
    for node in taken:
        name, cut = node.value.id, ast.dump(node.slice)  # type: ignore[attr-defined]
        elsewhere = any(name in arrays for at, arrays in ordered.items() if at != cut)
        if cut in ordered and name not in ordered[cut] and name not in orders and elsewhere:
            return Site(path, node.lineno)
    return None


def _is(node: ast.AST, name: str) -> bool:
    return isinstance(node, ast.Name) and node.id == name


def _drawn(scope: ast.FunctionDef | ast.Module) -> set[str]:
    """Names of orders that are drawn in a function, or shuffled there; of a module, in any of its."""
    found = {a.id for c in called(scope, "shuffle") for a in c.args if isinstance(a, ast.Name)}
    for node in ast.walk(scope):
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call):
            call = node.value
            while isinstance(call.func, ast.Attribute) and isinstance(call.func.value, ast.Call):
                call = call.func.value  # torch.randperm(n).tolist()
            if call_name(call) in DRAWS:
                found |= set().union(*map(target_names, node.targets))
    return found - ({a.arg for a in scope.args.args} if isinstance(scope, ast.FunctionDef) else set())
