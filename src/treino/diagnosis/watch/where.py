"""Which line of a person's own code is running: the innermost frame outside libraries and treino."""

import sys
import sysconfig
from inspect import CO_OPTIMIZED
from itertools import islice
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

from treino.diagnosis.finding import Site

ITS_OWN = 3  # references to a frame's own table: the frame's, a name's and the count's
Spot = tuple[int | None, int | None, int | None, int | None]  # (line, last line, column, last column)

_PATHS = sysconfig.get_paths()
_LIBRARIES = tuple(
    {str(Path(_PATHS[k])) + "/" for k in ("stdlib", "platstdlib", "purelib", "platlib")}
    | {str(Path(__file__).parents[2]) + "/"}
)
_own_files: set[str] = set()  # scripts under the doctor, wherever they lie
_known: dict[str, bool] = {}
_sites: dict[tuple[str, int], Site] = {}
_calls: dict[
    tuple[int, int], tuple[CodeType, Site]
] = {}  # (code's id, place in it); a line takes long to find


def watch_file(path: str) -> None:
    """Count this file as a person's own code even inside a library folder."""
    _own_files.add(path)
    _known.pop(path, None)


def is_own(path: str) -> bool:
    """Whether a code object's file is a person's own code."""
    known = _known.get(path)
    if known is None:
        library = path.startswith(_LIBRARIES) or "site-packages" in path or "dist-packages" in path
        made_up = path.startswith("<") and not path.startswith("<ipython-input")  # a cell has no other name
        known = path in _own_files or not (library or made_up)
        _known[path] = known
    return known


def here() -> Site | None:
    """The innermost own line that led here; None where only libraries are on the stack."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        code = frame.f_code
        path = code.co_filename
        own = _known.get(path)
        if own is None:
            own = is_own(path)
        if own:
            called = _calls.get((id(code), frame.f_lasti))
            return called[1] if called is not None else _site(frame)
        frame = frame.f_back
    return None


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
                return _site(frame)
        frame = frame.f_back
    return here()


def above(frame: FrameType | None) -> Site | None:
    """The line that this frame stands on, if it has been asked for before; else what ``here`` says of it."""
    called = _calls.get((id(frame.f_code), frame.f_lasti)) if frame is not None else None
    return called[1] if called is not None else here()


def _site(frame: FrameType) -> Site:
    """A frame's line; the same line is the same object."""
    code, line = frame.f_code, frame.f_lineno
    site = _sites.get((code.co_filename, line))
    if site is None:
        site = _sites[code.co_filename, line] = Site(code.co_filename, line, code.co_name)
    if len(_calls) > 4096:
        _calls.clear()
    _calls[id(code), frame.f_lasti] = code, site  # holds the code, so that its id stays its own
    return site


def stack(limit: int = 4) -> tuple[Site, ...]:
    """The innermost own lines, innermost first."""
    found: list[Site] = []
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        code = frame.f_code
        own = _known.get(code.co_filename)
        if own or (own is None and is_own(code.co_filename)):
            called = _calls.get((id(code), frame.f_lasti))
            found.append(called[1] if called is not None else _site(frame))
            if len(found) == limit:
                break
        frame = frame.f_back
    return tuple(found)


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
