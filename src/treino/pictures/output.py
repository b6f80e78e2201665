"""Pictures as files, in a run's ``pictures/`` or in a folder of the user's; why one can't be drawn."""

from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from treino.errors import TreinoError, nearest
from treino.pictures import File
from treino.store import RunFolder
from treino.store.output_files import OutputFolder
from treino.words import _


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
    errors: list[TreinoError] = [] if missing is None else missing
    paths: list[Path] = []
    for picture in pictures:
        with gathered(errors):
            paths += put(folder, picture(), to)
    if errors and missing is None:
        raise errors[0]
    return paths


def put(folder: RunFolder, pictures: Iterable[File], to: OutputFolder | None) -> list[Path]:
    """Each (name, content) as a file in ``to``, or else in the folder's ``pictures/``; -> their paths."""
    return [
        folder.write_bytes(f"pictures/{name}", picture) if to is None else to.write(name, picture)
        for name, picture in pictures
    ]
