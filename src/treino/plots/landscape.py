"""The picture of a loss landscape: contours seen from above, and a surface."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from treino.inspection.input_planes import Floats
from treino.inspection.loss_planes import Landscape
from treino.plots.style import (
    FAINT,
    INK,
    PALETTE,
    SOFT,
    WIDTH,
    extent,
    header,
    header_inches,
    label,
    look,
    new_figure,
    percent,
)
from treino.words import _, numeral

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.colors import Normalize
    from matplotlib.figure import Figure

MAP = "viridis"
WAY, HERE = PALETTE[5], PALETTE[1]
LOG_FROM = 3.0  # from this ratio of the largest to the smallest loss on, the colours are logarithmic
LEVELS = 9
SIDE = 3.75  # inches of the view from above
RIGHT = 0.625  # of the width: where the view from the side begins, clear of the colours' numbers
ELEVATION, AZIMUTH = 48, -62


def landscape_figure(land: Landscape, name: str) -> "Figure":
    """From above on the left, as a surface on the right; the run's path on both where it is known."""
    with look():
        captions, alarms = sentences(land), warnings(land)
        figure = new_figure(header_inches(captions, alarms) + 0.12 + SIDE + 0.6)
        title = _("The loss around the network: {name}") if land.path is None else _("The path down: {name}")
        top = header(figure, title.format(name=label(name, 44)), captions, alarms)
        inches = figure.get_figheight()
        scale = colours(land)
        top -= 0.12 / inches
        tall = SIDE / inches
        from_above(figure.add_axes((0.09, top - tall, SIDE / WIDTH, tall)), land, scale)
        if np.isfinite(land.loss_RR).any():
            surface(figure, (RIGHT, top - tall - 0.02, 1 - RIGHT, tall + 0.04), land, scale)
            colour_bar(figure, scale, land, (0.09 + SIDE / WIDTH + 0.012, top - tall, 0.016, tall))
        return figure


def colours(land: Landscape) -> "Normalize":
    """From the smallest to the largest loss; logarithmic where the range asks.

    What is far beyond the network's own loss and its path's (10 times less, 10,000 times more) gets the
    first or the last colour, for it would leave no colours for the rest.
    """
    from matplotlib.colors import LogNorm, Normalize

    own = np.append(land.path.loss_K if land.path is not None else [], land.centre)
    seen = land.loss_RR[np.isfinite(land.loss_RR)]
    own, positive = own[np.isfinite(own) & (own > 0)], seen[seen > 0]
    if not len(positive):
        return Normalize(0, 1, clip=True)
    low, high = float(positive.min()), float(positive.max())
    if len(own):
        low, high = max(low, float(own.min()) / 10), min(high, float(own.max()) * 1e4)
    if high > LOG_FROM * low:
        return LogNorm(low, high, clip=True)
    return Normalize(float(seen.min()), high if high > seen.min() else seen.min() + 1, clip=True)


def from_above(axes: "Axes", land: Landscape, scale: "Normalize") -> None:
    """Colour, contours and names of the axes; grey hatching where the loss is not finite."""
    from matplotlib import rc_context
    from matplotlib.patheffects import withStroke
    from matplotlib.ticker import MaxNLocator

    a_R, b_R = land.a_R, land.b_R
    fine_RR = np.isfinite(land.loss_RR)
    shown_RR = np.ma.array(land.loss_RR, mask=~fine_RR)
    axes.set_facecolor(FAINT)
    axes.pcolormesh(
        a_R, b_R, shown_RR, cmap=MAP, norm=scale, shading="gouraud" if fine_RR.all() else "nearest",
        rasterized=True,
    )  # fmt: skip
    if not fine_RR.all():
        with rc_context({"hatch.color": SOFT, "hatch.linewidth": 0.6}):
            axes.contourf(a_R, b_R, (~fine_RR).astype(float), [0.5, 1.5], colors="none", hatches=["///"])
    named: Sequence[Any] = ()
    if fine_RR.any() and float(shown_RR.max()) > float(shown_RR.min()):
        lines = axes.contour(a_R, b_R, shown_RR, levels(scale), colors="white", linewidths=0.6, alpha=0.75)
        named = axes.clabel(lines, fmt=numeral, fontsize=7.5, inline_spacing=2)
        for text in named:
            text.set_path_effects([withStroke(linewidth=1.6, foreground=INK, alpha=0.45)])
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(MaxNLocator(5, steps=[1, 2, 5, 10]))
    axes.set_aspect("equal")
    axes.set_xlim(float(a_R[0]), float(a_R[-1]))
    axes.set_ylim(float(b_R[0]), float(b_R[-1]))
    for text in named:  # one that crosses the border would be cut
        box, frame = extent(text), extent(axes.patch)
        text.set_visible(frame.contains(box.x0, box.y0) and frame.contains(box.x1, box.y1))
    axes.set_xlabel(axis_name(land, 0))
    axes.set_ylabel(axis_name(land, 1), labelpad=2)
    for spine in axes.spines.values():
        spine.set_visible(False)
    if land.path is not None:
        draw_way(axes, land.path.at_K2)
    else:
        axes.plot([0], [0], marker="*", markersize=15, color=HERE, markeredgecolor=INK, markeredgewidth=0.8)


def levels(scale: "Normalize") -> list[float]:
    """Round losses for the contours: so many that the smallest step is seen and none is crowded."""
    from matplotlib.colors import LogNorm
    from matplotlib.ticker import MaxNLocator

    low, high = float(scale.vmin or 0), float(scale.vmax or 1)
    decades = math.log10(high / low) if isinstance(scale, LogNorm) else 0.0
    if decades < 1:
        return [float(v) for v in MaxNLocator(LEVELS).tick_values(low, high) if low < v < high]
    parts = (1.0, 2.0, 5.0) if decades < 3 else (1.0, 3.0) if decades < 5 else (1.0,)
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    return [v for k in powers for v in (part * 10.0**k for part in parts) if low < v < high]


def draw_way(axes: "Axes", at_K2: Floats) -> None:
    """The path with its start (ring) and its end (star), and a dot for every moment."""
    axes.plot(*at_K2.T, color="white", linewidth=3.2, zorder=4)
    axes.plot(*at_K2.T, color=WAY, linewidth=1.7, marker="o", markersize=2.8, zorder=5)
    axes.plot(
        *at_K2[:1].T,
        marker="o",
        markersize=8,
        color="white",
        markeredgecolor=WAY,
        markeredgewidth=2,
        zorder=6,
    )
    axes.plot(
        *at_K2[-1:].T,
        marker="*",
        markersize=15,
        color=HERE,
        markeredgecolor=INK,
        markeredgewidth=0.8,
        zorder=6,
    )


def colour_bar(
    figure: "Figure", scale: "Normalize", land: Landscape, place: tuple[float, float, float, float]
) -> None:
    """What the colours mean; pointed where there are losses beyond its end."""
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import LogNorm
    from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

    axes = figure.add_axes(place)
    seen = land.loss_RR[np.isfinite(land.loss_RR)]
    under, over = (seen < (scale.vmin or 0)).any(), (seen > (scale.vmax or 1)).any()
    extend = ("both" if over else "min") if under else "max" if over else "neither"
    bar = figure.colorbar(ScalarMappable(scale, MAP), cax=axes, extend=extend, extendfrac=0.035)
    bar.outline.set_visible(False)
    axes.tick_params(labelsize=8.5, length=2)
    axes.yaxis.set_major_locator(FixedLocator(levels(scale)))  # as the contours
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _position: numeral(value)))
    axes.yaxis.set_minor_locator(NullLocator())
    words = _("loss (log)") if isinstance(scale, LogNorm) else _("loss")
    axes.set_title(words, fontsize=9, color=SOFT, pad=5, loc="left")


def surface(figure: "Figure", place: tuple[float, float, float, float], land: Landscape, scale: Any) -> None:
    """The same plane as a surface, in the same colours; heights are as logarithmic as the colours."""
    from matplotlib import colormaps
    from matplotlib.colors import LightSource

    axes: Any = figure.add_axes(place, projection="3d", computed_zorder=False)
    height_RR = heights(land.loss_RR, scale)
    a_RR, b_RR = np.meshgrid(land.a_R, land.b_R)
    colour = colormaps[MAP](np.nan_to_num(height_RR))
    lit = LightSource(315, 55).shade_rgb(
        colour[..., :3], np.nan_to_num(height_RR), vert_exag=8, blend_mode="soft"
    )
    lit = np.dstack([0.7 * colour[..., :3] + 0.3 * lit, np.isfinite(height_RR).astype(float)])
    axes.plot_surface(
        a_RR, b_RR, height_RR, facecolors=lit, rstride=1, cstride=1, linewidth=0.3, antialiased=True,
        shade=False, zorder=1,
    )  # fmt: skip
    axes.contour(
        a_RR, b_RR, height_RR, [float(scale(v)) for v in levels(scale)], colors="white", linewidths=0.6,
        alpha=0.6, zorder=2,
    )  # fmt: skip
    axes.patch.set_visible(False)
    if land.path is not None:
        at_K2 = land.path.at_K2
        up_K = interpolated(land, height_RR, at_K2) + 0.015
        axes.plot(*at_K2.T, up_K, color="white", linewidth=2.8, zorder=3)
        axes.plot(*at_K2.T, up_K, color=WAY, linewidth=1.5, zorder=4)
        axes.plot(*at_K2[:1].T, up_K[:1], "o", markersize=6, color="white", markeredgecolor=WAY, zorder=5)
        axes.plot(
            *at_K2[-1:].T, up_K[-1:], "*", markersize=12, color=HERE, markeredgecolor=INK,
            markeredgewidth=0.7, zorder=6,
        )  # fmt: skip
    else:
        up = interpolated(land, height_RR, np.zeros((1, 2))) + 0.015
        axes.plot(
            [0], [0], up, "*", markersize=12, color=HERE, markeredgecolor=INK, markeredgewidth=0.7, zorder=6
        )
    axes.set_axis_off()
    axes.set_zlim(0, 1)
    axes.set_box_aspect((1, 1, 0.62), zoom=1.15)
    axes.view_init(ELEVATION, AZIMUTH)


def heights(loss_RR: Floats, scale: Any) -> Floats:
    """From 0 to 1 by the colour scale; NaN where the loss is not finite."""
    with np.errstate(invalid="ignore"):
        up = np.ma.filled(scale(np.ma.masked_invalid(loss_RR)).astype(float), np.nan)
    return np.asarray(up, dtype=np.float64)


def interpolated(land: Landscape, value_RR: Floats, at_K2: Floats) -> Floats:
    """Values of the grid at other places, linear within its cells."""
    a = np.interp(at_K2[:, 0], land.a_R, np.arange(len(land.a_R)))
    b = np.interp(at_K2[:, 1], land.b_R, np.arange(len(land.b_R)))
    i, j = np.minimum(a.astype(int), len(land.a_R) - 2), np.minimum(b.astype(int), len(land.b_R) - 2)
    u, v = a - i, b - j
    low = (1 - u) * value_RR[j, i] + u * value_RR[j, i + 1]
    high = (1 - u) * value_RR[j + 1, i] + u * value_RR[j + 1, i + 1]
    return np.asarray((1 - v) * low + v * high)


def axis_name(land: Landscape, axis: int) -> str:
    if land.path is None:
        return (_("first random direction"), _("second random direction"))[axis]
    name = (_("first main direction"), _("second main direction"))[axis]
    return _("{name} ({share} of the path)").format(name=name, share=percent(land.path.share[axis]))


def rows_used(land: Landscape) -> str:
    if land.rows == land.total:
        return _("all {n:,} training rows").format(n=land.total)
    return _("{n:,} of {total:,} training rows, drawn by a fixed seed").format(n=land.rows, total=land.total)


def loss_words(loss: float) -> str:
    return numeral(loss) if math.isfinite(loss) else _("not finite")


def sentences(land: Landscape) -> list[str]:
    """What is seen, on which rows, and what was left out."""
    if land.path is None:
        return [
            _("Star: the network, loss {loss} on {rows}.").format(
                loss=loss_words(land.centre), rows=rows_used(land)
            ),
            _(
                "Two random directions (seed {seed}), each unit's weights as long as its own, biases fixed"
                " (Li et al. 2018)."
            ).format(seed=land.seed),
        ]
    path = land.path
    return [
        _("{n} moments from step {first:,} (ring, loss {high}) to step {last:,} (star, loss {low}).").format(
            n=len(path.step_K),
            first=path.step_K[0],
            high=loss_words(float(path.loss_K[0])),
            last=path.step_K[-1],
            low=loss_words(land.centre),
        ),
        _("Loss on {rows}, over the plane of the path's two main directions.").format(rows=rows_used(land)),
    ]


def warnings(land: Landscape) -> list[str]:
    lines = []
    if land.batch_norm:
        lines.append(_("Batch norm uses the star's running statistics all over the plane."))
    bad = ~np.isfinite(land.loss_RR)
    if bad.any():
        lines.append(
            _("Hatched: the loss is not finite there ({share} of the plane).").format(
                share=percent(bad.mean())
            )
        )
    return lines
