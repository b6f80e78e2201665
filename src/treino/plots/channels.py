"""The picture of each channel's output for one input picture, layer by layer."""

import math

import numpy as np

from treino.base.text import tail
from treino.base.words import _, numeral
from treino.data.splits import split_name
from treino.inspection.occlusion import LayerMaps, PictureChannels
from treino.inspection.outputs import AnsweredPicture
from treino.plots import style
from treino.plots.pixels import framed, largest, line_inches, on_white, photograph, tile_lines

SIDE = 1.5  # inches of the picture itself
ACROSS, PITCH, SMALL = 8, 0.72, 0.3  # maps per line; inches from map to map, and from unit to unit
LIKELY = 3  # classes whose probability is written


def channels_figure(shown: PictureChannels) -> "style.Figure":
    """Draw the picture with its answer at the left, and each layer's channels at the right."""
    sentences = [
        answer_sentence(shown.shown),
        _("Small pictures: what a channel gives at each place; blue above 0, orange below, white 0."),
        _("One scale for each layer: a pale channel says little about this picture."),
    ]
    if shown.left_out:
        sentences.append(_("Layers in the middle that are not shown: {n}.").format(n=shown.left_out))
    sentences += shown.notes
    layers = [(layer, _lines(layer)) for layer in shown.layers]
    with style.look():
        inches = sum(0.16 + lines for _layer, (lines, _pitch, _n) in layers)
        title, below = _("What the channels see: {name}"), max(inches, SIDE + 0.5 + 0.2 * LIKELY) + 0.15
        figure, top, height = style.titled(title, shown.shown.name, sentences, below=below)
        top *= height
        _picture(figure, shown.shown, top)
        left = SIDE + 0.5
        for layer, (lines, pitch, across) in layers:
            words = _("Layer {module}: {n} ({what})").format(
                module=style.label(layer.name, 24), n=layer.total, what=style.label(layer.what, 40)
            )
            if len(layer.units_K) < layer.total:
                words = _("{layer}; the {k} that give most").format(layer=words, k=len(layer.units_K))
            figure.text(
                left / style.WIDTH, (top - 0.08) / height, words, fontsize=9.5, color=style.INK, va="top"
            )
            most = largest(layer.map_KHW)
            pixels = [on_white(map_HW, most) for map_HW in layer.map_KHW]
            top -= 0.16
            tile_lines(figure, left, top, pixels, [f"{u}" for u in layer.units_K], across, pitch)
            top -= lines
        return figure


def answer_sentence(shown: AnsweredPicture) -> str:
    """Return a sentence with the row's number, the prediction, its probability and the true class."""
    row = _("Row {n}, {file} ({split})") if shown.file else _("Row {n} ({split})")
    file = style.label(tail(shown.file, 60), 60)
    row = row.format(n=shown.index, file=file, split=split_name(shown.split))
    if not shown.classes:
        return _("{row}: the network says {said}, and {true} is true.").format(
            row=row, said=numeral(shown.answer), true=numeral(shown.true)
        )
    names = style.class_labels(shown.classes)
    said, share = names[int(shown.answer)], style.percent(shown.share)
    if shown.answer == shown.true:
        return _("{row}: the network says {said} ({share}), and is right.").format(
            row=row, said=said, share=share
        )
    return _("{row}: the network says {said} ({share}), and it is {true}.").format(
        row=row, said=said, share=share, true=names[int(shown.true)]
    )


def _lines(layer: LayerMaps) -> tuple[float, float, int]:
    """Return a layer's height in inches, the inches from map to map, and the number of maps per line."""
    across, pitch = (ACROSS, PITCH) if layer.map_KHW[0].size > 1 else (round(ACROSS * PITCH / SMALL), SMALL)
    lines = math.ceil(len(layer.units_K) / across)
    return lines * line_inches(layer.map_KHW.shape, pitch), pitch, across


def _picture(figure: "style.Figure", shown: AnsweredPicture, top: float) -> None:
    height = figure.get_figheight()
    axes = style.axes_at(figure, 0.2, top - SIDE, SIDE, SIDE)
    framed(axes, photograph(shown.picture_CHW))
    axes.set_anchor("N")
    names = style.class_labels(shown.classes, 14)
    for line, c in enumerate(np.argsort(-shown.share_C, kind="stable")[:LIKELY].tolist()):
        words = f"{names[c]}  {style.percent(float(shown.share_C[c]))}"
        ink = style.INK if c == shown.answer else style.SOFT
        at = 0.2 / style.WIDTH, (top - SIDE - 0.1 - 0.2 * line) / height
        figure.text(*at, words, fontsize=9.5, color=ink, va="top")
