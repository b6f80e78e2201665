"""A report's training rows behind mistakes: planted labels, pictures, numbers, and why there are none."""

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.datasets import load_digits
from tests.reports.test_report import text_of
from torch.utils.data import TensorDataset

import treino as tr
from treino.api import Run
from treino.reports.report import report
from treino_xray import row_influence


def behind_each(page: str) -> dict[int, tuple[str, list[int], list[str]]]:
    """By row: a folded mistake's title, the training rows below it, and its cells."""
    found = {}
    for title, table in re.findall(r"<details><summary>(.*?)</summary>(.*?)</details>", page, re.S):
        row, *rows = [int(n) for n in re.findall(r"<th scope='row'>(\d+)", table)]
        found[row] = (title, rows, re.findall(r"<td[^>]*>(.*?)</td>", table, re.S))
    return found


@pytest.mark.slow
def test_behind_a_mistake_lie_the_planted_labels_that_made_it(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng, number = np.random.default_rng(0), np.arange(600)
    frame = pd.DataFrame(rng.normal(size=(600, 2)), columns=["x", "<i>y"])
    frame["side"] = np.where(frame["x"] > 0, "right", "left")
    frame["part"] = np.select([number % 4 == 0, number % 7 == 0], ["test", "validation"], "train")
    patch = (frame["x"] - 1) ** 2 + frame["<i>y"] ** 2 < 0.36
    planted = set(np.flatnonzero(patch & (frame["part"] == "train")).tolist())
    frame.loc[list(planted), "side"] = "left"
    settings = {"target": "side", "split_column": "part", "recipe": "plain", "epochs": 100, "lr": 0.01}
    run = tr.fit(frame, parent=here, name="planted", **settings)
    page = report([run]).read_text()
    made = {row: each for row, each in behind_each(page).items() if patch[row]}
    assert len(made) >= 8
    chance = len(planted) / int((frame["part"] == "train").sum())
    rows = [row for _title, rows, _cells in made.values() for row in rows]
    assert len(rows) > 4 * len(made)
    assert not set(rows) & set(made)
    assert {frame["part"][row] for row in rows} == {"train"}
    assert len([row for row in rows if row in planted]) / len(rows) > 0.8 > 5 * chance
    for row, (title, _rows, cells) in made.items():
        assert title == f"Row {row}: says left, is right"
        assert f"{frame['x'][row]:.6g}" in cells
    assert "<i>y" not in page
    first = next(iter(behind_each(page)))
    command = f"treino rows {run.typed} --of {first}"
    assert f"estimate it, not this network. To measure it: {command}" in text_of(page)
    with monkeypatch.context() as patched:  # as of 50,000 pictures: of many rows, a sample
        patched.setattr(row_influence, "QUICK_WORK", 60 * row_influence.FEWEST_NETWORKS * 128.0**2)
        patched.setattr(row_influence, "FEWEST_SAMPLED", 60)
        sampled = report([run]).read_text()
    assert f"60 of {(frame['part'] == 'train').sum()} training rows are x-rayed." in text_of(sampled)
    assert behind_each(sampled).keys() == behind_each(page).keys()


@pytest.mark.slow
def test_behind_a_mistaken_picture_or_number_lie_rows_that_push_that_way(here: Path) -> None:
    digits = load_digits()
    pictures = TensorDataset(
        torch.tensor(digits.images[:800, None] / 16).float(), torch.tensor(digits.target[:800])
    )
    run = tr.fit(pictures, epochs=3, parent=here, name="digits")
    alike = []
    told: list[tuple[str, int, int]] = []
    page = report([run], tell=lambda *part: told.append(part)).read_text()
    assert [number for _what, number, _of in told] == list(range(1, told[0][2] + 1))
    assert told[0][0] == "Film"
    for title, _rows, cells in behind_each(page).values():
        drawn, labels = cells[::3], cells[1::3]
        assert all(each.startswith("<img class='thumb' src='data:image/png;base64,") for each in drawn)
        alike += [label == title.partition("says ")[2].partition(",")[0] for label in labels[1:]]
    assert len(alike) > 50
    assert np.mean(alike) > 0.5  # by chance a tenth
    run = tr.fit("diabetes", recipe="plain", epochs=3, parent=here, name="diabetes")
    numbers = behind_each(report([run]).read_text())
    assert len(numbers) == 15
    for title, rows, cells in numbers.values():
        said, true = map(float, re.findall(r"(?:says|is) ([\d.]+)", title))
        effects = [float(each) for each in cells[1 :: len(cells) // (1 + len(rows))][1:]]
        assert all((effect > 0) == (said > true) for effect in effects)


def test_where_the_x_ray_takes_long_or_can_not_be_made_the_report_says_so(
    here: Path, wine: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(row_influence, "QUICK_WORK", 0.0)
        page = report([wine]).read_text()
    assert re.search(rf"For one row: treino rows {re.escape(wine.typed)} --of \d+", text_of(page))
    assert "<details><summary>Row" not in page
    run = tr.fit("iris", validation=0.5, test=0.4, recipe="plain", epochs=1, parent=here, name="few")
    page = report([run]).read_text()
    assert "An x-ray needs 20 training rows" in text_of(page)
