"""A click on a row in a real browser before a real studio: the training rows behind the answer to it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import treino as tr
from apps.studio.tests.browsing import AXE, LAYOUT
from apps.studio.tests.real_studio import RealStudio, real_studio

pytestmark = pytest.mark.release


def planted() -> tuple[pd.DataFrame, set[int]]:
    """Two classes by one of two numbers, but for the training rows of a patch; these."""
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.normal(size=(300, 2)), columns=["x", "y"])
    frame["side"] = np.where(frame["x"] > 0, "right", "left")
    frame["part"] = np.where(np.arange(300) % 3 == 0, "validation", "train")
    patch = (frame["x"] - 1) ** 2 + frame["y"] ** 2 < 0.36
    wrong = set(np.flatnonzero(patch & (frame["part"] == "train")).tolist())
    frame.loc[list(wrong), "side"] = "left"
    return frame, wrong


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder, (frame, _wrong) = tmp_path_factory.mktemp("proponents"), planted()
    how = {"target": "side", "split_column": "part", "recipe": "plain", "parent": folder / "runs"}
    tr.fit(frame, name="patch", epochs=150, lr=0.01, patience=0, **how)
    return folder


@pytest.fixture(scope="module")
def studio(folder: Path) -> Iterator[RealStudio]:
    with real_studio(folder, []) as found:
        yield found
    assert found.said == []


@pytest.fixture(scope="module")
def page(studio: RealStudio, browser: Any) -> Any:
    return studio.open(browser, "home")


SEARCH = """wanted => {
  const canvas = document.querySelector('#picture-canvas');
  const {left, top, width, height} = canvas.getBoundingClientRect();
  for (let y = 4; y < height; y += 6) for (let x = 4; x < width; x += 6) {
    canvas.dispatchEvent(new PointerEvent('pointermove', {clientX: left + x, clientY: top + y}));
    const told = document.querySelector('#tip').innerText.match(wanted);
    if (told) return [left + x, top + y, told[1]];
  } }"""


def click_on(page: Any, wanted: str) -> int:
    """Click where the box beside the pointer tells of such a row; its number."""
    page.wait_for_selector("main[data-frame]")
    x, y, row = page.wait_for_function(SEARCH, arg=wanted).json_value()
    page.mouse.click(x, y)
    return int(row)


def test_a_click_on_a_mistake_shows_the_planted_labels_that_made_it(
    studio: RealStudio, page: Any, axe: str
) -> None:
    frame, wrong = planted()
    page.goto(f"{studio.site}run/patch?lang=en")
    row = click_on(page, r"row (\d+), validation · right\s+predicted\s+left")
    behind = page.get_by_role("dialog")
    behind.get_by_role("heading", name=f"Row {row}: says left, is right").wait_for()
    assert f"not this network. To measure it: treino rows patch --of {row}" in behind.inner_text()
    own, *rows = [int(text) for text in behind.locator("tbody th").all_inner_texts()]
    assert own == row
    assert len(rows) == 5
    assert len(wrong & set(rows)) >= 4 > 5 * 3 * len(wrong) / 200
    cells = behind.locator("tbody tr").nth(1).locator("td").all_inner_texts()
    assert cells[0] == "left"
    assert cells[2:] == [f"{value:.6g}".replace("-", "−") for value in frame.loc[rows[0], ["x", "y"]]]
    assert page.evaluate(LAYOUT) == []
    page.evaluate(axe)
    assert page.evaluate(AXE) == []
    page.keyboard.press("Escape")
    assert behind.count() == 0
