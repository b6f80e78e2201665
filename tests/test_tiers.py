"""Which cases a run leaves out, and what its last lines say of marks and skips."""

from pathlib import Path

import pytest
from hypothesis import settings

TIERS = (Path(__file__).parent / "tiers.py").read_text()
CASES = """
import pytest, subprocess, sys, time

def burn(seconds):
    end = time.process_time() + seconds
    while time.process_time() < end: pass

def test_quick(): pass
@pytest.mark.slow
def test_marked(): burn(0.4)
@pytest.mark.slow
def test_marked_for_nothing(): pass
@pytest.mark.release
def test_whole(): burn(0.4)
@pytest.mark.proof
def test_promise(): burn(0.6)
@pytest.mark.parametrize("k", range(7))
@pytest.mark.sampled(3)
def test_alike(k): pass
def test_pages(): pytest.skip("needs chromium: apt install chromium")
def test_gpu(): pytest.skip("needs a GPU")
def test_child():
    subprocess.run([sys.executable, "-c", "import time\\nwhile time.process_time() < 0.8: pass"], check=True)
"""
INI = """[pytest]
addopts = -p no:cacheprovider -m "not slow and not release"
markers =
  slow
  release
  proof
  sampled(k)
"""


@pytest.fixture
def project(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """A folder with cases of each kind, whose limits are a quarter of those that hold here."""
    monkeypatch.delenv("TREINO_REQUIRE", raising=False)
    pytester.makefile(".ini", pytest=INI)
    pytester.makeconftest(TIERS.replace("CLEARLY_SLOW = 2.0", "CLEARLY_SLOW = 0.5"))
    pytester.makepyfile(test_cases=CASES)
    return pytester


@pytest.mark.slow
def test_a_run_tells_what_it_left_out_and_which_marks_do_not_fit(project: pytest.Pytester) -> None:
    ended = project.runpytest_subprocess("-n", "2")
    ended.assert_outcomes(passed=6, skipped=2)
    ended.stdout.fnmatch_lines(["*0.? s, without a mark: *::test_child"])
    ended.stdout.fnmatch_lines(["*2 marked slow, 5 marked release*", "*1 skipped: needs a GPU"])
    assert "test_promise" not in ended.stdout.str()


@pytest.mark.slow
def test_a_mark_that_does_not_fit_and_a_skip_of_what_is_required_fail(
    project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TREINO_REQUIRE", "chromium,node")
    ended = project.runpytest_subprocess("-n", "0", "-m", "slow", "--tiers")
    assert ended.ret == 1
    ended.assert_outcomes(passed=2, deselected=13)
    ended.stdout.fnmatch_lines(["*0.0? s, and slow: *::test_marked_for_nothing"])
    assert "slow: test_cases.py::test_marked\n" not in ended.stdout.str()
    ended = project.runpytest_subprocess("-n", "0", "-m", "not slow and not release")
    ended.assert_outcomes(passed=6, skipped=1, failed=1, deselected=7)
    ended.stdout.fnmatch_lines(["*TREINO_REQUIRE=chromium,node: *needs chromium*"])


def test_chance_is_anew_only_in_a_release(thorough: bool) -> None:
    """Whichever conftest has been read before: ``make release-tests`` reads the doctor's as well."""
    assert settings.default is not None
    assert settings.default.derandomize is not thorough
