"""Runs ``treino`` as its own code would run on Windows: without POSIX's modules, functions and signals.

Only the modules of treino see it; Python's and other libraries stay as they are here. ``os.name`` stays
"posix", because pathlib chooses its classes by it: how paths look there isn't tried.
"""

import builtins
import errno
import os
import signal
import sys
from types import ModuleType
from typing import Any

OURS = "treino", "treino_doctor", "treino_studio", "treino_judge", "treino_lessons", "treino_agents"
OURS += ("treino_microscope", "treino_service")
MODULES = """
    fcntl posix resource pwd grp termios tty pty syslog readline curses crypt spwd nis
"""
OF_OS = """
    fork forkpty getuid geteuid getgid getegid getpgid getpgrp getsid setsid setpgid setuid setgid killpg
    nice sched_getaffinity sched_setaffinity sched_yield register_at_fork pread pwrite preadv pwritev
    readv writev statvfs fstatvfs mkfifo mknod fchmod fchown chown lchown chroot fchdir wait wait3 wait4
    waitid WIFEXITED WEXITSTATUS WIFSIGNALED WTERMSIG WNOHANG uname sysconf confstr pathconf getloadavg
    posix_fadvise posix_fallocate sendfile openpty lockf ctermid getgroups initgroups posix_spawn
    O_NOFOLLOW O_NONBLOCK O_CLOEXEC O_DIRECTORY O_SYNC O_DSYNC O_NOCTTY O_ASYNC O_PATH O_TMPFILE EX_OK
    RTLD_NOW memfd_create eventfd splice copy_file_range
"""
OF_SIGNAL = """
    SIGHUP SIGKILL SIGALRM SIGUSR1 SIGUSR2 SIGCHLD SIGPIPE SIGQUIT SIGSTOP SIGCONT SIGTSTP SIGTTIN
    SIGTTOU SIGWINCH SIGVTALRM SIGPROF SIGIO SIGTRAP pthread_sigmask pthread_kill alarm setitimer
    getitimer siginterrupt sigwait sigwaitinfo sigpending pause SIG_BLOCK SIG_UNBLOCK SIG_SETMASK
"""
O_BINARY = getattr(os, "O_LARGEFILE", 0) or 1 << 15  # a flag that changes nothing here


def opened(path: Any, flags: int, *more: Any, **named: Any) -> int:
    """``os.open``, which refuses folders, and text mode, which would write another line ending."""
    if os.path.isdir(path):
        raise PermissionError(errno.EACCES, "Permission denied", str(path))
    assert flags & O_BINARY, f"{path} would be opened as text"
    return os.open(path, flags & ~O_BINARY, *more, **named)


def closed(change: Any) -> Any:
    """A function that changes names of files, which is denied for a file that this process has open."""

    def denied(*paths: Any, **named: Any) -> None:
        places = {os.path.realpath(path) for path in paths}
        for number in os.listdir("/proc/self/fd"):
            try:
                used = os.readlink(f"/proc/self/fd/{number}")
            except OSError:
                continue
            if used in places and os.path.isfile(used):
                raise PermissionError(errno.EACCES, "It is open", used)
        change(*paths, **named)

    return denied


def renamed(source: Any, to: Any) -> None:
    """``os.rename``, which replaces nothing."""
    if os.path.lexists(to):
        raise FileExistsError(errno.EEXIST, "File exists", str(to))
    os.rename(source, to)


def killed(process: int, number: int) -> None:
    """``os.kill``, by which any signal but two ends a process."""
    raise AssertionError(f"process {process} would be ended by signal {number}")


class Seen(ModuleType):
    """A module as treino's code sees it. missing: names that it hasn't. given: other values of names."""

    def __init__(self, module: ModuleType, missing: str, **given: Any) -> None:
        super().__init__(module.__name__)
        vars(self).update(_module=module, _missing={*missing.split()}, _given=given)

    def __getattr__(self, name: str) -> Any:
        if name in self._missing:
            raise AttributeError(f"module {self._module.__name__!r} has no attribute {name!r} on Windows")
        return self._given[name] if name in self._given else getattr(self._module, name)

    def __setattr__(self, name: str, value: Any) -> None:
        setattr(self._module, name, value)


OF_FILES = {name: closed(getattr(os, name)) for name in ("replace", "unlink", "remove")}
SEEN = {
    "os": Seen(os, OF_OS, open=opened, rename=renamed, kill=killed, O_BINARY=O_BINARY, **OF_FILES),
    "signal": Seen(signal, OF_SIGNAL),
    "sys": Seen(sys, "getdlopenflags setdlopenflags abiflags", platform="win32"),
}
imported = builtins.__import__


def as_there(name: str, globals: Any = None, locals: Any = None, fromlist: Any = (), level: int = 0) -> Any:
    ours = str((globals or {}).get("__name__")).partition(".")[0] in OURS
    if ours and not level and name.partition(".")[0] in MODULES.split():
        raise ModuleNotFoundError(f"No module named {name!r} on Windows", name=name)
    module = imported(name, globals, locals, fromlist, level)
    return SEEN.get(name, module) if ours and not level else module


if __name__ == "__main__":
    builtins.__import__ = as_there
    from treino.cli import command

    sys.argv = ["treino", *sys.argv[1:]]
    command()
