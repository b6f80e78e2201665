"""The count of epochs over a training's steps, also if its batch size changed on the way."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class EpochStretch:
    """A stretch of epochs of equal length, from a step on.

    start_step: the updates before this stretch. start_epoch: the epochs begun before it; the last of them is
    cut short at ``start_step``, unless it ends there. previous: the stretch before, if there is one.
    """

    steps_per_epoch: int
    start_step: int = 0
    start_epoch: int = 0
    previous: "EpochStretch | None" = None

    def restarted(self, step: int, per: int) -> "EpochStretch":
        """A count with epochs of ``per`` steps after ``step`` updates; the next step begins an epoch."""
        return EpochStretch(per, step, self.epoch_of(step), self)

    @property
    def parts(self) -> "list[EpochStretch]":
        """This stretch and all earlier ones, the newest first."""
        stretches, count = [self], self.previous
        while count is not None:
            stretches.append(count)
            count = count.previous
        return stretches

    def epoch_of(self, step: int) -> int:
        """The number, from 1 on, of the epoch that update number ``step`` belongs to; 0 before the first."""
        count = self._at(step)
        return count.start_epoch - (count.start_step - step) // count.steps_per_epoch

    def epochs_of(self, step_P: Tensor) -> Tensor:
        """``[P]`` int64: ``epoch_of`` many steps at once."""
        newest, *earlier = self.parts
        first = newest.start_step
        epoch_P = newest.start_epoch - (first - step_P) // newest.steps_per_epoch
        for count in earlier:
            own_P = count.start_epoch - (count.start_step - step_P) // count.steps_per_epoch
            epoch_P, first = torch.where(step_P <= first, own_P, epoch_P), count.start_step
        return epoch_P

    def end_of(self, epoch: int) -> int:
        """The updates done at the end of this epoch, or where it was cut short; 0 for epoch 0."""
        count, cut = self, math.inf
        while count.previous is not None and epoch <= count.start_epoch:
            count, cut = count.previous, min(cut, count.start_step)
        return int(min(cut, count.start_step + (epoch - count.start_epoch) * count.steps_per_epoch))

    def ended(self, step: int) -> int:
        """The number of epochs that ended or were cut short within ``step`` updates."""
        epoch = self.epoch_of(step)
        return epoch if self.end_of(epoch) <= step else epoch - 1

    def passes(self, step: int) -> float:
        """The passes over the rows after ``step`` updates; a whole number at an epoch's end."""
        count = self._at(step)
        done, per = step - count.start_step, count.steps_per_epoch
        return count.start_epoch + (done // per if done % per == 0 else done / per)

    def place(self, step: int) -> tuple[int, int]:
        """(epochs before it, steps before it in its epoch) of the update that follows ``step`` updates."""
        epochs, steps = divmod(step - self.start_step, self.steps_per_epoch)
        return self.start_epoch + epochs, steps

    def _at(self, step: int) -> "EpochStretch":
        """The stretch with update number ``step``."""
        count = self
        while count.previous is not None and step <= count.start_step:
            count = count.previous
        return count
