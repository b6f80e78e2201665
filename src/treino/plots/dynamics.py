"""The picture of training dynamics: learning rate, gradients, updates and dead units in four panels."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from treino.base.words import _, numeral
from treino.inspection.dynamics import RULE_OF_THUMB, Dynamics, WeightLayer
from treino.inspection.input_planes import Floats
from treino.plots.style import (
    INK,
    PALETTE,
    SOFT,
    TRAIN,
    few_letters,
    header,
    header_inches,
    label,
    legend,
    log_axis,
    look,
    new_figure,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

FLOOR = 1e-12  # smaller gradients are drawn at this value
NAMED = 8  # maximum number of layers in the legend


def dynamics_figure(d: Dynamics) -> "Figure":
    """Draw learning rate, gradient norms, update-to-weight ratios and dead units, a colour for each layer."""
    with look():
        from matplotlib.ticker import MaxNLocator

        lines = -(-min(len(d.layers), NAMED) // 4)
        captions = [
            _(
                "{n} moments of {steps:,} updates; gradients on the batch of the next update, before"
                " clipping."
            ).format(n=len(d.step_K), steps=len(d.lr_S))
        ]
        figure = new_figure(header_inches(captions, d.notes) + 6.05 + 0.22 * lines)
        inches = figure.get_figheight()
        top = header(figure, _("Dynamics: {name}").format(name=label(d.name, 48)), captions, d.notes)
        bottom = (0.72 + 0.22 * lines) / inches
        gap = 0.62 / inches
        tall = (top - 0.2 / inches - bottom - gap) / 2
        inks = _inks(len(d.layers))
        panels = []
        for place, draw in enumerate((_rate, _gradients, _ratios, _dead)):
            line, column = divmod(place, 2)
            axes = figure.add_axes((0.085 + 0.49 * column, bottom + (1 - line) * (tall + gap), 0.405, tall))
            draw(axes, d, inks)
            axes.grid(axis="y")
            axes.xaxis.set_major_locator(MaxNLocator(5, integer=True, steps=[1, 2, 5, 10]))
            axes.set_xlim(-0.02 * max(1, len(d.lr_S)), 1.02 * max(1, len(d.lr_S)))
            panels.append(axes)
        for axes in panels[:2]:
            axes.tick_params(labelbottom=False)
        for axes in panels[2:]:
            per = d.steps_per_epoch
            axes.set_xlabel(_("update (an epoch has {n})").format(n=per) if per else _("update"))
        _names(figure, d.layers, inks, 0.1 / inches, 0.22 * lines / inches)
        return figure


def _rate(axes: "Axes", d: Dynamics, _inks: Sequence[Any]) -> None:
    _title(axes, _("learning rate"))
    step_S = np.arange(1, len(d.lr_S) + 1)
    fine = np.isfinite(d.lr_S) & (d.lr_S > 0)
    axes.plot(step_S, d.lr_S, color=TRAIN, drawstyle="steps-mid", linewidth=1.8)
    if fine.any() and d.lr_S[fine].max() > 30 * d.lr_S[fine].min():
        log_axis(axes)
    else:
        axes.set_ylim(0, 1.15 * float(d.lr_S[fine].max()) if fine.any() else 1)
        _plain(axes, few_letters)


def _gradients(axes: "Axes", d: Dynamics, inks: Sequence[Any]) -> None:
    _title(axes, _("norm of the gradient (log scale)"))
    seen = d.gradient_KL[np.isfinite(d.gradient_KL)]
    if not (seen > 0).any():
        _say(axes, _("the gradient is zero, or not finite"))
        return
    _lines(axes, d.step_K, np.maximum(d.gradient_KL, FLOOR), inks)
    log_axis(axes)
    if (seen < FLOOR).any():
        axes.text(
            0.98, 0.1, _("at the bottom: less than {floor:g}").format(floor=FLOOR), fontsize=8,
            color=INK, ha="right", va="bottom", transform=axes.transAxes,
        )  # fmt: skip


def _ratios(axes: "Axes", d: Dynamics, inks: Sequence[Any]) -> None:
    _title(axes, _("update / weight ratio (log scale)"))
    _lines(axes, d.step_K, d.ratio_KL, inks)
    axes.axhline(RULE_OF_THUMB, color=INK, linewidth=1.1, linestyle=(0, (4, 3)), zorder=2)
    log_axis(axes)
    axes.annotate(
        _("rule of thumb: 0.001 (CS231n)"), (1, RULE_OF_THUMB), xycoords=("axes fraction", "data"),
        xytext=(-2, 3), textcoords="offset points", fontsize=8, color=INK, ha="right", va="bottom",
    )  # fmt: skip


def _dead(axes: "Axes", d: Dynamics, inks: Sequence[Any]) -> None:
    _title(axes, _("dead units: zero for each of {n:,} training rows").format(n=d.rows))
    if not d.relu_U:
        _say(axes, _("no ReLU layer: no unit can die"))
        axes.set_ylim(0, 1)
    else:
        _lines(axes, d.step_K, d.dead_KU, [inks[layer] for layer in d.relu_U])
        axes.set_ylim(
            -0.02, max(0.1, 1.15 * float(np.nanmax(d.dead_KU))) if np.isfinite(d.dead_KU).any() else 1
        )
    _plain(axes, lambda share: f"{numeral(100 * share)} %")


def _lines(axes: "Axes", step_K: Any, value_KL: Floats, inks: Sequence[Any]) -> None:
    few = len(step_K) <= 12
    for value_K, ink in zip(value_KL.T, inks, strict=True):
        fine = np.isfinite(value_K)
        axes.plot(
            step_K[fine] + 1, value_K[fine], color=ink, linewidth=1.5, marker="o" if few else ".",
            markersize=4.5 if few else 3, zorder=4,
        )  # fmt: skip


def _say(axes: "Axes", words: str) -> None:
    axes.text(0.5, 0.5, words, color=SOFT, ha="center", va="center", transform=axes.transAxes)


def _title(axes: "Axes", words: str) -> None:
    axes.set_title(words, fontsize=9.5, loc="left", pad=5)


def _plain(axes: "Axes", words: Callable[[float], str]) -> None:
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    axes.yaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 5, 10]))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _position: words(value)))


def _inks(layers: int) -> list[Any]:
    """Return palette colours for up to six layers, else a colour scale from first to last."""
    if layers <= 6:
        return list(PALETTE[:layers])
    from matplotlib import colormaps

    return [colormaps["viridis"](k / (layers - 1) * 0.92) for k in range(layers)]


def layer_label(layer: WeightLayer, place: int) -> str:
    """Return ``layer 0 (13 → 64)``, counted from 0, with the layer's own name if it has one."""
    name = layer.name.rpartition(".")[2]
    own = "" if not name or name.isdigit() else f" {label(layer.name, 14)}"
    return f"{_('layer {n}').format(n=place)}{own} ({layer.shape[1]} → {layer.shape[0]})"


def _names(
    figure: "Figure", layers: Sequence[WeightLayer], inks: Sequence[Any], low: float, tall: float
) -> None:
    from matplotlib.lines import Line2D

    if not layers:
        return
    shown = sorted({round(k) for k in np.linspace(0, len(layers) - 1, min(len(layers), NAMED))})
    marks = [Line2D([], [], color=inks[k], linewidth=2.5) for k in shown]
    corner = figure.add_axes((0.085, low, 0.9, tall))
    corner.set_axis_off()
    legend(
        corner, marks, [layer_label(layers[k], k) for k in shown], loc="center left", ncols=4,
        columnspacing=1.6, handlelength=1.4,
    )  # fmt: skip
