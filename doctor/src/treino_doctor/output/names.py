"""Names in a file that is fixed: what its imports bind them to, and which names are bound where."""

import ast
import builtins
import sys
from collections.abc import Iterable
from typing import Any, TypeVar

from treino_doctor.places.bindings import Definition, bindings, reaching, scope_of
from treino_doctor.places.source import Function

T = TypeVar("T")


def sole(some: Iterable[T]) -> T | None:
    """The only one; None if there are none or several."""
    every = list(some)
    return every[0] if len(every) == 1 else None


def dotted(file: str, node: ast.AST) -> str:
    """The full name of an imported object, torch.nn.Softmax for ``n.Softmax``; "" for anything else."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.insert(0, node.attr)
        node = node.value
    if not isinstance(node, ast.Name):
        return ""
    root = sole({_origin(d, node.id) for d in reaching(file, node.id, node)} or _starred(file, node.id))
    return ".".join((root, *parts)) if root else ""


def _starred(file: str, name: str) -> set[str]:
    """The full names that star imports of the file may bind a name to, which nothing else there binds."""
    named = bindings(file).named
    if any(bound == name for _scope, bound in named):
        return set()
    every = (d.statement for (_scope, bound), made in named.items() if bound == "*" for d in made)
    starred = {s.module or "" for s in every if isinstance(s, ast.ImportFrom) and not s.level}
    loaded = {module: sys.modules.get(module) for module in starred}
    return {f"{m}.{name}" for m, of in loaded.items() if name in getattr(of, "__all__", dir(of))}


def _origin(made: Definition, name: str) -> str:
    """The full name that an import binds this name to; "" if another statement binds it."""
    statement = made.statement
    for alias in statement.names if isinstance(statement, (ast.Import, ast.ImportFrom)) else ():
        if isinstance(statement, ast.ImportFrom) and (alias.asname or alias.name) == name:
            return f"{statement.module}.{alias.name}" if not statement.level else ""
        if isinstance(statement, ast.Import) and (alias.asname or alias.name.split(".")[0]) == name:
            return alias.name if alias.asname else name
    return ""


def name_for(file: str, full: str, at: ast.AST) -> str:
    """The name that a script can use for a torch object at a node; "" if it has none there."""
    last = full.rpartition(".")[2]
    ways = [(len(full), last)] if _starred(file, last) == {full} else []
    for (_scope, name), made in bindings(file).named.items():
        for root in {_origin(d, name) for d in made} - {""}:
            here = {_origin(d, name) for d in reaching(file, name, at)}
            if here == {root} and (full + ".").startswith(root + "."):
                ways.append((len(root), name + full[len(root) :]))
    return max(ways, default=(0, ""))[1]


def is_bound(file: str, node: ast.Name, before: str) -> bool:
    """Whether a name has a value at a node of a fixed file. before: the file as it ran, where a name that it
    reads in the same scope had one even if none is seen (``global``, ``%run``)."""
    own, at, made = scope_of(file, node), begin(node), reaching(file, node.id, node)
    here = bindings(file).named.get((id(own), node.id), ())
    local = [d for d in here if d.how != "changed" and not d.inside]
    if local and isinstance(own, (*Function.__args__, ast.Lambda)):  # then no outer one is ever read
        made = [d for d in made if d in local or d.inside]
    elif not made:
        reads = (n for n in bindings(before).loads.get(node.id, ()) if not reaching(before, node.id, n))
        same = any(getattr(scope_of(before, n), "name", "") == getattr(own, "name", "") for n in reads)
        return same or hasattr(builtins, node.id) or bool(_starred(file, node.id))
    elsewhere = (d.how == "parameter" or d.inside or scope_of(file, d.statement) is not own for d in made)
    return any(elsewhere) or any(begin(d.statement) < at for d in made)


def begin(node: Any) -> tuple[int, int]:
    """Where a node begins: its line, counted from 1, and its column."""
    return getattr(node, "lineno", 0), getattr(node, "col_offset", 0)
