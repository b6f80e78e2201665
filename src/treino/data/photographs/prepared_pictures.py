"""The pictures of an album, decoded once in parallel into a file of pixels that later trainings read."""

import hashlib
import json
import os
import shutil
import threading
import warnings
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from importlib.metadata import version
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from treino.data.photographs.album import Album
from treino.data.photographs.decoding import (
    Fit,
    PictureForm,
    Shape,
    UnreadablePictureError,
    common_shape,
    decode,
)
from treino.data.prepared_cache import PreparedCache
from treino.data.summaries.image_comparison import ImageCollector, ImageComparison
from treino.errors import TreinoError
from treino.store import files
from treino.store.encoding import with_sources, without_sources
from treino.words import _

PIXELS, INDEX = "pixels.uint8", "pictures.json"
_BATCH = 32  # files that a thread decodes at a time


@dataclass(frozen=True, eq=False)
class PreparedPictures:
    """The decoded pictures of an album, in its order.

    shape: (channels, height, width) of all. pixel_ND: uint8 ``[N, C*H*W]``, mapped; 0 where a file can't be
    decoded. forms: how each file is written; None for a file whose form can't be read. faults: why each file
    can't be decoded; "" if it can. sha256: of the names and contents of all files. comparison: of all
    pictures; one that can't be decoded equals none.
    """

    shape: Shape
    pixel_ND: NDArray[np.uint8]
    forms: tuple[PictureForm | None, ...]
    faults: tuple[str, ...]
    sha256: str
    comparison: ImageComparison


def prepare(album: Album, size: tuple[int, int] | None, fit: Fit, cache: Path | None) -> PreparedPictures:
    """The decoded pictures of an album: as prepared before from the same files, or decoded now.

    A file counts as the same while its name, size and time of change are, as in git. cache: the folder beside
    the runs; None: a temporary folder, removed with the pixels. Raises TreinoError if no file can be decoded.
    """
    request = {
        "pictures": str(album.path.resolve()), "image_size": size and list(size), "fit": fit,
        "pillow": version("Pillow"),
    }  # fmt: skip
    listing = [[file.name, file.size, file.changed] for file in album.files]
    with PreparedCache(0, cache, request) as work:
        if (kept := work.kept_files()) is not None:
            folder, _content = kept
            index = without_sources(json.loads(files.read_bytes(folder / INDEX)))
            if index["listing"] == listing:
                return _opened(folder, index)
            shutil.rmtree(folder, ignore_errors=True)  # of files that have changed
        folder = work.folder()
        with files.trouble(folder):
            index = {"listing": listing} | _decode_all(album, size, fit, folder / PIXELS)
            files.write_atomically(folder / INDEX, json.dumps(with_sources(index)).encode())
        pictures = _opened(folder, index)
        work.keep_files({}, pictures.pixel_ND)
        return pictures


def _opened(folder: Path, index: dict[str, Any]) -> PreparedPictures:
    shape = tuple(index["shape"])
    rows = len(index["listing"])
    return PreparedPictures(
        shape=shape,
        pixel_ND=np.memmap(folder / PIXELS, np.uint8, "r", shape=(rows, prod(shape))),
        forms=tuple(None if form is None else PictureForm(*form) for form in index["forms"]),
        faults=tuple(index["faults"]),
        sha256=index["sha256"],
        comparison=ImageComparison.from_json(index["comparison"]),
    )


def decoded(
    album: Album, shape: Shape, fit: Fit
) -> tuple["np.memmap[Any, Any]", list[PictureForm | None], list[str]]:
    """An album's pictures brought to this shape, for predictions: their pixels uint8 ``[N, C*H*W]`` in a
    temporary file that is removed with them; how each is written; and why it can't be decoded, "" if it can.

    Raises TreinoError if no file can be decoded.
    """
    names = [file.name for file in album.files]
    with PreparedCache(0, None, {}) as work, _decoding() as pool:
        folder = work.folder()
        with files.trouble(folder):
            forms, faults, _digests = _into(album, names, shape, fit, folder / PIXELS, pool)
        if all(faults):
            raise _unreadable(album, faults)
        pixel_ND = np.memmap(folder / PIXELS, np.uint8, "r", shape=(len(names), prod(shape)))
        work.keep_files({}, pixel_ND)
    return pixel_ND, forms, faults


@contextmanager
def _decoding() -> Iterator[ThreadPoolExecutor]:
    """Threads that decode, without Pillow's warnings of damaged metadata."""
    with warnings.catch_warnings(), ThreadPoolExecutor(_cores()) as pool:
        from PIL import Image

        warnings.simplefilter("ignore")
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        yield pool


def _unreadable(album: Album, faults: Sequence[str]) -> TreinoError:
    return TreinoError(
        "pictures_unreadable",
        _("None of the {n:,} pictures in '{path}' can be read; {name}: {reason}.").format(
            n=len(faults), path=album.source, name=album.files[0].name, reason=faults[0]
        ),
        _("Look whether they are pictures, and whole."),
    )


def _decode_all(album: Album, size: tuple[int, int] | None, fit: Fit, path: Path) -> dict[str, Any]:
    """Decode all files into a file of pixels. Return the index of what was met.

    The common shape is known only after the last file was opened. It is guessed from some of them first; if
    the guess proves wrong, all files are decoded again.
    """
    names = [file.name for file in album.files]
    with _decoding() as pool:
        some = names[:: max(1, len(names) // 64)]
        shape = _shape_of([form for name in some if (form := _form(album, name)) is not None], size)
        while True:
            collector = ImageCollector(len(names), shape or (1, 1, 1))
            forms, faults, digests = _into(album, names, shape or (1, 1, 1), fit, path, pool, collector)
            right = _shape_of([form for form in forms if form is not None], size)
            if right is None:
                raise _unreadable(album, faults)
            if right == shape:
                break
            shape = right
    assert shape is not None
    together = hashlib.sha256()
    for name, digest in zip(names, digests, strict=True):
        together.update(f"{name}\0{digest}\n".encode())
    return {
        "shape": shape,
        "forms": [None if form is None else list(asdict(form).values()) for form in forms],
        "faults": faults,
        "sha256": together.hexdigest(),
        "comparison": collector.comparison().to_json(),
    }


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _form(album: Album, name: str) -> PictureForm | None:
    try:
        return decode(album.read(name), None, "crop")[0]
    except (OSError, UnreadablePictureError):
        return None


def _shape_of(forms: list[PictureForm], size: tuple[int, int] | None) -> Shape | None:
    return common_shape(forms, size) if forms else None


def _into(
    album: Album,
    names: Sequence[str],
    shape: Shape,
    fit: Fit,
    path: Path,
    pool: ThreadPoolExecutor,
    collector: ImageCollector | None = None,
) -> tuple[list[PictureForm | None], list[str], list[str]]:
    """Decode the files into rows of a file of pixels. Return the form, fault and SHA-256 of each."""
    forms: list[PictureForm | None] = [None] * len(names)
    faults, digests = [""] * len(names), [""] * len(names)
    row_bytes = prod(shape)
    with path.open("wb") as file:
        file.truncate(len(names) * row_bytes)
        stop = threading.Event()

        def some(start: int) -> None:
            batch = names[start : start + _BATCH]
            pixel_BD = np.zeros((len(batch), row_bytes), dtype=np.uint8)
            for row, name in enumerate(batch):
                if stop.is_set():
                    return
                at = start + row
                try:
                    content = album.read(name)
                    digests[at] = hashlib.sha256(content).hexdigest()
                    forms[at], pixel_CHW = decode(content, shape, fit)
                    assert pixel_CHW is not None
                    pixel_BD[row].reshape(shape)[:] = pixel_CHW
                except OSError as error:
                    faults[at] = _("it can't be read: {reason}").format(reason=error.strerror)
                except UnreadablePictureError as reason:
                    faults[at] = reason.args[0]
            os.pwrite(file.fileno(), pixel_BD.data, start * row_bytes)
            whole_K = np.flatnonzero([not fault for fault in faults[start : start + len(batch)]])
            if collector is not None and len(whole_K):
                pixel_KD = pixel_BD[whole_K]
                x = torch.from_numpy(pixel_KD.astype(np.float32)).reshape(len(whole_K), *shape)
                collector.add(start + whole_K, pixel_KD, x)

        try:
            for _done in pool.map(some, range(0, len(names), _BATCH)):
                pass
        except BaseException:
            stop.set()
            raise
    return forms, faults, digests
