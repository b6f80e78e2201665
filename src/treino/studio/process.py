"""The studio's processes beside its server: started, ended, and the messages through their pipes.

A message is ``u32`` length of a header, ``u32`` length of a body (little-endian), the header as UTF-8 JSON,
and the body, which is often empty. NaN and infinite numbers of a header become null. A process has the
blocking side, ``Channel``; the server has ``read_message`` and ``packed`` for asyncio.

| from the server to the worker | |
|---|---|
| ``{"do": "open", "run": PATH, "key": K}`` | a page of this folder (a run, sweep or study) is looked at |
| ``{"do": "watch", "key": K, "viewers": n, "languages": ["en"]}`` | by so many, who read these languages |
| ``{"do": "close", "key": K}`` | by nobody for a while |
| ``{"do": "failed", "key": K, "error": {…}}`` | the trainer's training of it |
| ``{"do": VERB, "key": K, "id": N, "language": L, …}`` | a verb of the page, checked, to be answered once |

| from the worker | |
|---|---|
| ``{"reply": N, …}``, a body where a file was asked for | the answer, or ``"error": {rule, message, hint}`` |
| ``{"key": K, "send": {KIND: …}}`` | a message of the protocol for all viewers of this page |
| ``{"key": K, "language": L, "send": {KIND: …}}`` | for those who read this language |
| ``{"key": K, "gone": true}`` | its folder is not there any more, or is being deleted; the page is closed |
| ``{"key": K, "frame": N}`` and the frame as body | the newest frame of this page |
| ``{"key": K, "fan": N}`` and a binary message as body | the newest boundaries of its fan |
| ``{"trainer": {…, "id": N}}`` | is passed on to the trainer, who then answers N |

| from the server to the trainer | |
|---|---|
| ``{"do": "train", "data", "settings", "paused", "parent", "command_line", "id"}`` | |
| ``{"do": "resume" or "rewind" or "branch", "run", "step", "changes", "transport", "speed", "id"}`` | |
| ``{"do": "stop", "run", "id"}`` | save and end what an earlier request has resumed |
| ``{"do": "sweep", "data", "space", "members", "settings", "parent", "id"}`` | |
| ``{"do": "study", "data", "batch_sizes", "settings", "parent", "id"}`` | |
| ``{"do": "like", "run": "SWEEP:17", "name", "id"}`` | a sweep's network once more, as a run |
| ``{"do": "extend", "run", "members", "id"}`` | so many networks more for a sweep that is over |
| ``{"do": "quit"}`` | save everything and end |

| from the trainer | |
|---|---|
| ``{"reply": N, "run": PATH}`` | training begins in this folder; or ``error``; a ``stop`` has no ``run`` |
| ``{"ended": PATH, "status": S}``, ``{"failed": PATH, "error": {…}}`` | |

A step of null is the newest, and a transport of null as it is. Either process ends when its stdin does.
"""

import asyncio
import contextlib
import json
import os
import select
import signal
import struct
import subprocess
import threading
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path
from time import monotonic
from typing import Any

from treino.errors import TreinoError
from treino.store.encoding import compact_json
from treino.words import _

# ---- messages between the studio's server and its processes

Message = tuple[dict[str, Any], bytes]

LENGTHS = struct.Struct("<II")
LARGEST_HEADER = 1 << 26  # bytes: lists of rows and curves
LARGEST_BODY = 1 << 29  # a file that somebody takes
_READ = 1 << 18


class Channel:
    """A process's side: ``receive`` waits, ``send`` blocks while the server is slow; any thread may send."""

    def __init__(self, read_end: int, write_end: int) -> None:
        """read_end, write_end: file descriptors, which the channel owns from here on."""
        self._read_end, self._write_end = read_end, write_end
        self._unread = bytearray()
        self._lock = threading.Lock()
        self._poll = select.poll()
        self._poll.register(read_end, select.POLLIN)
        os.register_at_fork(after_in_child=self.close)  # a fork's copy would keep the pipe open after the end

    @classmethod
    def of_child(cls) -> "Channel":
        """The channel on stdin and stdout; from now on other output goes to stderr."""
        channel = cls(os.dup(0), os.dup(1))
        nothing = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nothing, 0)
        os.close(nothing)
        os.dup2(2, 1)
        return channel

    def receive(self, seconds: float | None = None) -> Message | None:
        """The next message; None if none came within so many seconds.

        Raises:
            EOFError: the server has ended. ValueError: what came is no message.
        """
        end = None if seconds is None else monotonic() + seconds
        while (message := self._first()) is None:
            left = None if end is None else 1000 * max(0.0, end - monotonic())
            if not self._poll.poll(left):
                return None
            chunk = os.read(self._read_end, _READ)
            if not chunk:
                raise EOFError("the studio has ended")
            self._unread += chunk
        return message

    def send(self, header: Mapping[str, Any], body: bytes = b"") -> None:
        """Send a message whole.

        Raises:
            OSError: the server has ended.
        """
        data = memoryview(packed(header, body))
        with self._lock:
            while data:
                data = data[os.write(self._write_end, data) :]

    def close(self) -> None:
        """Close both ends; further calls do nothing."""
        for descriptor in {self._read_end, self._write_end} - {-1}:
            os.close(descriptor)
        self._read_end = self._write_end = -1

    def _first(self) -> Message | None:
        """Remove and return the first whole message of the bytes read; None if there is none."""
        if len(self._unread) < LENGTHS.size:
            return None
        header_length, body_length = _lengths(self._unread[: LENGTHS.size])
        body_begin = LENGTHS.size + header_length
        end = body_begin + body_length
        if len(self._unread) < end:
            return None
        header, body = bytes(self._unread[LENGTHS.size : body_begin]), bytes(self._unread[body_begin:end])
        del self._unread[:end]
        return _header(header), body


def packed(header: Mapping[str, Any], body: bytes = b"") -> bytes:
    """The bytes of a message."""
    text = compact_json(header)
    return b"".join((LENGTHS.pack(len(text), len(body)), text, body))


async def read_message(stream: asyncio.StreamReader) -> Message | None:
    """The next message; None at the end, also at one in the middle of a message.

    Raises:
        ValueError: what came is no message.
    """
    try:
        header_length, body_length = _lengths(await stream.readexactly(LENGTHS.size))
        header = _header(await stream.readexactly(header_length))
        return header, await stream.readexactly(body_length) if body_length else b""
    except (asyncio.IncompleteReadError, ConnectionError):
        return None


def _lengths(data: bytes | bytearray) -> tuple[int, int]:
    header_length, body_length = LENGTHS.unpack(data)
    if header_length > LARGEST_HEADER or body_length > LARGEST_BODY:
        raise ValueError(f"a message of {header_length} and {body_length} bytes")
    return header_length, body_length


def _header(text: bytes) -> dict[str, Any]:
    header = json.loads(text)
    if not isinstance(header, dict):
        raise ValueError(f"a message that is no object: {text[:60]!r}")
    return header


# ---- a child process of the studio's server

UNSENT = 1 << 22  # bytes that may wait for a process that doesn't read
LAST_LINES = 20
GRACE = 3.0  # seconds between the signals that end a process, each harder than the one before
_CHUNK = 1 << 20


class StudioProcess:
    """A child process: ``messages`` until it ends, ``send`` to it. log: the file of what it prints."""

    def __init__(self, process: asyncio.subprocess.Process, log: Path) -> None:
        self._process, self.log = process, log

    @classmethod
    async def start(cls, command: Sequence[str], log: Path) -> "StudioProcess":
        """Start a program that uses the channel on stdin and stdout.

        It leads a session of its own: a Ctrl-C in the terminal reaches only the server, and a closed terminal
        doesn't end it.
        """
        with log.open("ab") as stderr:
            process = await asyncio.create_subprocess_exec(
                *command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=stderr,
                limit=_CHUNK,
                start_new_session=True,
            )
        return cls(process, log)

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def status(self) -> int | None:
        """The exit status, negative after a signal; None while it runs."""
        return self._process.returncode

    def send(self, header: Mapping[str, Any]) -> None:
        """Send a message; if the process has just ended, only ``messages`` shows it.

        Raises:
            TreinoError: too many bytes wait for the process (rule ``studio_busy``).
        """
        stdin = self._process.stdin
        assert stdin is not None
        if stdin.transport.get_write_buffer_size() > UNSENT:
            raise TreinoError(
                "studio_busy",
                _("The studio is busy: it can't take more commands at the moment."),
                _("Wait a little and try again."),
            )
        if not stdin.is_closing():
            stdin.write(packed(header))

    async def messages(self) -> AsyncIterator[Message]:
        """Every message of the process, until it ends; it is ended if it sends anything else."""
        assert self._process.stdout is not None
        with contextlib.suppress(ValueError):
            while (message := await read_message(self._process.stdout)) is not None:
                yield message
        await self.end(GRACE)

    async def end(self, seconds: float) -> None:
        """Close its stdin and wait so many seconds for its end; then end it by signals."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        for wait, number in ((seconds, signal.SIGTERM), (GRACE, signal.SIGKILL)):
            if await self._ended(wait):
                return
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)
        await self._process.wait()

    async def _ended(self, seconds: float) -> bool:
        try:
            await asyncio.wait_for(self._process.wait(), seconds)
        except TimeoutError:
            return False
        return True

    def last_words(self) -> list[str]:
        """The last lines that the process printed."""
        with contextlib.suppress(OSError):
            return self.log.read_text(errors="replace").splitlines()[-LAST_LINES:]
        return []
