"""The picture of occlusion: which places of an image the prediction depends on, and a check of this map."""

import textwrap
from collections.abc import Sequence

import numpy as np

from treino.base.words import _, numeral
from treino.inspection.occlusion import Occlusion
from treino.plots import style
from treino.plots.captions import learnt_from
from treino.plots.channels import answer_sentence
from treino.plots.pixels import Pixels, framed, photograph, rgba

SIDE, GAP, WORDS = 1.75, 0.3, 0.62  # inches of a picture, between two, and above them
LETTERS = 106  # maximum number of letters of the smaller words above each line
TENTH = 3  # the point of the curve that is put into words: a tenth of the places is covered


def occlusion_figure(shown: Sequence[Occlusion], name: str) -> "style.Figure":
    """Draw a line for each row: the picture, the map on it, and the answer as places are covered."""
    one = shown[0]
    sentences = [
        _(
            "A patch of {patch} × {patch} pixels in the training pictures' mean colour moves over the "
            "picture, by {cell}."
        ).format(patch=one.patch, cell=one.cell),
        _("Blue: the answer loses probability where it is covered; orange: it gains.")
        if one.shown.classes
        else _("Blue: the number falls where it is covered; orange: it rises."),
        _(
            "Curves: places covered one after another, the most important first, or in {n} orders of chance."
        ).format(n=len(one.random_RS)),
    ]
    warned = learnt_from(one.shown.split)
    with style.look():
        title, below = _("What the answer hangs on: {name}"), len(shown) * (SIDE + WORDS + 0.35)
        figure, top, height = style.titled(title, name, sentences, warned, below=below)
        top *= height
        for each in shown:
            _line(figure, each, top)
            top -= SIDE + WORDS + 0.35
        return figure


def verdict(shown: Occlusion) -> str:
    """Say what covering a tenth of the places does, in the map's order and at random, and judge the map."""
    part = style.percent(float(shown.part_S[TENTH]))
    before, ordered = shown.ordered_S[0], shown.ordered_S[TENTH]
    random = shown.random_RS[:, TENTH].mean()
    values = [float(v) for v in (before, ordered, random)]
    figures = [style.percent(v) if shown.shown.classes else numeral(v) for v in values]
    said = _(
        "With the {part} that count most covered: {ordered} instead of {before}; "
        "with {part} by chance: {random}."
    ).format(part=part, before=figures[0], ordered=figures[1], random=figures[2])
    judged = _("The map does not hold: an order of chance does as much.")
    if shown.holds:
        judged = _("The map holds.")
    if shown.flat:
        judged = _("The answer hardly hangs on what is in the picture.")
    return f"{said} {judged}"


def _line(figure: "style.Figure", shown: Occlusion, top: float) -> None:
    height = figure.get_figheight()
    figure.text(
        0.02, (top - 0.05) / height, answer_sentence(shown.shown), color=style.INK, weight="bold", va="top"
    )
    words = textwrap.fill(verdict(shown), LETTERS)
    ink = style.ALARM if shown.flat or not shown.holds else style.SOFT
    figure.text(0.02, (top - 0.25) / height, words, color=ink, fontsize=9.5, va="top")
    pixels = photograph(shown.shown.picture_CHW)
    y = (top - WORDS - SIDE) / height
    for column, drawn in enumerate((pixels, _on_picture(shown, pixels))):
        framed(style.axes_at(figure, 0.2 + column * (SIDE + 0.15), y * height, SIDE, SIDE), drawn)
    most = float(np.abs(shown.effect_AB).max())
    changed = style.percent(most) if shown.shown.classes else numeral(most)
    at = ((0.2 + 1.5 * SIDE + 0.15) / style.WIDTH, y - 0.03 / height)
    strongest = _("strongest colour: {most}").format(most=changed)
    figure.text(*at, strongest, fontsize=8, color=style.SOFT, ha="center", va="top")
    left = 0.2 + 2 * SIDE + 0.15 + 0.8
    _curves(style.axes_at(figure, left, y * height + 0.22, style.WIDTH - left - 0.2, SIDE - 0.22), shown)


def _curves(axes: "style.Axes", shown: Occlusion) -> None:
    part_S = 100 * shown.part_S
    chance = axes.fill_between(
        part_S, shown.random_RS.min(axis=0), shown.random_RS.max(axis=0), color=style.FAINT, linewidth=0
    )
    (mean,) = axes.plot(part_S, shown.random_RS.mean(axis=0), color=style.SOFT, linewidth=1.2)
    (ordered,) = axes.plot(part_S, shown.ordered_S, color=style.PALETTE[0])
    axes.set_xlim(0, 100)
    if shown.shown.classes:
        axes.set_ylim(-0.03, 1.03)
    axes.grid(True)
    axes.tick_params(labelsize=8)
    axes.set_xlabel(_("covered, in %"), fontsize=8.5, labelpad=1)
    axes.set_ylabel(
        _("probability") if shown.shown.classes else style.label(shown.shown.target, 20), fontsize=8.5
    )
    names = [_("most important first"), _("by chance")]
    style.legend(axes, [ordered, (chance, mean)], names, loc="upper right", fontsize=8)


def _on_picture(shown: Occlusion, pixels: Pixels) -> Pixels:
    """Return the map over a pale grey version of the picture."""
    height, width = pixels.shape[:2]
    effect_HW = np.kron(shown.effect_AB, np.ones((shown.cell, shown.cell)))[:height, :width]
    colour_HW4 = rgba(effect_HW, float(np.abs(effect_HW).max()))
    alpha_HW1 = 0.85 * colour_HW4[..., 3:]
    pale_HW1 = 0.7 + 0.3 * pixels.mean(axis=2, keepdims=True)
    return np.asarray(pale_HW1 * (1 - alpha_HW1) + colour_HW4[..., :3] * alpha_HW1)
