"""The locks of a folder, which the system releases when the process that holds them ends.

The writing process locks the file ``.lock``, which holds the process's number, and ``ending`` once it reads
no more commands. To send it a command, or to write that it is ending, a process is ``alone`` in the folder
for a moment.
"""

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
from filelock import lock_descriptor, unlock_descriptor

from treino.base import files
from treino.base.errors import Refusal, TreinoError
from treino.base.words import _
from treino_doctor.base import program_start

RUN_BUSY = Refusal("{folder} is being written by {who}.", "Wait until it has ended, or stop it first.")

NAME = ".lock"
_ALONE = ".alone.tmp"  # the file to lock where folders can't be opened, as on Windows
ENDING = b" ending"
_FEW, _MANY = 3, 20  # attempts to tell a holder from those who look at the lock, and hold it for an instant
_held: set[int] = set()


def acquire(path: Path) -> int:
    """Lock the file `path`, which is created if it is missing.

    Return a descriptor for `release` and `held`. Raises TreinoError `run_busy` if another process, or another
    handle in this process, holds the lock.
    """
    process: int | None = None
    for _attempt in range(20):  # `holder` also takes the lock, for an instant
        with files.trouble(path):
            descriptor = files.open_plain(path, os.O_RDWR | os.O_CREAT, files._open)
            try:
                if _busy(descriptor):
                    process = _process(_content(descriptor))
                    os.close(descriptor)
                    time.sleep(0.01)
                    continue
                if not _still_there(descriptor, path):  # its last holder unlinked it meanwhile
                    os.close(descriptor)
                    continue
                if os.fstat(descriptor).st_nlink > 1:  # another hard link must keep its content
                    os.unlink(path)
                    os.close(descriptor)
                    continue
                try:
                    _write(descriptor)
                except OSError:
                    os.unlink(path)
                    raise
            except OSError:
                with suppress(OSError):
                    os.close(descriptor)
                raise
        _held.add(descriptor)
        return descriptor
    who = _("another process") if process is None else _("process {number}").format(number=process)
    raise RUN_BUSY(folder=path.parent, who=who)


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Wait until no other process is in such a block for this folder."""
    with files.trouble(folder):
        descriptor = _open_folder(folder)
    _held.add(descriptor)
    try:
        with files.trouble(folder):
            lock_descriptor(descriptor, poll_interval=0.005)
        yield
    finally:
        with suppress(OSError):
            unlock_descriptor(descriptor)  # explicit, since a forked process may share the descriptor
        release(descriptor, folder)
        if not hasattr(os, "O_DIRECTORY"):
            with suppress(TreinoError):  # another process has it open
                files.remove(folder / _ALONE)


def mark(descriptor: int, path: Path, *, ending: bool) -> None:
    """Write into the held lock file whether its process reads no more commands."""
    with files.trouble(path):
        _write(descriptor, ENDING if ending else b"")
        files._fsync(descriptor)  # for processes on other machines


def ends(path: Path) -> bool:
    """Whether the process that holds the lock reads no more commands."""
    found = _probed(path)
    return found is not None and found.endswith(ENDING)


def held(descriptor: int | None) -> bool:
    """Whether this process holds the lock; False in a forked child, which must not write to its parent's
    folder."""
    return descriptor in _held


def release(descriptor: int, path: Path, *, unlink: bool = False) -> None:
    """Release the lock. unlink: also remove the lock file, because the folder is complete."""
    if descriptor in _held:
        _held.discard(descriptor)
        if unlink:
            with suppress(TreinoError):  # a remaining lock file does no harm
                files.remove(path)
        os.close(descriptor)
        if unlink and sys.platform == "win32":  # which removes no open file
            with suppress(TreinoError):
                files.remove(path)


def holder(path: Path) -> int | None:
    """The id of the live process that holds the lock (0 if it isn't known yet); None if it is free."""
    found = _probed(path)
    return None if found is None else _process(found) or 0


def _probed(path: Path) -> bytes | None:
    """What is in a lock file that a live process holds; None if it is free, or missing."""
    content = b""
    for attempt in range(_MANY):
        with files.trouble(path):
            try:
                descriptor = _open_existing(path)
            except FileNotFoundError:
                return None
            try:
                if not _busy(descriptor):
                    return None
                content = _content(descriptor)
            finally:
                os.close(descriptor)
        process = _process(content)
        if attempt >= _FEW and process is not None and psutil.pid_exists(process):
            break
        time.sleep(0.001)
    return content


def _open_existing(path: Path) -> int:
    try:
        return files.open_plain(path, os.O_RDWR)  # network file systems lock only what is open for writing
    except PermissionError:
        return files.open_plain(path, os.O_RDONLY)


def _open_folder(folder: Path) -> int:
    if hasattr(os, "O_DIRECTORY"):
        return os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    return files.open_plain(folder / _ALONE, os.O_RDWR | os.O_CREAT, files._open)


def _busy(descriptor: int) -> bool:
    return not lock_descriptor(descriptor, blocking=False)


def _write(descriptor: int, more: bytes = b"") -> None:
    """Write this process's number. The first byte stays empty: on Windows nobody else can read it."""
    os.ftruncate(descriptor, 0)
    os.lseek(descriptor, 0, os.SEEK_SET)
    files.write_all(descriptor, b" %d" % os.getpid() + more)


def _content(descriptor: int) -> bytes:
    os.lseek(descriptor, 1, os.SEEK_SET)
    return os.read(descriptor, 32).strip()


def _process(content: bytes) -> int | None:
    number = content.removesuffix(ENDING)
    return int(number) if number.isdigit() else None


def _still_there(descriptor: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), os.lstat(path))
    except FileNotFoundError:
        return False


def _forget() -> None:
    # otherwise a forked worker that outlives its parent would keep the lock
    for descriptor in _held:
        with suppress(OSError):
            os.close(descriptor)
    _held.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)
program_start.has_begun.append(lambda: bool(_held))
