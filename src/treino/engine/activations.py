"""The registry of activations: the module, and its function and derivative on preallocated buffers."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from treino.errors import TreinoError, nearest
from treino.words import _

aten = torch.ops.aten

LEAK = 0.01  # torch.nn.LeakyReLU's default slope


@dataclass(frozen=True)
class Activation:
    """forward(z, h): h ← f(z). backward(d, z, h): d ← d · f'(z).

    in_place: f' can be had from h alone, so z and h are one buffer.
    gain: the name by which ``torch.nn.init.calculate_gain`` knows it, for Kaiming's initialisation.
    """

    module: Callable[[], nn.Module]
    forward: Callable[[Tensor, Tensor], object]
    backward: Callable[[Tensor, Tensor, Tensor], object]
    in_place: bool = True
    gain: str = "relu"


ACTIVATIONS: dict[str, Activation] = {
    "relu": Activation(
        nn.ReLU,
        lambda z, h: h.relu_(),
        lambda d, z, h: aten.threshold_backward.grad_input(d, h, 0, grad_input=d),
    ),
    "leaky_relu": Activation(
        lambda: nn.LeakyReLU(LEAK),
        lambda z, h: aten.leaky_relu_(h, LEAK),
        lambda d, z, h: aten.leaky_relu_backward.grad_input(d, h, LEAK, True, grad_input=d),
        gain="leaky_relu",
    ),
    "gelu": Activation(
        nn.GELU,
        lambda z, h: aten.gelu.out(z, out=h),
        lambda d, z, h: aten.gelu_backward.grad_input(d, z, grad_input=d),
        in_place=False,
    ),
    "silu": Activation(
        nn.SiLU,
        lambda z, h: aten.silu.out(z, out=h),
        lambda d, z, h: aten.silu_backward.grad_input(d, z, grad_input=d),
        in_place=False,
    ),
    "tanh": Activation(
        nn.Tanh,
        lambda z, h: h.tanh_(),
        lambda d, z, h: aten.tanh_backward.grad_input(d, h, grad_input=d),
        gain="tanh",
    ),
    "sigmoid": Activation(
        nn.Sigmoid,
        lambda z, h: h.sigmoid_(),
        lambda d, z, h: aten.sigmoid_backward.grad_input(d, h, grad_input=d),
        gain="sigmoid",
    ),
    "identity": Activation(nn.Identity, lambda z, h: h, lambda d, z, h: d, gain="linear"),
}


def activation(name: str) -> Activation:
    if not isinstance(name, str) or name not in ACTIVATIONS:
        raise TreinoError(
            "activation_unknown",
            _("There is no activation {name!r}.").format(name=name),
            nearest(str(name), ACTIVATIONS),
        )
    return ACTIVATIONS[name]
