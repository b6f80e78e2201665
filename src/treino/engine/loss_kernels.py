"""Values and derivatives of the losses that torch has, on given buffers, and what a constant output reaches.

``loss`` is a ``losses.Loss``. A function of buffers returns (calls per new y and weights, calls per forward
pass). Losses that autograd derives are in ``derived_losses``.
"""

import math
from dataclasses import replace
from functools import partial
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from treino.base.formula import ONE, Expr, call, value
from treino.engine.buffers import BufferCall, LossBuffers, aligned_buffer, mean_of, shares_of

aten = torch.ops.aten


# ---- cross-entropy


def _weights(loss: Any, classes: int) -> Tensor:
    return torch.tensor(loss.class_weights or (1.0,) * classes, dtype=torch.float64, device="cpu")


def soft_targets(loss: Any, classes: int) -> Tensor:
    """``[C, C]``: row c is the smoothed, weighted one-hot target of class c, as torch defines it."""
    weight_C = _weights(loss, classes)
    share: float = loss.label_smoothing
    return torch.diag(weight_C * (1 - share)) + share / classes * weight_C


def cross_entropy_torch(loss: Any, output: Tensor, y: Tensor, reduction: str = "mean") -> Tensor:
    output = output.softmax(1) if loss.softmax_first else output
    weight_C = None
    if loss.class_weights is not None:
        weight_C = _weights(loss, output.shape[1]).to(output)
    return F.cross_entropy(output, y, weight_C, label_smoothing=loss.label_smoothing, reduction=reduction)


def cross_entropy_rows(loss: Any, output: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    return cross_entropy_torch(loss, output, y, "none"), _weights(loss, output.shape[-1]).to(output)[y]


def _cross_entropies(loss: Any, s: LossBuffers) -> tuple[list[BufferCall], list[BufferCall]]:
    """Compute the mean of several targets' losses, each on buffers of its own."""
    block, rows, many = len(s.loss), s.z.shape[-1], len(loss.classes)
    loss_KR = torch.empty(many, block, dtype=s.loss.dtype, device=s.loss.device)
    begin: list[BufferCall] = []
    calls: list[BufferCall] = []
    for k, (z, d) in enumerate(zip(*(t.split(loss.classes, -2) for t in (s.z, s.d)), strict=True)):
        own_z, own_d = (aligned_buffer(block, loss.classes[k], rows, s.z)[1] for _buffer in range(2))
        first, then = cross_entropy(loss.single, replace(s, z=own_z, y=s.y[:, k], d=own_d, loss=loss_KR[k]))
        begin += first
        calls += [partial(own_z.copy_, z), *then, partial(torch.mul, own_d, 1 / many, out=d)]
    return begin, [*calls, partial(torch.mean, loss_KR, 0, out=s.loss)]


def cross_entropy(loss: Any, s: LossBuffers) -> tuple[list[BufferCall], list[BufferCall]]:
    if loss.classes:
        return _cross_entropies(loss, s)
    classes, rows = s.z.shape[-2:]
    dtype, device = s.z.dtype, s.z.device
    weighted = loss.class_weights is not None or s.weight is not None
    table = soft_targets(loss, classes).T.neg().contiguous()  # a column per class, negative
    table = (table if weighted else table / rows).to(dtype).to(device)
    t = torch.empty(classes, rows, dtype=dtype, device=device)
    logp = torch.empty(s.z.shape, dtype=dtype, device=device)
    begin: list[BufferCall] = [partial(torch.index_select, table, 1, s.y, out=t)]
    if weighted:  # as torch does, divide by the sum of the batch's weights
        weight_C = _weights(loss, classes).to(dtype).to(device)
        row_weight = torch.empty(rows, dtype=dtype, device=device)
        begin.append(partial(torch.index_select, weight_C, 0, s.y, out=row_weight))
        if s.weight is None:
            total = torch.empty((), dtype=dtype, device=device)
            begin += [partial(torch.sum, row_weight, 0, out=total), partial(t.div_, total)]
        else:
            more, share = shares_of(s, row_weight)
            of_class, t = t, torch.empty(len(share), classes, rows, dtype=dtype, device=device)
            begin += [*more, partial(torch.mul, of_class, share, out=t)]
        share = torch.empty(*t.shape[:-2], 1, rows, dtype=dtype, device=device)
        begin += [partial(torch.sum, t, -2, keepdim=True, out=share), share.neg_]
    calls: list[BufferCall] = []
    z = s.z
    if loss.softmax_first:
        z = torch.empty(s.z.shape, dtype=dtype, device=device)
        calls.append(partial(torch.softmax, s.z, -2, out=z))
    calls.append(partial(torch.log_softmax, z, -2, out=logp))
    calls += [partial(torch.mul, t, logp, out=s.d), partial(torch.sum, s.d, (-2, -1), out=s.loss)]
    calls.append(partial(torch.exp, logp, out=s.d))  # d ← p · (sum of the target) − target
    calls.append(
        partial(torch.addcmul, t, s.d, share, out=s.d)
        if weighted
        else partial(torch.add, t, s.d, alpha=1 / rows, out=s.d)
    )
    if loss.softmax_first:  # backward through the first softmax: q · (d − Σ d·q)
        inner = torch.empty(len(s.loss), 1, rows, dtype=dtype, device=device)
        calls += [
            partial(s.d.mul_, z),
            partial(torch.sum, s.d, -2, keepdim=True, out=inner),
            partial(s.d.addcmul_, z, inner, value=-1),
        ]
    return begin, calls


def cross_entropy_constant(loss: Any, y: Tensor, weight: Tensor) -> float:
    classes = max(int(y.max()) + 1, len(loss.class_weights or ()))
    count_C = torch.bincount(y.reshape(-1).long(), weight, minlength=classes).double()
    weight_C = _weights(loss, classes)
    target_C = (count_C @ soft_targets(loss, classes)) / (count_C * weight_C).sum()
    share_C = target_C / target_C.sum()
    if not loss.softmax_first:
        return float(-torch.xlogy(target_C, share_C).sum())
    # minimise the convex −Σ target·q + Σ target · logsumexp(q) over probabilities q by exponentiated gradient
    q_C = share_C.clamp(min=1e-12)
    for _step in range(2000):
        slope_C = q_C.softmax(0) * target_C.sum() - target_C
        q_C = (q_C.log() - slope_C).softmax(0)
    return float(target_C.sum() * q_C.logsumexp(0) - target_C @ q_C)


# ---- one logit


def bce(loss: Any, s: LossBuffers) -> tuple[list[BufferCall], list[BufferCall]]:
    y = s.y.mT
    plus, spare, term = (torch.empty(s.z.shape, dtype=s.z.dtype, device=s.z.device) for _ in range(3))
    rest = torch.empty_like(y)
    one = torch.ones_like(y)
    begin, mean = mean_of(s, term)
    return [partial(torch.sub, one, y, out=rest), *begin], [
        # torch's form: (1 − y) z − log sigmoid(z), which neither overflows nor cancels
        partial(aten.log_sigmoid_forward.output, s.z, output=plus, buffer=spare),
        partial(torch.mul, s.z, rest, out=term),
        partial(term.sub_, plus),
        partial(torch.sigmoid, s.z, out=s.d),
        partial(s.d.sub_, y),
        *mean,
    ]


def _mean_by(weight: Tensor, y: Tensor) -> Tensor:
    """The weighted mean of each column, ``[K]``."""
    return (weight @ y.double().reshape(len(y), -1)) / weight.sum()


def bce_constant(loss: Any, y: Tensor, weight: Tensor) -> float:
    p = float(_mean_by(weight, y))
    return -sum(q * math.log(q) for q in (p, 1 - p) if q > 0)


# ---- regression


def mse(loss: Any, s: LossBuffers) -> tuple[list[BufferCall], list[BufferCall]]:
    square = torch.empty(s.z.shape, dtype=s.z.dtype, device=s.z.device)
    begin, mean = mean_of(s, square, 2)
    return begin, [
        partial(torch.sub, s.z, s.y.mT, out=s.d),
        partial(torch.mul, s.d, s.d, out=square),
        *mean,
    ]


def l1(loss: Any, s: LossBuffers) -> tuple[list[BufferCall], list[BufferCall]]:
    size = torch.empty(s.z.shape, dtype=s.z.dtype, device=s.z.device)
    begin, mean = mean_of(s, size)
    return begin, [
        partial(torch.sub, s.z, s.y.mT, out=s.d),
        partial(torch.abs, s.d, out=size),
        partial(torch.sign, s.d, out=s.d),
        *mean,
    ]


def huber(loss: Any, s: LossBuffers) -> tuple[list[BufferCall], list[BufferCall]]:
    error, product = (torch.empty(s.z.shape, dtype=s.z.dtype, device=s.z.device) for _ in range(2))
    begin, mean = mean_of(s, product)
    return begin, [  # for c = clamp(e, −1, 1) the loss is c (e − c/2), the derivative c
        partial(torch.sub, s.z, s.y.mT, out=error),
        partial(torch.clamp, error, -1.0, 1.0, out=s.d),
        partial(error.sub_, s.d, alpha=0.5),
        partial(torch.mul, error, s.d, out=product),
        *mean,
    ]


def mse_constant(loss: Any, y: Tensor, weight: Tensor) -> float:
    return float(_mean_by(weight, (y.double() - _mean_by(weight, y)).square()).mean())


def l1_constant(loss: Any, y: Tensor, weight: Tensor) -> float:
    y_NK, order_NK = y.double().sort(0)
    half_NK = weight[order_NK].cumsum(0) >= weight.sum() / 2  # True from the weighted median on
    median_K = y_NK.gather(0, half_NK.int().argmax(0, keepdim=True))
    return float(_mean_by(weight, (y - median_K).abs()).mean())


def huber_constant(loss: Any, y: Tensor, weight: Tensor) -> float:
    y = y.double()
    low, high = y.min(0).values, y.max(0).values
    for _halving in range(60):  # the derivative increases with the constant
        middle = (low + high) / 2
        above = _mean_by(weight, (middle - y).clamp(-1, 1)) > 0
        low, high = torch.where(above, low, middle), torch.where(above, middle, high)
    return float(_mean_by(weight, F.huber_loss(middle.expand_as(y), y, reduction="none")).mean())


def huber_term(output: Expr, y: Expr) -> Expr:
    small = abs(value(output) - value(y)) <= 1
    return (output - y) ** 2 / 2 if small else call("abs", output - y) - ONE / 2


def huber_slope(output: Expr, y: Expr) -> Expr:
    small = abs(value(output) - value(y)) <= 1
    return output - y if small else call("sign", output - y)
