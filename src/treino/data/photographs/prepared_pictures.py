"""Decode the pictures of an album once, in parallel, into a file of pixels that trainings read."""

import hashlib
import json
import multiprocessing
import shutil
import signal
import sys
import warnings
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from treino.base import files
from treino.base.encoding import with_sources, without_sources
from treino.base.errors import Refusal, TreinoError
from treino.base.machine import cpu_cores
from treino.base.words import _
from treino.data.mapped_rows import MappedRows
from treino.data.photographs.album import Album
from treino.data.photographs.decoding import (
    PictureForm,
    Shape,
    UnreadablePictureError,
    common_shape,
    decode,
)
from treino.data.prepared_cache import PreparedCache
from treino.data.summaries.image_comparison import ImageCollector, ImageComparison
from treino.settings.data_settings import Fit

PICTURES_UNREADABLE = Refusal(
    "None of the {n:,} pictures in '{path}' can be read; {name}: {reason}.",
    "Look whether they are pictures, and whole.",
)
DECODING_ENDED = Refusal(
    "A process that decoded pictures was ended from outside.",
    "Look whether memory ran out, and start again.",
    status=1,
)

PIXELS, INDEX = "pixels.uint8", "pictures.json"
_BATCH = 32  # files that are decoded at a time
_FORKED = 500  # number of files from which on processes decode


@dataclass(frozen=True, eq=False)
class PreparedPictures:
    """The decoded pictures of an album, in its order.

    shape: (channels, height, width) of all. pixel_ND: uint8 ``[N, C*H*W]``, mapped; 0 where a file can't be
    decoded. forms: how each file is written; None for a file whose form can't be read. faults: why each file
    can't be decoded; "" if it can. sha256: digest of all files' names and contents. comparison: that of all
    pictures; one that can't be decoded equals none.
    """

    shape: Shape
    pixel_ND: NDArray[np.uint8]
    forms: tuple[PictureForm | None, ...]
    faults: tuple[str, ...]
    sha256: str
    comparison: ImageComparison


def prepare(album: Album, size: tuple[int, int] | None, fit: Fit, cache: Path | None) -> PreparedPictures:
    """The decoded pictures of an album: from the cache if the files are the same, else decoded now.

    As in git, a file counts as the same if its name, size and time of change are. cache: the folder beside
    the runs; None: a temporary folder, removed with the pixels. Raises TreinoError if no file can be decoded.
    """
    request = {"pictures": str(album.path.resolve()), "image_size": size and list(size), "fit": fit}
    request |= {"pillow": version("Pillow"), "simplejpeg": version("simplejpeg")}
    listing = [[file.name, file.size, file.changed] for file in album.files]
    with PreparedCache(0, cache, request) as work:
        if (kept := work.kept_files()) is not None:
            folder, _content = kept
            index = json.loads(files.read_bytes(folder / INDEX))
            if index["listing"] == listing:
                return _opened(folder, index)
            shutil.rmtree(folder, ignore_errors=True)  # of files that have changed
        folder = work.folder()
        with files.trouble(folder):
            index = {"listing": listing} | _decode_all(album, size, fit, folder / PIXELS)
            files.write_atomically(folder / INDEX, json.dumps(index).encode())
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
        faults=tuple(without_sources(index["faults"])["each"]),
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
    with PreparedCache(0, None, {}) as work, _decoding():
        folder = work.folder()
        with files.trouble(folder):
            forms, faults, _digests = _into(album, names, shape, fit, folder / PIXELS)
        if all(faults):
            raise _unreadable(album, faults)
        pixel_ND = np.memmap(folder / PIXELS, np.uint8, "r", shape=(len(names), prod(shape)))
        work.keep_files({}, pixel_ND)
    return pixel_ND, forms, faults


@contextmanager
def _decoding() -> Iterator[None]:
    """Ignore Pillow's warnings about damaged metadata; its warning about vast pictures is an error. Torch
    has one thread, because more would take cores from the decoding."""
    threads = torch.get_num_threads()
    with warnings.catch_warnings():
        from PIL import Image

        warnings.simplefilter("ignore")
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        torch.set_num_threads(1)
        try:
            yield
        finally:
            torch.set_num_threads(threads)


def _unreadable(album: Album, faults: Sequence[str]) -> TreinoError:
    return PICTURES_UNREADABLE(n=len(faults), path=album.source, name=album.files[0].name, reason=faults[0])


def _decode_all(album: Album, size: tuple[int, int] | None, fit: Fit, path: Path) -> dict[str, Any]:
    """Decode all files into a file of pixels. Return the index: forms, faults and digests of the files.

    The common shape is known only after the last file was opened. It is guessed from some of them first; if
    the guess proves wrong, all files are decoded again.
    """
    names = [file.name for file in album.files]
    with _decoding():
        some = names[:: max(1, len(names) // 64)]
        shape = _shape_of([form for name in some if (form := _form(album, name)) is not None], size)
        while True:
            collector = ImageCollector(len(names), shape or (1, 1, 1))
            forms, faults, digests = _into(album, names, shape or (1, 1, 1), fit, path, collector)
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
        "forms": [None if form is None else list(vars(form).values()) for form in forms],
        "faults": with_sources({"each": faults}),
        "sha256": together.hexdigest(),
        "comparison": collector.comparison().to_json(),
    }


def _form(album: Album, name: str) -> PictureForm | None:
    try:
        return decode(album.read(name), None, "crop")[0]
    except (OSError, UnreadablePictureError):
        return None


def _shape_of(forms: list[PictureForm], size: tuple[int, int] | None) -> Shape | None:
    return common_shape(forms, size) if forms else None


_Facts = tuple[list[PictureForm | None], list[str], list[str]]
"""The form, the fault and the SHA-256 of each of some files."""
_work: Callable[[int], _Facts] | None = None  # in a process that decodes


def _into(
    album: Album,
    names: Sequence[str],
    shape: Shape,
    fit: Fit,
    path: Path,
    collector: ImageCollector | None = None,
) -> _Facts:
    """Decode the files into rows of a file of pixels."""
    facts: _Facts = ([], [], [])
    with path.open("wb") as file:
        file.truncate(len(names) * prod(shape))
        pixel_ND = np.memmap(path, np.uint8, "r", shape=(len(names), prod(shape)))
        work = partial(_decoded_batch, album.read, names, shape, fit, path)
        for some in _in_parallel(work, len(names), album.path.is_dir()):
            start = len(facts[0])
            for of_all, more in zip(facts, some, strict=True):
                of_all += more  # type: ignore[operator]
            whole_K = start + np.flatnonzero([not fault for fault in some[1]])
            if collector is not None and len(whole_K):
                pixel_KD = pixel_ND[whole_K]
                x = torch.from_numpy(pixel_KD.astype(np.float32)).reshape(len(whole_K), *shape)
                collector.add(whole_K, pixel_KD, x)
    return facts


def _in_parallel(work: Callable[[int], _Facts], count: int, plain_files: bool) -> Iterator[_Facts]:
    """Yield the facts of all files in order, some at a time.

    Many plain files are decoded by forked processes: half of the time that Pillow takes for a small file it
    holds the GIL, so that threads would wait for each other. Threads decode few files, and archives,
    which are read at one position at a time.
    """
    starts = range(0, count, _BATCH)
    pool: Executor = ThreadPoolExecutor(cpu_cores())
    if plain_files and count >= _FORKED and cpu_cores() > 1 and sys.platform == "linux":
        fork = multiprocessing.get_context("fork")
        pool = ProcessPoolExecutor(cpu_cores(), fork, initializer=_begin, initargs=(work,))
        work = _decoded_in_process
    try:
        with _ctrl_c_later() if work is _decoded_in_process else nullcontext():
            each = pool.map(work, starts)
        yield from each
    except BrokenProcessPool:
        raise DECODING_ENDED() from None
    finally:
        pool.shutdown(cancel_futures=True)


@contextmanager
def _ctrl_c_later() -> Iterator[None]:
    """Let this process handle Ctrl-C after it has forked: Python loses one that comes in the middle of it."""
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)


def _begin(work: Callable[[int], _Facts]) -> None:
    """Set up a worker process for decoding."""
    global _work
    _work = work


def _decoded_in_process(start: int) -> _Facts:
    assert _work is not None
    return _work(start)


def _decoded_batch(
    read: Callable[[str], bytes], names: Sequence[str], shape: Shape, fit: Fit, path: Path, start: int
) -> _Facts:
    """Decode the files from number ``start`` on, and write their rows. Uses no torch: a forked process that
    does may hang."""
    batch = names[start : start + _BATCH]
    forms: list[PictureForm | None] = [None] * len(batch)
    faults, digests = [""] * len(batch), [""] * len(batch)
    pixel_BD = np.zeros((len(batch), prod(shape)), dtype=np.uint8)
    for row, name in enumerate(batch):
        try:
            content = read(name)
            digests[row] = hashlib.sha256(content).hexdigest()
            forms[row], pixel_CHW = decode(content, shape, fit)
            assert pixel_CHW is not None
            pixel_BD[row].reshape(shape)[:] = pixel_CHW
        except OSError as error:
            faults[row] = _("it can't be read: {reason}").format(reason=error.strerror or error)
        except UnreadablePictureError as reason:
            faults[row] = reason.args[0]
    with path.open("r+b") as file:
        file.seek(start * pixel_BD.shape[1])
        file.write(pixel_BD.data)
    return forms, faults, digests


# ---- rows of pictures on disk


class PixelRows(MappedRows):
    """Some rows of a mapped file of pixels, as float32 inputs ``[N, D]``.

    array: uint8 ``[M, D]``. row_N: which rows of the file these are, in order. transform:
    turns pixels into inputs, ``Preparation.transform``.
    """

    def __init__(
        self,
        array: "np.memmap[Any, Any]",
        row_N: NDArray[np.int64],
        transform: Callable[[NDArray[np.uint8]], Tensor],
    ) -> None:
        super().__init__(array)
        self._row_N, self._transform = torch.from_numpy(row_N), transform
        self.shape, self.dtype = torch.Size((len(row_N), *array.shape[1:])), torch.float32

    def __len__(self) -> int:
        return len(self._row_N)

    def is_floating_point(self) -> bool:
        return True

    def take(self, index_B: Tensor) -> Tensor:
        return self._transform(super().take(self._row_N[index_B]).numpy())

    def soon(self, index_B: Tensor) -> None:
        super().soon(self._row_N[index_B])

    def split(self, rows: int) -> Iterator[Tensor]:
        return map(self.take, torch.arange(len(self)).split(rows))
