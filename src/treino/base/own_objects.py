"""The user's own losses, metrics, optimizers and schedules, each under a name with a hash of its code.

A setting holds such a name, ``focal@3fa9c1d2``, in place of the object. Equal names mean equal code and
values, so that a name from a folder never stands for another function that is merely called the same.
"""

import hashlib
import inspect
import re
from collections.abc import Callable, Iterator
from functools import partial
from types import CellType, CodeType
from typing import Any

from treino.base.errors import Refusal

OWN = re.compile(r"(?P<name>[A-Za-z_]\w*)@(?P<digest>[0-9a-f]{8})")
OWN_ABSENT = Refusal(
    "{name} is of your own making, and this program does not have it.",
    "Give it again in Python: treino.open(RUN, own=[...]); a network also by [[net=FILE.py:NAME]]; or, if it "
    "came from a file, add [[trust=True]].",
)
LONGEST = 40  # characters of a name
DEEPEST = 8  # levels of functions inside functions, and of values inside values

_objects: dict[str, Any] = {}
_sources: dict[str, bytes] = {}


def is_own(name: object) -> bool:
    """Whether the name is that of an object of the user's own."""
    return isinstance(name, str) and OWN.fullmatch(name) is not None


def keep(value: Any, word: str = "", digest: str = "", source: bytes | None = None) -> str:
    """Keep the object, and return its name.

    word, digest, source: its name in the file that it comes from, and that file's hash and bytes, if any.
    """
    if not digest:
        digest = hashlib.sha256(repr(list(_traits(value, set()))).encode()).hexdigest()[:8]
    name = f"{word or _name_of(value)}@{digest}"
    _objects.setdefault(name, value)
    if source is not None:
        _sources[name] = source
    return name


def source_of(name: str) -> bytes | None:
    """The bytes of the file that the object comes from; None if it was given in Python."""
    return _sources.get(name)


def kept(name: str) -> Any:
    """The object of this name.

    Raises:
        TreinoError: this program doesn't have it.
    """
    if name not in _objects:
        raise OWN_ABSENT(name=name)
    return _objects[name]


def is_kept(name: str) -> bool:
    """Whether this program has the object of this name."""
    return name in _objects


def _name_of(value: Any) -> str:
    while isinstance(value, partial):
        value = value.func
    value = getattr(value, "_score_func", value)  # of a scorer that scikit-learn made
    name = getattr(value, "__name__", type(value).__name__)
    return re.sub(r"\W", "", name).lstrip("_0123456789")[:LONGEST] or "own"


def _traits(value: Any, known: set[int], depth: int = 0) -> Iterator[object]:
    """What distinguishes the object from others: its code, and the values that it holds. known: the functions
    and classes that were looked at before."""
    if depth > DEEPEST:
        return
    if isinstance(value, partial):
        yield "partial", list(_traits((value.func, value.args, value.keywords), known, depth + 1))
    elif inspect.isfunction(value) or inspect.isclass(value):
        yield value.__module__, value.__qualname__
        if id(value) not in known:
            known.add(id(value))
            own: Callable[..., Iterator[object]] = _of_function if inspect.isfunction(value) else _of_class
            yield from own(value, known, depth + 1)
    elif isinstance(value, list | tuple | set):
        yield type(value).__name__, [list(_traits(each, known, depth + 1)) for each in value]
    elif isinstance(value, dict):
        yield [(str(key), list(_traits(each, known, depth + 1))) for key, each in value.items()]
    elif value is None or isinstance(value, bool | int | float | complex | str | bytes):
        yield repr(value)
    elif hasattr(value, "tolist") and hasattr(value, "shape"):  # an array or a tensor
        yield str(value.dtype), tuple(value.shape), hashlib.sha256(repr(value.tolist()).encode()).hexdigest()
    elif inspect.isbuiltin(value) or inspect.ismodule(value):
        yield getattr(value, "__module__", None), value.__name__
    else:
        yield from _traits(type(value), known, depth + 1)
        yield from _traits({**getattr(value, "__dict__", {})}, known, depth + 1)


def _of_class(kind: type, known: set[int], depth: int) -> Iterator[object]:
    """Its source, and its methods: two classes of equal source differ where a function made them, and in a
    notebook a class may have none."""
    yield _source(kind)
    for name, method in vars(kind).items():
        if inspect.isfunction(method):
            yield name, list(_traits(method, known, depth))


def _of_function(function: Callable[..., Any], known: set[int], depth: int) -> Iterator[object]:
    code = function.__code__
    yield _of_code(code)
    yield from _traits((function.__defaults__, function.__kwdefaults__), known, depth)
    for cell in function.__closure__ or ():
        yield from _traits(_content(cell), known, depth)
    for name in code.co_names:  # constants and helpers beside it
        beside = function.__globals__.get(name)
        if isinstance(beside, bool | int | float | str | tuple) or inspect.isfunction(beside):
            yield name, list(_traits(beside, known, depth + 2))


def _content(cell: CellType) -> object:
    """What the cell holds; None while that isn't there yet."""
    try:
        return cell.cell_contents
    except ValueError:
        return None


def _of_code(code: CodeType) -> list[object]:
    inner = [_of_code(each) if isinstance(each, CodeType) else repr(each) for each in code.co_consts]
    return [code.co_code.hex(), inner, code.co_names, code.co_varnames]


def _source(kind: type) -> str:
    """The source of a class, which tells two versions of it apart in a notebook; "" where there is none."""
    try:
        return inspect.getsource(kind)
    except (OSError, TypeError):
        return ""
