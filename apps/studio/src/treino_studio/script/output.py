"""The page shows the lines that a script writes to its standard streams, as it writes them."""

import re
import sys
import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from time import perf_counter
from typing import Any

EVERY = 0.1  # seconds between two messages
MOST_LINES = 500  # maximum number of lines in a message: the newest
LONGEST = 2000  # maximum number of characters of a line that are shown
STEERING = re.compile(r"\x1b(\[[0-?]*[ -/]*[@-~]|[@-Z\\-_])")  # a terminal's colours and moves of its cursor


class PrintedLines:
    """The lines that a script prints from now on and that no message has contained yet; they are posted a few
    times a second. What waits is posted with a later line, or by ``flush``.

    What a script sees of its streams stays: their type, encoding, buffers, ``isatty``, errors.
    post: called with a message ``{"output": [[stream, line, step], …]}``, where a stream is "stdout" or
    "stderr". step: how many steps the script has made.
    """

    def __init__(self, post: Callable[[dict[str, Any]], object], step: Callable[[], int] = int) -> None:
        self._post, self._step = post, step
        self._lines: deque[tuple[str, str, int]] = deque(maxlen=MOST_LINES)
        self._unfinished = {"stdout": "", "stderr": ""}
        self._lock = threading.RLock()
        self._next_message = 0.0
        self._streams = [(name, getattr(sys, name)) for name in self._unfinished]
        for name, stream in self._streams:
            self._listen(name, stream)

    def _listen(self, name: str, stream: Any) -> None:
        """Replace the ``write`` of a stream, which otherwise stays as it is."""
        write: Any = getattr(stream, "write", None)

        def heard(text: str, /) -> Any:
            count = write(text)
            self._add(name, text)
            return count

        with suppress(AttributeError):  # no stream, or one whose ``write`` can't be replaced
            stream.write = heard

    def _add(self, name: str, text: str) -> None:
        with self._lock:
            *lines, rest = (self._unfinished[name] + text).split("\n")
            self._lines.extend((name, line, self._step()) for line in lines)
            self._unfinished[name] = rest if len(rest) <= LONGEST else shown(rest)
            if lines and perf_counter() >= self._next_message:
                self.flush()

    def flush(self, *, last: bool = False) -> None:
        """Post the waiting lines. last: also a last line without a line end."""
        with self._lock:
            for name, rest in self._unfinished.items() if last else ():
                if rest:
                    self._lines.append((name, rest, self._step()))
                    self._unfinished[name] = ""
            if self._lines:
                lines = [[name, shown(line), step] for name, line, step in self._lines]
                self._lines.clear()
                self._next_message = perf_counter() + EVERY
                self._post({"output": lines})

    def close(self) -> None:
        """Post what is left, and restore the streams' own ``write``."""
        self.flush(last=True)
        for _name, stream in self._streams:
            if getattr(vars(stream).get("write"), "__name__", "") == "heard":
                del stream.write


def shown(line: str) -> str:
    """A line as a terminal shows it in the end: for a progress bar, which begins anew, its last state."""
    line = STEERING.sub("", line)
    states = [state for state in line.split("\r") if state.strip()]
    last = states[-1] if states else ""
    return last if len(last) <= LONGEST else last[: LONGEST - 1] + "…"
