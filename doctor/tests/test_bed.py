"""The bed of scripts: faults found on their lines, mended and correct scripts silent; one script in three is
run without the doctor, too, and its output is that of the watched run, bit for bit.

CI runs the smallest script of each rule and every fourth of the others, and a release all; each rule's own
example is run by default, in test_examples.py.
"""

import sys
from pathlib import Path
from zlib import crc32

import pytest

from bed_scripts import correct, every, faulty, found_at, header, katas, mended, missing, twin
from frameworks.environment import has, interpreter
from treino_doctor.rules import rules
from written import parts
from zygote import examined

LONG = ("xm_atencao_passos",)  # scripts that take seconds
MOST = 150  # scripts: who runs them all has to wait for each

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


def one_in(count: int, path: Path) -> bool:
    """Always the same ones."""
    return crc32(path.stem.encode()) % count == 0


def by_tier(paths: list[Path]) -> list:
    """The scripts as cases."""
    smallest: dict[str, Path] = {}
    for path in sorted(paths, key=lambda p: (p.stat().st_size, p.stem)):
        for rule, _line in header(path)["expect"]:
            smallest.setdefault(rule, path)
    often = {*smallest.values()} | {p for p in paths if one_in(4, p) and p.stem not in LONG}
    marks = {p: pytest.mark.slow if p in often else pytest.mark.release for p in paths}
    return [pytest.param(p, id=p.stem, marks=marks[p]) for p in paths]


def watched(path, python=sys.executable):
    """What the doctor says of it; its output and status are as without the doctor."""
    seen = examined(path, python=python)
    assert seen["defects"] == []
    if one_in(3, path):
        plain = examined(path, python=python, watched=False)
        assert (seen["output"], seen["status"]) == (plain["output"], plain["status"])
    return seen


def judge(path, python=sys.executable):
    """The faults of a script are found on their lines, and nothing else; its mended twin is silent."""
    seen, said = watched(path, python), header(path)
    places = [(rule, line) for rule, line, _ in seen["findings"]]
    for rule, line in said["expect"]:
        assert found_at(rule, line, said, places), f"{rule} at {line}, found: {places}"
    for rule, line in said["missed"]:
        assert not found_at(rule, line, said, places), f"{rule} at {line} is found: it is expected"
    allowed = {rule for rule, _ in said["allowed"]}
    assert {rule for rule, _ in places} <= {r for r, _ in said["expect"] + said["missed"]} | allowed
    silent = examined(twin(path), python=python)  # a line or two from the one whose output is compared
    assert (silent["status"], silent["defects"]) == (0, [])
    assert [f for f in silent["findings"] if f[0] not in allowed] == []


@pytest.mark.parametrize("path", by_tier([*faulty(), *katas()]))
def test_a_fault_is_found_on_its_line_and_nothing_else_and_its_mend_is_silent(path):
    judge(path)


@pytest.mark.parametrize("path", by_tier(correct()))
def test_a_correct_script_is_silent(path):
    seen = watched(path)
    assert (seen["status"], seen["findings"]) == (0, [])


@pytest.mark.release
@pytest.mark.parametrize(
    "path", [p for p in every("faulty") + every("correct") if missing(p)], ids=lambda p: p.stem
)
def test_a_script_of_a_framework_is_judged_as_others_are(path):
    for need in missing(path):
        if not has(need):
            pytest.skip(f"needs {need}: `make frameworks` installs people's frameworks")
    judge(path, interpreter())


def test_the_bed_is_small_and_it_or_the_siblings_have_every_rule():
    assert len(every("faulty") + every("correct") + katas()) <= MOST
    siblings = {head.partition(":")[0] for head in parts("siblings.txt")} - {"right"}
    assert {r for p in every("faulty") for r, _ in header(p)["expect"]} | siblings == set(rules())
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
