"""Threads that share out the jobs of a kernel, with the thread that calls it among them."""

import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from types import FrameType

import torch

LOOK_SECONDS = 0.1  # a signal that comes just before the wait doesn't end it
SIGNALS = "SIGINT", "SIGTERM", "SIGHUP"


class Workers:
    """Workers with one intra-op thread each: a pool started at first use, and the caller's thread."""

    def __init__(self, threads: int) -> None:
        self.threads = threads
        self._pool: ThreadPoolExecutor | None = None
        self._process = 0

    def run(self, jobs: Sequence[Callable[[], None]], stop: Callable[[], None], *, caller: bool) -> None:
        """Run all jobs; a worker that is done takes the next one. On return none of them runs any more.

        caller: whether the caller's thread is one of the workers, which is quicker; signals then wait for its
        jobs to end. stop: called when a job or a signal's handler raises, to make the jobs end early; the
        error is raised when they have ended, however many signals come meanwhile.
        """
        queue, errors = deque(jobs), list[BaseException]()

        def fail(error: BaseException) -> None:
            errors.append(error)
            stop()

        def work() -> None:
            while not errors:
                try:
                    job = queue.popleft()
                except IndexError:
                    return
                try:
                    job()
                except BaseException as error:
                    fail(error)

        with _signals_deferred(fail):
            others = list[Future[None]]()
            try:
                while len(others) + caller < min(self.threads, len(jobs)):
                    others.append(self._started().submit(work))
                if caller:
                    work()
            except BaseException as error:  # no thread could be started
                fail(error)
            while wait(others, LOOK_SECONDS).not_done:
                pass
        if errors:
            raise errors[0]

    def _started(self) -> ThreadPoolExecutor:
        if self._pool is None or self._process != os.getpid():  # a fork has none of its parent's threads
            self._pool = ThreadPoolExecutor(self.threads, "treino", torch.set_num_threads, (1,))
            self._process = os.getpid()
        return self._pool


@contextmanager
def _signals_deferred(fail: Callable[[BaseException], None]) -> Iterator[None]:
    """Within the block, what a signal's handler raises is given to ``fail`` and interrupts nothing."""
    if threading.current_thread() is not threading.main_thread():  # handlers run in that one alone
        yield
        return
    inside = True

    def deferred(
        handler: Callable[[int, FrameType | None], object],
    ) -> Callable[[int, FrameType | None], None]:
        def handle(number: int, frame: FrameType | None) -> None:
            try:
                handler(number, frame)
            except BaseException as error:
                if not inside:
                    raise
                fail(error)

        return handle

    before = {}
    try:
        for number in (getattr(signal, name) for name in SIGNALS if hasattr(signal, name)):
            if callable(handler := signal.getsignal(number)):
                before[number] = handler
                signal.signal(number, deferred(handler))
        yield
    finally:
        inside = False
        for number, handler in before.items():
            signal.signal(number, handler)
