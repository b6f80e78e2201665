"""Folds are scikit-learn's, and nothing of the held-out fold is trained on."""

import numpy as np
import pytest
from sklearn.model_selection import KFold, StratifiedKFold

from tests.conftest import refusal_of
from treino.data import load


@pytest.mark.parametrize(("kind", "classes"), [(StratifiedKFold, True), (KFold, False)])
def test_folds_are_scikit_learns(kind: type, classes: bool) -> None:
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(53, 3)), rng.integers(0, 3, 53) if classes else rng.normal(size=53)
    seen = []
    for number, (rest, test) in enumerate(kind(4, shuffle=True, random_state=7).split(x, y)):
        data = load((x, y), fold=f"{number + 1}/4", data_seed=7)
        assert sorted(data.test.index.tolist()) == test.tolist()
        held = {*data.train.index.tolist(), *data.validation.index.tolist()}
        assert held == set(rest.tolist())
        assert len(data.validation) == pytest.approx(0.15 * 53, abs=2)
        seen += data.test.index.tolist()
        assert data.arguments.fold == f"{number + 1}/4"
    assert sorted(seen) == list(range(53))


def test_rows_that_equal_a_tested_one_stay_unless_they_are_to_be_kept_apart() -> None:
    x = np.repeat(np.arange(20.0), 2)[:, None]
    y = np.arange(40) % 2
    folds = [load((x, y), fold=f"{k}/5", validation=0) for k in range(1, 6)]
    assert all(len(data.train) + len(data.test) == 40 for data in folds)
    assert sorted(np.concatenate([data.test.index.numpy() for data in folds])) == list(range(40))
    assert "Figures may be too good" in " ".join(folds[0].notes)
    data = load((x, y), fold="1/5", duplicates="apart")
    tested = {tuple(row) for row in data.test.x.tolist()}
    assert not tested & {tuple(row) for row in [*data.train.x.tolist(), *data.validation.x.tolist()]}
    assert "equal a held-back row" in " ".join(data.notes)


@pytest.mark.parametrize(
    ("words", "rule"),
    [
        ({"fold": "6/5"}, "fold_form"),
        ({"fold": "0/5"}, "fold_form"),
        ({"fold": "1/1"}, "fold_form"),
        ({"fold": "five"}, "fold_form"),
        ({"fold": "1/900"}, "folds_range"),
        ({"fold": "1/2", "validation": 0.6}, "shares_sum"),
        ({"fold": "1/2", "split_group": "alcohol"}, "folds_and_split"),
    ],
)
def test_folds_that_can_not_be(words: dict[str, str], rule: str) -> None:
    assert refusal_of(load, "wine", **words).rule == rule
