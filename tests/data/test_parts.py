"""Splits by group, time, column and file: no group in two splits, and the latest rows are the test rows."""

import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.model_selection import GroupShuffleSplit

from tests.conftest import refusal_of
from tests.data.conftest import Write, written
from treino.base.errors import TreinoError
from treino.data import Data, describe, load
from treino.data.splits import TEST, TRAIN, VALIDATION, leaking, split_groups, split_times

RNG = np.random.default_rng(0)
N = 120


def frame(**more: object) -> pd.DataFrame:
    p = RNG.normal(size=N)
    return pd.DataFrame({"p": p, "q": RNG.normal(size=N), **more, "y": np.where(p > 0, "a", "b")})


def values(data: Data, table: pd.DataFrame, column: str) -> dict[str, set]:
    return {name: set(table[column].iloc[rows.index.numpy()]) for name, rows in data.splits.items()}


@given(
    groups=st.lists(st.integers(0, 12), min_size=1, max_size=60), seed=st.integers(0, 99),
    shares=st.sampled_from([(0.15, 0.15), (0.0, 0.3), (0.25, 0.25)]),
)  # fmt: skip
@settings(max_examples=60)
def test_groups_are_divided_as_group_shuffle_split_does(
    groups: list[int], seed: int, shares: tuple[float, float]
) -> None:
    group_N = np.unique(groups, return_inverse=True)[1]
    part_N = split_groups(group_N, *shares, seed)
    of = [set(group_N[part_N == part]) for part in (TRAIN, VALIDATION, TEST)]
    assert sum(map(len, of)) == len(set(group_N)) == len(set.union(*of))
    if len(set(group_N)) < 3:
        return
    _train, test = next(
        GroupShuffleSplit(1, test_size=shares[1], random_state=0).split(groups, groups=groups)
    )
    assert abs(len(of[TEST]) - len(set(group_N[test]))) <= 1  # scikit-learn rounds up
    assert (part_N == split_groups(group_N, *shares, seed)).all()


@given(
    times=st.lists(st.integers(0, 30), min_size=1, max_size=80),
    shares=st.sampled_from([(0.15, 0.15), (0.0, 0.3), (0.25, 0.0), (0.0, 0.0)]),
)
@settings(max_examples=100)
def test_every_test_row_is_later_than_every_training_row(
    times: list[int], shares: tuple[float, float]
) -> None:
    time_N = np.array(times, dtype=float)
    part_N = split_times(time_N, *shares)
    parts = [part for part, share in zip((TRAIN, VALIDATION, TEST), (1, *shares), strict=True) if share]
    assert set(part_N) <= set(parts)
    if len(set(times)) >= len(parts):
        assert set(part_N) == set(parts)
        for earlier, later in itertools.pairwise(parts):
            assert time_N[part_N == earlier].max() < time_N[part_N == later].min()


def test_even_times_are_cut_at_the_shares() -> None:
    part_N = split_times(np.arange(100.0)[::-1], 0.15, 0.15)
    assert np.bincount(part_N).tolist() == [70, 15, 15]
    assert (part_N[:15] == TEST).all()


def test_a_group_is_never_parted_and_is_no_feature() -> None:
    table = frame(who=[f"person {i}" for i in RNG.integers(0, 20, N)])
    data = load(table, target="y", split_group="who")
    of = values(data, table, "who")
    assert sum(map(len, of.values())) == table["who"].nunique()
    assert [len(v) for v in of.values()] == [14, 3, 3]
    assert data.features == ("p", "q")
    assert any("groups of 'who': 14 for training" in note for note in data.notes)
    assert load(table, target="y", split_group="who", features=["p", "who"]).features == ("p", "who")
    assert values(load(table, target="y", split_group="who", data_seed=1), table, "who") != of


def test_the_latest_rows_are_the_test() -> None:
    when = pd.Timestamp("2024-01-01") + pd.to_timedelta(RNG.integers(0, 60, N), unit="D")
    table = frame(when=when)
    table.loc[7, "when"] = pd.NaT
    data = load(table, target="y", split_time="when")
    of = values(data, table, "when")
    assert max(of["train"]) < min(of["validation"])
    assert max(of["validation"]) < min(of["test"])
    assert sum(map(len, data.splits.values())) == N - 1
    assert any("'when' has no value" in note for note in data.notes)
    assert any("Split by time ('when'): training from 2024-01-01" in note for note in data.notes)


def test_a_column_says_what_each_row_is_for() -> None:
    words = np.resize(["Train", "train", "teste", "val", "train"], N)
    table = frame(part=words)
    data = load(table, target="y", split_column="part")
    assert values(data, table, "part") == {
        "train": {"Train", "train"},
        "validation": {"val"},
        "test": {"teste"},
    }
    assert data.features == ("p", "q")
    without = frame(part=np.where(words == "val", "train", words))
    drawn = load(without, target="y", split_column="part", validation=0.25)
    assert len(drawn.test) == (words == "teste").sum()
    assert len(drawn.validation) == pytest.approx(0.25 * (N - len(drawn.test)), abs=1)
    with pytest.raises(TreinoError, match="'holdouts' in row 3") as error:
        load(frame(part=np.where(np.arange(N) == 3, "holdouts", words)), target="y", split_column="part")
    assert error.value.rule == "split_column_word"


@pytest.mark.parametrize("how", ["split_column", "split_group", "split_time", "test"])
def test_equal_rows_stay_where_a_split_is_given_and_are_counted(how: str) -> None:
    part = np.repeat(["train", "test"], [80, 40])
    table = frame(part=part, who=np.arange(N), at=np.arange(N) * 1.5 + 3)
    table.loc[100:119, ["p", "q"]] = table.loc[0:19, ["p", "q"]].to_numpy()
    options: dict[str, Any] = {"split_column": "part", "split_group": "who", "split_time": "at"}
    given = {how: options[how]} if how in options else {"test": table.iloc[80:]}
    rows = table.iloc[:80] if how == "test" else table
    chosen = {"target": "y", "features": ["p", "q"], "validation": 0, **given}
    data = load(rows, **chosen)
    assert len(data.train) + len(data.test) == N
    xs = [{tuple(x) for x in rows.x.tolist()} for rows in (data.train, data.test)]
    equal = sum(tuple(x) in xs[1] for x in data.train.x.tolist())
    assert equal > 0
    said = f"equal a row held back from them in all features: {equal} of {len(data.train)}. Figures may"
    assert any(said in note for note in data.notes)
    apart = load(rows, **chosen, duplicates="apart")
    assert len(apart.train) == len(data.train) - equal
    assert any(
        f"left out because they equal a held-back row in all features: {equal}." in n for n in apart.notes
    )
    silent = load(rows, **chosen, duplicates="ignore")
    assert torch.equal(silent.train.x, data.train.x)
    assert not any("equal" in note for note in silent.notes)


@given(
    first=st.lists(st.integers(0, 8), min_size=1, max_size=40), data=st.data(),
)  # fmt: skip
@settings(max_examples=60)
def test_without_leaking_rows_no_value_is_on_two_sides(first: list[int], data: st.DataObject) -> None:
    first_N = np.array(first)
    part_N = np.array(data.draw(st.lists(st.integers(0, 2), min_size=len(first), max_size=len(first))))
    left = ~leaking(first_N, part_N)
    of = [set(first_N[(part_N == part) & left]) for part in (TRAIN, VALIDATION, TEST)]
    assert sum(map(len, of)) == len(set.union(*of))
    assert (left | (part_N != TEST)).all()


def test_a_file_of_its_own_is_the_test(write: Write) -> None:
    table, other = frame(city=RNG.choice(["x", "z"], N)), frame(city=RNG.choice(["x", "new"], N)).iloc[:30]
    other.loc[0, ["p", "q", "city"]] = table.loc[5, ["p", "q", "city"]]
    other.loc[1, "y"] = None
    path, test = (
        write(table.to_csv(index=False)),
        write(other.iloc[:, ::-1].assign(w=1).to_csv(index=False), "t.csv"),
    )
    data = load(path, target="y", test=str(test))
    assert sorted([*data.train.index.tolist(), *data.validation.index.tolist()]) == list(range(N))
    assert any("in all features: 1 of 120. Figures may" in note for note in data.notes)
    assert data.test.index.tolist() == [0, *range(2, 30)]
    assert any("new" in note and "no training row" in note for note in data.notes)
    np.testing.assert_allclose(
        data.preparation.inverse(data.test.x)[:, 0], other["p"].drop(index=1), rtol=1e-5, atol=1e-6
    )
    assert set(data.files) == {"test"}
    same = load(table, target="y", test=other)  # frames are fine too
    assert len(same.test) == 29
    assert dict(same.files) == {}


@pytest.mark.parametrize(
    ("options", "rule", "says"),
    [
        ({"split_group": "whom"}, "split_unknown", "Did you mean 'who'?"),
        ({"split_group": "y"}, "split_target", "'y' is the target"),
        ({"split_time": "who"}, "split_time_kind", "neither a date nor a number"),
        ({"split_column": "who", "split_time": "q"}, "splits_two", "split_column and"),
        ({"split_group": "one"}, "rows_too_few", "Different groups: 1."),
        ({"split_time": "flat"}, "rows_too_few", "Different times: 1."),
        ({"duplicates": "apat"}, "duplicates_choice", "'apart'"),
        ({"kinds": {"who": "categry"}}, "kind_unknown", "'category'"),
        ({"kinds": {"woh": "text"}}, "kind_column_unknown", "'who'"),
        ({"kinds": {"q": "date"}}, "kind_date", "can't be a date"),
        ({"kinds": {"q": "boolean"}}, "feature_truth", "not yes or no"),
        ({"kinds": {"q": "out"}, "features": ["p", "q"]}, "features_kinds", "'q'"),
        ({"test": "missing.csv"}, "data_unknown", "missing.csv"),
    ],
)
def test_what_can_not_be(options: dict, rule: str, says: str) -> None:
    table = frame(who=[f"w{i % 9}" for i in range(N)], one=["k"] * N, flat=np.ones(N))
    error = refusal_of(load, table, target="y", **options)
    assert error.rule == rule
    assert says in str(error)


def test_test_columns_that_are_missing_are_named(write: Write) -> None:
    table = frame()
    test = write(table.rename(columns={"q": "qq"}).to_csv(index=False))
    with pytest.raises(TreinoError, match="Did you mean 'qq'") as error:
        load(table, target="y", test=str(test))
    assert error.value.rule == "columns_missing"
    bad = write(table.assign(q="high").to_csv(index=False), "bad.csv")
    with pytest.raises(TreinoError, match=r"line 2 of '.*bad\.csv'"):
        load(table, target="y", test=str(bad))


@pytest.mark.parametrize(
    ("name", "words", "parts"),
    [
        ("is_test", "01", ("train", "test")), ("isTest", ["no", "yes"], ("train", "test")),
        ("val", ["False", "True"], ("train", "validation")), ("in train", "01", ("test", "train")),
        ("treino", ["não", "sim"], ("test", "train")), ("holdout_rows", "NY", ("train", "test")),
        ("part", "01", ("train", "validation")),
    ],
)  # fmt: skip
def test_a_column_named_for_one_part_says_which_rows_it_has(
    write: Write, name: str, words: list[str], parts: tuple[str, str]
) -> None:
    table = frame(**{name: [words[i % 4 == 0] for i in range(N)]})
    for source in (table, write(table.to_csv(index=False))):
        data = load(source, target="y", split_column=name)
        marked = set(range(0, N, 4))
        of = {split: set(rows.index.tolist()) for split, rows in data.splits.items()}
        if parts[1] == "train":
            assert of["train"] | of["validation"] == marked
        else:
            assert of[parts[1]] == marked
        assert not of["test"] & marked or parts[1] == "test"
        assert of["test"], of


@pytest.mark.parametrize("name", ["train_test", "not_test", "train or val"])
def test_a_mark_that_names_no_part_is_refused(name: str) -> None:
    assert (
        refusal_of(load, frame(**{name: np.arange(N) % 2}), target="y", split_column=name).rule
        == "split_column_word"
    )


def test_groups_by_time_are_never_parted_and_the_latest_are_test() -> None:
    who = RNG.integers(0, 30, N)
    table = frame(who=[f"w{w}" for w in who], when=who * 2 + RNG.integers(0, 9, N))
    data = load(table, target="y", split_group="who", split_time="when", kinds={"when": "number"})
    of = values(data, table, "who")
    assert not of["train"] & of["test"]
    assert not of["validation"] & (of["train"] | of["test"])
    last = table.groupby("who")["when"].max()
    assert last[list(of["train"])].max() <= last[list(of["validation"])].min()
    assert last[list(of["validation"])].max() <= last[list(of["test"])].min()
    assert 0.08 < len(data.test) / N < 0.25
    again = load(table, target="y", split_group="who", split_time="when", data_seed=7)
    assert set(again.test.index.tolist()) == set(data.test.index.tolist())


def _sides(table: pd.DataFrame, **options: Any) -> dict[str, pd.DataFrame]:
    data = load(table, target="y", features=["p", "q"], split_group="who", split_time="when", **options)
    rows = {split: table.iloc[part.index.numpy()] for split, part in data.splits.items()}
    assert not any(set(a["who"]) & set(b["who"]) for a, b in itertools.combinations(rows.values(), 2))
    return rows


def test_groups_of_one_end_are_on_one_side_in_any_order_of_rows() -> None:
    who = RNG.integers(0, 40, N)
    table = frame(who=who, when=who // 8).assign(at=np.arange(N))
    rows = _sides(table)
    assert rows["train"]["when"].max() < rows["validation"]["when"].min()
    assert rows["validation"]["when"].max() < rows["test"]["when"].min()
    again = _sides(table.sample(frac=1, random_state=3).reset_index(drop=True))
    assert set(again["test"]["at"]) == set(rows["test"]["at"])
    most = frame(who=who, when=np.where(who < 4, who, 50)).assign(at=np.arange(N))
    drawn = _sides(most)
    assert all(0.075 < len(drawn[part]) / N < 0.3 for part in ("validation", "test"))
    again = _sides(most.sample(frac=1, random_state=3).reset_index(drop=True))
    assert set(again["test"]["at"]) == set(drawn["test"]["at"])
    together = frame(who=np.arange(N) // 10, when=np.arange(N) % 10)
    error = refusal_of(load, together, target="y", split_group="who", split_time="when")
    assert (error.rule, error.hint) == ("rows_too_few", "Split by 'who' or by 'when' alone.")


def test_a_row_without_a_time_or_group_and_a_giant_group_are_said() -> None:
    who = RNG.integers(0, 30, N).astype(float)
    table = frame(who=np.where(RNG.random(N) < 0.5, np.nan, who), when=np.where(who == 0, np.nan, who))
    data = load(table, target="y", split_group="who", split_time="when")
    (whole,) = [rows for rows in data.splits.values() if table["who"][rows.index.numpy()].isna().any()]
    known = table["when"].notna()
    assert len(whole) >= (table["who"].isna() & known).sum()
    assert sum(map(len, data.splits.values())) == known.sum()
    said = "\n".join(data.notes)
    assert f"Rows left out because 'when' has no value, by which they are split: {(~known).sum()}, " in said
    assert "Groups and times stay whole, so" in said


@pytest.mark.parametrize("time", [{}, {"split_time": "when"}])
def test_no_group_of_a_given_test_file_is_trained_on(time: dict[str, str]) -> None:
    who = RNG.integers(0, 60, N)
    table, test = (frame(who=who, when=who)[rows] for rows in (slice(None, 100), slice(100, None)))
    data = load(table, target="y", test=test, split_group="who", **time)
    both = table["who"].isin(test["who"])
    own = [set(table["who"].iloc[rows.index.numpy()]) for rows in (data.train, data.validation)]
    assert set.union(*own) == set(table["who"][~both])
    assert not own[0] & own[1]
    assert len(data.test) == len(test)
    assert any(f"a file's held-back rows: {both.sum()}." in note for note in data.notes)
    later = (table["when"].iloc[data.train.index.numpy()] > test["when"].min()).sum()
    assert any(f"later than the first test row: {later}." in note for note in data.notes) == bool(time)
    lacking = test.drop(columns="who")
    assert refusal_of(load, table, target="y", test=lacking, split_group="who").rule == "columns_missing"


FIRST_ROW = {
    "csv": "line 2",
    "jsonl": "line 1",
    "parquet": "row 0",
    "xlsx": "row 2 of the sheet",
    "frame": "row 0",
}


@pytest.mark.parametrize("form", FIRST_ROW)
@pytest.mark.parametrize(
    ("column", "bad", "by", "rule"),
    [
        ("when", "2024-03-05 06:00:00", {"split_time": "when"}, "split_time_date"),  # without a time zone
        ("when", "2024-02-30 06:00:00Z", {"split_time": "when"}, "split_time_date"),
        ("step", "3rd", {"split_time": "step"}, "split_time_text"),
        ("who", "nobody7", {"split_column": "who"}, "split_column_word"),
        ("step", "heavy", {"row_weights": "step"}, "row_weights_text"),
        ("step", "heavy", {"row_weights": "step=0"}, "row_weights_text"),
        ("y", "later", {}, "target_text"),
        ("y", "later", {"fold": "1/3"}, "target_text"),
        ("y", "later", {"target": "y,y2"}, "target_text"),
    ],
)
def test_what_decides_about_rows_and_can_not_be_read_is_refused_and_never_empty(
    form: str, column: str, bad: str, by: dict[str, str], rule: str, tmp_path: Path
) -> None:
    table = pd.DataFrame(
        {
            "when": [f"2024-03-{1 + i % 28:02} {i % 24:02}:00:00Z" for i in range(80)],
            "step": [str(1 + i % 40) for i in range(80)],
            "who": [("train", "test")[i % 2] for i in range(80)],
            "x": RNG.normal(size=80),
            "y": [f"{value:.3f}" for value in RNG.normal(size=80)],
            "y2": RNG.normal(size=80),
        }
    )
    table.loc[[0, 7, 30], column] = bad
    source = written(table, tmp_path, form)
    refused = refusal_of(load, source, **{"target": "y"} | by)
    assert refused.rule == rule
    assert f"'{bad}' in {FIRST_ROW[form]}" in refused.message
    assert "empty" not in refused.message


def test_the_word_of_a_row_without_a_time_is_said(tmp_path: Path) -> None:
    table = frame(when=[f"2024-03-{1 + i % 28:02}" for i in range(N)])
    table.loc[[3, 5, 9], "when"] = ["pending", "NA", "tbd"]
    source = written(table, tmp_path, "csv")
    for notes in (
        load(source, target="y", split_time="when").notes,
        describe(source, "y", split_time="when").notes,
    ):
        said = [note for note in notes if "left out" in note]
        assert said == [
            "Rows left out because 'when' has no value, by which they are split: 1, the first in line 7.",
            "Rows left out because 'when' holds no time, by which they are split: 2, the first in line 5 "
            "('pending').",
        ]


def test_a_group_that_is_written_unlike_the_others_is_a_group(tmp_path: Path) -> None:
    who = np.arange(N) // 10
    table = frame(who=np.where(who == 3, "A7", np.where(who == 5, "", who.astype(str))))
    data = load(written(table, tmp_path, "csv"), target="y", split_group="who")
    parts = [set(who[rows.index.numpy()]) for rows in data.splits.values()]
    assert sum(map(len, parts)) == len(set(who))
    assert "Rows without a group are one group of their own: 10." in data.notes
