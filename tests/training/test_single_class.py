"""A network that answers one class for all rows where trees or a linear model don't; tables without such."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

import treino as tr
from treino.settings.spec import read_settings
from treino.training.single_class import AnsweredRows, single_class


def found(folder: Path, source: Any, **asked: Any) -> list[dict[str, Any]]:
    run = tr.fit(source, parent=folder, lean=True, **asked)
    assert not [note for note in run.document["notes"] if "Everything else is there" in note]
    return [f for f in run.document["findings"] if f["rule"] == "single_class"]


@pytest.fixture
def trees(monkeypatch: pytest.MonkeyPatch) -> None:
    """As many trees as a user's run has; other tests fit fewer."""
    monkeypatch.setattr("treino.inspection.baselines.TREES", 100)


def strikes(rows: int = 1500, seed: int = 0) -> pd.DataFrame:
    """One row in twelve is of a class that two columns give away together."""
    r = np.random.default_rng(seed)
    x_N4 = r.normal(size=(rows, 4))
    hit_N = (np.abs(x_N4[:, 0]) < 0.35) & (np.abs(x_N4[:, 1]) < 0.4) | (r.random(rows) < 0.01)
    return pd.DataFrame(x_N4, columns=list("abcd")).assign(y=np.where(hit_N, "damage", "none"))


SMALL = {"recipe": "plain", "hidden": [4], "epochs": 2, "lr": 1e-3}


@pytest.mark.slow
def test_one_class_for_all_rows_is_found_where_trees_find_others(tmp_path: Path, trees: None) -> None:
    asked: dict[str, Any] = SMALL | {"hidden": [3], "epochs": 60, "lr": 3e-3}
    (finding,) = found(tmp_path, strikes(3000), target="y", **asked)
    assert "'none' for all 450 test rows" in finding["message"]
    assert finding["evidence"]["model"] == "trees"
    assert finding["evidence"]["theirs"] > finding["evidence"]["ours"] + 0.05
    assert "threshold='auto'" in finding["fix"]
    assert (finding["certain"], finding["severity"]) == (False, "risk")


def noise(rows: int, rare: float, seed: int, classes: int = 2) -> pd.DataFrame:
    r = np.random.default_rng(seed)
    frame = pd.DataFrame(r.normal(size=(rows, 4)), columns=list("abcd"))
    share = [1 - rare * (classes - 1), *[rare] * (classes - 1)]
    return frame.assign(y=r.choice([f"k{k}" for k in range(classes)], rows, p=share))


def lined(rows: int, rare: float, seed: int) -> pd.DataFrame:
    """The rare class begins where a sum of columns is high, with errors."""
    r = np.random.default_rng(seed)
    frame = pd.DataFrame(r.normal(size=(rows, 3)), columns=list("abc"))
    line = frame.sum(axis=1) + r.normal(size=rows) * 0.3
    return frame.assign(y=line > line.quantile(1 - rare))


RIGHT: dict[str, tuple[Any, dict[str, Any]]] = {
    "noise and two targets": (
        noise(900, 0.1, 9).assign(z=noise(900, 0.1, 10)["y"]), {"target": ["y", "z"]} | SMALL
    ),
    "a line through half": (lined(600, 0.5, 1), {"target": "y", "epochs": 10}),
    "a line, one in ten": (lined(1500, 0.1, 2), {"target": "y", "epochs": 20}),
    "a line, and a threshold": (lined(1500, 0.1, 3), {"target": "y", "threshold": "auto", "epochs": 4}),
    "few rows of the other class": (lined(200, 0.1, 4), {"target": "y"} | SMALL),
    "numbers": (lined(300, 0.5, 5).assign(y=lambda f: f["a"] * 2), {"target": "y"} | SMALL),
    "strikes, learnt": (strikes(), {"target": "y", "epochs": 30}),
    "iris": ("iris", {"epochs": 30}),
    "wine": ("wine", {"epochs": 10}),
    "breast_cancer": ("breast_cancer", {"epochs": 5}),
    "moons": ("moons", {"epochs": 5}),
    "circles": ("circles", {"epochs": 1}),
    "diabetes": ("diabetes", {"epochs": 2}),
}  # fmt: skip


@pytest.mark.release
@pytest.mark.parametrize("name", RIGHT)
def test_right_tables_have_no_such_finding(tmp_path: Path, trees: None, name: str) -> None:
    source, asked = RIGHT[name]
    assert [each for each in found(tmp_path, source, **asked) if each["evidence"]["model"]] == []


@pytest.mark.parametrize(("rows", "rare"), [(600, 0.2), (900, 0.15)])
def test_one_class_for_all_rows_of_noise_is_told(tmp_path: Path, rows: int, rare: float) -> None:
    """No model finds the others, and who reads the accuracy is told that the network knows one class."""
    asked: dict[str, Any] = SMALL | {"epochs": 30, "lr": 3e-3}
    (finding,) = found(tmp_path, noise(rows, rare, rows), target="y", **asked)
    assert "'k0' for all" in finding["message"]
    assert finding["evidence"]["model"] is None


RARE = 0.1


def telling() -> NDArray[np.float64]:
    """``[N, C]``: probabilities that tell the rare class's rows apart, and never suffice for it."""
    rare_N = np.where(np.arange(100) % 10 == 9, 0.45, 0.02)
    return np.column_stack([1 - rare_N, rare_N])


def answers(**other: Any) -> AnsweredRows:
    true_N = np.arange(100) % 10 // 9
    figures = {"loss": 0.32, "accuracy": 0.9, "f1_macro": 0.474}
    majority = {"loss": 0.325, "accuracy": 0.9, "f1_macro": 0.474}
    better = {"loss": 0.2, "accuracy": 0.93, "f1_macro": 0.7}
    share_NC = np.column_stack([1 - RARE - 0 * true_N, RARE + 0 * true_N])
    of: dict[str, Any] = {
        "classes": ("no", "yes"),
        "share_NC": share_NC,
        "predicted_N": np.zeros(100, int),
        "true_N": true_N,
    }
    of |= {"figures": figures, "baseline": {"majority": majority, "linear": majority, "trees": better}}
    return AnsweredRows(**of | other)


def test_one_class_is_told_whether_or_not_a_simple_model_is_better() -> None:
    settings = read_settings({})
    base = answers().baseline
    for worse in ({"loss": 0.33}, {"accuracy": 0.89}, {"f1_macro": 0.5}):
        plain = base | {"trees": base["trees"] | worse}
        (finding,) = single_class(answers(baseline=plain), settings, False)
        assert (finding["evidence"]["model"], finding["evidence"]["others"]) == (None, 10)
        assert "No simple model is clearly better" in finding["message"]
        assert "columns that tell the classes apart" in finding["fix"]
        (ranked,) = single_class(answers(baseline=plain, share_NC=telling()), settings, False)
        assert "threshold='auto'" in ranked["fix"]
    assert not single_class(answers(baseline={"majority": base["majority"]}), settings, False)
    assert not single_class(answers(predicted_N=np.arange(100) // 99), settings, False)
    assert not single_class(answers(true_N=np.arange(100) // 91), settings, False)


@pytest.mark.parametrize(
    ("ranks", "asked", "unfinished", "move"),
    [
        (True, {}, False, "threshold='auto'"),
        (True, {"threshold": "auto"}, False, "class_weights='balanced'"),
        (False, {}, True, "class_weights='balanced'"),
        (False, {"class_weights": "balanced"}, True, "longer"),
        (False, {"class_weights": "balanced"}, False, "recipe='table'"),
    ],
)
@pytest.mark.parametrize("loss", [0.32, -5.0, 40.0])
def test_the_next_move_fits_why(
    ranks: bool, asked: dict[str, Any], unfinished: bool, move: str, loss: float
) -> None:
    """Whatever the training's own loss is: probabilities are compared by their cross-entropy."""
    of = answers(figures=answers().figures | {"loss": loss}, **({"share_NC": telling()} if ranks else {}))
    (finding,) = single_class(of, read_settings(asked), unfinished)
    assert move in finding["fix"]
    assert ("Its probabilities do tell rows apart" in finding["why"]) == ranks
