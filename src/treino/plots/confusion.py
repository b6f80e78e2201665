"""Pictures of correctness: confusion matrix, calibration, predicted against true numbers."""

from typing import Any

import numpy as np

from treino.base.text import listed, that_hold
from treino.base.words import _
from treino.data.splits import split_name
from treino.inspection.calibration import BINS, Calibration
from treino.inspection.input_planes import Fit, InputLine, Points
from treino.inspection.outputs import Confusion
from treino.plots import style
from treino.plots.captions import axis_names, learnt_from, score_sentence
from treino.plots.points import marks, row_key

# ---- confusion matrix

RIGHT, WRONG = style.PALETTE[0], style.PALETTE[5]
WRITTEN = 20  # up to this many classes, cells show numbers
NAMED = 40  # up to this many classes, all names are shown
PAIRS = 12


@style.look()
def confusion_figure(shown: Confusion) -> "style.Figure":
    header = _("Confusion matrix: {name}"), shown.name, sentences(shown), warnings(shown)
    figure, top, _height = style.titled(*header, height=8.0)
    spare = _matrix(figure, shown, top) - 0.15
    figure, top, _height = style.titled(*header, height=8.0 - spare)  # without what the square leaves free
    _matrix(figure, shown, top)
    return figure


def sentences(shown: Confusion) -> list[str]:
    """Return captions: the score and the most frequent confusions."""
    lines = [score_sentence(shown.score)]
    names = style.class_labels(shown.classes)
    total_C = shown.count_CC.sum(axis=1) + shown.unsaid_C
    pairs = shown.pairs(3)
    if pairs:
        mixed = [
            _("{true} taken for {said} ({n} of {total})").format(
                true=names[t], said=names[p], n=n, total=total_C[t]
            )
            for t, p, n in pairs
        ]
        lines.append(_("Most often mixed up: {pairs}.").format(pairs="; ".join(mixed)))
    elif not shown.unsaid_C.any():
        lines.append(_("No class is taken for another on these rows."))
    return lines


def warnings(shown: Confusion) -> list[str]:
    unsaid, names = int(shown.unsaid_C.sum()), style.class_labels(shown.classes)
    without = [c for c in range(len(names)) if not (shown.count_CC[c].any() or shown.unsaid_C[c])]
    lines = {
        _("On {n:,} rows the outputs are not finite: no class is predicted there."): unsaid,
        _("Without a {split} row: {names}."): without,
    }
    facts = {"split": split_name(shown.split), "names": listed([names[c] for c in without], 6)}
    return learnt_from(shown.split) + that_hold(lines, n=unsaid, **facts)


def _matrix(figure: "style.Figure", shown: Confusion, top: float) -> float:
    """Draw the matrix. Return the inches that are free below it."""
    from matplotlib.colors import to_rgb

    count, share = len(shown.classes), np.nan_to_num(shown.share_CC)
    ink = np.where(np.eye(count, dtype=bool)[..., None], to_rgb(RIGHT), to_rgb(WRONG))
    strength = (0.85 * np.sqrt(share))[..., None]  # the root makes a twentieth of a class visible
    axes = figure.add_axes((0.2, 0.12, 0.6, top - 0.16))
    axes.imshow(1 - strength * (1 - ink), aspect="auto", interpolation="nearest")
    letters = 14 if count <= WRITTEN else 9
    names = style.class_labels(shown.classes, letters)
    every = max(1, int(np.ceil(count / NAMED)))
    ticks = list(range(0, count, every))
    size = 10 if count <= WRITTEN else 7.5
    # long names side by side would overlap
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
            axes.axhline(edge - 0.5, color=style.PAPER, linewidth=1.5)
            axes.axvline(edge - 0.5, color=style.PAPER, linewidth=1.5)
        _numbers(axes, shown, share)
    free = _fit(figure, axes, top)
    _pairs(figure, axes, shown)
    return free


def _numbers(axes: "style.Axes", shown: Confusion, share: np.ndarray) -> None:
    """Write each cell's number of rows and, if there is room, its share of the true class."""
    count = len(shown.classes)
    size = 12 if count <= 6 else 10 if count <= 10 else 8
    for t in range(count):
        for p in range(count):
            n = int(shown.count_CC[t, p])
            dark = share[t, p] > 0.45
            text = f"{n}" if not n or count > 10 else f"{n}\n{style.percent(float(share[t, p]))}"
            shown_in: dict[str, Any] = {
                "color": style.PAPER if dark else style.INK if n else style.SOFT,
                "fontsize": size if n else size - 1,
            }
            weight = "bold" if t == p else "normal"
            axes.text(p, t, text, ha="center", va="center", linespacing=1.15, weight=weight, **shown_in)


def _fit(figure: "style.Figure", axes: "style.Axes", top: float) -> float:
    """Make the axes as large as their labels allow, with room for the list of pairs at the right. Return the
    inches that are free below.
    """
    height = figure.get_figheight()
    wide = max((style.extent(t).width for t in axes.get_yticklabels()), default=0) / style.DPI
    deep = max((style.extent(t).height for t in axes.get_xticklabels()), default=0) / style.DPI
    left, side = 0.55 + wide, style.WIDTH - 2.45 - 0.55 - wide
    axes.set_position(
        (left / style.WIDTH, (height * top - side - 0.05) / height, side / style.WIDTH, side / height)
    )
    return height * top - side - 0.05 - 0.45 - deep


def _pairs(figure: "style.Figure", axes: "style.Axes", shown: Confusion) -> None:
    box = axes.get_position()
    x, y, step = box.x1 + 0.02, box.y1, 0.2 / figure.get_figheight()
    pairs = shown.pairs(PAIRS)
    names = style.class_labels(shown.classes, 10)
    lines = [
        (_("Colour: share of the true class"), style.SOFT, "normal"),
        (_("blue: right"), RIGHT, "bold"),
        (_("orange: taken for another"), WRONG, "bold"),
        ("", style.INK, "normal"),
    ]
    if pairs:
        lines.append((_("Rows, true → predicted"), style.SOFT, "normal"))
        lines += [(f"{n:>4}  {names[t]} → {names[p]}", style.INK, "normal") for t, p, n in pairs]
        more = int((shown.count_CC > 0).sum() - (np.diag(shown.count_CC) > 0).sum()) - len(pairs)
        if more > 0:
            lines.append((_("and {n} more pairs").format(n=more), style.SOFT, "normal"))
    for k, (text, ink, weight) in enumerate(lines):
        figure.text(x, y - k * step, text, color=ink, weight=weight, fontsize=9.5, va="top")


# ---- calibration


def calibration_figure(shown: Calibration) -> "style.Figure":
    """Draw the share of correct rows over the probability, the range of chance, and each bin's rows."""
    from matplotlib.patches import Patch

    with style.look():
        said, warned = calibration_sentences(shown), learnt_from(shown.split)
        figure, top, _h = style.titled(_("Calibration: {name}"), shown.name, said, warned, height=6.4)
        low, high = 0.34, top - 0.03
        axes = figure.add_axes((0.1, low, 0.86, high - low))
        axes.plot([0, 1], [0, 1], color=style.SOFT, linewidth=1, linestyle=(0, (4, 3)))
        half = 0.45 / BINS
        for at, below, above in zip(shown.confidence_B, shown.low_B, shown.high_B, strict=True):
            axes.fill_between([at - half, at + half], below, above, color=style.FAINT, linewidth=0)
        axes.plot(shown.confidence_B, shown.right_B, "o-", color=style.TEST, markersize=6, linewidth=1.5)
        axes.set_ylabel(_("share that is right"))
        axes.set_ylim(-0.03, 1.03)
        begin = max(0.0, float(shown.confidence_B.min()) - 2 * half)
        marks = [
            style.stroke(color=style.SOFT, linestyle="--"),
            Patch(color=style.FAINT),
            style.stroke(color=style.TEST),
        ]
        names = [_("perfect"), _("chance: 95 % of perfect networks"), _("this network")]
        style.legend(axes, marks, names, loc="lower right" if begin < 0.5 else "upper left")
        beneath = figure.add_axes((0.1, 0.11, 0.86, low - 0.17), sharex=axes)
        beneath.bar(shown.confidence_B, shown.rows_B, width=1.6 * half, color=style.PALETTE[0])
        beneath.set_ylabel(_("rows"))
        beneath.set_xlabel(_("probability of the predicted class"))
        axes.set_xlim(begin, 1 + half)
        axes.tick_params(labelbottom=False)
        return figure


def calibration_sentences(shown: Calibration) -> list[str]:
    """Return captions: the calibration error, its size by chance, and over- or underconfidence."""
    sentence = _(
        "Expected calibration error {error:.1%} on {n:,} {split} rows; perfect networks: up to {chance:.1%}."
    )
    facts = {"error": shown.error, "n": shown.rows, "chance": shown.chance}
    return [sentence.format(split=split_name(shown.split), **facts), *verdict(shown)]


def verdict(shown: Calibration) -> list[str]:
    """Say whether the network is over- or underconfident by more than chance."""
    if shown.error <= shown.chance:
        return [_("No more than chance: its probabilities can be taken as they are.")]
    sure = float(np.dot(shown.confidence_B - shown.right_B, shown.rows_B))
    if sure > 0:
        return [_("More than chance: it is surer than it is right.")]
    return [_("More than chance: it is right more often than it is sure.")]


# ---- regression


@style.look()
def regression_figure(shown: InputLine | Fit) -> "style.Figure":
    """Draw predicted against true in the target's units; for one input, the predicted curve and the rows."""
    return _curve(shown) if isinstance(shown, InputLine) else _fit_picture(shown)


def _fit_picture(fit: Fit) -> "style.Figure":
    every = np.concatenate([np.concatenate([p.true_N, p.predicted_N]) for p in fit.points])
    every = every[np.isfinite(every)]
    low, high = (float(every.min()), float(every.max())) if len(every) else (0.0, 1.0)
    margin = 0.04 * (high - low) or 0.5 * max(1.0, abs(high))
    low, high = low - margin, high + margin
    figure, axes = _framed(fit, _("Predicted against true: {name}"))
    diagonal = draw_fit(axes, fit, low, high)
    axes.set(xlim=(low, high), ylim=(low, high))
    _key(axes, fit, diagonal, _("predicted = true"))
    return figure


def _curve(line: InputLine) -> "style.Figure":
    figure, axes = _framed(line, _("What the network predicts: {name}"))
    curve = draw_curve(axes, line)
    axes.set_xlim(line.x_R[0], line.x_R[-1])
    _key(axes, line, curve, _("network"))
    return figure


def _framed(shown: InputLine | Fit, title: str) -> "tuple[style.Figure, style.Axes]":
    """Return a figure with its score above, and its axes."""
    figure, top, _height = style.titled(title, shown.name, [score_sentence(shown.score)])
    axes = figure.add_axes((0.11, 0.11, 0.60, top - 0.11))
    x_name, y_name = axis_names(shown)
    axes.set(xlabel=x_name, ylabel=y_name)
    axes.grid(True)
    return figure, axes


def _key(axes: "style.Axes", shown: InputLine | Fit, drawn: "style.Line2D", name: str) -> None:
    handles, labels = row_key(shown.points, style.INKS)
    style.legend_at_right(axes, [drawn, *handles], [name, *labels])


def draw_fit(axes: "style.Axes", fit: Fit, low: float, high: float) -> "style.Line2D":
    """Draw predicted (clipped to the limits) against true. Return the diagonal, where both are equal."""
    (diagonal,) = axes.plot(
        [low, high], [low, high], color=style.SOFT, linewidth=1.2, linestyle=(0, (5, 3)), zorder=2
    )
    predicted = [np.clip(p.predicted_N, low, high) for p in fit.points]
    _scatter(axes, fit.points, [p.true_N for p in fit.points], predicted)
    return diagonal


def draw_curve(axes: "style.Axes", line: InputLine) -> "style.Line2D":
    """Draw the predicted curve among the rows."""
    _scatter(axes, line.points, [p.at_NK[:, 0] for p in line.points], [p.true_N for p in line.points])
    (curve,) = axes.plot(line.x_R, line.value_RC[:, 0], color=style.INK, linewidth=2.4, zorder=7)
    return curve


def _scatter(
    axes: "style.Axes", points: tuple[Points, ...], x_N: list[np.ndarray], y_N: list[np.ndarray]
) -> None:
    size = float(np.interp(sum(len(p) for p in points), (200, 1500), (1.0, 0.5)))
    for p, x, y in zip(points, x_N, y_N, strict=True):
        area, look_of = marks(p.split)
        faint = 0.55 if p.split == "train" else 0.9
        axes.scatter(x, y, area * size, c=style.INKS[p.split], alpha=faint, **look_of)
