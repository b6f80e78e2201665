"""The registry of networks: descriptions that become an ``nn.Module`` once the data's sizes are known."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from numbers import Integral
from typing import Any

from torch import nn

from treino.engine.activations import activation as activation_named
from treino.engine.hyperparameters import in_range
from treino.errors import TreinoError
from treino.setting_types import LARGEST_LAYER, MOST_LAYERS
from treino.words import _

LARGEST_GATE_RATE = 1000.0


@dataclass(frozen=True)
class MLP:
    """A multi-layer perceptron: Linear, activation, dropout for every hidden layer, then Linear.

    dropout: the share of hidden units dropped in training; a number, or one per member.
    batch_norm: normalise before each activation (Ioffe & Szegedy 2015).
    gates: learned factors of a table's columns, updated this many times as far as a weight (see
    ``treino.engine.gates``); 0: no gates. plain: which members get no bins of columns (their gates of bins
    are closed).
    """

    hidden: tuple[int, ...]
    activation: str = "relu"
    dropout: float | tuple[float, ...] = 0.0
    batch_norm: bool = False
    gates: float = 0.0
    plain: tuple[bool, ...] = ()

    @property
    def drops(self) -> bool:
        """Whether any member drops units."""
        return any(self.dropout) if isinstance(self.dropout, tuple) else self.dropout > 0

    def module(self, inputs: int, outputs: int, dropout: float | None = None) -> nn.Sequential:
        """An equivalent plain module, initialised by torch. dropout: the rate to use if members' rates
        differ."""
        rate = dropout if dropout is not None else self.dropout if isinstance(self.dropout, float) else 0.0
        layers: list[nn.Module] = []
        for units_in, units in zip((inputs, *self.hidden), self.hidden, strict=False):
            layers.append(nn.Linear(units_in, units))
            if self.batch_norm:
                layers.append(nn.BatchNorm1d(units))
            layers.append(activation_named(self.activation).module())
            if self.drops:
                layers.append(nn.Dropout(rate))
        return nn.Sequential(*layers, nn.Linear((inputs, *self.hidden)[-1], outputs))


def mlp(
    *hidden: int,
    activation: str = "relu",
    dropout: float | Sequence[float] = 0.0,
    batch_norm: bool = False,
    gates: float = 0.0,
    plain: Sequence[bool] = (),
) -> MLP:
    """Describe a multi-layer perceptron: ``mlp(64, 32)`` has two hidden layers, ``mlp()`` is linear.

    Raises:
        TreinoError: a layer without units, more than 500 layers, an unknown activation, a dropout rate
            outside [0, 1), a rate of gates below 0.
    """
    sizes: tuple[object, ...] = hidden
    for units in sizes:
        if isinstance(units, bool) or not isinstance(units, Integral) or not 1 <= int(units) <= LARGEST_LAYER:
            raise TreinoError(
                "hidden_range",
                _("A hidden layer of {units!r} units can't be built.").format(units=units),
                _("Give whole numbers from 1 to {largest}, e.g. 64, 32.").format(largest=LARGEST_LAYER),
            )
    if len(sizes) > MOST_LAYERS:
        raise TreinoError(
            "hidden_range",
            _("A network of {n} hidden layers is too deep to be built.").format(n=len(sizes)),
            _("Give at most {most}, e.g. 64, 32.").format(most=MOST_LAYERS),
        )
    activation_named(activation)
    try:
        per_layer = isinstance(dropout, Iterable) and not isinstance(dropout, str)
        rates = tuple(float(r) for r in dropout) if per_layer else float(dropout)  # type: ignore[union-attr,arg-type]
    except (TypeError, ValueError) as error:
        raise TreinoError(
            "dropout_type",
            _("dropout is {rate!r}, not a number.").format(rate=dropout),
            _("Use e.g. 0.2, or one number for each member."),
        ) from error
    if not isinstance(batch_norm, bool):
        raise TreinoError(
            "batch_norm_type",
            _("batch_norm is {value!r}, neither True nor False.").format(value=batch_norm),
            _("Use [[batch_norm=True]], or leave it out."),
        )
    for rate in rates if isinstance(rates, tuple) else (rates,):
        if not 0 <= rate < 1:
            raise TreinoError(
                "dropout_range",
                _("dropout is the share of units dropped; {rate} is outside 0 to 1.").format(rate=rate),
                _("Use e.g. 0.2."),
            )
    rate = in_range("gates", gates, 0.0, LARGEST_GATE_RATE)
    return MLP(
        tuple(int(units) for units in hidden), activation, rates, batch_norm, rate, tuple(map(bool, plain))
    )


# functions that return a description with ``module(inputs, outputs, dropout=None)`` and ``drops``
NETS: dict[str, Callable[..., Any]] = {"mlp": mlp}
