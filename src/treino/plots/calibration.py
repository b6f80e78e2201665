"""The picture of a calibration: how often a network is right, by how sure it is."""

from typing import TYPE_CHECKING

import numpy as np

from treino.inspection.calibration import BINS, Calibration
from treino.plots.style import FAINT, PALETTE, SOFT, TEST, header, label, legend, look, new_figure, split_name
from treino.words import _

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def calibration_figure(shown: Calibration) -> "Figure":
    """The share of right rows over the probability, with what chance allows, and the rows of each bin."""
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    with look():
        figure = new_figure(6.4)
        title = _("Calibration: {name}").format(name=label(shown.name, 44))
        warned = [_("The network learnt from these rows: there are no others.")]
        top = header(figure, title, sentences(shown), warned if shown.split == "train" else [])
        low, high = 0.34, top - 0.03
        axes = figure.add_axes((0.1, low, 0.86, high - low))
        axes.plot([0, 1], [0, 1], color=SOFT, linewidth=1, linestyle=(0, (4, 3)))
        half = 0.45 / BINS
        for at, below, above in zip(shown.confidence_B, shown.low_B, shown.high_B, strict=True):
            axes.fill_between([at - half, at + half], below, above, color=FAINT, linewidth=0)
        axes.plot(shown.confidence_B, shown.right_B, "o-", color=TEST, markersize=6, linewidth=1.5)
        axes.set_ylabel(_("share that is right"))
        axes.set_ylim(-0.03, 1.03)
        begin = max(0.0, float(shown.confidence_B.min()) - 2 * half)
        marks = [Line2D([], [], color=SOFT, linestyle="--"), Patch(color=FAINT), Line2D([], [], color=TEST)]
        names = [_("perfect"), _("chance: 95 % of perfect networks"), _("this network")]
        legend(axes, marks, names, loc="lower right" if begin < 0.5 else "upper left")
        beneath = figure.add_axes((0.1, 0.11, 0.86, low - 0.17), sharex=axes)
        beneath.bar(shown.confidence_B, shown.rows_B, width=1.6 * half, color=PALETTE[0])
        beneath.set_ylabel(_("rows"))
        beneath.set_xlabel(_("probability of the predicted class"))
        axes.set_xlim(begin, 1 + half)
        axes.tick_params(labelbottom=False)
        return figure


def sentences(shown: Calibration) -> list[str]:
    """The error and what chance makes of it, and whether the network is too sure."""
    sentence = _(
        "Expected calibration error {error:.1%} on {n:,} {split} rows; perfect networks: up to {chance:.1%}."
    )
    sentences_first = [
        sentence.format(error=shown.error, n=shown.rows, split=split_name(shown.split), chance=shown.chance)
    ]
    return [*sentences_first, *verdict(shown)]


def verdict(shown: Calibration) -> list[str]:
    """Whether it is surer than it may be, or less sure, where that is more than chance."""
    if shown.error <= shown.chance:
        return [_("No more than chance: its probabilities can be taken as they are.")]
    sure = float(np.dot(shown.confidence_B - shown.right_B, shown.rows_B))
    if sure > 0:
        return [_("More than chance: it is surer than it is right.")]
    return [_("More than chance: it is right more often than it is sure.")]
