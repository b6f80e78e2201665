"""The files of a script's branch: it writes into a folder of its own and reads what was there at its fork.

What each process wrote is a layer: the first process's files, where they are; above them the folder of a
branch, of a branch of that one, and so on. A file is read from the highest layer that has it, as it was when
the next layer began (``kept_files.py``). ``branch_calls.py`` calls this from ``os`` and ``open``.
"""

import errno
import functools
import os
import posix
import stat
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import ParamSpec, TypeVar

from treino_studio.script.kept_files import Kept, Version, copy_file, exists, lost, make_folders

SPECIAL = "/proc/", "/sys/", "/dev/"  # not files on a disk
# parts of a branch's folder: files from elsewhere than the working directory; what its own branches may read
OUTSIDE, KEPT = ".outside", ".kept"
MOST_LINKS = 40


@dataclass
class Layer:
    """What one process wrote. folder: the branch's folder; "" for the first process.

    base: the working directory, whose files stand at the top of the folder. fork: the one at which the next
    layer began, and its time; None for the layer of this process. removed: files of lower layers.
    """

    folder: str
    base: str
    kept: Kept
    fork: int | None = None
    time: int = 0
    removed: set[str] = field(default_factory=set)

    def place(self, path: str) -> str:
        """Return where this layer keeps the file that the script calls ``path``."""
        if not self.folder:
            return path
        if below(path, self.base):
            return self.folder + path[len(self.base) :]
        return f"{self.folder}/{OUTSIDE}{path}"

    def name(self, place: str) -> str:
        """What the script calls the file at this place."""
        if not self.folder or not below(place, self.folder):
            return place
        outside = f"{self.folder}/{OUTSIDE}"
        return place[len(outside) :] if below(place, f"{outside}/") else self.base + place[len(self.folder) :]

    def version(self, path: str) -> Version | None:
        """The file as the next layer sees it; None if it isn't in this one."""
        place = self.place(path)
        if self.fork is None:
            return Version(place) if exists(place) else None
        self.kept.refresh()
        return self.kept.version(place, self.fork)


class Files:
    """The files as the script of this process sees them, by their absolute names."""

    def __init__(self) -> None:
        self.layers: list[Layer] = []
        self.sealed = ""  # the kernel lets this process write only below this folder
        self.mapped = True  # whether files may have been mapped since somebody looked

    @property
    def own(self) -> Layer:
        return self.layers[-1]

    @property
    def in_branch(self) -> bool:
        return len(self.layers) > 1

    # --- names and versions -----------------------------------------------------------------------------
    def path(self, path: object, number: int | None = None, *, follow: bool = True) -> str:
        """Return the absolute name, without links, of a script's path. number: a folder's descriptor."""
        name = os.fsdecode(path)  # type: ignore[arg-type]
        here = posix.getcwd() if number is None or number < 0 else posix.readlink(f"/proc/self/fd/{number}")
        return self._real(os.path.normpath(os.path.join(here, name)), follow, MOST_LINKS)

    def _real(self, path: str, follow: bool, links: int) -> str:
        path = self.name(path)
        if path.startswith(SPECIAL) or path in ("/", "//"):
            return path
        if not links:
            raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), path)
        folder, _slash, last = path.rpartition("/")
        folder = self._real(folder or "/", True, links)
        path = f"{folder.rstrip('/')}/{last}"
        version = self.version(path) if follow else None
        if version is not None and stat.S_ISLNK(posix.lstat(version.path).st_mode):
            target = os.path.normpath(os.path.join(folder, posix.readlink(version.path)))
            return self._real(target, True, links - 1)
        return path

    def name(self, place: str) -> str:
        """What the script calls the file at this place."""
        for layer in reversed(self.layers):
            place = layer.name(place)
        return place

    def version(self, path: str, *, lower: bool = False) -> Version | None:
        """Return where a file's content lies, or None. lower: leave out this process's own layer."""
        for layer in reversed(self.layers[:-1] if lower else self.layers):
            version = layer.version(path)
            if version is not None or not layer.folder:
                return version
            if path in layer.removed:
                return None
        return None

    def status(self, path: str) -> os.stat_result | None:
        version = self.version(path)
        return None if version is None else posix.lstat(version.path)

    def names(self, path: str) -> list[str]:
        """The names in a folder."""
        status = self.status(path)
        if status is None or not stat.S_ISDIR(status.st_mode):
            raise missing(path, errno.ENOENT if status is None else errno.ENOTDIR)
        names: dict[str, None] = {}
        changed = {each.rpartition("/")[2] for layer in self.layers for each in layer.removed}
        for layer in self.layers:
            place = layer.place(path)
            if layer.fork is not None:
                changed |= layer.kept.changed_below(place)
            if exists(place) and layer.version(path) is not None:
                parts = (OUTSIDE, KEPT) if place == layer.folder else ()
                names |= dict.fromkeys(name for name in posix.listdir(place) if name not in parts)
        names |= dict.fromkeys(sorted(changed))
        return [name for name in names if name not in changed or self.version(f"{path}/{name}") is not None]

    # --- reading and writing ----------------------------------------------------------------------------
    def reading(self, path: str, *, content: bool = False) -> str:
        """The place to read a file from. content: refuse a file that was changed in an unknown way."""
        if path.startswith(SPECIAL):
            return path
        version = self.version(path)
        if version is None:
            raise missing(path)
        if content:
            self._check(path, version)
        size = posix.stat(version.path).st_size if version.size is not None else None
        return version.path if version.lost or version.size == size else self.writing(path)

    def _check(self, path: str, version: Version) -> None:
        if version.lost:
            raise lost(path)
        for layer in self.layers[:-1]:
            status = posix.lstat(version.path)
            unnoticed = version == Version(layer.place(path)) and status.st_mtime_ns > layer.time
            if unnoticed and stat.S_ISREG(status.st_mode):
                raise lost(path)

    def writing(self, path: str, flags: int = 0) -> str:
        """The place in this process's own layer to write a file to; it holds the old content unless cut.

        flags: as for ``os.open``.
        """
        if path.startswith(SPECIAL):
            return path
        place = self.own.place(path)
        if exists(place):
            return place
        version = self.version(path)
        if version is None:
            if not flags & os.O_CREAT:
                raise missing(path)
            return self.new(path)
        mode = posix.lstat(version.path).st_mode
        if flags & os.O_CREAT and flags & os.O_EXCL:
            raise missing(path, errno.EEXIST)
        if stat.S_ISDIR(mode):
            make_folders(place)
        elif stat.S_ISREG(mode):
            if not flags & os.O_TRUNC:
                self._check(path, version)
            copy_file(Version(version.path, 0) if flags & os.O_TRUNC else version, self.new(path))
        elif stat.S_ISLNK(mode):
            posix.symlink(posix.readlink(version.path), self.new(path))
        else:  # a pipe
            return version.path
        return place

    def new(self, path: str) -> str:
        """The place for a new file, in an existing folder."""
        folder, _slash, _name = path.rpartition("/")
        status = self.status(folder or "/")
        if status is None or not stat.S_ISDIR(status.st_mode):
            raise missing(path, errno.ENOENT if status is None else errno.ENOTDIR)
        place = self.own.place(path)
        make_folders(place.rpartition("/")[0])
        return place

    def keep(self, path: str, **how: bool) -> None:
        """Keep what branches may want to read of a file that this process is about to change."""
        if not path.startswith(SPECIAL):
            self.own.kept.keep(self.own.place(path), **how)


def below(path: str, folder: str) -> bool:
    """Whether a path is the folder itself, or lies in it."""
    return path == folder or path.startswith(folder.rstrip("/") + "/")


def missing(path: str, number: int = errno.ENOENT) -> OSError:
    """The error that the system gives for a path."""
    return OSError(number, os.strerror(number), path)


P = ParamSpec("P")
R = TypeVar("R")


class _Local(threading.local):
    quiet = False  # True while functions of this file change files


local = _Local()


def led(function: Callable[P, R]) -> Callable[P, R]:
    """Return a function that finds files' places itself; its errors show the names that the script uses."""

    @functools.wraps(function)
    def quiet(*args: P.args, **kwargs: P.kwargs) -> R:
        before, local.quiet = local.quiet, True
        try:
            return function(*args, **kwargs)
        except OSError as error:
            for name in ("filename", "filename2"):
                if isinstance(place := getattr(error, name), str):
                    setattr(error, name, files.name(place))
            raise
        finally:
            local.quiet = before

    return quiet


files = Files()
