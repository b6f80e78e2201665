"""Copies of rows with a little noise: put into the table from which the evaluation rows are taken."""

import ast
from collections.abc import Callable, Iterator, Sequence

from treino.diagnosis.finding import Site
from treino.diagnosis.reading.ancestry import Step, arguments, given_names, parameters
from treino.diagnosis.reading.provenance import (
    Function,
    calling_line,
    data_names,
    definition,
    functions,
    given_rows,
    method_call,
    origins,
    target_names,
)
from treino.diagnosis.reading.source import call_name, called, function_of, remembered, statement_at, tree
from treino.diagnosis.watch.eval_seen import EvalSeen

JOINS = ("concat", "concatenate", "cat", "vstack", "row_stack", "append", "ConcatDataset", "extend")
ALL_JOINS = (*JOINS, "stack", "dstack")
REPEATS = ("repeat", "tile", "repeat_interleave", "resample", "choice", "sample", "expand")
NOISE = (
    *("randn", "randn_like", "normal", "standard_normal", "normal_", "rand", "rand_like", "uniform"),
    *("random", "laplace", "jitter", "noise"),
)
MIXES = (ast.Add, ast.Mult, ast.Sub)
GENERATORS = {"rng", "generator", "g", "gen"}
MOST = 60  # names that are followed


def noisy_join(e: EvalSeen) -> Site | None:
    """The line that joins the table, from which the evaluation rows are taken, with noisy copies of rows."""
    return _join(e, _joins_noise)


def moved_join(e: EvalSeen) -> Site | None:
    """The line that joins the table, from which the evaluation rows are taken, with rows made of its own."""
    return _join(e, lambda step: any(shares_rows(step.site, call) for call in called(step.value, *ALL_JOINS)))


def shares_rows(site: Site, call: ast.Call) -> bool:
    """Whether two parts of a join are made of the same rows."""
    if call_name(call) not in ALL_JOINS or _side_by_side(call):
        return False
    parts = [made_of(site, part) for part in (*_elements(call), *_appended(site, call.args[:1]))]
    return any(parts[i] & other for i in range(len(parts)) for other in parts[i + 1 :])


def _side_by_side(call: ast.Call) -> bool:
    """Whether columns are joined rather than rows."""
    if call_name(call) not in ("concat", "concatenate", "cat"):
        return False
    told = [k.value for k in call.keywords if k.arg in ("axis", "dim")] or call.args[1:2]
    return bool(told) and ast.unparse(told[0]) in ("1", "-1", "2", "-2", "'columns'")


def _join(e: EvalSeen, fits: Callable[[Step], bool]) -> Site | None:
    for site in e.names:
        statement = statement_at(e.loader or site)
        names = given_rows(statement, site, of_loader=e.loader is not None) if statement is not None else []
        for step, called_at in _lineage([(n, e.loader or site) for n in names]):
            if fits(step):
                return handed_to(called_at) if step.site == called_at else called_at
            made = _made_function(step, fits)
            if made is not None:
                return made
    return None


def _made_function(step: Step, fits: Callable[[Step], bool]) -> Site | None:
    """The line that makes the function which an expression calls, of one of the file's that joins copies:
    ``prepare = pipeline(scale, multiply(5))``, ``steps = [scale, multiply]``.
    """
    for call in (n for n in ast.walk(step.value) if isinstance(n, ast.Call)):
        name = call_name(call)
        made = definition(step.site, name) if isinstance(call.func, ast.Name) else None
        if made is None or made.loop or made.line >= step.site.line or functions(step.site.file, name):
            continue
        for inner in (n.id for n in ast.walk(made.value) if isinstance(n, ast.Name)):
            for function in functions(step.site.file, inner):
                returns = [n for n in ast.walk(function) if isinstance(n, ast.Return) and n.value is not None]
                if any(fits(Step(Site(step.site.file, n.lineno), n.value)) for n in returns if n.value):
                    return Site(step.site.file, made.line)
    return None


def handed_to(join: Site) -> Site:
    """A join in a helper that is handed the rows: the line of its only call; otherwise the line itself."""
    around, statement = function_of(join), statement_at(join)
    if not isinstance(around, Function) or statement is None:
        return join
    made_of = data_names(statement)
    made_of |= origins(join, made_of, 6)
    if not made_of & set(given_names(around)[:1]) - GENERATORS:
        return join
    called_at = calling_line(join)
    return called_at if called_at != join else method_call(join)


def _lineage(names: list[tuple[str, Site]]) -> Iterator[tuple[Step, Site]]:
    """The expressions that made these names, each with the line that called the function that it stands in:
    of what a function returns, only the part that was given the name.
    """
    todo = list(names)
    followed: set[tuple[str, int]] = set()
    while todo and len(followed) < MOST:
        name, place = todo.pop(0)
        for step in _makers(name, place):
            if (name, step.site.line) in followed:
                continue
            followed.add((name, step.site.line))
            returned = _returned(step, name)
            yield from ((s, step.site) for s in (step, *returned))
            todo += [(n, s.site) for s in returned or [step] for n in sorted(data_names(s.value))]


def _makers(name: str, place: Site) -> list[Step]:
    around, made = function_of(place), definition(place, name)
    own = made is not None and made.function is around and made.line < place.line
    if isinstance(around, Function) and not own and name in parameters(around):
        return [Step(Site(place.file, c.lineno), v) for c, v in arguments(place.file, around, name)]
    if made is None or made.line >= place.line:
        return []
    site = Site(place.file, made.line)
    at, parts = _place_of(name, site), _written_parts(made.value)
    return [Step(site, parts[at[0]] if at is not None and len(parts) == at[1] else made.value)]


def _place_of(name: str, site: Site) -> tuple[int, int] | None:
    """(place, how many) of a name among those that a line gives a value."""
    statement = statement_at(site)
    target = statement.targets[0] if isinstance(statement, ast.Assign) else None
    names = target.elts if isinstance(target, (ast.Tuple, ast.List)) else []
    at = next((i for i, t in enumerate(names) if name in target_names(t)), None)
    return None if at is None else (at, len(names))


def _written_parts(value: ast.AST) -> list[ast.expr]:
    """The parts that ``(f(a) for a in (x, y))`` and ``map(f, (x, y))`` are made of."""
    of = value.generators[0].iter if isinstance(value, (ast.GeneratorExp, ast.ListComp)) else None
    if isinstance(value, ast.Call) and call_name(value) == "map" and len(value.args) == 2:
        of = value.args[1]
    if isinstance(value, ast.BinOp):
        return [*_written_parts(value.left), *_written_parts(value.right)]
    return list(of.elts) if isinstance(of, (ast.Tuple, ast.List)) else []


def _returned(step: Step, name: str) -> list[Step]:
    """What the file's function that a line calls returns for the name."""
    value, at = step.value, _place_of(name, step.site)
    if not isinstance(value, ast.Call):
        return []
    found: list[Step] = []
    for function in functions(step.site.file, call_name(value)):
        for node in ast.walk(function):
            given = node.value if isinstance(node, ast.Return) else None
            if isinstance(given, ast.Tuple) and at is not None and len(given.elts) == at[1]:
                given = given.elts[at[0]]
            if given is not None:
                found.append(Step(Site(step.site.file, given.lineno), given))
    return found


def _joins_noise(step: Step) -> bool:
    """Whether an expression joins rows with copies of them that have noise, or repeats rows with noise."""
    for call in called(step.value, *JOINS):
        if _side_by_side(call):
            continue
        parts = [*_elements(call), *_appended(step.site, call.args[:1])]
        for i, part in enumerate(parts):
            own = made_of(step.site, part)
            again = any(own & made_of(step.site, other) for other in parts[:i])
            if again and any(_is_noisy(step.site, p) or _by_noisy(step.site, p) for p in parts):
                return True
        if any(_is_noisy(step.site, e) or _by_noisy(step.site, e) for e in _again_and_again(step.site, call)):
            return True
    return _repeats_noisily(step) or any(gives_again(step.site.file, name) for name in _called_in(step.value))


def _called_in(value: ast.AST) -> set[str]:
    return {call_name(n) for n in ast.walk(value) if isinstance(n, ast.Call)}


@remembered
def gives_again(path: str, kind: str) -> bool:
    """Whether a dataset of the file gives each row several times: ``self.base[i % len(self.base)]``."""
    module = tree(path)
    owners = [n for n in ast.walk(module) if isinstance(n, ast.ClassDef)] if module is not None else []
    items = [m for o in owners if o.name == kind for m in o.body if isinstance(m, Function)]
    for item in (m for m in items if m.name == "__getitem__"):
        index = {a.arg for a in item.args.args[1:]}
        for node in (n for n in ast.walk(item) if isinstance(n, ast.BinOp)):
            wraps = isinstance(node.op, (ast.Mod, ast.FloorDiv)) and isinstance(node.left, ast.Name)
            if wraps and node.left.id in index:  # type: ignore[attr-defined]
                return True
    return False


def _repeats_noisily(step: Step) -> bool:
    """Whether rows that were repeated, here or on lines before, get something that is drawn at random."""
    written = list(inlined(step.site, step.value))
    if not any(_repeats(site, call) for site, value in written for call in called(value, *REPEATS)):
        return False
    mixed = (n for n in ast.walk(step.value) if isinstance(n, ast.BinOp) and isinstance(n.op, MIXES))
    drawn = any(called(value, *NOISE) for _site, value in written)
    return (drawn and any(True for _ in mixed)) or _by_noisy(step.site, step.value)


def inlined(site: Site, value: ast.AST, depth: int = 3) -> Iterator[tuple[Site, ast.AST]]:
    """An expression and what the names in it were made of on earlier lines of the same function."""
    yield site, value
    around = function_of(site)
    for name in sorted(data_names(value)) if depth else ():
        made = definition(site, name)
        if made is not None and made.line < site.line and made.function in (around, None) and not made.loop:
            yield from inlined(Site(site.file, made.line), made.value, depth - 1)


def _repeats(site: Site, call: ast.Call) -> bool:
    """Whether this repeats rows that were there before: not those that are drawn here, as prototypes."""
    of = data_names(call) - GENERATORS
    drawn = [d for n in of if (d := definition(site, n)) is not None and d.line < site.line]
    given = (call, *(d.value for d in drawn))
    return call_name(call) in REPEATS[:4] and not any(called(value, *NOISE, "arange") for value in given)


def _again_and_again(site: Site, call: ast.Call) -> Iterator[ast.expr]:
    """What a join takes several times: ``[f(x) for _ in range(5)]``, in parts of its list too."""
    lists = [*call.args[:1], *(d.value for n in _list_name(call) if (d := definition(site, n)) is not None)]
    for node in (n for value in lists for n in ast.walk(value)):
        if isinstance(node, (ast.ListComp, ast.GeneratorExp)) and called(node.generators[0].iter, "range"):
            bound = target_names(node.generators[0].target)
            if not bound & data_names(node.elt):
                yield node.elt


def _list_name(call: ast.Call) -> list[str]:
    return [a.id for a in call.args[:1] if isinstance(a, ast.Name)]


def _by_noisy(site: Site, value: ast.AST) -> bool:
    """Whether an expression calls a function of the file that adds something drawn to what it is given."""
    for call in (n for n in ast.walk(value) if isinstance(n, ast.Call) and n.args):
        for function in functions(site.file, call_name(call)):
            mixed = (n for n in ast.walk(function) if isinstance(n, ast.BinOp) and isinstance(n.op, MIXES))
            if called(function, *NOISE) and any(set(parameters(function)) & data_names(n) for n in mixed):
                return True
    return False


def _elements(call: ast.Call) -> list[ast.expr]:
    given = call.args[0] if call.args else None
    parts = given.elts if isinstance(given, (ast.List, ast.Tuple)) else call.args[:2]
    return [p.value if isinstance(p, ast.Starred) else p for p in parts]


def _appended(site: Site, given: Sequence[ast.AST]) -> list[ast.expr]:
    """What was appended to the lists that go by these names."""
    lists, around = {n.id for n in given if isinstance(n, ast.Name)}, function_of(site)
    if not lists or around is None:
        return []
    calls = called(around, "append", "extend")
    to = [c for c in calls if isinstance(c.func, ast.Attribute) and data_names(c.func.value) & lists]
    return [a for c in to for a in c.args]


def made_of(site: Site, part: ast.AST) -> set[str]:
    names = data_names(part)
    lists = [n for n in ast.walk(part) if isinstance(n, ast.Name)]
    names = names.union(*(data_names(a) for a in _appended(site, lists)))
    return {n for n in names | origins(site, names, 2) if not n.isupper()} - GENERATORS


def _is_noisy(site: Site, part: ast.AST) -> bool:
    """Whether an expression adds something that is drawn at random, or is the name of one that does."""
    made = [d for n in data_names(part) if (d := definition(site, n)) is not None and d.line < site.line]
    if any(isinstance(n, ast.BinOp) and isinstance(n.op, MIXES) for n in ast.walk(part)):
        return bool(called(part, *NOISE)) or any(called(d.value, *NOISE) for d in made)
    if not isinstance(part, ast.Name):
        return False
    written = _written_into(site, part.id)
    return any(_is_noisy(Site(site.file, d.line), d.value) for d in made) or any(
        called(value, *NOISE) for value in written
    )


def _written_into(site: Site, name: str) -> Iterator[ast.AST]:
    """Sums and products that are written into what goes by a name: ``twin[bands] = twin[bands] + noise``."""
    around = function_of(site)
    for node in ast.walk(around) if around is not None else ():
        target = node.targets[0] if isinstance(node, ast.Assign) else getattr(node, "target", None)
        entry = isinstance(target, ast.Subscript) and name in data_names(target.value)
        if isinstance(node, ast.AugAssign) and isinstance(node.op, MIXES):
            if entry or (isinstance(target, ast.Name) and target.id == name):
                yield node.value
        elif isinstance(node, ast.Assign) and entry:
            yield from (
                n for n in ast.walk(node.value) if isinstance(n, ast.BinOp) and isinstance(n.op, MIXES)
            )
