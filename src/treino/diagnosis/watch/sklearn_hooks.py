"""Scalers and splits of scikit-learn, observed once the script itself has imported them."""

import importlib.abc
import importlib.util
import random
import sys
from typing import Any

import numpy as np

from treino.diagnosis.watch.patches import Patches
from treino.diagnosis.watch.rows import Rows
from treino.diagnosis.watch.where import here

SCALERS = (
    "StandardScaler",
    "MinMaxScaler",
    "RobustScaler",
    "MaxAbsScaler",
    "QuantileTransformer",
    "PowerTransformer",
)
WATCHED = ("sklearn.preprocessing", "sklearn.model_selection", "sklearn.utils")


class SklearnHooks(importlib.abc.MetaPathFinder):
    """Patches scikit-learn's modules now, or right after they are first imported."""

    def __init__(self, patches: Patches, rows: Rows) -> None:
        self.patches, self.rows = patches, rows

    def install(self) -> None:
        for name in WATCHED:
            if name in sys.modules:
                self._patch(name)
        sys.meta_path.insert(0, self)
        self.patches.after(np.random, "permutation", self._shuffled)
        self.patches.before(np.random, "shuffle", lambda a, k: self._shuffled(None, a, k))
        self.patches.before(random, "shuffle", lambda a, k: self._shuffled(None, a, k))

    def remove(self) -> None:
        """Leave the import system."""
        if self in sys.meta_path:
            sys.meta_path.remove(self)

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Any:
        """Let the others find the module, and look at it when it has run."""
        if name not in WATCHED or not self.patches.on:
            return None
        sys.meta_path.remove(self)
        try:
            spec = importlib.util.find_spec(name)
        finally:
            sys.meta_path.insert(0, self)
        if spec is None or spec.loader is None:
            return None
        loader: Any = spec.loader
        run = loader.exec_module

        def exec_module(module: Any) -> None:
            run(module)
            try:
                self._patch(name)
            except Exception as error:
                self.patches.defect(name, error)

        loader.exec_module = exec_module
        return spec

    def _patch(self, name: str) -> None:
        module = sys.modules[name]
        if name == "sklearn.preprocessing":
            for kind in SCALERS:
                scaler = getattr(module, kind, None)
                if scaler is not None:
                    self.patches.after(scaler, "fit", lambda r, a, k: self.rows.fitted(a[0], _data(a, k)))
                    self.patches.after(
                        scaler, "transform", lambda r, a, k: self.rows.transformed(a[0], _data(a, k), r)
                    )
        elif name == "sklearn.model_selection":
            self.patches.after(module, "train_test_split", self._split)
        elif name == "sklearn.utils":
            self.patches.after(
                module, "shuffle", lambda r, a, k: self._shuffled(r, a, k) if len(a) == 1 else None
            )

    def _split(self, result: Any, args: Any, kwargs: Any) -> None:
        self.rows.data.splits.append((here(), kwargs.get("shuffle", True)))

    def _shuffled(self, result: Any, args: Any, kwargs: Any) -> None:
        if args and not isinstance(args[0], (int, np.integer)) and len(args[0]) >= 20:
            self.rows.data.shuffles.append((here(), len(args[0])))


def _data(args: Any, kwargs: Any) -> Any:
    return args[1] if len(args) > 1 else kwargs.get("X")
