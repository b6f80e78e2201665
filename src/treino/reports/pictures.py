"""Pictures of whatever is opened: of a run, of several runs together, of a sweep or of a study."""

from collections.abc import Callable, Sequence
from pathlib import Path

from treino.errors import TreinoError
from treino.folders import Stored, run_in
from treino.pictures.film import Size, draw_film
from treino.pictures.output import gathered
from treino.pictures.picture_files import draw, draw_together
from treino.store.output_files import OutputFolder
from treino.tuning.stored_study import StoredStudy
from treino.tuning.stored_sweep import StoredSweep
from treino.tuning.sweep_pictures import OF_A_STUDY, draw_study, draw_sweep, of_one, usual


def usual_pictures(opened: Sequence[Stored], overlay: bool) -> list[str]:
    """The pictures that are drawn where none are named. overlay: of several runs in one picture."""
    if overlay:
        return ["curves"]
    if isinstance(opened[0], StoredStudy):
        return list(OF_A_STUDY)
    return usual(opened[0]) if isinstance(opened[0], StoredSweep) else ["boundary", "curves"]


def draw_pictures(
    opened: Stored,
    names: Sequence[str],
    place: OutputFolder | None,
    missing: list[TreinoError],
    every: int | None = None,
    tell: Callable[[Size], None] = lambda size: None,
) -> list[Path]:
    """Draw these pictures into ``place`` (default: the folder's own ``pictures/``) and return their paths.

    What only single networks have is drawn of a sweep's winner. every: steps between two frames of a film,
    whose size is told before it is made. missing: takes up why some can't be drawn.
    """
    if isinstance(opened, StoredStudy):
        return draw_study(opened, names, place, missing)
    paths: list[Path] = []
    if isinstance(opened, StoredSweep):
        if own := [name for name in names if not of_one(name)]:
            paths += draw_sweep(opened, own, place, missing)
        names = [name for name in names if of_one(name)]
    if still := [name for name in names if name != "film"]:
        paths += draw(run_in(opened), still, place, missing)
    if "film" in names:
        with gathered(missing):
            paths += draw_film(run_in(opened), every, place, tell)
    return paths


def draw_overlay(
    opened: Sequence[Stored],
    names: Sequence[str],
    place: OutputFolder | None,
    missing: list[TreinoError],
    smooth: float = 0.0,
) -> list[Path]:
    """Draw several runs in one picture each; see ``treino.pictures.picture_files.draw_together``."""
    return draw_together([run_in(each) for each in opened], names, place, missing, smooth=smooth)
