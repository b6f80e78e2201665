"""The chart of a run's page in a real browser: it is read, zoomed, smoothed, and its labels stay apart."""

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pytest

from apps.studio.tests.fake_studio import FakeStudio, served
from apps.studio.tests.recordings import Recording, record
from apps.studio.tests.test_page import Viewer

pytestmark = pytest.mark.release
LAST = 40
SIZES = (390, 844), (1280, 800), (1440, 900), (1920, 1080)
LANGUAGES = "en", "pt_BR"
TEXTS = """(() => {
  const drawn = globalThis.drawn = new Map(), proto = CanvasRenderingContext2D.prototype;
  const {fillText, clearRect} = proto;
  proto.clearRect = function (...args) { drawn.set(this.canvas.id, []); return clearRect.apply(this, args); };
  proto.fillText = function (text, x, y, ...rest) {
    const {width} = this.measureText(text), size = parseFloat(/(\\d+)px/.exec(this.font)[1]);
    const left = x - ({center: width / 2, right: width}[this.textAlign] ?? 0);
    const top = y - ({top: 0, middle: size / 2, bottom: size}[this.textBaseline] ?? size * 0.8);
    const box = {text, left, top, right: left + width, bottom: top + size};
    if (!this.getTransform().b) drawn.get(this.canvas.id)?.push(box);
    return fillText.call(this, text, x, y, ...rest);
  };
  const frame = requestAnimationFrame, stretched = globalThis.stretched = new Set();
  const shown = ({width, height, clientWidth, clientHeight}) => width / clientWidth - height / clientHeight;
  globalThis.requestAnimationFrame = act => frame(time => {
    act(time);
    for (const canvas of document.querySelectorAll('.net canvas, #picture-canvas, .curves canvas'))
      if (Math.abs(shown(canvas)) > 0.01) stretched.add(canvas.id);
  });
})()"""
HEADER = """() => {
  const parts = [...document.querySelectorAll('.brand, .what, .transport, .clock, .actions, .prefs')];
  const boxes = parts.map(n => [n.className, n.getBoundingClientRect()]);
  const apart = (a, b) => a.right <= b.left + 1 || a.bottom <= b.top + 1;
  const meet = (a, b) => !apart(a, b) && !apart(b, a);
  const lines = [...document.querySelectorAll('.big')].map(n => n.getBoundingClientRect().height);
  return {
    outside: boxes.filter(([, r]) => r.left < 0 || r.right > innerWidth).map(([name]) => name),
    meet: boxes.flatMap(([a, r], k) => boxes.slice(k + 1).filter(([, q]) => meet(r, q)).map(([b]) => [a, b])),
    wraps: lines.some(height => height > 34),
  };
}"""


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Recording:
    found = record("wine", (0, LAST), tmp_path_factory.mktemp("chart"), patience=0, epochs=10)
    found.name = found.state["name"] = "wine"
    found.state["last_step"] = LAST
    for header, _parts in found.frames.values():
        header["run"] = "wine"
    return found


@pytest.fixture
def studio(recording: Recording) -> Iterator[FakeStudio]:
    with served({"wine": recording}) as found:
        yield found


@pytest.fixture
def show(browser: Any, studio: FakeStudio) -> Iterator[Any]:
    opened: list[Viewer] = []

    def showing(query: str = "lang=en&theme=light", **how: Any) -> "Chart":
        opened.append(Viewer(browser, studio, "wine", query, script=TEXTS, **how))
        return Chart(opened[-1])

    yield showing
    for viewer in opened:
        viewer.context.close()
        assert viewer.said == []


class Chart:
    """The curves of a page that is open."""

    def __init__(self, viewer: Viewer) -> None:
        self.viewer, self.page = viewer, viewer.page
        self.canvas = self.page.locator("#curves-canvas")

    def place(self, share: float, down: float = 0.3) -> tuple[float, float]:
        """So far from the axis to the right end of the chart, in the window."""
        box, right = self.canvas.bounding_box(), 160 if self.canvas.bounding_box()["width"] >= 560 else 14
        return box["x"] + 46 + share * (box["width"] - 46 - right), box["y"] + down * box["height"]

    def point(self, share: float) -> None:
        self.page.mouse.move(*self.place(share))

    def drag(self, start: float, end: float) -> None:
        self.point(start)
        self.page.mouse.down()
        self.page.mouse.move(*self.place((start + end) / 2))
        self.page.mouse.move(*self.place(end))
        self.page.mouse.up()

    @property
    def step(self) -> int:
        """The step that the box beside the pointer tells of."""
        return int(self.page.locator("#tip .head").inner_text().split()[-1])

    @property
    def told(self) -> dict[str, float]:
        names, values = (self.page.locator(f"#tip .pair {part}").all_inner_texts() for part in ("span", "b"))
        return {name: float(value.replace("−", "-")) for name, value in zip(names, values, strict=True)}

    def texts(self, canvas: str = "curves-canvas") -> list[dict[str, Any]]:
        """What is written in a canvas, and where."""
        found: list[dict[str, Any]] = self.page.evaluate("id => drawn.get(id)", canvas)
        return found


def test_the_box_beside_the_pointer_has_the_value_of_each_line(
    show: Any, studio: FakeStudio, recording: Recording
) -> None:
    chart, curves = show(), recording.curves
    epochs = [
        each | {"validation": {"loss": each["validation"]["loss"], "accuracy": 0.5 + each["epoch"] / 100}}
        for each in curves["epochs"]
    ]
    vitals = [each | {"train": {"accuracy": each["step"] / 100}} for each in curves["vitals"]]
    studio.tell({"curves": curves | {"run": "wine", "from": 0, "epochs": epochs, "vitals": vitals}})
    chart.viewer.wait(lambda: chart.point(0.1) or len(chart.told) == 4)
    assert abs(chart.step - 20) <= 1  # of an axis of 200
    epoch = min(epochs, key=lambda each: abs(each["step"] - chart.step))
    assert chart.told == pytest.approx(
        {
            "loss of the batch": curves["loss"][chart.step - 1],
            "loss, validation": epoch["validation"]["loss"],
            "accuracy, training": chart.step / 100,
            "accuracy, validation": epoch["validation"]["accuracy"],
        },
        rel=1e-3,
    )
    chart.page.mouse.move(5, 5)
    chart.page.locator("#tip").wait_for(state="hidden")


def test_a_drag_zooms_and_two_clicks_show_all_again_without_going_anywhere(show: Any) -> None:
    chart = show()
    whole = chart.page.get_by_role("button", name="Show all", exact=True)
    assert not whole.is_visible()
    chart.drag(0.05, 0.15)
    whole.wait_for()
    chart.point(0.02)
    assert abs(chart.step - 10) <= 1
    chart.point(0.98)
    assert abs(chart.step - 30) <= 1
    chart.page.mouse.dblclick(*chart.place(0.5))
    whole.wait_for(state="hidden")
    chart.point(0.1)
    assert abs(chart.step - 20) <= 1
    assert chart.viewer.studio.said("look") == []
    chart.page.mouse.click(*chart.place(0.1))
    assert abs(chart.viewer.until("look")[0]["step"] - 20) <= 1


def test_the_keyboard_reads_zooms_and_changes_the_axis(show: Any) -> None:
    chart = show()
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
    powers = [float(each["text"]) for each in chart.texts() if each["right"] < 46]
    assert len(powers) >= 3
    press("Escape")
    chart.page.locator("#tip").wait_for(state="hidden")
    assert chart.viewer.studio.said("look") == chart.viewer.studio.said("step") == []


def test_a_finger_asks_for_values_and_they_stay(show: Any) -> None:
    chart = show(has_touch=True, viewport={"width": 390, "height": 844})
    chart.canvas.scroll_into_view_if_needed()
    chart.page.touchscreen.tap(*chart.place(0.1))
    chart.page.locator("#tip").wait_for()
    assert abs(chart.step - 20) <= 2
    assert set(chart.told) >= {"loss of the batch", "loss, validation"}
    chart.page.touchscreen.tap(200, 5)
    chart.page.locator("#tip").wait_for(state="hidden")


@pytest.mark.parametrize("language", LANGUAGES)
def test_labels_stay_apart_and_ticks_differ_at_every_width(show: Any, language: str) -> None:
    chart = show(f"lang={language}&theme=dark")
    for width, height in SIZES:
        chart.page.set_viewport_size({"width": width, "height": height})
        for zoomed in (False, True):
            if zoomed:
                chart.canvas.scroll_into_view_if_needed()
                chart.drag(0.1, 0.115)
                chart.page.mouse.move(5, 5)
            chart.page.wait_for_timeout(50)
            texts = chart.texts()
            assert not [
                (a["text"], b["text"]) for k, a in enumerate(texts) for b in texts[k + 1 :] if meet(a, b)
            ]
            canvas = chart.canvas.bounding_box()
            assert all(t["left"] >= 0 and t["right"] <= canvas["width"] for t in texts), width
            ticks = [t for t in texts if t["right"] < 46]
            assert len(ticks) >= 3
            for above, below in pairwise(sorted(ticks, key=lambda t: t["top"])):
                assert above["bottom"] <= below["top"]
        chart.page.mouse.dblclick(*chart.place(0.5))


def meet(a: dict[str, Any], b: dict[str, Any]) -> bool:
    return (
        a["left"] < b["right"]
        and b["left"] < a["right"]
        and a["top"] < b["bottom"]
        and b["top"] < a["bottom"]
    )


@pytest.mark.parametrize("language", LANGUAGES)
def test_nothing_in_the_header_meets_or_leaves_the_window_for_who_watches_or_steers(
    show: Any, studio: FakeStudio, recording: Recording, language: str
) -> None:
    page = show(f"lang={language}&theme=light").page
    for steers in (True, False):
        studio.tell({"state": recording.state | {"steers": steers, "last_step": 123_456}})
        page.locator("#wheel").wait_for(state="hidden" if steers else "visible")
        page.evaluate("document.querySelector('#clock-step').textContent = '123\\u2009456'")
        for width in (390, 768, 1024, 1280, 1341, 1366, 1440, 1536, 1600, 1920):
            page.set_viewport_size({"width": width, "height": 900})
            found = page.evaluate(HEADER)
            assert found == {"outside": [], "meet": [], "wraps": False}, (width, steers)


def test_circles_stay_circles_when_a_caption_appears(
    show: Any, studio: FakeStudio, recording: Recording
) -> None:
    """... as a picture has the proportions in which it is shown, in every frame."""
    chart, points = show(), recording.points
    note = chart.page.locator("#picture-note")
    chart.page.evaluate("stretched.clear()")  # before the first drawing a canvas has no size of its own
    for held in ([], [[f"column {n}", 1.0] for n in range(3)], []):
        studio.tell({"points": points | {"held": held}})
        chart.viewer.wait(lambda held=held: ("column 0" in note.inner_text()) == bool(held))  # type: ignore[misc]
    assert chart.page.evaluate("[...stretched]") == []


def test_input_names_are_shown_as_far_as_there_is_room_and_told_whole(
    show: Any, recording: Recording
) -> None:
    names = set(recording.state["data"]["features"])
    for width, height in SIZES:
        chart = show(viewport={"width": width, "height": height})
        texts = [t["text"] for t in chart.texts("network-canvas")]
        whole = [name for name in names if name in texts]
        assert len(whole) >= 4
        cut = [t for t in texts if "…" in t]
        assert all(len(t) >= 8 for t in cut), cut
        place = next(t for t in chart.texts("network-canvas") if t["text"] in (cut or whole))
        chart.page.locator("#network-canvas").scroll_into_view_if_needed()
        box = chart.page.locator("#network-canvas").bounding_box()
        chart.page.mouse.move(box["x"] + (place["left"] + place["right"]) / 2, box["y"] + place["top"] + 5)
        assert chart.page.locator("#tip .head").inner_text() in names


def test_small_curves_stay_in_their_card_and_off_what_a_rewind_left(
    show: Any, studio: FakeStudio, recording: Recording
) -> None:
    vital = recording.curves["vitals"][0]
    left = [vital | {"step": step, "gradient_norm": 10.0 ** (step % 7)} for step in range(0, 4 * LAST, 4)]
    curves = {"run": "wine", "from": LAST, "step": [], "loss": [], "epochs": [], "vitals": left}
    for width, height in SIZES:
        chart = show(viewport={"width": width, "height": height})
        studio.tell({"curves": curves})
        card = chart.page.locator(".vitals").bounding_box()
        boxes = [
            chart.page.locator(f"#spark-{sign}").bounding_box()
            for sign in ("gradient_norm", "update_ratio", "lr")
        ]
        assert all(card["x"] <= b["x"] and b["x"] + b["width"] <= card["x"] + card["width"] for b in boxes)
        assert all(a["x"] + a["width"] < b["x"] for a, b in pairwise(boxes))
        spark = chart.page.locator("#spark-gradient_norm")
        spark.scroll_into_view_if_needed()
        box = spark.bounding_box()
        chart.page.mouse.move(box["x"] + 0.9 * box["width"], box["y"] + 10)
        chart.page.locator("#tip .head").wait_for()
        assert chart.told == {}
        chart.page.mouse.move(box["x"] + 0.1 * box["width"], box["y"] + 10)
        chart.page.locator("#tip .pair").wait_for()
        chart.page.context.close()
