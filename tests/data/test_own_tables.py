"""Tables of the user's own from file to predictions: repeated rows, counts, frames returned."""

import json
import re
import shlex
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import treino as tr
from tests.conftest import Treino, refusal_of
from tests.quick_ends import _quick_ends  # noqa: F401
from tests.reports.export_cases import mixed
from treino.base.errors import TreinoError
from treino.data.dataset import Data
from treino.folders.data_source import data_of
from treino.folders.prediction import predict
from treino.folders.stored_folder import as_flags
from treino.folders.stored_run import StoredRun
from treino.plots.run_sentences import headlines
from treino.settings.setting_types import as_item
from treino.settings.spec import read_settings
from treino.training.loop import JobEnd
from treino.training.train import resuming, train_events

SIZES = "size=small<medium<large"


def fit(source: object, folder: Path, **settings: object) -> tr.Run:
    return tr.fit(source, parent=folder / "runs", epochs=3, **settings)


def same_rows(a: Data, b: Data) -> bool:
    return all(
        torch.equal(getattr(a.splits[s], k), getattr(b.splits[s], k))
        for s in a.splits
        for k in ("x", "y", "index")
    )


@pytest.mark.slow
def test_a_run_has_the_rows_of_its_tables_again(tmp_path: Path) -> None:
    table, test = tmp_path / "a" / "table.csv", tmp_path / "a" / "test.csv"
    table.parent.mkdir()
    mixed(90, brazilian=True).to_csv(table, index=False, sep=";")
    mixed(30, brazilian=True, seed=9).to_csv(test, index=False, sep=";")
    asked = {
        "target": "price",
        "test": str(test),
        "split_time": "when",
        "kinds": {"size": "small<medium<large"},
    }
    run = fit(str(table), tmp_path, impute="mean", dates="day/month", **asked)
    spec = json.loads((run.path / "spec.json").read_text())
    assert spec["asked"]["kinds"] == [SIZES]
    assert spec["data"]["files"]["test"]["source"] == "../../a/test.csv"
    assert str(tmp_path) not in json.dumps(spec["data"])
    assert spec["data"]["load"]["reading"] == {"dates": "day/month"}
    assert f"--kinds '{SIZES}'" in spec["command"]
    assert len(run.data.test) == 30
    assert same_rows(data_of(run.folder), run.data)
    shutil.move(tmp_path / "a", tmp_path / "b")  # a moved table has its test file beside it
    assert same_rows(data_of(run.folder, tmp_path / "b" / "table.csv"), run.data)
    error = refusal_of(data_of, run.folder)
    assert error.rule == "data_gone"
    (tmp_path / "b" / "test.csv").write_text("p\n1\n")
    with pytest.raises(TreinoError, match=r"test\.csv") as error:
        data_of(run.folder, tmp_path / "b" / "table.csv")
    assert error.value.rule == "data_changed"


@pytest.mark.slow
def test_an_interrupted_run_of_an_encoded_table_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    mixed().to_csv(path, index=False)
    settings = read_settings({"target": "city", "kinds": (SIZES,), "epochs": 40, "split_group": "street"})
    whole = [e for e in train_events(str(path), settings, parent=tmp_path / "one") if isinstance(e, JobEnd)][
        -1
    ].job.run
    events = train_events(str(path), settings, parent=tmp_path / "two")
    begun = next(events)
    begun.job.folder.database.add_command("stop", None)
    stopped = [e for e in events if isinstance(e, JobEnd)][-1].job.run
    assert stopped.status == "stopped"
    again = [e for e in resuming(stopped.path) if isinstance(e, JobEnd)][-1].job.run
    np.testing.assert_array_equal(again.losses, whole.losses)
    assert again.metrics == whole.metrics


@pytest.mark.slow
def test_predictions_count_gaps_and_unknown_classes(treino: Treino, tmp_path: Path) -> None:
    mixed().to_csv("t.csv", index=False)
    assert treino("train", "t.csv", "--target", "price", "--kinds", SIZES, "--epochs", "2").status == 0
    new = mixed(12, seed=8).sample(frac=1, axis=1, random_state=1).assign(more=1)
    new.loc[:2, "city"] = ["Xanadu", "Atlantis", None]
    new.loc[3:, "city"] = "Rio"
    new.loc[4, "size"] = "huge"
    new.loc[:, "area"] = 50.0
    new.loc[7:8, "area"] = None
    new.loc[9, "price"] = None
    new["when"], new["street"] = "2024-03-02 10:00", mixed()["street"][0]
    new.to_csv("new.csv", index=False)
    document = treino("predict", "last", "new.csv", "--json").document
    assert document["missing"] == {"area": 2, "city": 1}
    assert document["unknown"] == {"city": 2, "size": 1}
    assert (document["rows"], document["rows_compared"]) == (12, 11)
    assert any("Not used: more" in note for note in document["notes"])
    assert any("Xanadu" in note for note in document["notes"])
    new.drop(columns="size").rename(columns={"area": "aera"}).to_csv("worse.csv", index=False)
    error = treino("predict", "last", "worse.csv", "--json").document["error"]
    assert error["rule"] == "columns_missing"
    assert "2 of 8" in error["message"]
    assert "Did you mean 'aera'?" in error["hint"]


@pytest.mark.slow
def test_rows_that_were_trained_on_are_counted(treino: Treino, tmp_path: Path) -> None:
    mixed().to_csv("t.csv", index=False)
    assert treino("train", "t.csv", "--target", "price", "--epochs", "2", "--name", "r").status == 0
    train = tr.open("r").data.train.index.numpy()
    rest = mixed().drop(index=train)
    twins = pd.concat([mixed(), mixed().iloc[train[:3]].assign(price=-1.0)])  # a target that nobody saw
    parts = {"all": mixed(), "rest": rest, "seen": mixed().iloc[train], "twins": twins}
    found = {}
    for name, frame in parts.items():
        frame.to_csv(f"{name}.csv", index=False)
        found[name] = treino("predict", "r", f"{name}.csv", "--json").document
    trained = [found[name]["training_rows"] for name in parts]
    assert trained == [len(train), 0, len(train), len(train)]
    for figure, value in found["rest"]["metrics"].items():
        assert found["all"]["other_metrics"][figure] == pytest.approx(value)
    assert "other_metrics" not in found["rest"].keys() | found["seen"].keys()
    assert f"{len(train)} of these {len(mixed())} rows were trained on" in treino("predict", "r", "t.csv").out
    assert "All these rows were trained on" in treino("predict", "r", "seen.csv").out
    assert "trained on" not in treino("predict", "r", "rest.csv").out
    Path("t.csv").unlink()
    Path("elsewhere").mkdir()
    Path("runs/r").rename("elsewhere/r")
    gone = treino("predict", "elsewhere/r", "all.csv", "--json").document
    assert gone == found["all"]  # it is told from the folder alone
    new = rest.assign(area=rest["area"] + 1000)
    pd.concat([mixed().iloc[train[:3]], new]).to_csv("few.csv", index=False)
    said = treino("predict", "elsewhere/r", "few.csv").out
    assert f"3 of these {3 + len(new)} rows equal rows that were trained on" in said
    mixed().iloc[train[:9]].to_csv("nine.csv", index=False)
    assert (
        "All these rows equal rows that were trained on" in treino("predict", "elsewhere/r", "nine.csv").out
    )
    space = ("--space", "lr=0.01|0.1", "--fresh", "0", "--epochs", "1", "--name", "s")
    assert treino("sweep", "iris", *space).status == 0
    rows = len(tr.open("s").best.data.train)
    for words in (("s:1", "iris"), ("s", "iris", "--top", "2")):
        assert treino("predict", *words, "--json").document["training_rows"] == rows


def test_a_frame_gives_a_frame_of_its_kind(tmp_path: Path) -> None:
    frame = mixed()
    run = fit(frame, tmp_path, target="city")
    new = mixed(8, seed=3).drop(columns="city").set_index(pd.Index(list("abcdefgh")))
    found = run.predict(new)
    assert list(found.index) == list("abcdefgh")
    assert list(found.columns) == ["prediction", *(f"probability_{c}" for c in run.data.classes)]
    assert np.allclose(found.filter(like="probability").sum(axis=1), 1, atol=1e-6)
    again = tr.open(run.path)
    pd.testing.assert_frame_equal(again.predict(new[new.columns[::-1]]), found)
    assert same_rows(again.data, run.data)
    as_arrow = run.predict(pa.Table.from_pandas(new, preserve_index=False))
    assert isinstance(as_arrow, pa.Table)
    assert as_arrow.to_pydict()["prediction"] == found["prediction"].tolist()
    polars = pytest.importorskip("polars")
    as_polars = run.predict(polars.DataFrame(new.to_dict("list")))
    assert isinstance(as_polars, polars.DataFrame)
    assert as_polars["prediction"].to_list() == found["prediction"].tolist()


@pytest.mark.parametrize(
    ("asked", "rule"),
    [
        (("--kinds", "months=category"), "kind_column_unknown"),
        (("--kinds", "month=out", "--features", "month"), "features_kinds"),
        (("--features", "month", "--features", "city"), "usage"),
        (("--test", "0,2"), "test_type"),
        (("--test", "nowhere.csv"), "data_unknown"),
        (("--impute", "mode"), "impute_choice"),
        (("--header", "maybe"), "header_choice"),
    ],
)
def test_flags_that_do_not_fit(treino: Treino, asked: tuple[str, ...], rule: str) -> None:
    mixed().to_csv("t.csv", index=False)
    said = treino("train", "t.csv", "--target", "price", *asked, "--json")
    assert (said.status, said.document["error"]["rule"]) == (2, rule)
    assert said.document["error"]["hint"]


@pytest.mark.slow
def test_money_and_large_numbers_are_written_as_people_write_them(tmp_path: Path) -> None:
    """The target's currency stands beside its figures where its cells name one, and nowhere else."""
    for currency, expected in (
        ("R$ ", r"is R\$ \d{1,3}(\u202f\d{3}){2,3} \("),
        ("", r"is \d{1,3}(\u202f\d{3}){2,3} \("),
    ):
        table = tmp_path / "houses.csv"
        rows = [f"{i % 37};{currency}{(i % 37) * 17 + 1 + i % 5}.000.000,00" for i in range(80)]
        table.write_text("\n".join(["size;price", *rows]))
        run = tr.fit(table, target="price", epochs=1, parent=tmp_path, duplicates="ignore")
        assert run.document["currency"] == currency.strip()
        (said,) = headlines(run.result)
        assert re.search(expected, said), said
        assert "e+" not in said
        assert tr.fit("wine", epochs=1, parent=tmp_path).document["currency"] == ""


def test_what_a_note_says_of_a_column_can_be_typed(treino: Treino, tmp_path: Path) -> None:
    """Names with blanks, commas and quotes, as a shell and as a list in it want them."""
    names = ["Height, cm", "it's a note", 'a "b" c']
    words = [f"row {i} of its own" for i in range(60)]
    table = pd.DataFrame(dict.fromkeys(names, words) | {"p": np.arange(60) % 7, "y": ["a", "b"] * 30})
    table.to_csv("t.csv", index=False)
    for name in names:
        others = [other for other in names if other != name]
        one = table.drop(columns=others)
        one.to_csv("one.csv", index=False)
        note = next(
            w for w in treino("data", "one.csv", "--json").document["warnings"] if "text" in w["rule"]
        )
        flags = shlex.split(note["hint"].rpartition(": ")[2].removesuffix("."))
        found = treino("data", "one.csv", *flags, "--target", "y", "--json").document
        assert {c["name"]: c["way"] for c in found["columns"]}[name] == "text"
    kinds = ",".join(as_item(name) + "=hashed" for name in names)
    assert [c["way"] for c in treino("data", "t.csv", "--kinds", kinds, "--json").document["columns"]][
        :3
    ] == ["hashed"] * 3
    table[["p", "y"]].to_csv("s.txt", index=False, sep=" ")
    assert treino("data", "s.txt", "--delimiter", " ", "--target", "y").status == 0
    assert treino("data", "s.txt", "--delimiter", "", "--target", "y").status == 2


def people(rows: int, gap: str = "NA") -> pd.DataFrame:
    """With row numbers, equal rows in several parts, and a word for nothing among numbers and texts."""
    g = np.random.default_rng(rows)
    age, town = (g.integers(20, 60, rows) // 5 * 5).astype(object), g.choice(["x", "z", "NA"], rows)
    age[::7] = gap
    split = np.resize(["train", "train", "train", "validation", "test"], rows)
    table = pd.DataFrame({"rownames": np.arange(rows) + 1, "age": age, "town": town, "split": split})
    return table.assign(y=np.where(g.random(rows) < 0.5, "a", "b"))


def test_a_run_reads_words_for_nothing_as_it_was_trained(tmp_path: Path) -> None:
    """The file's own words for nothing hold for its rows again, and for new ones."""
    people(300).to_csv(tmp_path / "t.csv", index=False)
    data = tr.load(str(tmp_path / "t.csv"), target="y", split_column="split")
    run = fit(data, tmp_path)
    spec = json.loads((run.path / "spec.json").read_text())["data"]
    assert spec["written"]["missing"] == ["NA"]
    assert "rownames" not in data.features
    assert sum(map(len, data.splits.values())) == 300
    assert same_rows(data_of(run.folder), data)
    assert data_of(run.folder).preparation == data.preparation
    people(300).drop(columns="y").to_csv(tmp_path / "new.csv", index=False)
    people(300, gap="").drop(columns="y").to_csv(tmp_path / "other.csv", index=False)  # no NA but in text
    index = torch.cat([rows.index for rows in data.splits.values()])
    x = torch.cat([rows.x for rows in data.splits.values()])
    wanted = run.module(x).softmax(1).detach().numpy()
    for name in ("new.csv", "other.csv"):
        found = predict(StoredRun(run.folder), tmp_path / name).each
        answers = np.array([list((each.probabilities or {}).values()) for each in found])
        np.testing.assert_allclose(answers[index], wanted, rtol=1e-5, atol=1e-6)


@given(
    st.lists(st.text('ab ,"=<', min_size=1, max_size=6).map(str.strip).filter(bool), min_size=1, max_size=4)
)
def test_names_in_a_recorded_command_are_read_back(names: list[str]) -> None:
    flag, typed = as_flags({"features": names})
    assert (flag, list(read_settings({"features": typed}).features or ())) == ("--features", names)


@pytest.mark.parametrize("how", ["--split-column part", "--split-group part", "--split-time when", ""])
def test_data_says_what_training_will_of_a_split(treino: Treino, how: str) -> None:
    table = people(200).rename(columns={"split": "part"}).assign(when=np.arange(200) // 20 * 2)
    table.to_csv("t.csv", index=False)
    words = ["t.csv", "--target", "y", "--kinds", "when=number", *how.split()]
    found = treino("data", *words, "--json").document
    trained = treino("train", *words, "--epochs", 1, "--json").document
    said = [note for note in trained["notes"] if note.startswith(("Split", "Rows that equal a held"))]
    assert [note for note in found["notes"] if note in said] == said
    assert bool(said) == bool(how)
    duplicates = next(w["hint"] for w in found["warnings"] if w["rule"] == "rows_duplicate")
    assert ("on one side" in duplicates) == (not how)
    ways = {c["name"]: c["way"] for c in found["columns"]}
    assert ways["rownames"] == "out"
    error = treino("data", "t.csv", "--target", "y", "--split-column", "parts", "--json")
    assert (error.status, error.document["error"]["rule"]) == (2, "split_unknown")
    wrong = treino("data", "t.csv", "--target", "y", "--split-column", "y", "--json")
    assert wrong.document["error"]["rule"] == "split_target"
