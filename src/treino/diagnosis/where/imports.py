"""What a script takes from its own files: ``from config import LR``, ``import helpers``."""

import ast
from pathlib import Path

from treino.diagnosis.finding import Site
from treino.diagnosis.where.bindings import bindings
from treino.diagnosis.where.source import module, place, remembered


@remembered
def own_file(path: str, name: str) -> str | None:
    """The file beside this one that a module's name stands for."""
    base = Path(path).parent / Path(*name.split("."))
    for found in (base.with_suffix(".py"), base / "__init__.py"):
        try:
            if found.is_file():
                return str(found)
        except OSError:
            return None
    return None


def imported(path: str, statement: ast.AST, name: str, asked: str) -> list[tuple[Site, ast.AST]]:
    """What a name that was imported from a file beside this one is given there."""
    if isinstance(statement, ast.ImportFrom):
        source = own_file(path, statement.module) if statement.module else None
        asked = name
    else:
        source = own_file(path, name) if isinstance(statement, ast.Import) else None
    if source is None or source == path:
        return []
    known = bindings(source).named.get((id(module(source)), asked), [])
    return [
        (place(source, d.value, 0 if hasattr(d.value, "lineno") else d.line), d.value)
        for d in reversed(known)
        if d.how != "import"
    ]
