"""The steps of a training: batches, learning-rate factors and evaluations, as functions of the step."""

from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from treino.data.row_order import Shuffle, order
from treino.engine.epoch_count import EpochStretch
from treino.engine.schedules import scale

EVALUATION_SPACING = 20  # steps between two evaluations, at least
MIN_TICK_STEPS = 10  # steps


@dataclass(frozen=True)
class Past:
    """The past of a training that continues another one's state.

    passes: the count of epochs up to ``first``, if an epoch begins anew there. optimizer: the updates before
    the optimizer's state started at zero. order: the seed of the row order, if it isn't the data's.
    """

    first: int = 0
    passes: EpochStretch | None = None
    optimizer: int = 0
    order: int | None = None

    def count(self, per: int) -> EpochStretch:
        """The count of its epochs, which have ``per`` steps from ``first`` on."""
        return EpochStretch(per) if self.passes is None else self.passes.restarted(self.first, per)


@dataclass(frozen=True)
class StepPlan:
    """The steps of a training. rows: the number of training rows. batch_size: None for all rows. steps: the
    planned steps. every: steps per tick.

    schedules: the different (name, warm-up steps) of all members. evaluates: whether there are validation
    rows.
    batches: the batches of an epoch, if a DataLoader makes them; batch_size is then the largest. past: of a
    training that continues another one's state. by_steps: whether its length was set in steps. orders: the
    different seeds of row orders, if members have several; for rows in memory and kernels that train members
    one after the other.
    """

    rows: int
    batch_size: int | None
    steps: int
    schedules: tuple[tuple[str, int], ...]
    shuffle: Shuffle
    data_seed: int
    every: int
    evaluates: bool
    batches: int | None = None
    past: Past = Past()
    by_steps: bool = False
    orders: tuple[int, ...] = ()

    @property
    def steps_per_epoch(self) -> int:
        if self.batches is not None:
            return self.batches
        return 1 if self.batch_size is None else -(-self.rows // self.batch_size)

    @cached_property
    def count(self) -> EpochStretch:
        """The count of epochs."""
        return self.past.count(self.steps_per_epoch)

    def factors(self, first: int, stop: int) -> list[list[float]]:
        """The factors of the learning rate at each of these steps, by schedule."""
        return [
            [self._factor(name, warmup, step) for step in range(first, stop)]
            for name, warmup in self.schedules
        ]

    def _factor(self, name: str, warmup: int, step: int) -> float:
        """The factor at a step. If the length is set in epochs, the progress is that of epochs, even if their
        lengths in steps vary."""
        if step < warmup or self.by_steps:
            return scale(name, warmup, step, self.steps)
        more = self.count.start_epoch * self.steps_per_epoch - self.count.start_step
        return scale(name, min(warmup, step + more), step + more, self.steps + more)

    def next_evaluation(self, step: int, last: int) -> int:
        """The first epoch's end after ``step`` that is 20 steps from the last evaluation, or the end of the
        training."""
        if not self.evaluates:
            return self.steps
        epoch = self.count.epoch_of(max(step + 1, last + EVALUATION_SPACING))
        return min(self.count.end_of(epoch), self.steps)


class BatchIndices:
    """The row numbers of every step's batch, a function of (seed, step). Caches the order of the epoch.

    seed: of the order, default the plan's ``data_seed``.
    """

    def __init__(self, plan: StepPlan, device: torch.device, seed: int | None = None) -> None:
        self.plan, self.device = plan, device
        self.seed = plan.data_seed if seed is None else seed
        self._epoch, self._split = -1, tuple[Tensor, ...]()

    def __call__(self, first: int, steps: int) -> list[Tensor | None]:
        plan = self.plan
        if plan.batch_size is None:
            return [None] * steps
        indices: list[Tensor | None] = []
        for step in range(first, first + steps):
            epoch, place = plan.count.place(step)
            if epoch != self._epoch:
                index = order(plan.rows, self.seed, epoch, plan.shuffle).to(self.device)
                self._epoch, self._split = epoch, index.split(plan.batch_size)
            indices.append(self._split[place])
        return indices
