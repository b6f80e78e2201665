"""Preallocated buffers of one batch size: layers, losses and dropout masks, on 64-byte lines."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from treino.engine.population import PAD, padded
from treino.engine.rng import element_hash

BufferCall = Callable[[], object]


def aligned_buffer(
    lead: tuple[int, ...], rows: int, units: int, like: Tensor, dtype: torch.dtype | None = None
) -> tuple[Tensor, Tensor]:
    """-> (whole ``[*lead, padded]``, view ``[*lead, rows, units]``), zeroed.

    The bits of matrix products depend on the alignment of their operands, so every member starts on a 64-byte
    line. Element-wise operations run on the whole buffer: the scalar tail of a vector loop gives other bits
    for sigmoid or exp, and must not fall on the last member. ``bmm`` is fast if rows · units is a multiple of
    16.
    """
    size = rows * units
    whole = torch.zeros(
        *lead, padded(size, PAD if lead else 2 * PAD), dtype=dtype or like.dtype, device=like.device
    )
    return whole, whole[..., :size].unflatten(-1, (rows, units))


@dataclass(frozen=True, eq=False)
class LossBuffers:
    """The buffers of a loss: z ``[*lead, C, B]`` logits, y, d ← dloss/dz, loss ``[*lead]``.

    Rows are the last axis: softmax over a few classes is ten times faster along many rows at once.
    """

    lead: tuple[int, ...]
    z: Tensor
    y: Tensor
    d: Tensor
    loss: Tensor


class DropoutMask:
    """The masks of one layer: element e is kept where ``hash(e) · a + b >= threshold``, in three passes.

    The hash ``[B, H]`` is shared by all members; a, b, threshold, scale are a number, or one per member.
    """

    def __init__(self, lead: tuple[int, ...], rows: int, units: int, like: Tensor) -> None:
        self.hash = element_hash(rows, units).to(like.device)
        self.x = aligned_buffer(lead, rows, units, like, torch.int32)[1]
        self.mask = aligned_buffer(lead, rows, units, like)[1]
        self.out = aligned_buffer(lead, rows, units, like)[1]
        self.threshold: int | Tensor = -(2**31)
        self.scale: float | Tensor = 1.0

    def draw(self, a: int | Tensor, b: int | Tensor) -> None:
        torch.mul(self.hash, a, out=self.x).add_(b)
        # a float mask: multiplying by a bool mask is several times slower
        torch.ge(self.x, self.threshold, out=self.mask).mul_(self.scale)
