"""Pictures of image rows: channels and occlusion of one row, and the rows in a confusion matrix's cells."""

from treino.folders.stored_run import StoredRun
from treino.inspection.occlusion import channels, occlusions
from treino.inspection.outputs import confusion_cells
from treino.plots.channels import channels_figure
from treino.plots.mistakes import cells_figure
from treino.plots.occlusion import occlusion_figure
from treino.plots.style import png
from treino.reports.pictures import File, shown_splits


def channels_picture(run: StoredRun, row: int | None = None) -> list[File]:
    run = run.member()
    shown = channels(run.module, run.data, row, splits=shown_splits(run), item_shape=run.item_shape)
    return [("channels.png", png(channels_figure(shown)))]


def occlusion_picture(run: StoredRun, row: int | None = None) -> list[File]:
    shown = occlusions(run.module, run.data, row, splits=shown_splits(run), item_shape=run.item_shape)
    return [("occlusion.png", png(occlusion_figure(shown, run.data.name)))]


def cells_picture(run: StoredRun, cell: tuple[str, str] | None = None) -> list[File]:
    shown = confusion_cells(run.module, run.data, cell, splits=shown_splits(run), item_shape=run.item_shape)
    return [("cells.png", png(cells_figure(shown)))]
