"""describe: counts that pandas agrees with, kinds, warnings, and JSON that any reader accepts."""

import io
import json
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tests.conftest import Treino, refusal_of
from tests.data.conftest import Write
from treino.data import BUILTINS, describe, load
from treino.data.readers import ReaderOptions
from treino.data.summaries.description import TableDescription
from treino.data.summaries.target_description import TargetDescription
from treino.data.table import DataWarning

TEXT = (
    "id,code,amount,when,city,note,paid,one,missing,y\n"
    + "".join(
        f"{i + 1},{i:04d}x,{i * 1.5},2024-01-{i % 28 + 1:02d},{['Rio', 'São Paulo', 'Recife'][i % 3]},"
        f"note number {i},{'true' if i % 2 else 'false'},k,{'' if i % 4 == 0 else i},"
        f"{'yes' if i > 37 else 'no'}\n"
        for i in range(40)
    )
)  # fmt: skip


def test_kinds_counts_and_ranges(write: Write) -> None:
    path = write(TEXT)
    table = describe(path, "y")
    facts = table.to_json()
    assert json.loads(json.dumps(facts, allow_nan=False)) == facts
    kinds = {column["name"]: column["kind"] for column in facts["columns"]}
    assert kinds == {
        "id": "identifier", "code": "identifier", "amount": "number", "when": "date", "city": "category",
        "note": "text", "paid": "boolean", "one": "constant", "missing": "number", "y": "boolean",
    }  # fmt: skip
    frame = pd.read_csv(io.StringIO(TEXT))
    for column in facts["columns"]:
        assert column["missing"] == frame[column["name"]].isna().sum()
        assert column["unique"] == frame[column["name"]].nunique()
        if column["minimum"] is not None and column["kind"] not in ("boolean", "date"):
            cells = frame[column["name"]]
            assert (column["minimum"], column["maximum"]) == (cells.min(), cells.max())
        assert column["kind"] != "identifier" or column["minimum"] is column["maximum"] is None
    assert [facts[name] for name in ("rows", "target", "task")] == [40, "y", "classification"]
    assert facts["classes"] == ["no", "yes"]
    assert facts["class_rows"] == [38, 2]
    rules = [warning["rule"] for warning in facts["warnings"]]
    assert rules == [
        "class_few_rows", "class_imbalance", "column_constant", "column_identifier", "column_text",
        "column_missing", "leak_column", "leak_column",
    ]  # fmt: skip
    assert all(warning["message"] and warning["hint"] for warning in facts["warnings"])


def test_without_a_target_the_likely_ones_are_listed(write: Write) -> None:
    found = describe(write(TEXT))
    assert found.target == TargetDescription()
    assert found.likely_targets[0] == "y"


def test_alone_it_lists_the_builtins(treino: Treino) -> None:
    listed = treino("data", "--json").document["builtins"]
    assert [entry["name"] for entry in listed] == list(BUILTINS)
    assert list(listed[0]) == ["name", "rows", "features", "task", "about"]


def test_without_a_target_all_columns_are_compared_and_read(write: Write) -> None:
    """A column that may be the target may be an input, too."""
    rows = [(k % 3, ["Itu", "itu", "Rio"][k % 3], 100.0 + k) for k in range(40)]
    path = write("a,city,rent\n" + "".join(f"{a},{c},{r}\n" for a, c, r in [*rows, rows[7]]))
    told = {w.rule: w.message for w in describe(path).warnings}
    assert told["rows_duplicate"] == "Rows that equal an earlier one in all columns: 1 of 41."
    assert "Itu, itu" in told["column_spellings"]
    path = write("a,city,rent\n" + "".join(f"{a},{c},{r}\n" for a, c, r in [*rows, (1, "Rio", "inf")]))
    found = describe(path)
    assert "rent" in found.likely_targets
    assert "rows_duplicate" not in {w.rule for w in found.warnings}
    assert any("'inf' in line 42" in w.message for w in found.warnings)


def test_duplicates_and_a_wrong_target(write: Write) -> None:
    path = write("p,q,y\n" + "1,2,a\n3,4,b\n" * 6)
    assert [w.message for w in describe(path, "y").warnings if w.rule == "rows_duplicate"] == [
        "Rows that equal an earlier one in all features: 10 of 12."
    ]
    assert "Did you mean 'q'" in str(refusal_of(describe, path, "qu"))


def rules(table: TableDescription) -> dict[str, DataWarning]:
    return {warning.rule: warning for warning in table.warnings}


def test_slips_gaps_and_contradictions_are_found_with_their_rows(write: Write) -> None:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"p": rng.normal(size=200).round(4), "q": rng.integers(0, 3, 200)})
    frame["y"] = np.where(rng.random(200) > 0.5, "a", "b")
    frame.loc[17, "p"] = 5000.0
    frame.loc[30, "q"] = np.nan
    frame.loc[41, ["p", "q"]] = frame.loc[40, ["p", "q"]]
    frame.loc[[40, 41], "y"] = ["a", "b"]
    frame.loc[99, "y"] = None
    table = describe(write(frame.to_csv(index=False)), "y")
    found = rules(table)
    assert found["column_outliers"].column == "p"
    assert found["column_outliers"].row == "line 19"
    assert "5000 in line 19" in found["column_outliers"].message
    assert found["column_missing"].row == "line 32"
    assert found["rows_contradict"].row == "line 43"
    assert found["target_missing_rows"].row == "line 101"
    assert table.target.rows_without_target == 1
    assert table.columns[0].outliers == 1
    assert all(warning.hint for warning in table.warnings)


@pytest.mark.parametrize("task", ["classes", "number"])
def test_columns_that_give_the_target_away(task: str) -> None:
    rng = np.random.default_rng(1)
    p = rng.normal(size=300)
    frame = pd.DataFrame({"p": p, "noise": rng.normal(size=300)})
    frame["y"] = (
        np.where(p + rng.normal(size=300) > 0, "a", "b")
        if task == "classes"
        else p * 3 + rng.normal(size=300)
    )
    order = np.argsort(frame["y"].to_numpy(), kind="stable")
    frame = frame.iloc[order].reset_index(drop=True)
    frame["id"] = np.arange(300) + 7
    frame["same"] = frame["y"].map({"a": "yes!", "b": "no!"}) if task == "classes" else frame["y"] ** 3
    table = describe(frame, "y")
    leaks = {(w.rule, w.column) for w in table.warnings if w.rule.startswith("leak")}
    assert leaks == {("leak_order", "id"), ("leak_column", "same")}
    by_name = {column.name: column.correlation or 0.0 for column in table.columns}
    assert abs(by_name["noise"]) < 0.3 < abs(by_name["p"])
    shuffled = frame.sample(frac=1, random_state=0).reset_index(drop=True).assign(id=np.arange(300) + 7)
    assert "leak_order" not in rules(describe(shuffled, "y"))


@pytest.mark.parametrize("task", ["classes", "number"])
@pytest.mark.parametrize("values", ["numbers", "words"])
def test_a_column_that_is_mostly_empty_gives_away_where_it_has_a_value(task: str, values: str) -> None:
    rng = np.random.default_rng(2)
    kind = rng.integers(0, 2, 2000)
    y = np.where(kind > 0, "a", "b") if task == "classes" else kind * 100.0 + rng.normal(size=2000)
    p = pd.Series(np.where(kind > 0, "won", "lost") if values == "words" else kind * 1.0).astype(object)
    frame = pd.DataFrame({"p": p.where(rng.random(2000) < 0.19), "y": y})
    share = frame["p"].notna().mean()
    found = [w.message for w in describe(frame, "y").warnings if w.rule == "leak_column"]
    assert all("alone" in message for message in found)
    assert all(f"has a value in {100 * share:.1f} % of the rows" in message for message in found)
    told = [note for note in load(frame, target="y").notes if "away" in note]
    assert all("of the rows, and tells nothing of the others" in note for note in told)
    assert found or values == "numbers"


@pytest.mark.parametrize("task", ["classes", "number"])
@pytest.mark.parametrize("rows", [200, 50_000])
def test_loading_repeats_what_gives_the_target_away(task: str, rows: int) -> None:
    rng = np.random.default_rng(2)
    p = rng.normal(size=rows)
    frame = pd.DataFrame({"p": p, "y": np.where(p > 0, "a", "b") if task == "classes" else np.exp(p)})
    (leak,) = [w for w in describe(frame, "y").warnings if w.rule == "leak_column"]
    assert f"{leak.message} {leak.hint}" in load(frame, target="y").notes
    several = frame.assign(q=-p, noise=rng.normal(size=rows))
    told = [note for note in load(several, target="y").notes if "away" in note]
    assert told == [
        "Each of these, where it has a value, gives the target 'y' away: p, q. "
        "If it is known only after the target is, leave it out: kinds='p=out'."
    ]
    assert not [n for n in load(several, target="y", features=["noise"]).notes if "away" in n]


@pytest.mark.parametrize("name", ["wine", "iris", "diabetes", "moons", "digits"])
def test_sets_that_are_in_order_are_not_suspected(name: str) -> None:
    assert not [rule for rule in rules(describe(name)) if rule.startswith(("leak", "column", "class"))]
    assert not [note for note in load(name).notes if "away" in note or "Never" in note]


def test_a_likely_target_is_no_date_and_no_amount(write: Write) -> None:
    rows = "".join(
        f"{i % 28 + 1:02}/01/2024;{i % 5}:30;{i % 3},5;{'ab'[i % 2]};R$ {i},00\n" for i in range(40)
    )
    table = describe(write("day;hour;p;sky;price\n" + rows))
    assert table.likely_targets == ("sky", "price")


@pytest.mark.parametrize("bad", ["inf", "12.5x", "2024-05-01"])
@pytest.mark.parametrize("by", [{}, {"split_time": "t"}])
def test_nothing_is_counted_from_a_column_that_can_not_be_read(
    write: Write, bad: str, by: dict[str, Any]
) -> None:
    rows = [f"{i % 2},{i / 8},{i},{i % 3}\n" for i in range(80)]
    rows[30] = f"1,{bad},30,0\n"
    found = describe(write("p,q,t,y\n" + "".join(rows)), "y", kinds={"t": "number"}, **by)
    rules = {warning.rule for warning in found.warnings}
    assert rules & {"feature_infinite", "feature_text", "feature_date"}
    assert not rules & {"rows_duplicate", "rows_contradict"}
    assert not any("equal" in note for note in found.notes)
    (column,) = (column for column in found.columns if column.name == "q")
    assert column.correlation is None
    assert column.unique == 80


@pytest.mark.parametrize(
    ("odd", "hint"),
    [
        (("98115-4820", "98116-1234"), "kinds='z=category'"),
        (("5550123 x4",), "kinds='z=category'"),
        (("10040A", "10041B", "10042A", "10043B"), "kinds='z=category'"),
        (("closed",), "missing='closed'"),
        (("closed", "moved"), "missing='closed,moved'"),
    ],
)
def test_the_hint_on_cells_unlike_the_others_helps_for_all_of_them(
    write: Write, odd: tuple[str, ...], hint: str
) -> None:
    cells = [odd[i // 20 % len(odd)] if i % 20 == 3 else str(98100 + i % 40) for i in range(200)]
    path = write("z,x,y\n" + "".join(f"{cell},{i},{i % 7 / 2}\n" for i, cell in enumerate(cells)))
    (said,) = (w for w in describe(path, "y", kinds={"x": "number"}).warnings if w.rule == "feature_text")
    assert hint in said.hint
    refused = refusal_of(load, path, target="y")
    assert (refused.rule, refused.message) == (said.rule, said.message)
    kinds, reading = {"x": "number"}, None
    if "kinds" in hint:
        kinds["z"] = "category"
    else:
        reading = ReaderOptions(missing=odd)
    assert load(path, target="y", kinds=kinds, reading=reading).features == ("z", "x")
