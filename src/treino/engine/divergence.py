"""Playing members again from a little earlier: for a diverged one's last good weights, or after a break."""

from collections.abc import Callable

import torch
from torch import Tensor

from treino.engine.population import Population

Play = Callable[[Population, int, int], None]  # population, first step, stop: train all its members


class Replay:
    """A copy of the members in training, no older than so many steps as their rows can be had again for.

    A step is a function of (seeds, step, rows) and the members' tensors alone, so playing on from the copy
    gives the same bits again. ``forget`` it when hyper-parameters or the members in training change.
    """

    def __init__(self, play: Play) -> None:
        self._play = play
        self._copy: Population | None = None
        self._step = 0

    def forget(self) -> None:
        self._copy = None

    def remember(self, population: Population, rows: Tensor, step: int, oldest: int) -> None:
        if self._copy is None or len(self._copy) != len(rows):
            self._copy, self._step = population.rows(rows), step
        elif step - self._step >= oldest:
            self._copy.fill(population, rows)
            self._step = step

    def members(self, index: slice, step: int) -> Population:
        """These of the remembered members as they were after ``step`` updates."""
        assert self._copy is not None
        again = self._copy.rows(index)
        if step > self._step:
            self._play(again, self._step, step)
        return again

    def last_good(self, member: int, first: int, latest: int) -> tuple[int, Population]:
        """-> the largest step in first..latest with finite parameters, and the member then.

        What is not finite stays so; ``first`` is known to be good.
        """
        low, high, middle = first, latest, latest
        found: Population | None = None
        while low < high:
            again = self.members(slice(member, member + 1), middle)
            if bool(again.params.isfinite().all()):
                low, found = middle, again
            else:
                high = middle - 1
            middle = (low + high + 1) // 2
        return low, found if found is not None else self.members(slice(member, member + 1), low)


def diverged(loss_SR: Tensor, params: Tensor) -> list[tuple[int, int]]:
    """-> (member, steps before its first loss that is not finite, or all) of all gone wrong in a chunk."""
    bad_R = ~(loss_SR.isfinite().all(0) & params.isfinite().all(1).cpu())
    found = []
    for member in bad_R.nonzero().flatten().tolist():
        wrong = torch.nonzero(~loss_SR[:, member].isfinite())
        found.append((member, int(wrong[0]) if len(wrong) else len(loss_SR)))
    return found
