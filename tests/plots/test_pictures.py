"""Pictures of a run: marks, names, limits, warnings; equal bytes for equal input."""

import dataclasses
import io
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from matplotlib.figure import Figure
from matplotlib.image import imread

from tests.plots.room import outside, overlapping, texts
from treino.base.words import numeral
from treino.inspection.curves import curves
from treino.inspection.input_planes import Fit, InputAxes, InputLine, Plane, Points, Score
from treino.plots.boundary import boundary_figure
from treino.plots.curves import curves_figure
from treino.plots.style import PALETTE, class_labels, label, new_figure, percent, png

ROOT = Path(__file__).parents[2]
ODD = (
    "$x_1$",
    "<script>alert(1)</script>",
    "_hidden",
    "葡萄酒 🍷",
    "x" * 300,
    r"50 \% off $5 and $6 \alpha",
    "two\nlines\tand a tab",
    "",
    "\x00\x1b[31m",
)


def points(split: str, rows: int, classes: int, seed: int = 0) -> Points:
    random = np.random.RandomState(seed)
    true = random.randint(0, max(classes, 1), rows).astype(float)
    said = np.where(random.rand(rows) < 0.2, (true + 1) % max(classes, 1), true)
    return Points(split, random.rand(rows, 2), true, said, np.arange(rows), rows)


def plane(classes: tuple[str, ...] = ("red", "green", "blue"), **change: object) -> Plane:
    x, count = np.linspace(0, 1, 30), len(classes)
    centre = np.random.RandomState(1).rand(count, 2)
    at = np.stack(np.meshgrid(x, x), -1)
    logits = -40 * ((at[:, :, None] - centre) ** 2).sum(-1)
    share = np.exp(logits - logits.max(2, keepdims=True))
    share /= share.sum(2, keepdims=True)
    shown = Plane(
        name="wine",
        classes=classes,
        inputs=2,
        axes=InputAxes("all", "validation", 27, ("alcohol", "hue"), no_rows, no_rows),
        x_R=x,
        y_R=x,
        probability_RRC=share.astype(np.float32),
        points=(points("train", 60, count), points("validation", 9, count), points("test", 12, count)),
        agreement=1.0,
        agreement_rows=81,
        score=Score("test", 12, 0.75, 9, (0.4677, 0.9111)),
    )
    names = change.keys() & {field.name for field in dataclasses.fields(InputAxes)}
    of_axes = {name: change.pop(name) for name in names}
    return dataclasses.replace(shown, axes=dataclasses.replace(shown.axes, **of_axes), **change)


def no_rows(rows: Any) -> Any:
    raise AssertionError(rows)


def pixels(figure: Figure, dpi: int = 50) -> np.ndarray:
    image = imread(io.BytesIO(png(figure, dpi)))
    assert image.shape[1] == 8 * dpi
    colours = (image[..., :3] * 255).astype(np.uint32) @ np.array([65536, 256, 1], dtype=np.uint32)
    assert len(np.unique(colours)) > 50  # not blank
    return image


def test_a_boundary_holds_its_rows_names_and_figure() -> None:
    shown = plane()
    figure = boundary_figure(shown)
    assert pixels(figure, 150).shape[:2] == (900, 1200)
    axes = figure.axes[0]
    marks = [c for c in axes.collections if hasattr(c, "get_sizes") and len(c.get_offsets())]
    dots = [c for c in marks if len(c.get_facecolors())]
    rings = [c for c in marks if not len(c.get_facecolors())]
    for p, drawn, ring in zip(shown.points, dots, rings, strict=True):
        np.testing.assert_array_equal(drawn.get_offsets(), p.at_NK)
        np.testing.assert_array_equal(ring.get_offsets(), p.at_NK[p.wrong_N])
        assert ring.get_sizes()[0] > drawn.get_sizes()[0]
    assert dots[2].get_sizes()[0] > dots[0].get_sizes()[0]  # test rows are the larger ones
    assert axes.get_xlim() == (0, 1)
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("alcohol", "hue")
    said = texts(figure)
    assert "Accuracy 0.750: 9 of 12 test rows right (95 %: 0.468 to 0.911)." in said
    for name in ("red", "green", "blue", "training, 60 rows", "validation, 9 rows", "test, 12 rows"):
        assert name in said
    assert "wrong" in said
    assert "agrees" not in said  # two inputs are seen whole


def test_regions_have_the_winners_colour_and_fade_with_doubt() -> None:
    sure, unsure = np.zeros((30, 30, 2), np.float32), np.zeros((30, 30, 2), np.float32)
    sure[..., 0], unsure[..., 0], unsure[..., 1] = 1.0, 0.55, 0.45
    shades = []
    for share in (sure, unsure):
        shown = plane(("a", "b"), probability_RRC=share, points=(points("train", 3, 2),))
        shades.append(np.asarray(boundary_figure(shown).axes[0].images[0].get_array())[15, 15])
    own = np.array(matplotlib.colors.to_rgb(PALETTE[0]))
    for shade in shades:
        np.testing.assert_allclose(shade[:3], own)
    assert 1 > shades[0][3] > shades[1][3] > 0  # how opaque


def test_many_inputs_say_how_far_the_picture_can_be_trusted() -> None:
    said = texts(boundary_figure(plane(inputs=13, view="important", agreement=0.84)))
    assert "two of 13 inputs whose plane is most like the network (27 validation rows)" in said
    assert "agrees with the network on 84 % of" in said.replace("\n", " ")
    assert "shows little" not in said
    said = texts(boundary_figure(plane(inputs=13, view="given", agreement=0.31)))
    assert "as asked for" in said
    assert "shows little" in said
    said = texts(boundary_figure(plane(inputs=784, view="components", agreement=0.9, variance=(0.1, 0.07))))
    assert "alcohol (10 % of the variance)" in said
    assert "main directions" in said


def test_a_class_that_wins_nowhere_is_named() -> None:
    shown = plane()
    shown.probability_RRC[..., 0] = 0
    figure = boundary_figure(shown)
    assert "Wins nowhere in this view: red." in texts(figure)
    assert "red (nowhere)" in texts(figure)


def test_names_of_all_kinds_are_shown_letter_by_letter() -> None:
    shown = plane(ODD, axis_names=("price in $ and $", "_y_{2}"), name="a $x$ & b")
    figure = boundary_figure(shown)
    pixels(figure)
    legend = [t.get_text() for t in figure.axes[0].get_legend().get_texts()]
    assert legend[0] == r"\$x_1\$"
    assert legend[1].startswith("<script>")
    assert len(set(legend)) == len(legend)
    assert all(len(t.replace("\\", "")) <= 36 for t in legend)
    assert all("\n" not in t for t in legend)


@pytest.mark.slow
@pytest.mark.parametrize("count", [1, 12, 40])
def test_any_number_of_classes(count: int) -> None:
    figure = boundary_figure(plane(tuple(f"a longer name {k}" for k in range(count))))
    pixels(figure)
    assert ("more" in texts(figure)) == (count == 40)
    assert outside(figure) == []
    assert overlapping(figure) == []


def test_rows_that_are_drawn_from_more_are_counted() -> None:
    many = dataclasses.replace(points("train", 20, 3), total=51000)
    assert "training, 20 of 51\u202f000" in texts(boundary_figure(plane(points=(many,))))


def one_input(classes: tuple[str, ...]) -> InputLine:
    x = np.linspace(0, 1, 50)
    value = np.stack([x, 1 - x], 1) if classes else (3 * x[:, None] + 1)
    shown = tuple(
        dataclasses.replace(p, at_NK=p.at_NK[:, :1], true_N=p.true_N % 2)
        for p in (points("train", 30, 2), points("test", 8, 2))
    )
    score = Score("test", 8, 0.5, 4, (0.2, 0.8)) if classes else Score("test", 8, rmse=54.321, r2=0.456)
    return InputLine("bikes", classes, "temperature", "count", x, value, shown, score)


def test_one_input_gives_curves_of_probability_and_lanes_of_rows() -> None:
    figure = boundary_figure(one_input(("no", "$yes$")))
    pixels(figure)
    above, below = figure.axes
    np.testing.assert_array_equal(above.lines[0].get_ydata(), np.linspace(0, 1, 50))
    assert [t.get_text() for t in below.get_yticklabels()] == ["no", r"\$yes\$"]
    assert below.get_xlabel() == "temperature"
    assert above.get_position().x1 == pytest.approx(below.get_position().x1)


def test_predicted_against_true_has_one_scale_for_both() -> None:
    shown = tuple(points(split, n, 50) for split, n in (("train", 30), ("validation", 5), ("test", 9)))
    figure = boundary_figure(Fit("bikes", "cnt_$", shown, Score("test", 9, rmse=1.5)))
    pixels(figure)
    axes = figure.axes[0]
    assert axes.get_xlim() == axes.get_ylim()
    np.testing.assert_array_equal(
        axes.collections[2].get_offsets(), np.stack([shown[2].true_N, shown[2].predicted_N], 1)
    )
    assert axes.get_xlabel() == r"true cnt_\$"
    assert "RMSE 1.5 on 9 test rows." in texts(figure)


def run(epochs: int, **more: object) -> Figure:
    fall = np.exp(-np.arange(epochs) / 5)
    evaluated = {"validation": {"loss": 1.1 * fall, "accuracy": 1 - fall / 2}}
    return curves_figure(curves("wine", fall, fall / 4, evaluated=evaluated, metric="accuracy", **more))


def test_curves_hold_mean_band_validation_and_the_kept_epoch() -> None:
    figure = run(10, kept_epoch=8)
    pixels(figure)
    loss, accuracy = figure.axes
    fall = np.exp(-np.arange(10) / 5)
    np.testing.assert_allclose(loss.lines[0].get_ydata(), fall)
    np.testing.assert_array_equal(loss.lines[0].get_xdata(), np.arange(1, 11))
    np.testing.assert_allclose(loss.lines[1].get_ydata(), 1.1 * fall)
    band = loss.collections[0].get_paths()[0].vertices
    assert band[:, 1].max() == pytest.approx(1.25)
    assert "batches of these rows" not in texts(figure)  # of a run that kept no such deviation
    measured = {"loss": [None, 0.5, 0.4], "loss_std": [None, 0.2, 0.1]}
    seen = curves_figure(curves("x", [0.9, 0.8, 0.7], [0.0] * 3, evaluated={"validation": measured}))
    band = seen.axes[0].collections[1].get_paths()[0].vertices
    assert {(x, round(y, 9)) for x, y in band} == {(2, 0.3), (2, 0.7), (3, 0.3), (3, 0.5)}
    assert "batches of these rows" in texts(seen)
    np.testing.assert_allclose(accuracy.lines[0].get_ydata(), 1 - fall / 2)
    kept = [line for line in loss.lines if list(line.get_xdata()) == [8]]
    assert kept[0].get_ydata()[0] == pytest.approx(1.1 * fall[7])
    assert "after epoch 8 of 10 (validation loss 0.2713, accuracy 0.8767)" in texts(figure)
    assert loss.get_yscale() == "linear"


def test_a_loss_over_decades_is_drawn_on_a_linear_axis_from_0() -> None:
    """A logarithmic one would have to be asked for."""
    loss = run(60).axes[0]
    assert (loss.get_yscale(), loss.get_ylim()[0], loss.get_ylabel()) == ("linear", 0.0, "loss")


def test_no_other_source_makes_a_scale_logarithmic() -> None:
    """A lesson asks for one; colours of counts keep a single network visible, and their caption says it."""
    made = re.compile(r"set_[xy]scale|LogNorm|LogLocator|log_x=(?!log_x|shown)")
    sources = [*(ROOT / "src").rglob("*.py"), *(ROOT / "apps").glob("*/src/**/*.py")]
    found = {path.name for path in sources if made.search(path.read_text())}
    assert found == {"drawing.py", "sweep.py", "descents.py"}


def test_one_epoch_shows_every_iteration() -> None:
    figure = run(1, kept_epoch=1, step_loss=[1.3, 1.1, 0.9, 0.7], steps_per_epoch=4)
    pixels(figure)
    (steps,) = [line for line in figure.axes[0].lines if len(line.get_xdata()) == 4]
    np.testing.assert_array_equal(steps.get_ydata(), [1.3, 1.1, 0.9, 0.7])
    np.testing.assert_array_equal(steps.get_xdata(), [0.25, 0.5, 0.75, 1.0])
    assert "every iteration" in texts(figure)


def test_a_diverged_run_is_drawn_up_to_there_and_says_so() -> None:
    evaluated = {"validation": {"loss": [1.0, 8.0, None, None], "accuracy": [None] * 4}}
    moments = {"steps_per_epoch": 10, "diverged_step": 34}
    loss, spread = [1.0, 9.0, 1e30, None], [0.1, 2.0, 1e30, None]
    figure = curves_figure(curves("x", loss, spread, evaluated=evaluated, metric="accuracy", **moments))
    pixels(figure)
    assert len(figure.axes) == 1  # no accuracy was ever measured
    assert "Diverged at step 34 (epoch 3.4)" in texts(figure)
    assert any(list(line.get_xdata()) == [3.4, 3.4] for line in figure.axes[0].lines)


@settings(max_examples=5, phases=[Phase.generate])
@given(
    loss=st.lists(st.none() | st.floats(0, 1e300), max_size=8),
    deviation=st.lists(st.none() | st.floats(0, 1e300), max_size=8),
    validation=st.lists(st.none() | st.floats(-1e300, 1e300), max_size=8),
    steps=st.lists(st.none() | st.floats(0, 1e38), max_size=8),
    kept=st.none() | st.integers(0, 9),
    diverged=st.none() | st.integers(1, 30),
)
def test_any_curves_can_be_drawn(
    loss: list, deviation: list, validation: list, steps: list, kept: int | None, diverged: int | None
) -> None:
    evaluated = {"validation": {"loss": validation, "rmse": validation}}
    moments = {"kept_epoch": kept, "steps_per_epoch": 3, "diverged_step": diverged}
    shown = curves("x", loss, deviation, evaluated=evaluated, metric="rmse", step_loss=steps, **moments)
    assert png(curves_figure(shown), dpi=40).startswith(b"\x89PNG")


@settings(max_examples=200)
@given(st.text(max_size=80))
def test_any_text_is_one_short_line_without_formulas(text: str) -> None:
    shown = label(text)
    assert len(shown.replace(r"\$", "$")) <= 25
    assert "\n" not in shown
    assert not matplotlib.cbook.is_math_text(shown)
    assert not shown.startswith("_")


def test_class_labels_are_told_apart() -> None:
    long = "the same long beginning of "
    assert class_labels(["a", "b"]) == ["a", "b"]
    assert class_labels([long + "one", long + "two", "c"])[0].startswith("0: the same")
    assert class_labels(["", "x"]) == ["0:", "x"]


def test_numbers_for_people() -> None:
    values = [0.925926, 54.3149, 12345.6, 0, 1.2e-7, 0.0123456, 1.0, 100.0, 99.996, 3e20, 0.0001]
    said = ["0.9259", "54.31", "12\u202f346", "0", "1.2e-7", "0.01235", "1", "100", "100", "3e20", "1e-4"]
    assert [numeral(v) for v in values] == said
    shares = [percent(s) for s in (0, 1, 0.9999, 0.0001, 0.5, 0.841)]
    assert shares == ["0 %", "100 %", "99.9 %", "0.1 %", "50 %", "84 %"]


@pytest.mark.slow
def test_the_same_picture_is_the_same_bytes_without_time_or_program() -> None:
    first, again = png(boundary_figure(plane()), 60), png(boundary_figure(plane()), 60)
    assert first == again
    assert b"Software" not in first
    assert b"tEXt" not in first
    figure = boundary_figure(plane())
    assert png(figure, 60) == png(figure, 60) == first


def test_the_users_own_settings_change_nothing_and_stay() -> None:
    plain = png(boundary_figure(plane()), 60)
    with matplotlib.rc_context(
        {"figure.facecolor": "black", "font.size": 30, "axes.grid": True, "lines.linewidth": 9}
    ):
        assert png(boundary_figure(plane()), 60) == plain
        assert matplotlib.rcParams["font.size"] == 30
    assert new_figure().get_figwidth() == 8.0


@pytest.mark.slow
def test_importing_plots_loads_no_matplotlib_and_drawing_neither_pyplot_nor_the_backend() -> None:
    program = """
import os, sys, treino.plots.boundary, treino.plots.curves, treino.inspection.boundary
heavy = {"matplotlib", "sklearn", "pandas", "scipy"} & set(sys.modules)
assert not heavy, heavy
from treino.inspection.curves import curves
treino.plots.style.png(treino.plots.curves.curves_figure(curves("x", [1.0], [0.1])))
assert os.environ["MPLBACKEND"] == "nowhere"
assert "matplotlib.pyplot" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", program], check=True, env=os.environ | {"MPLBACKEND": "nowhere"})
