"""``ScriptProcess``: the studio's server starts a script, reads its messages and sends it commands."""

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

from treino.errors import TreinoError
from treino.studio.script.commands import read_command
from treino.studio.script.json_socket import VARIABLE, decoded
from treino.words import _

ENDING = 2.0  # seconds to wait for the process to exit after the script's last message
GRACE = 3.0  # seconds to wait for the process to end before the next, harder signal


class ScriptProcess:
    """A training script in a process of its own.

    Unless others are given, it shares stdin, stdout and stderr with this process; a Ctrl-C in the terminal
    reaches both processes. If this process dies, the script goes on to its end.
    """

    def __init__(self, process: subprocess.Popen[Any], line: socket.socket) -> None:
        self._process, self._line = process, line
        self._stop_sent = False

    @classmethod
    def start(
        cls,
        path: str | Path,
        args: Sequence[str] = (),
        *,
        replay: str | Path | None = None,
        record: str | Path | None = None,
        findings: bool = False,
        stdout: int | IO[Any] | None = None,
        stderr: int | IO[Any] | None = None,
    ) -> "ScriptProcess":
        """Run ``python path args``.

        replay: a file of changes to repeat. record: the file that records changes; default for ``train.py``:
        ``train.steering.jsonl`` in the working directory. findings: run the doctor, too. Errors are reported
        as messages ``{"error": ...}``.
        """
        options = [
            *([] if replay is None else [f"--replay={replay}"]),
            *([] if record is None else [f"--record={record}"]),
            *(["--findings"] if findings else []),
        ]
        # -P: modules of the working directory must not hide Python's own
        command = [
            sys.executable,
            "-P",
            "-m",
            "treino.studio.script.runner",
            *options,
            "--",
            str(path),
            *args,
        ]
        ours, theirs = socket.socketpair()
        with theirs:
            process = subprocess.Popen(
                command,
                pass_fds=[theirs.fileno()],
                env=os.environ | {VARIABLE: str(theirs.fileno())},
                stdout=stdout,
                stderr=stderr,
            )
        return cls(process, ours)

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def status(self) -> int | None:
        """The exit status as in a shell: 128 plus the number of a fatal signal. None while it runs."""
        code = self._process.poll()
        return 128 - code if code is not None and code < 0 else code

    def messages(self) -> Iterator[dict[str, Any]]:
        """Yield each message of the script as it arrives; the last one is always ``{"end": ...}``."""
        unread, steps = b"", 0
        while True:
            try:
                chunk = self._line.recv(1 << 16)
            except OSError:  # closed here
                chunk = b""
            if not chunk:
                yield self._end({"steps": steps, "error": None})
                return
            *lines, unread = (unread + chunk).split(b"\n")
            for line in lines:
                message = decoded(line)
                if not isinstance(message, dict):  # the script itself wrote to the socket
                    continue
                steps = message.get("step", steps)
                if "end" in message:
                    yield self._end(message["end"])
                    return
                yield message

    def _end(self, report: Mapping[str, Any]) -> dict[str, Any]:
        """The last message, with the process's real exit status, if known, instead of the announced one."""
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(ENDING)
        return {"end": {"status": None, **report, **({} if self.status is None else {"status": self.status})}}

    def send(self, command: Mapping[str, Any]) -> None:
        """Send a command; the script reports the result as a message ``changed``, ``paused`` or ``error``.

        The script obeys before its next step. A second "stop" interrupts the script at once, wherever it is.

        Raises:
            TreinoError: no such command, or a value out of range (rule ``studio_command``); the script has
                ended or doesn't read commands (rule ``script_gone``).
        """
        do = read_command(command)
        if do.do == "stop" and self._stop_sent and self.status is None:
            self._process.send_signal(signal.SIGINT)
            return
        try:
            self._line.send(json.dumps(command).encode() + b"\n", socket.MSG_DONTWAIT)
        except OSError:
            raise TreinoError(
                "script_gone",
                _("The script takes no command any more."),
                _("It has ended, or makes no step: a second stop interrupts it."),
            ) from None
        self._stop_sent = self._stop_sent or do.do == "stop"

    def close(self) -> int | None:
        """End the script, if it runs, by increasingly hard signals; return its exit status."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGKILL):
            if self.status is None:
                self._process.send_signal(number)
                with suppress(subprocess.TimeoutExpired):
                    self._process.wait(GRACE)
        self._process.wait()  # a killed process may take a while to end
        self._line.close()
        return self.status
