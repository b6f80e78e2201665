"""The arguments that a network of the user's is called with: rows of numbers, as the arrays that they hold.

Skorch and Keras call a network likewise: a dict by the names of its arguments, a tuple by their order.
"""

import inspect
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from treino.base.errors import Refusal
from treino.base.library_parts import forward_pre_hooks
from treino.base.words import _
from treino.data.documents import InputArray

NET_ARGUMENTS = Refusal(
    "The network's forward takes {takes}, and the data has {has}.",
    "Name the arrays as forward's arguments, or give forward an argument for each array.",
)
ARRAYS_NET = Refusal(
    "The rows are arrays for the arguments of a forward ({names}), and treino's own networks have one.",
    "Give a network of yours whose forward takes them: net=MyNet(), or [[net=FILE.py:NAME]].",
)

_DTYPES = {"int64": torch.int64, "bool": torch.bool}


@dataclass(frozen=True)
class Unpacking:
    """A hook that runs before ``forward``: rows ``[B, D]`` become the arrays that they hold.

    Arguments in another form, as a user calls the network directly, pass unchanged. typed: whether whole
    numbers and truths get their types; floats do in any case.
    """

    arrays: tuple[InputArray, ...]
    typed: bool

    def __call__(
        self, module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> tuple[tuple[Any, ...], dict[str, Any]] | None:
        if len(args) != 1 or kwargs or not isinstance(args[0], Tensor):
            return None
        if not self.apart:
            whole = self.typed and args[0].is_floating_point()
            return ((args[0].to(_DTYPES[self.arrays[0].dtype]),), {}) if whole else None
        if not args[0].is_floating_point() or args[0].dim() != 2 or args[0].shape[1] != self.width:
            return None
        given = self.arguments(args[0])
        if self.arrays[0].name:
            return (), {array.name: x for array, x in zip(self.arrays, given, strict=True)}
        return tuple(given), {}

    @property
    def apart(self) -> bool:
        """Whether rows are several arrays or a named one, not a single tensor in the shape of its rows."""
        return len(self.arrays) > 1 or bool(self.arrays[0].name)

    @property
    def width(self) -> int:
        return sum(array.width for array in self.arrays)

    def arguments(self, x_BD: Tensor) -> list[Tensor]:
        """The arrays that these rows hold."""
        parts = x_BD.reshape(len(x_BD), -1).split([array.width for array in self.arrays], 1)
        shaped = [x.reshape(len(x), *array.shape) for x, array in zip(parts, self.arrays, strict=True)]
        dtypes = [_DTYPES.get(array.dtype) if self.typed else None for array in self.arrays]
        return [x if d is None else x.to(d) for x, d in zip(shaped, dtypes, strict=True)]


def with_arguments(module: nn.Module, arrays: Sequence[InputArray]) -> nn.Module:
    """Give the network the hook that makes its arguments of rows, if it needs one; return it.

    Whole numbers arrive as ``torch.long`` if the arrays are several or named, or if the network has an
    ``nn.Embedding``; otherwise as floats.

    Raises:
        TreinoError: forward lacks an argument for an array, or needs one that the data has not.
    """
    if not arrays:
        return module
    apart = len(arrays) > 1 or bool(arrays[0].name)
    typed = apart or looks_up(module)
    unpacking = Unpacking(tuple(arrays), typed and any(array.dtype in _DTYPES for array in arrays))
    if unpacking.apart:
        _check(module, unpacking)
    if unpacking.apart or unpacking.typed:
        module.register_forward_pre_hook(unpacking, with_kwargs=True)
    return module


def looks_up(module: nn.Module) -> bool:
    """Whether the network looks whole numbers up in a table: words, pixels' codes, categories."""
    return any(isinstance(layer, nn.Embedding | nn.EmbeddingBag) for layer in module.modules())


def unpacking_of(module: nn.Module) -> Unpacking | None:
    """The network's hook that makes its arguments of rows; None if it takes the rows as they are."""
    hooks, _with_keywords = forward_pre_hooks(module)
    return next((hook for hook in hooks.values() if isinstance(hook, Unpacking)), None)


def without_arguments(module: nn.Module) -> nn.Module:
    """Take the hook from the network, and return it."""
    hooks, with_keywords = forward_pre_hooks(module)
    for key, hook in list(hooks.items()):
        if isinstance(hook, Unpacking):
            del hooks[key]
            with_keywords.pop(key, None)
    return module


def refuse_several(arrays: Sequence[InputArray]) -> None:
    """Refuse a network of treino's own for rows of several arrays."""
    if len(arrays) > 1 or (arrays and arrays[0].name):
        raise ARRAYS_NET(names=", ".join(array.name or f"X[{n}]" for n, array in enumerate(arrays)))


def _check(module: nn.Module, unpacking: Unpacking) -> None:
    signature = inspect.signature(module.forward)
    names = [array.name for array in unpacking.arrays]
    try:
        if names[0]:
            signature.bind(**dict.fromkeys(names))
        else:
            signature.bind(*names)
    except TypeError:
        takes = [str(each).partition(":")[0] for each in signature.parameters.values()]
        has = ", ".join(names) if names[0] else _("{n} arrays without names").format(n=len(names))
        raise NET_ARGUMENTS(takes=", ".join(takes) or _("no argument"), has=has) from None
