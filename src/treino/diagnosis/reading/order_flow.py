"""In which order the rows of each array are, followed through a file's assignments: of two arrays that are
used together, one may have been put into an order of its own.
"""

import ast
from collections.abc import Iterator
from dataclasses import dataclass, replace

from treino.diagnosis.finding import Site
from treino.diagnosis.reading.orders import base
from treino.diagnosis.reading.provenance import Function
from treino.diagnosis.reading.source import call_name, called, tree

INDICES = ("argsort", "randperm", "permutation")
DRAWS = ("randperm", "permutation")
REORDERS = ("sort_values", "sort_index", "sample", "shuffle", "sort", "sorted")
MERGES = ("merge", "merge_asof", "merge_ordered")
FIGURES = ("mean", "std", "var", "min", "max", "sum", "median", "quantile", "len", "fit", "norm", "item")
MODULES = {"torch", "np", "numpy", "pd", "pandas", "nn", "F", "sklearn"}
PAIRS = ("TensorDataset", "train_test_split")
TEXTS = ("text ",)


@dataclass(frozen=True)
class Rows:
    """What an expression's rows are of, in which orders they were put, and where it was given its name."""

    of: frozenset[str] = frozenset()
    orders: frozenset[str] = frozenset()
    line: int = 0
    index: bool = False  # positions of rows or figures of them, no rows
    columns: bool = False  # some columns of a table
    bare: bool = False  # without the index by which a table's rows find each other

    def __or__(self, other: "Rows") -> "Rows":
        columns, index = self.columns or other.columns, self.index and other.index
        line, bare = self.line or other.line, self.bare or other.bare
        return Rows(self.of | other.of, self.orders | other.orders, line, index, columns, bare)


TABLES = ("sort_values", "sort_index")  # orders of tables, whose rows keep their index
BARES = ("reset_index", "to_numpy", "tolist", "list", "array", "asarray")
ALIGNS = ("reindex", "reindex_like", "align", "join", "map", "set_axis")
Names = dict[str, Rows]
Pair = tuple[Rows, Rows, bool, bool, ast.AST]  # what goes together; whether that is sure, and one item


def other_order(path: str, *, known: bool = False) -> Site | None:
    """The line that takes one of two arrays which belong together without the order of the other.

    known: rows and labels are apart, so that whatever is together in the source may be meant.
    """
    module = tree(path)
    if module is None:
        return None
    found: list[tuple[bool, int]] = []
    for one, two, sure, items, node in _pairs_of(module):
        place = _apart(one, two, node)
        columns = one.columns or two.columns  # else two parts of the rows
        tables = any(o.startswith(TABLES) for o in one.orders ^ two.orders)
        bare = tables and one.bare and two.bare  # a table was sorted by itself, and nothing tells any more
        if place and (sure or known or (columns if one.of & two.of else items or bare)):
            found.append((tables and not (one.bare or two.bare), place))
    found.sort(key=lambda f: f[0])  # tables with an index may yet be joined by it
    return Site(path, found[0][1]) if found else None


def text_order(path: str) -> Site | None:
    """The line that sorts names with bare numbers as texts, ``f10`` before ``f2``, for rows whose labels
    aren't in that order.
    """
    module = tree(path)
    for one, two, *_ in _pairs_of(module, lists=True) if module is not None and _numbered(module) else ():
        apart = {o for o in one.orders ^ two.orders if o.startswith(TEXTS)}
        both = any(o.startswith(TEXTS) for o in one.orders) and any(o.startswith(TEXTS) for o in two.orders)
        made = (one.of or one.line) and (two.of or two.line) and not (one.index or two.index)
        if apart and not both and made:
            return Site(path, min(int(o.split()[1]) for o in apart))
    return None


def _numbered(module: ast.Module) -> bool:
    """Whether the file makes names with bare numbers: ``f"rec_{number}"``, ``f"{i}.npy"``."""
    for node in ast.walk(module):
        if not isinstance(node, ast.JoinedStr):
            continue
        said = "".join(str(v.value) for v in node.values if isinstance(v, ast.Constant))
        bare = [v for v in node.values if isinstance(v, ast.FormattedValue) and v.format_spec is None]
        if bare and said and not any(c.isspace() or c in ":=," for c in said):
            return True
    return False


def _pairs_of(module: ast.Module, *, lists: bool = False) -> list[Pair]:
    attributes = _helpers(module)
    for _ in range(2):  # what __init__ makes may stand below
        found = list(_scope(module, {}, attributes, lists))
    return found


def _helpers(module: ast.Module) -> Names:
    """The orders that the file's functions put what they return into, ``NAME() 1`` for the second part; and
    what the arguments are called, ``NAME 1``, of those that are called in one place.
    """
    found: Names = {}
    for f in (n for n in ast.walk(module) if isinstance(n, Function)):
        if len(called(module, f.name)) == 1:
            found |= {f"{f.name} {i}": Rows(frozenset({a.arg})) for i, a in enumerate(f.args.args)}
        for back, parts in returned(f):
            for i, part in enumerate(_elements(back.value) if back.value is not None else ()):
                rows = next((r for value, r in parts if value is part), Rows())
                if not rows.index and any(o.startswith(TABLES) for o in rows.orders):
                    found[f"{f.name}() {i}"] = Rows(orders=rows.orders, bare=rows.bare)
    return found


def _scope(around: ast.AST, names: Names, attributes: Names, lists: bool) -> Iterator[Pair]:
    """What goes together in a module or a function, its assignments followed in their order, then in those
    inside of it.

    lists: that are filled in loops are followed, too.
    """
    inner: list[ast.AST] = []
    for node in _in_order(around, inner):
        if isinstance(node, ast.Assign):
            for target in node.targets:
                _give(target, node.value, names, attributes)
                if isinstance(target, ast.Subscript) and isinstance(target.slice, ast.Constant):
                    yield from _by_position(target.value, node.value, node, names, attributes)
        elif lists and isinstance(node, ast.For):
            _give(node.target, node.iter, names, attributes)
        elif lists and isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
            _changed(node.value, names)
        else:
            for added in node.keywords if isinstance(node, ast.Call) and call_name(node) == "assign" else ():
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                    yield from _by_position(node.func.value, added.value, node, names, attributes)
            for one, two, sure, items in _together(node, around):
                yield _rows(one, names, attributes), _rows(two, names, attributes), sure, items, node
    for function in inner:
        own = dict(names)
        if isinstance(function, Function):
            given = {a.arg: attributes.get(f"{function.name}({a.arg})", Rows()) for a in function.args.args}
            own |= {a: Rows(frozenset({a}), r.orders, bare=r.bare) for a, r in given.items()}
        yield from _scope(function, own, attributes, lists)


def _by_position(
    table: ast.AST, column: ast.AST, node: ast.AST, names: Names, attributes: Names
) -> Iterator[Pair]:
    """A column of another table, which was put into an order and lost its index, as it goes into a table."""
    one, two = _rows(table, names, attributes), _rows(column, names, attributes)
    sources = {n.id for n in ast.walk(column) if isinstance(n, ast.Name)} & names.keys()
    if two.bare and not one.bare and sources and base(table) not in sources:
        yield replace(one, line=0), replace(two, line=0), True, False, node


Parts = list[tuple[ast.expr, Rows]]


def returned(function: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[tuple[ast.Return, Parts]]:
    """The parts of what a function returns, each with the orders that its rows were put into."""
    names = {a.arg: Rows(frozenset({a.arg})) for a in function.args.args}
    for node in _statements(function.body):
        if isinstance(node, ast.Assign):
            for target in node.targets:
                _give(target, node.value, names, {})
        elif isinstance(node, ast.For):
            _give(node.target, node.iter, names, {})
        elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
            _changed(node.value, names)
        elif isinstance(node, ast.Return) and node.value is not None:
            parts = [_rows(value, names, {}) for value in _elements(node.value)]
            yield node, [(v, r) for v, r in zip(_elements(node.value), parts, strict=True) if r.of]


def _statements(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """Statements in the order of their lines, those inside of others after them."""
    for node in body:
        yield node
        for inside in ("body", "orelse", "finalbody"):
            if not isinstance(node, (*Function.__args__, ast.ClassDef)):
                yield from _statements(getattr(node, inside, []))


def _changed(call: ast.Call, names: Names) -> None:
    """A call that puts a list into another order, or adds to it."""
    of = call.func.value if isinstance(call.func, ast.Attribute) else None
    name, given = call_name(call), call.args[:1]
    if isinstance(of, ast.Name) and name in ("append", "extend", "sort"):
        own = names.get(of.id, Rows(frozenset({of.id})))
        kind = "sort" if any(k.arg == "key" for k in call.keywords) else "text"
        sort = Rows(orders=frozenset({f"{kind} {call.lineno}"}))
        more = sort if name == "sort" or not given else _rows(given[0], names, {})
        names[of.id] = replace(own | more, index=False)
    elif name == "shuffle" and given and isinstance(given[0], ast.Name):
        own = names.get(given[0].id, Rows(frozenset({given[0].id})))
        names[given[0].id] = replace(own, orders=own.orders | {f"shuffle {call.lineno}"})


def _elements(value: ast.expr) -> list[ast.expr]:
    """The parts of a tuple, a list or a dictionary, those in one of its parts too."""
    if isinstance(value, ast.Dict):
        return list(value.values)
    if isinstance(value, (ast.Tuple, ast.List)):
        return [e for part in value.elts for e in _elements(part)]
    return [value]


def _in_order(around: ast.AST, inner: list[ast.AST]) -> Iterator[ast.AST]:
    for node in ast.iter_child_nodes(around):
        if isinstance(node, (*Function.__args__, ast.ClassDef)):
            inner.append(node)
            continue
        if isinstance(node, ast.For):
            yield node
        yield from _in_order(node, inner)
        if not isinstance(node, ast.For):
            yield node


def _give(target: ast.AST, value: ast.AST, names: Names, attributes: Names) -> None:
    if isinstance(target, (ast.Tuple, ast.List)):
        pairs = isinstance(value, (ast.Tuple, ast.List)) and len(value.elts) == len(target.elts)
        if not pairs and isinstance(value, ast.Call) and not _rows(value, names, attributes).of:
            kin = Rows(
                frozenset({f"call {value.lineno}"}), line=value.lineno
            )  # what one call gives is together
            named = [(i, t.id) for i, t in enumerate(target.elts) if isinstance(t, ast.Name)]
            names |= {t: _as_returned(replace(kin, of=kin.of | {t}), value, i, attributes) for i, t in named}
            return
        for i, t in enumerate(target.elts):
            _give(t, value.elts[i] if pairs else value, names, attributes)  # type: ignore[attr-defined]
            if isinstance(value, ast.Call) and isinstance(t, ast.Name):
                names[t.id] = _as_returned(names[t.id], value, i, attributes)
        return
    rows = replace(_rows(value, names, attributes), line=value.lineno)  # type: ignore[attr-defined]
    if isinstance(target, ast.Name):
        names[target.id] = rows if rows.of or rows.index else replace(rows, of=frozenset({target.id}))
    elif isinstance(target, ast.Attribute):
        attributes[target.attr] = rows


def _as_returned(rows: Rows, call: ast.Call, part: int, attributes: Names) -> Rows:
    """Rows that a function of the file gives, in the order that it puts them into."""
    back = attributes.get(f"{call_name(call)}() {part}", Rows())
    return replace(rows, orders=rows.orders | back.orders, bare=rows.bare or back.bare)


def _rows(node: ast.AST, names: Names, attributes: Names) -> Rows:
    """What is known of an expression's rows."""
    if isinstance(node, ast.Name):
        return names.get(node.id, Rows(frozenset({node.id} - MODULES)))
    if isinstance(node, ast.Attribute):
        if isinstance(node.value, ast.Name) and node.value.id == "self":
            return attributes.get(node.attr, Rows(frozenset({node.attr})))
        rows = _rows(node.value, names, attributes)
        return replace(rows, bare=True) if node.attr == "values" else rows
    if isinstance(node, ast.Subscript):
        first = node.slice.elts[0] if isinstance(node.slice, ast.Tuple) and node.slice.elts else node.slice
        rows, at = _rows(node.value, names, attributes), _rows(first, names, attributes)
        text = isinstance(first, ast.Constant) and isinstance(first.value, str)
        columns = rows.columns or text or isinstance(node.slice, ast.Tuple)
        backwards = {"backwards"} if _is_backwards(first) else set()
        if isinstance(first, ast.Attribute) and first.attr == "index":  # found by the index of another table
            return replace(rows, orders=at.orders, columns=columns)
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
    if name == "sorted" and not any(k.arg == "key" for k in node.keywords):
        order = f"text {node.lineno}"
    for i, part in enumerate(node.args):  # what a function of the file is given
        for arg in attributes.get(f"{name} {i}", Rows()).of:
            given = _rows(part, names, attributes)
            attributes[f"{name}({arg})"] = Rows(orders=given.orders, bare=given.bare)
    if name in ALIGNS and method is not None:
        other = known[1].orders if name.startswith("reindex") and len(known) > 1 else known[0].orders
        return replace(rows, orders=other)
    rows = _as_returned(replace(rows, bare=rows.bare or name in BARES), node, 0, attributes)
    if name in INDICES:
        return Rows(orders=frozenset({order}), index=True)
    if name in MERGES and len(known) > 1:  # rows come in the order of the first table, or of the keys
        how = next((getattr(k.value, "value", "") for k in node.keywords if k.arg == "how"), "")
        first = next((r for r in known if r.of), rows)
        other = frozenset({f"merge {node.lineno}"}) if how in ("outer", "right") else frozenset()
        return replace(rows, orders=first.orders | other)
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
