"""Pictures of a run's loss landscape: around its network, along its path, between two runs; the walker."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from treino.errors import TreinoError
from treino.inspection.loss_planes import (
    FEWEST,
    MOMENTS,
    NUMBERS,
    Landscape,
    interpolation,
    path_plane,
    random_plane,
    walk_points,
)
from treino.inspection.loss_surface import MOST_ROWS, LossSurface, drawn, loss_surface
from treino.pictures import File, RunPicture
from treino.plots.landscape import landscape_figure, line_figure, walker_figure
from treino.plots.style import png
from treino.records.segments import layers_from
from treino.records.stored_run import StoredRun
from treino.training.replay import last_step, snapshots
from treino.words import _, numeral


def landscape_picture(run: StoredRun) -> list[File]:
    """The loss over two filter-normalised random directions around the kept weights."""
    seed, run = int(run.settings["seed"]), run.member()
    return [("landscape.png", png(landscape_figure(random_plane(surface_of(run), seed=seed), run.title)))]


def path_picture(run: StoredRun) -> list[File]:
    """The loss over the plane of the run's own path, from its first step with these layers to its last."""
    run = run.member()
    return [("path.png", png(landscape_figure(path_of(run)[1], run.title)))]


def walker_picture(run: StoredRun) -> list[File]:
    """The same plane as a walker in the fog feels it, and as it is."""
    run = run.member()
    surface, land = path_of(run)
    return [("walker.png", png(walker_figure(land, walk_points(surface, land), run.title)))]


def line(runs: Sequence[StoredRun]) -> list[File]:
    """The loss on the straight line between the kept weights of two runs, on training and validation rows.

    Raises:
        TreinoError: there are not two runs; their data, layers or losses are not the same.
    """
    if len(runs) != 2:
        raise TreinoError(
            "line_two_runs",
            _("A line has two ends, and {n} runs were given.").format(n=len(runs)),
            _("Give two, e.g. treino plot wine-1 wine-2 [[what=line]]."),
        )
    first, second = (run.member() for run in runs)
    _same(first, second)
    surface = surface_of(first)
    splits = {"train": surface.rows}
    if len(first.data.validation):
        splits["validation"] = drawn(first.data.validation, MOST_ROWS)
    losses = interpolation(surface, _end(surface, second), splits)
    return [("line.png", png(line_figure(losses, first.title, second.title)))]


def surface_of(run: StoredRun) -> LossSurface:
    """The kept network, its training rows and the loss that was trained (of a fault too)."""
    return loss_surface(run.module, run.data.train, run.loss_function, item_shape=run.item_shape)


def path_of(run: StoredRun) -> tuple[LossSurface, Landscape]:
    """The plane of the run's path, from snapshots that lie closer together early on, where it moves most."""

    surface, last, first = surface_of(run), last_step(run), layers_from(run.spec)
    count = min(MOMENTS, max(FEWEST, NUMBERS // surface.layout.n), last - first + 1)
    steps = np.unique(np.round(first + (last - first) * np.linspace(0, 1, count) ** 2).astype(int)).tolist()
    place_Kn = torch.stack([surface.place(moment.net) for moment in snapshots(run, steps)])
    return surface, path_plane(surface, place_Kn, steps)


def _end(surface: LossSurface, second: StoredRun) -> Tensor:
    """Where the second run's network stands.

    Raises:
        TreinoError: the first one's network, put there, has another loss: its activation or code is another.
    """

    own, end_n = surface_of(second), surface.place(second.module)
    here, there = (float(g.losses(end_n, end_n[None], np.zeros((1, 1)))[0]) for g in (surface, own))
    if not np.isclose(here, there, rtol=1e-3, atol=1e-6, equal_nan=True):
        why = f"{second.name}, {numeral(here)} ≠ {numeral(there)}"
        raise TreinoError(
            "landscape_nets_differ",
            _("The weights are another network's: {why}").format(why=why),
            _("Compare runs with the same layers, e.g. two seeds of the same settings."),
        )
    return end_n


def _same(first: StoredRun, second: StoredRun) -> None:
    """Two networks can be compared on the same rows only, prepared alike."""
    if first.preparation.to_json() != second.preparation.to_json() or not first.data.train.index.equal(
        second.data.train.index
    ):
        raise TreinoError(
            "line_data_differ",
            _("{a} and {b} were not trained on the same rows, prepared alike.").format(
                a=first.name, b=second.name
            ),
            _("Train both on the same data with the same [[data_seed]]; [[seed]] may differ."),
        )
    if first.loss_function != second.loss_function:
        raise TreinoError(
            "line_losses_differ",
            _("{a} and {b} were trained with different losses.").format(a=first.name, b=second.name),
            _("Compare two runs with the same [[loss]]."),
        )


PICTURES: dict[str, RunPicture] = {
    "landscape": RunPicture(landscape_picture),
    "path": RunPicture(path_picture),
    "walker": RunPicture(walker_picture),
}
