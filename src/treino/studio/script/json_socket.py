"""The script's end of the socket to the studio's server: JSON, one object a line. Writing never waits."""

import math
import os
import socket
from collections.abc import Mapping
from json import JSONDecoder, JSONEncoder
from select import POLLIN, POLLOUT, poll
from time import monotonic
from typing import Any

VARIABLE = "TREINO_STUDIO_SOCKET"  # the number of the socket's file descriptor
LONGEST_LINE = 1 << 20  # bytes; no command is as long
UNTOUCHED = getattr(socket, "MSG_NOSIGNAL", 0)  # the script may have made SIGPIPE deadly again
# made before the script runs, which may replace functions of json
encode = JSONEncoder(allow_nan=False, separators=(",", ":")).encode
decode = JSONDecoder().decode


class JsonSocket:
    """A socket to a server that may be slow or dead: then figures are left out and the script goes on.

    is_open: whether the server is still there, as far as this process knows.
    """

    def __init__(self, line: socket.socket) -> None:
        line.setblocking(False)
        self._socket = line
        self._identity = _identity(line)
        self._unsent = bytearray()
        self._unread = b""
        self.is_open = True
        os.register_at_fork(after_in_child=self.close)  # it belongs to this process alone

    def post(self, message: Mapping[str, Any]) -> None:
        """Send as much of a message as possible at once; the rest follows later."""
        if self._usable():
            self._unsent += _encoded(message) + b"\n"
            self.flushed()

    def receive(self, seconds: float = 0.0) -> list[Any]:
        """The messages of the server, waiting so long for them; lines that are no JSON are left out."""
        if not self._usable():
            return []
        if seconds:
            self._wait(POLLIN | (POLLOUT if self._unsent else 0), seconds)
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
        """Close the socket; unsent bytes have so many seconds to go."""
        end = monotonic() + seconds
        while seconds and self.is_open and not self.flushed() and (left := end - monotonic()) > 0:
            self._wait(POLLOUT, left)
        if self.is_open:
            self.is_open = False
            if _identity(self._socket) == self._identity:
                self._socket.close()
            else:
                self._socket.detach()  # the script has closed it, and another file has its number now

    def flushed(self) -> bool:
        """Send as many waiting bytes as the system takes; return whether none are left."""
        try:
            while self._unsent and self._usable():
                del self._unsent[: self._socket.send(self._unsent, UNTOUCHED)]
        except BlockingIOError:
            return False
        except OSError:
            self.close()
        return True

    def _wait(self, events: int, seconds: float) -> None:
        """Wait until the socket can be read or written, or has broken."""
        look = poll()
        look.register(self._socket, events)
        look.poll(1000 * seconds)

    def _usable(self) -> bool:
        if self.is_open and _identity(self._socket) != self._identity:
            self.close()
        return self.is_open


def socket_of_environment() -> JsonSocket | None:
    """The socket that this process was started with, hidden from its own children; None without one."""
    number = os.environ.pop(VARIABLE, "")
    if not number.isdecimal():
        return None
    try:
        os.set_inheritable(int(number), False)
        return JsonSocket(socket.socket(fileno=int(number)))
    except OSError:  # a stale variable that names no socket
        return None


def figure(value: float | None) -> float | str | None:
    """The number for JSON: one that is not finite becomes ``"nan"``, ``"inf"`` or ``"-inf"``."""
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
    """A line's value; None if it is no JSON."""
    try:
        return decode(line.decode())
    except ValueError:
        return None
