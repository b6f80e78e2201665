"""Load an album: decode, split and prepare its pictures for training."""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from treino.base.errors import Refusal
from treino.base.words import N_, _, joined, setting
from treino.data.dataset import Data, of_preparation
from treino.data.documents import LoadArguments
from treino.data.load_request import LoadRequest
from treino.data.photographs.album import Album, open_album
from treino.data.photographs.decoding import Shape
from treino.data.photographs.labels import PART, given_split, inside, label_table
from treino.data.photographs.prepared_pictures import PixelRows, PreparedPictures, prepare
from treino.data.preparation.equal_rows import answer_codes
from treino.data.preparation.fit import prepare_target, take, target_fields
from treino.data.preparation.preparation import Preparation, fit_pixels
from treino.data.preparation.target import choose_target, decide_task, target_codes, with_targets
from treino.data.split_requests import check_split, decide_parts
from treino.data.splits import PARTS, TEST, TRAIN, EqualRows, rows_of_parts
from treino.data.summaries.picture_files import PictureFiles
from treino.data.table import Table
from treino.settings.data_settings import Fit

PICTURES_BAD = Refusal(
    "{n:,} of {of:,} pictures in '{path}' can't be read ({listed}).",
    "Mend or remove them, or go on without them: {skip}.",
)

EQUAL_PICTURES = (
    N_("Pictures that equal or almost equal an earlier one: {n}; such pictures are never parted."),
    N_("in all pixels, or almost"),
)


def read_album(request: LoadRequest) -> tuple[Album, Table, list[str]]:
    """Return a source's album, its ``label_table``, and the names that have a label but no picture.

    Raises:
        TreinoError: arguments that apply only to tables; no pictures, or none with a label.
    """
    album, absent = open_album(request.source), list[str]()
    table = label_table(album, request, absent)
    if table.sha256 is None:
        request.check_readers(labels=False)
    return album, table, absent


def with_split(arguments: LoadArguments, table: Table, notes: list[str]) -> LoadArguments:
    """The arguments; if they name no split, with the column of the split that the folders or the table of
    labels give."""
    given = given_split(table)
    if given is None or arguments.split_by == given:
        return arguments
    if arguments.split_by is None and arguments.fold is None:
        return arguments.changed(split_column=given)
    notes.append(_("The split that '{name}' names isn't used.").format(name=given))
    return arguments


def load_album(request: LoadRequest, limit: int, cache: Path | None) -> Data:
    """The Data of the pictures in a folder.

    limit: the most bytes of memory for inputs; more stay in the file of pixels. cache: the folder beside the
    runs that keeps decoded pictures.
    """
    album, table, absent = read_album(request)
    arguments, files = request.arguments, {}
    labels = inside(album, arguments.labels)
    if arguments.labels is not None and labels is None:
        files["labels"] = (arguments.labels, str(table.sha256))
    column = choose_target(table, arguments.target)
    check_split(table, arguments, [column.name])  # before anything is decoded
    pictures = prepare(album, arguments.image_size, arguments.fit, cache)
    described = picture_files(album, pictures, absent)
    notes = [*table.notes, size_note(pictures, arguments.fit), *form_notes(described, pictures.shape)]
    number = len(album.files) + len(absent)
    refuse_bad(described.unreadable, number, request.source, arguments.skip_bad, notes)
    row_N = np.flatnonzero([not why for why in pictures.faults])
    table, labelled_K = with_targets(take(table, row_N), [column.name], arguments.split_time, notes)
    row_N = row_N[labelled_K]
    near_N = pictures.comparison.of(row_N).near_N
    column = table.column(column.name)
    arguments = with_split(arguments, table, notes)
    check_split(table, arguments, [column.name])
    task, reason = decide_task(column, arguments.task, table.place)
    (classes,), ((label_N,),) = target_codes([table], [column.name], task, {}, notes)
    equal = EqualRows.of(near_N, answer_codes([table], [column.name], [[label_N]]))
    part_N = decide_parts([table], [], arguments, equal, label_N, classes, notes, *EQUAL_PICTURES)
    train_N = np.flatnonzero(part_N == TRAIN)
    mean, scale = fit_pixels(pictures.pixel_ND[row_N[train_N]], arguments.normalise)
    preparation = Preparation(
        kind="image",
        features=pixel_names(pictures.shape),
        divisor=255.0,
        mean=mean,
        scale=scale,
        normalise=arguments.normalise,
        **target_fields([column], task, [classes], train_N, arguments),
        item_shape=pictures.shape,
        fit=arguments.fit,
    )
    y_N = prepare_target(column, label_N, preparation)
    in_memory = len(row_N) * pictures.pixel_ND.shape[1] * 4 <= limit
    x_of: dict[int, Any] = {}
    for part in PARTS.values():
        own_K = row_N[part_N == part]
        x_of[part] = PixelRows(pictures.pixel_ND, own_K, preparation.transform)  # type: ignore[arg-type]
        if in_memory or not len(own_K):
            x_of[part] = preparation.transform(pictures.pixel_ND[own_K])
    sha256 = pictures.sha256
    if table.sha256 is not None:  # of the table of labels, too
        sha256 = hashlib.sha256(f"{sha256}{table.sha256}".encode()).hexdigest()
    return Data(
        name=album.name,
        source=album.source,
        sha256=sha256,
        task_reason=reason,
        **of_preparation(preparation),
        **rows_of_parts(part_N, x_of, y_N, row_N, equal.units(arguments.duplicates)),
        arguments=arguments.changed(labels=labels),
        official_test=arguments.split_column == PART and bool((part_N == TEST).any()),
        notes=tuple(notes),
        files=files,
        picture_files=described,
    )


def picture_files(album: Album, pictures: PreparedPictures, absent: Sequence[str]) -> PictureFiles:
    """The facts about an album's files for its description. absent: the names from ``read_album``."""
    names = tuple(file.name for file in album.files)
    missing = tuple((name, _("it has a label and isn't there")) for name in absent)
    return PictureFiles(names, pictures.forms, pictures.faults, album.skipped, pictures.comparison, missing)


def refuse_bad(
    bad: Sequence[tuple[str, str]], pictures: int, source: str, skip_bad: int, notes: list[str]
) -> None:
    """Refuse an album with more unreadable files than may be skipped; a note says which are left out.

    bad: their names with the reasons, and names that have a label but no picture. pictures: how many
    there are.
    """
    if not bad:
        return
    listed = joined([f"{name}: {why}" for name, why in bad[:5]], "; ") + ("; …" if len(bad) > 5 else "")
    if len(bad) > skip_bad:
        raise PICTURES_BAD(
            n=len(bad), of=pictures, path=source, listed=listed, skip=setting("skip_bad", len(bad))
        )
    text = _("Left out because they can't be read: {n:,} ({listed}).")
    notes.append(text.format(n=len(bad), listed=listed))


def size_note(pictures: PreparedPictures, fit: Fit) -> str:
    """A note on how the pictures were brought to one size and colour."""
    channels, height, width = pictures.shape
    size = _("{width} × {height} pixels").format(width=width, height=height)
    colour = _("in grey") if channels == 1 else _("in colour")
    forms = [form for form in pictures.forms if form is not None]
    if all((form.height, form.width) == (height, width) for form in forms):
        return _("Pictures of {size}, {colour}.").format(size=size, colour=colour)
    way = {"crop": N_("the middle is kept"), "pad": N_("with black borders"), "stretch": N_("stretched")}
    text = _("Pictures brought to {size}, {colour}; of other proportions: {way} ({fit}, {asked}).")
    return text.format(
        size=size,
        colour=colour,
        way=_(way[fit]),
        fit=setting("fit", fit),
        asked=setting("image_size", f"{width}x{height}"),
    )


def form_notes(files: PictureFiles, shape: Shape) -> list[str]:
    """Notes on grey pictures that become colour, and on moving ones of which one frame is used."""
    forms = [(name, form) for name, form in zip(files.names, files.forms, strict=True) if form]
    grey = [name for name, form in forms if form.grey]
    moving = files.moving
    notes = []
    if grey and shape[0] == 3:
        text = _("Grey pictures among those in colour: {n:,} of {of:,}, the first {name}.")
        notes.append(text.format(n=len(grey), of=len(forms), name=grey[0]))
    if moving:
        text = _("Pictures of several frames, of which the first is used: {n:,}, as {name}.")
        notes.append(text.format(n=len(moving), name=moving[0]))
    return notes


def pixel_names(shape: Shape) -> tuple[str, ...]:
    """The names of the inputs: pixel_ROW_COLUMN; for colour pictures preceded by red, green or blue."""
    channels, height, width = shape
    colours = ("pixel",) if channels == 1 else ("red", "green", "blue")
    return tuple(f"{colour}_{i}_{j}" for colour in colours for i in range(height) for j in range(width))
