"""The page of a run of pictures in a real browser: one draws, opens a file or chooses a row; it answers."""

import base64
import io
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch.utils.data import TensorDataset

import treino as tr
from apps.studio.tests.real_studio import RealStudio, Viewer, real_studio, viewers

pytestmark = pytest.mark.release
SIDE = 14
PHONE = {"viewport": {"width": 360, "height": 740}, "has_touch": True}


def bars(n: int, channels: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Pictures of an upright bar, a level one, or none, on black."""
    chance, y_N = np.random.default_rng(0), np.arange(n) % 3
    x_NCHW = np.zeros((n, channels, SIDE, SIDE), np.uint8)
    for x_CHW, c in zip(x_NCHW, y_N, strict=True):
        at, ink = chance.integers(3, SIDE - 4), chance.integers(150, 256, channels)
        place = (slice(None), slice(2, -2), slice(at, at + 2))
        if c < 2:
            x_CHW[place if c == 0 else (place[0], place[2], place[1])] = ink[:, None, None]
    return torch.tensor(x_NCHW), torch.tensor(y_N)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pictures")
    for name, channels in (("grey", 1), ("colour", 3)):
        tr.fit(
            TensorDataset(*bars(90, channels)), net="cnn", channels=(8, 14), hidden=(16,), epochs=8, lr=0.02,
            batch_size=16, patience=0, parent=folder / "runs", name=name,
        )  # fmt: skip
    return folder


@pytest.fixture(scope="module")
def studio(folder: Path) -> Iterator[RealStudio]:
    with real_studio(folder, []) as found:
        yield found
    assert found.said == []


class Sketched(Viewer):
    """A page of a run of pictures."""

    @property
    def sent(self) -> list[np.ndarray]:
        """The pictures that it has sent, ``[C, H, W]``, the newest last."""
        texts = [base64.b64decode(each["pixels"]) for each in self.said("draw")]
        return [np.frombuffer(text, np.uint8).reshape(-1, SIDE, SIDE) for text in texts]

    def tab(self, name: str) -> None:
        self.page.get_by_role("button", name=name, exact=True).click()

    def stroke(self, *places: tuple[float, float]) -> None:
        """Draw a line through places of the pad, as shares of its sides."""
        pad = self.page.locator("#sketch-pad")
        pad.scroll_into_view_if_needed()
        box, mouse = pad.bounding_box(), self.page.mouse
        points = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in places]
        mouse.move(*points[0])
        mouse.down()
        for point in points[1:]:
            mouse.move(*point, steps=5)
        mouse.up()

    def shown(self) -> list[float]:
        """The probabilities beside the pad."""
        texts = self.page.locator("#sketch-answer b").all_inner_texts()
        return [float(text.replace("−", "-")) for text in texts]

    def answered(self, last: Callable[[Any], Any]) -> list[float]:
        """Wait until what is shown is what the network of the step in view says of the newest picture, for
        which ``last`` holds."""
        run = tr.open(self.studio.runs / self.run)
        nets: dict[int, Any] = {}

        def right() -> bool:
            if not self.sent or not last(self.sent[-1]):
                return False
            step = int(re.sub(r"\D", "", self.page.locator("#clock-step").inner_text()))
            net = nets[step] = nets.get(step) or run.at(step).net
            x_1D = run.preparation.transform(self.sent[-1].reshape(1, -1))
            with torch.no_grad():
                (logit_C,) = net.eval()(x_1D.reshape(1, *self.sent[-1].shape))
            return bool(self.shown() == pytest.approx(logit_C.softmax(0).tolist(), abs=0.0051))

        self.wait(right)
        return self.shown()


@pytest.fixture
def view(studio: RealStudio, browser: Any) -> Iterator[Callable[..., Sketched]]:
    yield from viewers(studio, browser, Sketched)


def inked(x: float, y: float) -> Callable[[Any], bool]:
    """Whether a picture has ink at a place: the end of a stroke."""
    return lambda pixel_CHW: bool(pixel_CHW[0, int(y * SIDE), int(x * SIDE)] > 60)


def blank(pixel_CHW: Any) -> bool:
    return not pixel_CHW.any()


def test_what_is_drawn_is_answered_at_the_end_in_training_and_in_the_past(
    studio: RealStudio, view: Any, folder: Path
) -> None:
    viewer = view("grey")
    page = viewer.page
    viewer.tab("Draw")
    viewer.stroke((0.5, 0.15), (0.5, 0.85))
    upright, run = viewer.answered(inked(0.5, 0.83)), tr.open(folder / "runs/grey")
    assert int(np.argmax(upright)) == int(run.predict(viewer.sent[-1][None])[0]) == 0
    viewer.tab("Clear")
    assert np.argmax(viewer.answered(blank)) == 2
    viewer.stroke((0.15, 0.5), (0.85, 0.5))
    level = viewer.answered(inked(0.83, 0.5))
    assert int(np.argmax(level)) == int(run.predict(viewer.sent[-1][None])[0]) == 1
    answer, _comma, probability = page.locator("#seen-says").inner_text().partition(", ")
    assert answer == "it says 1"
    assert float(probability) == pytest.approx(level[1], abs=0.0051)
    assert (float(probability) == 1) == (level[1] == 1)  # nothing less is shown as 1

    page.locator("#time").focus()  # the time machine, to before the first step
    page.keyboard.press("Home")
    page.get_by_text("0", exact=True).and_(page.locator("#clock-step")).wait_for()
    viewer.answered(inked(0.83, 0.5))
    page.get_by_role("button", name="Now", exact=True).click()
    viewer.answered(inked(0.83, 0.5))

    page.get_by_role("button", name="Epoch").click()  # it is trained further, and paused
    studio.until("grey", lambda run: run.status == "running")
    page.get_by_role("status").get_by_text("paused").wait_for()
    viewer.stroke((0.15, 0.2), (0.85, 0.2))
    page.get_by_role("button", name="Stop").click()
    studio.until("grey", lambda run: run.status == "stopped")
    viewer.answered(inked(0.83, 0.2))


def test_a_reload_keeps_the_drawing_and_the_wheel_goes_over(view: Any) -> None:
    viewer = view("grey")
    page = viewer.page
    viewer.tab("Draw")
    viewer.stroke((0.3, 0.2), (0.3, 0.8))
    said = viewer.answered(inked(0.3, 0.78))
    page.reload()
    page.wait_for_selector("#sketch-answer b")
    assert viewer.shown() == said
    pad = "document.querySelector('#sketch-pad').getContext('2d').getImageData(0, 0, 9999, 9999).data"
    assert page.evaluate(f"{pad}.some((value, k) => k % 4 === 0 && value > 99)")
    watcher = view("grey", wheel=False)  # who comes later watches
    watcher.page.wait_for_selector("#sketch-answer b")
    assert watcher.shown() == said
    assert watcher.page.get_by_role("button", name="Clear").is_disabled()
    watcher.stroke((0.1, 0.1), (0.9, 0.1))
    watcher.page.get_by_role("button", name="Steer here").click()
    watcher.page.locator("#sketch-clear:enabled").wait_for()
    assert watcher.sent == []
    watcher.tab("Clear")
    watcher.answered(blank)


def test_a_file_is_brought_to_the_runs_size_in_colour(view: Any, tmp_path: Path) -> None:
    viewer = view("colour")
    viewer.tab("Your picture")
    exact = np.random.default_rng(1).integers(0, 256, (SIDE, SIDE, 3), np.uint8)
    Image.fromarray(exact).save(tmp_path / "exact.png")
    viewer.page.locator("#sketch-file").set_input_files(tmp_path / "exact.png")
    viewer.answered(lambda pixel_CHW: (pixel_CHW == exact.transpose(2, 0, 1)).all())
    large = np.zeros((90, 150, 3), np.uint8)
    large[:, 30:75], large[:, 75:120] = (200, 0, 0), (0, 0, 200)  # the middle square, left and right
    file = io.BytesIO()
    Image.fromarray(large).save(file, "JPEG", quality=95)
    (tmp_path / "photo.jpg").write_bytes(file.getvalue())
    viewer.page.locator("#sketch-file").set_input_files(tmp_path / "photo.jpg")
    viewer.answered(lambda _pixels: len(viewer.sent) == 2)
    red, _green, blue = viewer.sent[-1].astype(int)
    assert (red[:, : SIDE // 2 - 1] > 180).all()  # to the edge
    assert (blue[:, SIDE // 2 + 1 :] > 180).all()
    (tmp_path / "no.png").write_text("no picture")
    viewer.page.locator("#sketch-file").set_input_files(tmp_path / "no.png")
    viewer.page.get_by_text("no.png can't be read as a picture.").wait_for()
    assert len(viewer.sent) == 2


def test_rows_are_chosen_by_number_and_by_a_click_on_a_mistake(studio: RealStudio, view: Any) -> None:
    viewer = view("colour")
    page, data = viewer.page, tr.open(studio.runs / "colour").data

    def says(place: int, split: str = "validation") -> None:
        true = data.classes[int(data.splits[split].y[place])]
        number, text = page.get_by_label("Number of the picture, from 0"), page.locator("#seen-says")
        viewer.wait(
            lambda: [page.locator("#seen-split").input_value(), number.input_value()] == [split, str(place)]
        )
        viewer.wait(lambda: text.inner_text().startswith(f"true: {true} ·"))

    page.get_by_label("From which rows").select_option("validation")
    says(0)
    page.get_by_role("button", name="The picture before").click()
    says(len(data.validation) - 1)
    page.get_by_role("button", name="The next picture").click()
    says(0)
    page.get_by_label("Number of the picture, from 0").fill("4")
    page.get_by_label("Number of the picture, from 0").press("Enter")
    says(4)
    page.get_by_label("From which rows").select_option("test")
    says(0, "test")
    page.locator("#time").focus()
    page.keyboard.press("Home")  # an untrained network makes mistakes
    page.get_by_text("0", exact=True).and_(page.locator("#clock-step")).wait_for()
    viewer.tab("Mistakes")

    def chosen() -> bool:  # once the mistakes of that step are drawn
        page.locator("#picture-canvas").click(position={"x": 20, "y": 40})
        page.keyboard.press("Escape")  # the rows behind it, below
        return bool(page.locator("#seen-split").input_value() == "validation")

    viewer.wait(chosen)
    place = int(page.get_by_label("Number of the picture, from 0").input_value())
    says(place)
    true, said = (page.locator("#seen-says").inner_text().split()[k] for k in (1, 5))
    assert true != said.strip(",")
    page.locator("#picture-canvas").click(position={"x": 20, "y": 40})
    behind = page.get_by_role("dialog")
    behind.get_by_text(f"says {said.strip(',')}, is {true}").wait_for()
    assert behind.locator("tbody tr").count() == 6
    drawn = "images => images.map(each => [each.naturalWidth, each.naturalHeight])"
    viewer.wait(lambda: behind.locator("img").evaluate_all(drawn) == [[SIDE, SIDE]] * 6)
    behind.get_by_role("button", name="Close").click()
    assert behind.count() == 0
