"""ONNX models of drawn tables, whose columns are of any kind, beside treino's own predictions of new rows."""

import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

import treino as tr
from tests.reports.export.test_onnx import asked
from treino.data.documents import HashingEncoder
from treino.data.table import Column
from treino.reports.export.formats import exported

ROWS = 150
MANY = 300  # classes of a column from which each row draws one
DAY = pd.Timestamp("2023-11-05 21:40")


def numbers(r: np.random.Generator, rows: int) -> Any:
    return r.normal(50, 20, rows)


def counts(r: np.random.Generator, rows: int) -> Any:
    """Numbers whose single values may have target means."""
    return r.integers(0, 12, rows) * 1.5


def truths(r: np.random.Generator, rows: int) -> Any:
    return r.random(rows) > 0.4


def words(r: np.random.Generator, rows: int) -> Any:
    return r.choice(["flat", "hüt;te", "São  Paulo", "a|b", "x.y*"], rows)


def names(r: np.random.Generator, rows: int) -> Any:
    """Words of which many are in one training row or in none."""
    return np.array([f"Ana {'é' * (k % 3)} {k}" for k in (MANY * r.random(rows) ** 3).astype(int)], object)


def codes(r: np.random.Generator, rows: int) -> Any:
    return 1000 + (MANY * r.random(rows) ** 3).astype(int)


def halves(r: np.random.Generator, rows: int) -> Any:
    return (MANY * r.random(rows) ** 3).astype(int) / 2 - 7


def dates(r: np.random.Generator, rows: int) -> Any:
    return DAY + pd.to_timedelta(r.integers(0, 500_000, rows), unit="min")


def clocks(r: np.random.Generator, rows: int) -> Any:
    return np.array([f"{k // 60:02d}:{k % 60:02d}" for k in r.integers(0, 1440, rows)], object)


COLUMNS: dict[str, tuple[Any, str]] = {
    "number": (numbers, ""),
    "count": (counts, ""),
    "truth": (truths, ""),
    "truth as classes": (truths, "one-hot"),
    "truth hashed": (truths, "hashed"),
    "word": (words, "category"),
    "rank": (words, "flat<hüt;te<São  Paulo<a|b<x.y*"),
    "name": (names, "hashed"),
    "many": (names, "category"),
    "each name": (names, "one-hot"),
    "code": (codes, "hashed"),
    "half": (halves, "hashed"),
    "few codes": (counts, "category"),
    "date": (dates, ""),
    "clock": (clocks, ""),
}
GAPS: dict[Any, Any] = {dates: pd.NaT, numbers: np.nan, counts: np.nan, codes: np.nan, halves: np.nan}
UNSEEN: dict[Any, Any] = {
    words: "ruin", names: "nobody", codes: 77, halves: -3.25, counts: 333.0, numbers: -1e6,
    dates: pd.Timestamp("1969-12-31 23:59"),
}  # fmt: skip


@st.composite
def tables(draw: st.DrawFn) -> tuple[pd.DataFrame, pd.DataFrame, dict[str, Any]]:
    """Rows to train on, new rows with gaps and classes that no training row has, and settings."""
    chosen = draw(st.lists(st.sampled_from(sorted(COLUMNS)), min_size=2, max_size=6, unique=True))
    gappy = draw(st.sets(st.sampled_from(chosen)))
    target = draw(st.sampled_from(["value", "positive", "two", "three", "values", "both"]))
    r = np.random.default_rng(draw(st.integers(0, 999)))
    frame, new = (table(r, chosen, gappy, rows) for rows in (ROWS, 40))
    for name in chosen:
        if (unseen := UNSEEN.get(COLUMNS[name][0])) is not None:
            new[name] = new[name].astype(object)
            new.loc[0, name] = unseen
            new[name] = new[name].infer_objects()
    kinds = {name: COLUMNS[name][1] for name in chosen if COLUMNS[name][1]}
    asked_of = {"kinds": kinds, "recipe": draw(st.sampled_from(["plain", "table"])), "epochs": 2}
    asked_of |= targets(frame, r, target)
    if target in ("value", "positive") and draw(st.booleans()):
        asked_of["coverage"] = 0.8
    if target == "two" and draw(st.booleans()):
        asked_of["threshold"] = "cost=1:9"
    if asked_of["recipe"] == "plain":
        asked_of |= {"target_means": draw(st.booleans()), "normalise": draw(st.booleans())}
        asked_of["impute"] = draw(st.sampled_from(["median", "mean"]))
    return frame, new, asked_of


def table(r: np.random.Generator, chosen: list[str], gappy: set[str], rows: int) -> pd.DataFrame:
    frame = pd.DataFrame({name: COLUMNS[name][0](r, rows) for name in chosen})
    for name in gappy:
        make = COLUMNS[name][0]
        frame[name] = frame[name].astype(float if make in (codes, halves, counts) else frame[name].dtype)
        frame[name] = frame[name].where(r.random(rows) > 0.15, GAPS.get(make))
    return frame


def targets(frame: pd.DataFrame, r: np.random.Generator, kind: str) -> dict[str, Any]:
    """Add a target that depends on the columns, and return the settings that it needs."""
    known = sum(pd.factorize(frame[name])[0] % 7 for name in frame)
    value = known + r.normal(size=len(frame))
    three = np.array(["low", "middle", "high"])[value.argsort().argsort() * 3 // len(value)]
    frame["y"] = {"two": value > np.median(value), "three": three, "both": three}.get(kind, value)
    if kind in ("values", "both"):
        frame["z"] = value * 3 - 1 if kind == "values" else np.where(value > 9, "more", "less")
        return {"target": ["y", "z"]}
    if kind == "positive":
        frame["y"] = np.exp(value / 9)
        return {"target": "y", "log_target": True}
    return {"target": "y"}


@pytest.mark.slow
@settings(max_examples=6, phases=[Phase.generate])
@given(tables())
def test_any_table_answers_as_predict_does(drawn: tuple[pd.DataFrame, pd.DataFrame, dict[str, Any]]) -> None:
    same(*drawn)


def same(frame: pd.DataFrame, new: pd.DataFrame, asked_of: dict[str, Any]) -> None:
    with tempfile.TemporaryDirectory() as parent:
        run = tr.fit(frame, parent=parent, lean=True, hidden=[8], **asked_of)
        made = exported(run, "onnx")
        assert made.apart is not None
        assert made.apart <= 1e-5
        theirs, ours = asked(Path(made.paths[0]), new), run.predict(new)
        for name, value in theirs.items():
            if name.startswith("probabilities"):
                own = ours[[c for c in ours if c.startswith(f"probability{name[13:]}_")]].to_numpy()
                np.testing.assert_allclose(value, own, atol=1e-5)
            elif value.dtype == object:
                assert value.tolist() == [str(each).lower() for each in ours[name]]
            else:
                scale = max(one.target_scale for one in run.preparation.by_target)
                np.testing.assert_allclose(value, ours[name], rtol=1e-5, atol=1e-5 * scale)


def test_a_class_of_no_training_row_is_like_any_other_such(tmp_path: Path) -> None:
    words = [f"w{k % 60}" for k in range(180)]
    frame = pd.DataFrame({"c": words, "b": np.arange(180) % 7 + 0.5, "y": np.arange(180) % 2})
    run = tr.fit(frame, target="y", recipe="plain", epochs=1, lean=True, parent=tmp_path)
    (encoder, _number) = run.preparation.encoders
    assert isinstance(encoder, HashingEncoder)
    known = {words[row] for row in run.data.train.index.tolist()}
    assert encoder.values == tuple(sorted(known))
    assert any(f"c ({len(known)})" in note for note in run.data.notes)
    cells = Column("c", words=np.array([encoder.values[0], "new", "", "other"], object))
    raw_ND, _met = run.preparation.encode([cells, Column("b", numbers=np.zeros(4))], str)
    assert raw_ND[0, : encoder.buckets].any()
    assert not raw_ND[1:, : encoder.buckets].any()
