"""The picture of a walk in fog: first only the local slope, then the whole loss landscape."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from treino.inspection.loss_planes import STANDS, Landscape, SurfacePoint
from treino.plots.landscape import (
    HERE,
    MAP,
    RIGHT,
    SIDE,
    colour_bar,
    colours,
    from_above,
    loss_words,
    rows_used,
    surface,
    warnings,
)
from treino.plots.style import INK, SOFT, WIDTH, header, header_inches, label, look, new_figure, percent
from treino.words import _, numeral

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.colors import Normalize
    from matplotlib.figure import Figure

FOG = (0.86, 0.885, 0.905)
DISC = 0.13  # radius of what the walker feels, in widths of the plane
PIXELS = 240


def walker_figure(land: Landscape, stands: Sequence[SurfacePoint], name: str) -> "Figure":
    """Above: the local slope at a few points of the path. Below: the whole plane."""
    with look():
        captions = [
            _(
                "In the fog: at each place only the height and the slope underfoot are known, nothing of"
                " where the valley lies. The arrow points downhill, where gradient descent steps."
            ),
            _("Below, the fog has lifted: the loss on {rows}, and the way that was walked.").format(
                rows=rows_used(land)
            ),
        ]
        gap, beside = 0.14, 0.16
        side = (WIDTH - 2 * beside - (STANDS - 1) * gap) / STANDS
        figure = new_figure(header_inches(captions, warnings(land)) + 0.28 + side + 0.78 + SIDE + 0.6)
        inches = figure.get_figheight()
        title = _("The walker on the mountain: {name}").format(name=label(name, 40))
        top = header(figure, title, captions, warnings(land))
        scale = colours(land)
        top -= 0.28 / inches
        for place, stand in enumerate(stands):
            left = (beside + place * (side + gap)) / WIDTH
            axes = figure.add_axes((left, top - side / inches, side / WIDTH, side / inches))
            in_fog(axes, land, stand, scale)
            axes.set_title(
                _("{n}  step {step:,}").format(n=place + 1, step=stand.step),
                fontsize=10,
                weight="bold",
                loc="left",
                pad=4,
            )
            below = _("loss {loss}, slope {slope}\n{share} of the slope lies in view").format(
                loss=loss_words(stand.loss),
                slope=numeral(np.linalg.norm(stand.slope_2), ".2g"),
                share=percent(stand.inside),
            )
            axes.text(0, -0.04, below, fontsize=8.5, color=SOFT, va="top", transform=axes.transAxes)
        down = top - (side + 0.78) / inches
        tall = SIDE / inches
        above = figure.add_axes((0.09, down - tall, SIDE / WIDTH, tall))
        from_above(above, land, scale)
        for place, stand in enumerate(stands):
            badge(above, stand, place + 1, land)
        surface(figure, (RIGHT, down - tall - 0.02, 1 - RIGHT, tall + 0.04), land, scale)
        colour_bar(figure, scale, land, (0.09 + SIDE / WIDTH + 0.012, down - tall, 0.016, tall))
        return figure


def in_fog(axes: "Axes", land: Landscape, stand: SurfacePoint, scale: "Normalize") -> None:
    """A small disc of the loss plane around a point, in its colours; fog everywhere else."""
    from matplotlib import colormaps
    from matplotlib.colors import LogNorm
    from matplotlib.patches import FancyArrowPatch

    a_R, b_R = (np.linspace(r[0], r[-1], PIXELS) for r in (land.a_R, land.b_R))
    a_RR, b_RR = np.meshgrid(a_R - stand.at_2[0], b_R - stand.at_2[1])
    radius = DISC * (a_R[-1] - a_R[0])
    rise_RR = stand.slope_2[0] * a_RR + stand.slope_2[1] * b_RR
    with np.errstate(
        over="ignore", invalid="ignore"
    ):  # the mountain's height is the logarithm where its colours are
        felt_RR = (
            stand.loss * np.exp(rise_RR / stand.loss) if isinstance(scale, LogNorm) else stand.loss + rise_RR
        )
    felt_RR = np.clip(np.nan_to_num(felt_RR, nan=np.inf), scale.vmin, scale.vmax)
    shade = np.clip((radius - np.hypot(a_RR, b_RR)) / (0.35 * radius), 0, 1)[..., None]
    shade = shade * shade * (3 - 2 * shade)
    colour = colormaps[MAP](scale(felt_RR))[..., :3]
    axes.imshow(
        shade * colour + (1 - shade) * np.array(FOG), origin="lower", interpolation="bilinear",
        extent=(a_R[0], a_R[-1], b_R[0], b_R[-1]),
    )  # fmt: skip
    steep = float(np.linalg.norm(stand.slope_2))
    if np.isfinite(steep) and steep > 0:
        tip_2 = stand.at_2 - stand.slope_2 / steep * 1.55 * radius
        axes.add_patch(
            FancyArrowPatch(
                tuple(stand.at_2), tuple(tip_2), arrowstyle="-|>", mutation_scale=15, linewidth=2, color=INK,
                zorder=5, shrinkA=3, shrinkB=0,
            )
        )  # fmt: skip
    axes.plot(
        *stand.at_2, "o", markersize=6.5, color=HERE, markeredgecolor=INK, markeredgewidth=0.8, zorder=6
    )
    axes.set_xlim(a_R[0], a_R[-1])
    axes.set_ylim(b_R[0], b_R[-1])
    axes.set_xticks([])
    axes.set_yticks([])
    for spine in axes.spines.values():
        spine.set_visible(False)


def badge(axes: "Axes", stand: SurfacePoint, place: int, land: Landscape) -> None:
    """The number of a place, on the side of it where the plane has more room."""
    centre_2 = np.array([land.a_R.mean(), land.b_R.mean()])
    up = 1 if stand.at_2[1] <= centre_2[1] else -1
    axes.annotate(
        str(place), tuple(stand.at_2), xytext=(0, -15 * up), textcoords="offset points", fontsize=9,
        weight="bold", color=INK, ha="center", va="center", zorder=9,
        bbox={"boxstyle": "circle,pad=0.22", "facecolor": "white", "edgecolor": INK, "linewidth": 0.8},
    )  # fmt: skip
