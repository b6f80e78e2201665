"""Runs each command of an agent in a process of its own; the next process waits ready, with torch loaded.

A process reads its command from stdin, whose end acts as Ctrl-C: a training is saved, even if the server
was killed. Each process has its own session, since clients kill the server's whole process group.
"""

import json
import math
import os
import signal
import sys
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from subprocess import PIPE
from typing import Any

import anyio
from anyio.abc import Process, TaskGroup
from anyio.streams.buffered import BufferedByteReceiveStream
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream

from treino.base.errors import Refusal

ANSWER_LONG = Refusal(
    "The answer has more than {n:,} bytes.",
    "Have it written to a file, if the tool takes to, or ask for less.",
)
ANSWER_MISSING = Refusal(
    "The command ended (status {status}) without an answer. {why}",
    "What was saved is kept: show says what is there.",
    status=1,
)

MARK = "\x1e"  # before a line of progress on stderr
PATIENCE_SECONDS = 60.0  # for a cancelled command to save and end, before it is killed
MOST_BYTES = 100_000_000  # maximum size of an answer
KEPT_LINES = 20  # number of last lines of stderr that are kept
COMMAND = [sys.executable, "-P", "-m", "treino_agents.tool_call"]  # -P: nothing in the folder is imported


@dataclass(frozen=True)
class Progress:
    """A command's progress: ``done`` of ``total`` (NaN if it doesn't say), and a text for a reader."""

    done: float
    total: float
    text: str


@dataclass(eq=False)
class ToolCall:
    """A command in its process. document: its JSON, after the end. lines: the last lines of its stderr."""

    process: Process
    progress: MemoryObjectReceiveStream[Progress]
    tell: MemoryObjectSendStream[Progress]
    ended: anyio.Event = field(default_factory=anyio.Event)
    output: bytearray = field(default_factory=bytearray)
    lines: deque[str] = field(default_factory=lambda: deque(maxlen=KEPT_LINES))

    async def cancel(self) -> None:
        """Interrupt the command, so that it saves, and wait for its end; kill it if it doesn't end."""
        with anyio.CancelScope(shield=True):
            await _close_stdin(self.process)
            with anyio.move_on_after(PATIENCE_SECONDS):
                await self.ended.wait()
                return
            with suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            await self.ended.wait()

    @property
    def document(self) -> dict[str, Any]:
        """The command's answer.

        Raises:
            TreinoError: there is no answer, or it is too long.
        """
        if len(self.output) > MOST_BYTES:
            raise ANSWER_LONG(n=MOST_BYTES)
        try:
            document = json.loads(self.output)
        except ValueError:
            document = None
        if not isinstance(document, dict):
            raise ANSWER_MISSING(status=self.process.returncode, why=" ".join(self.lines))
        return document


class Calls:
    """The processes of a server; see `open_calls`."""

    def __init__(self, tasks: TaskGroup) -> None:
        self._tasks, self._closed = tasks, False
        self._ready: Process | None = None
        self._running: set[ToolCall] = set()

    async def start(self, words: list[str]) -> ToolCall:
        """Start a command. words: as on a command line, after ``treino``."""
        process, self._ready = self._ready, None
        if process is None or process.returncode is not None:
            process = await _process()
        tell, progress = anyio.create_memory_object_stream[Progress](math.inf)
        call = ToolCall(process, progress, tell)
        self._running.add(call)
        self._tasks.start_soon(self._attend, call)
        assert process.stdin is not None
        await process.stdin.send(json.dumps(words).encode() + b"\n")
        self._tasks.start_soon(self.prepare)
        return call

    async def prepare(self) -> None:
        """Start the process of the next command, which then loads what it needs."""
        if self._wants_one():
            process = await _process()
            if self._wants_one():
                self._ready = process
            else:
                await _end(process)

    def _wants_one(self) -> bool:
        return self._ready is None and not self._closed

    async def cancel(self) -> None:
        """Cancel all commands, and wait for their ends."""
        async with anyio.create_task_group() as ends:
            for call in self._running:
                ends.start_soon(call.cancel)

    async def close(self) -> None:
        """End the waiting process. Processes with commands end by themselves."""
        self._closed, process = True, self._ready
        if process is not None:
            await _end(process)

    async def _attend(self, call: ToolCall) -> None:
        """Read a process's output until it ends."""
        with anyio.CancelScope(shield=True):
            async with anyio.create_task_group() as both, call.process:
                both.start_soon(_read_document, call)
                both.start_soon(_read_lines, call)
                await call.process.wait()
            call.tell.close()
            self._running.discard(call)
            call.ended.set()


@asynccontextmanager
async def open_calls() -> AsyncIterator[Calls]:
    """The processes of a server. The end of the block waits for all commands."""
    async with anyio.create_task_group() as tasks:
        calls = Calls(tasks)
        await calls.prepare()
        try:
            yield calls
        finally:
            with anyio.CancelScope(shield=True):
                await calls.close()


async def _process() -> Process:
    return await anyio.open_process(
        COMMAND,
        stdin=PIPE,
        stdout=PIPE,
        stderr=PIPE,
        start_new_session=True,
        env=os.environ | {"PYTHONSAFEPATH": "1", "MPLBACKEND": "Agg"},
    )


async def _close_stdin(process: Process) -> None:
    assert process.stdin is not None
    with suppress(anyio.BrokenResourceError, anyio.ClosedResourceError, OSError):
        await process.stdin.aclose()


async def _end(process: Process) -> None:
    await _close_stdin(process)
    async with process:
        await process.wait()


async def _read_document(call: ToolCall) -> None:
    assert call.process.stdout is not None
    async for part in call.process.stdout:
        call.output += part[: MOST_BYTES + 1 - len(call.output)]


async def _read_lines(call: ToolCall) -> None:
    assert call.process.stderr is not None
    stream = BufferedByteReceiveStream(call.process.stderr)
    with suppress(
        anyio.EndOfStream, anyio.IncompleteRead, anyio.DelimiterNotFound, anyio.ClosedResourceError
    ):
        while True:
            line = (await stream.receive_until(b"\n", 1_000_000)).decode(errors="replace").rstrip()
            if not line.startswith(MARK):
                call.lines.append(line)
                call.tell.send_nowait(Progress(math.nan, math.nan, line))
                continue
            with suppress(ValueError, TypeError):
                call.tell.send_nowait(Progress(*json.loads(line.removeprefix(MARK))))
