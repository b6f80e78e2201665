"""The picture of a study's costs: seconds per epoch against epochs needed."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from treino.plots.study import StudyCurve, legend_below, legend_inches, looks
from treino.plots.style import ALARM, INK, SOFT, header, label, look, metric_name, new_figure
from treino.words import _, numeral

OFFSET = 0.05  # of a label from its dot; this and the next two as shares of the axes
APART_X, APART_Y = 0.11, 0.12  # labels that are further apart can't touch

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def tradeoff_figure(
    lines: Sequence[StudyCurve], title: str, metric: str | None, figure: float | None
) -> "Figure":
    """A dot for each row: how long an epoch takes, and after how many the figure is reached.

    Along a grey line the product, all seconds together, is the same. Rows that never get there stand above.
    metric, figure: what is to be reached; None: only the seconds are shown.
    """
    timed = [line for line in lines if line.seconds]
    with look():
        below = legend_inches(lines)
        drawn = new_figure(5.4 + below)
        sentences = []
        if metric is not None and figure is not None:
            goal = _("Epochs until {metric} is {figure}, against what an epoch takes (and its interval).")
            sentences = [goal.format(metric=label(metric_name(metric)), figure=numeral(figure))]
            sentences.append(_("Along a grey line the seconds in all are the same: lower left is quicker."))
        top = header(drawn, _("What it costs: {name}").format(name=label(title, 44)), sentences)
        bottom = (0.7 + below) / drawn.get_figheight()
        axes = drawn.add_axes((0.1, bottom, 0.87, top - bottom - 0.02))
        if not timed:
            axes.set_axis_off()
            axes.text(0.5, 0.5, _("No epoch was timed."), ha="center", color=ALARM, transform=axes.transAxes)
            return drawn
        _dots(axes, timed, metric)
        axes.set_xlabel(_("seconds per epoch (log scale)"))
        legend_below(drawn, lines, linestyle="", markersize=8)
        return drawn


def _dots(axes: "Axes", lines: Sequence[StudyCurve], metric: str | None) -> None:
    from matplotlib.ticker import FixedLocator, FuncFormatter, LogLocator, MaxNLocator, NullFormatter

    look_of = looks(lines)
    most = max(line.epochs for line in lines)
    never = most * 1.12 + 0.6
    axes.set_xscale("log")
    seconds = np.array([line.seconds for line in lines], dtype=np.float64)
    axes.set_xlim(seconds.min() / 1.9, seconds.max() * 2.6)
    axes.set_ylim(-0.07 * most, never + 0.06 * most + 0.4)
    if metric is not None:
        _equal_cost(axes, seconds, most)
        axes.axhspan(most + 0.06 * most + 0.25, axes.get_ylim()[1], color=ALARM, alpha=0.06, linewidth=0)
    placed: list[tuple[float, float, str]] = []  # where labels stand, as shares of the axes
    for line in sorted(lines, key=lambda each: each.seconds or 0):
        own = look_of[line.mode, line.setting]
        epoch = line.epochs_to.get(metric) if metric is not None else None
        y = never if epoch is None else epoch
        x = float(line.seconds or 0)
        if line.interval is not None:
            axes.hlines(y, line.interval[0], line.interval[1], color=own.colour, linewidth=1.6, alpha=0.55)
        axes.plot(
            x, y, own.mark, color=own.colour, markersize=8, linestyle="",
            markerfacecolor=own.colour if epoch is not None else "white", markeredgewidth=1.8,
        )  # fmt: skip
        at_x, at_y = axes.transAxes.inverted().transform(axes.transData.transform((x, y)))
        near = [(b, text) for a, b, text in placed if abs(at_x - a) < APART_X and abs(at_y - b) < APART_Y]
        if any(text == line.panel for _b, text in near):  # a word that stands beside it already
            continue
        above = all(abs(at_y + OFFSET - b) > OFFSET for b, _text in near)
        placed.append((at_x, at_y + (OFFSET if above else -OFFSET), line.panel))
        axes.annotate(
            label(line.panel, 20), (x, y), xytext=(0, 8 if above else -8), textcoords="offset points",
            ha="center", va="bottom" if above else "top", fontsize=9, color=INK,
        )  # fmt: skip
    ticks = [t for t in MaxNLocator(nbins=7, integer=True).tick_values(0, most) if 0 <= t <= most]
    axes.yaxis.set_major_locator(FixedLocator([*ticks, never] if metric is not None else []))
    axes.yaxis.set_major_formatter(
        FuncFormatter(lambda value, _p: _("never") if value == never else numeral(value, ",.0f"))
    )
    axes.set_ylabel(_("epochs") if metric is not None else "")
    axes.xaxis.set_major_locator(LogLocator(base=10, subs=(1.0, 2.0, 5.0), numticks=9))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _p: numeral(value)))
    axes.xaxis.set_minor_formatter(NullFormatter())


def _equal_cost(axes: "Axes", seconds: Any, most: int) -> None:
    """Lines of equal seconds in all, at 1, 2 or 5 times a power of ten."""
    low, high = axes.get_xlim()
    x = np.geomspace(low, high, 200)
    powers = np.arange(np.floor(np.log10(low)), np.ceil(np.log10(high * most)) + 1)
    for total in (m * 10.0**p for p in powers for m in (1, 3)):
        y = total / x
        inside = (y > 0) & (y <= most)
        if not inside.any() or total < low * 1.5:
            continue
        axes.plot(x[inside], y[inside], color=SOFT, linewidth=0.7, alpha=0.35, zorder=1)
        place = int(np.flatnonzero(inside)[0])
        if place > 0.9 * len(x):
            continue
        axes.annotate(
            _("{n} s").format(n=numeral(total)), (x[place], y[place]), xytext=(3, -2),
            textcoords="offset points", fontsize=7.5, color=SOFT, va="top",
        )  # fmt: skip
