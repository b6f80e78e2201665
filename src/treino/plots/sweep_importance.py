"""The picture of the importance of a sweep's settings."""

from typing import TYPE_CHECKING

import numpy as np

from treino.inspection.sweep_statistics import SettingImportance
from treino.plots.style import INK, PALETTE, header, label, look, new_figure, percent, setting_name
from treino.words import _

if TYPE_CHECKING:
    from matplotlib.figure import Figure

KNOWS_LITTLE = 0.2


def importance_figure(m: SettingImportance, name: str) -> "Figure":
    """A bar for each setting, the most important one at the top, with the spread over the shuffles."""
    with look():
        figure = new_figure(1.9 + 0.42 * len(m.names))
        sentences = [
            _(
                "A random forest over {n:,} networks explains {share} of their ranks after the first rung; "
                "each bar is what it loses when that setting is shuffled."
            ).format(n=m.networks, share=percent(max(0.0, m.explained)))
        ]
        warnings = [_("That is little: these bars may be noise.")] if m.explained < KNOWS_LITTLE else []
        top = header(figure, _("What mattered: {name}").format(name=label(name, 50)), sentences, warnings)
        bottom = 0.62 / figure.get_figheight()
        axes = figure.add_axes((0.2, bottom, 0.76, top - bottom))
        place_K = np.arange(len(m.names))[::-1]
        mean_K, std_K = m.drop_KR.mean(1), m.drop_KR.std(1)
        axes.barh(place_K, mean_K, height=0.62, color=PALETTE[0], zorder=2)
        axes.errorbar(
            mean_K, place_K, xerr=std_K, fmt="none", ecolor=INK, elinewidth=1.2, capsize=3, zorder=3
        )
        axes.set_yticks(place_K, [setting_name(n) for n in m.names])
        axes.axvline(0, color=INK, linewidth=0.8)
        axes.set_xlabel(_("explained variance of the ranks that is lost"))
        axes.grid(axis="x")
        axes.spines["left"].set_visible(False)
        axes.tick_params(left=False)
        return figure
