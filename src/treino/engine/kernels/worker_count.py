"""The number of worker threads of ``flat-bmm``, chosen by measured time; it changes no bit of a training."""

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager

TRIALS = 2  # runs with each number at the beginning; the first one warms up
AGAIN = 32  # runs after which another number is tried


class WorkerCount:
    """Chooses the number of workers by timing: threads wait for the interpreter if operations are short, and
    for cores that others use."""

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
        """Time a run. steps: the steps of all members together."""
        begin = time.perf_counter()
        yield
        self.seconds[workers] = (time.perf_counter() - begin) / steps
