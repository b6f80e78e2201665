"""Measures of parameters and their gradients."""

import math
from typing import Any

import torch

SAMPLED = 256  # entries of a parameter by which its movement is measured


def is_there(p: torch.Tensor) -> bool:
    """Whether a parameter has a gradient that isn't all zeros."""
    return p.grad is not None and (p.grad.layout != torch.strided or bool(p.grad.count_nonzero()))


def is_new(p: torch.Tensor, before: dict[int, int]) -> bool:
    """Whether a gradient is there that was not."""
    return p.grad is not None and before.get(id(p), -1) == -1


def sampled(p: torch.Tensor) -> torch.Tensor:
    """A few entries of a parameter, spread over it: [SAMPLED or fewer], a copy."""
    flat = p.detach().reshape(-1)
    return flat[:: max(1, flat.numel() // SAMPLED)][:SAMPLED].clone()


def norm(t: torch.Tensor) -> float:
    """The Euclidean norm of all entries."""
    return float(torch.linalg.vector_norm(t.detach().float())) if t.numel() else 0.0


def number_of(value: Any) -> float:
    """A setting as a number; NaN where it is none."""
    try:
        return float(value)
    except (TypeError, ValueError):
        return math.nan


def single(value: Any) -> float:
    """The number that a tensor of one entry holds; NaN otherwise."""
    return float(value.detach()) if isinstance(value, torch.Tensor) and value.numel() == 1 else math.nan
