"""``TreinoModel``: treino's default for tables as a model of AutoGluon, which TabArena runs.

Written as the models that TabArena's maintainers take: a subclass of AutoGluon's ``AbstractModel`` that gets
validation rows, a time limit and cores, and is stored as plain bytes. Needs: pip install autogluon.tabular.
"""

import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from autogluon.core.models import AbstractModel
from numpy.typing import NDArray

TARGET, PART = "the target", "the part"  # names of columns beside the table's own


class TreinoModel(AbstractModel):  # type: ignore[misc]
    """Hyper-parameters are treino's settings (docs/settings.md), e.g. ``{"ensemble": 16}``; none: the
    default. ``model`` holds the files of the run's folder."""

    ag_key = "TREINO"
    ag_name = "Treino"
    ag_priority = 70
    seed_name = "seed"
    _supported_problem_types = ("binary", "multiclass", "regression")
    default_resources_physical_cores_only = True

    def _fit(
        self,
        X: pd.DataFrame,
        y: pd.Series,
        X_val: pd.DataFrame | None = None,
        y_val: pd.Series | None = None,
        time_limit: float | None = None,
        num_cpus: int = 1,
        sample_weight: pd.Series | None = None,
        **kwargs: Any,
    ) -> None:
        import treino as tr

        begin = time.monotonic()
        settings = self._get_model_params()
        X = self.preprocess(X, y=y, is_train=True)
        frame = X.assign(**{TARGET: self._target(y), PART: "train"})
        if X_val is not None and y_val is not None:
            held_back = self.preprocess(X_val).assign(**{TARGET: self._target(y_val), PART: "validation"})
            frame = pd.concat([frame, held_back], ignore_index=True)
            settings |= {"split_column": PART}
        else:
            frame = frame.drop(columns=PART)
        if time_limit is not None:
            left = time_limit - (time.monotonic() - begin)
            settings["time_limit"] = min(settings.get("time_limit", left), left)
        task = "regression" if self.problem_type == "regression" else "classification"
        with tempfile.TemporaryDirectory(prefix="treino-") as folder:
            run = tr.fit(
                frame, target=TARGET, recipe="table", task=task, test=0.0, threads=int(num_cpus),
                parent=folder, lean=True, **settings,
            )  # fmt: skip
            self.model = {
                str(path.relative_to(run.path)): path.read_bytes()
                for path in Path(run.path).rglob("*")
                if path.is_file()
            }

    def _target(self, y: pd.Series) -> NDArray[Any]:
        """Values; or a name for each class number, in their order."""
        return y.to_numpy() if self.problem_type == "regression" else y.map("c{:05d}".format).to_numpy()

    def _predict_proba(self, X: pd.DataFrame, **kwargs: Any) -> NDArray[np.float64]:
        import treino as tr

        X = self.preprocess(X, **kwargs)
        with tempfile.TemporaryDirectory(prefix="treino-") as folder:
            for name, content in self.model.items():
                path = Path(folder) / "run" / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content)
            rows = tr.open(Path(folder) / "run").predict(X)
        if self.problem_type == "regression":
            return np.asarray(rows["prediction"], dtype=np.float64)
        share_NC = np.zeros((len(X), self.num_classes))  # a class without a training row has none
        for number in range(self.num_classes):
            if (name := f"probability_c{number:05d}") in rows:
                share_NC[:, number] = rows[name]
        return self._convert_proba_to_unified_form(share_NC)

    def _get_default_auxiliary_params(self) -> dict[str, Any]:
        usual: dict[str, Any] = super()._get_default_auxiliary_params()
        return usual | {"valid_raw_types": ["bool", "int", "float", "category"]}

    @classmethod
    def _estimate_memory_usage_static(cls, *, X: pd.DataFrame, **kwargs: Any) -> int:
        """Bytes: the process with torch, and the inputs: 17 of a number, at most 256 of a category, as
        float32, twice while they are prepared."""
        levels = [min(256, X[name].nunique()) for name in X.select_dtypes(["category", "object"])]
        inputs = 17 * X.select_dtypes("number").shape[1] + sum(levels)
        return int(8e8 + 8 * len(X) * inputs)

    @classmethod
    def _class_tags(cls) -> dict[str, bool]:
        return {"can_estimate_memory_usage_static": True}

    def _more_tags(self) -> dict[str, bool]:
        return {"can_refit_full": False}  # how long to train is told by validation rows alone
