"""Coarse decision boundary of a classifier of two inputs, cheap enough to compute during training."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from treino.data.dataset import Data
from treino.engine.torch_context import torch_threads
from treino.inspection.outputs import outputs, predicted_classes, probabilities

RESOLUTION = 72  # cells along each axis
ROWS = 200  # training rows shown, the first of the split (which is mixed)
MEASURED = 10_000  # training rows that say how far the axes go
MARGIN = 0.08  # beyond the outermost rows, as a share of what they span


@dataclass(frozen=True, eq=False)
class BoundaryPreview:
    """The winning class over a grid of the two prepared inputs.

    winner_RR: class numbers ``[R (y), R (x)]`` from the lowest y on, -1 where outputs are not finite.
    sure_RR: from 0 (all classes alike) to 1. at_N2: rows, from 0 to 1 along each axis; true_N: their classes.
    """

    axis_names: tuple[str, str]
    winner_RR: NDArray[np.int64]
    sure_RR: NDArray[np.float64]
    at_N2: NDArray[np.float64]
    true_N: NDArray[np.int64]


def previewable(data: Data) -> bool:
    """Whether the network sees two numbers, perhaps in bins, and the rows are in memory."""
    two = data.task == "classification" and data.kind == "table" and len(data.preparation.groups) == 2
    numbers = data.inputs == 2 + sum(data.input_bins)
    return two and numbers and isinstance(data.train.x, torch.Tensor) and len(data.train) > 0


def boundary_preview(net: nn.Module, data: Data, resolution: int = RESOLUTION) -> BoundaryPreview:
    """Evaluate the network on a grid over its two numbers.

    data: one for which ``previewable`` holds.
    """
    first = [group[0] for group in data.preparation.groups]
    x_N2 = data.train.x[:MEASURED, first]
    low, high = x_N2.amin(0), x_N2.amax(0)
    span = torch.where(high > low, high - low, torch.ones(2))
    low, span = low - MARGIN * span, (1 + 2 * MARGIN) * span
    at_R = (torch.arange(resolution) + 0.5) / resolution
    y_RR, x_RR = torch.meshgrid(at_R, at_R, indexing="ij")
    grid_N2 = low + torch.stack([x_RR, y_RR], -1).reshape(-1, 2) * span
    with torch_threads(1):  # so small a work takes longer where threads must be woken and wait for each other
        logits = outputs(net, _with_bins(grid_N2, data), batch=resolution**2)
        best_N = probabilities(logits).amax(1)
    classes = max(2, len(data.classes))
    sure_N = ((best_N - 1 / classes) / (1 - 1 / classes)).clamp(0, 1).nan_to_num()
    shown = data.train[:ROWS]
    names = [data.preparation.inputs[place] for place in first]
    return BoundaryPreview(
        (names[0], names[1]),
        predicted_classes(logits).reshape(resolution, resolution).numpy(),
        sure_N.reshape(resolution, resolution).numpy(),
        ((shown.x[:, first] - low) / span).double().numpy(),
        shown.y.numpy(),
    )


def _with_bins(x_N2: torch.Tensor, data: Data) -> torch.Tensor:
    """``[N, D]``: prepared rows of which these are the two numbers, with their bins."""
    preparation = data.preparation
    if data.inputs == 2:
        return x_N2
    x_ND = torch.zeros(len(x_N2), data.inputs)
    x_ND[:, [group[0] for group in preparation.groups]] = x_N2
    return preparation.transform(preparation.with_bins(preparation.inverse(x_ND)))
