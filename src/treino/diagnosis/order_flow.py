"""In which order the rows of each array are, followed through a file's assignments: of two arrays that are
used together, one may have been put into an order of its own.
"""

import ast
from collections.abc import Iterator
from dataclasses import dataclass, replace

from treino.diagnosis.finding import Site
from treino.diagnosis.provenance import Function
from treino.diagnosis.source import call_name, tree

INDICES = ("argsort", "randperm", "permutation")
DRAWS = ("randperm", "permutation")
REORDERS = ("sort_values", "sort_index", "sample", "shuffle", "sort", "sorted")
FIGURES = ("mean", "std", "var", "min", "max", "sum", "median", "quantile", "len", "fit", "norm", "item")
MODULES = {"torch", "np", "numpy", "pd", "pandas", "nn", "F", "sklearn"}
PAIRS = ("TensorDataset", "train_test_split")


@dataclass(frozen=True)
class Rows:
    """What an expression's rows are of, in which orders they were put, and where it was given its name."""

    of: frozenset[str] = frozenset()
    orders: frozenset[str] = frozenset()
    line: int = 0
    index: bool = False  # positions of rows or figures of them, no rows
    columns: bool = False  # some columns of a table

    def __or__(self, other: "Rows") -> "Rows":
        columns, index = self.columns or other.columns, self.index and other.index
        return Rows(self.of | other.of, self.orders | other.orders, self.line or other.line, index, columns)


Names = dict[str, Rows]


def other_order(path: str, *, known: bool = False) -> Site | None:
    """The line that takes one of two arrays which belong together without the order of the other.

    known: rows and labels are apart, so that whatever is together in the source may be meant.
    """
    module = tree(path)
    if module is None:
        return None
    attributes: Names = {}
    for _ in range(2):  # what __init__ makes may stand below
        found = list(_scope(module, {}, attributes, known))
    return Site(path, found[0]) if found else None


def _scope(around: ast.AST, names: Names, attributes: Names, known: bool) -> Iterator[int]:
    """Lines of a module or a function, its assignments followed in their order, then those inside of it."""
    inner: list[ast.AST] = []
    for node in _in_order(around, inner):
        if isinstance(node, ast.Assign):
            for target in node.targets:
                _give(target, node.value, names, attributes)
        else:
            for one, two, sure, items in _together(node, around):
                pair = _rows(one, names, attributes), _rows(two, names, attributes)
                place = _apart(*pair, node)
                same = bool(pair[0].of & pair[1].of)
                columns = pair[0].columns or pair[1].columns  # else two parts of the rows
                if place and (sure or known or (columns if same else items)):
                    yield place
    for function in inner:
        own = dict(names)
        if isinstance(function, Function):
            own |= {a.arg: Rows(frozenset({a.arg})) for a in function.args.args}
        yield from _scope(function, own, attributes, known)


def _in_order(around: ast.AST, inner: list[ast.AST]) -> Iterator[ast.AST]:
    for node in ast.iter_child_nodes(around):
        if isinstance(node, (*Function.__args__, ast.ClassDef)):
            inner.append(node)
            continue
        yield from _in_order(node, inner)
        yield node


def _give(target: ast.AST, value: ast.AST, names: Names, attributes: Names) -> None:
    if isinstance(target, (ast.Tuple, ast.List)):
        pairs = isinstance(value, (ast.Tuple, ast.List)) and len(value.elts) == len(target.elts)
        if not pairs and isinstance(value, ast.Call) and not _rows(value, names, attributes).of:
            kin = Rows(
                frozenset({f"call {value.lineno}"}), line=value.lineno
            )  # what one call gives is together
            names |= {t.id: replace(kin, of=kin.of | {t.id}) for t in target.elts if isinstance(t, ast.Name)}
            return
        for i, t in enumerate(target.elts):
            _give(t, value.elts[i] if pairs else value, names, attributes)  # type: ignore[attr-defined]
        return
    rows = replace(_rows(value, names, attributes), line=value.lineno)  # type: ignore[attr-defined]
    if isinstance(target, ast.Name):
        names[target.id] = rows if rows.of or rows.index else replace(rows, of=frozenset({target.id}))
    elif isinstance(target, ast.Attribute):
        attributes[target.attr] = rows


def _rows(node: ast.AST, names: Names, attributes: Names) -> Rows:
    """What is known of an expression's rows."""
    if isinstance(node, ast.Name):
        return names.get(node.id, Rows(frozenset({node.id} - MODULES)))
    if isinstance(node, ast.Attribute):
        if isinstance(node.value, ast.Name) and node.value.id == "self":
            return attributes.get(node.attr, Rows(frozenset({node.attr})))
        return _rows(node.value, names, attributes)
    if isinstance(node, ast.Subscript):
        first = node.slice.elts[0] if isinstance(node.slice, ast.Tuple) and node.slice.elts else node.slice
        rows, at = _rows(node.value, names, attributes), _rows(first, names, attributes)
        text = isinstance(first, ast.Constant) and isinstance(first.value, str)
        columns = rows.columns or text or isinstance(node.slice, ast.Tuple)
        backwards = {"backwards"} if _is_backwards(first) else set()
        return replace(rows, orders=rows.orders | at.orders | backwards, columns=columns)
    if isinstance(node, (ast.Constant, ast.Lambda)):
        return Rows()
    if isinstance(node, (ast.DictComp, ast.SetComp, ast.Set)):
        return Rows(index=True)  # a vocabulary: where it is looked up, the rows keep their order
    if isinstance(node, ast.Call):
        return _called(node, names, attributes)
    parts = [getattr(n, "iter", n) for n in ast.iter_child_nodes(node)]  # a comprehension goes through rows
    found = [_rows(n, names, attributes) for n in parts if isinstance(n, ast.expr)]
    return _joined(found)


def _is_backwards(cut: ast.AST) -> bool:
    """``[::-1]``"""
    return isinstance(cut, ast.Slice) and isinstance(cut.step, ast.UnaryOp) and cut.lower is cut.upper is None


def _called(node: ast.Call, names: Names, attributes: Names) -> Rows:
    method = node.func.value if isinstance(node.func, ast.Attribute) else None
    name = call_name(node)
    parts = ([method] if method is not None else []) + [*node.args, *(k.value for k in node.keywords)]
    known = [_rows(p, names, attributes) for p in parts]
    rows = replace(_joined(known), columns=any(r.columns for r in known[:2]))
    seed = [ast.dump(k.value) for k in node.keywords if k.arg == "random_state"]
    order = f"{name} {seed[0]}" if seed else f"{name} {node.lineno}"
    if name in INDICES:
        return Rows(orders=frozenset({order}), index=True)
    if name in FIGURES or name in ("set", "unique", "Counter"):
        return Rows(index=True)
    if name in REORDERS and not rows.index and (name != "sample" or "frac" in {k.arg for k in node.keywords}):
        return replace(rows, orders=rows.orders | {order})
    return rows


def _joined(parts: list[Rows]) -> Rows:
    found = Rows()
    for part in parts:
        found = found | part
    return found


def _together(node: ast.AST, around: ast.AST) -> Iterator[tuple[ast.AST, ast.AST, bool, bool]]:
    """Expressions that go together row by row: what is returned as a pair, given to a dataset, to a loss;
    whether that is sure, and whether they are one item of a dataset.
    """
    parts: list[ast.expr] = []
    if isinstance(node, ast.Return) and isinstance(node.value, (ast.Tuple, ast.Dict)):
        parts = node.value.elts if isinstance(node.value, ast.Tuple) else node.value.values
        if len(parts) == 2:
            yield parts[0], parts[1], False, getattr(around, "name", "") == "__getitem__"
    elif isinstance(node, ast.Call) and len(node.args) >= 2:
        name = call_name(node)
        loss = isinstance(node.args[0], ast.Call) and bool(node.args[0].args)
        if name in (*PAIRS, "zip") or loss or name[:1].isupper():
            yield node.args[0], node.args[1], name in PAIRS, False


def _apart(one: Rows, two: Rows, node: ast.AST) -> int:
    """The line of the rows that lack the other's order; 0 where both are in the same."""
    if one.index or two.index or not (one.of and two.of) or one.orders == two.orders:
        return 0
    less, more = (one, two) if one.orders < two.orders else (two, one)
    drawn = [{o for o in r.orders - s.orders if o.split()[0] in DRAWS} for r, s in ((one, two), (two, one))]
    if all(drawn) and one.line and two.line:
        return min(one.line, two.line)  # each in an order that was drawn for it
    if not less.orders < more.orders:
        return 0
    line: int = node.lineno  # type: ignore[attr-defined]
    return line if isinstance(node, ast.Return) and not one.of & two.of else less.line or line
