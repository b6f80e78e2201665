"""The picture of the loss on the straight line between two networks, with its barrier."""

from typing import TYPE_CHECKING

import numpy as np

from treino.inspection.loss_planes import Interpolation
from treino.plots.curves import spans
from treino.plots.style import (
    FAINT,
    INK,
    INKS,
    SOFT,
    header,
    header_inches,
    label,
    legend,
    log_axis,
    look,
    new_figure,
    split_name,
)
from treino.words import _, numeral

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def line_figure(shown: Interpolation, first: str, second: str) -> "Figure":
    """A curve for each split; the straight line below each is what a loss without a barrier stays under."""
    with look():
        one, other = label(first, 24), label(second, 24)
        barriers = [_barrier(shown, split) for split in shown.loss]
        rows = ", ".join(f"{split_name(s)} {n}" for s, n in shown.rows.items())
        captions = [
            _("All parameters move in a straight line from one network to the other, {d} apart.").format(
                d=numeral(shown.distance)
            ),
            _("Barrier (the rise above the line between both ends): {barriers}. Rows: {rows}.").format(
                barriers="; ".join(barriers), rows=rows
            ),
        ]
        figure = new_figure(header_inches(captions, _alarms(shown)) + 4.0)
        top = header(figure, _("Between {a} and {b}").format(a=one, b=other), captions, _alarms(shown))
        bottom = 0.78 / figure.get_figheight()
        axes = figure.add_axes((0.11, bottom, 0.86, top - bottom))
        handles, labels = [], []
        for split, loss_R in shown.loss.items():
            fine_R = np.isfinite(loss_R)
            (drawn,) = axes.plot(shown.at_R, np.where(fine_R, loss_R, np.nan), color=INKS[split], zorder=4)
            handles.append(drawn)
            labels.append(split_name(split))
            ends = np.interp([0.0, 1.0], shown.at_R, loss_R)
            way = np.linspace(0, 1, 101)  # a straight line, also where the axis is logarithmic
            axes.plot(
                way,
                ends[0] + way * (ends[1] - ends[0]),
                color=INKS[split],
                linewidth=1.0,
                linestyle=(0, (2, 2)),
            )
            axes.plot([0, 1], ends, "o", color=INKS[split], markersize=7, markeredgecolor="white", zorder=5)
        seen = np.concatenate([loss_R[np.isfinite(loss_R)] for loss_R in shown.loss.values()])
        if spans(seen):
            log_axis(axes)
            axes.set_ylabel(_("loss (log scale)"))
        else:
            axes.set_ylabel(_("loss"))
        axes.axvspan(shown.at_R[0], 0, color=FAINT, alpha=0.45, linewidth=0, zorder=0)
        axes.axvspan(1, shown.at_R[-1], color=FAINT, alpha=0.45, linewidth=0, zorder=0)
        axes.set_xlim(float(shown.at_R[0]), float(shown.at_R[-1]))
        axes.set_xticks([0, 0.25, 0.5, 0.75, 1])
        axes.set_xticklabels([f"0\n{one}", *(numeral(at) for at in (0.25, 0.5, 0.75)), f"1\n{other}"])
        for tick in (axes.get_xticklabels()[0], axes.get_xticklabels()[-1]):
            tick.set_color(INK)
        axes.grid(axis="y")
        axes.text(
            0.5,
            -0.155,
            _("place on the line"),
            color=SOFT,
            fontsize=10,
            ha="center",
            va="top",
            transform=axes.transAxes,
        )
        legend(axes, handles, labels, loc="best")
        return figure


def _barrier(shown: Interpolation, split: str) -> str:
    height, place = shown.barrier[split]
    if not np.isfinite(height):
        return _("{split} not finite at {place}").format(split=split_name(split), place=numeral(place))
    if height == 0:
        return _("{split} none").format(split=split_name(split))
    return _("{split} {height} at {place}").format(
        split=split_name(split), height=numeral(height), place=numeral(place)
    )


def _alarms(shown: Interpolation) -> list[str]:
    bad = sum(int((~np.isfinite(loss_R)).sum()) for loss_R in shown.loss.values())
    return [_("Gaps: the loss is not finite there.")] if bad else []
