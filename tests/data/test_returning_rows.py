"""Equal rows: copies stay on one side, others are drawn; parts have their shares, or it is said."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.utils.data import DataLoader, TensorDataset

from treino.data import Data, load
from treino.data.splits import TEST, TRAIN, VALIDATION, off_share, split, split_evenly

SHARES = {"validation": 0.15, "test": 0.15}


def parts_of(data: Data, rows: int) -> np.ndarray:
    part_N = np.full(rows, -1)
    for number, of in enumerate(data.splits.values()):
        part_N[of.index.numpy()] = number
    return part_N


def as_promised(data: Data, rows: int) -> None:
    """Each held-back part is within a tenth of its share, or a row, or its part is said."""
    for name, share in SHARES.items():
        has = len(data.splits[name])
        near = abs(has - share * rows) <= max(0.1 * share * rows, 1)
        assert near or any(
            f"{name} has {100 * has / rows:.1f} % of the rows" in note for note in data.notes
        ), (name, has)


def continuous(rng: np.random.Generator, rows: int, columns: int) -> pd.DataFrame:
    frame = pd.DataFrame({f"x{k}": rng.normal(size=rows) for k in range(columns)})
    return frame.assign(y=np.where(rng.random(rows) < 0.5, "a", "b"))


@given(
    seed=st.integers(0, 999), share=st.floats(0.02, 1), columns=st.integers(2, 6), times=st.integers(1, 5),
    numbers=st.booleans(),
)  # fmt: skip
@settings(max_examples=25, deadline=None)
def test_a_copy_of_a_row_is_never_on_two_sides(
    seed: int, share: float, columns: int, times: int, numbers: bool
) -> None:
    rng = np.random.default_rng(seed)
    frame = continuous(rng, 150, columns)
    if numbers:
        frame["y"] = rng.normal(size=150)
    again = frame.sample(frac=share, random_state=seed)
    frame = pd.concat([frame, *[again] * times]).sample(frac=1, random_state=seed).reset_index(drop=True)
    data = load(frame, target="y", **SHARES)
    part_N = parts_of(data, len(frame))
    assert frame.assign(part=part_N).groupby(list(frame.columns))["part"].nunique().max() == 1
    as_promised(data, len(frame))


@given(
    seed=st.integers(0, 999),
    levels=st.lists(st.integers(2, 6), min_size=1, max_size=3),
    rows=st.integers(200, 900),
)
@settings(max_examples=25, deadline=None)
def test_rows_of_few_values_are_drawn_as_rows(seed: int, levels: list[int], rows: int) -> None:
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame({f"c{k}": rng.choice(list("uvwxyz")[:n], rows) for k, n in enumerate(levels)})
    frame["y"] = np.where(rng.random(rows) < 0.3, "a", "b")
    data = load(frame, target="y", **SHARES)
    as_promised(data, rows)
    assert abs(len(data.test) - 0.15 * rows) <= 2
    assert any("So many return" in note for note in data.notes)


def persons(rng: np.random.Generator, rows: int) -> pd.DataFrame:
    """Rows of 30 persons, who are measured again and again."""
    who = rng.integers(0, 30, rows)
    of = rng.normal(size=(30, 4))
    return pd.DataFrame(of[who], columns=list("pqrs")).assign(y=of[who, 0] + rng.normal(size=rows))


def forms(rng: np.random.Generator, rows: int) -> pd.DataFrame:
    """Filled-in forms among many that were left empty, all with the same words."""
    frame = continuous(rng, rows, 4)
    empty = rng.random(rows) < 0.4
    frame.loc[empty, ["x0", "x1", "x2", "x3"]] = 0.0
    return frame


def comments(rng: np.random.Generator, rows: int) -> pd.DataFrame:
    """A number of nights beside a comment that most people leave out."""
    words = np.array([f"w{k}" for k in range(300)])
    texts = [" ".join(rng.choice(words, 12)) if rng.random() < 0.3 else "" for _row in range(rows)]
    frame = pd.DataFrame({"nights": rng.integers(1, 9, rows), "comment": texts})
    return frame.assign(y=np.where(rng.random(rows) < 0.5, "yes", "no"))


@pytest.mark.parametrize("made", [persons, forms, comments])
@pytest.mark.parametrize("seed", range(3))
def test_large_groups_of_equal_rows_take_no_part_whole(made: Any, seed: int) -> None:
    frame = made(np.random.default_rng(seed), 800)
    data = load(frame, target="y", **SHARES)
    as_promised(data, 800)
    assert abs(len(data.test) - 120) <= 12
    features = [name for name in frame.columns if name != "y"]
    largest = frame.assign(part=parts_of(data, 800)).groupby(features)["part"].nunique()
    assert largest[frame.groupby(features).size().idxmax()] == 3


@pytest.mark.parametrize("made", [persons, forms, continuous])
@pytest.mark.parametrize("of", [lambda x, y: ({"x": x.numpy()}, y.numpy()), TensorDataset])
def test_rows_of_arrays_and_of_a_dataset_are_split_by_the_same_rule(made: Any, of: Any) -> None:
    frame = made(np.random.default_rng(0), 400, *[3] * (made is continuous))
    x = torch.tensor(frame.drop(columns="y").to_numpy(np.float32))
    y = torch.tensor(pd.factorize(frame["y"])[0] % 7)
    data, copies = (load(of(*both), **SHARES) for both in ((x, y), (x.repeat(2, 1), y.repeat(2))))
    as_promised(data, 400)
    if made is continuous:
        (held, whole) = copies.test.group, parts_of(copies, 800).reshape(2, 400)
        assert (whole[0] == whole[1]).all()
        assert len(held.unique()) * 2 == len(held)
    else:
        assert abs(len(data.test) - 60) <= 6
        assert any("So many return" in note for note in data.notes)


def test_where_equal_items_cannot_be_seen_a_note_says_so() -> None:
    stream = DataLoader(TensorDataset(torch.rand(40, 3), torch.arange(40) % 2), batch_size=4)
    assert any("which items are equal can't be seen" in note for note in load(stream).notes)


def test_what_is_asked_for_goes_before_what_is_found() -> None:
    frame = persons(np.random.default_rng(0), 300)
    features = list("pqrs")
    apart = load(frame, target="y", duplicates="apart", **SHARES)
    assert frame.assign(part=parts_of(apart, 300)).groupby(features)["part"].nunique().max() == 1
    as_promised(apart, 300)
    assert not any("So many return" in note for note in [*apart.notes])
    ignored = load(frame, target="y", duplicates="ignore", **SHARES)
    assert parts_of(ignored, 300).tolist() == parts_of(load(frame, target="y", **SHARES), 300).tolist()


def test_rows_that_return_by_nature_are_no_leak_where_the_split_is_given() -> None:
    frame = persons(np.random.default_rng(1), 400).assign(at=np.arange(400) * 1.5)
    data = load(frame, target="y", features=list("pqrs"), split_time="at", **SHARES)
    assert not any("duplicates" in note for note in data.notes)
    (said,) = [note for note in data.notes if "So many return" in note]
    assert "in all features: 400 of 400" in said
    fold = load(frame, target="y", features=list("pqrs"), fold="2/5")
    assert not any("too good" in note for note in fold.notes)


def test_groups_and_classes_that_miss_their_share_are_told() -> None:
    rng = np.random.default_rng(0)
    frame = continuous(rng, 200, 3).assign(
        who=np.repeat(["large", "a", "b", "c", "d"], [120, 20, 20, 20, 20])
    )
    as_promised(load(frame, target="y", split_group="who", **SHARES), 200)
    few = continuous(rng, 60, 3).assign(y=np.repeat([f"c{k}" for k in range(15)], 4))
    data = load(few, target="y", **SHARES)
    as_promised(data, 60)
    assert any("Each class has a row in each part" in note for note in data.notes)


@given(
    sizes=st.lists(st.integers(1, 40), min_size=3, max_size=60), seed=st.integers(0, 99),
    labels=st.integers(1, 3), shares=st.sampled_from([(0.15, 0.15), (0.3, 0.0), (0.2, 0.1)]),
)  # fmt: skip
@settings(max_examples=80)
def test_a_balanced_split_keeps_groups_whole_and_is_no_worse(
    sizes: list[int], seed: int, labels: int, shares: tuple[float, float]
) -> None:
    first_N = np.repeat(np.cumsum([0, *sizes[:-1]]), sizes)
    label_N = np.random.RandomState(seed).randint(0, labels, len(first_N))
    plain_N = split(first_N, label_N, *shares, seed)
    part_N = split_evenly(first_N, label_N, *shares, seed)
    assert (part_N == part_N[first_N]).all()
    missed = [off_share(of, *shares).sum() for of in (plain_N, part_N)]
    assert missed[1] <= missed[0]
    assert missed[0] or (part_N == plain_N).all()
    if max(sizes) == 1:
        assert (part_N == plain_N).all()
    assert {TRAIN, VALIDATION, TEST} >= set(part_N.tolist())
    if max(sizes) <= 0.02 * len(first_N) and labels == 1:
        assert not missed[1]
