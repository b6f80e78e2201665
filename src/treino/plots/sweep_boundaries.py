"""The picture of the best networks' decision boundaries, side by side on the same plane."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from treino.inspection.input_planes import Plane
from treino.plots.boundary_grid import grid_figure
from treino.plots.style import label
from treino.words import _

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SIDE = 2.25  # inches that a panel is high


def boundaries_figure(planes: Sequence[Plane], captions: Sequence[str], name: str) -> "Figure":
    """The best network first; captions: what stands above each."""
    title = _("The best {n}: {name}").format(n=len(planes), name=label(name, 46))
    return grid_figure(planes, captions, title, [_("Paler: less sure; ringed: wrong.")], SIDE)
