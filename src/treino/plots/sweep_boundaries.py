"""The picture of the best networks' decision boundaries, side by side on the same plane."""

import math
import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING

from treino.inspection.input_planes import Plane
from treino.plots.boundary import draw_regions
from treino.plots.captions import axis_name, held_sentence
from treino.plots.points import draw_rows
from treino.plots.style import (
    INK,
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
LETTERS = 43  # in a line of a caption
SMALLER = 0.35  # marks of rows, beside those of a picture of one network


def boundaries_figure(planes: Sequence[Plane], captions: Sequence[str], name: str) -> "Figure":
    """One panel for each network, the best one first; captions: what stands above each."""
    with look():
        from matplotlib.collections import PathCollection
        from matplotlib.lines import Line2D

        lines = math.ceil(len(planes) / ACROSS)
        said = [textwrap.wrap(label(caption, 3 * LETTERS), LETTERS) for caption in captions]
        above = 0.16 + 0.125 * max(map(len, said))  # inches of a caption
        first = planes[0]
        lines_above = [
            _("Across: {x}; up: {y}.").format(x=axis_name(first, 0), y=axis_name(first, 1))
            + " "
            + _("Paler: less sure; ringed: wrong.")
        ]
        if sentence := held_sentence(first):
            lines_above.append(sentence)
        figure = new_figure(header_inches(lines_above) + 0.45 + (2.25 + above) * lines)
        inches = figure.get_figheight()
        top = header(
            figure, _("The best {n}: {name}").format(n=len(planes), name=label(name, 46)), lines_above
        )
        low = 0.42 / inches
        height, width = (top - low) / lines, 0.98 / ACROSS
        for place, (plane, caption) in enumerate(zip(planes, said, strict=True)):
            line, column = divmod(place, ACROSS)
            axes = figure.add_axes(
                (
                    0.012 + column * width,
                    top - (line + 1) * height + 0.06 / inches,
                    width - 0.016,
                    height - above / inches,
                )
            )
            draw_regions(axes, plane)
            draw_rows(axes, plane.points, len(plane.classes))
            for marks_of in axes.collections:
                if isinstance(marks_of, PathCollection):
                    marks_of.set_sizes(marks_of.get_sizes() * SMALLER)
            axes.set_xticks([])
            axes.set_yticks([])
            axes.set_title("\n".join(caption), fontsize=7.5, color=INK, loc="left", pad=3)
        names = class_labels(planes[0].classes)
        marks = [Line2D([], [], linestyle="none", marker="s", color=colour(c)) for c in range(len(names))]
        if names:
            corner = figure.add_axes((0.012, 0.0, 0.976, low))
            corner.set_axis_off()
            legend(corner, marks[:8], names[:8], loc="center left", ncols=8, columnspacing=1.2)
        return figure
