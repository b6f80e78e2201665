"""Writing to disk: all files of treino are written by the functions in this module.

A file is replaced whole or not at all: temporary file in the same folder, fsync, rename, fsync of the folder.
(During a run SQLite does the same for its own file; see `database`.)
"""

import errno
import hashlib
import os
import re
import shlex
import shutil
import stat
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path, PurePosixPath
from threading import get_ident
from typing import Any

from platformdirs import user_cache_path

from treino.base.errors import Refusal, TreinoError
from treino.base.words import N_, _

DISK_ERROR = Refusal(
    "{path} could not be written or read: the disk reports an error ({reason}).",
    "Look at the disk, then repeat the command; what was saved before is whole.",
    status=1,
)
RUN_DAMAGED = Refusal("{path} is damaged: {reason}.", "{hint}")
NOT_A_FILE = Refusal(
    "{path} is not a regular file.", "Restore the file from a copy of the run, or remove what is there."
)
_OTHER_NAME = N_("Give another name, or replace it: [[replace]], in Python replace=True.")
FILE_EXISTS = Refusal("{path} exists already.", _OTHER_NAME)
FILES_EXIST = Refusal(
    "{path} exists already; other files that would be replaced: {n}.", _OTHER_NAME, rule=FILE_EXISTS.rule
)
LINK_IN_RUN = Refusal(
    "{path} is a link, and nothing in a run's folder may lead out of it.",
    "Put what it leads to in its place, or remove the link: rm {quoted}",
)
DISK_FULL = Refusal(
    "{path} could not be written: there is no room left ({reason}).",
    "Free some space and repeat the command; what was saved before is whole.",
    status=1,
)
READ_ONLY = Refusal(
    "{path} could not be written or read: it is not permitted ({reason}).",
    "Choose a folder that you may write to, or change its permissions.",
    status=1,
)
FILE_UNREADABLE = Refusal(
    "'{path}' can't be read: {reason}.", "Check its permissions and that the disk is there.", status=1
)
FILE_IS_FOLDER = Refusal(
    "'{path}' is a folder, not a file.", "Give the file in it, or all its tables: '{path}/*{ending}'."
)
FILE_VANISHED = Refusal(
    "{path} is not there, or its folder is gone ({reason}).",
    "Was it moved or deleted? Put it back, or give its new place.",
    status=1,
)
NAME_TOO_LONG = Refusal("The name {path} is too long.", "Give a shorter one.")
OUTSIDE_RUN = Refusal(
    "{name!r} is no file of {folder}.", "Give the name of a file in that folder, such as pictures/curves.png."
)
FOLDER_OF_OTHERS = Refusal(
    "{path} is not a folder of yours: somebody else made it, or it is a link.",
    "Say where temporary files may go instead: export TMPDIR=FOLDER",
)

# System calls, bound to module names so that tests can make the k-th call fail.
_open = os.open
_write = os.write
_fsync = os.fsync
_rename = os.replace
_mkdir = os.mkdir
_unlink = os.unlink

_PLAIN = sum(getattr(os, name, 0) for name in ("O_NOFOLLOW", "O_NONBLOCK", "O_CLOEXEC", "O_BINARY"))
"""Flags to open regular files by: no links, no waiting for pipes. Windows lacks all but the last."""
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | _PLAIN

_RESERVED = re.compile(r"(con|prn|aux|nul|conin\$|conout\$|(com|lpt)[0-9¹²³])[ .]*(\..*)?", re.IGNORECASE)
_SIGNS = '<>:"/\\|?*'  # which a name can't have on Windows

_CHUNK = 1 << 26  # some systems refuse a single write of 2 GB
_TEMPORARY = ".tmp"
SIDE_BY_SIDE = 8  # files that are flushed to disk in parallel

MANIFEST, DATABASE = "manifest.json", "run.sqlite"  # in the folder of every run, sweep and study
KINDS = ("run", "sweep", "study")
_KIND = re.compile(rb'"kind":\s*"(%s)"' % "|".join(KINDS).encode())
_HEAD = 1 << 12  # bytes at a manifest's start, which contain its kind

_PROBLEMS = {
    **dict.fromkeys((errno.ENOSPC, errno.EDQUOT, errno.EFBIG), DISK_FULL),
    **dict.fromkeys((errno.EROFS, errno.EACCES, errno.EPERM), READ_ONLY),
    **dict.fromkeys((errno.ENOENT, errno.ENOTDIR, errno.ESTALE), FILE_VANISHED),
}


def problem(path: Path, number: int, reason: str) -> TreinoError:
    """The TreinoError for the system's error `number` (an `errno`) on `path`."""
    if number == errno.ELOOP:
        return link(path)
    if number == errno.EEXIST:
        return there_already(path)
    if number == errno.ENAMETOOLONG:
        return NAME_TOO_LONG(path=path)
    return _PROBLEMS.get(number, DISK_ERROR)(path=path, reason=reason)


def damaged(path: Path, reason: str, hint: str = "") -> TreinoError:
    """The error for a damaged file. hint: replaces the advice to restore the file."""
    hint = hint or _("Restore it from a copy, or train again; nothing was read from it.")
    return RUN_DAMAGED(path=path, reason=reason, hint=hint)


def not_a_folder(path: Path) -> TreinoError:
    """The error for a path that must be a folder, to write into, and is not."""
    dangling = path.is_symlink() and not path.exists()
    what = _("{path} is a link to nothing.") if dangling else _("{path} is a file, not a folder.")
    hint = _("Give another folder, or move {path} out of the way.").format(path=path)
    return TreinoError("not_a_folder", what.format(path=path), hint)


def link(path: Path) -> TreinoError:
    """The error for a link inside a run's folder."""
    return LINK_IN_RUN(path=path, quoted=shlex.quote(str(path)))


def there_already(path: Path, others: int = 0) -> TreinoError:
    """The error for an existing file that would be replaced. others: how many further files would be too."""
    return FILES_EXIST(path=path, n=others) if others else FILE_EXISTS(path=path)


@contextmanager
def trouble(path: Path) -> Iterator[None]:
    """Convert an OSError on `path` to a TreinoError that names the file and says what to do."""
    try:
        yield
    except OSError as error:
        raise problem(path, error.errno or 0, error.strerror or str(error)) from error


def portable(name: str) -> bool:
    """Whether a file or a folder can have this name on every system."""
    plain = not any(sign in _SIGNS or sign < " " for sign in name)
    return plain and name[-1:] not in (" ", ".") and not _RESERVED.fullmatch(name)


def as_portable(name: str) -> str:
    """The name, with _ in place of what a file's name can't have on every system."""
    plain = "".join("_" if sign in _SIGNS or sign < " " else sign for sign in name).rstrip(" .") or "_"
    return f"_{plain}" if _RESERVED.fullmatch(plain) else plain


def inside(folder: Path, name: str) -> Path:
    """Return the path of `name` in a run's `folder`, after a check that no part of `name` is a link.

    Links may lead to the folder itself, but its content is not trusted. The file need not exist.

    Errors: `link_in_run`; `not_a_file` for a pipe, a socket or a device; `not_a_folder`; `outside_run`.
    """
    path = folder
    parts = PurePosixPath(name).parts
    outside = name.startswith("/") or ".." in parts or "\0" in name
    if outside or (sys.platform == "win32" and not all(map(portable, parts))):
        raise OUTSIDE_RUN(name=name, folder=folder)
    for place, part in enumerate(parts):
        path /= part
        try:
            with trouble(path):
                mode = os.lstat(path).st_mode
        except TreinoError as error:
            if error.rule == "file_vanished":
                return folder / name
            raise
        if stat.S_ISLNK(mode):
            raise link(path)
        if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):
            raise NOT_A_FILE(path=path)
        if place < len(parts) - 1 and not stat.S_ISDIR(mode):
            raise not_a_folder(path)
    return path


def relative(path: Path, start: Path) -> str:
    """The path as seen from ``start``, with ``/`` on every system; in full if it is on another drive."""
    try:
        return Path(os.path.relpath(path, start)).as_posix()
    except ValueError:
        return path.absolute().as_posix()


def write_atomically(path: Path, data: bytes, *, replace: bool = True) -> None:
    """Write `data` to `path` durably: after a crash at any moment, the old or the new file is complete.

    A link at `path` is replaced, not followed. replace: if False, refuses an existing file (`file_exists`),
    and the second of two concurrent writers.
    """
    with trouble(path):
        _put(path, (data,), replace)
        _sync(path.parent)


def _put(path: Path, parts: Sequence[Any], replace: bool) -> None:
    """Write a file in parts, as `write_atomically` does, but don't flush the rename."""
    temporary = path.parent / f".{path.name}.{os.getpid()}-{get_ident()}{_TEMPORARY}"  # works for "." too
    claimed = False
    try:
        descriptor = _open_new(temporary)
        try:
            for part in parts:
                write_all(descriptor, part)
            _fsync(descriptor)
        finally:
            os.close(descriptor)
        if not replace:
            os.close(_open(path, _NEW, 0o666))
            claimed = True
        _rename(temporary, path)
    except BaseException:
        for unwanted in (temporary, path) if claimed else (temporary,):
            with suppress(OSError):
                os.unlink(unwanted)
        raise


def replace_at_once(path: Path, parts: Sequence[Any]) -> None:
    """Write a file, in parts, to `path` atomically but not durably: a crash may lose it.

    Only one process may write to `path`.
    """
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | _PLAIN
    temporary = path.parent / f".{path.name}{_TEMPORARY}"
    with trouble(path):
        descriptor = os.open(temporary, flags, 0o666)
        try:
            for part in parts:
                write_all(descriptor, part)
        except BaseException:
            with suppress(OSError):
                os.unlink(temporary)
            raise
        finally:
            os.close(descriptor)
        _rename(temporary, path)


def write_new(contents: Mapping[Path, Sequence[Any]]) -> None:
    """Write new files durably, each in parts. Each is complete or missing; after an error all are missing.

    No process may read these paths yet. Files are flushed in parallel, a hundred times faster than in turn.
    """

    def put(some: list[tuple[Path, Sequence[Any]]]) -> None:
        for path, parts in some:
            with trouble(path):
                _put(path, parts, replace=True)

    each = list(contents.items())
    try:
        with ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
            some = [each[n::SIDE_BY_SIDE] for n in range(min(SIDE_BY_SIDE, len(each)))]
            for done in [pool.submit(put, part) for part in some]:
                done.result()
        for folder in {path.parent for path in contents}:
            with trouble(folder):
                _sync(folder)
    except BaseException:
        for path in contents:  # they would take room that a full disk needs
            with suppress(OSError):
                os.unlink(path)
        raise


def write_all(descriptor: int, data: Any) -> None:
    """Write all of `data`, in several calls if the system accepts less per call."""
    view = memoryview(data)
    while view:
        view = view[_write(descriptor, view[:_CHUNK]) :]


def read_bytes(path: Path) -> bytes:
    """Read a whole regular file. Follows no link, and doesn't wait for pipes or devices."""
    with trouble(path):
        return content(path)


def content(path: Path) -> bytes:
    """Read a whole regular file, as `read_bytes` does, but raise OSError for the system's errors."""
    descriptor = open_plain(path, os.O_RDONLY)
    with open(descriptor, "rb") as file:
        return file.read()


def open_plain(path: Path, flags: int, opening: Callable[..., int] = os.open) -> int:
    """Open a regular file. Errors: `not_a_file`; OSError if the path is a link or access is denied."""
    descriptor = opening(path, flags | _PLAIN, 0o666)
    if stat.S_ISREG(os.fstat(descriptor).st_mode):
        return descriptor
    os.close(descriptor)
    raise NOT_A_FILE(path=path)


def digest(data: bytes, *more: Any) -> str:
    """The SHA-256 of `data`, as 64 lower-case hexadecimal digits. more: further parts of the same file."""
    sha = hashlib.sha256(data)
    for part in more:
        sha.update(part)
    return sha.hexdigest()


def sha256(path: Path | str) -> str:
    """The `digest` of a file, read in chunks."""
    path = Path(path)
    with trouble(path), path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def cache_folder() -> Path:
    """The user's folder for files that can be made again: on Linux in ``$XDG_CACHE_HOME`` or ``~/.cache``."""
    return user_cache_path("treino", appauthor=False)


def make_folder(path: Path) -> None:
    """Create the folder `path` and its missing parents."""
    with trouble(path):
        if path.is_dir():
            return
        if path.parent != path:
            make_folder(path.parent)
        with suppress(FileExistsError):
            _mkdir(path)
            _sync(path.parent)
        if not path.is_dir():
            os.lstat(path)  # raises if another process removed it meanwhile
            raise not_a_folder(path)


def make_private_folder(path: Path) -> None:
    """Create the folder `path`, if missing, for this user alone, in a parent that others can write to; on
    Windows the parent is the user's own.

    Error: `folder_of_others`.
    """
    with trouble(path):
        with suppress(FileExistsError):
            _mkdir(path, 0o700)
        if sys.platform == "win32":
            return
        status = os.lstat(path)
        if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.getuid():
            raise FOLDER_OF_OTHERS(path=path)
        if status.st_mode & 0o077:
            os.chmod(path, 0o700)


def claim_folder(path: Path) -> bool:
    """Create the folder `path`; False if it already exists. Of two concurrent processes one gets True."""
    with trouble(path):
        try:
            _mkdir(path)
        except FileExistsError:
            return False
        try:
            _sync(path.parent)
        except OSError:
            with suppress(OSError):
                os.rmdir(path)
            raise
        return True


def copy_folder(folder: Path, to: Path) -> None:
    """Copy the content of `folder` to the empty folder `to`, which is removed on failure.

    Errors: `link_in_run` and `not_a_file`, since only files and folders are copied; disk errors.
    """
    try:
        for place, folders, names in os.walk(folder):
            for name in (*folders, *names):
                source = Path(place) / name
                path = to / source.relative_to(folder)
                inside(folder, source.relative_to(folder).as_posix())
                with trouble(path):
                    path.mkdir() if name in folders else shutil.copyfile(source, path, follow_symlinks=False)
    except BaseException:
        shutil.rmtree(to, ignore_errors=True)
        raise


def remove(path: Path) -> None:
    """Unlink `path`, if it exists."""
    with trouble(path), suppress(FileNotFoundError):
        _unlink(path)


def remove_leftovers(folder: Path, seconds: float = -1.0) -> None:
    """Unlink the temporary files of killed processes in `folder`.

    seconds: only files older than this; negative: all, for the holder of the folder's lock.
    """
    with trouble(folder):
        for leftover in folder.glob(f".*{_TEMPORARY}"):
            with suppress(FileNotFoundError):
                if seconds < 0 or time.time() - os.lstat(leftover).st_mtime > seconds:
                    remove(leftover)


def _open_new(path: Path) -> int:
    """Open a new file for writing. An existing file is unlinked; its other hard links keep its content."""
    with suppress(FileNotFoundError):
        os.unlink(path)
    return _open(path, _NEW, 0o666)


def _sync(folder: Path) -> None:
    """Flush a folder to disk, which makes renames in it durable. Windows does that with each of them."""
    if sys.platform == "win32":
        return
    descriptor = _open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        _fsync(descriptor)
    except OSError as error:
        # some network file systems have no fsync for folders; their renames are always durable
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):
            raise
    finally:
        os.close(descriptor)


def holds_run(folder: Path) -> bool:
    """Whether this is the folder of a run, a sweep or a study, even damaged or incomplete."""
    if (folder / DATABASE).is_file():
        return True
    try:
        if not stat.S_ISREG(os.lstat(folder / MANIFEST).st_mode):
            return False
        with (folder / MANIFEST).open("rb") as file:
            return _KIND.search(file.read(_HEAD)) is not None
    except PermissionError:
        return True
    except OSError:
        return False
