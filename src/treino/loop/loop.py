"""The loop of every training: advance, save checkpoints, stop on request, close the folder.

A run, a sweep and a study are each a ``Job`` and go through ``events``; what is on disk is always enough to
go on bit for bit. The command line and ``fit`` draw or drain the same events.
"""

import shlex
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any, Protocol

from treino.data.dataset import Data
from treino.documents import read_checkpoint
from treino.engine import Tick
from treino.engine.torch_context import torch_threads
from treino.errors import TreinoError
from treino.loop.interrupt import ctrl_c
from treino.store import RunFolder
from treino.words import _

PAUSE_SECONDS = 0.01  # between two looks at whether it goes on
CHECKPOINT_SHARE = 50  # at most 1/50 of the time goes into checkpoints


class Job(Protocol):
    """A training that the loop drives.

    checkpoint_seconds: between two checkpoints, at least. threads: torch's, inside one operation.
    interruptible_close: whether a Ctrl-C ends ``close`` at once, which is then done again by a resume.
    paused: whether it waits for somebody who steers it.
    """

    folder: RunFolder
    data: Data
    checkpoint_seconds: float
    interruptible_close: bool

    @property
    def paused(self) -> bool: ...

    @property
    def threads(self) -> int: ...

    @property
    def resumable(self) -> bool:
        """Whether it can go on from where it is now: rows that come as a stream have no middle."""

    def stop_reason(self) -> str | None:
        """Why the training stops now (a status of folders, or ``reached``); None: it goes on."""

    def advance(self) -> Tick | None:
        """Train for a moment and record it; None: nothing is left to train."""

    def checkpoint(self) -> None:
        """Save the state to resume from."""

    def close(self, reason: str | None) -> dict[str, Any]:
        """Measure, write the document, seal the folder; reason: why it ended early, if it did."""


@dataclass(frozen=True, eq=False)
class JobStart:
    """Event: the folder exists and the first step follows (or the next one, after a resume)."""

    job: Job


@dataclass(frozen=True, eq=False)
class JobProgress:
    """Event: some steps were done and recorded."""

    job: Job
    tick: Tick


@dataclass(frozen=True, eq=False)
class JobPause:
    """Event: the training waits, and was looked after for a hundredth of a second."""

    job: Job


@dataclass(frozen=True, eq=False)
class JobClose:
    """Event: training is over; measuring and sealing follow."""

    job: Job


@dataclass(frozen=True, eq=False)
class JobEnd:
    """Event: the folder is sealed. interrupted: by Ctrl-C, so that it can be resumed."""

    job: Job
    document: dict[str, Any]
    interrupted: bool


JobEvent = JobStart | JobProgress | JobPause | JobClose | JobEnd


def events(job: Job) -> Iterator[JobEvent]:
    """Drive the job to its end.

    Raises:
        TreinoError: a failing machine, or a network that fails. KeyboardInterrupt: a second Ctrl-C.
    """
    yield JobStart(job)
    reason, saved, cost, unsaved = None, time.perf_counter(), 0.0, True
    with ExitStack() as guarded:
        interrupted = guarded.enter_context(ctrl_c())
        guarded.enter_context(torch_threads(job.threads))
        while (reason := job.stop_reason()) is None:
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
                job.checkpoint()
                unsaved = False
                saved = time.perf_counter()
                cost = saved - begin
        job.folder.refuse_commands()  # nobody looks at them from here on
        if job.resumable:
            job.checkpoint()
        if job.interruptible_close and reason != "interrupted":
            guarded.close()
        with torch_threads(job.threads):
            yield JobClose(job)
            document = job.close(reason)
    yield JobEnd(job, document, reason == "interrupted")


def _advance(job: Job) -> Tick | None:
    """Train for a moment; where the network or its data fails, the error says how to go on once it works."""
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
    """How a job ended, of one network or of many: diverged where every network did.

    statuses: of its networks. reason: as ``close`` is told. What was interrupted is to go on, whatever it is.
    """
    if reason != "interrupted" and set(statuses) == {"diverged"}:
        return "diverged"
    return "finished" if reason in (None, "reached") else reason


def drain(stream: Iterator[JobEvent], watch: Callable[[JobEvent], None] | None = None) -> JobEnd:
    """Run the events to their end and return the last one.

    Raises:
        KeyboardInterrupt: after a Ctrl-C, when everything is saved.
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
    """Run the events to their end, as ``drain`` does, and open the folder anew."""
    return RunFolder.open(drain(stream, watch).job.folder.path)
