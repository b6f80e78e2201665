"""Where tensors would lie if ``args["device"]`` were a GPU: which rows the function leaves behind."""

import sys
from collections.abc import Callable, Iterable, Iterator
from types import CodeType
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

_MOVES = {"to", "cuda", "cpu"}
NUMPY = {"numpy", "__array__"}  # what NumPy calls: on a GPU they fail


class Placement(TorchFunctionMode):
    """Follows every torch call of the function. A tensor of the loader is on the host until it is moved; a
    weight, and what is computed from one, is on the device; the place of other tensors is unknown.

    mixed: the name of the first function that was given tensors of both, or of ``NUMPY`` with one of the
    device, which fails on a GPU; "" for none.
    """

    def __init__(self, weights: Iterable[Tensor]) -> None:
        super().__init__()
        self.mixed = ""
        self.watches = True
        for weight in weights:
            weight.on_host = False  # type: ignore[attr-defined]

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        kwargs = kwargs or {}
        result = func(*args, **kwargs)
        if not self.watches:
            return result
        name = getattr(func, "__name__", "")
        found = list(_tensors((args, kwargs)))
        everywhere = {getattr(t, "on_host", None) for t in found}
        places = {getattr(t, "on_host", None) for t in found if t.dim()}  # a lone number may lie anywhere
        moved = kwargs.get("device") is not None or (
            name in _MOVES and (name != "to" or _to_a_place(args[1:]))
        )
        if moved:
            if isinstance(result, Tensor):  # x.to(device) alone leaves x where it was
                result = result.view_as(result)
                if name == "cpu" or _names_the_host([*args[1:], *kwargs.values()], sys._getframe(1).f_code):
                    result.on_host = True  # type: ignore[attr-defined]
            return result
        if ({True, False} <= places or (name in NUMPY and False in everywhere)) and not self.mixed:
            self.mixed = name
        place = False if False in everywhere else None if None in everywhere or not found else True
        if place is not None:
            for tensor in _tensors(result):
                if all(tensor is not t for t in found):
                    tensor.on_host = place  # type: ignore[attr-defined]
        return result


def _to_a_place(given: tuple[Any, ...]) -> bool:
    return any(
        isinstance(each, (torch.device, str, int, Tensor)) and not isinstance(each, bool) for each in given
    )


def _names_the_host(given: list[Any], caller: CodeType) -> bool:
    """Whether the calling code writes "cpu" where another machine's device would have to stand."""
    return "cpu" in given and "cpu" in caller.co_consts and "is_available" not in caller.co_names


def _tensors(found: Any) -> Iterator[Tensor]:
    if isinstance(found, Tensor):
        yield found
    elif isinstance(found, (list, tuple)):
        for each in found:
            yield from _tensors(each)
    elif isinstance(found, dict):
        yield from _tensors(list(found.values()))
