"""What test_in_train and duplicate_leakage share: evaluation rows that training had seen."""

import ast
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

from treino.diagnosis.finding import Evidence, Site
from treino.diagnosis.reading.ancestry import ancestry, chooses, cuts, first
from treino.diagnosis.reading.indexed import rows_by_number
from treino.diagnosis.reading.multiplied import multiplied_before
from treino.diagnosis.reading.names import names_of_evaluation, says_test, says_train, says_validation
from treino.diagnosis.reading.orders import base
from treino.diagnosis.reading.provenance import (
    Function,
    calling_line,
    data_names,
    definition,
    maker_line,
    origins,
    rows_line,
)
from treino.diagnosis.reading.sharing import (
    cut_twice,
    drawn_for_each,
    handed_over,
    joined_with_test,
    order_of_steps,
    taken_back,
    unpacked_from,
    within_helper,
)
from treino.diagnosis.reading.source import (
    call_name,
    called,
    enclosing,
    function_of,
    names_in,
    statement_at,
    tree,
)
from treino.diagnosis.watch.seen import Seen
from treino.diagnosis.watch.tables import DataSeen, EvalSeen, TrainSeen, chance

JOINS = (
    *("concat", "concatenate", "cat", "vstack", "hstack", "append", "stack", "resample", "repeat", "tile"),
    *("repeat_interleave", "ConcatDataset", "sample", "choice", "choices", "randint", "integers"),
)
COPIES = ("resample", "repeat", "tile", "repeat_interleave", "sample", "choice", "choices")


@dataclass(frozen=True)
class Overlap:
    """An evaluation whose rows were trained on."""

    names: tuple[Site, ...]
    rows: int
    trained: int
    copies: bool  # the training rows themselves hold copies
    place: Site | None

    def evidence(self) -> Evidence:
        """The finding's numbers, at the line where the two parts came to share rows."""
        numbers = {"rows": self.rows, "trained": self.trained, "share": self.trained / self.rows}
        return Evidence(self.place, self.names[0], numbers)


def learner(data: DataSeen, train: TrainSeen) -> TrainSeen:
    """The training that a net's weights come from: of an average of weights, that of the only net that
    learned.
    """
    train = train.learned()
    others = [t for t in data.trains.values() if t.rows]
    return others[0] if not train.rows and len(others) == 1 else train


def overlaps(seen: Seen) -> Iterable[Overlap]:
    """Evaluations that speak of test or validation rows of which more were trained on than chance allows."""
    data: DataSeen | None = seen.data
    for key, e in data.evals.items() if data is not None else ():
        own = data.trains.get(key[0]) if data is not None else None
        train = own.learned() if own is not None else None
        if data is None or train is None or not e.names or len(e.rows) < 10 or train.adversarial:
            continue
        part = _test_part(e)
        if part is not None:
            rows, trained = part
            if trained >= max(3, 0.02 * rows) and rows >= 10 and train.floating and chance(train) <= 0.01:
                yield Overlap(
                    e.names, rows, trained, _repeats(e), _joined(e) if _repeats(e) else _place(train, e)
                )
            continue
        names = _rows_named(e, data, train)
        trained = len(e.trained_before)
        back = taken_back(e.names[0], names)
        if back is not None and _all_learned(train, e, names):
            yield Overlap(e.names, len(e.rows), trained, False, back)
            continue
        if not (says_test(names) or says_validation(names)) or trained < 3:
            continue
        if trained < 0.02 * len(e.rows) and not (chance(train) < 1e-6 and cut_twice(e.names[0].file)):
            continue
        unique = _unique(train, e)
        if (chance(train) > 0.01 and not unique) or (says_train(names) and trained > 0.9 * len(e.rows)):
            continue
        if says_train(names) and any(o.names == e.names and _new(o) for o in data.evals.values()):
            continue  # both parts on one line: the other call is the test
        if trained > 0.9 * len(e.rows) and _beside_test(key, e, data):
            continue
        same = trained >= 0.98 * len(e.rows) and len(e.rows) >= 0.98 * len(train.rows)
        if same and e.calls <= len(e.phases):
            continue  # one table in one piece, for training and evaluation alike, as for graphs with masks
        repeats = trained < 0.5 * len(e.rows) or train.twice > 0.01 * train.first_epoch
        if not train.floating and repeats and not unique:
            continue  # short texts and codes repeat themselves
        copies = train.twice > 0.01 * max(1, train.first_epoch) and not _drawn_again(e.names[0].file)
        few = chance(train) > 1e-6 or trained < 0.2 * len(e.rows)
        multiplied = multiplied_before(train, e, made=True) if copies else None
        if copies and few and not (_says_joins(e.names[0]) or multiplied):
            continue  # rows of few different values, or drawn in few ways, repeat themselves
        place = (multiplied or _joined(e)) if copies else back or _place(train, e)
        yield Overlap(e.names, len(e.rows), trained, copies, place)


def _rows_named(e: EvalSeen, data: DataSeen, train: TrainSeen) -> set[str]:
    """What an evaluation calls its rows: by name, by the numbers that take them, or as those of a fold."""
    names, numbered = names_of_evaluation(e.names, e.spots), rows_by_number(e)
    if says_test(numbered) and not says_test(names):
        return numbered
    if says_test(names) or says_validation(names):
        return names
    for fold, after in zip_longest(data.folds, data.folds[1:]):
        within = fold.step <= train.first_step and (after is None or train.last_step < after.step)
        whole = len(fold.test) == e.first != len(fold.train) and min(e.phases) > fold.step
        if within and whole and len(e.trained_before) < 0.9 * len(e.rows):
            return {"test_rows"}
    return names


def _unique(train: TrainSeen, e: EvalSeen) -> bool:
    """Whether training has no row of whole numbers twice, though it would have if so many rows of the
    evaluation were equal to its own by chance. Pairs of users and items are ranked with those of training.
    """
    n, trained = train.first_epoch, len(e.trained_before)
    if train.floating or train.pairs or train.twice or trained >= 0.98 * len(train.rows):
        return False
    return trained / len(e.rows) * n * n / (2 * len(train.rows)) >= 10


def _all_learned(train: TrainSeen, e: EvalSeen, names: set[str]) -> bool:
    """Whether many of the rows, which are a part of those of training, were trained on: more than are equal
    by chance.
    """
    share = len(e.trained_before) / len(e.rows)
    part = len(e.rows) < 0.9 * len(train.rows) and not says_train(names)
    return part and train.floating and share > 0.1 and share > 5 * chance(train)


def _test_part(e: EvalSeen) -> tuple[int, int] | None:
    """(rows, trained) of the test rows, where one line evaluates parts that are listed in the head of its
    loop, training rows among them: one call for each.
    """
    for site in e.names:
        for node in enclosing(site):
            parts = _listed(node.iter, site) if isinstance(node, (ast.For, ast.comprehension)) else []
            said = [_said(p) for p in parts]
            tested = [i for i, s in enumerate(said) if says_test(s) and not says_train(s)]
            if tested and any(says_train(s) for s in said) and len(e.pieces) == len(parts):
                _all, rows, trained = e.pieces[tested[-1]]
                return rows, trained
    return None


def _listed(value: ast.AST, site: Site) -> list[ast.AST]:
    """The elements of a list that is written out: here, or on the line that gives it its name."""
    if isinstance(value, ast.Call) and call_name(value) == "items" and isinstance(value.func, ast.Attribute):
        value = value.func.value
    if isinstance(value, ast.Name):
        made = definition(site, value.id)
        value = made.value if made is not None else value
    if isinstance(value, ast.Dict):
        pairs = zip(value.keys, value.values, strict=True)
        return [ast.Tuple([k, v], ast.Load()) for k, v in pairs if k is not None]
    return list(value.elts) if isinstance(value, (ast.List, ast.Tuple)) else []


def _said(part: ast.AST) -> set[str]:
    """Names and words in an element."""
    words = (n.value for n in ast.walk(part) if isinstance(n, ast.Constant) and isinstance(n.value, str))
    return names_in(part) | set(words)


def _repeats(e: EvalSeen) -> bool:
    """Whether rows come twice within single calls of an evaluation: the table itself holds copies."""
    return sum(rows - distinct for rows, distinct, _trained in e.pieces) > 0.01 * sum(p[0] for p in e.pieces)


def _new(e: EvalSeen) -> bool:
    """Whether (nearly) none of an evaluation's rows was trained on."""
    return len(e.rows) >= 10 and len(e.trained_before) < 0.02 * len(e.rows)


def _beside_test(key: tuple[Any, ...], e: EvalSeen, data: DataSeen | None) -> bool:
    """Whether what speaks of a test, a line that led here, led to an evaluation of new rows as well:
    ``identify(net, known, unseen)``.
    """
    for other_key, o in data.evals.items() if data is not None else ():
        if other_key[0] == key[0] and o is not e and _new(o):
            own = [i for i, site in enumerate(e.names) if site not in o.names]
            names = names_of_evaluation(tuple(e.names[i] for i in own), ())
            if len(own) < len(e.names) and not says_test(names) and not says_validation(names):
                return True
    return False


def both_phases(seen: Seen) -> Iterable[Overlap]:
    """A net that learned, in evaluation mode alone, on rows that the lines around call test or validation."""
    data: DataSeen | None = seen.data
    for t in data.trains.values() if data is not None else ():
        rows = len(t.only_in_eval)
        again = 0 <= t.eval_step < t.last_step  # in training mode, as the parts take turns
        if rows < 10 or not t.names or len(t.rows) <= rows or not again:
            continue
        names = names_of_evaluation(t.names) | _phases(t.names)
        if says_test(names) or says_validation(names):
            stepped = max(seen.backwards.values(), key=lambda b: b.calls, default=None)
            yield Overlap(t.names, rows, rows, False, stepped.site if stepped is not None else t.names[0])


def _phases(sites: tuple[Site, ...]) -> set[str]:
    """What loops around these lines run over, as words: ``for phase in ["train", "test"]``."""
    loops = [n for s in sites for n in enclosing(s) if isinstance(n, ast.For)]
    return {
        n.value
        for loop in loops
        for n in ast.walk(loop.iter)
        if isinstance(n, ast.Constant) and isinstance(n.value, str)
    }


def shared_by_folds(seen: Seen) -> Iterable[Overlap]:
    """A net that learned on the rows of a fold before they became its test rows: it was never made anew."""
    data: DataSeen | None = seen.data
    for key, e in data.evals.items() if data is not None else ():
        train = data.trains.get(key[0]) if data is not None else None
        if train is None or not e.names or data is None:
            continue
        for before, fold in zip(data.folds, data.folds[1:], strict=False):
            through = before.step <= train.first_step < fold.step <= train.last_step
            if fold.site != before.site or not through or not any(p > fold.step for p in e.phases):
                continue
            both = len(fold.test & before.train)
            if both > 0.5 * len(fold.test):
                place = maker_line(e.net.made_at) if e.net.made_at is not None else None
                yield Overlap(e.names, len(fold.test), both, False, place or fold.site)
                return


def shared_by_number(seen: Seen) -> Iterable[Overlap]:
    """Evaluations that speak of test or validation rows, with rows that training drew from the same dataset
    by the same numbers: however these look, for each of them may be drawn, cut or turned anew.
    """
    data: DataSeen | None = seen.data
    for p in data.picked if data is not None else ():
        names = names_of_evaluation(p.names, p.spots)
        if not (says_test(names) or says_validation(names)) or says_train(names) or p.rows < 10:
            continue
        same = p.trained >= 0.98 * p.rows and p.rows >= 0.98 * p.learned
        if p.trained < max(3, 0.02 * p.rows) or (same and p.at_once):
            continue
        told = ((key, e) for key, e in data.evals.items() if e.names == p.names) if data is not None else ()
        if p.trained > 0.9 * p.rows and any(_beside_test(key, e, data) for key, e in told):
            continue
        train = TrainSeen(p.net, site=p.way[0] if p.way else None, loader=p.train_loader, way=p.way)
        e = EvalSeen(p.net, p.names, p.spots, p.loader)
        yield Overlap(p.names, p.rows, p.trained, False, _place(train, e))


def _drawn_again(path: str) -> bool:
    """Whether a sampler draws training rows more than once, so that repeats tell nothing of the table."""
    module = tree(path)
    if module is None or called(module, "WeightedRandomSampler", "RandomSampler"):
        return module is not None
    return any(k.arg == "batch_sampler" for c in called(module, "DataLoader") for k in c.keywords)


def _joined(e: EvalSeen) -> Site:
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
    helps = isinstance(function_of(join), Function) and split is not None
    if split is not None and helps and function_of(split) is not function_of(join):
        return order_of_steps(join, split) or split
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


def _says_joins(site: Site) -> bool:
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


def _place(train: TrainSeen, e: EvalSeen) -> Site | None:
    """The second of two draws of the same split, or where the rows of the wrong part are taken; the net
    itself where it went from fold to fold: the first test rows were new to it, and later ones were not.
    """
    if e.net.made_at is not None and e.first_trained < 0.02 * e.first and len(e.rows) > 1.5 * e.first:
        return maker_line(e.net.made_at)
    joined = joined_with_test(train.site, train.loader)
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
    place = trained.site if trained is not None else _parted(train) or train.loader or train.site
    place = _cut_before(place) or place
    return handed_over(place, train.way, of_loader=place == train.loader) if place is not None else None


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


def _parted(train: TrainSeen) -> Site | None:
    """The line that takes the rows of training from a table, by position or by what is true of them."""
    return first(ancestry(train.site, train.loader), lambda value: cuts(value) or chooses(value))


def _same_table(draws: list[ast.Call]) -> bool:
    given = [data_names(d.args[0]) for d in draws if d.args]
    return len(given) >= 2 and bool(given[0] & given[1])
