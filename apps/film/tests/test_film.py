"""Films and pictures of untrained networks: files, sizes, pages that play, appearance."""

import base64
import io
import itertools
import json
import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from matplotlib.figure import Figure
from matplotlib.text import Text
from PIL import Image
from tests.conftest import Said, refusal_of
from tests.plots.browser import chromium
from tests.plots.room import outside
from tests.training.test_convolutions import SMALL, _tiny  # noqa: F401  (a built-in for every test here)
from tests.waiting import HANG

from treino import api
from treino.api import Run
from treino.base.errors import TreinoError
from treino.base.words import numeral
from treino.data import load
from treino.folders.store.output_files import OutputFolder
from treino.plots.style import colour, look, new_figure
from treino.reports.pictures.picture_files import draw
from treino.reports.run_report import silent
from treino_film.figures import _Stage, film_pictures, sheet_figure
from treino_film.frames import FilterView, film_sight, frame_steps
from treino_film.pictures import (
    REPORT,
    evenly,
    film_files,
    frames_of,
    moving_picture,
    section,
    sheet_words,
    steps_of,
)
from treino_film.untrained import untrained

REFERENCES = Path(__file__).parent / "references"
TWO = {"features": ["alcohol", "color_intensity"]}


@pytest.fixture(scope="module")
def wine(tmp_path_factory: pytest.TempPathFactory) -> Run:
    run: Run = api.fit(
        "wine", parent=tmp_path_factory.mktemp("runs"), lean=True, steps=60, engine="batched", **TWO
    )
    return run


def test_frames_lie_densely_at_the_beginning() -> None:
    steps = frame_steps(5000, 3210)
    assert steps[:6] == [0, 1, 2, 3, 4, 5]
    assert steps[-1] == 5000
    assert 3210 in steps
    assert 45 <= len(steps) <= 63
    assert frame_steps(25, 7, 10) == [0, 7, 10, 20, 25]


def test_what_changed_is_measured_on_the_same_grid(wine: Run) -> None:
    """Two frames against two pictures of their own, and against scikit-learn's grid of the same network."""
    from sklearn.base import BaseEstimator, ClassifierMixin
    from sklearn.inspection import DecisionBoundaryDisplay

    frames = list(frames_of(wine, [0, 1, 7]))
    assert frames[0].moved is None
    seen = film_sight(wine.module, wine.data)
    for before, now in itertools.pairwise(frames):
        a, b = before.shown, now.shown
        np.testing.assert_array_equal(a.x_R, b.x_R)
        assert now.moved == (a.winner_RR != b.winner_RR).mean()
        shift = np.abs(a.probability_RRC.astype(float) - b.probability_RRC).sum(-1) / 2
        assert now.change == pytest.approx(shift.mean())
    assert 0 < (frames[1].change or 0) < 0.1  # one step: it looks the same, and is not

    net, data = wine.at(7).net, wine.data

    class Network(ClassifierMixin, BaseEstimator):
        classes_ = np.arange(3)

        def fit(self, x: Any, y: Any) -> "Network":
            return self

        def __sklearn_is_fitted__(self) -> bool:
            return True

        def predict(self, x: Any) -> Any:
            rows = torch.as_tensor(data.preparation.transform(np.asarray(x)), dtype=torch.float32)
            with torch.no_grad():
                return net(rows).argmax(1).numpy()

    assert seen is not None
    shown = frames[2].shown
    corners = np.array([[shown.x_R[0], shown.y_R[0]], [shown.x_R[-1], shown.y_R[-1]]])
    theirs = DecisionBoundaryDisplay.from_estimator(
        Network(), corners, grid_resolution=len(shown.x_R), eps=0, response_method="predict"
    )
    np.testing.assert_allclose(theirs.xx0[0], shown.x_R)
    np.testing.assert_array_equal(theirs.response, shown.winner_RR)


@pytest.mark.slow
def test_the_film_s_files(wine: Run, tmp_path: Path) -> None:
    told: list[str] = []
    paths = draw(wine, ["film"], OutputFolder(tmp_path), tell=told.append, every=20)
    names = sorted(str(p.relative_to(tmp_path)) for p in paths)
    steps = steps_of(wine, 20)
    assert [n for n in names if n.startswith("film/")] == [f"film/frame-{s:02d}.png" for s in steps]
    assert {"film.gif", "film.html", "film.png"} <= set(names)
    assert told == [f"Film: {len(steps)} frames, about 1 MB"]
    assert 1e6 / 4 < sum(p.stat().st_size for p in paths) < 4e6
    with Image.open(tmp_path / "film.gif") as animation:
        assert animation.n_frames == len(steps)
        assert animation.size == (640, 480)
    with Image.open(tmp_path / "film/frame-00.png") as frame:
        assert frame.size == (800, 600)
    frames = list(frames_of(wine, [0, 1, 20]))
    captions, _meaning = sheet_words(frames)
    for before, now, caption in zip(frames, frames[1:], captions[1:], strict=False):
        share = 100 * (before.shown.winner_RR != now.shown.winner_RR).mean()
        assert float(caption.split(" · ")[2].removesuffix(" % changed")) == pytest.approx(share, rel=0.05)
    shown = page_pictures((tmp_path / "film.html").read_bytes())
    assert [words.partition(" of")[0] for words, _content in shown] == [f"Step {step}" for step in steps]
    assert "other files" in str(refusal_of(draw, wine, ["film"], OutputFolder(tmp_path), every=30))
    place = OutputFolder(tmp_path, replace=True)
    again = draw(wine, ["film"], place, every=30)  # frames of the other film are gone
    assert set(place.replaced) == set(paths)
    assert set((tmp_path / "film").iterdir()) == {p for p in again if p.parent.name == "film"}


@pytest.mark.slow
def test_a_frame_over_constant_parts_is_the_whole_drawing(wine: Run, tmp_path: Path) -> None:
    """Pixel by pixel as matplotlib draws the whole figure: on a plane, a line, and of numbers with a grid."""
    numbers = api.fit("diabetes", parent=tmp_path, lean=True, steps=30)
    line = api.fit("wine", features=["alcohol"], parent=tmp_path, lean=True, steps=30)
    for run in (wine, line, numbers):
        stage = None
        for frame in frames_of(run, [0, 7, 30]):
            with look():
                stage = stage or _Stage.of(frame)
                pixels = stage.pixels(frame.shown, ["first", "second", "third"])
                stage.canvas.draw()
                whole = np.asarray(stage.canvas.buffer_rgba())[..., :3]
            np.testing.assert_array_equal(pixels, whole)


@pytest.mark.slow
def test_no_two_classes_get_one_colour_in_film_and_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Eleven classes of 4 to 60 rows around a circle: few pixels of some, many of others."""
    r, count = np.random.default_rng(3), 11
    class_N = np.repeat(np.arange(count), [60 if c % 3 else 4 for c in range(count)])
    turn_N = 2 * np.pi * class_N / count
    at_N2 = 3 * np.column_stack([np.cos(turn_N), np.sin(turn_N)]) + r.normal(0, 0.7, (len(class_N), 2))
    frame = pd.DataFrame(at_N2, columns=["x", "y"]).assign(k=[f"class {c:02}" for c in class_N])
    run = api.fit(frame, target="k", parent=tmp_path, steps=60, engine="batched")
    monkeypatch.setattr("treino_film.pictures.steps_of", lambda *_: [0, 60])
    files = dict(film_files(run))
    wholes = [Image.open(io.BytesIO(files[f"film/frame-{step}.png"])) for step in ("00", "60")]
    pages = [Image.open(io.BytesIO(content)) for _words, content in page_pictures(files["film.html"])]
    ink_C3 = np.array([[int(colour(c)[i : i + 2], 16) for i in (1, 3, 5)] for c in range(count)])
    tint_CS3 = np.rint(255 + np.linspace(0.2, 0.5, 9)[:, None] * (ink_C3[:, None] - 255))
    with Image.open(io.BytesIO(files["film.gif"])) as animation:
        for place, whole in enumerate(wholes):
            animation.seek(place)
            small = whole.resize(animation.size, Image.Resampling.LANCZOS)
            for reduced, original in ((pages[place], whole), (animation, small)):
                true_HW, shown_HW = (of_24_bits(image.convert("RGB")) for image in (original, reduced))
                true_K, shown_K = np.divmod(np.unique(true_HW << 24 | shown_HW), 1 << 24)
                for c, ink in enumerate(of_24_bits(ink_C3)):
                    assert shown_K[true_K == ink].tolist() == [ink]
                    pale_K = shown_K[np.isin(true_K, of_24_bits(tint_CS3[c]))]
                    pale_K3 = np.stack([pale_K >> 16, pale_K >> 8 & 255, pale_K & 255], axis=1)
                    far_KC = np.abs(pale_K3[:, None, None] - tint_CS3).max(axis=3).min(axis=2)
                    assert (far_KC.argmin(axis=1) == c).all()


def of_24_bits(colours: Any) -> Any:
    """Red, green and blue of the last axis as one number."""
    return np.asarray(colours, np.int64) @ [1 << 16, 1 << 8, 1]


def page_pictures(html: bytes) -> list[tuple[str, bytes]]:
    """The words and the bytes of each picture in the film's page."""
    found = re.findall(r"<img[^>]* alt='([^']*)' src='data:image/png;base64,([^']*)'", html.decode())
    return [(words, base64.b64decode(content)) for words, content in found]


@pytest.mark.slow
def test_of_a_long_film_gif_and_page_take_some_frames(wine: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    assert evenly([*range(301)], 151) == [*range(0, 301, 2)]
    assert evenly([*range(150)], 150) == [*range(150)]
    monkeypatch.setattr("treino_film.pictures.MOVING", 3)
    monkeypatch.setattr("treino_film.pictures.steps_of", lambda *_: [0, 1, 2, 3, 4])
    files = dict(film_files(wine))
    assert sum(name.startswith("film/") for name in files) == 5
    with Image.open(io.BytesIO(files["film.gif"])) as animation:
        assert animation.n_frames == 3
    steps = [int(re.search(r"Step (\d)", words)[1]) for words, _png in page_pictures(files["film.html"])]
    assert steps == [0, 2, 4]
    monkeypatch.undo()
    assert moving_picture(wine, silent) == dict(film_files(wine))["film.gif"]


def test_a_film_that_has_no_room_is_refused_first(
    wine: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda path: SimpleNamespace(free=50_100_000))
    with pytest.raises(TreinoError, match="has 50 MB free") as caught:
        draw(wine, ["film"], OutputFolder(tmp_path / "film"), every=1)
    assert "every=" in caught.value.hint
    assert not (tmp_path / "film").exists()
    assert "at least 1" in str(refusal_of(steps_of, wine, 0))


@pytest.mark.parametrize("name", ["film", "untrained"])
def test_pictures_are_what_they_were(name: str, wine: Run, tmp_path: Path) -> None:
    """Against committed pictures of 160 pixels: fonts and rounding may differ, not what is to be seen."""
    if name == "film":
        (picture,) = film_pictures(frames_of(wine, [60]), 60)
        image = picture.image
    else:
        with Image.open(untrained(wine, 9, OutputFolder(tmp_path))) as drawn:
            image = drawn.convert("RGB")
    mine = image.resize((160, round(160 * image.height / image.width)), Image.Resampling.BOX)
    with Image.open(REFERENCES / f"{name}.png") as reference:
        theirs = reference.convert("RGB")
    difference = np.abs(np.asarray(mine, float) - np.asarray(theirs, float)).mean()
    assert difference < 3  # of 255


def odd_run(name: str, parent: Path) -> Run:
    """A run that a film could stumble over."""
    chance = np.random.default_rng(0)
    a, b = chance.normal(size=(2, 90))
    hostile = np.where(a > 0, "<script>alert(1)</script>", np.where(b > 0, '$x_1$ & "q"', "</script>"))
    many = chance.normal(size=(450, 2)) + np.stack([np.arange(450) % 15 % 4, np.arange(450) % 15 // 4], 1) * 5
    asked: dict[str, tuple[Any, dict[str, Any]]] = {
        "hostile": (pd.DataFrame({"<b>a</b>": a, "b": b, "y": hostile}), {"target": "y"}),
        "one input": (pd.DataFrame({"a": a, "y": np.where(a > 0, "p", "q")}), {"target": "y"}),
        "curve": (pd.DataFrame({"a": a, "y": np.sin(a)}), {"target": "y"}),
        "fit": ("diabetes", {}),
        "many classes": ((many, np.arange(450) % 15), {}),
        "diverged": ("wine", {"optimizer": "sgd", "lr": 1e5}),
    }
    data, more = asked[name]
    return api.fit(data, parent=parent, lean=True, steps=30, hidden=[8], **more)


ODD = ("one input", "curve", "fit", "many classes", "diverged")


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("hostile", marks=pytest.mark.slow),
        *(pytest.param(name, marks=pytest.mark.release) for name in ODD),
    ],
)
def test_the_player_in_a_browser(name: str, tmp_path: Path) -> None:
    """Each kind of film plays by keys and slider, with no error, and asks for nothing."""
    run = odd_run(name, tmp_path / "runs")
    with chromium() as browser:
        steps, path = evenly(steps_of(run), REPORT), tmp_path / "film.html"
        path.write_text(section(run)[0].html)
        page = browser.new_page(color_scheme="dark")
        page.set_default_timeout(1000 * HANG)
        said: list[str] = []
        page.on("console", lambda m: said.append(m.text))
        page.on("pageerror", lambda e: said.append(str(e)))
        page.on("dialog", lambda d: said.append(d.message))
        page.on("request", lambda r: said.append(r.url) if "file:" not in r.url else None)
        page.goto(path.as_uri())
        assert seen_in(page).startswith(f"Step {steps[-1]} of")  # the network as it is at the end
        page.keyboard.press("Home")
        assert "untrained" in seen_in(page)
        page.keyboard.press("ArrowRight")
        assert page.input_value(".film input") == "1"
        assert seen_in(page).startswith(f"Step {steps[1]} of")
        page.locator(".film input").fill("0")
        assert "untrained" in page.get_attribute(".film input", "aria-valuetext")
        page.select_option(".film select", "4")
        page.click(".film .play")
        page.wait_for_function(f"document.querySelector('.film input').value == {len(steps) - 1}")
        assert [url for url in said if not url.startswith("data:image/png")] == []


def seen_in(page: Any) -> str:
    """The words of the one picture that is seen."""
    (words,) = page.eval_on_selector_all(".film img", "all => all.filter(i => !i.hidden).map(i => i.alt)")
    return str(words)


@pytest.mark.slow
def test_plot_on_the_command_line(
    wine: Run, treino: Said, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    said = treino("plot", str(wine.path), "--film", "--every", "30", "--to", "out", "--json")
    paths = json.loads(said.out)["paths"]
    assert "out/film.html" in paths
    assert all(Path(p).is_file() for p in paths)
    assert treino("plot", "wine", "--untrained", "4").status == 0
    assert Path("untrained.png").is_file()
    for words, rule in (
        (("--every", "3"), "every_without_film"),
        (("--film", "--every", "0"), "every_range"),
        (("--untrained", "0"), "untrained_range"),
        (("--smooth", "0.5", "--what", "boundary"), "smooth_without_curves"),
    ):
        said = treino("plot", str(wine.path), *words, "--json")
        assert said.status == 2
        assert json.loads(said.out)["error"]["rule"] == rule


@pytest.mark.slow
def test_untrained_networks_say_where_the_other_columns_are_held(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A class that the network predicts off the plane isn't called nowhere to be found."""
    figures: list[Figure] = []
    noted = lambda high: figures.append(new_figure(high)) or figures[-1]  # noqa: E731
    monkeypatch.setattr("treino.plots.style.new_figure", noted)
    untrained("wine", 9, OutputFolder(tmp_path))
    said = [t.get_text() for t in figures[0].findobj(Text)]
    assert outside(figures[0]) == []
    caption = " ".join(said)
    data = load("wine")
    raw = np.median(data.preparation.inverse(data.train.x), axis=0)
    assert all(name[:20] in caption for name in data.features)
    held = [f"{name} {numeral(value)}" for name, value in zip(data.features, raw, strict=True)]
    assert sum(words in caption for words in held) >= 10  # but for the two axes and a name that is too long
    assert any(text.startswith("not on this plane: class_") for text in said)
    assert not any(text.startswith("nowhere") for text in said)


def test_the_film_shows_the_filters_of_each_step_and_what_they_give(tmp_path: Path) -> None:
    run = api.fit("tiny", parent=tmp_path, lean=True, **SMALL)
    frames = list(frames_of(run, [0, 5, 12]))
    for frame in frames:
        shown, net = frame.shown, run.at(frame.step).net
        assert isinstance(shown, FilterView)
        assert (shown.picture.split, shown.picture.index) == ("validation", int(run.data.validation.index[0]))
        np.testing.assert_array_equal(shown.kernel_UCHW, net[0].weight.detach().numpy()[shown.sight.units_U])
        x_NCHW = run.data.validation.x.reshape(-1, *(run.item_shape or ()))
        with torch.no_grad():
            map_UHW = net[1](net[0](x_NCHW[:1]))[0]
            answer_N = net(x_NCHW).argmax(dim=1)
        np.testing.assert_allclose(shown.map_UHW, map_UHW[shown.sight.units_U], rtol=1e-5, atol=1e-6)
        np.testing.assert_array_equal(shown.predicted_N, answer_N)
        assert shown.score.accuracy == float((answer_N == run.data.validation.y).double().mean())
    before, now = frames[0].shown, frames[1].shown
    assert isinstance(before, FilterView)
    assert isinstance(now, FilterView)
    length = np.linalg.norm(now.kernel_UCHW - before.kernel_UCHW) / np.linalg.norm(before.kernel_UCHW)
    assert frames[1].change == pytest.approx(length)
    assert frames[1].moved == (now.predicted_N != before.predicted_N).mean()
    (picture,) = film_pictures(frames[1:2], 12)
    assert "Step 5 of 12" in picture.caption
    captions, meaning = sheet_words(frames)
    assert "filters" in captions[1]
    assert outside(sheet_figure([frame.shown for frame in frames], captions, "tiny", meaning)) == []
    assert untrained(run, 2, OutputFolder(tmp_path)).stat().st_size
