"""The locks of a folder, which the kernel releases when the process that holds them ends.

The writing process locks the file ``.lock``. A process that sends it a command holds a shared lock on the
folder itself while sending; the writing process locks the folder exclusively once it reads no more commands.
"""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from treino.base import files
from treino.base.errors import Refusal, TreinoError
from treino.base.words import _
from treino_doctor.base import program_start

RUN_BUSY = Refusal("{folder} is being written by {who}.", "Wait until it has ended, or stop it first.")

NAME = ".lock"
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
                if _busy(descriptor, fcntl.LOCK_EX):
                    process = _process(descriptor)
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
                    os.ftruncate(descriptor, 0)
                    files.write_all(descriptor, f"{os.getpid()}\n".encode())
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
def sharing(folder: Path) -> Iterator[bool]:
    """Take a shared lock on the folder itself, without waiting; yield False if it is locked exclusively."""
    descriptor = _open_folder(folder)
    try:
        with files.trouble(folder):
            shared = not _busy(descriptor, fcntl.LOCK_SH)
        yield shared
    finally:
        fcntl.flock(descriptor, fcntl.LOCK_UN)  # explicit, since a forked process may share the descriptor
        os.close(descriptor)


def acquire_folder(folder: Path) -> int:
    """Wait until no shared lock is held, then lock the folder itself exclusively. Return a descriptor."""
    descriptor = _open_folder(folder)
    try:
        with files.trouble(folder):
            fcntl.flock(descriptor, fcntl.LOCK_EX)
    except BaseException:
        os.close(descriptor)
        raise
    _held.add(descriptor)
    return descriptor


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


def holder(path: Path) -> int | None:
    """The id of the live process that holds the lock (0 if it isn't known yet); None if it is free."""
    with files.trouble(path):
        try:
            descriptor = files.open_plain(path, os.O_RDONLY)
        except FileNotFoundError:
            return None
        try:
            return (_process(descriptor) or 0) if _busy(descriptor, fcntl.LOCK_SH) else None
        finally:
            os.close(descriptor)


def _open_folder(folder: Path) -> int:
    with files.trouble(folder):
        return os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)


def _busy(descriptor: int, how: int) -> bool:
    try:
        fcntl.flock(descriptor, how | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    return False


def _process(descriptor: int) -> int | None:
    text = os.pread(descriptor, 32, 0).strip()
    return int(text) if text.isdigit() else None


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


os.register_at_fork(after_in_child=_forget)
program_start.has_begun.append(lambda: bool(_held))
