"""The pictures of which columns matter: feature importance, and partial dependence."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from treino.base.text import that_hold
from treino.base.words import _, numeral
from treino.data.splits import split_name
from treino.inspection.dependence import Dependence
from treino.inspection.feature_importance import Cost, Importances
from treino.plots import style

# ---- feature importance

MOST = 20
BAR = 0.27  # inches per bar
ONE, JOINT = style.PALETTE[0], style.PALETTE[5]


def sentences(shown: Importances) -> list[str]:
    """Return sentences: which columns were shuffled, on which rows, and which metric measures the cost."""
    counted = _("{n:,} {split} rows") if shown.rows >= shown.of else _("{n:,} of {of:,} {split} rows")
    counted = counted.format(n=shown.rows, of=shown.of, split=split_name(shown.split))
    scores = ", ".join(f"{_(k)} {numeral(v)}" for k, v in shown.score.items())
    lines = [
        _("Each column shuffled {k} times on {rows}; unshuffled: {scores}.").format(
            k=shown.repeats, rows=counted, scores=scores
        ),
        _("Lines: 95 % intervals, for the rows and for the shuffling."),
    ]
    drawn = min(MOST, len(shown.of_columns))
    more = {
        _("Of a text, the terms that tell the most are shuffled one by one, too."): shown.terms,
        _("The {k} that cost most, of {n} that were shuffled and {of} there are."): drawn < shown.columns,
    }
    return lines + that_hold(more, k=drawn, n=len(shown.of_columns), of=shown.columns)


def warnings(shown: Importances) -> list[str]:
    by_heart = _("The network learnt from these rows: what it learnt by heart seems important too.")
    lines = [by_heart] if shown.split == "train" else []
    sentence = _(
        "{names} vary together (rank correlation up to {r}): each alone seems less important than "
        "all of them are."
    )
    groups = [([shown.names[k] for k in group.columns], group.correlation) for group in shown.together[:3]]
    lines += [_together(sentence, *group, 4) for group in groups]
    if len(shown.together) > 3:
        lines.append(_("and {n} more such groups").format(n=len(shown.together) - 3) + ".")
    return lines


@style.look()
def importance_figure(shown: Importances, name: str) -> "style.Figure":
    """Draw a line for each column: the loss and the score that shuffling it costs."""
    count = min(MOST, len(shown.names))
    together = shown.together[:5]
    names = [style.label(n, 26) for n in shown.names[:count]]
    names += [
        _("{first} and {n} more").format(
            first=style.label(shown.names[group.columns[0]], 16), n=len(group.columns) - 1
        )
        for group in together
    ]
    caption_lines, warned = sentences(shown), warnings(shown)
    lines = sum(1 + len(w) // 106 for w in [*caption_lines, *warned])
    high, title = 1.6 + 0.205 * lines + BAR * max(3, len(names)), _("Feature importance: {name}")
    figure, top, height = style.titled(title, name, caption_lines, warned, height=high)
    left_axes = figure.add_axes((0.3, 0.75 / height, 0.38, top - 1.0 / height))
    right_axes = figure.add_axes((0.71, 0.75 / height, 0.26, top - 1.0 / height))
    unit = _("rmse gained") if shown.metric == "rmse" else _("accuracy lost")
    _dots(left_axes, shown.loss, shown.joint_loss, count, len(together))
    _dots(right_axes, shown.worse, None, count, len(together))
    left_axes.set_yticks(range(len(names)), names)
    for k in range(count, len(names)):
        left_axes.get_yticklabels()[k].set_color(JOINT)
    right_axes.set_yticks([])
    left_axes.set_title(_("loss gained when shuffled"), fontsize=10.5, loc="left", color=style.INK)
    right_axes.set_title(unit, fontsize=10.5, loc="left", color=style.INK)
    wide = max((style.extent(t).width for t in left_axes.get_yticklabels()), default=0) / style.DPI
    left, box = (wide + 0.35) / style.WIDTH, left_axes.get_position()
    half = (0.975 - left - 0.04) / 2
    left_axes.set_position((left, box.y0, half, box.height))
    right_axes.set_position((left + half + 0.04, box.y0, half, box.height))
    if together:
        words = _("orange: the whole group shuffled together")
        figure.text(left, 0.16 / height, words, color=JOINT, fontsize=9.5)
    return figure


def _dots(axes: "style.Axes", cost: Cost, joint: Cost | None, count: int, groups: int) -> None:
    parts = [(cost, count, 0, ONE)] + ([(joint, groups, count, JOINT)] if joint is not None else [])
    for values, many, start, ink in parts:
        at = np.arange(many) + start
        mean, low, high = values.mean_K[:many], values.low_K[:many], values.high_K[:many]
        axes.barh(at, mean, height=0.62, color=ink, alpha=0.22)
        axes.hlines(at, low, high, color=ink, linewidth=2.0)
        axes.plot(mean, at, "o", color=ink, markersize=5)
    axes.axvline(0, color=style.SOFT, linewidth=0.9)
    if not np.abs(np.concatenate([cost.low_K[:count], cost.high_K[:count]])).max(initial=0) > 1e-12:
        axes.set_xlim(-0.05, 0.05)
    axes.set_ylim(count + groups - 0.4, -0.6)
    axes.grid(axis="x")
    axes.tick_params(left=False)
    axes.spines["left"].set_visible(False)
    axes.locator_params(axis="x", nbins=5)


# ---- partial dependence

ACROSS = 3
CLASSES = 8  # maximum number of classes drawn: those with the largest effect
FAINT_ROWS = 60  # maximum number of single rows drawn; fewer with several classes
HIGH = 2.35  # inches per row of panels


@style.look()
def dependence_figure(
    shown: Sequence[Dependence],
    name: str,
    *,
    classes: Sequence[str] = (),
    target: str = "",
    columns: int = 0,
    together: Sequence[tuple[Sequence[str], float]] = (),
) -> "style.Figure":
    """Draw one panel for each column, all with the same vertical axis.

    columns: their total number. together: names of correlated columns, and their correlation.
    """
    drawn = _classes(shown, classes)
    caption_lines = dependence_sentences(shown, classes, target, columns)
    some = _("{k} of {n} classes, those that change most.")
    caption_lines += that_hold({some: 2 < len(drawn) < len(classes)}, k=len(drawn), n=len(classes))
    warned = dependence_warnings(together, [one.column for one in shown])
    down = math.ceil(len(shown) / ACROSS)
    many_curves = len(drawn) > 1
    lines = sum(1 + len(w) // 106 for w in [*caption_lines, *warned])
    high = 0.85 + 0.205 * lines + HIGH * down + (0.35 if many_curves else 0.0)
    title = _("What changes the answer: {name}")
    figure, top, height = style.titled(title, name, caption_lines, warned, height=high)
    low, high = _range(shown, drawn, bool(classes))
    left = 0.85 if classes else 1.05
    wide = (style.WIDTH - left - 0.15) / ACROSS
    for k, one in enumerate(shown):
        row, column = divmod(k, ACROSS)
        y = top * height - ((row + 1) * HIGH - 0.62)
        axes = style.axes_at(figure, left + column * wide, y, wide - 0.28, HIGH - 0.8)
        _panel(axes, one, drawn, bool(classes))
        axes.set_ylim(low, high)
        if column:
            axes.set_yticklabels([])
        else:
            axes.set_ylabel(_("probability") if classes else style.label(target, 22), fontsize=10)
    if many_curves:
        _key(figure, drawn, classes)
    return figure


def dependence_sentences(
    shown: Sequence[Dependence], classes: Sequence[str], target: str, columns: int
) -> list[str]:
    """Return sentences on what is drawn, and over which rows."""
    if len(classes) == 2:
        what = _("The probability of {name}").format(name=style.class_labels(classes)[1])
    else:
        what = _("The probability of each class") if classes else style.label(target, 30)
    rows = shown[0]
    counted = _("{n:,} training rows").format(n=len(rows.own_N))
    if len(rows.own_N) < rows.total:
        counted = _("{n:,} of {of:,} training rows").format(n=len(rows.own_N), of=rows.total)
    lines = [
        _(
            "{what} as one column changes and the others stay: the mean over {rows}, single rows faint."
        ).format(what=what, rows=counted),
        _("Below, where the rows are: far from them the network was never taught."),
    ]
    some = _("{k} of {n} columns, those that cost most when they are shuffled.")
    return lines + that_hold({some: len(shown) < columns}, k=len(shown), n=columns)


def dependence_warnings(together: Sequence[tuple[Sequence[str], float]], drawn: Sequence[str]) -> list[str]:
    """Warn of drawn columns that vary together with other columns."""
    sentence = _(
        "{names} vary together (rank correlation up to {r}): changed alone, they make rows that hardly exist."
    )
    groups = [(sorted(names, key=lambda name: name not in drawn), r) for names, r in together]
    return [_together(sentence, *group, 3) for group in groups if group[0][0] in drawn][:2]


def _together(sentence: str, names: Sequence[str], correlation: float, most: int) -> str:
    """Return the sentence with at most ``most`` names of columns that vary together."""
    listed = ", ".join(style.label(name, 30) for name in names[:most])
    if len(names) > most:
        listed = _("{names} and {n} more").format(names=listed, n=len(names) - most)
    return sentence.format(names=listed, r=numeral(correlation, ".2f"))


def _classes(shown: Sequence[Dependence], classes: Sequence[str]) -> list[int]:
    """Return the classes to draw: the second if there are two, else those with the largest effect."""
    if len(classes) <= 2:
        return [len(classes) - 1 if classes else 0]
    reach_C = np.max([one.reach_C for one in shown], axis=0)
    return sorted(np.argsort(-reach_C, kind="stable")[:CLASSES].tolist())


def _range(shown: Sequence[Dependence], drawn: Sequence[int], shares: bool) -> tuple[float, float]:
    """Return the limits of the vertical axis of all panels, with room below for the rows."""
    if shares:
        return -0.13, 1.02
    values = np.concatenate([one.curve_NGC[..., drawn].ravel() for one in shown])
    low, high = (float(v) for v in np.quantile(values, (0.005, 0.995)))
    mean = np.concatenate([one.mean_GC[:, drawn].ravel() for one in shown])
    low, high = min(low, float(mean.min())), max(high, float(mean.max()))
    span = (high - low) or abs(high) or 1.0
    return low - 0.17 * span, high + 0.05 * span


def _panel(axes: "style.Axes", one: Dependence, drawn: Sequence[int], shares: bool) -> None:
    taken = np.linspace(0, len(one.own_N) - 1, min(len(one.own_N), FAINT_ROWS // max(1, len(drawn)) + 8))
    stroke, row = "-", dict[str, Any](alpha=0.13)
    if one.axis == "class" or len(one.at_G) == 1:
        stroke, row = "none", {"alpha": 0.3, "marker": "_"}
    for c in drawn:
        ink = style.colour(c) if len(drawn) > 1 else style.PALETTE[0]
        for n in taken.round().astype(int):
            axes.plot(one.at_G, one.curve_NGC[n, :, c], color=ink, linewidth=0.8, linestyle=stroke, **row)
        mean: dict[str, Any] = {"marker": "o" if len(one.at_G) <= 8 else None, "markersize": 6, "zorder": 4}
        axes.plot(one.at_G, one.mean_GC[:, c], color=ink, linewidth=2.4, linestyle=stroke, **mean)
    _rug(axes, one)
    axes.set_xlabel(style.label(one.column, 30), fontsize=10)
    axes.grid(axis="y")
    if shares:
        axes.set_yticks([0, 0.5, 1])
    _ticks(axes, one)


def _rug(axes: "style.Axes", one: Dependence) -> None:
    """Draw the rows at the bottom: a tick for each, or a bar for each class."""
    foot = axes.get_xaxis_transform()
    own = one.own_N[np.isfinite(one.own_N)]
    if one.axis == "class":
        count = np.bincount(own.astype(int), minlength=len(one.levels))
        place, tall = np.arange(len(one.levels)), 0.09 * count / max(1, count.max())
        axes.bar(place, tall, width=0.5, color=style.SOFT, alpha=0.55, transform=foot)
        return
    axes.vlines(own, 0, 0.07, color=style.INK, alpha=0.35, linewidth=0.7, transform=foot)


def _ticks(axes: "style.Axes", one: Dependence) -> None:
    if one.axis == "class":
        names = style.class_labels([level or _("missing") for level in one.levels], 9)
        every = max(1, math.ceil(len(names) / 12))
        few = len(names) <= 4 and sum(map(len, names)) <= 24
        axes.set_xticks(range(0, len(names), every), names[::every])
        axes.tick_params(axis="x", labelsize=8.5 if few else 7.5, rotation=0 if few else 35)
        axes.set_xlim(-0.6, len(names) - 0.4)
    elif one.axis == "time":
        axes.set_xticks([h * 3600 for h in (0, 6, 12, 18, 24)], ["0h", "6h", "12h", "18h", "24h"])
        axes.set_xlim(0, 86400)
    elif one.axis == "date":
        at = np.interp([1 / 6, 1 / 2, 5 / 6], [0, 1], one.at_G[[0, -1]])
        unit = "M" if one.at_G[-1] - one.at_G[0] > 200 * 86400 else "D"
        axes.set_xticks(at, [str(np.datetime64(int(t), "s").astype(f"datetime64[{unit}]")) for t in at])
        axes.tick_params(axis="x", labelsize=8.5)
    else:
        axes.locator_params(axis="x", nbins=4)
        axes.xaxis.set_major_formatter(lambda value, _place: numeral(value))
        axes.tick_params(axis="x", labelsize=9)


def _key(figure: "style.Figure", drawn: Sequence[int], classes: Sequence[str]) -> None:
    names = style.class_labels(classes, 16)
    labels = [names[c] for c in drawn]
    columns, corner = 6 if max(map(len, labels)) < 9 else 4, (0.5, 0.02 / figure.get_figheight())
    apart = {"ncols": min(len(drawn), columns), "handlelength": 1.4, "columnspacing": 1.4}
    marks = style.strokes(map(style.colour, drawn), 2.4)
    figure.legend(marks, labels, loc="lower center", bbox_to_anchor=corner, **apart)
