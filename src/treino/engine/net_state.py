"""A network's buffers and frozen parameters: its state besides the trained parameters."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from treino.base.errors import Refusal
from treino.base.own_calls import own_call
from treino.base.words import _
from treino.engine.population import Layout

NET_FORMS = Refusal(
    "In its forward pass the network changes {name}: {before} before, {after} after.",
    (
        "Give every parameter and buffer its shape, type and requires_grad in __init__. What is needed"
        " within one pass only can be a plain attribute."
    ),
)
NET_TENSOR = Refusal(
    "The network's {name} is {kind}, and a run keeps only dense tensors of real numbers.",
    "Make it one, on the CPU. A constant can be a plain attribute: self.table = ...",
)
NET_LARGE_NUMBERS = Refusal(
    "The network's {name} holds whole numbers of 2^53 or more; smaller ones are kept exactly.",
    "A constant can be a plain attribute: self.table = ...",
)
NET_STATE_DICT = Refusal(
    "The network's state_dict() raises {cause}.", "A run keeps what it gives: call it once yourself."
)
NET_EXTRA_STATE = Refusal(
    "{name} in the network's state_dict() is a {kind}; a run keeps only tensors.",
    "Make it a buffer: self.register_buffer('count', torch.zeros(())).",
)
NET_NAME = Refusal(
    "The network has a tensor called {name}, a name that safetensors reserves.", "Give it another name."
)

LARGEST_EXACT = 2**53  # float64 holds all smaller integers exactly
_LARGER = {torch.int64, torch.uint64}
RESERVED = "__metadata__"  # a key of safetensors' file header

TensorForm = tuple[torch.Size, torch.dtype, bool]  # (shape, dtype, whether trained)


def untrained_tensors(module: nn.Module) -> list[tuple[str, Tensor]]:
    """Return (name, tensor) of each buffer and frozen parameter."""
    frozen = [(n, p.detach()) for n, p in module.named_parameters() if not p.requires_grad]
    return [*module.named_buffers(), *frozen]


def store_buffers(module: nn.Module, layout: Layout, row: Tensor) -> None:
    """Copy buffers and frozen parameters into a member's float64 row, which holds float32, booleans and
    integers below 2⁵³ exactly.

    Raises:
        TreinoError: an integer is larger.
    """
    for (name, tensor), view in zip(untrained_tensors(module), layout.views(row), strict=True):
        view.copy_(tensor.cpu())  # .cpu() first, as a device may lack float64
        if tensor.dtype in _LARGER and bool((view.abs() >= LARGEST_EXACT).any()):
            raise NET_LARGE_NUMBERS(name=name)


def load_buffers(module: nn.Module, layout: Layout, row: Tensor) -> None:
    """Copy a member's row into the module's buffers and frozen parameters."""
    for (_name, tensor), view in zip(untrained_tensors(module), layout.views(row), strict=True):
        tensor.copy_(view.to(tensor.dtype))


# ---- storable state


def check_state(module: nn.Module) -> None:
    """Refuse a network whose state can't be stored in safetensors under ``state_dict`` names.

    Raises:
        TreinoError: complex, sparse, quantised or meta tensors; state that isn't a tensor; a name that can't
            be stored.
    """
    for name, tensor in (*module.named_parameters(), *module.named_buffers()):
        if not nn.parameter.is_lazy(tensor):
            _check_tensor(name, tensor)
    with own_call(NET_STATE_DICT.of_cause()):
        state: dict[str, Any] = module.state_dict()
    for name, value in state.items():
        if not isinstance(value, Tensor) or value.is_quantized:
            raise NET_EXTRA_STATE(name=name, kind=type(value).__name__)
        if name == RESERVED:
            raise NET_NAME(name=name)


def _check_tensor(name: str, tensor: Tensor) -> None:
    kinds = {
        _("without values, on the device meta"): tensor.is_meta,
        _("complex"): tensor.is_complex(),
        _("quantised"): tensor.is_quantized,
        _("sparse"): tensor.layout is not torch.strided,
    }
    for kind, found in kinds.items():
        if found:
            raise NET_TENSOR(name=name, kind=kind)


# ---- forms of tensors


def forms(module: nn.Module) -> dict[str, TensorForm]:
    """Every parameter's and buffer's shape, dtype, and whether it is trained."""
    buffers: dict[str, TensorForm] = {n: (t.shape, t.dtype, False) for n, t in module.named_buffers()}
    return buffers | {n: (p.shape, p.dtype, p.requires_grad) for n, p in module.named_parameters()}


def check_forms(before: Mapping[str, TensorForm], module: nn.Module) -> None:
    """Refuse a network whose forward pass adds, removes, reshapes or freezes a parameter or buffer.

    Raises:
        TreinoError: names the first such tensor.
    """
    after = forms(module)
    if before == after:
        return
    name = next(n for n in (*before, *after) if before.get(n) != after.get(n))
    raise NET_FORMS(name=name, before=_form_text(before.get(name)), after=_form_text(after.get(name)))


def _form_text(form: TensorForm | None) -> str:
    if form is None:
        return _("not there")
    shape, dtype, trained = form
    kind = f"{str(dtype).removeprefix('torch.')} {list(shape)}"
    return _("{kind}, trained").format(kind=kind) if trained else kind


# ---- tensors by name


def left_out(module: nn.Module) -> dict[str, Tensor]:
    """The non-persistent buffers, which ``state_dict()`` leaves out."""
    state = module.state_dict()
    return {name: buffer for name, buffer in module.named_buffers() if name not in state}


def whole_state(module: nn.Module) -> dict[str, Tensor]:
    """``state_dict()`` plus the non-persistent buffers."""
    return {**module.state_dict(), **left_out(module)}


def same_bits(one: Mapping[str, Tensor], other: Mapping[str, Tensor]) -> bool:
    """Whether two states are equal, bit for bit."""

    def bits(t: Tensor) -> Tensor:
        return t.detach().contiguous().flatten().view(torch.uint8)

    return one.keys() == other.keys() and all(torch.equal(bits(one[n]), bits(other[n])) for n in one)


def put_state(module: nn.Module, tensors: Mapping[str, Tensor]) -> None:
    """Load tensors by their ``state_dict`` names, and non-persistent buffers by their names.

    Raises:
        ValueError: the tensors don't fit this network; the message says why.
    """
    beside = {name: buffer for name, buffer in left_out(module).items() if name in tensors}
    try:
        module.load_state_dict({n: t for n, t in tensors.items() if n not in beside})
        with torch.no_grad():
            for name, buffer in beside.items():
                if buffer.shape != tensors[name].shape:
                    raise ValueError
                buffer.copy_(tensors[name])
    except Exception as error:
        lines = [line.strip() for line in str(error).splitlines()] or [type(error).__name__]
        known = _difference(module.state_dict() | beside, tensors)
        raise ValueError(known or lines[min(1, len(lines) - 1)]) from None


def _difference(own: Mapping[str, Tensor], tensors: Mapping[str, Tensor]) -> str:
    """A sentence on the first tensor that is missing, has no place, or has another shape; "" if all fit."""
    for name in (*own, *tensors):
        if name not in tensors:
            return _("'{name}' is not among them.").format(name=name)
        if name not in own:
            return _("'{name}' has no place here.").format(name=name)
        theirs, ours = (" × ".join(map(str, each[name].shape)) for each in (tensors, own))
        if theirs != ours:
            text = _("'{name}' has {theirs} numbers there, {ours} here.")
            return text.format(name=name, theirs=theirs or 1, ours=ours or 1)
    return ""
