"""The chart of a run's page in a real browser: it is read and zoomed by the pointer and by the keyboard."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import treino as tr
from apps.studio.tests.real_studio import RealStudio, Viewer, real_studio, viewers

pytestmark = pytest.mark.release


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealStudio]:
    folder = tmp_path_factory.mktemp("chart")
    tr.fit("wine", name="wine", parent=folder / "runs", patience=0, epochs=10)
    with real_studio(folder, []) as found:
        yield found
    assert found.said == []


@pytest.fixture
def opened(browser: Any, studio: RealStudio) -> Iterator[Callable[..., Viewer]]:
    yield from viewers(studio, browser)


@pytest.fixture
def chart(opened: Callable[..., Viewer]) -> "Chart":
    return Chart(opened("wine"))


class Chart:
    """The curves of a page that is open."""

    def __init__(self, viewer: Viewer) -> None:
        self.viewer, self.page = viewer, viewer.page
        self.canvas = self.page.locator("#curves-canvas")

    def place(self, share: float) -> tuple[float, float]:
        """So far from the axis to the right end of the chart, in the window."""
        box = self.canvas.bounding_box()
        return box["x"] + 46 + share * (box["width"] - 46 - 14), box["y"] + 0.3 * box["height"]

    def point(self, share: float) -> None:
        self.page.mouse.move(*self.place(share))

    @property
    def step(self) -> int:
        """The step that the box beside the pointer tells of."""
        return int(self.page.locator("#tip .head").inner_text().split()[-1])

    @property
    def told(self) -> dict[str, float]:
        names, values = (self.page.locator(f"#tip .pair {part}").all_inner_texts() for part in ("span", "b"))
        return {name: float(value.replace("−", "-")) for name, value in zip(names, values, strict=True)}


def test_the_box_beside_the_pointer_has_the_value_of_each_line(chart: Any, studio: RealStudio) -> None:
    run = studio.run("wine")
    chart.viewer.wait(lambda: chart.point(0.5) or "accuracy, training" in chart.told)
    assert abs(chart.step - 20) <= 1  # the axis ends where the run does, at 40
    measured, epoch = run.document["loss"]["validation"], round(chart.step / 4)
    assert chart.told["loss of the batch"] == pytest.approx(float(run.losses[chart.step - 1]), rel=1e-3)
    assert chart.told["loss, validation"] == pytest.approx(measured[epoch - 1], rel=1e-3)
    chart.page.mouse.move(5, 5)
    chart.page.locator("#tip").wait_for(state="hidden")


def test_a_drag_zooms_and_two_clicks_show_all_again_without_going_anywhere(chart: Any) -> None:
    whole = chart.page.get_by_role("button", name="Show all", exact=True)
    assert not whole.is_visible()
    chart.point(0.25)
    chart.page.mouse.down()
    chart.page.mouse.move(*chart.place(0.5))
    chart.page.mouse.move(*chart.place(0.75))
    chart.page.mouse.up()
    whole.wait_for()
    chart.page.wait_for_function(
        "() => { const { min, max } = document.querySelector('#time');"
        " return Math.abs(min - 10) < 2 && Math.abs(max - 30) < 2; }"  # the slider below, on the same scale
    )
    for share, step in ((0.02, 10), (0.98, 30)):
        chart.point(share)
        assert abs(chart.step - step) <= 1
    chart.page.mouse.dblclick(*chart.place(0.5))
    whole.wait_for(state="hidden")
    assert chart.viewer.said("look") == []
    chart.page.mouse.click(*chart.place(0.5))
    assert abs(chart.viewer.until("look")[0]["step"] - 20) <= 1


def test_the_keyboard_reads_zooms_and_changes_the_axis(chart: Any) -> None:
    press, log = chart.page.keyboard.press, chart.page.get_by_role("button", name="log", exact=True)
    chart.canvas.focus()
    press("ArrowRight")  # what a keyboard has reached shows it; the canvas was focused by a script
    press("ArrowLeft")
    chart.page.locator("#tip").wait_for()
    first = chart.step
    press("ArrowLeft")
    assert chart.step < first
    press("+")
    chart.page.get_by_role("button", name="Show all", exact=True).wait_for()
    press("0")
    chart.page.get_by_role("button", name="Show all", exact=True).wait_for(state="hidden")
    assert log.get_attribute("aria-pressed") == "false"
    press("l")
    assert log.get_attribute("aria-pressed") == "true"
    press("Escape")
    chart.page.locator("#tip").wait_for(state="hidden")
    assert chart.viewer.said("look") == chart.viewer.said("step") == []


TRIANGLES = """(() => { const prototype = CanvasRenderingContext2D.prototype, { closePath } = prototype;
  window.triangles = 0;
  prototype.closePath = function () { triangles += Number(this.canvas.id === 'curves-canvas');
    return closePath.call(this); }; })()"""


def test_the_axes_hold_the_figures_in_view_also_before_the_first_step(browser: Any, tmp_path: Path) -> None:
    """They are dots within their panes: a triangle would say that one lies above."""
    with real_studio(tmp_path, ["wine", "--paused"]) as studio:
        page = studio.open(browser)
        page.wait_for_selector("main[data-frame]")
        page.evaluate(TRIANGLES)
        page.set_viewport_size({"width": 1000, "height": 900})
        page.wait_for_timeout(800)
        assert float(page.locator("#figures b").nth(1).inner_text()) > 1
        assert page.evaluate("triangles") == 0
