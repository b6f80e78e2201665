"""Pictures of learning curves: loss with deviation and a metric per epoch; several runs together."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from treino.base.words import _, numeral
from treino.data.splits import split_name
from treino.engine.metrics import is_share, metric_name
from treino.inspection.curves import Curves, Floats, smoothed
from treino.plots import style

FEW = 3  # up to this many epochs, iterations are drawn too
ACROSS = 2  # legend entries per line
MOST, NAMES = len(style.PALETTE), 4  # maximum number of runs in one plot, and run names per legend line
Curve = tuple[Floats, Floats]  # epochs, values


@style.look()
def curves_figure(curves: Curves, title: str = "") -> "style.Figure":
    """Draw the loss above and the metric, if any, below, up to where the run diverged.

    The legend stands above both panels, where it hides no line.
    """
    figure = style.new_figure()
    panels = [figure.add_axes((0.11, 0.5, 0.86, 0.4))]
    key = _loss(panels[0], curves)
    if any(np.isfinite(of[curves.metric]).any() for of in _of_metric(curves)):
        panels.append(figure.add_axes((0.11, 0.1, 0.86, 0.3), sharex=panels[0]))
        key |= _metric(panels[1], curves)
        panels[0].tick_params(labelbottom=False)
    for panel in panels:
        panel.grid(axis="y")
        _epoch_axis(panel, curves)
    panels[-1].set_xlabel(_("epoch"))
    sentences, warnings = _sentences(curves), alarms(curves)
    lines = style.LINE * -(-len(key) // ACROSS)
    inches = style.header_inches(sentences, warnings) + lines + (5.3 if len(panels) == 2 else 3.7)
    figure.set_size_inches(style.WIDTH, inches)
    title = style.label(title, 70) or _("Learning curves: {name}").format(name=style.label(curves.name, 44))
    top = style.header(figure, title, sentences, warnings)
    if key:
        at = (0.11, top - lines / inches, 0.86, lines / inches)
        where: dict[str, Any] = {"loc": "center left", "bbox_to_anchor": at, "borderaxespad": 0}
        figure.legend(list(key.values()), list(key), ncols=ACROSS, columnspacing=2.0, **where)
    top -= (lines + 0.14) / inches
    bottom = 0.62 / inches
    height = (top - bottom) * (0.58 if len(panels) == 2 else 1.0)
    panels[0].set_position((0.11, top - height, 0.86, height))
    panels[-1].set_position((0.11, bottom, 0.86, top - bottom - (height + 0.04 if panels[1:] else 0)))
    figure.align_ylabels(panels)
    return figure


def _of_metric(curves: Curves) -> list[Mapping[str, Floats]]:
    """Return the metrics of each split that has ``curves.metric``."""
    return [of for of in curves.evaluated.values() if curves.metric and curves.metric in of]


def _loss(axes: "style.Axes", curves: Curves) -> "dict[str, style.Artist]":
    """Draw the loss. Return the legend's entries by label."""
    key: dict[str, style.Artist] = {}
    epoch_E = np.arange(1.0, curves.epochs + 1)
    means = [curves.loss_E] + [of["loss"] for of in curves.evaluated.values() if "loss" in of]
    means += [value_E for of in curves.members.values() for value_E in of.get("loss", ())]
    steps = _steps(curves)
    if np.isfinite(curves.loss_E).any():
        key[_("training, mean of the epoch's iterations")] = _line(axes, epoch_E, curves.loss_E, style.TRAIN)
    if len(steps[1]):
        dots = "." if len(steps[1]) <= 60 else ""
        (line,) = axes.plot(
            *steps, color=style.TRAIN, linewidth=0.8, marker=dots, markersize=4, alpha=0.5, zorder=2
        )
        key[_("training, every iteration")] = line
    if np.isfinite(curves.deviation_E).any():
        band = _band(axes, epoch_E, curves.loss_E, curves.deviation_E, "train")
        key[_("± deviation over the epoch's iterations")] = band
    trained = len(key)
    for split, of in curves.evaluated.items():
        if split != "train" and "loss" in of and np.isfinite(of["loss"]).any():
            key[_answer_name(curves, split)] = _line(axes, epoch_E, of["loss"], style.INKS[split])
            deviation_E = of.get("loss_std", np.empty(0))
            if np.isfinite(deviation_E).any():
                band = _band(axes, epoch_E, of["loss"], deviation_E, split)
                key[_("± deviation over batches of these rows")] = band
    axes.set_ylabel(_("loss"))
    axes.set_ylim(bottom=0.0 if _near_zero(means) else None)
    marks = _members(axes, curves, "loss") | _marks(axes, curves, "loss")
    if trained == ACROSS == len(key) - trained:  # one legend column per split
        return dict(list(key.items())[:trained]) | marks | key
    return key | marks


def _band(
    axes: "style.Axes", epoch_E: Floats, mean_E: Floats, deviation_E: Floats, split: str
) -> "style.Artist":
    """Draw mean ± deviation at the epochs that have both."""
    seen = np.isfinite(mean_E) & np.isfinite(deviation_E)
    mean_E, deviation_E, epoch_E = mean_E[seen], deviation_E[seen], epoch_E[seen]
    low_E, high_E = mean_E - deviation_E, mean_E + deviation_E
    if len(epoch_E) == 1:  # a band over one epoch has no width
        return axes.vlines(epoch_E, low_E, high_E, color=style.INKS[split], alpha=0.35, linewidth=6, zorder=2)
    return axes.fill_between(
        epoch_E, low_E, high_E, color=style.INKS[split], alpha=0.18, linewidth=0, zorder=2
    )


def _metric(axes: "style.Axes", curves: Curves) -> "dict[str, style.Artist]":
    """Draw the metric. Return the legend's entries by label."""
    epoch_E = np.arange(1.0, curves.epochs + 1)
    key: dict[str, style.Artist] = {
        _answer_name(curves, split): _line(axes, epoch_E, of[curves.metric], style.INKS[split])
        for split, of in curves.evaluated.items()
        if curves.metric in of and np.isfinite(of[curves.metric]).any()
    }
    axes.set_ylabel(metric_name(curves.metric))
    axes.margins(y=0.12)
    if is_share(curves.metric):
        every = [*_of_metric(curves), *(of for of in curves.members.values() if curves.metric in of)]
        low = float(np.nanmin(np.concatenate([of[curves.metric].ravel() for of in every])))
        axes.set_ylim(max(0.0, low - 0.08) if low > 0.5 else 0.0, 1.015)
    return key | _members(axes, curves, curves.metric) | _marks(axes, curves, curves.metric)


def _line(axes: "style.Axes", epoch_E: Floats, value_E: Floats, ink: str, **own: Any) -> "style.Line2D":
    """Draw a curve through the measured epochs (validation may skip some), with dots if there are few."""
    seen = np.isfinite(value_E)
    dot = "o" if seen.sum() <= 12 else ""
    dots: dict[str, Any] = {"marker": dot, "markersize": 4.5}
    (line,) = axes.plot(epoch_E[seen], value_E[seen], color=ink, zorder=4, **dots, **own)
    return line


def _members(axes: "style.Axes", curves: Curves, metric: str) -> "dict[str, style.Artist]":
    """Draw a thin line for each ensemble member. Return the legend's entry by label."""
    key: dict[str, style.Artist] = {}
    epoch_E = np.arange(1.0, curves.epochs + 1)
    for split, of in curves.members.items():
        for value_E in of.get(metric, ()):
            seen = np.isfinite(value_E)
            (line,) = axes.plot(
                epoch_E[seen], value_E[seen], color=style.INKS[split], linewidth=0.7, alpha=0.45
            )
            key[_("{split}, each network").format(split=split_name(split))] = line
    return key


def _answer_name(curves: Curves, split: str) -> str:
    """Return the label of a split's curve."""
    name = split_name(split)
    return _("{split}, the answer of the best half").format(split=name) if split in curves.members else name


def _steps(curves: Curves) -> tuple[Floats, Floats]:
    """Return each iteration's loss at its position in epochs, if the epochs are too few for a curve."""
    loss_S = curves.step_loss_S
    if curves.epochs > FEW or not len(loss_S):
        return np.empty(0), np.empty(0)
    seen = np.isfinite(loss_S)
    return curves.step_epoch_S[seen], loss_S[seen]


def _near_zero(values: list[Floats]) -> bool:
    seen = np.concatenate(values)
    seen = seen[np.isfinite(seen)]
    return bool(len(seen) and seen.min() >= 0 and seen.min() < 0.5 * seen.max())


def _marks(axes: "style.Axes", curves: Curves, metric: str) -> "dict[str, style.Artist]":
    """Draw lines at the kept weights' epoch (with its validation metric) and where the run diverged.

    Return the legend's entries by label.
    """
    key: dict[str, style.Artist] = {}
    kept = curves.kept_epoch
    if kept is not None and 1 <= kept <= curves.epochs:
        key[_("kept weights")] = axes.axvline(
            kept, color=style.SOFT, linewidth=1.0, linestyle=(0, (4, 3)), zorder=1
        )
        value_E = curves.evaluated.get("validation", {}).get(metric)
        if value_E is not None and np.isfinite(value_E[kept - 1]):
            disc: dict[str, Any] = {"marker": "o", "markersize": 8, "color": style.VALIDATION}
            axes.plot([kept], [value_E[kept - 1]], **disc, markeredgecolor=style.INK, zorder=6, clip_on=False)
    if curves.diverged_step is not None:
        place = curves.count.passes(curves.diverged_step)
        key[_("diverged")] = axes.axvline(place, color=style.ALARM, linewidth=1.4, zorder=1)
    return key


def _epoch_axis(axes: "style.Axes", curves: Curves) -> None:
    last = max(curves.epochs, curves.count.passes(len(curves.step_loss_S)))
    if curves.diverged_step is not None:
        last = curves.count.passes(curves.diverged_step)
        last = math.ceil(last) if last > 1 else last
    _epochs(axes, 0.0 if len(_steps(curves)[0]) else 1.0, last)


def _epochs(axes: "style.Axes", first: float, last: float) -> None:
    from matplotlib.ticker import MaxNLocator

    margin = 0.02 * (last - first) or 0.5
    axes.set_xlim(first - margin, last + margin)
    axes.xaxis.set_major_locator(MaxNLocator(integer=last > FEW, nbins=10, steps=[1, 2, 5, 10]))


def _sentences(curves: Curves) -> list[str]:
    kept = curves.kept_epoch
    if kept is None or not 1 <= kept <= curves.epochs:
        return []
    of = curves.evaluated.get("validation", {})
    figures = [
        f"{metric_name(m)} {numeral(float(of[m][kept - 1]))}"
        for m in dict.fromkeys(("loss", curves.metric))
        if m in of and np.isfinite(of[m][kept - 1])
    ]
    sentence = _("Kept: the weights after epoch {kept} of {last}.")
    if figures:
        sentence = _("Kept: the weights after epoch {kept} of {last} (validation {figures}).")
    return [sentence.format(kept=kept, last=curves.epochs, figures=", ".join(figures))]


def alarms(curves: Curves) -> list[str]:
    """Return a warning if the run diverged, with where its curves end."""
    if curves.diverged_step is None:
        return []
    epoch = float(curves.count.passes(curves.diverged_step))
    return [
        _("Diverged at step {step} (epoch {epoch}): the curves end there.").format(
            step=curves.diverged_step, epoch=numeral(epoch)
        )
    ]


@style.look()
def overlay_figure(runs: Sequence[Curves], smooth: float = 0.0, notes: Sequence[str] = ()) -> "style.Figure":
    """Draw one colour for each run, and a panel for the loss and each metric that any run has.

    smooth: as in ``smoothed``; the unsmoothed curves stay visible, faint.
    """
    every = _panels(runs)
    panels = [(name, of) for name, of in every if any(len(e) for e, _v in of)] or every[:1]
    lines = -(-len(runs) // NAMES)
    captions = []
    if smooth:
        captions = [
            _(
                "Smoothed: exponential average, weight {w:g} on the past, corrected for its start;"
                " faint: as measured."
            ).format(w=smooth)
        ]
    title, below = _("Learning curves of {n} runs"), 0.68 + 2.15 * len(panels) + 0.22 * lines
    figure, top, inches = style.titled(title.format(n=len(runs)), "", captions, notes, below=below)
    top -= 0.04 / inches
    low = 0.1 / inches
    bottom = low + (0.52 + 0.22 * lines) / inches
    room = (top - bottom) / len(panels)
    drawn: list[style.Axes] = []
    for place, (name, of) in enumerate(panels):
        box = (0.095, top - (place + 1) * room + 0.17 / inches, 0.88, room - 0.37 / inches)
        axes = figure.add_axes(box, sharex=drawn[0] if drawn else None)
        axes.set_title(name, fontsize=9.5, loc="left", pad=4)
        _panel(axes, of, smooth)
        axes.grid(axis="y")
        axes.tick_params(labelbottom=place == len(panels) - 1)
        drawn.append(axes)
    drawn[-1].set_xlabel(_("epoch"))
    _ends(drawn[-1], runs)
    marks, box = (
        style.strokes(map(style.colour, range(len(runs)))),
        (0.095, low, 0.88, 0.22 * lines / inches),
    )
    names = style.class_labels([run.name for run in runs])
    style.legend_in_lines(figure, marks, names, box, NAMES, columnspacing=1.6, handlelength=1.4)
    return figure


def _panels(runs: Sequence[Curves]) -> list[tuple[str, list[Curve]]]:
    metric = next((run.metric for run in runs if run.metric), "")
    return [
        (_("training loss"), [_training(run) for run in runs]),
        (_("validation loss"), [_evaluated(run, "loss") for run in runs]),
        (
            _("validation {metric}").format(metric=metric_name(metric)),
            [_evaluated(run, metric) for run in runs],
        ),
    ]


def _training(run: Curves) -> Curve:
    """Return each epoch's mean loss; each iteration's loss if the epochs are too few for a curve."""
    if run.epochs <= FEW and len(run.step_loss_S):
        return run.step_epoch_S, run.step_loss_S
    return np.arange(1, run.epochs + 1, dtype=np.float64), run.loss_E


def _evaluated(run: Curves, metric: str) -> Curve:
    value_E = run.evaluated.get("validation", {}).get(metric, np.empty(0))
    seen = np.isfinite(value_E)
    return np.asarray(np.flatnonzero(seen) + 1, dtype=np.float64), value_E[seen]


def _panel(axes: "style.Axes", curves: Sequence[Curve], smooth: float) -> None:
    for place, (epoch_E, value_E) in enumerate(curves):
        ink = style.colour(place)
        if smooth:
            axes.plot(epoch_E, value_E, color=ink, linewidth=0.9, alpha=0.3, zorder=2)
        _line(axes, epoch_E, smoothed(value_E, smooth) if smooth else value_E, ink, linewidth=1.7)


def _ends(axes: "style.Axes", runs: Sequence[Curves]) -> None:
    along = [epoch_E for run in runs for epoch_E, _v in [_training(run)] if len(epoch_E)]
    last = max([*(float(epoch_E[-1]) for epoch_E in along), 1.0])
    short = last <= FEW or any(epoch_E[0] < 1 for epoch_E in along)
    _epochs(axes, 0.0 if short else 1.0, last)
