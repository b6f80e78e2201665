"""The pictures of a regression: predicted against true, and the curve where there is one input."""

from typing import TYPE_CHECKING

import numpy as np

from treino.inspection.input_planes import Fit, InputLine, Points
from treino.plots.captions import axis_names, score_sentence
from treino.plots.points import marks, row_key
from treino.plots.style import (
    INK,
    INKS,
    SOFT,
    header,
    label,
    legend_at_right,
    look,
    new_figure,
)
from treino.words import _

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D


def regression_figure(shown: InputLine | Fit) -> "Figure":
    """Predicted against true in the target's own units, or the predicted curve among the rows."""
    with look():
        return _curve(shown) if isinstance(shown, InputLine) else _fit(shown)


def _fit(fit: Fit) -> "Figure":
    figure = new_figure()
    title = _("Predicted against true: {name}").format(name=label(fit.name, 44))
    top = header(figure, title, [score_sentence(fit.score)])
    axes = figure.add_axes((0.11, 0.11, 0.60, top - 0.11))
    every = np.concatenate([np.concatenate([p.true_N, p.predicted_N]) for p in fit.points])
    every = every[np.isfinite(every)]
    low, high = (float(every.min()), float(every.max())) if len(every) else (0.0, 1.0)
    margin = 0.04 * (high - low) or 0.5 * max(1.0, abs(high))
    low, high = low - margin, high + margin
    diagonal = draw_fit(axes, fit, low, high)
    axes.set_xlim(low, high)
    axes.set_ylim(low, high)
    axes.grid(True)
    x_name, y_name = axis_names(fit)
    axes.set(xlabel=x_name, ylabel=y_name)
    handles, labels = row_key(fit.points, INKS)
    legend_at_right(axes, [diagonal, *handles], [_("predicted = true"), *labels])
    return figure


def _curve(line: InputLine) -> "Figure":
    figure = new_figure()
    title = _("What the network predicts: {name}").format(name=label(line.name, 40))
    top = header(figure, title, [score_sentence(line.score)])
    axes = figure.add_axes((0.11, 0.11, 0.60, top - 0.11))
    curve = draw_curve(axes, line)
    axes.set_xlim(line.x_R[0], line.x_R[-1])
    axes.grid(True)
    x_name, y_name = axis_names(line)
    axes.set(xlabel=x_name, ylabel=y_name)
    handles, labels = row_key(line.points, INKS)
    legend_at_right(axes, [curve, *handles], [_("network"), *labels])
    return figure


def draw_fit(axes: "Axes", fit: Fit, low: float, high: float) -> "Line2D":
    """Predictions, cut off at the ends, against what is true. -> the line on which they would be right."""
    (diagonal,) = axes.plot(
        [low, high], [low, high], color=SOFT, linewidth=1.2, linestyle=(0, (5, 3)), zorder=2
    )
    predicted = [np.clip(p.predicted_N, low, high) for p in fit.points]
    _scatter(axes, fit.points, [p.true_N for p in fit.points], predicted)
    return diagonal


def draw_curve(axes: "Axes", line: InputLine) -> "Line2D":
    """What is predicted, as a curve among the rows."""
    _scatter(axes, line.points, [p.at_NK[:, 0] for p in line.points], [p.true_N for p in line.points])
    (curve,) = axes.plot(line.x_R, line.value_RC[:, 0], color=INK, linewidth=2.4, zorder=7)
    return curve


def _scatter(axes: "Axes", points: tuple[Points, ...], x_N: list[np.ndarray], y_N: list[np.ndarray]) -> None:
    size = float(np.interp(sum(len(p) for p in points), (200, 1500), (1.0, 0.5)))
    for p, x, y in zip(points, x_N, y_N, strict=True):
        marker, area, edge, width, order = marks(p.split)
        faint = 0.55 if p.split == "train" else 0.9
        axes.scatter(
            x, y, area * size, c=INKS[p.split], marker=marker, edgecolors=edge, linewidths=width,
            alpha=faint, zorder=order,
        )  # fmt: skip
