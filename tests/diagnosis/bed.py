"""The bed of scripts, by folder: ``seen``, by which the rules were written, and any other beside it."""

import re
from functools import cache
from importlib.util import find_spec
from pathlib import Path

BED = Path(__file__).parents[1] / "doctor" / "bed"
NEAR = 3  # lines that a finding may be off
_LINE = re.compile(r"# (expect|allowed): (\w+)(?: @ (\d+))?")
_NEEDS = re.compile(r"# needs: (\w+)")


def header(path: Path) -> dict[str, list[tuple[str, int]]]:
    """``expect`` and ``allowed`` of a script: (rule, line)."""
    found: dict[str, list[tuple[str, int]]] = {"expect": [], "allowed": []}
    for line in path.read_text().splitlines()[:12]:
        if (m := _LINE.match(line)) and m[2] != "nothing":
            found[m[1]].append((m[2], int(m[3] or 0)))
    return found


def faulty(folder: str) -> list[Path]:
    """The faulty scripts whose packages are there."""
    return [p for p in _faulty(folder) if not missing(p)]


def right(folder: str) -> list[Path]:
    """The correct scripts, and the faulty ones mended."""
    return [p for p in _right(folder) if not missing(p)]


def left_out(folder: str) -> list[Path]:
    """Scripts that need a package which isn't there."""
    return [p for p in (*_faulty(folder), *_right(folder)) if missing(p)]


def _faulty(folder: str) -> list[Path]:
    return sorted(p for p in (BED / folder / "faulty").glob("*.py") if ".mended" not in p.name)


def _right(folder: str) -> list[Path]:
    return sorted([*(BED / folder / "faulty").glob("*.mended.py"), *(BED / folder / "correct").glob("*.py")])


@cache
def needs(path: Path) -> list[str]:
    """The packages that a script names as needed."""
    return _NEEDS.findall("\n".join(path.read_text().splitlines()[:12]))


def missing(path: Path) -> list[str]:
    """Those that aren't there."""
    return [name for name in needs(path) if find_spec(name) is None]


def found_at(
    rule: str, line: int, header: dict[str, list[tuple[str, int]]], seen: list[tuple[str, int]]
) -> bool:
    """Whether an expected fault is among what was seen: on its line, or on another that is allowed for it."""
    places = [line, *(n for r, n in header["allowed"] if r == rule)]
    return any(r == rule and n is not None and abs(n - p) <= NEAR for r, n in seen for p in places)
