"""Answers that are collected over a loader which shuffles, with nothing of the same batches beside them:
their rows stand in an order that nobody knows.
"""

import ast
from collections.abc import Iterator

from treino.diagnosis.finding import Site
from treino.diagnosis.reading.ancestry import trail
from treino.diagnosis.reading.configured import places
from treino.diagnosis.reading.provenance import Function, target_names
from treino.diagnosis.reading.source import called, function_of, names_in, tree

JOINS = ("cat", "concat", "concatenate", "vstack", "stack", "row_stack")
GROWS = ("append", "extend")
MOST = 40  # lines that a loader is followed back by


def collected_apart(path: str) -> Site | None:
    """Where the loader is made whose shuffled batches a function collects answers for, if that is in there;
    otherwise the only line that calls the function, or the one that collects.
    """
    module = tree(path)
    for joined, loop in _collections(module) if module is not None else ():
        place = Site(path, loop.iter.lineno)
        if not _shuffles(loop.iter, place):
            continue
        around = function_of(place)
        made = [s.site for s in trail(loop.iter, place) if s.site.line != joined.lineno]
        inside = [s for s in made if isinstance(around, Function) and function_of(s) is around]
        if inside:
            return inside[0]
        calls = called(module, around.name) if isinstance(around, Function) and module is not None else []
        return Site(path, calls[0].lineno if calls else joined.lineno)
    return None


def _collections(module: ast.Module) -> Iterator[tuple[ast.Call, ast.For | ast.comprehension]]:
    """(what joins them, the loop over the batches) for answers of whose batches nothing else is kept."""
    for call in called(module, *JOINS):
        if not call.args:
            continue
        given = call.args[0]
        if isinstance(given, (ast.ListComp, ast.GeneratorExp)) and len(given.generators) == 1:
            if _answers(given.elt, given.generators[0]):
                yield call, given.generators[0]
        elif isinstance(given, ast.Name):
            listed = [
                n.value for n in ast.walk(module) if isinstance(n, ast.Assign) and given.id in _given(n)
            ]
            for made in (v for v in listed if isinstance(v, ast.ListComp) and len(v.generators) == 1):
                if _answers(made.elt, made.generators[0]):
                    yield call, made.generators[0]
            yield from ((call, loop) for loop in _loops(module, given.id))


def _answers(kept: ast.AST, loop: ast.For | ast.comprehension) -> bool:
    """Whether what is kept of a batch is what something called says of it; not what it is compared with."""
    of = target_names(loop.target)
    inside = (n for n in ast.walk(kept) if isinstance(n, ast.Call))
    whole = len(of) > 1 and of <= names_in(kept)
    return not whole and any(of & names_in(a) for c in inside for a in c.args)


def _loops(module: ast.Module, name: str) -> Iterator[ast.For]:
    """The loops that keep an answer of each batch in a list of this name, and nothing else of the batch."""
    for loop in (n for n in ast.walk(module) if isinstance(n, ast.For)):
        grows = [c for c in called(loop, *GROWS) if isinstance(c.func, ast.Attribute) and c.args]
        own = [c for c in grows if name in names_in(c.func)]
        if len(grows) == 1 and own and not called(loop, "backward"):
            made = [n for n in ast.walk(loop) if isinstance(n, ast.Assign)]
            values = [n.value for n in made if names_in(own[0].args[0]) & _given(n)]
            if any(_answers(v, loop) for v in (own[0].args[0], *values)):
                yield loop


def _given(made: ast.Assign) -> set[str]:
    return set().union(*(target_names(t) for t in made.targets))


def _shuffles(value: ast.expr, place: Site) -> bool:
    """Whether the loader that a loop runs over is made to shuffle."""
    for number, step in enumerate(trail(value, place)):
        for call in called(step.value, "DataLoader"):
            flags = [k.value for k in call.keywords if k.arg == "shuffle"]
            return any(places(step.site, f, lambda v: v is True) for f in flags)
        if number > MOST:
            break
    return False
