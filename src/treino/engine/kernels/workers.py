"""Threads that share the jobs of a kernel; the calling thread is one of them."""

import math
import os
import signal
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from functools import partial
from types import FrameType
from typing import TypeVar

import torch

# ---- the number of workers

TRIALS = 2  # runs with each number of workers at the start; the first one warms up
RUNS = 3  # runs of which the fastest counts
AGAIN = 32  # runs after which the slower number is tried again


class WorkerCount:
    """Chooses between one worker and ``most`` by timing, which changes no bit: threads wait for the GIL if
    operations are short, for each other, and for cores that other processes use."""

    def __init__(self, most: int) -> None:
        self.options = [most, 1] if most > 1 else [1]
        # seconds per step, member or row in the last runs, so that one delayed run decides nothing
        self.seconds = {workers: deque([math.inf], RUNS) for workers in self.options}
        self.runs = 0

    def workers(self) -> int:
        """The number of workers for the next run."""
        self.runs += 1
        if self.runs <= TRIALS * len(self.options):
            return self.options[(self.runs - 1) % len(self.options)]
        if self.runs % AGAIN == 0:
            return max(self.options, key=self._seconds)
        return self.fastest()

    def fastest(self) -> int:
        return min(self.options, key=self._seconds)

    def _seconds(self, workers: int) -> float:
        return min(self.seconds[workers])

    @contextmanager
    def timed(self, workers: int, steps: int) -> Iterator[None]:
        """Time a run. steps: the sum of all members' steps, or rows."""
        begin = time.perf_counter()
        yield
        self.seconds[workers].append((time.perf_counter() - begin) / steps)


# ---- worker threads

Part = TypeVar("Part")
Done = TypeVar("Done")

LOOK_SECONDS = 0.1  # a signal that comes just before the wait doesn't end it
SIGNALS = "SIGINT", "SIGTERM", "SIGHUP"


class Workers:
    """Workers with one intra-op thread each: a pool started at first use, and the caller's thread."""

    def __init__(self, threads: int) -> None:
        self.threads = threads
        self._pool: ThreadPoolExecutor | None = None
        self._process = 0

    def map(self, job: Callable[[Part], Done], parts: Sequence[Part]) -> list[Done]:
        """The results of the job for all parts, in their order."""
        results = dict[int, Done]()

        def one(i: int) -> None:
            results[i] = job(parts[i])

        self.run([partial(one, i) for i in range(len(parts))], lambda: None, caller=True)
        return [results[i] for i in range(len(parts))]

    def run(self, jobs: Sequence[Callable[[], None]], stop: Callable[[], None], *, caller: bool) -> None:
        """Run all jobs; a worker that is done takes the next one. On return none of them runs any more.

        caller: whether the caller's thread is one of the workers, which is quicker; signals then wait for its
        jobs to end. stop: called when a job or a signal's handler raises, to make the jobs end early; the
        error is raised when they have ended, however many signals come meanwhile.
        """
        if caller and (self.threads == 1 or len(jobs) == 1):  # errors may be raised at once
            for job in jobs:
                job()
            return
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
    """Within the block, an exception of a signal handler is passed to ``fail`` and interrupts nothing."""
    if threading.current_thread() is not threading.main_thread():  # only that thread runs handlers
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
