"""A scaler that was fitted on the evaluation rows too."""

import ast
from collections.abc import Iterable

import numpy as np

from treino.diagnosis.finding import Evidence, Site
from treino.diagnosis.reading.names import says_test, says_train
from treino.diagnosis.reading.provenance import calling_line, method_call
from treino.diagnosis.reading.source import called, function_of, names_in, statement_at, tree
from treino.diagnosis.rule import Rule
from treino.diagnosis.rules.examples import HELD_OUT, SPLIT
from treino.diagnosis.rules.overlap import learner
from treino.diagnosis.watch.columns import Columns
from treino.diagnosis.watch.eval_seen import EvalSeen
from treino.diagnosis.watch.scalers import NONE
from treino.diagnosis.watch.seen import Seen
from treino.diagnosis.watch.tables import DataSeen, FitSeen, TrainSeen
from treino.words import N_, _


def decide(seen: Seen) -> Iterable[Evidence]:
    """Evaluation rows that are none of training's are among those that a scaler was fitted on; or all rows
    together have the scaler's exact statistics, and training's alone have not.
    """
    data = seen.data
    if data is None:
        return
    held = [(e, t) for e, t in _pairs(data) if e.held_out]
    for e, train in held:
        for number, fit in enumerate(data.fits):
            # A few of training's rows may come through noise unharmed.
            together = train.leaked[number] > 0.3 * train.first_epoch or (
                fit.rows <= 1.1 * len(e.new) and fit.site is not None and _of_test(statement_at(fit.site))
            )
            if e.leaked[number] >= 0.75 * len(e.new) and together:
                numbers = {"rows": len(e.new), "fitted": fit.rows, "kind": fit.kind}
                yield Evidence(_written(fit.site), e.names[0], numbers)
                return
    for e, train in held:
        kind, together = _by_hand(train, [o for o, t in held if t is train])
        fitted = _fitted(data, kind, together)
        place = _written(fitted) if fitted else by_hand_line(e.names[0].file, kind) if kind else None
        if place is not None:
            numbers = {"rows": len(e.new), "fitted": together, "kind": _(kind)}
            yield Evidence(place, e.names[0], numbers)
            return
        kind = next(iter(set(exact(e.columns)) & set(exact(train.columns))), "")
        place = _own_line(e.names[0].file, kind) if kind else None
        if place is not None:
            numbers = {"rows": len(e.new), "fitted": len(e.new), "kind": _(kind)}
            yield Evidence(place, e.names[0], numbers)
            return
    untold = [f for f in data.fits if f.raw is NONE or f.kind.startswith("Select")]
    for e, train in held if untold else ():
        others = _others(train, [o for o, t in held if t is train])
        parts = {
            train.first_epoch + sum(map(_first, others)),
            *(train.first_epoch + _first(o) for o in others),
        }
        for fit in untold:
            chosen = fit.raw is NONE or _same_columns(data, fit, e, train)
            if fit.rows in parts and chosen and train.twice <= 0.1 * train.first_epoch:
                yield Evidence(
                    _written(fit.site),
                    e.names[0],
                    {"rows": len(e.new), "fitted": fit.rows, "kind": fit.kind},
                )
                return
    for train in data.trains.values():
        others = _others(train, list(data.evals.values()))
        kind = _within(train, others)
        place = by_hand_line(train.site.file, kind) if kind and train.site is not None else None
        if place is not None:
            rows = sum(len(e.new) for e in others)
            numbers = {"rows": rows, "fitted": rows + len(train.rows), "kind": _(kind)}
            yield Evidence(place, others[0].names[0], numbers)
            return


def _same_columns(data: DataSeen, fit: FitSeen, e: EvalSeen, train: TrainSeen) -> bool:
    """Whether a net is given as many columns as were chosen, in rows that were changed since."""
    at = next(i for i, f in enumerate(data.fits) if f is fit)
    wide = train.columns.sums is not None and len(train.columns.sums) == fit.width
    return wide and not (e.leaked[at] or train.leaked[at])


def _fitted(data: DataSeen, kind: str, rows: int) -> Site | None:
    """Where a scaler that leaves such statistics was fitted on so many rows: where columns are chosen after
    it, no row that a net is given is one that it made.
    """
    fits = (f for f in data.fits if f.kind == _SCALERS.get(kind) and f.rows == rows)
    return next((f.site for f in fits if f.site is not None), None)


def _of_test(node: ast.AST | None) -> bool:
    """Whether the rows that a line's calls are given are called test rows."""
    calls = [n for n in ast.walk(node) if isinstance(n, ast.Call)] if node is not None else []
    return any(says_test(names_in(a)) for c in calls for a in c.args)


def _own_line(path: str, kind: str) -> Site | None:
    """The line that scales what is called test rows by their own statistics, or has a function do it."""
    module = tree(path)
    spread, centre = _MIN_MAX if kind == "min and max" else _MEANS
    simple = [n for n in ast.walk(module) if isinstance(n, ast.stmt)] if module is not None else []
    scaling = [n for n in simple if called(n, *spread) and called(n, *centre)]
    helpers = [n.name for n in scaling if isinstance(n, ast.FunctionDef)]
    for node in simple:
        if hasattr(node, "body"):
            continue
        taken = [c for c in called(node, *spread) if isinstance(c.func, ast.Attribute)]
        own = any(says_test(names_in(c.func) | names_in(c)) for c in taken)
        if node in scaling and own:
            return Site(path, node.lineno)
        if any(says_test(names_in(a)) for c in called(node, *helpers) for a in c.args[:1]):
            return Site(path, node.lineno)
    return None


def _pairs(data: DataSeen) -> Iterable[tuple[EvalSeen, TrainSeen]]:
    for key, e in data.evals.items():
        own = data.trains.get(key[0])
        train = learner(data, own) if own is not None else None
        if train is not None and train.rows and e.names and len(e.new) >= 10 and not _parted_within(e, train):
            yield e, train


def _parted_within(e: EvalSeen, train: TrainSeen) -> bool:
    """Whether one ``fit`` of a library trained and evaluated: the rows it put aside are no figure of the
    script's, and no scaler of the script's could have been fitted without them.
    """
    statement = statement_at(e.names[0])
    return (
        e.names[0] == train.site and statement is not None and bool(called(statement, "fit", "partial_fit"))
    )


def _written(site: Site | None) -> Site | None:
    """Where a scaler is given its rows: the line itself, or the call of the little helper around it."""
    around = function_of(site) if site is not None else None
    given = {a.arg for a in around.args.args} if isinstance(around, ast.FunctionDef) else set()
    if says_train(given) and says_test(given):
        return site  # it had both parts
    return calling_line(method_call(site)) if site is not None else None


def _by_hand(train: TrainSeen, evals: list[EvalSeen]) -> tuple[str, int]:
    """Which exact statistics the training rows have only together with rows of evaluations: all of them, or
    those of one; and how many rows these are. Empty where none.
    """
    others = _others(train, evals)
    for own, wholes in _parts(train, others):
        if own.n < 30:
            continue
        known = set(exact(own))
        for columns in wholes:
            if columns.n > own.n and (kind := next((k for k in exact(columns) if k not in known), "")):
                return kind, columns.n
            if kind := _of_some(own, columns) or _of_series(own.values, columns.values):
                return kind, columns.n
    return "", 0


def _parts(train: TrainSeen, others: list[EvalSeen]) -> Iterable[tuple[Columns, list[Columns]]]:
    """The columns of the training rows, and those of more rows: as far as they were seen one by one, and of
    the tables that they were taken from.
    """
    if not train.twice:
        yield train.columns, _wholes(train.columns, others)
    for table in train.standing or ():
        held = [(e, len(e.new & table.rows)) for e in others]
        outside = [e for e, n in held if not n]
        if any(n > 0.9 * len(e.new) for e, n in held):
            yield train.columns, _wholes(table.columns, outside)
        elif len(outside) == len(others):
            yield table.columns, _wholes(table.columns, others)


def _of_some(own: Columns, whole: Columns) -> str:
    """Which exact statistics those columns of a mixed table that are no flags have as a whole, and not in
    training's rows: two of them that are standardized are no chance; empty where none.
    """
    if own.sums is None or whole.sums is None or own.sums.shape != whole.sums.shape or whole.n <= own.n:
        return ""
    telling = ~_two_valued(whole)
    standard = telling & _standard(whole)
    far = (np.abs(own.mean()) > 1e-4) | (np.abs(own.variance() - 1) > 1e-3)
    if standard.sum() >= min(2, telling.sum()) > 0 and far[standard].all():
        return N_("mean")
    for low in (0.0, -1.0):
        ranged = _ranged(whole, low)[telling]
        if len(ranged) > 1 and ranged.mean() >= 0.8 > _ranged(own, low)[telling].mean():
            return N_("min and max")
    return ""


def _of_series(own: np.ndarray | None, whole: np.ndarray | None) -> str:
    """Which statistics a series has as a whole and its training part has not, nearly: a value or two of it
    may stand in no window; empty where none.
    """
    if own is None or whole is None or len(whole) <= len(own):
        return ""
    off, far = (max(abs(float(v.mean())), abs(float(v.std()) - 1)) for v in (whole, own))
    if off < 0.01 and far > max(0.05, 4 * off):
        return N_("mean")
    ends, own_ends = ((round(float(v.min()), 6), round(float(v.max()), 6)) for v in (whole, own))
    return N_("min and max") if ends in ((0.0, 1.0), (-1.0, 1.0)) and own_ends != ends else ""


def _others(train: TrainSeen, evals: list[EvalSeen]) -> list[EvalSeen]:
    """Evaluations of rows of their own, hardly one of training's."""
    apart: list[EvalSeen] = []
    for e in sorted(evals, key=lambda e: -len(e.new)):
        both = len(e.new & train.rows.keys())  # equal by chance
        if all(not (e.new & other.new) for other in apart) and both <= 0.05 * len(e.new):
            apart.append(e)
    return apart


def _first(e: EvalSeen) -> int:
    """The rows of an evaluation's first phase, without those of training that it was asked for as well."""
    return e.first if len(e.trained_before) <= 0.1 * len(e.rows) else e.first - e.first_trained


def _wholes(known: Columns, others: list[EvalSeen]) -> list[Columns]:
    """Rows together with those of all evaluations, or with those of one."""
    whole = known
    for e in others:
        whole = whole + e.columns
    return [whole, *(known + e.columns for e in others)]


def _within(train: TrainSeen, others: list[EvalSeen]) -> str:
    """Which exact statistics of training and evaluation rows together the net holds; empty where none."""
    if train.columns.n < 30 or train.twice or not train.held or not others:
        return ""
    own = set(_held(train.held, train.columns))
    wholes = _wholes(train.columns, others)
    return next((kind for c in wholes for kind in _held(train.held, c) if kind not in own), "")


def _held(held: list[np.ndarray], c: Columns) -> Iterable[str]:
    """Which statistics of these columns are among the numbers that a net holds."""
    if c.sums is None or c.low is None or c.high is None or c.n < 2:
        return
    mean, deviation = c.mean(), np.sqrt(c.variance())
    unit, low, high = np.sqrt(c.n / (c.n - 1)), c.low, c.high
    if (deviation > 0).mean() < 0.8:
        return
    centres = _near(held, mean, 1e-5 * deviation + 1e-6 * np.abs(mean))
    if centres and (
        _near(held, deviation, 1e-5 * deviation) or _near(held, unit * deviation, 1e-5 * deviation)
    ):
        yield N_("mean")
    tops = _near(held, high, 1e-6 * np.abs(high)) or _near(held, high - low, 1e-6 * np.abs(high - low))
    if tops and _near(held, low, 1e-6 * np.abs(low)):
        yield N_("min and max")


def _near(held: list[np.ndarray], figures: np.ndarray, far: np.ndarray) -> bool:
    """Whether some numbers are these, in at least 4 of 5 columns."""
    return any(h.shape == figures.shape and (np.abs(h - figures) <= far).mean() >= 0.8 for h in held)


def exact(c: Columns) -> Iterable[str]:
    """Which scalings leave these statistics: to the last digits of float32, in at least 4 of 5 columns."""
    if c.sums is None or c.low is None or c.high is None or c.n < 2:
        return
    mean, variance = c.mean(), c.variance()
    # A divisor with a small constant added leaves a deviation a little under one, or less where it was small.
    unit = _standard(c) | (np.abs(variance - 0.98) < 0.02)
    if ((np.abs(mean) < 2e-5) & (variance < 1 + 1e-3)).mean() >= 0.8 and unit.mean() >= 0.5:
        yield N_("mean")
    middle = float(mean.mean())
    spread = float(np.sqrt(max(0.0, float((variance + mean**2).mean()) - middle**2)))
    if len(mean) > 1 and abs(middle) < 2e-5 and _unit(np.array(spread), c.n * len(mean)) < 2e-5:
        yield N_("mean of all")
    for low in (0.0, -1.0):
        if _ranged(c, low).mean() >= 0.8:
            yield N_("min and max")


def _standard(c: Columns) -> np.ndarray:
    """[D] whether a column's mean is zero and its deviation one, to the last digits of float32."""
    return np.asarray((np.abs(c.mean()) < 2e-5) & (_unit(np.sqrt(c.variance()), c.n) < 2e-5))


def _ranged(c: Columns, low: float) -> np.ndarray:
    """[D] whether a column reaches from this value to one."""
    return np.asarray((np.abs(c.low - low) < 1e-6) & (np.abs(c.high - 1) < 1e-6))  # type: ignore[operator]


def _two_valued(c: Columns) -> np.ndarray:
    """[D] whether a column holds two numbers alone, as flags do: no column of this range varies more."""
    below, above = c.mean() - c.low, c.high - c.mean()
    return np.asarray(np.abs(c.variance() - below * above) <= 1e-6 * (below + above) ** 2)


def _unit(deviation: np.ndarray, n: int) -> np.ndarray:
    """How far a deviation is from one, with n or n - 1 in its denominator."""
    corrected = np.abs(deviation * np.sqrt(n / (n - 1)) - 1)
    return np.asarray(np.minimum(np.abs(deviation - 1), corrected))


def by_hand_line(path: str, kind: str) -> Site | None:
    """The line that scales by statistics of whole columns; None where the source has no such line."""
    module = tree(path)
    spread, centre = _MIN_MAX if kind == "min and max" else _MEANS
    found: list[tuple[bool, int]] = []
    centres = {c.lineno for c in called(module, *centre)} if module is not None else set()
    for node in ast.walk(module) if module is not None else ():
        if isinstance(node, ast.stmt) and not hasattr(node, "body") and not _says(node):
            calls = called(node, *spread)
            if calls and not says_train(names_in(calls[0])) and not _of_part(calls[0]):
                both = bool(called(node, *centre, "std_mean", "var_mean", "aminmax"))
                found.append((not both, node.lineno))
    best = min(found, default=(True, 0))  # x / x.max() alone, of pixels, scales by a known constant
    line = best[1]
    if not found or (best[0] and kind == "min and max" and not centres & {line - 2, line - 1}):
        return None
    while best[0] and line - 1 in centres:  # the mean is taken on a line of its own, just before
        line -= 1
    return _written(Site(path, line))


def _says(node: ast.stmt) -> bool:
    """Whether a statement only tells, or checks, what numbers are."""
    return isinstance(node, ast.Assert) or bool(called(node, "print"))


def _of_part(call: ast.Call) -> bool:
    """``x[:340].std(0)``"""
    of = call.func.value if isinstance(call.func, ast.Attribute) else None
    cut = of.slice if isinstance(of, ast.Subscript) else None
    rows = cut.elts[0] if isinstance(cut, ast.Tuple) and cut.elts else cut
    return isinstance(rows, ast.Slice) and (rows.lower or rows.upper) is not None


_SCALERS = {"mean": "StandardScaler", "min and max": "MinMaxScaler"}
_MIN_MAX = (("max", "amax", "aminmax"), ("min", "amin"))
_MEANS = (("std", "var", "std_mean", "var_mean"), ("mean", "nanmean"))


RULE = Rule(
    id="scaler_leakage",
    group="data",
    severity="wrong",
    certain=False,
    watches=("data",),
    decide=decide,
    message=N_(
        "All {rows} evaluation rows are among the {fitted} rows that the scaler ({kind}) was fitted on."
    ),
    why=N_(
        "The scaling carries the evaluation rows' mean and spread into training, so that the figure is "
        "not one for unseen data. It is most wrong where rows are few or change over time."
    ),
    fix=N_("Split first; fit the scaler on the training rows only, and transform both parts with it."),
    wrong="""\
from sklearn.preprocessing import StandardScaler
x = torch.tensor(StandardScaler().fit_transform(x.numpy() + 1))
"""
    + SPLIT
    + HELD_OUT,
    right="""\
from sklearn.preprocessing import StandardScaler
scaler = StandardScaler().fit(x[:180].numpy() + 1)
x = torch.tensor(scaler.transform(x.numpy() + 1))
"""
    + SPLIT
    + HELD_OUT,
    cost=N_("hashes the rows of scikit-learn's fits and those that enter nets"),
)
