"""Weights of a folder loaded into a network, after a check that they belong to it."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise

from torch import Tensor, nn

from treino.engine.net_state import put_state
from treino.engine.population import padded
from treino.errors import TreinoError
from treino.words import _


def with_weights(net: nn.Module, tensors: Mapping[str, Tensor], name: str) -> nn.Module:
    """The network itself, in eval mode, with copies of these. name: whose they are.

    Raises:
        TreinoError: it has other tensors.
    """
    try:
        put_state(net, tensors)
    except ValueError as error:
        hint = _("Give the network that was trained, or [[trust=True]] the copy in the folder.")
        raise _other(name, str(error), hint) from None
    return net.eval()


def check_layers(sizes: Sequence[int], shapes: Iterable[Sequence[int]], name: str, members: int = 1) -> None:
    """Refuse layers of other sizes than the kept weights have, before a network is built that large.

    sizes: the inputs, the units of each hidden layer, the outputs. shapes: of all kept tensors. members:
    networks that they are of.

    Raises:
        TreinoError: they have other shapes.
    """
    kept = sorted(tuple(shape) for shape in shapes if len(shape) == 2)
    if kept != sorted([(units, inputs) for inputs, units in pairwise(sizes)] * members):
        raise _of_other_sizes(sizes, name)


def check_row(sizes: Sequence[int], gates: int, numbers: int, name: str) -> None:
    """The same by the numbers of a state's row of parameters, which says no shapes.

    gates: the factors of columns that are trained with these layers.

    Raises:
        TreinoError: a network of these layers has more or fewer.
    """
    layers = sum(padded(units * inputs) + padded(units) for inputs, units in pairwise(sizes))
    if numbers != padded(gates) + layers:
        raise _of_other_sizes(sizes, name)


def _of_other_sizes(sizes: Sequence[int], name: str) -> TreinoError:
    return _other(
        name,
        _("layers of {sizes}").format(sizes=", ".join(map(str, sizes[1:]))),
        _("Its settings and its weights are not of one network: take it again from where it came, or train."),
    )


def _other(name: str, why: str, hint: str) -> TreinoError:
    message = _("The network has other tensors than {run}: {why}").format(run=name, why=why)
    return TreinoError("net_differs", message, hint)
