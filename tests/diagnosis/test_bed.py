"""The bed of scripts: faults found on their lines, mended and correct scripts silent, output equal bit
for bit.
"""

import re
from functools import cache
from pathlib import Path

import pytest

from tests.diagnosis.zygote import examined
from treino.diagnosis.rules import rules

BED = Path(__file__).parents[1] / "doctor" / "bed" / "seen"
FAULTY = sorted(p for p in (BED / "faulty").glob("*.py") if ".mended" not in p.name)
RIGHT = sorted([*(BED / "faulty").glob("*.mended.py"), *(BED / "correct").glob("*.py")])
_LINE = re.compile(r"# (expect|allowed): (\w+)(?: @ (\d+))?")
NEAR = 3


@cache
def watched(path: Path):
    return examined(path)


def header(path: Path) -> dict[str, list[tuple[str, int]]]:
    found: dict[str, list[tuple[str, int]]] = {"expect": [], "allowed": []}
    for line in path.read_text().splitlines()[:12]:
        if (m := _LINE.match(line)) and m[2] != "nothing":
            found[m[1]].append((m[2], int(m[3] or 0)))
    return found


@pytest.mark.slow
@pytest.mark.parametrize("path", FAULTY, ids=lambda p: p.stem)
def test_a_fault_is_found_on_its_line_and_nothing_else(path):
    seen, said = watched(path), header(path)
    assert seen["defects"] == []
    for rule, line in said["expect"]:
        places = [line] + [n for r, n in said["allowed"] if r == rule]
        lines = [n for r, n, _ in seen["findings"] if r == rule]
        assert any(abs(n - p) <= NEAR for n in lines for p in places), f"{rule} at {line}, found at {lines}"
    known = {r for r, _ in said["expect"] + said["allowed"]}
    assert {r for r, _, _ in seen["findings"]} <= known


@pytest.mark.slow
@pytest.mark.parametrize("path", RIGHT, ids=lambda p: p.stem)
def test_a_right_script_is_silent(path):
    seen = watched(path)
    assert seen["defects"] == []
    assert seen["status"] == 0
    assert seen["findings"] == []


@pytest.mark.slow
@pytest.mark.parametrize("path", [*FAULTY, *RIGHT], ids=lambda p: p.stem)
def test_the_output_is_the_same_with_and_without_the_doctor(path):
    plain = examined(path, watched=False)
    assert plain["output"] == watched(path)["output"]
    assert plain["status"] == watched(path)["status"]


def test_the_bed_names_only_rules_that_there_are():
    assert {r for p in FAULTY for r, _ in header(p)["expect"]} <= set(rules())
