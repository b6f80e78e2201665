"""Which line of a person's own code is running: the innermost frame outside libraries and treino."""

import sys
import sysconfig
from pathlib import Path
from types import FrameType

from treino.diagnosis.finding import Site

_PATHS = sysconfig.get_paths()
_LIBRARIES = tuple(
    {str(Path(_PATHS[k])) + "/" for k in ("stdlib", "platstdlib", "purelib", "platlib")}
    | {str(Path(__file__).parents[2]) + "/"}
)
_own_files: set[str] = set()  # scripts under the doctor, wherever they lie
_known: dict[str, bool] = {}
_sites: dict[tuple[str, int], Site] = {}


def watch_file(path: str) -> None:
    """Count this file as a person's own code even inside a library folder."""
    _own_files.add(path)
    _known.pop(path, None)


def is_own(path: str) -> bool:
    """Whether a code object's file is a person's own code."""
    known = _known.get(path)
    if known is None:
        library = path.startswith(_LIBRARIES) or "site-packages" in path or "dist-packages" in path
        known = path in _own_files or not (library or path.startswith("<"))
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
            key = path, frame.f_lineno
            site = _sites.get(key)
            if site is None:
                site = _sites[key] = Site(path, frame.f_lineno, code.co_name)
            return site
        frame = frame.f_back
    return None


def stack(limit: int = 4) -> tuple[Site, ...]:
    """The innermost own lines, innermost first."""
    found: list[Site] = []
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and len(found) < limit:
        if is_own(frame.f_code.co_filename):
            found.append(Site(frame.f_code.co_filename, frame.f_lineno, frame.f_code.co_name))
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


def outside(skip: tuple[str, ...]) -> Site | None:
    """The innermost own line that is not in a function whose name has one of these words."""
    sites = stack(6)
    return next(
        (s for s in sites if not any(w in s.function.lower() for w in skip)), sites[0] if sites else None
    )
