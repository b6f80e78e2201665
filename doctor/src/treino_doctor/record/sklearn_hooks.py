"""Observe scikit-learn's scalers, splits and scores, and gaps that pandas fills, once they are imported."""

import functools
import sys
from typing import Any

from treino_doctor.imports import ModuleImports
from treino_doctor.record.arrays import np
from treino_doctor.record.hooks import Hooks
from treino_doctor.record.lines import here, unseen
from treino_doctor.record.rows import Rows
from treino_doctor.record.scalers import NONE, Fit
from treino_doctor.record.tables import table

SCORES = "sklearn.metrics._classification"
FIGURES = "sklearn.metrics._regression", "sklearn.metrics._ranking"
MODELS = "sklearn.model_selection"
TABLES = "sklearn.datasets"  # its load_diabetes returns a table scaled over all rows
# Classes whose fit computes statistics over all rows.
SCALERS = "StandardScaler", "MinMaxScaler", "RobustScaler", "MaxAbsScaler"
KINDS = {
    "sklearn.preprocessing": (*SCALERS, "PowerTransformer", "QuantileTransformer"),
    "sklearn.decomposition": ("PCA",),
    "sklearn.impute": ("SimpleImputer", "KNNImputer"),
}
FRAMES, BLOCKS = "pandas", "pandas.core.internals.managers"


class SklearnHooks:
    """Wraps scikit-learn's functions now, or right after their modules are first imported."""

    def __init__(self, hooks: Hooks, rows: Rows) -> None:
        self._hooks, self._rows = hooks, rows
        names = {*KINDS, SCORES, *FIGURES, MODELS, TABLES, FRAMES}
        imports = ModuleImports(names, self._wrap, lambda: hooks.on, hooks.defect)
        # wrap the modules already imported, and others as soon as they are
        self.install, self.remove = imports.install, imports.remove
        self._wrapped: set[Any] = set()

    def _wrap(self, name: str) -> None:
        module = sys.modules[name]
        if name in KINDS:
            for kind in KINDS[name]:
                self._learner(getattr(module, kind))
        elif name == SCORES and hasattr(module, "_check_targets"):  # classification scores call it
            self._hooks.observe(module, "_check_targets", lambda a, k: self._rows.scored(*reversed(a[:2])))
        elif name in FIGURES and hasattr(module, "check_consistent_length"):  # their figures call it
            self._hooks.observe(module, "check_consistent_length", lambda a, k: self._rows.measured(a[0]))
        elif name == TABLES:
            self._hooks.observe(module, "load_diabetes", after=self._ready)
        elif name == MODELS:
            self._hooks.observe(module, "train_test_split", after=self._split)
            base = sys.modules["sklearn.model_selection._split"]._BaseKFold
            self._hooks.replace(base, "split", self._folds(base.split))
        elif name == FRAMES:
            self._hooks.observe(module.core.generic.NDFrame, "to_csv", after=self._written)
            # Not Series.fillna: pandas counts the references to a column to warn of chained assignments.
            self._hooks.observe(sys.modules[BLOCKS].SingleBlockManager, "fillna", self._filled)

    def _written(self, result: Any, args: Any, kwargs: Any) -> None:
        """Note the rows of a written table that has one value for each row, besides names."""
        frame = args[0] if args[0].ndim > 1 else args[0].to_frame()
        columns = (frame.iloc[:, i] for i in range(frame.shape[1]))
        if frame.shape[1] <= 2 and sum(c.dtype.kind == "f" or not c.is_unique for c in columns) < 2:
            self._rows.splits.scalers.written.add(len(frame))

    def _filled(self, args: Any, kwargs: Any) -> None:
        """Note that a column's gaps get a number."""
        column, fill = args[0].blocks[0].values, args[1] if len(args) > 1 else kwargs.get("value")
        self._rows.splits.gaps.filled(Fit(here(), "fillna", len(column), 1, NONE), column, fill)

    def _learner(self, kind: Any) -> None:
        fits = self._rows.splits.scalers

        def fitted(result: Any, args: Any, kwargs: Any) -> None:
            if getattr(args[0], "strategy", "") != "constant":  # constants don't depend on rows
                fits.fitted(args[0], rows_of(args, kwargs))
            if (fit := fits.of_scaler(args[0])) and hasattr(args[0], "statistics_"):  # of an imputer
                columns = np.asarray(rows_of(args, kwargs)).T
                for column, fill in zip(columns, args[0].statistics_, strict=True):
                    self._rows.splits.gaps.filled(fit, column, fill)

        def transformed(result: Any, args: Any, kwargs: Any) -> None:
            fits.transformed(args[0], rows_of(args, kwargs), result)

        def both(result: Any, args: Any, kwargs: Any) -> None:
            fitted(result, args, kwargs)
            transformed(result, args, kwargs)

        for name, observe in (("fit", fitted), ("transform", transformed), ("fit_transform", both)):
            owner = next((k for k in kind.__mro__ if name in vars(k)), None)
            shared = owner is None or owner.__module__ == "sklearn.base"  # it calls the others
            if not shared and (owner, name) not in self._wrapped:
                self._wrapped.add((owner, name))
                self._hooks.observe(owner, name, after=observe)

    def _ready(self, result: Any, args: Any, kwargs: Any) -> None:
        rows = table(result[0] if isinstance(result, tuple) else result["data"])
        if kwargs.get("scaled", True) and rows is not None:
            self._rows.splits.scalers.ready.append(rows)

    def _split(self, result: Any, args: Any, kwargs: Any) -> None:
        pairs = [list(p) for p in zip(result[::2], result[1::2], strict=True)]
        self._rows.splits.parted(pairs, shuffled=kwargs.get("shuffle", True) is not False)

    def _folds(self, split: Any) -> Any:
        """Return a ``split`` that yields the same folds and logs each."""
        hooks, splits = self._hooks, self._rows.splits

        @functools.wraps(split)
        def folds(*args: Any, **kwargs: Any) -> Any:
            site = here() if hooks.watching() else None
            x = args[1] if len(args) > 1 else kwargs.get("X")
            y = args[2] if len(args) > 2 else kwargs.get("y")
            for train, test in split(*args, **kwargs):
                if site is not None and hooks.watching():
                    fold = site, x, y, train, test, bool(getattr(args[0], "shuffle", False))
                    hooks.quietly("folds", splits.folds, *fold)
                yield train, test

        return unseen(folds)


def rows_of(args: Any, kwargs: Any) -> Any:
    """The rows passed to a method of an estimator."""
    return args[1] if len(args) > 1 else kwargs.get("X")
