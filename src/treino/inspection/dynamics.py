"""Training dynamics per step and layer: gradient norms, update / weight ratios, dead units."""

import copy
import math
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from treino.engine import Loss
from treino.engine.activations import modules_of
from treino.inspection.input_planes import Floats
from treino.inspection.outputs import evaluating, outputs

# RULE_OF_THUMB: an update should change weights by about a thousandth of their size. Karpathy et al., CS231n
# notes, "Neural Networks Part 3", https://cs231n.github.io/neural-networks-3/#ratio
MOMENTS = 60  # maximum number of a run's steps that are measured
LOOKED_AT = 1000  # training rows that decide whether a unit is dead


RULE_OF_THUMB = 1e-3


@dataclass(frozen=True, eq=False)
class UpdateRecord:
    """A network before and after an update, with the update's batch (prepared rows and targets).

    step: updates done before. after: None if the run ended before this update. lr: the learning rates of all
    updates from here to the next record or the end. loss: the loss function at that time, if it differs.
    """

    step: int
    net: nn.Module
    after: nn.Module | None
    x_BD: Tensor
    y_B: Tensor
    lr: Sequence[float] = ()
    loss: Loss | None = None


@dataclass(frozen=True)
class WeightLayer:
    """A layer with weights: its name in the network, its weights' shape in torch's order [out, in, ...]."""

    name: str
    shape: tuple[int, ...]


@dataclass(frozen=True, eq=False)
class Dynamics:
    """Training dynamics at K moments of a run, for L layers with weights and U ReLUs.

    lr_S: the learning rate of every update. step_K: updates done at each moment. gradient_KL: the norm of the
    gradient of a layer's parameters on the batch of the next update, before clipping, without dropout.
    ratio_KL: the norm of the next update of a layer's weights (without biases), relative to the norm of the
    weights. dead_KU: the share of units that are zero for all of ``rows`` training rows. relu_U: the index in
    ``layers`` of the layer before each ReLU. NaN: not measurable. steps_per_epoch: None if it varies.
    """

    name: str
    layers: tuple[WeightLayer, ...]
    lr_S: Floats
    step_K: NDArray[np.int64]
    gradient_KL: Floats
    ratio_KL: Floats
    dead_KU: Floats
    relu_U: tuple[int, ...]
    rows: int
    steps_per_epoch: int | None = 1
    notes: tuple[str, ...] = field(default=())


def dynamics(
    name: str,
    instants: Iterable[UpdateRecord],
    loss: Loss,
    looked_at: Tensor,
    *,
    item_shape: Sequence[int] | None = None,
    steps_per_epoch: int | None = 1,
    notes: Sequence[str] = (),
) -> Dynamics:
    """Measure every record.

    looked_at: the prepared rows ``[N, D]`` that decide whether a unit is dead. For a network whose layers
    differ from the final network's, only the learning rates are kept.
    """
    steps, lr_S = list[int](), list[float]()
    records: list[tuple[Any, ...]] = []  # the network's layers, then three measures of them
    for instant in instants:
        layers = tuple(WeightLayer(n, tuple(weights(m)[0].shape)) for n, m in weighted(instant.net).items())
        steps.append(instant.step)
        lr_S += instant.lr
        slopes = gradients_of(instant.net, instant.x_BD, instant.y_B, instant.loss or loss, item_shape)
        gradients_L = [norm(slopes[layer.name].values()) for layer in layers]
        relus, dead_U = dead_units(instant.net, looked_at, item_shape)
        records.append(((layers, relus), gradients_L, update_ratios(instant.net, instant.after), dead_U))
    kind = records[-1][0] if records else ((), ())

    def measured(place: int, width: int) -> Floats:
        """``[K, width]``: one measure of every record; NaN for a network with other layers."""
        none = [math.nan] * width
        rows = [record[place] if record[0] == kind else none for record in records]
        return np.asarray(rows, dtype=np.float64).reshape(len(steps), width)

    layers, relus = kind
    return Dynamics(
        name,
        layers,
        np.asarray(lr_S, dtype=np.float64),
        np.asarray(steps, dtype=np.int64),
        measured(1, len(layers)),
        measured(2, len(layers)),
        measured(3, len(relus)),
        relus,
        len(looked_at),
        steps_per_epoch,
        tuple(notes),
    )


def weighted(net: nn.Module) -> dict[str, nn.Module]:
    """``{name: module}`` of the layers with trained weights of two or more axes."""
    return {name: module for name, module in net.named_modules() if weights(module)}


def weights(module: nn.Module) -> list[Tensor]:
    """A module's trained parameters of two or more axes, without its child modules' parameters."""
    own = [p for p in module._parameters.values() if p is not None and p.requires_grad]
    return [p for p in own if p.dim() >= 2]


def _shapes(module: nn.Module) -> list[torch.Size]:
    return [p.shape for p in weights(module)]


def gradients_of(
    net: nn.Module, x_BD: Tensor, y_B: Tensor, loss: Loss, item_shape: Sequence[int] | None = None
) -> dict[str, dict[str, Tensor]]:
    """``{layer: {parameter: gradient}}`` of the batch's mean loss by autograd, in training mode.

    Batch norm uses the batch's statistics, as in training; dropout is off.
    """
    twin = copy.deepcopy(net)
    twin.train()
    for module in twin.modules():
        if isinstance(module, nn.modules.dropout._DropoutNd):
            module.eval()
    own = {
        (layer, n): p
        for layer, module in weighted(twin).items()
        for n, p in module._parameters.items()
        if p is not None and p.requires_grad
    }
    with torch.enable_grad(), torch.random.fork_rng(devices=[]):
        out = twin(x_BD.reshape(len(x_BD), *item_shape) if item_shape else x_BD.clone())
        value = loss(out, loss.target(y_B, out.dtype))
        slopes = torch.autograd.grad(value, list(own.values()), allow_unused=True)
    gradients: dict[str, dict[str, Tensor]] = {}
    for ((layer, n), p), slope in zip(own.items(), slopes, strict=True):
        gradients.setdefault(layer, {})[n] = torch.zeros_like(p) if slope is None else slope
    return gradients


def update_ratios(net: nn.Module, after: nn.Module | None) -> list[float]:
    """``[L]``: ‖new weights − weights‖ / ‖weights‖; NaN without an update, if layers differ after it, or for
    weights of zero."""
    before = weighted(net)
    later = {} if after is None else weighted(after)
    if any(name not in later or _shapes(later[name]) != _shapes(m) for name, m in before.items()):
        return [math.nan] * len(before)
    ratios = []
    for name, module in before.items():
        old, new = weights(module), weights(later[name])
        size = norm(old)
        moved = norm(b.double() - a.double() for a, b in zip(old, new, strict=True))
        ratios.append(moved / size if size else math.nan)
    return ratios


def dead_units(
    net: nn.Module, x_ND: Tensor, item_shape: Sequence[int] | None = None
) -> tuple[tuple[int, ...], list[float]]:
    """For each ReLU return the layer before it, and the share of its units that are zero on all these rows.

    A convolution's unit is a channel, which is dead if it is zero at all positions. ReLU stands for every
    activation that can die.
    """
    place = {module: k for k, module in enumerate(weighted(net).values())}
    last = -1
    alive: dict[tuple[int, int], Tensor] = {}  # key: layer, ReLU after it; value: [units] so far
    turn: dict[int, int] = {}

    def begin(_module: nn.Module, _args: Any) -> None:
        nonlocal last
        last = -1
        turn.clear()

    def passed(module: nn.Module, _args: Any, _out: Any) -> None:
        nonlocal last
        last = place[module]

    def relu(_module: nn.Module, _args: Any, out: Tensor) -> None:
        turn[last] = turn.get(last, -1) + 1
        positive = (out > 0) | out.isnan()  # NaN and infinity don't count as dead
        key = (last, turn[last])
        alive[key] = positive.transpose(0, 1).flatten(1).any(dim=1) | alive.get(key, torch.tensor(False))

    hooks = [net.register_forward_pre_hook(begin)]
    hooks += [module.register_forward_hook(passed) for module in place]
    kinds = modules_of(lambda activation: activation.can_die)
    hooks += [m.register_forward_hook(relu) for m in net.modules() if type(m) in kinds]
    with evaluating(net), torch.random.fork_rng(devices=[]), ExitStack() as removed:
        for hook in hooks:
            removed.enter_context(hook)
        outputs(net, x_ND.clone(), item_shape=item_shape)
    shares = {key: 1 - float(units.double().mean()) for key, units in alive.items() if key[0] >= 0}
    return tuple(layer for layer, _turn in shares), list(shares.values())


def norm(tensors: Iterable[Tensor]) -> float:
    """The Euclidean norm of all numbers in these tensors, summed in float64."""
    return math.sqrt(sum(float(t.detach().double().square().sum()) for t in tensors))
