"""The kernels: three implementations of S training steps with some members of a population."""

from collections.abc import Callable
from typing import Protocol

from torch import Tensor

from treino.engine.kernels.batched import BatchedKernel
from treino.engine.kernels.lanes import LanesKernel
from treino.engine.kernels.module import ModuleKernel
from treino.engine.model import Model
from treino.engine.population import Population
from treino.engine.step_plan import Chunk


class Kernel(Protocol):
    """A kernel runs training steps.

    A step depends on (seeds, step, rows) and the population's tensors alone. Kernels are called with gradient
    recording off and ``intra_op_threads`` threads set. threads: intra-op threads, which are part of the run's
    identity; or workers, which are not.
    """

    threads: int
    intra_op_threads: int

    def run(self, population: Population, rows: Tensor, chunk: Chunk) -> Tensor:
        """Train members ``rows`` ``[R]`` in place; return each step's loss before its update, ``[S, R]``."""
        ...

    def outputs(self, population: Population, rows: Tensor, x: Tensor) -> Tensor:
        """Return these members' outputs in evaluation mode, ``[R, N, C]`` on the kernel's device."""
        ...


KERNELS: dict[str, Callable[[Model, int], Kernel]] = {
    "module": ModuleKernel,
    "batched": BatchedKernel,
    "lanes": LanesKernel,
}
