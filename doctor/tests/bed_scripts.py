"""The bed of scripts: ``faulty`` ones and ``correct`` ones, as many hands write them.

A script begins with lines for the tests, in this order; every number is a line of the file as it is:

    # expect: RULE @ LINE      a fault, and the line on which it has to be told; "nothing" of a right script
    # missed: RULE @ LINE      a fault that the doctor does not find, or not on its line
    # allowed: RULE @ LINE     what else may be told, or another line for a fault that is expected
    # needs: PACKAGE           without it the script is left out; "torch>=2.0" of a version of torch
    # mend: LINE → TEXT        in the mended script this line is TEXT, with whatever indentation it shows here
    # mend: LINE →             in the mended script this line is gone
    # mend: LINE + TEXT        in the mended script TEXT comes after this line; several in their order
"""

import re
import tempfile
from functools import cache
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

BED = Path(__file__).parent / "bed"
KATAS = BED.parents[2] / "apps/lessons/src/treino_lessons/katas/scripts"  # for learners; faulty, each
Places = dict[str, list[tuple[str, int]]]  # word of a script's head -> (rule, line)
NEAR = 3  # lines that a finding may be off
_HEAD = re.compile(r"# (expect|missed|allowed|needs|mend): (.+)")
_PLACE = re.compile(r"(\w+)(?: @ (\d+))?")
_MEND = re.compile(r"(\d+) (→|\+)(?: (.*))?")


def header(path: Path) -> Places:
    """``expect``, ``missed`` and ``allowed`` of a script: (rule, line)."""
    places: Places = {"expect": [], "missed": [], "allowed": []}
    for word, text in _head(path.read_text()):
        if word in places and (m := _PLACE.match(text)) and m[1] != "nothing":
            places[word].append((m[1], int(m[2] or 0)))
    return places


def mended(text: str) -> str:
    """A faulty script as its mends say, without the lines for the tests but what is needed or allowed."""
    lines: list[list[str]] = [[], *([line] for line in text.splitlines())]
    for number, (word, _) in enumerate(_head(text), 1):
        if word not in ("needs", "allowed"):
            lines[number] = []
    for word, mend in _head(text):
        if word != "mend":
            continue
        if not (m := _MEND.fullmatch(mend)) or int(m[1]) >= len(lines):
            raise ValueError(f"not a mend: {mend}")
        at = lines[int(m[1])]
        if m[2] == "+":
            at.append(m[3] or "")
        else:
            at[:1] = [m[3]] if m[3] else []
    return "\n".join(line for some in lines for line in some) + "\n"


def every(folder: str) -> list[Path]:
    """All scripts of ``faulty`` or of ``correct``."""
    return sorted((BED / folder).glob("*.py"))


def faulty() -> list[Path]:
    """The faulty scripts whose packages are there."""
    return [p for p in every("faulty") if not missing(p)]


def katas() -> list[Path]:
    """The scripts that treino gives to learners; none where treino's source is not beside the doctor's."""
    return sorted(KATAS.glob("*.py"))


def correct() -> list[Path]:
    """The scripts that were right from the first whose packages are there."""
    return [p for p in every("correct") if not missing(p)]


def right() -> list[Path]:
    """The correct scripts, and the faulty ones mended: these lie in a folder of this process."""
    return sorted([*correct(), *(twin(p) for p in faulty())], key=lambda p: p.name)


@cache
def twin(path: Path) -> Path:
    """The mended script beside a faulty one, in a folder of this process."""
    mended_one = Path(_folder().name) / f"{path.stem}.mended.py"
    mended_one.write_text(mended(path.read_text()))
    return mended_one


@cache
def _folder() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory()


def _head(text: str) -> list[tuple[str, str]]:
    """The lines for the tests: a word, and what it says."""
    words: list[tuple[str, str]] = []
    for line in text.splitlines():
        if not (m := _HEAD.fullmatch(line)):
            break
        words.append((m[1], m[2]))
    return words


@cache
def needs(path: Path) -> list[str]:
    """The packages that a script names as needed."""
    return [text.split()[0] for word, text in _head(path.read_text()) if word == "needs"]


def missing(path: Path) -> list[str]:
    """Those that aren't there."""
    return [name for name in needs(path) if not _is_there(name)]


def _is_there(need: str) -> bool:
    name, _, least = need.partition(">=")
    if not least:
        return find_spec(name) is not None
    return _numbers(version(name)) >= _numbers(least)


def _numbers(text: str) -> list[int]:
    return [int(n) for n in re.findall(r"\d+", text)[:2]]


def found_at(rule: str, line: int, header: Places, seen: list[tuple[str, int]]) -> bool:
    """Whether an expected fault is among what was seen: on its line, or on another that is allowed for it."""
    places = [line, *(n for r, n in header["allowed"] if r == rule)]
    return any(r == rule and n is not None and abs(n - p) <= NEAR for r, n in seen for p in places)
