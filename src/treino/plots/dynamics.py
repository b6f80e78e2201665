"""The picture of training dynamics: learning rate, gradients, updates and dead units in four panels."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from treino.base.words import _, numeral
from treino.inspection.dynamics import RULE_OF_THUMB, Dynamics, WeightLayer
from treino.inspection.input_planes import Floats
from treino.plots import style

SMALL: dict[str, Any] = {"fontsize": 8, "color": style.INK, "ha": "right", "va": "bottom"}
NAMED = 8  # maximum number of layers in the legend


@style.look()
def dynamics_figure(d: Dynamics) -> "style.Figure":
    """Draw learning rate, gradient norms, update-to-weight ratios and dead units, a colour for each layer."""
    from matplotlib.ticker import MaxNLocator

    lines = -(-min(len(d.layers), NAMED) // 4)
    captions = [
        _(
            "{n} moments of {steps:,} updates; gradients on the batch of the next update, before clipping."
        ).format(n=len(d.step_K), steps=len(d.lr_S))
    ]
    below = 6.05 + 0.22 * lines
    figure, top, inches = style.titled(_("Dynamics: {name}"), d.name, captions, d.notes, below=below)
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
    shown = sorted(set(np.linspace(0, len(d.layers) - 1, min(len(d.layers), NAMED)).round().astype(int)))
    names, box = (
        [layer_label(d.layers[k], k) for k in shown],
        (0.085, 0.1 / inches, 0.9, 0.22 * lines / inches),
    )
    if names:
        marks = style.strokes(inks[k] for k in shown)
        style.legend_in_lines(figure, marks, names, box, 4, columnspacing=1.6, handlelength=1.4)
    return figure


def _rate(axes: "style.Axes", d: Dynamics, _inks: Sequence[Any]) -> None:
    _title(axes, _("learning rate"))
    step_S = np.arange(1, len(d.lr_S) + 1)
    fine = np.isfinite(d.lr_S) & (d.lr_S > 0)
    axes.plot(step_S, d.lr_S, color=style.TRAIN, drawstyle="steps-mid", linewidth=1.8)
    axes.set_ylim(0, 1.15 * float(d.lr_S[fine].max()) if fine.any() else 1)
    _plain(axes, style.few_letters)


def _gradients(axes: "style.Axes", d: Dynamics, inks: Sequence[Any]) -> None:
    _title(axes, _("norm of the gradient"))
    seen = d.gradient_KL[np.isfinite(d.gradient_KL)]
    if not (seen > 0).any():
        _say(axes, _("the gradient is zero, or not finite"))
        return
    _lines(axes, d.step_K, d.gradient_KL, inks)
    axes.set_ylim(bottom=0)
    _plain(axes, style.few_letters)


def _ratios(axes: "style.Axes", d: Dynamics, inks: Sequence[Any]) -> None:
    _title(axes, _("update / weight ratio"))
    _lines(axes, d.step_K, d.ratio_KL, inks)
    axes.axhline(RULE_OF_THUMB, color=style.INK, linewidth=1.1, linestyle=(0, (4, 3)), zorder=2)
    axes.set_ylim(bottom=0)
    _plain(axes, style.few_letters)
    at, words = (1, RULE_OF_THUMB), _("rule of thumb: 0.001 (CS231n)")
    behind = {"facecolor": "white", "alpha": 0.75, "edgecolor": "none", "pad": 0.6}
    style.beside(axes, words, at, (-2, 8), xycoords=("axes fraction", "data"), bbox=behind, zorder=5, **SMALL)


def _dead(axes: "style.Axes", d: Dynamics, inks: Sequence[Any]) -> None:
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


def _lines(axes: "style.Axes", step_K: Any, value_KL: Floats, inks: Sequence[Any]) -> None:
    dots: dict[str, Any] = {"marker": ".", "markersize": 3}
    if len(step_K) <= 12:
        dots = {"marker": "o", "markersize": 4.5}
    for value_K, ink in zip(value_KL.T, inks, strict=True):
        fine = np.isfinite(value_K)
        axes.plot(step_K[fine] + 1, value_K[fine], color=ink, linewidth=1.5, zorder=4, **dots)


def _say(axes: "style.Axes", words: str) -> None:
    axes.text(0.5, 0.5, words, color=style.SOFT, ha="center", va="center", transform=axes.transAxes)


def _title(axes: "style.Axes", words: str) -> None:
    axes.set_title(words, fontsize=9.5, loc="left", pad=5)


def _plain(axes: "style.Axes", words: Callable[[float], str]) -> None:
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    axes.yaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 5, 10]))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _position: words(value)))


def _inks(layers: int) -> list[Any]:
    """Return palette colours for up to six layers, else a colour scale from first to last."""
    if layers <= 6:
        return list(style.PALETTE[:layers])
    from matplotlib import colormaps

    return [colormaps["viridis"](k / (layers - 1) * 0.92) for k in range(layers)]


def layer_label(layer: WeightLayer, place: int) -> str:
    """Return ``layer 0 (13 → 64)``, counted from 0, with the layer's own name if it has one."""
    name = layer.name.rpartition(".")[2]
    own = "" if not name or name.isdigit() else f" {style.label(layer.name, 14)}"
    return f"{_('layer {n}').format(n=place)}{own} ({layer.shape[1]} → {layer.shape[0]})"
