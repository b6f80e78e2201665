"""One hook for all torch functions while a window is open: a TorchFunctionMode.

https://docs.pytorch.org/docs/stable/torch.overrides.html#torch.overrides.TorchFunctionMode: every function
and method that takes or makes a tensor passes through ``__torch_function__`` with its arguments. Nothing in
``torch.Tensor`` is patched, and the mode costs nothing while it is off.
"""

import os
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType, FunctionType
from typing import Any

import torch
from torch._C import _len_torch_function_stack
from torch.overrides import TorchFunctionMode, _pop_mode, _push_mode

from treino_doctor.finding import Site
from treino_doctor.record.hooks import Hooks
from treino_doctor.record.lines import UNSEEN, here, is_own
from treino_doctor.record.torch_versions import default_device, past_overrides
from treino_doctor.record.values import Node, Values
from treino_doctor.record.windows import Windows

IN_PLACE_OR_REVERSED = "add", "sub", "mul", "pow", "matmul", "mod", "and", "or"
ALIASES = {f"{letter}{name}": name for name in IN_PLACE_OR_REVERSED for letter in "ir"}
ALIASES |= dict.fromkeys(("truediv", "rtruediv", "itruediv", "rdiv", "true_divide", "divide", "idiv"), "div")
ALIASES |= {"subtract": "sub", "multiply": "mul", "square": "pow", "absolute": "abs", "threshold": "relu"}
ALIASES |= {"_softmax": "softmax", "_log_softmax": "log_softmax", "special_log_softmax": "log_softmax"}
ALIASES |= {"expit": "sigmoid", "special_expit": "sigmoid"}
NUMBERS = "item", "__float__", "__int__", "__bool__", "__index__", "__complex__"
READS = {*NUMBERS, "tolist", "numpy", "__array__", "__format__", "__repr__", "__str__"}
# What programs do with single entries of a tensor, one by one.
CELLS = frozenset(("getitem", "eq", "ne", "gt", "lt", "ge", "le", "isclose", "sub", "abs", "to", *READS))
CASTS = frozenset(("float", "double", "half", "bfloat16", "long", "int", "bool", "type_as", "cpu", "cuda"))
SIZES = "size", "dim", "ndimension", "numel", "nelement", "len", "stride", "storage_offset", "element_size"
STATES = "is_floating_point", "is_tensor", "is_contiguous", "is_same_size", "is_inference", "is_complex"
SETTERS = "requires_grad_", "retain_grad", "register_hook", "set_grad_enabled", "setattr"
PROFILED = "_record_function_enter_new", "_record_function_exit._RecordFunction"
# Queries of a tensor, and functions that return the tensor itself.
SILENT = {*SIZES, *STATES, *SETTERS, *PROFILED, "is_pinned", "_is_view", "hash", "type", "get_device", "dir"}
PROPERTIES = frozenset(("data", "T", "mT", "H", "real", "grad"))
TORCH = os.path.dirname(torch.__file__)
PLAIN = (int, float, bool, str, type(None))
OWN = (torch.Tensor, torch.nn.Parameter, type(None))

Observe = Callable[[Any, tuple[Any, ...], dict[str, Any], "Node | None"], None]


class Tape(TorchFunctionMode):
    """Records the value of each operation, and calls the operation's observers.

    observers: by operation name; called with (result, args, kwargs, the record of the result). failures: by
    operation name; called with (error, args, kwargs). reads: called when a value leaves torch. idle: above
    zero inside code that isn't the program's own.
    """

    def __init__(self, hooks: Hooks, values: Values, windows: Windows) -> None:
        super().__init__()
        self.observers: dict[str, list[Observe]] = {}
        self.failures: dict[str, list[Callable[[BaseException, Any, Any], None]]] = {}
        self.reads: list[Callable[[str, torch.Tensor, Any], None]] = []
        self.layer: Callable[[], Site | None] = lambda: None  # the line that made the running torch module
        self.cuts: list[Callable[[str, list[torch.Tensor], Node], None]] = []  # called where a graph ends
        self.idle, self.on = 0, False
        self._hooks, self._values, self.windows = hooks, values, windows
        self._names: dict[Any, str] = {}
        self._own: dict[Any, Any] = {}  # replacement by the program -> torch's function

    def observe(self, observer: Observe, *names: str) -> None:
        """Call an observer after each of these operations."""
        for name in names:
            self.observers.setdefault(name, []).append(observer)

    def start(self) -> None:
        """Push the mode below the program's modes, as leaving a program's mode pops the top one.

        Only a default device has to stay at the bottom (``torch.utils._device.DeviceContext``).
        """
        if not self.on:
            self.on = True
            modes = _popped()
            first = int(bool(modes) and modes[0] is default_device())
            for mode in (*modes[:first], self, *modes[first:]):
                _push_mode(mode)

    def stop(self) -> None:
        """Remove the mode. If torch has removed it while handling a function, a later call removes it."""
        if self.on:
            modes = _popped()
            self.on = self not in modes
            for mode in (mode for mode in modes if mode is not self):
                _push_mode(mode)

    @contextmanager
    def away(self) -> Iterator[None]:
        """Remove the mode inside the block."""
        before = self.on
        self.stop()
        try:
            yield
        finally:
            if before and self.windows.open:
                self.start()  # does nothing if the mode was never removed

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        kwargs = kwargs or {}
        name = self._names.get(func)
        if name is None:
            name = self._name(func)
        func = self._own.get(func, func)
        hooks = self._hooks
        if self.idle or not name or not hooks.on or not self.windows.open:
            return func(*args, **kwargs)
        try:
            result = func(*args, **kwargs)
        except Exception as error:
            for failed in self.failures.get(name, ()):
                hooks.quietly(name, failed, error, args, kwargs)
            raise
        if hooks.watching():
            self.windows.operations += 1
            if name not in CELLS or not self._passes(name, result, args, sys._getframe(1)):
                hooks.quietly(name, self._note, name, result, args, kwargs)
        return result

    def _passes(self, name: str, result: Any, args: tuple[Any, ...], frame: FrameType) -> bool:
        """Whether this is one of so many operations on single entries from one place that it is left out.

        An entry is a view, so that its tensor stays known. A value with a gradient is never left out.
        """
        of = args[0] if args else None
        if type(of) is not torch.Tensor or result is of or not is_own(frame.f_code.co_filename):
            return False
        if name == "getitem":
            single = all(map(is_number, args[1])) if type(args[1]) is tuple else is_number(args[1])
        else:
            single = of.numel() == 1
        if not single or (type(result) is torch.Tensor and result.requires_grad):
            return False
        return not self.windows.keeps_entry(id(frame.f_code), frame.f_lasti)

    def _note(self, name: str, result: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        if name in READS and not isinstance(result, torch.Tensor):
            for reader in self.reads if args and isinstance(args[0], torch.Tensor) else ():
                reader(name, args[0], result)
            return
        node: Node | None = None
        if isinstance(result, (torch.Tensor, tuple, list)):
            inputs = tensors(args, kwargs)
            node = self._values.made(result, name, inputs, here(), detail(args, kwargs))
            if node is not None:
                node.layer = self.layer()
            if node is not None and not node.grad and any(t.requires_grad for t in inputs):
                for cut in self.cuts:
                    cut(name, inputs, node)
        for observe in self.observers.get(name, ()):
            observe(result, args, kwargs, node)

    def _name(self, func: Any) -> str:
        """The name of an operation without underscores; empty if it is not recorded."""
        own = self._own[func] = own_function(func)
        plain = str(getattr(own, "__name__", ""))
        if plain in ("__get__", "__set__"):
            of = str(getattr(getattr(func, "__self__", None), "__name__", ""))
            name = (of if plain == "__get__" else f"set_{of}") if of in PROPERTIES else ""
        else:
            stem = plain if plain.startswith("_") and not plain.startswith("__") else plain.strip("_")
            name = plain if plain in READS else "to" if plain in CASTS else ALIASES.get(stem, stem)
            name = "" if name in SILENT else name
        self._names[func] = name
        return name


def own_function(func: Any) -> Any:
    """Return torch's own function for a replacement by the program: torch passes the replacement to the mode,
    which would then run the replacement twice.
    """
    code, (asks, _) = getattr(func, "__code__", None), past_overrides(sys._getframe(3))
    if code is None or asks is None or code is asks.f_code or code.co_filename.startswith((TORCH, UNSEEN)):
        return func
    return FunctionType(asks.f_code, asks.f_globals)


def _popped() -> list[Any]:
    """Pop all modes from torch's stack, and return them, the lowest first."""
    return [_pop_mode() for _ in range(_len_torch_function_stack())][::-1]


def tensors(args: tuple[Any, ...], kwargs: dict[str, Any]) -> list[torch.Tensor]:
    """The tensors among arguments, also inside lists or tuples."""
    every: list[torch.Tensor] = []
    for one in (*args, *kwargs.values()) if kwargs else args:
        if isinstance(one, torch.Tensor):
            every.append(one)
        elif isinstance(one, (list, tuple)):
            every += [t for t in one[:64] if isinstance(t, torch.Tensor)]
    return every


def detail(args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
    """The plain arguments, by name or by position; for an index, whether it slices the rows and where."""
    arguments: dict[str, Any] = {}
    for key, one in (*enumerate(args), *kwargs.items()):
        if isinstance(one, PLAIN):
            arguments[str(key)] = one
        elif isinstance(one, slice):
            arguments[str(key)] = cut(one)
        elif isinstance(one, (tuple, list)) and len(one) <= 6:
            if all(isinstance(v, PLAIN) for v in one):
                arguments[str(key)] = tuple(one)
            elif one and isinstance(one[0], slice):
                arguments[str(key)] = cut(one[0])
        elif isinstance(one, torch.dtype):
            arguments[str(key)] = str(one)
    return arguments


def is_number(index: Any) -> bool:
    """Whether an index is one number."""
    scalar = type(index) is torch.Tensor and not index.dim() and index.dtype != torch.bool
    return scalar or type(index) is int


def cut(rows: slice) -> tuple[str, int | None, int | None]:
    """A slice as plain values."""
    start, stop = (int(v) if v is not None else None for v in (rows.start, rows.stop))
    return "slice", start, stop


def leave_no_traces(hooks: Hooks) -> None:
    """Undo two effects of the tape on a program until the hooks are undone.

    Under a mode, our function calls every torch function, and so stands between a warning and its line
    (https://docs.python.org/3/library/warnings.html#warnings.warn counts callers). Also, transformer layers
    take no fast path, as it would bypass the mode.
    """
    show, has_torch_function = warnings._showwarnmsg, torch.overrides.has_torch_function  # type: ignore[attr-defined]

    def show_at_caller(message: Any) -> None:
        if message.filename != __file__ or _moved(message):
            show(message)

    def has_subclass(values: Any) -> bool:
        return has_torch_function(values) and any(type(value) not in OWN for value in values)

    hooks.replace(warnings, "_showwarnmsg", show_at_caller)
    hooks.replace(torch.overrides, "has_torch_function", has_subclass)


def _moved(message: Any) -> bool:
    """Set a warning's line to the program's; return whether to show it: once for each line, as in Python."""
    frame = _caller()
    if frame is None:
        return True
    key = str(message.message), message.category
    ours = globals().get("__warningregistry__", {})
    once = ours.pop((*key, message.lineno), None) is not None
    message.filename, message.lineno = frame.f_code.co_filename, frame.f_lineno
    theirs = frame.f_globals.setdefault("__warningregistry__", {})
    theirs.setdefault("version", ours.get("version", 0))
    known = (*key, message.lineno) in theirs
    if once:
        theirs[(*key, message.lineno)] = True
    return not (once and known)


def _caller() -> FrameType | None:
    """The frame that called the torch function that the tape runs."""
    frame: FrameType | None = sys._getframe(2)
    while frame is not None and frame.f_code is not Tape.__torch_function__.__code__:
        frame = frame.f_back
    frame = frame.f_back if frame is not None else None
    frame, asks = past_overrides(frame)
    return frame.f_back if asks and frame is not None else frame
