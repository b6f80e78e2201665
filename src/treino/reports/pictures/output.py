"""Picture files, in a run's ``pictures/`` or a folder of the user's, and errors in drawing them."""

from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from treino.base.errors import TreinoError, nearest
from treino.base.words import _
from treino.folders.store import RunFolder
from treino.folders.store.output_files import OutputFolder
from treino.reports.pictures import File


def check_names(what: Iterable[str], known: Collection[str], sentence: str) -> None:
    """Check names of pictures. sentence: the error message, with ``{name}``.

    Raises:
        TreinoError: an unknown name; the hint names the nearest.
    """
    for name in what:
        if name not in known:
            raise TreinoError("picture_unknown", _(sentence).format(name=name), nearest(name, known))


@contextmanager
def gathered(missing: list[TreinoError]) -> Iterator[None]:
    """Collect a picture's error in ``missing``, so that drawing continues; system errors are raised."""
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
    """Write the files of each picture with ``put``; continue after a picture that can't be drawn.

    Raises:
        TreinoError: the first error, after all other pictures are drawn, if ``missing`` is None.
    """
    errors: list[TreinoError] = [] if missing is None else missing
    paths: list[Path] = []
    for picture in pictures:
        with gathered(errors):
            paths += put(folder, picture(), to)
    if errors and missing is None:
        raise errors[0]
    return paths


def put(folder: RunFolder, pictures: Iterable[File], to: OutputFolder | None) -> list[Path]:
    """Write each (name, content) into ``to`` or else the folder's ``pictures/``, and return the paths."""
    return [
        folder.write_bytes(f"pictures/{name}", picture) if to is None else to.write(name, picture)
        for name, picture in pictures
    ]
