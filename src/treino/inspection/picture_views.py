"""A network's outputs averaged over views of each picture: as it is, shifted a little, mirrored."""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn

from treino.engine.augmentation import usual_shift
from treino.engine.ensemble import mean_output
from treino.engine.losses import Loss
from treino.inspection.outputs import outputs

AT_ONCE = 1024  # pictures whose views are answered together


class PictureView(NamedTuple):
    """A picture moved down and right by so many pixels, and mirrored left to right or not."""

    down: int = 0
    right: int = 0
    mirrored: bool = False

    def of(self, x_BCHW: Tensor) -> Tensor:
        """The pictures so; what comes in is the nearest pixel of the edge."""
        x_BCHW = x_BCHW.flip(-1) if self.mirrored else x_BCHW
        for axis, shift in ((-2, self.down), (-1, self.right)):
            size = x_BCHW.shape[axis]
            if shift:
                x_BCHW = x_BCHW.index_select(axis, (torch.arange(size) - shift).clamp(0, size - 1))
        return x_BCHW


def views_of(picture_shape: Sequence[int], mirrored: bool) -> tuple[PictureView, ...]:
    """The views of pictures of this shape: unmoved, and moved up, down, left and right by as much as training
    usually moves them; mirrored: each also mirrored."""
    far = max(1, usual_shift(picture_shape))
    moved = [PictureView(), PictureView(-far), PictureView(far), PictureView(0, -far), PictureView(0, far)]
    return (*moved, *(view._replace(mirrored=True) for view in moved if mirrored))


def outputs_of_views(
    net: nn.Module,
    x_ND: Tensor,
    picture_shape: Sequence[int],
    views: Sequence[PictureView],
    loss: Loss | str,
    item_shape: Sequence[int] | None = None,
) -> Tensor:
    """``[N, C]``: the logits of the mean of the views' probabilities; of numbers, the mean of the outputs.

    x_ND: prepared rows, or rows outside memory. loss: the training's. item_shape: as in
    ``outputs``.
    """
    parts = []
    for x_BD in x_ND.split(AT_ONCE) if len(x_ND) else [x_ND[:0]]:
        x_BCHW = x_BD.reshape(len(x_BD), *picture_shape)
        of_views = [outputs(net, view.of(x_BCHW).flatten(1), item_shape=item_shape) for view in views]
        parts.append(mean_output(torch.stack(of_views), loss))
    return torch.cat(parts)
