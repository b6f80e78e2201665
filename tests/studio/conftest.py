"""The browser of the tests of pages, and a real studio for tests that speak its protocol."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.studio.browsing import axe, browser
from tests.studio.running import Serve, real_processes

__all__ = ["axe", "browser"]


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the runs of ``serve``."""
    return tmp_path_factory.mktemp("studio") / "runs"


@pytest.fixture(scope="module")
def serve(runs: Path) -> Iterator[Serve]:
    """A studio with its own processes, for one test after the other."""
    with real_processes(runs) as found:
        yield found
