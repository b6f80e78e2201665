"""Picture files of a run, in ``pictures/`` of its folder."""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from treino.errors import TreinoError, nearest
from treino.pictures import File, asking, boundary, curves, dynamics, film, insides, landscape
from treino.store import RunFolder
from treino.store.output_files import OutputFolder
from treino.words import N_, _

if TYPE_CHECKING:
    from treino.records.run import Run


def draw(
    run: "Run", what: Sequence[str], to: OutputFolder | None = None, missing: list[TreinoError] | None = None
) -> list[Path]:
    """Draw each of ``what`` into ``to`` (default: the run's ``pictures/``) and return the paths.

    missing: takes up why some can't be drawn; without it that is raised when the others are drawn.

    Raises:
        TreinoError: an unknown picture (with the nearest); one that can't be drawn.
    """
    check_names(what, PICTURES, N_("There is no picture {name!r}."))
    if to is not None:
        to.check(files_of(what))
    return put_each(run.folder, [partial(_asked, run, name) for name in what], to, missing)


def _asked(run: "Run", name: str) -> Iterator[File]:
    with asking(run):
        yield from PICTURES[name](run)


def draw_together(
    runs: Sequence["Run"],
    what: Sequence[str],
    to: OutputFolder | None = None,
    missing: list[TreinoError] | None = None,
    *,
    smooth: float = 0.0,
) -> list[Path]:
    """Draw several runs in one picture each: ``curves`` over one another, or the ``line`` between two.

    They go into ``to`` (default: the first run's ``pictures/``). missing: as in ``draw``.
    smooth: of the curves, from 0 to below 1.

    Raises:
        TreinoError: a picture that isn't drawn of several runs; runs that don't fit together.
    """
    check_names(what, TOGETHER, N_("There is no picture {name!r} of several runs."))
    if to is not None:
        to.check(files_of(what, together=True))
    return put_each(runs[0].folder, [partial(TOGETHER[name], runs, smooth) for name in what], to, missing)


def check_names(what: Iterable[str], known: Collection[str], sentence: str) -> None:
    """sentence: with ``{name}``.

    Raises:
        TreinoError: a name that isn't known, with the nearest.
    """
    for name in what:
        if name not in known:
            raise TreinoError("picture_unknown", _(sentence).format(name=name), nearest(name, known))


@contextmanager
def gathered(missing: list[TreinoError]) -> Iterator[None]:
    """Collect errors of a picture in ``missing`` and draw the next; a failing machine ends it all."""
    try:
        yield
    except TreinoError as error:
        if error.status == 1:
            raise
        if str(error) not in map(str, missing):
            missing.append(error)


def put_each(
    folder: RunFolder,
    pictures: Iterable[Callable[[], Iterable[File]]],
    to: OutputFolder | None,
    missing: list[TreinoError] | None = None,
) -> list[Path]:
    """``put`` of what each of these gives; one that can't be drawn doesn't keep the others from it.

    Raises:
        TreinoError: the first of them, when the others are drawn and there is no ``missing`` to take it up.
    """
    found: list[TreinoError] = [] if missing is None else missing
    paths: list[Path] = []
    for picture in pictures:
        with gathered(found):
            paths += put(folder, picture(), to)
    if found and missing is None:
        raise found[0]
    return paths


def put(folder: RunFolder, pictures: Iterable[File], to: OutputFolder | None) -> list[Path]:
    """Each (name, content) as a file in ``to``, or else in the folder's ``pictures/``; -> their paths."""
    return [
        folder.write_bytes(f"pictures/{name}", picture) if to is None else to.write(name, picture)
        for name, picture in pictures
    ]


def files_of(what: Iterable[str], together: bool = False) -> list[str]:
    """The names of the files that these pictures become, a pattern where they are many. together: of several
    runs in one picture."""
    known = FILES_TOGETHER if together else FILES
    return [file for name in what for file in known.get(name, (f"{name}.png",))]


TOGETHER: dict[str, Callable[[Sequence["Run"], float], Iterable[File]]] = {
    "curves": curves.overlaid,
    "line": lambda runs, _smooth: landscape.line(runs),
}
PICTURES: dict[str, Callable[["Run"], Iterable[File]]] = (
    boundary.PICTURES
    | curves.PICTURES
    | dynamics.PICTURES
    | landscape.PICTURES
    | film.PICTURES
    | insides.PICTURES
)
# what doesn't become NAME.png
FILES: dict[str, tuple[str, ...]] = {
    "network": ("network.svg",),
    "walker": ("walker.png", "walker.html"),
    "film": film.FILES,
}
FILES_TOGETHER: dict[str, tuple[str, ...]] = {"curves": ("curves-of-several.png",)}
