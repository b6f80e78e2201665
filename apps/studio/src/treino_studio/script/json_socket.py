"""The script's end of the socket to the studio's server: one JSON object per line. Writing never blocks."""

import math
import os
import socket
from array import array
from collections.abc import Mapping, Sequence
from json import JSONDecoder, JSONEncoder
from select import POLLIN, POLLOUT, poll
from time import monotonic
from typing import Any

VARIABLE = "TREINO_STUDIO_SOCKET"  # the number of the socket's file descriptor
LONGEST_LINE = 1 << 20  # bytes; every command is shorter
UNTOUCHED = getattr(socket, "MSG_NOSIGNAL", 0)  # no SIGPIPE, which the script may have made fatal again
# made before the script runs, because the script may replace functions of json
encode = JSONEncoder(allow_nan=False, separators=(",", ":")).encode
decode = JSONDecoder().decode


class JsonSocket:
    """A socket to the server. If the server is slow or dead, figures are left out and the script goes on.

    is_open: whether the server still exists, as far as this process knows.
    """

    def __init__(self, line: socket.socket) -> None:
        line.setblocking(False)
        self._socket = line
        self._identity = _identity(line)
        self._unsent = bytearray()
        self._descriptors: list[int] = []  # to be sent with the next bytes, and closed here
        self._unread = b""
        self.is_open = True
        os.register_at_fork(after_in_child=self.close)  # forked processes must not use it

    def post(self, message: Mapping[str, Any], line: socket.socket | None = None) -> None:
        """Queue a message and send as many bytes as possible without blocking. line: a socket that the server
        receives with it; here it is closed."""
        if line is not None:
            self._descriptors.append(line.detach())
        if self._usable():
            self._unsent += _encoded(message) + b"\n"
            self.flushed()

    @property
    def descriptor(self) -> int:
        """The socket's number; -1 once it is closed."""
        return self._socket.fileno()

    def receive(self, seconds: float = 0.0, others: Sequence[int] = ()) -> list[Any]:
        """The new messages of the server, after waiting up to ``seconds``, or until one of the other
        descriptors can be read. Invalid JSON is skipped."""
        if not self._usable():
            return []
        if seconds:
            self._wait(POLLIN | (POLLOUT if self._unsent else 0), seconds, others)
        self.flushed()
        try:
            while self.is_open:
                chunk = self._socket.recv(1 << 16)
                self._unread += chunk
                if not chunk or len(self._unread) > LONGEST_LINE:
                    self.close()
        except BlockingIOError:
            pass
        except OSError:
            self.close()
        *lines, self._unread = self._unread.split(b"\n")
        return [message for line in lines if (message := decoded(line)) is not None]

    def close(self, seconds: float = 0.0) -> None:
        """Close the socket, after trying for ``seconds`` to send unsent bytes."""
        end = monotonic() + seconds
        while seconds and self.is_open and not self.flushed() and (left := end - monotonic()) > 0:
            self._wait(POLLOUT, left)
        self._close_descriptors()
        if self.is_open:
            self.is_open = False
            if _identity(self._socket) == self._identity:
                self._socket.close()
            else:
                self._socket.detach()  # the script has closed it, and its number may be another file's now

    def flushed(self) -> bool:
        """Send as many unsent bytes as possible without blocking; return whether none are left."""
        try:
            while self._unsent and self._usable():
                rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array("i", self._descriptors))]
                more = rights if self._descriptors else []
                del self._unsent[: self._socket.sendmsg([self._unsent], more, UNTOUCHED)]
                self._close_descriptors()
        except BlockingIOError:
            return False
        except OSError:
            self.close()
        return True

    def _close_descriptors(self) -> None:
        while self._descriptors:
            os.close(self._descriptors.pop())

    def _wait(self, events: int, seconds: float, others: Sequence[int] = ()) -> None:
        """Wait up to ``seconds`` until the socket is ready for these poll events, or has broken, or until
        one of the other descriptors can be read."""
        look = poll()
        look.register(self._socket, events)
        for other in others:
            look.register(other, POLLIN)
        look.poll(1000 * seconds)

    def _usable(self) -> bool:
        if self.is_open and _identity(self._socket) != self._identity:
            self.close()
        return self.is_open


def socket_of_environment() -> JsonSocket | None:
    """The socket that this process was started with, or None. Child processes don't inherit the socket."""
    number = os.environ.pop(VARIABLE, "")
    if not number.isdecimal():
        return None
    try:
        os.set_inheritable(int(number), False)
        return JsonSocket(socket.socket(fileno=int(number)))
    except OSError:  # the variable is stale and names no socket
        return None


def figure(value: float | None) -> float | str | None:
    """The number for JSON: if it isn't finite, as ``"nan"``, ``"inf"`` or ``"-inf"``."""
    return value if value is None or math.isfinite(value) else str(value)


def _identity(line: socket.socket) -> tuple[int, int] | None:
    try:
        status = os.fstat(line.fileno())
    except OSError:
        return None
    return status.st_dev, status.st_ino


def _encoded(message: Mapping[str, Any]) -> bytes:
    try:
        return encode(message).encode()
    except ValueError:
        return encode(_finite(message)).encode()


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return figure(value)
    if isinstance(value, Mapping):
        return {key: _finite(each) for key, each in value.items()}
    return [_finite(each) for each in value] if isinstance(value, (list, tuple)) else value


def decoded(line: bytes) -> Any:
    """The JSON value of a line; None if the line is invalid."""
    try:
        return decode(line.decode())
    except ValueError:
        return None
