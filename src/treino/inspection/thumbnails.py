"""Outputs of each layer on some rows, read by forward hooks, and weights as small images."""

import math
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.modules.conv import _ConvNd

from treino.base.errors import Refusal
from treino.base.text import that_hold
from treino.base.words import _
from treino.data.dataset import Data
from treino.inspection.input_planes import Floats
from treino.inspection.outputs import evaluating

WEIGHTS_NOT_ON_INPUTS = Refusal(
    "The first layer of this network, {layer}, has no matrix of weights on the inputs.",
    "Look at [[what=network]], which shows the layers as they run.",
)

# ---- outputs of each layer

BATCH, PIXELS = 512, 1 << 20  # maximum number of rows of a pass, and of their values
STILL = (nn.Dropout, nn.Dropout1d, nn.Dropout2d, nn.Dropout3d, nn.AlphaDropout, nn.Identity, nn.Flatten)
"""Modules that change at most the shape in eval mode, and are left out of diagrams."""


@dataclass(frozen=True, eq=False)
class LayerCall:
    """One call of a layer: a module with a weight matrix, and the modules up to the next such module.

    name, what: as in ``unit_responses.UnitColumn``. given_NU: ``[N, U]`` float64, the inputs of the next
    layer; a channel is averaged over its positions. weight: ``[U, J]`` of a ``Linear``, else None. kernel:
    ``weight``, or a convolution's ``[U, C, …]``, else None. bias: ``[U]`` or None. map_NUHW: a convolution's
    channels as pictures, as they are before a pool makes them smaller; None unless they were to be kept.
    """

    name: str
    what: str
    given_NU: Floats
    weight: Floats | None
    kernel: Floats | None
    bias: Floats | None
    map_NUHW: NDArray[np.float32] | None = None

    def tiles(self, item_shape: Sequence[int]) -> Floats | None:
        """``[U, C, H, W]``: the weights as images over an item's pixels, or a convolution's kernels. None if
        the weights are neither."""
        if self.kernel is not None and self.kernel.ndim == 4:
            return self.kernel
        if self.weight is None or self.weight.shape[1] != math.prod(item_shape) or len(item_shape) < 2:
            return None
        return self.weight.reshape(len(self.weight), -1, *item_shape[-2:])


@dataclass(eq=False)
class _Layer:
    """A layer whose outputs are collected batch by batch."""

    name: str
    module: nn.Module
    follow: list[nn.Module] = field(default_factory=list)
    output_batches: list[Tensor] = field(default_factory=list)
    map_batches: list[Tensor] = field(default_factory=list)
    between: bool = False


def layers_as_they_run(
    net: nn.Module, x_ND: Tensor, item_shape: Sequence[int] | None = None, maps: bool = False
) -> tuple[list[LayerCall], Tensor, list[str]]:
    """Return the layers in the order of their calls, the network's outputs ``[N, C]``, and notes on parts
    that can't be observed.

    Each module with a weight matrix begins a layer. The layer's output is the output of the last following
    module that keeps its units, or the actual input of the next layer if code in between changes it. The
    network stays unchanged. maps: whether to keep the channels of convolutions as pictures.
    """
    layers: list[_Layer] = []
    parts = []
    with evaluating(net) as device, torch.no_grad():
        for x_BD in x_ND.split(max(1, min(BATCH, PIXELS // x_ND.shape[1:].numel()))):
            x = x_BD.to(device)
            x = x.reshape(len(x), *item_shape) if item_shape else x
            with _reading(net, layers, len(x), maps) as pass_over:
                out = net(x)
            pass_over.leave(out)
            parts.append(out.reshape(len(x), -1).cpu())
    seen = [
        layer for layer in layers if layer.output_batches and sum(map(len, layer.output_batches)) == len(x_ND)
    ]
    unseen = ", ".join(f"{y.name} ({type(y.module).__name__})" for y in layers if y not in seen)
    between = ", ".join(layer.name for layer in seen if layer.between)
    text = _("Layers that can't be shown, for they give no unit a number for each row: {names}.")
    notes = that_hold({text: unseen}, names=unseen)
    text = _("After {names} the code between the layers does more, and is seen as the next layer gets it.")
    notes += that_hold({text: between}, names=between)
    text = _("No layer could be seen inside this network: only what it says is shown.")
    notes += that_hold({text: not seen})
    ran = [_ran(layer) for layer in seen]
    return ran, torch.cat(parts), notes


class _Pass:
    """The forward pass of one batch: the current layer, and its latest output."""

    def __init__(self, layers: list[_Layer], rows: int, maps: bool) -> None:
        self.layers, self.rows, self.maps, self.first = layers, rows, maps, not layers
        self.at = -1
        self.units: Tensor | None = None
        self.map: Tensor | None = None

    def enter(self, name: str, module: nn.Module, args: Any, kwargs: Any) -> None:
        """Begin a layer, before its module is called."""
        if not _matrix(module):
            return
        self.leave(next(iter([*args, *kwargs.values()]), None))
        self.at += 1
        if self.first or self.at >= len(self.layers):
            self.layers.append(_Layer(name, module))
        self.units = self.map = None

    def came_out(self, module: nn.Module, _args: Any, out: Any) -> None:
        if self.at < 0 or not isinstance(out, Tensor):
            return
        units = _by_unit(out, self.rows, self.layers[self.at].module)
        layer = self.layers[self.at]
        if module is not layer.module and self.first:
            layer.follow.append(module)
        if units is not None and (self.units is None or units.shape == self.units.shape):
            self.units = units
        pictures = self.maps and isinstance(layer.module, nn.Conv2d) and out.dim() == 4
        if pictures and len(out) == self.rows and (self.map is None or out.shape == self.map.shape):
            self.map = out.detach().to("cpu", torch.float32, copy=True)  # before a pool makes it smaller

    def leave(self, x: Any) -> None:
        """Record the next layer's input ``x`` as this layer's output, if it has as many units."""
        if self.at < 0:
            return
        layer, units = self.layers[self.at], self.units
        got = _by_unit(x, self.rows, layer.module) if isinstance(x, Tensor) else None
        if units is not None and got is not None and got.shape == units.shape:
            same = torch.equal(got, units) or torch.allclose(got, units, rtol=0, atol=0, equal_nan=True)
            layer.between = layer.between or not same
            units = got
        if units is not None:
            layer.output_batches.append(units)
        if self.map is not None:
            layer.map_batches.append(self.map)


@contextmanager
def _reading(net: nn.Module, layers: list[_Layer], rows: int, maps: bool) -> Iterator[_Pass]:
    run = _Pass(layers, rows, maps)
    with ExitStack() as hooks:
        for name, module in net.named_modules():
            if any(True for _child in module.children()):
                continue
            enter = partial(run.enter, name or type(net).__name__)
            hooks.enter_context(module.register_forward_pre_hook(enter, with_kwargs=True))
            hooks.enter_context(module.register_forward_hook(run.came_out))
        yield run


def _matrix(module: nn.Module) -> bool:
    return not isinstance(module, nn.LayerNorm) and any(
        parameter.dim() >= 2 for parameter in module.parameters(recurse=False)
    )


def _by_unit(out: Tensor, rows: int, module: nn.Module) -> Tensor | None:
    """A copy ``[N, U]`` of an output: its channels, or a ``Linear``'s last axis, averaged over all positions.
    None if rows aren't the first axis."""
    if out.dim() < 2 or len(out) != rows or not out.is_floating_point():
        return None
    by_channel = out if isinstance(module, _ConvNd) else out.movedim(-1, 1)
    if out.dim() > 2:
        return by_channel.detach().flatten(2).mean(dim=2, dtype=torch.float64).cpu()
    return out.detach().to("cpu", torch.float64, copy=True)


def _ran(layer: _Layer) -> LayerCall:
    module = layer.module
    kernel = None
    if isinstance(module, nn.Linear | nn.Conv1d | nn.Conv2d | nn.Conv3d):
        kernel = module.weight.detach().double().cpu().numpy()
    bias = getattr(module, "bias", None)
    words = [type(m).__name__ for m in [module, *layer.follow] if not isinstance(m, STILL)]
    if layer.between:
        words.append("…")
    return LayerCall(
        layer.name,
        ", ".join(words),
        torch.cat(layer.output_batches).numpy(),
        kernel if isinstance(module, nn.Linear) else None,
        kernel,
        bias.detach().double().cpu().numpy() if isinstance(bias, Tensor) else None,
        torch.cat(layer.map_batches).numpy() if layer.map_batches else None,
    )


# ---- weights of the first layer, and kernels of all convolutions

KERNEL_LAYERS = 6  # maximum number of further convolutions
ONTO, OUT_OF = 24, 12  # maximum channels of a convolution, and of those before it


@dataclass(frozen=True, eq=False)
class KernelMap:
    """Kernels of a later convolution: from J of its ``before`` channels onto U of its ``total`` channels.

    name: the module's name. units_U, inputs_J: indices of the channels with the longest kernels, in order.
    kernel_UJHW: the kernels. share: of the layer's squared weights.
    """

    name: str
    total: int
    before: int
    units_U: NDArray[np.int64]
    inputs_J: NDArray[np.int64]
    kernel_UJHW: Floats
    share: float


@dataclass(frozen=True, eq=False)
class FirstWeights:
    """The first layer's units by the norm of their weights, the largest first; the kernels of later layers.

    name: the data's. layer: the module's name and class. units_U: indices of the units. weight_UD: ``[U, D]``
    their weights. tile_U: the weights as images, or a convolution's kernels, ``[U, C, H, W]``; None for a
    table. inputs: the names of the D inputs (empty for pixels). later: further convolutions. left_out: the
    number of convolutions not shown. convolution: whether the first layer is one.
    """

    name: str
    layer: str
    units_U: NDArray[np.int64]
    weight_UD: Floats
    tile_U: Floats | None
    inputs: tuple[str, ...]
    later: tuple[KernelMap, ...] = ()
    left_out: int = 0
    convolution: bool = False


def first_weights(net: nn.Module, data: Data, *, item_shape: Sequence[int] | None = None) -> FirstWeights:
    """The weights of the first layer with a weight matrix, in the order of calls.

    Raises:
        TreinoError: this layer's weights aren't on the inputs, or there is no such layer.
    """
    ran, _out, _notes = layers_as_they_run(net, data.train.x[:2], item_shape)
    first = ran[0] if ran else None
    tile = None if first is None else first.tiles(data.item_shape)
    on_inputs = first is not None and first.weight is not None and first.weight.shape[1] == data.inputs
    if first is None or first.kernel is None or (tile is None and not on_inputs):
        raise WEIGHTS_NOT_ON_INPUTS(
            layer=_("which hides its layers") if first is None else f"{first.name} ({first.what})"
        )
    further = [layer for layer in ran[1:] if layer.kernel is not None and layer.kernel.ndim == 4]
    flat_UD = first.kernel.reshape(len(first.kernel), -1)
    order_U = np.argsort(-np.linalg.norm(flat_UD, axis=1), kind="stable")
    return FirstWeights(
        data.name,
        f"{first.name} ({first.what.split(',')[0]})",
        order_U,
        flat_UD[order_U],
        None if tile is None else tile[order_U],
        data.preparation.inputs if tile is None else (),
        tuple(_kernel_map(layer) for layer in further[:KERNEL_LAYERS]),
        max(0, len(further) - KERNEL_LAYERS),
        first.kernel.ndim == 4,
    )


def _kernel_map(layer: LayerCall) -> KernelMap:
    assert layer.kernel is not None
    square_UJ = np.square(layer.kernel).sum(axis=(2, 3))
    units_U, inputs_J = (
        np.sort(np.argsort(-square_UJ.sum(axis=axis), kind="stable")[:most])
        for axis, most in ((1, ONTO), (0, OUT_OF))
    )
    shown, (total, before) = np.ix_(units_U, inputs_J), square_UJ.shape
    share = float(square_UJ[shown].sum() / (square_UJ.sum() or 1.0))
    return KernelMap(layer.name, total, before, units_U, inputs_J, layer.kernel[shown], share)
