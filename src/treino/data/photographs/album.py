"""List the picture files in a folder or an archive (an album), and read their content."""

import errno
import os
import stat
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from treino.base.errors import Refusal, TreinoError
from treino.base.files import FILE_IS_FOLDER, holds_run
from treino.base.words import _, joined, setting
from treino.data.photographs.archives import AlbumEntry, check_size, open_archive
from treino.data.source_kinds import ENDINGS, is_archive
from treino.data.sources import check_path

SOURCE_IS_RUN = Refusal(
    "'{path}' is the folder of a run, not data to train on.",
    "To train on the same data again: treino train {like}",
)
ARCHIVE_OF_TABLES = Refusal(
    "'{path}' is an archive without pictures.",
    "Unpack it and give the table, or several of equal columns: 'folder/*{ending}'.",
)
FOLDER_UNREADABLE = Refusal(
    "The folder '{path}' can't be read: {reason}.", "Check its permissions.", status=1
)

TABLE_ENDINGS = (".csv", ".tsv", ".txt", ".parquet", ".xlsx", ".jsonl")  # file endings of tables of labels
_UNREAD = (
    *(".heic", ".heif", ".avif", ".jxl", ".jp2", ".svg", ".psd", ".dng"),
    *(".cr2", ".nef", ".arw", ".pgm", ".ppm", ".pbm", ".pnm"),
)
_ARCHIVES = (".zip", ".tar", ".tgz", ".gz", ".bz2", ".xz", ".7z", ".rar")


@dataclass(frozen=True, eq=False)
class Album:
    """The pictures of a source, sorted by name.

    source: the path as given. path: where it is. tables: the names of tables among the pictures. skipped: the
    names of other files, folders and links, with the reason why they are left out. read: returns the content
    of a file by its name, in any thread; raises OSError.
    """

    source: str
    path: Path
    files: tuple[AlbumEntry, ...]
    tables: tuple[str, ...]
    skipped: tuple[tuple[str, str], ...]
    read: Callable[[str], bytes]

    @property
    def name(self) -> str:
        """The name of the folder, or of the archive without its endings."""
        name = self.path.resolve().name
        if self.path.is_file():
            while Path(name).suffix.lower() in _ARCHIVES:
                name = Path(name).stem
        return name or "photographs"

    def left_out(self) -> str:
        """A text on left-out entries: for each reason, their number and first name; "" if there are none."""
        first: dict[str, str] = {}
        for name, reason in self.skipped:
            first.setdefault(reason, name)
        counts = Counter(reason for _name, reason in self.skipped)
        return joined(
            [
                _("{name} ({reason})").format(name=name, reason=reason)
                if counts[reason] == 1
                else _("{n:,} such as {name} ({reason})").format(n=counts[reason], name=name, reason=reason)
                for reason, name in first.items()
            ],
            ", ",
        )


def open_album(source: Any) -> Album:
    """List the pictures of a folder or an archive. Raises TreinoError if there are none."""
    root = Path(source)
    check_path(os.fspath(source))
    if holds_run(root):
        raise SOURCE_IS_RUN(path=source, like=setting("like", str(source)))
    entries, read = open_archive(root) if root.is_file() else (_entries(str(root)), _reader(str(root)))
    return _album(str(source), root, entries, read)


def _album(
    source: str, root: Path, entries: Iterable[AlbumEntry], read_entry: Callable[[str], bytes]
) -> Album:
    """Sort the entries into pictures, tables and the rest."""
    pictures: list[AlbumEntry] = []
    tables, folders, skipped = list[str](), list[str](), list[tuple[str, str]]()
    names: dict[str, str] = {}  # the original names of entries whose names are shown in another form
    parents: set[str] = set()
    for name, size, changed, reason in entries:
        # bytes that aren't valid UTF-8 are written as escapes
        shown = name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
        if shown != name:
            names[shown] = name
        folder, _slash, file_name = shown.rpartition("/")
        ending = os.path.splitext(file_name)[1].lower()
        if reason or not file_name:
            (skipped.append((shown, reason)) if reason else folders.append(shown))
        elif ending in ENDINGS:
            pictures.append(AlbumEntry(shown, size, changed))
            parents.add(folder)
        elif ending in TABLE_ENDINGS:
            tables.append(shown)
        else:
            skipped.append((shown, _why_not(ending)))
    skipped += _without_pictures(folders, parents)
    found = tuple(sorted(pictures, key=lambda file: file.name)), tuple(sorted(tables)), tuple(sorted(skipped))
    album = Album(source, root, *found, lambda name: read_entry(names.get(name, name)))
    if not pictures:
        raise _no_pictures(album)
    return album


def _why_not(ending: str) -> str:
    if ending in _UNREAD:
        return _("a kind of picture that isn't read: {ending}").format(ending=ending)
    return _("an archive inside, which isn't opened") if ending in _ARCHIVES else _("no picture")


def _without_pictures(folders: Iterable[str], parents: set[str]) -> Iterator[tuple[str, str]]:
    """The outermost folders that contain no picture at any depth."""
    full = {"", *parents}
    for parent in parents:
        while parent := parent.rpartition("/")[0]:
            full.add(parent)
    for folder in folders:
        inner = folder.removesuffix("/")
        if inner not in full and inner.rpartition("/")[0] in full:
            yield folder, _("a folder without pictures")


def _no_pictures(album: Album) -> TreinoError:
    if album.tables:
        ending = Path(album.tables[0]).suffix
        if is_archive(album.source):
            return ARCHIVE_OF_TABLES(path=album.source, ending=ending)
        return FILE_IS_FOLDER(path=album.source, ending=ending)
    message = _("There is no picture in '{path}'.").format(path=album.source)
    if left_out := album.left_out():
        message += " " + _("Left out: {parts}.").format(parts=left_out)
    return TreinoError(
        "pictures_none",
        message,
        _("Pictures end in {endings}; several tables are given as {pattern}.").format(
            endings=", ".join(ENDINGS), pattern=f"'{album.source}/*.csv'"
        ),
    )


# ---- a folder


def _entries(root: str) -> Iterator[AlbumEntry]:
    """Yield all entries of a folder at any depth. Links to folders, or out of this one, aren't followed."""
    inside = os.path.join(os.path.realpath(root), "")
    folders = [""]
    while folders:
        folder = folders.pop()
        place = os.path.join(root, folder)
        try:
            with os.scandir(place) as scan:
                listed = list(scan)
        except OSError as error:
            raise FOLDER_UNREADABLE(path=place, reason=error.strerror) from None
        for entry in listed:
            name = folder + entry.name
            if entry.name.startswith("."):
                yield AlbumEntry(name, 0, 0, _("hidden"))
            elif entry.is_dir(follow_symlinks=False):
                if holds_run(Path(entry.path)):
                    yield AlbumEntry(name + "/", 0, 0, _("the folder of a run"))
                else:
                    folders.append(name + "/")
                    yield AlbumEntry(name + "/", 0, 0)
            elif entry.is_symlink() and (reason := _bad_link(entry.path, inside)):
                yield AlbumEntry(name, 0, 0, reason)
            elif entry.is_file():
                status = entry.stat()
                yield AlbumEntry(
                    name, status.st_size, status.st_ctime_ns, ""
                )  # also changes with permissions
            else:
                yield AlbumEntry(name, 0, 0, _("no plain file"))


def _bad_link(path: str, inside: str) -> str:
    """Why a link isn't followed; "" for one that leads to a file inside the folder."""
    if not os.path.exists(path):
        return _("a link that leads nowhere")
    if not os.path.join(os.path.realpath(path), "").startswith(inside):
        return _("a link that leaves the folder")
    return _("a link to a folder") if os.path.isdir(path) else ""


def _reader(root: str) -> Callable[[str], bytes]:
    def read(name: str) -> bytes:
        with open(os.path.join(root, name), "rb", buffering=0) as file:
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode):
                raise OSError(errno.EINVAL, _("no plain file"))
            check_size(status.st_size)
            return file.readall()

    return read
