"""The hand-written forward and backward pass of a block of R MLPs: calls on preallocated buffers."""

from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor

from treino.engine.activations import ACTIVATIONS
from treino.engine.buffers import BufferCall, DropoutMask, LossBuffers, aligned_buffer
from treino.engine.gates import Gates
from treino.engine.losses import LOSSES, Loss
from treino.engine.population import PAD, Layout

NARROW = 16  # columns


@dataclass(frozen=True)
class Shape:
    """A network's description for the hand-written pass: sizes (D, H, ..., C), activation, loss."""

    sizes: tuple[int, ...]
    activation: str
    dropout: bool
    loss: Loss
    summed: bool = False
    gates: Gates | None = None


class Buffers:
    """The buffers for one batch size."""

    def __init__(self, shape: Shape, block: int, rows: int, like: Tensor, training: bool) -> None:
        hidden, classes = shape.sizes[1:-1], shape.sizes[-1]
        own = not ACTIVATIONS[shape.activation].in_place
        self.z = [aligned_buffer(block, rows, units, like) for units in hidden]
        self.h = [aligned_buffer(block, rows, units, like) for units in hidden] if own else list(self.z)
        # in the last layer rows are the last axis: see LossBuffers
        self.z.append(aligned_buffer(block, classes, rows, like))
        if training:
            self.d = [aligned_buffer(block, rows, units, like) for units in hidden]
            self.d.append(aligned_buffer(block, classes, rows, like))
            self.drops = [DropoutMask(block, rows, units, like) for units in hidden] if shape.dropout else []


@dataclass(eq=False)
class BatchPass:
    """The calls for one batch size. Fill ``x``, ``y`` and, if rows have weights, ``weight`` ``[R, B]``, draw
    ``drops``, then run begin, forward and backward in this order.

    begin: the computations that depend on y and weights alone. backward: begins with the loss. The next run
    overwrites ``loss`` ``[R]`` and the gradients.
    """

    x: Tensor
    y: Tensor
    loss: Tensor
    drops: list[DropoutMask]
    begin: list[BufferCall]
    forward: list[BufferCall]
    backward: list[BufferCall]
    weight: Tensor | None = None


class Backprop:
    """The passes of members with these ``params`` and ``grads`` ``[R, n]``; makes one per batch size."""

    def __init__(self, shape: Shape, layout: Layout, params: Tensor, grads: Tensor) -> None:
        self.shape, self.like, self.block = shape, params, len(params)
        weights, slopes = layout.views(params), layout.views(grads)
        self.first: GatedLayer | None = None
        if shape.gates is not None:
            gate, W, *_others = zip(weights, slopes, strict=True)
            self.first = GatedLayer(shape.gates, gate, W, shape.summed)
            weights, slopes = [self.first.product, *weights[2:]], [self.first.slope, *slopes[2:]]
        self.W, self.b, self.gW, self.gb = weights[0::2], weights[1::2], slopes[0::2], slopes[1::2]
        self.passes: dict[tuple[int, bool], BatchPass] = {}
        self.over_all: BatchPass | None = None
        self.made: dict[tuple[int, bool], Buffers] = {}

    def buffers(self, rows: int, training: bool) -> Buffers:
        key = (rows, training)
        if key not in self.made:
            self.made[key] = Buffers(self.shape, self.block, rows, self.like, training)
        return self.made[key]

    def outputs(self, x: Tensor) -> Tensor:
        """Logits ``[R, B, C]`` of rows ``[B, D]`` without dropout; overwritten by the next call."""
        buffers = self.buffers(len(x), False)
        for call in self._forward(x, buffers, []):
            call()
        return buffers.z[-1][1].mT

    def batch(self, rows: int, x: Tensor, y: Tensor, weighted: bool = False) -> BatchPass:
        """The pass for batches of ``rows`` rows of x and y; the batches are copied into its own buffers."""
        key = (rows, weighted)
        if key not in self.passes:
            x_B = torch.empty(rows, *x.shape[1:], dtype=x.dtype, device=x.device)
            y_B = torch.empty(rows, *y.shape[1:], dtype=y.dtype, device=y.device)
            weight_RB = torch.empty(self.block, rows, dtype=x.dtype, device=x.device) if weighted else None
            self.passes[key] = self._pass(x_B, y_B, weight_RB)
        return self.passes[key]

    def whole(self, x: Tensor, y: Tensor, weight_RN: Tensor | None = None) -> BatchPass:
        """The pass over all rows without copying them. Runs ``begin`` once for the same tensors."""
        now = self.over_all
        if now is None or now.x is not x or now.y is not y or now.weight is not weight_RN:
            now = self.over_all = self._pass(x, y, weight_RN)
            for call in now.begin:
                call()
        return now

    def _pass(self, x: Tensor, y: Tensor, weight_RB: Tensor | None) -> BatchPass:
        buffers = self.buffers(len(x), True)
        z, d = buffers.z[-1][1], buffers.d[-1][1]
        loss = torch.zeros(self.block, dtype=z.dtype, device=z.device)
        begin, calls = LOSSES[self.shape.loss.name].build(
            self.shape.loss, LossBuffers(z, y, d, loss, weight_RB)
        )
        forward = self._forward(x, buffers, buffers.drops)
        backward = calls + self._backward(x, buffers)
        return BatchPass(x, y, loss, buffers.drops, begin, forward, backward, weight_RB)

    def _forward(self, x: Tensor, buffers: Buffers, drops: list[DropoutMask]) -> list[BufferCall]:
        act = ACTIVATIONS[self.shape.activation]
        calls: list[BufferCall] = [] if self.first is None else [self.first.multiply]
        inputs, last = self._spread(x), len(self.W) - 1
        for layer in range(last):
            whole, z = buffers.z[layer]
            calls.append(partial(torch.baddbmm, self.b[layer].unsqueeze(-2), inputs, self.W[layer].mT, out=z))
            calls.append(partial(act.forward, whole, buffers.h[layer][0]))
            inputs = buffers.h[layer][1]
            if drops:
                calls.append(partial(torch.mul, inputs, drops[layer].mask, out=drops[layer].out))
                inputs = drops[layer].out
        z = buffers.z[last][1]
        return [*calls, partial(torch.baddbmm, self.b[last].unsqueeze(-1), self.W[last], inputs.mT, out=z)]

    def _backward(self, x: Tensor, buffers: Buffers) -> list[BufferCall]:
        act = ACTIVATIONS[self.shape.activation]
        calls: list[BufferCall] = []
        d = buffers.d[-1][1].mT
        for layer in range(len(self.W) - 1, -1, -1):
            inputs = self._spread(x)
            if layer:
                inputs = buffers.drops[layer - 1].out if buffers.drops else buffers.h[layer - 1][1]
            calls += self._weights(layer, d, inputs)
            if layer:
                down_whole, down = buffers.d[layer - 1]
                calls.append(partial(torch.bmm, d, self.W[layer], out=down))
                if buffers.drops:
                    calls.append(partial(down.mul_, buffers.drops[layer - 1].mask))
                calls.append(
                    partial(act.backward, down_whole, buffers.z[layer - 1][0], buffers.h[layer - 1][0])
                )
                d = down
        return calls if self.first is None else [*calls, self.first.gradients]

    def _weights(self, layer: int, d: Tensor, inputs: Tensor) -> list[BufferCall]:
        """The calls that write the gradients of a layer's weight and bias, or add them if gradients are
        summed."""
        gW, gb = self.gW[layer], self.gb[layer]
        units, width = gW.shape[-2:]
        summed = self.shape.summed and not (layer == 0 and self.first is not None)
        store = gW.add_ if summed else gW.copy_
        calls: list[BufferCall]
        if gW.is_contiguous() and not summed:  # a block of one member
            calls = [partial(torch.bmm, d.mT, inputs, out=gW)]
        elif width < NARROW <= units:  # a product with few columns is slow: transpose it
            product = aligned_buffer(self.block, width, units, gW)[1]
            calls = [partial(torch.bmm, inputs.mT, d, out=product), partial(store, product.mT)]
        elif gW[0].numel() % PAD == 0:
            # bmm is 1.5 times slower if out= is strided by rows; a contiguous out= aligns every member to 64
            # bytes only if the count is a multiple of 16
            product = torch.empty(gW.shape, dtype=gW.dtype, device=gW.device)
            calls = [partial(torch.bmm, d.mT, inputs, out=product), partial(store, product)]
        else:
            calls = [partial(torch.baddbmm, gW, d.mT, inputs, beta=float(summed), out=gW)]
        if self.shape.summed:
            return [*calls, lambda: gb.add_(d.sum(-2))]
        return [*calls, partial(torch.sum, d, -2, out=gb)]

    def _spread(self, x: Tensor) -> Tensor:
        return x.expand(self.block, *x.shape)


class GatedLayer:
    """The first layer's weights times its gates, and both gradients: O(weights) per step, for any batch size.

    gate, weight: each with its gradient, ``[R, G]`` and ``[R, H, D]``. product: weights times gates,
    which the passes use as weights. slope: product's gradient, which they write.
    """

    def __init__(
        self, gates: Gates, gate: tuple[Tensor, Tensor], weight: tuple[Tensor, Tensor], summed: bool
    ) -> None:
        self.gates, self.summed = gates, summed
        (self.gate, self.g_gate), (self.weight, self.g_weight) = gate, weight
        members, units, inputs = self.weight.shape
        self.product = aligned_buffer(members, units, inputs, self.weight)[1]
        self.slope = aligned_buffer(members, units, inputs, self.weight)[1]
        self.column_D = torch.tensor(gates.column_D, device=self.weight.device)

    def forget(self) -> None:
        """Drop other members' gradient: on Metal, baddbmm times 0 keeps its NaN."""
        self.slope.zero_()

    def multiply(self) -> None:
        self.factor_D = (self.gates.rate * self.gate).index_select(-1, self.column_D).unsqueeze(-2)
        torch.mul(self.weight, self.factor_D, out=self.product)

    def gradients(self) -> None:
        """Compute both gradients by the chain rule. A gate of 0 gets no gradient, so it stays closed."""
        along_D = (self.slope * self.weight).sum(-2)
        along_G = torch.zeros_like(self.g_gate).index_add_(-1, self.column_D, along_D, alpha=self.gates.rate)
        along_G *= self.gate != 0
        if self.summed:
            self.g_weight.addcmul_(self.slope, self.factor_D)
            self.g_gate.add_(along_G)
        else:
            torch.mul(self.slope, self.factor_D, out=self.g_weight)
            self.g_gate.copy_(along_G)
