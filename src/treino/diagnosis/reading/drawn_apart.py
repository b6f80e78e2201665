"""Arrays that belong together, and for each of which an order of its own is drawn, as the source says it."""

import ast

from treino.diagnosis.finding import Site
from treino.diagnosis.reading.orders import DRAWS, STACKS, Partners, base, given_parts, partners_in
from treino.diagnosis.reading.provenance import Function, data_names, target_names
from treino.diagnosis.reading.source import call_name, called, names_in, tree

SEEDS = ("manual_seed", "seed", "set_state", "set_rng_state")
SEEDED = (*SEEDS, "default_rng", "RandomState", "Random", "Generator")
_Order = tuple[int, str, str, str]  # line, array, its new name, how it was seeded


def drawn_apart(path: str) -> Site | None:
    """The first of two lines that each draw an order of their own, for arrays that are then used together;
    or the line that does so for one after the other.
    """
    module = tree(path)
    if module is None:
        return None
    line = _in_turn(module) or _split_apart(module) or _for_each(module, partners_in(module))
    line = line or _two_loaders(module) or _in_one_line(module)
    return Site(path, line) if line else None


def _in_turn(module: ast.Module) -> int:
    """``for a in (x, y): rng.shuffle(a)``, or ``a = permutation(a)``, without a seed for each."""
    for loop in (n for n in ast.walk(module) if isinstance(n, ast.For)):
        several = isinstance(loop.iter, (ast.Tuple, ast.List)) and len(loop.iter.elts) > 1
        if several and isinstance(loop.target, ast.Name) and not called(loop, *SEEDED):
            for call in called(loop, "shuffle", "permutation"):
                if [base(a) for a in call.args] == [loop.target.id]:
                    return call.lineno
    return 0


def _in_one_line(module: ast.Module) -> int:
    """``[a[rng.permutation(len(a))] for a in arrays]``, without a seed for each; not the columns of one."""
    joined = {id(a) for c in called(module, *STACKS, "stack", "column_stack", "hstack") for a in c.args}
    for each in (n for n in ast.walk(module) if isinstance(n, (ast.ListComp, ast.GeneratorExp))):
        of, kept = each.generators[0], each.elt
        if not isinstance(kept, ast.Subscript) or called(kept, *SEEDED) or len(each.generators) > 1:
            continue
        if id(each) in joined or not isinstance(of.iter, (ast.Name, ast.Tuple, ast.List)):
            continue
        if base(kept.value) in target_names(of.target) and called(kept.slice, *DRAWS):
            return each.lineno
    return 0


def _split_apart(module: ast.Module) -> int:
    """The first of two splits of one array each, with other seeds or none, none of them a part of another."""
    alone: list[tuple[int, str, set[str], str]] = []
    for node in (n for n in ast.walk(module) if isinstance(n, ast.Assign)):
        for call in called(node.value, "train_test_split"):
            if len(call.args) == 1 and not any(k.arg == "stratify" for k in call.keywords):
                given = {n for t in node.targets for n in target_names(t)}
                alone.append((node.lineno, base(call.args[0]), given, _seed(call)))
    for i, (line, array, given, seed) in enumerate(alone):
        for _, other, parts, other_seed in alone[i + 1 :]:
            if other != array and other not in given and array not in parts and not seed == other_seed != "":
                return line
    return 0


def _two_loaders(module: ast.Module) -> int:
    """The first of two loaders that shuffle, whose batches ``zip`` puts together as rows and labels."""
    made: dict[str, int] = {}
    for node in (n for n in ast.walk(module) if isinstance(n, ast.Assign)):
        calls = called(node.value, "DataLoader")
        shuffles = [k for c in calls for k in c.keywords if k.arg == "shuffle"]
        if any(isinstance(k.value, ast.Constant) and k.value.value for k in shuffles):
            made |= {name: node.lineno for t in node.targets for name in target_names(t)}
    for call in called(module, "zip"):
        names = [base(a) for a in call.args]
        if len(names) == 2 and all(name in made for name in names):
            return made[names[0]]
    return 0


def _for_each(module: ast.Module, partners: Partners) -> int:
    drawn: list[_Order] = []
    helpers = _helpers(module)
    for node in (n for n in ast.walk(module) if isinstance(n, ast.Assign)):
        for given, value in given_parts(node):
            order = _order_of(value, helpers)
            names = sorted(target_names(given))
            if order is not None and len(names) == 1:
                drawn.append((node.lineno, order[0], names[0], order[1]))
    seeds = [c.lineno for c in called(module, *SEEDS)]
    for i, (line, array, name, seed) in enumerate(drawn):
        for later, other_array, other, other_seed in drawn[i + 1 :]:
            again = (seed and seed == other_seed) or any(line < s <= later for s in seeds)
            if name == other or again:
                continue
            one, two = _made_of(module, name) | {array}, _made_of(module, other) | {other_array}
            if any(partners.get(a, set()) & (two - one) for a in one - two):
                return min(line, later)
    return 0


def _helpers(module: ast.Module) -> set[str]:
    """The file's functions that give the array which they are given back in an order that they draw."""
    found: set[str] = set()
    for f in (n for n in ast.walk(module) if isinstance(n, Function)):
        given = [a.arg for a in f.args.args]
        order = next((o for n in ast.walk(f) if isinstance(n, ast.Return) and (o := _drawn(n, f))), "")
        if order in given[:2] and not called(f, *SEEDED) and not {"seed", "random_state"} & set(given):
            found.add(f.name)
    return found


def _drawn(node: ast.Return, around: ast.FunctionDef | ast.AsyncFunctionDef) -> str:
    """The one array that a function returns, indexed by an order that it draws."""
    named = [n for n in ast.walk(around) if isinstance(n, ast.Assign) and called(n.value, *DRAWS)]
    orders = {name for n in named for t in n.targets for name in target_names(t)}
    value = node.value
    if isinstance(value, ast.Subscript) and (called(value.slice, *DRAWS) or names_in(value.slice) & orders):
        return base(value.value)
    return ""


def _seed(call: ast.Call) -> str:
    return next((ast.dump(k.value) for k in call.keywords if k.arg == "random_state"), "")


def _order_of(value: ast.AST, helpers: set[str]) -> tuple[str, str] | None:
    """(array, seed) of ``x[randperm(n)]``, ``frame.sample(frac=1)`` and ``shuffle(x)`` in an expression."""
    for node in ast.walk(value):
        if isinstance(node, ast.Subscript) and called(node.slice, *DRAWS):
            return base(node.value), ""
    for call in called(value, *helpers):
        if call.args:
            return base(call.args[0]), ""
    for call in called(value, "sample", "shuffle"):
        if any(k.arg == "frac" for k in call.keywords) and isinstance(call.func, ast.Attribute):
            return base(call.func.value), _seed(call)
        if len(call.args) == 1 and call_name(call) == "shuffle":
            return base(call.args[0]), _seed(call)
    return None


def _made_of(module: ast.Module, name: str) -> set[str]:
    """Names that are made of this one, some steps on, each from its own part of a line."""
    found = {name}
    for _ in range(4):
        for node in (n for n in ast.walk(module) if isinstance(n, ast.Assign)):
            for given, value in given_parts(node):
                if data_names(value) & found:
                    found |= target_names(given)
    return found
