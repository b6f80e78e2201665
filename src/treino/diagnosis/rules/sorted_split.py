"""A split by position of rows that are sorted by class."""

import ast
from collections import Counter
from collections.abc import Iterable

import numpy as np

from treino.diagnosis.finding import Evidence, Site
from treino.diagnosis.reading.ancestry import Step, ancestry, first, trail
from treino.diagnosis.reading.names import split_line, words
from treino.diagnosis.reading.source import called, names_in, statement_at, tree
from treino.diagnosis.rule import Rule
from treino.diagnosis.rules.curves import curve
from treino.diagnosis.rules.examples import HELD_OUT, SPLIT
from treino.diagnosis.rules.overlap import learner
from treino.diagnosis.watch.answers import AnswersSeen, OrderedSeen, cut_up, far_from, in_one_piece, left_over
from treino.diagnosis.watch.eval_seen import EvalSeen
from treino.diagnosis.watch.seen import Seen
from treino.diagnosis.watch.tables import PartedSeen, TrainSeen, apart
from treino.diagnosis.where.kinds import cuts
from treino.words import N_, _

TIMES = {"time", "times", "date", "year", "month", "day", "hour", "timestamp", "datetime", "t", "step"}

SERIES = {"series", "forecast", "horizon", "lag", "lags", "lookback", "history", "past", "future", "trend"}
SERIES |= {"extrapolate", "extrapolation", "season", "seasonal", "window", "windows", "autoregressive", "rul"}
SORTS = ("sort_values", "argsort", "sort", "sorted", "lexsort", "nlargest", "nsmallest")
NAMES = {"id", "key", "index", "number", "no", "code", "name", "rank"}  # of rows
LAID_OUT = ("linspace", "geomspace", "logspace")
MIXES = ("permutation", "randperm", "permuted", "sample", "shuffle", "train_test_split", "random_split")
FOLDS = ("chunk", "split", "array_split", "tensor_split")


def decide(seen: Seen) -> Iterable[Evidence]:
    """Classes, or a range of targets, in the evaluation rows that training never saw, and an evaluation that
    fails on them.
    """
    in_order = {label for loss in seen.losses.values() if loss.sorted for label, _share in loss.runs}
    if seen.data is not None and sum(bool(t.rows) for t in seen.data.trains.values()) > 1:
        in_order = set()  # each net of a cross-validation had only its own
    for e in [e.unseen() for e in seen.data.evals.values()] if seen.data is not None else ():
        train = next((t for t in seen.data.trains.values() if t.net is e.net), None)
        train = learner(seen.data, train) if train is not None and e.judged else train
        total, known = sum(e.labels.values()), set(train.labels_first) if train is not None else set()
        if train is not None and e.names and _apart(seen, train, e):
            numbers = {
                "unseen": 1.0,
                "shift": 1.0,
                "training": _trained_loss(seen, train),
                "evaluation": e.goals.loss,
                "figure": _("loss"),
                "what": _("have targets outside of the range of training's"),
            }
            yield Evidence(_cut(seen, e) or e.names[0], e.names[0], numbers)
            return
        if train is None or total < 10 or len(known) < 1:
            continue
        if not e.learned and max(e.phases, default=0) <= train.first_step:
            continue  # it came before training
        if in_order >= set(e.labels):
            continue  # training had them all, one class after the other
        strange = sum(n for label, n in e.labels.items() if label not in known)
        trained = max(1, sum(e.learned.values()))
        shift = sum(abs(e.labels[k] / total - e.learned[k] / trained) for k in known | set(e.labels)) / 2
        right = e.right / e.judged if e.judged else 1.0
        told = train.judged >= 20
        worse = told and right < 0.75 * train.right / train.judged
        worse = worse and (strange > 0.2 * total or (shift > 0.5 and trained >= 50))
        others = _fewer(seen, e, known) if e.judged else told and shift > 0.5 and _one_end(seen, e, known)
        if len(e.labels) <= 50 and (worse or (shift > 0.3 and others)):
            numbers = {
                "unseen": max(strange / total, shift),
                "figure": _("accuracy"),
                "what": _("are of classes that training saw less or never"),
                "shift": shift,
                "training": train.right / train.judged if told else "–",
                "evaluation": right if e.judged else "–",
            }
            first = e.names[0] if e.names else None
            yield Evidence(_cut(seen, e) or first, first, numbers)
            return
    for search in (_class_by_class, _by_hand, _by_target, _along_a_curve) if seen.data is not None else ():
        found = search(seen)
        if found is not None:
            yield found
            return


def _class_by_class(seen: Seen) -> Evidence | None:
    """Rows that stood class by class were split by position; a net learned the one part and answered for the
    other, whatever the script made of its answers.
    """
    for p in seen.data.parted:
        least = 0.3 if len(p.others) == 1 else 0.5
        lacks = p.shift > least and len(p.others) < len(p.others | p.known)
        if p.site is None or not (p.unseen > 0.2 or lacks):
            continue
        held_out = [e for e in seen.data.evals.values() if _other_part(e, p)]
        said = [(e.right, e.judged) for e in held_out if e.judged]
        compared = [a for a in seen.data.answers.seen if Counter(a.labels.tolist()) == p.others]
        said += [(a.right, len(a.labels)) for a in compared]
        right, judged = sum(r for r, _ in said), sum(n for _, n in said)
        failed = judged > 0 and right < 0.75 * judged
        unknown = held_out and (not judged or lacks)  # how they were judged, or what of the other classes
        by_hand = seen.main_loss() is None and (failed or bool(held_out and lacks))
        learned = _learned_part(seen, p) or by_hand
        if not (failed or unknown) or not learned:
            continue
        numbers = {
            "unseen": max(p.unseen, p.shift),
            "shift": p.shift,
            "training": "–",
            "evaluation": right / judged if judged else "–",
            "figure": _("accuracy"),
            "what": _("are of classes that training saw less or never"),
        }
        return Evidence(p.site, p.site, numbers)
    return None


def _other_part(e: EvalSeen, p: PartedSeen) -> bool:
    """Whether an evaluation is of the part of a split that isn't training's."""
    parts = [(e.first, len(e.trained_before) / max(1, len(e.rows)))]
    parts += [(rows, trained / max(1, rows)) for rows, _distinct, trained in e.pieces]
    own = any(rows == p.others.total() and trained < 0.1 for rows, trained in parts)
    if not e.labels:
        module = tree(p.site.file) if p.name and p.site is not None else None
        return own and (not p.name or (module is not None and _dropped(module, p.name)))
    return own and sorted(e.labels.values()) == sorted(p.others.values())


def _learned_part(seen: Seen, p: PartedSeen) -> bool:
    """Whether the labels that were learned are those of the one part, by a net that could say the others."""
    main = seen.main_loss()
    learned = next((t.labels_first for t in seen.data.trains.values() if t.labels_first), None)
    learned = learned or Counter(main.labels if main is not None else ())
    if main is None or not learned or main.classes < len(p.known | p.others):
        return False
    if all(isinstance(k, (int, float)) for k in p.known):
        return apart(Counter(learned), p.known) < 0.15
    return apart(*(Counter(dict(enumerate(sorted(c.values())))) for c in (learned, p.known))) < 0.1


def _by_target(seen: Seen) -> Evidence | None:
    """A table that the source sorts by its target, not by time, was split as it stood."""
    for a in seen.data.apart:
        every = seen.data.evals.values()
        parts = [(len(e.rows), len(e.trained_before)) for e in every]
        parts += [(rows, trained) for e in every for rows, _distinct, trained in e.pieces]
        held_out = any(rows == a.rows and trained < 0.1 * a.rows for rows, trained in parts)
        module = tree(a.site.file) if a.site is not None else None
        if not held_out or module is None or not _sorts(module) or (a.name and not _taken(module, a.name)):
            continue
        numbers = {"unseen": 1.0, "shift": 1.0, "training": a.training, "evaluation": a.evaluation}
        words = {"figure": _("mean target"), "what": _("have targets outside of the range of training's")}
        return Evidence(a.site, a.site, {**numbers, **words})
    return None


def _along_a_curve(seen: Seen) -> Evidence | None:
    """The targets stood in order, and training took those of one end."""
    main, data = seen.main_loss(), seen.data
    kept = main.targets.kept if main is not None else []
    for e in data.evals.values() if kept and data.answers.ordered else ():
        train = next((t for t in data.trains.values() if t.net is e.net), None)
        if train is None or not e.names or len(e.rows) < 20 or len(e.trained_before) > 0.1 * len(e.rows):
            continue
        if _narrow(train):
            continue  # a curve that is drawn on
        for table in data.answers.ordered:
            rest_ND = left_over(table.rows_ND, np.concatenate(kept))
            taken = len(table.rows_ND) - len(rest_ND) if rest_ND is not None else 0
            if rest_ND is None or not 0.5 * taken <= len(train.rows) <= 1.02 * taken:
                continue
            found = _at_one_end(train, e, table, rest_ND)
            if found is not None:
                return found
    return None


def _at_one_end(train: TrainSeen, e: EvalSeen, table: OrderedSeen, rest_ND: np.ndarray) -> Evidence | None:
    """An evaluation of rows that lie beyond those of training, as far as numbers or the source tell."""
    cut = next((site for n in e.names if (site := first(ancestry(n, e.loader), cuts)) is not None), None)
    if cut is None or not _put_in_order(train, e, table):
        return None
    known_ND = table.rows_ND[len(rest_ND) :]
    if len(rest_ND) and (rest_ND[0] != table.rows_ND[0]).any():
        known_ND = table.rows_ND[: -len(rest_ND)]
    share = far_from(rest_ND, known_ND) if len(rest_ND) else 1.0
    if len(rest_ND):
        fits = 0.3 * len(rest_ND) <= len(e.rows) <= 1.02 * len(rest_ND) and share > 0.7
    else:  # the table is the training part
        fits = (table.monotone or not _mixed(e)) and _ordered_before(cut)
    if not fits:
        return None
    column = int(np.abs(known_ND.mean(axis=0) - rest_ND.mean(axis=0)).argmax()) if len(rest_ND) else 0
    numbers = {
        "unseen": share,
        "shift": share,
        "training": float(known_ND[:, column].mean()),
        "evaluation": float(rest_ND[:, column].mean()) if len(rest_ND) else "–",
        "figure": _("mean target"),
        "what": _("have targets outside of the range of training's"),
    }
    return Evidence(cut, e.names[0], numbers)


def _ordered_before(cut: Site) -> bool:
    """Whether the rows that a line cuts had been put in order."""
    statement = statement_at(cut)
    steps = trail(statement, cut) if statement is not None else iter(())
    return first(steps, lambda value: bool(called(value, *SORTS, *LAID_OUT))) is not None


def _narrow(train: TrainSeen) -> bool:
    """Whether rows are points of a line or a plane."""
    return train.columns.sums is not None and len(train.columns.sums) <= 2


def _put_in_order(train: TrainSeen, e: EvalSeen, table: OrderedSeen) -> bool:
    """Whether the source sorts these rows, or lays their targets out, and not along time."""
    module, made = tree(e.names[0].file), statement_at(table.site) if table.site is not None else None
    if module is None or made is None or table.site is None:
        return False
    steps = list(trail(made, table.site))
    rows = [step for n in e.names for step in ancestry(n, e.loader)]
    if table.monotone and _sorts(module) and any(called(s.value, *SORTS) for s in (*steps, *rows)):
        return True
    laid_out = [step for step in steps if called(step.value, *LAID_OUT)]
    said = {w for name in names_in(module) for w in words(name)}
    series = train.columns.values is not None or bool(said & SERIES)
    return bool(laid_out) and not any(map(_of_time, laid_out)) and not series


def _of_time(step: Step) -> bool:
    """Whether a line that lays numbers out speaks of time."""
    statement = statement_at(step.site)
    said = names_in(statement) if statement is not None else set()
    return bool({w for name in said for w in words(name)} & TIMES)


def _by_hand(seen: Seen) -> Evidence | None:
    """Answers of a net of plain tensors for a piece of a table in the order of its classes."""
    answers = seen.data.answers
    for site in {a.site for a in answers.seen if a.site is not None}:
        own = [a for a in answers.seen if a.site == site]
        shift, right = _failed_parts(own, answers.tables) or _failed_pieces(own, answers.tables)
        statement = statement_at(site) if shift else None
        steps = trail(statement, site) if statement is not None else iter(())
        cut = first(steps, lambda value: cuts(value) or bool(called(value, *FOLDS)))
        if cut is not None:
            numbers = {"unseen": shift, "shift": shift, "training": "–", "evaluation": right}
            words = {"figure": _("accuracy"), "what": _("are of classes that training saw less or never")}
            return Evidence(cut, site, {**numbers, **words})
    return None


def _failed_pieces(own: list[AnswersSeen], tables: list[np.ndarray]) -> tuple[float, float]:
    """(how far their classes are off, share of right answers), where all are pieces of a table; (0, 0)
    otherwise.
    """
    shifts = [in_one_piece(a.labels, tables) for a in own]
    several = any(len(np.unique(a.labels)) > 1 for a in own)  # of one class alone: recall, perhaps
    rows, right = sum(len(a.labels) for a in own), sum(a.right for a in own)
    if not all(shifts) or not (several or len(own) == 1) or right >= 0.5 * rows:
        return 0.0, 0.0
    return float(np.mean(shifts)), right / rows


def _failed_parts(own: list[AnswersSeen], tables: list[np.ndarray]) -> tuple[float, float] | None:
    """The same where one line evaluates all parts of a table, one after the other: training's first."""
    newest = list({a.labels.tobytes(): a for a in own}.values())
    table = cut_up([a.labels for a in newest], tables)
    if table is None:
        return None
    known, *others = newest
    labels, right = np.concatenate([a.labels for a in others]), sum(a.right for a in others)
    shift = sum(abs(np.mean(labels == k) - np.mean(known.labels == k)) for k in np.unique(table)) / 2
    if shift < 0.3 or right / len(labels) >= 0.75 * known.right / len(known.labels):
        return None
    return float(shift), right / len(labels)


def _cut(seen: Seen, e: EvalSeen) -> Site | None:
    """Where the table was cut; by the names, if nothing else says so."""
    return _cut_at(seen, e) or (split_line(e.names[0].file) if e.names else None)


def _cut_at(seen: Seen, e: EvalSeen) -> Site | None:
    cut = next((s for s, shuffled in seen.data.splits if not shuffled), None)
    fold = next((f.site for f in seen.data.folds), None)
    traced = (first(ancestry(site, e.loader), cuts) for site in e.names)
    return cut or fold or next((site for site in traced if site is not None), None)


def _fewer(seen: Seen, e: EvalSeen, known: set[float]) -> bool:
    """Whether the rows of an evaluation were cut off a table by position, hold fewer classes than training,
    and are the only ones that the net was evaluated on, or the only ones of their kind.
    """
    others = [o for o in seen.data.evals.values() if o is not e and o.rows - e.rows]
    if len(e.rows) < 20 or not e.labels.keys() < known or len(e.trained_before) > 0.1 * len(e.rows):
        return False
    if any(
        not o.labels.keys() <= e.labels.keys() and len(o.trained_before) < 0.5 * len(o.rows) for o in others
    ):
        return False  # one class after the other
    return _cut_at(seen, e) is not None


def _one_end(seen: Seen, e: EvalSeen, known: set[float]) -> bool:
    """The same where nobody saw how the evaluation judges: whether its rows are the end of a table in the
    order of its classes, of which no more than one lies on both sides.
    """
    main = seen.main_loss()
    others = [o for o in seen.data.evals.values() if o is not e and o.rows - e.rows]
    if main is None or max(e.labels) >= main.classes or len(known) < 2 or len(e.labels.keys() & known) > 1:
        return False
    if len(e.rows) < 20 or len(e.trained_before) > 0.1 * len(e.rows):
        return False
    if any(len(o.trained_before) < 0.5 * len(o.rows) for o in others):
        return False
    return _cut_at(seen, e) is not None and not _mixed(e)


def _mixed(e: EvalSeen) -> bool:
    """Whether a line that made the rows of an evaluation puts rows into another order."""
    calls = (c for n in e.names for step in ancestry(n, e.loader) for c in called(step.value, *MIXES))
    return not all(any(k.arg == "shuffle" and _is_false(k.value) for k in c.keywords) for c in calls)


def _is_false(value: ast.AST) -> bool:
    return isinstance(value, ast.Constant) and value.value is False


def _apart(seen: Seen, train: TrainSeen, e: EvalSeen) -> bool:
    """No target of the evaluation is in the range of training's, the loss is far worse there, and the source
    sorts rows by something else than time.
    """
    known, new = train.goals, e.goals
    if min(known.n, new.n) < 20 or not (new.low >= known.high or new.high <= known.low):
        return False
    module = tree(e.names[0].file)
    return module is not None and _sorts(module) and new.loss > 4 * _trained_loss(seen, train)


def _sorts(module: ast.Module) -> bool:
    """Whether the source sorts rows, by something else than time."""
    sorts = called(module, *SORTS)
    return bool(sorts) and not {w.lower() for s in sorts for w in _words_in(s)} & TIMES


def _dropped(module: ast.Module, name: str) -> bool:
    """Whether a column is left out of the rows, as their target is."""
    calls = called(module, "drop", "pop")
    return any(isinstance(n, ast.Constant) and n.value == name for c in calls for n in ast.walk(c))


def _taken(module: ast.Module, name: str) -> bool:
    """Whether a column is taken out of the table, as its target, or is one that is read by its name, or was
    made last, to sort the table by it.
    """
    if _dropped(module, name):
        return True
    parts = [n for n in ast.walk(module) if isinstance(n, ast.Subscript)]
    own = [n.ctx for n in parts if isinstance(n.slice, ast.Constant) and n.slice.value == name]
    if any(isinstance(ctx, ast.Load) for ctx in own):
        return True
    sorts = [n for c in called(module, "sort_values") for n in ast.walk(c) if isinstance(n, ast.Constant)]
    return bool(own) and any(n.value == name for n in sorts) and not NAMES & {*words(name)}


def _trained_loss(seen: Seen, train: TrainSeen) -> float:
    """The loss that training came to."""
    main = curve(seen)
    return main.last() if main is not None and not main.by_hand else train.goals.loss


def _words_in(call: ast.Call) -> set[str]:
    strings = (n.value for n in ast.walk(call) if isinstance(n, ast.Constant) and isinstance(n.value, str))
    return {w for name in (*names_in(call), *strings) for w in words(name)}


RULE = Rule(
    id="sorted_split",
    group="data",
    severity="wrong",
    certain=False,
    watches=("data",),
    decide=decide,
    unless=("missing_zero_grad", "no_step", "grad_cleared_before_step", "detached_loss", "nan_inputs"),
    message=N_(
        "{unseen} of the evaluation rows {what}; {figure} {evaluation} there, {training} in training."
    ),
    why=N_(
        "The rows were sorted by class or by target when they were cut, so that the two parts differ. "
        "The figure measures nothing that the net could have learned."
    ),
    fix=N_("Shuffle before splitting, or use train_test_split(..., stratify=y)."),
    wrong="""\
x, y = x[y.argsort()], y.sort().values
x_train, y_train, x_test, y_test = x[:160], y[:160], x[160:], y[160:]
"""
    + HELD_OUT,
    right=SPLIT + HELD_OUT,
    cost=N_("counts labels in training and evaluation"),
)
