"""The loop of every training: advance, save checkpoints, stop on request, close the folder.

Runs, sweeps and studies are ``Job``s that ``events`` drives. The files on disk always suffice to resume bit
for bit. The command line displays the same events that ``fit`` consumes.
"""

import logging
import shlex
import signal
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from types import FrameType
from typing import Any, Protocol

from treino.base.errors import TreinoError
from treino.base.files import DISK_FULL
from treino.base.log import LOG
from treino.base.words import _
from treino.data.dataset import Data
from treino.engine import Tick
from treino.engine.devices import torch_threads
from treino.folders.documents.reading import read_checkpoint
from treino.folders.store import RunFolder
from treino.folders.store.database import Command
from treino.folders.stored_run import StoredRun

# ---- Ctrl-C

SIGNALS = "SIGINT", "SIGTERM", "SIGHUP"


@contextmanager
def ctrl_c() -> Iterator[Callable[[], bool]]:
    """Within the block, the first Ctrl-C only makes the yielded function return True; a second one raises.

    SIGTERM and a closed terminal (SIGHUP) do the same. Outside the main thread signals can't be handled, and
    the function always returns False.
    """
    request = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield request.is_set
        return

    def ask(number: int, frame: FrameType | None) -> None:
        if request.is_set():
            raise KeyboardInterrupt
        request.set()

    signals = [getattr(signal, name) for name in SIGNALS if hasattr(signal, name)]
    # keep ignored signals ignored: they must not end a training in the background
    before = {s: signal.signal(s, ask) for s in signals if signal.getsignal(s) is not signal.SIG_IGN}
    try:
        yield request.is_set
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


# ---- the loop of every training

PAUSE_SECONDS = 0.01  # between checks for the end of a pause
CHECKPOINT_SHARE = 50  # checkpoints take at most 1/50 of the time


class Job(Protocol):
    """A training that the loop drives.

    checkpoint_seconds: least time between checkpoints. threads: torch's intra-op threads.
    interruptible_close: whether Ctrl-C ends ``close`` at once; a resume then repeats it. paused: whether a
    command paused the job.
    """

    folder: RunFolder
    data: Data
    checkpoint_seconds: float
    interruptible_close: bool

    @property
    def run(self) -> StoredRun | None:
        """At the end: the run that was trained; None: it is of several networks."""
        return None

    @property
    def paused(self) -> bool:
        return False

    @property
    def threads(self) -> int:
        return 1

    @property
    def resumable(self) -> bool:
        """Whether the job can be resumed from its present state; a stream of rows can't amid an epoch."""
        return True

    def stop_reason(self) -> str | None:
        """Why the training stops now (a folder's status, or ``reached``); None if it continues."""

    def advance(self) -> Tick | None:
        """Train for a short time and record the steps; None if nothing is left to train."""

    def checkpoint(self) -> None:
        """Save the state, to resume from it."""

    def close(self, reason: str | None) -> dict[str, Any]:
        """Evaluate, write the result, and seal the folder. reason: why the training ended early, else
        None."""


@dataclass(frozen=True, eq=False)
class JobStart:
    """Event: the folder exists; the first step follows, or the next one after a resume."""

    job: Job


@dataclass(frozen=True, eq=False)
class JobProgress:
    """Event: some steps were trained and recorded."""

    job: Job
    tick: Tick


@dataclass(frozen=True, eq=False)
class JobRefit:
    """Event: some steps of the run's refit were trained, by a job of its own, after the run was judged."""

    job: Job
    tick: Tick


@dataclass(frozen=True, eq=False)
class JobPause:
    """Event: the training is paused; sent every hundredth of a second."""

    job: Job


@dataclass(frozen=True, eq=False)
class JobClose:
    """Event: the training has ended; evaluation and sealing follow."""

    job: Job


@dataclass(frozen=True, eq=False)
class JobEnd:
    """Event: the folder is sealed. interrupted: whether Ctrl-C ended the training, which can be resumed."""

    job: Job
    document: dict[str, Any]
    interrupted: bool


@dataclass(frozen=True, eq=False)
class JobAlert:
    """Event: an alert fired, or its action failed. message: a sentence on it."""

    job: Job
    message: str


JobEvent = JobStart | JobProgress | JobPause | JobAlert | JobClose | JobRefit | JobEnd


def events(make: Callable[[], Job]) -> Iterator[JobEvent]:
    """Drive a job to its end, and yield its events.

    make: makes the job. It may reopen a sealed folder, since Ctrl-C seals it again from then on.

    Raises:
        TreinoError: a system error, or a network that fails. KeyboardInterrupt: a second Ctrl-C.
    """
    with ExitStack() as told, ExitStack() as guarded:
        interrupted = guarded.enter_context(ctrl_c())
        job = make()
        told.enter_context(resumption_said(job.folder))
        LOG.info("%s: in training", job.folder.path)
        for note in job.data.notes:
            LOG.info("%s: %s", job.folder.path, note)
        yield JobStart(job)
        saved, cost, unsaved = time.perf_counter(), 0.0, True
        guarded.enter_context(torch_threads(job.threads))
        reason = "interrupted" if interrupted() else None
        while reason is None and (reason := job.stop_reason()) is None:
            if job.paused:
                time.sleep(PAUSE_SECONDS)
                yield JobPause(job)
            elif (tick := _advance(job)) is not None:
                unsaved = True
                yield JobProgress(job, tick)
            else:
                break
            if interrupted():
                reason = "interrupted"
                break
            begin = time.perf_counter()
            due = begin - saved > max(job.checkpoint_seconds, CHECKPOINT_SHARE * cost)
            if due and unsaved and job.resumable:
                _save(job)
                unsaved = False
                saved = time.perf_counter()
                cost = saved - begin
        job.folder.refuse_commands()  # no command is read from here on
        if job.resumable:
            _save(job)
        if job.interruptible_close and reason != "interrupted":
            guarded.close()
        with torch_threads(job.threads):
            yield JobClose(job)
            document = job.close(reason)
    level = logging.WARNING if document["status"] in ("interrupted", "diverged") else logging.INFO
    LOG.log(level, "%s: %s", job.folder.path, document["status"])
    yield JobEnd(job, document, reason == "interrupted")


def _save(job: Job) -> None:
    job.checkpoint()
    LOG.info("%s: saved", job.folder.path)


@contextmanager
def resumption_said(folder: RunFolder) -> Iterator[None]:
    """Within the block, the error of a full disk says how to resume the folder, if it has a checkpoint: the
    same command would begin another folder, or add the same networks again."""
    try:
        yield
    except TreinoError as error:
        if error.rule == DISK_FULL.rule and read_checkpoint(folder) is not None:
            hint = _("What was saved before is whole. Free some space, then go on with: {command}")
            error.hint = hint.format(command=f"treino resume {shlex.quote(str(folder.path))}")
        raise


def _advance(job: Job) -> Tick | None:
    """Train for a short time. If the network or its data fails, the error says how to resume after a fix."""
    try:
        return job.advance()
    except TreinoError as error:
        folder = job.folder
        if error.status == 2 and folder.writing:
            own = any(name.endswith(".py") for name in folder.manifest.files)
            hint = (
                _(
                    "Nothing was kept yet. When that is fixed: {command}; or train anew, and with the same "
                    "[[name]] or [[out]] the folder is taken over."
                )
                if read_checkpoint(folder) is None
                else _("What was kept goes on when that is fixed: {command}")
            )
            command = f"treino resume {shlex.quote(str(folder.path))}" + " --net FILE.py:NAME" * own
            error.hint = f"{error.hint} {hint.format(command=command)}".strip()
        raise


def status_at_end(statuses: Iterable[str], reason: str | None) -> str:
    """The final status of a job: diverged if all its networks diverged.

    statuses: the networks' statuses. reason: as in ``close``; ``interrupted`` stays the status in any case.
    """
    if reason != "interrupted" and set(statuses) == {"diverged"}:
        return "diverged"
    return "finished" if reason in (None, "reached") else reason


def last_event(stream: Iterator[JobEvent], watch: Callable[[JobEvent], None] | None = None) -> JobEnd:
    """Consume the events to their end and return the last one. watch: called with each event.

    Raises:
        KeyboardInterrupt: after Ctrl-C, once everything is saved.
    """
    last = None
    for event in stream:
        if watch is not None:
            watch(event)
        last = event
    assert isinstance(last, JobEnd)
    if last.interrupted:
        path = last.job.folder.path
        raise KeyboardInterrupt(_("Saved in {path}; go on with: treino resume {path}").format(path=path))
    return last


def drained_folder(stream: Iterator[JobEvent], watch: Callable[[JobEvent], None] | None = None) -> RunFolder:
    """Consume the events to their end, as ``last_event`` does, and reopen the folder."""
    return RunFolder.open(last_event(stream, watch).job.folder.path)


# ---- commands from other processes


def stop_sent(folder: RunFolder, obey: Callable[[Command], bool] = lambda _command: False) -> bool:
    """Execute the commands since the last call; return whether one was ``stop``.

    folder: the folder of the training in this process. obey: executes any other command; returns False to
    refuse it.
    """
    stop = False
    for command in folder.database.poll_commands():
        stops = command.name == "stop"
        folder.database.mark_command(command.id, "applied" if stops or obey(command) else "refused")
        stop |= stops
    return stop
