"""The preallocated buffers of a training step, for one batch size."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor

from treino.engine.population import padded
from treino.engine.rng import element_hash

BufferCall = Callable[[], object]


def aligned_buffer(
    block: int, rows: int, units: int, like: Tensor, dtype: torch.dtype | None = None
) -> tuple[Tensor, Tensor]:
    """Return (whole ``[block, padded]``, view ``[block, rows, units]``), filled with zeros.

    The bits of a matrix product depend on the alignment of its operands, so every member starts at a multiple
    of 64 bytes. Element-wise operations run on the whole buffer: the scalar tail of a vector loop rounds
    sigmoid and exp differently, and must not fall on the last member. ``bmm`` is fast if 16 divides rows ·
    units.
    """
    size = rows * units
    whole = torch.zeros(block, padded(size), dtype=dtype or like.dtype, device=like.device)
    return whole, whole[..., :size].unflatten(-1, (rows, units))


@dataclass(frozen=True, eq=False)
class LossBuffers:
    """The buffers of a loss: z ``[R, C, B]`` logits of R members, y, d ← dloss/dz, loss ``[R]``, and the
    rows' weights ``[R, B]`` (None: each counts 1).

    Rows are the last axis: softmax over a few classes is ten times faster if it runs along many rows at once.
    """

    z: Tensor
    y: Tensor
    d: Tensor
    loss: Tensor
    weight: Tensor | None = None


class DropoutMask:
    """Dropout masks of one layer: element e is kept if ``hash(e) · a + b >= threshold``.

    All members share the hash ``[1, B, H]``; a, b, threshold and scale are one number, or one per member.
    """

    def __init__(self, block: int, rows: int, units: int, like: Tensor) -> None:
        self.hash = element_hash(rows, units).to(like.device).unsqueeze(0)
        self.x = aligned_buffer(block, rows, units, like, torch.int32)[1]
        self.mask = aligned_buffer(block, rows, units, like)[1]
        self.out = aligned_buffer(block, rows, units, like)[1]
        self.threshold: int | Tensor = -(2**31)
        self.scale: float | Tensor = 1.0

    def draw(self, a: int | Tensor, b: int | Tensor) -> None:
        torch.mul(self.hash, a, out=self.x).add_(b)
        # a float mask: multiplying by a bool mask is several times slower
        torch.ge(self.x, self.threshold, out=self.mask).mul_(self.scale)


def shares_of(s: LossBuffers, mass: Tensor | None = None) -> tuple[list[BufferCall], Tensor]:
    """Calls that compute each row's share ``[R, 1, B]``: its weight over the sum of weight times mass
    ``[B]``, 0 if that sum is 0."""
    assert s.weight is not None
    weight = s.weight.unsqueeze(-2)
    share, total = torch.empty_like(weight), torch.empty_like(weight[..., :1])
    masses = partial(torch.mul, weight, 1 if mass is None else mass, out=share)
    sums = partial(torch.sum, share, -1, keepdim=True, out=total)
    nothing = partial(torch.nan_to_num, share, nan=0.0, out=share)
    return [masses, sums, partial(torch.div, weight, total, out=share), nothing], share


def mean_of(s: LossBuffers, term: Tensor, factor: float = 1.0) -> tuple[list[BufferCall], list[BufferCall]]:
    """Return calls that set s.loss to the mean of the terms ``[R, K, B]`` by the rows' weights, and s.d,
    which holds the derivative of each term over ``factor``, to that of the mean. They overwrite ``term``.

    Returns (calls per new weights, calls per forward pass).
    """
    sums = partial(torch.sum, term, (-2, -1), out=s.loss)
    if s.weight is None:
        count = term.shape[-1] * term.shape[-2]
        return [], [sums, partial(s.loss.mul_, 1 / count), partial(s.d.mul_, factor / count)]
    begin, share = shares_of(s)
    K = term.shape[-2]
    calls = [partial(term.mul_, share), sums, partial(s.loss.mul_, 1 / K)]
    return begin, [*calls, partial(s.d.mul_, share), partial(s.d.mul_, factor / K)]
