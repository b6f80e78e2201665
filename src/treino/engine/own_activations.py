"""Activations beside treino's own: torch's by their class names, and those of other packages.

Such an activation is a function of one tensor, or a module (or its class) without parameters, that turns each
number into another by itself. Autograd derives it.
"""

import inspect
import warnings
from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from treino.base.errors import Refusal
from treino.base.formula import call
from treino.base.own_calls import own_call
from treino.base.registry import OwnKind
from treino.base.words import N_
from treino.engine.activations import ACTIVATIONS, Activation
from treino.engine.rng import fork_rng

OWN_ACTIVATION_FAILS = Refusal(
    "The activation {name} fails on a tensor: {cause}",
    "It is called with one tensor, and returns one of the same shape.",
)
OWN_ACTIVATION_FORM = Refusal(
    "The activation {name} does not turn each number into another by itself.",
    "Use one without parameters, random numbers and sums over units, that leaves its input as it is: Mish.",
)


class Elementwise(nn.Module):
    """A function of a tensor as a module."""

    def __init__(self, function: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.function = function

    def forward(self, z: Tensor) -> Tensor:
        return self.function(z)


def _activation(name: str, value: Any) -> Activation:
    """The entry of this function or module.

    Raises:
        TreinoError: it fails, or isn't a function of each number by itself.
    """
    make = partial(_module, value)
    _check(name, make)
    module, about = make(), N_("a function of each number")
    passes = partial(_forward, module), partial(_backward, module)
    return Activation(make, *passes, about, partial(call, name), in_place=False)


def _module(value: Any) -> nn.Module:
    value = value() if inspect.isclass(value) else value
    return value if isinstance(value, nn.Module) else Elementwise(value)


def _forward(module: nn.Module, z: Tensor, h: Tensor) -> None:
    with torch.no_grad():
        h.copy_(module(z))


def _backward(module: nn.Module, d: Tensor, z: Tensor, h: Tensor) -> None:
    with torch.enable_grad():
        leaf = z.detach().requires_grad_()
        (slope,) = torch.autograd.grad(module(leaf), leaf, d.clone())
    d.copy_(slope)


def _check(name: str, make: Callable[[], nn.Module]) -> None:
    drawn = torch.randn(4, 6, generator=torch.Generator().manual_seed(0))
    z = torch.cat([drawn, 10 * drawn, 100 * drawn])  # it may treat large numbers otherwise
    tried = own_call(OWN_ACTIVATION_FAILS.of_cause(name=name))
    with tried, torch.enable_grad(), fork_rng(0), warnings.catch_warnings(action="ignore"):
        module, leaf, d = make(), z.clone(), torch.ones_like(z)
        whole, each = module(leaf), module(z.reshape(-1, 1)).reshape_as(z)
        _backward(module, d, z, whole)
    alike = torch.allclose(whole, each, equal_nan=True) and torch.equal(leaf, z)
    if not alike or next(module.parameters(), None) is not None:
        raise OWN_ACTIVATION_FORM(name=name)


OWN = OwnKind[Activation](
    "activation",
    _activation,
    lambda name: getattr(nn, name, None) if name[:1].isupper() else None,
    lambda name: next((a for a in ACTIVATIONS.values() if type(a.module()).__name__ == name), None),
    of_users=False,
    hint=N_("Others: a class of torch.nn, such as Mish, or what an installed package brings."),
)
