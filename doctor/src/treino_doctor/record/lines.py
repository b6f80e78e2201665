"""Find which line of the user's own code runs: the innermost frames outside libraries and treino."""

import sys
import sysconfig
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

from treino_doctor.finding import Site

# A warning from a wrapped function must show the line of its caller: `warnings` skips frames whose file name
# contains these two words.
UNSEEN = "<treino: importlib _bootstrap>"

_PATHS = sysconfig.get_paths()
_FOLDERS = [_PATHS[k] for k in ("stdlib", "platstdlib", "purelib", "platlib")]
_LIBRARIES = tuple({f"{Path(folder)}/" for folder in (*_FOLDERS, str(Path(__file__).parents[2]))})
_DOCTOR = (str(Path(__file__).parents[1]), "<treino")  # the doctor's own files, and functions that it wraps
_own_files: set[str] = set()  # scripts under the doctor, in any folder
_known: dict[str, bool] = {}
_sites: dict[tuple[str, int], Site] = {}
_places: dict[tuple[int, int], tuple[CodeType, Site]] = {}  # (id of code, instruction) -> (code, site)


def unseen(function: Any) -> Any:
    """Give a function a file name that warnings and tracebacks skip."""
    function.__code__ = function.__code__.replace(co_filename=UNSEEN)
    return function


def watch_file(path: str) -> None:
    """Count this file as the user's own code even inside a library folder."""
    _own_files.add(path)
    _known.pop(path, None)


def watched_files() -> set[str]:
    """The files that count as the user's own wherever they are."""
    return set(_own_files)


def is_own(path: str) -> bool:
    """Whether a code object's file is the user's own code."""
    known = _known.get(path)
    if known is None:
        library = path.startswith(_LIBRARIES) or "site-packages" in path or "dist-packages" in path
        made_up = path.startswith("<") and not path.startswith("<ipython-input")  # IPython's name for a cell
        known = path in _own_files or not (library or made_up)
        _known[path] = known
    return known


def forget_files() -> None:
    """Begin a new examination, which has seen no file yet."""
    _known.clear()


def own_files() -> list[str]:
    """The files of the user's own code that were seen running."""
    return sorted(path for path, own in _known.items() if own)


def here() -> Site | None:
    """The innermost running line of the user's code; None if only libraries are on the stack."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        code = frame.f_code
        own = _known.get(code.co_filename)
        if own or (own is None and is_own(code.co_filename)):
            place = _places.get((id(code), frame.f_lasti))
            return place[1] if place is not None else _site(frame)
        frame = frame.f_back
    return None


def by_library() -> bool:
    """Whether a library, not the user's code, makes the observed call."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and frame.f_code.co_filename.startswith(_DOCTOR):
        frame = frame.f_back
    return frame is None or not is_own(frame.f_code.co_filename)


def stack(limit: int = 5) -> tuple[Site, ...]:
    """The innermost running lines of the user's code, innermost first."""
    sites: list[Site] = []
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and len(sites) < limit:
        code = frame.f_code
        own = _known.get(code.co_filename)
        if own or (own is None and is_own(code.co_filename)):
            place = _places.get((id(code), frame.f_lasti))
            sites.append(place[1] if place is not None else _site(frame))
        frame = frame.f_back
    return tuple(sites)


def where() -> dict[str, Any]:
    """The running line and those that led to it, as fields of an event."""
    return {"site": here(), "stack": stack()}


def maker(made: object) -> Site | None:
    """The innermost user's line that constructs this object, outside the object's own ``__init__``."""
    frame: FrameType | None = sys._getframe(1)
    innermost: Site | None = None
    while frame is not None:
        code = frame.f_code
        if is_own(code.co_filename):
            innermost = innermost or _site(frame)
            # The first argument of a method; ``f_locals`` would keep every value of the frame alive.
            if not (code.co_argcount and code.co_name in ("__init__", "__new__", "__post_init__")):
                return _site(frame)
            if not _makes(frame, made):
                return _site(frame)
        frame = frame.f_back
    return innermost


def _makes(frame: FrameType, made: object) -> bool:
    """Whether the ``__init__`` that runs in this frame is this object's own."""
    functions = (vars(kind).get("__init__") for kind in type(made).__mro__)
    return any(frame.f_code is getattr(one, "__code__", None) for one in functions)


def _site(frame: FrameType) -> Site:
    """A frame's line; the same line is the same object."""
    code, line = frame.f_code, frame.f_lineno
    site = _sites.get((code.co_filename, line))
    if site is None:
        site = _sites[code.co_filename, line] = Site(code.co_filename, line, code.co_name)
    if len(_places) > 4096:
        _places.clear()
    _places[id(code), frame.f_lasti] = code, site  # holds the code, so that its id stays unique
    return site
