"""A chunk: consecutive steps that a kernel runs in one call (rows, batches, learning-rate factors)."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from torch import Tensor

from treino.engine.population import Copies, Population

Batches = Sequence[Tensor | None]
EVALUATION_ROWS = 1024  # a pass of every kernel; fixed, for a product's bits may depend on its number of rows


@dataclass(frozen=True, eq=False)
class Chunk:
    """The input of S steps: the rows, the batch of every step (None: all rows), and their place in the run.

    x: ``[N, D]``, or ``[N, *item_shape]`` for a module of the user's. y: ``[N]`` int64 or ``[N, K]``.
    first: updates done before. optimizer_first: the updates since the optimizer's state was zero, which are
    fewer if the training changed its optimizer. factors: for each of the plan's schedules, one per step.
    orders: the batches by each of the plan's orders, if it has several.
    keyframe_steps: the steps, from 1 on, after which the kernel adds copies of the one member's rows to
    ``keyframe_copies``.
    """

    x: Tensor
    y: Tensor
    batches: Batches
    first: int
    optimizer_first: int
    factors: list[list[float]]
    orders: Sequence[Batches] = ()
    keyframe_steps: frozenset[int] = frozenset()
    keyframe_copies: list[Copies] = field(default_factory=list)

    @property
    def steps(self) -> int:
        return len(self.batches)

    @property
    def stop(self) -> int:
        """The updates done after the chunk."""
        return self.first + len(self.batches)

    def batches_of(self, population: Population, row: int) -> Batches:
        """The batches of one member."""
        return self.orders[int(population.order_P[row])] if self.orders else self.batches

    def copy_member(self, population: Population) -> None:
        """Add a copy of the only member's present rows."""
        self.keyframe_copies.append(population.copies())
