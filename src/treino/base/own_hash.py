"""The hash of a function, a class or another object of the user's, and of all that it uses.

It covers the code and every value that the code reaches: defaults, closures, globals, attributes, methods and
the functions that these call. Equal hashes mean equal code and values, in any process. What an installed
package holds is covered by its name.
"""

import copyreg
import dis
import functools
import hashlib
import inspect
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import chain
from types import (
    CellType,
    ClassMethodDescriptorType,
    CodeType,
    FunctionType,
    MappingProxyType,
    MethodType,
    ModuleType,
)
from typing import Any
from weakref import ref

from treino.base.errors import Refusal, cause, is_of_library

OWN_UNHASHABLE = Refusal(
    "{name} uses a {kind}, whose value can't be told ({cause}): other functions would share its name.",
    "Make it inside the function, or give it as a number, a text or an array.",
)
OWN_TOO_LARGE = Refusal(
    "{name} uses values of more than {objects:,} objects or {size:,} bytes, too many to tell it from others.",
    "Give large values as arrays; or let the function read them from a file when it is first called.",
)

Look = tuple[Sequence[object], Sequence[object]]
"""What tells an object from others of its type: words, and the objects that it holds."""
MOST_OBJECTS = 1_000_000
MOST_BYTES = 2**30
_ATOMS = bool, int, float, complex, str, bytes, type(None), type(...), type(NotImplemented)
_SHARED = tuple, frozenset, CodeType
"""Constants, which two functions share or don't, as it happens: a second place of one says nothing."""
_COMPILED = "_torchdynamo_orig_callable"
"""Where ``torch.compile`` keeps the function."""


def _contents(cell: CellType) -> list[object]:
    """What the cell holds; nothing while that isn't there yet."""
    try:
        return [cell.cell_contents]
    except ValueError:
        return []


_HELD: dict[type, Callable[[Any], Sequence[object]]] = {
    list: list,
    tuple: list,
    dict: lambda value: [*chain.from_iterable(value.items())],
    MappingProxyType: lambda value: [*chain.from_iterable(value.items())],
    CellType: _contents,
    MethodType: lambda value: [value.__func__, value.__self__],
    property: lambda value: [value.fget, value.fset, value.fdel],
    staticmethod: lambda value: [value.__func__],
    classmethod: lambda value: [value.__func__],
    functools.cached_property: lambda value: [value.func],
    functools._lru_cache_wrapper: lambda value: [value.__wrapped__, value.cache_parameters()],
    ClassMethodDescriptorType: lambda value: [value.__objclass__, value.__name__],
    memoryview: lambda value: [value.format, value.shape, value.tobytes()],
    ref: lambda value: [value()],
    ModuleType: lambda value: [*chain.from_iterable(_of_names(vars(value)))],
}
"""What an object of a type holds, where its protocol of copying (``__reduce_ex__``) doesn't say so."""


def hash_of(value: object, name: str) -> str:
    """The hash as 64 hexadecimal digits. name: what errors call the object.

    Raises:
        TreinoError: it uses something whose value can't be told, or too much.
    """
    try:
        return _Walk(name, value).of(value)
    except RecursionError:
        raise OWN_TOO_LARGE(name=name, objects=MOST_OBJECTS, size=MOST_BYTES) from None


class _Walk:
    """A walk over an object and what it holds, each once. root: its code is read, whoever brought it."""

    def __init__(self, name: str, root: object) -> None:
        self.name, self.roots = name, {id(root)}
        while isinstance(root, functools.partial):
            root = root.func
            self.roots.add(id(root))
        self.objects = self.bytes = 0
        self.held: list[object] = []  # so that no id is given again

    def of(self, value: object) -> str:
        digest, places, waiting = hashlib.sha256(), dict[int, int](), [value]
        while waiting:
            value = waiting.pop()
            self._count(objects=1)
            look: Look
            if type(value) in _ATOMS:
                look = (hex(value) if type(value) is int else repr(value),), ()
            elif id(value) in places:
                look = ("again", places[id(value)]), ()
            else:
                if type(value) not in _SHARED:
                    places[id(value)] = len(places)
                    self.held.append(value)
                look = self._look(value)
            words, parts = look
            text = repr((type(value).__qualname__, *words, len(parts))).encode()
            self._count(size=len(text))
            digest.update(text)
            waiting.extend(reversed(parts))
        return digest.hexdigest()

    def _count(self, objects: int = 0, size: int = 0) -> None:
        self.objects, self.bytes = self.objects + objects, self.bytes + size
        if self.objects > MOST_OBJECTS or self.bytes > MOST_BYTES:
            raise OWN_TOO_LARGE(name=self.name, objects=MOST_OBJECTS, size=MOST_BYTES)

    def _look(self, value: Any) -> Look:
        import numpy as np  # names of objects are read without it and torch
        import torch

        value = getattr(value, _COMPILED, value) if isinstance(value, FunctionType) else value
        if _is_held_by_library(value) and id(value) not in self.roots:
            return (_module(value), value.__qualname__), ()
        if isinstance(value, ModuleType) and _is_library(value):
            return (value.__name__,), ()
        if isinstance(value, type):
            return _of_class(value)
        if isinstance(value, FunctionType):
            return _of_function(value)
        if isinstance(value, CodeType):
            names = value.co_names, value.co_varnames, value.co_freevars
            return (value.co_code.hex(), value.co_flags, *names), value.co_consts
        if isinstance(value, set | frozenset):
            return sorted(self.of(each) for each in value), ()
        if type(value) is np.ndarray and not value.dtype.hasobject:
            return self._of_numbers(value)
        if isinstance(value, torch.Tensor) and value.layout is torch.strided:
            return self._of_numbers(value)
        if isinstance(value, torch.jit.ScriptFunction):
            return (value.name, value.code), ()
        held = _HELD.get(type(value))
        return ((), held(value)) if held is not None else self._of_instance(value)

    def _of_numbers(self, value: Any) -> Look:
        import numpy as np
        import torch

        self._count(size=value.nbytes)
        words = str(value.dtype), tuple(value.shape), getattr(value, "requires_grad", None)
        try:
            if isinstance(value, torch.Tensor):
                value = value.detach().resolve_conj().resolve_neg().cpu().contiguous()
                value = value.reshape(-1).view(torch.uint8).numpy()
            data: Any = np.ascontiguousarray(value).reshape(-1).view(np.uint8)
        except Exception as error:
            raise self._unhashable(value, error) from error
        return (*words, hashlib.sha256(data).hexdigest()), ()

    def _of_instance(self, value: Any) -> Look:
        try:
            reduction = copyreg.dispatch_table.get(type(value))
            reduced = value.__reduce_ex__(4) if reduction is None else reduction(value)
        except Exception as error:
            raise self._unhashable(value, error) from error
        if isinstance(reduced, str):
            return (_module(value), reduced), ()
        return (), [list(part) if isinstance(part, Iterator) else part for part in reduced]

    def _unhashable(self, value: object, error: Exception) -> Exception:
        return OWN_UNHASHABLE(name=self.name, kind=type(value).__name__, cause=cause(error))


def _of_class(kind: type) -> Look:
    """Its bases and what stands in it."""
    own = chain.from_iterable(_of_names(vars(kind)))
    return (kind.__module__, kind.__qualname__), [*kind.__bases__, *own]


def _of_names(names: Mapping[str, object]) -> Iterator[tuple[str, object]]:
    """What stands in a class or a module, without what Python itself writes there."""
    for name, value in names.items():
        if name not in ("_abc_impl", "__builtins__") and (inspect.isroutine(value) or name[:2] != "__"):
            yield name, value


def _of_function(function: FunctionType) -> Look:
    """Its code, its defaults and attributes, and the values of the names that the code reads."""
    code = function.__code__
    parts: list[object] = [code, function.__defaults__, function.__kwdefaults__, vars(function)]
    parts += function.__closure__ or ()
    if not is_of_library(code.co_filename, function.__module__ or ""):
        for name in _global_names(code):
            value = function.__globals__.get(name)
            used = []
            if isinstance(value, ModuleType) and not _is_library(value):
                used = [vars(value)[each] for each in _names(code) if each in vars(value)]
            parts += used or [name, value]
    return (function.__module__, function.__qualname__), parts


@functools.lru_cache(maxsize=1000)
def _global_names(code: CodeType) -> tuple[str, ...]:
    """The names that the code, and the functions inside it, look up outside themselves."""
    steps = dis.get_instructions(code)
    loads = (step.argval for step in steps if step.opname in ("LOAD_GLOBAL", "LOAD_NAME"))
    inner = (_global_names(each) for each in code.co_consts if isinstance(each, CodeType))
    return tuple(dict.fromkeys(chain(loads, *inner)))


def _names(code: CodeType) -> tuple[str, ...]:
    """All names in the code, those of attributes too."""
    inner = (_names(each) for each in code.co_consts if isinstance(each, CodeType))
    return tuple(dict.fromkeys(chain(code.co_names, *inner)))


def _module(value: object) -> str:
    return str(getattr(value, "__module__", None))


def _is_library(module: ModuleType) -> bool:
    """Whether the module is of an installed package, of Python or of treino."""
    where = getattr(module, "__file__", None)
    if where is None:
        return module.__spec__ is not None and module.__name__ != "__main__"
    return is_of_library(where, module.__name__)


def _is_held_by_library(value: object) -> bool:
    """Whether it is a class or function that such a module holds under its name."""
    module = sys.modules.get(_module(value)) if inspect.isclass(value) or inspect.isroutine(value) else None
    if module is None or not _is_library(module):
        return False
    held: object = module
    for name in getattr(value, "__qualname__", "").split("."):
        held = getattr(held, name, None)
    return held is value
