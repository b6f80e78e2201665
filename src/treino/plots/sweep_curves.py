"""The picture of a sweep's learning curves: their density, the median, and the best member's."""

from typing import TYPE_CHECKING

import numpy as np

from treino.inspection.sweep_statistics import Density
from treino.plots.style import INK, PALETTE, header, label, legend, log_axis, look, metric_name, new_figure
from treino.words import _

MARGIN = 0.02  # below the lowest figure, so that the axis doesn't cut a line that touches it

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def density_figure(d: Density, name: str, metric: str, falls: bool) -> "Figure":
    """Darker: more networks, on a scale on which a single one can still be seen. falls: lower is better."""
    with look():
        from matplotlib.colors import LinearSegmentedColormap, LogNorm
        from matplotlib.ticker import MaxNLocator

        figure = new_figure(5.2)
        most = int(d.count_GE.max())
        sentence = _(
            "Validation {metric}; the darker, the more networks (at most {n:,} in one cell)."
        ).format(metric=metric_name(metric), n=most)
        top = header(figure, _("All learning curves: {name}").format(name=label(name, 50)), [sentence])
        axes = figure.add_axes((0.11, 0.12, 0.86, top - 0.12))
        blues = LinearSegmentedColormap.from_list("count", ["#dcebf5", "#7db3d8", PALETTE[0], "#02365a"])
        shown = np.where(d.count_GE > 0, d.count_GE, np.nan)
        axes.pcolormesh(
            _borders(d.epoch_E), d.edge_G, shown, cmap=blues, norm=LogNorm(1, max(2, most)), rasterized=True
        )
        dot = "o" if len(d.epoch_E) == 1 else ""  # one look is no line
        (middle,) = axes.plot(
            d.epoch_E, d.median_E.clip(d.edge_G[0], d.edge_G[-1]), color=INK, linewidth=1.4, marker=dot
        )
        (best,) = axes.plot(
            d.epoch_E, d.best_E.clip(d.edge_G[0], d.edge_G[-1]), color=PALETTE[5], linewidth=2.4, marker=dot
        )
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        if d.log:
            axes.set_yscale("log")
        low, high = d.edge_G[0], d.edge_G[-1]
        axes.set_ylim(low * (low / high) ** MARGIN if d.log else low - MARGIN * (high - low), high)
        if d.log:
            log_axis(axes)
        axes.set_xlim(_borders(d.epoch_E)[0], _borders(d.epoch_E)[-1])
        axes.set_xlabel(_("epoch"))
        axes.set_ylabel(metric_name(metric) + (_(" (log scale)") if d.log else ""))
        legend(
            axes, [best, middle],
            [_("the best, network {n}").format(n=d.best), _("median of those that still train")],
            loc="upper right" if falls else "lower right",
        )  # fmt: skip
        return figure


def _borders(epoch_E: np.ndarray) -> np.ndarray:
    """``[E + 1]``: each look stands for the epochs around it."""
    if len(epoch_E) == 1:
        return np.array([epoch_E[0] - 0.5, epoch_E[0] + 0.5])
    middle = (epoch_E[1:] + epoch_E[:-1]) / 2
    return np.concatenate([[2 * epoch_E[0] - middle[0]], middle, [2 * epoch_E[-1] - middle[-1]]])
