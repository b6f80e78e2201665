"""The parts of torch that the recorder uses and that differ or are missing in torch 1.13, each by one name.

No other module of the doctor checks torch's version.
"""

import functools
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from types import FrameType, SimpleNamespace
from typing import Any

import torch
from torch import nn
from torch._C import _is_torch_function_mode_enabled, _len_torch_function_stack
from torch.nn.modules import module as modules
from torch.optim import lr_scheduler
from torch.optim import optimizer as optimizers
from torch.optim.optimizer import Optimizer
from torch.overrides import TorchFunctionMode
from torch.utils.hooks import RemovableHandle

from treino_doctor.record.lines import unseen

Step = Callable[[Optimizer, tuple[Any, ...], dict[str, Any]], Any]

LRScheduler: Any = getattr(lr_scheduler, "LRScheduler", None) or vars(lr_scheduler)["_LRScheduler"]
GradScaler: Any = getattr(torch.amp, "GradScaler", None) or torch.cuda.amp.GradScaler
has_compile = callable(getattr(torch, "compile", None))

_functorch = torch._C._functorch
_peek = getattr(_functorch, "peek_interpreter_stack", None)
in_transform: Callable[[], Any] = _peek or vars(_functorch)["are_transforms_active"]
"""A function that returns whether code runs inside vmap or grad transforms."""
compiling: Callable[[], bool] = getattr(getattr(torch, "compiler", None), "is_compiling", lambda: False)


def default_device() -> Any:
    """The mode that implements the default device; None if torch has none."""
    return getattr(getattr(torch, "_GLOBAL_DEVICE_CONTEXT", None), "device_context", None)


@contextmanager
def _without_modes() -> Iterator[None]:
    from torch.overrides import _no_torch_function_mode  # type: ignore[attr-defined]

    with torch._C.DisableTorchFunction(), _no_torch_function_mode():
        yield


# In torch 1.13 this disables subclasses only.
without_torch_function: Callable[[], AbstractContextManager[Any]] = (
    torch._C.DisableTorchFunction if hasattr(torch._C, "DisableTorchFunctionSubclass") else _without_modes
)


def past_overrides(frame: FrameType | None) -> tuple[FrameType | None, bool]:
    """The first frame from here outward that isn't in ``torch.overrides``; and whether it is a Python
    function of torch that is looking for a handler of its call. Torch 1.13 has more frames there.
    """
    asks = False
    while frame is not None and frame.f_code.co_filename == torch.overrides.__file__:
        asks = asks or frame.f_code is torch.overrides.handle_torch_function.__code__
        frame = frame.f_back
    return frame, asks


def let_items_be_seen(replace: Callable[[Any, str, Any], None], see: TorchFunctionMode) -> None:
    """Let a mode see ``tensor[index]``, which modes of torch 1.13 see only if the index is a tuple."""
    with _Probe() as probe:
        torch.tensor([0])[0]
    if "__getitem__" in probe.names:
        return
    item: Any = torch.Tensor.__getitem__

    def taken(self: torch.Tensor, index: Any) -> Any:
        if type(index) is tuple or not _is_torch_function_mode_enabled() or see not in _modes():
            return item(self, index)
        return see.__torch_function__(item, (), (self, index))

    replace(torch.Tensor, "__getitem__", unseen(taken))


class _Probe(TorchFunctionMode):
    """Collects the names of the functions that a mode sees."""

    def __init__(self) -> None:
        super().__init__()
        self.names: list[str] = []

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        self.names.append(func.__name__)
        return func(*args, **kwargs or {})


def _modes() -> list[Any]:
    at: Any = vars(torch.overrides)["_get_function_stack_at"]
    return [at(n) for n in range(_len_torch_function_stack())]


def register_forward_hook(hook: Callable[[nn.Module, Any, Any], None]) -> Any:
    """Call the hook after each call of a module, even if it raised."""
    if "always_call" in modules.register_module_forward_hook.__code__.co_varnames:
        return modules.register_module_forward_hook(hook, always_call=True)
    original = nn.Module.__call__

    @functools.wraps(original)
    def called(self: nn.Module, *args: Any, **kwargs: Any) -> Any:
        try:
            return original(self, *args, **kwargs)
        except BaseException:
            hook(self, args, None)
            raise

    def remove() -> None:
        handle.remove()
        if nn.Module.__call__ is called:
            nn.Module.__call__ = original  # type: ignore[method-assign]

    nn.Module.__call__ = unseen(called)  # type: ignore[method-assign]
    handle = modules.register_module_forward_hook(hook)
    return SimpleNamespace(remove=remove)


_before: "OrderedDict[int, Step]" = OrderedDict()
_after: "OrderedDict[int, Step]" = OrderedDict()


def _register(hooks: "OrderedDict[int, Step]", hook: Step) -> Any:
    handle = RemovableHandle(hooks)
    hooks[handle.id] = hook
    return handle


_hooked = hasattr(optimizers, "register_optimizer_step_post_hook")
register_step_pre_hook: Callable[[Step], Any] = partial(_register, _before)
register_step_post_hook: Callable[[Step], Any] = partial(_register, _after)
if _hooked:
    register_step_pre_hook = optimizers.register_optimizer_step_pre_hook
    register_step_post_hook = optimizers.register_optimizer_step_post_hook


def let_steps_be_hooked(replace: Callable[[Any, str, Any], None]) -> None:
    """Make every optimizer call the two kinds of hooks: torch 1.13 calls none. replace: sets an attribute."""
    if _hooked:
        return
    replaced = set[type]()

    def replace_step(kind: Any, name: str, step: Any) -> None:
        if kind in replaced:  # the program has replaced our step by its own
            setattr(kind, name, step)
        else:
            replaced.add(kind)
            replace(kind, name, step)

    for kind in _kinds(Optimizer):
        _hook(kind, replace_step)
    hook_for_profile: Any = vars(Optimizer)["_hook_for_profile"]

    def prepared(self: Optimizer) -> None:
        hook_for_profile(self)
        _hook(type(self), replace_step)

    replace(Optimizer, "_hook_for_profile", unseen(prepared))


def _kinds(kind: type) -> list[type]:
    below: list[type] = type.__subclasses__(kind)
    return [each for one in below for each in (one, *_kinds(one))]


def _hook(kind: Any, replace: Callable[[Any, str, Any], None]) -> None:
    step = vars(kind).get("step")
    if step is None or not hasattr(step, "hooked") or hasattr(step, "steps_before"):
        return

    @functools.wraps(step)
    def hooked(*args: Any, **kwargs: Any) -> Any:
        optimizer = args[0]
        for before in [*_before.values()]:
            args, kwargs = before(optimizer, args, kwargs) or (args, kwargs)
        result = step(*args, **kwargs)
        for after in [*_after.values()]:
            after(optimizer, args, kwargs)
        return result

    hooked.steps_before = True  # type: ignore[attr-defined]
    replace(kind, "step", unseen(hooked))


def storage_of(tensor: torch.Tensor) -> Any:
    """The memory of a tensor; torch below 2.0 calls its method otherwise."""
    name = "untyped_storage" if hasattr(tensor, "untyped_storage") else "_storage"
    return getattr(tensor, name)()
