"""The count of epochs over a training's steps, also where its batches became others on the way."""

import math
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

    @property
    def parts(self) -> "list[EpochCount]":
        """This one and those before it, the newest first."""
        found, count = [self], self.earlier
        while count is not None:
            found.append(count)
            count = count.earlier
        return found

    def epoch_of(self, step: int) -> int:
        """The number, from 1 on, of the epoch that update number ``step`` belongs to; 0 before the first."""
        count = self._at(step)
        return count.before - (count.first - step) // count.per

    def epochs_of(self, step_P: Tensor) -> Tensor:
        """``[P]`` int64: the same of many at once."""
        newest, *earlier = self.parts
        epoch_P, first = newest.before - (newest.first - step_P) // newest.per, newest.first
        for count in earlier:
            own_P = count.before - (count.first - step_P) // count.per
            epoch_P, first = torch.where(step_P <= first, own_P, epoch_P), count.first
        return epoch_P

    def end_of(self, epoch: int) -> int:
        """Updates done when this epoch ends, or was cut short; 0 of epoch 0."""
        count, cut = self, math.inf
        while count.earlier is not None and epoch <= count.before:
            count, cut = count.earlier, min(cut, count.first)
        return int(min(cut, count.first + (epoch - count.before) * count.per))

    def ended(self, step: int) -> int:
        """The epochs that have ended, or were cut short, after so many updates."""
        epoch = self.epoch_of(step)
        return epoch if self.end_of(epoch) <= step else epoch - 1

    def passes(self, step: int) -> float:
        """Passes over the rows after so many updates: a whole number at an epoch's end."""
        count = self._at(step)
        done, per = step - count.first, count.per
        return count.before + (done // per if done % per == 0 else done / per)

    def place(self, step: int) -> tuple[int, int]:
        """Of the update that follows ``step`` updates: epochs before its own, and steps before it in that."""
        epochs, steps = divmod(step - self.first, self.per)
        return self.before + epochs, steps

    def _at(self, step: int) -> "EpochCount":
        """The one by which this many updates are counted."""
        count = self
        while count.earlier is not None and step <= count.first:
            count = count.earlier
        return count
