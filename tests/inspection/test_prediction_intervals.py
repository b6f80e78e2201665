"""Prediction intervals: the promised share by simulation, and that every door gives them."""

import csv
import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import treino as tr
from treino.inspection.calibration import LEVEL, IntervalRule, interval_rule
from treino.records.prediction import predict, reading_of
from treino.records.prediction_files import predictions_file


def table(rows: int = 400) -> pd.DataFrame:
    r = np.random.default_rng(5)
    x = r.normal(size=rows)
    return pd.DataFrame({"x": x, "y": 2 * x + r.normal(size=rows)})


@pytest.mark.parametrize("rows", [9, 10, 19, 57])
@pytest.mark.parametrize("spread", [False, True])
def test_new_rows_lie_in_them_as_often_as_promised(rows: int, spread: bool) -> None:
    """Over many validation sets, errors of any kind: at least the level, and at most 1 / (n + 1) more."""
    r, inside = np.random.default_rng(0), []
    for _trial in range(2000):
        wide = r.exponential(size=rows + 1) if spread else np.ones(rows + 1)
        error = np.abs(r.standard_t(3, size=rows + 1)) * wide
        rule = interval_rule(error[:-1], wide[:-1] if spread else None)
        assert rule is not None
        inside.append(error[-1] <= rule.half_widths(wide[-1:] if spread else None, 1)[0])
    slack = 3 * math.sqrt(LEVEL * (1 - LEVEL) / len(inside))
    assert LEVEL - slack <= np.mean(inside) <= LEVEL + 1 / (rows + 1) + slack


@given(errors=st.lists(st.floats(0, 1e6), min_size=9, max_size=200))
def test_the_quantile_is_that_of_the_paper(errors: list[float]) -> None:
    rule = interval_rule(np.array(errors), None)
    at_least = math.ceil((len(errors) + 1) * 0.9)
    assert rule is not None
    assert sum(e <= rule.quantile for e in errors) >= at_least
    assert sum(e < rule.quantile for e in errors) < at_least


def test_there_are_none_of_too_few_rows_or_of_what_is_not_finite() -> None:
    assert interval_rule(np.arange(8.0), None) is None
    assert interval_rule(np.array([math.nan] * 20), None) is None


def test_members_that_agree_give_equally_wide_ones() -> None:
    rule = interval_rule(np.arange(20.0), np.zeros(20))
    assert rule == IntervalRule(LEVEL, 18.0)
    assert rule.half_widths(np.zeros(2), 2).tolist() == [18.0, 18.0]


def test_every_door_gives_them(tmp_path: Path) -> None:
    frame = table()
    run = tr.fit(frame, target="y", recipe="plain", epochs=10, parent=tmp_path)
    known = run.document["prediction_intervals"]
    assert known["rows"] == run.result.rows["validation"]
    assert 0.8 <= known["coverage"] <= 1.0
    assert any("they hold" in note for note in run.document["notes"])
    found = run.predict(frame.head(5))
    np.testing.assert_allclose(found["high"] - found["low"], 2 * known["quantile"])
    each = predict(tr.open(run.path), frame.head(5)).each
    assert [p.interval for p in each] == list(zip(found["low"], found["high"], strict=True))
    assert each[0].to_json().keys() == {"row", "prediction", "low", "high"}
    frame.head(5).to_csv(tmp_path / "five.csv", index=False)
    written = predictions_file(str(tmp_path / "five.csv"), reading_of(run), each, ".csv").decode()
    rows = list(csv.reader(written.splitlines()))
    assert rows[0] == [*frame.columns, "prediction", "low", "high"]
    assert float(rows[1][-2]) == each[0].interval[0]


def test_an_ensembles_are_wider_where_its_members_differ(tmp_path: Path) -> None:
    run = tr.fit(table(), target="y", ensemble=4, epochs=5, parent=tmp_path)
    found = run.predict(pd.DataFrame({"x": [0.0, 40.0]}))
    width = (found["high"] - found["low"]).tolist()
    assert width[1] > 2 * width[0]


def test_an_estimator_predicts_them() -> None:
    frame = table()
    model = tr.Regressor(recipe="plain", epochs=10).fit(frame[["x"]], frame["y"])
    ends = model.predict_interval(frame[["x"]])
    inside = (ends[:, 0] <= frame["y"]) & (frame["y"] <= ends[:, 1])
    assert 0.8 < inside.mean() < 0.98
    few = tr.Regressor(epochs=2).fit(frame[["x"]][:40], frame["y"][:40])
    with pytest.raises(ValueError, match="too few validation rows"):
        few.predict_interval(frame[["x"]])


def test_classes_have_none(tmp_path: Path) -> None:
    run = tr.fit("iris", epochs=2, parent=tmp_path)
    assert "prediction_intervals" not in run.document
    assert predict(run, "iris").each[0].interval is None
