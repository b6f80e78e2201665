"""Read the pictures in a zip or tar archive without unpacking them to files."""

import errno
import os
import stat
import tarfile
import tempfile
import weakref
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

from treino.base.errors import Refusal
from treino.base.words import _
from treino.data.readers.zip_members import is_hidden, most_unpacked, zip_chunks
from treino.data.source_kinds import STUMBLES, ZIP, opener_of

ARCHIVE_ENCRYPTED = Refusal(
    "'{path}' is encrypted with a password.", "Unpack it yourself, and give the folder."
)


class AlbumEntry(NamedTuple):
    """A file or folder of an album. name: its path inside, with "/" at the end of a folder's. size: in bytes.
    changed: the time of its last change in nanoseconds; in an archive, of the archive's. reason: why it is
    left out, or ""."""

    name: str
    size: int
    changed: int
    reason: str = ""


MOST_BYTES = 1 << 30  # maximum size of one file
_CHUNK = 1 << 20


def check_size(size: int, packed: int | None = None) -> None:
    """Raise OSError for a file that is too large to be read, by the size that its folder or archive states.

    packed: its size in a zip.
    """
    most = MOST_BYTES if packed is None else min(MOST_BYTES, most_unpacked(packed))
    if size > most:
        reason = _("File too large: {size:,} bytes, and {most:,} are the most").format(size=size, most=most)
        raise OSError(errno.EFBIG, reason)


def open_archive(path: Path) -> tuple[Iterator[AlbumEntry], Callable[[str], bytes]]:
    """Return the entries of an archive, and a function that reads a file in it. Raises TreinoError if the
    archive is damaged, encrypted or a bomb."""
    from treino.data.readers.file_bytes import damaged, unreadable  # imports pyarrow, which is slow

    what = "tar"
    try:
        with path.open("rb") as file:
            head = file.read(16)
        if head.startswith(ZIP):
            what = "zip"
            return _open_zip(path)
        return _open_tar(path, opener_of(head))
    except STUMBLES as error:
        raise damaged(path, what, error) from None
    except OSError as error:
        if error.errno in (None, 0, errno.EINVAL):  # from a decompressor, such as a wrong checksum
            raise damaged(path, what, error) from None
        raise unreadable(path, error) from None


def _refused(name: str) -> str:
    """Why an entry of this name is left out; "" if it isn't."""
    parts = name.split("/")
    if name.startswith("/") or ".." in parts or (len(name) > 1 and name[1] == ":"):
        return _("a name that leaves the archive")
    return _("hidden") if is_hidden(name) else ""


def _open_zip(path: Path) -> tuple[Iterator[AlbumEntry], Callable[[str], bytes]]:
    archive = zipfile.ZipFile(path)
    changed = path.stat().st_mtime_ns
    infos: dict[str, zipfile.ZipInfo] = {}
    for info in archive.infolist():
        name = info.filename if "/" in info.filename else info.filename.replace("\\", "/")
        infos[name.removeprefix("./")] = info  # as in unpacking, the last entry of a name counts
    if any(info.flag_bits & 1 for info in infos.values()):
        raise ARCHIVE_ENCRYPTED(path=path)

    def entries() -> Iterator[AlbumEntry]:
        for name, info in infos.items():
            mode = info.external_attr >> 16
            link = _("a link in an archive") if stat.S_ISLNK(mode) else ""
            yield AlbumEntry(name, info.file_size, changed, _refused(name) or link)

    def read(name: str) -> bytes:
        check_size(infos[name].file_size, infos[name].compress_size)
        try:
            return b"".join(zip_chunks(archive, infos[name]))
        except STUMBLES as error:
            raise OSError(errno.EIO, " ".join(str(error).split())[:120]) from None

    return entries(), read


def _open_tar(
    path: Path, opener: Callable[..., BinaryIO] | None
) -> tuple[Iterator[AlbumEntry], Callable[[str], bytes]]:
    """A compressed tar can only be read from its start, so it is decompressed once, into a temporary file
    without a name."""
    changed = path.stat().st_mtime_ns
    infos: dict[str, tarfile.TarInfo] = {}
    with (
        path.open("rb") if opener is None else _unpacked(path, opener) as file,
        tarfile.open(fileobj=file, mode="r:") as archive,
    ):
        for info in archive:
            if info.size < 0:  # after it, tarfile would read the same again, forever
                raise tarfile.ReadError("negative size")
            name = info.name.removeprefix("./") + "/" * info.isdir()
            if name != "./":
                infos[name] = info
        file.seek(archive.offset)
        if file.read(512).strip(b"\0"):
            raise tarfile.ReadError("bad checksum")
        descriptor = os.dup(file.fileno())

    def entries() -> Iterator[AlbumEntry]:
        for name, info in infos.items():
            reason = ""
            if info.issym() or info.islnk():
                reason = _("a link in an archive")
            elif not info.isdir() and (not info.isreg() or info.issparse()):
                reason = _("no plain file")
            yield AlbumEntry(name, info.size, changed, _refused(name) or reason)

    def read(name: str) -> bytes:
        info = infos[name]
        check_size(info.size)
        content = os.pread(descriptor, info.size, info.offset_data)
        if len(content) < info.size:
            raise OSError(errno.EIO, _("the archive is cut off"))
        return content

    weakref.finalize(read, os.close, descriptor)
    return entries(), read


def _unpacked(path: Path, opener: Callable[..., BinaryIO]) -> BinaryIO:
    from treino.data.readers.file_bytes import check_unpacked

    packed = path.stat().st_size
    file: BinaryIO = tempfile.TemporaryFile()  # noqa: SIM115
    try:
        with opener(path, "rb") as stream:
            while chunk := stream.read(_CHUNK):
                file.write(chunk)
                check_unpacked(path, packed, file.tell())
    except BaseException:
        file.close()
        raise
    file.seek(0)
    return file
