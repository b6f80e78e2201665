"""Tell which kind a source is, without reading it: a table, pictures, or a PyTorch Dataset."""

import bz2
import gzip
import lzma
import os
import stat
import sys
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from treino.base.apps import of_packages
from treino.base.errors import Refusal
from treino.base.own_calls import own_call, same_process
from treino.base.words import N_
from treino.data.builtins import BUILTINS
from treino.data.table import Table

DATA_FAILS = Refusal(
    "The data set {name} of an installed package fails: {cause}",
    "It is a function without arguments, and returns a path, a frame, (X, y) or a Dataset.",
)
DATA_OF_PACKAGE = Refusal(
    "'{name}' is a data set of an installed package, and a file or folder here has that name too.",
    "Write ./{name} for what is here; for the package's, rename it.",
    rule="data_ambiguous",
)
DATASET_CLASS = Refusal("{name} is a class, and not a Dataset yet.", "Make one of it: {name}(…).")

ENDINGS = (".png", ".jpg", ".jpeg", ".jpe", ".webp", ".bmp", ".gif", ".tif", ".tiff")
OPENERS: dict[bytes, Any] = {b"\x1f\x8b": gzip.open, b"BZh": bz2.open, b"\xfd7zXZ": lzma.open}
ZIP = b"PK\x03\x04"
_TARS = (".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tar.xz", ".txz")
_OFFICE = ("[Content_Types].xml", "mimetype")  # names in workbooks and other documents, which are zip files
STUMBLES = (
    *(zipfile.BadZipFile, tarfile.TarError, zlib.error, lzma.LZMAError, EOFError, ValueError, LookupError),
    *(RuntimeError, OverflowError, MemoryError),
)


class SourceKind(NamedTuple):
    """A kind of source in words: several of it, one, and the next move where it doesn't read a setting."""

    several: str
    one: str
    hint: str = N_("Leave it out.")


SOURCES = {
    "table": SourceKind(N_("tables"), N_("a table that is no file")),
    "file": SourceKind(N_("files of tables"), N_("a file of a table")),
    "labels": SourceKind(N_("tables of photographs' labels"), ""),
    "photographs": SourceKind(
        N_("photographs"),
        N_("a collection of photographs"),
        N_("Leave it out; validation and test pictures stand in folders val and test beside train."),
    ),
    "arrays": SourceKind(
        N_("arrays"),
        N_("a pair of arrays with axes"),
        N_("Leave it out; further rows are given as validation=(X, y), test=(X, y)."),
    ),
    "items": SourceKind(
        N_("Datasets"),
        N_("a Dataset"),
        N_("Leave it out; to divide a Dataset by yourself give {'train': …, 'validation': …, 'test': …}."),
    ),
}
"""The kinds of sources; the readers of a setting are some of these."""


class AlbumTable(str):
    """The name of a table of labels among pictures, even if a file has the same name."""


def given_by_package(source: Any) -> Any:
    """What the data set of this name is that an installed package brings, if one does; else the source.

    Raises:
        TreinoError: it fails; or a file or folder has that name too.
    """
    if not isinstance(source, str) or source in BUILTINS or isinstance(source, AlbumTable):
        return source
    function = of_packages("data", source)
    if function is None:
        return source
    if os.path.lexists(source):
        raise DATA_OF_PACKAGE(name=source)
    with same_process(), own_call(DATA_FAILS.of_cause(name=source)):
        return function()


def source_kind(source: Any) -> str:
    """Which of ``SOURCES`` it is."""
    if is_torch_dataset(source):
        return "items"
    if is_arrays(source):
        return "arrays"
    if is_album(source):
        return "photographs"
    return "file" if isinstance(source, str | os.PathLike) and source not in BUILTINS else "table"


def is_torch_dataset(source: Any) -> bool:
    """Whether ``source`` is a Dataset or DataLoader, or a mapping or sequence of them by split."""
    if isinstance(source, Mapping):
        return any(is_dataset(part) for part in source.values())
    if isinstance(source, tuple | list):
        return any(is_dataset(part) for part in source[:3])
    if isinstance(source, type) and issubclass(source, Dataset):
        raise DATASET_CLASS(name=source.__name__)
    return is_dataset(source)


def is_dataset(source: Any) -> bool:
    """Whether ``source`` is a DataLoader, or has a length and items by index but is no table or array."""
    if isinstance(source, Dataset | DataLoader):
        return True
    if isinstance(source, str | bytes | tuple | list | Mapping | Tensor | np.ndarray | set | range):
        return False
    table = ("columns", "dtype", "iloc", "__arrow_c_stream__", "__dataframe__")
    return (
        callable(getattr(type(source), "__getitem__", None))
        and callable(getattr(type(source), "__len__", None))
        and not any(hasattr(source, name) for name in table)
    )


def is_arrays(source: Any) -> bool:
    """Whether ``source`` is (X, y) or (X, y, weights) of rows that are no rows of a table: X is an array with
    more axes than rows and columns, a dict of arrays, or a tuple or list of arrays; or y has more axes than
    rows and targets."""
    if not isinstance(source, tuple) or len(source) not in (2, 3):
        return False
    axes = [getattr(part, "ndim", 0) for part in source[:2]]
    return is_array_input(source[0]) or (axes[0] > 0 and axes[1] > 2)


def are_whole(source: Any) -> bool:
    """Whether ``source`` is (X, y) or (X, y, weights) with whole numbers X ``[N, T]``: a table, or tokens."""
    x = source[0] if isinstance(source, tuple) and len(source) in (2, 3) else None
    if isinstance(x, Tensor):
        return x.dim() == 2 and not (x.is_floating_point() or x.is_complex() or x.dtype == torch.bool)
    return isinstance(x, np.ndarray) and x.ndim == 2 and x.dtype.kind in "iu"


def is_array_input(x: Any) -> bool:
    """Whether X has more axes than rows and columns, or is several arrays."""
    if isinstance(x, list) and x and isinstance(x[0], list) and x[0] and isinstance(x[0][0], list):
        return True  # numbers in lists of lists
    if isinstance(x, tuple | list):
        return bool(x) and all(hasattr(each, "dtype") and getattr(each, "ndim", 0) > 0 for each in x)
    return isinstance(x, Mapping) or (isinstance(x, Tensor | np.ndarray) and x.ndim > 2)


def is_album(source: Any) -> bool:
    """Whether the source is the path of a folder or archive of pictures, and not a built-in's name."""
    if not isinstance(source, str | os.PathLike) or source in BUILTINS:
        return False
    return os.path.isdir(source) or is_archive(source)


def is_pictures(source: Any) -> bool:
    """Whether the source is a folder or an archive of pictures, a picture, or a list of pictures: each a path
    or a PIL image."""
    if isinstance(source, list | tuple):
        return bool(source) and all(map(_is_picture, source))
    return _is_picture(source) or is_album(source)


def _is_picture(source: Any) -> bool:
    if isinstance(source, str | os.PathLike):
        return source not in BUILTINS and Path(source).suffix.lower() in ENDINGS
    return "PIL.Image" in sys.modules and isinstance(source, sys.modules["PIL.Image"].Image)


def names_of_pictures(table: Table) -> str | None:
    """The column of a table that holds names of picture files; None without one."""
    for column in () if table.stored else table.columns:
        ends = () if column.words is None else (str(column.words[0]), str(column.words[-1]))
        if ends and all(word.lower().endswith(ENDINGS) for word in ends):
            return column.name
    return None


def is_archive(path: str | os.PathLike[str]) -> bool:
    """Whether a file is a tar, compressed or not, or a zip with a picture in it."""
    try:
        status = os.stat(path)
    except (OSError, ValueError):
        return False
    return stat.S_ISREG(status.st_mode) and _is_archive(os.fspath(path), status.st_size, status.st_mtime_ns)


@lru_cache(maxsize=16)
def _is_archive(path: str, _size: int, _changed: int) -> bool:
    try:
        with open(path, "rb") as file:
            head = file.read(512)
        if head.startswith(ZIP):
            with zipfile.ZipFile(path) as archive:
                names = archive.namelist()
            return not any(name in names for name in _OFFICE) and any(
                name.lower().endswith(ENDINGS) for name in names
            )
        if (opener := opener_of(head)) is not None:
            with opener(path, "rb") as stream:
                head = stream.read(512)
        tarfile.TarInfo.frombuf(head, "utf-8", "surrogateescape")
    except (OSError, *STUMBLES):
        return path.lower().endswith(_TARS)  # a damaged one; opening it raises the error
    return True


def opener_of(head: bytes) -> Callable[..., BinaryIO] | None:
    """The function that opens a compressed file, by the file's first bytes; None if it isn't compressed."""
    return next((opener for magic, opener in OPENERS.items() if head.startswith(magic)), None)
