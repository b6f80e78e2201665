"""The bed of scripts: faults found on their lines, mended and correct scripts silent, output equal bit
for bit.
"""

from pathlib import Path

import pytest

from tests.diagnosis.bed import faulty, found_at, header, left_out, missing, right
from tests.diagnosis.zygote import examined
from treino.diagnosis.rules import rules

# ``python -m benchmarks doctor`` takes all right scripts, and compares all outputs
FAULTY, RIGHT, LEFT_OUT = faulty("seen"), right("seen")[::3], left_out("seen")
COMPARED = {*FAULTY[::4], *RIGHT[::4]}


def watched(path: Path):
    """What the doctor says of it; its output and status are as without the doctor."""
    seen = examined(path)
    assert seen["defects"] == []
    if path in COMPARED:
        plain = examined(path, watched=False)
        assert seen["output"] == plain["output"]
        assert seen["status"] == plain["status"]
    return seen


@pytest.mark.slow
@pytest.mark.parametrize("path", FAULTY, ids=lambda p: p.stem)
def test_a_fault_is_found_on_its_line_and_nothing_else(path):
    seen, said = watched(path), header(path)
    places = [(rule, line) for rule, line, _ in seen["findings"]]
    for rule, line in said["expect"]:
        assert found_at(rule, line, said, places), f"{rule} at {line}, found: {places}"
    known = {r for r, _ in said["expect"] + said["allowed"]}
    assert {r for r, _, _ in seen["findings"]} <= known


@pytest.mark.slow
@pytest.mark.parametrize("path", RIGHT, ids=lambda p: p.stem)
def test_a_right_script_is_silent(path):
    seen = watched(path)
    assert seen["status"] == 0
    assert seen["findings"] == []


@pytest.mark.parametrize("path", LEFT_OUT, ids=lambda p: p.stem)
def test_a_script_waits_for_its_packages(path):
    pytest.skip(f"{path.name} needs {', '.join(missing(path))}")


def test_the_bed_names_only_rules_that_there_are():
    assert {r for p in FAULTY for r, _ in header(p)["expect"]} <= set(rules())
