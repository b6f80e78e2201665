"""Which line takes a part of the rows, and which one computed them last: followed by name, through arguments
and what functions of the file return.
"""

import ast
from collections.abc import Callable
from dataclasses import dataclass

from treino.diagnosis.finding import Site
from treino.diagnosis.reading.ancestry import GIVES, step_back
from treino.diagnosis.reading.provenance import (
    HOLDERS,
    Function,
    calling_line,
    data_names,
    definition,
    given_rows,
)
from treino.diagnosis.reading.source import called, remembered, statement_at, tree

DEEP = 8  # names, one made of the other


@dataclass(frozen=True)
class Part:
    """Where the training or test part of the rows is taken."""

    site: Site
    of_other: bool  # it is taken from the other part


def rows_line(site: Site | None, loader: Site | None, role: Callable[[set[str]], bool]) -> Part | None:
    """The line that takes a part of the rows, for the rows that a net is given on a line or by a loader: the
    first link of their chain that is more than a conversion of what bears the same word (train, test).
    """
    start = loader or site
    statement = statement_at(start) if start is not None else None
    if start is None or statement is None:
        return None
    names = given_rows(statement, start, of_loader=loader is not None)
    for name in names:
        if role({name}):
            return _chain(start, name, role)
    if loader is not None:
        return Part(calling_line(loader), False)
    for name in names:
        made = definition(start, name)
        if made is not None and isinstance(made.function, (type(None), *Function.__args__)):
            roles = [n for n in data_names(made.value) if role({n})]
            if roles:
                return _chain(Site(start.file, made.line), roles[0], role)
    return None


def last_change(site: Site, loader: Site | None) -> Site | None:
    """The last line that computed the rows which a net is given on a line or by a loader: neither the loop
    that hands them out, nor the dataset that holds them, nor a call that hands them over.
    """
    start = loader or site
    statement = statement_at(start)
    names = given_rows(statement, start, of_loader=loader is not None) if statement is not None else []
    for name in names:
        place = start
        for _ in range(DEEP):
            step = step_back(name, place)
            if step is None:
                break
            value, before, place = step.value, place, step.site
            held = isinstance(value, ast.Call) and called(value, *HOLDERS, *_datasets(place.file))
            inside = sorted(data_names(held[0].args[0])) if held and held[0].args else []
            handed = isinstance(value, ast.Name | ast.Attribute) and place.line != before.line
            if not (inside or step.loop or handed):
                return place
            name = inside[0] if inside else next(iter(sorted(data_names(value))), name)
    return None


@remembered
def _datasets(path: str) -> list[str]:
    """The classes of a file whose objects give rows, or batches of them, as they are."""
    module = tree(path)
    kinds = [n for n in ast.walk(module) if isinstance(n, ast.ClassDef)] if module is not None else []
    return [k.name for k in kinds if any(isinstance(n, Function) and n.name in GIVES for n in k.body)]


def _chain(site: Site, name: str, role: Callable[[set[str]], bool]) -> Part:
    place = site
    for _ in range(DEEP):
        step = step_back(name, place)
        if step is None:
            return Part(place, False)
        place = step.site
        names = data_names(step.value)
        same = sorted((n for n in names if role({n})), key=lambda n: n == name)
        if not same:
            return Part(place, any(_speaks(n) for n in names))
        name = same[0]
    return Part(place, False)


def _speaks(name: str) -> bool:
    return any(w in name.lower() for w in ("train", "test", "val"))
