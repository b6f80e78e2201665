"""What a training is going to do: fixed numbers, and the pure functions of them."""

from dataclasses import dataclass

import torch
from torch import Tensor

from treino.data.batches import Shuffle, order
from treino.engine.schedules import scale

EVALUATION_SPACING = 20  # steps
MIN_TICK_STEPS = 10  # steps


@dataclass(frozen=True)
class StepPlan:
    """batch_size: None for all rows. patience in epochs, 0: never stop early. every: steps per tick.

    schedules: (name, warm-up steps), all that there are among the members.
    batches: of an epoch, where the rows come in batches of their own; batch_size is then their largest.
    """

    rows: int
    batch_size: int | None
    steps: int
    schedules: tuple[tuple[str, int], ...]
    patience: int
    metric: str
    keep: str
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
    """The batch of every step; a function of (data_seed, step), with the epoch's order kept in between."""

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


class EpochLoss:
    """Mean and deviation of each epoch's losses, summed step by step in float64: cuts change nothing.

    Sums are of differences from the epoch's first loss, so that a small deviation isn't lost beside the mean.
    count: steps of the epoch begun so far. last: the mean of the last epoch that each member ended.
    """

    def __init__(self, members: int) -> None:
        self.count = 0
        self.sums = torch.zeros(3, members, dtype=torch.float64)  # first loss, Σ difference, Σ difference²
        self.last = torch.full((members,), torch.nan, dtype=torch.float64)

    def add(self, loss_SP: Tensor, per_epoch: int, over: bool = False) -> tuple[Tensor, Tensor]:
        """-> mean, deviation ``[E, P]`` of the epochs that these steps end; over: the cut last one too."""
        loss_SP, steps = loss_SP.double(), loss_SP.shape[0]
        parts: list[Tensor] = []  # sums [E, 3, P] of epochs that have ended
        counts: list[int] = []
        at = 0
        while at < steps:
            whole = (steps - at) // per_epoch
            if self.count or not whole:
                taken = min(per_epoch - self.count, steps - at)
                self._go_on(loss_SP[at : at + taken])
                if self.count == per_epoch or (over and at + taken == steps):
                    parts.append(self.sums.clone().unsqueeze(0))
                    counts.append(self.count)
                    self.count = 0
                    self.sums.zero_()  # what is saved must not tell how the steps were cut
            else:
                taken = whole * per_epoch
                loss_ESP = loss_SP[at : at + taken].unflatten(0, (whole, per_epoch))
                parts.append(torch.cat([loss_ESP[:, :1], _summed(loss_ESP - loss_ESP[:, :1])], 1))
                counts += [per_epoch] * whole
            at += taken
        if not parts:
            return loss_SP[:0], loss_SP[:0]
        sums_E3P, count_E1 = torch.cat(parts), torch.tensor(counts, dtype=torch.float64).unsqueeze(1)
        shift_EP = sums_E3P[:, 1] / count_E1
        mean_EP = sums_E3P[:, 0] + shift_EP
        variance_EP = sums_E3P[:, 2] / count_E1 - shift_EP.square()
        for mean_P in mean_EP[-1:] if not bool(mean_EP.isnan().any()) else mean_EP:
            self.last = torch.where(mean_P.isnan(), self.last, mean_P)
        return mean_EP, variance_EP.clamp(min=0).sqrt()

    def _go_on(self, loss_SP: Tensor) -> None:
        if not self.count:
            self.sums.zero_()
            self.sums[0] = loss_SP[0]
        self.sums[1:] = _summed((loss_SP - self.sums[0]).unsqueeze(0), self.sums[1:])[0]
        self.count += loss_SP.shape[0]


def _summed(difference_ESP: Tensor, before_2P: Tensor | None = None) -> Tensor:
    """-> Σ difference and Σ difference² ``[E, 2, P]``, added one after the other.

    cumsum does that along its dimension; sum would add in pairs, and those depend on the cut.
    """
    more_ES2P = torch.stack((difference_ESP, difference_ESP.square()), 2)
    if before_2P is not None:
        more_ES2P[:, 0] += before_2P
    return more_ES2P.cumsum(1)[:, -1] if more_ES2P.shape[1] > 1 else more_ES2P[:, 0]
