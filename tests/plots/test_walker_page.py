"""The page of the walk in fog, in a real browser: its steps are gradient descent."""

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.plots.browser import chromium
from tests.plots.test_landscape_pictures import NASTY, bowl
from tests.waiting import HANG
from treino.plots.walker_page import walker_page


def content(html: str) -> dict[str, Any]:
    (told,) = re.findall(r'<script type="application/json">(.*?)</script>', html, re.S)
    found = json.loads(told)
    assert isinstance(found, dict)
    return found


def test_the_page_holds_the_grid_and_no_text_as_markup() -> None:
    land = bowl(path=True)
    land.loss_RR[0, 0] = np.nan
    html = walker_page(land, NASTY)
    assert "<script>alert(1)" not in html
    assert "&lt;script&gt;alert(1)" in html
    map_ = content(html)
    assert map_["loss"][0][0] is None
    assert map_["loss"][3][7] == pytest.approx(float(land.loss_RR[3, 7]), rel=1e-5)
    assert map_["way"][-1] == [0, 0]
    assert map_["steps"] == list(range(0, 150, 10))
    assert not re.findall(r"(?:src|href)\s*=|https?://|@import|url\(", html)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium() as found:
        yield found


def opened(browser: Any, path: Path, html: str, said: list[str]) -> Any:
    path.write_text(html)
    page = browser.new_page(viewport={"width": 1000, "height": 760})
    page.set_default_timeout(1000 * HANG)
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("request", lambda request: said.append(request.url))
    page.goto(path.as_uri())
    return page


@pytest.mark.slow
def test_a_step_is_the_learning_rate_times_the_slope(browser: Any, tmp_path: Path) -> None:
    said: list[str] = []
    page = opened(browser, tmp_path / "page.html", walker_page(bowl(path=True), NASTY, "adam, lr 0.01"), said)
    assert "the run itself: adam, lr 0.01." in page.inner_text(".controls")
    rate, where = page.locator(".rate"), page.locator(".said")
    assert "learning rate" not in page.inner_text("label:has(.lr)")  # it is no rate of the run's
    a, b = 1.6, 1.2
    assert "step 0 of the run, true loss 4.01" in where.inner_text()
    lr = float(rate.inner_text())
    for n in (1, 2, 3):  # the grid's central differences are exact for a² + 2 b²
        slope = np.array([2 * a, 4 * b])
        page.click(".one")
        a, b = np.array([a, b]) - lr * slope
        text = where.inner_text()
        assert f"({n} steps of your own)" in text
        loss = float(re.search(r"loss ([\d.]+)", text)[1])  # type: ignore[index]
        assert loss == pytest.approx(0.01 + a**2 + 2 * b**2, abs=0.04)  # linear within a cell
    before = page.screenshot()
    page.check(".lift")
    assert page.screenshot() != before
    page.locator(".lr").evaluate("e => { e.value = 2; e.dispatchEvent(new Event('input')) }")
    assert float(rate.inner_text()) == pytest.approx(100 * lr, rel=1e-3)
    page.click(".ten")
    assert "too long" in where.inner_text()
    assert page.locator(".one").is_disabled()
    page.click(".again")
    assert "step 0 of the run" in where.inner_text()
    page.locator(".follow").evaluate("e => { e.value = 14; e.dispatchEvent(new Event('input')) }")
    assert "step 140 of the run, true loss 0.01" in where.inner_text()
    page.locator("canvas").click(position={"x": 20, "y": 20})
    assert "(0 steps of your own)" in where.inner_text()
    assert said == [(tmp_path / "page.html").as_uri()]


@pytest.mark.slow
def test_where_nothing_is_finite_nothing_is_felt(browser: Any, tmp_path: Path) -> None:
    said: list[str] = []
    land = bowl(path=True)
    html = walker_page(replace(land, loss_RR=np.full_like(land.loss_RR, np.inf)), "a")
    page = opened(browser, tmp_path / "page.html", html, said)
    assert "not finite here" in page.locator(".said").inner_text()
    assert page.locator(".one").is_disabled()
    assert said == [(tmp_path / "page.html").as_uri()]
