"""Rows as marks in pictures: colours and shapes of classes and splits."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from treino.inspection.input_planes import Points
from treino.plots.captions import rows_label
from treino.plots.style import INK, PAPER, SOFT, colour
from treino.words import _

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def draw_rows(axes: "Axes", points: tuple[Points, ...], classes: int) -> None:
    """Training rows small, validation rows diamonds, test rows large with an outline; wrong ones ringed."""
    crowd = sum(len(p) for p in points)
    size = float(np.interp(crowd, (200, 1200), (1.0, 0.5)))
    for p in points:
        inks = np.array([colour(c) for c in range(classes)])[p.true_N.astype(int)]
        marker, area, edge, width, order = marks(p.split)
        x_N, y_N = p.at_NK.T
        axes.scatter(
            x_N, y_N, area * size, c=inks, marker=marker, edgecolors=edge, linewidths=width, zorder=order
        )
        wrong = p.wrong_N
        axes.scatter(
            x_N[wrong],
            y_N[wrong],
            (area * size) ** 0.5 * 16,
            facecolors="none",
            edgecolors=INK,
            linewidths=1.3,
            zorder=order,
        )


def marks(split: str) -> tuple[str, float, str, float, int]:
    """Marker, area, edge colour, edge width, order of drawing."""
    return {
        "train": ("o", 20.0, PAPER, 0.5, 3),
        "validation": ("D", 26.0, PAPER, 0.6, 4),
        "test": ("o", 56.0, INK, 1.0, 5),
    }[split]


def class_key(names: Sequence[str], most: int, absent: Sequence[int] = ()) -> tuple[list[Any], list[str]]:
    """The legend's handles and labels for so many classes, the others counted; hollow: wins nowhere."""
    from matplotlib.lines import Line2D

    handles, labels = [], []
    for c, name in enumerate(names[:most]):
        square = Line2D([], [], linestyle="none", marker="s", markersize=11, color=colour(c))
        if c in absent:
            square.set_markerfacecolor(PAPER)
        handles.append(square)
        labels.append(_("{name} (nowhere)").format(name=name) if c in absent else name)
    if len(names) > most:
        handles.append(Line2D([], [], linestyle="none"))
        labels.append(_("… {n} more").format(n=len(names) - most))
    return handles, labels


def row_key(points: tuple[Points, ...], inks: dict[str, str] | None = None) -> tuple[list[Any], list[str]]:
    """The legend's handles and labels for these rows; ``inks``: a colour per split, else grey."""
    from matplotlib.lines import Line2D

    handles, labels = [], []
    for p in points:
        marker, area, edge, width, _order = marks(p.split)
        handles.append(
            Line2D(
                [],
                [],
                linestyle="none",
                marker=marker,
                markersize=area**0.5,
                markerfacecolor=(inks or {}).get(p.split, SOFT),
                markeredgecolor=edge,
                markeredgewidth=width,
            )
        )
        labels.append(rows_label(p))
    return handles, labels


def wrong_key() -> tuple[Any, str]:
    """The legend's handle and label for the ring around a row that the network gets wrong."""
    from matplotlib.lines import Line2D

    ring = Line2D([], [], linestyle="none", marker="o", markersize=10, markerfacecolor="none", color=INK)
    return ring, _("network is wrong")
