"""load: the task and its reason, what is left out, and that it repeats itself exactly."""

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.data.conftest import Write
from treino.data import describe, load

X = np.random.RandomState(0).randn(60, 2)


@pytest.mark.parametrize(
    ("y", "task", "reason"),
    [
        (np.arange(60) % 20, "classification", "whole numbers, no more than 20 (or: task='regression')"),
        (np.arange(60) % 21, "regression", "whole numbers, more than 20 (or: task='classification')"),
        (np.arange(60) % 9 / 2, "regression", "decimals (or: task='classification')"),
        (np.arange(60) % 2 + 0.5, "regression", "decimals"),
        (np.where(np.arange(60) % 2, "a", "b"), "classification", "text with 2"),
        (np.arange(60) % 2 == 0, "classification", "true or false"),
        (X[:, 0] * 3, "regression", "decimals"),
    ],
)
def test_the_task_follows_from_the_target(y: np.ndarray, task: str, reason: str) -> None:
    data = load((X, y))
    assert data.task == task
    assert reason in data.task_reason


def test_the_task_can_be_overridden_where_the_values_allow() -> None:
    y = np.arange(60) % 5
    data = load((X, y), task="regression")
    assert data.task == "regression"
    assert "asked" in data.task_reason
    assert data.classes == ()
    assert data.train.y.dtype == torch.float32
    data = load((X, np.arange(60) % 25), task="classification")
    assert len(data.classes) == 25
    data = load((X, np.arange(60) % 2 + 0.5), task="classification")
    assert data.classes == ("0.5", "1.5")
    assert load((X, np.arange(60) % 2 == 0), task="regression").task == "regression"


def test_numbers_as_classes_are_ordered_by_value() -> None:
    y = np.array([10, 9, -1, 2] * 15)
    data = load((X, y), validation=0, test=0)
    assert data.classes == ("-1", "2", "9", "10")
    assert [int(data.classes[c]) for c in data.train.y] == y.tolist()


def test_constant_columns_are_left_out_with_a_note(write: Write) -> None:
    lines = [f"{i * i},7,,fix,{'ab'[i % 2]}" for i in range(20)]
    data = load(write("p,seven,empty,word,y\n" + "\n".join(lines)), target="y")
    assert data.features == ("p",)
    assert data.inputs == 1
    assert any("never change: seven, word." in note for note in data.notes)
    assert any("no value in any row: empty." in note for note in data.notes)


@pytest.mark.parametrize("first", [0, 1, 50_001])
def test_what_numbers_the_rows_is_left_out(write: Write, first: int) -> None:
    """Also where rows without a target are not used, or in another order; not a time or a rank."""
    table = pd.DataFrame({"n": np.arange(20) + first, "p": np.arange(20) ** 2, "y": ["a", "b"] * 10})
    table.loc[[3, 17], "y"] = None
    path = write(table.to_csv(index=False))
    for source in (table, str(path)):
        data = load(source, target="y")
        assert data.features == ("p",)
        assert "Left out, for they number the rows: n." in " ".join(data.notes)
        assert load(source, target="y", kinds={"n": "number"}).features == ("n", "p")
        assert load(source, target="y", features=["n"]).features == ("n",)
    warnings = {w.rule: w for w in describe(table, "y").warnings}
    assert warnings["column_row_number"].column == "n"
    assert describe(table, "y").columns[0].way == "out"
    assert load(table[["n", "y"]], target="y").features == ("n",)  # there is nothing else
    for name in ("day", "time_s", "t", "Age", "ano", "rank"):
        assert load(table.rename(columns={"n": name}), target="y").features == (name, "p")
    shuffled = table.assign(n=np.random.default_rng(0).permutation(table["n"]), y=["a", "b"] * 10)
    assert load(shuffled, target="y").features == ("p",)
    assert load(shuffled.assign(n=shuffled["n"] // 2), target="y").features == ("n", "p")  # each comes twice
    bare = table[["n", "p"]].to_numpy(dtype=float)
    assert load((bare, np.arange(20) % 2)).features == ("x1", "x2")


def test_text_is_a_category_where_half_of_its_cells_come_again() -> None:
    states = [f"state {i}" for i in range(60)]
    often = [*states, *states[:20], *states[:20]]  # 100 rows of 60 states, of which 40 come once
    seldom = [*states, *states[:20], *(f"more {i}" for i in range(20))]
    assert kind_of(often) == "category"
    assert kind_of(seldom) == "text"
    assert kind_of(often, "visit id") == "category"


def kind_of(cells: list[str], name: str = "state") -> str:
    table = pd.DataFrame(
        {name: cells, "p": np.arange(len(cells)) ** 2, "y": np.resize(["a", "b"], len(cells))}
    )
    return {c.name: c.kind for c in describe(table, "y").columns}[name]


def test_features_keep_the_order_in_which_they_are_named() -> None:
    data = load("wine", features=["hue", "alcohol"])
    assert data.features == ("hue", "alcohol")
    assert data.item_shape == (2,)
    swapped = load("wine", features=["alcohol", "hue"])
    assert torch.equal(data.train.x, swapped.train.x[:, [1, 0]])
    assert torch.equal(load("wine", features="hue,alcohol").train.x, data.train.x)


@pytest.mark.parametrize(("validation", "test"), [(0, 0), (0.2, 0), (0, 0.2), (0.2, 0.3)])
def test_shares_of_zero_leave_an_empty_split(validation: float, test: float) -> None:
    data = load("wine", validation=validation, test=test)
    assert data.validation.x.shape == (len(data.validation), 13)
    assert data.test.x.shape == (len(data.test), 13)
    assert (len(data.validation) == 0) == (validation == 0)
    assert (len(data.test) == 0) == (test == 0)
    assert data.validation.y.dtype == data.train.y.dtype


def test_a_class_of_two_rows_is_only_trained_on_and_said_to_be() -> None:
    y = np.array(["a"] * 29 + ["b"] * 29 + ["rare"] * 2)
    data = load((X, y))
    assert [data.classes[c] for c in data.train.y].count("rare") == 2
    assert any("only trained on: rare" in note for note in data.notes)


@given(
    seed=st.integers(0, 1000),
    validation=st.sampled_from([0.0, 0.15, 0.4]),
    test=st.sampled_from([0.0, 0.15, 0.3]),
)
@settings(max_examples=20)
def test_loading_twice_gives_the_same_bits_and_leaves_the_global_generator_alone(
    seed: int, validation: float, test: float
) -> None:
    state = torch.get_rng_state()
    options = {"validation": validation, "test": test, "data_seed": seed}
    a = load("iris", **options)
    assert torch.equal(torch.get_rng_state(), state)
    torch.rand(3)
    b = load("iris", **options)
    for name, rows in a.splits.items():
        for field in ("x", "y", "index"):
            assert torch.equal(getattr(rows, field), getattr(b.splits[name], field))
    index = torch.cat([rows.index for rows in a.splits.values()]).sort().values
    assert index.tolist() == list(range(150))
    assert a.preparation == b.preparation
