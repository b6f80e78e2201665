"""Reaching definitions: the lines that may have set the value of a name at a place."""

import ast

from treino_doctor.places.bindings import Definition, bindings, scope_of
from treino_doctor.places.source import Function, above, parents


def reaching(path: str, name: str, node: ast.AST) -> list[Definition]:
    """The definitions that may have set the value of a name at this node, nearest first."""
    file, at = bindings(path), _statement_of(path, node)
    inside = list(above(path, node))
    for scope in (
        n for n in inside if isinstance(n, (*Function.__args__, ast.Lambda, ast.ClassDef, ast.Module))
    ):
        if isinstance(scope, ast.ClassDef) and scope is not scope_of(path, node):
            continue
        known = file.named.get((id(scope), name), [])
        within = [d for d in known if d.inside is not None and d.inside in inside and d.how == "loop"]
        if within:
            return within[-1:]
        known = [d for d in known if d.inside is None]
        here = scope is scope_of(path, node)
        definitions = _in_scope(path, known, at, inside) if here else list(reversed(known))
        if definitions:
            return definitions
    return []


def _statement_of(path: str, node: ast.AST) -> ast.AST:
    if isinstance(node, ast.stmt):
        return node
    return next((n for n in above(path, node) if isinstance(n, ast.stmt)), node)


def _in_scope(path: str, known: list[Definition], at: ast.AST, inside: list[ast.AST]) -> list[Definition]:
    line, definitions = getattr(at, "lineno", 0), []
    around = {id(n) for n in (at, *inside)}
    killed: Definition | None = None
    for d in reversed(known):
        own = d.how != "parameter" and (d.statement is at or at in above(path, d.statement))
        head = d.how in ("loop", "with") and id(d.statement) in around and d.statement is not at
        before = d.line < line or head or d.how == "parameter" or (d.line == line and not own)
        if not before or (own and not head):
            continue
        definitions.append(d)
        if d.how != "changed" and _always(path, d, around):
            killed = d
            break
    loop = next((n for n in inside if isinstance(n, (ast.For, ast.While, ast.AsyncFor))), None)
    if loop is not None and not (killed is not None and loop in above(path, killed.statement)):
        late = [d for d in known if d.line >= line and loop in above(path, d.statement)]
        definitions += [d for d in late if d not in definitions]
    return definitions


def _always(path: str, d: Definition, around: set[int]) -> bool:
    """Whether a definition certainly ran: its block also contains the place."""
    block = parents(path).get(id(d.statement)) if d.how != "parameter" else None
    if d.how in ("loop", "with") and id(d.statement) in around:
        return True
    plain = not isinstance(block, (ast.For, ast.While, ast.AsyncFor, ast.If, ast.Try, ast.ExceptHandler))
    return d.how == "parameter" or plain or id(block) in around
