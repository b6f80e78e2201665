"""The count of epochs over a training's steps, also where its batches became others on the way."""

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class EpochCount:
    """per: steps of an epoch. first: updates that were done before they were counted so. before: epochs that
    had begun by then; the last of them was cut short there, unless it ended just there.
    earlier: how the steps up to ``first`` are counted, where that is otherwise.
    """

    per: int
    first: int = 0
    before: int = 0
    earlier: "EpochCount | None" = None

    def restarted(self, step: int, per: int) -> "EpochCount":
        """With epochs of ``per`` steps after so many updates: the next step begins an epoch."""
        return EpochCount(per, step, self.epoch_of(step), self)

    def epoch_of(self, step: int) -> int:
        """The number, from 1 on, of the epoch that update number ``step`` belongs to; 0 before the first."""
        if self.earlier is not None and step <= self.first:
            return self.earlier.epoch_of(step)
        return self.before - (self.first - step) // self.per

    def epochs_of(self, step_P: Tensor) -> Tensor:
        """``[P]`` int64: the same of many at once."""
        epoch_P = self.before - (self.first - step_P) // self.per
        if self.earlier is None:
            return epoch_P
        return torch.where(step_P <= self.first, self.earlier.epochs_of(step_P), epoch_P)

    def end_of(self, epoch: int) -> int:
        """Updates done when this epoch ends, or was cut short; 0 of epoch 0."""
        if self.earlier is not None and epoch <= self.before:
            return min(self.earlier.end_of(epoch), self.first)
        return self.first + (epoch - self.before) * self.per

    def ended(self, step: int) -> int:
        """The epochs that have ended, or were cut short, after so many updates."""
        epoch = self.epoch_of(step)
        return epoch if self.end_of(epoch) <= step else epoch - 1

    def passes(self, step: int) -> float:
        """Passes over the rows after so many updates: a whole number at an epoch's end."""
        if self.earlier is not None and step <= self.first:
            return self.earlier.passes(step)
        done = step - self.first
        return self.before + (done // self.per if done % self.per == 0 else done / self.per)

    def place(self, step: int) -> tuple[int, int]:
        """Of the update that follows ``step`` updates: epochs before its own, and steps before it in that."""
        epochs, steps = divmod(step - self.first, self.per)
        return self.before + epochs, steps
