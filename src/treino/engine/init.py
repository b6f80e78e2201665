"""The registry of initialisations; weights are drawn in the order of ``named_parameters()``."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from treino.base.registry import Registry
from treino.engine.activations import Activation

Draw = Callable[[Tensor, torch.Generator, Activation], object]


def _uniform(t: Tensor, fan_in: int, g: torch.Generator) -> None:
    t.uniform_(-(fan_in**-0.5), fan_in**-0.5, generator=g)


@dataclass(frozen=True)
class Init:
    """An initialisation.

    draw: fills a weight ``[out, in]``, or for convolutions ``[out, in, height, width]``; biases are 0. None:
    torch's default, which also draws the biases. about: its description. source: the same as a statement on
    ``layer``, an ``nn.Linear`` or ``nn.Conv2d``, with the generator ``g`` or torch's global one, for exported
    scripts; ``{gain}`` stands for the activation's name.
    """

    draw: Draw | None
    about: str
    source: str = ""


INITS: Registry[Init] = Registry(
    {
        "default": Init(None, "torch's own first weights: uniform within 1 / √inputs"),
        "kaiming": Init(
            lambda t, g, act: nn.init.kaiming_uniform_(t, 0.01, nonlinearity=act.gain, generator=g),  # type: ignore[arg-type]
            "He et al. 2015, for the activation that follows; biases 0",
            'nn.init.kaiming_uniform_(layer.weight, a=0.01, nonlinearity="{gain}")',
        ),
        "xavier": Init(
            lambda t, g, _act: nn.init.xavier_uniform_(t, generator=g),
            "Glorot & Bengio 2010; biases 0",
            "nn.init.xavier_uniform_(layer.weight)",
        ),
        "orthogonal": Init(
            lambda t, g, _act: nn.init.orthogonal_(t, generator=g),
            "Saxe et al. 2014; biases 0",
            "nn.init.orthogonal_(layer.weight)",
        ),
        "zeros": Init(
            lambda t, g, act: t.zero_(),
            "what is equal stays equal: no hidden unit learns anything of its own",
            "nn.init.zeros_(layer.weight)",
        ),
    }
)


def initialise(named: dict[str, Tensor], init: str, act: Activation, g: torch.Generator) -> None:
    """Fill the parameters of one network in place, from this generator.

    Numbers are drawn in float32 on the CPU, so that every kernel, dtype and device starts from the same
    network. One-dimensional weights (batch and group norm) start at 1.
    """
    draw, fan_in = INITS[init].draw, 1
    for name, tensor in named.items():
        value = torch.zeros(tensor.shape, dtype=torch.float32)
        if name.endswith("weight") and value.dim() == 1:
            value.fill_(1.0)
            fan_in = 0  # the next bias belongs to the norm and is 0
        elif value.dim() >= 2 and draw is not None:
            draw(value, g, act)
        elif draw is None and (value.dim() >= 2 or fan_in):
            fan_in = value[0].numel() if value.dim() >= 2 else fan_in
            _uniform(value, fan_in, g)
        tensor.copy_(value)
