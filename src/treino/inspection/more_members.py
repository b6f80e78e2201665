"""The gain of an ensemble from its number of networks, and an estimate for twice as many."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from treino.engine.ensemble import best_half, mean_output
from treino.engine.losses import Loss

DRAWS = 32  # subsets of the networks, of each size
FEWEST = 4  # networks
CELLS = 2_000_000  # outputs of all networks, at most: of more rows every second, third, ... is taken


@dataclass(frozen=True)
class Gain:
    """The change of the validation loss by more networks.

    brought: of all ``members`` against ``few`` of them. more: of twice as many against all of them, as it
    would be; error: half of its 95 % interval.
    """

    few: int
    members: int
    brought: float
    more: float
    error: float


def gain_of_members(
    output_PNC: Tensor,
    y: Tensor,
    loss: Loss,
    limits: Tensor | None,
    few: int,
    weight_N: Tensor | None = None,
) -> Gain | None:
    """Estimate what the members brought, from random subsets of them; None for fewer than four, or if nothing
    is left to gain. As in the ensemble, the best half of each subset answers.

    A mean of k networks is wrong by a part that all share and by one that falls as 1/k: whatever half of them
    lack, twice as many bring half of it. The interval holds the chance of the halves and of the rows, which
    count by their weights.
    """
    members, rows, outputs = output_PNC.shape
    if members < FEWEST:
        return None
    every = -(-members * rows * outputs // CELLS)
    output_PNC, y = output_PNC[:, ::every].double(), y[::every]
    y = y if y.dtype == torch.int64 else y.double()
    weight_N = torch.ones(len(y)) if weight_N is None else weight_N[::every]
    share_N = weight_N.double() / weight_N.double().sum()
    loss_P = torch.stack([loss.rows(output_NC, y)[0] @ share_N for output_NC in output_PNC])
    generator = torch.Generator().manual_seed(0)

    def loss_of(some: Tensor) -> Tensor:
        chosen = some[best_half(loss_P[some].tolist())]
        return loss.rows(mean_output(output_PNC[chosen], loss, limits), y)[0]

    def loss_of_subsets(size: int) -> Tensor:
        draws = [torch.randperm(members, generator=generator)[:size] for _draw in range(DRAWS)]
        return torch.stack([loss_of(some) for some in draws])

    whole_N, half_DN = loss_of(torch.arange(members)), loss_of_subsets(members // 2)
    few = few if few < members else members // 2
    whole, before = float(whole_N @ share_N), float((loss_of_subsets(few) @ share_N).mean())
    if not (whole > 0 and before > 0):
        return None
    gain_N = half_DN.mean(0) - whole_N
    gain = gain_N @ share_N
    by_halves = (half_DN @ share_N).std() / math.sqrt(2)
    by_rows = ((gain_N - gain) * share_N).square().sum().sqrt()
    error = 1.96 * math.hypot(by_halves, by_rows) / 2 / whole
    return Gain(few, members, whole / before - 1, -float(gain) / 2 / whole, error)
