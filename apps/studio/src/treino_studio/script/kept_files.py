"""The content that files had at a fork: before the first process changes or removes a file, it keeps a copy.

Nothing is copied at a fork itself. A file that is only appended to is not copied, either: its size is noted.
"""

import errno
import os
import posix
import stat
import tempfile
from bisect import insort
from typing import NamedTuple

from treino.base.files import write_all
from treino.base.words import _
from treino_studio.script.json_socket import decode, encode

LARGEST = 1 << 30  # bytes that one process keeps, all files together
CHUNK = 1 << 20
INDEX = "index.jsonl"


class Version(NamedTuple):
    """Where a file's content is: the first ``size`` bytes of the file at ``path``; None: all of them.

    lost: the content was overwritten and is not kept.
    """

    path: str
    size: int | None = None
    lost: bool = False


class KeptPath(NamedTuple):
    """What a path was when it was changed for the first time after a fork.

    kind: "absent"; "size" (a file, of which ``value`` bytes were there and stay); "copy" (``value`` is its
    name); "folder"; "lost" (a file of ``value`` bytes, too large to keep).
    """

    fork: int
    kind: str
    value: int | str = 0


class Kept:
    """What one process keeps in ``folder``, made when it is needed. fork: the newest fork, from 1."""

    def __init__(self, folder: str) -> None:
        self.folder = folder
        self.fork = 0
        self.bytes = 0
        self._copies = 0
        self._entries: dict[str, list[KeptPath]] = {}
        self._read = 0  # bytes of the index that are in ``_entries``

    # --- by the process that was forked ------------------------------------------------------------------
    def keep(
        self, path: str, *, appending: bool = False, moving: bool = False, removing: bool = False
    ) -> None:
        """Keep what ``path`` holds, which is about to be changed, unless that was done since the last fork.

        appending: the content stays. moving: the name goes, and all below it. removing: the content
        goes with its name, unchanged.
        """
        if not self.fork or f"{path}/".startswith(f"{self.folder}/"):
            return
        known = next((each for each in reversed(self._entries.get(path, ())) if each.fork == self.fork), None)
        if known is None or (known.kind == "size" and not appending):
            size = None if known is None else int(known.value)
            try:
                entry = self._entry(path, size, appending=appending, moving=moving, removing=removing)
            except FileNotFoundError:
                entry = KeptPath(self.fork, "absent")
            except OSError:
                entry = KeptPath(self.fork, "lost", -1)
            if entry is not None:
                self._note(path, entry)

    def _entry(
        self, path: str, size: int | None, *, appending: bool, moving: bool, removing: bool
    ) -> KeptPath | None:
        status = posix.lstat(path)
        if stat.S_ISDIR(status.st_mode):
            for name in posix.listdir(path) if moving else ():
                self.keep(f"{path}/{name}", moving=True)
            return KeptPath(self.fork, "folder")
        if stat.S_ISLNK(status.st_mode):
            copy = self._name()
            posix.symlink(posix.readlink(path), f"{self.folder}/{copy}")
            return KeptPath(self.fork, "copy", copy)
        if not stat.S_ISREG(status.st_mode):
            return None
        if appending:
            return KeptPath(self.fork, "size", status.st_size)
        content = self.copy(path, size, link=removing and status.st_nlink == 1)
        if content is None:
            return KeptPath(self.fork, "lost", status.st_size)
        return KeptPath(self.fork, "copy", content)

    def copy(self, path: str, size: int | None = None, *, link: bool = False) -> str | None:
        """The name of a copy of the file's first ``size`` bytes; None if it would be too large."""
        length = posix.stat(path).st_size if size is None else size
        if self.bytes + length > LARGEST:
            return None
        name = self._name()
        if not (link and size is None and _linked(path, f"{self.folder}/{name}")):
            copy_file(Version(path, size), f"{self.folder}/{name}")
        self.bytes += length
        return name

    def _name(self) -> str:
        self._copies += 1
        make_folders(self.folder)
        return f"{posix.getpid()}-{self._copies}"

    def _note(self, path: str, entry: KeptPath) -> None:
        self._add(path, entry)
        make_folders(self.folder)
        index = posix.open(
            f"{self.folder}/{INDEX}", os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600
        )
        try:
            posix.write(index, encode([path, *entry]).encode() + b"\n")
        finally:
            posix.close(index)

    # --- by a branch ---------------------------------------------------------------------------------------
    def version(self, path: str, fork: int | None) -> Version | None:
        """The place of the content that ``path`` had at a fork (None: has now); None if it was absent."""
        size: int | None = None
        lost = False
        for entry in self._entries.get(path, ()):
            if fork is None or entry.fork < fork:
                continue
            if entry.kind == "absent":
                return None
            if entry.kind == "folder":
                return Version(self.folder)
            if entry.kind == "copy":
                return Version(f"{self.folder}/{entry.value}", size)
            if entry.kind == "lost":
                lost = True
                break
            size = int(entry.value) if size is None else size
        if not exists(path):
            return None
        return Version(path, size, lost or (size is not None and posix.lstat(path).st_size < size))

    def changed_below(self, folder: str) -> set[str]:
        """List the names in ``folder`` that have notes."""
        return {path.rpartition("/")[2] for path in self._entries if path.rpartition("/")[0] == folder}

    def refresh(self) -> None:
        """Read what the process that was forked has noted since."""
        path = f"{self.folder}/{INDEX}"
        if not exists(path) or (size := posix.stat(path).st_size) == self._read:
            return
        if self._read == 0:
            self._entries.clear()  # what was noted before the fork is in the file, too
        index = posix.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            text = posix.pread(index, size - self._read, self._read)
        finally:
            posix.close(index)
        self._read = size
        for line in text.splitlines():
            changed, fork, kind, value = decode(line.decode())
            self._add(changed, KeptPath(fork, kind, value))

    def _add(self, path: str, entry: KeptPath) -> None:
        entries = self._entries.setdefault(path, [])
        known = next((each for each in entries if each.fork == entry.fork), None)
        if known is not None and known.kind == "size":
            entries.remove(known)
        elif known is not None:
            return
        insort(entries, entry, key=lambda each: each.fork)


def kept_of(pid: int) -> str:
    """The folder in which the first process keeps files. Whoever started it removes it in the end."""
    return f"{tempfile.gettempdir()}/treino-kept-{pid}"


def lost(path: str) -> PermissionError:
    """Make the error for content that is lost."""
    return PermissionError(
        errno.EPERM,
        _(
            "what was in it at this branch's fork has been written over since and not kept: treino keeps "
            "up to {limit} MB, where it sees what writes"
        ).format(limit=LARGEST >> 20),
        path,
    )


def make_folders(path: str) -> None:
    """Make a folder and its parent folders."""
    if path and not exists(path):
        make_folders(path.rpartition("/")[0])
        posix.mkdir(path)


def exists(path: str) -> bool:
    """Whether there is a file, folder or link of this name."""
    try:
        posix.lstat(path)
    except OSError:
        return False
    return True


def copy_file(source: Version, target: str) -> None:
    """Copy a file with its permissions and times; the copy shares its blocks if the disk can do that."""
    status = posix.stat(source.path)
    left = status.st_size if source.size is None else source.size
    reading = posix.open(source.path, os.O_RDONLY | os.O_CLOEXEC)
    writing = posix.open(target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    try:
        while left > 0 and (count := _copied(reading, writing, left)):
            left -= count
        posix.chmod(writing, stat.S_IMODE(status.st_mode))
        posix.utime(writing, ns=(status.st_atime_ns, status.st_mtime_ns))
    finally:
        posix.close(reading)
        posix.close(writing)


def _copied(reading: int, writing: int, most: int) -> int:
    try:
        return posix.copy_file_range(reading, writing, most)
    except OSError:  # other disks, or a file that has no blocks
        part = posix.read(reading, min(most, CHUNK))
        write_all(writing, part)
        return len(part)


def _linked(path: str, target: str) -> bool:
    try:
        posix.link(path, target)
    except OSError:
        return False
    return True
