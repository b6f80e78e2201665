"""What a person's own code gives batches by: classes that are iterated over, functions that yield."""

import ast

from treino.diagnosis.finding import Site
from treino.diagnosis.reading.ancestry import step_back
from treino.diagnosis.reading.provenance import Function
from treino.diagnosis.reading.source import call_name, enclosing, remembered, tree

DEEP = 4  # names that stand for one loader
LOOPS = (ast.For, ast.ListComp, ast.GeneratorExp, ast.SetComp, ast.DictComp)


@remembered
def loading(path: str) -> tuple[str, ...]:
    """The names of a file's classes with ``__iter__``, and of its functions that yield."""
    module = tree(path)
    found: list[str] = []
    for node in ast.walk(module) if module is not None else ():
        if isinstance(node, ast.ClassDef):
            given = any(isinstance(m, Function) and m.name == "__iter__" for m in node.body)
            found += [node.name] if given else []
        elif isinstance(node, Function) and not node.name.startswith("__"):
            found += [node.name] if any(isinstance(n, ast.Yield) for n in ast.walk(node)) else []
    return tuple(found)


def own_loader(sites: tuple[Site, ...]) -> Site | None:
    """Where the batches of the innermost loop around one of these lines begin: the call that makes what the
    loop goes over, of a class or function of the file.
    """
    for site in sites:
        for loop in (n for n in reversed(enclosing(site)) if isinstance(n, LOOPS)):
            head = loop.iter if isinstance(loop, ast.For) else loop.generators[0].iter
            place = _made(site, head)
            if place is not None:
                return place
    return None


def _made(place: Site, value: ast.AST) -> Site | None:
    for _ in range(DEEP):
        if isinstance(value, ast.Call) and call_name(value) in loading(place.file):
            return Site(place.file, value.lineno)
        name = getattr(value, "id", "") or getattr(value, "attr", "")
        step = step_back(name, place) if name else None
        if step is None:
            return None
        place, value = step.site, step.value
    return None
