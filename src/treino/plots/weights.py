"""The picture of a first layer's weights: a tile per unit for images, else a table of units and inputs."""

import math
from typing import TYPE_CHECKING

import numpy as np

from treino.inspection.thumbnails import FirstWeights
from treino.plots.pixels import largest, signed_map, tile
from treino.plots.style import DPI, INK, SOFT, WIDTH, extent, header, label, look, new_figure
from treino.words import _, numeral

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

TILES, ACROSS = 64, 8
UNITS, INPUTS = 40, 40


def weights_figure(shown: FirstWeights) -> "Figure":
    with look():
        return _table(shown) if shown.tile_U is None else _tiles(shown, shown.tile_U)


def _tiles(shown: FirstWeights, tile_UCHW: np.ndarray) -> "Figure":
    units = min(TILES, len(tile_UCHW))
    across = min(ACROSS, units)
    down = math.ceil(units / across)
    most = largest(tile_UCHW[:units])
    side = min(1.6, (WIDTH - 1.4) / across)
    colours = tile_UCHW.shape[1] == 3
    sentences = [
        _("{k} of {n} units of layer 0, module {module}: those with the longest weights first.").format(
            k=units, n=len(tile_UCHW), module=label(shown.layer, 40)
        )
        if units < len(tile_UCHW)
        else _("All {n} units of layer 0, module {module}: those with the longest weights first.").format(
            n=units, module=label(shown.layer, 40)
        ),
        _("Colours are the weights on red, green and blue; grey is 0.")
        if colours
        else _("Blue: the unit is for light there; orange: against it; one scale for all."),
    ]
    if tile_UCHW.shape[1] not in (1, 3):
        sentences.append(_("The mean over {n} channels.").format(n=tile_UCHW.shape[1]))
    figure = new_figure(0.72 + 0.205 * len(sentences) + down * (side + 0.18))
    top = header(figure, _("First-layer weights: {name}").format(name=label(shown.name, 44)), sentences)
    width, height = figure.get_size_inches()
    for u in range(units):
        row, column = divmod(u, across)
        axes = figure.add_axes(
            (
                (0.2 + column * side) / width,
                top - ((row + 1) * (side + 0.18)) / height,
                (side - 0.1) / width,
                (side - 0.1) / height,
            )
        )
        axes.imshow(tile(tile_UCHW[u], most), interpolation="nearest", aspect="equal")
        axes.set_xticks([])
        axes.set_yticks([])
        for spine in axes.spines.values():
            spine.set_visible(True)
            spine.set_color(SOFT)
            spine.set_linewidth(0.5)
        axes.set_title(f"{shown.units_U[u]}", fontsize=8, color=SOFT, pad=2)
    if not colours:
        bar = figure.add_axes((0.905, top - 2.4 / height, 0.016, 2.1 / height))
        _colour_bar(bar, most)
    return figure


def _table(shown: FirstWeights) -> "Figure":
    units, inputs = min(UNITS, len(shown.units_U)), len(shown.inputs)
    columns = np.arange(inputs)
    if inputs > INPUTS:
        columns = np.sort(np.argsort(-np.linalg.norm(shown.weight_UD, axis=0), kind="stable")[:INPUTS])
    weight = shown.weight_UD[:units][:, columns]
    most = largest(weight)
    sentences = [
        _("{k} of {n} units of layer 0, module {module}: those with the longest weights first.").format(
            k=units, n=len(shown.units_U), module=label(shown.layer, 40)
        )
    ]
    if inputs > len(columns):
        sentences.append(
            _("{k} of {n} inputs, those with the longest weights.").format(k=len(columns), n=inputs)
        )
    names = [label(shown.inputs[j], 28) for j in columns]
    figure = new_figure(1.4 + 0.2 * len(sentences) + max(2.4, 0.15 * units) + 1.5)
    top = header(figure, _("First-layer weights: {name}").format(name=label(shown.name, 44)), sentences)
    width, height = figure.get_size_inches()
    axes = figure.add_axes((0.7 / width, 0.3, 0.79, top - 0.3))
    axes.imshow(weight, cmap=signed_map(), vmin=-most, vmax=most, aspect="auto", interpolation="nearest")
    axes.set_xticks(range(len(columns)), names, rotation=45 if len(columns) <= 20 else 90, ha="right")
    if len(columns) > 20:
        for text in axes.get_xticklabels():
            text.set_horizontalalignment("center")
            text.set_fontsize(8)
    axes.set_yticks(range(units), [f"{u}" for u in shown.units_U[:units]], fontsize=8 if units > 20 else 9)
    axes.set_ylabel(_("unit"))
    axes.tick_params(length=0)
    lowest = min((extent(text).y0 for text in axes.get_xticklabels()), default=0.0) / DPI
    box = axes.get_position()
    bottom = box.y0 - lowest / height + 0.12 / height
    axes.set_position((box.x0, bottom, box.width, top - bottom))
    _colour_bar(figure.add_axes((0.905, bottom + 0.05, 0.016, min(0.4, top - bottom - 0.1))), most)
    return figure


def _colour_bar(axes: "Axes", most: float) -> None:
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import Normalize

    shown = ScalarMappable(Normalize(-most, most), signed_map())
    bar = axes.figure.colorbar(shown, cax=axes, ticks=[-most, 0, most])
    bar.ax.set_yticklabels([f"−{numeral(most, '.2g')}", "0", numeral(most, ".2g")], fontsize=8.5)
    bar.outline.set_edgecolor(SOFT)
    bar.ax.set_title(_("weight"), fontsize=9, color=INK, loc="left", pad=6)
