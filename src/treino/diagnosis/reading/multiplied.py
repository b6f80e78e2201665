"""A table that is multiplied, and parted afterwards into the rows of training and those of an evaluation."""

import ast
from collections.abc import Callable, Iterator

from treino.diagnosis.finding import Site
from treino.diagnosis.reading.ancestry import Step, ancestry, parameters, step_back, trail
from treino.diagnosis.reading.copies import NOISE, handed_to, inlined, made_of, shares_rows
from treino.diagnosis.reading.provenance import (
    Function,
    calling_line,
    data_names,
    functions,
    origins,
    target_names,
)
from treino.diagnosis.reading.source import call_name, called, enclosing, function_of, names_in, statement_at
from treino.diagnosis.watch.eval_seen import EvalSeen
from treino.diagnosis.watch.tables import TrainSeen
from treino.diagnosis.where.kinds import cuts

REPEATS = ("repeat", "tile", "repeat_interleave")
SPLITS = ("train_test_split", "random_split")
LISTS = (ast.List, ast.ListComp)
DRAWS = (*NOISE, "choice", "choices", "randint", "randrange", "integers", "sample", "getrandbits")
COPIED = {"copy", "deepcopy", "dict", "list", "tuple", "clone"}


def multiplied_before(
    train: TrainSeen, e: EvalSeen, *, made: bool = False, drawn: bool = False
) -> Site | None:
    """The line that multiplies the table of which both the training and the evaluation rows are parts.

    made: only rows that are there already, nothing of which rows are drawn afterwards.
    drawn: only by rows of it that are drawn with replacement.
    """
    multiplies = _draws_again if drawn else _multiplies
    of_training = _multiplied(train.site, train.loader, multiplies, last=False, made=made)
    of_evaluation = _multiplied(e.names[0], e.loader, multiplies, last=True, made=made)
    return next((line for line in of_evaluation if line in of_training), None)


def _multiplied(
    site: Site | None, loader: Site | None, multiplies: Callable[[Step], bool], *, last: bool, made: bool
) -> list[Site]:
    """The lines that multiply what these rows are a part of.

    last: of the parts by position, only those to the end count.
    """
    start = loader or site
    statement = statement_at(start) if start is not None else None
    if start is None or statement is None:
        return []
    found: dict[Site, None] = {}
    for step in [Step(start, statement), *ancestry(site, loader)]:
        if called(step.value, *SPLITS) or (_to_the_end(step.value) if last else cuts(step.value)):
            for before in trail(step.value, step.site):
                if before.site != step.site and multiplies(before):
                    found[_place(before)] = None
                if made and _draws(before, rows=multiplies is not _draws_again):
                    break
            if multiplies is _multiplies:
                found |= dict.fromkeys(_changed(step))
    return list(found)


def _place(step: Step) -> Site:
    """Where rows are multiplied; of a helper that is handed them, the line of its only call."""
    line, around = handed_to(step.site), function_of(step.site)
    if line == step.site and isinstance(around, Function) and isinstance(step.value, ast.Name):
        loops = [n for n in ast.walk(around) if isinstance(n, ast.For)]
        if any(data_names(n.iter) & set(parameters(around)[:1]) for n in loops):
            return calling_line(line)
    return line


def _to_the_end(value: ast.AST) -> bool:
    """``rows[n:]``"""
    parts = (n for n in ast.walk(value) if isinstance(n, ast.Slice))
    return any(p.lower is not None and p.upper is None for p in parts)


def _multiplies(step: Step) -> bool:
    """Whether an expression repeats rows: ``[...] * 4``, ``rows + rows``, ``np.repeat(x, 3)``."""
    for node in ast.walk(step.value):
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult):
            written = isinstance(node.left, LISTS)
            if written or (_times(node.right) and _is_list(node.left, step.site)):
                return True
        elif isinstance(node, (ast.ListComp, ast.GeneratorExp)):
            if _again(node.elt, node.generators):
                return True
        elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
            if ast.dump(node.left) == ast.dump(node.right) and _is_list(node.left, step.site):
                return True
        elif isinstance(node, ast.Call) and (call_name(node) in REPEATS or shares_rows(step.site, node)):
            return True
    return isinstance(step.value, ast.Name) and _filled(step.site, step.value.id)


def _draws_again(step: Step) -> bool:
    """Whether an expression is of rows of a table, some of which were drawn from it with replacement:
    ``concat([common, resample(rare)])``, ``rows + choices(rare, k=90)``.
    """
    parts = list(inlined(step.site, step.value))
    if any(_of_rows(call) and _with_replacement(call) for _at, value in parts for call in _calls(value)):
        return True
    for function in (f for call in _calls(step.value) for f in functions(step.site.file, call_name(call))):
        for back in (n for n in ast.walk(function) if isinstance(n, ast.Return) and n.value is not None):
            parts += inlined(Site(step.site.file, back.lineno), back.value)  # type: ignore[arg-type]
    of = [value for _at, value in parts]
    joins = any(shares_rows(at, call) for at, value in parts for call in _calls(value)) or any(
        made_of(step.site, n.left) & made_of(step.site, n.right)
        for n in ast.walk(step.value)
        if isinstance(n, ast.BinOp) and isinstance(n.op, ast.Add)
    )
    if joins and any(_with_replacement(call) for value in of for call in _calls(value)):
        return True
    return isinstance(step.value, ast.Name) and _filled_again(step.site, step.value.id)


def _filled_again(site: Site, name: str) -> bool:
    """Whether a list gets rows that are drawn, with replacement, of itself or of what it was made of:
    ``rows += random.choices(rare, k=90)``.
    """
    around = function_of(site)
    for node in ast.walk(around) if around is not None else ():
        added: list[ast.expr] = []
        if isinstance(node, ast.AugAssign) and isinstance(node.op, ast.Add):
            added = [node.value] if target_names(node.target) == {name} else []
        elif isinstance(node, ast.Call) and call_name(node) in ("append", "extend"):
            of = data_names(node.func.value) if isinstance(node.func, ast.Attribute) else set()
            added = node.args if of == {name} else []
        line = Site(site.file, getattr(node, "lineno", 0))
        own = {name, *origins(site, {name}, 2)} if added else set()
        if line.line < site.line and any(
            _with_replacement(c) and own & made_of(line, v) for v in added for c in _calls(v)
        ):
            return True
    return False


def _calls(value: ast.AST) -> list[ast.Call]:
    return [n for n in ast.walk(value) if isinstance(n, ast.Call)]


def _of_rows(call: ast.Call) -> bool:
    """Whether what is drawn are rows of a table, by the way it is asked for."""
    return bool({"replace", "frac", "n_samples", "stratify"} & {k.arg for k in call.keywords}) and (
        call_name(call) in ("sample", "resample")
    )


def _with_replacement(call: ast.Call) -> bool:
    """Whether a call may draw one thing several times."""
    again = {k.arg: getattr(k.value, "value", True) for k in call.keywords}
    told = again.get("replace", again.get("replacement"))
    if call_name(call) in ("sample", "multinomial"):
        return bool(told)
    return call_name(call) in ("resample", "choices", "choice", "randint", "integers") and told is not False


def _again(item: ast.AST, loops: list[ast.comprehension] | list[ast.For]) -> bool:
    """Whether an item of one loop is taken as it is, as often as another one counts."""
    counts = [loop for loop in loops if called(loop.iter, "range")]
    names = {name for loop in loops if loop not in counts for name in target_names(loop.target)}
    calls = {call_name(n) for n in ast.walk(item) if isinstance(n, ast.Call)}
    own = data_names(item)
    return bool(own & names) and calls <= COPIED and any(not target_names(c.target) & own for c in counts)


def _filled(site: Site, name: str) -> bool:
    """Whether a list gets rows several times: ``for _ in range(5): rows.append(row)``."""
    around = function_of(site)
    for node in ast.walk(around) if around is not None else ():
        line = Site(site.file, getattr(node, "lineno", 0))
        if isinstance(node, ast.Call) and call_name(node) in ("append", "extend") and node.args:
            of = data_names(node.func.value) if isinstance(node.func, ast.Attribute) else set()
            loops = [n for n in enclosing(line) if isinstance(n, ast.For)] if of == {name} else []
            if loops and call_name(node) == "append" and _again(node.args[0], loops):
                return True
            if loops and call_name(node) == "extend" and _multiplies(Step(line, node.args[0])):
                return True
        elif isinstance(node, ast.AugAssign) and isinstance(node.op, ast.Add):
            plain = isinstance(node.value, ast.Name)
            if target_names(node.target) == {name} and not plain and _multiplies(Step(line, node.value)):
                return True
    return False


def _draws(step: Step, *, rows: bool) -> bool:
    """Whether an expression draws at random, or calls a function of the file that does: rows of a table, too,
    or only what is new.
    """
    calls = [call_name(n) for n in _calls(step.value)]
    bodies = [body for name in calls for body in functions(step.site.file, name)]
    return any(rows or not _of_rows(c) for body in [step.value, *bodies] for c in called(body, *DRAWS))


def _times(node: ast.AST) -> bool:
    """A whole number, or a name that may stand for one."""
    return isinstance(node, ast.Name) or (isinstance(node, ast.Constant) and type(node.value) is int)


def _is_list(node: ast.AST, place: Site) -> bool:
    """Whether an expression is a plain list, as far as its definition says."""
    for _ in range(4):
        if isinstance(node, (ast.Name, ast.Attribute)):
            step = step_back(node.id if isinstance(node, ast.Name) else node.attr, place)
            if step is None or step.loop:
                return False
            node, place = step.value, step.site
        elif isinstance(node, ast.BinOp) and isinstance(node.op, (ast.Add, ast.Mult)):
            node = node.left
        else:
            return isinstance(node, LISTS) or (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Name)
                and node.func.id in ("list", "sorted")
            )
    return False


def _changed(part: Step) -> Iterator[Site]:
    """The lines before a part that multiply a list in its place: ``rows *= 4``, ``rows.extend(rows)``."""
    names = data_names(part.value) | origins(part.site, data_names(part.value), 2)
    around = function_of(part.site)
    for node in ast.walk(around) if around is not None else ():
        line = Site(part.site.file, getattr(node, "lineno", 0))
        if line.line >= part.site.line:
            continue
        if isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name) and node.target.id in names:
            again = isinstance(node.op, ast.Add) and node.target.id in names_in(node.value)
            times = isinstance(node.op, ast.Mult) and _times(node.value)
            if (again or times) and _is_list(node.target, line):
                yield line
        elif isinstance(node, ast.Call) and call_name(node) == "extend" and node.args:
            to = data_names(node.func.value) if isinstance(node.func, ast.Attribute) else set()
            if to & names and to <= data_names(node.args[0]):
                yield line
