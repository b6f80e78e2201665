"""The half of an exported script that predicts: what only training uses is left out."""

import ast
import re

SECTION = "# ----"


def predicting_half(text: str) -> str:
    """The script without the definitions that nothing reaches from its last statement, and their comments."""
    lines, body = text.split("\n"), ast.parse(text).body
    bound = [_bound(node) for node in body]
    reached = {name for node, names in zip(body, bound, strict=True) if not names for name in _used(node)}
    kept: set[int] = set()
    while more := {i for i, names in enumerate(bound) if names & reached} - kept:
        kept |= more
        reached |= {name for i in more for name in _used(body[i])}
    for i, (node, names) in enumerate(zip(body, bound, strict=True)):
        if names and i not in kept:
            first = min([node.lineno, *(d.lineno for d in getattr(node, "decorator_list", []))]) - 1
            while lines[first - 1].startswith("#") and not lines[first - 1].startswith(SECTION):
                first -= 1
            lines[first : node.end_lineno] = [""] * ((node.end_lineno or 0) - first)
    return re.sub(r"\n{4,}", "\n\n\n", "\n".join(lines))


def _bound(node: ast.stmt) -> set[str]:
    """The names that a statement defines; of any other than a definition none."""
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        return {node.name}
    if isinstance(node, ast.Assign):
        return {
            each.id
            for target in node.targets
            for each in ast.walk(target)
            if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Store)
        }
    return set()


def _used(node: ast.stmt) -> set[str]:
    return {each.id for each in ast.walk(node) if isinstance(each, ast.Name)}
