"""The picture of learning: loss per epoch with its deviation, and the metric that people read."""

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from treino.inspection.curves import Curves, Floats
from treino.plots.style import (
    ALARM,
    INK,
    SOFT,
    TEST,
    TRAIN,
    VALIDATION,
    header,
    label,
    legend,
    log_axis,
    look,
    metric_name,
    new_figure,
    split_name,
)
from treino.words import _, numeral

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D

INKS = {"train": TRAIN, "validation": VALIDATION, "test": TEST}
LOG_FROM = 15.0  # a loss that falls (or climbs) by more than this factor is drawn on a logarithmic axis
FEW = 3  # up to so many epochs every iteration is drawn too


def curves_figure(curves: Curves, title: str = "") -> "Figure":
    """Loss above, the metric below where there is one; drawn up to where the run diverged."""
    with look():
        second = curves.metric and any(
            np.isfinite(of[curves.metric]).any() for of in curves.evaluated.values() if curves.metric in of
        )
        figure = new_figure(6.4 if second else 4.8)
        title = label(title, 70) or _("Learning curves: {name}").format(name=label(curves.name, 44))
        top = header(figure, title, _sentences(curves), alarms(curves))
        bottom = 0.62 / figure.get_figheight()
        height = (top - bottom) * (0.58 if second else 1.0)
        loss = figure.add_axes((0.11, top - height, 0.86, height))
        _loss(loss, curves)
        panels = [loss]
        if second:
            below = figure.add_axes((0.11, bottom, 0.86, top - bottom - height - 0.04), sharex=loss)
            _metric(below, curves)
            loss.tick_params(labelbottom=False)
            panels.append(below)
        for panel in panels:
            panel.grid(axis="y")
            panel.yaxis.set_label_coords(-0.085, 0.5)
            _epoch_axis(panel, curves)
        panels[-1].set_xlabel(_("epoch"))
        return figure


def _loss(axes: "Axes", curves: Curves) -> None:
    epoch_E = np.arange(1.0, curves.epochs + 1)
    handles: list[Any] = []
    labels: list[str] = []
    means = [curves.loss_E] + [of["loss"] for of in curves.evaluated.values() if "loss" in of]
    steps = _steps(curves)
    logarithmic = spans(np.concatenate([*means, steps[1]]))
    if len(steps[1]):
        dots = "." if len(steps[1]) <= 60 else ""
        (line,) = axes.plot(
            *steps, color=TRAIN, linewidth=0.8, marker=dots, markersize=4, alpha=0.5, zorder=2
        )
        handles.append(line)
        labels.append(_("training, every iteration"))
    if np.isfinite(curves.deviation_E).any():
        handles.append(_band(axes, epoch_E, curves.loss_E, curves.deviation_E, "train", logarithmic))
        labels.append(_("± deviation over the epoch's iterations"))
    if np.isfinite(curves.loss_E).any():
        handles.insert(0, _line(axes, epoch_E, curves.loss_E, "train"))
        labels.insert(0, _("training, mean of the epoch's iterations"))
    for split, of in curves.evaluated.items():
        if split != "train" and "loss" in of and np.isfinite(of["loss"]).any():
            handles.append(_line(axes, epoch_E, of["loss"], split))
            labels.append(split_name(split))
            deviation_E = of.get("loss_std", np.empty(0))
            if np.isfinite(deviation_E).any():
                handles.append(_band(axes, epoch_E, of["loss"], deviation_E, split, logarithmic))
                labels.append(_("± deviation over batches of these rows"))
    if logarithmic:
        log_axis(axes)
        axes.set_ylabel(_("loss (log scale)"))
    else:
        axes.set_ylabel(_("loss"))
        axes.set_ylim(bottom=min(0.0, axes.get_ylim()[0]) if _near_zero(means) else None)
    _keep_mark(axes, curves, "loss")
    _diverged_mark(axes, curves)
    if handles:
        legend(axes, handles, labels, loc="best")


def _band(
    axes: "Axes", epoch_E: Floats, mean_E: Floats, deviation_E: Floats, split: str, logarithmic: bool
) -> Any:
    """Mean ± deviation at the epochs that have both."""
    seen = np.isfinite(mean_E) & np.isfinite(deviation_E)
    mean_E, deviation_E, epoch_E = mean_E[seen], deviation_E[seen], epoch_E[seen]
    low_E, high_E = mean_E - deviation_E, mean_E + deviation_E
    if logarithmic:  # a mean minus its deviation may be below zero, where a log axis has no place
        low_E = np.maximum(low_E, mean_E[mean_E > 0].min(initial=np.inf) / 3)
    if len(epoch_E) == 1:  # a band over one epoch has no width
        return axes.vlines(epoch_E, low_E, high_E, color=INKS[split], alpha=0.35, linewidth=6, zorder=2)
    return axes.fill_between(epoch_E, low_E, high_E, color=INKS[split], alpha=0.18, linewidth=0, zorder=2)


def _metric(axes: "Axes", curves: Curves) -> None:
    epoch_E = np.arange(1.0, curves.epochs + 1)
    handles, labels = [], []
    for split, of in curves.evaluated.items():
        if curves.metric in of and np.isfinite(of[curves.metric]).any():
            handles.append(_line(axes, epoch_E, of[curves.metric], split))
            labels.append(split_name(split))
    axes.set_ylabel(metric_name(curves.metric))
    axes.margins(y=0.12)
    if curves.metric in ("accuracy", "f1_macro", "auc"):
        low = float(
            np.nanmin(
                np.concatenate([of[curves.metric] for of in curves.evaluated.values() if curves.metric in of])
            )
        )
        axes.set_ylim(max(0.0, low - 0.08) if low > 0.5 else 0.0, 1.015)
    _keep_mark(axes, curves, curves.metric)
    _diverged_mark(axes, curves)
    legend(axes, handles, labels, loc="best")


def _line(axes: "Axes", epoch_E: Floats, value_E: Floats, split: str) -> "Line2D":
    """A curve through what was measured (validation need not be at every epoch), dots where it is short."""
    seen = np.isfinite(value_E)
    few = seen.sum() <= 12
    (line,) = axes.plot(
        epoch_E[seen], value_E[seen], color=INKS[split], marker="o" if few else "", markersize=4.5, zorder=4
    )
    return line


def _steps(curves: Curves) -> tuple[Floats, Floats]:
    """Every iteration's loss at its place in epochs, where epochs alone are too few to make a curve."""
    loss_S = curves.step_loss_S
    if curves.epochs > FEW or not len(loss_S):
        return np.empty(0), np.empty(0)
    epoch_S = np.arange(1, len(loss_S) + 1) / curves.steps_per_epoch
    seen = np.isfinite(loss_S)
    return epoch_S[seen], loss_S[seen]


def spans(values: Floats) -> bool:
    """Do these positive values span so much that only a logarithmic axis shows them?"""
    seen = values[np.isfinite(values)]
    return bool(len(seen) > 1 and seen.min() > 0 and seen.max() > LOG_FROM * seen.min())


def _near_zero(values: list[Floats]) -> bool:
    seen = np.concatenate(values)
    seen = seen[np.isfinite(seen)]
    return bool(len(seen) and seen.min() >= 0 and seen.min() < 0.5 * seen.max())


def _keep_mark(axes: "Axes", curves: Curves, metric: str) -> None:
    """A line at the epoch whose weights the run keeps, and its value on validation rows."""
    kept = curves.kept_epoch
    if kept is None or not 1 <= kept <= curves.epochs:
        return
    axes.axvline(kept, color=SOFT, linewidth=1.0, linestyle=(0, (4, 3)), zorder=1)
    value_E = curves.evaluated.get("validation", {}).get(metric)
    if value_E is not None and np.isfinite(value_E[kept - 1]):
        axes.plot(
            [kept],
            [value_E[kept - 1]],
            marker="o",
            markersize=8,
            color=VALIDATION,
            markeredgecolor=INK,
            zorder=6,
            clip_on=False,
        )


def _diverged_mark(axes: "Axes", curves: Curves) -> None:
    if curves.diverged_step is not None:
        axes.axvline(curves.diverged_step / curves.steps_per_epoch, color=ALARM, linewidth=1.4, zorder=1)


def _epoch_axis(axes: "Axes", curves: Curves) -> None:
    from matplotlib.ticker import MaxNLocator

    last = max(curves.epochs, len(curves.step_loss_S) / curves.steps_per_epoch)
    if curves.diverged_step is not None:
        last = curves.diverged_step / curves.steps_per_epoch
        last = math.ceil(last) if last > 1 else last
    first = 0.0 if len(_steps(curves)[0]) else 1.0
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
    if not figures:
        return [_("Kept: the weights after epoch {kept} of {last}.").format(kept=kept, last=curves.epochs)]
    return [
        _("Kept: the weights after epoch {kept} of {last} (validation {figures}).").format(
            kept=kept, last=curves.epochs, figures=", ".join(figures)
        )
    ]


def alarms(curves: Curves) -> list[str]:
    """What went wrong, and where the curves end for it."""
    if curves.diverged_step is None:
        return []
    epoch = curves.diverged_step / curves.steps_per_epoch
    return [
        _("Diverged at step {step} (epoch {epoch}): the curves end there.").format(
            step=curves.diverged_step, epoch=numeral(epoch)
        )
    ]
