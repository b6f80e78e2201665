"""What a training is going to do: fixed numbers, and the pure functions of them."""

from dataclasses import dataclass

import torch
from torch import Tensor

from treino.data.batches import Shuffle, order
from treino.engine.schedules import scale

EVALUATION_APART = 20  # steps
TICK_LEAST = 10  # steps


@dataclass(frozen=True)
class Plan:
    """batch_size: None for all rows. patience in epochs, 0: never stop early. every: steps per tick."""

    rows: int
    batch_size: int | None
    steps: int
    schedule: str
    warmup: int
    patience: int
    metric: str
    keep: str
    shuffle: Shuffle
    data_seed: int
    every: int
    evaluates: bool

    @property
    def steps_per_epoch(self) -> int:
        return 1 if self.batch_size is None else -(-self.rows // self.batch_size)

    def factor(self, step: int) -> float:
        return scale(self.schedule, self.warmup, step, self.steps)

    def epoch_of(self, step: int) -> int:
        """The number, from 1 on, of the epoch that update number ``step`` belongs to; 0 before the first."""
        return -(-step // self.steps_per_epoch)

    def next_evaluation(self, step: int, last: int) -> int:
        """The first epoch's end after ``step`` that is 20 steps from the last evaluation, or the very end."""
        if not self.evaluates:
            return self.steps
        border = self.steps_per_epoch * self.epoch_of(max(step + 1, last + EVALUATION_APART))
        return min(border, self.steps)


class Batches:
    """The batch of every step; a function of (data_seed, step), with the epoch's order kept in between."""

    def __init__(self, plan: Plan, device: torch.device) -> None:
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


class EpochLoss:
    """Mean and deviation of an epoch's losses, summed step by step in float64: cuts change nothing.

    Sums are of differences from the epoch's first loss, so that a small deviation isn't lost beside the mean.
    """

    def __init__(self, members: int) -> None:
        self.count = 0
        self.sums = torch.zeros(3, members, dtype=torch.float64)  # first loss, Σ difference, Σ difference²
        self.last = torch.full(
            (members,), torch.nan, dtype=torch.float64
        )  # mean of the last epoch trained in

    def add(self, loss_SP: Tensor) -> None:
        if not len(loss_SP):
            return
        loss_SP = loss_SP.double()
        if not self.count:
            self.sums.zero_()
            self.sums[0] = loss_SP[0]
        difference_SP = loss_SP - self.sums[0]
        for place, more_SP in ((1, difference_SP), (2, difference_SP.square())):
            # cumsum adds one after the other along dim 0, sum would add in pairs that depend on the cut
            self.sums[place] = torch.cat([self.sums[place].unsqueeze(0), more_SP]).cumsum(0)[-1]
        self.count += len(loss_SP)

    def mean(self) -> Tensor:
        return self.sums[0] + self.sums[1] / max(1, self.count)

    def end(self) -> tuple[Tensor, Tensor]:
        """-> (mean, deviation), each ``[P]``; the next loss begins a new epoch."""
        mean_P = self.mean()
        variance_P = self.sums[2] / self.count - (self.sums[1] / self.count).square()
        self.last = torch.where(mean_P.isnan(), self.last, mean_P)
        self.count = 0
        return mean_P, variance_P.clamp(min=0).sqrt()
