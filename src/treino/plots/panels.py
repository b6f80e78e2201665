"""Networks over their inputs, one in each panel: regions and rows, a curve, predicted against true values."""

import math
import textwrap
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from treino.base.text import listed
from treino.base.words import _
from treino.inspection.input_planes import Boundary, InputLine, Plane, Points
from treino.plots import style
from treino.plots.boundary import draw_regions
from treino.plots.captions import axis_names, held_sentence
from treino.plots.confusion import draw_curve, draw_fit
from treino.plots.points import draw_rows

# ---- one network


def limits_of(shown: Boundary) -> tuple[tuple[float, float], tuple[float, float]]:
    """Return the x and y limits that all panels share."""
    if isinstance(shown, Plane):
        return (shown.x_R[0], shown.x_R[-1]), (shown.y_R[0], shown.y_R[-1])
    if isinstance(shown, InputLine) and shown.classes:
        return (shown.x_R[0], shown.x_R[-1]), (0.0, 1.02)
    true_N = np.concatenate([p.true_N for p in shown.points])
    low, high = float(true_N.min()), float(true_N.max())
    margin = 0.12 * (high - low) or 0.5 * max(1.0, abs(high))
    across = (low - margin, high + margin)
    return ((shown.x_R[0], shown.x_R[-1]) if isinstance(shown, InputLine) else across), across


def draw_boundary(axes: "style.Axes", shown: Boundary) -> None:
    """Draw regions and rows, a curve and rows, or predicted against true values, within ``limits_of``."""
    across, up = limits_of(shown)
    if isinstance(shown, Plane):
        draw_regions(axes, shown)
        draw_rows(axes, shown.points, len(shown.classes))
    elif isinstance(shown, InputLine) and shown.classes:
        for c in range(len(shown.classes)):
            axes.plot(shown.x_R, shown.value_RC[:, c], color=style.colour(c))
        draw_rows(axes, tuple(_on_floor(p, len(shown.classes)) for p in shown.points), len(shown.classes))
    elif isinstance(shown, InputLine):
        draw_curve(axes, shown)
    else:
        draw_fit(axes, shown, *across)
    axes.set(xlim=across, ylim=up)


def _on_floor(points: Points, classes: int) -> Points:
    """Return rows with one input, placed in lanes at the bottom, one per class."""
    lane_N = 0.02 + 0.025 * points.true_N if classes <= 12 else np.full(len(points), 0.03)
    at_N2 = np.column_stack([points.at_NK[:, 0], lane_N])
    return Points(points.split, at_N2, points.true_N, points.predicted_N, points.index_N, points.total)


# ---- several networks side by side

ACROSS = 3
SMALLER = 0.3  # size of row markers, relative to pictures of one network
CAPTION, LINE = 46, 0.135  # characters per caption line, and inches between lines
SIDE, LOW = 1.71, 0.4  # inches: height of a panel and of the legend


def boundaries_grid(
    shown: Sequence[Boundary],
    captions: Sequence[str],
    title: str,
    sentences: Sequence[str] = (),
    side: float = SIDE,
) -> "style.Figure":
    """Draw a panel per network with ``grid_figure``, under sentences that name the axes."""
    x_name, y_name = axis_names(shown[0])
    lines_above = [*sentences, _("Across: {x}; up: {y}.").format(x=x_name, y=y_name)]
    if isinstance(shown[0], Plane) and (sentence := held_sentence(shown[0])):
        lines_above.append(sentence)
    return grid_figure(shown, captions, title, lines_above, draw_boundary, side)


@style.look()
def grid_figure(
    shown: Sequence[Any],
    captions: Sequence[str],
    title: str,
    sentences: Sequence[str],
    draw: Callable[["style.Axes", Any], None],
    side: float = SIDE,
) -> "style.Figure":
    """Draw a panel per network, three per line; above each, its caption and the classes that win nowhere.

    shown: each has ``classes``, and ``absent``, those that win nowhere in it. draw: draws a panel. side: its
    height in inches.
    """
    from matplotlib.collections import PathCollection

    wrapped = [textwrap.wrap(style.label(caption, 3 * CAPTION), CAPTION) for caption in captions]
    lost = any(_nowhere(one)[0] for one in shown)
    pitch = side + (0.355 if lost else 0.2) + LINE * max(map(len, wrapped))
    figure = style.new_figure(style.header_inches(sentences) + 0.32 + pitch * math.ceil(len(shown) / ACROSS))
    inches = figure.get_figheight()
    top = style.header(figure, title, sentences)
    pitch = (top - LOW / inches) / math.ceil(len(shown) / ACROSS)
    for place, (one, caption) in enumerate(zip(shown, wrapped, strict=True)):
        line, column = divmod(place, ACROSS)
        width = 0.98 / ACROSS
        corner = 0.012 + column * width, top - (line + 1) * pitch + 0.06 / inches
        axes = figure.add_axes((*corner, width - 0.016, side / inches))
        draw(axes, one)
        axes.set(xticks=[], yticks=[])
        for marks_of in axes.collections:
            if isinstance(marks_of, PathCollection):
                marks_of.set_sizes(marks_of.get_sizes() * SMALLER)
                marks_of.set_linewidth(0.6)
        _above(axes, *_nowhere(one), up=1, size=7.5)
        _above(axes, "\n".join(caption), style.INK, up=13 if lost else 2, size=8)
    if names := style.class_labels(shown[0].classes)[:8]:
        squares = [style.spot("s", 6, color=style.colour(c)) for c in range(len(names))]
        style.legend_in_lines(figure, squares, names, (0.012, 0.0, 0.976, LOW / inches), 8, columnspacing=1.2)
    return figure


def _above(axes: "style.Axes", words: str, ink: str, up: float, size: float) -> None:
    """Write words above a panel. up: distance in points."""
    places: dict[str, Any] = {"xycoords": "axes fraction", "textcoords": "offset points", "va": "bottom"}
    axes.annotate(words, (0, 1), (0, up), color=ink, fontsize=size, **places)


def _nowhere(one: Any) -> tuple[str, str]:
    if not one.absent:
        return "", style.INK
    names = style.class_labels(one.classes, 14)
    absent = listed([names[c] for c in one.absent], 3)
    if isinstance(one, Plane) and one.axes.view != "all":  # it may predict the class outside this plane
        return _("not on this plane: {names}").format(names=absent), style.SOFT
    return _("nowhere: {names}").format(names=absent), style.ALARM
