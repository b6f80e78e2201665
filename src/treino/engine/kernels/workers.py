"""Worker threads for the parts of a kernel's work, each with one intra-op thread."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from typing import TypeVar

import torch

Part = TypeVar("Part")
Done = TypeVar("Done")


class Workers:
    """A pool of threads, started at first use."""

    def __init__(self, threads: int) -> None:
        self.threads = threads
        self._pool: ThreadPoolExecutor | None = None

    def map(
        self, job: Callable[[Part], Done], parts: Sequence[Part], interrupt: Callable[[], None] = lambda: None
    ) -> list[Done]:
        """The job's results for all parts, in order.

        interrupt: makes the jobs end early if one fails or at an interrupt.
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
            wait(futures)  # after a Ctrl-C no thread may write into the population any more
