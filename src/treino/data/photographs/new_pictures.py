"""Read pictures to predict (folders, archives, files or PIL images), in the form of a run's pictures."""

import glob
import io
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from treino.base.errors import Refusal, TreinoError
from treino.base.text import shortened
from treino.base.words import _
from treino.data.load_request import LoadRequest
from treino.data.photographs.album import Album, open_album
from treino.data.photographs.archives import AlbumEntry
from treino.data.photographs.decoding import (
    FORMATS,
    PictureForm,
    Shape,
    UnreadablePictureError,
    decode,
    refused,
)
from treino.data.photographs.labels import FILE, label_table
from treino.data.photographs.load import refuse_bad
from treino.data.photographs.prepared_pictures import PixelRows, decoded
from treino.data.preparation.fit import take
from treino.data.preparation.preparation import Preparation
from treino.data.source_kinds import is_album
from treino.data.table import Column, Table
from treino.settings.data_settings import Fit

if TYPE_CHECKING:
    from PIL import Image

PICTURES_OF_TABLE = Refusal(
    "Pictures can't be predicted by a network whose inputs are not the pixels of pictures.",
    "Give rows with the columns that it was trained on, or arrays of its own.",
)

_KEPT = ("1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "I;16", "I")  # modes that a TIFF keeps as they are


@dataclass(frozen=True, eq=False)
class NewPictures:
    """Pictures to predict.

    x: their inputs, made from a temporary file of pixels when they are read. index: ``[N]``, their numbers in
    the source. names: the file of each. labels: (table of K labelled pictures, with the column of the run's
    target; their indices ``[K]``); None without labels. notes: what was left out, and how the
    pictures were brought to the run's form.
    """

    x: PixelRows
    index: NDArray[np.int64]
    names: tuple[str, ...]
    labels: tuple[Table, NDArray[np.int64]] | None
    notes: tuple[str, ...]


def pictures_to_predict(source: Any, preparation: Preparation, skip_bad: int = 0) -> NewPictures:
    """All pictures of a source, brought to the size and colours of the training's.

    skip_bad: the most pictures that may be left out as unreadable.

    Raises:
        TreinoError: the run's inputs aren't pixels from 0 to 255; a source without pictures; more unreadable
            pictures than may be left out.
    """
    shape = preparation.picture_shape
    if shape is None:
        raise PICTURES_OF_TABLE()
    fit, album = preparation.fit or "crop", album_of(source)
    pixel_ND, forms, faults = decoded(album, shape, fit)
    notes: list[str] = []
    bad = [(file.name, why) for file, why in zip(album.files, faults, strict=True) if why]
    refuse_bad(bad, len(album.files), album.source, skip_bad, notes)
    row_N = np.flatnonzero([not why for why in faults])
    notes += _form_notes([form for row in row_N.tolist() if (form := forms[row]) is not None], shape, fit)
    return NewPictures(
        PixelRows(pixel_ND, row_N, preparation.transform),
        row_N,
        tuple(album.files[row].name for row in row_N.tolist()),
        _labels(album, row_N, preparation, notes) if is_album(source) else None,
        tuple(notes),
    )


def album_of(source: Any) -> Album:
    """The pictures of a source: those of a folder or an archive by name, those of a list in its order."""
    if is_album(source):
        return open_album(source)
    items = list(source) if isinstance(source, list | tuple) else [source]
    if items == [source] and isinstance(source, str) and not os.path.lexists(source):
        items = sorted(glob.glob(source, recursive=True)) or items
    read: dict[str, Callable[[], bytes]] = {}
    files = []
    for at, item in enumerate(items):
        if isinstance(item, str | os.PathLike):
            name = os.fspath(item)
            read[name] = Path(item).read_bytes
        else:
            name = _("picture {n}").format(n=at)
            read[name] = partial(_content, item)
        files.append(AlbumEntry(name, 0, 0))
    title = files[0].name if len(files) == 1 else _("{n:,} pictures").format(n=len(files))
    return Album(title, Path(title), tuple(files), (), (), lambda name: read[name]())


def _content(picture: "Image.Image") -> bytes:
    """The content of a file that holds the picture's pixels unchanged, upright. Raises
    UnreadablePictureError for a file whose pixels aren't loaded yet and can't be."""
    from PIL import ImageOps

    unread, file = getattr(picture, "tile", None), io.BytesIO()
    if unread and picture.fp is None:  # type: ignore[attr-defined]
        raise UnreadablePictureError(_("it is closed, or failed to load before"))
    with refused():
        try:
            if unread and picture.format in FORMATS:
                _check_file(picture.fp)  # type: ignore[attr-defined]
            picture.load()
        except BaseException:
            picture.tile = unread  # type: ignore[attr-defined]  # without it, Pillow takes it for loaded
            raise
        upright = ImageOps.exif_transpose(picture)
        if "transparency" in upright.info:
            upright = upright.convert("RGBA")
        if upright.mode not in _KEPT:
            upright = upright.convert("RGB")
        upright.save(file, "TIFF")
    return file.getvalue()


def _check_file(file: IO[bytes]) -> None:
    """Raise UnreadablePictureError if a file's data are damaged in a way that Pillow doesn't notice."""
    place = file.tell()
    file.seek(0)
    content = file.read()
    file.seek(place)
    decode(content, (1, 1, 1), "crop")


def _form_notes(forms: Sequence[PictureForm], shape: Shape, fit: Fit) -> list[str]:
    """Notes on pictures of another size, or of other colours, than the run's."""
    channels, height, width = shape
    notes = []
    if others := sum((form.height, form.width) != (height, width) for form in forms):
        text = _("Pictures of another size, brought to the run's {width} × {height} ({fit}): {n:,}.")
        notes.append(text.format(width=width, height=height, fit=fit, n=others))
    coloured = sum(not form.grey for form in forms)
    if channels == 1 and coloured:
        notes.append(_("Pictures in colour, brought to grey as the run's are: {n:,}.").format(n=coloured))
    if channels == 3 and coloured < len(forms):
        text = _("Grey pictures, for a run of pictures in colour: {n:,}.")
        notes.append(text.format(n=len(forms) - coloured))
    return notes


def _labels(
    album: Album, row_N: NDArray[np.int64], preparation: Preparation, notes: list[str]
) -> tuple[Table, NDArray[np.int64]] | None:
    """Return the rows of an album's labels that fit the run's target, and the numbers of their pictures;
    None if the album has no labels."""
    table = _label_table(album, preparation)
    column = None if table is None else table.by_name.get(preparation.target)
    if table is None or column is None:
        return None
    row_of = {table.column(FILE).cell(row): row for row in range(table.rows)}
    pairs = [(row_of.get(album.files[row].name, -1), at) for at, row in enumerate(row_N.tolist())]
    pairs = [(row, at) for row, at in pairs if row >= 0 and column.cell(row)]
    others = [(row, at) for row, at in pairs if column.cell(row) not in preparation.classes]
    if preparation.classes and others:
        name, label = (table.column(each).cell(others[0][0]) for each in (FILE, preparation.target))
        text = _("Not compared, because the run has no such class: {n:,}, the first {name} ({label}).")
        notes.append(text.format(n=len(others), name=name, label=shortened(label)))
        pairs = [pair for pair in pairs if pair not in set(others)]
    if not pairs:
        return None
    row_K, at_K = np.array(pairs, dtype=np.int64).T
    return take(table, row_K), at_K


def _label_table(album: Album, preparation: Preparation) -> Table | None:
    """The labels in an album: for each picture the outermost folder named like a class or, if there is none,
    the labels that a training would use. None without labels."""
    names = [file.name for file in album.files]
    known = set(preparation.classes)
    label_N = [next((f for f in n.split("/")[:-1] if f in known), n.rpartition("/")[0]) for n in names]
    if known & set(label_N):
        words = {FILE: names, preparation.target: label_N}
        columns = tuple(Column(name, words=np.array(of, dtype=object)) for name, of in words.items())
        return Table(album.name, album.source, None, columns, place=lambda row: names[row])
    try:
        return label_table(album, LoadRequest(album.source))
    except TreinoError:  # its pictures lie in no folder of a class, and no table names them
        return None
