"""Threads that do parts of a kernel's work side by side, each with one thread of torch's own."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from typing import TypeVar

import torch

Part = TypeVar("Part")
Done = TypeVar("Done")


class Workers:
    """So many threads, started when they are first needed."""

    def __init__(self, threads: int) -> None:
        self.threads = threads
        self._pool: ThreadPoolExecutor | None = None

    def map(
        self, job: Callable[[Part], Done], parts: Sequence[Part], interrupt: Callable[[], None] = lambda: None
    ) -> list[Done]:
        """What the job gives for each part, in their order.

        interrupt: has the jobs end early, where one failed or somebody wants to stop.
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
            wait(futures)  # after a Ctrl-C nobody may write into the population any more
