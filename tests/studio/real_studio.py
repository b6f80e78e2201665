"""A real studio and a real browser before it: what tests do there is looked for in the run's folder."""

import json
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from treino.errors import TreinoError
from treino.folders import open_run
from treino.records.stored_run import StoredRun

SECONDS = 60.0  # for what a page shows, or a folder holds, in the end: other work may be going on here


@contextmanager
def chromium() -> Iterator[Any]:
    """A browser; the test is skipped where there is none."""
    sync = pytest.importorskip("playwright.sync_api")
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if found is None:
        pytest.skip("there is no Chromium here")
    with sync.sync_playwright() as play:
        browser = play.chromium.launch(executable_path=found, args=["--no-sandbox", "--disable-gpu"])
        yield browser
        browser.close()


@dataclass
class RealStudio:
    """A studio that serves, with its runs in ``runs``. said: what consoles complained of, and requests to
    other places."""

    process: "subprocess.Popen[str]"
    address: str
    runs: Path
    said: list[str] = field(default_factory=list)

    @property
    def site(self) -> str:
        return self.address.partition("?")[0]

    def open(self, browser: Any, path: str = "", **how: Any) -> Any:
        """A page in a context of its own; path: instead of what was named on the command line."""
        context = browser.new_context(
            **{"locale": "en-US", "viewport": {"width": 1440, "height": 900}, **how}
        )
        page = context.new_page()
        page.set_default_timeout(1000 * SECONDS)
        page.on("console", lambda m: self.said.append(m.text) if m.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: self.said.append(str(error)))
        page.on("request", lambda r: None if self._own(r.url) else self.said.append(r.url))
        page.goto(self.address)
        if path:
            page.goto(self.site + path)
        return page

    def _own(self, url: str) -> bool:
        return url.startswith((self.site, "blob:", self.site.replace("http", "ws", 1)))

    def run(self, name: str) -> StoredRun:
        """What the folder of a run holds now."""
        return open_run(self.runs / name, verify=False)

    def until(self, name: str, true: Callable[[StoredRun], Any]) -> StoredRun:
        """The run, once this holds of what its folder holds."""
        end = time.monotonic() + SECONDS
        while True:
            try:
                run = self.run(name)
                if true(run):
                    return run
            except TreinoError:  # it is being written
                if time.monotonic() > end:
                    raise
            assert time.monotonic() < end, commands(self.run(name))
            time.sleep(0.02)


def commands(run: StoredRun) -> list[tuple[str, Any]]:
    """What was asked of its trainings and done, in its order."""
    return [(c.name, c.value) for c in run.folder.database.commands() if c.state == "applied"]


@contextmanager
def real_studio(
    folder: Path, words: Sequence[str], before: Sequence[str] = (), **how: Any
) -> Iterator[RealStudio]:
    """``treino studio`` with these words in a folder, ended by Ctrl-C. before: words before the program's.

    how: of ``subprocess.Popen``.
    """
    line = [*before, sys.executable, "-m", "treino", "studio", *words]
    process = subprocess.Popen(
        [*line, "--no-browser", "--port", "0", "--json"], cwd=folder, stdout=subprocess.PIPE, text=True, **how
    )
    assert process.stdout is not None
    try:
        address = json.loads(process.stdout.readline())["studio"]["address"]
        yield RealStudio(process, address, folder / "runs")
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)
