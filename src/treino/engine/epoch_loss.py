"""Mean and deviation of the training losses of each epoch, for all members at once."""

import torch
from torch import Tensor


class EpochLoss:
    """Mean and deviation of each epoch's losses, summed step by step in float64, so that chunks don't change
    them.

    Sums are of differences from the epoch's first loss, so that a small deviation isn't lost beside a large
    mean. count: steps of the epoch begun so far. last: the mean of the last epoch that each member ended.
    """

    def __init__(self, members: int) -> None:
        self.count = 0
        self.sums = torch.zeros(3, members, dtype=torch.float64)  # first loss, Σ difference, Σ difference²
        self.last = torch.full((members,), torch.nan, dtype=torch.float64)

    def rows(self, index: list[int]) -> "EpochLoss":
        """A copy of these members' sums."""
        copy = EpochLoss(len(index))
        copy.count, copy.sums, copy.last = self.count, self.sums[:, index], self.last[index]
        return copy

    def add(self, loss_SP: Tensor, per_epoch: int, over: bool = False) -> tuple[Tensor, Tensor]:
        """Add losses. Returns mean and deviation ``[E, P]`` of the epochs that end. over: also of the
        unfinished last epoch."""
        loss_SP, steps = loss_SP.double(), loss_SP.shape[0]
        parts: list[Tensor] = []  # sums [E, 3, P] of epochs that have ended
        counts: list[int] = []
        at = 0
        while at < steps:
            whole = (steps - at) // per_epoch
            if self.count or not whole:
                length = min(per_epoch - self.count, steps - at)
                self._go_on(loss_SP[at : at + length])
                if self.count == per_epoch or (over and at + length == steps):
                    parts.append(self.sums.clone().unsqueeze(0))
                    counts.append(self.count)
                    self.count = 0
                    self.sums.zero_()  # the saved state must not depend on chunks
            else:
                length = whole * per_epoch
                loss_ESP = loss_SP[at : at + length].unflatten(0, (whole, per_epoch))
                parts.append(torch.cat([loss_ESP[:, :1], _summed(loss_ESP - loss_ESP[:, :1])], 1))
                counts += [per_epoch] * whole
            at += length
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
    """Σ difference and Σ difference² ``[E, 2, P]``, added one after the other by cumsum: ``sum`` adds in
    pairs, which depend on the chunks.
    """
    more_ES2P = torch.stack((difference_ESP, difference_ESP.square()), 2)
    if before_2P is not None:
        more_ES2P[:, 0] += before_2P
    return more_ES2P.cumsum(1)[:, -1] if more_ES2P.shape[1] > 1 else more_ES2P[:, 0]
