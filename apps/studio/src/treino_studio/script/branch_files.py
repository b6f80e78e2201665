"""Files at a script's fork: what is noted of them before it, and how a branch begins with its own files.

A branch writes into a folder of its own and reads what was there at its fork: ``file_layers.py``.
"""

import fcntl
import os
import posix
import stat
from time import time_ns
from typing import NamedTuple

from treino.base.errors import Refusal
from treino.base.words import _
from treino_studio.script import branch_calls, landlock
from treino_studio.script.file_layers import KEPT, SPECIAL, Layer, below, files, led
from treino_studio.script.kept_files import Kept, Version, copy_file, exists, kept_of, lost, make_folders

BRANCH_FILES = Refusal(
    "The script has {path} in its memory to write to: its branches would share it.",
    "Open the file for reading (mmap_mode='r'), or share no memory with other processes.",
)

SMALL = 1 << 18  # maximum bytes of an open file that is copied at a fork, unless it is only appended to
PART = 4096  # bytes kept of both ends of a larger file, to see later whether it was only appended to
CREATING = os.O_CREAT | os.O_EXCL | os.O_TRUNC
SHARED = "/dev/shm/__KMP_REGISTERED_LIB", "/dev/shm/sem."  # shared memory that is allowed: OpenMP's, locks


class OpenFile(NamedTuple):
    """A file that was open at a fork. copy: a copy of its content; else ``ends``, the bytes at both ends."""

    number: int
    path: str
    status: os.stat_result
    flags: int
    offset: int
    size: int
    copy: str | None = None
    ends: tuple[bytes, bytes] = b"", b""


_open_files: list[OpenFile] = []
_standard = [(number, posix.fstat(number)) for number in range(3) if exists(f"/proc/self/fd/{number}")]


def note_open_files() -> None:
    """Call this just before a fork: note which files are open, and from now on keep what is overwritten.

    Raises:
        TreinoError: a branch could not have files of its own: one is mapped into memory for writing.
    """
    if not files.layers:
        files.layers.append(Layer("", posix.getcwd(), Kept(kept_of(posix.getpid()))))
        branch_calls.listen()
    if files.mapped:
        _check_mapped()
    branch_calls.lead_compiled()
    kept = files.own.kept
    kept.fork += 1
    files.own.time = time_ns()
    _open_files[:] = [
        each for name in posix.listdir("/proc/self/fd") if (each := _open_file(int(name), kept)) is not None
    ]


def _check_mapped() -> None:
    with open("/proc/self/maps", encoding="utf-8", errors="surrogateescape") as maps:
        for line in maps:
            _range, rights, *rest = line.split(None, 5)
            if rights == "rw-s" and not any(name in line for name in SHARED):
                raise BRANCH_FILES(path=rest[-1].strip())
    files.mapped = False


def _open_file(number: int, kept: Kept) -> OpenFile | None:
    """Note an open file; return None if it isn't on a disk, or is the terminal's."""
    try:
        path, status = posix.readlink(f"/proc/self/fd/{number}"), posix.fstat(number)
        flags = fcntl.fcntl(number, fcntl.F_GETFL)
    except OSError:  # the descriptor that listed the others
        return None
    standard = any(number == each and os.path.samestat(status, first) for each, first in _standard)
    if standard or not stat.S_ISREG(status.st_mode) or flags & os.O_PATH or path.startswith(SPECIAL):
        return None
    file = OpenFile(number, path, status, flags, posix.lseek(number, 0, os.SEEK_CUR), status.st_size)
    if flags & os.O_ACCMODE == os.O_RDONLY or flags & os.O_APPEND:
        return file
    if status.st_size <= SMALL:
        return file._replace(copy=kept.copy(f"/proc/self/fd/{number}"))
    return file._replace(ends=_ends(f"/proc/self/fd/{number}", status.st_size))


def _ends(path: str, size: int) -> tuple[bytes, bytes]:
    file = posix.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        return posix.pread(file, PART, 0), posix.pread(file, PART, max(0, size - PART))
    finally:
        posix.close(file)


@led
def enter_branch(folder: str | os.PathLike[str]) -> list[str]:
    """Call this in the branch when it begins: from now on this process writes only below ``folder``.

    Return sentences on what the branch could not take over.
    """
    parent = files.own
    parent.fork = parent.kept.fork
    place = os.path.abspath(folder)
    files.layers.append(Layer(place, files.layers[0].base, Kept(f"{place}/{KEPT}")))
    make_folders(place)
    branch_calls.lead()
    sentences = []
    for file in _open_files:
        try:
            _take_over(file, parent)
        except OSError as error:
            sentences.append(
                _("This branch can't go on with {path}, which was open: {reason}.").format(
                    path=file.path, reason=error.strerror
                )
            )
    if not files.sealed:
        # where the other branches' folders are, too, and those of its own branches
        whole = place.rpartition("/")[0]
        whole = place if below(files.own.base, whole) else whole
        files.sealed = whole if landlock.seal(whole) else ""
    if not files.sealed:
        sentences.append(
            _(
                "This kernel has no Landlock: what compiled libraries or other programs write is not led to "
                "this branch's folder."
            )
        )
    return sentences


def _take_over(file: OpenFile, parent: Layer) -> None:
    """Replace an open file by this process's own copy of the file as it was at the fork."""
    number = f"/proc/self/fd/{file.number}"
    if not exists(number) or not os.path.samestat(posix.fstat(file.number), file.status):
        return  # closed since
    deleted = file.path.endswith(" (deleted)")
    path = files.name(file.path)
    if file.flags & os.O_ACCMODE == os.O_RDONLY:
        same = deleted or files.version(path) == Version(file.path)
        place = number if same else files.reading(path)
    else:
        place = files.own.place(f"/{file.number}" if deleted else path)
        if not exists(place):
            make_folders(place.rpartition("/")[0])
            copy_file(_content(file, parent, number if deleted else file.path), place)
    new = posix.open(place, file.flags & ~CREATING)
    try:
        posix.lseek(new, file.offset, os.SEEK_SET)
        posix.dup2(new, file.number, inheritable=posix.get_inheritable(file.number))
    finally:
        posix.close(new)
    if deleted and place != number:
        posix.unlink(place)


def _content(file: OpenFile, parent: Layer, path: str) -> Version:
    """Return the place of the content that an open file had at the fork."""
    if file.copy is not None:
        return Version(f"{parent.kept.folder}/{file.copy}")
    parent.kept.refresh()
    version = parent.kept.version(path, parent.fork)
    if version is None or version.lost or posix.stat(version.path).st_size < file.size:
        raise lost(path)
    if any(file.ends) and _ends(version.path, file.size) != file.ends:
        raise lost(path)
    return Version(version.path, file.size)
