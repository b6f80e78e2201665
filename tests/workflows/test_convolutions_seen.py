"""What shows a run shows that of a convolutional network too, or says why not and what to do instead."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch.func import functional_call

import treino as tr
from tests.plots.browser import chromium
from tests.plots.room import outside
from tests.workflows.test_convolutions import SMALL, _tiny  # noqa: F401  (a built-in for every test here)
from treino.errors import TreinoError
from treino.inspection.loss_surface import described
from treino.inspection.microscope import topics
from treino.inspection.thumbnails import first_weights
from treino.pictures.landscape import surface_of
from treino.pictures.picture_files import PICTURES, draw
from treino.plots.network import weights_figure
from treino.reports.report import report
from treino.studio.run_commands import arithmetic, before_update
from treino.studio.run_page import RunPage
from treino.studio.run_state import run_state

EVERY: dict[str, Any] = SMALL | {
    "channels": [4, 6], "blocks": 1, "group_norm": 2, "dropout": 0.1, "hidden": [6], "activation": "tanh",
    "pool": ["max", "average"],
}  # fmt: skip


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tr.Run]:
    folder, made = tmp_path_factory.mktemp("runs"), {}
    for name, settings in {"plain": SMALL, "blocks": EVERY, "together": SMALL | {"ensemble": 2}}.items():
        run = tr.fit("tiny", name=name, parent=folder, lean=True, **settings)
        assert isinstance(run, tr.Run)
        made[name] = run
    return made


@pytest.mark.slow
@pytest.mark.parametrize("name", ["plain", "blocks", "together"])
def test_every_picture_is_drawn_but_the_dependence_on_a_pixel(
    runs: dict[str, tr.Run], name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for size in ("RESOLUTION", "COARSE"):
        monkeypatch.setattr(f"treino.inspection.loss_planes.{size}", 7)
    monkeypatch.setattr("treino.inspection.film.FRAMES", 3)
    refused: list[TreinoError] = []
    for what in PICTURES:
        before = len(refused)
        files = draw(runs[name], (what,), None, refused)
        assert len(refused) > before or all(path.stat().st_size for path in files), what
    assert [error.rule for error in refused] == ["dependence_pixels"]
    assert "importance" in refused[0].hint


def test_the_picture_of_first_weights_has_the_kernels(runs: dict[str, tr.Run]) -> None:
    run = runs["blocks"]
    shown = first_weights(run.module, run.data, item_shape=run.item_shape)
    kernel_UCHW = run.tensors["0.weight"].numpy()
    assert shown.tile_U is not None
    np.testing.assert_array_equal(shown.tile_U, kernel_UCHW[shown.units_U])
    length_U = np.linalg.norm(kernel_UCHW.reshape(len(kernel_UCHW), -1), axis=1)
    assert (np.diff(length_U[shown.units_U]) <= 0).all()
    assert outside(weights_figure(shown)) == []


def test_its_loss_surface_is_measured_by_the_network_itself(runs: dict[str, tr.Run]) -> None:
    """It is no chain of layers that the compiled kernel could take for an MLP."""
    run = runs["blocks"]
    surface = surface_of(run)
    assert described(run.module) is None
    here_n = surface.place(run.module)
    there_n = here_n + 0.05 * torch.randn(here_n.shape, generator=torch.Generator().manual_seed(0))
    measured = surface.losses(here_n, (there_n - here_n)[None], np.array([[0.0], [1.0]]))
    x_NCHW, wanted = surface.rows.x.reshape(-1, *(run.item_shape or ())), []
    for place_n in (here_n, there_n):
        weights = surface.layout.named(place_n)
        wanted.append(float(F.cross_entropy(functional_call(run.module, weights, (x_NCHW,)), surface.rows.y)))
    assert measured.tolist() == pytest.approx(wanted, rel=1e-5)


@pytest.mark.parametrize("topic", topics())
def test_the_microscope_says_that_it_knows_no_convolution(runs: dict[str, tr.Run], topic: str) -> None:
    with pytest.raises(TreinoError, match="holds Conv2d") as caught:
        tr.explain(topic, runs["plain"])
    assert "plain network" in caught.value.hint


@pytest.mark.slow
def test_its_report_has_every_section(runs: dict[str, tr.Run]) -> None:
    page = Path(report([runs["blocks"]])).read_text()
    words = re.sub(r"<[^>]+>", " ", page)
    for word in ("Conv2d", "GroupNorm", "Feature importance", "Confusion", "Mistakes", "Inside"):
        assert word in words
    assert "Traceback" not in words


# ---- the studio


def test_the_studio_says_what_keeps_the_layers(runs: dict[str, tr.Run], tmp_path: Path) -> None:
    state = run_state(runs["blocks"])
    assert state["network"]["fixed"] == "cnn"
    assert state["choices"]["activation"] == []
    assert "dropout" in state["choices"]["live"]
    for settings, fixed in (({"batch_norm": True}, "batch_norm"), ({}, None)):
        other = tr.fit("tiny", hidden=[4], steps=2, lean=True, parent=tmp_path, **settings)
        assert run_state(other)["network"]["fixed"] == fixed


def test_the_studio_shows_its_kernels_and_units(runs: dict[str, tr.Run], frames: list[Any]) -> None:
    run = runs["blocks"]
    page = RunPage("run/it", run.path, lambda _header, _body: None)
    page.viewers = 1
    page.open()
    page.show_step(12)
    header, parts = frames[-1]
    assert [layer["total"] for layer in header["layers"]] == [4, 4, 4, 6, 6, 10]  # as many as are drawn
    assert parts["tile.1"].shape == (4, 1, 3, 3)
    kernel_UHW = run.at(12).net[0].weight.detach().numpy()[:, 0]
    scaled = 128 + 127 * kernel_UHW / np.abs(kernel_UHW).max(axis=(1, 2), keepdims=True)
    np.testing.assert_array_equal(parts["tile.1"][:, 0], np.round(scaled).astype(np.uint8))
    with pytest.raises(TreinoError, match="holds Conv2d"):
        arithmetic(before_update(run, 5), "0", 1, 2)


@pytest.mark.slow
def test_headings_of_the_network_s_picture_stand_side_by_side(runs: dict[str, tr.Run]) -> None:
    (path,) = draw(runs["blocks"], ("network",))
    with chromium() as browser:
        page = browser.new_page()
        page.goto(path.as_uri())
        boxes = page.evaluate(
            "[...document.querySelectorAll('.head')].map(n => n.getBoundingClientRect().toJSON())"
        )
    assert len(boxes) > 8
    for a, one in enumerate(boxes):
        for other in boxes[a + 1 :]:
            apart = one["right"] <= other["left"] or other["right"] <= one["left"]
            assert apart or one["bottom"] <= other["top"] + 2 or other["bottom"] <= one["top"] + 2
