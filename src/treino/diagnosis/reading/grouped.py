"""Tables that were grouped by a key, whose rows stand in its order, beside tables that were not."""

import ast

from treino.diagnosis.finding import Site
from treino.diagnosis.reading.source import call_name, called, names_in, tree
from treino.diagnosis.reading.traced import Value, traced

ALIGNS = ("merge", "join", "reindex", "map", "align", "sort_values", "sort_index", "loc", "reindex_like")
GROUPS = ("groupby", "pivot_table", "pivot")
ARRAYS = ("to_numpy", "values", "asarray", "array")


def grouped_apart(path: str) -> Site | None:
    """The line on which a column leaves its table for an array, in the table's own order, while the features
    leave one that was grouped; None where anything in the file brings rows into the order of others.
    """
    module = tree(path)
    if module is None or not _sorting(module):
        return None
    repeats = {id(n.value) for n in ast.walk(module) if isinstance(n, ast.Subscript) and _of_itself(n)}
    methods = [n for n in ast.walk(module) if isinstance(n, ast.Attribute) and n.attr in ALIGNS]
    if any(_aligns(path, n) for n in methods if id(n) not in repeats):
        return None
    apart: list[int] = []
    grouped = False
    for node in ast.walk(module):
        of = _left(node)
        if of is None:
            continue
        made = [v.node for v in traced(Value(Site(path, of.lineno), of))]
        if any(isinstance(n, ast.Call) and call_name(n) in GROUPS for n in made):
            grouped = True
        elif any(isinstance(n, ast.Call) and call_name(n) in ("DataFrame", "read_csv") for n in made):
            apart.append(of.lineno)
    return Site(path, apart[0]) if grouped and apart else None


def _aligns(path: str, method: ast.Attribute) -> bool:
    """Whether it may bring rows into another order: neither ``", ".join(words)`` nor ``table["id"].map(...)``
    of a table that keeps its own does.
    """
    if method.attr == "map":
        made = [v.node for v in traced(Value(Site(path, method.lineno), method.value))]
        return any(
            (isinstance(n, ast.Call) and call_name(n) in GROUPS)
            or (isinstance(n, ast.Attribute) and n.attr == "index")
            for n in made
        )
    return not (method.attr == "join" and isinstance(method.value, ast.Constant))


def _of_itself(node: ast.Subscript) -> bool:
    """``table.loc[table.index.repeat(3)]``, ``table.loc[0]``: no other table has a say in the order."""
    given = {n for c in called(node.slice, "repeat") for a in c.args for n in names_in(a)}
    named = names_in(node.slice) - {"index", "repeat", "values", *given}
    of = node.value.value if isinstance(node.value, ast.Attribute) else None
    return isinstance(of, ast.Name) and named <= {of.id}


def _sorting(module: ast.Module) -> bool:
    """Whether a table is grouped so that its rows come to stand in the order of the key."""
    return any(
        not any(k.arg == "sort" and getattr(k.value, "value", True) is False for k in call.keywords)
        for call in called(module, *GROUPS)
    )


def _left(node: ast.AST) -> ast.expr | None:
    """What leaves pandas here: ``table.to_numpy()``, ``table.values``, ``np.asarray(table)``"""
    if isinstance(node, ast.Call) and call_name(node) in ARRAYS:
        of = node.func.value if isinstance(node.func, ast.Attribute) else None
        return of if call_name(node) == "to_numpy" else node.args[0] if node.args else None
    return node.value if isinstance(node, ast.Attribute) and node.attr == "values" else None
