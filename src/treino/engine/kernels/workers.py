"""Worker threads that train parts of a population, and the choice of how many of them."""

import math
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager
from typing import TypeVar

import torch

# ---- the number of workers

TRIALS = 2  # runs with each number of workers at the start; the first one warms up
AGAIN = 32  # runs after which the slower number is tried again


class WorkerCount:
    """Chooses between one worker and ``most`` by timing: threads wait for the GIL if operations are short,
    and for cores that other processes use."""

    def __init__(self, most: int) -> None:
        self.options = [most, 1] if most > 1 else [1]
        self.seconds = dict.fromkeys(self.options, math.inf)  # per step and member, in the last run
        self.runs = 0

    def workers(self) -> int:
        """The number of workers for the next run."""
        self.runs += 1
        if self.runs <= TRIALS * len(self.options):
            return self.options[(self.runs - 1) % len(self.options)]
        if self.runs % AGAIN == 0:
            return max(self.options, key=self.seconds.__getitem__)
        return self.fastest()

    def fastest(self) -> int:
        return min(self.options, key=self.seconds.__getitem__)

    @contextmanager
    def timed(self, workers: int, steps: int) -> Iterator[None]:
        """Time a run. steps: the sum of all members' steps."""
        begin = time.perf_counter()
        yield
        self.seconds[workers] = (time.perf_counter() - begin) / steps


# ---- worker threads

Part = TypeVar("Part")
Done = TypeVar("Done")


class Workers:
    """A pool of threads with one intra-op thread each, started at first use."""

    def __init__(self, threads: int) -> None:
        self.threads = threads
        self._pool: ThreadPoolExecutor | None = None

    def map(
        self, job: Callable[[Part], Done], parts: Sequence[Part], interrupt: Callable[[], None] = lambda: None
    ) -> list[Done]:
        """Run the job on all parts; return the results in order.

        interrupt: called at Ctrl-C or if a job fails, to make the jobs end early.
        """
        if self.threads == 1 or len(parts) == 1:
            return [job(part) for part in parts]
        if self._pool is None:
            self._pool = ThreadPoolExecutor(self.threads, "treino", torch.set_num_threads, (1,))
        futures = [self._pool.submit(job, part) for part in parts]
        try:
            return [future.result() for future in futures]
        except BaseException:
            interrupt()
            raise
        finally:
            wait(futures)  # after Ctrl-C no thread may still write into the population
