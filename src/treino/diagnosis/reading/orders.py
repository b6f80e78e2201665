"""Rows and labels that are put into different orders, as the source says it."""

import ast
from collections import defaultdict
from collections.abc import Iterator

from treino.diagnosis.finding import Site
from treino.diagnosis.reading.provenance import data_names, target_names
from treino.diagnosis.reading.source import call_name, called, names_in, tree

DRAWS = ("randperm", "permutation")
PAIRS = ("TensorDataset", "zip", "train_test_split")
VIEWS = {"values", "iloc", "loc", "to_numpy", "data", "numpy", "clone", "copy"}
Partners = dict[str, set[str]]
INDICES = ("arange", "range", "permutation", "randperm", "zip", "list", "argsort", "enumerate", "split")


def lonely_order(path: str) -> Site | None:
    """A line that reorders one of two arrays which belong together: by a permutation that indexes a single
    name, by one drawn anew for each, or by shuffling or sorting one of them in place.
    """
    module = tree(path)
    if module is None:
        return None
    fresh = [n for n in ast.walk(module) if isinstance(n, ast.Subscript) and called(n.slice, *DRAWS)]
    partners = _partners(module)
    twice = _drawn_for_each(module, partners)
    if twice is not None:
        return Site(path, twice)
    for node in ast.walk(module):  # x = x[torch.randperm(n)]
        if isinstance(node, ast.Assign) and fresh and node.value is fresh[0]:
            own, given = base(fresh[0].value), {base(t) for t in node.targets}
            return Site(path, node.lineno) if own in given and own in partners else None
    return _indexed_alone(path, module, partners) or _reordered_alone(path, module, partners)


def _drawn_for_each(module: ast.Module, partners: Partners) -> int | None:
    """The first of two lines that each draw an order of their own, for arrays that are then used together."""
    drawn: list[tuple[int, str, str, str]] = []  # (line, array, its new name, how it was seeded)
    for node in (n for n in ast.walk(module) if isinstance(n, ast.Assign)):
        for given, value in _given(node):
            order = _order_of(value)
            names = sorted(target_names(given))
            if order is not None and len(names) == 1:
                drawn.append((node.lineno, order[0], names[0], order[1]))
    seeds = [c.lineno for c in called(module, "manual_seed", "seed", "set_state", "set_rng_state")]
    for i, (line, array, name, seed) in enumerate(drawn):
        for later, other_array, other, other_seed in drawn[i + 1 :]:
            again = (seed and seed == other_seed) or any(line < s <= later for s in seeds)
            if name == other or again:
                continue
            one, two = _made_of(module, name) | {array}, _made_of(module, other) | {other_array}
            if any(partners.get(a, set()) & (two - one) for a in one - two):
                return min(line, later)
    return None


def _given(node: ast.Assign) -> Iterator[tuple[ast.expr, ast.expr]]:
    """(target, value) of an assignment: part by part of ``a, b = f(x), g(y)``."""
    for target in node.targets:
        if isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple):
            yield from zip(target.elts, node.value.elts, strict=False)
        else:
            yield target, node.value


def _order_of(value: ast.AST) -> tuple[str, str] | None:
    """(array, seed) of ``x[randperm(n)]``, ``frame.sample(frac=1)`` and ``shuffle(x)`` in an expression."""
    for node in ast.walk(value):
        if isinstance(node, ast.Subscript) and called(node.slice, *DRAWS):
            return base(node.value), ""
    for call in called(value, "sample", "shuffle"):
        keywords = {k.arg: k.value for k in call.keywords}
        seed = ast.dump(keywords["random_state"]) if "random_state" in keywords else ""
        if "frac" in keywords and isinstance(call.func, ast.Attribute):
            return base(call.func.value), seed
        if len(call.args) == 1 and call_name(call) == "shuffle":
            return base(call.args[0]), seed
    return None


def _made_of(module: ast.Module, name: str) -> set[str]:
    """Names that are made of this one, some steps on, each from its own part of a line."""
    found = {name}
    for _ in range(4):
        for node in (n for n in ast.walk(module) if isinstance(n, ast.Assign)):
            for given, value in _given(node):
                if data_names(value) & found:
                    found |= target_names(given)
    return found


def base(node: ast.AST) -> str:
    """The array that an expression looks at: ``self.x.values[:9]`` is x."""
    while True:
        if isinstance(node, ast.Attribute):
            if node.attr not in VIEWS:
                return node.attr
            node = node.value
        elif isinstance(node, ast.Subscript):
            node = node.value
        elif isinstance(node, ast.Call):
            node = node.func
        else:
            return node.id if isinstance(node, ast.Name) else ""


def _indexed_alone(path: str, module: ast.Module, partners: Partners) -> Site | None:
    """A permutation with a name, by which a single array is indexed."""
    drawn = {
        node.targets[0].id
        for node in ast.walk(module)
        if isinstance(node, ast.Assign)
        and called(node.value, *DRAWS)
        and isinstance(node.targets[0], ast.Name)
    }
    bases: dict[str, set[str]] = {name: set() for name in drawn}
    lines: dict[str, int] = {}
    other_uses: set[str] = set()
    for node in ast.walk(module):
        if isinstance(node, ast.Subscript):
            for name in names_in(node.slice) & drawn:
                bases[name].add(base(node.value))
                lines.setdefault(name, node.lineno)
            if isinstance(node.value, ast.Name) and node.value.id in drawn:
                other_uses.add(node.value.id)
        elif isinstance(node, (ast.For, ast.comprehension)):
            other_uses |= names_in(node.iter) & drawn
        elif isinstance(node, ast.Call):
            whole = [a for a in node.args if not isinstance(a, ast.Subscript)]
            other_uses |= {n for a in whole for n in names_in(a)} & drawn
    for name, of in bases.items():
        if len(of) == 1 and of & partners.keys() and name not in other_uses:
            return Site(path, lines[name])
    return None


def _reordered_alone(path: str, module: ast.Module, partners: Partners) -> Site | None:
    """An array with a partner (indexed alike, or given to one dataset with it) is shuffled or sorted, and
    the partner is not.
    """
    reordered: dict[str, int] = {}
    for node in ast.walk(module):
        name = _reorders(node)
        if name in partners and not _of_indices(module, name):
            reordered.setdefault(name, node.lineno)  # type: ignore[attr-defined]
    for name, line in reordered.items():
        if not partners[name] & reordered.keys():
            return Site(path, line)
    return None


def _reorders(node: ast.AST) -> str:
    """The array that a statement puts into another order, all by itself; empty where none."""
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
        call = node.value
        name = call_name(call)
        if name == "shuffle" and len(call.args) == 1:
            return base(call.args[0])
        if name == "sort" and isinstance(call.func, ast.Attribute) and not call.args:
            return base(call.func.value)
    if isinstance(node, ast.Assign) and len(node.targets) == 1:
        target = base(node.targets[0]) if isinstance(node.targets[0], (ast.Name, ast.Attribute)) else ""
        for call in called(node.value, "sample", "shuffle", "sort", "sorted", "permutation", "flip"):
            of = call.func.value if isinstance(call.func, ast.Attribute) else None
            owned = of is not None and base(of) == target
            given = len(call.args) == 1 and base(call.args[0]) == target
            if target and (owned or given) and not called(node.value, "zip"):
                return target
    return ""


def _partners(module: ast.Module) -> Partners:
    """Array -> arrays that belong to it row by row."""
    groups: list[set[str]] = []
    alike: dict[str, set[str]] = defaultdict(set)
    for node in ast.walk(module):
        if isinstance(node, ast.Subscript) and not isinstance(node.slice, ast.Constant):
            alike[ast.dump(node.slice)].add(base(node.value))
        elif isinstance(node, ast.Call) and called(node, *PAIRS)[:1] == [node]:
            groups.append({base(a) for a in node.args})
        elif isinstance(node, ast.Call) and len(node.args) > 1 and isinstance(node.args[0], ast.Call):
            inner = node.args[0].args[:1]  # loss(net(x), y)
            groups.append({base(a) for a in (*inner, node.args[1])})
    found: dict[str, set[str]] = defaultdict(set)
    for group in [*alike.values(), *groups]:
        for name in group - {""}:
            found[name] |= group - {name, ""}
    return {name: others for name, others in found.items() if others}


def _of_indices(module: ast.Module, name: str) -> bool:
    """Whether the name holds indices or pairs, which may well be shuffled alone."""
    made = [n for n in ast.walk(module) if isinstance(n, ast.Assign)]
    values = [n.value for n in made if any(base(t) == name for t in n.targets)]
    return any(called(v, *INDICES) or isinstance(v, (ast.List, ast.ListComp)) for v in values)
