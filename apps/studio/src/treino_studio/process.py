"""The child processes of the studio's server, and the messages between them and the server.

A message is the ``u32`` length of a header, the ``u32`` length of a body (little-endian), the header as UTF-8
JSON, and the body, which is often empty. NaN and infinite numbers in a header become null. A child process
uses the blocking ``Channel``; the server uses ``read_message`` and ``packed`` with asyncio. ``messages.py``
has the headers.
"""

import asyncio
import contextlib
import json
import os
import select
import signal
import struct
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from time import monotonic
from typing import Any

from pydantic import BaseModel

from treino.base.encoding import compact_json
from treino.base.errors import Refusal
from treino_studio.forks import ForkedProcess, Forks

STUDIO_BUSY = Refusal(
    "The studio is busy: it can't take more commands at the moment.", "Wait a little and try again."
)

# ---- messages

Message = tuple[dict[str, Any], bytes]

LENGTHS = struct.Struct("<II")
LARGEST_HEADER = 1 << 26  # bytes; headers hold lists of rows and curves
LARGEST_BODY = 1 << 29  # bytes; bodies hold downloads
_READ = 1 << 18


class Channel:
    """The child's side. ``receive`` waits; ``send`` blocks while the server is slow; any thread may send."""

    def __init__(self, read_end: int, write_end: int) -> None:
        """read_end, write_end: file descriptors, which the channel owns from now on."""
        self._read_end, self._write_end = read_end, write_end
        self._unread = bytearray()
        self._lock = threading.Lock()
        self._poll = select.poll()
        self._poll.register(read_end, select.POLLIN)
        os.register_at_fork(after_in_child=self.close)  # a forked copy would keep the pipe open

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
        """The next message; None if none began to arrive within ``seconds`` (None: wait without limit).

        Raises:
            EOFError: the server has ended. ValueError: the bytes received are no message.
        """
        end = None if seconds is None else monotonic() + seconds
        while (message := self._first()) is None:
            begun = bool(self._unread)  # the rest of a message follows at once
            left = None if end is None or begun else 1000 * max(0.0, end - monotonic())
            if not self._poll.poll(left):
                return None
            chunk = os.read(self._read_end, _READ)
            if not chunk:
                raise EOFError("the studio has ended")
            self._unread += chunk
        return message

    def send(self, header: BaseModel, body: bytes = b"") -> None:
        """Send a whole message.

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
        """Remove the first whole message from the unread bytes and return it; None if there is none."""
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


def packed(header: BaseModel, body: bytes = b"") -> bytes:
    """The bytes of a message."""
    text = compact_json(header.model_dump(by_alias=True))
    return b"".join((LENGTHS.pack(len(text), len(body)), text, body))


async def read_message(stream: asyncio.StreamReader) -> Message | None:
    """Return the next message; None if the stream ends, even in the middle of one.

    Raises:
        ValueError: the bytes received are no message.
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


# ---- child processes

UNSENT = 1 << 22  # maximum bytes that wait for a process that doesn't read
LAST_LINES = 20
GRACE = 3.0  # seconds to wait for a process to end before the next, harder signal
PYTHON = sys.executable, "-m"
_CHUNK = 1 << 20


class StudioProcess:
    """A child process of the studio's server. log: the file of its stderr."""

    def __init__(self, process: asyncio.subprocess.Process | ForkedProcess, log: Path) -> None:
        self._process, self.log = process, log

    @classmethod
    async def start(cls, command: Sequence[str], log: Path, forks: Forks) -> "StudioProcess":
        """Start a program that uses ``Channel.of_child``: a module of Python's is forked where that can be.

        The program leads a session of its own: a Ctrl-C in the terminal reaches only the server, and closing
        the terminal doesn't end the program.
        """
        with log.open("ab") as stderr:
            if forks.there and tuple(command[:2]) == PYTHON:
                return cls(await forks.start(command[2:], stderr.fileno(), _CHUNK), log)
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
    def status(self) -> int | None:
        """The exit status, negative after a signal; None while it runs."""
        return self._process.returncode

    def send(self, header: BaseModel, body: bytes = b"") -> None:
        """Send a message; if the process has just ended, the message is lost without an error.

        Raises:
            TreinoError: too many bytes wait for the process (rule ``studio_busy``).
        """
        stdin = self._process.stdin
        assert stdin is not None
        if stdin.transport.get_write_buffer_size() > UNSENT:
            raise STUDIO_BUSY()
        if not stdin.is_closing():
            stdin.write(packed(header, body))

    async def messages(self) -> AsyncIterator[Message]:
        """Yield the messages of the process until it ends; end the process if it sends anything else."""
        assert self._process.stdout is not None
        with contextlib.suppress(ValueError):
            while (message := await read_message(self._process.stdout)) is not None:
                yield message
        await self.end(GRACE)

    async def end(self, seconds: float) -> None:
        """Close the process's stdin and wait up to ``seconds`` for its end; then end it by signals."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        for wait, number in ((seconds, signal.SIGTERM), (GRACE, signal.SIGKILL)):
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._process.wait(), wait)
                return
            with contextlib.suppress(ProcessLookupError):
                self._process.send_signal(number)
        await self._process.wait()

    def last_words(self) -> list[str]:
        """The last lines that the process printed to stderr."""
        with contextlib.suppress(OSError):
            return self.log.read_text("utf-8", "replace").splitlines()[-LAST_LINES:]
        return []
