"""``ScriptProcess``: the studio's server starts a script, reads its messages and sends it commands."""

import json
import os
import selectors
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

from treino.base.errors import Refusal, TreinoError
from treino.base.machine import free_bytes
from treino.base.words import _
from treino_studio.script.branches import (
    Branch,
    Fanned,
    ForkedProcess,
    ScriptSocket,
    SleepingCopy,
    adopt_orphans,
    free_folder,
    large_pages,
    memory_of,
    superfluous,
    values_of,
)
from treino_studio.script.commands import (
    Adopt,
    Fan,
    KeepCheckpoints,
    MakeCheckpoint,
    Return,
    Rewind,
    read_command,
)
from treino_studio.script.file_layers import KEPT
from treino_studio.script.json_socket import VARIABLE
from treino_studio.script.kept_files import kept_of

NOBODY_SLEEPS = Refusal(
    "No process sleeps as number {n}.", "Go on from a checkpoint instead.", rule="checkpoint"
)
NO_FUTURE = Refusal("There is no future {n}.", "Fan out once more.", rule="checkpoint")
NO_CHECKPOINT = Refusal(
    "There is no checkpoint {n}.", "Choose one of those that are listed.", rule="checkpoint"
)
SCRIPT_GONE = Refusal(
    "The script takes no command any more.", "It has ended, or makes no step: a second stop interrupts it."
)

ENDING = 2.0  # seconds to wait for the process to exit after the script's last message
GRACE = 3.0  # seconds to wait for the process to end before the next, harder signal
APART = 1.0  # seconds of the script between two automatic checkpoints, until there are many
DEAREST = 0.01  # share of the script's time that automatic checkpoints may take
LOOK = 1.0  # seconds between two looks at the memory of checkpoints
LOOKING = 0.05  # share of the time that these looks may take
EVERY = 0.1  # seconds between two messages about a fan
SHARE = 0.25  # share of the free memory for checkpoints


class ScriptProcess:
    """A training script in a process of its own, and the processes that go on from its checkpoints.

    Unless others are given, it shares stdin, stdout and stderr with this process; a Ctrl-C in the terminal
    reaches both processes. If this process dies, the script goes on to its end; sleeping copies end.
    """

    def __init__(
        self, process: subprocess.Popen[Any], line: socket.socket, folder: Path, *, checkpoints: bool = False
    ) -> None:
        self._process = process
        self._folder = folder  # the branches' folder, without their number
        self._lock = threading.RLock()  # commands and messages come in different threads
        self._selector = selectors.DefaultSelector()
        self._ear, self._bell = socket.socketpair()  # a byte: a command has left messages in _news
        self._selector.register(self._ear, selectors.EVENT_READ)
        self._news: list[dict[str, Any]] = []
        self._closing = self._reading = False
        first = Branch(0, None, 0, 0, {}, None, status="running")
        self._branches, self._present = [first], first
        self._listen(first, line)
        # checkpoints
        self._on, self._able, self._why = checkpoints, False, ""
        self._checkpoints: dict[int, SleepingCopy] = {}
        self._leaving: list[ForkedProcess] = []  # dismissed copies that have yet to end
        self._orphans: set[int] = set()  # processes that become children of this one when their parent ends
        self._last = 0  # number of the last checkpoint
        self._due: float | None = 0.0  # the script's seconds at the next one; None while it is made
        self._apart = APART
        self._budget, self._memory, self._look = int(SHARE * free_bytes()), 0, 0.0
        self._fan: Fanned | None = None
        self._fans = 0

    @classmethod
    def start(
        cls,
        path: str | Path,
        args: Sequence[str] = (),
        *,
        replay: str | Path | None = None,
        record: str | Path | None = None,
        findings: bool = False,
        checkpoints: bool = False,
        stdout: int | IO[Any] | None = None,
        stderr: int | IO[Any] | None = None,
    ) -> "ScriptProcess":
        """Run ``python path args``.

        replay: a file of changes to repeat. record: the file that records changes; default for ``train.py``:
        ``train.steering.jsonl`` in the working directory. findings: run the doctor, too. checkpoints: make
        some on the way. Errors are reported as messages ``{"error": ...}``.
        """
        given = {"--replay": replay, "--record": record}
        options = [f"{name}={file}" for name, file in given.items() if file is not None]
        options += ["--findings"] if findings else []
        # -P: modules of the working directory must not hide Python's own
        runner = [sys.executable, "-P", "-m", "treino_studio.script.runner"]
        ours, theirs = socket.socketpair()
        with theirs:
            process = subprocess.Popen(
                [*runner, *options, "--", str(path), *args],
                pass_fds=[theirs.fileno()],
                env=os.environ | {VARIABLE: str(theirs.fileno())} | (large_pages() if checkpoints else {}),
                stdout=stdout,
                stderr=stderr,
            )
        return cls(process, ours, Path(Path(path).stem).absolute(), checkpoints=checkpoints)

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def status(self) -> int | None:
        """The first process's exit status as in a shell: 128 plus the number of a fatal signal. None while it
        runs."""
        code = self._process.poll()
        return 128 - code if code is not None and code < 0 else code

    @property
    def copies(self) -> list[SleepingCopy]:
        """The sleeping copies, in the order of their steps."""
        return sorted(self._checkpoints.values(), key=lambda copy: copy.step)

    # --- what comes ---------------------------------------------------------------------------------------
    def messages(self) -> Iterator[dict[str, Any]]:
        """Yield each message of the script as it arrives. The last one is ``{"end": ...}``; where checkpoints
        sleep or branches run, others follow until ``close``."""
        self._reading, over = True, False
        try:
            while not over:
                ready = self._selector.select(LOOK if self._checkpoints or self._leaving else None)
                for key, _events in ready:
                    if key.data is None:
                        self._ear.recv(1 << 10)
                    else:
                        yield from self._read(key.data)
                with self._lock:
                    self._look_at_memory()
                    news, self._news = self._news, []
                    over = self._closing or len(self._selector.get_map()) == 1
                yield from news
        finally:
            with self._lock:
                self._reading = False
                if over or self._closing:
                    self._hang_up()

    def _hang_up(self) -> None:
        """Close all sockets."""
        for key in [*(self._selector.get_map() or {}).values()]:
            key.fileobj.close()  # type: ignore[union-attr]
        self._bell.close()
        self._selector.close()

    def _listen(self, source: Branch | SleepingCopy, line: socket.socket) -> None:
        source.line = ScriptSocket(line)
        self._selector.register(line, selectors.EVENT_READ, source)

    def _read(self, source: Branch | SleepingCopy) -> Iterator[dict[str, Any]]:
        """Yield the messages for the page that follow from a process's messages."""
        if source.line is None:  # a copy that has been dismissed in the meantime
            return
        messages, is_open = source.line.receive()
        for message, other in messages:
            end = message.get("end") if isinstance(source, Branch) else None
            if isinstance(source, Branch) and end is not None:
                self._await_exit(source)
            with self._lock:
                news, self._news = self._news, []  # of commands, which were carried out before
                if isinstance(source, SleepingCopy):
                    news += self._of_copy(source, message, other)
                elif end is not None:
                    news += self._ended(source, end)
                else:
                    news += self._of_branch(source, message, other)
            yield from news
        if not is_open:
            if isinstance(source, Branch) and source.status != "ended":
                self._await_exit(source)
            with self._lock:
                news = [*self._gone(source)]
            yield from news

    def _gone(self, source: Branch | SleepingCopy) -> Iterator[dict[str, Any]]:
        """Yield the messages for the page after a process has closed its socket."""
        if source.line is not None:
            self._forget(source.line)
            source.line = None
        if isinstance(source, Branch):
            if source.status != "ended":
                steps = source.figures.get("step", source.step)
                yield from self._ended(source, {"status": None, "steps": steps, "error": None})
        elif self._checkpoints.pop(source.number, None) is not None:  # it was ended from outside
            self._leaving.append(source.process)
            yield self._state()

    def _forget(self, line: ScriptSocket) -> None:
        self._selector.unregister(line.end)
        line.end.close()

    def _of_branch(
        self, branch: Branch, message: dict[str, Any], line: socket.socket | None
    ) -> Iterator[dict[str, Any]]:
        if "checkpoint" in message:
            if line is not None:
                yield from self._keep(branch, message["checkpoint"], line)
            return
        if "unable" in message:
            self._able, self._why = message["unable"] is None, message["unable"] or ""
            if not self._able:
                self._due = branch.seconds + self._apart  # to look again
            yield self._state()
            return
        if "paused" in message:
            branch.paused = message["paused"]
            yield from self._settled(branch)
        if "step" in message:
            branch.figures = {
                name: message[name] for name in ("step", "seconds", "optimizers") if name in message
            }
            if branch.future is None and branch is self._present:
                self._make_due(branch)
        if branch.future is None:
            yield message if branch.number == 0 else {"run": branch.name, **message}
            return
        branch.keep_figures(message)
        if self._fan is not None and (
            "paused" in message or ("step" in message and time.monotonic() >= self._fan.next_message)
        ):
            self._fan.next_message = time.monotonic() + EVERY
            yield {"fan": self._fan.document}

    def _settled(self, branch: Branch) -> Iterator[dict[str, Any]]:
        """Yield the branches for the page, if this one has fallen asleep or woken up."""
        before = branch.status
        if branch.alive:
            branch.status = "asleep" if branch.paused and branch is not self._present else "running"
        if branch.status != before:
            yield self._lineage()

    def _ended(self, branch: Branch, report: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        """The last message of a process, with its real exit status, if known."""
        known = self.status if branch.number == 0 else branch.exit
        branch.status, branch.exit = "ended", report["status"] if known is None else known
        if branch.future is None:
            end = {"end": {**report, "status": branch.exit}}
            yield end if branch.number == 0 else {"run": branch.name, **end}
        elif self._fan is not None:
            yield {"fan": self._fan.document}
        if self._checkpoints or len(self._branches) > 1:
            yield self._lineage()

    def _await_exit(self, branch: Branch) -> None:
        if branch.number == 0:
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(ENDING)
        elif branch.process is not None:
            branch.process.ended(ENDING)

    def _of_copy(
        self, copy: SleepingCopy, message: dict[str, Any], line: socket.socket | None
    ) -> Iterator[dict[str, Any]]:
        about = message.get("branch") or message.get("left") or message.get("refused") or {}
        branch = next((each for each in self._branches if each.number == about.get("number")), None)
        if branch is None:
            return
        if "branch" in message and line is not None:
            branch.process, branch.status = ForkedProcess.of(about["pid"]), "running"
            self._orphans.add(branch.process.pid)
            self._listen(branch, line)
            self._send_to(branch, {"do": "begin"})
            while branch.waiting:
                self._send_to(branch, branch.waiting.pop(0))
        elif "left" in message and branch.exit != about["status"]:
            branch.exit = about["status"]
        elif "refused" in message:
            branch.status, branch.exit = "ended", 1
            yield {"warning": _("The branch can't begin: {reason}.").format(reason=about["reason"])}
        yield self._lineage()
        if branch.future is not None and self._fan is not None:
            yield {"fan": self._fan.document}

    # --- checkpoints --------------------------------------------------------------------------------------
    def _keep(
        self, branch: Branch, about: Mapping[str, Any], line: socket.socket
    ) -> Iterator[dict[str, Any]]:
        """Store a checkpoint that a process has made. line: the copy's socket."""
        adopt_orphans(True)  # copies whose parent has ended are to be waited for here
        self._able, self._why = True, ""
        process = ForkedProcess.of(about["pid"])
        self._orphans.add(process.pid)
        number, step, marked, ms = (about[name] for name in ("number", "step", "marked", "ms"))
        copy = SleepingCopy(number, branch.number, step, marked, ms, process, branch.rates)
        self._checkpoints[number] = copy
        self._listen(copy, line)
        self._apart = max(self._apart, ms / 1000 / DEAREST)
        if not marked:
            self._due = branch.seconds + self._apart
        self._thin()
        yield self._state()

    def _make_due(self, branch: Branch) -> None:
        """Ask for a checkpoint if an automatic one is due."""
        if self._on and self._able and self._due is not None and branch.seconds >= self._due:
            self._due = None
            self._ask_for_checkpoint(marked=False)

    def _ask_for_checkpoint(self, marked: bool) -> None:
        self._last += 1
        self._send_to(self._present, {"do": "checkpoint", "number": self._last, "marked": marked})

    def _thin(self) -> None:
        needed = {branch.checkpoint for branch in self._branches if branch.alive}
        copies = [*self._checkpoints.values()]
        dropped = superfluous(copies, needed, self._memory, self._budget)
        for copy in dropped:
            self._dismiss(copy)
        if any(not copy.marked for copy in dropped):
            self._apart *= 2

    def _dismiss(self, copy: SleepingCopy) -> None:
        """End a sleeping copy, which happens when its socket is closed."""
        del self._checkpoints[copy.number]
        if copy.line is not None:
            self._forget(copy.line)
            copy.line = None
        self._leaving.append(copy.process)

    def _look_at_memory(self) -> None:
        """Measure the memory of the checkpoints, rarely enough to cost little."""
        self._leaving = [process for process in self._leaving if not process.ended()]
        began = time.monotonic()
        if not self._checkpoints or began < self._look:
            return
        memories = {copy: memory_of(copy.process.pid) for copy in self._checkpoints.values()}
        for copy, memory in memories.items():
            copy.memory = memory.get("Private_Dirty", 0)
        awake = [memory_of(self._pid(branch)) for branch in self._branches if branch.alive]
        shares = sum(memory.get("Pss_Anon", 0) for memory in [*memories.values(), *awake])
        alone = memory_of(self._pid(self._present)).get("Anonymous", 0) if self._present.alive else 0
        self._memory = max(shares - alone, 0)
        ended = time.monotonic()
        self._look = ended + max(LOOK, (ended - began) / LOOKING)
        self._thin()
        self._news.append(self._state())

    def _pid(self, branch: Branch) -> int:
        return self._process.pid if branch.process is None else branch.process.pid

    def _state(self) -> dict[str, Any]:
        return {
            "checkpoints": {
                "able": self._able,
                "why": self._why or None,
                "on": self._on,
                "memory": self._memory,
                "budget": self._budget,
                "list": [copy.document for copy in self.copies],
            }
        }

    def _lineage(self) -> dict[str, Any]:
        shown = [branch for branch in self._branches if branch.future is None]
        return {"branches": [branch.document(self._present) for branch in shown]}

    # --- commands -----------------------------------------------------------------------------------------
    def send(self, command: Mapping[str, Any]) -> None:
        """Send a command; the script reports the result as a message ``changed``, ``paused`` or ``error``.

        The script obeys before its next step. A second "stop" interrupts the script at once, wherever it is.

        Raises:
            TreinoError: no such command, or a value out of range (rule ``studio_command``); the script has
                ended or doesn't read commands (rule ``script_gone``); no such checkpoint, branch or future
                (rule ``checkpoint``).
        """
        do = read_command(command)
        with self._lock:
            if isinstance(do, MakeCheckpoint):
                self._ask_for_checkpoint(marked=True)
            elif isinstance(do, KeepCheckpoints):
                self._on, self._due = do.on, 0.0
                self._tell(self._state())
            elif isinstance(do, Rewind):
                self._rewind(do)
            elif isinstance(do, Return):
                self._return(do)
            elif isinstance(do, Fan):
                self._begin_fan(do)
            elif isinstance(do, Adopt):
                self._adopt(do)
            elif do.do == "stop":
                self._stop()
            else:
                self._send_to(self._present, command)

    def _send_to(self, to: Branch | SleepingCopy, command: Mapping[str, Any]) -> None:
        if isinstance(to, Branch) and to.status == "waking":
            to.waiting.append(command)
            return
        try:
            if to.line is None:
                raise OSError
            to.line.end.send(json.dumps(command).encode() + b"\n", socket.MSG_DONTWAIT)
        except OSError:
            raise SCRIPT_GONE() from None

    def _tell(self, message: dict[str, Any]) -> None:
        """Let ``messages`` yield this message."""
        self._news.append(message)
        with suppress(OSError):  # full: ``messages`` will look anyway
            self._bell.send(b".", socket.MSG_DONTWAIT)

    def _stop(self) -> None:
        """Interrupt the present process, and the processes that are asleep at a step."""
        present = self._present
        self._end_fan()
        for branch in self._branches:
            if branch is not present and branch.alive:
                self._interrupt(branch)
        if not present.stopping:
            self._send_to(present, {"do": "stop"})
            present.stopping = True
        elif present.number == 0 and self.status is None:
            self._process.send_signal(signal.SIGINT)
        elif present.process is not None:
            present.process.signal(signal.SIGINT)

    def _interrupt(self, branch: Branch) -> None:
        """Let a process see a KeyboardInterrupt at its step."""
        with suppress(TreinoError):
            self._send_to(branch, {"do": "stop"})

    def _rewind(self, do: Rewind) -> None:
        copy = self._copy(do.checkpoint)
        self._end_fan()
        self._make_present(self._wake(copy, do.changes))
        self._due = 0.0

    def _return(self, do: Return) -> None:
        asleep = [branch for branch in self._branches if branch.status == "asleep" and branch.future is None]
        branch = next((each for each in asleep if each.number == do.branch), None)
        if branch is None:
            raise NOBODY_SLEEPS(n=do.branch)
        self._end_fan()
        self._make_present(branch)
        self._send_to(branch, {"do": "play"})

    def _begin_fan(self, do: Fan) -> None:
        self._end_fan()
        if not do.values and not do.count:
            return
        copy = self._copy(do.checkpoint)
        self._sleep(self._present)
        values = values_of(do, copy.rates.get(do.kind, 0.0))
        futures = [
            self._wake(copy, {do.kind: value}, future=i, steps=do.steps) for i, value in enumerate(values)
        ]
        self._fans += 1
        self._fan = Fanned(self._fans, do, copy.step, futures)
        self._tell({"fan": self._fan.document})

    def _end_fan(self, adopted: Branch | None = None) -> None:
        if self._fan is None:
            return
        for branch in self._fan.futures:
            if branch is not adopted:
                self._interrupt(branch)
        self._fan = None
        self._tell({"fan": None})

    def _adopt(self, do: Adopt) -> None:
        futures = [] if self._fan is None else self._fan.futures
        branch = next((each for each in futures if each.future == do.future and each.status != "ended"), None)
        if branch is None:
            raise NO_FUTURE(n=do.future)
        self._end_fan(branch)
        branch.future = None
        self._make_present(branch)
        for command in ("show", "play"):
            self._send_to(branch, {"do": command})
        if branch.losses:
            step = branch.step + len(branch.losses)
            self._tell({"run": branch.name, **branch.figures, "step": step, "losses": branch.losses})

    def _make_present(self, branch: Branch) -> None:
        """From now on, steer and show this branch; the branch shown until now sleeps."""
        before, self._present = self._present, branch
        if before is not branch:
            self._sleep(before)
        for each in (before, branch):
            for _message in self._settled(each):
                pass
        self._tell(self._lineage())

    def _copy(self, number: int) -> SleepingCopy:
        if number not in self._checkpoints:
            raise NO_CHECKPOINT(n=number)
        return self._checkpoints[number]

    def _sleep(self, branch: Branch) -> None:
        """Let a process pause while others go on."""
        if branch.alive or branch.status == "waking":
            with suppress(TreinoError):
                self._send_to(branch, {"do": "sleep"})

    def _wake(
        self,
        copy: SleepingCopy,
        changes: Mapping[Any, float],
        future: int | None = None,
        steps: int | None = None,
    ) -> Branch:
        """Begin a branch. future: its place in a fan, where it makes the fan's steps and prints to a file."""
        number = len(self._branches)
        folder = free_folder(self._folder)
        branch = Branch(number, copy.number, copy.of, copy.step, changes, folder, future=future)
        about = {"branch": number, "folder": branch.folder, "changes": changes}
        self._send_to(copy, {"do": "wake", **about, "steps": steps, "shown": future is None})
        self._branches.append(branch)
        return branch

    def close(self) -> int | None:
        """End the script, if it runs, by increasingly hard signals, and all copies; return the first
        process's exit status."""
        with self._lock:
            others = [branch.process for branch in self._branches if branch.process is not None]
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGKILL):
            if self.status is None:
                self._process.send_signal(number)
            for process in others:
                process.signal(number)
            end = time.monotonic() + GRACE
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(GRACE)
            for process in others:
                process.ended(max(0.0, end - time.monotonic()))
        self._process.wait()  # a killed process may take a while to end
        with self._lock:
            self._closing = True
            for copy in [*self._checkpoints.values()]:
                self._dismiss(copy)
            for process in self._leaving:
                if not process.ended(GRACE):
                    process.signal(signal.SIGKILL)
                    process.ended(GRACE)
            for pid in self._orphans:
                with suppress(ChildProcessError):  # its parent has waited for it
                    os.waitpid(pid, os.WNOHANG)
            adopt_orphans(False)
            if self._reading:
                self._bell.send(b".")  # ``messages`` hangs up
            else:
                self._hang_up()
            folders = [f"{branch.folder}/{KEPT}" for branch in self._branches if branch.folder]
            for folder in (kept_of(self.pid), *folders):
                shutil.rmtree(folder, ignore_errors=True)
        return self.status
