"""Measures of parameters and their gradients."""

import math
from dataclasses import dataclass, field
from typing import Any

import torch

SAMPLED = 256  # entries of a parameter that measure its movement
MANY = 4096  # entries of a parameter that measure a single step


@dataclass
class Force:
    """A step's gradients: their number and norm, parameters without one (missing) or with zeros (still)."""

    count: int = 0
    missing: list[torch.Tensor] = field(default_factory=list)
    still: list[torch.Tensor] = field(default_factory=list)
    norm: float = 0.0


def force_of(parameters: list[torch.Tensor], grads: list[torch.Tensor] | None = None) -> Force:
    """The gradients of parameters, or ``grads`` as returned by ``autograd.grad``."""
    if grads:
        return Force(len(grads), norm=math.hypot(*norms(grads)))
    led = [p for p in parameters if p.grad is not None and p.grad.layout == torch.strided]
    sizes = estimated([p.grad for p in led if p.grad is not None])
    missing = [p for p in parameters if p.grad is None and p.requires_grad]
    still = [p for p, size in zip(led, sizes, strict=True) if size == 0 and not is_there(p)]
    return Force(sum(p.grad is not None for p in parameters), missing, still, math.hypot(*sizes))


def is_there(p: torch.Tensor) -> bool:
    """Whether a parameter has a gradient that isn't all zeros."""
    return p.grad is not None and (p.grad.layout != torch.strided or bool(p.grad.count_nonzero()))


def sampled(p: torch.Tensor, most: int = SAMPLED) -> torch.Tensor:
    """Copy at most ``most`` entries of a parameter, spread over it."""
    flat = p.detach().reshape(-1)
    count = flat.numel()
    return (flat if count <= most else flat[:: max(1, count // most)][:most]).clone()


def movement(parameters: list[torch.Tensor], before: list[torch.Tensor]) -> tuple[float, float]:
    """Return (norm of the old parameters, norm of their change), from ``MANY`` entries of each."""
    now = [sampled(p, MANY) for p in parameters]
    if not now or [n.shape for n in now] != [b.shape for b in before]:
        return 0.0, 0.0
    every = norms(before), norms(list(torch._foreach_sub(now, before)))
    size, way = (math.hypot(*scaled(of, parameters, now)) for of in every)
    return size, way


def estimated(tensors: list[torch.Tensor]) -> list[float]:
    """The Euclidean norm of each tensor, from ``MANY`` of its entries."""
    some = [sampled(t, MANY) for t in tensors]
    return scaled(norms(some), tensors, some)


def scaled(sizes: list[float], whole: list[torch.Tensor], some: list[torch.Tensor]) -> list[float]:
    """Norms of sampled entries, scaled up to all entries."""
    return [n * math.sqrt(w.numel() / max(1, s.numel())) for n, w, s in zip(sizes, whole, some, strict=True)]


def largest(t: torch.Tensor) -> float:
    """The largest absolute entry."""
    low, high = torch.aminmax(t)
    return max(-float(low), float(high))


def norm(t: torch.Tensor) -> float:
    """The Euclidean norm of all entries."""
    return float(torch.linalg.vector_norm(wide(t))) if t.numel() else 0.0


def norms(tensors: list[torch.Tensor]) -> list[float]:
    """The Euclidean norm of each tensor, by one call."""
    return [float(n) for n in torch._foreach_norm([wide(t) for t in tensors])] if tensors else []


def wide(t: torch.Tensor) -> torch.Tensor:
    """A tensor, detached, in a precision that norms can have."""
    plain = t.dtype in (torch.float32, torch.float64) or t.is_complex()
    return t.detach() if plain else t.detach().float()


def number_of(value: Any) -> float:
    """A setting as a number; NaN if it isn't one."""
    try:
        return float(value)
    except (TypeError, ValueError):
        return math.nan


def single(value: Any) -> float:
    """The number in a tensor of one entry; NaN otherwise."""
    return float(value.detach()) if isinstance(value, torch.Tensor) and value.numel() == 1 else math.nan
