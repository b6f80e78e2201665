"""Ctrl-C during a training: recorded by a signal handler, handled between two chunks of steps."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

SIGNALS = "SIGINT", "SIGTERM", "SIGHUP"


@contextmanager
def ctrl_c() -> Iterator[Callable[[], bool]]:
    """Within the block the first Ctrl-C only makes the yielded function return True; a second one raises.

    SIGTERM and a closed terminal work the same way. Outside the main thread signals can't be handled, and the
    function always returns False.
    """
    request = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield request.is_set
        return

    def ask(number: int, frame: FrameType | None) -> None:
        if request.is_set():
            raise KeyboardInterrupt
        request.set()

    signals = [getattr(signal, name) for name in SIGNALS if hasattr(signal, name)]
    # ignored signals are meant for other processes: a training in the background must not end with them
    before = {s: signal.signal(s, ask) for s in signals if signal.getsignal(s) is not signal.SIG_IGN}
    try:
        yield request.is_set
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
