"""Decision boundary of a classifier of two inputs, coarse: cheap enough to be asked for during training."""

from dataclasses import replace

import torch
from torch import nn

from treino.data.dataset import Data
from treino.engine.devices import torch_threads
from treino.inspection.boundary import boundary, columns_with_an_axis
from treino.inspection.input_planes import InputAxes, Plane

RESOLUTION = 72  # places along each axis
ROWS = 200  # training rows shown, the first of the split (which is mixed)


def previewable(data: Data) -> bool:
    """Whether the network sees two columns that have an axis, and the rows are in memory."""
    two = data.task == "classification" and len(data.features) == 2 == len(columns_with_an_axis(data))
    return two and isinstance(data.train.x, torch.Tensor) and len(data.train) > 0


def boundary_preview(net: nn.Module, data: Data, axes: InputAxes) -> Plane:
    """The network's answers over its two columns, with some training rows; its score is of these alone.

    data: one for which ``previewable`` holds. axes: from ``boundary.sight``, made once for all previews.
    """
    none = data.train[:0]
    shown = replace(data, train=data.train[:ROWS], validation=none, test=none)
    with torch_threads(1):  # so small a work takes longer where threads must be woken and wait for each other
        plane = boundary(net, shown, resolution=RESOLUTION, seen=axes)
    assert isinstance(plane, Plane)
    return plane
