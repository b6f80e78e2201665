"""Calls that say the same in other words, read alike: rows taken by ``x.index_select(0, i)`` as ``x[i]``,
``net.train(False)`` as ``net.eval()``, so that the other readers need to know one way alone.
"""

import ast

JOINS = ("concat", "concatenate")
TAKES = {"index_select": (0, 1), "take": (1, 0)}  # where the axis and the rows are given


def said_alike(module: ast.Module) -> ast.Module:
    """The same module with such calls replaced, where they stand."""
    _Alike().visit(module)
    return ast.fix_missing_locations(module)


class _Alike(ast.NodeTransformer):
    def visit_Call(self, node: ast.Call) -> ast.expr:
        self.generic_visit(node)
        new = _rows(node) or _mode(node) or _attribute(node)
        if isinstance(node.func, ast.Attribute) and node.func.attr in JOINS and _of_torch(node.func.value):
            node.func.attr = "cat"
        return node if new is None else ast.copy_location(new, node)

    def visit_Subscript(self, node: ast.Subscript) -> ast.expr:
        """``x[rows, :]`` and ``x[rows, ...]`` as ``x[rows]``."""
        self.generic_visit(node)
        parts = node.slice.elts if isinstance(node.slice, ast.Tuple) else []
        if len(parts) > 1 and all(map(_whole, parts[1:])):
            node.slice = parts[0]
        return node


def _whole(at: ast.expr) -> bool:
    if isinstance(at, ast.Slice):
        return at.lower is None and at.upper is None and at.step is None
    return isinstance(at, ast.Constant) and at.value is Ellipsis


def _rows(call: ast.Call) -> ast.expr | None:
    """``x[i]`` of ``torch.index_select(x, 0, i)``, ``x.index_select(0, i)`` and ``np.take(x, i, axis=0)``."""
    if not isinstance(call.func, ast.Attribute) or call.func.attr not in TAKES or not _plain(call):
        return None
    own = not _of_library(call.func.value)
    of = call.func.value if own else next(iter(call.args), None)
    rest = call.args if own else call.args[1:]
    named = {k.arg: k.value for k in call.keywords}
    at, rows_at = TAKES[call.func.attr]
    axis = named.get("dim") or named.get("axis") or next(iter(rest[at : at + 1]), None)
    rows = named.get("index") or named.get("indices") or next(iter(rest[rows_at : rows_at + 1]), None)
    first = isinstance(axis, ast.Constant) and axis.value == 0
    return ast.Subscript(of, rows, ast.Load()) if of is not None and rows is not None and first else None


def _mode(call: ast.Call) -> ast.expr | None:
    """``net.eval()`` of ``net.train(False)`` and ``net.train()`` of ``net.train(True)``."""
    given = [*call.args, *(k.value for k in call.keywords if k.arg == "mode")]
    modes = isinstance(call.func, ast.Attribute) and call.func.attr == "train" and len(given) == 1
    mode = given[0].value if modes and isinstance(given[0], ast.Constant) else None
    if not isinstance(call.func, ast.Attribute) or not isinstance(mode, bool):
        return None
    func = ast.copy_location(
        ast.Attribute(call.func.value, "train" if mode else "eval", ast.Load()), call.func
    )
    return ast.Call(func, [], [])


def _attribute(call: ast.Call) -> ast.expr | None:
    """``torch.optim.Adam`` of ``getattr(torch.optim, "Adam")``."""
    named = isinstance(call.func, ast.Name) and call.func.id == "getattr" and len(call.args) == 2
    name = call.args[1].value if named and isinstance(call.args[1], ast.Constant) else None
    return ast.Attribute(call.args[0], name, ast.Load()) if isinstance(name, str) else None


def _plain(call: ast.Call) -> bool:
    return not any(isinstance(a, ast.Starred) for a in call.args) and all(k.arg for k in call.keywords)


def _of_library(value: ast.AST) -> bool:
    return isinstance(value, ast.Name) and value.id in ("torch", "np", "numpy")


def _of_torch(value: ast.AST) -> bool:
    return isinstance(value, ast.Name) and value.id == "torch"
