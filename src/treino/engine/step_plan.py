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
    """What a training that goes on with another one's state takes over from it.

    passes: how its steps were counted in epochs up to ``first``, where an epoch begins anew there.
    optimizer: updates that were done before the optimizer's state began at zero.
    order: seed of the rows' order, where it isn't the data's.
    """

    first: int = 0
    passes: EpochStretch | None = None
    optimizer: int = 0
    order: int | None = None

    def count(self, per: int) -> EpochStretch:
        """Of its epochs, which are of ``per`` steps from ``first`` on."""
        return EpochStretch(per) if self.passes is None else self.passes.restarted(self.first, per)


@dataclass(frozen=True)
class StepPlan:
    """rows: of the training data. batch_size: None for all rows. steps: planned. every: steps per tick.

    schedules: (name, warm-up steps), all that there are among the members. evaluates: whether there are
    validation rows.
    batches: of an epoch, where the rows come in batches of their own; batch_size is then their largest.
    past: of a training that goes on with another one's state. by_steps: whether its length was said in steps.
    orders: seeds of the rows' orders, all that there are among the members, where these are several; for rows
    in memory and kernels that take the members one after the other.
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
        """Which steps are which epoch's."""
        return self.past.count(self.steps_per_epoch)

    def factors(self, first: int, stop: int) -> list[list[float]]:
        """What the learning rate is multiplied with at each of these steps, by schedule."""
        return [
            [self._factor(name, warmup, step) for step in range(first, stop)]
            for name, warmup in self.schedules
        ]

    def _factor(self, name: str, warmup: int, step: int) -> float:
        """A training that is so many epochs long is as far in its schedule as it is in its epochs, however
        many steps these had."""
        if step < warmup or self.by_steps:
            return scale(name, warmup, step, self.steps)
        more = self.count.start_epoch * self.steps_per_epoch - self.count.start_step
        return scale(name, min(warmup, step + more), step + more, self.steps + more)

    def next_evaluation(self, step: int, last: int) -> int:
        """The first epoch's end after ``step`` that is 20 steps from the last evaluation, or the very end."""
        if not self.evaluates:
            return self.steps
        epoch = self.count.epoch_of(max(step + 1, last + EVALUATION_SPACING))
        return min(self.count.end_of(epoch), self.steps)


class BatchIndices:
    """The row numbers of every step's batch: a function of (seed, step), with the epoch's order kept.

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
