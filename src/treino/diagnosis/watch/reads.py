"""What a DataLoader's items draw: whether random numbers change the rows that are read."""

import ast
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from types import FrameType
from typing import Any

import numpy as np
import torch

from treino.diagnosis.finding import Site
from treino.diagnosis.reading.source import called, enclosing
from treino.diagnosis.record.hooks import UNSEEN
from treino.diagnosis.record.lines import is_own

BATCHES = 2  # of each loader that are looked at
DEEP = 16  # frames between a draw and the loader
DRAWN = frozenset(
    {
        *("rand", "randn", "randint", "rand_like", "randn_like", "randint_like", "normal", "bernoulli"),
        *("normal_", "uniform_", "bernoulli_", "random_", "randperm", "multinomial", "poisson"),
        *("exponential_", "random", "getrandbits", "dropout"),
    }
)
SEEDED = frozenset({"seed", "manual_seed", "set_rng_state", "set_state", "setstate", "default_rng"})
NUMPY = (
    *("rand", "randn", "normal", "uniform", "random", "randint", "choice", "random_sample", "beta"),
    *("standard_normal", "binomial", "permutation", "poisson", "laplace"),
)


@dataclass
class ReadSeen:
    """What the first batches of one loader drew first."""

    batches: int = 0
    changed_at: set[Site] = field(default_factory=set)  # lines that draw for a row that is there already
    together: bool = False  # ... and for its target too, a mask: both were given, and given back
    other: bool = False  # a draw that makes rows, or follows a seed: who knows whether they change

    def note(self, place: Site | None) -> None:
        """The first draw of a batch: the line, if it changes a row."""
        sys.setprofile(None)
        self.other |= place is None
        self.changed_at |= {place} if place is not None else set()


def read(seen: ReadSeen, following: Callable[[Any], Any], loading: Any) -> Any:
    """The loader's next batch; its first draw ends the look."""
    seen.batches += 1
    waiting: list[tuple[FrameType, Site]] = []

    def guarded(frame: FrameType, event: str, function: Any) -> None:
        try:
            look(frame, event, function)
        except Exception:  # it would reach the script
            seen.note(None)

    def look(frame: FrameType, event: str, function: Any) -> None:
        if waiting:
            if event == "return" and frame is waiting[0][0]:
                place = waiting[0][1] if _given_back(function, frame) else None
                seen.together |= place is not None and isinstance(function, tuple)
                seen.note(place)
            return
        entered = event == "call"
        name = function.__name__ if event == "c_call" else frame.f_code.co_name if entered else ""
        draws = frame.f_code is _drawn.__code__ if entered else name in DRAWN
        between = _of_item(frame) if draws or name in SEEDED else []
        if between:
            place, given = _changing(between) if draws else (None, None)
            if place is not None and given is not None:
                waiting.append((given, place))  # it may make labels, too
            else:
                seen.note(place)

    plain = {name: getattr(np.random, name) for name in NUMPY}
    for name, function in plain.items():  # they are none of the functions that a profile shows
        setattr(np.random, name, _drawing(function))
    unseen = [(g, str(g.bit_generator.state)) for g in _generators(getattr(loading, "_dataset", None))]
    sys.setprofile(guarded)
    try:
        return following(loading)
    finally:
        sys.setprofile(None)
        seen.other |= any(str(g.bit_generator.state) != before for g, before in unseen)
        for name, function in plain.items():
            setattr(np.random, name, function)


def _generators(dataset: Any) -> list[np.random.Generator]:
    """NumPy's generators, whose draws no profile shows: those that a dataset, what it is made with, or its
    file holds.
    """
    around = getattr(type(dataset), "__getitem__", None)
    parts = [dataset, *getattr(dataset, "__dict__", {}).values()]
    held = [v for one in parts for v in getattr(one, "__dict__", {}).values()]
    held += [] if around is None else getattr(around, "__globals__", {}).values()
    return [*{id(v): v for v in held if isinstance(v, np.random.Generator)}.values()]


def _drawn() -> None:
    """NumPy draws: a call that a profile shows."""


def _drawing(function: Any) -> Any:
    def drawing(*args: Any, **kwargs: Any) -> Any:
        _drawn()
        return function(*args, **kwargs)

    return drawing


def _of_item(frame: FrameType | None) -> list[FrameType]:
    """The frames between a call and the loader that fetches an item; none where it isn't for an item: the
    order of items is drawn elsewhere.
    """
    found: list[FrameType] = []
    while frame is not None and not frame.f_code.co_filename.endswith("_utils/fetch.py"):
        found.append(frame)
        frame = frame.f_back
        if len(found) > DEEP:
            return []
    return found if frame is not None else []


def _changing(between: list[FrameType]) -> tuple[Site | None, FrameType | None]:
    """The own line that draws, where a row is there already to be changed; and the function that was given
    it.
    """
    own = [f for f in between if f.f_code.co_filename not in (UNSEEN, __file__)]
    line = next((f for f in own if is_own(f.f_code.co_filename)), None)
    fetcher = own[-1].f_back.f_locals.get("self") if own and own[-1].f_back is not None else None
    whole = _length(getattr(fetcher, "dataset", None))
    if line is None:
        return None, None
    place = Site(line.f_code.co_filename, line.f_lineno, line.f_code.co_name)
    for frame in own:
        code, names = frame.f_code, frame.f_locals
        given = [names.get(n) for n in code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]]
        if given and isinstance(given[0], torch.utils.data.Dataset):
            if any(_is_row(v, whole) for v in given[1:]):
                return place, frame  # a method that is given a row
            if _under_a_flag(frame) and any(_is_row(v, whole) for v in names.values()):
                return place, None
        elif any(isinstance(v, list) and v and isinstance(v[0], (tuple, torch.Tensor)) for v in given):
            return place, None  # items to be collated
        elif any(_is_row(v, whole) for v in given):
            return place, frame
    return None, None


def _under_a_flag(frame: FrameType) -> bool:
    """Whether a dataset draws under a condition that isn't drawn: what it makes anew it always makes."""
    around = enclosing(Site(frame.f_code.co_filename, frame.f_lineno))
    tests = [n.test for n in around if isinstance(n, (ast.If, ast.IfExp))]
    return any(not called(t, *DRAWN, *NUMPY) for t in tests)


def _is_row(value: Any, whole: int) -> bool:
    """Whether this is a row or a picture, not the whole table."""
    if isinstance(value, (torch.Tensor, np.ndarray)):
        return value.ndim > 0 and max(value.shape) > 1 and value.shape[0] != whole
    return type(value).__module__.startswith("PIL.")


def _given_back(result: Any, frame: FrameType) -> bool:
    """Whether a function gives a row back; or a picture and its mask, of the two that it was given."""
    if not isinstance(result, tuple):
        return _is_row(result, -1)
    code = frame.f_code
    given = [n for n in code.co_varnames[: code.co_argcount] if _is_row(frame.f_locals.get(n), -1)]
    return len(given) == len(result) > 1 and all(_is_row(part, -1) for part in result)


def _length(dataset: Any) -> int:
    try:
        return len(dataset)
    except TypeError:
        return -1
