"""Confusion and mistakes against scikit-learn and plain sorting; cells against their table."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import confusion_matrix
from torch import nn

from treino.data import Data, load
from treino.inspection.input_planes import cells, held_out
from treino.inspection.outputs import confusion, mistakes

Trainer = Callable[..., nn.Sequential]


@given(seed=st.integers(0, 10_000))
@settings(max_examples=30)
def test_confusion_is_scikit_learns(seed: int, iris: Data) -> None:
    torch.manual_seed(seed)
    net = nn.Linear(4, 3)
    found = confusion(net, iris)
    said = net(iris.test.x).argmax(1)
    theirs = confusion_matrix(iris.test.y, said, labels=[0, 1, 2])
    np.testing.assert_array_equal(found.count_CC, theirs)
    normalised = confusion_matrix(iris.test.y, said, labels=[0, 1, 2], normalize="true")
    np.testing.assert_allclose(found.share_CC, normalised)
    pairs = found.pairs(99)
    assert sum(n for _t, _p, n in pairs) == found.rows - found.right
    assert [n for *_tp, n in pairs] == sorted((n for *_tp, n in pairs), reverse=True)
    assert all(t != p and theirs[t, p] == n for t, p, n in pairs)


def test_a_class_without_rows_and_outputs_that_are_not_finite(iris: Data) -> None:
    net = nn.Linear(4, 3)
    with torch.no_grad():
        net.weight.fill_(1e38)
    found = confusion(net, iris)
    assert found.unsaid_C.sum() + found.count_CC.sum() == found.rows == len(iris.test)
    assert found.unsaid_C.sum() > 0
    wrong = mistakes(net, iris)
    assert wrong.unsaid == found.unsaid_C.sum()
    assert len(wrong) == wrong.wrong == found.count_CC.sum() - found.right


def test_the_most_confident_mistakes_by_plain_sorting(iris: Data, diabetes: Data, trainer: Trainer) -> None:
    torch.manual_seed(5)
    net = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 3))
    found = mistakes(net, iris, most=5)
    share = net(iris.test.x).double().softmax(1)
    sure, said = (v.tolist() for v in share.max(1))
    rows = zip(sure, said, iris.test.y.tolist(), iris.test.index.tolist(), strict=True)
    worst = sorted((r for r in rows if r[1] != r[2]), key=lambda r: -r[0])
    assert found.wrong == len(worst) > 5
    assert found.index_K.tolist() == [r[3] for r in worst[:5]]
    np.testing.assert_allclose(found.sure_K, [r[0] for r in worst[:5]])
    assert found.said_K.tolist() == [r[1] for r in worst[:5]]

    net = trainer(diabetes)
    found = mistakes(net, diabetes, most=4)
    scale, mean = diabetes.target_scale, diabetes.target_mean
    off = (net(diabetes.test.x) - diabetes.test.y)[:, 0].abs()
    assert found.index_K.tolist() == diabetes.test.index[off.argsort(descending=True)[:4]].tolist()
    np.testing.assert_allclose(
        np.abs(found.said_K - found.true_K), off.sort(descending=True).values[:4].detach() * scale, rtol=1e-5
    )
    assert abs(found.true_K.mean() - mean) < 10 * scale


def test_which_rows_are_held_out(iris: Data) -> None:
    assert held_out(iris) == ("test", iris.test)
    assert held_out(iris, ("train", "validation")) == ("validation", iris.validation)
    assert held_out(iris, ("train",)) == ("train", iris.train)
    bare = load("iris", validation=0, test=0)
    assert held_out(bare)[0] == "train"


@given(st.data())
@settings(max_examples=20)
def test_cells_are_what_stood_in_the_table(data: st.DataObject) -> None:
    rng = np.random.default_rng(data.draw(st.integers(0, 999)))
    rows = 90
    size = 10.0 ** data.draw(st.integers(-6, 6))
    shift = data.draw(st.sampled_from([0.0, 1.0, 1000.0]))
    frame = pd.DataFrame(
        {
            "number": (rng.normal(size=rows) + shift).round(3) * size,
            "kind": rng.choice(["a", "<b>", "c d"], rows),
            "day": pd.Timestamp("2021-03-01") + pd.to_timedelta(rng.integers(0, 900, rows), unit="D"),
            "y": rng.integers(0, 2, rows),
        }
    )
    frame.loc[rng.random(rows) < 0.2, "number"] = np.nan
    frame.loc[rng.random(rows) < 0.2, "kind"] = None
    made = load(frame, target="y", task="classification")
    found = dict(zip(made.features, cells(made, made.test.x), strict=True))
    for place, row in enumerate(made.test.index.tolist()):
        number, kind, day = (found[name][place] for name in ("number", "kind", "day"))
        cell = frame.number[row]
        assert number is None if np.isnan(cell) else number == pytest.approx(cell, rel=1e-5, abs=size * 1e-3)
        assert kind == (frame.kind[row] if isinstance(frame.kind[row], str) else None)
        assert day == str(frame.day[row].date())
