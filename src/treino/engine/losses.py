"""The registry of losses: torch's expression, and the same with its derivative on preallocated buffers."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor

from treino.engine.batch_buffers import BufferCall, LossBuffers
from treino.errors import TreinoError, nearest
from treino.words import _

aten = torch.ops.aten


@dataclass(frozen=True)
class Loss:
    """A loss with its settings: the mean over a batch, as torch defines it.

    name: one of LOSSES. label_smoothing, class_weights: of cross-entropy (the mean is then weighted).
    softmax_first: the fault ``softmax_before_cross_entropy``: cross-entropy of softmax(logits).
    """

    name: str
    label_smoothing: float = 0.0
    class_weights: tuple[float, ...] | None = None
    softmax_first: bool = False

    def __post_init__(self) -> None:
        if self.name not in LOSSES:
            raise TreinoError(
                "loss_unknown",
                _("There is no loss {name!r}.").format(name=self.name),
                nearest(self.name, LOSSES),
            )

    @property
    def task(self) -> str:
        return LOSSES[self.name].task

    def __call__(self, output: Tensor, y: Tensor) -> Tensor:
        """Differentiable; output ``[B, C]``, y ``[B]`` class numbers or ``[B, K]`` values -> scalar."""
        return LOSSES[self.name].torch(self, output, y)

    def target(self, y: Tensor, dtype: torch.dtype) -> Tensor:
        """What a kernel is given: class numbers ``[N]`` int64, or ``[N, K]`` of the network's type."""
        if self.name == "cross_entropy":
            return y.long().reshape(-1)
        return (y.unsqueeze(-1) if y.dim() == 1 else y).to(dtype)

    def best_constant(self, y: Tensor) -> float:
        """The smallest loss that an output without looking at x can have on these rows."""
        return LOSSES[self.name].constant(self, y.detach().cpu())


@dataclass(frozen=True)
class LossKind:
    """torch(loss, output, y) -> scalar. build(loss, slots) -> (calls per y, calls per forward).

    constant(loss, y): the loss of the best constant output.
    outputs: how many numbers the network gives for C classes or K targets; 0: as many.
    """

    task: Literal["classification", "regression"]
    torch: Callable[[Loss, Tensor, Tensor], Tensor]
    build: Callable[[Loss, LossBuffers], tuple[list[BufferCall], list[BufferCall]]]
    constant: Callable[[Loss, Tensor], float]
    outputs: int = 0


def _summed(s: LossBuffers, a: Tensor, b: Tensor, product: Tensor) -> list[BufferCall]:
    """s.loss ← Σ a·b per member; ``product`` is free for use."""
    if not s.lead:
        return [partial(torch.dot, a.reshape(-1), b.reshape(-1), out=s.loss)]
    return [partial(torch.mul, a, b, out=product), partial(torch.sum, product, (-2, -1), out=s.loss)]


# ---- cross-entropy: targets are columns of a table [C, C] of (negative) smoothed, weighted one-hot vectors


def _weights(loss: Loss, classes: int) -> Tensor:
    return torch.tensor(loss.class_weights or (1.0,) * classes, dtype=torch.float64, device="cpu")


def _soft_targets(loss: Loss, classes: int) -> Tensor:
    """Row c: what is multiplied with -log p for a row of class c, torch's smoothing and weights included."""
    weight_C = _weights(loss, classes)
    share = loss.label_smoothing
    return torch.diag(weight_C * (1 - share)) + share / classes * weight_C


def _cross_entropy_torch(loss: Loss, output: Tensor, y: Tensor) -> Tensor:
    if loss.softmax_first:
        output = output.softmax(-1)
    weight = None
    if loss.class_weights is not None:
        weight = _weights(loss, output.shape[-1]).to(output.dtype).to(output.device)
    return F.cross_entropy(output, y, weight=weight, label_smoothing=loss.label_smoothing)


def _cross_entropy(loss: Loss, s: LossBuffers) -> tuple[list[BufferCall], list[BufferCall]]:
    classes, rows = s.z.shape[-2:]
    dtype, device = s.z.dtype, s.z.device
    weighted = loss.class_weights is not None
    table = _soft_targets(loss, classes).T.neg().contiguous()  # a column per class
    table = (table if weighted else table / rows).to(dtype).to(device)
    t = torch.empty(classes, rows, dtype=dtype, device=device)
    logp = torch.empty(s.z.shape, dtype=dtype, device=device)
    begin: list[BufferCall] = [partial(torch.index_select, table, 1, s.y, out=t)]
    if weighted:  # torch divides by the weights of the batch's rows
        weight_C = _weights(loss, classes).to(dtype).to(device)
        row_weight = torch.empty(rows, dtype=dtype, device=device)
        total = torch.empty((), dtype=dtype, device=device)
        share = torch.empty(1, rows, dtype=dtype, device=device)
        begin += [
            partial(torch.index_select, weight_C, 0, s.y, out=row_weight),
            partial(torch.sum, row_weight, 0, out=total),
            partial(t.div_, total),
            partial(torch.sum, t, -2, keepdim=True, out=share),
            share.neg_,
        ]
    calls: list[BufferCall] = []
    z = s.z
    if loss.softmax_first:
        z = torch.empty(s.z.shape, dtype=dtype, device=device)
        calls.append(partial(torch.softmax, s.z, -2, out=z))
    calls.append(partial(torch.log_softmax, z, -2, out=logp))
    calls += _summed(s, t, logp, s.d)
    calls.append(partial(torch.exp, logp, out=s.d))  # d ← p · (sum of the target) − target
    calls.append(
        partial(torch.addcmul, t, s.d, share, out=s.d)
        if weighted
        else partial(torch.add, t, s.d, alpha=1 / rows, out=s.d)
    )
    if loss.softmax_first:  # through the first softmax: q · (d − Σ d·q)
        inner = torch.empty((*s.lead, 1, rows), dtype=dtype, device=device)
        calls += [
            partial(s.d.mul_, z),
            partial(torch.sum, s.d, -2, keepdim=True, out=inner),
            partial(s.d.addcmul_, z, inner, value=-1),
        ]
    return begin, calls


def _cross_entropy_constant(loss: Loss, y: Tensor) -> float:
    classes = max(int(y.max()) + 1, len(loss.class_weights or ()))
    count_C = torch.bincount(y.reshape(-1).long(), minlength=classes).double()
    weight_C = _weights(loss, classes)
    target_C = (count_C @ _soft_targets(loss, classes)) / (count_C * weight_C).sum()
    share_C = target_C / target_C.sum()
    if not loss.softmax_first:
        return float(-torch.xlogy(target_C, share_C).sum())
    # minimise  −Σ target·q + Σ target · logsumexp(q)  over probabilities q: convex, by exponentiated descent
    q_C = share_C.clamp(min=1e-12)
    for _step in range(2000):
        slope_C = q_C.softmax(0) * target_C.sum() - target_C
        q_C = (q_C.log() - slope_C).softmax(0)
    return float(target_C.sum() * q_C.logsumexp(0) - target_C @ q_C)


# ---- one logit


def _bce(loss: Loss, s: LossBuffers) -> tuple[list[BufferCall], list[BufferCall]]:
    rows, y = s.z.shape[-1], s.y.mT
    plus, spare, term = (torch.empty(s.z.shape, dtype=s.z.dtype, device=s.z.device) for _ in range(3))
    rest = torch.empty_like(y)
    one = torch.ones_like(y)
    return [partial(torch.sub, one, y, out=rest)], [
        # torch's form: (1 − y) z − log sigmoid(z), which neither overflows nor cancels
        partial(aten.log_sigmoid_forward.output, s.z, output=plus, buffer=spare),
        partial(torch.mul, s.z, rest, out=term),
        partial(term.sub_, plus),
        partial(torch.sum, term, (-2, -1), out=s.loss),
        partial(s.loss.mul_, 1 / rows),
        partial(torch.sigmoid, s.z, out=s.d),
        partial(s.d.sub_, y),
        partial(s.d.mul_, 1 / rows),
    ]


def _bce_constant(loss: Loss, y: Tensor) -> float:
    p = float(y.double().mean())
    return -sum(q * math.log(q) for q in (p, 1 - p) if q > 0)


# ---- regression


def _mse(loss: Loss, s: LossBuffers) -> tuple[list[BufferCall], list[BufferCall]]:
    count = s.z.shape[-1] * s.z.shape[-2]
    square = torch.empty(s.z.shape, dtype=s.z.dtype, device=s.z.device)
    return [], [
        partial(torch.sub, s.z, s.y.mT, out=s.d),
        *_summed(s, s.d, s.d, square),
        partial(s.loss.mul_, 1 / count),
        partial(s.d.mul_, 2 / count),
    ]


def _l1(loss: Loss, s: LossBuffers) -> tuple[list[BufferCall], list[BufferCall]]:
    count = s.z.shape[-1] * s.z.shape[-2]
    size = torch.empty(s.z.shape, dtype=s.z.dtype, device=s.z.device)
    return [], [
        partial(torch.sub, s.z, s.y.mT, out=s.d),
        partial(torch.abs, s.d, out=size),
        partial(torch.sum, size, (-2, -1), out=s.loss),
        partial(s.loss.mul_, 1 / count),
        partial(torch.sign, s.d, out=s.d),
        partial(s.d.mul_, 1 / count),
    ]


def _huber(loss: Loss, s: LossBuffers) -> tuple[list[BufferCall], list[BufferCall]]:
    count = s.z.shape[-1] * s.z.shape[-2]
    error, product = (torch.empty(s.z.shape, dtype=s.z.dtype, device=s.z.device) for _ in range(2))
    return [], [  # with c = clamp(e, −1, 1): loss c (e − c/2), derivative c
        partial(torch.sub, s.z, s.y.mT, out=error),
        partial(torch.clamp, error, -1.0, 1.0, out=s.d),
        partial(error.sub_, s.d, alpha=0.5),
        *_summed(s, error, s.d, product),
        partial(s.loss.mul_, 1 / count),
        partial(s.d.mul_, 1 / count),
    ]


def _l1_constant(loss: Loss, y: Tensor) -> float:
    y = y.double()
    return float((y - y.median(0).values).abs().mean())


def _huber_constant(loss: Loss, y: Tensor) -> float:
    y = y.double()
    low, high = y.min(0).values, y.max(0).values
    for _halving in range(60):  # the derivative rises with the constant
        middle = (low + high) / 2
        above = (middle - y).clamp(-1, 1).mean(0) > 0
        low, high = torch.where(above, low, middle), torch.where(above, middle, high)
    return float(F.huber_loss(middle.expand_as(y), y))


LOSSES: dict[str, LossKind] = {
    "cross_entropy": LossKind(
        "classification", _cross_entropy_torch, _cross_entropy, _cross_entropy_constant
    ),
    "bce": LossKind(
        "classification",
        lambda loss, output, y: F.binary_cross_entropy_with_logits(output, y),
        _bce,
        _bce_constant,
        outputs=1,
    ),
    "mse": LossKind(
        "regression",
        lambda loss, output, y: F.mse_loss(output, y),
        _mse,
        lambda loss, y: float(y.double().var(0, correction=0).mean()),
    ),
    "l1": LossKind("regression", lambda loss, output, y: F.l1_loss(output, y), _l1, _l1_constant),
    "huber": LossKind("regression", lambda loss, output, y: F.huber_loss(output, y), _huber, _huber_constant),
}
