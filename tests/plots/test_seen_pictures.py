"""Pictures of what a network sees of pictures: their words, and that nothing is cut, in both languages."""

from dataclasses import replace

import numpy as np
import pytest

from tests.plots.reference import looks_like
from tests.plots.room import outside, texts
from tests.plots.test_insides_pictures import NASTY
from treino.base import words
from treino.inspection.occlusion import PARTS, LayerMaps, Occlusion, PictureChannels
from treino.inspection.outputs import AnsweredPicture, ConfusionCell, ConfusionCells
from treino.inspection.thumbnails import FirstWeights, KernelMap
from treino.plots.channels import channels_figure
from treino.plots.mistakes import across, cells_figure
from treino.plots.occlusion import occlusion_figure, verdict
from treino.plots.weights import weights_figure

CLASSES = ("cat", NASTY, "dog")


def random() -> np.random.RandomState:
    return np.random.RandomState(0)


def answered(
    shape: tuple[int, int, int] = (3, 20, 28), classes: tuple[str, ...] = CLASSES
) -> AnsweredPicture:
    share_C = np.array([0.9, 0.0996, 0.0004]) if classes else np.empty(0)
    return AnsweredPicture(
        "zoo", "weight", classes, "test", 123456, random().rand(*shape), 1.0 if classes else 7.5, 0.0, share_C
    )


def occluded(classes: tuple[str, ...] = CLASSES, holds: bool = True) -> Occlusion:
    part_S = np.array(PARTS)
    ordered_S = 0.9 * (1 - part_S) ** 9 if holds else 0.9 - 0.1 * part_S
    random_RS = 0.9 - np.outer(random().uniform(0.5, 0.8, 19), part_S)
    effect_AB = random().normal(size=(10, 14)) / 9
    return Occlusion(answered(classes=classes), 2, 6, effect_AB, part_S, ordered_S, random_RS, 0.01)


@pytest.fixture(
    params=[pytest.param("en", marks=pytest.mark.release), pytest.param("pt_BR", marks=pytest.mark.slow)]
)
def language(request: pytest.FixtureRequest) -> object:
    words.use(request.param)
    yield request.param
    words.use("en")


def test_nothing_is_cut(language: str) -> None:
    answer, map_UHW = answered(), random().normal(size=(32, 10, 14))
    layers = (
        LayerMaps("0", "Conv2d, GroupNorm, LeakyReLU, MaxPool2d", 64, np.arange(32), map_UHW),
        LayerMaps("7", "Linear, ReLU", 40, np.arange(32), random().rand(32, 1, 1)),
    )
    small, large = (random().normal(size=(24, 12, side, side)) for side in (3, 7))
    kernels = KernelMap("features.3", 64, 32, np.arange(24) * 2, np.arange(12) * 2, small, 0.3)
    weight_UD, tile_U = np.ones((16, 27)), random().normal(size=(16, 3, 3, 3))
    maps = (kernels, replace(kernels, kernel_UJHW=large))
    units = (np.arange(16), weight_UD, tile_U, ())
    first = FirstWeights("zoo", "0 (Conv2d)", *units, maps, 3, True)
    items, sure = random().rand(8, 1, 90, 120), np.linspace(0.99, 0.4, 8)
    many = ConfusionCell(0, 1, 900, 950, np.arange(8), sure, items)
    right = replace(many, predicted=0)
    cells = ConfusionCells("zoo", CLASSES, "test", (many, right), False)
    for figure in (
        channels_figure(PictureChannels(answer, layers, 2, ())),
        channels_figure(PictureChannels(answered(classes=()), (), 0, ("A note.",))),
        occlusion_figure([occluded(), occluded(holds=False)], "zoo"),
        occlusion_figure([occluded(())], "zoo"),
        weights_figure(first),
        cells_figure(cells),
        cells_figure(replace(cells, cells=())),
    ):
        assert outside(figure) == []


@pytest.mark.slow
def test_what_they_say() -> None:
    figure = occlusion_figure([occluded(), occluded(holds=False)], "zoo")
    said = texts(figure)
    assert "the network says cat (90 %), and it is <script>" in said
    assert "A patch of 6 × 6 pixels" in said
    looks_like(figure, "occlusion")
    assert verdict(occluded()).startswith(
        "With the 10 % that count most covered: 35 % instead of 90 %; with 10 % by chance: 8"
    )
    assert verdict(occluded()).endswith("The map holds.")
    assert "does not hold" in verdict(occluded(holds=False))
    flat = replace(occluded(), ordered_S=np.full(len(PARTS), 0.9))
    assert verdict(flat).endswith("The answer hardly hangs on what is in the picture.")
    assert "covered: 0.3487 instead of 0.9;" in verdict(occluded(()))
    layer = LayerMaps("0", "Conv2d", 2, np.arange(2), random().normal(size=(2, 10, 14)))
    figure = channels_figure(PictureChannels(answered(), (layer,), 0, ()))
    assert "Layer 0: 2 (Conv2d)" in texts(figure)
    looks_like(figure, "channels")
    cell = ConfusionCell(0, 2, 9, 50, np.arange(8), np.linspace(0.99, 0.4, 8), random().rand(8, 3, 9, 9))
    figure = cells_figure(ConfusionCells("zoo", CLASSES, "test", (cell,), True))
    assert "cat taken for dog: 9 of 50 rows; the 8 of which it is surest" in texts(figure)
    looks_like(figure, "cells")
    assert [across(np.zeros((1, 3, side, 20))) for side in (8, 64, 65, 256)] == [6, 6, 6, 4]
