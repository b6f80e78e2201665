"""Positive, skewed targets: which scale is learnt, and that nothing leaves the range that can be."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import mean_absolute_error, r2_score, root_mean_squared_error

import treino as tr
from tests.conftest import refusal_of


def table(kind: str, unit: float = 1.0) -> pd.DataFrame:
    """Rows of a positive target. ratio: all effects are factors; sum: they are added; gamma: near 0."""
    r = np.random.default_rng(3)
    a, b, c, noise = r.normal(size=(4, 1500))
    a, b = (a**2, b**2) if kind == "sum" else (a, b)
    y = {
        "ratio": np.exp(5 + 1.2 * a + 0.8 * b + 0.5 * c + 0.1 * noise),
        "sum": 1 + 3 * a + 2 * b + 0.5 * np.abs(noise),
        "gamma": np.exp(a) * r.gamma(0.5, 1, 1500) + 1e-3,
    }[kind]
    part = r.choice(["train", "validation", "test"], 1500, p=[0.6, 0.2, 0.2])
    return pd.DataFrame({"a": a, "b": b, "c": c, "price": y * unit, "part": part})


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "log"), [("ratio", True), ("sum", False), ("gamma", False)])
def test_the_scale_is_chosen_said_and_kept(kind: str, log: bool, tmp_path: Path) -> None:
    how: dict[str, Any] = {"target": "price", "split_column": "part", "parent": tmp_path, "epochs": 4}
    frame = table(kind)
    run, again = tr.fit(frame, **how), tr.fit(frame, log_target=log, **how)
    (said,) = [reason for reason in run.document["reasons"] if "A short trial of" in reason]
    assert f"chose log_target={log}:" in said
    assert run.settings["log_target"] is run.spec.asked["log_target"] is log
    found = run.predict(frame)
    assert found.equals(again.predict(frame))
    assert found["prediction"].min() > 0
    assert found["low"].min() >= 0


@pytest.mark.slow
def test_figures_intervals_and_exports_are_of_the_target_itself(tmp_path: Path) -> None:
    how: dict[str, Any] = {"target": "price", "split_column": "part", "epochs": 8, "log_target": True}
    run, large = (tr.fit(table("ratio", unit), parent=tmp_path, lean=False, **how) for unit in (1.0, 1000.0))
    test = table("ratio").query("part == 'test'")
    true, found = test["price"], run.predict(test)
    said, low, high = found["prediction"], found["low"], found["high"]
    for name, of in {"rmse": root_mean_squared_error, "mae": mean_absolute_error, "r2": r2_score}.items():
        assert run.metrics["test"][name] == pytest.approx(of(true, said), rel=1e-4)
    assert run.document["baseline"]["mean"]["r2"] == pytest.approx(0, abs=0.1)
    assert run.predict(test.assign(price=0))["prediction"].equals(said)  # other rows may hold a 0
    assert low.min() > 0
    assert np.mean((low.to_numpy() <= true.to_numpy()) & (true.to_numpy() <= high.to_numpy())) > 0.8
    np.testing.assert_allclose(high / said, said / low, rtol=1e-6)
    np.testing.assert_allclose(large.predict(test)["low"] / 1000, low, rtol=2e-2)


@pytest.mark.slow
def test_where_no_trial_is_made_and_what_is_refused(tmp_path: Path) -> None:
    frame, how = table("ratio").drop(columns="part"), {"parent": tmp_path, "epochs": 2, "target": "price"}
    positive = frame["a"] > -1
    zeros = frame.assign(price=frame["price"] * positive)
    for source, more in ((frame, {"recipe": "plain"}), (frame, {"target": "a"}), (zeros, {})):
        run = tr.fit(source, **(how | more))
        assert not run.settings["log_target"]
        assert not any("a trial" in reason for reason in run.document["reasons"])
    for log, source in ((True, frame), (False, table("gamma").drop(columns="part"))):
        ends = tr.fit(source, **how, folds=3, log_target=log).predict(source)
        assert (ends["low"] >= np.minimum(0, ends["prediction"])).all()
    for wrong in (zeros, frame.assign(price="x" + positive.astype(str))):
        assert "for one target of numbers above 0" in str(refusal_of(tr.fit, wrong, **how, log_target=True))
