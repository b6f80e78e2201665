"""Losses that are a formula: autograd derives it, and a search finds the best constant.

A formula takes an output and its target, or the tuple of all outputs of one target: tensors, or expressions
of ``treino.base.formula``. Explanations and exported scripts show the same formula.
"""

from inspect import signature
from typing import Any

import torch
from torch import Tensor

from treino.engine.buffers import BufferCall, LossBuffers
from treino.engine.rng import fork_rng

BLOCK = 16  # members derived at once: always so many, so that a member has the same bits in any company

# ---- formulas


def poisson(output: Any, y: Any) -> Any:
    return output.exp() - y * output


def gamma(output: Any, y: Any) -> Any:
    return output + y * (-output).exp()


def tweedie(output: Any, y: Any) -> Any:
    return 2 * (output / 2).exp() + 2 * y * (-output / 2).exp()


def gaussian(outputs: Any, y: Any) -> Any:
    return ((y - outputs[0]) ** 2 * (-outputs[1]).exp() + outputs[1]) / 2


def quantile(outputs: Any, y: Any, levels: Any) -> Any:
    pairs = zip(outputs, levels, strict=True)
    return sum((level * (y - z)).maximum((level - 1) * (y - z)) for z, level in pairs) / len(levels)


def poisson_input(function: Any, output: Tensor) -> Tensor:
    """What torch's Poisson loss takes: the logarithm of the mean, or by its option the mean."""
    option = getattr(function, "log_input", None)
    if option is None:
        option = signature(function).parameters["log_input"].default
    return output if option else output.exp()


# ---- their slopes, and the best constant


def derivatives(loss: Any, s: LossBuffers) -> tuple[list[BufferCall], list[BufferCall]]:
    """Derive the loss of blocks of members by ``vmap``."""
    members, outputs, rows = s.z.shape
    whole = -(-members // BLOCK) * BLOCK
    z_RBC = torch.zeros(whole, rows, outputs, dtype=s.z.dtype, device=s.z.device)
    weight_RB = torch.ones(whole, rows, dtype=s.z.dtype, device=s.z.device)

    def value(output: Tensor, y: Tensor, weight: Tensor) -> Any:
        return loss(output, y, None if s.weight is None else weight)

    values, one_R = torch.func.vmap(value, in_dims=(0, None, 0)), torch.ones(BLOCK).to(z_RBC)

    def call() -> None:
        z_RBC[:members].copy_(s.z.mT)
        if s.weight is not None:
            weight_RB[:members].copy_(s.weight)
        for first in range(0, whole, BLOCK):
            part = slice(first, first + BLOCK)
            with torch.enable_grad():
                output_RBC = z_RBC[part].detach().requires_grad_()
                value_R = values(output_RBC, s.y, weight_RB[part])
                (slope_RBC,) = torch.autograd.grad(value_R, output_RBC, one_R)
            here = min(BLOCK, members - first)
            s.d[part].copy_(slope_RBC[:here].mT)
            s.loss[part].copy_(value_R[:here].detach())

    return [], [call]


def least(loss: Any, y: Tensor, weight: Tensor) -> float:
    """The smallest loss of a constant output that a search finds; NaN if it finds none."""
    of_row = 1 if loss.axes else y.reshape(len(y), -1).shape[1]
    outputs = loss.outputs(of_row if y.is_floating_point() else max(int(y.max()) + 1, 2))
    constant_C = torch.zeros(outputs, dtype=torch.float64, requires_grad=True)
    search = torch.optim.LBFGS([constant_C], max_iter=50, line_search_fn="strong_wolfe")
    plain = bool((weight == weight[0]).all())
    target = loss.target(y, torch.float64)

    def closure() -> Tensor:
        search.zero_grad()
        value: Tensor = loss(loss.constant_outputs(constant_C, len(y)), target, None if plain else weight)
        value.backward()
        return value

    try:
        with torch.enable_grad(), fork_rng(0):
            search.step(closure)
            return float(closure().detach())
    except Exception:
        return float("nan")


def quantile_constant(loss: Any, y: Tensor, weight: Tensor) -> float:
    y_N, order_N = y.double().reshape(-1).sort()
    share_N = weight[order_N].cumsum(0) / weight.sum()
    places = [int((share_N < level).sum().clamp(max=len(y) - 1)) for level in loss.levels]
    return float(loss(y_N[places].expand(len(y), -1), y.double().reshape(-1, 1), weight))
