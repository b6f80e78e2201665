"""What shows a run shows that of a convolutional network too, or says why not and what to do instead."""

import re
from base64 import b64decode
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import treino as tr
from tests.conftest import Treino
from tests.plots.room import outside
from tests.training.test_convolutions import SMALL, _tiny  # noqa: F401  (a built-in for every test here)
from treino.base.apps import entries
from treino.base.errors import TreinoError
from treino.inspection.thumbnails import first_weights
from treino.plots.weights import weights_figure
from treino.reports.pictures.picture_files import PICTURES, draw
from treino.reports.report import report

EVERY: dict[str, Any] = SMALL | {"channels": [4, 6], "blocks": 1, "group_norm": 2, "pool": ["max", "average"]}
EVERY |= {"dropout": 0.1, "hidden": [6], "activation": "tanh"}


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tr.Run]:
    folder, made = tmp_path_factory.mktemp("runs"), {}
    for name, settings in {"plain": SMALL, "blocks": EVERY, "together": SMALL | {"ensemble": 2}}.items():
        run = tr.fit("tiny", name=name, parent=folder, lean=True, **settings)
        assert isinstance(run, tr.Run)
        made[name] = run
    return made


OF_KERNELS = ("network", "weights", "channels", "occlusion", "cells", "importance", "dependence")


ALL = tuple(name for name in PICTURES if name not in entries("treino.pictures"))


@pytest.mark.parametrize(
    ("name", "pictures"),
    [
        pytest.param("blocks", OF_KERNELS, marks=pytest.mark.slow),
        pytest.param("plain", ALL, marks=pytest.mark.release),
        pytest.param("together", ALL, marks=pytest.mark.release),
    ],
)
def test_every_picture_is_drawn_but_those_of_one_pixel(
    runs: dict[str, tr.Run], name: str, pictures: tuple[str, ...]
) -> None:
    refused: list[TreinoError] = []
    for what in pictures:
        before = len(refused)
        files = draw(runs[name], (what,), None, refused)
        assert len(refused) > before or all(path.stat().st_size for path in files), what
    assert [error.rule for error in refused] == ["importance_pixels", "dependence_pixels"]
    assert all("occlusion" in error.hint for error in refused)


@pytest.mark.slow
def test_the_picture_of_first_weights_has_the_kernels(runs: dict[str, tr.Run]) -> None:
    run = runs["blocks"]
    shown = first_weights(run.module, run.data, item_shape=run.item_shape)
    kernel_UCHW = run.tensors["0.weight"].numpy()
    assert shown.tile_U is not None
    np.testing.assert_array_equal(shown.tile_U, kernel_UCHW[shown.units_U])
    length_U = np.linalg.norm(kernel_UCHW.reshape(len(kernel_UCHW), -1), axis=1)
    assert (np.diff(length_U[shown.units_U]) <= 0).all()
    assert outside(weights_figure(shown)) == []


@pytest.mark.slow
def test_a_row_and_a_cell_are_chosen_on_the_command_line(
    runs: dict[str, tr.Run], treino: Treino, tmp_path: Path
) -> None:
    run, to = runs["plain"], ("--to", tmp_path / "to", "--replace", "--json")
    row, true = (int(v[5]) for v in (run.data.test.index, run.data.test.y))
    said = treino("plot", run.path, "--what", "channels,occlusion", "--row", row, *to)
    assert [Path(p).name for p in said.document["paths"]] == ["channels.png", "occlusion.png"]
    picture = (tmp_path / "to/channels.png").read_bytes()
    assert treino("plot", run.path, "--what", "channels", "--row", row + 1, *to).status == 0
    assert (tmp_path / "to/channels.png").read_bytes() != picture
    said = treino("plot", run.path, "--what", "cells", "--cell", f"{true},{true}", *to)
    assert [Path(p).name for p in said.document["paths"]] == ["cells.png"]
    for flags, rule, hint in (
        (("--what", "confusion", "--row", 3), "choice_without_picture", "channels,occlusion"),
        (("--what", "cells", "--cell", "12"), "cell_form", "--cell 4,9"),
        (("--what", "cells", "--cell", "1,twelve"), "class_unknown", "Known"),
        (("--what", "occlusion", "--row", -1), "row_unknown", "0 to 199"),
    ):
        wrong = treino("plot", run.path, *flags, *to)
        assert (wrong.status, wrong.document["error"]["rule"]) == (2, rule), flags
        assert hint in wrong.document["error"]["hint"]


def test_the_microscope_says_that_it_knows_no_convolution(runs: dict[str, tr.Run]) -> None:
    topics = pytest.importorskip("treino_microscope.topics").topics()
    for topic in topics:
        with pytest.raises(TreinoError, match="holds Conv2d") as caught:
            tr.explain(topic, runs["plain"])
        assert "plain network" in caught.value.hint


@pytest.mark.slow
def test_its_report_has_every_section_and_large_pictures_lightly(
    runs: dict[str, tr.Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("treino.reports.run_report.HEAVY", 1000)
    page = Path(report([runs["blocks"]])).read_text()
    words = re.sub(r"<[^>]+>", " ", page)
    for word in ("Conv2d", "GroupNorm", "Calibration", "Confused pictures", "What the answer hangs on"):
        assert word in words
    assert "Feature importance" not in words
    pictures = re.findall(r"data:image/jpeg;base64,([^']*)'", page)
    assert len(pictures) == 5
    assert all(Image.open(BytesIO(b64decode(data))).width == 1200 for data in pictures)
