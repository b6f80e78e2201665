"""Pictures of a run's decision boundary, or of its fit."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from treino.pictures import File, asking

if TYPE_CHECKING:
    from treino.records.run import Run


def boundary_picture(run: "Run") -> list[File]:
    from treino.inspection.boundary import boundary
    from treino.inspection.input_planes import Split
    from treino.plots.boundary import boundary_figure
    from treino.plots.style import png

    over = run.status in ("finished", "diverged")
    splits: tuple[Split, ...] = ("train", "validation", "test") if over else ("train", "validation")
    with asking(run):
        found = boundary(run.module, run.data, item_shape=run.item_shape, splits=splits)
    return [("boundary.png", png(boundary_figure(found)))]


PICTURES: dict[str, Callable[["Run"], list[File]]] = {"boundary": boundary_picture}
