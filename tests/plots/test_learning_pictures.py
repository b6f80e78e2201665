"""Pictures of training dynamics and of several runs' curves: their texts and their appearance."""

from dataclasses import replace

import numpy as np
import pytest
from matplotlib.figure import Figure

from tests.plots import room
from tests.plots.reference import looks_like
from tests.plots.test_insides_pictures import NASTY
from treino.inspection.curves import curves
from treino.inspection.dynamics import Dynamics, WeightLayer
from treino.plots.curves import overlay_figure
from treino.plots.dynamics import dynamics_figure
from treino.plots.style import png


def moves(layers: int = 3, relus: bool = True, **change: object) -> Dynamics:
    step_K = np.arange(0, 300, 10)
    fall_KL = np.exp(-step_K[:, None] / 60) * (1 + np.arange(layers))
    some = tuple(WeightLayer(str(2 * k), (8 - k, 9 - k)) for k in range(layers))
    dead_KU = np.clip(step_K[:, None] / 1000, 0, 0.25).repeat(layers - 1 if relus else 0, 1)
    curves, units = (step_K, fall_KL, 0.01 * fall_KL, dead_KU), tuple(range(dead_KU.shape[1]))
    made = Dynamics("wine-1", some, np.full(300, 0.003), *curves, units, 125, 4)
    return replace(made, **change)


def texts(figure: Figure) -> str:
    return " ".join(room.texts(figure).split())


@pytest.mark.slow
def test_dynamics_of_few_and_many_layers() -> None:
    figure = dynamics_figure(moves())
    looks_like(figure, "dynamics")
    said = texts(figure)
    assert "rule of thumb: 0.001 (CS231n)" in said
    png(dynamics_figure(moves(8)), 30)
    none = dynamics_figure(moves(relus=False))
    assert "no unit can die" in texts(none)
    png(none, 30)
    still = moves(gradient_KL=np.zeros((30, 3)))
    assert "the gradient is zero" in texts(dynamics_figure(still))
    low = moves()
    low.gradient_KL[20:] = 0
    figure = dynamics_figure(low)
    png(figure, 30)
    assert {(axes.get_yscale(), axes.get_ylim()[0]) for axes in figure.axes[:3]} == {("linear", 0.0)}
    none_KL = dict.fromkeys(("gradient_KL", "ratio_KL", "dead_KU"), np.empty((0, 0)))
    empty = moves(0, relus=False, lr_S=np.empty(0), step_K=np.empty(0, int), **none_KL)
    png(dynamics_figure(empty), 30)


def test_curves_over_one_another_say_when_they_are_smoothed() -> None:
    chance = np.random.default_rng(0)
    runs = []
    for k, epochs in enumerate((60, 30, 2)):
        loss = np.exp(-np.arange(epochs) / 20) + 0.1 * chance.random(epochs) + 0.1 * k
        asked = {} if k == 2 else {"validation": {"loss": loss + 0.1, "accuracy": 1 - loss / 3}}
        steps = {"step_loss": loss.repeat(4), "steps_per_epoch": 4}
        name = ("wine-1", NASTY, "wine-1")[k]
        runs.append(curves(name, loss, loss * 0, evaluated=asked, metric="accuracy", **steps))
    figure = overlay_figure(runs, 0.9, ["Not alike."])
    said = texts(figure)
    assert "Smoothed: exponential average, weight 0.9 on the past" in said
    assert "Not alike." in said
    assert "validation accuracy" in said
    assert "0: wine-1" in said  # two of one name are told apart
    faint = [line for line in figure.axes[0].lines if line.get_alpha() == 0.3]
    assert len(faint) == 3
    np.testing.assert_array_equal(faint[0].get_ydata(), runs[0].loss_E)
    looks_like(figure, "curves_of_several")
    plain = overlay_figure(runs[:2])
    assert "moothed" not in texts(plain)
    assert len(plain.axes[0].lines) == 2
    png(overlay_figure(runs[2:]), 30)
