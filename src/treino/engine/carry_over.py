"""Carry a training's state over to a training with other settings, or with a grown or pruned network.

Net2Net (Chen, Goodfellow, Shlens 2016, arXiv:1511.05641): an added unit copies an existing one, and both
share its outgoing weights; an added layer computes the identity. Pruning removes the units that contribute
least to the next layer, and moves their mean contributions into its biases.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from treino.engine.activations import ACTIVATIONS
from treino.engine.init import initialise
from treino.engine.nets import MLP
from treino.engine.optim import HP, OPTIMIZERS, unread
from treino.engine.population import Copies, Layout
from treino.engine.rng import generator
from treino.engine.saved_state import SavedState, keyframe_of_saved, training_identity
from treino.engine.training_loop import TrainingLoop

# ---- growth and pruning of an MLP

SPREAD = (1 + math.sqrt(5)) / 2  # spread of the copies' shares; irrational, so that no share is 0
POINTS = (0.0, 4.0, 8.0, 16.0)  # where an added layer may use the nearly straight part of an activation
SCALES = (1.0, 0.25)  # scales of an added layer's inputs; small for activations straight only near 0
NEAR = 0.002  # largest accepted error of an added layer / largest value

Activation = Callable[[Tensor], Tensor]


@dataclass(frozen=True, eq=False)
class LayerState:
    """A layer with its state. weight_KHD, bias_KH: K stacks the weights, their running average if there is
    one, then further state such as the optimizer's moments. networks: how many of the first K entries are
    weights (1 or 2)."""

    weight_KHD: Tensor
    bias_KH: Tensor
    networks: int = 1

    @property
    def units(self) -> int:
        return self.bias_KH.shape[1]


Stack = list[LayerState]


@dataclass(frozen=True)
class LinearStretch:
    """An interval where an activation is nearly straight: act(scale · h + point) ≈ height + slope · h."""

    scale: float
    point: float
    height: float
    slope: float


def reshaped(
    stack: Stack, hidden: Sequence[int], act: Activation, x_ND: Tensor, output: Callable[[Tensor], None]
) -> Stack:
    """The network reshaped to hidden layers of these sizes, in float64.

    x_ND: training rows, to choose the units to remove and to measure errors of added layers.
    output(weight_CH): initialises the output layer if the layer before it was removed.
    """
    stack = [
        replace(each, weight_KHD=each.weight_KHD.double(), bias_KH=each.bias_KH.double()) for each in stack
    ]
    x_ND = x_ND.double()
    if len(hidden) < len(stack) - 1:
        stack = shortened(stack, len(hidden), output)
    for place, units in enumerate(hidden):
        if place == len(stack) - 1:
            stack = deepened(stack, place, act, hidden_values(stack, act, x_ND)[place])
        if units > stack[place].units:
            stack = widened(stack, place, units)
        elif units < stack[place].units:
            stack = narrowed(stack, place, units, hidden_values(stack, act, x_ND)[place + 1])
    return stack


def hidden_values(stack: Stack, act: Activation, x_ND: Tensor) -> list[Tensor]:
    """The inputs, and the values ``[N, H]`` of each hidden layer."""
    values = [x_ND]
    for layer in stack[:-1]:
        values.append(act(values[-1] @ layer.weight_KHD[0].T + layer.bias_KH[0]))
    return values


def widened(stack: Stack, place: int, units: int) -> Stack:
    """Widen a hidden layer by copying its units in turn, without changing the network's function.

    Copies get unequal shares of the outgoing weights, some below 0, so that their gradients differ, also in
    sign. The optimizer's moments are copied unchanged.
    """
    before = stack[place].units
    return _selected_units(stack, place, torch.arange(units) % before, shares(units, before))


def shares(units: int, before: int) -> Tensor:
    """``[units]``: each copy's share of its original's outgoing weights; the shares of one original sum to
    1."""
    unit_H = torch.arange(units)
    count_H = (units - unit_H % before - 1) // before + 1  # copies of the same unit
    turn_H, last_H = (unit_H // before).double(), (count_H - 1).clamp(min=1)
    even_H = torch.where(count_H > 1, 1 - 2 * turn_H / last_H, 0.0)  # falls evenly from 1 to -1
    return (1 + SPREAD * even_H) / count_H


def narrowed(stack: Stack, place: int, units: int, value_NH: Tensor) -> Stack:
    """Remove the units of a hidden layer that contribute least to the next layer, by the standard deviation
    of their values times the norm of their outgoing weights. The next layer's biases take over their mean
    contributions."""
    after = stack[place + 1]
    onward_MCH = after.weight_KHD[: after.networks]
    moved_H = value_NH.std(0, correction=0) * onward_MCH[0].norm(dim=0)
    unit_H = moved_H.argsort(descending=True, stable=True)[:units].sort().values
    gone_H = torch.ones(len(moved_H), dtype=torch.bool).index_fill(0, unit_H, False)
    bias_KC = after.bias_KH.clone()
    bias_KC[: after.networks] += onward_MCH[:, :, gone_H] @ value_NH.mean(0)[gone_H]
    stack = [*stack[: place + 1], replace(after, bias_KH=bias_KC), *stack[place + 2 :]]
    return _selected_units(stack, place, unit_H, torch.ones(units, dtype=torch.float64))


def deepened(stack: Stack, place: int, act: Activation, value_NH: Tensor) -> Stack:
    """Insert a hidden layer at this place that computes the identity: exactly if the activation has a
    straight interval for all values, else nearly. Its optimizer state is zero."""
    after, line = stack[place], straight_stretch(act, value_NH)
    K, H, M = len(after.bias_KH), value_NH.shape[1], after.networks
    weight_KHH = torch.zeros(K, H, H, dtype=torch.float64)
    weight_KHH[:M] = line.scale * torch.eye(H, dtype=torch.float64)
    bias_KH = torch.zeros(K, H, dtype=torch.float64)
    bias_KH[:M] = line.point
    onward_KCH, bias_KC = after.weight_KHD.clone(), after.bias_KH.clone()
    onward_KCH[:M] /= line.slope
    bias_KC[:M] -= line.height * onward_KCH[:M].sum(2)
    return [
        *stack[:place],
        LayerState(weight_KHH, bias_KH, M),
        LayerState(onward_KCH, bias_KC, M),
        *stack[place + 1 :],
    ]


def straight_stretch(act: Activation, value_NH: Tensor) -> LinearStretch:
    """The first interval with an error of at most NEAR times the largest value, else the straightest one."""
    size = float(value_NH.abs().max()) or 1.0
    stretches: list[tuple[float, LinearStretch]] = []
    for point in POINTS:
        for scale in SCALES:
            ends = act(torch.tensor([point, point + scale * size], dtype=torch.float64))
            height, slope = float(ends[0]), float(ends[1] - ends[0]) / size
            if slope == 0 or not math.isfinite(slope):
                continue
            straight_NH = (act(scale * value_NH + point) - height) / slope
            bent = float((straight_NH - value_NH).abs().max())
            if bent <= NEAR * size:
                return LinearStretch(scale, point, height, slope)
            stretches.append((bent, LinearStretch(scale, point, height, slope)))
    return min(stretches, key=lambda pair: pair[0])[1] if stretches else LinearStretch(1.0, 0.0, 0.0, 1.0)


def shortened(stack: Stack, hidden: int, output: Callable[[Tensor], None]) -> Stack:
    """Keep the first ``hidden`` hidden layers; initialise the output layer's weights anew, and keep its
    biases."""
    before, last = stack[:hidden], stack[-1]
    units = before[-1].units if before else stack[0].weight_KHD.shape[2]
    weight_KCH = torch.zeros(*last.bias_KH.shape, units, dtype=torch.float64)
    output(weight_KCH[0])
    weight_KCH[1 : last.networks] = weight_KCH[0]
    return [*before, replace(last, weight_KHD=weight_KCH)]


def _selected_units(stack: Stack, place: int, of_H: Tensor, share_H: Tensor) -> Stack:
    """Select units of a hidden layer. share_H: each selected unit's share of its outgoing weights."""
    layer, after = stack[place], stack[place + 1]
    onward_KCH = after.weight_KHD[:, :, of_H].clone()
    onward_KCH[: after.networks] *= share_H
    selection = replace(layer, weight_KHD=layer.weight_KHD[:, of_H], bias_KH=layer.bias_KH[:, of_H])
    return [*stack[:place], selection, replace(after, weight_KHD=onward_KCH), *stack[place + 2 :]]


# ---- carry-over to other settings


def carry_over(
    saved: SavedState, training: TrainingLoop, x_ND: Tensor | None = None
) -> tuple[Copies, dict[str, Any]]:
    """The arrays and meta of a keyframe from which ``training`` continues the saved state of another
    training.

    x_ND: training rows, for growing or pruning if layers or activation differ. The optimizer's whole state
    starts at zero if the optimizer differs, or if layers are added or removed: one counter counts the updates
    of all parameters, and at a high count a new parameter would take far too large steps. The best weights
    are dropped if the network or the loss differs.
    """
    arrays, meta = keyframe_of_saved(saved)
    before, now = saved[1]["identity"], training_identity(training.setup, training.state)
    population, best = training.state.population, training.state.best
    resized = before["shapes"] != now["shapes"]
    called = OPTIMIZERS[now["optimizer"][0]].own is not None  # whose state is bytes, and can't be resized
    anew = before["optimizer"][0] != now["optimizer"][0] or len(before["shapes"]) != len(now["shapes"])
    if anew or (called and resized):
        arrays = {name: array for name, array in arrays.items() if not name.startswith("moment.")}
        if not called:
            arrays |= {f"moment.{i}": np.zeros_like(arrays["params"]) for i in range(len(population.moments))}
        for name in unread(now["optimizer"][0]):
            _set(arrays, meta, name, HP[name])
        for name in population.hp.keys() - HP.keys():  # which this optimizer alone has
            _set(arrays, meta, name, float(population.hp[name][0]))
    if training.model.averages and "average" not in arrays:
        arrays["average"] = arrays["params"].copy()
    if now["summed"] and not before["summed"]:
        arrays["grads"] = np.zeros_like(arrays["params"])
    if resized and x_ND is not None:
        chances = [generator(seed, "output", meta["step"]) for seed in before["seeds"]]
        layout = Layout.of((str(i), torch.empty(s, device="meta")) for i, s in enumerate(before["shapes"]))
        rows = [_reshaped_row(arrays, layout, training, x_ND, row, c) for row, c in enumerate(chances)]
        arrays |= {name: np.stack([row[name] for row in rows]) for name in rows[0]}
    for i, moment in enumerate(population.moments):
        arrays.setdefault(f"moment.{i}", np.zeros_like(moment.cpu().numpy()))
    if before["loss"] != now["loss"] or x_ND is not None:
        arrays |= {f"best.{name}": getattr(best, name).cpu().numpy() for name in ("params", "buffers")}
        if len(population) == 1:
            meta["best"] = [float(best.metric_P[0]), -1]
        else:
            arrays |= {"best.metric": best.metric_P.numpy().copy(), "best.step": best.step_P.numpy().copy()}
    return arrays, meta


def _set(arrays: Copies, meta: dict[str, Any], name: str, value: float) -> None:
    """Set a hyper-parameter in a keyframe."""
    if "hp" in meta:
        meta["hp"][name] = value
    else:
        arrays[f"hp.{name}"] = np.full_like(arrays["hp.lr"], value)


def largest_change(
    before: nn.Module, training: TrainingLoop, arrays: Copies, x_ND: Tensor, member: int
) -> float:
    """The largest difference on these rows between an output of ``before`` and of this member with the
    parameters of ``arrays``."""
    population = training.state.population
    with torch.no_grad():
        population.params.copy_(torch.from_numpy(arrays["params"]))
        if len(population.average):
            population.average.copy_(torch.from_numpy(arrays["average"]))
        population.buffers.copy_(torch.from_numpy(arrays["buffers"]))
        return float((training.net(member, "last")(x_ND) - before(x_ND)).abs().max())


def _reshaped_row(
    arrays: Copies, layout: Layout, training: TrainingLoop, x_ND: Tensor, row: int, chance: torch.Generator
) -> Copies:
    """One member's rows ``[n]`` after a change of its hidden layers. chance: initialises its output layer."""
    model = training.model
    assert isinstance(model.net, MLP)  # other networks keep their layers
    kind = ACTIVATIONS[model.net.activation]

    def output(weight_CH: Tensor) -> None:
        drawn = torch.empty(weight_CH.shape)
        initialise({"weight": drawn}, model.init, kind, chance)
        weight_CH.copy_(drawn)

    names = [n for n in arrays if n in ("params", "grads", "average") or n.startswith("moment.")]
    networks = [name for name in ("params", "average") if name in names]
    names.sort(key=lambda name: networks.index(name) if name in networks else len(networks))
    views_K = [layout.views(torch.from_numpy(arrays[name][row])) for name in names]
    tensors_L = [torch.stack(parts) for parts in zip(*views_K, strict=True)]
    gates = [tensors_L.pop(0)] if model.shape.gates is not None else []
    if model.shape.gates is not None:
        x_ND = x_ND * model.shape.gates.factors(gates[0][names.index("params")])
    pairs = zip(tensors_L[::2], tensors_L[1::2], strict=True)
    stack: Stack = [LayerState(w, b, len(networks)) for w, b in pairs]
    with torch.no_grad():
        stack = reshaped(stack, model.net.hidden, kind.module(), x_ND, output)
    copies = {}
    for k, name in enumerate(names):
        flat_n = torch.zeros_like(training.state.population.params[0], device="cpu")
        layers = [t for layer in stack for t in (layer.weight_KHD, layer.bias_KH)]
        parts = [t[k] for t in (*gates, *layers)]
        for view, part in zip(model.layout.views(flat_n), parts, strict=True):
            view.copy_(part)
        copies[name] = flat_n.numpy()
    return copies
