"""Updates by hand that change nothing: the new value of a weight is worked out and thrown away."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from treino.diagnosis.finding import Site
from treino.diagnosis.reading.names import words
from treino.diagnosis.reading.provenance import Function, scoped, target_names
from treino.diagnosis.reading.source import call_name, called, names_in, tree

PLUS = ("sub", "add", "subtract", "addcmul", "addcdiv", "lerp")
COPIES = ("clone", "copy", "deepcopy", "numpy", "tolist")
HARMLESS = {"zero_grad", "requires_grad_", "no_grad", "enable_grad", "set_grad_enabled", "is_grad_enabled"}
MEASURES = re.compile(r"time|bench|profil|memory|hook|check|backward_pass", re.IGNORECASE)
CLEARS = ("zero_", "fill_", "detach_", "requires_grad_")


def idle_update(backward: Site | None) -> Site | None:
    """The line, in the file of this backward, that computes a weight's new value and gives it to nobody; the
    backward itself where gradients are cleared and nothing else is ever done with them.
    """
    module = tree(backward.file) if backward is not None else None
    if backward is None or module is None:
        return None
    for scope, node in scoped(module):
        if isinstance(node, (ast.Assign, ast.AugAssign, ast.Expr)) and _is_idle(scope or module, node):
            return Site(backward.file, node.lineno)
    for function in (n for n in ast.walk(module) if isinstance(n, Function)):
        thrown = [n for n in ast.walk(module) if isinstance(n, ast.Expr) and _calls(n.value, function.name)]
        if thrown and len(thrown) == len(called(module, function.name)) and _gives_new(function):
            return Site(backward.file, thrown[0].lineno)
    return backward if _only_cleared(module, backward.file) else None


def _is_idle(scope: ast.AST, node: ast.Assign | ast.AugAssign | ast.Expr) -> bool:
    value, weights = node.value, set(_weights(node.value))
    if not weights:
        return isinstance(node, ast.Assign) and _by_momentum(scope, node)
    if isinstance(node, ast.Expr):
        if not isinstance(value, ast.Call) or not isinstance(value.func, ast.Attribute):
            return isinstance(value, (ast.BinOp, ast.ListComp, ast.Tuple)) and _moves(value)
        of = value.func.value
        if value.func.attr in PLUS:
            return not weights.isdisjoint(names_in(of) | names_in(value))
        if value.func.attr.rstrip("_") not in PLUS:
            return False
        return bool(called(of, *COPIES)) or (isinstance(of, ast.Name) and _is_lost_copy(scope, node, of.id))
    if isinstance(node, ast.AugAssign):
        return isinstance(node.target, ast.Name) and _is_lost_copy(scope, node, node.target.id)
    named = [t for target in node.targets for t in getattr(target, "elts", [target])]
    names = {t.id for t in named if isinstance(t, ast.Name)}
    return len(names) == len(named) and _moves(value) and not _passed_on(scope, node, names)


def _by_momentum(scope: ast.AST, node: ast.Assign) -> bool:
    """``v.mul_(0.9).add_(p.grad)``, ``p = p - lr * v``: in a loop over weights and what is kept of their
    gradients, where nobody is given the new value.
    """
    loops = [n for n in ast.walk(scope) if isinstance(n, ast.For) and node in n.body]
    names = target_names(node.targets[0])
    for loop in loops[-1:]:
        each, kept = target_names(loop.target), _zipped_gradients(loop)
        for n in loop.body[: loop.body.index(node)]:
            if set(_weights(n)) & names:
                kept |= each & (names_in(n) - names)
        value = node.value
        taken = isinstance(value, ast.BinOp) and isinstance(value.op, ast.Sub | ast.Add)
        moved = taken and names <= names_in(value.left) and bool(kept & names_in(value.right))  # type: ignore[attr-defined]
        if moved and len(names) == 1 and names <= each and not _passed_on(scope, node, names):
            return True
    return False


def _zipped_gradients(loop: ast.For) -> set[str]:
    """``g`` of ``for p, g in zip(params, grads)``"""
    if not isinstance(loop.iter, ast.Call) or call_name(loop.iter) != "zip":
        return set()
    targets = loop.target.elts if isinstance(loop.target, ast.Tuple) else []
    pairs = zip(targets, loop.iter.args, strict=False)
    told = (t for t, of in pairs if any("grad" in n for n in names_in(of)))
    return {name for t in told for name in target_names(t)}


def _weights(value: ast.AST) -> Iterator[str]:
    """``W`` in ``W.grad``, where it is read."""
    for n in ast.walk(value):
        if isinstance(n, ast.Attribute) and n.attr == "grad":
            yield from names_in(n.value) - {"self", "data"}


def _moves(value: ast.AST) -> bool:
    """``W - rate * W.grad``: a weight from which its own gradient is taken."""
    for n in ast.walk(value):
        if isinstance(n, ast.BinOp) and isinstance(n.op, (ast.Sub, ast.Add)):
            left, right = n.left, n.right
        elif isinstance(n, ast.Call) and call_name(n) in PLUS and isinstance(n.func, ast.Attribute):
            left, right = n.func.value, ast.Tuple([*n.args], ast.Load())
            left = n.args[0] if names_in(left) == {"torch"} and n.args else left
        else:
            continue
        if "grad" not in names_in(left) and names_in(left) & set(_weights(right)):
            return True
    return False


def _is_lost_copy(scope: ast.AST, node: ast.stmt, name: str) -> bool:
    """Whether a name holds a copy of a weight, and nobody is given it."""
    made = [n for n in ast.walk(scope) if isinstance(n, ast.Assign) and name in target_names(n.targets[0])]
    weights = set(_weights(node.value))  # type: ignore[attr-defined]
    copied = len(made) == 1 and called(made[0].value, *COPIES) and names_in(made[0].value) & weights
    return bool(copied) and name not in weights and not _passed_on(scope, node, {name})


def _passed_on(scope: ast.AST, node: ast.stmt, names: set[str]) -> bool:
    """Whether anything but its own gradient, or a flag, is made of what these names hold from there on."""
    loops = [
        n
        for n in ast.walk(scope)
        if isinstance(n, ast.For) and target_names(n.target) & names and node in set(ast.walk(n))
    ]
    around = loops[-1] if loops else scope
    kept = {n for g in ast.walk(scope) if isinstance(g, (ast.Global, ast.Nonlocal)) for n in g.names}
    if kept & names:
        return True
    own = set(ast.walk(node))
    harmless: set[ast.AST] = set()
    for n in ast.walk(around):
        flag = isinstance(n, ast.Attribute) and n.attr in ("grad", "requires_grad", *CLEARS)
        if flag and isinstance(n.value, ast.Name):  # type: ignore[attr-defined]
            harmless.add(n.value)  # type: ignore[attr-defined]
    for n in ast.walk(around):
        read = isinstance(n, ast.Name) and n.id in names and isinstance(n.ctx, ast.Load)
        if not read or n in own or n in harmless:
            continue
        before = n.lineno < node.lineno  # type: ignore[attr-defined]
        if not (before and (loops or isinstance(scope, Function))):
            return True
    return False


def _calls(value: ast.AST, name: str) -> bool:
    return isinstance(value, ast.Call) and call_name(value) == name


def _gives_new(function: ast.AST) -> bool:
    """Whether all that a function does with gradients is to return new values."""
    returned = [n for n in ast.walk(function) if isinstance(n, ast.Return) and n.value is not None]
    inside = {m for n in returned for m in ast.walk(n)}
    grads = [n for n in ast.walk(function) if isinstance(n, ast.Attribute) and n.attr == "grad"]
    return bool(grads) and inside.issuperset(grads) and any(_moves(n.value) for n in returned if n.value)


def _only_cleared(module: ast.Module, path: str) -> bool:
    """Whether a file clears gradients, never reads one but in functions that nobody calls, measures nothing,
    and has no others beside it.
    """
    cleared = bool(called(module, "zero_grad"))
    within = {n for f in ast.walk(module) if _uncalled(module, f) for n in ast.walk(f)}
    for n in ast.walk(module):
        emptied = isinstance(n, ast.Assign) and getattr(n.value, "value", 0) is None
        wiped = isinstance(n, ast.Expr) and isinstance(n.value, ast.Call) and call_name(n.value) in CLEARS
        asked = isinstance(n, (ast.If, ast.IfExp))
        part = n.test if asked else n  # type: ignore[attr-defined]
        found = {m for m in ast.walk(part) if isinstance(m, ast.Attribute) and m.attr == "grad"}
        if emptied or wiped or asked:
            within |= found
            cleared = cleared or bool(found)
        if isinstance(n, ast.Call) and "grad" in call_name(n) and call_name(n) not in HARMLESS:
            return False
        if isinstance(n, (ast.Import, ast.ImportFrom)) and _beside(n, path):
            return False
    grads = {n for n in ast.walk(module) if isinstance(n, ast.Attribute) and n.attr == "grad"}
    imported = {
        a.name for n in ast.walk(module) if isinstance(n, (ast.Import, ast.ImportFrom)) for a in n.names
    }
    return cleared and grads <= within and not any(map(MEASURES.search, names_in(module) | imported))


def _uncalled(module: ast.Module, function: ast.AST) -> bool:
    """Whether nobody names a function that takes a step; it is none that Python or torch calls."""
    if not isinstance(function, Function) or not {"step", "update", "apply"} & set(words(function.name)):
        return False
    inside = set(ast.walk(function))
    named = (n for n in ast.walk(module) if n not in inside and isinstance(n, (ast.Name, ast.Attribute)))
    return not any(function.name == (n.id if isinstance(n, ast.Name) else n.attr) for n in named)


def _beside(node: ast.Import | ast.ImportFrom, path: str) -> bool:
    """Whether a file imports one that lies beside it."""
    names = [node.module or ""] if isinstance(node, ast.ImportFrom) else [a.name for a in node.names]
    relative = isinstance(node, ast.ImportFrom) and node.level > 0
    folder = Path(path).parent
    tops = [n.split(".")[0] for n in names]
    return relative or any((folder / f"{t}.py").exists() or (folder / t).is_dir() for t in tops if t)
