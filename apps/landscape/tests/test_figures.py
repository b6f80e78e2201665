"""Pictures of loss landscapes: their texts and their appearance."""

from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from matplotlib.figure import Figure
from tests.plots import reference, room

from treino.plots.style import png
from treino_landscape.figures import (
    colours,
    interpolated,
    landscape_figure,
    levels,
    line_figure,
    walker_figure,
)
from treino_landscape.planes import Interpolation, Landscape, RunPath, SurfacePoint

looks_like = partial(reference.looks_like, folder=Path(__file__).parent / "references")
NASTY = "<script>alert(1)</script> $x_1$"


def bowl(*, low: float = 0.01, path: bool = False, rows: int = 100) -> Landscape:
    """A valley whose floor is at (0, 0)."""
    at_R = np.linspace(-2, 2, 21)
    a_RR, b_RR = np.meshgrid(at_R, at_R)
    way = None
    if path:
        turn_K = np.linspace(1, 0, 15)
        at_K2 = np.stack([1.6 * turn_K, 1.2 * turn_K**2], 1)
        way = RunPath(np.arange(15) * 10, at_K2, low + (at_K2**2).sum(1), (0.9, 0.08))
    plane = torch.zeros(4), torch.zeros(2, 4)
    return Landscape(
        "path" if path else "random", at_R, at_R, low + a_RR**2 + 2 * b_RR**2, low, rows, 100, *plane, 3, way
    )


def places() -> list[SurfacePoint]:
    found = []
    for step, at in ((0, (1.6, 1.2)), (50, (1.0, 0.5)), (140, (0.0, 0.0))):
        a, b = at
        found.append(SurfacePoint(step, np.array(at), 0.01 + a**2 + 2 * b**2, np.array([2 * a, 4 * b]), 0.5))
    return found


def texts(figure: Figure) -> str:
    return " ".join(room.texts(figure).split())


def test_a_plane_says_its_rows_and_where_its_star_is() -> None:
    figure = landscape_figure(bowl(rows=40), NASTY)
    said = texts(figure)
    assert "Star: the network, loss 0.01 on 40 of 100 training rows, drawn by a fixed seed." in said
    assert "(seed 3)" in said
    assert "<script>alert(1)</script> \\$x_1\\$" in said
    star = figure.axes[0].lines[-1]
    assert (star.get_marker(), *star.get_xydata()[0]) == ("*", 0, 0)


@pytest.mark.slow
def test_colours_are_linear_and_keep_to_what_is_near() -> None:
    wild = bowl(low=0.01)
    scale = colours(wild)
    low, high = wild.loss_RR.min(), scale.vmax
    assert float(scale((low + high) / 2)) == pytest.approx(0.5)
    wild.loss_RR[0, 0] = 1e30
    scale = colours(wild)
    assert scale.vmax == pytest.approx(min(3 * np.median(wild.loss_RR), wild.loss_RR.max()))
    assert float(scale(1e30)) == 1
    assert "are cut off: they have one height and colour. The largest is 1e+30." in texts(
        landscape_figure(wild, "a")
    )
    same = replace(wild, loss_RR=np.full((21, 21), 0.7), centre=0.7)
    assert colours(same).vmax > colours(same).vmin
    for land in (bowl(low=0.01), bowl(low=100.0), bowl(low=1e-9), wild, same):
        scale = colours(land)
        marks = levels(scale)
        assert marks == sorted(set(marks))
        assert len(marks) <= 14
        assert all(scale.vmin < m < scale.vmax for m in marks)
        png(landscape_figure(land, "a"), 30)


@pytest.mark.slow
def test_what_is_not_finite_is_hatched_and_said() -> None:
    land = bowl()
    land.loss_RR[:7] = np.nan
    land.loss_RR[-1, -1] = np.inf
    figure = landscape_figure(land, "a")
    assert "Hatched: the loss is not finite there (34 % of the plane)" in texts(figure)
    assert "running statistics" in texts(landscape_figure(replace(land, batch_norm=True), "a"))
    looks_like(figure, "landscape_not_finite")
    nothing = replace(land, loss_RR=np.full((21, 21), np.nan), centre=np.nan)
    figure = landscape_figure(nothing, "a")
    assert "loss not finite on" in texts(figure)
    assert len(figure.axes) == 1  # no colours, no surface
    png(figure, 30)
    png(walker_figure(replace(bowl(path=True), loss_RR=land.loss_RR), places(), "a"), 30)


def test_the_grid_is_read_between_its_points() -> None:
    land = bowl()
    at_K2 = np.random.default_rng(0).uniform(-2, 2, (50, 2))
    plain = 3 * land.a_R[None, :] - 2 * land.b_R[:, None] + 1
    np.testing.assert_allclose(interpolated(land, plain, at_K2), 3 * at_K2[:, 0] - 2 * at_K2[:, 1] + 1)
    np.testing.assert_allclose(interpolated(land, plain, np.array([[2.0, 2.0]])), 3)


def test_the_walkers_arrow_points_down() -> None:
    figure = walker_figure(bowl(path=True), places(), "a")
    for axes, stand in zip(figure.axes[:2], places()[:2], strict=True):
        (arrow,) = axes.patches
        (from_2, to_2) = arrow._posA_posB
        down = np.array(to_2) - np.array(from_2)
        np.testing.assert_allclose(from_2, stand.at_2)
        assert down @ stand.slope_2 < 0
        assert abs(down[0] * stand.slope_2[1] - down[1] * stand.slope_2[0]) < 1e-9
    assert not figure.axes[2].patches  # no slope, no arrow
    said = texts(figure)
    assert "1 step 0" in said
    assert "loss 5.45, slope 5.8 50 % of the slope lies in view" in said


@pytest.mark.slow
def test_a_line_says_its_barrier() -> None:
    at_R = np.linspace(-0.25, 1.25, 91)
    loss = {"train": 0.1 + np.exp(-((at_R - 0.5) ** 2) * 20), "validation": 0.3 + at_R**2}
    found = Interpolation(
        at_R, loss, {"train": (0.95, 0.5), "validation": (0.0, 0.0)}, {"train": 9, "validation": 4}, 2.5
    )
    figure = line_figure(found, "wine-1", NASTY)
    said = texts(figure)
    assert "training 0.95 at 0.5; validation none" in said
    assert "2.5 apart" in said
    looks_like(line_figure(found, "wine-1", "wine-2"), "line")
    loss["train"][40:45] = np.inf
    figure = line_figure(replace(found, barrier={"train": (np.inf, 0.4), "validation": (0.0, 0.0)}), "a", "b")
    assert "training not finite at 0.4" in texts(figure)
    assert "Gaps" in texts(figure)
    png(figure, 30)


@pytest.mark.parametrize("name", ["landscape", "path", "walker"])
def test_they_look_as_they_were_seen_to_look(name: str) -> None:
    figure = {
        "landscape": lambda: landscape_figure(bowl(), "wine-1"),
        "path": lambda: landscape_figure(bowl(path=True), "wine-1"),
        "walker": lambda: walker_figure(bowl(path=True), places(), "wine-1"),
    }[name]()
    looks_like(figure, name)
    assert png(figure, 30) == png(figure, 30)
