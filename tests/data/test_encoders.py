"""Columns as inputs: equal to scikit-learn's own pipeline on real tables, with the same split."""

import datetime
import hashlib

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.compose import ColumnTransformer
from sklearn.datasets import load_breast_cancer, load_diabetes, load_wine
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder as SklearnOneHotEncoder
from sklearn.preprocessing import OrdinalEncoder, StandardScaler

from tests.conftest import refusal_of
from tests.data.conftest import Write, read_back
from treino.base.errors import TreinoError
from treino.data import Data, load, rows_for_prediction
from treino.data.preparation.fit_columns import BUCKETS, MOST_LEVELS

LEVELS = ["low", "middle", "high"]


def with_holes(frame: pd.DataFrame, columns: list[str], share: float = 0.1) -> pd.DataFrame:
    rng = np.random.default_rng(1)
    for column in columns:
        frame[column] = frame[column].mask(rng.random(len(frame)) < share)
    return frame


def wine() -> tuple[pd.DataFrame, str, dict[str, str]]:
    """Measurements with gaps, one of them cut into ordered classes and one into plain ones."""
    frame = load_wine(as_frame=True).frame.rename(columns=lambda name: name.replace("/", "_"))
    frame["proline"] = pd.cut(frame["proline"], 3, labels=LEVELS).astype(object)
    frame["hue"] = "hue " + pd.cut(frame["hue"], 4, labels=False).astype(str)
    frame["target"] = "cultivar " + frame["target"].astype(str)
    return with_holes(frame, ["alcohol", "magnesium", "hue"]), "target", {"proline": "<".join(LEVELS)}


def diabetes() -> tuple[pd.DataFrame, str, dict[str, str]]:
    frame = load_diabetes(as_frame=True, scaled=False).frame
    return with_holes(frame, ["bmi", "s5"], 0.2), "target", {"sex": "category"}


def cancer() -> tuple[pd.DataFrame, str, dict[str, str]]:
    frame = load_breast_cancer(as_frame=True).frame
    return with_holes(frame, list(frame.columns[:30:3]), 0.05), "target", {}


def scikit_learns(data: Data, frame: pd.DataFrame, kinds: dict[str, str], impute: str) -> np.ndarray:
    """The same columns through scikit-learn's own transformers, fitted on the same training rows."""
    ranks = [name for name, kind in kinds.items() if "<" in kind]
    of_words = [name for name in data.features if not pd.api.types.is_numeric_dtype(frame[name])]
    asked = [name for name, kind in kinds.items() if kind == "category"]
    classes = [name for name in data.features if name in {*of_words, *asked} - {*ranks}]
    numbers = [name for name in data.features if name not in (*ranks, *classes)]
    frame = frame.copy()
    for name in classes:
        frame[name] = frame[name].astype(object).map(str).where(frame[name].notna(), "~")
    train = frame.iloc[data.train.index.numpy()]
    parts, names = [], []
    for column in numbers:
        imputer = SimpleImputer(strategy=impute, add_indicator=True).fit(train[[column]])
        scaler = StandardScaler().fit(imputer.transform(train[[column]])[:, :1])
        made = imputer.transform(frame[[column]])
        parts += [scaler.transform(made[:, :1]), made[:, 1:]]
        names += [column] * made.shape[1]
    ordered = make_pipeline(OrdinalEncoder(categories=[LEVELS] * len(ranks)), StandardScaler())
    rest = ColumnTransformer(
        [("rank", ordered, ranks)] * bool(ranks)
        + [("class", SklearnOneHotEncoder(handle_unknown="ignore", sparse_output=False), classes)]
    )  # fmt: skip
    if ranks or classes:
        rest.fit(train)
        parts.append(rest.transform(frame))
        names += ranks
        if classes:
            for column, levels in zip(classes, rest.named_transformers_["class"].categories_, strict=True):
                names += [column] * len(levels)
    theirs = np.concatenate(parts, axis=1)
    order = [j for name in data.features for j, of in enumerate(names) if of == name]
    return theirs[:, order]


@pytest.mark.parametrize(
    ("table", "impute"), [(wine, "median"), (diabetes, "median"), (cancer, "median"), (cancer, "mean")]
)
def test_prepared_rows_equal_scikit_learns_own_pipeline(table, impute: str) -> None:
    frame, target, kinds = table()
    data = load(frame, target=target, kinds=kinds, impute=impute)
    theirs = scikit_learns(data, frame, kinds, impute)
    assert data.inputs == theirs.shape[1] == len(data.preparation.inputs)
    for rows in data.splits.values():
        np.testing.assert_allclose(rows.x, theirs[rows.index], rtol=1e-5, atol=1e-5)
    again = read_back(data.preparation)
    assert again == data.preparation
    new = rows_for_prediction(frame.drop(columns=target), again)
    np.testing.assert_array_equal(new.x[data.test.index], data.test.x)


def test_only_training_rows_decide() -> None:
    """Gaps, classes and dates of other rows change no program and no training row."""
    frame, target, kinds = wine()
    data = load(frame, target=target, kinds=kinds)
    outside = torch.cat([data.validation.index, data.test.index]).numpy()
    other = frame.copy()
    other.loc[outside[::2], "hue"] = "unheard of"
    other.loc[outside[1::2], "ash"] = np.nan
    other.loc[outside, "alcohol"] = 99.0
    again = load(other, target=target, kinds=kinds)
    assert again.preparation == data.preparation
    assert torch.equal(again.train.x, data.train.x)
    assert any("unheard of" in note for note in again.notes)


def test_many_classes_are_hashed_by_sha_256() -> None:
    words = [f"w{i % 60}" for i in range(180)]
    data = load(pd.DataFrame({"c": words, "y": np.arange(180) % 2}), target="y", validation=0, test=0)
    (program,) = data.preparation.programs
    assert (program.way, program.words, program.width) == ("hashed", tuple(sorted(set(words))), BUCKETS)
    assert not program.levels
    assert not program.reversible
    for word, x_D in zip(words, data.train.x, strict=True):
        k = int(hashlib.sha256(f"c={word}".encode()).hexdigest()[:16], 16)
        expected = np.zeros(BUCKETS)
        expected[k % BUCKETS] = 1 if (k // BUCKETS) % 2 else -1
        np.testing.assert_array_equal(x_D, expected)
    new = rows_for_prediction(pd.DataFrame({"c": [words[0], "new", "", "other"]}), data.preparation)
    assert new.x.any(dim=1).tolist() == [True, False, False, False]
    few = load(pd.DataFrame({"c": words, "y": np.arange(180) % 2}), target="y", kinds={"c": "one-hot"})
    assert few.preparation.programs[0].way == "one-hot"
    assert len(few.preparation.programs[0].levels) > MOST_LEVELS


def test_dates_are_days_and_points_of_circles() -> None:
    when = pd.date_range("2023-12-30 22:30", periods=100, freq="37h")
    frame = pd.DataFrame({"when": when, "p": np.random.RandomState(0).rand(100), "y": np.arange(100) % 2})
    frame.loc[5, "when"] = pd.NaT
    data = load(frame, target="y", validation=0, test=0, normalise=False)
    assert data.preparation.programs[0].parts == ("month", "weekday", "hour")
    x = data.train.x.numpy()
    for row, (time, got) in enumerate(zip(when, x, strict=True)):
        if row == 5:
            assert got[1:7].tolist() == [0] * 6
            assert got[7] == 1
            continue
        of_day = (time.hour * 60 + time.minute) / 1440
        turns = [(time.month - 1) / 12, time.weekday() / 7, of_day]
        expected = [(time - when[0]).total_seconds() / 86400]
        expected += [f(2 * np.pi * turn) for turn in turns for f in (np.sin, np.cos)]
        np.testing.assert_allclose(got[:8], [*expected, 0], rtol=1e-5, atol=1e-6)


def test_a_time_of_day_is_a_point_of_a_circle(write: Write) -> None:
    lines = [f"{hour:02}:{minute:02},{(hour + minute) % 2}" for hour in range(24) for minute in (0, 30)]
    path = write("\n".join(["hora,y", *lines, ",1", ""]))
    data = load(path, target="y", validation=0, test=0)
    assert data.preparation.inputs == ("hora sin", "hora cos", "hora missing")
    assert (
        "Times of day as points of a circle: hora. As classes instead: kinds='hora=category'." in data.notes
    )
    turn = 2 * np.pi * np.arange(48) / 48
    np.testing.assert_allclose(
        data.train.x[:48].numpy(), np.stack([np.sin(turn), np.cos(turn), 0 * turn], 1), atol=1e-6
    )
    assert data.train.x[48].tolist() == [0, 0, 1]
    frame = pd.DataFrame({"hora": [datetime.time(6), None]})
    for source in (write('hora\n06:00\n""\n', "new.csv"), frame):
        new = rows_for_prediction(source, read_back(data.preparation))
        np.testing.assert_allclose(new.x.numpy(), [[1, 0, 0], [0, 0, 1]], atol=1e-6)
    for cell in ("2024-01-01", "early"):
        assert (
            refusal_of(rows_for_prediction, write(f"hora\n{cell}\n", "new.csv"), data.preparation).rule
            == "feature_no_time"
        )
    classes = load(path, target="y", validation=0, test=0, kinds={"hora": "category"})
    assert len(classes.preparation.inputs) > 40
    for asked in ({"target": "hora"}, {"target": "y", "split_time": "hora"}):
        assert refusal_of(load, path, **asked).rule in ("target_date", "split_time_kind")


def test_ranks_and_what_is_not_among_them() -> None:
    frame = pd.DataFrame({"size": ["s", "m", "l", "m"] * 10, "y": np.arange(40) % 2})
    data = load(frame, target="y", kinds={"size": "s<m<l"}, validation=0, test=0)
    program = data.preparation.programs[0]
    assert (program.levels, program.numeric, program.fill) == (("s", "m", "l"), False, 1.0)
    assert program.ordered
    assert data.preparation.inverse(data.train.x)[:4, 0].tolist() == pytest.approx([0, 1, 2, 1], abs=1e-6)
    ordered = frame.assign(size=pd.Categorical(frame["size"], ["s", "m", "l"], ordered=True))
    assert load(ordered, target="y", validation=0, test=0).preparation == data.preparation
    with pytest.raises(TreinoError, match="'l' in row 2") as error:
        load(frame, target="y", kinds={"size": "s<m"})
    assert error.value.rule == "kind_levels"
    new = rows_for_prediction(pd.DataFrame({"size": ["l", "huge", None]}), data.preparation)
    assert dict(new.unknown) == {"size": 1}
    assert data.preparation.inverse(new.x)[:, 0].tolist() == pytest.approx([2, 1, 1])
