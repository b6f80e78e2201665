"""Landscapes of runs: of every kind, along a path, between two runs, on the command line."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from tests.conftest import refusal_of
from tests.training.test_convolutions import SMALL, _tiny  # noqa: F401  (a built-in for every test here)
from torch import nn
from torch.func import functional_call
from torch.nn import functional

import treino as tr
from treino.api import Run
from treino.base.errors import TreinoError
from treino.folders.store.output_files import OutputFolder
from treino.reports.pictures.picture_files import draw, draw_together
from treino_landscape.loss_surface import described
from treino_landscape.pictures import line, path_of, surface_of

SEEN = ["landscape", "path", "walker", "dynamics"]


@pytest.fixture(scope="module")
def wine(tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("runs") / "wine"
    return tr.fit("wine", hidden=[8, 6], epochs=20, dropout=0.0, out=folder)


def test_the_path_of_a_run_ends_at_its_last_weights(wine: Run) -> None:
    ground, land = path_of(wine)
    last = wine.at(int(land.path.step_K[-1]))
    with torch.no_grad():
        loss = functional.cross_entropy(last.net(wine.data.train.x), wine.data.train.y).item()
    assert land.centre == pytest.approx(loss, rel=1e-5)
    assert land.path.step_K[0] == 0
    assert land.path.step_K[-1] == len(wine.losses)
    middle = len(land.path.step_K) // 2
    step = int(land.path.step_K[middle])
    np.testing.assert_allclose(
        land.path.at_K2[middle],
        ((ground.place(wine.at(step).net) - land.origin_n).double() @ land.axes_2n.double().T).numpy(),
        rtol=1e-6,
    )
    assert surface_of(wine).total == len(wine.data.train)


@pytest.fixture
def coarse(monkeypatch: pytest.MonkeyPatch) -> None:
    """A grid of 11 × 11 where the kind of run is what matters."""
    monkeypatch.setattr("treino_landscape.planes.RESOLUTION", 11)


class Own(nn.Module):
    """With batch norm, a functional activation and a frozen part."""

    def __init__(self) -> None:
        super().__init__()
        self.a, self.norm, self.b = nn.Linear(13, 6), nn.BatchNorm1d(6), nn.Linear(6, 3)
        self.b.bias.requires_grad_(False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.b(functional.relu(self.norm(self.a(x))))


KINDS: list[tuple[str, dict[str, Any]]] = [
    ("wine", {"net": Own(), "epochs": 3}),
    ("diabetes", {"hidden": [8], "epochs": 3}),
    ("wine", {"hidden": [], "epochs": 3, "validation": 0.0, "test": 0.0}),
    ("wine", {"hidden": [8], "epochs": 3, "batch_norm": True, "dropout": 0.2}),
    ("breast_cancer", {"hidden": [4], "epochs": 2, "loss": "bce", "activation": "gelu"}),
    ("wine", {"hidden": [8], "epochs": 4, "as_taught": True, "lr": 0.5}),
    ("wine", {"hidden": [8], "epochs": 30, "optimizer": "sgd", "lr": 1e6}),
]


@pytest.mark.parametrize(("source", "settings"), KINDS)
@pytest.mark.slow
@pytest.mark.sampled(7)
@pytest.mark.usefixtures("coarse")
def test_every_kind_of_run_has_its_pictures(source: str, settings: dict, tmp_path: Path) -> None:
    run = tr.fit(source, out=tmp_path / "<script>alert(1)", **settings)
    what = SEEN if run.status != "diverged" else ["landscape", "dynamics"]
    paths = draw(run, what, OutputFolder(tmp_path / "to"))
    assert [p.name for p in paths] == [f"{name}.png" for name in what]
    if run.status == "diverged":
        assert "path" in str(refusal_of(draw, run, ["path"], OutputFolder(tmp_path / "to")))


@pytest.mark.slow
def test_two_runs_on_a_line(wine: Run, tmp_path: Path) -> None:
    other = tr.fit("wine", hidden=[8, 6], epochs=20, seed=1, data_seed=0, out=tmp_path / "b")
    paths = draw_together([wine, other], ["line", "curves"], OutputFolder(tmp_path))
    assert [path.name for path in paths] == ["line.png", "curves-of-several.png"]
    assert "two ends" in str(refusal_of(line, [wine]))
    for change, why in (
        ({"data_seed": 3}, "same rows"),
        ({"hidden": [9, 6]}, "other tensors"),
        ({"label_smoothing": 0.1}, "different losses"),
        ({"activation": "tanh"}, "another network"),
    ):
        unlike = tr.fit("wine", parent=tmp_path, lean=True, **{"hidden": [8, 6], "epochs": 1} | change)
        with pytest.raises(TreinoError, match=why):
            line([wine, unlike])


def test_a_convolutional_networks_surface_is_measured_by_the_network_itself(tmp_path: Path) -> None:
    """It is no chain of layers that the compiled kernel could take for an MLP."""
    layers = {"channels": [4, 6], "blocks": 1, "group_norm": 2, "pool": ["max", "average"]}
    run = tr.fit("tiny", parent=tmp_path, lean=True, **SMALL | layers)
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
