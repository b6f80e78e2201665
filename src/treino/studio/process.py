"""A child process of the studio's server: its start, messages to and from it, its end."""

import asyncio
import contextlib
import os
import signal
import subprocess
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from treino.errors import TreinoError
from treino.studio.channel import Message, packed, read_message
from treino.words import _

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
