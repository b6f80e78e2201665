"""A real studio and a real browser before it: what tests do there is looked for in the run's folder."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from treino.errors import TreinoError
from treino.folders import open_run
from treino.records.stored_run import StoredRun

SECONDS = 60.0  # for what a page shows, or a folder holds, in the end: other work may be going on here


def program() -> str | None:
    return shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


@contextmanager
def chromium() -> Iterator[Any]:
    """A browser; the test is skipped where there is none."""
    sync = pytest.importorskip("playwright.sync_api")
    found = program()
    if found is None:
        pytest.skip("there is no Chromium here")
    with sync.sync_playwright() as play:
        browser = play.chromium.launch(executable_path=found, args=["--no-sandbox", "--disable-gpu"])
        yield browser
        browser.close()


@contextmanager
def browser_process(browser: Any, folder: Path) -> Iterator[tuple[int, Any]]:
    """Another browser, in a group of processes of its own that signals can be sent to; -> the group's number,
    and the browser. folder: for its profile."""
    flags = ["--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--remote-debugging-port=0"]
    line = [str(program()), *flags, f"--user-data-dir={folder}"]
    process = subprocess.Popen(
        line, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )
    told, end = folder / "DevToolsActivePort", time.monotonic() + SECONDS
    try:
        while not (told.is_file() and len(lines := told.read_text().split("\n")) > 1):
            assert time.monotonic() < end
            time.sleep(0.05)
        yield process.pid, browser.browser_type.connect_over_cdp(f"ws://127.0.0.1:{lines[0]}{lines[1]}")
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait(30)


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
        usual = {"locale": "en-US", "viewport": {"width": 1440, "height": 900}}
        return self.shown(browser.new_context(**usual | how).new_page(), path)

    def shown(self, page: Any, path: str = "") -> Any:
        """A page that goes to the studio."""
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


TREINO = (sys.executable, "-m", "treino")


@contextmanager
def real_studio(folder: Path, words: Sequence[str], program: Sequence[str] = TREINO) -> Iterator[RealStudio]:
    """``treino studio`` with these words in a folder, ended by Ctrl-C."""
    line = [*program, "studio", *words, "--no-browser", "--port", "0", "--json"]
    process = subprocess.Popen(line, cwd=folder, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        address = json.loads(process.stdout.readline())["studio"]["address"]
        yield RealStudio(process, address, folder / "runs")
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)
