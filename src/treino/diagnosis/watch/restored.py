"""Modes that are put back: whether a line sets a net to what was kept of it before."""

import ast

from treino.diagnosis.finding import Site
from treino.diagnosis.reading.source import called, names_in, statement_at, tree


def puts_back(site: Site | None) -> bool:
    """``net.train(before)``, where ``before`` was read from ``net.training``."""
    statement = statement_at(site) if site is not None else None
    module = tree(site.file) if site is not None else None
    if statement is None or module is None:
        return False
    given: set[str] = set()
    for call in called(statement, "train"):
        for value in (*call.args, *(k.value for k in call.keywords)):
            given |= names_in(value)
    kept = {
        n
        for node in ast.walk(module)
        if isinstance(node, ast.Assign) and "training" in names_in(node.value)
        for target in node.targets
        for n in names_in(target)
    }
    return bool((given - {"self"}) & (kept | {"training"}))
