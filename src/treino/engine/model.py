"""What every member of a population is and computes: network, loss, optimizer, type and device."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property

import torch
from torch import nn

from treino.engine.backprop import Shape
from treino.engine.gates import NO_TREES, GateLayer
from treino.engine.losses import Loss
from treino.engine.net_state import TensorForm, forms, untrained_tensors
from treino.engine.nets import MLP, Net
from treino.engine.optim import OPTIMIZERS
from treino.engine.own_optimizers import OwnOptimizer, StateValue
from treino.engine.population import Layout

Limits = tuple[float, float] | tuple[tuple[float, ...], tuple[float, ...]]
"""The smallest and the largest allowed prediction, or such a pair for each target."""


@dataclass(frozen=True, eq=False)
class Model:
    """What every member of a population is and computes.

    template: a plain module with the members' shapes, or the user's module with its initial weights. net: the
    description; None for a user's module. construct: makes a user's module from a seed. item_shape: the
    shape of one input row; None: the flat rows of an MLP. summed: whether gradients are summed (the
    fault ``missing_zero_grad``). averages: whether members keep running averages of their weights. limits:
    the range to which an ensemble's predictions are clipped, or that of each target; None: no
    clipping. bf16: whether layers train in bfloat16, by torch's autocast.
    """

    template: nn.Module
    net: Net | None
    loss: Loss
    optimizer: str = "adam"
    nesterov: bool = False
    init: str = "default"
    construct: Callable[[int], nn.Module] | None = None
    item_shape: tuple[int, ...] | None = None
    summed: bool = False
    averages: bool = False
    limits: Limits | None = None
    bf16: bool = False
    dtype: torch.dtype = torch.float32
    device: torch.device = field(default_factory=lambda: torch.device("cpu"))

    @cached_property
    def layout(self) -> Layout:
        """The layout of the trained parameters; frozen ones are stored with the buffers."""
        return Layout.of((n, p) for n, p in self.template.named_parameters() if p.requires_grad)

    @cached_property
    def buffer_layout(self) -> Layout:
        return Layout.of(untrained_tensors(self.template))

    @cached_property
    def forms(self) -> dict[str, TensorForm]:
        """The forms that parameters and buffers must keep."""
        return forms(self.template)

    @cached_property
    def state_form(self) -> tuple[StateValue, ...]:
        """The form of the state of an optimizer that treino only calls; empty for treino's own."""
        own: OwnOptimizer | None = OPTIMIZERS[self.optimizer].own
        return () if own is None else own.form(self.template)

    @cached_property
    def shape(self) -> Shape:
        """What hand-written backpropagation needs to know of the linear layers of an MLP or a CNN's head."""
        assert self.net is not None
        linear = [m for m in self.template.modules() if isinstance(m, nn.Linear)]
        sizes = (linear[0].in_features, *(m.out_features for m in linear))
        gates = next((m.gates for m in self.template.modules() if isinstance(m, GateLayer)), None)
        return Shape(sizes, self.net.activation, self.net.drops, self.loss, self.summed, gates)

    @cached_property
    def treeless(self) -> tuple[bool, ...]:
        """For each member, whether it sees none of the answers of trees; () if there are no trees."""
        gates = self.shape.gates if isinstance(self.net, MLP) else None
        if not isinstance(self.net, MLP) or gates is None or NO_TREES not in gates.level_G:
            return ()
        return tuple(kind >= NO_TREES for kind in self.net.plain)

    @property
    def own(self) -> bool:
        """Whether code of the user's runs in a step or an evaluation."""
        called = self.loss.kind.own, OPTIMIZERS[self.optimizer].own
        return self.net is None or any(each is not None for each in called)

    @property
    def row_shape(self) -> tuple[int, ...]:
        """The shape of one input row."""
        return self.item_shape or self.shape.sizes[:1]
