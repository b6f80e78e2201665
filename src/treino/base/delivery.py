"""Deliver calls to something slow or unreliable, in order, on a thread of its own."""

import queue
import threading
from collections.abc import Callable
from typing import Any

from treino.base.errors import cause
from treino.base.words import _

MOST_WAITING = 10_000  # calls in a queue; while there are more, calls that may be lost are dropped


class Delivery:
    """A receiver and its queue of calls. make: makes the receiver, on its own thread. failure: why it gets no
    more calls; empty while it gets them."""

    def __init__(self, name: str, make: Callable[[], Any]) -> None:
        self.name, self.failure = name, ""
        self._make = make
        self._waiting: queue.Queue[tuple[str, tuple[Any, ...]] | None] = queue.Queue()
        self._thread = threading.Thread(target=self._work, name=f"treino-{name}", daemon=True)
        self._thread.start()

    def tell(self, what: str, *values: Any, may_be_lost: bool = False) -> None:
        """Queue a call of the receiver's method named ``what``; its thread makes the call later."""
        if not self.failure and not (may_be_lost and self._waiting.qsize() >= MOST_WAITING):
            self._waiting.put((what, values))

    def end(self, patience: float) -> None:
        """Wait for the remaining calls, at most ``patience`` seconds."""
        self._waiting.put(None)
        self._thread.join(patience)
        if self._thread.is_alive() and not self.failure:
            self.failure = _("it took longer than {n:g} s").format(n=patience)

    def _work(self) -> None:
        try:
            receiver = self._make()
            while (call := self._waiting.get()) is not None:
                getattr(receiver, call[0])(*call[1])
        except BaseException as error:  # errors of the receiver don't end the training
            self.failure = cause(error)
