"""The pictures of a sweep: curves, boundaries, slices, parallel coordinates, importance of settings."""

import math
import textwrap
from collections.abc import Sequence
from typing import Any

import numpy as np

from treino.base.words import _, numeral
from treino.engine.metrics import metric_name
from treino.inspection.input_planes import Plane
from treino.plots import style
from treino.plots.panels import boundaries_grid
from treino.training.search.judge import Density, Setting, SettingImportance, SweepFigures

# ---- learning curves

MARGIN = 0.02  # space below the lowest value, so that the axis doesn't clip a line there


@style.look()
def density_figure(d: Density, name: str, metric: str, falls: bool) -> "style.Figure":
    """Draw all learning curves as a density; a single network stays visible. falls: lower is better."""
    from matplotlib.colors import LinearSegmentedColormap, LogNorm
    from matplotlib.ticker import MaxNLocator

    most = int(d.count_GE.max())
    sentence = _(
        "Validation {metric}; the stronger the colour, the more networks, by their logarithm"
        " (at most {n:,} in one cell)."
    ).format(metric=metric_name(metric), n=most)
    figure, top, _high = style.titled(_("All learning curves: {name}"), name, [sentence], height=5.2)
    axes = figure.add_axes((0.11, 0.12, 0.86, top - 0.12))
    blues = LinearSegmentedColormap.from_list("count", ["#dcebf5", "#7db3d8", style.PALETTE[0], "#02365a"])
    shown = np.where(d.count_GE > 0, d.count_GE, np.nan)
    norm, low, high = LogNorm(1, max(2, most)), d.edge_G[0], d.edge_G[-1]
    axes.pcolormesh(_borders(d.epoch_E), d.edge_G, shown, cmap=blues, norm=norm, rasterized=True)
    dot = "o" if len(d.epoch_E) == 1 else ""  # one evaluation makes no line
    (middle,) = axes.plot(d.epoch_E, d.median_E.clip(low, high), color=style.INK, linewidth=1.4, marker=dot)
    (best,) = axes.plot(
        d.epoch_E, d.best_E.clip(low, high), color=style.PALETTE[5], linewidth=2.4, marker=dot
    )
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set_ylim(low - MARGIN * (high - low), high)
    axes.set_xlim(_borders(d.epoch_E)[0], _borders(d.epoch_E)[-1])
    axes.set_xlabel(_("epoch"))
    name = metric_name(metric)
    axes.set_ylabel(name)
    names = [_("the best, network {n}").format(n=d.best), _("median of those that still train")]
    style.legend(axes, [best, middle], names, loc="upper right" if falls else "lower right")
    return figure


def _borders(epoch_E: np.ndarray) -> np.ndarray:
    """Return the bin edges ``[E + 1]``, so that each evaluation covers the epochs around it."""
    if len(epoch_E) == 1:
        return np.array([epoch_E[0] - 0.5, epoch_E[0] + 0.5])
    middle = (epoch_E[1:] + epoch_E[:-1]) / 2
    return np.concatenate([[2 * epoch_E[0] - middle[0]], middle, [2 * epoch_E[-1] - middle[-1]]])


# ---- decision boundaries of the best networks

SIDE = 2.25  # inches: height of a panel


def boundaries_figure(planes: Sequence[Plane], captions: Sequence[str], name: str) -> "style.Figure":
    """Draw the boundaries, the best network's first. captions: one above each panel."""
    title = _("The best {n}: {name}").format(n=len(planes), name=style.label(name, 46))
    return boundaries_grid(planes, captions, title, [_("Fainter: less sure; ringed: wrong.")], SIDE)


# ---- importance of settings

KNOWS_LITTLE = 0.2


def importance_sentences(m: SettingImportance) -> tuple[list[str], list[str]]:
    """Say what the importances are, and warn where they may be noise."""
    about = _(
        "A random forest over {n:,} networks explains {share} of their ranks after the first rung; "
        "each bar is what it loses when that setting is shuffled."
    ).format(n=m.networks, share=style.percent(max(0.0, m.explained)))
    return [about], [_("That is little: these bars may be noise.")] if m.explained < KNOWS_LITTLE else []


@style.look()
def importance_figure(m: SettingImportance, name: str) -> "style.Figure":
    """Draw a bar for each setting, the most important at the top, with the spread over the shuffles."""
    title, high = _("What mattered: {name}"), 1.9 + 0.42 * len(m.names)
    figure, top, _high = style.titled(title, name, *importance_sentences(m), height=high)
    bottom = 0.62 / high
    axes = figure.add_axes((0.2, bottom, 0.76, top - bottom))
    place_K = np.arange(len(m.names))[::-1]
    mean_K, std_K = m.drop_KR.mean(1), m.drop_KR.std(1)
    axes.barh(place_K, mean_K, height=0.62, color=style.PALETTE[0], zorder=2)
    axes.errorbar(
        mean_K, place_K, xerr=std_K, fmt="none", ecolor=style.INK, elinewidth=1.2, capsize=3, zorder=3
    )
    axes.set_yticks(place_K, [style.setting_name(n) for n in m.names])
    axes.axvline(0, color=style.INK, linewidth=0.8)
    axes.set_xlabel(_("explained variance of the ranks that is lost"))
    axes.grid(axis="x")
    axes.spines["left"].set_visible(False)
    axes.tick_params(left=False)
    return figure


# ---- parallel coordinates

MOST = 600  # lines at most: the best networks and an evenly spaced sample of the rest
BEST = 5
SPREAD = 0.06  # spread of the lines of one choice
MOST_LETTERS = 18  # maximum number of characters of a number or choice beside an axis
WRAPPED = 12  # characters per line of an axis' name


@style.look()
def parallel_figure(s: SweepFigures) -> "style.Figure":
    """Draw the best networks in orange over all others, which range from pale (worse) to blue (better)."""
    from matplotlib.collections import LineCollection
    from matplotlib.colors import LinearSegmentedColormap

    fine = s.order[: int((~np.isnan(s.figure_M)).sum())]
    lost = int(s.diverged_M.sum())
    warnings = [_("{n:,} diverged and have no line.").format(n=lost)] if lost else []
    title = _("Settings: {name}")
    figure, top, _high = style.titled(title, s.name, [_caption(s)], warnings, height=5.6)
    names = [*(style.setting_name(setting.name) for setting in s.settings), metric_name(s.metric)]
    names = ["\n".join(textwrap.wrap(name, WRAPPED)) for name in names]
    axes = figure.add_axes((0.02, 0.03, 0.96, top - 0.06 - 0.03 * max(n.count("\n") + 1 for n in names)))
    columns, ticks = _columns(s)
    K, M = len(columns), len(s.member_M)
    drawn = fine if len(fine) <= MOST else np.unique(np.append(fine[:50], fine[:: -(-len(fine) // MOST)]))
    rank_M = np.empty(M)
    rank_M[s.order] = np.arange(M) / max(1, len(fine) - 1)
    drawn = drawn[np.argsort(-rank_M[drawn], kind="stable")]
    blue = LinearSegmentedColormap.from_list("rank", [style.PALETTE[0], "#9dc3df", style.FAINT])
    lines = [np.stack([np.arange(K), [c[m] for c in columns]], 1) for m in drawn]
    if len(drawn):
        inks = blue(rank_M[drawn].clip(0, 1))
        axes.add_collection(LineCollection(lines, colors=inks, linewidths=0.9, alpha=0.75, zorder=2))
    for m in fine[:BEST][::-1]:
        place_K, width = [c[m] for c in columns], 2.6 if m == fine[0] else 1.2
        axes.plot(np.arange(K), place_K, color=style.PALETTE[5], linewidth=width, zorder=4)
    axes.set_xlim(0, max(1, K - 1))
    axes.set_ylim(-0.08, 1.08)
    axes.set_axis_off()
    labels: list[Any] = []
    behind = {"facecolor": "white", "alpha": 0.75, "edgecolor": "none", "pad": 0.6}
    for k, marks in enumerate(ticks):
        axes.axvline(k, color=style.SOFT, linewidth=0.9, zorder=3)
        last = k == K - 1  # the last axis has room for its numbers at its right
        away, ha = (4, "left") if last else (-4, "right")
        mark: dict[str, Any] = {"fontsize": 8.5, "ha": ha, "va": "center", "color": style.INK, "zorder": 5}
        for place, text in marks:
            at = (k, place)
            labels.append(
                style.beside(axes, style.label(text, MOST_LETTERS), at, (away, 0), bbox=behind, **mark)
            )
    for k, text in enumerate(names):
        size = 10 if K <= 6 else 8.5
        labels.append(axes.text(k, 1.09, text, ha="center", va="bottom", fontsize=size, weight="bold"))
    _make_room(axes, labels)
    return figure


def _make_room(axes: "style.Axes", labels: list[Any]) -> None:
    """Move the outer axes inwards until their labels fit in the picture."""
    for _time in range(2):  # labels between the ends move with their axes, those at the ends don't
        frame, boxes = style.extent(axes), [style.extent(text) for text in labels]
        edge = axes.figure.bbox
        left = max(0.0, 10 - min(box.x0 for box in boxes)) / edge.width
        right = max(0.0, max(box.x1 for box in boxes) - edge.x1 + 10) / edge.width
        low, high = frame.x0 / edge.width + left, frame.x1 / edge.width - right
        box = axes.get_position()
        axes.set_position((low, box.y0, high - low, box.height))


def _columns(s: SweepFigures) -> tuple[list[np.ndarray], list[list[tuple[float, str]]]]:
    """Return each axis' positions ``[M]`` and ticks; networks without a setting lie below its axis."""
    columns, ticks = [], []
    for setting in s.settings:
        place_M = setting.place_M.copy()
        if setting.levels is not None:  # lines through one point would hide how many there are
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


# ---- slices

COLUMNS = 3
MOST_SLICES = 9
LEFT, GAP = 0.78, 0.28  # inches: left of the first panel, and between panels
CHOICES = 8  # up to this many choices, all are named
LABEL_LETTERS = 18  # maximum number of characters of a choice's name
ABSENT = -0.12  # the position of networks without the setting
JITTER = 0.5  # share of the distance between two levels over which networks are spread


@style.look()
def slices_figure(s: SweepFigures) -> "style.Figure":
    """Draw a dot for each network: pale if stopped, dark if fully trained, orange if best; × if diverged."""
    shown = s.settings[:MOST_SLICES]
    lines = math.ceil(len(shown) / COLUMNS)
    across = min(COLUMNS, len(shown))
    sentences = [
        _("Strong: trained to the end. Faint: cut before. Orange: the best. ×: diverged ({n:,}).").format(
            n=int(s.diverged_M.sum())
        )
    ]
    if len(s.settings) > MOST_SLICES:
        sentences.append(_("The first {k} of {n} settings.").format(k=MOST_SLICES, n=len(s.settings)))
    width = (style.WIDTH - LEFT - 0.2) / across  # width of a column, in inches
    ticks = [_ticks(setting) for setting in shown]
    turned = any(sum(0.07 * len(text) + 0.08 for _at, text in of) > width - GAP - 0.1 for of in ticks)
    below = 0.62 + (0.05 * max(len(text) for of in ticks for _at, text in of) if turned else 0.0)
    title, room = _("Setting by setting: {name}"), (1.9 + below) * lines + 0.1
    figure, top, inches = style.titled(title, s.name, sentences, below=room)
    turn: dict[str, Any] = {"rotation": 40, "ha": "right", "rotation_mode": "anchor"}
    for place, (setting, of) in enumerate(zip(shown, ticks, strict=True)):
        line, column = divmod(place, COLUMNS)
        corner = LEFT + column * width, top * inches - line * (1.9 + below) - 1.9
        axes = style.axes_at(figure, *corner, width - GAP, 1.75)
        _slice(axes, s, setting)
        places, words = [at for at, _text in of], [text for _at, text in of]
        axes.set_xticks(places, words, fontsize=8.5, **(turn if turned else {}))
        if column:
            axes.tick_params(labelleft=False)
        else:
            axes.set_ylabel(metric_name(s.metric))
    return figure


def _ticks(setting: Setting) -> list[tuple[float, str]]:
    """Return (position, text) of the axis' labels: all choices or some of a range; "none" if unset."""
    step = 1 if setting.levels is not None and setting.levels <= CHOICES else -(-len(setting.ticks) // 5)
    ticks = [(at, style.label(text, LABEL_LETTERS)) for at, text in setting.ticks[::step]]
    return [(ABSENT, _("none")), *ticks] if np.isnan(setting.place_M).any() else ticks


def _slice(axes: "style.Axes", s: SweepFigures, setting: Setting) -> None:
    x_M = np.nan_to_num(setting.place_M, nan=ABSENT)
    if setting.levels is not None:
        turn_M = (s.member_M * 0.6180339887) % 1 - 0.5
        x_M = x_M + turn_M * JITTER / max(1, setting.levels)
    fine_M = np.isfinite(s.figure_M)
    low, high = _range(s)
    y_M = s.figure_M.clip(low, high)
    size = float(np.interp(len(x_M), (50, 1000), (26, 8)))
    cut_M = fine_M & ~s.finished_M
    axes.scatter(x_M[cut_M], y_M[cut_M], size, color="#8fb8d8", linewidths=0, zorder=2)
    done_M = fine_M & s.finished_M
    axes.scatter(x_M[done_M], y_M[done_M], size * 1.3, color=style.PALETTE[0], linewidths=0, zorder=3)
    if fine_M.any():
        best = s.order[0]
        axes.scatter(
            x_M[best], y_M[best], 70, color=style.PALETTE[5], edgecolors="white", linewidths=0.8, zorder=5
        )
    more = 0.05 * (high - low)
    axes.set_ylim(low - more, high + more)
    at = axes.get_ylim()[0 if s.better > 0 else 1]
    lost = s.diverged_M
    at_M = np.full(len(lost), at)[lost]
    axes.scatter(x_M[lost], at_M, 22, color=style.ALARM, marker="x", linewidths=1.1, clip_on=False, zorder=4)
    axes.set_xlim(
        -0.2 if np.isnan(setting.place_M).any() else -0.06 - 0.2 * bool(setting.levels),
        1.06 + 0.2 * bool(setting.levels),
    )
    axes.set_xlabel(style.setting_name(setting.name))
    axes.grid(axis="y")


def _range(s: SweepFigures) -> tuple[float, float]:
    """Return the axis' range, from the best to values worth distinguishing."""
    fine = s.figure_M[np.isfinite(s.figure_M)]
    if not len(fine):
        return 0.0, 1.0
    low, high = float(fine.min()), float(fine.max())
    if s.better < 0:
        high = float(np.quantile(fine, 0.98))
    return low, max(high, low + 1e-9)
