"""Rows and labels that are put into different orders, as the source says it."""

import ast
from collections import defaultdict
from collections.abc import Iterator

from treino.diagnosis.finding import Site
from treino.diagnosis.reading.provenance import Function
from treino.diagnosis.reading.source import call_name, called, names_in, tree

DRAWS, PAIRS = ("randperm", "permutation"), ("TensorDataset", "zip", "train_test_split")
VIEWS = {"values", "iloc", "loc", "to_numpy", "data", "numpy", "clone", "copy"}
MODULES = {"torch", "np", "numpy", "pd"}
MOVES = ("sample", "shuffle", "sort", "sorted", "permutation", "flip", "roll")
POSITIONS = {"values", "to_numpy", "tolist", "array"}  # what a table gives without its rows' names
FILTERS = ("dropna", "drop_duplicates", "query", "compress", "filter")
ONES, ZEROS = ("ones", "ones_like", "new_ones"), ("zeros", "zeros_like", "new_zeros")
STACKS = ("cat", "concat", "concatenate", "vstack")
CHANCE = (
    *("random label", "shuffled label", "labels at random", "permuted", "by heart", "memori"),
    *("null model", "null hypothesis", "permutation test", "randomization", "randomisation"),
)
Partners = dict[str, set[str]]
INDICES = ("arange", "range", "permutation", "randperm", "zip", "list", "argsort", "enumerate", "split")


def lonely_order(path: str) -> Site | None:
    """A line that reorders one of two arrays which belong together: by a permutation that indexes a single
    name, or by shuffling or sorting one of them in place.
    """
    module = tree(path)
    if module is None:
        return None
    fresh = [n for n in ast.walk(module) if isinstance(n, ast.Subscript) and called(n.slice, *DRAWS)]
    partners = _partners_left(module, {base(n.value) for n in fresh})
    for node in ast.walk(module):  # x = x[torch.randperm(n)]
        if isinstance(node, ast.Assign) and fresh and node.value is fresh[0]:
            own, given = base(fresh[0].value), {base(t) for t in node.targets}
            lonely = own in given and own in partners and not _made_after(module, own, node.lineno, partners)
            return Site(path, node.lineno) if lonely else None
    alone = _indexed_alone(path, module, partners) or _reordered_alone(path, module, partners)
    return alone or _column_alone(path, module)


def _made_after(module: ast.Module, name: str, line: int, partners: Partners) -> bool:
    """Whether rows that belong to an array are made of it after this line: ``x = centres[y] + noise``."""
    for node in (n for n in ast.walk(module) if isinstance(n, ast.Assign) and n.lineno > line):
        if _targets(node) & partners[name] and name in names_in(node.value):
            return True
        looked_up = (n.slice for n in ast.walk(node.value) if isinstance(n, ast.Subscript))
        if any(isinstance(at, ast.Name) and at.id == name for at in looked_up):
            return True
    return False


def _partners_left(module: ast.Module, moved: set[str]) -> Partners:
    """Partners that may lack an order: none of their own is drawn for them, and they are no further rows of
    the same kind (``cat([positives, negatives])``), which are only cut alike.
    """
    below: dict[str, set[str]] = defaultdict(set)
    for call in called(module, *STACKS):
        parts = call.args[0].elts if call.args and isinstance(call.args[0], (ast.List, ast.Tuple)) else []
        names = {base(p) for p in parts}
        for name in names:
            below[name] |= names - {name}
    left = {name: others - moved - below[name] for name, others in partners_in(module).items()}
    return {name: others for name, others in left.items() if others}


def labels_built(path: str) -> bool:
    """Whether a file builds its targets anew, ones for the one kind of rows and zeros for the other, and
    never takes parts of them: no order of rows can part them from theirs.
    """
    module = tree(path)
    for node in (n for n in ast.walk(module) if isinstance(n, ast.Assign)) if module is not None else ():
        value = node.value
        joins = bool(called(value, *STACKS, "hstack")) or "r_" in names_in(value)
        if not joins or not (called(value, *ONES) and called(value, *ZEROS)):
            continue
        names = {base(t) for t in node.targets if isinstance(t, ast.Name)}
        if names and module is not None and not _parted(module, names):
            return True
    return False


def _parted(module: ast.Module, names: set[str]) -> bool:
    """Whether some of these are indexed, or given to what indexes them."""
    for node in ast.walk(module):
        if isinstance(node, ast.Subscript) and base(node.value) in names:
            return True
        if isinstance(node, ast.Return) and node.value is not None and names & names_in(node.value):
            return True
        pairs = isinstance(node, ast.Call) and called(node, *PAIRS, *MOVES)[:1] == [node]
        if pairs and any(base(a) in names for a in getattr(node, "args", ())):
            return True
    return False


def part_alone(path: str) -> Site | None:
    """The line that puts one of two arrays, which one call gave together, into an order that is drawn for it
    alone: ``x_train = x_train[randperm(n)]`` after a split.
    """
    module = tree(path)
    if module is None or _of_chance(module):
        return None
    scopes = [n for n in ast.walk(module) if isinstance(n, (ast.Module, *Function.__args__))]
    for scope in scopes:
        made = sorted(_assigned(scope), key=lambda n: n.lineno)
        for given in made:
            for group in _given_together(path, given):
                later = [n for n in made if n.lineno > given.lineno and _targets(n) & group]
                line = _one_moved(scope, group, later)
                if line:
                    return Site(path, line)
        arguments = _argued_together(scope)
        line = _one_moved(scope, arguments, made) if arguments else 0
        if line:
            return Site(path, line)
    return None


def _of_chance(module: ast.Module) -> bool:
    """Whether a file says that rows get their labels by chance, as to see what a net learns by heart."""
    texts = [n.value for n in ast.walk(module) if isinstance(n, ast.Constant) and isinstance(n.value, str)]
    said = " ".join([*texts, *names_in(module)]).lower().replace("_", " ")
    return any(words in said for words in CHANCE)


def _assigned(scope: ast.AST) -> Iterator[ast.Assign]:
    """The assignments of a scope, not those of functions inside of it."""
    for node in ast.iter_child_nodes(scope):
        if isinstance(node, ast.Assign):
            yield node
        elif not isinstance(node, (*Function.__args__, ast.ClassDef)):
            yield from _assigned(node)


def _targets(node: ast.Assign) -> set[str]:
    """The arrays that an assignment makes anew."""
    given = [g for t in node.targets for g in (t.elts if isinstance(t, (ast.Tuple, ast.List)) else [t])]
    return {base(g) for g in given if isinstance(g, (ast.Name, ast.Attribute))}


def _given_together(path: str, node: ast.Assign) -> list[set[str]]:
    """Arrays that belong together row by row, as the call that gives them says."""
    target, call = node.targets[0], node.value
    if not isinstance(target, ast.Tuple) or not isinstance(call, ast.Call):
        return []
    names, name = [base(t) for t in target.elts], call_name(call)
    if name == "train_test_split" and len(names) == 2 * len(call.args) > 2:
        return [{*names[::2]}, {*names[1::2]}]
    pair = name.startswith(("load_", "fetch_", "make_")) or any(k.arg == "return_X_y" for k in call.keywords)
    own = [f for f in ast.walk(tree(path) or node) if isinstance(f, Function) and f.name == name]
    backs = [n.value for f in own for n in ast.walk(f) if isinstance(n, ast.Return)]
    pair = pair if not own else all(isinstance(b, ast.Tuple) and len(b.elts) == 2 for b in backs)
    return [{*names}] if pair and len(names) == 2 else []


def _argued_together(scope: ast.AST) -> set[str]:
    """Arguments of a function that it indexes alike, as arrays that belong together row by row."""
    names = {a.arg for a in scope.args.args} if isinstance(scope, Function) else set()
    alike: dict[str, set[str]] = defaultdict(set)
    for node in ast.walk(scope) if names else ():
        piece = isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Slice) and node.slice.lower
        if isinstance(node, ast.Subscript) and (isinstance(node.slice, ast.Name) or piece):
            alike[ast.unparse(node.slice)].add(base(node.value))  # x[rows], or x[i : i + size]
    return max((of & names for of in alike.values() if len(of & names) > 1), key=len, default=set())


def _one_moved(scope: ast.AST, group: set[str], later: list[ast.Assign]) -> int:
    """The line that moves the rows of one array of a group, where no other is made anew of anything but
    itself; 0 where there is none.
    """
    moved = {name: n.lineno for n in later for name in group if _moves(scope, n, name)}
    if len(moved) != 1:
        return 0
    (name, line), *_ = moved.items()
    for n in later:
        again = _targets(n) & group  # both at once: what is torn stays torn
        if again - {name} and name not in again and (name in names_in(n.value) or called(n.value, *MOVES)):
            return 0
    return line


def _moves(scope: ast.AST, node: ast.Assign, name: str) -> bool:
    """Whether a statement gives an array back to its name in an order that is drawn for nothing else."""
    if len(node.targets) != 1 or not isinstance(node.targets[0], (ast.Name, ast.Attribute)):
        return False
    if base(node.targets[0]) != name or called(node.value, "zip"):
        return False
    for part in ast.walk(node.value):
        if isinstance(part, ast.Subscript) and base(part.value) == name:
            orders = {n for n in names_in(part.slice) | _orders_of(part, node.value) if _drawn_once(scope, n)}
            if called(part.slice, *DRAWS) or orders:
                return True
    return _reorders(node) == name and not called(node.value, "sort", "sorted")


def _orders_of(part: ast.Subscript, value: ast.AST) -> set[str]:
    """The names that the numbers of an item are taken from: order of ``[x[i] for i in order]``."""
    loops = (n for n in ast.walk(value) if isinstance(n, ast.comprehension))
    asked = names_in(part.slice)
    return {n.iter.id for n in loops if isinstance(n.iter, ast.Name) and names_in(n.target) & asked}


def _drawn_once(scope: ast.AST, name: str) -> bool:
    """Whether a name is an order that was drawn, or sorts, and puts one thing into order, perhaps when it is
    cut up itself: ``order[:n]``.
    """
    given = [n.value for n in _assigned(scope) if _targets(n) == {name}]
    drawn = any(called(v, *DRAWS, "argsort") or (called(v, "sorted") and called(v, "range")) for v in given)
    cut = {id(n.value) for n in ast.walk(scope) if isinstance(n, ast.Subscript)}
    uses = [n for n in ast.walk(scope) if isinstance(n, ast.Name) and n.id == name and id(n) not in cut]
    return drawn and sum(isinstance(n.ctx, ast.Load) for n in uses) == 1


def given_parts(node: ast.Assign) -> Iterator[tuple[ast.expr, ast.expr]]:
    """(target, value) of an assignment: part by part of ``a, b = f(x), g(y)``."""
    for target in node.targets:
        if isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple):
            yield from zip(target.elts, node.value.elts, strict=False)
        else:
            yield target, node.value


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
            library = isinstance(node.func, ast.Attribute) and base(node.func.value) in MODULES
            node = node.args[0] if library and node.args else node.func
        else:
            return node.id if isinstance(node, ast.Name) else ""


def _indexed_alone(path: str, module: ast.Module, partners: Partners) -> Site | None:
    """A permutation with a name, by which a single array is indexed."""
    named = _named(module)
    drawn = {name for name, value, _line in named if called(value, *DRAWS, "argsort")}
    sorting = {name for name, value, _line in named if called(value, "argsort")}
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
    for node in ast.walk(module):
        value = node.value if isinstance(node, ast.Assign) else None
        if isinstance(value, ast.Subscript) and base(node.targets[0]) == base(value):  # type: ignore[attr-defined]
            sorting -= names_in(value.slice)  # x = x[order], for good
    for name, of in bases.items():
        if len(of) != 1 or name in other_uses:
            continue
        if (of & partners.keys() and name not in sorting) or _heirs(module, lines[name]) & partners.keys():
            return Site(path, lines[name])
    return None


def _named(module: ast.AST) -> list[tuple[str, ast.expr, int]]:
    """(name, value, line) of the assignments to a single name."""
    made = (n for n in ast.walk(module) if isinstance(n, ast.Assign))
    return [(n.targets[0].id, n.value, n.lineno) for n in made if isinstance(n.targets[0], ast.Name)]


def _heirs(module: ast.AST, line: int) -> set[str]:
    """The names that are made, in a few steps, of what a line gives a name of its own."""
    every = _named(module)
    found = {name for name, value, at in every if at == line and name not in names_in(value)}
    for _ in range(3):
        later = ((name, value) for name, value, at in every if at > line and names_in(value) & found)
        found |= {name for name, value in later if not called(value, *DRAWS)}
    return found


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


def _column_alone(path: str, module: ast.Module) -> Site | None:
    """``frame["label"] = frame["label"].sample(frac=1).values``, or the column of a frame whose rows are
    numbered otherwise: ``part = part.reset_index(drop=True)``, then ``part["label"] = frame["label"]``.
    """
    numbered: dict[str, int] = {}  # frames -> the line from which their rows are counted anew
    made = sorted((n for n in ast.walk(module) if isinstance(n, ast.Assign)), key=lambda n: n.lineno)
    for node in made:
        target, value = node.targets[0], node.value
        if isinstance(target, ast.Name) and called(value, "reset_index"):
            numbered.setdefault(target.id, node.lineno)
        if not isinstance(target, ast.Subscript) or not isinstance(target.slice, ast.Constant):
            continue
        frame = base(target)
        plain = isinstance(value, ast.Subscript) and isinstance(value.value, ast.Name)
        if plain and frame in numbered and base(value) not in {frame, *numbered}:
            return Site(path, node.lineno)
        for call in called(value, *MOVES, "sort_values"):
            of = call.func.value if isinstance(call.func, ast.Attribute) else None
            whole = [target.value, target] if names_in(value) & POSITIONS else [target]
            if {ast.unparse(t) for t in whole} & {ast.unparse(n) for n in (of, *call.args[:1]) if n}:
                return Site(path, node.lineno)
    return None


def filtered_alone(path: str) -> Site | None:
    """The line that makes labels as many as their rows by their first ones, or the one that leaves rows out:
    some rows were left out, and not the labels of just those.
    """
    module = tree(path)
    made = [n for n in ast.walk(module) if isinstance(n, ast.Assign)] if module is not None else []
    fewer: dict[str, int] = {}
    masks: set[str] = set()
    for assigned in made:
        for given, value in given_parts(assigned):
            if not isinstance(given, (ast.Name, ast.Attribute)):
                continue
            if _leaves_out(value, fewer, masks):
                fewer[base(given)] = assigned.lineno
            elif _is_mask(value):
                masks.add(base(given))
    for node in ast.walk(module) if module is not None and fewer else ():
        if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Slice):
            ends = [e for e in (node.slice.lower, node.slice.upper) if e is not None]
            counted = {base(a) for e in ends for c in called(e, "len") for a in c.args}
            counted |= {base(n) for e in ends for n in ast.walk(e) if "shape" in names_in(n)}
            if counted & fewer.keys() and base(node.value) not in {*fewer, *counted}:
                return Site(path, node.lineno)
        elif isinstance(node, ast.Call) and call_name(node) == "zip" and len(node.args) == 2:
            names = [base(a) for a in node.args]
            left = [name for name in names if name in fewer]
            again = [m for m in made if {base(t) for t in m.targets} & set(names)]
            if len(left) == 1 and all(names) and len(again) > 1 and not _grown(module, set(names)):
                return Site(path, fewer[left[0]])
    return None


def _leaves_out(value: ast.AST, fewer: dict[str, int], masks: set[str]) -> bool:
    """Whether an expression keeps only those rows that have no gaps, or that fit a condition."""
    if called(value, *FILTERS):
        return True
    if isinstance(value, ast.ListComp) and len(value.generators) == 1 and value.generators[0].ifs:
        one, of = value.generators[0].target, value.generators[0].iter
        return isinstance(one, ast.Name) and isinstance(of, (ast.Name, ast.Attribute))
    while isinstance(value, (ast.Subscript, ast.Attribute)):
        if isinstance(value, ast.Subscript) and (base(value.slice) in masks or _is_mask(value.slice)):
            return True
        value = value.value
    return isinstance(value, ast.Name) and value.id in fewer


def _is_mask(value: ast.AST) -> bool:
    """``x > 0``, ``~missing``, ``a & b``, ``(x > 0).all(1)``"""
    if isinstance(value, ast.Call) and call_name(value) in ("all", "any"):
        value = value.func.value if isinstance(value.func, ast.Attribute) else value
    bits = isinstance(value, ast.BinOp) and isinstance(value.op, (ast.BitAnd, ast.BitOr))
    turned = isinstance(value, ast.UnaryOp) and isinstance(value.op, ast.Invert)
    return bits or turned or isinstance(value, ast.Compare)


def _grown(module: ast.Module | None, names: set[str]) -> bool:
    """Whether one of these lists is filled by ``append``."""
    calls = called(module, "append", "extend") if module is not None else []
    return any(isinstance(c.func, ast.Attribute) and base(c.func.value) in names for c in calls)


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
        for call in called(node.value, *MOVES):
            of = call.func.value if isinstance(call.func, ast.Attribute) else None
            owned = of is not None and base(of) == target
            given = (len(call.args) == 1 or call_name(call) in ("flip", "roll")) and base(
                call.args[0]
            ) == target
            if target and (owned or given) and _of_rows(call, owned) and not called(node.value, "zip"):
                return target
    return ""


def _of_rows(call: ast.Call, owned: bool) -> bool:
    """Whether a call moves rows, not what is in each of them: ``x.flip(3)``, ``torch.roll(x, 1, dims=2)``."""
    place = (0 if owned else 1) + (call_name(call) == "roll")
    named = [k.value for k in call.keywords if k.arg in ("dim", "dims", "axis")]
    given = named or (call.args[place:] if call_name(call) in ("flip", "roll", "sort") else [])
    axes = [n for a in given for n in ast.walk(a) if isinstance(n, ast.Constant)]
    return not axes or any(n.value == 0 for n in axes)


def partners_in(module: ast.Module) -> Partners:
    """Array -> arrays that belong to it row by row."""
    groups: list[set[str]] = []
    alike: dict[str, set[str]] = defaultdict(set)
    for node in ast.walk(module):
        if isinstance(node, ast.Subscript) and _takes_rows(node.slice):
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


def _takes_rows(at: ast.expr) -> bool:
    """Whether this says which rows: neither ``["y"]`` nor ``[:, None]`` does."""
    said = {n.value for n in ast.walk(at) if isinstance(n, ast.Constant)}
    return not isinstance(at, ast.Constant) and bool(names_in(at) or said - {None})


def _of_indices(module: ast.Module, name: str) -> bool:
    """Whether the name holds indices or pairs, which may well be shuffled alone."""
    made = [n for n in ast.walk(module) if isinstance(n, ast.Assign)]
    values = [n.value for n in made if any(base(t) == name for t in n.targets)]
    return any(called(v, *INDICES) or isinstance(v, (ast.List, ast.ListComp)) for v in values)
