"""The numbers that a schedule was made with: how many steps it may have been meant for."""

from collections.abc import Iterator
from functools import partial
from types import CodeType, FunctionType, MethodType, ModuleType
from typing import Any

from torch.optim.lr_scheduler import CyclicLR
from torch.utils.data import DataLoader

MOST = 64  # numbers of one function
DEEP = 3  # functions, one called by the other
KEPT = ("total_iters", "T_0", "_milestones")
TORCH = "torch."


def numbers(schedule: Any) -> tuple[int, ...]:
    """What a schedule holds, and what its functions of a step read: in their closures, defaults and settings,
    as numbers of the module or of the code; and such numbers times the length of a loader.
    """
    own = not type(schedule).__module__.startswith(TORCH)  # a person's own class
    found = [n for name in (vars(schedule) if own else KEPT) for n in _ints(getattr(schedule, name, None))]
    if isinstance(schedule, CyclicLR):
        found.append(round(schedule.total_size * schedule.step_ratio))
    inner, milestones = getattr(schedule, "_schedulers", ()), getattr(schedule, "_milestones", ())
    if inner and milestones and isinstance(last := getattr(inner[-1], "T_max", None), int):
        found.append(last + int(milestones[-1]))
    for function in getattr(schedule, "lr_lambdas", ()):
        read = list(_held(function, DEEP))[:MOST]
        plain = [n for v in read for n in _ints(v)]
        lengths = [n for v in read if isinstance(v, DataLoader) and (n := _length(v))]
        found += plain + [n * length for n in plain for length in lengths]
    return tuple(sorted({n for n in found if n >= 2}))


def _ints(value: Any) -> list[int]:
    if isinstance(value, (list, tuple)):
        return [n for v in value[:8] for n in _ints(v)]
    whole = isinstance(value, int) or (isinstance(value, float) and value.is_integer())
    return [int(value)] if whole and not isinstance(value, bool) else []


def _length(loader: Any) -> int:
    try:
        return len(loader)
    except TypeError:  # of rows that come as they come
        return 0


def _held(function: Any, deep: int) -> Iterator[Any]:
    """What a function reads beside the step that it is called with."""
    if deep <= 0:
        return
    if isinstance(function, partial):
        yield from (*function.args, *function.keywords.values())
        function = function.func
    owner = function.__self__ if isinstance(function, MethodType) else None
    if not isinstance(function, (FunctionType, MethodType)):  # an object that is called
        owner, function = function, getattr(type(function), "__call__", None)  # noqa: B004
    if isinstance(function, MethodType):
        function = function.__func__
    code = getattr(function, "__code__", None)
    if not isinstance(function, FunctionType) or not isinstance(code, CodeType):
        return
    read = [*code.co_consts, *(function.__defaults__ or ()), *(function.__kwdefaults__ or {}).values()]
    for cell in function.__closure__ or ():
        try:
            read.append(cell.cell_contents)
        except ValueError:  # not filled yet
            continue
    read += [function.__globals__[n] for n in code.co_names if n in function.__globals__]
    for value in (owner, *read):
        if isinstance(value, (FunctionType, partial)):
            yield from _held(value, deep - 1)
        elif not isinstance(value, (ModuleType, type, DataLoader)) and hasattr(value, "__dict__"):
            yield from (vars(value)[n] for n in code.co_names if n in vars(value))
        else:
            yield from ([value[k] for k in code.co_consts if k in value] if type(value) is dict else [value])
