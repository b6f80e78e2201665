"""Carry-over of a training's state into a training that continues with other settings."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from treino.engine.activations import ACTIVATIONS
from treino.engine.growth import LayerState, Stack, reshaped
from treino.engine.init import initialise
from treino.engine.keyframes import keyframe_of_saved
from treino.engine.layout import Layout
from treino.engine.optim import HP, OPTIMIZERS
from treino.engine.population import Copies
from treino.engine.rng import generator
from treino.engine.saved_state import SavedState, training_identity
from treino.engine.training_loop import TrainingLoop

HP_OF = {"momentum": ("momentum",), "betas": ("beta1", "beta2"), "eps": ("eps",)}


def unread(optimizer: str) -> list[str]:
    """The hyper-parameters that the optimizer doesn't read."""
    reads = OPTIMIZERS[optimizer].reads
    return [name for setting, names in HP_OF.items() if setting not in reads for name in names]


def carry_over(
    saved: SavedState, training: TrainingLoop, x_ND: Tensor | None = None
) -> tuple[Copies, dict[str, Any]]:
    """The arrays and figures of a keyframe from which ``training`` continues the saved state of another
    training.

    x_ND: training rows, by which layers are grown or pruned if layers or activation differ. The optimizer's
    state starts at zero for another optimizer, or if layers are added or removed: all of it, since one
    counter counts the updates of all parameters, and a new parameter at a high count would take far too large
    steps. The best weights are dropped if the network or the loss differs.
    """
    arrays, meta = keyframe_of_saved(saved)
    before, now = saved[1]["identity"], training_identity(training.setup, training.state)
    population, best = training.state.population, training.state.best
    if before["optimizer"][0] != now["optimizer"][0] or len(before["shapes"]) != len(now["shapes"]):
        arrays = {name: array for name, array in arrays.items() if not name.startswith("moment.")}
        arrays |= {f"moment.{i}": np.zeros_like(arrays["params"]) for i, _m in enumerate(population.moments)}
        for name in unread(now["optimizer"][0]):
            _set(arrays, meta, name, HP[name])
    if training.shared.averages and "average" not in arrays:
        arrays["average"] = arrays["params"].copy()
    if now["summed"] and not before["summed"]:
        arrays["grads"] = np.zeros_like(arrays["params"])
    if before["shapes"] != now["shapes"] and x_ND is not None:
        chances = [generator(seed, "output", meta["step"]) for seed in before["seeds"]]
        arrays |= _reshaped(arrays, _layout(before["shapes"]), training, x_ND, chances)
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
        arrays[f"hp.{name}"] = np.full_like(arrays[f"hp.{name}"], value)


def largest_change(
    before: nn.Module, training: TrainingLoop, arrays: Copies, x_ND: Tensor, member: int
) -> float:
    """The largest change of an output on these rows, from a network to this member of the training with these
    parameters."""
    population = training.state.population
    with torch.no_grad():
        population.params.copy_(torch.from_numpy(arrays["params"]))
        if len(population.average):
            population.average.copy_(torch.from_numpy(arrays["average"]))
        population.buffers.copy_(torch.from_numpy(arrays["buffers"]))
        return float((training.net(member, "last")(x_ND) - before(x_ND)).abs().max())


def _layout(shapes: Iterable[list[int]]) -> Layout:
    return Layout.of((str(i), torch.empty(shape, device="meta")) for i, shape in enumerate(shapes))


def _reshaped(
    arrays: Copies, layout: Layout, training: TrainingLoop, x_ND: Tensor, chances: Sequence[torch.Generator]
) -> Copies:
    """The members' rows with other hidden layers. chances: generators for output layers that are initialised
    anew."""
    rows = [_reshaped_row(arrays, layout, training, x_ND, row, c) for row, c in enumerate(chances)]
    return {name: np.stack([row[name] for row in rows]) for name in rows[0]}


def _reshaped_row(
    arrays: Copies, layout: Layout, training: TrainingLoop, x_ND: Tensor, row: int, chance: torch.Generator
) -> Copies:
    """The rows ``[n]`` of one member."""
    shared = training.shared
    assert shared.net is not None  # the user's own network keeps its layers
    kind = ACTIVATIONS[shared.net.activation]

    def output(weight_CH: Tensor) -> None:
        drawn = torch.empty(weight_CH.shape)
        initialise({"weight": drawn}, shared.init, kind, chance)
        weight_CH.copy_(drawn)

    names = [n for n in arrays if n in ("params", "grads", "average") or n.startswith("moment.")]
    networks = [name for name in ("params", "average") if name in names]
    names.sort(key=lambda name: networks.index(name) if name in networks else len(networks))
    views_K = [layout.views(torch.from_numpy(arrays[name][row])) for name in names]
    tensors_L = [torch.stack(parts) for parts in zip(*views_K, strict=True)]
    gates = [tensors_L.pop(0)] if shared.shape.gates is not None else []
    if shared.shape.gates is not None:
        x_ND = x_ND * shared.shape.gates.factors(gates[0][names.index("params")])
    pairs = zip(tensors_L[::2], tensors_L[1::2], strict=True)
    stack: Stack = [LayerState(w, b, len(networks)) for w, b in pairs]
    with torch.no_grad():
        stack = reshaped(stack, shared.net.hidden, kind.module(), x_ND, output)
    copies = {}
    for k, name in enumerate(names):
        flat_n = torch.zeros_like(training.state.population.params[0], device="cpu")
        layers = [t for layer in stack for t in (layer.weight_KHD, layer.bias_KH)]
        parts = [t[k] for t in (*gates, *layers)]
        for view, part in zip(shared.layout.views(flat_n), parts, strict=True):
            view.copy_(part)
        copies[name] = flat_n.numpy()
    return copies
