"""Record the rows behind scalers, and their results; detect rows scaled by hand."""

import sys
from collections.abc import Callable, Iterator
from itertools import chain
from types import FunctionType
from typing import Any

from treino_doctor.finding import Site
from treino_doctor.record.arrays import np, there
from treino_doctor.record.lines import here
from treino_doctor.record.tables import Columns, hash_rows, table

MOST = 200_000  # maximum number of rows of one fit
FITS = 50
TRIED = 16  # rows used to find a scaler's columns among the net's inputs
FEW = 20  # fewer distinct rows are no evidence
GRID = 32  # if a few rows have at most this many distinct numbers, these lie on a grid
EXACT = 1e-3  # standard deviations: rounding error
STRICT = 3e-5  # as EXACT, for a match of some of the columns
KEPT = 2_000_000  # numbers of results that are kept whole, to find a scaler's columns among other columns
ALL, FEWEST = 0.98, 0.02  # shares of rows that count as all, and as none
GROUPS = 3  # maximum number of fits of one kind; with more, each may scale its own group of rows on purpose
NONE: Any = np.zeros(0, np.uint64) if there else ()


class Fit:
    """One fit. raw, out: hashes of its rows and of their results. others: number of rows it only transformed.

    results: results of its rows, unless these are too many.
    """

    def __init__(self, site: Site | None, kind: str, rows: int, width: int, raw: np.ndarray) -> None:
        self.site, self.kind, self.rows, self.width, self.raw = site, kind, rows, width, raw
        self.out, self.others = NONE, 0
        self.results: np.ndarray | None = None


class Fits:
    """All fits of a program. statistics: (rows, line) of each table's mean and deviation computed by torch.

    ready: tables that a library returned already scaled. fits: all of them. moved: called with rows that were
    transformed, and the results. is_part: whether rows are part of a split. written: the numbers of rows of
    the tables that were written to files with one value for each row.
    """

    def __init__(self, moved: Callable[[Any, Any], None], is_part: Callable[[Any], bool]) -> None:
        self._moved, self._is_part = moved, is_part
        self.statistics: list[tuple[int, Site | None]] = []
        self.ready: list[np.ndarray] = []
        self.written: set[int] = set()
        self.fits: list[Fit] = []
        self._room = KEPT
        self._of: dict[int, tuple[Any, Fit]] = {}  # keeps the scaler, so that its id stays unique

    def fitted(self, scaler: Any, x: Any) -> None:
        """Remember the rows of a fit."""
        rows = table(x)
        if rows is None or len(rows) > MOST or len(self.fits) > FITS:
            return
        fit = Fit(here(), type(scaler).__name__, len(rows), rows.shape[1], np.unique(hash_rows(rows)))
        again = [f for f in self.fits if f.kind == fit.kind and np.array_equal(f.raw, fit.raw)]
        self.fits = [f for f in self.fits if f not in again]
        self.fits.append(fit)
        self._of[id(scaler)] = scaler, fit

    def of_scaler(self, scaler: Any) -> Fit | None:
        """The newest fit of a scaler."""
        known = self._of.get(id(scaler))
        return known[1] if known is not None and known[0] is scaler else None

    def transformed(self, scaler: Any, x: Any, result: Any) -> None:
        """Remember the results of a fit's rows."""
        rows, out = table(x), table(result)
        if rows is None or out is None or len(rows) != len(out) or len(rows) > MOST:
            return
        old, made = hash_rows(rows), hash_rows(out)
        self._moved(old, made)
        if (fit := self.of_scaler(scaler)) is None:
            return
        fit.width = out.shape[1]
        seen = np.isin(old, fit.raw)
        fit.out, fit.others = np.union1d(fit.out, made[seen]), fit.others + int((~seen).sum())
        if fit.results is None and out.size <= self._room and bool(seen.all()):
            fit.results, self._room = out, self._room - out.size
        for before in self.fits:
            same = before is not fit and before.width == rows.shape[1] == out.shape[1]
            if same and len(before.out) <= MOST:
                before.out = np.union1d(before.out, made[np.isin(old, before.out)])

    def of(self, t: Any, e: Any, predicted: int) -> Iterator[dict[str, Any]]:
        """Yield the fits that produced the rows of both a training and an evaluation. predicted: number of
        rows whose answers were only written to a file, so that they are no test."""
        held_out = np.fromiter(e.fresh, np.uint64, len(e.fresh))
        learned = np.fromiter(t.rows, np.uint64, len(t.rows))
        for fit in self.fits:
            if len(fit.out) < FEW:
                continue
            shares = [self._share(fit, t, one, h) for one, h in ((e, held_out), (t, learned))]
            if shares[0] <= 0.5:
                continue
            fields = {"kind": fit.kind, "site": fit.site, "fitted": fit.rows, "rows": len(held_out)}
            apart = fit.others - predicted >= FEW or self._is_part(fit.raw)
            alike = [o for o in self.fits if o.kind == fit.kind and o is not fit]
            again = shares[1] < FEWEST and len(alike) < GROUPS
            again = again and any(self._share(o, t, t, learned) >= ALL for o in alike)
            yield fields | {"evaluated": shares[0], "trained": shares[1], "apart": apart, "again": again}

    def _share(self, fit: Fit, t: Any, one: Any, hashes: np.ndarray) -> float:
        """The share of the rows of a training or an evaluation that are, or contain, results of a fit."""
        width = len(t.columns.sums)
        if fit.width == width:
            return float(np.isin(hashes, fit.out).mean()) if len(hashes) else 0.0
        return within(one.sample.rows(), fit) if fit.width < width else 0.0

    def by_hand(self, t: Any, e: Any, every: list[Any]) -> Iterator[dict[str, Any]]:
        """Yield a fit by hand if all rows together are exactly scaled, but training's rows alone are not; or
        if the evaluation's alone are, and so are training's, alone or with those that validate."""
        joined: list[set[int]] = []
        every_row = t.columns
        for o in [e, *(o for o in every if o is not e)]:
            fresh = o.fresh
            new = o.columns.n == len(fresh) > 0 and not any(fresh & s for s in joined)
            if not new or len(o.columns.sums) != len(t.columns.sums):
                continue
            joined.append(fresh)
            every_row = every_row.joined(o.columns)
            if kind := scaled_together(t.columns, every_row, t.sample.rows()):
                site = next((s for n, s in self.statistics if n == every_row.n), None)
                if site is None and kind == "range":
                    return  # numbers that lie between 0 and 1 without scaling
                kind = kind.replace("range", "minmax")
                if site is None and any(of_table(t.sample.rows(), every_row, r) for r in self.ready):
                    return
                fields = {"fitted": every_row.n, "rows": e.columns.n, "evaluated": 1.0, "trained": 1.0}
                yield fields | {"kind": kind, "site": site}
                return
        if e.columns.n != len(e.fresh):
            return
        sample, width = e.sample.rows(), len(t.columns.sums)
        beside = (o.columns for o in every if o is not e and len(o.columns.sums) == width)
        tables = chain([t.columns], map(t.columns.joined, beside))
        if kind := next(filter(None, (scaled_alone(e.columns, one, sample) for one in tables)), ""):
            site = next((s for n, s in self.statistics if n == e.columns.n), None)
            fields = {"fitted": e.columns.n, "rows": e.columns.n, "evaluated": 1.0, "trained": 0.0}
            yield fields | {"kind": kind, "site": site, "again": True}


def in_estimator(sites: tuple[Site, ...]) -> bool:
    """Whether one of these lines is in the ``fit`` of an estimator, whose caller must split the rows."""
    kinds = [getattr(sys.modules.get("sklearn.base"), "BaseEstimator", Fit)]
    for kind in kinds:
        kinds += kind.__subclasses__()
    codes = [vars(k)["fit"].__code__ for k in kinds if isinstance(vars(k).get("fit"), FunctionType)]
    spans = [(c.co_filename, c.co_firstlineno, max(n or 0 for _, _, n in c.co_lines())) for c in codes]
    return any(file == s.file and first <= s.line <= last for s in sites for file, first, last in spans)


def within(rows_ND: np.ndarray, fit: Fit) -> float:
    """The share of rows that contain results of the fit among their columns."""
    last = rows_ND.shape[1] - fit.width if len(rows_ND) else -1
    if last < 0:
        return 0.0
    starts = [last, 0] if fit.width < 2 or last > 64 else [last, *range(last)]
    for start in starts:
        some = np.isin(hash_rows(rows_ND[:TRIED, start : start + fit.width]), fit.out)
        if some.mean() > 0.5:
            return float(np.isin(hash_rows(rows_ND[:, start : start + fit.width]), fit.out).mean())
    apart = columns_of(rows_ND, fit.results) if fit.results is not None and fit.width > 1 else []
    return float(np.isin(hash_rows(rows_ND[:, apart]), fit.out).mean()) if apart else 0.0


def columns_of(rows_ND: np.ndarray, results_MW: np.ndarray) -> list[int]:
    """Columns of the rows, in order, that hold the values of the results' columns; [] if one has none."""
    columns: list[int] = []
    for values in results_MW.T:
        after = range(columns[-1] + 1 if columns else 0, rows_ND.shape[1])
        likely = (j for j in after if np.isin(rows_ND[:TRIED, j], values).mean() > 0.5)
        column = next((j for j in likely if np.isin(rows_ND[:, j], values).mean() > 0.5), None)
        if column is None:
            return []
        columns.append(column)
    return columns


def of_table(rows_ND: np.ndarray, every: Columns, ready_MD: np.ndarray) -> bool:
    """Whether rows belong to an already scaled table, up to a factor for each column."""
    if rows_ND.shape[1] != ready_MD.shape[1]:
        return False
    size = ready_MD.std(0)
    some = rows_ND[:TRIED] / np.maximum(every.deviation, EXACT) * size
    return all(bool((np.abs(ready_MD - row) < EXACT * size.max()).all(1).any()) for row in some)


def on_grid(rows_ND: np.ndarray) -> bool:
    """Whether rows hold few distinct numbers, bytes divided by 255, or four decimals, unlike scaled ones."""
    some = rows_ND[:TRIED]
    whole = (some.astype(np.float64) * unit for unit in (255, 10_000))
    return len(np.unique(some)) <= GRID or any(bool((np.abs(w - w.round()) < EXACT).all()) for w in whole)


def measurements(rows_ND: np.ndarray) -> np.ndarray:
    """[D]: which columns hold measurements, numbers many of which are distinct."""
    return np.array([len(np.unique(column[:200])) > 10 for column in rows_ND.T])


def distance_from_one(columns: Columns) -> np.ndarray:
    """[D]: how far deviations are from 1, whether they were divided by the number of rows or by one less."""
    size, ratio = columns.deviation, columns.n / max(1, columns.n - 1)
    return np.asarray(np.minimum(np.abs(size - 1), np.abs(size * np.sqrt(ratio) - 1)))


def scaled_alone(held_out: Columns, train: Columns, sample: np.ndarray) -> str:
    """ "standard" or "minmax" if columns of both tables are exactly scaled that way, each by its own rows."""
    if min(held_out.n, train.n) < FEW or held_out.sums.shape != train.sums.shape or not len(sample):
        return ""
    standard = boxed = np.ones(len(train.sums), bool)
    for one in (held_out, train):
        standard = standard & (np.abs(one.mean) < STRICT) & (distance_from_one(one) < STRICT)
        boxed = boxed & (np.abs(one.low) < 1e-6) & (np.abs(one.high - 1) < 1e-6)
    if not (standard | boxed).any() or len(many := measurements(sample)) != len(boxed):
        return ""
    if (standard & many).any():
        return "standard"
    if on_grid(sample):
        return ""
    boxed = boxed & many
    ends = ((sample < 1e-6) | (sample > 1 - 1e-6)).sum(0)  # few, where no limit cuts the numbers off
    free = boxed & (ends <= max(2, 0.05 * len(sample)))
    return "minmax" if free.sum() > 1 and boxed.sum() > 0.5 * many.sum() else ""


def scaled_together(train: Columns, every: Columns, sample: np.ndarray) -> str:
    """ "standard" or "minmax" if all rows together are exactly scaled that way, but training's rows alone are
    not; "range" if all columns together go from 0 to 1."""
    moving = every.deviation > 0
    if not moving.any() or train.n < FEW or not len(sample):
        return ""
    off = np.abs(every.mean[moving])
    near = distance_from_one(every)[moving]
    alone = np.abs(train.mean[moving])
    least = min(0.01, 100 * max(off.max(), near.max()))  # many rows of training alone are nearly scaled
    if ((off < EXACT) & (near < EXACT)).mean() > 0.9 and alone.max() > max(least, 10 * off.max()):
        return "standard"
    many = measurements(sample)
    if len(many) != len(every.low) or not many.any():
        return ""
    some = many[moving] & (off < STRICT) & (near < STRICT)
    if some.any() and alone[some].max() > 0.01:
        return "standard"
    if on_grid(sample):
        return ""
    low, high = every.low[many], every.high[many]
    boxed = bool((np.abs(low) < 1e-6).all() and (np.abs(high - 1) < 1e-6).all())
    whole = abs(low.min()) < 1e-6 and abs(high.max() - 1) < 1e-6 and len(low) == len(every.low)
    short = (train.low[many] > 1e-3) | (train.high[many] < 1 - 1e-3)
    outside = train.low[many].min() > 1e-3 or train.high[many].max() < 1 - 1e-3
    if boxed and len(low) > 1 and short.any():
        return "minmax"
    ends = ((np.abs(low) < 1e-6) & (np.abs(high - 1) < 1e-6)).mean()  # windows of a series reach them all
    return "" if not (whole and outside) else "minmax" if ends > 0.5 else "range"
