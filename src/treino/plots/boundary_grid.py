"""Several networks over the same inputs, side by side: a film's frames, untrained ones, a sweep's best."""

import math
import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING

from treino.inspection.input_planes import Boundary, Fit, Plane
from treino.plots.captions import axis_names, held_sentence
from treino.plots.film import draw_shown, limits
from treino.plots.style import (
    ALARM,
    INK,
    SOFT,
    class_labels,
    colour,
    header,
    header_inches,
    label,
    legend,
    look,
    new_figure,
)
from treino.words import _

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

ACROSS = 3
SMALLER = 0.3  # marks of rows, beside those of a picture of one network
LETTERS, LINE = 46, 0.135  # in a line of a caption, and inches from one to the next
LOW = 0.4  # inches of the legend


def grid_figure(
    shown: Sequence[Boundary],
    captions: Sequence[str],
    title: str,
    sentences: Sequence[str] = (),
    side: float = 1.71,
) -> "Figure":
    """One panel for each, three in a line; a caption above each, and which classes win nowhere in it.

    side: inches that a panel is high.
    """
    with look():
        x_name, y_name = axis_names(shown[0])
        lines_above = [*sentences, _("Across: {x}; up: {y}.").format(x=x_name, y=y_name)]
        if isinstance(shown[0], Plane) and (sentence := held_sentence(shown[0])):
            lines_above.append(sentence)
        wrapped = [textwrap.wrap(label(caption, 3 * LETTERS), LETTERS) for caption in captions]
        lost = any(_nowhere(one)[0] for one in shown)
        pitch = side + (0.355 if lost else 0.2) + LINE * max(map(len, wrapped))
        figure = new_figure(header_inches(lines_above) + 0.32 + pitch * math.ceil(len(shown) / ACROSS))
        inches = figure.get_figheight()
        top = header(figure, title, lines_above)
        pitch = (top - LOW / inches) / math.ceil(len(shown) / ACROSS)
        for place, (one, caption) in enumerate(zip(shown, wrapped, strict=True)):
            line, column = divmod(place, ACROSS)
            width = 0.98 / ACROSS
            corner = 0.012 + column * width, top - (line + 1) * pitch + 0.06 / inches
            axes = figure.add_axes((*corner, width - 0.016, side / inches))
            _panel(axes, one)
            _above(axes, *_nowhere(one), up=1, size=7.5)
            _above(axes, "\n".join(caption), INK, up=13 if lost else 2, size=8)
        classes = () if isinstance(shown[0], Fit) else shown[0].classes
        _legend(figure, class_labels(classes)[:8], LOW / inches)
        return figure


def _panel(axes: "Axes", one: Boundary) -> None:
    from matplotlib.collections import PathCollection

    draw_shown(axes, one)
    (x0, x1), (y0, y1) = limits(one)
    axes.set(xlim=(x0, x1), ylim=(y0, y1), xticks=[], yticks=[])
    for marks_of in axes.collections:
        if isinstance(marks_of, PathCollection):
            marks_of.set_sizes(marks_of.get_sizes() * SMALLER)
            marks_of.set_linewidth(0.6)


def _above(axes: "Axes", words: str, ink: str, up: float, size: float) -> None:
    """up: points from the panel to the words."""
    axes.annotate(
        words, (0, 1), (0, up), "axes fraction", "offset points", color=ink, fontsize=size, va="bottom"
    )  # fmt: skip


def _legend(figure: "Figure", names: Sequence[str], height: float) -> None:
    from matplotlib.lines import Line2D

    if names:
        marks = [Line2D([], [], linestyle="none", marker="s", color=colour(c)) for c in range(len(names))]
        corner = figure.add_axes((0.012, 0.0, 0.976, height))
        corner.set_axis_off()
        legend(corner, marks, names, loc="center left", ncols=8, columnspacing=1.2)


def _nowhere(one: Boundary) -> tuple[str, str]:
    if isinstance(one, Fit) or not one.classes or not one.absent:
        return "", INK
    names = class_labels(one.classes, 14)
    listed = ", ".join(names[c] for c in one.absent[:3]) + (", …" if len(one.absent) > 3 else "")
    if isinstance(one, Plane) and one.view != "all":  # the network may say it off this plane
        return _("not on this plane: {names}").format(names=listed), SOFT
    return _("nowhere: {names}").format(names=listed), ALARM
