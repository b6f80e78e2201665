"""The settings that all members of a population share: network, loss, optimizer, type and device."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property

import torch
from torch import nn

from treino.engine.backprop import Shape
from treino.engine.gates import GateLayer
from treino.engine.layout import Layout
from treino.engine.losses import Loss
from treino.engine.net_state import TensorForm, forms, untrained_tensors
from treino.engine.nets import MLP


@dataclass(frozen=True, eq=False)
class SharedConfig:
    """Everything that is equal for all members.

    template: a plain module with the members' shapes; its weights are the start of an own net.
    net: the description, None for a module of the user's own. construct: seed -> a fresh own module.
    item_shape: what an own module is given per row; None: flat rows.
    summed: the fault ``missing_zero_grad``. averages: whether running averages of the weights are kept.
    limits: between which the numbers of an ensemble's answer stay; None: as they are.
    """

    template: nn.Module
    net: MLP | None
    loss: Loss
    optimizer: str = "adam"
    nesterov: bool = False
    init: str = "default"
    construct: Callable[[int], nn.Module] | None = None
    item_shape: tuple[int, ...] | None = None
    summed: bool = False
    averages: bool = False
    limits: tuple[float, float] | None = None
    dtype: torch.dtype = torch.float32
    device: torch.device = field(default_factory=lambda: torch.device("cpu"))

    @cached_property
    def layout(self) -> Layout:
        """Of what is trained; frozen parameters are kept with the buffers."""
        return Layout.of((n, p) for n, p in self.template.named_parameters() if p.requires_grad)

    @cached_property
    def buffer_layout(self) -> Layout:
        return Layout.of(untrained_tensors(self.template))

    @cached_property
    def forms(self) -> dict[str, TensorForm]:
        """What parameters and buffers must stay like."""
        return forms(self.template)

    @property
    def shape(self) -> Shape:
        """For the hand-written pass; only of an MLP."""
        assert self.net is not None
        linear = [m for m in self.template.modules() if isinstance(m, nn.Linear)]
        sizes = (linear[0].in_features, *(m.out_features for m in linear))
        gates = next((m.gates for m in self.template.modules() if isinstance(m, GateLayer)), None)
        return Shape(sizes, self.net.activation, self.net.drops, self.loss, self.summed, gates)
