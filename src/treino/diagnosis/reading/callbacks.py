"""Choices that a library's callbacks make by test rows: a checkpoint of the best epoch, a stop when it gets
no better. The rows are known by their values; which figure a callback looks at is read from its call.
"""

import ast
import inspect
import sys
from collections.abc import Iterable
from typing import Any

from treino.diagnosis.finding import Site
from treino.diagnosis.reading.names import names_of_evaluation, says_test, says_train, says_validation, words
from treino.diagnosis.reading.places import FITS
from treino.diagnosis.reading.provenance import data_names
from treino.diagnosis.reading.source import call_name, called, statement_at, tree
from treino.diagnosis.watch.eval_seen import EvalSeen


def chosen_within_fit(evals: list[EvalSeen]) -> tuple[Site, EvalSeen] | None:
    """The line that gives test rows to a ``fit`` as those to choose by, and how they were evaluated there; no
    other new rows judge the result.
    """
    fits = {id(e): fit for e in evals if (fit := _fit(e)) is not None}
    for e in evals:
        fit = fits.get(id(e))
        if fit is None or len(e.phases) < 2 or not _new(e) or not _watches(fit.file):
            continue
        last = max(e.phases)
        later = [o for o in evals if id(o) not in fits and _new(o) and max(o.phases) >= last]
        if any(len(o.rows - e.rows) > 0.02 * len(o.rows) for o in later):
            continue
        tested = any(_tests(o) and len(o.rows) >= len(e.rows) for o in later)
        place = next((line for line, names in _given(fit, e.loader) if _is_test(names)), None)
        if place is not None:
            return place, e
        if tested:
            return fit, e
    return None


def _fit(e: EvalSeen) -> Site | None:
    """The line of the library's ``fit`` inside which an evaluation ran."""
    lines = ((site, statement_at(site)) for site in e.names)
    return next((site for site, s in lines if s is not None and called(s, *FITS[:2])), None)


def _tests(e: EvalSeen) -> bool:
    """Whether an evaluation is one of the test, as its names say, or what a library is asked to do."""
    lines = [s for site in e.names if (s := statement_at(site)) is not None]
    return _is_test(names_of_evaluation(e.names)) or any(called(s, "test") for s in lines)


def _new(e: EvalSeen) -> bool:
    return len(e.rows) >= 10 and len(e.trained_before) <= 0.1 * len(e.rows)


def _is_test(names: set[str]) -> bool:
    return says_test(names) and not says_validation(names)


def _given(fit: Site, loader: Site | None) -> Iterable[tuple[Site, set[str]]]:
    """Lines that hand over the rows to choose by, and the names on them."""
    statement, module = statement_at(fit), tree(fit.file)
    for call in called(statement, "fit") if statement is not None else []:
        later = [*call.args[2:], *(k.value for k in call.keywords if k.arg and says_validation({k.arg}))]
        yield fit, set().union(*(data_names(a) for a in later))
    for call in called(module, "predefined_split") if module is not None else []:
        yield Site(fit.file, call.lineno), set().union(*(data_names(a) for a in call.args))
    hooks = [n for n in ast.walk(module) if isinstance(n, ast.FunctionDef)] if module is not None else []
    for node in (n for hook in hooks if hook.name == "val_dataloader" for n in ast.walk(hook)):
        if isinstance(node, ast.Return) and node.value is not None:
            said = {n.value for n in ast.walk(node.value) if isinstance(n, ast.Constant)}
            given = data_names(node.value) | {word for word in said if isinstance(word, str)}
            yield Site(fit.file, node.lineno), given
    statement = statement_at(loader) if loader is not None else None
    for call in called(statement, "DataLoader") if statement is not None else []:
        assert loader is not None
        yield loader, set().union(*(data_names(a) for a in call.args[:1]))


def _watches(path: str) -> bool:
    """Whether a callback of a library that is made in this file keeps the best or stops by a figure that is
    not one of the training rows.
    """
    module = tree(path)
    for call in ast.walk(module) if module is not None else ():
        if not isinstance(call, ast.Call):
            continue
        name = call_name(call)
        said = set(words(name))
        if "checkpoint" not in said and not {"early", "stopping"} <= said:
            continue
        figure = _argument(module, call, "monitor")
        if isinstance(figure, str) and not says_train({figure}):
            return True
    return False


def _argument(module: ast.Module | None, call: ast.Call, name: str) -> Any:
    """What an imported class is given under this name: as the call says it, or else its own default."""
    kind = _resolved(module, call.func)
    try:
        known = list(inspect.signature(kind).parameters.values()) if kind is not None else []
    except (TypeError, ValueError):
        known = []
    given = {k.arg: k.value for k in call.keywords} | dict(
        zip((p.name for p in known), call.args, strict=False)
    )
    if name in given:
        return getattr(given[name], "value", None)
    return next((p.default for p in known if p.name == name and p.default is not p.empty), None)


def _resolved(module: ast.Module | None, func: ast.expr) -> Any:
    """The object that an imported name stands for; None where the name is not imported."""
    if isinstance(func, ast.Attribute):
        owner = _resolved(module, func.value)
        return getattr(owner, func.attr, None)
    for node in ast.walk(module) if module is not None and isinstance(func, ast.Name) else ():
        for alias in node.names if isinstance(node, (ast.Import, ast.ImportFrom)) else ():
            if (alias.asname or alias.name.split(".")[0]) == func.id:  # type: ignore[attr-defined]
                if isinstance(node, ast.ImportFrom):
                    return getattr(sys.modules.get(node.module or ""), alias.name, None)
                return sys.modules.get(alias.name if alias.asname else func.id)  # type: ignore[attr-defined]
    return None
