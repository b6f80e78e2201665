"""Waiting for what others do: for the event itself, on a machine however busy."""

import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

T = TypeVar("T")

HANG = 600.0  # seconds: what takes so long never comes


def until(
    event: Callable[[], T],
    process: "subprocess.Popen[Any] | None" = None,
    *,
    meanwhile: Callable[[], object] = lambda: time.sleep(0.01),
) -> T:
    """What it answers as soon as that is true. process: whose end leaves nothing to wait for. meanwhile: what
    is done between two looks."""
    end = time.monotonic() + HANG
    while True:
        ended = process is not None and process.poll() is not None
        if answer := event():
            return answer
        assert not ended, f"the process has ended, with status {process and process.returncode}"
        assert time.monotonic() < end, f"it has not come in {HANG:.0f} s"
        meanwhile()


@contextmanager
def ignored(*numbers: signal.Signals) -> Iterator[None]:
    """What is started inside ignores these signals, as what ``nohup``, or a shell with ``&``, starts does."""
    before = {number: signal.signal(number, signal.SIG_IGN) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class Hangs(BaseException):
    """It would go on for ever."""


@contextmanager
def no_hang() -> Iterator[None]:
    """What hangs inside, in this process, is ended by ``Hangs``."""

    def wake(*_: object) -> None:
        raise Hangs

    before = signal.signal(signal.SIGALRM, wake)
    signal.setitimer(signal.ITIMER_REAL, HANG)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
