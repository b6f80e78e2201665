"""A script's checkpoints and branches, as the studio's server tracks them and reports them to the page."""

import ctypes
import math
import os
import select
import signal
import socket
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from treino.base.files import trouble
from treino_studio.script.commands import Fan
from treino_studio.script.json_socket import decoded
from treino_studio.script_curves import ScriptCurves

MOST = 24  # maximum number of automatic checkpoints
DECADES = 1.0  # to either side of the present rate, in a fan without given values
CURVE = 60  # maximum number of values of a future's curve in a message
LARGE_PAGES = "glibc.malloc.hugetlb=1"  # a fork copies page tables: in half the time for larger pages
SUBREAPER = 36  # PR_SET_CHILD_SUBREAPER: processes whose parent has ended become children of this one
TAIL = 0.1  # share of a future's steps whose mean loss scores it; a single one may be luck


@dataclass(eq=False)
class ForkedProcess:
    """A process that a script's process has forked. handle: a descriptor that outlives it."""

    pid: int
    handle: int
    _closing: threading.Lock = field(default_factory=threading.Lock)

    @classmethod
    def of(cls, pid: int) -> "ForkedProcess":
        try:
            return cls(pid, os.pidfd_open(pid))
        except OSError:  # it has already gone
            return cls(pid, -1)

    def ended(self, seconds: float = 0.0) -> bool:
        """Whether the process has ended, after waiting up to ``seconds`` for its end."""
        look = select.poll()
        if self.handle != -1:
            look.register(self.handle, select.POLLIN)
            if not look.poll(1000 * seconds):
                return False
            with suppress(ChildProcessError):  # it may be somebody else's child
                os.waitpid(self.pid, os.WNOHANG)
        with self._closing:  # several threads may have waited
            if self.handle != -1:
                os.close(self.handle)
                self.handle = -1
        return True

    def signal(self, number: int) -> None:
        if self.handle != -1:
            with suppress(ProcessLookupError):
                signal.pidfd_send_signal(self.handle, number)


def memory_of(pid: int) -> Mapping[str, int]:
    """Bytes of a process's memory, by Linux's names: ``Private_Dirty`` is what it shares with no other."""
    with suppress(OSError, ValueError):
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text("utf-8").splitlines()[1:]
        return {line.split(":")[0]: 1024 * int(line.split()[1]) for line in lines}
    return {}


def adopt_orphans(on: bool) -> None:
    """Set whether processes whose parent has ended become children of this one."""
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(SUBREAPER, int(on), 0, 0, 0)


def large_pages() -> dict[str, str]:
    """Environment variables that let a process use large memory pages, if its C library can."""
    present = os.environ.get("GLIBC_TUNABLES")
    return {"GLIBC_TUNABLES": f"{present}:{LARGE_PAGES}" if present else LARGE_PAGES}


def free_folder(script: Path) -> str:
    """The path of a new folder for a branch: ``train.branches/1`` of ``train``; it is created."""
    number = 0
    while True:
        number += 1
        path = script.with_name(f"{script.name}.branches") / str(number)
        with trouble(path), suppress(FileExistsError):
            path.parent.mkdir(exist_ok=True)
            path.mkdir()
            return str(path)


@dataclass(eq=False)
class ScriptSocket:
    """The server's end of a process's socket."""

    end: socket.socket
    _unread: bytes = b""
    _sockets: list[int] = field(default_factory=list)

    def receive(self) -> tuple[list[tuple[dict[str, Any], socket.socket | None]], bool]:
        """The new messages, each with the socket that came with it, and whether more can come."""
        try:
            chunk, descriptors, _flags, _address = socket.recv_fds(self.end, 1 << 16, 16)
        except OSError:  # closed
            chunk, descriptors = b"", []
        self._sockets += descriptors
        *lines, self._unread = (self._unread + chunk).split(b"\n")
        messages: list[tuple[dict[str, Any], socket.socket | None]] = []
        for line in lines:
            message = decoded(line)
            if isinstance(message, dict):  # else the script itself wrote to the socket
                sent = self._sockets and ("checkpoint" in message or "branch" in message)
                messages.append((message, socket.socket(fileno=self._sockets.pop(0)) if sent else None))
        return messages, bool(chunk)


@dataclass(eq=False)
class SleepingCopy:
    """A sleeping copy. of: the number of the process that was copied. step: the steps that were made. ms: how
    long the script waited for it. memory: bytes that it alone holds. rates: lr and weight decay of the first
    group."""

    number: int
    of: int
    step: int
    marked: bool
    ms: float
    process: ForkedProcess
    rates: Mapping[str, float]
    memory: int = 0
    line: ScriptSocket | None = None

    @property
    def document(self) -> dict[str, Any]:
        names = ("number", "step", "marked", "memory", "ms", "rates")
        return {name: getattr(self, name) for name in names}


@dataclass(eq=False)
class Branch:
    """A process that went on from a checkpoint; number 0 is the first process, which has none.

    parent: the number of the process that made the checkpoint. status: waking, running, asleep or ended.
    exit: its exit status. future: its place in the fan, if it is one. losses, curves: a future's. waiting:
    commands for a waking process. paused: whether it waits at a step. stopping: whether it was told to end.
    """

    number: int
    checkpoint: int | None
    parent: int
    step: int
    changes: Mapping[Any, float]
    folder: str | None
    status: str = "waking"
    exit: int | None = None
    future: int | None = None
    process: ForkedProcess | None = None
    line: ScriptSocket | None = None
    waiting: list[Mapping[str, Any]] = field(default_factory=list)
    paused: bool = False
    stopping: bool = False
    losses: list[float | None] = field(default_factory=list)
    curves: ScriptCurves = field(default_factory=lambda: ScriptCurves("future"))
    figures: dict[str, Any] = field(default_factory=dict)

    @property
    def text(self) -> str:
        """The changes it began with, such as ``lr 0.01``."""
        return ", ".join(f"{name} {value:g}" for name, value in self.changes.items())

    @property
    def name(self) -> str:
        """Its name in messages."""
        return f"branch-{self.number}"

    @property
    def seconds(self) -> float:
        """The script's own time at its last figures."""
        return float(self.figures.get("seconds", 0.0))

    @property
    def rates(self) -> Mapping[str, float]:
        """Learning rate and weight decay of the first group, as last seen."""
        groups = [group for optimizer in self.figures.get("optimizers", []) for group in optimizer["groups"]]
        return {name: groups[0][name] for name in ("lr", "weight_decay") if groups and name in groups[0]}

    def keep_figures(self, message: Mapping[str, Any]) -> None:
        """Keep a future's losses, and the figures that it measured and printed, by which a fan is ranked."""
        if "step" in message:
            self.losses += [loss if isinstance(loss, float) else None for loss in message["losses"]]
            tuple(self.curves.take({k: v for k, v in message.items() if k != "optimizers"}))
        for printed in message.get("output", ()):
            tuple(self.curves.read(*printed))

    @property
    def alive(self) -> bool:
        return self.status in ("running", "asleep")

    def document(self, present: "Branch") -> dict[str, Any]:
        names = ("number", "checkpoint", "parent", "step", "text", "changes", "folder", "status", "exit")
        return {**{name: getattr(self, name) for name in names}, "present": self is present}


def values_of(fan: Fan, present: float) -> list[float]:
    """The learning rates that a fan tries. present: the current one."""
    if fan.values:
        return list(fan.values)
    middle = present or 0.01
    exponents = [DECADES * (2 * i / (fan.count - 1) - 1) for i in range(fan.count)]
    return [float(f"{middle * 10**exponent:.3g}") for exponent in exponents]


@dataclass(eq=False)
class Fanned:
    """A fan and its futures, which begin after ``step`` steps. next_message: its earliest time."""

    number: int
    fan: Fan
    step: int
    futures: Sequence[Branch]
    next_message: float = 0.0

    @property
    def document(self) -> dict[str, Any]:
        """The message for the page, as apps/studio/docs/studio-script.md describes it."""
        fan, step, futures = self.fan, self.step, self.futures
        listed, worths = list[dict[str, Any]](), dict[int, float]()
        averaged = max(1, round(TAIL * fan.steps))
        for branch in futures:
            assert branch.future is not None
            losses = branch.losses[: fan.steps]
            over = branch.status in ("asleep", "ended")
            tail = [loss for loss in losses[-averaged:] if loss is not None]
            worth = math.fsum(tail) / len(tail) if over and tail else None
            failed = over and (losses[-1:] == [None] or branch.exit not in (None, 0))
            if worth is not None and not failed:
                worths[branch.future] = worth
            apart = -(-len(losses) // CURVE) or 1
            places = sorted({*range(0, len(losses), apart), len(losses) - 1} - {-1})
            listed.append(
                {
                    "future": branch.future,
                    "text": branch.text,
                    "changes": dict(branch.changes),
                    "branch": branch.number,
                    "status": "diverged" if failed else "finished" if over else "running",
                    "worth": worth,
                    "step": [step + 1 + place for place in places],
                    "loss": [losses[place] for place in places],
                }
            )
        done = min(
            (fan.steps if b.status in ("asleep", "ended") else len(b.losses) for b in futures), default=0
        )
        finished = all(branch.status in ("asleep", "ended") for branch in futures)
        held_out = {
            b.future or 0: b.curves.newest("loss", "validation") for b in futures if b.future in worths
        }
        steps_told = {found and found[0] for found in held_out.values()}
        late = all(told is not None and told - step >= fan.steps / 2 for told in steps_told)
        if judged := finished and late and len(steps_told) == 1:
            worths = {future: found[1] for future, found in held_out.items() if found}
            for each in listed:
                each["worth"] = worths.get(each["future"])
        return {
            "number": self.number,
            "kind": fan.kind,
            "checkpoint": fan.checkpoint,
            "step": step,
            "steps": fan.steps,
            "done": min(done, fan.steps),
            "averaged": averaged,
            "metric": "loss",
            "split": "validation" if judged else "train",
            "best": min(worths, key=lambda future: worths[future]) if finished and worths else None,
            "futures": listed,
        }


def superfluous(
    checkpoints: Sequence[SleepingCopy], kept: set[int | None], memory: int, budget: int
) -> list[SleepingCopy]:
    """The checkpoints to drop, as there are too many or they take too much memory: every second of those that
    nobody marked, from the second oldest on; then marked ones, the oldest first.

    kept: numbers of checkpoints that branches need. memory: bytes of all checkpoints.
    """
    if memory <= budget and sum(not each.marked for each in checkpoints) <= MOST:
        return []
    free = [each for each in checkpoints if each.number not in kept]
    unmarked = [each for each in free if not each.marked]
    return unmarked[1::2] or unmarked or free[:1]
