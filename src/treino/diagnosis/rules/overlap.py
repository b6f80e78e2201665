"""What test_in_train and duplicate_leakage share: evaluation rows that training had seen."""

import ast
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

from treino.diagnosis.finding import Evidence, Site
from treino.diagnosis.reading.ancestry import ancestry
from treino.diagnosis.reading.indexed import rows_by_number
from treino.diagnosis.reading.multiplied import multiplied_before
from treino.diagnosis.reading.names import names_of_evaluation, says_test, says_train, says_validation
from treino.diagnosis.reading.overlap_lines import copied_at, says_joins, shared_at
from treino.diagnosis.reading.provenance import (
    definition,
    maker_line,
)
from treino.diagnosis.reading.sharing import (
    cut_twice,
    taken_back,
)
from treino.diagnosis.reading.source import (
    call_at,
    call_name,
    called,
    enclosing,
    first_given,
    names_in,
    tree,
)
from treino.diagnosis.watch.eval_seen import EvalSeen, Names
from treino.diagnosis.watch.seen import Seen
from treino.diagnosis.watch.tables import DataSeen, TrainSeen, chance

STEPS = {"validation_step": "val", "test_step": "test"}


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
                    e.names, rows, trained, _repeats(e), copied_at(e) if _repeats(e) else shared_at(train, e)
                )
            continue
        names = _of_step(e.names, _rows_named(e, data, train))
        trained = len(e.trained_before)
        back = taken_back(e.names[0], names)
        if back is not None and _all_learned(train, e, names):
            yield Overlap(e.names, len(e.rows), trained, False, back)
            continue
        if not (says_test(names) or says_validation(names)) or trained < 3:
            continue
        if trained < 0.02 * len(e.rows) and not (chance(train) < 1e-6 and cut_twice(e.names[0].file)):
            continue
        if _of_training(e):
            continue
        unique = _unique(train, e)
        if (chance(train) > 0.01 and not unique) or (
            says_train(names) and trained > 0.9 * min(len(e.rows), len(train.rows))
        ):
            continue
        others = (o for o in data.evals.values() if o is not e)
        if says_train(names) and any(o.names == e.names and _new(o) for o in others):
            continue  # both parts on one line: the other call is the test
        if trained > 0.75 * len(e.rows) and _beside_test(key, e, data):
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
        again = trained >= 0.9 * len(e.rows) or (chance(train) <= 1e-6 and _bootstrapped(train))
        if copies and multiplied is None and again and not _repeats(e):
            copies = False  # none of them twice: it is a sampler of one's own that draws rows again
        if copies and few and not (says_joins(e.names[0]) or multiplied):
            continue  # rows of few different values, or drawn in few ways, repeat themselves
        place = (multiplied or copied_at(e)) if copies else back or shared_at(train, e)
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


def _of_step(stack: Names, names: set[str]) -> set[str]:
    """What Lightning's steps, of which others took the names, are given: ``fit(net, train, val)`` names all
    rows, but ``validation_step`` gets those of validation.
    """
    part = next((STEPS[s.function] for s in stack if s.function in STEPS), None)
    if part is None:
        return names
    if says_test(names) or says_validation(names):
        return {n for n in names if not says_train({n})}
    return names if says_train(names) else names | {part}


def _of_training(e: EvalSeen) -> bool:
    """Whether what the net itself is given bears the name of training rows, whatever its answers are for:
    ``net(train[0])``.
    """
    call = call_at(e.names[0], e.spots[0]) if e.spots else None
    rows = first_given(call) if call is not None else None
    plain = (ast.Name, ast.Attribute, ast.Subscript)
    given = names_in(rows) if isinstance(rows, plain) else set()
    return says_train(given) and not says_test(given) and not says_validation(given)


def _unique(train: TrainSeen, e: EvalSeen) -> bool:
    """Whether training has no row of whole numbers twice, though it would have if so many rows of the
    evaluation were equal to its own by chance. Pairs of users and items may be ranked with those of training,
    unless it is stars that are told.
    """
    n, trained = train.first_epoch, len(e.trained_before)
    ranked = train.pairs and not e.goals.high - e.goals.low > 1
    if train.floating or ranked or train.twice or trained >= 0.98 * len(train.rows):
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
    loop, others among them: one call for each.
    """
    for site in e.names:
        for node in enclosing(site):
            parts = _listed(node.iter, site) if isinstance(node, (ast.For, ast.comprehension)) else []
            said = [_said(p) for p in parts]
            tested = [i for i, s in enumerate(said) if says_test(s) and not says_train(s)]
            if tested and len(tested) < len(parts) == len(e.pieces):
                _all, rows, trained = e.pieces[tested[-1]]
                return rows, trained
            if tested and len(tested) < len(parts) and len(e.trained_before) < 0.98 * len(e.rows):
                return 0, 0  # in batches: of training's rows, as far as anyone can tell
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
    ``identify(net, known, unseen)``. Of one line, ``cdist(net(asked), net(known))``, it is told by the call.
    """
    for other_key, o in data.evals.items() if data is not None else ():
        if other_key[0] == key[0] and o is not e and _new(o):
            apart = [*zip_longest(o.names, o.spots)]
            own = [told for told in zip_longest(e.names, e.spots) if told not in apart]
            names = names_of_evaluation(tuple(site for site, _ in own), tuple(spot for _, spot in own))
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
        yield Overlap(p.names, p.rows, p.trained, False, shared_at(train, e))


def _bootstrapped(train: TrainSeen) -> bool:
    """Whether the numbers of training rows are drawn with replacement: ``rng.choice(n, size=n)``."""
    steps = ancestry(train.site, train.loader)
    calls = [c for step in steps for c in called(step.value, "choice", "choices")]
    kept = ({k.arg: getattr(k.value, "value", None) for k in c.keywords} for c in calls)
    return any(told.get("replace") is not False for told in kept)


def _drawn_again(path: str) -> bool:
    """Whether a sampler draws training rows more than once, so that repeats tell nothing of the table."""
    module = tree(path)
    if module is None or called(module, "WeightedRandomSampler", "RandomSampler"):
        return module is not None
    return any(k.arg == "batch_sampler" for c in called(module, "DataLoader") for k in c.keywords)
