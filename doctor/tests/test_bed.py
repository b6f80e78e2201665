"""The bed of scripts: faults found on their lines, mended and correct scripts silent, output equal bit
for bit. Each script runs with and without the doctor.
"""

import pytest

from bed_scripts import correct, every, faulty, found_at, header, katas, mended, missing, twin
from treino_doctor.rules import rules
from zygote import examined

FAULTY, CORRECT = [*faulty(), *katas()], correct()
MOST = 200  # scripts: who runs them all has to wait for each

TAUGHT = """\
# expect: no_step @ 5
# mend: 6 →
# mend: 7 →     b
# mend: 7 + c
# mend: 7 +
a
    d
e
"""


def watched(path):
    """What the doctor says of it; its output and status are as without the doctor."""
    seen, plain = examined(path), examined(path, watched=False)
    assert seen["defects"] == []
    assert (seen["output"], seen["status"]) == (plain["output"], plain["status"])
    return seen


@pytest.mark.slow
@pytest.mark.parametrize("path", FAULTY, ids=lambda p: p.stem)
def test_a_fault_is_found_on_its_line_and_nothing_else(path):
    seen, said = watched(path), header(path)
    places = [(rule, line) for rule, line, _ in seen["findings"]]
    for rule, line in said["expect"]:
        assert found_at(rule, line, said, places), f"{rule} at {line}, found: {places}"
    for rule, line in said["missed"]:
        assert not found_at(rule, line, said, places), f"{rule} at {line} is found: it is expected"
    known = {r for r, _ in said["expect"] + said["missed"] + said["allowed"]}
    assert {r for r, _, _ in seen["findings"]} <= known


@pytest.mark.slow
@pytest.mark.parametrize("path", CORRECT, ids=lambda p: p.stem)
def test_a_correct_script_is_silent(path):
    seen = watched(path)
    assert (seen["status"], seen["findings"]) == (0, [])


@pytest.mark.slow
@pytest.mark.parametrize("path", FAULTY, ids=lambda p: p.stem)
def test_a_mended_script_is_silent(path):
    """It is a line or two from the faulty one whose output is compared."""
    seen, allowed = examined(twin(path)), {rule for rule, _ in header(path)["allowed"]}
    assert (seen["status"], seen["defects"]) == (0, [])
    assert [f for f in seen["findings"] if f[0] not in allowed] == []


@pytest.mark.parametrize(
    "path", [p for p in every("faulty") + every("correct") if missing(p)], ids=lambda p: p.stem
)
def test_a_script_waits_for_its_packages(path):
    pytest.skip(f"needs {', '.join(missing(path))}")


def test_the_bed_is_small_and_has_every_rule():
    assert len(every("faulty") + every("correct") + katas()) <= MOST
    assert {r for p in every("faulty") for r, _ in header(p)["expect"]} == set(rules())
    assert all(header(p)["expect"] or header(p)["missed"] for p in every("faulty") + katas())


def test_a_faulty_script_says_how_it_is_mended():
    for path in every("faulty") + katas():
        text = path.read_text()
        unmended = "\n".join(line for line in text.splitlines() if not line.startswith("# mend: "))
        assert mended(text) != mended(unmended), path.stem
        compile(mended(text), path.name, "exec")


def test_a_mend_changes_takes_and_adds_lines():
    assert mended(TAUGHT) == "    b\nc\n\ne\n"


@pytest.mark.parametrize("mend", ["2 b", "3 → b", "x → b"])
def test_a_mend_that_can_not_be_is_refused(mend):
    with pytest.raises(ValueError, match=f"not a mend: {mend}"):
        mended(f"# mend: {mend}\na\n")
