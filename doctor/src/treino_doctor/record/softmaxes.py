"""Record the axes of softmaxes over a net's output or over attention scores."""

from typing import Any

import torch

from treino_doctor.record.log import Softmaxed, WeightsApplied
from treino_doctor.record.observer import FirstOnes, Observer, Recording
from treino_doctor.record.values import VIEWS, Node

SOFT = ("softmax", "log_softmax")
PRODUCTS = ("matmul", "bmm", "baddbmm", "einsum")
SCORED = frozenset(("div", "mul", "add", "sub", "masked_fill", "where", "dropout", "to", "view", "reshape"))


class Softmaxes(Observer):
    """Watches softmaxes, and products that use their results."""

    def __init__(self, of: Recording) -> None:
        super().__init__(of)
        self._kept = FirstOnes()

    def install(self) -> None:
        self._tape.observe(self._soft, *SOFT)
        self._tape.observe(self._product, "matmul", "bmm")
        self._tape.observe(self._sum, "sum")

    def _soft(self, result: Any, args: Any, kwargs: Any, node: Node | None) -> None:
        dim = dim_of(node)
        of = node.parents[0] if node is not None and node.parents else None
        if node is None or of is None or dim is None or not of.output:
            return
        if self._kept.has("soft", node.site):
            fields = {"dim": dim, "site": node.site, "shape": node.shape}
            self._log.tell_here(Softmaxed, forward=max(of.forwards), **fields)

    def _apply(self, soft: Node, dim: int, summed: int) -> None:
        """Log weights that are normalised over one axis and summed over the same or another axis."""
        if self._kept.has("applied", soft.site):
            self._log.tell_here(WeightsApplied, softmax=soft.layer or soft.site, dim=dim, summed=summed)

    def _sum(self, result: Any, args: Any, kwargs: Any, node: Node | None) -> None:
        """Pool by scores, ``(weights * values).sum(1)``: weights [B, T, 1] or [B, T], values [B, T, D]."""
        product = node.parents[0] if node is not None and node.parents else None
        summed = node.detail.get("dim", node.detail.get("1")) if node is not None else None
        if product is None or product.op != "mul" or len(product.shape) != 3 or not isinstance(summed, int):
            return
        for factor in product.parents:
            if factor.shape[2:] == (1,):
                others = [p for p in product.parents if p is not factor]
                self._pool(factor, others, product.shape[:2], summed % 3)

    def _pool(self, factor: Node, others: list[Node], shape: tuple[int, ...], summed: int) -> None:
        """Log a sum of computed values by weights [B, T] or [B, T, 1], or by views of them."""
        soft = factor
        while soft.op in VIEWS and soft.parents:
            soft = soft.parents[0]
        dim, plain = dim_of(soft), soft.shape in (shape, (*shape, 1))
        if soft.op == "softmax" and plain and dim is not None and dim < 2 and others and others[0].grad:
            self._apply(soft, dim, summed)

    def _product(self, result: Any, args: Any, kwargs: Any, node: Node | None) -> None:
        """Log ``weights @ values`` (sums over the last axis) or ``values @ weights`` (last but one)."""
        factors = [t for t in args if isinstance(t, torch.Tensor)][:2]
        shape = tuple(factors[0].shape) if len(factors) == 2 else ()
        if len(shape) == 3 and shape[1] == 1 and shape[0] != shape[2]:
            one, other = (self._values.find(t) for t in factors)
            if one is not None and other is not None:
                self._pool(one, [other], (shape[0], shape[2]), 1)
        for at, factor in enumerate(factors if len(factors) == 2 else ()):
            soft, last = weights(self._values.find(factor)), factor.dim() - 1
            dim = dim_of(soft)
            if soft is None or dim is None or soft.shape != tuple(factor.shape) or last < 1:
                continue
            clusters = at and dim == last and factor.shape[-1] != factor.shape[-2]
            if not clusters:
                self._apply(soft, dim, last - at)


def weights(node: Node | None) -> Node | None:
    """The softmax that a value comes from, if its scores are a product of two computed values."""
    for _ in range(3):
        if node is None or node.op == "softmax":
            break
        node = node.parents[0] if node.op in ("dropout", "to", "masked_fill") and node.parents else None
    if node is None or node.op != "softmax" or not node.parents:
        return None
    scores = node.parents[0]
    for _ in range(6):
        if scores.op in PRODUCTS or not scores.parents or scores.op not in SCORED:
            break
        scores = scores.parents[0]
    both = scores.op in PRODUCTS and len(scores.parents) >= 2
    return node if both and all(p.op != "parameter" for p in scores.parents[-2:]) else None


def dim_of(node: Node | None) -> int | None:
    """The axis of a softmax, counted from the front."""
    dim = node.detail.get("dim", node.detail.get("1")) if node is not None else None
    plain = isinstance(dim, int) and not isinstance(dim, bool) and node is not None and len(node.shape) > 0
    return dim % len(node.shape) if plain and node is not None and dim is not None else None
