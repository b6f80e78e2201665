"""Which line of a person's own code is running: the innermost frame outside libraries and treino."""

import sys
from inspect import CO_OPTIMIZED
from itertools import islice
from types import FrameType
from typing import Any

from treino.diagnosis.finding import Site
from treino.diagnosis.record import lines
from treino.diagnosis.record.lines import here, is_own, known_line, line_of

ITS_OWN = 3  # references to a frame's own table: the frame's, a name's and the count's
Spot = tuple[int | None, int | None, int | None, int | None]  # (line, last line, column, last column)


def locals_of(frame: FrameType) -> dict[str, Any]:
    """What a running function's names stand for. Before Python 3.13, asking leaves a table on the frame that
    would keep these values alive: it is emptied, unless the function holds it too (``names = locals()``).
    """
    held = frame.f_locals
    found = dict(held)
    if type(held) is dict and frame.f_code.co_flags & CO_OPTIMIZED and sys.getrefcount(held) <= ITS_OWN:
        held.clear()
    return found


def maker(made: Any) -> Site | None:
    """The innermost own line that makes this object: no method of a person's own class, which only hands on
    to that of the library what it was given.
    """
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        code = frame.f_code
        if is_own(code.co_filename):
            owner = locals_of(frame).get(code.co_varnames[0]) if code.co_argcount else None
            if owner is not made:
                return line_of(frame)
        frame = frame.f_back
    return here()


def above(frame: FrameType | None) -> Site | None:
    """The line that this frame stands on, if it has been asked for before; else what ``here`` says of it."""
    return (known_line(frame) if frame is not None else None) or here()


def stack(limit: int = 4) -> tuple[Site, ...]:
    """The innermost own lines, innermost first."""
    return lines.stack(limit)


def offset(limit: int = 4) -> int:
    """Where in their lines the innermost own frames stand: tells two calls on one line apart."""
    places: list[int] = []
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and len(places) < limit:
        if is_own(frame.f_code.co_filename):
            places.append(frame.f_lasti)
        frame = frame.f_back
    return hash(tuple(places))


def spots(limit: int = 4) -> tuple[Spot, ...]:
    """The calls that run in the innermost own frames, as ``stack`` lists their lines."""
    found: list[Spot] = []
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and len(found) < limit:
        if is_own(frame.f_code.co_filename):
            place = frame.f_lasti // 2
            found.append(next(islice(frame.f_code.co_positions(), place, None), (None,) * 4))
        frame = frame.f_back
    return tuple(found)


def outside(skip: tuple[str, ...]) -> Site | None:
    """The innermost own line that is not in a function whose name has one of these words."""
    sites = stack(6)
    return next(
        (s for s in sites if not any(w in s.function.lower() for w in skip)), sites[0] if sites else None
    )
