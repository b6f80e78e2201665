"""The picture of a sweep's settings in parallel coordinates: a line per member, an axis per setting."""

import textwrap
from typing import TYPE_CHECKING, Any

import numpy as np

from treino.inspection.sweep_statistics import SweepFigures
from treino.plots.style import (
    FAINT,
    INK,
    PALETTE,
    SOFT,
    extent,
    header,
    label,
    look,
    metric_name,
    new_figure,
    setting_name,
)
from treino.words import _, numeral

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST = 600  # lines, the best of them and an even share of the rest
BEST = 5
SPREAD = 0.06  # how far lines of one choice lie apart
MOST_LETTERS = 18  # of a number or a choice beside an axis
WRAPPED = 12  # letters in a line of an axis' name


def parallel_figure(s: SweepFigures) -> "Figure":
    """The best networks in ink over all the others, from pale (worse) to blue (better)."""
    with look():
        from matplotlib.collections import LineCollection
        from matplotlib.colors import LinearSegmentedColormap

        figure = new_figure(5.6)
        fine = s.order[: int((~np.isnan(s.figure_M)).sum())]
        top = header(
            figure,
            _("Settings: {name}").format(name=label(s.name, 50)),
            [_caption(s)],
            [_lost(s)] if _lost(s) else [],
        )
        names = [*(setting_name(setting.name) for setting in s.settings), metric_name(s.metric)]
        names = ["\n".join(textwrap.wrap(name, WRAPPED)) for name in names]
        axes = figure.add_axes((0.02, 0.03, 0.96, top - 0.06 - 0.03 * max(n.count("\n") + 1 for n in names)))
        columns, ticks = _columns(s)
        K, M = len(columns), len(s.member_M)
        drawn = fine if len(fine) <= MOST else np.unique(np.append(fine[:50], fine[:: -(-len(fine) // MOST)]))
        rank_M = np.empty(M)
        rank_M[s.order] = np.arange(M) / max(1, len(fine) - 1)
        drawn = drawn[np.argsort(-rank_M[drawn], kind="stable")]
        blue = LinearSegmentedColormap.from_list("rank", [PALETTE[0], "#9dc3df", FAINT])
        lines = [np.stack([np.arange(K), [c[m] for c in columns]], 1) for m in drawn]
        if len(drawn):
            axes.add_collection(
                LineCollection(
                    lines, colors=blue(rank_M[drawn].clip(0, 1)), linewidths=0.9, alpha=0.75, zorder=2
                )
            )
        for m in fine[:BEST][::-1]:
            first = m == fine[0]
            axes.plot(
                np.arange(K),
                [c[m] for c in columns],
                color=PALETTE[5],
                linewidth=2.6 if first else 1.2,
                zorder=4,
            )
        axes.set_xlim(0, max(1, K - 1))
        axes.set_ylim(-0.08, 1.08)
        axes.set_axis_off()
        beside: list[Any] = []
        for k, marks in enumerate(ticks):
            axes.axvline(k, color=SOFT, linewidth=0.9, zorder=3)
            last = k == K - 1  # whose numbers have room at its right
            for place, text in marks:
                beside.append(
                    axes.annotate(
                        label(text, MOST_LETTERS), (k, place), xytext=(4 if last else -4, 0),
                        textcoords="offset points", fontsize=8.5, ha="left" if last else "right",
                        va="center", color=INK, zorder=5,
                        bbox={"facecolor": "white", "alpha": 0.75, "edgecolor": "none", "pad": 0.6},
                    )
                )  # fmt: skip
        for k, text in enumerate(names):
            beside.append(
                axes.text(
                    k, 1.09, text, ha="center", va="bottom",
                    fontsize=10 if K <= 6 else 8.5, weight="bold",
                )
            )  # fmt: skip
        _make_room(axes, beside)
        return figure


def _make_room(axes: "Axes", beside: list[Any]) -> None:
    """Move the outer axes inwards until the words beside them lie in the picture."""
    for _time in range(2):  # words in the middle move with their axes, those at the ends do not
        frame, boxes = extent(axes), [extent(text) for text in beside]
        edge = axes.figure.bbox
        left = max(0.0, 10 - min(box.x0 for box in boxes)) / edge.width
        right = max(0.0, max(box.x1 for box in boxes) - edge.x1 + 10) / edge.width
        low, high = frame.x0 / edge.width + left, frame.x1 / edge.width - right
        box = axes.get_position()
        axes.set_position((low, box.y0, high - low, box.height))


def _columns(s: SweepFigures) -> tuple[list[np.ndarray], list[list[tuple[float, str]]]]:
    """Each axis' places ``[M]`` and ticks; a setting that a network doesn't have goes below the axis."""
    columns, ticks = [], []
    for setting in s.settings:
        place_M = setting.place_M.copy()
        if setting.levels is not None:  # lines through one point would hide how many they are
            turn_M = (s.member_M * 0.6180339887) % 1 - 0.5
            place_M = place_M + turn_M * min(SPREAD, 0.5 / max(1, setting.levels))
        columns.append(np.nan_to_num(place_M, nan=-0.07))
        marks = list(setting.ticks)
        if np.isnan(setting.place_M).any():
            marks.append((-0.07, _("none")))
        ticks.append(marks)
    fine_M = s.figure_M[~np.isnan(s.figure_M)]
    if not len(fine_M):
        return columns, ticks
    values = np.sort(s.better * fine_M)
    place = np.searchsorted(values, s.better * s.figure_M, side="left") / max(1, len(values) - 1)
    columns.append(np.where(np.isnan(s.figure_M), np.nan, place.clip(0, 1)))
    shown = (0.0, 0.25, 0.5, 0.75, 1.0)
    ticks.append([(q, numeral(float(s.better * np.quantile(values, q)))) for q in shown])
    return columns, ticks


def _caption(s: SweepFigures) -> str:
    return _("{n:,} networks; the best {k} are orange, and the {metric} at the right is by rank.").format(
        n=len(s.member_M), k=min(BEST, len(s.member_M)), metric=metric_name(s.metric)
    )


def _lost(s: SweepFigures) -> str:
    lost = int(s.diverged_M.sum())
    return _("{n:,} diverged and have no line.").format(n=lost) if lost else ""
