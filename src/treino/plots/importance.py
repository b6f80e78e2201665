"""The picture of feature importance, of columns or of an image's squares."""

from typing import TYPE_CHECKING

import numpy as np

from treino.inspection.feature_importance import Cost, Importances
from treino.plots.pixels import largest, signed_map
from treino.plots.style import (
    DPI,
    FAINT,
    INK,
    PALETTE,
    SOFT,
    WIDTH,
    extent,
    header,
    label,
    look,
    new_figure,
    split_name,
)
from treino.words import _, numeral

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST = 20
BAR = 0.27  # inches
ONE, JOINT = PALETTE[0], PALETTE[5]


def importance_figure(shown: Importances, name: str, mean_item: np.ndarray | None = None) -> "Figure":
    """mean_item: ``[C, H, W]`` what a picture's squares are laid over."""
    with look():
        return _squares(shown, name, mean_item) if shown.patch else _bars(shown, name)


def sentences(shown: Importances) -> list[str]:
    """What was shuffled, on which rows, and from which figures the cost is counted."""
    counted = _("{n:,} {split} rows").format(n=shown.rows, split=split_name(shown.split))
    if shown.rows < shown.of:
        counted = _("{n:,} of {of:,} {split} rows").format(
            n=shown.rows, of=shown.of, split=split_name(shown.split)
        )
    what = _("Each square of pixels") if shown.patch else _("Each column")
    scores = ", ".join(f"{_(k)} {numeral(v)}" for k, v in shown.score.items())
    lines = [
        _("{what} shuffled {k} times on {rows}; unshuffled: {scores}.").format(
            what=what, k=shown.repeats, rows=counted, scores=scores
        ),
        _("Lines: 95 % intervals, for the rows and for the shuffling.")
        if not shown.patch
        else _("Blue: worse without it. Dots: the 95 % interval lies above 0."),
    ]
    drawn = len(shown.loss.mean_K) if shown.patch else min(MOST, len(shown.names))
    if drawn < shown.columns:
        lines.append(
            _("The {k} that cost most, of {n} that were shuffled and {of} there are.").format(
                k=drawn, n=len(shown.loss.mean_K), of=shown.columns
            )
        )
    return lines


def warnings(shown: Importances) -> list[str]:
    lines = []
    if shown.split == "train":
        lines.append(_("The network learnt from these rows: what it learnt by heart seems important too."))
    for group in shown.together[:3]:
        listed = [label(shown.names[k], 30) for k in group.columns]
        names = ", ".join(listed[:4]) + (
            _(" and {n} more").format(n=len(listed) - 4) if len(listed) > 4 else ""
        )
        lines.append(
            _(
                "{names} vary together (rank correlation up to {r}): each alone seems less important than "
                "all of them are."
            ).format(names=names, r=numeral(group.correlation, ".2f"))
        )
    if len(shown.together) > 3:
        lines.append(_("and {n} more such groups").format(n=len(shown.together) - 3) + ".")
    return lines


def _bars(shown: Importances, name: str) -> "Figure":
    count = min(MOST, len(shown.names))
    together = shown.together[:5]
    names = [label(n, 26) for n in shown.names[:count]]
    names += [
        _("{first} and {n} more").format(
            first=label(shown.names[group.columns[0]], 16), n=len(group.columns) - 1
        )
        for group in together
    ]
    caption_lines, warned = sentences(shown), warnings(shown)
    lines = sum(1 + len(w) // 106 for w in [*caption_lines, *warned])
    figure = new_figure(1.6 + 0.205 * lines + BAR * max(3, len(names)))
    top = header(figure, _("Feature importance: {name}").format(name=label(name, 40)), caption_lines, warned)
    height = figure.get_figheight()
    left_axes = figure.add_axes((0.3, 0.75 / height, 0.38, top - 1.0 / height))
    right_axes = figure.add_axes((0.71, 0.75 / height, 0.26, top - 1.0 / height))
    unit = _("rmse gained") if shown.metric == "rmse" else _("accuracy lost")
    _dots(left_axes, shown.loss, shown.joint_loss, count, len(together))
    _dots(right_axes, shown.worse, None, count, len(together))
    left_axes.set_yticks(range(len(names)), names)
    for k in range(count, len(names)):
        left_axes.get_yticklabels()[k].set_color(JOINT)
    right_axes.set_yticks([])
    left_axes.set_title(_("loss gained when shuffled"), fontsize=10.5, loc="left", color=INK)
    right_axes.set_title(unit, fontsize=10.5, loc="left", color=INK)
    wide = max((extent(t).width for t in left_axes.get_yticklabels()), default=0) / DPI
    left, box = (wide + 0.35) / WIDTH, left_axes.get_position()
    half = (0.975 - left - 0.04) / 2
    left_axes.set_position((left, box.y0, half, box.height))
    right_axes.set_position((left + half + 0.04, box.y0, half, box.height))
    if together:
        figure.text(
            left,
            0.16 / height,
            _("orange: the whole group shuffled together"),
            color=JOINT,
            fontsize=9.5,
        )
    return figure


def _dots(axes: "Axes", cost: Cost, joint: Cost | None, count: int, groups: int) -> None:
    parts = [(cost, count, 0, ONE)] + ([(joint, groups, count, JOINT)] if joint is not None else [])
    for values, many, start, ink in parts:
        at = np.arange(many) + start
        mean, low, high = values.mean_K[:many], values.low_K[:many], values.high_K[:many]
        axes.barh(at, mean, height=0.62, color=ink, alpha=0.22)
        axes.hlines(at, low, high, color=ink, linewidth=2.0)
        axes.plot(mean, at, "o", color=ink, markersize=5)
    axes.axvline(0, color=SOFT, linewidth=0.9)
    if not np.abs(np.concatenate([cost.low_K[:count], cost.high_K[:count]])).max(initial=0) > 1e-12:
        axes.set_xlim(-0.05, 0.05)
    axes.set_ylim(count + groups - 0.4, -0.6)
    axes.grid(axis="x")
    axes.tick_params(left=False)
    axes.spines["left"].set_visible(False)
    axes.locator_params(axis="x", nbins=5)


def _squares(shown: Importances, name: str, mean_item: np.ndarray | None) -> "Figure":
    caption_lines, warned = sentences(shown), warnings(shown)
    lines = sum(1 + len(w) // 106 for w in [*caption_lines, *warned])
    figure = new_figure(4.35 + 0.205 * lines)
    top = header(
        figure, _("Importance of image regions: {name}").format(name=label(name, 40)), caption_lines, warned
    )
    height = figure.get_figheight()
    side = 3.05
    unit = _("rmse gained") if shown.metric == "rmse" else _("accuracy lost")
    for panel, (cost, title) in enumerate(
        ((shown.loss, _("loss gained when shuffled")), (shown.worse, unit))
    ):
        axes = figure.add_axes(
            (0.03 + panel * 0.495, (top * height - 0.35 - side) / height, side / WIDTH, side / height)
        )
        _map(axes, shown, cost, mean_item)
        axes.set_title(title, fontsize=10.5, loc="left", color=INK)
    return figure


def _map(axes: "Axes", shown: Importances, cost: Cost, mean_item: np.ndarray | None) -> None:
    from matplotlib.patches import Rectangle

    most, side = largest(cost.mean_K), shown.patch
    shape = (int(shown.at_K2[:, 0].max()) + side, int(shown.at_K2[:, 1].max()) + side)
    if mean_item is not None:
        shape = (mean_item.shape[-2], mean_item.shape[-1])
    value = np.full(shape, np.nan)
    for (row, column), mean, low in zip(shown.at_K2, cost.mean_K, cost.low_K, strict=True):
        value[row : row + side, column : column + side] = mean
        if low > 0:
            axes.plot(column + side / 2 - 0.5, row + side / 2 - 0.5, "o", color=INK, markersize=3.2)
        axes.add_patch(
            Rectangle((column - 0.5, row - 0.5), side, side, fill=False, edgecolor=FAINT, linewidth=0.5)
        )
    image = axes.imshow(value, cmap=signed_map(), vmin=-most, vmax=most, interpolation="nearest")
    if mean_item is not None:
        grey = mean_item.reshape(-1, *mean_item.shape[-2:]).mean(axis=0)
        if np.ptp(grey) > 0:
            axes.contour(grey, levels=4, colors=[SOFT], linewidths=0.7, alpha=0.7)
    axes.set_xlim(-0.5, shape[1] - 0.5)
    axes.set_ylim(shape[0] - 0.5, -0.5)
    axes.set_xticks([])
    axes.set_yticks([])
    bar = axes.figure.colorbar(image, ax=axes, fraction=0.045, pad=0.03, ticks=[-most, 0, most])
    bar.ax.set_yticklabels([f"−{numeral(most)}", "0", numeral(most)], fontsize=8.5)
    bar.outline.set_edgecolor(SOFT)
