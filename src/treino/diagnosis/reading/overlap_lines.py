"""Where evaluation rows came to be among those of training: the line that puts copies into a table, or that
takes the rows of the wrong part.
"""

import ast
from collections.abc import Iterable

from treino.diagnosis.finding import Site
from treino.diagnosis.reading.ancestry import ancestry, chooses, first, given_names
from treino.diagnosis.reading.names import says_test, says_train, says_validation
from treino.diagnosis.reading.orders import base
from treino.diagnosis.reading.provenance import (
    Function,
    calling_line,
    data_names,
    definition,
    gives_more,
    maker_line,
    origins,
    target_names,
)
from treino.diagnosis.reading.rows_taken import rows_line
from treino.diagnosis.reading.sharing import (
    called_in_turn,
    drawn_for_each,
    handed_over,
    joined_with_test,
    order_of_steps,
    unpacked_from,
    within_helper,
)
from treino.diagnosis.reading.source import (
    call_name,
    called,
    enclosing,
    function_of,
    statement_at,
    tree,
)
from treino.diagnosis.watch.eval_seen import EvalSeen
from treino.diagnosis.watch.tables import TrainSeen
from treino.diagnosis.where.kinds import cuts

JOINS = (
    *("concat", "concatenate", "cat", "vstack", "hstack", "append", "stack", "resample", "repeat", "tile"),
    *("repeat_interleave", "ConcatDataset", "sample", "choice", "choices", "randint", "integers"),
)
FOLDS = ("KFold", "StratifiedKFold", "GroupKFold", "ShuffleSplit", "StratifiedShuffleSplit", "array_split")
GROUPED = ("GroupKFold", "StratifiedGroupKFold", "GroupShuffleSplit", "LeaveOneGroupOut", "LeavePGroupsOut")
COPIES = ("resample", "repeat", "tile", "repeat_interleave", "sample", "choice", "choices")


def copied_at(e: EvalSeen) -> Site:
    """The line that puts copies into the table: a join of parts of one table, or a draw with replacement.
    Where a helper does that, or nothing says so: the split, before which copies are to be dropped.
    """
    site = e.names[0]
    found, merges = _joins(site)
    if merges:
        return Site(site.file, merges[0])
    split = next((s for n in e.names if (s := first(ancestry(n, e.loader), _parts)) is not None), None)
    if not found:
        return split or site
    join = Site(site.file, min(found)[1])
    around = function_of(join)
    helps = isinstance(around, Function) and bool(given_names(around)) and not gives_more(around)
    helps = helps and split is not None
    if split is not None and helps and function_of(split) is not function_of(join):
        return order_of_steps(join, split) or called_in_turn(join, split) or split
    parting = (Site(site.file, p.lineno) for p in _parting(site.file)) if split is None else ()
    return next(
        (place for p in parting if (place := order_of_steps(join, p)) is not None), calling_line(join)
    )


def _parting(path: str) -> list[ast.stmt]:
    """The lines in functions of a file that part a table."""
    module = tree(path)
    bodies = [n for n in ast.walk(module) if isinstance(n, Function)] if module is not None else []
    every = (n for body in bodies for n in ast.walk(body) if isinstance(n, ast.stmt) and n is not body)
    return [n for n in every if not hasattr(n, "body") and _parts(n)]


def parts_rows(path: str) -> bool:
    """Whether anything in a file parts a table into rows for training and for a test."""
    module = tree(path)
    return module is not None and (_parts(module) or bool(called(module, *FOLDS)))


def drawn_apart(e: EvalSeen) -> Site | None:
    """The line that parts the rows of an evaluation from those of training at random; None where none does,
    or rows are parted in groups as well.
    """
    path = e.names[0].file
    module = tree(path)
    if module is None or called(module, *GROUPED):
        return None
    return copied_at(e) if called(module, "random_split", "train_test_split") else None


def says_joins(site: Site) -> bool:
    """Whether the file says that rows come twice."""
    return any(_joins(site))


def _joins(site: Site) -> tuple[list[tuple[int, int]], list[int]]:
    """(-score, line) of the joins of parts of one table; lines that merge tables."""
    module = tree(site.file)
    found: list[tuple[int, int]] = []
    for call in called(module, *JOINS) if module is not None else ():
        score = _copies(Site(site.file, call.lineno), call)
        if score:
            found.append((-score, call.lineno))
    merges = _merges(module) if module is not None and not any(score < -1 for score, _line in found) else []
    return found, merges


def _merges(module: ast.Module) -> list[int]:
    """Lines that join two tables by a key, which multiplies rows where the key is in the other one twice."""
    found = called(module, "merge", "explode")
    found += [c for c in called(module, "join") if {"on", "how"} & {k.arg for k in c.keywords}]
    return [c.lineno for c in found]


def _parts(value: ast.AST) -> bool:
    """Whether an expression parts a table into training and test rows."""
    return bool(called(value, "train_test_split", "random_split", "Subset")) or cuts(value)


def _copies(site: Site, call: ast.Call) -> int:
    name = call_name(call)
    along = [k.value for k in call.keywords if k.arg in ("dim", "axis")]
    if any(getattr(a, "value", 0) != 0 for a in along):
        return 0  # more columns, no more rows
    elements = list(_elements(call.args[0])) if call.args else []
    parts = [data_names(e) for e in elements]
    for i, part in enumerate(parts):
        if any(part & other for other in parts[i + 1 :]):
            return 3
    statement = statement_at(site)
    targets = statement.targets if isinstance(statement, ast.Assign) else []
    given = {n.id for t in targets for n in ast.walk(t) if isinstance(n, ast.Name)}
    if len(parts) > 1 and any(given & part for part in parts):
        return 3
    made = [origins(site, part) | part for part in parts]
    if any(made[i] & other for i in range(len(made)) for other in made[i + 1 :]):
        return 2
    return 1 if name in COPIES else 0


def _elements(argument: ast.AST) -> Iterable[ast.AST]:
    """The parts of ``[x, y]`` and of ``[x] + [y] * 3``."""
    if isinstance(argument, (ast.List, ast.Tuple)):
        yield from argument.elts
    elif isinstance(argument, ast.BinOp):
        yield from _elements(argument.left)
        yield from _elements(argument.right)


def shared_at(train: TrainSeen, e: EvalSeen) -> Site | None:
    """The second of two draws of the same split, or where the rows of the wrong part are taken; the net
    itself where it went from fold to fold: the first test rows were new to it, and later ones were not.
    """
    if e.net.made_at is not None and e.first_trained < 0.02 * e.first and len(e.rows) > 1.5 * e.first:
        return maker_line(e.net.made_at)
    joined = joined_with_test(train.site, train.loader)
    for led in train.way[1:]:  # of several calls of a helper, the one that ran
        joined = joined or joined_with_test(led, None)
    if joined is not None:
        return joined
    site = e.names[0]
    module = tree(site.file)
    draws = called(module, "random_split", "train_test_split") if module is not None else []
    lines = sorted({d.lineno for d in draws})
    if len(lines) >= 2 and _same_table(draws):
        return Site(site.file, lines[1])
    if e.first_trained < e.first and (drawn := drawn_for_each(site.file)) is not None:
        return drawn
    tested = next((p for p in (rows_line(s, e.loader, says_test) for s in e.names) if p is not None), None)
    if tested is not None and tested.of_other:
        return tested.site
    trained = rows_line(train.site, train.loader, says_train)
    if trained is not None and tested is not None and trained.site == tested.site:
        return within_helper(_cut_before(trained.site) or trained.site)
    unpacked = unpacked_from(trained.site, train.way) if trained is not None else None
    if unpacked is not None:
        return within_helper(unpacked)
    again = _joined_again(train) if trained is None else None
    if again is not None:
        return calling_line(again)
    named = trained if trained is not None and trained.site != train.loader else None
    place = named.site if named is not None else _whole_after_split(train) or _parted(train)
    place = place or train.loader or train.site
    place = _cut_before(place) or place
    if place is None:
        return None
    place = handed_over(place, train.way, of_loader=place == train.loader)
    return _handed_together(_split_before(place) or place)


def _handed_together(place: Site) -> Site:
    """Where both parts were made, for a line that only hands both on: ``x_tr, x_va = scale(x_tr, x_va)``."""
    for _ in range(4):
        statement = statement_at(place)
        if not isinstance(statement, ast.Assign):
            return place
        made = {n for t in statement.targets for n in target_names(t)}
        given = data_names(statement.value)
        parts = [
            {n for n in names if says({n})} for names in (made, given) for says in (says_train, _says_held)
        ]
        before = definition(place, min(parts[2])) if all(parts) else None
        if before is None or before.line >= place.line or before.function is not function_of(place):
            return place
        place = Site(place.file, before.line)
    return place


def _says_held(names: set[str]) -> bool:
    return says_test(names) or says_validation(names)


def _split_before(place: Site) -> Site | None:
    """Where the rows that a line only hands on were made together with those of the test:
    ``train, test = split(table)``.
    """
    statement = statement_at(place)
    if statement is None or not isinstance(statement, (ast.Expr, ast.Assign)):
        return None
    own = {n for t in getattr(statement, "targets", []) for n in target_names(t)}
    for name in (
        sorted(n for n in data_names(statement.value) if says_train({n})) if not says_train(own) else ()
    ):
        made = definition(place, name)
        line = statement_at(Site(place.file, made.line)) if made is not None else None
        makes = isinstance(line, ast.Assign) and isinstance(line.value, (ast.Call, ast.GeneratorExp))
        targets = line.targets if makes and isinstance(line, ast.Assign) else []
        if (
            made is not None
            and made.line < place.line
            and _says_held({n for t in targets for n in target_names(t)})
        ):
            return Site(place.file, made.line)
    return None


def _cut_before(place: Site | None) -> Site | None:
    """The only line of a class or function that cuts training rows out of all, where another of its lines
    makes parts of the numbers that it has cut.
    """
    statement = statement_at(place) if place is not None else None
    if place is None or statement is None or not called(statement, "Subset", "getattr"):
        return None
    kinds = [n for n in enclosing(place) if isinstance(n, ast.ClassDef)]
    around = kinds[-1] if kinds else function_of(place)
    made = (n for n in ast.walk(around) if isinstance(n, ast.Assign)) if around is not None else ()
    lines = [n.lineno for n in made if cuts(n.value) and says_train({base(t) for t in n.targets})]
    return Site(place.file, lines[0]) if len(lines) == 1 and lines[0] != place.line else None


def _whole_after_split(train: TrainSeen) -> Site | None:
    """The line that takes a table as a whole although it was split before, in the same function."""
    module = tree(train.site.file) if train.site is not None else None
    if train.site is None or module is None:
        return None
    steps = list(ancestry(train.site, train.loader))
    for split in called(module, "train_test_split"):
        site = Site(train.site.file, split.lineno)
        targets = getattr(statement_at(site), "targets", [])
        given = {a.id for a in split.args if isinstance(a, ast.Name)}
        given -= {n for t in targets for n in target_names(t)}
        for step in steps:
            later = step.site.line > split.lineno and function_of(step.site) is function_of(site)
            if later and step.site.file == site.file and given & data_names(step.value):
                return step.site
    return None


def _parted(train: TrainSeen) -> Site | None:
    """The line that takes the rows of training from a table, by position or by what is true of them."""
    return first(ancestry(train.site, train.loader), lambda value: cuts(value) or chooses(value))


def _joined_again(train: TrainSeen) -> Site | None:
    """The line that joins parts of a table once they were cut apart."""
    join: Site | None = None
    for step in ancestry(train.site, train.loader):
        if cuts(step.value) or chooses(step.value):
            return join if join is None or step.site.line != join.line else None
        rows = (c for c in called(step.value, "cat", "concat", "concatenate", "vstack") if not _wide(c))
        join = join or next((step.site for _ in rows), None)
    return None


def _wide(join: ast.Call) -> bool:
    """Whether a join gives more columns, and no more rows."""
    along = [k.value for k in join.keywords if k.arg in ("dim", "axis")] + join.args[1:2]
    return any(getattr(a, "value", 1) != 0 for a in along)


def _same_table(draws: list[ast.Call]) -> bool:
    given = [data_names(d.args[0]) for d in draws if d.args]
    return len(given) >= 2 and bool(given[0] & given[1])
