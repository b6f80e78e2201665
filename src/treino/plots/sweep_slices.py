"""The picture of a sweep's slices: each setting against the figure, diverged members marked."""

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from treino.inspection.sweep_statistics import WIDE, Setting, SweepFigures
from treino.plots.style import (
    ALARM,
    PALETTE,
    WIDTH,
    header,
    header_inches,
    label,
    log_axis,
    look,
    metric_name,
    new_figure,
    setting_name,
)
from treino.words import _

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLUMNS = 3
MOST = 9
LEFT, GAP = 0.78, 0.28  # inches: beside the first panel, and between two
CHOICES = 8  # that are all named
LETTERS = 18  # of a choice's name
ABSENT = -0.12  # the place of networks that don't have the setting
SPREAD = 0.5  # of the room between two levels, over which their networks are spread


def slices_figure(s: SweepFigures) -> "Figure":
    """Dots: networks that were cut (pale) or trained to the end (dark); the best is orange; ×: diverged."""
    with look():
        shown = s.settings[:MOST]
        lines = math.ceil(len(shown) / COLUMNS)
        across = min(COLUMNS, len(shown))
        sentences = [
            _("Dark: trained to the end. Pale: cut before. Orange: the best. ×: diverged ({n:,}).").format(
                n=int(s.diverged_M.sum())
            )
        ]
        if len(s.settings) > MOST:
            sentences.append(_("The first {k} of {n} settings.").format(k=MOST, n=len(s.settings)))
        width = (WIDTH - LEFT - 0.2) / across  # of a column, in inches
        ticks = [_ticks(setting) for setting in shown]
        turned = any(_width(of) > width - GAP - 0.1 for of in ticks)
        below = 0.62 + (0.05 * max(len(text) for of in ticks for _at, text in of) if turned else 0.0)
        figure = new_figure(header_inches(sentences) + (1.9 + below) * lines + 0.1)
        top = header(figure, _("Setting by setting: {name}").format(name=label(s.name, 50)), sentences)
        inches = figure.get_figheight()
        for place, (setting, of) in enumerate(zip(shown, ticks, strict=True)):
            line, column = divmod(place, COLUMNS)
            corner = LEFT + column * width, top * inches - line * (1.9 + below) - 1.9
            axes = figure.add_axes(
                (corner[0] / WIDTH, corner[1] / inches, (width - GAP) / WIDTH, 1.75 / inches)
            )
            _slice(axes, s, setting)
            turn: dict[str, Any] = (
                {"rotation": 40, "ha": "right", "rotation_mode": "anchor"} if turned else {}
            )
            places, words = [at for at, _text in of], [text for _at, text in of]
            axes.set_xticks(places, words, fontsize=8.5, **turn)
            if column:
                axes.tick_params(labelleft=False)
            else:
                axes.set_ylabel(metric_name(s.metric))
        return figure


def _ticks(setting: Setting) -> list[tuple[float, str]]:
    """(place, words) below the axis: every choice, some of a range, and the place of networks without one."""
    step = 1 if setting.levels is not None and setting.levels <= CHOICES else -(-len(setting.ticks) // 5)
    ticks = [(at, label(text, LETTERS)) for at, text in setting.ticks[::step]]
    return [(ABSENT, _("none")), *ticks] if np.isnan(setting.place_M).any() else ticks


def _width(ticks: list[tuple[float, str]]) -> float:
    """About how many inches these words need side by side."""
    return sum(0.07 * len(text) + 0.08 for _at, text in ticks)


def _slice(axes: "Axes", s: SweepFigures, setting: Setting) -> None:
    x_M = np.nan_to_num(setting.place_M, nan=ABSENT)
    if setting.levels is not None:
        turn_M = (s.member_M * 0.6180339887) % 1 - 0.5
        x_M = x_M + turn_M * SPREAD / max(1, setting.levels)
    fine_M = np.isfinite(s.figure_M)
    low, high, log = _range(s)
    y_M = s.figure_M.clip(low, high)
    size = float(np.interp(len(x_M), (50, 1000), (26, 8)))
    cut_M = fine_M & ~s.finished_M
    axes.scatter(x_M[cut_M], y_M[cut_M], size, color="#8fb8d8", linewidths=0, zorder=2)
    done_M = fine_M & s.finished_M
    axes.scatter(x_M[done_M], y_M[done_M], size * 1.3, color=PALETTE[0], linewidths=0, zorder=3)
    if fine_M.any():
        best = s.order[0]
        axes.scatter(x_M[best], y_M[best], 70, color=PALETTE[5], edgecolors="white", linewidths=0.8, zorder=5)
    if log:
        axes.set_yscale("log")
    axes.set_ylim(*_margins(low, high, log))
    if log:
        log_axis(axes)
    at = axes.get_ylim()[0 if s.better > 0 else 1]
    lost = s.diverged_M
    axes.scatter(
        x_M[lost],
        np.full(int(lost.sum()), at),
        22,
        color=ALARM,
        marker="x",
        linewidths=1.1,
        clip_on=False,
        zorder=4,
    )
    axes.set_xlim(
        -0.2 if np.isnan(setting.place_M).any() else -0.06 - 0.2 * bool(setting.levels),
        1.06 + 0.2 * bool(setting.levels),
    )
    axes.set_xlabel(setting_name(setting.name))
    axes.grid(axis="y")


def _range(s: SweepFigures) -> tuple[float, float, bool]:
    """From the best to what is still worth telling apart; worse figures lie on the border."""
    fine = s.figure_M[np.isfinite(s.figure_M)]
    if not len(fine):
        return 0.0, 1.0, False
    low, high = float(fine.min()), float(fine.max())
    if s.better < 0:
        high = float(np.quantile(fine, 0.98))
    high = max(high, low + 1e-9)
    return low, high, s.better < 0 < low and high > WIDE * low


def _margins(low: float, high: float, log: bool) -> tuple[float, float]:
    if log:
        more = (high / low) ** 0.05
        return low / more, high * more
    more = 0.05 * (high - low)
    return low - more, high + more
