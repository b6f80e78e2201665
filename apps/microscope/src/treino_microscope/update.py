"""One update of one weight of a run, with the arrays that its explanation needs."""

import copy
import math
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import torch
from torch import Tensor, nn

from treino.base.formula import Array
from treino.engine import Loss
from treino_microscope.reference import (
    DenseLayer,
    LayerPass,
    ReferenceLoss,
    gradients,
    passed,
    worked,
)


@dataclass(frozen=True, eq=False)
class UpdateBatch:
    """The batch of one update. rows: row numbers in the source. x: ``[B, D]`` float64.

    y: ``[B]`` int64 class numbers, or ``[B, K]`` float64. masks: the factors of each dropout, ``[B, H]``: 0
    or 1 / (1 − rate).
    """

    rows: Array
    x: Array
    y: Array
    masks: tuple[Array, ...] = ()


@dataclass(frozen=True)
class WeightIndex:
    """One weight in layer ``layer`` (0: the first): from input ``j`` to unit ``i``; j None: the bias of i."""

    layer: int
    i: int
    j: int | None


@dataclass(frozen=True, eq=False)
class Update:
    """One weight's update after ``step`` updates of a run.

    net: the user's module with the weights before the update, float64, with fixed dropout masks (see
    ``fix_masks``). typed: the run as an argument on the command line. batches: the batches of this update
    and, if they exist, of the next two. place: the weight.
    hp: lr (with its schedule), weight_decay, momentum, beta1, beta2, eps, clip (infinite: none).
    state: the optimizer's state before the update, ``{parameter: {name: array}}``. old_gradients: the sum of
    the gradients of all earlier updates, ``{parameter: array}``, if the fault ``missing_zero_grad`` keeps
    them. after: the run's weights after the update. recorded: the loss that the run recorded. notes: one
    sentence for each further setting of the update. optimizer_from: updates before the optimizer started,
    from zero state.
    """

    run: str
    typed: str
    step: int
    net: nn.Module
    layers: tuple[DenseLayer, ...]
    batches: tuple[UpdateBatch, ...]
    loss: Loss
    optimizer: str
    nesterov: bool
    hp: dict[str, float]
    state: dict[str, dict[str, Array]]
    old_gradients: dict[str, Array] | None
    place: WeightIndex
    classes: tuple[str, ...]
    inputs: tuple[str, ...]
    recorded: float | None = None
    after: dict[str, Array] | None = None
    notes: tuple[str, ...] = ()
    optimizer_from: int = 0

    @property
    def t(self) -> int:
        """The number of this update since the optimizer started, from 1."""
        return self.step - self.optimizer_from + 1

    @property
    def batch(self) -> UpdateBatch:
        return self.batches[0]

    @cached_property
    def through(self) -> list[LayerPass]:
        """The forward and backward pass of the batch, computed in NumPy."""
        return passed(self.layers, self.batch.x, self.batch.masks, self._slope)

    def _slope(self, out: Array) -> Array:
        return worked(self.loss, out, self.batch.y).slope

    @cached_property
    def worked(self) -> ReferenceLoss:
        """The loss of the batch, computed in NumPy."""
        return worked(self.loss, self.through[-1].h, self.batch.y)

    @cached_property
    def gradients(self) -> dict[str, Array]:
        """The gradients of this batch alone, for every parameter, computed in NumPy."""
        return gradients(self.layers, self.through)

    @property
    def finite(self) -> bool:
        """Whether the loss and all gradients are finite."""
        return math.isfinite(self.worked.loss) and all(np.isfinite(g).all() for g in self.gradients.values())

    @property
    def parameter(self) -> str:
        """The name of the parameter that holds the weight."""
        kind = "bias" if self.place.j is None else "weight"
        return self.layers[self.place.layer].parameter(kind)

    @property
    def at(self) -> tuple[int, ...]:
        """The weight's index in its parameter."""
        return (self.place.i,) if self.place.j is None else (self.place.i, self.place.j)

    @property
    def weight(self) -> float:
        layer = self.layers[self.place.layer]
        return float((layer.b if self.place.j is None else layer.W)[self.at])

    @property
    def gradient(self) -> float:
        """∂L/∂w of this batch alone."""
        return float(self.gradients[self.parameter][self.at])

    @cached_property
    def shares(self) -> Array:
        """``[B]``: each row's contribution to ∂L/∂w."""
        p = self.through[self.place.layer]
        d = p.d[:, self.place.i]
        return d if self.place.j is None else d * p.a[:, self.place.j]

    @cached_property
    def row(self) -> int:
        """The index in the batch of the row shown: the row with the largest contribution."""
        return int(np.abs(self.shares).argmax())

    def placed(self, place: WeightIndex) -> "Update":
        return replace(self, place=place)

    # ---- computation by torch

    def module(self, batch: int = 0) -> nn.Module:
        """A copy of the user's module with the dropout masks of this batch."""
        net = copy.deepcopy(self.net).train()
        set_masks(net, self.batches[batch].masks)
        return net

    def torch_loss(self, net: nn.Module, batch: int = 0) -> Tensor:
        x, y = tensors(self.batches[batch])
        return self.loss(net(x), y)


def tensors(batch: UpdateBatch) -> tuple[Tensor, Tensor]:
    return torch.from_numpy(batch.x), torch.from_numpy(batch.y)


class FixedMask(nn.Module):
    """Dropout with a given mask instead of a random one."""

    def __init__(self) -> None:
        super().__init__()
        self.mask: Tensor | None = None

    def forward(self, h: Tensor) -> Tensor:
        return h if self.mask is None else h * self.mask.to(h.dtype)


def fix_masks(net: nn.Module) -> nn.Module:
    """A copy of the module in which a FixedMask replaces every dropout."""
    net = copy.deepcopy(net)
    for parent in list(net.modules()):
        for name, child in list(parent.named_children()):
            if type(child) is nn.Dropout:
                setattr(parent, name, FixedMask())
    return net


def set_masks(net: nn.Module, masks: tuple[Array, ...]) -> None:
    fixed = [m for m in net.modules() if isinstance(m, FixedMask)]
    for module, mask in zip(fixed, masks, strict=True) if masks else ():
        module.mask = torch.from_numpy(mask)
