"""Functions that hand out scores twice, as they are and squashed: who takes the wrong one is to be mended."""

import ast
from typing import Any

from treino.diagnosis.finding import Site
from treino.diagnosis.reading.ancestry import parameters
from treino.diagnosis.reading.configured import chosen
from treino.diagnosis.reading.names import words as words_of
from treino.diagnosis.reading.places import any_layer, written
from treino.diagnosis.reading.provenance import Function, target_names
from treino.diagnosis.reading.source import call_name, called, function_of, statement_at, tree

SAYS = {"prob", "probs", "proba", "probability", "probabilities", "confidence", "confidences"}
SAYS |= {"sigmoid", "softmax"}


def mended_at(made: Site | None, callers: tuple[Site, ...], *words: str) -> Site | None:
    """Where a person mends a loss that is given probabilities which were made on a line: where it takes the
    wrong of two results, or where the layer was chosen, or the line itself.

    callers: the line of the loss and those that led to it.
    """
    if callers and gives_both(made, *words):
        return callers[0]
    taken = taker(made, callers, *words)
    if taken is not None:
        return taken
    own = _handed_layer(made, callers, *words) or chosen(made, *words)
    if made is None or own != made:
        return own
    if any_layer(made):
        return written(made, *words, *(w.capitalize() for w in words))
    inside = function_of(made) in [function_of(c) for c in callers]
    return chosen(written(made, *words), *words) if inside else own


def _handed_layer(made: Site | None, callers: tuple[Site, ...], *words: str) -> Site | None:
    """Where a net is handed the layer that it calls on a line: ``net(x, nn.Softmax(-1))``."""
    statement, around = (statement_at(made), function_of(made)) if made is not None else (None, None)
    if statement is None or not isinstance(around, Function):
        return None
    given = {n for n in parameters(around) if n not in ("self", "cls")}
    called_by = {call_name(n) for n in ast.walk(statement) if isinstance(n, ast.Call)}
    if not given & called_by:
        return None
    said = ((c, ast.unparse(s).lower()) for c in callers if (s := statement_at(c)) is not None)
    return next((c for c, text in said if c != made and any(f"{w.lower()}(" in text for w in words)), None)


def gives_both(site: Site | None, *words: str) -> bool:
    """Whether the function around a line returns what the line squashes beside what comes out of it."""
    statement, around = (statement_at(site), function_of(site)) if site is not None else (None, None)
    if statement is None or not isinstance(around, Function):
        return False
    returned: set[str] = set()
    for node in ast.walk(around):
        if isinstance(node, ast.Return):
            returned |= {ast.unparse(p) for p in _parts(node.value)}
    named = set().union(*map(target_names, statement.targets)) if isinstance(statement, ast.Assign) else set()
    for call in (n for n in ast.walk(statement) if isinstance(n, ast.Call)):
        if any(w in ast.unparse(call.func).lower() for w in words):
            raw = call.args[:1] or [call.func]
            of = call.func.value if isinstance(call.func, ast.Attribute) else None
            plain = {ast.unparse(e) for e in (*raw, of) if e is not None}
            if plain & returned and ({ast.unparse(call)} | named) & returned:
                return True
    return False


def _parts(value: ast.expr | None) -> list[ast.expr]:
    """The entries of a tuple, a table or a record."""
    if isinstance(value, (ast.Tuple, ast.List)):
        return list(value.elts)
    if isinstance(value, ast.Dict):
        return list(value.values)
    return [*value.args, *(k.value for k in value.keywords)] if isinstance(value, ast.Call) else []


def taker(site: Site | None, callers: tuple[Site, ...], *words: str) -> Site | None:
    """Where a loss takes the result of a function that is there to hand out probabilities: one that says so,
    that others use as well, or that squashes on this line what another one gives raw. None where the function
    is no such one.
    """
    statement, around = (statement_at(site), function_of(site)) if site is not None else (None, None)
    if site is None or statement is None or not isinstance(around, Function):
        return None
    if around.name in ("forward", "__call__") or (callers and function_of(callers[0]) is around):
        return None
    users = {function_of(Site(site.file, c.lineno)) for c in _calls(site.file, around.name)}
    says = bool(SAYS & set(words_of(around.name))) or len(users - {around}) > 1
    if not (says or _squashes_another(statement, around, words)):
        return None
    for place in callers:
        inside = function_of(place)
        lines = [c.lineno for c in called(inside, around.name)] if inside is not None else []
        before = [line for line in lines if line <= place.line] if inside is not around else []
        if before:
            return Site(place.file, max(before))
    return None


def _calls(path: str, name: str) -> list[ast.Call]:
    module = tree(path)
    return called(module, name) if module is not None else []


def _squashes_another(statement: ast.stmt, around: Any, words: tuple[str, ...]) -> bool:
    """Whether what is squashed comes straight from the object itself, or from what the function is given:
    ``torch.sigmoid(self(x))``, ``model(x).softmax(1)``.
    """
    for call in (n for n in ast.walk(statement) if isinstance(n, ast.Call)):
        if any(w in call_name(call).lower() for w in words):
            of = call.func.value if isinstance(call.func, ast.Attribute) else None
            for raw in (of, *call.args[:1]):
                func = raw.func if isinstance(raw, ast.Call) else None
                own = isinstance(func, ast.Name) and func.id in ("self", *parameters(around))
                forward = isinstance(func, ast.Attribute) and func.attr in ("forward", "logits")
                if own or forward:
                    return True
    return False
