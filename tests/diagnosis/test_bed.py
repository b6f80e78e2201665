"""The bed of scripts: faults found on their lines, mended and correct scripts silent, output equal bit
for bit.
"""

from pathlib import Path

import pytest

from tests.diagnosis.bed import faulty, found_at, header, left_out, missing, needs, right
from tests.diagnosis.zygote import examined
from treino.diagnosis.rules import rules


def some(paths: list[Path], one_in: int) -> list[Path]:
    """One in so many; fewer of those that import a library for seconds. ``python -m benchmarks doctor`` takes
    all.
    """
    slow = [p for p in paths if needs(p)]
    return [*[p for p in paths if p not in slow][::one_in], *slow[:: 4 * one_in]]


FAULTY, RIGHT, LEFT_OUT = some(faulty("seen"), 16), some(right("seen"), 32), left_out("seen")
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
@pytest.mark.sampled(3)
def test_a_fault_is_found_on_its_line_and_nothing_else(path):
    seen, said = watched(path), header(path)
    places = [(rule, line) for rule, line, _ in seen["findings"]]
    for rule, line in said["expect"]:
        assert found_at(rule, line, said, places), f"{rule} at {line}, found: {places}"
    known = {r for r, _ in said["expect"] + said["allowed"]}
    assert {r for r, _, _ in seen["findings"]} <= known


@pytest.mark.slow
@pytest.mark.parametrize("path", RIGHT, ids=lambda p: p.stem)
@pytest.mark.sampled(3)
def test_a_right_script_is_silent(path):
    seen = watched(path)
    assert seen["status"] == 0
    assert seen["findings"] == []


@pytest.mark.skipif(not LEFT_OUT, reason="all packages are there")
def test_some_scripts_wait_for_their_packages():
    wanted = sorted({name for path in LEFT_OUT for name in missing(path)})
    pytest.skip(f"{len(LEFT_OUT)} scripts need {', '.join(wanted)}")


def test_the_bed_names_only_rules_that_there_are():
    assert {r for p in faulty("seen") for r, _ in header(p)["expect"]} <= set(rules())
