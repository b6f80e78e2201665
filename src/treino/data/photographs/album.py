"""An album: the picture files in a folder, and how their content is read."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from treino.data.builtins import BUILTINS
from treino.errors import TreinoError
from treino.words import _

ENDINGS = (".png", ".jpg", ".jpeg", ".jpe", ".webp", ".bmp", ".gif", ".tif", ".tiff")
TABLE_ENDINGS = (".csv", ".tsv", ".txt", ".parquet", ".xlsx", ".jsonl")  # of tables of labels


@dataclass(frozen=True)
class PictureFile:
    """A file of an album. name: its path inside the album, with "/". size: in bytes. changed: the time of its
    last change in nanoseconds."""

    name: str
    size: int
    changed: int


@dataclass(frozen=True, eq=False)
class Album:
    """The pictures of a source, sorted by name.

    source: the path as given. path: where it is. tables: the names of tables among the pictures. skipped: the
    names of files that are no pictures, with the reason. read: returns the content of a file by its name;
    raises OSError.
    """

    source: str
    path: Path
    files: tuple[PictureFile, ...]
    tables: tuple[str, ...]
    skipped: tuple[tuple[str, str], ...]
    read: Callable[[str], bytes]

    @property
    def name(self) -> str:
        return self.path.resolve().name or "photographs"


def is_album(source: Any) -> bool:
    """Whether the source is the path of a folder, and neither a built-in's name nor a run's folder."""
    return (
        isinstance(source, str | os.PathLike)
        and source not in BUILTINS
        and os.path.isdir(source)
        and not os.path.isfile(Path(source) / "manifest.json")
    )


def open_album(source: Any) -> Album:
    """List the pictures of a folder. Raises TreinoError if there are none."""
    root = Path(source)
    found: list[PictureFile] = []
    tables: list[str] = []
    skipped: list[tuple[str, str]] = []
    for folder, names, file_names in os.walk(root, onerror=_refuse):
        names[:] = sorted(name for name in names if not name.startswith("."))
        for file_name in file_names:
            path = Path(folder) / file_name
            name = path.relative_to(root).as_posix()
            ending = path.suffix.lower()
            if file_name.startswith(".") or not path.is_file():
                skipped.append((name, _("hidden") if file_name.startswith(".") else _("no plain file")))
            elif ending in ENDINGS:
                status = path.stat()
                found.append(PictureFile(name, status.st_size, status.st_mtime_ns))
            elif ending in TABLE_ENDINGS:
                tables.append(name)
            else:
                skipped.append((name, _("no picture")))
    if not found:
        raise TreinoError(
            "pictures_none",
            _("There is no picture in the folder '{path}'.").format(path=source),
            _("Pictures end in {endings}.").format(endings=", ".join(ENDINGS)),
        )

    def read(name: str) -> bytes:
        return (root / name).read_bytes()

    files = tuple(sorted(found, key=lambda file: file.name))
    return Album(str(source), root, files, tuple(sorted(tables)), tuple(sorted(skipped)), read)


def _refuse(error: OSError) -> None:
    raise TreinoError(
        "folder_unreadable",
        _("The folder '{path}' can't be read: {reason}.").format(path=error.filename, reason=error.strerror),
        _("Check its permissions."),
    )
