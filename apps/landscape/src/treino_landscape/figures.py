"""The picture of a loss landscape: contours seen from above, and a surface."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from treino.base.text import that_hold
from treino.base.words import _, numeral
from treino.data import split_name
from treino.inspection import Floats
from treino.plots import style
from treino_landscape.planes import STANDS, Interpolation, Landscape, SurfacePoint

# ---- the picture of a loss landscape

MAP = "viridis"
WAY, HERE = style.PALETTE[5], style.PALETTE[1]
RING: dict[str, Any] = {"marker": "o", "color": "white", "markeredgecolor": WAY}
STAR: dict[str, Any] = {"marker": "*", "color": HERE, "markeredgecolor": style.INK}
REACH = 3.0  # the last colour begins at so many times the path's highest loss, or the plane's median
LEVELS = 9
SIDE = 3.75  # inches of the view from above
RIGHT = 0.625  # share of the width at which the surface begins, clear of the colour bar's labels
ELEVATION, AZIMUTH = 48, -62


@style.look()
def landscape_figure(land: Landscape, name: str) -> "style.Figure":
    """Draw contours at the left, a surface at the right, and on both the run's path if it is known."""
    title = _("The loss around the network: {name}") if land.path is None else _("The path down: {name}")
    below = 0.12 + SIDE + 0.6
    figure, top, inches = style.titled(title, name, sentences(land), warnings(land), below=below)
    mountain(figure, top - 0.12 / inches, land, colours(land))
    return figure


def mountain(figure: "style.Figure", top: float, land: Landscape, scale: "style.Normalize") -> "style.Axes":
    """Draw the plane from above, its surface and its colours below ``top``. Return the axes from above."""
    tall = SIDE / figure.get_figheight()
    above = figure.add_axes((0.09, top - tall, SIDE / style.WIDTH, tall))
    from_above(above, land, scale)
    if np.isfinite(land.loss_RR).any():
        surface(figure, (RIGHT, top - tall - 0.02, 1 - RIGHT, tall + 0.04), land, scale)
        colour_bar(figure, scale, land, (0.09 + SIDE / style.WIDTH + 0.012, top - tall, 0.016, tall))
    return above


def colours(land: Landscape) -> "style.Normalize":
    """Return the linear colour scale from the smallest to the largest loss.

    Losses far above those of the path, or of most of the plane, get the last colour, so that the other losses
    stay distinguishable.
    """
    from matplotlib.colors import Normalize

    seen = land.loss_RR[np.isfinite(land.loss_RR)]
    if not len(seen):
        return Normalize(0, 1, clip=True)
    own = land.path.loss_K[np.isfinite(land.path.loss_K)] if land.path is not None else seen[:0]
    usual = float(own.max()) if len(own) else float(np.median(seen))
    low, high = float(seen.min()), min(float(seen.max()), REACH * usual)
    return Normalize(low, high if high > low else low + 1, clip=True)


def from_above(axes: "style.Axes", land: Landscape, scale: "style.Normalize") -> None:
    """Draw colours, contours and axis labels; hatch in grey where the loss is not finite."""
    from matplotlib import rc_context
    from matplotlib.patheffects import withStroke
    from matplotlib.ticker import MaxNLocator

    a_R, b_R = land.a_R, land.b_R
    fine_RR = np.isfinite(land.loss_RR)
    shown_RR = np.ma.array(land.loss_RR, mask=~fine_RR)
    axes.set_facecolor(style.FAINT)
    shading: Any = "gouraud" if fine_RR.all() else "nearest"
    axes.pcolormesh(a_R, b_R, shown_RR, cmap=MAP, norm=scale, shading=shading, rasterized=True)
    if not fine_RR.all():
        with rc_context({"hatch.color": style.SOFT, "hatch.linewidth": 0.6}):
            axes.contourf(a_R, b_R, (~fine_RR).astype(float), [0.5, 1.5], colors="none", hatches=["///"])
    named: Sequence[Any] = ()
    if fine_RR.any() and float(shown_RR.max()) > float(shown_RR.min()):
        lines = axes.contour(a_R, b_R, shown_RR, levels(scale), colors="white", linewidths=0.6, alpha=0.75)
        named = axes.clabel(lines, fmt=numeral, fontsize=7.5, inline_spacing=2)
        for text in named:
            text.set_path_effects([withStroke(linewidth=1.6, foreground=style.INK, alpha=0.45)])
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(MaxNLocator(5, steps=[1, 2, 5, 10]))
    axes.set_aspect("equal")
    axes.set_xlim(float(a_R[0]), float(a_R[-1]))
    axes.set_ylim(float(b_R[0]), float(b_R[-1]))
    for text in named:  # a label that crosses the border would be cut
        box, frame = style.extent(text), style.extent(axes.patch)
        text.set_visible(frame.contains(box.x0, box.y0) and frame.contains(box.x1, box.y1))
    axes.set_xlabel(axis_name(land, 0))
    axes.set_ylabel(axis_name(land, 1), labelpad=2)
    for spine in axes.spines.values():
        spine.set_visible(False)
    if land.path is not None:
        draw_way(axes, land.path.at_K2)
    else:
        axes.plot([0], [0], **STAR, markersize=15, markeredgewidth=0.8)


def levels(scale: "style.Normalize") -> list[float]:
    """Return round losses for the contours, spaced to show small steps without crowding."""
    from matplotlib.ticker import MaxNLocator

    low, high = float(scale.vmin or 0), float(scale.vmax or 1)
    return [float(v) for v in MaxNLocator(LEVELS).tick_values(low, high) if low < v < high]


def draw_way(axes: "style.Axes", at_K2: Floats) -> None:
    """Draw the path: a ring at its start, a star at its end, and a dot at each snapshot."""
    axes.plot(*at_K2.T, color="white", linewidth=3.2, zorder=4)
    axes.plot(*at_K2.T, color=WAY, linewidth=1.7, marker="o", markersize=2.8, zorder=5)
    axes.plot(*at_K2[:1].T, **RING, markersize=8, markeredgewidth=2, zorder=6)
    axes.plot(*at_K2[-1:].T, **STAR, markersize=15, markeredgewidth=0.8, zorder=6)


def colour_bar(
    figure: "style.Figure",
    scale: "style.Normalize",
    land: Landscape,
    place: tuple[float, float, float, float],
) -> None:
    """Draw the colour bar, with a pointed end if losses exceed the scale there."""
    from matplotlib.cm import ScalarMappable
    from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

    axes = figure.add_axes(place)
    seen = land.loss_RR[np.isfinite(land.loss_RR)]
    under, over = (seen < (scale.vmin or 0)).any(), (seen > (scale.vmax or 1)).any()
    extend = ("both" if over else "min") if under else "max" if over else "neither"
    bar = figure.colorbar(ScalarMappable(scale, MAP), cax=axes, extend=extend, extendfrac=0.035)
    bar.outline.set_visible(False)
    axes.tick_params(labelsize=8.5, length=2)
    axes.yaxis.set_major_locator(FixedLocator(levels(scale)))  # at the contour levels
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _position: numeral(value)))
    axes.yaxis.set_minor_locator(NullLocator())
    axes.set_title(_("loss"), fontsize=9, color=style.SOFT, pad=5, loc="left")


def surface(
    figure: "style.Figure", place: tuple[float, float, float, float], land: Landscape, scale: Any
) -> None:
    """Draw the plane as a surface in the same colours, as high as its loss on their scale."""
    from matplotlib import colormaps
    from matplotlib.colors import LightSource

    axes: Any = figure.add_axes(place, projection="3d", computed_zorder=False)
    height_RR = heights(land.loss_RR, scale)
    a_RR, b_RR = np.meshgrid(land.a_R, land.b_R)
    colour = colormaps[MAP](np.nan_to_num(height_RR))
    sun = LightSource(315, 55)
    lit = sun.shade_rgb(colour[..., :3], np.nan_to_num(height_RR), vert_exag=8, blend_mode="soft")
    lit = np.dstack([0.7 * colour[..., :3] + 0.3 * lit, np.isfinite(height_RR).astype(float)])
    fine: dict[str, Any] = {"rstride": 1, "cstride": 1, "linewidth": 0.3, "antialiased": True}
    axes.plot_surface(a_RR, b_RR, height_RR, facecolors=lit, shade=False, zorder=1, **fine)
    at_L, thin = [float(scale(v)) for v in levels(scale)], {"colors": "white", "linewidths": 0.6}
    axes.contour(a_RR, b_RR, height_RR, at_L, alpha=0.6, zorder=2, **thin)
    axes.patch.set_visible(False)
    if land.path is not None:
        at_K2 = land.path.at_K2
        up_K = interpolated(land, height_RR, at_K2) + 0.015
        axes.plot(*at_K2.T, up_K, color="white", linewidth=2.8, zorder=3)
        axes.plot(*at_K2.T, up_K, color=WAY, linewidth=1.5, zorder=4)
        axes.plot(*at_K2[:1].T, up_K[:1], **RING, linestyle="", markersize=6, zorder=5)
    else:
        at_K2 = np.zeros((1, 2))
        up_K = interpolated(land, height_RR, at_K2) + 0.015
    axes.plot(*at_K2[-1:].T, up_K[-1:], **STAR, linestyle="", markersize=12, markeredgewidth=0.7, zorder=6)
    axes.set_axis_off()
    axes.set_zlim(0, 1)
    axes.set_box_aspect((1, 1, 0.62), zoom=1.15)
    axes.view_init(ELEVATION, AZIMUTH)


def heights(loss_RR: Floats, scale: Any) -> Floats:
    """Return heights from 0 to 1 on the colour scale; NaN where the loss is not finite."""
    with np.errstate(invalid="ignore"):
        up = np.ma.filled(scale(np.ma.masked_invalid(loss_RR)).astype(float), np.nan)
    return np.asarray(up, dtype=np.float64)


def interpolated(land: Landscape, value_RR: Floats, at_K2: Floats) -> Floats:
    """Interpolate the grid's values at other points, linearly within each cell."""
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
    return _("{name} ({share} of the path)").format(name=name, share=style.percent(land.path.share[axis]))


def rows_used(land: Landscape) -> str:
    if land.rows == land.total:
        return _("all {n:,} training rows").format(n=land.total)
    return _("{n:,} of {total:,} training rows, drawn by a fixed seed").format(n=land.rows, total=land.total)


def loss_words(loss: float) -> str:
    return numeral(loss) if math.isfinite(loss) else _("not finite")


def sentences(land: Landscape) -> list[str]:
    """Return the captions: what the picture shows, on which rows, and where it is cut off."""
    return [*_shown(land), *_cut(land)]


def _cut(land: Landscape) -> list[str]:
    high = float(colours(land).vmax or 0)
    most = float(land.loss_RR[np.isfinite(land.loss_RR)].max(initial=high))
    words = _("Losses above {high} are cut off: they have one height and colour. The largest is {most}.")
    return that_hold({words: most > high}, high=numeral(high, ".3g"), most=numeral(most, ".3g"))


def _shown(land: Landscape) -> list[str]:
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
    bad = ~np.isfinite(land.loss_RR)
    lines = {
        _("Batch norm uses the star's running statistics all over the plane."): land.batch_norm,
        _("Hatched: the loss is not finite there ({share} of the plane)."): bad.any(),
    }
    return that_hold(lines, share=style.percent(bad.mean()))


# ---- the picture of the loss on the straight line between two networks


@style.look()
def line_figure(shown: Interpolation, first: str, second: str) -> "style.Figure":
    """Draw a curve for each split, and a straight line that a loss without a barrier stays below."""
    one, other = style.label(first, 24), style.label(second, 24)
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
    figure = style.new_figure(style.header_inches(captions, _alarms(shown)) + 4.0)
    top = style.header(figure, _("Between {a} and {b}").format(a=one, b=other), captions, _alarms(shown))
    bottom = 0.78 / figure.get_figheight()
    axes = figure.add_axes((0.11, bottom, 0.86, top - bottom))
    handles, labels = [], []
    for split, loss_R in shown.loss.items():
        fine_R = np.isfinite(loss_R)
        (drawn,) = axes.plot(shown.at_R, np.where(fine_R, loss_R, np.nan), color=style.INKS[split], zorder=4)
        handles.append(drawn)
        labels.append(split_name(split))
        ends = np.interp([0.0, 1.0], shown.at_R, loss_R)
        axes.plot([0, 1], ends, color=style.INKS[split], linewidth=1.0, linestyle=(0, (2, 2)))
        axes.plot([0, 1], ends, "o", color=style.INKS[split], markersize=7, markeredgecolor="white", zorder=5)
    axes.set_ylabel(_("loss"))
    axes.axvspan(shown.at_R[0], 0, color=style.FAINT, alpha=0.45, linewidth=0, zorder=0)
    axes.axvspan(1, shown.at_R[-1], color=style.FAINT, alpha=0.45, linewidth=0, zorder=0)
    axes.set_xlim(float(shown.at_R[0]), float(shown.at_R[-1]))
    axes.set_xticks([0, 0.25, 0.5, 0.75, 1])
    axes.set_xticklabels([f"0\n{one}", *(numeral(at) for at in (0.25, 0.5, 0.75)), f"1\n{other}"])
    for tick in (axes.get_xticklabels()[0], axes.get_xticklabels()[-1]):
        tick.set_color(style.INK)
    axes.grid(axis="y")
    below: dict[str, Any] = {"color": style.SOFT, "fontsize": 10, "ha": "center", "va": "top"}
    axes.text(0.5, -0.155, _("place on the line"), transform=axes.transAxes, **below)
    style.legend(axes, handles, labels, loc="best")
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


# ---- the picture of a walk in fog

FOG = (0.86, 0.885, 0.905)
DISC = 0.13  # radius of the visible disc, as a share of the plane's width
PIXELS = 240


@style.look()
def walker_figure(land: Landscape, stands: Sequence[SurfacePoint], name: str) -> "style.Figure":
    """Draw the local slope at a few points of the path, and below them the whole plane."""
    captions = [
        _(
            "In the fog: at each place only the height and the slope underfoot are known, nothing of"
            " where the valley lies. The arrow points downhill, where gradient descent steps."
        ),
        _("Below, the fog has lifted: the loss on {rows}, and the way that was walked.").format(
            rows=rows_used(land)
        ),
    ]
    gap, edge = 0.14, 0.16
    side = (style.WIDTH - 2 * edge - (STANDS - 1) * gap) / STANDS
    title, room = _("The walker on the mountain: {name}"), 0.28 + side + 0.78 + SIDE + 0.6
    figure, top, inches = style.titled(title, name, captions, warnings(land), below=room)
    scale = colours(land)
    top -= 0.28 / inches
    for place, stand in enumerate(stands):
        left = (edge + place * (side + gap)) / style.WIDTH
        axes = figure.add_axes((left, top - side / inches, side / style.WIDTH, side / inches))
        in_fog(axes, land, stand, scale)
        heading = _("{n}  step {step:,}").format(n=place + 1, step=stand.step)
        axes.set_title(heading, fontsize=10, weight="bold", loc="left", pad=4)
        below = _("loss {loss}, slope {slope}\n{share} of the slope lies in view").format(
            loss=loss_words(stand.loss),
            slope=numeral(np.linalg.norm(stand.slope_2), ".2g"),
            share=style.percent(stand.inside),
        )
        axes.text(0, -0.04, below, fontsize=8.5, color=style.SOFT, va="top", transform=axes.transAxes)
    above = mountain(figure, top - (side + 0.78) / inches, land, scale)
    for place, stand in enumerate(stands):
        badge(above, stand, place + 1, land)
    return figure


def in_fog(axes: "style.Axes", land: Landscape, stand: SurfacePoint, scale: "style.Normalize") -> None:
    """Draw a small disc of the loss plane around a point, in the plane's colours, with fog around it."""
    from matplotlib import colormaps
    from matplotlib.patches import FancyArrowPatch

    a_R, b_R = (np.linspace(r[0], r[-1], PIXELS) for r in (land.a_R, land.b_R))
    a_RR, b_RR = np.meshgrid(a_R - stand.at_2[0], b_R - stand.at_2[1])
    radius = DISC * (a_R[-1] - a_R[0])
    rise_RR = stand.slope_2[0] * a_RR + stand.slope_2[1] * b_RR
    felt_RR = np.clip(np.nan_to_num(stand.loss + rise_RR, nan=np.inf), scale.vmin, scale.vmax)
    shade = np.clip((radius - np.hypot(a_RR, b_RR)) / (0.35 * radius), 0, 1)[..., None]
    shade = shade * shade * (3 - 2 * shade)
    colour = colormaps[MAP](scale(felt_RR))[..., :3]
    pixels, whole = shade * colour + (1 - shade) * np.array(FOG), (a_R[0], a_R[-1], b_R[0], b_R[-1])
    axes.imshow(pixels, origin="lower", interpolation="bilinear", extent=whole)
    steep = float(np.linalg.norm(stand.slope_2))
    if np.isfinite(steep) and steep > 0:
        tip_2 = stand.at_2 - stand.slope_2 / steep * 1.55 * radius
        head: dict[str, Any] = {"arrowstyle": "-|>", "mutation_scale": 15, "shrinkA": 3, "shrinkB": 0}
        ends = tuple(stand.at_2), tuple(tip_2)
        axes.add_patch(FancyArrowPatch(*ends, linewidth=2, color=style.INK, zorder=5, **head))
    axes.plot(*stand.at_2, **STAR | {"marker": "o"}, markersize=6.5, markeredgewidth=0.8, zorder=6)
    axes.set(xlim=(a_R[0], a_R[-1]), ylim=(b_R[0], b_R[-1]), xticks=[], yticks=[])
    for spine in axes.spines.values():
        spine.set_visible(False)


def badge(axes: "style.Axes", stand: SurfacePoint, place: int, land: Landscape) -> None:
    """Draw a point's number on the side of the point that has more room."""
    centre_2 = np.array([land.a_R.mean(), land.b_R.mean()])
    up = 1 if stand.at_2[1] <= centre_2[1] else -1
    disc = {"boxstyle": "circle,pad=0.22", "facecolor": "white", "edgecolor": style.INK, "linewidth": 0.8}
    look_of: dict[str, Any] = {"fontsize": 9, "weight": "bold", "ha": "center", "va": "center", "zorder": 9}
    at, apart = tuple(stand.at_2), (0, -15 * up)
    style.beside(axes, str(place), at, apart, color=style.INK, bbox=disc, **look_of)
