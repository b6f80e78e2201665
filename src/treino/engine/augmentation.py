"""Augmentation: pictures are moved a little in training, each by its own number of pixels in each epoch."""

from collections.abc import Sequence

import torch
from torch import Tensor

from treino.engine.rng import mix

WIDTH_PER_PIXEL = 28  # pictures of this width move by up to one pixel, of twice the width by up to two


def usual_shift(item_shape: Sequence[int]) -> int:
    """The largest number of pixels by which pictures of this shape are moved; 0: a pixel is too much."""
    return round(min(item_shape[-2:]) / WIDTH_PER_PIXEL)


def shifts(seed: int, epoch: int, row_N: Tensor, largest: int) -> Tensor:
    """int32 ``[N, 2]``: how far these rows' pictures are moved down and right in an epoch, each from
    -``largest`` to ``largest``.

    A hash of seed, epoch and row number alone, so it depends neither on batches nor on where a training
    stopped.
    """
    hash_N = mix(mix(mix(torch.tensor(seed)) + epoch) + row_N)
    halves_N2 = torch.stack([hash_N >> 32, hash_N], 1) & 0xFFFFFFFF
    return ((halves_N2 * (2 * largest + 1) >> 32) - largest).to(torch.int32)


def shifted(x_BCHW: Tensor, shift_B2: Tensor) -> Tensor:
    """The pictures, moved down and right; what comes in is the nearest pixel of the edge."""
    for axis, shift_B in zip((-2, -1), shift_B2.long().unbind(1), strict=True):
        size = x_BCHW.shape[axis]
        place_BI = (torch.arange(size, device=x_BCHW.device) - shift_B[:, None]).clamp(0, size - 1)
        shape = [len(x_BCHW), 1, 1, 1]
        shape[axis] = size
        x_BCHW = x_BCHW.gather(axis, place_BI.view(shape).expand_as(x_BCHW))
    return x_BCHW
