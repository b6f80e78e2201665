"""Scalers and splits of scikit-learn, observed once the script itself has imported them."""

import functools
import random
import sys
import weakref
from collections import Counter, deque
from collections.abc import Callable, Hashable
from typing import Any

import numpy as np

from treino.diagnosis.record.hooks import unseen
from treino.diagnosis.record.lines import here
from treino.diagnosis.record.module_imports import ModuleImports
from treino.diagnosis.watch.filled import filled
from treino.diagnosis.watch.patches import Patches
from treino.diagnosis.watch.rows import Rows
from treino.diagnosis.watch.tables import ApartSeen, FoldSeen, PartedSeen

SCALERS = (
    "StandardScaler",
    "MinMaxScaler",
    "RobustScaler",
    "MaxAbsScaler",
    "QuantileTransformer",
    "PowerTransformer",
)
FUNCTIONS = ("scale", "minmax_scale", "maxabs_scale", "robust_scale", "quantile_transform", "power_transform")
LEARNERS = {
    "sklearn.preprocessing": SCALERS,
    "sklearn.decomposition": ("PCA", "IncrementalPCA", "KernelPCA", "TruncatedSVD", "FastICA", "NMF"),
    "sklearn.feature_selection": (
        *("SelectKBest", "SelectPercentile", "SelectFpr", "SelectFdr", "SelectFwe"),
        *("RFE", "RFECV", "SelectFromModel"),
    ),
    "sklearn.impute": ("SimpleImputer", "KNNImputer"),
    "sklearn.feature_extraction.text": ("TfidfVectorizer", "TfidfTransformer"),
}
LONGEST = 1_000_000  # rows of a table that is looked into
MOST = 64  # columns
LEAST, FEW = 20, 50  # rows of a part; values of a column that is a target rather than a class
CLASSES, BLOCK = 20, 5  # of a column; rows of each of them, on average
SCORES = "sklearn.metrics._classification"
WATCHED = (
    *LEARNERS,
    SCORES,
    "sklearn.model_selection",
    "sklearn.utils",
    "pandas.core.generic",
    "pandas.core.series",
)


class SklearnHooks:
    """Patches scikit-learn's modules (and pandas' one of samples) now, or right after they are first
    imported.
    """

    def __init__(self, patches: Patches, rows: Rows) -> None:
        self.patches, self.rows = patches, rows
        self._imports = ModuleImports(WATCHED, self._patch, lambda: patches.on, patches.defect)
        self.drew: Callable[[Hashable], None] = lambda seed: None  # told of the seeds of orders
        self._slices: deque[tuple[weakref.ref[Any], int, int]] = deque(maxlen=8)  # of tables, by position
        self._orders: set[tuple[int, Any]] = set()  # (rows, seed) of arrays that were shuffled

    def install(self) -> None:
        self._imports.install()
        self.patches.after(np.random, "permutation", self._shuffled)
        self.patches.before(np.random, "shuffle", lambda a, k: self._shuffled(None, a, k))
        self.patches.before(random, "shuffle", lambda a, k: self._shuffled(None, a, k))

    def remove(self) -> None:
        """Leave the import system."""
        self._imports.remove()

    def _patch(self, name: str) -> None:
        module = sys.modules[name]
        if name in LEARNERS:
            for kind in LEARNERS[name]:
                self._learner(getattr(module, kind))
            if name == "sklearn.feature_selection":
                told = self.rows.scalers.chosen
                self.patches.after(module.SelectorMixin, "get_support", lambda r, a, k: told(a[0], r))
            for function in FUNCTIONS if name == "sklearn.preprocessing" else ():
                self.patches.after(module, function, self._scaled(function))
        elif name == SCORES and hasattr(module, "_check_targets"):  # all scores of classes begin with it
            self.patches.before(module, "_check_targets", self._scored)
        elif name == "sklearn.model_selection":
            self.patches.after(module, "train_test_split", self._split)
            base = sys.modules["sklearn.model_selection._split"]._BaseKFold
            self.patches.replace(base, "split", self._folds(base.split))
        elif name == "sklearn.utils":
            self.patches.after(
                module, "shuffle", lambda r, a, k: self._shuffled(r, a, k) if len(a) == 1 else None
            )
            for function in ("shuffle", "resample"):
                self.patches.after(module, function, self._ordered)
        elif name == "pandas.core.generic":
            self.patches.after(module.NDFrame, "sample", self._ordered)
            self.patches.before(module.NDFrame, "fillna", self._filling)
            if "_slice" in vars(module.NDFrame):
                self.patches.after(module.NDFrame, "_slice", self._sliced)
        elif name == "pandas.core.series" and "_slice" in vars(module.Series):
            self.patches.after(module.Series, "_slice", self._sliced)

    def _scored(self, args: Any, kwargs: Any) -> None:
        if len(args) >= 2:
            self.rows.data.scores.note(self.rows.nets.steps, *args[:2])

    def _filling(self, args: Any, kwargs: Any) -> None:
        value = args[1] if len(args) > 1 else kwargs.get("value")
        if value is not None:
            filled(self.rows.data, args[0], value)

    def _ordered(self, result: Any, args: Any, kwargs: Any) -> None:
        """Rows were put into the order that follows from a seed."""
        seed = kwargs.get("random_state")
        if isinstance(seed, (int, np.integer)):
            self.drew(int(seed))

    def _folds(self, split: Any) -> Any:
        """The same folds, noted as they are handed out."""
        patches, data, nets = self.patches, self.rows.data, self.rows.nets

        @functools.wraps(split)
        def folds(*args: Any, **kwargs: Any) -> Any:
            site = here() if patches.watching() else None
            whole = (args[2] if len(args) > 2 else kwargs.get("y")) if site is not None else None
            y = np.asarray(whole).ravel() if whole is not None and not args[0].shuffle else None
            in_order = y is not None and _class_by_class(y)
            for train, test in split(*args, **kwargs):
                if in_order and y is not None and len(test) >= LEAST and len(data.parted) < 100:
                    parts = Counter(y[train].tolist()), Counter(y[test].tolist())
                    data.parted.append(PartedSeen(site, *parts, ""))
                if site is not None and len(data.folds) < 100 and len(test) < 100_000:
                    rows = frozenset(train.tolist()), frozenset(test.tolist())
                    data.folds.append(FoldSeen(site, nets.steps, *rows))
                yield train, test

        return unseen(folds)

    def _learner(self, kind: Any) -> None:
        """Fits add up where they are partial; PCA transforms the rows that it is fitted on by itself."""
        scalers = self.rows.scalers

        def fitted(result: Any, args: Any, kwargs: Any) -> None:
            if getattr(args[0], "strategy", "") != "constant":  # which no row has a say in
                scalers.fitted(args[0], _data(args, kwargs))

        def transformed(result: Any, args: Any, kwargs: Any) -> None:
            scalers.transformed(args[0], _data(args, kwargs), result)

        def both(result: Any, args: Any, kwargs: Any) -> None:
            fitted(result, args, kwargs)
            transformed(result, args, kwargs)

        def more(result: Any, args: Any, kwargs: Any) -> None:
            scalers.fitted(args[0], _data(args, kwargs), more=True)

        self.patches.after(kind, "fit", fitted)
        self.patches.after(kind, "transform", transformed)
        if "fit_transform" in vars(kind):
            self.patches.after(kind, "fit_transform", both)
        if "partial_fit" in vars(kind):
            self.patches.after(kind, "partial_fit", more)

    def _scaled(self, function: str) -> Any:
        def observe(result: Any, args: Any, kwargs: Any) -> None:
            given = args[0] if args else kwargs.get("X")
            scaler = object()  # the function's own, of which nobody hears again
            self.rows.scalers.fitted(scaler, given, function)
            self.rows.scalers.transformed(scaler, given, result)

        return observe

    def _split(self, result: Any, args: Any, kwargs: Any) -> None:
        shuffled = kwargs.get("shuffle", True)
        self.rows.data.splits.append((here(), shuffled))
        parts = zip(result[::2], result[1::2], strict=True) if not shuffled else ()
        for i, (one, other) in enumerate(parts):
            columns = getattr(one, "columns", ())
            for c in columns[:MOST]:
                self._parted(str(c), np.asarray(one[c]), np.asarray(other[c]))
            if i and not len(columns):  # behind the rows come their targets
                self._parted("", np.asarray(one), np.asarray(other))

    def _sliced(self, result: Any, args: Any, kwargs: Any) -> None:
        """Rows of a table were taken by position: with others of it these may be the parts of a split."""
        table, cut = args[0], args[1] if len(args) > 1 else kwargs.get("slobj")
        along = args[2] if len(args) > 2 else kwargs.get("axis", 0)
        if along != 0 or not isinstance(cut, slice) or cut.step is not None or len(result) < LEAST:
            return
        if len(result) == len(table) or len(table) > LONGEST or here() is None:
            return
        start, stop, _ = cut.indices(len(table))
        for known, begin, end in self._slices:
            same, (first, second) = known() is table, sorted(((begin, end), (start, stop)))
            if same and first[0] == 0 and first[1] <= second[0]:
                columns = table.columns[:MOST] if table.ndim > 1 else [None]
                for c in columns:
                    column = np.asarray(table if c is None else table[c])
                    self._parted("" if c is None else str(c), column[: first[1]], column[slice(*second)])
        self._slices.append((weakref.ref(table), start, stop))

    def _parted(self, name: str, one: np.ndarray, other: np.ndarray) -> None:
        """Two parts of a column (or, without a name, of targets): does it stand in order, value by value?"""
        flat = np.concatenate([one.ravel(), other.ravel()])
        if one.size == len(one) and len(other) >= LEAST and _class_by_class(flat):
            known, others = Counter(one.ravel().tolist()), Counter(other.ravel().tolist())
            self.rows.data.parted.append(PartedSeen(here(), known, others, name))
        if one.size != len(one) or len(other) < LEAST or flat.dtype.kind not in "fiu":
            return
        steps = np.diff(flat.astype(np.float64))
        if np.count_nonzero(steps) >= FEW and (bool((steps >= 0).all()) or bool((steps <= 0).all())):
            means = float(one.mean()), float(other.mean())
            self.rows.data.apart.append(ApartSeen(here(), *means, len(other), name))

    def _shuffled(self, result: Any, args: Any, kwargs: Any) -> None:
        if args and not isinstance(args[0], (int, np.integer)) and len(args[0]) >= 20:
            seed, rows = kwargs.get("random_state"), len(args[0])
            if (
                not isinstance(seed, int) or (rows, seed) not in self._orders
            ):  # a known seed gives the order of before
                self._orders.add((rows, seed))
                done = self.rows.nets.steps + sum(b.calls for b in self.rows.seen.backwards.values())
                self.rows.data.shuffles.append((here(), (rows, done)))


def _class_by_class(flat: np.ndarray) -> bool:
    """Whether a column has a few values, the rows of each of which stand together."""
    whole = flat.dtype.kind == "f" and bool((flat == flat.round()).all())
    if not whole and flat.dtype.kind not in "biuOUS":
        return False
    blocks = 1 + int(np.count_nonzero(flat[1:] != flat[:-1]))
    return 2 <= blocks <= min(CLASSES, len(flat) // BLOCK) and len(set(flat.tolist())) == blocks


def _data(args: Any, kwargs: Any) -> Any:
    return args[1] if len(args) > 1 else kwargs.get("X")
