"""The browser of the tests of pages, and a real studio for tests that speak its protocol."""

import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from apps.studio.tests.browsing import axe, browser
from apps.studio.tests.running import Bench, Serve, real_processes
from forked import plain

__all__ = ["axe", "browser", "frames"]

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # as where a shell starts us in the background
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the runs of ``serve``."""
    return tmp_path_factory.mktemp("studio") / "runs"


@pytest.fixture(scope="module")
def serve(runs: Path) -> Iterator[Serve]:
    """A studio with its own processes, for one test after the other."""
    with real_processes(runs) as found:
        found(_begun)
        yield found


async def _begun(bench: Bench) -> None:
    """Wait until its processes run and know the built-in data, which is no test's own cost."""
    async with bench.viewer("viewer-begun", path="/socket/home") as home:
        assert "error" in await home.ask("train", data="wine", settings={"target": "nothing"})


@pytest.fixture(autouse=True, scope="module")
def _forks(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Start the process that ``plain`` forks, where a module has that: its imports are no test's own cost."""
    if hasattr(request.module, "plain"):
        path = tmp_path_factory.mktemp("forks") / "nothing.py"
        path.touch()
        plain(path)


@pytest.fixture
def frames(monkeypatch: pytest.MonkeyPatch) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """The header and arrays of each frame that a run's page in the studio draws, in place of its bytes."""
    drawn: list[tuple[dict[str, Any], dict[str, Any]]] = []

    def keep(header: dict[str, Any], parts: Any) -> bytes:
        drawn.append((header, dict(parts)))
        return b""

    monkeypatch.setattr("treino_studio.run_page.frame_bytes", keep)
    return drawn
