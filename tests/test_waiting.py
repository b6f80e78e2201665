"""What the tests are built on: Ctrl-C reaches what they start, and what hangs is ended."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests import waiting
from tests.waiting import Hangs, ignored, no_hang, until


@pytest.mark.slow
def test_what_tests_start_takes_ctrl_c_though_their_parent_ignores_it(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        "import signal\ndef test(): assert signal.getsignal(signal.SIGINT) is signal.default_int_handler"
    )
    pytester.makeconftest((Path(__file__).parent / "tiers.py").read_text())
    with ignored(signal.SIGINT):
        pytester.runpytest_subprocess("-p", "no:cacheprovider").assert_outcomes(passed=1)


def test_what_never_comes_is_not_awaited_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting, "HANG", 0.01)
    with pytest.raises(AssertionError, match="it has not come"):
        until(lambda: False)
    with pytest.raises(Hangs), no_hang():
        signal.pause()
    monkeypatch.undo()
    ended = subprocess.Popen([sys.executable, "-c", ""])
    with pytest.raises(AssertionError, match="has ended, with status 0"):
        until(lambda: False, ended)
