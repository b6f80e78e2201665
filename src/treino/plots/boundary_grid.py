"""Several networks over the same inputs in one picture: a film's frames, or untrained networks."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from treino.inspection.input_planes import Boundary, Fit, Plane
from treino.plots.captions import held_sentence
from treino.plots.film import axis_names, draw_shown, limits
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
    from matplotlib.figure import Figure

ACROSS = 3
SMALLER = 0.3  # marks of rows, beside those of a picture of one network


def grid_figure(
    shown: Sequence[Boundary], captions: Sequence[str], title: str, sentences: Sequence[str] = ()
) -> "Figure":
    """One panel for each, three in a line; a caption above each, and which classes win nowhere in it."""
    with look():
        from matplotlib.collections import PathCollection
        from matplotlib.lines import Line2D

        lines = math.ceil(len(shown) / ACROSS)
        x_name, y_name = axis_names(shown[0])
        lines_above = [*sentences, _("Across: {x}; up: {y}.").format(x=x_name, y=y_name)]
        if isinstance(shown[0], Plane) and (sentence := held_sentence(shown[0])):
            lines_above.append(sentence)
        figure = new_figure(header_inches(lines_above) + 0.32 + 2.2 * lines)
        inches = figure.get_figheight()
        top = header(figure, title, lines_above)
        low = 0.4 / inches
        height, width = (top - low) / lines, 0.98 / ACROSS
        for place, (one, caption) in enumerate(zip(shown, captions, strict=True)):
            line, column = divmod(place, ACROSS)
            corner = 0.012 + column * width, top - (line + 1) * height + 0.06 / inches
            axes = figure.add_axes((*corner, width - 0.016, height - 0.46 / inches))
            draw_shown(axes, one)
            (x0, x1), (y0, y1) = limits(one)
            axes.set_xlim(x0, x1)
            axes.set_ylim(y0, y1)
            for marks_of in axes.collections:
                if isinstance(marks_of, PathCollection):
                    marks_of.set_sizes(marks_of.get_sizes() * SMALLER)
                    marks_of.set_linewidth(0.6)
            axes.set_xticks([])
            axes.set_yticks([])
            axes.text(0, 1.095, label(caption, 48), transform=axes.transAxes, fontsize=8, color=INK)
            said, ink = _nowhere(one)
            axes.text(0, 1.005, said, transform=axes.transAxes, fontsize=7.5, color=ink, va="bottom")
        classes = () if isinstance(shown[0], Fit) else shown[0].classes
        names = class_labels(classes)[:8]
        marks = [Line2D([], [], linestyle="none", marker="s", color=colour(c)) for c in range(len(names))]
        if names:
            corner_axes = figure.add_axes((0.012, 0.0, 0.976, low))
            corner_axes.set_axis_off()
            legend(corner_axes, marks, names, loc="center left", ncols=8, columnspacing=1.2)
        return figure


def _nowhere(one: Boundary) -> tuple[str, str]:
    if isinstance(one, Fit) or not one.classes or not one.absent:
        return "", INK
    names = class_labels(one.classes, 14)
    listed = ", ".join(names[c] for c in one.absent[:3]) + (", …" if len(one.absent) > 3 else "")
    if isinstance(one, Plane) and one.view != "all":  # the network may say it off this plane
        return _("not on this plane: {names}").format(names=listed), SOFT
    return _("nowhere: {names}").format(names=listed), ALARM
