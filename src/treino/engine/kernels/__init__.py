"""The kernels: four implementations of S training steps with some members of a population."""

from collections.abc import Callable
from typing import Protocol

from torch import Tensor

from treino.engine.chunk import Chunk
from treino.engine.kernels.flat_bmm import FlatBmmKernel
from treino.engine.kernels.flat_loop import FlatLoopKernel
from treino.engine.kernels.lanes import LanesKernel
from treino.engine.kernels.module import ModuleKernel
from treino.engine.population import Population
from treino.engine.shared_config import SharedConfig


class Kernel(Protocol):
    """A step is a function of (seeds, step, rows) and the population's tensors alone.

    Called without gradients being recorded and with ``intra_op_threads`` threads set. threads: what the run's
    identity names, or the number of workers.
    """

    threads: int
    intra_op_threads: int

    def run(self, population: Population, rows: Tensor, chunk: Chunk) -> Tensor:
        """Train these members (rows ``[R]``) in place; -> each step's loss before its update ``[S, R]``."""
        ...

    def outputs(self, population: Population, rows: Tensor, x: Tensor) -> Tensor:
        """Evaluation mode: ``[R, N, C]`` on the kernel's device."""
        ...


KERNELS: dict[str, Callable[[SharedConfig, int], Kernel]] = {
    "module": ModuleKernel,
    "flat-loop": FlatLoopKernel,
    "flat-bmm": FlatBmmKernel,
    "lanes": LanesKernel,
}
