"""Copies of predicted picture files, in a folder for each class."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from glob import escape
from pathlib import Path, PurePosixPath

from treino.base.errors import Refusal, TreinoError
from treino.base.files import FILE_EXISTS, trouble
from treino.base.words import _
from treino.data import photographs
from treino.data.source_kinds import is_pictures
from treino.folders.prediction import Prediction
from treino.folders.store.output_files import OutputFolder
from treino.folders.stored_run import StoredRun

COPIES_OF_ROWS = Refusal(
    "Only pictures are copied, and {source} is neither a picture nor a folder of them.",
    "Leave [[copy_to]] out; write the rows with [[to=FILE.csv]].",
)
COPIES_OF_NUMBERS = Refusal(
    "{run} predicts numbers, and copies go into a folder for each class.",
    "Leave [[copy_to]] out; write the numbers with [[to=FILE.csv]].",
)
TO_PICTURES = Refusal(
    (
        "{path} is in {source}, whose pictures are predicted, and what is written there would count as"
        " part of them."
    ),
    "Give a place outside of it.",
)

_LONGEST = 200  # bytes of a name


def copies_folder(run: StoredRun, path: str, source: str) -> OutputFolder:
    """The folder for copies of the source's pictures.

    Raises:
        TreinoError: a source without pictures; a run that predicts numbers; a folder inside the source, or
            one that can't be written.
    """
    if not is_pictures(source):
        raise COPIES_OF_ROWS(source=source)
    if not run.spec.classes:
        raise COPIES_OF_NUMBERS(run=run.name)
    refuse_inside(path, Path(source))
    return OutputFolder(path)


def refuse_inside(path: str, source: Path) -> None:
    """Refuse to write into the folder of the predicted pictures, which would then hold other pictures, or a
    table that looks like their labels.

    Raises:
        TreinoError: to_pictures.
    """
    if source.is_dir() and Path(path).resolve().is_relative_to(source.resolve()):
        raise TO_PICTURES(path=path, source=source)


def copy_pictures(each: Sequence[Prediction], classes: Sequence[str], source: str, to: OutputFolder) -> int:
    """Copy each of the source's pictures with a prediction to ``CLASS/NAME``. Return the number of copies.

    Pictures of the same name in one class, from several folders, get the name of their path.

    Raises:
        TreinoError: a file is there already; the disk fails.
    """
    names = copy_names([(p.file, str(p.value)) for p in each if p.value is not None], classes)
    for folder in {name.partition("/")[0] for name in names.values()}:
        refuse_inside(str(to.path / folder), Path(source))
    try:
        to.check(map(escape, names.values()))
    except TreinoError as error:
        if error.rule == FILE_EXISTS.rule:
            error.hint = _("Copies replace nothing: name another folder.")
        raise
    album = photographs.album_of(source)
    for file, name in names.items():
        with trouble(Path(file)):
            content = album.read(file)
        to.write(name, content)
    return len(names)


def copy_names(pairs: Sequence[tuple[str, str]], classes: Sequence[str]) -> dict[str, str]:
    """For each file of the (file, class) pairs, ``CLASS/NAME``: names that file systems take, and no two that
    differ only by case."""
    folder_of = dict(zip(classes, _distinct(map(_plain, classes)), strict=True))
    plain = [(file, folder_of[name], _plain(PurePosixPath(file).name)) for file, name in pairs]
    count = Counter((folder, name.casefold()) for _file, folder, name in plain)
    wanted = [
        f"{folder}/{name if count[folder, name.casefold()] == 1 else _plain(file)}"
        for file, folder, name in plain
    ]
    return dict(zip((file for file, _class in pairs), _distinct(wanted), strict=True))


def _plain(name: str) -> str:
    """The name with other characters than letters, digits and a few signs replaced."""
    plain = re.sub(r"[^\w.+@() -]+", "-", name).strip(" ").rstrip(".")
    plain = f"_{plain}" if not plain or plain.startswith(".") else plain
    stem, dot, ending = plain.rpartition(".")
    if len(plain.encode()) > _LONGEST and dot and len(ending) < 10:
        return stem.encode()[:_LONGEST].decode(errors="ignore") + dot + ending
    return plain.encode()[:_LONGEST].decode(errors="ignore")


def _distinct(names: Iterable[str]) -> Iterator[str]:
    """The names; one that equals an earlier one except for case gets a number before its ending."""
    known: set[str] = set()
    for name in names:
        stem, dot, ending = name.rpartition(".") if "." in name.rpartition("/")[2] else (name, "", "")
        number, distinct = 1, name
        while distinct.casefold() in known:
            number += 1
            distinct = f"{stem} ({number}){dot}{ending}"
        known.add(distinct.casefold())
        yield distinct
