"""What is known of each picture besides its pixels, as a table: its file, its split, its class."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from treino.data.photographs.album import Album
from treino.data.split_requests import USUAL_WORDS
from treino.data.table import Column, Table
from treino.errors import TreinoError
from treino.words import _

FILE, PART, CLASS = "file", "split", "class"  # the names of the columns


def label_table(album: Album) -> Table:
    """A row for each picture of an album: its ``file``, its ``class`` (the folder that it is in), and its
    ``split``, where the outer folders are train, val and test."""
    names = [file.name for file in album.files]
    folders = [name.split("/")[:-1] for name in names]
    notes = _skipped(album)
    columns = [_column(FILE, names)]
    if all(folder and folder[0].lower() in USUAL_WORDS for folder in folders):
        columns.append(_column(PART, [folder[0] for folder in folders]))
        folders = [folder[1:] for folder in folders]
    loose = [name for name, folder in zip(names, folders, strict=True) if not folder]
    if loose:
        raise TreinoError(
            "pictures_without_class",
            _("Nothing says of which class '{name}' is: it lies in no folder of a class.").format(
                name=loose[0]
            ),
            _("Put the pictures of each class into a folder with its name."),
        )
    deep = next((name for name, folder in zip(names, folders, strict=True) if len(folder) > 1), None)
    if deep is not None:
        notes.append(
            _("Pictures in folders inside a class's folder count for the class, such as {name}.").format(
                name=deep
            )
        )
    columns.append(_column(CLASS, [folder[0] for folder in folders]))
    return Table(
        name=album.name,
        source=album.source,
        sha256=None,
        columns=tuple(columns),
        place=lambda row: names[row],
        target=CLASS,
        notes=tuple(notes),
    )


def _column(name: str, words: Sequence[str]) -> Column:
    return Column(name, words=np.array(words, dtype=object))


def _skipped(album: Album) -> list[str]:
    """A note on the files that are no pictures; none without such files."""
    if not album.skipped:
        return []
    name, reason = album.skipped[0]
    return [
        _("Files left out because they are no pictures: {n:,}, the first {name} ({reason}).").format(
            n=len(album.skipped), name=name, reason=reason
        )
    ]


def without(table: Table, row_K: "np.ndarray[tuple[int], np.dtype[np.int64]]") -> Table:
    """The table with the given rows only; messages name their files."""
    place = table.place
    columns = tuple(column.take(row_K) for column in table.columns)
    return replace(table, columns=columns, place=lambda row: place(int(row_K[row])))
