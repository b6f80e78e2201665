"""The registry of activations: each one's module, formula, and value and derivative on given buffers."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from treino.base.formula import Expr, call
from treino.base.registry import Registry

aten = torch.ops.aten

LEAK = 0.01  # torch.nn.LeakyReLU's default slope


@dataclass(frozen=True)
class Activation:
    """forward(z, h): h ← f(z). backward(d, z, h): d ← d · f'(z).

    module: makes the module; its class is torch's, or one whose source is copied into exported scripts.
    about: its description. formula: f(z) as a tree, from which f' is derived. in_place: f' follows from h
    alone, so z and h share a buffer.
    gain: its name in ``torch.nn.init.calculate_gain``, for Kaiming initialisation.
    kinks: the z at which f' jumps, where finite differences are invalid. saturates: f' tends to 0 at both
    ends. can_die: f and f' are 0 below some z.
    """

    module: Callable[[], nn.Module]
    forward: Callable[[Tensor, Tensor], object]
    backward: Callable[[Tensor, Tensor, Tensor], object]
    about: str
    formula: Callable[[Expr], Expr]
    in_place: bool = True
    gain: str = "relu"
    kinks: tuple[float, ...] = ()
    saturates: bool = False
    can_die: bool = False


ACTIVATIONS: Registry[Activation] = Registry(
    {
        "relu": Activation(
            nn.ReLU,
            lambda z, h: h.relu_(),
            lambda d, z, h: aten.threshold_backward.grad_input(d, h, 0, grad_input=d),
            "0 below 0, z itself above",
            lambda z: call("ReLU", z),
            kinks=(0.0,),
            can_die=True,
        ),
        "leaky_relu": Activation(
            lambda: nn.LeakyReLU(LEAK),
            lambda z, h: aten.leaky_relu_(h, LEAK),
            lambda d, z, h: aten.leaky_relu_backward.grad_input(d, h, LEAK, True, grad_input=d),
            "a hundredth of z below 0, z itself above",
            lambda z: call("LeakyReLU", z),
            gain="leaky_relu",
            kinks=(0.0,),
        ),
        "gelu": Activation(
            nn.GELU,
            lambda z, h: aten.gelu.out(z, out=h),
            lambda d, z, h: aten.gelu_backward.grad_input(d, z, grad_input=d),
            "z times the normal distribution's share below z",
            lambda z: call("GELU", z),
            in_place=False,
        ),
        "silu": Activation(
            nn.SiLU,
            lambda z, h: aten.silu.out(z, out=h),
            lambda d, z, h: aten.silu_backward.grad_input(d, z, grad_input=d),
            "z times its sigmoid",
            lambda z: call("SiLU", z),
            in_place=False,
        ),
        "tanh": Activation(
            nn.Tanh,
            lambda z, h: h.tanh_(),
            lambda d, z, h: aten.tanh_backward.grad_input(d, h, grad_input=d),
            "an S from -1 to 1",
            lambda z: call("tanh", z),
            gain="tanh",
            saturates=True,
        ),
        "sigmoid": Activation(
            nn.Sigmoid,
            lambda z, h: h.sigmoid_(),
            lambda d, z, h: aten.sigmoid_backward.grad_input(d, h, grad_input=d),
            "an S from 0 to 1",
            lambda z: call("σ", z),
            gain="sigmoid",
            saturates=True,
        ),
        "identity": Activation(
            nn.Identity,
            lambda z, h: h,
            lambda d, z, h: d,
            "z itself: the layers together are one linear layer",
            lambda z: z,
            gain="linear",
        ),
    },
    "treino.engine.own_activations",
)


def modules_of(condition: Callable[[Activation], bool]) -> tuple[type[nn.Module], ...]:
    """The module classes of the activations that fulfil the condition."""
    return tuple(type(known.module()) for known in ACTIVATIONS.values() if condition(known))


def name_of(module: nn.Module) -> str | None:
    """The name of the entry that computes the same as this module, in place or not; None if there is none."""
    for name, known in ACTIVATIONS.items():
        if type(own := known.module()) is type(module) and _settings(own) == _settings(module):
            return name
    return None


def _settings(module: nn.Module) -> dict[str, object]:
    return {n: v for n, v in vars(module).items() if n[0] != "_" and n not in ("training", "inplace")}
