"""The x-ray of rows through the command line: planted swaps, files, a page in a real browser, bad input."""

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from tests.conftest import Said, Treino
from tests.plots.browser import chromium

import treino as tr
from apps.xray.tests.test_row_xray import swapped

FEW = ("--networks", "16")


@pytest.fixture
def planted(tmp_path: Path) -> set[int]:
    """The rows of colours.csv that are named wrongly."""
    frame, wrong = swapped()
    frame.to_csv("colours.csv", index=False)
    return wrong


def document(said: Said) -> dict[str, Any]:
    assert said.status == 0, said.err
    return dict(json.loads(said.out))


def test_planted_swaps_are_printed_with_the_label_that_they_had(treino: Treino, planted: set[int]) -> None:
    said = treino("rows", "colours.csv", "--target", "colour", *FEW)
    assert said.status == 0, said.err
    lines = said.out.splitlines()
    assert lines[0].startswith("16 networks, each of a random half of 240 training rows")
    at = next(i for i, line in enumerate(lines) if line.startswith("row"))
    shown = [line.split() for line in lines[at + 1 : at + 11]]
    assert len({int(cells[0]) for cells in shown} & planted) >= 9
    before = {"green": "red", "blue": "green", "red": "blue"}
    assert all(cells[2] == before[cells[1]] for cells in shown if int(cells[0]) in planted)
    assert not list(Path().glob("runs/*"))  # nothing is kept


@pytest.mark.slow
def test_files_hold_a_line_for_each_row_with_all_figures(treino: Treino, planted: set[int]) -> None:
    words = ("rows", "colours.csv", "--target", "colour", *FEW, "--json")
    told = document(treino(*words, "--to", "rows.csv"))
    lines = list(csv.DictReader(Path("rows.csv").read_text().splitlines()))
    assert [int(line["row"]) for line in lines] == list(range(240)) == told["rows"]["row"]
    assert {int(line["row"]) for line in lines if line["suspect"] == "True"} == set(told["suspects"])
    assert [line["label"] for line in lines] == pd.read_csv("colours.csv")["colour"].tolist()
    treino(*words, "--to", "rows.xlsx")
    sheet = pd.read_excel("rows.xlsx", engine="openpyxl")
    assert list(sheet.columns) == list(lines[0])
    np.testing.assert_allclose(sheet["sure"], told["rows"]["sure"])
    again = treino(*words, "--to", "rows.csv")
    assert (again.status, json.loads(again.out)["error"]["rule"]) == (2, "file_exists")


@pytest.mark.slow
def test_the_page_sorts_and_filters(treino: Treino, planted: set[int], tmp_path: Path) -> None:
    told = document(treino("rows", "colours.csv", "--target", "colour", *FEW, "--to", "rows.html", "--json"))
    with chromium() as browser:
        page = browser.new_page()
        page.goto((tmp_path / "rows.html").as_uri())
        head = page.locator("th").all_inner_texts()
        assert page.locator("tbody tr").count() == 240
        assert page.locator("tr.suspect").count() == len(told["suspects"])
        first = page.locator("tbody tr").first.locator("td").first
        assert int(first.inner_text()) == told["suspects"][0]
        page.locator("th").first.click()
        assert int(first.inner_text()) == 239
        page.locator("th").first.click()
        assert int(first.inner_text()) == 0
        page.select_option("#column", label="doubted")
        page.fill("#wanted", "yes")
        assert page.locator("tbody tr:visible").count() == len(told["suspects"])
        page.select_option("#column", str(head.index("row")))
        page.fill("#wanted", "< 5")
        assert page.locator("tbody tr:visible").count() == 5
        assert page.locator("#shown").inner_text() == "5 of 240 rows"


@pytest.mark.slow
def test_of_a_run_the_held_out_rows_are_asked_about_too_and_can_be_traced(
    treino: Treino, planted: set[int]
) -> None:
    run = tr.fit("colours.csv", target="colour", steps=5, name="r")
    told = document(treino("rows", "r", *FEW, "--json"))
    assert sorted(told["rows"]["row"]) == list(range(240))
    held = [
        row for row, split in zip(told["rows"]["row"], told["rows"]["split"], strict=True) if split == "test"
    ]
    assert held == run.data.test.index.tolist()
    assert {
        n for n, s in zip(told["rows"]["networks"], told["rows"]["split"], strict=True) if s == "test"
    } == {16}
    traced = document(treino("rows", "r", *FEW, "--of", held[0], "--json"))["of"]
    trained = set(run.data.train.index.tolist())
    assert traced["row"] == held[0]
    assert traced["up"]
    assert all(push["row"] in trained for push in [*traced["up"], *traced["down"]])
    said = treino("rows", "r", *FEW, "--of", held[0]).out
    assert f"Row {held[0]} is" in said
    assert "Training rows that push this up" in said
    assert [*run.rows(networks=16)["row"]] == told["rows"]["row"]
    assert run.rows(networks=16).to_pandas()["label"].tolist() == told["rows"]["label"]


@pytest.mark.slow
def test_leaving_the_suspects_out_is_better_where_the_validation_rows_are_right(
    treino: Treino, tmp_path: Path
) -> None:
    noisy, _wrong = swapped(300, 90, seed=1)
    right, _none = swapped(300, 0, seed=2)
    part = ["train"] * 300 + ["validation"] * 299 + ["test"]
    pd.concat([noisy, right]).assign(part=part).to_csv("t.csv", index=False)
    words = ("rows", "t.csv", "--target", "colour", "--split-column", "part", *FEW, "--epochs", 80)
    words = (*words, "--recipe", "plain", "--keep", "last", "--drop-suspects")
    told = document(treino(*words, "--json"))["without_suspects"]
    assert told["rows"] == 300
    assert 60 <= told["dropped"] <= 110
    assert told["test"]["rows"] == 299  # none is left out
    assert told["test"]["b"] > told["test"]["a"]
    verdict = "better" if told["test"]["p"] < 0.05 else "no more than chance"
    assert verdict in treino(*words).out


@pytest.mark.parametrize(
    ("words", "rule"),
    [
        (("nosuch",), "data_unknown"),
        (("last",), "no_runs"),
        (("iris", "--of", "150"), "row_unknown"),
        (("iris", "--of", "-1"), "row_unknown"),
        (("iris", "--of", "first"), "usage"),
        (("iris", "--networks", "0"), "xray_networks"),
        (("iris", "--to", "rows.txt"), "to_ending"),
        (("iris", "--drop-suspects", "--validation", "0"), "no_validation_rows"),
        (("tiny.csv", "--target", "y"), "xray_rows"),
        (("same.csv", "--target", "y"), "target_constant"),
    ],
)
def test_bad_input_is_refused_in_a_sentence(
    treino: Treino, tmp_path: Path, words: tuple[str, ...], rule: str
) -> None:
    pd.DataFrame({"a": range(12), "y": ["u", "v"] * 6}).to_csv("tiny.csv", index=False)
    pd.DataFrame({"a": np.arange(40) % 7, "y": ["u"] * 40}).to_csv("same.csv", index=False)
    said = treino("rows", *words, "--json")
    assert (said.status, json.loads(said.out)["error"]["rule"]) == (2, rule)
    assert "Traceback" not in said.err


def test_a_run_has_its_settings_and_a_lean_one_no_rows(treino: Treino, tmp_path: Path) -> None:
    tr.fit("iris", steps=2, name="r")
    said = json.loads(treino("rows", "r", "--target", "species", "--json").out)
    assert said["error"]["rule"] == "rows_of_run_settings"
    frame, _wrong = swapped()
    tr.fit(frame, target="colour", steps=2, name="lean", lean=True)
    assert json.loads(treino("rows", "lean", "--json").out)["error"]["rule"] == "data_not_kept"
