"""Where tensors would lie if ``args["device"]`` were a GPU: which rows the function leaves behind."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

_MOVES = {"to", "cuda", "cpu"}


class Placement(TorchFunctionMode):
    """Follows every torch call of the function. A tensor of the loader is on the host until it is moved; a
    weight, and what is computed from one, is on the device; the place of other tensors is unknown.

    mixed: the name of the first function that was given tensors of both, which fails on a GPU; "" for none.
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
        places = {getattr(t, "on_host", None) for t in _tensors((args, kwargs)) if t.dim()}
        moved = kwargs.get("device") is not None or (
            name in _MOVES and (name != "to" or _to_a_place(args[1:]))
        )
        if moved:
            if isinstance(result, Tensor):  # x.to(device) alone leaves x where it was
                result = result.view_as(result)
                if name == "cpu" and places == {True}:
                    result.on_host = True  # type: ignore[attr-defined]
            return result
        if {True, False} <= places and not self.mixed:
            self.mixed = name
        place = False if False in places else None if None in places or not places else True
        if place is not None:
            for tensor in _tensors(result):
                if all(tensor is not t for t in _tensors((args, kwargs))):
                    tensor.on_host = place  # type: ignore[attr-defined]
        return result


def _to_a_place(given: tuple[Any, ...]) -> bool:
    return any(
        isinstance(each, (torch.device, str, int, Tensor)) and not isinstance(each, bool) for each in given
    )


def _tensors(found: Any) -> Iterator[Tensor]:
    if isinstance(found, Tensor):
        yield found
    elif isinstance(found, (list, tuple)):
        for each in found:
            yield from _tensors(each)
    elif isinstance(found, dict):
        yield from _tensors(list(found.values()))
