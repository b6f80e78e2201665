"""A population's template: a plain module with the layers and shapes of each member."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from treino.base.errors import Refusal
from treino.base.machine import memory_bytes
from treino.base.words import numeral
from treino.engine.arguments import refuse_several, with_arguments
from treino.engine.gates import gates_of, with_gates
from treino.engine.inputs import Inputs
from treino.engine.losses import Loss
from treino.engine.net_state import check_state
from treino.engine.nets import MLP, Net, input_shape
from treino.engine.rng import fork_rng
from treino.engine.train_config import TrainConfig
from treino.engine.user_module import (
    LayerRow,
    construct_module,
    forward_of,
    module_copy,
    probe_module,
    probe_rows,
    with_lazy_layers,
)

INIT_OWN = Refusal(
    "[[init={init}]] is for treino's own layers; a network of your own initialises itself.", "Leave it out."
)
NET_TYPE = Refusal(
    "A {kind} is no network.", "Give mlp(64, 32), cnn(16, 32), an nn.Module, or a function that makes one."
)
NET_TOO_LARGE = Refusal(
    "{members} × {parameters} parameters need about {needed:.0f} GB; {there:.0f} are here.",
    "Use smaller hidden layers, or fewer networks at once.",
)
NET_SCRIPT = Refusal(
    "A network compiled by torch.jit can't be trained here.", "Give the nn.Module that it was made from."
)
SEEDS_OWN = Refusal(
    "One network can't start from {n} seeds.",
    "Give its class, or a function that makes it, instead of the network.",
)

PARAMETER_COPIES = 6  # weights, gradients, two moments, best weights, and the rewind copy

NetSource = Net | nn.Module | Callable[[], nn.Module]
Maker = Callable[[int], nn.Module]  # makes a module from a seed


@dataclass(frozen=True, eq=False)
class Template:
    """A template. module: on the CPU; a user's module has the first member's weights. construct: makes a
    module from a seed; None for one member, and for treino's own networks. layers: the table of layers. two:
    the two rows of the test."""

    module: nn.Module
    construct: Maker | None
    layers: list[LayerRow]
    two: Tensor


def outputs_of(loss: Loss, inputs: Inputs) -> int:
    """The number of outputs that the network must have."""
    return loss.outputs(inputs.classes)


def template_of(net: NetSource, inputs: Inputs, loss: Loss, config: TrainConfig) -> Template:
    """Make the template of all members, initialise its lazy layers, and test it on two rows.

    Raises:
        TreinoError: not a network; a network too large, or unfit for the rows, the loss or the settings.
    """
    module, maker = _module(net, inputs, outputs_of(loss, inputs), config)
    shape = input_shape(net, inputs.item_shape)
    two, y, index = _probed(inputs, 0, shape, config)
    seeds = config.seeds
    module = with_lazy_layers(module, two, seeds[0])
    own = not isinstance(net, Net)
    layers = probe_module(
        module, two, loss.target(y, config.dtype).cpu(), outputs_of(loss, inputs), loss, own, index
    )
    if own and inputs.arrays and len(inputs.validation[1]):
        held_back, _y, index = _probed(inputs, 1, shape, config)
        forward_of(module_copy(module), held_back, [], training=False, index=index)
    if maker is None or len(seeds) == 1:
        return Template(module, None, layers, two)
    return Template(module, lambda seed: with_lazy_layers(maker(seed), two, seed), layers, two)


def _probed(
    inputs: Inputs, part: int, shape: tuple[int, ...], config: TrainConfig
) -> tuple[Tensor, Tensor, Tensor | None]:
    """Rows to test a network on, of the training (0) or validation part: in its shape, their targets, their
    numbers in the source."""
    two, y, at = probe_rows(*(inputs.train, inputs.validation)[part], inputs.arrays)
    index = inputs.index[part][at] if inputs.index and at is not None else at
    return two.reshape(len(two), *shape).to(config.dtype).cpu(), y, index


def _module(
    net: NetSource, inputs: Inputs, outputs: int, config: TrainConfig
) -> tuple[nn.Module, Maker | None]:
    """The first member's module, and a function that makes a module from another seed (None: not needed)."""
    if isinstance(net, Net):
        refuse_several(inputs.arrays)
        shape = input_shape(net, inputs.item_shape)
        check_memory(
            sum(map(math.prod, net.parameter_shapes(shape, outputs))), len(config.members), config.dtype
        )
        with fork_rng():
            rate = 0.5 if isinstance(net.dropout, tuple) else None  # a placeholder for each member's own rate
            module = net.module(shape, outputs, rate)
            if isinstance(net, MLP) and net.gates:
                module = with_gates(module, gates_of(shape[0], inputs.columns, inputs.bins, net.gates))
            return module.to(config.dtype), None
    if config.shared.init not in (None, "default"):
        raise INIT_OWN(init=config.shared.init)
    if isinstance(net, nn.Module):
        if len(config.members) > 1:
            raise SEEDS_OWN(n=len(config.members))
        check_state(net)  # check first: a refused module may not be copyable
        return with_arguments(plain_module(module_copy(net), config.dtype), inputs.arrays), None
    if not callable(net):
        raise NET_TYPE(kind=type(net).__name__)

    def maker(seed: int) -> nn.Module:
        return with_arguments(plain_module(construct_module(net, seed), config.dtype), inputs.arrays)

    return maker(config.seeds[0]), maker


def check_memory(parameters: int, members: int, dtype: torch.dtype) -> None:
    """Refuse networks too large for this machine's memory, before they are built.

    Raises:
        TreinoError: they don't fit.
    """
    needed = parameters * members * dtype.itemsize * PARAMETER_COPIES
    there = memory_bytes()
    if needed > there:
        raise NET_TOO_LARGE(
            parameters=numeral(parameters, ","), members=members, needed=needed / 1e9, there=there / 1e9
        )


def plain_module(module: nn.Module, dtype: torch.dtype = torch.float32) -> nn.Module:
    """Prepare the module for training: move it to the CPU, convert floating-point tensors to ``dtype``.

    Embeddings with sparse gradients switch to dense ones, with the same updates.

    Raises:
        TreinoError: the module is compiled by ``torch.jit``, or its state can't be stored.
    """
    if any(isinstance(m, torch.jit.ScriptModule) for m in module.modules()):
        raise NET_SCRIPT()
    check_state(module)
    for layer in module.modules():
        if isinstance(layer, nn.Embedding | nn.EmbeddingBag):
            layer.sparse = False
    return module.to(device="cpu", dtype=dtype)
