"""Pictures of a run, drawn from numbers that inspection computes, kept in ``pictures/``."""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from treino.errors import TreinoError, nearest
from treino.store import RunFolder
from treino.store.files import make_folder, write_atomically
from treino.words import _
from treino.workflows.drawing import File, boundary, curves, dynamics, film, insides, landscape

if TYPE_CHECKING:
    from treino.workflows.run import Run


def draw(run: "Run", what: Sequence[str], to: Path | None = None) -> list[Path]:
    """Draw each of ``what`` into ``to`` (default: the run's ``pictures/``) and return the paths.

    Raises:
        TreinoError: an unknown picture (with the nearest).
    """
    for name in what:
        if name not in PICTURES:
            raise TreinoError(
                "picture_unknown",
                _("There is no picture {name!r}.").format(name=name),
                nearest(name, PICTURES),
            )
    return put(run.folder, (file for name in what for file in PICTURES[name](run)), to)


def draw_together(
    runs: Sequence["Run"], what: Sequence[str], to: Path | None = None, *, smooth: float = 0.0
) -> list[Path]:
    """Draw several runs in one picture each: ``curves`` over one another, or the ``line`` between two.

    They go into ``to`` (default: the first run's ``pictures/``). smooth: of the curves, from 0 to below 1.

    Raises:
        TreinoError: a picture that isn't drawn of several runs; runs that don't fit together.
    """
    for name in what:
        if name not in TOGETHER:
            raise TreinoError(
                "picture_of_several",
                _("There is no picture {name!r} of several runs.").format(name=name),
                nearest(name, TOGETHER),
            )
    files = {"curves": lambda: curves.overlaid(runs, smooth), "line": lambda: landscape.line(runs)}
    return put(runs[0].folder, (file for name in what for file in files[name]()), to)


def put(folder: RunFolder, pictures: Iterable[File], to: Path | None) -> list[Path]:
    """Each (name, content) as a file in ``to``, or else in the folder's ``pictures/``; -> their paths."""
    if to is not None:
        make_folder(to)
    paths = []
    for name, picture in pictures:
        if to is None:
            paths.append(folder.write_bytes(f"pictures/{name}", picture))
        else:
            make_folder((to / name).parent)
            write_atomically(to / name, picture)
            paths.append(to / name)
    return paths


TOGETHER = ("curves", "line")
PICTURES: dict[str, Callable[["Run"], Iterable[File]]] = (
    boundary.PICTURES
    | curves.PICTURES
    | dynamics.PICTURES
    | landscape.PICTURES
    | film.PICTURES
    | insides.PICTURES
)
