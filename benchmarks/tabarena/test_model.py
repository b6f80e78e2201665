"""treino as a model of AutoGluon: fitted, bagged, stored and loaded by the real package."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn import datasets

tabular = pytest.importorskip("autogluon.tabular", reason="needs autogluon: pip install autogluon.tabular")
pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]

from benchmarks.tabarena.model import TreinoModel  # noqa: E402  (imports AutoGluon)

QUICK = {"epochs": 20, "ensemble": 2}


def frame_of(name: str) -> pd.DataFrame:
    return getattr(datasets, f"load_{name}")(as_frame=True).frame.sample(frac=1, random_state=0)


def fitted(path: Path, frame: pd.DataFrame, **how: Any) -> Any:
    predictor = tabular.TabularPredictor("target", path=str(path), verbosity=0)
    how = {"hyperparameters": {TreinoModel: QUICK}, "fit_weighted_ensemble": False} | how
    return predictor.fit(frame, **how)


PROBLEMS = [("breast_cancer", "binary"), ("wine", "multiclass"), ("diabetes", "regression")]


@pytest.mark.parametrize(("name", "problem"), PROBLEMS)
def test_fits_and_predicts_better_than_a_constant_and_alike_after_loading(
    name: str, problem: str, tmp_path: Path
) -> None:
    frame = frame_of(name)
    train, test = frame[:-60], frame[-60:]
    predictor = fitted(tmp_path / "ag", train)
    assert predictor.problem_type == problem
    assert predictor.model_names() == ["Treino"]
    answer = predictor.predict(test)
    again = tabular.TabularPredictor.load(str(tmp_path / "ag")).predict(test)
    assert answer.equals(again)
    if problem == "regression":
        assert np.mean((answer - test.target) ** 2) < 0.8 * test.target.var()
    else:
        shares = predictor.predict_proba(test)
        assert shares.shape[1] == frame.target.nunique()
        assert np.allclose(shares.sum(axis=1), 1, atol=1e-5)
        assert (answer == test.target).mean() > 0.85


def test_bags_of_folds_with_categories_and_gaps(tmp_path: Path) -> None:
    frame = frame_of("breast_cancer")
    frame["kind"] = pd.cut(frame["mean radius"], 3, labels=["small", "middle", "large"]).astype(str)
    frame.iloc[::7, 0] = np.nan
    here = {"fold_fitting_strategy": "sequential_local"}
    predictor = fitted(tmp_path / "ag", frame[:-60], num_bag_folds=3, num_bag_sets=1, ag_args_ensemble=here)
    assert predictor.leaderboard()["model"].tolist() == ["Treino_BAG_L1"]
    assert (predictor.predict(frame[-60:]) == frame.target[-60:]).mean() > 0.85
