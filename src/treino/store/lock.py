"""The locks of a folder, released by the kernel when their process ends.

The writer locks the file ``.lock``. The folder itself is locked, shared, by each process that sends the
writer a command, for that moment; and exclusively by the writer once it reads no more commands.
"""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from treino.errors import TreinoError
from treino.store import files
from treino.words import _

NAME = ".lock"
_held: set[int] = set()


def acquire(path: Path) -> int:
    """Lock the file `path`, made if it is missing.

    Returns a descriptor for `release` and `held`. Raises TreinoError `run_busy` if another process (or
    another handle in this one) has the lock.
    """
    process: int | None = None
    for _attempt in range(20):  # `holder` has the lock for an instant, without being a writer
        with files.trouble(path):
            descriptor = files.open_plain(path, os.O_RDWR | os.O_CREAT, files._open)
            try:
                if _busy(descriptor, fcntl.LOCK_EX):
                    process = _process(descriptor)
                    os.close(descriptor)
                    time.sleep(0.01)
                    continue
                if not _still_there(descriptor, path):  # its last owner unlinked it meanwhile
                    os.close(descriptor)
                    continue
                if os.fstat(descriptor).st_nlink > 1:  # the file has another name, and is left as it is there
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
    raise TreinoError(
        "run_busy",
        _("{folder} is being written by {who}.").format(folder=path.parent, who=who),
        _("Wait until it has ended, or stop it first."),
    )


@contextmanager
def sharing(folder: Path) -> Iterator[bool]:
    """Lock the folder itself, shared, without waiting; yields False if a process has it exclusively."""
    descriptor = _open_folder(folder)
    try:
        with files.trouble(folder):
            shared = not _busy(descriptor, fcntl.LOCK_SH)
        yield shared
    finally:
        fcntl.flock(descriptor, fcntl.LOCK_UN)  # a forked process may have the descriptor too
        os.close(descriptor)


def acquire_folder(folder: Path) -> int:
    """Lock the folder itself exclusively, after waiting for shared locks. Returns a descriptor, as
    `acquire`."""
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
    run."""
    return descriptor in _held


def release(descriptor: int, path: Path, *, unlink: bool = False) -> None:
    """Release the lock. unlink: remove the lock file, for a complete folder."""
    if descriptor in _held:
        _held.discard(descriptor)
        if unlink:
            with suppress(TreinoError):  # a remaining lock file does no harm
                files.remove(path)
        os.close(descriptor)


def holder(path: Path) -> int | None:
    """The id of the live process that has the lock (0 if it isn't known yet); None without one."""
    try:
        descriptor = files.open_plain(path, os.O_RDONLY)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise files.problem(path, error.errno or 0, error.strerror or str(error)) from error
    try:
        with files.trouble(path):
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
    # with it, a forked worker that outlives its parent would make the run look alive
    for descriptor in _held:
        with suppress(OSError):
            os.close(descriptor)
    _held.clear()


os.register_at_fork(after_in_child=_forget)
