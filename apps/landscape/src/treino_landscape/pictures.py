"""Pictures of a run's loss landscape: around its network, along its path, between two runs; walker."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from treino.base.errors import Refusal
from treino.base.words import numeral
from treino.folders import StoredRun
from treino.inspection import draw
from treino.plots import style
from treino.reports import File
from treino.training import last_step, snapshots
from treino_landscape.figures import landscape_figure, line_figure, walker_figure
from treino_landscape.loss_surface import MOST_ROWS, LossSurface, loss_surface
from treino_landscape.planes import (
    FEWEST,
    MOMENTS,
    NUMBERS,
    Landscape,
    interpolation,
    path_plane,
    random_plane,
    walk_points,
)

LINE_TWO_RUNS = Refusal(
    "A line has two ends, and {n} runs were given.", "Give two, e.g. treino plot wine-1 wine-2 [[what=line]]."
)
LANDSCAPE_WEIGHTS_DIFFER = Refusal(
    "The weights are another network's: {why}",
    "Compare runs with the same layers, e.g. two seeds of the same settings.",
    rule="landscape_nets_differ",
)
LINE_DATA_DIFFER = Refusal(
    "{a} and {b} were not trained on the same rows, prepared alike.",
    "Train both on the same data with the same [[data_seed]]; [[seed]] may differ.",
)
LINE_LOSSES_DIFFER = Refusal(
    "{a} and {b} were trained with different losses.", "Compare two runs with the same [[loss]]."
)


def landscape_picture(run: StoredRun) -> list[File]:
    """Draw the loss over two filter-normalised random directions around the kept weights."""
    seed, run = int(run.settings["seed"]), run.member()
    return [
        ("landscape.png", style.png(landscape_figure(random_plane(surface_of(run), seed=seed), run.title)))
    ]


def path_picture(run: StoredRun) -> list[File]:
    """Draw the loss over the plane of the run's path, from the first step with its final layers on."""
    run = run.member()
    return [("path.png", style.png(landscape_figure(path_of(run)[1], run.title)))]


def walker_picture(run: StoredRun) -> list[File]:
    """Draw the plane of the run's path in parts, as a walker in the fog sees it, and as a whole."""
    run = run.member()
    surface, land = path_of(run)
    return [("walker.png", style.png(walker_figure(land, walk_points(surface, land), run.title)))]


def line(runs: Sequence[StoredRun], _smooth: float = 0.0) -> list[File]:
    """Draw the loss on the straight line between two runs' kept weights, on training and validation rows.

    Raises:
        TreinoError: not exactly two runs; different data, layers or losses.
    """
    if len(runs) != 2:
        raise LINE_TWO_RUNS(n=len(runs))
    first, second = (run.member() for run in runs)
    _same(first, second)
    surface = surface_of(first)
    splits = {"train": surface.rows}
    if len(first.data.validation):
        splits["validation"] = draw(first.data.validation, MOST_ROWS)
    losses = interpolation(surface, _end(surface, second), splits)
    return [("line.png", style.png(line_figure(losses, first.title, second.title)))]


def surface_of(run: StoredRun) -> LossSurface:
    """Return the loss surface of the kept network on training rows, by the trained loss (also a fault's)."""
    return loss_surface(run.module, run.data.train, run.loss_function, item_shape=run.item_shape)


def path_of(run: StoredRun) -> tuple[LossSurface, Landscape]:
    """Return the plane of the run's path, from snapshots that are denser early, where weights move most."""
    surface, last, first = surface_of(run), last_step(run), run.timeline.layers_since
    count = min(MOMENTS, max(FEWEST, NUMBERS // surface.layout.n), last - first + 1)
    steps = np.unique(np.round(first + (last - first) * np.linspace(0, 1, count) ** 2).astype(int)).tolist()
    place_Kn = torch.stack([surface.place(moment.net) for moment in snapshots(run, steps)])
    return surface, path_plane(surface, place_Kn, steps)


def _end(surface: LossSurface, second: StoredRun) -> Tensor:
    """Return the position of the second run's network.

    Raises:
        TreinoError: the first run's network has another loss there: its activation or code differs.
    """

    own, end_n = surface_of(second), surface.place(second.module)
    here, there = (float(g.losses(end_n, end_n[None], np.zeros((1, 1)))[0]) for g in (surface, own))
    if not np.isclose(here, there, rtol=1e-3, atol=1e-6, equal_nan=True):
        why = f"{second.name}, {numeral(here)} ≠ {numeral(there)}"
        raise LANDSCAPE_WEIGHTS_DIFFER(why=why)
    return end_n


def _same(first: StoredRun, second: StoredRun) -> None:
    """Require that both networks have the same training rows and the same preparation."""
    if first.preparation.to_json() != second.preparation.to_json() or not first.data.train.index.equal(
        second.data.train.index
    ):
        raise LINE_DATA_DIFFER(a=first.name, b=second.name)
    if first.loss_function != second.loss_function:
        raise LINE_LOSSES_DIFFER(a=first.name, b=second.name)
