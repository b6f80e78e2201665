"""Checkpoints of a script: copies of its process that ``os.fork`` makes between two steps, and that sleep
until the studio's server wakes a branch."""

import ctypes
import os
import random
import signal
import socket
import sys
import threading
import warnings
from contextlib import suppress
from functools import cache
from multiprocessing import process as multiprocessing_process
from multiprocessing import resource_tracker
from pathlib import Path
from time import perf_counter, sleep
from typing import Any, NamedTuple

import torch
from torch import distributed

from treino.base.errors import Refusal
from treino.base.words import _
from treino_doctor.record import hooks
from treino_studio.script.json_socket import JsonSocket

CHECKPOINT = Refusal("No checkpoints while threads of a library run: a copy would lack them.")

# taken before the script runs: run_script replaces os._exit while it does
_fork, _leave = os.fork, os._exit
HARD = 2  # omp_pause_hard: OpenMP gives up its threads, and begins new ones when it needs them
THREADS_END = 0.05  # seconds after which released threads have ended
LONG = 3600.0  # seconds of one wait of a sleeping copy


# ---- what can't be copied


def why_not(own: JsonSocket) -> str | None:
    """A sentence on why this process can't be copied now; None if it can. own: the socket to the server."""
    if sys.platform != "linux":
        return _("Checkpoints need Linux.")
    if torch.cuda.is_initialized() or torch.xpu.is_initialized():
        return _("No checkpoints while an accelerator is in use: its memory can't be copied.")
    if distributed.is_available() and distributed.is_initialized():
        return _("No checkpoints under torch.distributed: the other processes can't go back with this one.")
    if multiprocessing_process._children:  # type: ignore[attr-defined]
        return _(
            "No checkpoints while worker processes run: num_workers=0 in the loaders makes them possible."
        )
    if _children():
        return _("No checkpoints while the script has child processes.")
    if others := [thread.name for thread in threading.enumerate() if not _copied(thread)]:
        return _("No checkpoints while other threads run, such as {name}: a copy would lack them.").format(
            name=others[0]
        )
    if _sockets(own):
        return _("No checkpoints while sockets are open: their other end can't go back.")
    return None


def _copied(thread: threading.Thread) -> bool:
    """Whether a copy is possible with this thread: it is the one that trains, or only tqdm's monitor."""
    return thread is threading.current_thread() or type(thread).__name__ == "TMonitor"


def _children() -> bool:
    """Whether there are child processes besides copies and Python's own tracker of semaphores."""
    tracker = getattr(resource_tracker._resource_tracker, "_pid", None)
    with suppress(OSError):
        listed = Path(f"/proc/self/task/{threading.get_native_id()}/children").read_text("utf-8").split()
        return any(int(pid) not in {*_asleep, tracker} for pid in listed)
    if tracker is not None:  # this Linux lists no children, and one can't be left out
        return False
    try:  # copies are in groups of their own
        os.waitid(os.P_PGID if _asleep else os.P_ALL, os.getpgrp(), os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return False
    return True


def _sockets(own: JsonSocket) -> bool:
    """Whether there are open sockets besides standard streams and the one to the server."""
    known = {0, 1, 2, own.descriptor}
    with os.scandir("/proc/self/fd") as entries:
        numbers = [int(entry.name) for entry in entries]
    for number in {*numbers} - known:
        with suppress(OSError):
            if os.readlink(f"/proc/self/fd/{number}").startswith("socket:"):
                return True
    return False


# ---- to fork

_asleep: set[int] = set()  # the processes of the copies that this process has forked


class Awakening(NamedTuple):
    """What a branch begins with. command: what woke it. server: its own socket. requests: what the server has
    asked of it meanwhile. slept: seconds. mask: the signals that the script itself blocks; until it is set
    again, all are blocked."""

    command: dict[str, Any]
    server: JsonSocket
    requests: list[Any]
    slept: float
    mask: set[signal.Signals]


def copy(server: JsonSocket, checkpoint: dict[str, Any], began: float) -> Awakening | None:
    """Fork a copy that sleeps. Return None here; in each branch that the copy is told to wake, return its
    Awakening.

    checkpoint: its number, step and mark. began: when the script began to wait for it.

    Raises:
        OSError: the process can't be forked.
        TreinoError: there are threads that a copy would lack (rule ``checkpoint``).
    """
    mask: Any = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    pid, group = -1, os.getpgrp()
    try:
        pid, line = _forked()
    finally:
        if pid:
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)
    if pid:
        _asleep.add(pid)
        with suppress(OSError):
            os.setpgid(pid, pid)  # Ctrl-C is not for it
        if _library_threads():
            line.close()  # which ends the copy
            raise CHECKPOINT()
        ms = round(1e3 * (perf_counter() - began), 2)
        server.post({"checkpoint": {**checkpoint, "pid": pid, "ms": ms}}, line)
        return None
    asleep = perf_counter()
    try:
        command, own, requests = _sleeping(JsonSocket(line), checkpoint)
    except BaseException:  # nothing of the script may run in a copy
        _leave(1)
    with suppress(OSError):
        os.setpgid(0, group)
    return Awakening(command, own, requests, perf_counter() - asleep, mask)


def reap() -> None:
    """Reap the processes of copies that have ended."""
    for pid in [*_asleep]:
        ended = pid
        with suppress(ChildProcessError):
            ended = os.waitpid(pid, os.WNOHANG)[0]
        if ended:
            _asleep.remove(pid)


def _library_threads() -> bool:
    """Whether threads are left, after a fork, that neither Python nor OpenMP nor torch's own pool began."""
    usual, end = len(threading.enumerate()) - 1 + torch.get_num_threads(), perf_counter() + THREADS_END
    while len(os.listdir("/proc/self/task")) > usual:
        if perf_counter() > end:
            return True
        sleep(0.001)
    return False


def _forked() -> tuple[int, socket.socket]:
    """Fork: (the child's process id, the other end of its socket) here, (0, its own end) in the child."""
    theirs, ours = socket.socketpair()
    state = random.getstate()  # Python's random would seed itself anew in the child
    pause_threads = _openmp()
    hooks.continuing = True
    try:
        if pause_threads is not None:
            pause_threads(HARD)
        with warnings.catch_warnings():  # Python 3.12 warns about threads
            warnings.simplefilter("ignore", DeprecationWarning)
            pid = _fork()
    except OSError:
        theirs.close()
        ours.close()
        raise
    finally:
        hooks.continuing = False
    if pid:
        ours.close()
        return pid, theirs
    _asleep.clear()
    theirs.close()
    random.setstate(state)
    return 0, ours


@cache
def _openmp() -> Any:
    """OpenMP's function that gives up its threads, for which a child would wait forever; None if missing."""
    with suppress(OSError, AttributeError):
        lines = Path("/proc/self/maps").read_text("utf-8").splitlines()
        path = next((line.split(maxsplit=5)[5] for line in lines if "libgomp" in line), None)
        return ctypes.CDLL(path).omp_pause_resource_all
    return None


# ---- the copy


def _sleeping(line: JsonSocket, checkpoint: dict[str, Any]) -> tuple[dict[str, Any], JsonSocket, list[Any]]:
    """Sleep until the server is gone or dismisses this copy, which ends it without any cleanup. Returns
    only in the branches that it forks."""
    while line.is_open:
        requests = line.receive(LONG, [*_endings])
        for request in requests:
            if request.get("do") == "dismiss":
                _leave(0)
            if request.get("do") == "wake":
                try:
                    pid, other = _forked()
                except OSError as error:
                    line.post({"refused": {"number": request["branch"], "reason": error.strerror}})
                    continue
                if not pid:
                    for descriptor in _endings:
                        os.close(descriptor)
                    _endings.clear()
                    return request, *_begun(JsonSocket(other))
                _endings[os.pidfd_open(pid)] = int(request["branch"])
                about = {"number": request["branch"], "checkpoint": checkpoint["number"]}
                line.post({"branch": {**about, "step": checkpoint["step"], "pid": pid}}, other)
        for descriptor, number in [*_endings.items()]:
            ended = os.waitid(os.P_PIDFD, descriptor, os.WEXITED | os.WNOHANG)
            if ended is not None:
                os.close(descriptor)
                del _endings[descriptor]
                killed = ended.si_code != os.CLD_EXITED
                line.post({"left": {"number": number, "status": ended.si_status + 128 * killed}})
    _leave(0)
    raise AssertionError


def _begun(line: JsonSocket) -> tuple[JsonSocket, list[Any]]:
    """Wait until the server has this socket's other end, so that no branch begins without it."""
    while not (requests := line.receive(LONG)):
        if not line.is_open:
            _leave(0)
    return line, requests[1:]


_endings: dict[int, int] = {}  # this copy's branches: {process descriptor: branch number}
