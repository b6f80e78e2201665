"""Where a program means to clear gradients, or to step, and doesn't, as its source says it."""

import ast
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import TypeGuard

from treino.diagnosis.finding import Site
from treino.diagnosis.reading.names import words
from treino.diagnosis.reading.provenance import Function
from treino.diagnosis.reading.source import (
    call_name,
    called,
    enclosing,
    function_of,
    loop_around,
    names_in,
    tree,
)
from treino.diagnosis.reading.updated import takes_gradients

CLEARS = {"zero", "clear", "reset", "wipe", "clean", "erase", "empty", "drop", "zerar", "limpar"}
GRADIENTS = {"grad", "grads", "gradient", "gradients", "gradientes"}
UPDATES = {"step", "update", "optimize", "optimise", "apply"}
IN_PLACE = ("zero_", "fill_", "mul_", "copy_", "setattr", "delattr")
LAZY = (ast.GeneratorExp, ast.Lambda)


def meant_to_clear(backward: Site | None, cleared: Site | None = None) -> Site | None:
    """The line that should clear the gradients of this backward: a clearing that is named but not called, the
    body of a function that bears such a name and clears nothing, or not these gradients; None where all that
    the source says may well work.

    cleared: where other gradients were cleared between the step and this backward.
    """
    module = tree(backward.file) if backward is not None else None
    if backward is None or module is None:
        return None
    idle = _idle_line(backward, _names_clearing) or _cleared_twice(backward, module)
    idle = idle or _cleared_outside(backward, module)
    if idle is not None:
        return idle
    clearers = _clearers(module)
    working = {f.name for f in clearers if _works(module, f)}  # one of that name, in another class
    for function in clearers:
        if function.name not in working and _used(module, function):
            return Site(backward.file, _grads_line(function), function.name)
    inside = function_of(cleared) if cleared is not None else None
    if isinstance(inside, Function) and speaks_of_clearing(inside.name):
        return cleared if inside is not function_of(backward) else None
    return None


def stepped_another(backward: Site | None) -> Site | None:
    """The step behind this backward, in a function that clears one optimizer and steps another."""
    around = function_of(backward) if backward is not None else None
    if backward is None or not isinstance(around, Function) or len(called(around, "backward")) != 1:
        return None
    asked = [c.func for name in ("zero_grad", "step") for c in called(around, name)]
    of = [(f.attr, ast.unparse(f.value), f.lineno) for f in asked if isinstance(f, ast.Attribute)]
    cleared = {name for attr, name, _ in of if attr == "zero_grad"}
    stepped = {name for attr, name, line in of if attr == "step" and line > backward.line}
    lines = [line for attr, name, line in of if attr == "step" and name in stepped]
    optimizers = {n for n in (*cleared, *stepped) if not {"sched", "scheduler", "scaler"} & {*words(n)}}
    apart = len(cleared) == len(stepped) == 1 and not cleared & stepped and len(optimizers) == 2
    return Site(backward.file, lines[0], around.name) if apart and len(lines) == 1 else None


def clears_uncalled(backward: Site | None) -> bool:
    """Whether the file of this backward has a function that clears gradients, and never calls it."""
    module = tree(backward.file) if backward is not None else None
    clearers = _clearers(module) if module is not None else []
    return module is not None and any(_works(module, f) and not _used(module, f) for f in clearers)


def meant_to_step(backward: Site | None, cleared: Site | None, *, alone: bool) -> Site | None:
    """The line that names an optimizer's step without calling it, clears (there) in place of a step in a
    function that is to update, or asks for what never comes true before the only step.

    alone: no other optimizer has stepped.
    """
    module = tree(backward.file) if backward is not None else None
    if backward is None or module is None:
        return None
    idle = _idle_line(backward, _names_step) or _stepped_twice(backward, module)
    inside = function_of(cleared) if cleared is not None else None
    elsewhere = isinstance(inside, Function) and inside is not function_of(backward)
    if idle is None and elsewhere and set(words(inside.name)) & UPDATES:  # type: ignore[union-attr]
        return cleared
    if idle is not None or not alone:
        return idle
    steps = [c for c in called(module, "step") if not c.args and _names_step(c.func)]
    conditions = enclosing(Site(backward.file, steps[0].lineno)) if len(steps) == 1 else ()
    asked = [n.lineno for n in conditions if isinstance(n, ast.If) and called(n, "step")]
    return Site(backward.file, asked[-1]) if asked and not _is_main(module, asked[-1]) else None


def named_step(schedule: Site | None) -> Site | None:
    """The line that names a schedule's step without calling it."""
    return _idle_line(schedule, _names_turn) if schedule is not None else None


def cleared_unused(backward: Site | None, cleared: Site | None) -> Site | None:
    """The line below a backward, of the same function, that clears what it gave: a step belongs before it."""
    if backward is None or cleared is None or function_of(backward) is not function_of(cleared):
        return None
    return cleared if cleared.file == backward.file and cleared.line > backward.line else None


def cleared_by_hand(backward: Site | None, step: Site) -> Site | None:
    """The last line between a backward and its step that sets gradients to nothing, by itself or by a
    function of the file; or the only line of the file that does, as in one of several callbacks.
    """
    module, around = tree(step.file), function_of(step)
    if module is None or around is None:
        return None
    functions = [n for n in ast.walk(module) if isinstance(n, Function)]
    known = Counter(f.name for f in functions)
    own = {f.name for f in functions if known[f.name] == 1 and any(map(_empties, ast.walk(f)))}
    first = backward.line if backward is not None and function_of(backward) is around else 0
    found = (node for node in ast.walk(around) if _empties(node) or _calls(node, own))
    lines = [line for node in found if first < (line := getattr(node, "lineno", 0)) < step.line]
    alone = {n.lineno for n in ast.walk(module) if _empties(n)} if not lines else ()  # type: ignore[attr-defined]
    return Site(step.file, max(lines or alone)) if lines or len(alone) == 1 else None


def cleared_before_update(backward: Site | None) -> Site | None:
    """The line behind a backward that sets gradients to nothing before anything, in the same function or in
    one of the file that it calls, has made use of them.
    """
    module, around = (tree(backward.file), function_of(backward)) if backward is not None else (None, None)
    if backward is None or module is None or around is None:
        return None
    functions = [n for n in ast.walk(module) if isinstance(n, Function) and n is not around]
    clears = {n.name for n in functions if any(map(_empties, ast.walk(n)))}
    updates = {n.name for n in functions if any(map(takes_gradients, ast.walk(n)))} - clears
    later = [n for n in ast.walk(around) if getattr(n, "lineno", 0) > backward.line]
    emptied = [n.lineno for n in later if _empties(n) or _calls(n, clears)]  # type: ignore[attr-defined]
    used = [n.lineno for n in later if takes_gradients(n) or _calls(n, updates)]  # type: ignore[attr-defined]
    return Site(backward.file, min(emptied)) if emptied and used and min(emptied) < min(used) else None


def _empties(node: ast.AST) -> bool:
    """``p.grad = None``, ``p.grad.zero_()``"""
    if isinstance(node, ast.Assign):
        return any(isinstance(t, ast.Attribute) and t.attr == "grad" for t in node.targets)
    zeroes = isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "zero_"
    return zeroes and "grad" in names_in(node)


def _calls(node: ast.AST, names: set[str]) -> bool:
    return isinstance(node, ast.Call) and call_name(node) in names


def _cleared_twice(backward: Site, module: ast.Module) -> Site | None:
    """The second line around this backward that clears what one above it has cleared: meant for another."""
    calls = called(function_of(backward) or module, "zero_grad")
    return _said_again(backward.file, (c for c in calls if c.lineno < backward.line))


def _cleared_outside(backward: Site, module: ast.Module) -> Site | None:
    """The only clearing in the function of this backward, if it stands in an outer loop: above it, or below
    where it is done by hand.
    """
    around = function_of(backward) or module
    clears = called(around, "zero_grad")
    if not clears:
        return _emptied_outside(backward, around)
    if len(clears) != 1 or clears[0].lineno >= backward.line:
        return None
    outside = Site(backward.file, clears[0].lineno)
    inner, outer = loop_around(backward), loop_around(outside)
    within = function_of(outside) is function_of(backward) and outer is not None and inner is not outer
    return outside if within and inner is not None and inner.lineno > outside.line else None


def _emptied_outside(backward: Site, around: ast.AST) -> Site | None:
    """``for p in params: p.grad.zero_()`` after the loop of this backward, in the one around it."""
    inner = loop_around(backward)
    lines = sorted({n.lineno for n in ast.walk(around) if _empties(n)})  # type: ignore[attr-defined]
    loops = [n for n in ast.walk(around) if isinstance(n, (ast.For, ast.While)) and n is not inner]
    outer = next((n for n in loops if inner is not None and any(m is inner for m in ast.walk(n))), None)
    if len(lines) != 1 or inner is None or outer is None:
        return None
    after = (inner.end_lineno or 0) < lines[0] <= (outer.end_lineno or 0)
    return Site(backward.file, lines[0]) if after else None


def _stepped_twice(backward: Site, module: ast.Module) -> Site | None:
    """The second line between this backward and the next that steps what one above it steps: meant for
    another optimizer.
    """
    around = function_of(backward) or module
    last = min((c.lineno for c in called(around, "backward") if c.lineno > backward.line), default=10**9)
    steps = (c for c in called(around, "step") if _names_step(c.func))
    return _said_again(backward.file, (c for c in steps if backward.line <= c.lineno < last))


def _said_again(path: str, calls: Iterable[ast.Call]) -> Site | None:
    """The first of these calls, in their order, that one above it has made already."""
    known: set[str] = set()
    for call in sorted(calls, key=lambda c: c.lineno):
        if (said := ast.unparse(call.func)) in known:
            return Site(path, call.lineno)
        known.add(said)
    return None


def _is_main(module: ast.Module, line: int) -> bool:
    """Whether ``if __name__ == "__main__":`` stands there."""
    return any(
        n.lineno == line and isinstance(n, ast.If) and "__name__" in names_in(n.test) for n in module.body
    )


def _idle_line(backward: Site, names: Callable[[ast.AST], bool]) -> Site | None:
    """The nearest statement that names something and does nothing, in the function of the backward if any."""
    module = tree(backward.file)
    every = [n for n in ast.walk(module) if isinstance(n, ast.stmt)] if module is not None else []
    lines = [statement.lineno for statement in every if _is_idle(statement, names)]
    own = [line for line in lines if function_of(Site(backward.file, line)) is function_of(backward)]
    if not lines:
        return None
    return Site(backward.file, min(own or lines, key=lambda line: abs(line - backward.line)))


def speaks_of_clearing(name: str) -> bool:
    """``zero_grad``, ``clear_gradients``, ``resetGrads``"""
    said = set(words(name))
    return bool(said & CLEARS) and bool(said & GRADIENTS)


def _is_idle(statement: ast.stmt, names: Callable[[ast.AST], bool]) -> bool:
    """Whether a statement names such a thing and does nothing: ``optimizer.zero_grad``."""
    thrown = isinstance(statement, ast.Expr) or (
        isinstance(statement, ast.Assign)
        and all(isinstance(t, ast.Name) and t.id == "_" for t in statement.targets)
    )
    if not thrown:
        return False
    value = statement.value  # type: ignore[attr-defined]
    lazy = isinstance(value, LAZY) or (isinstance(value, ast.Call) and call_name(value) == "map")
    return any(names(n) for n in (ast.walk(value) if lazy else _outside_calls(value)))


def _names_step(node: ast.AST) -> bool:
    """``optimizer.step``: not that of a schedule."""
    return _is_step(node) and not _names_turn(node)


def _names_turn(node: ast.AST) -> bool:
    """``scheduler.step``"""
    return _is_step(node) and any("sched" in name.lower() for name in names_in(node.value))


def _is_step(node: ast.AST) -> TypeGuard[ast.Attribute]:
    return isinstance(node, ast.Attribute) and node.attr == "step"


def _names_clearing(node: ast.AST) -> bool:
    name = node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""
    if name in ("zero_", "zero") and isinstance(node, ast.Attribute):
        return "grad" in names_in(node.value)
    return speaks_of_clearing(name)


def _outside_calls(node: ast.AST) -> Iterator[ast.AST]:
    """The parts of an expression without what is called, and what that is given."""
    if not isinstance(node, (ast.Call, ast.Constant, ast.Await, ast.Yield)):
        yield node
        for part in ast.iter_child_nodes(node):
            yield from _outside_calls(part)


def _clearers(module: ast.Module) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
    return [n for n in ast.walk(module) if isinstance(n, Function) and speaks_of_clearing(n.name)]


def _used(module: ast.Module, function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    inside = set(ast.walk(function))
    return any(call not in inside for call in called(module, function.name))


def _works(module: ast.Module, function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Whether a function may clear some gradient: it does so itself, or calls what may do it."""
    own = {n.name for n in ast.walk(module) if isinstance(n, Function)}
    for node in ast.walk(function):
        if isinstance(node, ast.Call):
            name = call_name(node)
            copied = isinstance(node.func, ast.Attribute) and called(node.func.value, "clone", "copy")
            if (name in IN_PLACE and not copied) or name in own or speaks_of_clearing(name):
                return True
        if any("grad" in names_in(t) and not isinstance(t, ast.Name) for t in _targets(node)):
            return True
    return False


def _targets(node: ast.AST) -> Iterable[ast.AST]:
    if isinstance(node, (ast.Assign, ast.Delete)):
        return node.targets
    return [node.target] if isinstance(node, ast.AugAssign) else []


def _grads_line(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """The line of a function that speaks of gradients, or else its first one."""
    inner = [n for s in function.body for n in ast.walk(s) if isinstance(n, ast.stmt)]
    simple = [n for n in inner if not hasattr(n, "body")]
    about = [n for n in simple if any(speaks_of_clearing(w) or w in GRADIENTS for w in names_in(n))]
    return (about or function.body)[0].lineno
