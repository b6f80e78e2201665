"""The panel of the data in a real browser: what is chosen, drawn and pasted comes out as a problem."""

import json
from pathlib import Path
from typing import Any

import pytest

from apps.studio.tests.playground.tab import MODULES, Tab
from treino_studio.page_file import PACKAGE, PAGE
from treino_studio.page_words import page_words
from treino_studio.playground.tables import tables_in_page

SCRIPT = """
import { startTheme } from 'MODULES/page/modules/theme.js';
import { setWords } from 'MODULES/page/modules/words.js';
import { makeDataPanel } from 'MODULES/playground/web/data_panel.js';
import { unpacked } from 'MODULES/playground/web/pixel_table.js';
const asked = JSON.parse(document.querySelector('#asked').textContent), seen = globalThis.seen = [];
setWords(asked.language, asked.words);
document.documentElement.lang = asked.language.replace('_', '-');
startTheme(() => {});
for (const [name, table] of Object.entries(asked.tables)) asked.tables[name] = unpacked(table);
globalThis.panel = makeDataPanel(document.querySelector('#root'), {
  problem: asked.problem, tables: asked.tables, changed: (problem) => seen.push(problem) });
""".replace("MODULES", MODULES)
CORNERS = [[-1, -1, 0], [1, 1, 1], [-1, 1, 1], [1, -1, 0]]


class Panel(Tab):
    """A page that holds nothing but the panel."""

    def __init__(self, browser: Any, file: Path, problem: Any, **how: Any):
        words = page_words("en")
        asked = {"problem": problem, "tables": tables_in_page(), "language": "en", "words": words}
        paths = [PAGE / "style.css", PAGE / "folders.css", PACKAGE / "playground/web/playground.css"]
        style = "\n".join(path.read_text() for path in paths)
        data = json.dumps(asked).replace("<", "\\u003c")
        file.write_text(
            f"<!doctype html><html lang=en><meta charset=utf-8><title>panel</title><meta name=viewport "
            f'content="width=device-width"><style>{style}\n'
            "body { height: auto; overflow: auto; display: block }</style>"
            f"<main><h1 class=vh>panel</h1><h2 class=vh>data</h2><div id=root class=drawer "
            f'style="position: static; width: 100%; max-width: 372px; padding: 8px"></div></main>'
            f'<script type="application/json" id=asked>{data}</script><script type=module>{SCRIPT}</script>'
        )
        super().__init__(browser, file, **{"viewport": {"width": 420, "height": 900}} | how)
        self.met = 0

    def changed(self) -> Any:
        """The problem that comes out next."""
        self.page.wait_for_function(f"seen.length > {self.met}")
        self.met = self.page.evaluate("seen.length")
        return self.page.evaluate("seen.at(-1)")

    def point(self, x: float, y: float) -> dict[str, float]:
        """Where a share of the pad is, from its left and its lower edge, in pixels of the page."""
        box = self.page.locator("#pad").bounding_box()
        return {
            "x": box["x"] + 44 + x * (box["width"] - 50),
            "y": box["y"] + 6 + (1 - y) * (box["height"] - 42),
        }

    def drag(self, start: tuple[float, float], end: tuple[float, float], steps: int) -> None:
        """Press at one place of the pad, and let go at another."""
        self.page.mouse.move(**self.point(*start))
        self.page.mouse.down()
        self.page.mouse.move(**self.point(*end), steps=steps)
        self.page.mouse.up()

    def fault(self) -> str:
        return str(self.page.locator("#data-fault:visible, #table-fault:visible").inner_text())


@pytest.fixture
def opened(tab: Any, tmp_path: Path) -> Any:
    def make(problem: Any = None, **how: Any) -> Any:
        file = tmp_path / "panel.html"
        return tab(problem or {"source": "moons"}, made=Panel, file=file, **how)

    return make


@pytest.mark.release
def test_sources_noise_and_shares_are_chosen(opened: Any) -> None:
    panel = opened()
    assert "150 test rows are held out and judged once, at the end." in panel.page.inner_text("#data-counts")
    panel.page.get_by_role("button", name="spirals").click()
    problem = panel.changed()
    assert (problem["source"], problem["noise"]) == ("spirals", None)
    panel.page.get_by_label("Noise").press("ArrowRight")
    assert panel.changed()["noise"] == pytest.approx(0.05)
    panel.page.get_by_label("Share of training rows").press("Home")
    problem = panel.changed()
    assert (problem["validation"], problem["test"]) == (0.35, 0.35)
    assert "300 rows train" in panel.page.inner_text("#data-counts")
    panel.page.get_by_role("button", name="Another split").click()
    assert panel.changed()["data_seed"] == 1
    panel.page.get_by_role("button", name="wine").click()
    problem = panel.changed()
    assert (problem["source"], problem["table"]["target"]) == ("wine", "target")
    assert "noise" not in panel.page.inner_text("#part-source").lower()


@pytest.mark.release
def test_inputs_are_ticked(opened: Any) -> None:
    panel = opened({"source": "wine", "table": tables_in_page()["wine"]})
    panel.page.get_by_role("checkbox", name="alcohol", exact=True).uncheck()
    features = panel.changed()["features"]
    assert (len(features), "alcohol" in features) == (12, False)
    panel.page.get_by_role("button", name="The two that separate best").click()
    assert panel.changed()["features"] == ["x", "y"]
    ticked = panel.page.locator(".ticks:not(.made) input:checked").evaluate_all(
        "all => all.map((input) => input.dataset.input)"
    )
    assert sorted(ticked) == ["od280/od315_of_diluted_wines", "proline"]
    panel.page.get_by_label("Column to the right").select_option("hue")
    assert panel.changed()["axes"][0] == "hue"
    panel.page.get_by_role("checkbox", name="hue²").check()
    problem = panel.changed()
    assert problem["features"][-1] == "x²"
    assert set(problem["features"][:-1]) == set(problem["axes"])
    points = opened()
    points.page.get_by_role("checkbox", name="x1·x2").check()
    assert points.changed()["features"] == ["x1", "x2", "xy"]
    for name in ("x1", "x2", "x1·x2"):
        points.page.get_by_role("checkbox", name=name, exact=True).uncheck()
    assert points.fault().startswith("No input is chosen.")


@pytest.mark.release
def test_points_are_put_moved_and_removed_by_pointer(opened: Any) -> None:
    panel = opened({"source": "points", "points": CORNERS * 3})
    mouse = panel.page.mouse
    panel.page.locator("#pad").scroll_into_view_if_needed()
    panel.page.get_by_role("button", name="class 2").click()
    mouse.click(**panel.point(0.5, 0.5))
    points = panel.changed()["points"]
    assert points[12] == [pytest.approx(0, abs=0.02), pytest.approx(0, abs=0.02), 2]
    panel.drag((0.5, 0.5), (0.75, 0.5), steps=3)
    points = panel.changed()["points"]
    assert len(points) == 13
    assert points[12] == [pytest.approx(0.58, abs=0.05), pytest.approx(0, abs=0.02), 2]
    panel.drag((0.2, 0.3), (0.6, 0.3), steps=20)
    stroke = panel.changed()["points"]
    assert len(stroke) > 16
    panel.page.evaluate("panel.relabel()")  # as after another language: the frame stays
    panel.page.keyboard.press("Control+z")
    assert panel.changed()["points"] == points
    mouse.click(**panel.point(0.75, 0.5), button="right")
    assert panel.changed()["points"] == points[:12]
    panel.page.get_by_role("button", name="Undo").click()
    assert panel.changed()["points"] == points
    panel.page.get_by_role("button", name="Eraser").click()
    mouse.click(**panel.point(0.75, 0.5))
    assert panel.changed()["points"] == points[:12]
    panel.page.get_by_role("button", name="Clear").click()
    assert panel.fault() == "There is no point yet. Put points of two classes into the picture."
    assert panel.page.evaluate("seen.at(-1).points.length") == 12  # the page keeps what it has


TEXT = "size;rooms;city;price\n" + "\n".join(
    f"{40 + i},5;{i % 4};{'AB'[i % 2]};{1000 + 13 * i}" for i in range(40)
)


@pytest.mark.release
def test_a_pasted_table_is_read_and_its_target_chosen(opened: Any) -> None:
    panel = opened()
    panel.page.get_by_role("button", name="own table").click()
    panel.page.get_by_label("Or paste cells").fill(TEXT)
    problem = panel.changed()
    assert problem["table"]["target"] == "city"  # words of few classes are the likeliest
    assert "Read with a decimal comma." in panel.page.inner_text("#table-notes")
    panel.page.get_by_label("Target").select_option("price")
    problem = panel.changed()
    assert problem["table"]["target"] == "price"
    city = panel.page.get_by_role("checkbox", name="city words")
    assert city.is_disabled()
    assert panel.page.get_by_role("checkbox", name="size", exact=True).is_checked()
