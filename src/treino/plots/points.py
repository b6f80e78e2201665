"""Rows as marks in pictures: colours and shapes of classes and splits."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from treino.base.words import _
from treino.inspection.input_planes import Points
from treino.plots.captions import rows_label
from treino.plots.style import INK, PAPER, SOFT, colour, spot

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def draw_rows(axes: "Axes", points: tuple[Points, ...], classes: int) -> None:
    """Draw training rows small, validation rows as diamonds, test rows large; put rings around wrong ones."""
    crowd = sum(len(p) for p in points)
    size = float(np.interp(crowd, (200, 1200), (1.0, 0.5)))
    for p in points:
        inks = np.array([colour(c) for c in range(classes)])[p.true_N.astype(int)]
        area, look_of = marks(p.split)
        x_N, y_N = p.at_NK.T
        axes.scatter(x_N, y_N, area * size, c=inks, **look_of)
        wrong, ring = p.wrong_N, dict[str, Any](facecolors="none", edgecolors=INK, linewidths=1.3)
        axes.scatter(x_N[wrong], y_N[wrong], (area * size) ** 0.5 * 16, zorder=look_of["zorder"], **ring)


def marks(split: str) -> tuple[float, dict[str, Any]]:
    """Return the area and the look of a split's marks."""
    area, *look_of = {
        "train": (20.0, "o", PAPER, 0.5, 3),
        "validation": (26.0, "D", PAPER, 0.6, 4),
        "test": (56.0, "o", INK, 1.0, 5),
    }[split]
    return area, dict(zip(("marker", "edgecolors", "linewidths", "zorder"), look_of, strict=True))


def class_key(names: Sequence[str], most: int, absent: Sequence[int] = ()) -> tuple[list[Any], list[str]]:
    """Return legend handles and labels of up to ``most`` classes; a hollow mark means: wins nowhere."""
    handles, labels = [], []
    for c, name in enumerate(names[:most]):
        square = spot("s", 11, color=colour(c))
        if c in absent:
            square.set_markerfacecolor(PAPER)
        handles.append(square)
        labels.append(_("{name} (nowhere)").format(name=name) if c in absent else name)
    if len(names) > most:
        handles.append(spot("", 0))
        labels.append(_("… {n} more").format(n=len(names) - most))
    return handles, labels


def row_key(points: tuple[Points, ...], inks: dict[str, str] | None = None) -> tuple[list[Any], list[str]]:
    """Return legend handles and labels of these rows. inks: a colour per split; default grey."""
    handles, labels = [], []
    for p in points:
        area, look_of = marks(p.split)
        inside = {
            "markerfacecolor": (inks or {}).get(p.split, SOFT),
            "markeredgecolor": look_of["edgecolors"],
        }
        handle = spot(look_of["marker"], area**0.5, markeredgewidth=look_of["linewidths"], **inside)
        handles.append(handle)
        labels.append(rows_label(p))
    return handles, labels


def wrong_key() -> tuple[Any, str]:
    """Return the legend's handle and label of the ring around misclassified rows."""
    return spot("o", 10, markerfacecolor="none", color=INK), _("network is wrong")
