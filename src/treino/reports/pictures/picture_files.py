"""Picture files of a run, in ``pictures/`` of its folder."""

import copy
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from treino.base.apps import Group, brought, entries
from treino.base.errors import Refusal, TreinoError
from treino.base.own_calls import own_call, same_process
from treino.base.registry import OwnKind, Registry
from treino.base.words import N_, _
from treino.folders.store.output_files import OutputFolder
from treino.folders.stored_run import StoredRun
from treino.reports.pictures import File, RunPicture, drawn_by, network_errors
from treino.reports.pictures.output import check_names, put_each

PICTURE_FAILS = Refusal(
    "The picture {name}, which an installed package draws, fails: {cause}",
    "It is called with a run, and returns a figure of matplotlib.",
)

# ---- picture files of a run, in ``pictures/`` of its folder


def draw(
    run: StoredRun,
    what: Sequence[str],
    to: OutputFolder | None = None,
    missing: list[TreinoError] | None = None,
    tell: Callable[[str], None] = lambda sentence: None,
    **choices: Any,
) -> list[Path]:
    """Draw each of ``what`` into ``to`` (default: the run's ``pictures/``) and return the paths.

    missing: collects the errors of pictures that can't be drawn; if None, the first is raised at the end.
    tell: gets the announcement of a picture before it is drawn. choices: what pictures show: ``row``, a row's
    number in the source, ``cell`` of the confusion matrix, ``every``, the steps between two frames of a film,
    or ``of``, one of several targets (default: the first).

    Raises:
        TreinoError: an unknown picture (the hint names the nearest); a picture that can't be drawn.
    """
    unknown = [name for name in what if PICTURES.find(name) is None]
    check_names(unknown, PICTURES, N_("There is no picture {name!r}."))
    place = run.path if to is None else to.path
    drawn = {name: partial(_drawn_files, run, name, place, tell, choices) for name in what}
    return put_each(run.folder, drawn, _files, to, missing)


def _drawn_files(
    run: StoredRun, name: str, place: Path, tell: Callable[[str], None], choices: dict[str, Any]
) -> Iterator[File]:
    picture = PICTURES[name]
    run = run if picture.whole else run.of_target(choices.get("of"))
    chosen = {c: v for c, v in choices.items() if c in picture.choices}
    with network_errors(run):
        if picture.announcement is not None:
            tell(picture.announcement(run, place, **chosen))
        yield from picture.draw(run, **chosen)


def with_choice(choice: str) -> list[str]:
    """Return the names of the pictures in which a reader may choose a ``row``, a ``cell``, a target (``of``)
    or a ``member``."""

    def has(picture: RunPicture) -> bool:
        open_to = {"of": not picture.whole, "member": not picture.every_member}
        return choice in picture.choices or open_to.get(choice, False)

    of_several = [name for name in TOGETHER if name not in PICTURES and choice == "member"]
    return [*(name for name, picture in PICTURES.items() if has(picture)), *of_several]


def draw_together(
    runs: Sequence[StoredRun],
    what: Sequence[str],
    to: OutputFolder | None = None,
    missing: list[TreinoError] | None = None,
    *,
    smooth: float = 0.0,
) -> list[Path]:
    """Draw several runs in one picture each: ``curves`` over one another, or the ``line`` between two.

    to: the folder; default: the first run's ``pictures/``. missing: as in ``draw``.
    smooth: for the curves, from 0 to below 1.

    Raises:
        TreinoError: a picture that can't show several runs; runs that don't fit together.
    """
    check_names(what, TOGETHER, N_("There is no picture {name!r} of several runs."))
    drawn = {name: partial(TOGETHER[name].draw, runs, smooth) for name in what}
    return put_each(runs[0].folder, drawn, partial(_files, together=True), to, missing)


def usual_of_a_run(run: StoredRun) -> tuple[str, ...]:
    """Return the pictures that are drawn if none is named; for image classes, no decision boundary."""
    preparation = run.preparation  # which reads a file
    if preparation.target_shape or preparation.apart:
        return ("curves",)
    return "mistakes" if preparation.kind == "image" and preparation.classes else "boundary", "curves"


def files_of(what: Iterable[str], together: bool = False) -> list[str]:
    """Return these pictures' file names or patterns. together: for several runs in one picture."""
    return [file for name in what for file in _files(name, together)]


def _files(name: str, together: bool = False) -> tuple[str, ...]:
    picture = (TOGETHER if together else PICTURES).get(name)
    return (picture and picture.files) or (f"{name}.png",)


def _drawn_by(family: str, function: str) -> Callable[..., Iterable[File]]:
    return drawn_by(f"treino.reports.pictures.{family}", function)


def _of_apps(group: Group) -> dict[str, RunPicture]:
    """Return apps' pictures by their names; one whose app is missing says so when it is drawn."""
    pictures = {}
    for name in entries(group):
        try:
            pictures[name] = brought(group, name)
        except TreinoError:
            pictures[name] = RunPicture(partial(_missing, group, name), choices=("row", "cell", "every"))
    return pictures


def _missing(group: Group, name: str, *_runs: Any, **_choices: Any) -> Iterable[File]:
    brought(group, name)
    return ()


TOGETHER: dict[str, RunPicture] = {
    "curves": RunPicture(_drawn_by("curves", "overlaid"), ("curves-of-several.png",)),
    **_of_apps("treino.pictures_together"),
}
"""Pictures that show several runs: ``draw`` gets the runs, and how much to smooth."""

PICTURES: Registry[RunPicture] = Registry(
    {
        "boundary": RunPicture(_drawn_by("curves", "boundary_picture")),
        "curves": RunPicture(_drawn_by("curves", "curves_picture"), whole=True, every_member=True),
        "dynamics": RunPicture(_drawn_by("dynamics", "dynamics_picture"), whole=True),
        "network": RunPicture(_drawn_by("insides", "network_picture"), ("network.svg",)),
        "weights": RunPicture(_drawn_by("insides", "weights_picture"), whole=True),
        "confusion": RunPicture(_drawn_by("insides", "confusion_picture")),
        "calibration": RunPicture(_drawn_by("insides", "calibration_picture")),
        "mistakes": RunPicture(_drawn_by("insides", "mistakes_picture")),
        "importance": RunPicture(_drawn_by("insides", "importance_picture")),
        "dependence": RunPicture(_drawn_by("insides", "dependence_picture")),
        "channels": RunPicture(_drawn_by("rows_of_pixels", "channels_picture"), choices=("row",)),
        "occlusion": RunPicture(_drawn_by("rows_of_pixels", "occlusion_picture"), choices=("row",)),
        "cells": RunPicture(_drawn_by("rows_of_pixels", "cells_picture"), choices=("cell",)),
    },
    "treino.reports.pictures.picture_files",
)
PICTURES.update(_of_apps("treino.pictures"))


def _of_package(name: str, drawn: Callable[[StoredRun], Any], run: StoredRun) -> list[File]:
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    from treino.plots.style import look, png

    with look(), same_process(), own_call(PICTURE_FAILS.of_cause(name=name)):
        figure = drawn(StoredRun(run.folder, run.access, copy.deepcopy(run.known_rows)))
        FigureCanvasAgg(figure)  # on which png measures its texts
        return [(f"{name}.png", png(figure))]


OWN = OwnKind[RunPicture](
    "picture", lambda name, drawn: RunPicture(partial(_of_package, name, drawn), whole=True), of_users=False
)
"""A picture that an installed package draws is a function of a run."""


def illustrate(run: StoredRun) -> None:
    """Draw for a tracker a sealed run's curves, and its boundary or, of pictures, its worst mistakes. Any
    failure becomes a notice of the run."""
    missing: list[Exception] = []
    of_pictures = run.preparation.picture_shape is not None  # which no plane shows
    names = ["mistakes" if of_pictures and n == "boundary" else n for n in usual_of_a_run(run)]
    for name in names:
        try:
            draw(run, (name,), None)
        except Exception as error:  # of the system, or a broken installation: the training is kept
            missing.append(error)
    run.folder.notices += [
        _("A picture is missing: {why}").format(why=why) for why in dict.fromkeys(map(str, missing))
    ]
