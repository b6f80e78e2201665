"""Every figure of every page equals the command line, at drawn steps and however the page was opened."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from tests.waiting import until
from torch.utils.data import TensorDataset

import treino as tr
from apps.studio.tests.browsing import DRAWN
from apps.studio.tests.page_numbers import Rule, orphans, read
from apps.studio.tests.real_studio import RealStudio, real_studio
from apps.studio.tests.run_figures import RunFigures
from apps.studio.tests.test_pictures_page import bars

pytestmark = pytest.mark.release
MOVE = """step => { const time = document.querySelector('#time'); time.value = step;
  time.dispatchEvent(new Event('input')); }"""


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealStudio]:
    folder = tmp_path_factory.mktemp("figures")
    how: dict[str, Any] = {"parent": folder / "runs", "patience": 0, "recipe": "plain"}
    x_ND = np.random.default_rng(0).normal(size=(4000, 4))
    table = pd.DataFrame(x_ND, columns=["a", "b", "c", "d"])
    table["class"] = np.where(x_ND[:, 0] * x_ND[:, 1] + 0.5 * x_ND[:, 2] > 0, "yes", "no")
    table.to_csv(folder / "large.csv", index=False)
    table[:300].to_csv(folder / "small.csv", index=False)
    tr.fit(folder / "small.csv", target="class", name="small", epochs=12, hidden=(6, 4), **how)
    tr.fit(folder / "small.csv", target="class", name="ways", epochs=12, hidden=(6, 4), **how)
    tr.fit(folder / "large.csv", target="class", name="large", epochs=4, batch_size=100, **how)
    tr.fit("diabetes", name="numbers", epochs=6, hidden=(4,), **how)
    tr.fit("diabetes", name="line", features=["bmi"], epochs=6, hidden=(4,), **how)
    tr.fit(
        TensorDataset(*bars(60, 1)), net="cnn", channels=(4,), hidden=(4,), name="pictures", epochs=9, **how
    )
    with real_studio(folder, []) as found:
        yield found
    assert found.said == []


def opened_at(studio: RealStudio, browser: Any, place: str, ready: str, socket: Any = None) -> Any:
    """A page that is read. socket: gets its connections as they are made."""
    page = studio.open(browser, bypass_csp=True, timezone_id="UTC")
    page.add_init_script(DRAWN)
    if socket:
        page.on("websocket", socket)
    page.goto(f"{studio.site}{place}?lang=en")
    page.locator(ready).first.wait_for()
    return page


def opened(studio: RealStudio, browser: Any, name: str) -> Any:
    return opened_at(studio, browser, f"run/{name}", "main[data-frame]")


def rested(page: Any, step: int | None = None) -> None:
    """Wait until the page shows the step and says the same twice."""
    if step is not None:
        page.evaluate(MOVE, step)
        number = f"{step:,}".replace(",", "\u202f")
        page.locator("#clock-step", has_text=re.compile(f"^{number}$")).wait_for()
    looks: list[Any] = []

    def twice() -> bool:
        page.mouse.move(2, 2)
        looks.append(read(page, {}))
        return len(looks) > 2 and looks[-1] == looks[-2] == looks[-3]

    until(twice, meanwhile=lambda: page.wait_for_timeout(400))


AXES = "() => [...document.querySelectorAll('#axes select, #axes input')].map(each => each.value)"


def unsourced(page: Any, rules: dict[str, Rule], names: list[str]) -> list[str]:
    """The numbers of a page without a source."""
    return orphans(read(page, rules), rules, names)


def checked(page: Any, rules: dict[str, Rule], told: RunFigures) -> list[str]:
    """Those in the parts that have rules."""
    units, axes = read(page, rules)
    return orphans(([unit for unit in units if unit["place"]], axes), rules, told.names)


def walked(page: Any, figures: RunFigures, step: int, **own: Rule) -> list[str]:
    """The numbers of the page without a source, and of the box that the keys open at five places."""
    told = figures.at(step, page.evaluate(AXES))
    rules = told.rules() | own
    left = unsourced(page, rules, told.names)
    page.locator("#curves-canvas").focus()
    for key in ("ArrowLeft", "ArrowLeft", "ArrowRight"):
        page.keyboard.press(key)
        page.locator("#tip:not([hidden])").wait_for()
        left += checked(page, {"text #tip": told.tip}, told)
    page.keyboard.press("Escape")
    return [f"step {step}: {each}" for each in left]


@pytest.mark.parametrize("name", ["small", "large", "numbers", "line", "pictures"])
def test_every_figure_of_a_runs_page_equals_the_command_line(
    studio: RealStudio, browser: Any, name: str
) -> None:
    page = opened(studio, browser, name)
    rested(page)
    figures = RunFigures(studio.runs / name)
    last, each = figures.document["steps"], figures.document["steps_per_epoch"]
    left = walked(page, figures, last)
    drawn = np.random.default_rng(len(name)).integers(1, last, 2).tolist()
    for step in dict.fromkeys([*drawn, 0, 2 * each]):
        rested(page, step)
        left += walked(page, figures, step)
    assert not left, "\n".join(left)


def test_every_figure_equals_the_command_line_live_late_and_after_a_rewind_or_branch(
    studio: RealStudio, browser: Any
) -> None:
    page = opened(studio, browser, "ways")
    step = int(np.random.default_rng(3).integers(20, 60))
    rested(page, step)
    page.get_by_role(
        "button", name="Epoch", exact=True
    ).click()  # a rewind, which is paused at the epoch's end
    each = studio.run("ways").spec.steps_per_epoch
    live = (step // each + 1) * each
    page.locator("#clock-step", has_text=re.compile(f"^{live}$")).wait_for()
    left: list[str] = []
    for one in (page, opened(studio, browser, "ways")):
        page.locator("#status", has_text="paused").wait_for()
        rested(one)
        left += walked(one, RunFigures(studio.runs / "ways"), live)
    for past in (step, 0, live - 2):
        rested(page, past)
        left += walked(page, RunFigures(studio.runs / "ways"), past)
    page.get_by_role("button", name="Branch", exact=True).click()
    notice = page.locator(".notice", has_text=f"begins at step {live - 2}")
    name = notice.inner_text().split()[0]
    page = opened(studio, browser, name)
    rested(page)
    left += walked(page, RunFigures(studio.runs / name), live - 2)
    assert not left, "\n".join(left)


def test_sixty_figures_of_a_million_steps_equal_the_command_line(browser: Any, tmp_path: Path) -> None:
    """Of a table of 20,000 rows: at drawn places of its curves, and beside them at drawn steps."""
    x_ND = np.random.default_rng(1).normal(size=(20_000, 4))
    table = pd.DataFrame(x_ND, columns=["a", "b", "c", "d"])
    table["class"] = np.where(x_ND[:, 0] * x_ND[:, 1] + 0.5 * x_ND[:, 2] > 0, "yes", "no")
    table.to_csv(tmp_path / "table.csv", index=False)
    how: dict[str, Any] = {"recipe": "plain", "hidden": (4,), "batch_size": 16, "patience": 0}
    tr.fit(
        tmp_path / "table.csv", target="class", name="million", steps=10**6, parent=tmp_path / "runs", **how
    )
    draws, shown, left = np.random.default_rng(2), 0, list[str]()
    with real_studio(tmp_path, []) as studio:
        page = opened(studio, browser, "million")
        rested(page)
        told = RunFigures(studio.runs / "million").at(10**6, [])
        rules = {"text #tip": told.tip}
        box = page.locator("#curves-canvas").bounding_box()
        for share in draws.uniform(0.1, 0.95, 20):
            page.mouse.move(box["x"] + share * box["width"], box["y"] + 0.5 * box["height"])
            page.locator("#tip:not([hidden])").wait_for()
            left += checked(page, rules, told)
            shown += page.locator("#tip .pair").count()
        page.mouse.move(2, 2)
        for step in draws.integers(1, 10**6, 4).tolist():
            rested(page, step)
            left += checked(page, {"text #figures > div": told.at(step, []).figures}, told)
            shown += page.locator("#figures b").count()
    assert not left, "\n".join(left)
    assert shown >= 60
    assert studio.said == []
