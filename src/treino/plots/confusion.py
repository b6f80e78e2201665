"""The picture of a confusion matrix."""

from typing import TYPE_CHECKING

import numpy as np

from treino.inspection.outputs import Confusion
from treino.plots.captions import score_sentence
from treino.plots.style import (
    DPI,
    INK,
    PALETTE,
    PAPER,
    SOFT,
    WIDTH,
    class_labels,
    extent,
    header,
    look,
    new_figure,
    percent,
    split_name,
)
from treino.plots.style import label as shortened
from treino.words import _

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

RIGHT, WRONG = PALETTE[0], PALETTE[5]
WRITTEN = 20  # classes whose cells have room for a number
NAMED = 40  # classes that all have room for their name
PAIRS = 12


def confusion_figure(shown: Confusion) -> "Figure":
    with look():
        title = _("Confusion matrix: {name}").format(name=shortened(shown.name, 44))
        lines, warned = sentences(shown), warnings(shown)
        figure = new_figure(8.0)
        bottom = _matrix(figure, shown, header(figure, title, lines, warned))
        spare = bottom - 0.15
        figure = new_figure(8.0 - spare)  # the matrix is square: what its names leave over is cut off
        _matrix(figure, shown, header(figure, title, lines, warned))
        return figure


def sentences(shown: Confusion) -> list[str]:
    """Accuracy, and what is mixed up most, in words."""
    lines = [score_sentence(shown.score)]
    names = class_labels(shown.classes)
    total_C = shown.count_CC.sum(axis=1) + shown.unsaid_C
    pairs = shown.pairs(3)
    if pairs:
        listed = "; ".join(
            _("{true} taken for {said} ({n} of {total})").format(
                true=names[t], said=names[p], n=n, total=total_C[t]
            )
            for t, p, n in pairs
        )
        lines.append(_("Most often mixed up: {pairs}.").format(pairs=listed))
    elif not shown.unsaid_C.any():
        lines.append(_("No class is taken for another on these rows."))
    return lines


def warnings(shown: Confusion) -> list[str]:
    lines = []
    if shown.split == "train":
        lines.append(_("The network learnt from these rows: there are no others."))
    unsaid = int(shown.unsaid_C.sum())
    if unsaid:
        lines.append(
            _("On {n:,} rows the outputs are not finite: no class is predicted there.").format(n=unsaid)
        )
    without = [c for c in range(len(shown.classes)) if not (shown.count_CC[c].any() or shown.unsaid_C[c])]
    if without:
        names = class_labels(shown.classes)
        listed = ", ".join(names[c] for c in without[:6]) + (", …" if len(without) > 6 else "")
        lines.append(_("Without a {split} row: {names}.").format(split=split_name(shown.split), names=listed))
    return lines


def _matrix(figure: "Figure", shown: Confusion, top: float) -> float:
    """-> how many inches below it are free."""
    from matplotlib.colors import to_rgb

    count, share = len(shown.classes), np.nan_to_num(shown.share_CC)
    ink = np.where(np.eye(count, dtype=bool)[..., None], to_rgb(RIGHT), to_rgb(WRONG))
    strength = (0.85 * np.sqrt(share))[..., None]  # the root: a twentieth of a class is to be seen
    axes = figure.add_axes((0.2, 0.12, 0.6, top - 0.16))
    axes.imshow(1 - strength * (1 - ink), aspect="auto", interpolation="nearest")
    letters = 14 if count <= WRITTEN else 9
    names = class_labels(shown.classes, letters)
    every = max(1, int(np.ceil(count / NAMED)))
    ticks = list(range(0, count, every))
    size = 10 if count <= WRITTEN else 7.5
    # long names side by side would run into each other
    upright = max(len(n) for n in names[::every]) * len(ticks) > (46 if count <= WRITTEN else 66)
    axes.set_xticks(ticks, [names[c] for c in ticks], fontsize=size, rotation=90 if upright else 0)
    axes.set_yticks(ticks, [names[c] for c in ticks], fontsize=size)
    axes.tick_params(length=0 if every == 1 else 2)
    axes.set_xlabel(_("predicted"))
    axes.set_ylabel(_("true"))
    for spine in axes.spines.values():
        spine.set_visible(True)
    if count <= WRITTEN:
        for edge in range(1, count):
            axes.axhline(edge - 0.5, color=PAPER, linewidth=1.5)
            axes.axvline(edge - 0.5, color=PAPER, linewidth=1.5)
        _numbers(axes, shown, share)
    free = _fit(figure, axes, top)
    _pairs(figure, axes, shown)
    return free


def _numbers(axes: "Axes", shown: Confusion, share: np.ndarray) -> None:
    """In each cell how many rows; where there is room, also their share of the true class."""
    count = len(shown.classes)
    size = 12 if count <= 6 else 10 if count <= 10 else 8
    for t in range(count):
        for p in range(count):
            n = int(shown.count_CC[t, p])
            dark = share[t, p] > 0.45
            text = f"{n}" if not n or count > 10 else f"{n}\n{percent(float(share[t, p]))}"
            axes.text(
                p,
                t,
                text,
                ha="center",
                va="center",
                fontsize=size if n else size - 1,
                linespacing=1.15,
                color=PAPER if dark else INK if n else SOFT,
                weight="bold" if t == p else "normal",
            )


def _fit(figure: "Figure", axes: "Axes", top: float) -> float:
    """The axes as large as their names leave room for, with the list of pairs at the right; -> inches that
    are free below."""
    height = figure.get_figheight()
    wide = max((extent(t).width for t in axes.get_yticklabels()), default=0) / DPI
    deep = max((extent(t).height for t in axes.get_xticklabels()), default=0) / DPI
    left, side = 0.55 + wide, WIDTH - 2.45 - 0.55 - wide
    axes.set_position((left / WIDTH, (height * top - side - 0.05) / height, side / WIDTH, side / height))
    return height * top - side - 0.05 - 0.45 - deep


def _pairs(figure: "Figure", axes: "Axes", shown: Confusion) -> None:
    box = axes.get_position()
    x, y, step = box.x1 + 0.02, box.y1, 0.2 / figure.get_figheight()
    pairs = shown.pairs(PAIRS)
    names = class_labels(shown.classes, 10)
    lines = [
        (_("Colour: share of the true class"), SOFT, "normal"),
        (_("blue: right"), RIGHT, "bold"),
        (_("orange: taken for another"), WRONG, "bold"),
        ("", INK, "normal"),
    ]
    if pairs:
        lines.append((_("Rows, true → predicted"), SOFT, "normal"))
        lines += [(f"{n:>4}  {names[t]} → {names[p]}", INK, "normal") for t, p, n in pairs]
        more = int((shown.count_CC > 0).sum() - (np.diag(shown.count_CC) > 0).sum()) - len(pairs)
        if more > 0:
            lines.append((_("and {n} more pairs").format(n=more), SOFT, "normal"))
    for k, (text, ink, weight) in enumerate(lines):
        figure.text(x, y - k * step, text, color=ink, weight=weight, fontsize=9.5, va="top")
