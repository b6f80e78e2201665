"""Picture files, in a run's ``pictures/`` or a folder of the user's, and errors in drawing them."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from treino.base.errors import Refusal, TreinoError, cause, nearest
from treino.base.words import _
from treino.folders.store import RunFolder
from treino.folders.store.output_files import OutputFolder
from treino.reports.pictures import File
from treino_doctor.base.screen import DEFECT, lack_of_memory

PICTURE_DEFECT = Refusal(
    "{name} can't be drawn: {cause}",
    "What else was asked for is there. This is a defect of treino; please report it.",
    rule=DEFECT,
    status=1,
)


def check_names(what: Iterable[str], known: Collection[str], sentence: str) -> None:
    """Check names of pictures. sentence: the error message, with ``{name}``.

    Raises:
        TreinoError: an unknown name; the hint names the nearest.
    """
    for name in what:
        if name not in known:
            raise TreinoError("picture_unknown", _(sentence).format(name=name), nearest(name, known))


@contextmanager
def defects(name: str) -> Iterator[None]:
    """Raise what isn't meant to be raised, a defect of treino, as an error with the picture's name."""
    try:
        yield
    except (TreinoError, OSError):
        raise
    except Exception as error:
        if lack_of_memory(error) is not None:
            raise
        raise PICTURE_DEFECT(name=name, cause=cause(error)) from error


@contextmanager
def gathered(missing: list[TreinoError], name: str) -> Iterator[None]:
    """Collect the error of the picture ``name`` in ``missing``, so that drawing continues; system errors are
    raised."""
    try:
        with defects(name):
            yield
    except TreinoError as error:
        if error.status == 1 and error.rule != PICTURE_DEFECT.rule:
            raise
        if str(error) not in map(str, missing):
            missing.append(error)


@dataclass(frozen=True)
class MissingParts:
    """Parts of a page that can't be made. errors: gets the defects among the reasons."""

    errors: list[TreinoError]
    titles: dict[str, list[str]] = field(default_factory=dict)  # by reason

    @contextmanager
    def but(self, title: str) -> Iterator[None]:
        """Leave a part out if it can't be made, and keep its title with the reason."""
        try:
            with defects(title):
                yield
        except TreinoError as error:
            defect = error.rule == PICTURE_DEFECT.rule  # which names the part
            self.titles.setdefault(str(error), []).extend(() if defect or not title else (title,))
            self.errors.extend((error,) if defect else ())

    @property
    def sentences(self) -> list[str]:
        """For each reason, the parts and why they are left out."""
        return [f"{', '.join(titles)}: {why}" if titles else why for why, titles in self.titles.items()]


def put_each(
    folder: RunFolder,
    pictures: Mapping[str, Callable[[], Iterable[File]]],
    files: Callable[[str], Iterable[str]],
    to: OutputFolder | None,
    missing: list[TreinoError] | None = None,
) -> list[Path]:
    """Write the files of each picture, by its name, with ``put``; continue after one that can't be drawn.
    files: the names or patterns of a picture's files.

    Raises:
        TreinoError: files that can't be written into ``to``; the first error, after all other pictures are
            drawn, if ``missing`` is None.
    """
    if to is not None:
        to.check(file for name in pictures for file in files(name))
    errors: list[TreinoError] = [] if missing is None else missing
    paths: list[Path] = []
    for name, picture in pictures.items():
        with gathered(errors, name):
            paths += put(folder, picture(), to, files(name))
    if errors and missing is None:
        raise errors[0]
    return paths


def put(
    folder: RunFolder, pictures: Iterable[File], to: OutputFolder | None, files: Iterable[str]
) -> list[Path]:
    """Write each (name, content) into ``to`` or else the folder's ``pictures/``, and return the paths.

    files: their names or patterns; older files of a pattern are removed.
    """
    paths = [
        folder.write_bytes(f"pictures/{name}", picture) if to is None else to.write(name, picture)
        for name, picture in pictures
    ]
    for pattern in map(Path, (file for file in files if "*" in file)):
        if to is not None:
            to.remove_others(str(pattern))
            continue
        for old in set(folder.within(f"pictures/{pattern.parent}").glob(pattern.name)) - set(paths):
            old.unlink()
    return paths
