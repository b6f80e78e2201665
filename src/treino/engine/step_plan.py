"""The steps of a training: batches, learning-rate factors and evaluations, as functions of the step."""

from dataclasses import dataclass

import torch
from torch import Tensor

from treino.data.row_order import Shuffle, order
from treino.engine.schedules import scale

EVALUATION_SPACING = 20  # steps between two evaluations, at least
MIN_TICK_STEPS = 10  # steps


@dataclass(frozen=True)
class StepPlan:
    """rows: of the training data. batch_size: None for all rows. steps: planned. every: steps per tick.

    schedules: (name, warm-up steps), all that there are among the members. evaluates: whether there are
    validation rows.
    batches: of an epoch, where the rows come in batches of their own; batch_size is then their largest.
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

    @property
    def steps_per_epoch(self) -> int:
        if self.batches is not None:
            return self.batches
        return 1 if self.batch_size is None else -(-self.rows // self.batch_size)

    def factors(self, first: int, stop: int) -> list[list[float]]:
        """What the learning rate is multiplied with at each of these steps, by schedule."""
        return [
            [scale(name, warmup, step, self.steps) for step in range(first, stop)]
            for name, warmup in self.schedules
        ]

    def epoch_of(self, step: int) -> int:
        """The number, from 1 on, of the epoch that update number ``step`` belongs to; 0 before the first."""
        return -(-step // self.steps_per_epoch)

    def passes(self, step: int) -> float:
        """Passes over the rows after so many updates: a whole number at an epoch's end."""
        per = self.steps_per_epoch
        return step // per if step % per == 0 else step / per

    def next_evaluation(self, step: int, last: int) -> int:
        """The first epoch's end after ``step`` that is 20 steps from the last evaluation, or the very end."""
        if not self.evaluates:
            return self.steps
        border = self.steps_per_epoch * self.epoch_of(max(step + 1, last + EVALUATION_SPACING))
        return min(border, self.steps)


class BatchIndices:
    """The row numbers of every step's batch: a function of (data_seed, step), with the epoch's order kept."""

    def __init__(self, plan: StepPlan, device: torch.device) -> None:
        self.plan, self.device = plan, device
        self._epoch, self._split = -1, tuple[Tensor, ...]()

    def __call__(self, first: int, steps: int) -> list[Tensor | None]:
        plan = self.plan
        if plan.batch_size is None:
            return [None] * steps
        found: list[Tensor | None] = []
        for step in range(first, first + steps):
            epoch, place = divmod(step, plan.steps_per_epoch)
            if epoch != self._epoch:
                index = order(plan.rows, plan.data_seed, epoch, plan.shuffle).to(self.device)
                self._epoch, self._split = epoch, index.split(plan.batch_size)
            found.append(self._split[place])
        return found
