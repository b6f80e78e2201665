"""The picture of several runs' learning curves: training loss, validation loss, and the metric."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from treino.inspection.curves import Curves, Floats, smoothed
from treino.plots.curves import FEW, spans
from treino.plots.style import (
    PALETTE,
    class_labels,
    header,
    header_inches,
    legend,
    log_axis,
    look,
    metric_name,
    new_figure,
)
from treino.words import _

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST = len(PALETTE)
ACROSS = 4
Curve = tuple[Floats, Floats]  # epochs, values


def overlay_figure(runs: Sequence[Curves], smooth: float = 0.0, notes: Sequence[str] = ()) -> "Figure":
    """One colour for each run; a panel for each figure that any of them has.

    smooth: as in ``smoothed``; the curves as they were measured stay behind, faint.
    """
    with look():
        every = _panels(runs)
        panels = [(name, of) for name, of in every if any(len(e) for e, _v in of)] or every[:1]
        lines = -(-len(runs) // ACROSS)
        captions = []
        if smooth:
            captions = [
                _(
                    "Smoothed: exponential average, weight {w:g} on the past, corrected for its start;"
                    " faint: as measured."
                ).format(w=smooth)
            ]
        figure = new_figure(header_inches(captions, notes) + 0.68 + 2.15 * len(panels) + 0.22 * lines)
        inches = figure.get_figheight()
        title = _("Learning curves of {n} runs").format(n=len(runs))
        top = header(figure, title, captions, notes) - 0.04 / inches
        low = 0.1 / inches
        bottom = low + (0.52 + 0.22 * lines) / inches
        room = (top - bottom) / len(panels)
        drawn: list[Axes] = []
        for place, (name, of) in enumerate(panels):
            box = (0.095, top - (place + 1) * room + 0.17 / inches, 0.88, room - 0.37 / inches)
            axes = figure.add_axes(box, sharex=drawn[0] if drawn else None)
            axes.set_title(name, fontsize=9.5, loc="left", pad=4)
            _panel(axes, of, smooth)
            axes.grid(axis="y")
            axes.tick_params(labelbottom=place == len(panels) - 1)
            drawn.append(axes)
        drawn[-1].set_xlabel(_("epoch"))
        _ends(drawn[-1], runs)
        _names(figure, [run.name for run in runs], low, 0.22 * lines / inches)
        return figure


def _panels(runs: Sequence[Curves]) -> list[tuple[str, list[Curve]]]:
    metric = next((run.metric for run in runs if run.metric), "")
    return [
        (_("training loss"), [_training(run) for run in runs]),
        (_("validation loss"), [_evaluated(run, "loss") for run in runs]),
        (
            _("validation {metric}").format(metric=metric_name(metric)),
            [_evaluated(run, metric) for run in runs],
        ),
    ]


def _training(run: Curves) -> Curve:
    """The epochs' means; every iteration where epochs are too few for a curve."""
    if run.epochs <= FEW and len(run.step_loss_S):
        return run.step_epoch_S, run.step_loss_S
    return np.arange(1, run.epochs + 1, dtype=np.float64), run.loss_E


def _evaluated(run: Curves, metric: str) -> Curve:
    value_E = run.evaluated.get("validation", {}).get(metric, np.empty(0))
    seen = np.isfinite(value_E)
    return np.asarray(np.flatnonzero(seen) + 1, dtype=np.float64), value_E[seen]


def _panel(axes: "Axes", curves: Sequence[Curve], smooth: float) -> None:
    for place, (epoch_E, value_E) in enumerate(curves):
        ink: dict[str, Any] = {"color": PALETTE[place % MOST]}
        dot = "o" if np.isfinite(value_E).sum() <= 12 else ""
        if smooth:
            axes.plot(epoch_E, value_E, linewidth=0.9, alpha=0.3, zorder=2, **ink)
        shown_E = smoothed(value_E, smooth) if smooth else value_E
        axes.plot(epoch_E, shown_E, linewidth=1.7, marker=dot, markersize=4, zorder=4, **ink)
    if spans(np.concatenate([value_E for _e, value_E in curves])):
        log_axis(axes)


def _ends(axes: "Axes", runs: Sequence[Curves]) -> None:
    from matplotlib.ticker import MaxNLocator

    along = [epoch_E for run in runs for epoch_E, _v in [_training(run)] if len(epoch_E)]
    last = max([*(float(epoch_E[-1]) for epoch_E in along), 1.0])
    short = last <= FEW or any(epoch_E[0] < 1 for epoch_E in along)
    first = 0.0 if short else 1.0
    axes.set_xlim(first - 0.02 * (last - first), last + 0.02 * (last - first))
    axes.xaxis.set_major_locator(MaxNLocator(integer=last > FEW, nbins=10, steps=[1, 2, 5, 10]))


def _names(figure: "Figure", names: Sequence[str], low: float, tall: float) -> None:
    from matplotlib.lines import Line2D

    corner = figure.add_axes((0.095, low, 0.88, tall))
    corner.set_axis_off()
    marks = [Line2D([], [], color=PALETTE[k % MOST], linewidth=2.5) for k in range(len(names))]
    legend(
        corner,
        marks,
        class_labels(names),
        loc="center left",
        ncols=ACROSS,
        columnspacing=1.6,
        handlelength=1.4,
    )
