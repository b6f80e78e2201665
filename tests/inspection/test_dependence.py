"""Partial dependence against scikit-learn's on our estimators, and against predictions for changed tables."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.inspection import partial_dependence
from torch import nn
from torch.utils.data import TensorDataset

import treino as tr
from treino.base.errors import TreinoError
from treino.data import load
from treino.inspection.dependence import dependence, drawable


@pytest.fixture(scope="module")
def homes() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    n = 250
    frame = pd.DataFrame(
        {
            "size": rng.uniform(40, 200, n).round(2),
            "rooms": rng.integers(1, 5, n),
            "city": rng.choice(["Rio", "<b>Recife</b>", "Natal"], n),
            "sold": pd.Timestamp("2022-01-01") + pd.to_timedelta(rng.integers(0, 600, n), unit="D"),
            "at": [f"{h:02d}:30" for h in rng.integers(0, 24, n)],
            "agent": [f"agent {k}" for k in rng.integers(0, 80, n)],
        }
    )
    days = (frame.sold - frame.sold.min()).dt.days
    frame["price"] = 1000 * frame["size"] + 40_000 * (frame.city == "Rio") + 80 * days
    frame.loc[rng.random(n) < 0.1, "size"] = np.nan
    frame.loc[rng.random(n) < 0.1, "city"] = None
    return frame


@pytest.mark.parametrize("task", ["classification", "regression"])
def test_numbers_are_scikit_learns(task: str) -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(200, 3)) * [1, 10, 0.1]
    score = x[:, 0] + 0.1 * x[:, 1] ** 2
    y: Any = score * 50 + 7 if task == "regression" else np.digitize(score, [0, 2])
    kind = tr.Regressor if task == "regression" else tr.Classifier
    model = kind(recipe="plain", hidden=[16], epochs=12, batch_size=32).fit(x, y)
    data = load((x, y), task=task, validation=0.15, test=0.0)
    assert data.preparation == model.run_.preparation or task == "classification"
    rows = x[data.train.index.numpy()]
    for column in range(3):
        ours = dependence(model.module_, data, f"x{column + 1}", rows=1000)
        theirs = partial_dependence(
            model,
            rows,
            [column],
            kind="both",
            grid_resolution=len(ours.at_G),
            percentiles=(0, 1),
            response_method="auto" if task == "regression" else "predict_proba",
        )
        np.testing.assert_allclose(
            ours.at_G, theirs["grid_values"][0], rtol=1e-5, atol=1e-6 * np.ptp(ours.at_G)
        )
        scale = np.abs(theirs["average"]).max()
        np.testing.assert_allclose(ours.mean_GC.T, theirs["average"], atol=2e-5 * scale)
        np.testing.assert_allclose(ours.curve_NGC.transpose(2, 0, 1), theirs["individual"], atol=1e-4 * scale)
        assert ours.reach_C.max() > 0


@pytest.mark.slow
@pytest.mark.parametrize("target", ["price", "dear"])
def test_every_kind_of_column_is_what_predictions_for_a_changed_table_say(
    target: str, homes: pd.DataFrame, tmp_path: Path
) -> None:
    frame = homes.copy()
    if target == "dear":
        frame["dear"] = np.where(frame.price > frame.price.median(), "dear", "cheap")
        frame = frame.drop(columns="price")
    run = tr.fit(frame, target=target, recipe="plain", parent=tmp_path, epochs=6)
    data = run.data
    assert drawable(data) == ("size", "rooms", "city", "sold", "at")
    train = frame.iloc[data.train.index.numpy()]
    for column, axis in zip(drawable(data), ("number", "number", "class", "date", "time"), strict=True):
        found = dependence(run.module, data, column, rows=1000)
        assert (found.axis, len(found.own_N)) == (axis, len(train))
        for g in (0, len(found.at_G) // 2, len(found.at_G) - 1):
            changed, at = train.copy(), float(found.at_G[g])
            cell: Any = at
            if axis == "class":
                cell = found.levels[int(at)] or None
            elif axis == "date":
                cell = pd.Timestamp(at, unit="s")
            elif axis == "time":
                minute = round(at % 86400 / 60)
                cell = f"{minute // 60:02d}:{minute % 60:02d}"
            changed[column] = pd.Series([cell] * len(changed), index=changed.index, dtype=train[column].dtype)
            said = run.predict(changed)
            names = ["prediction"] if target == "price" else [f"probability_{c}" for c in data.classes]
            theirs = said[names].to_numpy(dtype=float)
            np.testing.assert_allclose(found.curve_NGC[:, g], theirs, rtol=2e-3 if axis == "time" else 2e-5)
    own = dependence(run.module, data, "size", rows=1000).own_N
    np.testing.assert_allclose(own, train["size"], rtol=1e-5)


def test_what_has_no_dependence_to_draw_says_so(homes: pd.DataFrame, tmp_path: Path) -> None:
    data = load(homes, target="price")
    net = nn.Linear(data.inputs, 1)
    for column, words in (("agent", "were hashed"), ("sise", "no column 'sise'")):
        with pytest.raises(TreinoError, match=words):
            dependence(net, data, column)
    with torch.no_grad():
        net.weight.fill_(1e38)
    with pytest.raises(TreinoError, match=r"not finite on \d+ of"):
        dependence(net, data, "size")
    images = load(TensorDataset(torch.randn(40, 1, 5, 5), torch.arange(40) % 2))
    assert drawable(images) == ()
    with pytest.raises(TreinoError, match="One pixel alone"):
        dependence(nn.Flatten(), images, images.features[0], item_shape=(1, 5, 5))
