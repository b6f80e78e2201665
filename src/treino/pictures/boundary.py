"""Pictures of a run's decision boundary, or of its fit."""

from treino.inspection.boundary import boundary
from treino.inspection.input_planes import Split
from treino.pictures import File, RunPicture, network_errors
from treino.plots.boundary import boundary_figure
from treino.plots.style import png
from treino.records.stored_run import StoredRun


def boundary_picture(run: StoredRun) -> list[File]:
    over = run.status in ("finished", "diverged")
    splits: tuple[Split, ...] = ("train", "validation", "test") if over else ("train", "validation")
    with network_errors(run):
        view = boundary(run.module, run.data, item_shape=run.item_shape, splits=splits)
    return [("boundary.png", png(boundary_figure(view)))]


PICTURES: dict[str, RunPicture] = {"boundary": RunPicture(boundary_picture)}
