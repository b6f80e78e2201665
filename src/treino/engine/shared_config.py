"""What a kernel is told: the recipe that all members share, and the work of one chunk of steps."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import torch
from torch import Tensor, nn

from treino.engine.activations import ACTIVATIONS
from treino.engine.backprop import Shape
from treino.engine.init import initialise
from treino.engine.layout import Layout
from treino.engine.losses import Loss
from treino.engine.net_state import Form, forms, kept, store_buffers
from treino.engine.nets import MLP
from treino.engine.optim import OPTIMIZERS
from treino.engine.population import Copies, Population


@dataclass(frozen=True, eq=False)
class SharedConfig:
    """Everything that is equal for all members.

    template: a plain module with the members' shapes; its weights are the start of an own net.
    net: the description, None for a module of the user's own. construct: seed -> a fresh own module.
    item_shape: what an own module is given per row; None: flat rows.
    summed: the fault ``missing_zero_grad``.
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
    dtype: torch.dtype = torch.float32
    device: torch.device = field(default_factory=lambda: torch.device("cpu"))

    @cached_property
    def layout(self) -> Layout:
        """Of what is trained; frozen parameters are kept with the buffers."""
        return Layout.of((n, p) for n, p in self.template.named_parameters() if p.requires_grad)

    @cached_property
    def buffer_layout(self) -> Layout:
        return Layout.of(kept(self.template))

    @cached_property
    def forms(self) -> dict[str, Form]:
        """What parameters and buffers must stay like."""
        return forms(self.template)

    @property
    def shape(self) -> Shape:
        """For the hand-written pass; only of an MLP."""
        assert self.net is not None
        linear = [m for m in self.template.modules() if isinstance(m, nn.Linear)]
        sizes = (linear[0].in_features, *(m.out_features for m in linear))
        return Shape(sizes, self.net.activation, self.net.drops, self.loss, self.summed)


def new_population(shared: SharedConfig, seeds: Sequence[int], hp: dict[str, Tensor]) -> Population:
    """The members as they are before the first step; hp: each ``[P]`` float64."""
    layout, buffer_layout, P = shared.layout, shared.buffer_layout, len(seeds)

    def zeros() -> Tensor:
        return torch.zeros(P, layout.n, dtype=shared.dtype, device=shared.device)

    population = Population(
        layout,
        buffer_layout,
        torch.tensor(list(seeds), dtype=torch.int64),
        torch.zeros(P, dtype=torch.int64),
        zeros(),
        zeros(),
        [zeros() for _state in OPTIMIZERS[shared.optimizer].states],
        torch.zeros(P, buffer_layout.n, dtype=torch.float64),
        hp,
        shared.summed,
    )
    for row, seed in enumerate(seeds):
        named = layout.named(population.params[row])
        module = shared.template if shared.construct is None else shared.construct(seed)
        if shared.net is not None:
            initialise(named, shared.init, ACTIVATIONS[shared.net.activation], seed)
        else:
            own = dict(module.named_parameters())
            for name, tensor in named.items():
                tensor.copy_(own[name].detach())
        store_buffers(module, buffer_layout, population.buffers[row])
    return population


@dataclass(frozen=True, eq=False)
class Chunk:
    """What S steps need: the rows, the batch of every step (None: all rows), and where in the run they are.

    x: ``[N, D]``, or ``[N, *item_shape]`` for an own module. y: ``[N]`` int64 or ``[N, K]``.
    first: updates done before. factors: of each of the plan's schedules, one per step.
    marks: the steps, from 1 on, after which the kernel puts copies of the one member's rows into ``kept``.
    """

    x: Tensor
    y: Tensor
    batches: Sequence[Tensor | None]
    first: int
    factors: list[list[float]]
    keyframe_steps: frozenset[int] = frozenset()
    kept: list[Copies] = field(default_factory=list)

    @property
    def steps(self) -> int:
        return len(self.batches)

    def keep(self, population: Population) -> None:
        """Copy the one member's rows as they are now."""
        self.kept.append(population.copies())
