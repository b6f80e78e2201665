"""Films and pictures of untrained networks: files, sizes, pages that play, appearance."""

import io
import itertools
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from matplotlib.figure import Figure
from matplotlib.text import Text
from PIL import Image

from tests.conftest import Said
from tests.plots.browser import chromium
from tests.plots.room import outside, overlapping
from tests.waiting import HANG
from treino.api import Run, fit
from treino.data import load
from treino.errors import TreinoError
from treino.inspection.boundary import boundary
from treino.inspection.film import film_sight, frame_steps
from treino.inspection.input_planes import Plane
from treino.pictures.film import (
    draw_film,
    film_files,
    film_player,
    film_size,
    frames_of,
    sheet_words,
    steps_of,
)
from treino.pictures.untrained import untrained
from treino.plots.boundary import boundary_figure
from treino.plots.film import film_images, gif_steps
from treino.plots.film_compression import packed_frame
from treino.plots.film_player import player_html, player_page
from treino.plots.style import new_figure
from treino.store.output_files import OutputFolder
from treino.words import numeral

REFERENCES = Path(__file__).parent / "references"
TWO = {"features": ["alcohol", "color_intensity"]}


@pytest.fixture(scope="module")
def wine(tmp_path_factory: pytest.TempPathFactory) -> Run:
    run: Run = fit(
        "wine", parent=tmp_path_factory.mktemp("runs"), lean=True, steps=60, engine="flat-loop", **TWO
    )
    return run


def test_frames_lie_densely_at_the_beginning() -> None:
    steps = frame_steps(5000, 3210)
    assert steps[:6] == [0, 1, 2, 3, 4, 5]
    assert steps[-1] == 5000
    assert 3210 in steps
    assert 45 <= len(steps) <= 63
    assert frame_steps(25, 7, 10) == [0, 7, 10, 20, 25]
    assert frame_steps(0) == [0]
    assert frame_steps(1) == [0, 1]


@pytest.mark.slow
def test_what_changed_is_measured_on_the_same_grid(wine: Run) -> None:
    """Two frames against two pictures of their own, and against scikit-learn's grid of the same network."""
    from sklearn.base import BaseEstimator, ClassifierMixin
    from sklearn.inspection import DecisionBoundaryDisplay

    frames = list(frames_of(wine, [0, 1, 7]))
    assert frames[0].moved is None
    seen = film_sight(wine.module, wine.data)
    for before, now in itertools.pairwise(frames):
        a, b = before.shown, now.shown
        assert isinstance(a, Plane)
        assert isinstance(b, Plane)
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
    assert isinstance(shown, Plane)
    corners = np.array([[shown.x_R[0], shown.y_R[0]], [shown.x_R[-1], shown.y_R[-1]]])
    theirs = DecisionBoundaryDisplay.from_estimator(
        Network(), corners, grid_resolution=len(shown.x_R), eps=0, response_method="predict"
    )
    np.testing.assert_allclose(theirs.xx0[0], shown.x_R)
    np.testing.assert_array_equal(theirs.response, shown.winner_RR)


@pytest.mark.slow
def test_the_film_s_files(wine: Run, tmp_path: Path) -> None:
    told: list[str] = []
    paths = draw_film(wine, 20, OutputFolder(tmp_path), lambda size: told.append(str(size)))
    names = sorted(str(p.relative_to(tmp_path)) for p in paths)
    steps = steps_of(wine, 20)
    assert [n for n in names if n.startswith("film/")] == [f"film/frame-{s:02d}.png" for s in steps]
    assert {"film.gif", "film.html", "film.png"} <= set(names)
    assert told == [f"{len(steps)} frames, about 1 MB"]
    total = sum(p.stat().st_size for p in paths)
    assert total / 4 < film_size(wine, 20).bytes < total * 4
    with Image.open(tmp_path / "film.gif") as animation:
        assert animation.n_frames == len(steps)
        assert animation.size == (640, 480)
    with Image.open(tmp_path / "film/frame-00.png") as frame:
        assert frame.size == (800, 600)
    frames = list(frames_of(wine, [0, 1, 20]))
    captions, (meaning,) = sheet_words([*frames, frames[-1]])
    assert meaning.startswith("Changed")
    assert captions[0] == "step 0"
    assert captions[3].endswith(" · probability 0 %")
    for before, now, caption in zip(frames, frames[1:], captions[1:], strict=False):
        assert isinstance(before.shown, Plane)
        assert isinstance(now.shown, Plane)
        share = 100 * (before.shown.winner_RR != now.shown.winner_RR).mean()
        assert float(caption.split(" · ")[2].removesuffix(" % changed")) == pytest.approx(share, rel=0.05)
    assert (tmp_path / "film.html").stat().st_size < 3_000_000
    with pytest.raises(TreinoError, match="other files"):
        draw_film(wine, 30, OutputFolder(tmp_path))
    place = OutputFolder(tmp_path, replace=True)
    again = draw_film(wine, 30, place)  # frames of the other film are gone
    assert set(place.replaced) == set(paths)
    assert sorted(p.name for p in (tmp_path / "film").iterdir()) == sorted(
        p.name for p in again if p.parent.name == "film"
    )


@pytest.mark.slow
def test_of_a_long_film_the_gif_takes_some_frames(wine: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    assert gif_steps([*range(301)]) == {*range(0, 301, 3), 300}
    assert gif_steps([*range(150)]) == {*range(150)}
    monkeypatch.setattr("treino.plots.film.GIF_FRAMES", 2)
    files = dict(film_files(wine, [0, 1, 2, 3, 4]))
    assert sum(name.startswith("film/") for name in files) == 5
    with Image.open(io.BytesIO(files["film.gif"])) as animation:
        assert animation.n_frames == len({0, 3, 4})


@pytest.mark.slow
def test_a_film_that_has_no_room_is_refused_first(
    wine: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import shutil
    from collections import namedtuple

    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage(10**12, 10**12, 50_100_000))
    with pytest.raises(TreinoError, match="has 50 MB free") as caught:
        draw_film(wine, 1, OutputFolder(tmp_path / "film"))
    assert "every=" in caught.value.hint
    assert not (tmp_path / "film").exists()
    with pytest.raises(TreinoError, match="at least 1"):
        steps_of(wine, 0)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["film", "untrained"])
def test_pictures_are_what_they_were(name: str, wine: Run, tmp_path: Path) -> None:
    """Against committed pictures of 160 pixels: fonts and rounding may differ, not what is to be seen."""
    if name == "film":
        ((_frame, image),) = film_images(frames_of(wine, [60]), 60)
    else:
        with Image.open(untrained(wine, 9, OutputFolder(tmp_path))) as drawn:
            image = drawn.convert("RGB")
    mine = image.resize((160, round(160 * image.height / image.width)), Image.Resampling.BOX)
    path = REFERENCES / f"{name}.png"
    with Image.open(path) as reference:
        theirs = reference.convert("RGB")
    assert mine.size == theirs.size
    difference = np.abs(np.asarray(mine, float) - np.asarray(theirs, float)).mean()
    assert difference < 3, f"{path} differs by {difference:.1f} of 255"


@pytest.mark.slow
def test_the_same_film_has_the_same_bytes(wine: Run) -> None:
    one, two = (dict(film_files(wine, [0, 30, 60])) for _i in range(2))
    assert one == two


def odd_runs(parent: Path) -> dict[str, Run]:
    """Runs that a film could stumble over."""
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
    return {
        name: fit(data, parent=parent, lean=True, steps=30, hidden=[8], **more)
        for name, (data, more) in asked.items()
    }


@pytest.mark.slow
def test_the_player_in_a_browser(wine: Run, tmp_path: Path) -> None:
    """Each kind of film plays by keys and slider, in light and dark, with no error and nothing asked for."""
    runs = {"wine": wine, **odd_runs(tmp_path / "runs")}
    with chromium() as browser:
        for number, (name, run) in enumerate(runs.items()):
            body = film_player(run, 15)
            path = tmp_path / f"{number}.html"
            path.write_text(player_page(body, run.data.name, ["above"]))
            page = browser.new_page(color_scheme=("light", "dark")[number % 2])
            page.set_default_timeout(1000 * HANG)
            said: list[str] = []
            page.on("console", lambda m, said=said: said.append(m.text))
            page.on("pageerror", lambda e, said=said: said.append(str(e)))
            page.on("dialog", lambda d, said=said: said.append(d.message))
            page.on("request", lambda r, said=said: said.append(r.url) if "file:" not in r.url else None)
            page.goto(path.as_uri())
            page.wait_for_selector(".film[data-ready=yes]")
            steps = steps_of(run, 15)
            assert "untrained" in page.inner_text(".said p >> nth=0"), name
            first = page.evaluate("document.querySelector('.film canvas').toDataURL()")
            page.focus(".film")
            page.keyboard.press("End")
            assert page.input_value(".film input") == str(len(steps) - 1)
            assert f"Step {steps[-1]} of" in page.inner_text(".said p >> nth=0")
            last = page.evaluate("document.querySelector('.film canvas').toDataURL()")
            assert first != last, name
            page.keyboard.press("ArrowLeft")
            assert page.input_value(".film input") == str(max(0, len(steps) - 2))
            page.keyboard.press("Home")
            page.select_option(".film select", "4")
            page.click(".film .play")
            page.wait_for_function(f"document.querySelector('.film input').value == {len(steps) - 1}")
            assert said == [], name


@pytest.mark.slow
def test_bytes_hold_the_border_where_the_network_has_it(wine: Run) -> None:
    """The player's bytes unpacked: winners as on the grid, probabilities to half a per cent."""
    ((frame),) = frames_of(wine, [60])
    shown = frame.shown
    assert isinstance(shown, Plane)
    pressed = packed_frame(frame)
    size = 3 * shown.x_R.size**2
    raw = np.frombuffer(pressed.content[:size], np.uint8).reshape(3, shown.x_R.size, -1)
    below = np.cumsum(raw, axis=-1, dtype=np.uint8) * pressed.scale / 254
    p_CRR = np.exp(-below) / np.exp(-below).sum(0)
    assert (p_CRR.argmax(0) == shown.winner_RR).mean() > 0.995
    np.testing.assert_allclose(np.moveaxis(p_CRR, 0, -1), shown.probability_RRC, atol=0.006)
    wrong = np.frombuffer(pressed.content[size:], np.uint8).astype(bool)
    np.testing.assert_array_equal(wrong, np.concatenate([p.wrong_N for p in shown.points]))


@pytest.mark.slow
def test_two_films_on_one_page_do_not_meet(wine: Run) -> None:
    one, two = film_player(wine, 30), film_player(wine, 20)
    found = [re.search(r'id="(film-\w+)"', text) for text in (one, two)]
    assert found[0] is not None
    assert found[1] is not None
    assert found[0][1] != found[1][1]
    assert player_html(iter(()), 5) == ""


@pytest.mark.slow
def test_plot_on_the_command_line(
    wine: Run, treino: Said, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    said = treino("plot", str(wine.path), "--film", "--every", "30", "--to", "out", "--json")
    paths = json.loads(said.out)["paths"]
    assert "out/film.html" in paths
    assert all(Path(p).is_file() for p in paths)
    assert "4 frames" in said.err or "3 frames" in said.err
    said = treino("plot", "wine", "--untrained", "4")
    assert said.status == 0
    assert Path("untrained.png").is_file()
    for words, rule in (
        (("--every", "3"), "every_without_film"),
        (("--film", "--every", "0"), "every_range"),
        (("--untrained", "0"), "untrained_range"),
        (("--untrained", "99"), "untrained_range"),
        (("--smooth", "0.5", "--what", "boundary"), "smooth_without_curves"),
    ):
        said = treino("plot", str(wine.path), *words, "--json")
        assert said.status == 2
        assert json.loads(said.out)["error"]["rule"] == rule
    said = treino("train", "--branch", f"{wine.path}:20", "--lr", "0.01", "--hidden", "9,4", "--json")
    assert json.loads(said.out)["parent"]["step"] == 20
    assert json.loads(said.out)["settings"]["hidden"] == [9, 4]
    for words, rule in (
        (("--branch", "nothing"), "branch_form"),
        (("--branch", f"{wine.path}:999"), "step_range"),
        (("--branch", f"{wine.path}:20", "--batch-norm"), "branch_setting"),
        (("wine", "--branch", f"{wine.path}:20"), "branch_and_more"),
        (("wine", "--seeds", "2", "--every", "5"), "every_of_several"),
    ):
        said = treino("train", *words, "--json")
        assert said.status == 2
        assert json.loads(said.out)["error"]["rule"] == rule


MILLIONS = "size,rooms,price\n" + "\n".join(f"{i},{i % 5},{(3 * i + i % 5) * 12345}" for i in range(1, 121))


@pytest.mark.slow
@pytest.mark.parametrize("features", [["size"], ["size", "rooms"]])
def test_large_targets_leave_room_for_their_name(
    features: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "homes.csv").write_text(MILLIONS)
    table, settings = str(tmp_path / "homes.csv"), {"target": "price", "features": features, "steps": 3}
    run = fit(table, parent=tmp_path, lean=True, **settings)
    figures: list[Figure] = []
    monkeypatch.setattr("treino.plots.film.new_figure", lambda: figures.append(new_figure()) or figures[-1])
    list(film_images(frames_of(run, [3]), 3))
    for figure in (figures[0], boundary_figure(boundary(run.module, run.data))):
        assert outside(figure) == []
        assert overlapping(figure) == []
    path = tmp_path / "page.html"
    path.write_text(player_page(film_player(run, 3), "homes", []))
    drawn = canvas_words(path)
    assert any("\u202f000" in word["text"] for word in drawn)
    assert overlaps(drawn) == []


def canvas_words(path: Path) -> list[dict[str, Any]]:
    """Each text that the page's canvas shows, with its corners in the canvas."""
    with chromium() as browser:
        page = browser.new_page()
        page.set_default_timeout(1000 * HANG)
        page.add_init_script(SPY)
        page.goto(path.as_uri())
        page.wait_for_selector(".film[data-ready=yes]")
        words: list[dict[str, Any]] = page.evaluate("window.words.slice(window.words.lastIndexOf(null) + 1)")
    return words


SPY = """
window.words = [];
const pen = CanvasRenderingContext2D.prototype, fill = pen.fillText, clear = pen.clearRect;
pen.clearRect = function (...a) { window.words.push(null); clear.apply(this, a); };
pen.fillText = function (text, x, y, ...rest) {
  const m = this.measureText(text), t = this.getTransform();
  const left = x - m.actualBoundingBoxLeft, right = x + m.actualBoundingBoxRight;
  const top = y - m.actualBoundingBoxAscent, bottom = y + m.actualBoundingBoxDescent;
  const ends = [[left, top], [right, bottom]].map(([a, b]) => t.transformPoint(new DOMPoint(a, b)));
  const xs = ends.map(p => p.x), ys = ends.map(p => p.y);
  const box = {x0: Math.min(...xs), x1: Math.max(...xs), y0: Math.min(...ys), y1: Math.max(...ys)};
  window.words.push({text, ...box});
  fill.call(this, text, x, y, ...rest);
};
"""


def overlaps(words: list[dict[str, Any]]) -> list[tuple[str, str]]:
    return [
        (a["text"], b["text"])
        for a, b in itertools.combinations(words, 2)
        if a["x0"] < b["x1"] and b["x0"] < a["x1"] and a["y0"] < b["y1"] and b["y0"] < a["y1"]
    ]


def test_untrained_networks_say_where_the_other_columns_are_held(tmp_path: Path) -> None:
    """A class that the network predicts off the plane isn't called nowhere to be found."""
    figures: list[Figure] = []
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(
            "treino.plots.boundary_grid.new_figure",
            lambda high: figures.append(new_figure(high)) or figures[-1],
        )
        untrained("wine", 9, OutputFolder(tmp_path))
    said = [t.get_text() for t in figures[0].findobj(Text)]
    assert outside(figures[0]) == []
    caption = " ".join(said)
    data = load("wine")
    raw = np.median(data.preparation.inverse(data.train.x), axis=0)
    assert all(name[:20] in caption for name in data.features)
    held = [
        f"{n} {numeral(v)}" for n, v in zip(data.features, raw, strict=True) if f"{n} {numeral(v)}" in caption
    ]
    assert len(held) >= 10  # but for the two axes and a name that is too long
    assert any(text.startswith("not on this plane: class_") for text in said)
    assert not any(text.startswith("nowhere") for text in said)
