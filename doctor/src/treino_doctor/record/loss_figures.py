"""Figures from a call of a loss function: input and target, labels, predictions, and the best constant."""

import math
from collections import Counter
from typing import Any

import torch
from torch import Tensor

Counts = dict[int, int]  # label -> rows
CLASSES = ("cross_entropy", "nll_loss")
BINARY = ("binary_cross_entropy", "binary_cross_entropy_with_logits")
PAIRED = ("mse_loss", "l1_loss", "smooth_l1_loss", "huber_loss", "poisson_nll_loss", "kl_div")
SIGNED = ("soft_margin_loss", "hinge_embedding_loss", "margin_ranking_loss", "cosine_embedding_loss")
OTHERS = ("multi_margin_loss", "multilabel_margin_loss", "multilabel_soft_margin_loss", "triplet_margin_loss")
NAMES = (*CLASSES, *BINARY, *PAIRED, "gaussian_nll_loss", *SIGNED, *OTHERS)
TARGET_AT = {"margin_ranking_loss": 2, "cosine_embedding_loss": 2}  # target's position; in other losses 1
MOST_CLASSES = 1000
FEW = 16  # labels that are counted one by one
POWERS = {"mse_loss": 2, "l1_loss": 1, "smooth_l1_loss": 1, "huber_loss": 1}  # power of the difference
COLUMNS = 16  # maximum number of a target's columns whose means are kept


def input_and_target(name: str, args: Any, kwargs: Any) -> tuple[Tensor | None, Tensor | None]:
    """The input and the target of a loss; in either order if the loss is of their difference."""
    at = TARGET_AT.get(name, 1)
    x = args[0] if args else kwargs.get("input")
    target = args[at] if len(args) > at else kwargs.get("target")
    if not isinstance(x, Tensor) or not isinstance(target, Tensor):
        return None, None
    swapped = name in POWERS and target.requires_grad and not x.requires_grad
    return (target, x) if swapped else (x, target)


def swapped(name: str, x: Tensor, target: Tensor) -> bool:
    """Whether a loss has its arguments in each other's place: the target learns, and the input is fixed and
    holds labels, which no logits, probabilities or logarithms of them would be."""
    if not target.requires_grad or x.requires_grad or not x.numel() or x.is_complex():
        return False
    if name == "cross_entropy":
        return bool((x >= 0).all()) and x.dim() > 1 and bool((x.sum(1) - 1).abs().max() < 1e-4)
    if name == "kl_div":
        return bool((x >= 0).all()) and bool(((x.sum(-1) - 1).abs() < 1e-4).all())
    if name == "poisson_nll_loss":
        return bool(((x >= 0) & (x == x.round())).all())
    return name in BINARY and bool(((x == 0) | (x == 1)).all())


def columns_of(name: str, target: Tensor, kwargs: dict[str, Any]) -> tuple[tuple[float, ...], float]:
    """Return (means of at most ``COLUMNS`` columns of a numeric target, mean variance of these columns)."""
    if name not in POWERS or not target.is_floating_point() or not target.dim() or not target.numel():
        return (), math.nan
    if kwargs.get("weight") is not None:
        return (), math.nan  # each entry has its own weight
    flat = target.reshape(target.shape[0], -1)
    some = flat[:, :: -(-flat.shape[1] // COLUMNS)].double()
    return tuple(some.mean(0).tolist()), float(some.var(0, unbiased=False).mean())


def span(target: Tensor) -> tuple[float, float]:
    """The least and the largest entry; NaN if one is NaN."""
    if not target.numel() or target.is_complex():
        return math.nan, math.nan
    low, high = torch.aminmax(target.detach())
    return float(low), float(high)


def outside(name: str, target: Tensor, low: float, high: float) -> tuple[float, float, float]:
    """The shares of a numeric target that are below −1, below 0 and above 1, beyond what rounding does."""
    if name not in POWERS or not (low < 0 or high > 1):
        return 0.0, 0.0, 0.0
    slack = 1e-3 * max(-low, high)
    below, negative, above = (target < -1 - slack, target < -slack, target > 1 + slack)
    return float(below.float().mean()), float(negative.float().mean()), float(above.float().mean())


def counts(name: str, x: Tensor, y: Tensor, kwargs: Any, low: float, high: float) -> tuple[Counts, Counts]:
    """Return (label -> rows, label -> rows that the input predicts correctly). low, high: of the labels."""
    if name in CLASSES and not y.is_floating_point() and x.dim() == y.dim() + 1 and x.dim() > 1:
        classes = x.shape[1]
    elif name in BINARY and x.shape == y.shape and y.numel() and bool(((y == 0) | (y == 1)).all()):
        classes = 2
    else:
        return {}, {}
    if classes > MOST_CLASSES or not y.numel():
        return {}, {}
    true, answer = (t.detach().cpu().reshape(-1).long() for t in (y, answers(name, x)))
    ignored = int(kwargs.get("ignore_index", -100))
    if low < 0 or high >= classes or low <= ignored <= high:
        keep = (true >= 0) & (true < classes) & (true != ignored)
        true, answer = true[keep], answer[keep]
    return tally(true), tally(true[true == answer])


def tally(labels: Tensor) -> Counts:
    """How often each label occurs."""
    if labels.numel() <= FEW:  # letter by letter, a table of all classes takes longer than the step
        return dict(sorted(Counter(labels.tolist()).items()))
    return {label: n for label, n in enumerate(torch.bincount(labels).tolist()) if n}


def several(name: str, target: Tensor) -> bool:
    """Whether a target [N, C] holds 0 and 1 for labels of which a row has any number, not just one."""
    if name not in BINARY or target.dim() != 2 or target.shape[1] < 2 or not target.numel():
        return False
    plain = bool(((target == 0) | (target == 1)).all())
    return plain and bool((target.sum(1) != 1).any())


def answers(name: str, x: Tensor) -> Tensor:
    """The classes predicted by the input of a classification loss."""
    return x.argmax(1) if name in CLASSES else x > (0.5 if name == "binary_cross_entropy" else 0.0)


def weight_of(name: str, args: Any, kwargs: Any) -> tuple[float, ...]:
    """The class weights, or the weight of the positive class: infinite where each entry has its own weight,
    so that the best constant is unknown."""
    w = args[2] if len(args) > 2 and name in CLASSES + BINARY else kwargs.get("weight")
    if name in BINARY:
        w = kwargs.get("pos_weight") if w is None else torch.tensor(math.inf)
    small = isinstance(w, Tensor) and 0 < w.numel() <= MOST_CLASSES
    return tuple(float(v) for v in w.detach().reshape(-1)) if small and w is not None else ()


def logsumexp(x: Tensor, name: str) -> float:
    """The log-sum-exp that is farthest from zero over all rows; for kl_div along the second axis or the last,
    whichever fits better."""
    if x.dim() < 2 or not x.numel():
        return 0.0
    axes = {1, x.dim() - 1} if name == "kl_div" else {1}
    sums = (x.float().logsumexp(axis).flatten() for axis in axes)
    return min((float(s[s.abs().argmax()]) for s in sums), key=abs)


def best_constant(name: str, target: Tensor, kwargs: dict[str, Any]) -> float:
    """The mean loss of the best constant prediction for these numeric targets; NaN if unknown."""
    if name not in POWERS or target.numel() < 2 or not target.is_floating_point():
        return math.nan
    flat = target.reshape(target.shape[0], -1).double()
    if POWERS[name] == 2:
        return float(flat.var(0, unbiased=False).mean())
    away = (flat - flat.median(0).values).abs()
    knee = float(kwargs.get("beta", kwargs.get("delta", 1.0)))
    if name == "l1_loss" or knee <= 0:
        return float(away.mean())
    bent = torch.where(away < knee, 0.5 * away**2 / knee, away - 0.5 * knee)
    return float(bent.mean()) * (knee if name == "huber_loss" else 1.0)
