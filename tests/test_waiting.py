"""What the tests are built on: Ctrl-C reaches what they start, and what hangs is ended."""

import signal
import subprocess
import sys

import pytest

from tests import waiting
from tests.conftest import _ctrl_c
from tests.waiting import Hangs, ignored, no_hang, until

HANDLER = "import signal; print(signal.getsignal(signal.SIGINT) is signal.default_int_handler)"


def test_what_tests_start_takes_ctrl_c_though_their_parent_ignores_it() -> None:
    with ignored(signal.SIGINT):
        _ctrl_c.__wrapped__()  # type: ignore[attr-defined]
        said = subprocess.run([sys.executable, "-c", HANDLER], capture_output=True, text=True, check=True)
    assert said.stdout == "True\n"


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
