"""The picture of a network's weights: the first layer's over its inputs, later convolutions as kernels."""

import math

import numpy as np

from treino.base.text import that_hold
from treino.base.words import _, numeral
from treino.inspection.thumbnails import FirstWeights, KernelMap
from treino.plots import style
from treino.plots.pixels import framed, largest, line_inches, mosaic, on_white, signed_map, tile, tile_lines

TILES, ACROSS = 64, 8
UNITS, INPUTS = 40, 40
KERNEL, PARTS = 0.26, 5  # inches of a later layer's kernel; parts of its pixels along a side


@style.look()
def weights_figure(shown: FirstWeights) -> "style.Figure":
    return _table(shown) if shown.tile_U is None else _tiles(shown, shown.tile_U)


def _tiles(shown: FirstWeights, tile_UCHW: np.ndarray) -> "style.Figure":
    units = min(TILES, len(tile_UCHW))
    across = min(ACROSS, units)
    most = largest(tile_UCHW[:units])
    side = min(1.6, (style.WIDTH - 1.4) / across)
    colours = tile_UCHW.shape[1] == 3
    what = (
        _("{k} of {n} units of layer 0, module {module}: those with the longest weights first.")
        if units < len(tile_UCHW)
        else _("All {n} units of layer 0, module {module}: those with the longest weights first.")
    )
    sentences = [
        what.format(k=units, n=len(tile_UCHW), module=style.label(shown.layer, 40)),
        _("Colours are the weights on red, green and blue; grey is 0; one scale for all.")
        if colours
        else _("Blue: the unit is for light there; orange: against it; one scale for all."),
    ]
    if tile_UCHW.shape[1] not in (1, 3):
        sentences.append(_("The mean over {n} channels.").format(n=tile_UCHW.shape[1]))
    title = _("Filters: {name}") if shown.convolution else _("First-layer weights: {name}")
    inches = math.ceil(units / across) * line_inches(tile_UCHW.shape, side) + 0.1
    below = inches + sum(map(_kernel_inches, shown.later)) + (0.35 if shown.left_out else 0.1)
    figure, top, height = style.titled(title, shown.name, sentences, below=below)
    top *= height
    pixels = [tile(weight_CHW, most) for weight_CHW in tile_UCHW[:units]]
    tile_lines(figure, 0.2, top, pixels, [f"{u}" for u in shown.units_U[:units]], across, side)
    if not colours:
        _colour_bar(figure, top - 0.3, min(2.1, inches - 0.48), most)
    top -= inches
    for place, kernels in enumerate(shown.later, 1):
        top = _kernels(figure, top, kernels, place)
    if shown.left_out:
        words = _("Further convolutions that are not shown: {n}.").format(n=shown.left_out)
        figure.text(0.02, (top - 0.05) / height, words, color=style.SOFT, va="top")
    return figure


def _kernel_inches(kernels: KernelMap) -> float:
    return 0.94 + KERNEL * len(kernels.inputs_J)


def _kernels(figure: "style.Figure", top: float, shown: KernelMap, place: int) -> float:
    """Draw one layer's kernels below ``top``, in inches; return where they end."""
    height = figure.get_figheight()
    heading = _("Convolution {k}, module {module}").format(k=place, module=style.label(shown.name, 40))
    words = _(
        "Across: {u} of {n} channels. Down: their kernels on {j} of the {before} channels before."
    ).format(u=len(shown.units_U), n=shown.total, j=len(shown.inputs_J), before=shown.before)
    if shown.share < 1:
        text = _("{heading}: its strongest kernels, {share} of all squared weights")
        heading = text.format(heading=heading, share=style.percent(shown.share))
    figure.text(0.02, (top - 0.12) / height, heading, weight="bold", va="top")
    figure.text(0.02, (top - 0.34) / height, words, color=style.SOFT, va="top")
    most = largest(shown.kernel_UJHW)
    pixels = on_white(np.moveaxis(shown.kernel_UJHW, 0, 1), most)
    parts = np.repeat(np.repeat(pixels, PARTS, axis=2), PARTS, axis=3)
    width, tall = KERNEL * len(shown.units_U), KERNEL * len(shown.inputs_J)
    axes = style.axes_at(figure, 0.5, top - 0.74 - tall, width, tall)
    framed(axes, mosaic(parts))
    for ticks, numbers, pitch in (
        (axes.set_xticks, shown.units_U, parts.shape[3] + 1),
        (axes.set_yticks, shown.inputs_J, parts.shape[2] + 1),
    ):
        ticks(np.arange(len(numbers)) * pitch + pitch / 2 - 1, [f"{n}" for n in numbers], fontsize=7)
    axes.tick_params(length=0, pad=2, labeltop=True, labelbottom=False)
    _colour_bar(figure, top - 0.74, max(0.5, min(2.1, tall)), most)
    return top - _kernel_inches(shown)


def _table(shown: FirstWeights) -> "style.Figure":
    units, inputs = min(UNITS, len(shown.units_U)), len(shown.inputs)
    columns = np.arange(inputs)
    if inputs > INPUTS:
        columns = np.sort(np.argsort(-np.linalg.norm(shown.weight_UD, axis=0), kind="stable")[:INPUTS])
    weight = shown.weight_UD[:units][:, columns]
    most = largest(weight)
    sentences = [
        _("{k} of {n} units of layer 0, module {module}: those with the longest weights first.").format(
            k=units, n=len(shown.units_U), module=style.label(shown.layer, 40)
        )
    ]
    some = _("{k} of {n} inputs, those with the longest weights.")
    sentences += that_hold({some: inputs > len(columns)}, k=len(columns), n=inputs)
    names = [style.label(shown.inputs[j], 28) for j in columns]
    high = 2.9 + 0.2 * len(sentences) + max(2.4, 0.15 * units)
    figure, top, height = style.titled(_("First-layer weights: {name}"), shown.name, sentences, height=high)
    axes = figure.add_axes((0.7 / style.WIDTH, 0.3, 0.79, top - 0.3))
    axes.imshow(weight, cmap=signed_map(), vmin=-most, vmax=most, aspect="auto", interpolation="nearest")
    axes.set_xticks(range(len(columns)), names, rotation=45 if len(columns) <= 20 else 90, ha="right")
    if len(columns) > 20:
        for text in axes.get_xticklabels():
            text.set_horizontalalignment("center")
            text.set_fontsize(8)
    axes.set_yticks(range(units), [f"{u}" for u in shown.units_U[:units]], fontsize=8 if units > 20 else 9)
    axes.set_ylabel(_("unit"))
    axes.tick_params(length=0)
    lowest = min((style.extent(text).y0 for text in axes.get_xticklabels()), default=0.0) / style.DPI
    box = axes.get_position()
    bottom = box.y0 - lowest / height + 0.12 / height
    axes.set_position((box.x0, bottom, box.width, top - bottom))
    inches = min(0.4, top - bottom - 0.1) * height
    _colour_bar(figure, (bottom + 0.05) * height + inches, inches, most)
    return figure


def _colour_bar(figure: "style.Figure", top: float, inches: float, most: float) -> None:
    """Draw the colour scale of weights at the right, ``inches`` tall, below ``top`` (in inches)."""
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import Normalize

    height = figure.get_figheight()
    axes: style.Axes = figure.add_axes((0.905, (top - inches) / height, 0.016, inches / height))
    shown = ScalarMappable(Normalize(-most, most), signed_map())
    bar = figure.colorbar(shown, cax=axes, ticks=[-most, 0, most])
    bar.ax.set_yticklabels([f"−{numeral(most, '.2g')}", "0", numeral(most, ".2g")], fontsize=8.5)
    bar.outline.set_edgecolor(style.SOFT)
    bar.ax.set_title(_("weight"), fontsize=9, color=style.INK, loc="left", pad=6)
