"""Loading an album: its pictures decoded, split and prepared for training."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from treino.data.dataset import Data
from treino.data.photographs.album import Album, open_album
from treino.data.photographs.decoding import Fit, Shape
from treino.data.photographs.labels import PART, label_table, without
from treino.data.photographs.pixel_rows import PixelRows
from treino.data.photographs.prepared_pictures import PreparedPictures, prepare
from treino.data.preparation.fit import prepare_target
from treino.data.preparation.preparation import Preparation, Task, fit_pixels, fit_target
from treino.data.preparation.target import (
    check_classes,
    choose_target,
    classes_of,
    decide_task,
    encode,
    imbalance,
    single_rows,
)
from treino.data.rows import Rows
from treino.data.split_requests import Split, decide_parts, divider
from treino.data.splits import TEST, TRAIN, VALIDATION
from treino.data.table import Column, Table
from treino.errors import TreinoError
from treino.words import N_, _, joined, setting

_EQUAL = N_("Pictures that equal or almost equal an earlier one: {n}; such pictures are never parted.")


@dataclass(frozen=True)
class AlbumRequest:
    """The arguments of ``load`` for an album.

    image_size: height and width that pictures are brought to; None: chosen. fit: how a picture of other
    proportions is brought to them. skip_bad: the most files that may be left out as unreadable.
    """

    source: Any
    target: str | None
    task: str | None
    split: Split
    fold: str | None
    normalise: bool
    image_size: tuple[int, int] | None = None
    fit: Fit = "crop"
    skip_bad: int = 0

    def to_json(self) -> dict[str, Any]:
        """The arguments of ``load`` except the source; those with a default only if they differ from it."""
        s = self.split
        unusual = {
            "split_group": s.group, "split_time": s.time, "split_column": s.column, "fold": self.fold,
            "duplicates": s.duplicates, "skip_bad": self.skip_bad or None,
            "image_size": None if self.image_size is None else list(self.image_size),
            "fit": self.fit if self.fit != "crop" else None,
        }  # fmt: skip
        return {
            "target": self.target, "features": None, "task": self.task, "validation": s.validation,
            "test": s.test, "data_seed": s.data_seed, "normalise": self.normalise,
        } | {name: value for name, value in unusual.items() if value is not None}  # fmt: skip


def load_album(request: AlbumRequest, limit: int, cache: Path | None) -> Data:
    """The Data of the pictures in a folder.

    limit: the most bytes of memory for inputs; more stay in the file of pixels. cache: the folder beside the
    runs that keeps decoded pictures.
    """
    album = open_album(request.source)
    table = label_table(album)
    pictures = prepare(album, request.image_size, request.fit, cache)
    notes = [*table.notes, _size_note(pictures, request)]
    row_N = readable(album, pictures.faults, request.skip_bad, notes)
    table, first_N = without(table, row_N), _renumbered(pictures.first_N, row_N)
    column = choose_target(table, request.target)
    split = request.split
    if split.by is None and split.fold is None and PART in table.by_name:
        split = replace(split, column=PART)
    by = divider(table, split, column.name)
    task, reason = decide_task(column, request.task, table.place)
    classes, label_N = _labels(table, column, task, notes)
    part_N = decide_parts([table], [], by, split, first_N, label_N, classes, notes, _EQUAL)
    train_N = row_N[part_N == TRAIN]
    preparation = _preparation(pictures, column, task, classes, train_N, part_N, request)
    y_N = prepare_target(column, label_N, preparation)
    in_memory = len(row_N) * pictures.pixel_ND.shape[1] * 4 <= limit

    def rows(part: int) -> Rows:
        at = np.flatnonzero(part_N == part)
        x: Any = PixelRows(pictures.pixel_ND, row_N[at], preparation.transform)  # type: ignore[arg-type]
        if in_memory or not len(at):
            x = preparation.transform(pictures.pixel_ND[row_N[at]])
        return Rows(x, y_N[torch.from_numpy(at)], torch.from_numpy(row_N[at]))

    return Data(
        name=album.name,
        source=album.source,
        sha256=pictures.sha256,
        kind="image",
        task=task,
        task_reason=reason,
        features=preparation.features,
        target=column.name,
        classes=classes,
        item_shape=pictures.shape,
        train=rows(TRAIN),
        validation=rows(VALIDATION),
        test=rows(TEST),
        preparation=preparation,
        arguments=request.to_json(),
        target_mean=preparation.target_mean,
        target_scale=preparation.target_scale,
        official_test=split.column == PART and bool((part_N == TEST).any()),
        notes=tuple(notes),
        file_names=tuple(file.name for file in album.files),
    )


def readable(album: Album, faults: Sequence[str], skip_bad: int, notes: list[str]) -> NDArray[np.int64]:
    """The numbers of the files that can be decoded. Refuses more bad files than may be skipped."""
    bad = [(file.name, why) for file, why in zip(album.files, faults, strict=True) if why]
    if bad:
        listed = joined([f"{name}: {why}" for name, why in bad[:5]], "; ") + ("; …" if len(bad) > 5 else "")
        if len(bad) > skip_bad:
            raise TreinoError(
                "pictures_bad",
                _("{n:,} of {of:,} pictures in '{path}' can't be read ({listed}).").format(
                    n=len(bad), of=len(album.files), path=album.source, listed=listed
                ),
                _("Mend or remove them, or go on without them: {skip}.").format(
                    skip=setting("skip_bad", len(bad))
                ),
            )
        notes.append(
            _("Left out because they can't be read: {n:,} ({listed}).").format(n=len(bad), listed=listed)
        )
    return np.flatnonzero([not why for why in faults])


def _renumbered(first_N: NDArray[np.int64], row_K: NDArray[np.int64]) -> NDArray[np.int64]:
    """The first equal picture of each of the given rows, as a number among these rows."""
    place: dict[int, int] = {}
    return np.array(
        [place.setdefault(int(first), at) for at, first in enumerate(first_N[row_K])], dtype=np.int64
    )


def _labels(
    table: Table, column: Column, task: Task, notes: list[str]
) -> tuple[tuple[str, ...], NDArray[np.int64]]:
    if task == "regression":
        return (), np.zeros(table.rows, dtype=np.int64)
    classes = classes_of(column, None)
    label_N = encode(column, classes, table.place)
    check_classes(label_N, classes, column)
    warnings = (single_rows(label_N, classes, table.place), imbalance(label_N, classes))
    notes += [joined(warning, " ") for warning in warnings if warning]
    return classes, label_N


def _size_note(pictures: PreparedPictures, request: AlbumRequest) -> str:
    """How the pictures were brought to one size and colour."""
    channels, height, width = pictures.shape
    size = _("{width} × {height} pixels").format(width=width, height=height)
    colour = _("in grey") if channels == 1 else _("in colour")
    forms = [form for form in pictures.forms if form is not None]
    if all((form.height, form.width) == (height, width) for form in forms):
        return _("Pictures of {size}, {colour}.").format(size=size, colour=colour)
    ways = {
        "crop": _("the middle is kept"), "pad": _("with black borders"), "stretch": _("stretched")
    }  # fmt: skip
    return _("Pictures brought to {size}, {colour}; of other proportions: {way} ({fit}, {asked}).").format(
        size=size, colour=colour, way=ways[request.fit], fit=setting("fit", request.fit),
        asked=setting("image_size", f"{width}x{height}"),
    )  # fmt: skip


def pixel_names(shape: Shape) -> tuple[str, ...]:
    """The names of the inputs of pictures: pixel_ROW_COLUMN, in colour with red, green or blue before."""
    channels, height, width = shape
    colours = ("pixel",) if channels == 1 else ("red", "green", "blue")
    return tuple(f"{colour}_{i}_{j}" for colour in colours for i in range(height) for j in range(width))


def _preparation(
    pictures: PreparedPictures,
    column: Column,
    task: Task,
    classes: tuple[str, ...],
    train_N: NDArray[np.int64],
    part_N: NDArray[np.int64],
    request: AlbumRequest,
) -> Preparation:
    mean, scale = fit_pixels(pictures.pixel_ND[train_N], request.normalise)
    target_mean, target_scale = 0.0, 1.0
    if task == "regression" and column.numbers is not None:
        target_mean, target_scale = fit_target(column.numbers[part_N == TRAIN].astype(np.float64))
    plain = column.numbers is not None and not column.boolean and not column.categories
    return Preparation(
        kind="image",
        features=pixel_names(pictures.shape),
        divisor=255.0,
        mean=mean,
        scale=scale,
        normalise=request.normalise,
        task=task,
        target=column.name,
        classes=classes,
        target_mean=target_mean,
        target_scale=target_scale,
        item_shape=pictures.shape,
        labels="number" if plain else "text",
        fit=request.fit,
    )
