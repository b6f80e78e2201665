"""The layers of a network in the order of its forward pass, if they form a chain.

``torch.fx`` traces the forward pass symbolically. The graph is followed from the output back to the input,
and every call on the way must be one whose arithmetic the microscope knows.
"""

import operator
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from treino.base.errors import TreinoError
from treino.base.words import _
from treino.engine import ACTIVATIONS, modules_of, name_of
from treino_microscope.reference import DenseLayer

if TYPE_CHECKING:
    from torch.fx import Graph

SHAPED = (torch.flatten, "flatten", "view", "reshape")  # calls that flatten each item of a batch
SIZES = (getattr, operator.getitem, "size")

Call = tuple[str, nn.Module]


def read_layers(net: nn.Module) -> tuple[DenseLayer, ...]:
    """The layers of a network that is a chain of Linear, activation and dropout.

    Raises:
        TreinoError: the network contains something else, such as a convolution, batch normalisation or a skip
        connection.
    """
    layers: list[DenseLayer] = []
    drops = [module for module in net.modules() if type(module) is nn.Dropout]
    used: set[int] = set()
    for name, module in _calls(net):
        last = layers[-1] if layers else None
        if type(module) is nn.Linear:
            _once(net, used, module, module.weight, module.bias)
            if not (isinstance(module.weight, nn.Parameter) and module.weight.requires_grad):
                raise _holds(_("a Linear whose weight is not trained"))
            W = module.weight.detach().double().numpy().copy()
            b = np.zeros(len(W)) if module.bias is None else module.bias.detach().double().numpy().copy()
            layers.append(DenseLayer(name, W, b, module.bias is not None))
        elif _acts(module) and last is not None and not last.act and last.drop is None:
            if (act := name_of(module)) is None:  # its settings differ from the registered activation's
                raise _holds(repr(module))
            layers[-1] = replace(last, act=act)
        elif type(module) is nn.Dropout and last is not None and last.drop is None:
            _once(net, used, module)
            place = next(k for k, drop in enumerate(drops) if drop is module)
            layers[-1] = replace(last, drop=place)
        elif type(module) is not nn.Identity and (type(module) is not nn.Flatten or layers):
            raise _holds(type(module).__name__, module)
    joined = all(a.W.shape[0] == b.W.shape[1] for a, b in pairwise(layers))
    if not joined or not layers or layers[-1].act or layers[-1].drop is not None:
        raise _holds(type(net).__name__)
    return tuple(layers)


def _calls(net: nn.Module) -> list[Call]:
    """(name, module) of each call in the forward pass, in order; a function becomes the equivalent module."""
    if type(net) is nn.Linear:
        return [("", net)]
    if type(net) is nn.Sequential and all(map(_plain, net)):  # same result as torch.fx, without importing it
        return list(net._modules.items())
    return list(_back(net, _followed(net)))[::-1]


def _plain(module: nn.Module) -> bool:
    """Whether this is a module of torch, without children and hooks."""
    hooks = module._forward_hooks or module._forward_pre_hooks
    return type(module).__module__.startswith("torch.nn.") and not hooks and not list(module.children())


def _followed(net: nn.Module) -> "Graph":
    from torch.fx import Tracer

    class ActivationTracer(Tracer):
        """A tracer that treats every activation as a leaf, including the user's."""

        def is_leaf_module(self, m: nn.Module, name: str) -> bool:
            return _acts(m) or super().is_leaf_module(m, name)

    for module in net.modules():  # before tracing, which could fail with a less clear error
        if isinstance(module, nn.modules.batchnorm._BatchNorm | nn.modules.conv._ConvNd):
            raise _holds(type(module).__name__, module)
        if module._forward_hooks or module._forward_pre_hooks:
            raise _holds(_("hooks on its layers"))
    try:
        return ActivationTracer().trace(net)
    except Exception as error:
        message = _(
            "What the forward of {kind} does can't be followed ({error}); the arithmetic is written out for "
            "chains of Linear, activation and dropout."
        ).format(kind=type(net).__name__, error=" ".join(str(error).split())[:120])
        raise TreinoError("explain_net", message, _hint()) from None


def _back(net: nn.Module, graph: "Graph") -> Iterator[Call]:
    """Yield the graph's calls from the output back to the input."""
    node = next(node for node in graph.nodes if node.op == "output").args[0]
    functions = _functions()
    while (op := getattr(node, "op", "")) != "placeholder":
        called = getattr(node, "target", None)
        rest = node.args[1:] if op else ()
        if op == "call_module" and not rest and not node.kwargs:
            yield str(called), net.get_submodule(str(called))
        elif op in ("call_function", "call_method") and called in functions and not rest:
            yield str(node.name), functions[called](**node.kwargs)
        elif op in ("call_function", "call_method") and called in SHAPED and _sized(rest):
            yield str(node.name), nn.Flatten()
        else:
            raise _calls_other(net, called)
        node = node.args[0]


def _calls_other(net: nn.Module, called: Any) -> TreinoError:
    kind = type(net).__name__
    if called is None:
        return _holds(kind)
    message = _(
        "The forward of {kind} calls {name}, and the arithmetic is written out for chains of Linear, "
        "activation and dropout."
    ).format(kind=kind, name=getattr(called, "__name__", called))
    return TreinoError("explain_net", message, _hint())


def _sized(rest: tuple[Any, ...]) -> bool:
    """Whether these arguments are sizes, not tensors of rows."""
    from torch.fx import Node

    return all(r.target in SIZES if isinstance(r, Node) else isinstance(r, int) for r in rest)


def _once(net: nn.Module, used: set[int], *what: Any) -> None:
    """Refuse a module or parameter that is used twice: its gradient would be a sum over both uses."""
    for one in (id(w) for w in what if w is not None):
        if one in used:
            message = _("{kind} uses the same layer twice, and the arithmetic is of layers used once.")
            raise TreinoError("explain_net", message.format(kind=type(net).__name__), _hint())
        used.add(one)


def _acts(module: nn.Module) -> bool:
    """Whether the module is of a registered activation's class, other than the identity."""
    return type(module) in set(modules_of(lambda _known: True)) - {nn.Identity}


def _functions() -> dict[Callable[..., Any] | str, type[nn.Module]]:
    """The module class of each activation, keyed by torch's functions and by the names of tensor methods."""
    functions: dict[Callable[..., Any] | str, type[nn.Module]] = {}
    for name, known in ACTIVATIONS.items():
        calls = (name, getattr(torch, name, None), getattr(F, name, None))
        functions |= {call: type(known.module()) for call in calls if call is not None}
    return functions


def _holds(kind: str, module: nn.Module | None = None) -> TreinoError:
    if isinstance(module, nn.modules.batchnorm._BatchNorm):
        why = _("Batch normalisation ties the rows of a batch together, so no row has a gradient of its own.")
    else:
        why = _(
            "This network holds {kind}, and the arithmetic is written out for chains of Linear, "
            "activation and dropout."
        ).format(kind=kind)
    return TreinoError("explain_net", why, _hint())


def _hint() -> str:
    return _("Train a plain network: treino train DATA [[hidden=16]], then explain that one.")
